"""Taste: the bandit's algebra, likes that move the next answer, reasons, and the simulation."""

import numpy as np
import pytest

from mmdemo.catalog.facet_index import FacetIndex
from mmdemo.catalog.product import Product
from mmdemo.core.errors import InputError
from mmdemo.core.request import Query, Taste
from mmdemo.evaluate.simulated_shoppers import (
    Shopper,
    figures,
    regret,
    rocchio,
    shoppers,
    simulate,
    thompson,
    unlearning,
)
from mmdemo.index.product_index import ProductIndex
from mmdemo.search import feedback
from mmdemo.search.feedback import Posterior, Space, rewards
from mmdemo.search.recommender import Recommender
from mmdemo.ui.taste import changed
from tests.toys import ToyEncoder, picture


def places(results, end: str) -> float:
    """The mean place of the products whose ids end so."""
    return float(np.mean([r.rank for r in results if r.id.endswith(end)]))


def test_the_posterior_is_that_of_bayesian_linear_regression():
    rng = np.random.default_rng(0)
    x, r = rng.normal(size=(7, 3)), rng.normal(size=7)
    p = Posterior(x, r)
    b = np.eye(3) + x.T @ x
    np.testing.assert_allclose(p.mean, np.linalg.solve(b, x.T @ r))
    draws = np.stack([p.draw(rng, explore=2.0) for _ in range(20_000)])
    np.testing.assert_allclose(draws.mean(0), p.mean, atol=0.05)
    np.testing.assert_allclose(np.cov(draws.T), 4 * np.linalg.inv(b), atol=0.1)


def test_the_shares_of_the_clicks_sum_to_the_expected_reward():
    rng = np.random.default_rng(1)
    x, r = rng.normal(size=(5, 4)), rewards(np.array([True, False, True, False, False]))
    p, product = Posterior(x, r), rng.normal(size=4)
    assert p.shares(product).sum() == pytest.approx(product @ p.mean)


def test_without_clicks_nothing_is_known():
    p = Posterior(np.zeros((0, 3)), np.zeros(0))
    np.testing.assert_allclose(p.mean, 0)
    draws = np.stack([p.draw(np.random.default_rng(i), explore=1.0) for i in range(5_000)])
    np.testing.assert_allclose(np.cov(draws.T), np.eye(3), atol=0.1)


def test_directions_rank_products_as_their_features_do():
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(40, 12)).astype(np.float32)
    space = Space(vectors, 5)
    weights = rng.normal(size=5)
    by_feature, by_vector = space.features(vectors) @ weights, vectors @ space.direction(weights)
    assert np.corrcoef(by_feature, by_vector)[0, 1] == pytest.approx(1, abs=1e-4)


def test_one_like_moves_the_next_answer_towards_it(toy_recommender):
    plain = toy_recommender.recommend(Query(text="mug", k=48))
    liked = toy_recommender.recommend(Query(text="mug", k=48, taste=Taste(likes=("tray-0-purple",))))
    assert places(liked, "purple") < places(plain, "purple") - 5


def test_one_dislike_leaves_the_product_out_and_its_likes_behind(toy_recommender):
    plain = toy_recommender.recommend(Query(text="mug", k=48))
    taste = Taste(dislikes=("mug-0-red", "mug-1-red", "tray-0-red"))
    disliked = toy_recommender.recommend(Query(text="mug", k=48, taste=taste))
    assert not {"mug-0-red", "mug-1-red", "tray-0-red"} & {r.id for r in disliked}
    assert places(disliked, "red") > places(plain, "red")


def test_the_receipt_with_a_taste_has_a_fourth_part_and_still_sums(toy_recommender):
    taste = Taste(likes=("mug-0-blue",), dislikes=("tray-1-red",))
    for query in (Query(image=picture("mug", "red"), text="tray", taste=taste), Query(taste=taste)):
        for r in toy_recommender.recommend(query):
            assert set(r.parts) == {"image", "text", "interaction", "taste"}
            assert sum(r.parts.values()) == pytest.approx(r.score, abs=1e-5)


def test_what_the_taste_brought_says_because_you_liked(toy_recommender):
    taste = Taste(likes=("mug-0-yellow", "tray-0-black"))
    answer = toy_recommender.recommend(Query(text="mug", k=48, taste=taste))
    found = next(r for r in answer if r.id == "mug-1-yellow")
    assert found.because == "mug-0-yellow" and found.reason.startswith("Because you liked “Yellow mug, size 0”")
    assert not next(r for r in answer if r.id == "mug-0-yellow").because  # nobody needs to hear it of itself
    assert toy_recommender.recommend(Query(text="mug", k=1))[0].because == ""


def test_the_taste_alone_can_be_asked_and_is_the_same_each_time(toy_recommender):
    taste = Taste(likes=("mug-0-green", "mug-2-green"))
    one, two = (toy_recommender.recommend(Query(k=8, taste=taste)) for _ in range(2))
    assert [(r.id, r.score) for r in one] == [(r.id, r.score) for r in two]
    assert sum(r.id.endswith("green") for r in one) >= 4


def test_unknown_products_in_a_taste_are_one_sentence(toy_recommender):
    with pytest.raises(InputError, match="no product 'mug-0-rde'"):
        toy_recommender.recommend(Query(text="mug", taste=Taste(likes=("mug-0-rde",))))


def test_a_taste_of_more_clicks_than_anybody_makes_is_one_sentence():
    """Each costs a row of the answer: a million of them would keep the server busy for a minute."""
    Query(taste=Taste(likes=("a",) * 300, dislikes=("b",) * 200))
    with pytest.raises(InputError, match="at most 500 likes and dislikes"):
        Query(taste=Taste(likes=("a",) * 300, dislikes=("b",) * 201))


def test_clicks_change_a_taste_and_are_taken_back():
    taste = changed(changed(Taste(), "love", "a"), "dismiss", "b")
    assert taste == Taste(likes=("a",), dislikes=("b",))
    assert changed(taste, "love", "a") == Taste(likes=(), dislikes=("b",))
    assert changed(taste, "love", "b") == Taste(likes=("a", "b"))
    assert changed(taste, "dismiss", "a") == Taste(likes=(), dislikes=("b", "a"))
    assert changed(taste, "unlove", "b") == Taste(likes=("a",))
    assert changed(taste, "forget", "") == Taste() and not Taste()


def test_the_browser_keeps_a_taste_for_each_catalogue_and_junk_is_dropped(toy_recommender):
    import gradio as gr

    from mmdemo.ui.taste import TasteBar

    with gr.Blocks():
        bar = TasteBar(toy_recommender.index)
    digest = toy_recommender.index.manifest.catalogue_sha256
    assert digest[:16] in bar.memory.storage_key
    junk = {"likes": ["mug-0-red", "elsewhere", 7, None], "dislikes": ["mug-0-red", "tray-0-red"], "more": 1}
    assert bar.read(junk, toy_recommender.index) == Taste(likes=("mug-0-red",), dislikes=("tray-0-red",))
    assert all(bar.read(sent, toy_recommender.index) == Taste() for sent in (None, "text", {"likes": None}))
    assert (
        "Forget it" in bar.draw(Taste(likes=("mug-0-red",)), toy_recommender)
        and bar.draw(Taste(), toy_recommender).strip() == ""
    )


# The simulation.


def shop_of(colours: int = 4, copies: int = 12):
    """Products whose features are their colours: a shopper who likes one colour can be learnt."""
    x = np.repeat(np.eye(colours), copies, axis=0)
    shopper = Shopper(np.where(np.arange(len(x)) < copies, 0.9, 0.05))
    return x, shopper


def test_learning_shops_lose_less_than_one_that_does_not_learn():
    x, shopper = shop_of()
    lost = {
        shop: np.mean([regret(shop, x, shopper, n)[-1] for n in range(20)]) for shop in (unlearning, rocchio, thompson)
    }
    assert lost[thompson] < 0.3 * lost[unlearning] and lost[rocchio] < 0.5 * lost[unlearning]


def test_regret_is_what_the_best_of_the_page_would_have_earned():
    x, shopper = shop_of()
    never = regret(lambda page, shown, liked, rng: int(np.argmin(page[:, 0])), x, shopper, 3, rounds=30)
    best = regret(lambda page, shown, liked, rng: int(np.argmax(page[:, 0])), x, shopper, 3, rounds=30)
    np.testing.assert_allclose(best, 0, atol=1e-9)
    np.testing.assert_allclose(np.diff(never), 0.85)


def test_shoppers_like_what_matches_their_hidden_taste(toy_recommender):
    products = [
        Product(str(n), "", "t", attributes={"colour": c, "material": m, "pattern": p})
        for n, (c, m, p) in enumerate([("red", "oak", "dots"), ("blue", "pine", "plain")] * 4)
    ]

    class Index:
        facets = {  # noqa: RUF012
            "colour": {"red": 4, "blue": 4},
            "material": {"oak": 4, "pine": 4},
            "pattern": {"dots": 4, "plain": 4},
        }

        def __len__(self):
            return len(products)

    Index.products, Index.facet_index = products, FacetIndex(products)
    for shopper in shoppers(Index(), 5, seed=0):
        assert set(np.round(shopper.chance, 2)) <= {0.05, 0.3, 0.65, 0.95}
        assert shopper.chance.max() >= 0.3


def test_the_figures_compare_shopper_by_shopper():
    curves = {"Rocchio": np.array([[1.0, 3.0], [2.0, 4.0]]), "Thompson sampling": np.array([[1.0, 2.0], [1.0, 2.0]])}
    found = figures(curves)
    assert found["Rocchio"].more.value == 1.5 and found["Thompson sampling"].regret.value == 2.0


def test_a_catalogue_that_cannot_tell_tastes_apart_is_not_simulated(monkeypatch):
    class Bare:
        facets, products = {}, [Product(str(n), "", "t") for n in range(300)]

        def __len__(self):
            return 300

    assert shoppers(Bare(), 5, seed=0) == []


def test_on_the_default_catalogue_the_bandit_is_the_best_of_the_four():
    from mmdemo.core.paths import HOME
    from mmdemo.index.product_index import ProductIndex

    curves = simulate(ProductIndex.load(HOME / "index" / "default"), count=60, rounds=100, seed=5)
    last = {name: c[:, -1].mean() for name, c in curves.items()}
    assert last["Thompson sampling"] < min(last["no learning"], last["Rocchio"])
    assert all(c.shape == (60, 100) and (np.diff(c) >= -1e-9).all() for c in curves.values())


def test_what_a_taste_says_is_reckoned_once_for_an_answer_and_all_its_reasons(toy_index, monkeypatch):
    made = []
    begin = feedback.Posterior.__init__
    monkeypatch.setattr(feedback.Posterior, "__init__", lambda self, *args: made.append(1) or begin(self, *args))
    recommender = Recommender(ProductIndex.load(toy_index), ToyEncoder())
    ids = [product.id for product in recommender.index.products]
    assert any(found.because for found in recommender.recommend(Query(history=ids[:10], k=20)))
    recommender.explain(Query(history=ids[:10]), ids[20])
    assert len(made) == 1

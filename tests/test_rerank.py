"""Variety and folding, several photos and photos to go away from: known right answers."""

import numpy as np
import pytest

from mmdemo.catalog.product import Product
from mmdemo.core.errors import InputError
from mmdemo.core.request import Filter, Query
from mmdemo.core.vectors import normalize
from mmdemo.search.rerank import NEAR_COPY, families, fold, near_copies, relevance_diversity_curve
from tests.toys import picture


def ids(results):
    return [r.id for r in results]


def test_families_are_parents_groups_and_near_copies_of_one_category():
    rows = [("a", "p1", ""), ("b", "p1", ""), ("c", "", "g"), ("d", "p1", "g"), *((i, "", "") for i in "efg")]
    products = [Product(i, "x", i, category="cup", parent=p, group=g) for i, p, g in rows]
    products[6] = Product("g", "x", "g", category="bag")
    image = normalize(np.eye(7) + 0.01)
    image[5] = image[6] = image[4]  # f is a near-copy of e; g looks the same, but is a bag
    family = families(products, image)
    assert len(set(family[:4])) == 1  # a, b and d are variants; c and d one group
    assert family[4] == family[5] != family[6]
    assert len({family[0], family[4], family[6]}) == 3


def test_products_without_pictures_are_no_copies_of_each_other():
    products = [Product(str(n), "", str(n)) for n in range(3)]
    assert len(set(families(products, np.zeros((3, 4), np.float32)))) == 3


def test_folding_keeps_the_best_of_each_family_in_order():
    first, under = fold(np.array([7, 3, 7, 3, 5, 7]))
    assert first == [0, 1, 4] and under == [[2, 5], [3], []]


def test_an_answer_folds_variants_under_the_best_of_them(toy_recommender):
    flat = toy_recommender.recommend(Query(text="blue mug", k=48))
    folded = toy_recommender.recommend(Query(text="blue mug", k=48, fold=True))
    assert folded[0].id == flat[0].id and len(folded) < len(flat)
    assert sorted(i for r in folded for i in (r.id, *r.variants)) == sorted(ids(flat))
    family = toy_recommender.families
    row = toy_recommender.index.row
    for r in folded:
        assert {family[row(i)] for i in r.variants} <= {family[row(r.id)]}
    assert [r.score for r in folded] == sorted((r.score for r in folded), reverse=True)
    assert len(toy_recommender.recommend(Query(text="blue mug", k=1, fold=True))) == 1


@pytest.mark.parametrize("k", [1, 3, 6, 48])
@pytest.mark.parametrize(
    "more",
    [{}, {"diversity": 0.5}, {"like": ("mug-0-red",)}, {"filters": (Filter.parse("colour!=Blue"),)}],
    ids=["plain", "varied", "liked", "filtered"],
)
def test_folding_looks_no_further_than_it_must_and_answers_as_if_it_had(toy_recommender, monkeypatch, k, more):
    monkeypatch.setattr("mmdemo.search.recommender.POOL", 2)
    query, index = Query(text="blue mug", k=k, fold=True, **more), toy_recommender.index
    parts, _ = toy_recommender.embed(query)
    everything = index.search(parts.sum(0), len(index), index.allowed(query.filters))
    prepared = toy_recommender.prepare(query)
    near = toy_recommender.nearest(prepared)
    got, want = (toy_recommender.arrange(prepared, *answer) for answer in (near, everything))
    assert got[0] == pytest.approx(want[0], abs=1e-6)
    assert got[1].tolist() == want[1].tolist() and got[2] == want[2]
    assert len(near[1]) <= len(everything[1]) and (k > 1 or "diversity" in more or len(near[1]) < len(everything[1]))


def test_near_copies_are_those_that_comparing_all_with_all_finds():
    rng = np.random.default_rng(0)
    rows = normalize(rng.standard_normal((200, 16)))
    rows = np.vstack([rows, normalize(rows[:60] + rng.uniform(0, 0.02, (60, 1)) * rng.standard_normal((60, 16)))])
    directions = np.linalg.eigh(rows.T @ rows)[1][:, -4:]
    want = np.argwhere(np.triu(rows @ rows.T, 1) > NEAR_COPY)
    assert len(want) > 20
    assert sorted(map(sorted, near_copies(rows, directions).tolist())) == want.tolist()
    assert near_copies(rows[[5, 5, 5, 9]], directions).tolist() == [[0, 1], [0, 2]]


def test_variety_makes_an_answer_less_alike(toy_recommender):
    def distance(answer):
        rows = [toy_recommender.index.row(r.id) for r in answer]
        v = toy_recommender.index.vectors[rows]
        return 1 - (v @ v.T)[np.triu_indices(len(rows), 1)].mean()

    near, varied = (toy_recommender.recommend(Query(text="blue mug", k=8, diversity=d)) for d in (0.0, 0.7))
    assert near[0].id == varied[0].id
    assert distance(varied) > distance(near) + 0.1


@pytest.mark.parametrize("sentence", ["the cheapest mug", "mugs, dearest first"])
def test_an_order_by_price_is_one_over_every_answer_of_the_kind(toy_recommender, sentence):
    mugs = [p.price for p in toy_recommender.index.products if p.category == "Mug"]
    prices = [r.product.price for r in toy_recommender.recommend(Query(text=sentence, k=3))]
    assert prices == sorted(mugs, reverse="dearest" in sentence)[:3]
    chosen = toy_recommender.recommend(Query(text="mug", sort="dear", k=3))
    assert [r.product.price for r in chosen] == sorted(mugs, reverse=True)[:3]


def test_the_curve_of_relevance_against_diversity_has_known_ends():
    vectors = normalize([[1, 0, 0], [0.99, 0.1, 0], [0.98, 0.2, 0], [0, 1, 0], [0, 0, 1]])
    scores = np.array([[0.9, 0.8, 0.7, 0.2, 0.1]], np.float32)
    curve = relevance_diversity_curve(scores, vectors, [np.array([1])], k=2, steps=(0.0, 0.8))
    assert curve[0]["recall@2"] == 1 and curve[0]["distance"] == pytest.approx(1 - vectors[0] @ vectors[1], abs=1e-6)
    assert curve[1]["recall@2"] == 0 and curve[1]["distance"] == pytest.approx(1, abs=1e-6)


def test_two_photos_blend_and_their_order_does_not_matter(toy_recommender):
    red, blue = picture("mug", "red"), picture("mug", "blue")
    one = toy_recommender.recommend(Query(image=red, photos=(blue,), k=48))
    two = toy_recommender.recommend(Query(image=blue, photos=(red,), k=48))
    assert [r.score for r in one] == pytest.approx([r.score for r in two], abs=1e-5)
    alone = toy_recommender.recommend(Query(image=red, k=48))
    assert ids(one).index("mug-1-blue") < ids(alone).index("mug-1-blue")
    assert toy_recommender.recommend(Query(photos=(red,), k=3))[0].score == pytest.approx(alone[0].score, abs=1e-6)


def test_a_photo_that_is_not_wanted_pushes_its_likes_away(toy_recommender):
    plain = toy_recommender.recommend(Query(text="mug", k=48))
    pushed = toy_recommender.recommend(Query(text="mug", unlike_photos=(picture("mug", "red"),), k=48))
    assert ids(pushed).index("mug-1-red") > ids(plain).index("mug-1-red")
    for r in pushed:
        assert sum(r.parts.values()) == pytest.approx(r.score, abs=1e-5)


def test_only_unwanted_things_are_nothing_to_search_by(toy_recommender):
    with pytest.raises(InputError, match="nothing to search by"):
        toy_recommender.recommend(Query(unlike_photos=(picture("mug", "red"),)))

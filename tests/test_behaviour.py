"""Models of behaviour: one contract for all, the numbers of each on data small enough to check, and their gate."""

from dataclasses import replace

import numpy as np
import pytest
from behaviour_contract import CONTENT, PRODUCTS, BehaviourContract, two_kinds

from mmdemo.behaviour.als import Als
from mmdemo.behaviour.behaviour import FUSED, Behaviour
from mmdemo.behaviour.content import Content
from mmdemo.behaviour.content_map import ContentMap
from mmdemo.behaviour.ease import Ease
from mmdemo.behaviour.events import DAY, Events, histories
from mmdemo.behaviour.fit import fit_behaviour, newcomers, window, with_newcomers
from mmdemo.behaviour.gate import fit_gate, person_facts, product_facts
from mmdemo.behaviour.item_knn import ItemKnn
from mmdemo.behaviour.popularity import Popularity


class TestPopularity(BehaviourContract):
    personal = False

    def model(self):
        return Popularity(half_life=30)


class TestItemKnn(BehaviourContract):
    def model(self):
        return ItemKnn(neighbours=3, shrinkage=1.0)


class TestEase(BehaviourContract):
    def model(self):
        return Ease(ridge=1.0)


class TestAls(BehaviourContract):
    def model(self):
        return Als(factors=2, confidence=3.0, ridge=0.5)


class TestContentMap(BehaviourContract):
    def model(self):
        return ContentMap(CONTENT, ridge=0.1, ease_ridge=1.0)


def test_a_product_that_nobody_touched_is_scored_by_its_content():
    scores = ContentMap(CONTENT, ridge=0.1, ease_ridge=1.0).fit(two_kinds()).score(histories([[0], [4]], PRODUCTS))
    assert scores[1, 6] > scores[0, 6]  # it is of the kind of 3, 4 and 5


def test_a_history_of_a_product_that_nobody_touched_lends_from_like_content():
    scores = ContentMap(CONTENT, ridge=0.1, ease_ridge=1.0).fit(two_kinds()).score(histories([[6]], PRODUCTS))[0]
    assert scores[3:6].min() > scores[:3].max()


def test_ease_is_the_best_prediction_of_each_product_by_the_others():
    events = two_kinds()
    x, ridge = events.matrix.toarray().astype(float), 2.0
    others = [1, 2, 3, 4, 5, 6]
    gram = x[:, others].T @ x[:, others] + ridge * np.eye(6)
    np.testing.assert_allclose(
        Ease(ridge).fit(events).weights[others, 0], np.linalg.solve(gram, x[:, others].T @ x[:, 0]), atol=1e-5
    )


def test_als_solves_for_a_person_as_the_paper_writes_it():
    als = Als(factors=3, confidence=5.0, ridge=0.7).fit(two_kinds())
    y, history = als.items.astype(float), [0, 4]
    confidence = np.ones(PRODUCTS)
    confidence[history] = 5.0
    person = np.linalg.solve(
        y.T @ (confidence[:, None] * y) + 0.7 * np.eye(3), y.T @ (confidence * np.isin(np.arange(PRODUCTS), history))
    )
    np.testing.assert_allclose(als.score(histories([history], PRODUCTS))[0], y @ person, atol=1e-4)


def test_a_gate_learns_which_model_to_believe():
    rng = np.random.default_rng(0)
    liked = histories([[i % 6] for i in range(60)], 6)
    right, wrong = liked.toarray() + 0.1, rng.normal(size=(60, 6)).astype(np.float32)
    facts, people = product_facts(np.full(6, 9.0), np.full(6, 9.0)), person_facts(np.ones(60, int))
    nothing = histories([[] for _ in range(60)], 6)
    gate = fit_gate([right, wrong], facts, people, nothing, liked)
    own = gate.of(facts, people)
    assert own[0].min() > 5 * np.abs(own[1]).max()
    assert (gate.score([right, wrong], facts, people).argmax(1) == liked.toarray().argmax(1)).mean() > 0.95


def shop(people: int = 400, seed: int = 0) -> Events:
    """People of two kinds like twelve products a time; the last product of each kind comes out in the last tenth."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        start = rng.uniform(0, 60)
        liked = 8 * (person % 2) + rng.permutation(8)[:5]
        for i, product in enumerate(liked):
            time = start + 10 * i + rng.uniform(0, 5)
            if product % 8 == 7 and time < 85:
                continue
            rows.append((person, product, time * DAY))
    person, product, time = map(np.array, zip(*rows, strict=True))
    return Events(person, product, time, people, 16)


KINDS = np.eye(2, dtype=np.float32)[np.arange(16) // 8]  # what the products look like


def content_of(kinds):
    content = Content().fit(kinds, kinds, [""] * len(kinds))
    return content, content.rows(kinds, kinds, [""] * len(kinds))


@pytest.fixture(scope="module")
def learnt():
    return fit_behaviour(shop(), *content_of(KINDS))


@pytest.fixture(scope="module")
def fitted(learnt):
    """The fused model answers, whether or not it is the best on so small a shop."""
    return replace(learnt[0], answers=FUSED)


def test_what_was_best_on_what_people_did_next_answers(learnt):
    behaviour, judged = learnt
    means = {name: figure.value for name, figure in judged.rankers.items()}
    assert behaviour.answers == max(means, key=means.get)
    assert means[FUSED] > means["popularity"] + 0.1


def test_a_fused_score_ranks_a_persons_kind_first(fitted):
    scores = fitted.for_history([0, 1])
    assert scores[2:7].min() > scores[8:15].max()


def test_new_people_are_in_validation_by_what_they_did_first():
    person, product = np.repeat([0, 1, 2], [4, 5, 1]), np.array([0, 1, 2, 3, 0, 1, 2, 3, 4, 5])
    time = np.array([0.0, 1, 20, 21, 20, 21, 22, 23, 24, 25])
    events = Events(person, product, time, 3, 6)
    before, after = events.before(10), events.since(10)
    assert [some.tolist() for some in newcomers(before, after, least=2, most=9)] == [[0, 1, 2, 3, 4]]
    asked = with_newcomers(window(before, after, most=2), before, after)
    pairs = {(tuple(asked.seen[[i]].indices), tuple(asked.liked[[i]].indices)) for i in range(len(asked))}
    known, new = sorted(pairs, key=lambda pair: len(pair[0] + pair[1]))
    assert known == ((0, 1), (2, 3))
    assert 1 <= len(new[0]) <= 4 and new[0] + new[1] == (0, 1, 2, 3, 4)


def test_a_fused_score_is_exactly_the_sum_of_its_history_and_of_its_models(fitted):
    history = np.array([0, 3, 9])
    scores = fitted.for_history(history)
    for product in (1, 7, 15):
        told = fitted.explain(history, product)
        assert told.score == pytest.approx(scores[product], abs=1e-3)
        assert sum(told.models.values()) == pytest.approx(told.score, abs=1e-9)


def test_people_who_liked_this_went_on_to_its_kind(fitted):
    assert set(fitted.went_on_to(2, 4)) <= set(range(8)) - {2}


def test_what_is_saved_holds_no_person_and_answers_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "behaviour.safetensors")
    again = Behaviour.load(tmp_path / "behaviour.safetensors", 16)
    np.testing.assert_allclose(again.for_history([0, 1]), fitted.for_history([0, 1]), atol=1e-3)
    assert all(400 not in array.shape for model in fitted.models.values() for array in model.state().values())
    with pytest.raises(ValueError, match="of 17 products"):
        Behaviour.load(tmp_path / "behaviour.safetensors", 17)


def test_a_product_that_came_later_is_new_and_follows_its_content(fitted):
    kinds = KINDS[np.r_[np.arange(16), 8]]
    grown = fitted.aligned(np.r_[np.arange(16), -1], kinds, kinds, [""] * 17)
    assert grown.new[16] and not grown.went_on_to(16, 3)
    assert grown.for_history([9, 10])[16] > grown.for_history([0, 1])[16]


def test_few_people_leave_popularity_to_answer():
    behaviour, judged = fit_behaviour(two_kinds(), *content_of(CONTENT))
    assert judged.people == 0 and not judged.rankers and behaviour.answers == "popularity" and behaviour.gate is None
    assert behaviour.for_history([0]).argmin() == 6


def test_content_tells_products_apart_by_words_that_repeat():
    texts = ["red mug", "red mug", "red mug", "blue pan", "blue pan", "blue pan"]
    same = np.ones((6, 3), np.float32)
    content = Content().fit(same, same, texts)
    rows = content.rows(same, same, texts)
    assert np.allclose(rows[0], rows[1]) and not np.allclose(rows[0], rows[3])
    np.testing.assert_allclose(Content().restore(content.state()).rows(same, same, texts), rows, atol=1e-5)


def test_content_takes_near_numbers_for_alike_and_knows_what_is_stated():
    texts = [f"Game {n}. Mechanics: {'Dice' if n % 2 else 'Cards'}. Players: {n % 6 + 1}." for n in range(24)]
    same = np.ones((24, 3), np.float32)
    content = Content().fit(same, same, texts)
    asked = ["A. Players: 2.", "B. Players: 3.", "C. Players: 6.", "D. Mechanics: Dice.", "E. Mechanics: Cards."]
    two, three, six, dice, cards = content.rows(same[:5], same[:5], asked)
    assert np.linalg.norm(two - three) < np.linalg.norm(two - six) and not np.allclose(dice, cards)
    again = Content().restore(content.state()).rows(same[:5], same[:5], asked)
    np.testing.assert_allclose(again[0], two, atol=1e-5)

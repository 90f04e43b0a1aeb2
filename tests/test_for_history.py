"""What is there for a shopper with a history: ranked by behaviour, exact to the last part, with its reasons."""

import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.request import Query, Taste
from mmdemo.index.product_index import ProductIndex
from mmdemo.search import for_history
from mmdemo.search.recommender import Recommender
from mmdemo.search.trace import trace
from mmdemo.serve import api
from tests.toys import ToyEncoder

SEEN = ("mug-0-red", "mug-0-blue")


@pytest.fixture(scope="module")
def shop(eventful_shop) -> Recommender:
    return Recommender(ProductIndex.load(eventful_shop[2]), ToyEncoder())


def test_a_history_brings_what_people_go_on_to_and_leaves_out_what_was_seen(shop):
    answer = shop.recommend(Query(history=SEEN, k=4))
    assert {a.product.category for a in answer} == {"Mug"} and not {a.id for a in answer} & set(SEEN)
    assert [a.score for a in answer] == sorted((a.score for a in answer), reverse=True)
    assert all(a.because in SEEN and a.reason.startswith("People who went for “") for a in answer)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"text": "something blue"},
        {"taste": Taste(likes=("tray-0-red",), dislikes=("mug-0-black",))},
        {"text": "a tray", "taste": Taste(likes=("tray-0-red",))},
    ],
    ids=["alone", "with words", "with a taste", "with both"],
)
def test_the_parts_of_a_score_sum_to_it_and_behaviour_is_one_of_them(shop, asked):
    query = Query(history=SEEN, k=12, **asked)
    for found in shop.recommend(query):
        assert sum(found.parts.values()) == pytest.approx(found.score, abs=1e-5)
        assert set(found.parts) - {"taste"} == {"image", "text", "interaction", "behaviour"}
        why = shop.explain(query, found.id)
        assert why["parts"] == pytest.approx(found.parts, abs=1e-5) and why["rank"] == found.rank
        told = why["behaviour"]
        whole = told["always"] + sum(share["share"] for share in told["history"])
        assert whole == pytest.approx(found.parts["behaviour"], abs=1e-4)


def test_what_a_history_hardly_lifts_is_not_said_to_come_from_it(shop, monkeypatch):
    part, row = shop.behaviour_part(shop.prepare(Query(history=SEEN))), shop.index.row("mug-0-green")
    told = part.explain(row)
    of_everybody = told.history.sum() / told.always
    for claimed, said in ((0.99 * of_everybody, True), (1.01 * of_everybody, False)):
        monkeypatch.setattr(for_history, "CLAIMED", claimed)
        assert (part.because(row) is not None) is said


def test_words_and_a_history_meet(shop):
    plain, moved = (
        {a.id: a.score for a in shop.recommend(Query(text="something red", history=h, k=12))} for h in ((), SEEN)
    )
    assert moved["mug-0-red"] - moved["tray-0-red"] > plain["mug-0-red"] - plain["tray-0-red"] + 0.01
    assert SEEN[0] in moved  # what was seen is no less an answer to words


def test_filters_hold_for_a_history(shop):
    answer = shop.recommend(Query(history=SEEN, filters=["colour=Green|Yellow"], k=12))
    assert {a.product.attributes["colour"] for a in answer} == {"Green", "Yellow"} and len(answer) == 4


def test_likes_and_history_are_one_history_and_the_taste_explores_on_top(shop):
    liked = shop.recommend(Query(taste=Taste(likes=SEEN), k=12))
    assert [a.product.category for a in liked[:4]] == ["Mug"] * 4
    assert all(abs(a.parts["taste"]) < 0.3 for a in liked) and "behaviour" in liked[0].parts


def test_a_product_that_nobody_touched_is_new_and_says_that_its_content_brought_it(shop):
    answer = {a.id: a for a in shop.recommend(Query(history=("tray-0-red", "tray-0-blue"), k=12))}
    assert [a.id for a in answer.values() if a.new] == ["tray-0-purple"]
    new = answer["tray-0-purple"]
    assert new.reason.startswith("New here: its picture and words") and new.as_dict()["new"] is True
    after_mugs = next(a for a in shop.recommend(Query(history=SEEN, k=12)) if a.new)
    assert new.rank < after_mugs.rank


def test_the_chances_of_what_comes_next_sum_to_one_over_what_was_not_seen(shop):
    answer = shop.recommend(Query(history=SEEN, k=12))
    assert sum(a.match for a in answer) == pytest.approx(1, abs=1e-4) and answer[0].match > 1 / 12
    assert {a.grade for a in answer} == {None} and all(a.close for a in answer)


def test_one_search_is_the_same_by_any_count_and_folding(shop):
    whole = [a.id for a in shop.recommend(Query(text="mug", history=SEEN, k=12))]
    assert [a.id for a in shop.recommend(Query(text="mug", history=SEEN, k=3))] == whole[:3]
    assert shop.rank(Query(text="mug", history=SEEN), whole[5]) == 6


def test_every_step_of_a_history_can_be_traced(shop):
    traced = trace(shop, Query(history=SEEN))
    assert traced.kind == "like" and [a.id for a in traced.answers]


def test_without_events_a_history_counts_as_a_weak_taste(toy_recommender):
    answer = toy_recommender.recommend(Query(history=("mug-0-red", "mug-1-red"), k=4))
    assert "behaviour" not in answer[0].parts and "taste" in answer[0].parts
    assert not {a.id for a in answer} & {"mug-0-red", "mug-1-red"} and answer[0].product.category == "Mug"
    assert any(a.reason.startswith("Because you looked at “") for a in answer)
    assert not any(a.new for a in answer)


def test_an_endpoint_takes_a_history_and_says_what_it_was(shop):
    said = api.call(shop, "recommend", history=list(SEEN), k=3)
    assert said["query"]["history"] == list(SEEN)
    assert [r["id"] for r in said["results"]] == [a.id for a in shop.recommend(Query(history=SEEN, k=3))]


@pytest.mark.parametrize(
    ("history", "fault"),
    [(["mug-0-rde"], "the nearest id is 'mug-0-red'"), ("mug-0-red", "history must be a list of words")],
)
def test_a_history_at_fault_is_one_sentence(shop, history, fault):
    with pytest.raises(InputError, match=fault):
        api.call(shop, "recommend", history=history)


def test_a_history_too_long_is_refused():
    with pytest.raises(InputError, match="at most 500 products"):
        Query(history=tuple(str(n) for n in range(501)))


def test_a_model_learnt_alone_is_scaled_alike(shop):
    part = shop.behaviour_part(shop.prepare(Query(history=SEEN)))
    assert part.lift.std() == pytest.approx(0.1, abs=1e-4) and abs(float(part.lift.mean())) < 1e-5

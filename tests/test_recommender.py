"""One query in, ranked products out: right answers of the toy shop, the receipt, filters, negatives, bad input."""

import numpy as np
import pytest
from PIL import Image

from mmdemo.core.errors import InputError
from mmdemo.core.request import Filter, Query
from mmdemo.core.vectors import normalize
from mmdemo.explain.explanation import Explanation
from mmdemo.search.recommender import Recommender
from mmdemo.search.rerank import mmr
from tests.toys import picture


def ids(results):
    return [r.id for r in results]


def test_a_photo_finds_products_of_its_shape_and_colour_first(toy_recommender):
    results = toy_recommender.recommend(Query(image=picture("mug", "green"), k=4))
    assert all(r.id.startswith("mug") and r.id.endswith("green") for r in results)
    assert [r.rank for r in results] == [1, 2, 3, 4]


def test_words_find_products_of_their_shape_and_colour_first(toy_recommender):
    results = toy_recommender.recommend(Query(text="a purple tray", k=4))
    assert all(r.id.startswith("tray") and r.id.endswith("purple") for r in results)


def test_every_answer_is_the_brute_force_answer(toy_recommender):
    query = Query(image=picture("tray", "red"), text="blue tray", k=10)
    parts, kind = toy_recommender.embed(query)
    assert kind == "both"
    scores = toy_recommender.index.vectors @ parts.sum(0)
    results = toy_recommender.recommend(query)
    expected = np.lexsort((-scores, toy_recommender.prepare(query).tiers.places))[:10]
    assert [r.score for r in results] == pytest.approx(scores[expected], abs=1e-5)
    assert results[0].id == toy_recommender.index.products[expected[0]].id


@pytest.mark.parametrize(
    "query",
    [
        Query(image=picture("mug", "red"), text="blue"),
        Query(image=picture("mug", "red")),
        Query(text="yellow tray"),
        Query(like=("mug-0-red", "tray-1-blue"), unlike=("mug-1-black",)),
        Query(reference="mug-0-red", text="in green", weight=0.3),
    ],
    ids=["both", "photo", "words", "likes", "edit"],
)
def test_the_receipt_sums_to_the_score(toy_recommender, query):
    for r in toy_recommender.recommend(query):
        assert sum(r.parts.values()) == pytest.approx(r.score, abs=1e-5)
        assert set(r.parts) == {"image", "text", "interaction"}
        assert 0 <= r.match <= 1


def test_a_box_in_a_photo_answers_as_its_part_does_and_explains_it(toy_recommender):
    scene = Image.new("RGB", (192, 96), "white")
    scene.paste(picture("mug", "red"), (0, 0))
    scene.paste(picture("tray", "blue"), (96, 0))
    for box, shape, colour in (((0, 0, 0.5, 1), "mug", "red"), ((0.5, 0, 1, 1), "tray", "blue")):
        query, alone = Query(image=scene, box=box), Query(image=picture(shape, colour))
        found = toy_recommender.recommend(query)
        assert [(r.id, r.score) for r in found] == [(r.id, r.score) for r in toy_recommender.recommend(alone)]
        why, same = (Explanation(toy_recommender, q, found[0].id) for q in (query, alone))
        assert why.query_map.heat == same.query_map.heat and why.query_map.picture.size == (96, 96)
        assert why.as_dict()["changes"] == same.as_dict()["changes"]


def test_words_alone_owe_nothing_to_the_photo(toy_recommender):
    for r in toy_recommender.recommend(Query(text="red mug", k=3)):
        assert r.parts["image"] == 0 and r.parts["interaction"] == 0


def test_a_reference_is_left_out_and_the_edit_lifts_what_it_asks_for(toy_recommender):
    edited = ids(toy_recommender.recommend(Query(reference="mug-1-red", text="the same in blue", k=48)))
    alone = ids(toy_recommender.recommend(Query(reference="mug-1-red", k=48)))
    assert "mug-1-red" not in edited and "mug-1-red" not in alone
    assert edited.index("mug-1-blue") < alone.index("mug-1-blue")
    assert edited.index("mug-1-blue") < edited.index("tray-1-blue")


def test_the_ends_of_the_slider_are_the_one_modality_answers(toy_recommender):
    photo, words = picture("mug", "yellow"), "black tray"
    both = {w: ids(toy_recommender.recommend(Query(image=photo, text=words, weight=w))) for w in (0.0, 1.0)}
    assert both[1.0] == ids(toy_recommender.recommend(Query(image=photo)))
    assert both[0.0] == ids(toy_recommender.recommend(Query(text=words)))


def test_a_selective_filter_still_fills_the_answer(toy_recommender):
    filters = (Filter.parse("colour=blue"), Filter.parse("category=Tray"))
    results = toy_recommender.recommend(Query(image=picture("mug", "red"), k=4, filters=filters))
    assert len(results) == 4 and all(r.id.startswith("tray") and r.id.endswith("blue") for r in results)
    assert toy_recommender.recommend(Query(text="mug", filters=(Filter.parse("price<1"),))) == []


def test_similar_leaves_the_product_itself_out(toy_recommender):
    results = toy_recommender.similar("mug-1-red", k=6)
    assert len(results) == 6 and "mug-1-red" not in ids(results)
    assert all(r.id.startswith("mug") for r in results[:3])


def test_a_disliked_product_pushes_its_likes_away(toy_recommender):
    plain = toy_recommender.recommend(Query(text="mug", k=48))
    pushed = toy_recommender.recommend(Query(text="mug", k=48, unlike=("mug-0-red",)))
    place = lambda results, i: ids(results).index(i)  # noqa: E731
    assert "mug-0-red" not in ids(pushed)
    assert place(pushed, "mug-1-red") > place(plain, "mug-1-red")


def test_asking_for_more_than_there_is_gives_everything(toy_recommender):
    assert len(toy_recommender.recommend(Query(text="mug", k=1000))) == 48


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda r: r.recommend(Query()), "nothing to search by"),
        (lambda r: r.recommend(Query(text="   ")), "nothing to search by"),
        (lambda r: r.recommend(Query(text="mug", filters=(Filter("colr", "=", "x"),))), "no column 'colr'"),
        (lambda r: r.similar("mug-1-rde"), "nearest id is 'mug-1-red'"),
        (lambda r: r.recommend(Query(like=("mug-0-red",), unlike=("nothing",))), "no product 'nothing'"),
        (lambda r: r.product("?"), "no product"),
        (lambda r: Query(text="a", k=0), "between 1 and 1000"),
        (lambda r: Query(text="a", weight=1.5), "between 0"),
        (lambda r: Query(image=Image.new("RGB", (9, 9)), reference="mug-0-red"), "not both"),
        (lambda r: Filter.parse("price"), "was not understood"),
        (lambda r: Filter.parse("price<cheap"), "not a number"),
    ],
)
def test_a_bad_request_gets_a_sentence(toy_recommender, ask, says):
    with pytest.raises(InputError, match=says):
        ask(toy_recommender)


def test_explain_agrees_with_the_ranking_and_finds_the_word_that_mattered(toy_recommender):
    query = Query(text="some blue mug", k=3)
    first = toy_recommender.recommend(query)[0]
    why = toy_recommender.explain(query, first.id)
    assert why["rank"] == 1 and why["score"] == pytest.approx(first.score, abs=1e-5)
    assert sum(why["parts"].values()) == pytest.approx(why["score"], abs=1e-5)
    effects = {w["word"]: w["effect"] for w in why["words"]}
    assert effects["some"] == pytest.approx(0, abs=1e-6)
    assert effects["blue"] > 0.01 and effects["mug"] > 0.01
    shorter = toy_recommender.recommend(Query(text="some mug", k=48))
    without = next(r.score for r in shorter if r.id == first.id)
    assert effects["blue"] == pytest.approx(first.score - without, abs=1e-5)


def test_an_index_of_other_weights_is_refused(toy_index, monkeypatch):
    from tests.toys import ToyEncoder

    class Other(ToyEncoder):
        weights_hash = "0" * 64

    monkeypatch.setattr("mmdemo.search.recommender.Encoder.load", lambda spec: Other())
    with pytest.raises(InputError, match=r"other weights.*python -m mmdemo build"):
        Recommender.load(toy_index)


def test_mmr_without_diversity_is_the_order_of_relevance():
    relevance = np.array([0.1, 0.9, 0.5], np.float32)
    assert mmr(relevance, normalize(np.eye(3)), 2, 0.0) == [1, 2]


def test_mmr_takes_the_different_one_before_the_near_copy():
    vectors = normalize([[1, 0], [0.99, 0.1], [0, 1]])
    relevance = np.array([0.9, 0.89, 0.6], np.float32)
    assert mmr(relevance, vectors, 3, 0.0) == [0, 1, 2]
    assert mmr(relevance, vectors, 3, 0.6) == [0, 2, 1]

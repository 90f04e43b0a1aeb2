"""What lies near a query: counts for the filters, and which condition to take away."""

from collections import Counter

from mmdemo.core.request import Filter, Query
from mmdemo.search.facets import facet_counts, passing, relaxations, size


def test_counts_answer_how_many_if_i_choose_this_too(toy_recommender):
    query = Query(text="red", filters=(Filter("colour", "=", "Red"), Filter("category", "=", "Mug")))
    counts = facet_counts(toy_recommender, query, ["colour", "category"])
    assert counts["colour"] == {c: 4 for c in ("Red", "Black", "Blue", "Green", "Purple", "Yellow")}  # of 24 mugs
    assert counts["category"] == {"Mug": 4, "Tray": 4}  # of 8 red things


def test_counts_are_those_of_the_nearest_products(toy_recommender, monkeypatch):
    monkeypatch.setattr("mmdemo.search.facets.FEWEST", 8)
    query = Query(text="red mug")
    near = toy_recommender.recommend(Query(text="red mug", k=size(48)))
    expected = Counter(r.product.attributes["colour"] for r in near)
    counts = facet_counts(toy_recommender, query, ["colour"])["colour"]
    assert size(48) == 8 and {c: n for c, n in counts.items() if n} == expected
    assert list(counts.values()) == sorted(counts.values(), reverse=True) and len(counts) == 6


def test_a_condition_of_the_sentence_narrows_the_counts(toy_recommender):
    counts = facet_counts(toy_recommender, Query(text="something round, not red"), ["colour"])["colour"]
    assert counts["Red"] == 0 and counts["Blue"] == 8


def test_the_condition_without_which_something_is_found_is_named(toy_recommender):
    low, mug = Filter("price", "<=", "0.01"), Filter("category", "=", "Mug")
    query = Query(text="red", filters=(low, mug))
    assert passing(toy_recommender, query) == 0
    found = relaxations(toy_recommender, query)
    assert [(way.condition, way.count) for way in found] == [(low, 24)]


def test_a_part_of_the_sentence_is_a_condition_too(toy_recommender):
    found = relaxations(toy_recommender, Query(text="a mug under 0.01 euros"))
    assert [way.condition.words for way in found] == ["under 0.01 euros"]
    assert found[0].count == 48


def test_two_impossible_conditions_leave_no_single_way(toy_recommender):
    query = Query(text="red", filters=(Filter("price", "<=", "0.01"), Filter("price", ">=", "1000")))
    assert relaxations(toy_recommender, query) == []

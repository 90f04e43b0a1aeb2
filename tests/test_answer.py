"""The answer on the page: its order, and when it says that nothing matches."""

import re
from dataclasses import replace

import pytest

from mmdemo.feedback import Taste
from mmdemo.product import Product
from mmdemo.query import Query
from mmdemo.trace import trace
from mmdemo.ui import answer, pipeline
from mmdemo.ui.compare import Compare
from mmdemo.ui.search import Search
from mmdemo.ui.trail import Visit

CHAIR = Product("c", "", "Slat-back dining chair in walnut", category="Chair", attributes={"colour": "dark blue"})


@pytest.mark.parametrize(
    ("text", "named"),
    [("chair", True), ("chairs", True), ("something blue", True), ("a laptop with a chart", False), ("with the", False),
     ("", False), ("hair", False), ("蓝色", False)],
)  # fmt: skip
def test_a_sentence_names_a_product_by_a_whole_word_of_its_title_or_properties(text, named):
    assert answer.names(text, CHAIR) == named


def test_an_answer_is_ordered_by_price_either_way_and_keeps_its_products(toy_recommender):
    found = toy_recommender.recommend(Query(text="red mug", k=8))
    prices = [r.product.price for r in answer.in_order(found, "cheap")]
    assert prices == sorted(r.product.price for r in found)
    assert [r.product.price for r in answer.in_order(found, "dear")] == prices[::-1]
    assert answer.in_order(found, "match") == found


def test_the_page_carries_its_own_link_and_counts(toy_recommender):
    search = Search(text="red mug", order="cheap")
    html, counts = answer.page(toy_recommender, search, search.query(toy_recommender, Taste()))
    assert 'data-link="q=red+mug&amp;sort=cheap"' in html and "really matches" not in html
    assert set(counts) == {"category", "colour"} and sum(counts["category"].values()) == 48


def test_where_no_single_condition_is_to_blame_all_of_them_can_go(toy_recommender):
    search = Search(text="red mug", low=1000, facets=(("colour", ("Red",)), ("category", ("Mug",))), high=2000)
    html, _ = answer.page(toy_recommender, search, search.query(toy_recommender, Taste()))
    assert "Nothing meets all of these conditions." in html and 'data-do="without" data-column="price"' in html
    both = Search(text="red mug under 1 euro", low=1000)
    html, _ = answer.page(toy_recommender, both, both.query(toy_recommender, Taste()))
    assert "data-do=" in html  # some way out is always offered


@pytest.mark.parametrize(("text", "shown"), [("red mug", True), ("xylophone", False)])
def test_cards_comparison_and_pipeline_agree_on_whether_a_match_is_shown(toy_recommender, monkeypatch, text, shown):
    best = [toy_recommender.recommend(Query(text=words, k=1))[0].score for words in ("red mug", "xylophone")]
    known = toy_recommender.index.calibration  # toys' titles are so short that halves of them say nothing at all
    there = property(lambda index: replace(known, floors={"text": sum(best) / 2}))
    monkeypatch.setattr(type(toy_recommender.index), "calibration", there)
    search = Search(text=text)
    query = search.query(toy_recommender, Taste())
    found = toy_recommender.recommend(query)
    assert answer.has_chances(query, found) == shown
    pages = (
        answer.page(toy_recommender, search, query)[0],
        Compare(toy_recommender).page([r.product.id for r in found[:2]], query),
        pipeline.page(toy_recommender, trace(toy_recommender, query), None),
    )
    assert [bool(re.search(r"\b\d+%( match|</b>|<span> match)", page)) for page in pages] == [shown] * 3


def test_a_click_knows_of_those_before_it_whose_answers_are_still_on_their_way():
    visit = Visit()
    assert visit.taste([]) == []
    visit.clicked(["a"])
    assert visit.taste([]) == ["a"]  # the second click was sent before the first was answered
    visit.clicked(["a", "b"])
    assert visit.taste(["a"]) == ["a", "b"]  # the third, after the first answer and before the second
    assert visit.taste(["else"]) == ["else"]  # another window's
    assert visit.taste([]) == []

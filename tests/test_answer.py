"""The answer on the page: its order, and when it says that nothing matches."""

import re
from dataclasses import replace

import pytest

from mmdemo.catalog.product import Product
from mmdemo.core.request import Taste
from mmdemo.search.in_catalogue import names
from mmdemo.search.live import Live
from mmdemo.search.trace import trace
from mmdemo.ui import answer, how_it_works
from mmdemo.ui.compare import Compare
from mmdemo.ui.search_state import Photo, SearchState
from mmdemo.ui.trail import Visit
from tests.toys import COLOURS, picture

CHAIR = Product("c", "", "Slat-back dining chair in walnut", category="Chair", attributes={"colour": "dark blue"})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("chair", True),
        ("chairs", True),
        ("something blue", True),
        ("a laptop with a chart", False),
        ("with the", False),
        ("", False),
        ("hair", False),
        ("蓝色", False),
    ],
)
def test_a_sentence_names_a_product_by_a_whole_word_of_its_title_or_properties(text, named):
    assert names(text, CHAIR) == named


def test_the_page_carries_its_own_link_and_counts(toy_recommender):
    search = SearchState(text="red mug", order="cheap")
    html, counts = answer.page(toy_recommender, search, search.query(toy_recommender, Taste()))
    assert 'data-link="q=red+mug&amp;sort=cheap"' in html and "really matches" not in html
    assert set(counts) == {"category", "colour"} and sum(counts["category"].values()) == 48


def test_what_may_help_is_about_what_was_given(toy_recommender, tmp_path, monkeypatch):
    monkeypatch.setattr(answer, "nothing_matches", lambda *_: True)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    picture("mug", next(iter(COLOURS))).save(tmp_path / "photo.png")
    photo = Photo.of(str(tmp_path / "photo.png"))
    for search, told, untold in (
        (SearchState(photo=photo), "photo of one thing", "plainer words"),
        (SearchState(photo=photo, text="mug"), "plainer words", "photo of one thing"),
        (SearchState(text="mug"), "plainer words", "photo of one thing"),
    ):
        html, _ = answer.page(toy_recommender, search, search.query(toy_recommender, Taste()))
        assert told in html and untold not in html


def test_the_heading_counts_what_passes_the_conditions_of_form_and_sentence(toy_recommender):
    for search, passing in (
        (SearchState(text="mug"), 48),
        (SearchState(text="mug", facets=(("colour", ("Red",)),)), 8),
        (SearchState(text="mug, not blue", facets=(("category", ("Mug",)),), high=14.0), None),
    ):
        query = search.query(toy_recommender, Taste())
        rows = toy_recommender.prepare(query).allowed
        html, _ = answer.page(toy_recommender, search, query)
        assert f" of {passing or len(rows)} products" in re.sub(r"\s+", " ", html)


def test_the_bars_have_a_legend_only_where_a_card_has_one(toy_recommender):
    words = SearchState(text="red mug")
    both = SearchState(text="in blue", reference="mug-0-red")
    for search, drawn in ((words, False), (both, True)):
        html, _ = answer.page(toy_recommender, search, search.query(toy_recommender, Taste()))
        assert ("mm-legend" in html) == ("mm-receipt" in html) == drawn


def test_where_no_single_condition_is_to_blame_all_of_them_can_go(toy_recommender):
    search = SearchState(text="red", low=1000, facets=(("colour", ("Red",)), ("category", ("Mug",))), high=2000)
    html, _ = answer.page(toy_recommender, search, search.query(toy_recommender, Taste()))
    assert "Nothing meets all of these conditions." in html and 'data-do="without" data-column="price"' in html
    of_kind = replace(search, text="red mug")
    html, _ = answer.page(toy_recommender, of_kind, of_kind.query(toy_recommender, Taste()))
    assert "No mug over €1,000: up to €25.00." in html and 'data-do="without" data-column="price"' in html
    both = SearchState(text="red mug under 1 euro", low=1000)
    html, _ = answer.page(toy_recommender, both, both.query(toy_recommender, Taste()))
    assert "data-do=" in html  # some way out is always offered


@pytest.mark.parametrize(("text", "shown"), [("red mug", True), ("leather jacket", False)])
def test_cards_comparison_and_pipeline_agree_on_whether_a_grade_is_shown(toy_recommender, text, shown):
    search = SearchState(text=text)
    query = search.query(toy_recommender, Taste())
    found = toy_recommender.recommend(query)
    pages = (
        answer.page(toy_recommender, search, query)[0],
        Compare(Live(toy_recommender)).page(toy_recommender, [r.product.id for r in found[:2]], query),
        how_it_works.page(toy_recommender, trace(toy_recommender, query), None),
    )
    assert ["Exact match" in page for page in pages] == [shown] * 3
    assert not any(re.search(r"\d+% match", page) for page in pages)


def test_a_click_knows_of_those_before_it_whose_answers_are_still_on_their_way():
    visit = Visit()
    assert visit.taste([]) == []
    visit.clicked(["a"])
    assert visit.taste([]) == ["a"]  # the second click was sent before the first was answered
    visit.clicked(["a", "b"])
    assert visit.taste(["a"]) == ["a", "b"]  # the third, after the first answer and before the second
    assert visit.taste(["else"]) == ["else"]  # another window's
    assert visit.taste([]) == []

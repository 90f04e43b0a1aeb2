"""A search as a value: to a link and back, and the steps of a trail."""

from urllib.parse import parse_qsl

import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.request import Taste
from mmdemo.ui.search_state import Photo, SearchState, from_link
from mmdemo.ui.trail import LONGEST, Trail

SEARCHES = [
    SearchState(text="a mug & a tray = 100% “good”?"),
    SearchState(text="蓝色的杯子，20元以下"),
    SearchState(reference="mug-0-red", text="in blue", weight=0.35),
    SearchState(facets=(("category", ("Mug", "Tray")), ("colour", ("Red",))), low=1.5, high=40, text="x"),
    SearchState(text="x", variety=0.3, fold=False, count=48, order="dear"),
]


@pytest.mark.parametrize("search", SEARCHES, ids=lambda s: s.text[:12] or s.reference)
def test_a_link_gives_back_the_search_it_was_made_of(search, toy_recommender):
    assert from_link(dict(parse_qsl(search.link())), toy_recommender) == (search, [])


def test_nothing_asked_is_no_link(toy_recommender):
    assert SearchState().link() == "" and from_link({}, toy_recommender) == (SearchState(), [])


def test_of_a_photo_a_link_holds_the_key_and_not_where_it_lies(toy_recommender):
    photo = Photo("/secret/me.png", "5" * 64)
    asked = SearchState(photo=photo, text="in blue", blend=(photo,))
    assert "secret" not in asked.link()
    params = dict(parse_qsl(asked.link()))
    assert from_link(params, toy_recommender, lambda key: photo if key == "5" * 32 else None) == (asked, [])
    search, notes = from_link(params, toy_recommender)
    assert search == SearchState(text="in blue") and len(notes) == 1 and "kept here no longer" in notes[0]


@pytest.mark.parametrize(
    ("link", "kept", "said"),
    [
        ({"like": "nobody"}, SearchState(), "no product “nobody”"),
        ({"q": "x", "weight": "2"}, SearchState(text="x"), "“2” is no good number"),
        ({"results": "1e99"}, SearchState(), "“1e99” is no good number"),
        ({"results": "13"}, SearchState(), "one of 8, 12, 24, 48"),
        ({"from": "cheap"}, SearchState(), "“cheap” is no"),
        ({"to": "inf"}, SearchState(), "“inf” is no good number"),
        ({"is.colour": "Red|Plaid"}, SearchState(facets=(("colour", ("Red",)),)), "“Plaid” as its colour"),
        ({"is.title": "x"}, SearchState(), "“x” as its title"),
        ({"sort": "luck"}, SearchState(), "“luck”"),
        ({"q": "y" * 1100}, SearchState(text="y" * 1000), "at most 1000"),
    ],
    ids=str,
)
def test_what_a_link_asks_in_vain_is_said_and_the_rest_is_kept(link, kept, said, toy_recommender):
    search, notes = from_link(link, toy_recommender)
    assert search == kept and len(notes) == 1 and said in notes[0]


def test_the_part_of_a_photo_goes_with_its_link(toy_recommender):
    photo = Photo("/secret/me.png", "5" * 64)
    asked = SearchState(photo=photo, box=(0.25, 0.0, 0.5, 0.999))
    params = dict(parse_qsl(asked.link()))
    assert from_link(params, toy_recommender, lambda key: photo) == (asked, [])
    search, notes = from_link(params | {"box": "0,0,9,9"}, toy_recommender, lambda key: photo)
    assert search == SearchState(photo=photo) and notes == ["“0,0,9,9” is no part of a photo."]


def test_other_parameters_of_the_page_are_not_ours(toy_recommender):
    assert from_link({"__theme": "dark", "lang": "zh", "utm_source": "x"}, toy_recommender) == (SearchState(), [])


def test_a_price_range_that_runs_backwards_is_said(toy_recommender):
    with pytest.raises(InputError, match="from 40 to 10"):
        SearchState(text="x", low=40, high=10).query(toy_recommender, Taste())


def test_a_new_search_is_a_step_and_another_look_at_the_same_is_none():
    trail = (
        Trail().to(SearchState(text="a")).to(SearchState(text="b")).to(SearchState(text="b", count=24, order="cheap"))
    )
    assert [step.text for step in trail.steps] == ["a", "b"] and trail.at == 1
    assert trail.steps[1].count == 24
    back = trail.to(trail.step("0"))
    assert back.at == 0 and back.steps == trail.steps
    assert back.to(SearchState(text="c")).at == 2
    assert back.to(SearchState()).at == -1 and back.to(SearchState()).steps == trail.steps


def test_the_same_photo_is_the_same_step_wherever_it_lies():
    one, other = SearchState(photo=Photo("/tmp/a.png", "x")), SearchState(photo=Photo("/tmp/b.png", "x"))
    assert len(Trail().to(one).to(other).steps) == 1
    assert len(Trail().to(one).to(SearchState(photo=Photo("/tmp/a.png", "y"))).steps) == 2


def test_a_trail_forgets_its_oldest_steps_and_knows_no_others():
    trail = Trail()
    for number in range(LONGEST + 3):
        trail = trail.to(SearchState(text=str(number)))
    assert len(trail.steps) == LONGEST and trail.steps[0].text == "3" and trail.at == LONGEST - 1
    assert trail.step("99") is None and trail.step("-1") is None and trail.step(None) is None

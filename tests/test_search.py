"""A search as a value: to a link and back, and the steps of a trail."""

from urllib.parse import parse_qsl

import pytest

from mmdemo.errors import InputError
from mmdemo.feedback import Taste
from mmdemo.ui.search import Photo, Search, from_link
from mmdemo.ui.trail import LONGEST, Trail

SEARCHES = [
    Search(text="a mug & a tray = 100% “good”?"),
    Search(text="蓝色的杯子，20元以下"),
    Search(reference="mug-0-red", text="in blue", weight=0.35),
    Search(facets=(("category", ("Mug", "Tray")), ("colour", ("Red",))), low=1.5, high=40, text="x"),
    Search(text="x", variety=0.3, fold=False, count=48, order="dear"),
]


@pytest.mark.parametrize("search", SEARCHES, ids=lambda s: s.text[:12] or s.reference)
def test_a_link_gives_back_the_search_it_was_made_of(search, toy_recommender):
    assert from_link(dict(parse_qsl(search.link())), toy_recommender) == (search, [])


def test_nothing_asked_is_no_link(toy_recommender):
    assert Search().link() == "" and from_link({}, toy_recommender) == (Search(), [])


def test_of_a_photo_a_link_keeps_only_that_there_was_one(toy_recommender):
    link = Search(photo=Photo("/tmp/secret/me.png", "1"), text="in blue").link()
    assert "secret" not in link
    search, notes = from_link(dict(parse_qsl(link)), toy_recommender)
    assert search == Search(text="in blue") and "does not carry it" in notes[0]


@pytest.mark.parametrize(
    ("link", "kept", "said"),
    [
        ({"like": "nobody"}, Search(), "no product “nobody”"),
        ({"q": "x", "weight": "2"}, Search(text="x"), "“2” is no good number"),
        ({"results": "1e99"}, Search(), "“1e99” is no good number"),
        ({"results": "13"}, Search(), "one of 8, 12, 24, 48"),
        ({"from": "cheap"}, Search(), "“cheap” is no"),
        ({"to": "inf"}, Search(), "“inf” is no good number"),
        ({"is.colour": "Red|Plaid"}, Search(facets=(("colour", ("Red",)),)), "“Plaid” as its colour"),
        ({"is.title": "x"}, Search(), "“x” as its title"),
        ({"sort": "luck"}, Search(), "“luck”"),
        ({"q": "y" * 600}, Search(text="y" * 500), "at most 500"),
    ],
    ids=str,
)
def test_what_a_link_asks_in_vain_is_said_and_the_rest_is_kept(link, kept, said, toy_recommender):
    search, notes = from_link(link, toy_recommender)
    assert search == kept and len(notes) == 1 and said in notes[0]


def test_other_parameters_of_the_page_are_not_ours(toy_recommender):
    assert from_link({"__theme": "dark", "lang": "zh", "utm_source": "x"}, toy_recommender) == (Search(), [])


def test_a_price_range_that_runs_backwards_is_said(toy_recommender):
    with pytest.raises(InputError, match="from 40 to 10"):
        Search(text="x", low=40, high=10).query(toy_recommender, Taste())


def test_a_new_search_is_a_step_and_another_look_at_the_same_is_none():
    trail = Trail().to(Search(text="a")).to(Search(text="b")).to(Search(text="b", count=24, order="cheap"))
    assert [step.text for step in trail.steps] == ["a", "b"] and trail.at == 1
    assert trail.steps[1].count == 24
    back = trail.to(trail.step("0"))
    assert back.at == 0 and back.steps == trail.steps
    assert back.to(Search(text="c")).at == 2
    assert back.to(Search()).at == -1 and back.to(Search()).steps == trail.steps


def test_the_same_photo_is_the_same_step_wherever_it_lies():
    one, other = Search(photo=Photo("/tmp/a.png", "x")), Search(photo=Photo("/tmp/b.png", "x"))
    assert len(Trail().to(one).to(other).steps) == 1
    assert len(Trail().to(one).to(Search(photo=Photo("/tmp/a.png", "y"))).steps) == 2


def test_a_trail_forgets_its_oldest_steps_and_knows_no_others():
    trail = Trail()
    for number in range(LONGEST + 3):
        trail = trail.to(Search(text=str(number)))
    assert len(trail.steps) == LONGEST and trail.steps[0].text == "3" and trail.at == LONGEST - 1
    assert trail.step("99") is None and trail.step("-1") is None and trail.step(None) is None

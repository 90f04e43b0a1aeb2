"""Words after an answer change the request before it: twenty dialogues with known ends, the same on every surface."""

import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.paths import HOME
from mmdemo.core.request import Filter, Query
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.recommender import Recommender
from mmdemo.search.refine import refine
from mmdemo.serve import api
from mmdemo.ui.search_state import SearchState
from tests.toys import ToyEncoder

# What is asked first, what is said then, and the sentence of each request that follows; "@2" starts from the second
# answer that was shown.
DIALOGUES = {
    "values": (
        "red mug",
        [
            ("under 50", "red mug, under 50"),
            ("no, in green", "mug in green, under 50"),
            ("without stripes", "mug in green, under 50, without stripes"),
            ("the second one, but smaller", "@2 smaller, under 50, without stripes"),
        ],
    ),
    "exclusion of what was wished": (
        "a striped cushion",
        [
            ("blue please", "blue striped cushion"),
            ("no stripes", "blue cushion, no stripes"),
            ("the first one", "@1 no stripes"),
        ],
    ),
    "limits": (
        "table lamp under 100",
        [
            ("in brass", "table lamp in brass, under 100"),
            ("make it black", "black table lamp in brass, under 100"),
            ("under 80", "black table lamp in brass, under 80"),
            ("cheapest first", "black table lamp in brass, under 80, cheapest first"),
            ("no, the most expensive first", "black table lamp in brass, under 80, the most expensive first"),
        ],
    ),
    "beside": (
        "sofa",
        [
            ("in green", "sofa in green"),
            ("or blue", "sofa in green or blue"),
            ("not leather", "sofa in green or blue, not leather"),
        ],
    ),
    "noun": (
        "a red mug with dots",
        [
            ("no, a bowl", "a red bowl with dots"),
            ("without dots", "a red bowl, without dots"),
            ("in blue", "a bowl in blue, without dots"),
        ],
    ),
    "exclusion taken back": (
        "black bag, not leather",
        [
            ("actually leather is fine", "leather black bag"),
            ("under 90", "leather black bag, under 90"),
            ("how about a scarf?", "leather black scarf, under 90"),
        ],
    ),
    "Chinese": (
        "红色的杯子",
        [
            ("要绿色的", "绿色的杯子"),
            ("不要条纹", "绿色的杯子, 不要条纹"),
            ("第二个", "@2 不要条纹"),
            ("50以下", "@2 不要条纹, 50以下"),
        ],
    ),
    "last": (
        "chair",
        [
            ("wooden", "wooden chair"),
            ("the last one, but in white", "@3 in white"),
            ("cheaper", "@3 in white, cheaper"),
        ],
    ),
    "ranges": (
        "running shoes",
        [
            ("in white", "running shoes in white"),
            ("from 50 to 80", "running shoes in white, from 50 to 80"),
            ("over 60", "running shoes in white, at most 80, over 60"),
        ],
    ),
    "half of a range": (
        "a vase between 20 and 40",
        [
            ("up to 35", "a vase, at least 20, up to 35"),
            ("ceramic", "ceramic vase, at least 20, up to 35"),
            ("show me the third one", "@3 at least 20, up to 35"),
        ],
    ),
    "number": (
        "lamp",
        [("number 2 in gold", "@2 in gold"), ("not gold", "@2 not gold"), ("in sage", "@2 in sage, not gold")],
    ),
    "openings": (
        "warm winter hat",
        [
            ("ok, how about a scarf", "warm scarf"),
            ("I'd like wool", "wool warm scarf"),
            ("hmm, rather in cotton, please", "warm scarf in cotton"),
        ],
    ),
    "patterns": (
        "dress",
        [("floral", "floral dress"), ("no, plain", "plain dress"), ("the cheapest", "plain dress, the cheapest")],
    ),
    "comparison": (
        "mug",
        [
            ("something bigger", "@1 bigger"),
            ("in blue", "@1 bigger in blue"),
            ("under 20", "@1 bigger in blue, under 20"),
        ],
    ),
}


@pytest.fixture(scope="module")
def shop():
    """The built-in catalogue: its words alone are read, so any encoder does."""
    return Recommender(ProductIndex.load(HOME / "index" / "default"), ToyEncoder())


@pytest.mark.parametrize("name", sorted(DIALOGUES))
def test_a_dialogue_ends_where_it_should(shop, name):
    first, turns = DIALOGUES[name]
    shown = [p.id for p in shop.index.products if p.category == "Mug"][:3]
    query = Query(text=first)
    for words, expected in turns:
        query = refine(shop, query, words, shown)
        place = f"@{shown.index(query.reference) + 1} " if query.reference else ""
        assert place + query.text == expected


# Dialogues whose answers are known: the toy shop has mugs and trays of six colours, from 10 to 30.
ANSWERED = {
    "colour": (
        "red mug",
        ["no, in green", "under 20"],
        lambda p: (p.category, p.attributes["colour"]) == ("Mug", "Green") and p.price < 20,
    ),
    "kind": (
        "blue mug",
        ["a tray", "not under 20", "yellow please"],
        lambda p: (p.category, p.attributes["colour"]) == ("Tray", "Yellow") and p.price >= 20,
    ),
    "product": (
        "black tray",
        ["under 25", "the second one", "in purple"],
        lambda p: (p.category, p.attributes["colour"]) == ("Tray", "Purple") and p.price < 25,
    ),
    "cheaper": (
        "purple mug",
        ["the first one", "cheaper", "in red"],
        lambda p: (p.category, p.attributes["colour"]) == ("Mug", "Red") and p.price < 30,
    ),
    "either": (
        "red tray",
        ["or blue", "over 12"],
        lambda p: p.category == "Tray" and p.attributes["colour"] in ("Red", "Blue") and p.price > 12,
    ),
    "back and forth": (
        "tray",
        ["in red", "no, in blue", "no, in red", "under 20"],
        lambda p: (p.category, p.attributes["colour"]) == ("Tray", "Red") and p.price < 20,
    ),
}


@pytest.mark.parametrize("name", sorted(ANSWERED))
def test_a_dialogue_is_answered_alike_by_page_and_programs(toy_recommender, name):
    first, turns, right = ANSWERED[name]
    query, page = Query(text=first, k=10), SearchState(text=first, fold=False)
    request = {"text": first}
    for words in turns:
        query = refine(toy_recommender, query, words)
        before = page.query(toy_recommender, query.taste)
        page = page.refined(before, refine(toy_recommender, before, words))
        answer = api.call(toy_recommender, "recommend", **request, refine=words)
        request = {name: answer["query"][name] for name in ("text", "reference", "filters", "sort", "kind")}
        assert (page.text, page.reference) == (query.text, query.reference) == (request["text"], request["reference"])
    found = toy_recommender.recommend(query)
    assert right(found[0].product), (query.text, query.reference, found[0].id)
    assert [row["id"] for row in answer["results"]] == [r.id for r in found]


def test_filters_of_the_form_give_way_to_what_is_said(toy_recommender):
    query = Query(text="mug", filters=("colour=Red", "price<=20", "price>=5"))
    after = refine(toy_recommender, query, "in green, under 15")
    assert after.filters == (Filter("price", ">=", "5"),) and after.text == "mug in green, under 15"
    page = SearchState(text="mug", facets=(("colour", ("Red",)),), low=5.0, high=20.0)
    before = page.query(toy_recommender, query.taste)
    page = page.refined(before, refine(toy_recommender, before, "in green, under 15"))
    assert (page.facets, page.low, page.high) == ((), 5.0, None)


def test_words_that_say_nothing_change_nothing_and_an_answer_that_there_is_not_is_said(toy_recommender):
    query = Query(text="red mug")
    assert refine(toy_recommender, query, "ok, please") == query == refine(toy_recommender, query, "  ")
    with pytest.raises(InputError, match="there is no answer 9 to start from: there are 2"):
        refine(toy_recommender, query, "the ninth one", ["mug-0-red", "mug-1-red"])
    with pytest.raises(InputError, match="at most 1,000 are read"):
        api.call(toy_recommender, "recommend", text="mug", refine="x" * 1001)

"""The page of a catalogue with events: "For you", what people went on to, and nothing of it on other pages."""

from urllib.parse import parse_qsl

import gradio as gr
import pytest

from mmdemo.core.request import Query, Taste
from mmdemo.explain.explanation import Explanation
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender
from mmdemo.ui import answer
from mmdemo.ui.explanation import section
from mmdemo.ui.for_you import MOST, ForYou, draw, history, visited
from mmdemo.ui.page import build
from mmdemo.ui.product_dialog import ProductDialog
from mmdemo.ui.search_state import SearchState, from_link
from tests.toys import ToyEncoder

SEEN = ("mug-0-red", "mug-0-blue")
WENT_ON = "People who looked at this went on to"


@pytest.fixture(scope="module")
def shop(eventful_shop) -> Recommender:
    return Recommender(ProductIndex.load(eventful_shop[2]), ToyEncoder())


def test_what_the_browser_remembers_is_read_with_care(shop):
    assert history(["mug-0-red", 7, "nobody", "mug-0-blue"], shop.index) == SEEN
    assert history("mug-0-red", shop.index) == history(None, shop.index) == ()
    assert len(history(["mug-0-red"] * 99, shop.index)) == MOST


def test_a_product_that_is_opened_again_is_the_latest(shop):
    assert visited(SEEN, "mug-0-red", shop.index) == ("mug-0-blue", "mug-0-red")
    assert visited(SEEN, "nobody", shop.index) == SEEN


def test_the_row_shows_what_people_go_on_to_with_its_reasons(shop):
    html = draw(SEEN, shop)
    first = shop.recommend(Query(history=SEEN, k=6, fold=True))
    assert [f'data-id="{a.id}"' in html for a in first] == [True] * len(first)
    assert "People who went for “" in html and "from 2 products that you opened" in html
    assert 'data-history="mug-0-red|mug-0-blue"' in html and "mug-0-blue&#34;" not in html


def test_without_a_history_or_without_events_there_is_no_row(shop, toy_recommender):
    assert draw((), shop) == draw(SEEN, toy_recommender) == ""
    with gr.Blocks():
        assert ForYou(Live(shop)).offered and not ForYou(Live(toy_recommender)).offered


def test_the_product_page_says_what_people_went_on_to(shop, toy_recommender):
    with gr.Blocks():
        known = ProductDialog(Live(shop)).page(shop, "mug-0-red")
        new = ProductDialog(Live(shop)).page(shop, "tray-0-purple")
        plain = ProductDialog(Live(toy_recommender)).page(toy_recommender, "mug-0-red")
    part = known.split(WENT_ON)[1].split("mm-similar-title")[0]
    assert "Blue mug" in part and "tray" not in part
    assert WENT_ON not in new and WENT_ON not in plain


def test_a_link_brings_a_history_back(shop):
    search = SearchState(history=SEEN)
    assert from_link(dict(parse_qsl(search.link())), shop) == (search, []) and not search.empty
    there, notes = from_link({"history": "mug-0-red|nobody"}, shop)
    assert there.history == ("mug-0-red",) and notes == ["There is no product “nobody” here."]


def test_the_answer_is_headed_by_what_was_looked_at_and_its_bar_names_people(shop):
    search = SearchState(history=("tray-0-red", "tray-0-blue"), fold=False)
    html, _ = answer.page(shop, search, search.query(shop, Taste()))
    assert "for what you looked at" in html and html.count("mm-grade mm-new") == 1
    both = answer.page(shop, SearchState(text="mug"), Query(text="mug", history=SEEN))[0]
    assert '<li class="mm-behaviour">people</li>' in both
    assert 'class="mm-behaviour"' not in answer.page(shop, SearchState(text="mug"), Query(text="mug"))[0]


def test_the_receipt_of_a_product_names_the_history_that_brought_it(shop):
    query = Query(text="a mug", history=SEEN)
    html = section(Explanation(shop, query, "mug-0-green"), whole=True)
    assert "people +" in html and "Red mug, size 0" in html
    assert "whatever one looked at" in html and "everything else" not in html
    assert "The chance that it is of the kind" in html
    alone = section(Explanation(shop, Query(history=SEEN), "mug-0-green"), whole=False)
    assert "The chance that it comes next" in alone
    new = section(Explanation(shop, query, "tray-0-purple"), whole=False)
    assert "Too few people have touched it" in new
    assert "whatever one looked at" not in section(Explanation(shop, Query(text="a mug"), "mug-0-green"), whole=False)


def test_every_component_that_opens_a_product_is_remembered(shop, toy_recommender):
    wired = []
    for recommender in (shop, toy_recommender):
        page, _ = build(Live(recommender))
        row = next(b for b in page.blocks.values() if b.elem_id == "mm-foryou")
        wired.append([f.targets for f in page.fns.values() if row in f.outputs])
    shows = [name for some in wired[0] for _, name in some]
    assert shows.count("show") == 8 and {"load", "forget"} <= set(shows) and wired[1] == []

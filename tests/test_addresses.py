"""Addresses that somebody made by hand: links that hold anything at all, and pictures that there are not."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mmdemo.search.live import Live
from mmdemo.serve.pictures import routes
from mmdemo.ui.search_state import LONGEST, MOST_NOTES, SearchState, from_link

LINKS = [
    {"q": "x" * 100_000},
    {"q": "<script>alert(1)</script>\0\u202e"},
    {"weight": "1e999", "from": "nan", "to": "-5", "variety": "0x10", "results": "9" * 5000, "sort": "x"},
    {"is.colour": "|" * 50_000},
    {"is.<b>": "x", "is.": "", "is.title": "x", "is.__class__": "x"},
    {"like": "../../etc/passwd", "photo": "http://127.0.0.1/"},
    {f"is.column{n}": "x" for n in range(1000)},
]


@pytest.mark.parametrize("params", LINKS, ids=lambda params: str(params)[:40])
def test_a_link_of_anything_is_a_search_and_a_few_sentences(toy_recommender, params):
    search, notes = from_link(params, toy_recommender)
    assert len(search.text) <= LONGEST and search.weight == 0.5 and search.count == 12 and not search.facets
    assert len(notes) <= MOST_NOTES and all(len(note) < 300 for note in notes)
    assert from_link({}, toy_recommender) == (SearchState(), [])


@pytest.fixture(scope="module")
def pictures(toy_recommender):
    return TestClient(Starlette(routes=routes(Live(toy_recommender), {})))


def test_a_picture_is_found_by_its_id(pictures):
    assert pictures.get("/picture/mug-0-red").headers["content-type"] == "image/webp"


@pytest.mark.parametrize("view", ["1", "-1", "x", "1.5", "²", "١", "0000011", "9" * 5000, "../1", "1\0"])
def test_a_view_that_there_is_not_is_no_picture(toy_recommender, pictures, monkeypatch, view):
    index = toy_recommender.index
    content, last = index.thumbnail("mug-0-red"), 0 if view == "1" else 1
    monkeypatch.setattr(index, "thumbnail", lambda _, number=0: content if 0 <= number <= last else None)
    assert pictures.get("/picture/mug-0-red", params={"view": view}).status_code in (200, 404)
    if view != "١":  # the digit one in another script
        assert pictures.get("/picture/mug-0-red", params={"view": view}).status_code == 404


@pytest.mark.parametrize("path", ["nothing", "..", "../manifest.json", "%2e%2e%2fx.json", "mug-0-red%00", "x" * 3000])
def test_a_picture_of_nothing_is_not_there(pictures, path):
    assert pictures.get(f"/picture/{path}").status_code == 404
    assert pictures.get("/start/99").status_code == 404


def test_a_picture_of_no_product_is_not_there_and_nobody_looks_for_the_nearest(pictures, monkeypatch):
    """Whoever looks at pictures is not counted, and to look for the nearest id takes long."""
    monkeypatch.setattr("difflib.get_close_matches", None)
    assert pictures.get("/picture/mug-0-rde").status_code == 404

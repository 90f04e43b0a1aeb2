"""What the Map and How it works tabs tell the browser, without one."""

import json

import numpy as np
import pytest

from mmdemo.core.request import Query
from mmdemo.search.recommender import Recommender
from mmdemo.search.trace import alignment, trace
from mmdemo.ui import how_it_works, map
from tests.toys import picture


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("navy", "#000080"),
        ("Navy", "#000080"),
        ("藏青色", "#000080"),
        ("light blue", "#9cc3de"),
        ("mustard", "#cf962b"),
        ("scarlet", "#c22f31"),
        ("dark walnut", "#6f452b"),
        ("striped", ""),
        ("", ""),
    ],
)
def test_named_colours_have_a_look_and_other_words_have_none(name: str, look: str) -> None:
    assert map.colour_of(name) == look


def test_every_product_has_its_title_its_point_and_its_value_of_every_facet(toy_recommender: Recommender) -> None:
    index = toy_recommender.index
    rows, points = map.layout(index, "fused")
    said = map.catalogue(index) | map.view(toy_recommender, None, "fused", rows, points)
    assert said["ids"] == [p.id for p in index.products] and said["titles"] == [p.title for p in index.products]
    assert len(said["xy"]) == 2 * len(index) and 0 <= min(said["xy"]) and max(said["xy"]) == said["grid"]
    for facet in said["facets"]:
        given = [facet["values"][code] for code in facet["codes"]]
        assert given == [str(p.field(facet["label"])) for p in index.products]
        assert sum(facet["counts"]) == len(index)
    colours = next(f for f in said["facets"] if f["label"] == "colour")
    assert colours["looks"][colours["values"].index("Black")] == "#000000"
    assert next(f for f in said["facets"] if f["label"] == "category")["looks"] == []
    json.dumps(said)


@pytest.mark.parametrize("space", map.SPACES)
def test_a_query_lies_near_its_best_answers_in_every_space(toy_recommender: Recommender, space: str) -> None:
    query = Query(image=picture("mug", "red"), text="red mug", k=4)
    rows, points = map.layout(toy_recommender.index, space)
    seen = map.view(toy_recommender, query, space, rows, points)
    asked, at = seen["query"], np.array(seen["xy"]).reshape(-1, 2)
    index = toy_recommender.index
    assert asked["answers"] == [index.row(r.id) for r in toy_recommender.recommend(query)]
    nearest = ((at - [asked["x"], asked["y"]]) ** 2).sum(1).argmin()
    assert index.products[nearest].field("colour") == "Red"
    assert asked["picture"].startswith("data:image/jpeg;base64,")


def test_the_conditions_of_the_page_and_of_the_sentence_mark_what_passes(toy_recommender: Recommender) -> None:
    index = toy_recommender.index
    rows, points = map.layout(index, "fused")
    query = Query(text="mug, not blue", filters=("colour!=Red",), k=4)
    asked = map.view(toy_recommender, query, "fused", rows, points)["query"]
    right = [p.attributes["colour"] not in ("Red", "Blue") for p in index.products]
    assert [mark == "1" for mark in asked["passing"]] == right and asked["count"] == sum(right)
    assert map.view(toy_recommender, Query(text="mug"), "fused", rows, points)["query"]["passing"] == ""


def test_words_have_a_place_among_pictures_and_a_photo_among_words(toy_recommender: Recommender) -> None:
    for space, query in (("image", Query(text="blue tray")), ("text", Query(image=picture("tray", "blue")))):
        rows, points = map.layout(toy_recommender.index, space)
        asked = map.view(toy_recommender, query, space, rows, points)["query"]
        assert 0 <= asked["x"] <= map.GRID and 0 <= asked["y"] <= map.GRID


def test_a_product_without_a_picture_has_no_point_among_pictures(toy_recommender: Recommender) -> None:
    class Partly:
        head, vectors, text = (getattr(toy_recommender.index, name) for name in ("head", "vectors", "text"))
        image = toy_recommender.index.image.copy()

    Partly.image[3] = 0
    _, points = map.layout(Partly, "image")  # type: ignore[arg-type]
    assert np.isnan(points[3]).all() and np.isfinite(np.delete(points, 3, 0)).all()


def test_the_map_opens_with_the_facet_that_orders_it(toy_recommender: Recommender) -> None:
    points = np.array([[0, 0], [0, 0.1], [0.1, 0], [0.1, 0.1], [5, 5], [5, 5.1], [5.1, 5], [5.1, 5.1]], np.float32)
    mixed = {"codes": [0, 1, 0, 1, 0, 1, 0, 1], "counts": [4, 4]}
    apart = {"codes": [0, 0, 0, 0, 1, 1, 1, 1], "counts": [4, 4]}
    assert map.clearest([mixed, apart], points) == 1
    assert map.clearest([apart, mixed], points) == 0
    assert map.clearest([], points) == 0


def test_the_pipeline_shows_sizes_times_and_the_first_answers(toy_recommender: Recommender) -> None:
    photo = picture("mug", "red")
    seen = trace(toy_recommender, Query(image=photo, text="in blue", k=8))
    html = how_it_works.page(toy_recommender, seen, alignment(toy_recommender.index))
    assert f"{photo.width} × {photo.height} px" in html and "“in blue”" in html
    assert html.count("mm-took") == 6
    first = seen.answers[0].product
    assert html.index(f'data-id="{first.id}"') > html.index("Answers")
    for label in ("By the photo alone", "By the words alone", "By both, fused"):
        assert label in html


def test_the_pipeline_without_a_query_names_the_steps_and_no_numbers_of_one(toy_recommender: Recommender) -> None:
    html = how_it_works.page(toy_recommender, None, None)
    assert all(name in html for name in ("Image tower", "Text tower", "Adapter", "Fusion head", "FAISS", "Rerank"))
    assert "mm-took" not in html and "data-act" not in html


def test_words_from_the_outside_are_escaped_in_the_pipeline(toy_recommender: Recommender) -> None:
    seen = trace(toy_recommender, Query(text="<img src=x onerror=alert(1)> mug"))
    assert "<img src=x" not in how_it_works.page(toy_recommender, seen, None)


def test_a_strip_runs_from_minus_one_to_one() -> None:
    assert how_it_works.strip(np.array([0.5, -1.0, 0.25], np.float32)) == [0.5, -1.0, 0.25]
    assert how_it_works.strip(None) == []

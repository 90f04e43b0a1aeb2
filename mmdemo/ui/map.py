"""The Map tab: every product as a point, what is alike nearby, with the last query and its answers among them."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from contextvars import copy_context
from functools import lru_cache
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor

from mmdemo.catalog.facet_index import FacetIndex
from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.core.vectors import Array
from mmdemo.explain.projection import place, project
from mmdemo.index.product_index import ProductIndex
from mmdemo.language import lexicon
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender
from mmdemo.search.trace import aligned
from mmdemo.serve.pictures import PICTURES, picture
from mmdemo.serve.translation import language, named, translate, word
from mmdemo.ui import cards, theme

SPACES = ("fused", "image", "text")
GRID = 4000  # steps of a coordinate: whole numbers are a third of the size of decimals
MOST_VALUES = 60  # of a facet that a legend can hold
SIDE = 96  # pixels of the query's photo on the map
# How colours of shops look that no style sheet knows by name.
LOOKS = {
    "light blue": "#9cc3de",
    "mint": "#a9d8bf",
    "sage": "#96ab8b",
    "mustard": "#cf962b",
    "terracotta": "#c1623f",
    "burgundy": "#702236",
    "cream": "#ece0c4",
    "charcoal": "#4a4d52",
    "natural": "#d2a66c",
    "walnut": "#6f452b",
    "oak": "#c8a26b",
    "copper": "#d08a63",
    "bronze": "#8c6a3f",
    "amber": "#c8781e",
    "clear": "#dbe7e5",
    "rose": "#e8a0a8",
    "sand": "#d3bd9c",
    "rust": "#b1502f",
    "lilac": "#b8a6d6",
    "multicoloured": "#b58bd0",
    "gold": "#e0b45c",
    "yellow": "#f0c93c",
    "red": "#c22f31",
    "blue": "#2f67b1",
    "green": "#2f7d4b",
}
LARGE = 3000  # products from which the plane takes longer than a visitor likes to wait
Spot = tuple[Array, Array]  # rows (n, d) and their points (n, 2)


class MapTab:
    """The tab's component, empty until the tab is first opened; `listen` wires it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._space = gr.State(SPACES[0])
        self._working, self._prepared = threading.Lock(), False
        self._laid_out = lru_cache(maxsize=2 * len(SPACES))(layout)
        self._said = lru_cache(maxsize=4)(lambda index, spoken: catalogue(index))  # for each language
        self.box = gr.HTML(
            "",
            html_template=cards.render("map"),
            js_on_load=theme.asset("map.js"),
            apply_default_css=False,
            elem_id="mm-map",
        )

    def prepare(self) -> None:
        """Lay a large catalogue out while its visitor does other things: the map is to be there when it is opened."""
        index = self._live.current().index
        if len(index) >= LARGE and not self._prepared:
            self._prepared = True
            # in the visitor's language, which a thread does not inherit
            threading.Thread(target=copy_context().run, args=(self._lay_out, index), daemon=True).start()

    def _lay_out(self, index: ProductIndex) -> None:
        with self._working:
            self._laid_out(index, SPACES[0])
            self._said(index, language())

    def listen(self, asked: gr.State, tab: gr.Tab) -> None:
        """Draw the map when the tab is opened, and again in another space; `asked` holds the last query."""

        def draw(query: Query | None, space: str) -> str:
            recommender = self._live.current()
            with self._working:  # the second of two visitors finds the plane laid out
                rows, points = self._laid_out(recommender.index, space)
                said = self._said(recommender.index, language())
            shown = said | view(recommender, query, space, rows, points)
            shown["clearest"] = clearest(said["facets"], points)
            return json.dumps(shown, ensure_ascii=False)

        def turn(query: Query | None, event: gr.EventData) -> tuple[str, str]:
            space = str(event._data.get("space", ""))
            space = space if space in SPACES else SPACES[0]
            return draw(query, space), space

        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_id": "map"}
        tab.select(draw, [asked, self._space], self.box, **quiet)
        self.box.space(turn, asked, [self.box, self._space], trigger_mode="always_last", **quiet)


def layout(index: ProductIndex, space: str) -> Spot:
    """The rows of a space and their points; a product without a picture (or words) has neither there: NaN."""
    if space == "fused":
        rows = index.vectors
    else:
        rows = aligned(index.head, image=index.image, text=index.text)[SPACES.index(space) - 1]
    there = (rows != 0).any(1)
    points = np.full((len(rows), 2), np.nan, np.float32)
    if there.any():
        points[there] = project(rows[there])
    return rows, points


def catalogue(index: ProductIndex) -> dict[str, Any]:
    """What the page has to know of the products, whatever is asked: what they are called, and their facets."""
    return {
        "ids": [p.id for p in index.products],
        "titles": [translate(p.shown("title")) for p in index.products],
        "pictures": "".join("1" if p.image else "0" for p in index.products),
        "address": PICTURES,
        "facets": [
            _facet(name, index.facet_index) for name, values in index.facets.items() if len(values) <= MOST_VALUES
        ],
    }


def view(recommender: Recommender, query: Query | None, space: str, rows: Array, points: Array) -> dict[str, Any]:
    """Where the products lie, and the query among them."""
    there = np.isfinite(points[:, 0])
    steps = np.where(there[:, None], np.round((np.nan_to_num(points) + 1) / 2 * GRID), -1).astype(int)
    return {
        "space": space,
        "grid": GRID,
        "xy": steps.ravel().tolist(),
        "query": None if query is None else _asked(recommender, query, space, rows[there], points[there]),
        "time": time.monotonic_ns(),  # a map asked for again must differ, or the browser hears nothing
    }


def clearest(facets: list[dict[str, Any]], points: Array, tries: int = 400) -> int:
    """The facet that the map opens with: the one whose values lie together most, against what chance would bring."""
    there = np.flatnonzero(np.isfinite(points[:, 0]))
    if len(there) < 3 or not facets:
        return 0
    some = there[np.linspace(0, len(there) - 1, min(tries, len(there))).astype(int)]
    apart = ((points[some][:, None] - points[there][None]) ** 2).sum(2)
    apart[some[:, None] == there[None]] = np.inf
    near = there[np.argpartition(apart, 2, axis=1)[:, :3]]
    gains = []
    for facet in facets:
        codes = np.array(facet["codes"])
        shares = np.array(facet["counts"]) / max(sum(facet["counts"]), 1)
        alike = (codes[near] == codes[some][:, None]) & (codes[some][:, None] >= 0)
        gains.append(float(alike.mean() - (shares**2).sum()))
    return int(np.argmax(gains))


def colour_of(value: str) -> str:
    """The look of a named colour ("navy", "Light blue", "藏青色") as #rrggbb; "" for what names none."""
    name = value.strip().casefold()
    for english, chinese in lexicon.table(lexicon.COLOURS):
        if name in english or name in chinese:
            known = [name, *english]
            break
    else:
        known = [name, name.split(" ")[-1]]
    for said in known:
        if said in LOOKS:
            return LOOKS[said]
        try:
            return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(said.replace(" ", ""))[:3])
        except ValueError:
            continue
    return ""


def _facet(name: str, facet_index: FacetIndex) -> dict[str, Any]:
    values, codes = facet_index.facets[name], facet_index.codes(name)
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    return {
        "label": named(name),
        "values": [word(name, value) for value in values],
        "counts": counts.tolist(),
        "codes": codes.tolist(),
        "looks": [colour_of(value) for value in values] if "colour" in name else [],
    }


def _asked(recommender: Recommender, query: Query, space: str, rows: Array, points: Array) -> dict[str, Any] | None:
    """Where the query lies, and which rows answer it; None where it cannot be answered any more."""
    try:
        prepared = recommender.prepare(query)
        vector = prepared.vector
        if not vector.any():  # a history alone lies nowhere among pictures and words
            return None
        if space != "fused":
            photo, said = aligned(recommender.index.head, image=prepared.image, text=prepared.text)
            # Both lie in one space: a photo has a place among texts, and words have one among pictures.
            first, second = (photo, said) if space == "image" else (said, photo)
            found = first if len(first) else second
            if not len(found):
                return None
            vector = found[0]
        answers = [recommender.index.row(r.id) for r in recommender.recommend(prepared)]
    except InputError:
        return None
    if not len(rows):
        return None
    x, y = np.clip(np.round((place(rows, points, vector) + 1) / 2 * GRID), 0, GRID).astype(int).tolist()
    passing = "" if prepared.allowed is None else _marks(prepared.allowed, len(recommender.index))
    shown = {"x": x, "y": y, "text": query.text, "answers": answers, "picture": _small(recommender, query)}
    return shown | {"passing": passing, "count": passing.count("1")}


def _marks(allowed: NDArray[np.int64], count: int) -> str:
    """A 1 for each product that passes the conditions and a 0 for each other one; "" without conditions."""
    marks = np.zeros(count, np.uint8)
    marks[allowed] = 1
    return "".join(map(str, marks.tolist()))


def _small(recommender: Recommender, query: Query) -> str:
    """The query's photo, or its product's, as an address; "" for words alone."""
    if query.seen is not None:
        return inline(query.seen, SIDE)
    start = query.reference or (query.like[0] if len(query.like) == 1 else "")
    return picture(recommender.product(start)) if start else ""


def inline(picture: Image.Image, side: int) -> str:
    """A picture as a data address, at most `side` pixels wide and high: shown to whoever sent it, kept nowhere."""
    small = picture.convert("RGB")
    small.thumbnail((side, side))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=84)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()

"""The How it works tab: the way of the last query from photo and words to its answers, with its own numbers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import gradio as gr

from mmdemo.errors import InputError
from mmdemo.index import ProductIndex
from mmdemo.live import one_version
from mmdemo.query import Query
from mmdemo.recommender import Recommender
from mmdemo.say import later, say
from mmdemo.trace import NAMES, Alignment, Trace, alignment, trace
from mmdemo.ui import answer, cards, theme
from mmdemo.ui.map import inline
from mmdemo.vectors import Array

CELLS = 48  # numbers of a vector that its strip shows
SHOWN = 6  # answers
SIDE = 220  # pixels of the photo
# Every head with its formula, and a sentence for whoever does not read formulas.
HEADS = {
    "mean": ("(photo + words) / 2", later("Both count the same; nothing is learnt.")),
    "concat": (
        "[photo; words] + V act(W [photo; words])", later("Both side by side, and a network for both together."),
    ),
    "weighted": ("g · photo + (1 − g) · words", later("A learnt gate g mixes photo and words, number by number.")),
    "attention": ("a · photo + (1 − a) · words + joint", later("Learnt attention decides how much to take from each.")),
}  # fmt: skip
LABELS = dict(zip(NAMES, map(later, ("photo", "words", "together", "taste")), strict=True))
COLUMNS = {
    "photo": later("By the photo alone"), "words": later("By the words alone"), "both": later("By both, fused"),
    "pictures": later("Among pictures"), "texts": later("Among texts"),
}  # fmt: skip


class Pipeline:
    """The tab's component, empty until the tab is first opened; `listen` wires it.

    `example` is a query to show before the visitor has asked anything.
    """

    def __init__(self, recommender: Recommender, example: Callable[[], Query | None]) -> None:
        self._recommender, self._example = recommender, example
        self._alignment = lru_cache(maxsize=2)(alignment)
        self.page = gr.HTML("", js_on_load=theme.asset("actions.js"), apply_default_css=False, elem_id="mm-pipeline")

    def listen(self, asked: gr.State, tab: gr.Tab) -> None:
        """Run the last query, which `asked` holds, with a clock whenever the tab is opened."""

        def opened(query: Query | None) -> str:
            with one_version(self._recommender):
                shown = query or self._example()
                try:
                    traced = None if shown is None else trace(self._recommender, shown)
                except InputError:  # what it started from has left the catalogue
                    traced = None
                return page(self._recommender, traced, self._alignment(self._recommender.index), example=query is None)

        tab.select(opened, asked, self.page, show_progress="hidden", api_visibility="private", concurrency_id="trace")


def page(recommender: Recommender, traced: Trace | None, aligned: Alignment | None, example: bool = False) -> str:
    """The whole picture as HTML; without a query it names the steps and leaves the numbers out.

    With `example` it says that the query is none of the visitor's own.
    """
    index = recommender.index
    formula, sentence = HEADS.get(index.head.name, ("", ""))
    return cards.render(
        "pipeline",
        head=index.head.name,
        formula=_formula(formula),
        sentence=say(sentence),
        dim=index.head.dim,
        width=index.head.width,
        blocks=index.head.blocks,
        total=len(index),
        store=index.manifest.get("store") or {"kind": "exact"},
        encoder=cards.encoder_name(index.manifest),
        aligned=aligned,
        t=None if traced is None else _shown(recommender, traced),
        example=example,
        time=time.monotonic_ns(),  # a page asked for again must differ, or the browser hears nothing
    )


def _shown(recommender: Recommender, t: Trace) -> dict[str, Any]:
    whole = sum(t.norms.values()) or 1.0
    chances = answer.has_chances(t.query, t.answers)
    return {
        "photo": _photo(recommender, t),
        "pixels": t.pixels,
        "encoded": "image tower" in t.ms,
        "sees": t.sees,
        "text": t.text,
        "words": t.words,
        "tokens": t.tokens,
        "ms": {step: f"{ms:.1f} ms" if ms < 10 else f"{ms:.0f} ms" for step, ms in t.ms.items()},
        "sum": f"{sum(t.ms.values()):.0f} ms",
        "strips": {name: strip(v) for name, v in (("photo", t.photo), ("words", t.said), ("both", t.vector))},
        "parts": [
            {"name": name, "label": say(LABELS[name]), "norm": norm, "share": round(100 * norm / whole)}
            for name, norm in t.norms.items()
        ],
        "cosines": t.cosines,
        "lenders": [recommender.index.products[row].shown("title") for row in t.lenders],
        "searched": t.searched,
        "nearest": t.nearest,
        "filters": [part.meaning for part in recommender.read(t.query).parts if part.filters],
        "answers": [
            cards.tile(r.product, r) if chances else {**cards.tile(r.product, r), "match": None}
            for r in t.answers[:SHOWN]
        ],
        "count": len(t.answers),
        "folded": sum(len(r.variants) for r in t.answers),
        "both": t.cosines is not None,
        "columns": [_column(recommender.index, name, rows) for name, rows in t.by.items()],
    }


def _formula(formula: str) -> str:
    for name in (later("photo"), later("words"), later("joint")):
        formula = formula.replace(name, say(name))
    return formula


def strip(vector: Array | None) -> list[float]:
    """The first numbers of a vector from -1 to 1, by the largest of them: the colours of a strip."""
    if vector is None:
        return []
    some = vector[:CELLS]
    most = float(abs(some).max()) or 1.0
    return [round(float(x) / most, 2) for x in some]


def _photo(recommender: Recommender, t: Trace) -> str:
    query = t.query
    if query.image is not None:
        return inline(query.image, SIDE)
    if query.photos:
        return inline(query.photos[0], SIDE)
    return cards.picture(recommender.product(query.reference)) if query.reference else ""


def _column(index: ProductIndex, name: str, rows: list[tuple[int, float]]) -> dict[str, Any]:
    items = [{**cards.tile(index.products[row]), "cosine": round(score, 2) + 0.0} for row, score in rows]  # no -0.00
    return {"name": name, "label": say(COLUMNS[name]), "tiles": items}

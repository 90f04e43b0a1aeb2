"""The How it works tab: the way of the last query from photo and words to its answers, with its own numbers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import gradio as gr

from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_
from mmdemo.core.request import Query
from mmdemo.core.vectors import Array
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender
from mmdemo.search.trace import NAMES, Alignment, Trace, alignment, trace
from mmdemo.serve.catalogue_names import encoder_name
from mmdemo.serve.pictures import picture
from mmdemo.serve.translation import translate
from mmdemo.ui import cards, theme
from mmdemo.ui.map import inline

CELLS = 48  # numbers of a vector that its strip shows
SHOWN = 6  # answers
SIDE = 220  # pixels of the photo
# Every head with its formula, and a sentence for whoever does not read formulas.
HEADS = {
    "mean": ("(photo + words) / 2", N_("Both count the same; nothing is learnt.")),
    "concat": (
        "[photo; words] + V act(W [photo; words])",
        N_("Both side by side, and a network for both together."),
    ),
    "weighted": ("g · photo + (1 − g) · words", N_("A learnt gate g mixes photo and words, number by number.")),
    "attention": ("a · photo + (1 − a) · words + joint", N_("Learnt attention decides how much to take from each.")),
}
LABELS = dict(zip(NAMES, (N_("photo"), N_("words"), N_("together"), N_("taste"), N_("name")), strict=True))
COLUMNS = {
    "photo": N_("By the photo alone"),
    "words": N_("By the words alone"),
    "both": N_("By both, fused"),
    "pictures": N_("Among pictures"),
    "texts": N_("Among texts"),
}


class HowItWorksTab:
    """The tab's component, empty until the tab is first opened; `listen` wires it.

    `example` is a query to show before the visitor has asked anything.
    """

    def __init__(self, live: Live, example: Callable[[Recommender], Query | None]) -> None:
        self._live, self._example = live, example
        self._alignment = lru_cache(maxsize=2)(alignment)
        self.page = gr.HTML("", js_on_load=theme.asset("actions.js"), apply_default_css=False, elem_id="mm-pipeline")

    def listen(self, asked: gr.State, tab: gr.Tab) -> None:
        """Run the last query, which `asked` holds, with a clock whenever the tab is opened."""

        def opened(query: Query | None) -> str:
            recommender = self._live.current()
            shown = query or self._example(recommender)
            try:
                traced = None if shown is None else trace(recommender, shown)
            except InputError:  # what it started from has left the catalogue
                traced = None
            return page(recommender, traced, self._alignment(recommender.index), example=query is None)

        tab.select(opened, asked, self.page, show_progress="hidden", api_visibility="private", concurrency_id="trace")


def page(recommender: Recommender, traced: Trace | None, aligned: Alignment | None, example: bool = False) -> str:
    """The whole picture as HTML; without a query it names the steps and leaves the numbers out.

    With `example` it says that the query is none of the visitor's own.
    """
    index = recommender.index
    formula, sentence = HEADS.get(index.head.name, ("", ""))
    return cards.render(
        "how_it_works",
        head=index.head.name,
        formula=_formula(formula),
        sentence=translate(sentence),
        dim=index.head.dim,
        width=index.head.width,
        blocks=index.head.blocks,
        total=len(index),
        store=index.manifest.store or {"kind": "exact"},
        encoder=encoder_name(index.manifest),
        aligned=aligned,
        t=None if traced is None else _shown(recommender, traced),
        example=example,
        time=time.monotonic_ns(),  # a page asked for again must differ, or the browser hears nothing
    )


def _shown(recommender: Recommender, t: Trace) -> dict[str, Any]:
    whole = sum(t.norms.values()) or 1.0
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
        "strips": {name: strip(v) for name, v in (("photo", t.photo), ("words", t.words_vector), ("both", t.vector))},
        "parts": [
            {"name": name, "label": translate(LABELS[name]), "norm": norm, "share": round(100 * norm / whole)}
            for name, norm in t.norms.items()
        ],
        "cosines": t.cosines,
        "neighbours": [translate(recommender.index.products[row].shown("title")) for row in t.neighbours],
        "searched": t.searched,
        "nearest": t.nearest,
        "filters": [translate(part.meaning) for part in recommender.read(t.query).parts if part.filters],
        "answers": [cards.tile(r.product, r) for r in t.answers[:SHOWN]],
        "count": len(t.answers),
        "folded": sum(len(r.variants) for r in t.answers),
        "both": t.cosines is not None,
        "columns": [_column(recommender.index, name, rows) for name, rows in t.by.items()],
    }


def _formula(formula: str) -> str:
    for name in (N_("photo"), N_("words"), N_("joint")):
        formula = formula.replace(name, translate(name))
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
    if query.seen is not None:
        return inline(query.seen, SIDE)
    if query.photos:
        return inline(query.photos[0], SIDE)
    return picture(recommender.product(query.reference)) if query.reference else ""


def _column(index: ProductIndex, name: str, rows: list[tuple[int, float]]) -> dict[str, Any]:
    items = [{**cards.tile(index.products[row]), "cosine": round(score, 2) + 0.0} for row, score in rows]  # no -0.00
    return {"name": name, "label": translate(COLUMNS[name]), "tiles": items}

"""The row "For you": what people go on to from the products that were opened here, which the browser alone remembers.

It is on pages of catalogues that came with what people did, and on no others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gradio as gr

from mmdemo.core.request import Query
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender
from mmdemo.ui import cards, theme

MOST = 30  # products that count; older ones are forgotten
SHOWN = 6
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "queue": False}


class ForYou:
    """The row and the browser's memory behind it; `listen` wires them."""

    def __init__(self, live: Live) -> None:
        self._live = live
        index = live.current().index
        digest = index.manifest.catalogue_sha256[:16] or "none"
        self.offered = index.behaviour is not None
        self.memory = gr.BrowserState([], storage_key=f"mmdemo-history-{digest}", secret=digest)
        self.row = gr.HTML("", js_on_load=theme.asset("actions.js"), apply_default_css=False, elem_id="mm-foryou")

    def listen(self, page: gr.Blocks, opening: Iterable[gr.HTML]) -> None:
        """Draw the row when the page is opened, and again for each product that one of these components opens."""
        if not self.offered:
            return
        page.load(self._drawn, self.memory, self.row, **QUIET)
        for component in opening:
            component.show(self._visited, self.memory, [self.memory, self.row], **QUIET)
        self.row.forget(lambda: ([], ""), None, [self.memory, self.row], **QUIET)

    def _visited(self, event: gr.EventData, kept: Any) -> tuple[list[str], str]:
        recommender = self._live.current()
        seen = visited(history(kept, recommender.index), str(event._data.get("id", "")), recommender.index)
        return list(seen), draw(seen, recommender)

    def _drawn(self, kept: Any) -> str:
        recommender = self._live.current()
        return draw(history(kept, recommender.index), recommender)


def history(kept: Any, index: ProductIndex) -> tuple[str, ...]:
    """The history that the browser or a link sent; ids that this catalogue does not know are dropped."""
    return tuple(i for i in (kept if isinstance(kept, list) else []) if isinstance(i, str) and index.holds(i))[-MOST:]


def visited(before: tuple[str, ...], product_id: str, index: ProductIndex) -> tuple[str, ...]:
    """The history after a product was opened, the latest last."""
    if not index.holds(product_id):
        return before
    return (*(i for i in before if i != product_id), product_id)[-MOST:]


def draw(seen: tuple[str, ...], recommender: Recommender) -> str:
    """The row as HTML, empty without a history or where nothing was learnt from people."""
    if not seen or recommender.index.behaviour is None:
        return ""
    found = recommender.recommend(Query(history=seen, k=SHOWN, fold=True))
    items = [{**item, "note": item["reason"]} for item in cards.tiles(found)]
    return cards.render("for_you", items=items, history="|".join(seen), count=len(seen))

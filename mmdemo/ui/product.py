"""The product page: a dialog over either tab, from which one can walk from similar to similar."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gradio as gr
from markupsafe import Markup

from mmdemo.errors import InputError
from mmdemo.index import ProductIndex
from mmdemo.live import one_version
from mmdemo.query import Query
from mmdemo.recommender import Recommender
from mmdemo.say import named, say, word
from mmdemo.ui import cards, theme
from mmdemo.ui.why import section
from mmdemo.why import Why

SIMILAR = 6
VARIANTS = 24


@dataclass
class Opened:
    """The product that the dialog shows to one visitor, and what is known of why."""

    id: str
    time: int
    why: Why | None = None


class Dialog:
    """The dialog and what fills it. `box` exists from the start and is placed on the page by `render`."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._siblings = lru_cache(maxsize=2)(_siblings)
        self._opened = gr.State(None)
        self.box = gr.HTML(
            "",
            html_template=cards.render("dialog"),
            js_on_load=theme.asset("dialog.js"),
            apply_default_css=False,
            elem_id="mm-product",
            render=False,
        )

    def render(self) -> None:
        """Place the dialog on the page."""
        self.box.render()

    def opens_from(self, component: gr.HTML, asked: gr.State | None = None) -> None:
        """A "show" event of this component opens the product that it names; with `asked`, the query behind the answer,
        the reasons follow as soon as they are known, and once more when they are checked."""
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        if asked is None:
            component.show(self._open, outputs=[self.box, self._opened], queue=False, **quiet)
            return
        shown = component.show(self._open, asked, [self.box, self._opened], queue=False, **quiet)
        first = shown.then(self._reasons, self._opened, self.box, concurrency_id="why", **quiet)
        first.then(self._checked, self._opened, self.box, concurrency_id="why", **quiet)

    def page(self, product_id: str, why: str = "", opened: int = 0) -> str:
        """The inside of the dialog for one product; InputError if there is no such product."""
        product = self._recommender.product(product_id)
        siblings = self._siblings(self._recommender.index).get(product.parent, []) if product.parent else []
        variants = [self._recommender.product(other) for other in siblings[:VARIANTS]] if len(siblings) > 1 else []
        labels = cards.variant_labels(variants)
        similar = self._recommender.similar(product.id, k=SIMILAR)
        index = self._recommender.index
        partners = index.goes_with(product.id)[:SIMILAR]
        return cards.render(
            "product",
            item=cards.tile(product),
            pictures=cards.pictures(product, len(index.views(product.id))),
            goes_with=[
                {**cards.tile(self._recommender.product(i)), "note": word("kind", kind)} for i, kind in partners
            ],
            simulated=any(link.simulated for link in index.links),
            description=product.shown("description"),
            attributes=[(named(name), product.shown(name)) for name, value in product.attributes.items() if value],
            variants=[{**cards.tile(other), "label": labels[other.id]} for other in variants],
            label=labels.get(product.id, ""),
            link=cards.safe_link(product.url),
            similar=[{**item, "match": None} for item in cards.tiles(similar)],  # none of them is the one that is open
            why=Markup(why),  # made by a template that escaped it
            time=opened or time.monotonic_ns(),  # a page opened a second time must differ, or the browser hears nothing
        )

    def _open(self, event: gr.EventData, asked: Query | None = None) -> tuple[str, Opened]:
        opened = Opened(str(event._data.get("id", "")), time.monotonic_ns())
        try:
            with one_version(self._recommender):
                if asked is not None:
                    opened.why = Why(self._recommender, asked, opened.id)
                waiting = "" if opened.why is None else cards.render("waiting")
                return self.page(opened.id, waiting, opened.time), opened
        except InputError as error:
            raise gr.Error(str(error), title=say("Sorry"), print_exception=False) from error

    def _reasons(self, opened: Opened | None, whole: bool = False) -> Any:
        if opened is None or opened.why is None:
            return gr.skip()
        with one_version(self._recommender):
            return self.page(opened.id, section(opened.why, whole), opened.time)

    def _checked(self, opened: Opened | None) -> Any:
        return self._reasons(opened, whole=True)


def _siblings(index: ProductIndex) -> dict[str, list[str]]:
    """Parent -> ids of its variants."""
    found: dict[str, list[str]] = {}
    for item in index.products:
        if item.parent:
            found.setdefault(item.parent, []).append(item.id)
    return found

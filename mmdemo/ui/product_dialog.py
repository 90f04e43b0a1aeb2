"""The dialog of one product, over any tab: its pictures, facts, similar products, and "Why this?"."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gradio as gr
from markupsafe import Markup

from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.explain.explanation import Explanation
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender
from mmdemo.serve.pictures import pictures
from mmdemo.serve.translation import named, translate, word
from mmdemo.ui import cards, theme
from mmdemo.ui.explanation import section

SIMILAR = 6
VARIANTS = 24


@dataclass
class Opened:
    """The product that the dialog shows to one visitor, by which version of the index, and what is known of why."""

    recommender: Recommender
    id: str
    time: int
    why: Explanation | None = None


class ProductDialog:
    """The dialog and what fills it. `box` exists from the start and is placed on the page by `render`."""

    def __init__(self, live: Live) -> None:
        self._live = live
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

    def opens_from_all(self, components: Iterable[gr.HTML], asking: Collection[gr.HTML], asked: gr.State) -> None:
        """Let each of these components open products, those of an answer (`asking`) with the query behind it."""
        for component in components:
            self.opens_from(component, asked if component in asking else None)

    def page(self, recommender: Recommender, product_id: str, why: str = "", opened: int = 0) -> str:
        """The inside of the dialog for one product; InputError if there is no such product."""
        product = recommender.product(product_id)
        siblings = self._siblings(recommender.index).get(product.parent, []) if product.parent else []
        variants = [recommender.product(other) for other in siblings[:VARIANTS]] if len(siblings) > 1 else []
        labels = cards.variant_labels(variants)
        similar = recommender.similar(product.id, k=SIMILAR)
        index = recommender.index
        partners = index.goes_with(product.id)[:SIMILAR]
        return cards.render(
            "product",
            item=cards.tile(product),
            pictures=pictures(product, index.views(product.id)),
            goes_with=[{**cards.tile(recommender.product(i)), "note": word("kind", kind)} for i, kind in partners],
            went_on_to=self._went_on_to(recommender, product.id),
            simulated=any(link.simulated for link in index.links),
            description=translate(product.shown("description")),
            attributes=[
                (named(name), translate(product.shown(name))) for name, value in product.attributes.items() if value
            ],
            variants=[{**cards.tile(other), "label": labels[other.id]} for other in variants],
            label=labels.get(product.id, ""),
            link=cards.safe_link(product.url),
            similar=[{**item, "grade": ""} for item in cards.tiles(similar)],  # none of them is the one that is open
            why=Markup(why),  # made by a template that escaped it
            time=opened or time.monotonic_ns(),  # a page opened a second time must differ, or the browser hears nothing
        )

    @staticmethod
    def _went_on_to(recommender: Recommender, product_id: str) -> list[dict[str, object]]:
        """What people who liked a product liked too, as cards; empty for one that too few touched."""
        index = recommender.index
        rows = index.behaviour.went_on_to(index.row(product_id), SIMILAR) if index.behaviour else []
        return [cards.tile(index.products[row]) for row in rows]

    def _open(self, event: gr.EventData, asked: Query | None = None) -> tuple[str, Opened]:
        recommender = self._live.current()
        opened = Opened(recommender, str(event._data.get("id", "")), time.monotonic_ns())
        try:
            if asked is not None:
                opened.why = Explanation(recommender, asked, opened.id)
            waiting = "" if opened.why is None else cards.render("waiting")
            return self.page(recommender, opened.id, waiting, opened.time), opened
        except InputError as error:  # a product that an old link names, or that has left since the page was drawn
            opened.why = None
            return cards.render("gone", id=opened.id, sentence=translate(error), time=opened.time), opened

    def _reasons(self, opened: Opened | None, whole: bool = False) -> Any:
        if opened is None or opened.why is None:
            return gr.skip()
        return self.page(opened.recommender, opened.id, section(opened.why, whole), opened.time)

    def _checked(self, opened: Opened | None) -> Any:
        return self._reasons(opened, whole=True)


def _siblings(index: ProductIndex) -> dict[str, list[str]]:
    """Parent -> ids of its variants."""
    found: dict[str, list[str]] = {}
    for item in index.products:
        if item.parent:
            found.setdefault(item.parent, []).append(item.id)
    return found

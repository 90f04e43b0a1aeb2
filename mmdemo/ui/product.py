"""The product page: a dialog over either tab, from which one can walk from similar to similar."""

from __future__ import annotations

import time

import gradio as gr

from mmdemo.errors import InputError
from mmdemo.recommender import Recommender
from mmdemo.ui import cards, theme

SIMILAR = 6
VARIANTS = 24


class Dialog:
    """The dialog and what fills it. `box` exists from the start and is placed on the page by `render`."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._siblings: dict[str, list[str]] = {}
        for item in recommender.index.products:
            if item.parent:
                self._siblings.setdefault(item.parent, []).append(item.id)
        self.box = gr.HTML(
            "",
            html_template=theme.asset("dialog.html"),
            js_on_load=theme.asset("dialog.js"),
            apply_default_css=False,
            elem_id="mm-product",
            render=False,
        )

    def render(self) -> None:
        """Place the dialog on the page."""
        self.box.render()

    def opens_from(self, component: gr.HTML) -> None:
        """A "show" event of this component opens the product that it names."""
        component.show(self._open, outputs=self.box, queue=False, show_progress="hidden", api_visibility="private")

    def page(self, product_id: str) -> str:
        """The inside of the dialog for one product; InputError if there is no such product."""
        product = self._recommender.product(product_id)
        siblings = self._siblings.get(product.parent, []) if product.parent else []
        variants = [self._recommender.product(other) for other in siblings[:VARIANTS]] if len(siblings) > 1 else []
        labels = cards.variant_labels(variants)
        similar = self._recommender.similar(product.id, k=SIMILAR)
        return cards.render(
            "product",
            item=cards.tile(product),
            description=product.description,
            attributes=[(name, value) for name, value in product.attributes.items() if value],
            variants=[{**cards.tile(other), "label": labels[other.id]} for other in variants],
            label=labels.get(product.id, ""),
            link=cards.safe_link(product.url),
            similar=cards.tiles(similar),
            time=time.monotonic_ns(),  # a page that is opened a second time must differ, or the browser hears nothing
        )

    def _open(self, event: gr.EventData) -> str:
        try:
            return self.page(str(event._data.get("id", "")))
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

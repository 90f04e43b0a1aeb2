"""A shopper's taste on the page: kept in the browser under the catalogue's own key, shown, taken back at a click."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mmdemo.core.request import Taste
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.recommender import Recommender
from mmdemo.ui import cards, theme

MOST = 100  # clicks that count; older ones are forgotten


class TasteBar:
    """The bar above the results, and the browser's memory behind it."""

    def __init__(self, index: ProductIndex) -> None:
        digest = index.manifest.catalogue_sha256[:16] or "none"
        # Another catalogue has another key, so it starts fresh; the server keeps nothing.
        nothing: dict[str, list[str]] = {"likes": [], "dislikes": []}
        self.memory = gr.BrowserState(nothing, storage_key=f"mmdemo-taste-{digest}", secret=digest)
        self.bar = gr.HTML("", js_on_load=theme.asset("actions.js"), apply_default_css=False, elem_id="mm-taste")

    def read(self, kept: Any, index: ProductIndex) -> Taste:
        """The taste that the browser sent; ids that this catalogue does not know are dropped."""
        kept = kept if isinstance(kept, dict) else {}
        likes, dislikes = (
            tuple(i for i in kept.get(name) or () if isinstance(i, str) and index.holds(i))[-MOST:]
            for name in ("likes", "dislikes")
        )
        return Taste(likes=likes, dislikes=tuple(i for i in dislikes if i not in likes))

    def draw(self, taste: Taste, recommender: Recommender) -> str:
        """The bar as HTML, empty without a taste."""
        tiles = [[cards.tile(recommender.product(i)) for i in ids] for ids in (taste.likes, taste.dislikes)]
        return cards.render("taste", likes=tiles[0][-12:], dislikes=tiles[1][-12:])


def changed(taste: Taste, act: str, product_id: str) -> Taste:
    """The taste after a click: `love` (a second time takes it back), `dismiss`, `unlove` or `forget`."""
    likes = tuple(i for i in taste.likes if i != product_id)
    dislikes = tuple(i for i in taste.dislikes if i != product_id)
    if act == "forget":
        return Taste()
    if act == "love" and product_id not in taste.likes:
        likes = (*likes, product_id)
    if act == "dismiss":
        dislikes = (*dislikes, product_id)
    return Taste(likes=likes, dislikes=dislikes)


def kept(taste: Taste) -> dict[str, list[str]]:
    """The form in which the browser keeps it."""
    return {"likes": list(taste.likes), "dislikes": list(taste.dislikes)}

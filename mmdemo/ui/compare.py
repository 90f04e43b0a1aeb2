"""Up to four products side by side. Which ones are picked is known to the browser alone."""

from __future__ import annotations

import time

import gradio as gr

from mmdemo.errors import InputError
from mmdemo.live import one_version
from mmdemo.query import Query
from mmdemo.recommender import Recommender
from mmdemo.say import named, say
from mmdemo.ui import answer, cards, theme
from mmdemo.why import Why

MOST = 4


class Compare:
    """The tray at the foot of the page and the dialog that it opens."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self.box = gr.HTML(
            "",
            html_template=cards.render("tray"),
            js_on_load=theme.asset("compare.js"),
            apply_default_css=False,
            elem_id="mm-compare",
        )

    def page(self, ids: list[str], asked: Query | None) -> str:
        """The table as HTML, with matches and parts of scores where something was asked; InputError for unknown ids."""
        products = [self._recommender.product(i) for i in dict.fromkeys(ids[:MOST])]
        chances = asked is not None and answer.has_chances(asked, self._recommender.recommend(asked))
        columns = []
        for product in products:
            why = None if asked is None else Why(self._recommender, asked, product.id)
            columns.append(
                {
                    **cards.tile(product),
                    "asked": why is not None,
                    "match": str(round(100 * why.match) or "<1") if why is not None and chances else None,
                    "rank": None if why is None else why.rank,
                    "score": None if why is None else why.score,
                    "parts": [] if why is None else cards.receipt(why.receipt),
                }
            )
        names = list(dict.fromkeys(name for product in products for name in product.attributes))
        rows = [(say("Price"), [str(column["price"]) for column in columns])]
        rows += [(say("Kind"), [product.shown("category") for product in products])]
        rows += [(named(name), [p.shown(name) for p in products]) for name in names]
        return cards.render(
            "compare",
            columns=columns,
            rows=[{"name": name, "cells": cells, "differs": len(set(cells)) > 1} for name, cells in rows if any(cells)],
            time=time.monotonic_ns(),  # a table asked for a second time must differ, or the browser hears nothing
        )

    def listen(self, asked: gr.State) -> None:
        """Wire it; `asked` holds the query behind the results."""

        def compare(event: gr.EventData, query: Query | None) -> str:
            ids = event._data.get("ids")
            try:
                with one_version(self._recommender):
                    return self.page([str(i) for i in ids] if isinstance(ids, list) else [], query)
            except InputError as error:
                raise gr.Error(str(error), title=say("Sorry"), print_exception=False) from error

        self.box.compare(compare, asked, self.box, show_progress="hidden", api_visibility="private", queue=False)

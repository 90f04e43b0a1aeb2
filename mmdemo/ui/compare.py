"""Comparing up to four products side by side: the tray and the table.

Which ones are picked is known to the browser alone.
"""

from __future__ import annotations

import time

import gradio as gr

from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.explain.explanation import Explanation
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender
from mmdemo.serve.translation import named, translate
from mmdemo.ui import cards, theme

MOST = 4


class Compare:
    """The tray at the foot of the page and the dialog that it opens."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.box = gr.HTML(
            "",
            html_template=cards.render("tray"),
            js_on_load=theme.asset("compare.js"),
            apply_default_css=False,
            elem_id="mm-compare",
        )

    def page(self, recommender: Recommender, ids: list[str], asked: Query | None) -> str:
        """The table as HTML, with matches and parts of scores where something was asked; InputError for unknown ids."""
        products = [recommender.product(i) for i in dict.fromkeys(ids[:MOST])]
        prepared = None if asked is None else recommender.prepare(asked)
        columns = []
        for product in products:
            why = None if prepared is None else Explanation(recommender, prepared, product.id)
            columns.append(
                {
                    **cards.tile(product),
                    "asked": why is not None,
                    "grade": "" if why is None else cards.grade_word(why.grade),
                    "rank": None if why is None else why.rank,
                    "score": None if why is None else why.score,
                    "parts": [] if why is None else cards.receipt(why.receipt),
                }
            )
        names = list(dict.fromkeys(name for product in products for name in product.attributes))
        rows = [(translate("Price"), [str(column["price"]) for column in columns])]
        rows += [(translate("Kind"), [translate(product.shown("category")) for product in products])]
        rows += [(named(name), [translate(p.shown(name)) for p in products]) for name in names]
        return cards.render(
            "compare",
            columns=columns,
            rows=[{"name": name, "cells": cells, "differs": len(set(cells)) > 1} for name, cells in rows if any(cells)],
            time=time.monotonic_ns(),  # a table asked for a second time must differ, or the browser hears nothing
        )

    def listen(self, asked: gr.State) -> None:
        """Wire it; `asked` holds the query behind the results."""

        def compare(event: gr.EventData, query: Query | None) -> str:
            recommender = self._live.current()
            ids = event._data.get("ids")
            try:
                return self.page(recommender, [str(i) for i in ids] if isinstance(ids, list) else [], query)
            except InputError as error:
                raise gr.Error(translate(error), title=translate("Sorry"), print_exception=False) from error

        self.box.compare(compare, asked, self.box, show_progress="hidden", api_visibility="private", queue=False)

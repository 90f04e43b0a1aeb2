"""The Browse tab: the catalogue by facets, by words in the title and by order, one page at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from threading import Lock
from typing import Any

import gradio as gr

from mmdemo.search.live import Live
from mmdemo.serve.translation import named, noun, translate
from mmdemo.ui import cards, theme
from mmdemo.ui.catalogue_view import ORDERS, CatalogueView, page_numbers
from mmdemo.ui.swatches import swatches

CATEGORY = "category"
KINDS = 16  # categories shown before "more"
HEAD = 10  # values of a facet shown before "more"
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


class Chosen:
    """The values ticked on one open page, by column, changed in place by whoever has its `turn`.

    Two quick clicks are sent at once, and the second cannot carry what the first one changed: it is read here.
    """

    def __init__(self) -> None:
        self.turn, self.values = Lock(), dict[str, list[str]]()

    def __deepcopy__(self, memo: object) -> Chosen:
        return Chosen()  # Gradio copies the first value of a state for every page that opens


def _in_turn(fn: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(fn)
    def handler(chosen: Chosen, *args: Any) -> Any:
        with chosen.turn:
            return fn(chosen, *args)

    return handler


class BrowseTab:
    """The tab's components; `listen` wires them."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._shelf = lru_cache(maxsize=2)(lambda index: CatalogueView(index.products, index.facet_index))
        self._chosen = gr.State(Chosen())
        facets, grid = self._draw({}, "", "order", 1)
        with gr.Row(elem_id="mm-browse"):
            with gr.Column(elem_classes="mm-side", min_width=0):
                self._words = gr.Textbox(
                    label=translate("Search in titles"),
                    placeholder=translate("Words in the title"),
                    max_lines=1,
                    elem_id="mm-words",
                )
                self._order = gr.Dropdown(
                    [(translate(label), order) for label, order in ORDERS.items()],
                    value="order",
                    label=translate("Sort by"),
                    filterable=False,
                    elem_id="mm-order",
                )
                self._facets = gr.HTML(
                    facets, js_on_load=theme.asset("actions.js"), apply_default_css=False, elem_id="mm-facets"
                )
            with gr.Column(elem_classes="mm-main", min_width=0):
                self.grid = gr.HTML(
                    grid, js_on_load=theme.asset("actions.js"), apply_default_css=False, elem_id="mm-shelf"
                )

    def _draw(self, chosen: dict[str, list[str]], words: str, order: str, page: int) -> tuple[str, str]:
        view = self._shelf(self._live.current().index).view(chosen, words, order, page)
        facets = []
        for column, values in view.facets.items():
            head = [value for place, value in enumerate(values) if place < HEAD or value[2]]
            tail = [value for value in values if value not in head]
            if values:
                colours = swatches(value for value, _, _ in values)
                facets.append(
                    {"column": column, "label": named(column), "head": head, "tail": tail, "colours": colours}
                )
        count = sum(map(len, chosen.values()))
        heading = translate("{n} {noun}", n=f"{view.total:,}", noun=noun(view.total))
        grid = cards.render(
            "grid",
            heading=heading,
            kinds=[] if chosen or words or page > 1 else self._kinds(),
            kinds_first=KINDS,
            items=[cards.tile(item) for item in view.products],
            page=view.page,
            pages=view.pages,
            numbers=page_numbers(view.page, view.pages),
        )
        return cards.render("facets", facets=facets, count=count), grid

    def _kinds(self) -> list[dict[str, Any]]:
        """The categories, each with the picture of its first product; none where there is one only."""
        index = self._live.current().index
        counts = index.facets.get(CATEGORY, {})
        first = {item.category: item for item in reversed(index.products)}
        return (
            [{"value": value, "count": count, **cards.tile(first[value])} for value, count in counts.items()]
            if len(counts) > 1
            else []
        )

    def listen(self, page: gr.Blocks) -> None:
        """Every change shows the first page of what remains; the pager alone moves within it."""

        def toggle(chosen: Chosen, words: str, order: str, event: gr.EventData) -> tuple[str, str]:
            column, value = str(event._data.get("column", "")), str(event._data.get("value", ""))
            values = chosen.values.get(column, [])
            values = [other for other in values if other != value] if value in values else [*values, value]
            chosen.values = {name: kept for name, kept in {**chosen.values, column: values}.items() if kept}
            return self._draw(chosen.values, words, order, 1)

        def clear(chosen: Chosen, words: str, order: str) -> tuple[str, str]:
            chosen.values = {}
            return self._draw({}, words, order, 1)

        def again(chosen: Chosen, words: str, order: str) -> tuple[str, str]:
            return self._draw(chosen.values, words, order, 1)

        def turn(chosen: Chosen, words: str, order: str, event: gr.EventData) -> str:
            number = str(event._data.get("page", "1"))
            return self._draw(chosen.values, words, order, int(number) if number.isdecimal() else 1)[1]

        state = [self._chosen, self._words, self._order]
        drawn = [self._facets, self.grid]
        self._facets.facet(_in_turn(toggle), state, drawn, trigger_mode="multiple", **QUIET)
        self.grid.facet(_in_turn(toggle), state, drawn, **QUIET)
        self._facets.clear(_in_turn(clear), state, drawn, **QUIET)
        self._words.change(_in_turn(again), state, drawn, trigger_mode="always_last", **QUIET)
        self._order.input(_in_turn(again), state, drawn, trigger_mode="always_last", **QUIET)
        top = "() => document.getElementById('mm-tabs').scrollIntoView({behavior: 'smooth'})"
        self.grid.turn(_in_turn(turn), state, self.grid, **QUIET).then(fn=None, js=top, api_visibility="private")

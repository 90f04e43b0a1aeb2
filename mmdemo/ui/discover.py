"""The Discover tab: a photo, a sentence, or both; filters; results that say why they are there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from mmdemo import imaging
from mmdemo.errors import InputError
from mmdemo.query import Filter, Query
from mmdemo.recommender import Recommender
from mmdemo.ui import cards, starts, theme
from mmdemo.ui.api import SIDE, picture_of

COUNTS = (8, 12, 24, 48)
FACETS = 6  # drop-downs shown; the Browse tab shows every facet
DOUBT = 5  # per cent: below this match the best answer is called a distant one
ROW = 4  # results in the first row of a wide screen
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# Gradio's own preprocessing would open the picture with whatever Pillow knows, before a line of ours ran; without it,
# what arrives is the uploaded file's record, and `mmdemo.imaging` alone decodes it.
# An event that comes while its last one still runs is not dropped: a paste first empties the box, then fills it.
BUSY: dict[str, Any] = {
    "show_progress": "minimal",
    "api_visibility": "private",
    "preprocess": False,
    "trigger_mode": "always_last",
    "concurrency_id": "search",
}

# On a phone the results lie below what was asked.
DOWN = """() => { if (window.innerWidth < 900)
    document.getElementById("mm-results").scrollIntoView({behavior: "smooth"}); }"""
AGAIN = """() => { const results = document.getElementById("mm-results"), way = {behavior: "smooth"};
    window.innerWidth < 900 ? results.scrollIntoView(way) : window.scrollTo({top: 0, ...way}); }"""

log = logging.getLogger(__name__)


class Discover:
    """The tab's components; `listen` wires them."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        index = recommender.index
        self._starts = self._pick_starts()
        self._reference = gr.State("")
        self._filters: list[str] = [column for column, values in index.facets.items() if len(values) > 1][:FACETS]
        priced = [item.price for item in index.products if item.price is not None]
        actions = theme.asset("actions.js")
        with gr.Row(elem_id="mm-discover"):
            with gr.Column(elem_id="mm-query", elem_classes="mm-side", min_width=0):
                self.photo = gr.Image(
                    type="filepath",
                    image_mode=None,
                    label="Photo",
                    sources=["upload", "clipboard", "webcam"],
                    buttons=[],
                    height=232,
                    elem_id="mm-photo",
                    placeholder="Drop a photo here\nor click to choose one",
                    webcam_options=gr.WebcamOptions(mirror=False),
                )
                self.chosen = gr.HTML("", js_on_load=actions, apply_default_css=False, elem_id="mm-reference")
                self._text = gr.Textbox(
                    label="In words",
                    placeholder="What is it, or what should be different?",
                    lines=1,
                    max_lines=1,
                    max_length=500,
                    elem_id="mm-text",
                )
                with gr.Column(elem_id="mm-weight", min_width=0):
                    self._weight = gr.Slider(0, 1, value=0.5, step=0.05, label="Which counts more?", buttons=[])
                    gr.HTML(
                        "<p class='mm-ends'><span>only the words</span><span>only the photo</span></p>",
                        apply_default_css=False,
                    )
                gr.HTML(
                    "<p class='mm-hint'>With a photo and words, a slider here weighs one against the other.</p>",
                    apply_default_css=False,
                    elem_id="mm-weight-hint",
                )
                with gr.Row(elem_id="mm-go"):
                    self._button = gr.Button("Search", variant="primary", elem_id="mm-search", min_width=0, scale=3)
                    self._reset = gr.Button(
                        "Start again", variant="secondary", elem_id="mm-reset", min_width=0, scale=2
                    )
                with gr.Accordion("Filters", open=False, elem_id="mm-filters") as self._panel:
                    self._facets = [
                        gr.Dropdown(
                            [(f"{value}  ({count})", value) for value, count in index.facets[column].items()],
                            multiselect=True,
                            label=column.replace("_", " ").capitalize(),
                            elem_id=f"mm-filter-{place}",
                        )
                        for place, column in enumerate(self._filters)
                    ]
                    with gr.Row(visible=bool(priced), elem_id="mm-prices"):
                        self._low = gr.Number(
                            label="Price from",
                            placeholder=f"{min(priced):.0f}" if priced else None,
                            minimum=0,
                            min_width=0,
                            elem_id="mm-low",
                        )
                        self._high = gr.Number(
                            label="Price to",
                            placeholder=f"{max(priced):.0f}" if priced else None,
                            minimum=0,
                            min_width=0,
                            elem_id="mm-high",
                        )
                    self._count = gr.Radio(COUNTS, value=12, label="Number of results", elem_id="mm-count")
            with gr.Column(elem_classes="mm-main", min_width=0):
                self._notice = gr.HTML("", apply_default_css=False, elem_id="mm-notice")
                self.results = gr.HTML(
                    self._welcome(), js_on_load=actions, apply_default_css=False, elem_id="mm-results"
                )

    def _pick_starts(self) -> list[starts.Start]:
        products = self._recommender.index.products
        known = {item.id for item in products}
        folder = theme.ASSETS.parent / "catalog"
        given = [start for name in starts.FILES for start in starts.read_queries(folder / name, known)]
        photos, said = starts.choose(given, starts.from_products(products), self._answers)
        return [*photos, *said]

    def _answers(self, start: starts.Start) -> bool:
        """Whether a right product is in the first row: what is offered as a first click should work."""
        if not start.targets:
            return True
        try:
            photo = None if start.image is None else imaging.decode(start.image, max_side=SIDE)
            query = Query(image=photo, text=start.text, reference=start.reference, k=ROW)
            return any(found.id in start.targets for found in self._recommender.recommend(query))
        except InputError:
            return False

    def _welcome(self) -> str:
        shown = []
        for number, start in enumerate(self._starts):
            picture = ""
            if start.image is not None:
                picture = f"{cards.STARTS}/{number}"
            elif start.reference:
                picture = cards.picture(self._recommender.product(start.reference))
            shown.append({"number": number, "text": start.text, "picture": picture, "title": start.text})
        return cards.render(
            "welcome",
            photos=[item for item in shown if item["picture"]],
            sentences=[item for item in shown if not item["picture"]],
        )

    @property
    def start_pictures(self) -> dict[str, Path]:
        """Number -> file, for the pictures of the queries to begin with."""
        return {str(number): start.image for number, start in enumerate(self._starts) if start.image is not None}

    def _search(
        self,
        photo: Image.Image | None,
        text: str,
        reference: str,
        weight: float,
        count: int,
        low: float | None,
        high: float | None,
        facets: tuple[list[str] | None, ...],
    ) -> str:
        """The results as HTML, or the welcome page where nothing was asked; InputError if it cannot be answered."""
        text = text.strip()
        if photo is None and not text and not reference:
            return self._welcome()
        if low is not None and high is not None and low > high:
            raise InputError(f"The price range runs backwards: from {low:g} to {high:g}. Swap the two.")
        rules = [
            Filter(column, "=", "|".join(values))
            for column, values in zip(self._filters, facets, strict=True)
            if values
        ]
        rules += [Filter("price", op, f"{value:g}") for op, value in ((">=", low), ("<=", high)) if value is not None]
        product = self._recommender.product(reference) if reference else None
        pictured = product is not None and bool(product.image)
        query = Query(
            image=photo,
            text=text,
            reference=reference if pictured else "",
            like=(reference,) if reference and not pictured else (),  # no picture to start from: its fused vector
            k=int(count),
            weight=float(weight),
            filters=tuple(rules),
        )
        found = self._recommender.recommend(query)
        if not found:
            raise InputError("No product passes these filters. Take one away to see more.")
        best = round(100 * found[0].match)
        doubt = f"Nothing here is a close match (the best is {best}%). These are the nearest." if best < DOUBT else ""
        start = f"“{product.title}”" if product else ""
        asked = ["your photo" if photo is not None else start, f"“{text}”" if text else ""]
        amount = f"{len(found)} of {len(self._recommender.index.products):,} products"
        return cards.render(
            "results",
            heading=f"{amount} for {' and '.join(filter(None, asked))}",
            doubt=doubt,
            items=cards.tiles(found),
        )

    def listen(self, also_from: gr.HTML, tabs: gr.Tabs) -> None:
        """Wire the tab; `also_from` is the product dialog, whose "like" comes back here through `tabs`."""
        asked = [self._text, self._weight, self._count, self._low, self._high, *self._facets]
        shown = [self.photo, self._reference, self.chosen, self._panel, self._notice, self.results]

        def answer(
            photo: dict[str, Any] | Image.Image | None, reference: str, text: str, *rest: Any, shown_photo: Any = None
        ) -> tuple[Any, ...]:
            """Values for `shown`; a fault becomes one sentence above the results that were there."""
            unchanged = (gr.skip(),) * 4
            try:
                decoded = photo if isinstance(photo, Image.Image) else picture_of(photo)
            except InputError as error:
                return None, *unchanged[:3], _notice(error), gr.skip()
            try:
                weight, count, low, high, *facets = rest
                low, high = low or None, high or None  # an empty number field may arrive as 0
                page = self._search(decoded, text or "", reference, weight, count, low, high, tuple(facets))
                item = cards.tile(self._recommender.product(reference)) if reference else None
            except InputError as error:
                return *unchanged, _notice(error), gr.skip()
            except Exception:
                log.exception("a search failed")
                sorry = InputError(
                    "Something went wrong here, and it was not your query. The log of the server says more."
                )
                return *unchanged, _notice(sorry), gr.skip()
            photo_value = gr.skip() if shown_photo is None else shown_photo
            used = sum(value is not None and value != [] for value in (low, high, *facets))
            panel = gr.update(label=f"Filters ({used})" if used else "Filters")
            return photo_value, reference, cards.render("reference", item=item), panel, _notice(None), page

        def search(photo: dict[str, Any] | None, reference: str, *rest: Any) -> tuple[Any, ...]:
            return answer(photo, "" if photo else reference, *rest)

        def refine(photo: dict[str, Any] | None, reference: str, text: str, *rest: Any) -> tuple[Any, ...]:
            return answer(photo, reference, text, *rest)

        def like(event: gr.EventData, *values: Any) -> tuple[Any, ...]:
            return answer(None, str(event._data.get("id", "")), *values, shown_photo=gr.update(value=None))

        def like_from_dialog(event: gr.EventData, *values: Any) -> tuple[Any, ...]:
            return gr.Tabs(selected="discover"), *like(event, *values)

        def drop(*values: Any) -> tuple[Any, ...]:
            return answer(None, "", *values)

        def attempt(event: gr.EventData, weight: float, count: int) -> tuple[Any, ...]:
            number = str(event._data.get("number", ""))
            start = (
                self._starts[int(number)] if number.isdecimal() and int(number) < len(self._starts) else starts.Start()
            )
            photo = None if start.image is None else imaging.decode(start.image, max_side=SIDE)
            rest = [weight, count, None, None, *(None for _ in self._facets)]
            made = answer(photo, start.reference, start.text, *rest, shown_photo=gr.update(value=photo))
            return *made, start.text, None, None, *([] for _ in self._facets)

        def restart() -> tuple[Any, ...]:
            made = answer(
                None, "", "", 0.5, 12, None, None, *(None for _ in self._facets), shown_photo=gr.update(value=None)
            )
            return *made, "", 0.5, None, None, *([] for _ in self._facets)

        whole = [self.photo, self._reference, *asked]

        def on(
            event: Callable[..., Any], fn: Callable[..., Any], inputs: list[Any], outputs: list[Any], js: str = ""
        ) -> None:
            done = event(fn, inputs, outputs, show_progress_on=self.results, **BUSY)
            if js:
                done.success(fn=None, js=js, api_visibility="private")

        on(self._button.click, search, whole, shown, DOWN)
        on(self._text.submit, search, whole, shown, DOWN)
        on(self.photo.input, search, whole, shown, DOWN)
        narrowing: list[Any] = [*self._facets, self._low, self._high, self._count]
        for facet in narrowing:
            for event in (facet.submit, facet.blur) if isinstance(facet, gr.Number) else (facet.input,):
                on(event, refine, whole, shown)
        on(self._weight.release, refine, whole, shown)
        on(self.results.like, like, asked, shown, AGAIN)
        on(also_from.like, like_from_dialog, asked, [tabs, *shown], AGAIN)
        on(self.chosen.drop, drop, asked, shown)
        fields = [self._text, self._low, self._high, *self._facets]
        on(self.results.attempt, attempt, [self._weight, self._count], [*shown, *fields], DOWN)
        on(
            self._reset.click,
            restart,
            [],
            [*shown, self._text, self._weight, self._low, self._high, *self._facets],
        )


def _notice(error: InputError | None) -> str:
    sentence = "" if error is None else str(error)
    return cards.render("notice", sentence=sentence[:1].upper() + sentence[1:])

"""The Discover tab: a photo, a sentence, or both; filters; results that say why they are there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr
from PIL import Image

from mmdemo import imaging
from mmdemo.errors import InputError
from mmdemo.feedback import Taste
from mmdemo.live import one_version
from mmdemo.query import Filter, Query
from mmdemo.recommender import Recommender
from mmdemo.ui import cards, theme
from mmdemo.ui.api import MOST_PHOTOS, picture_of
from mmdemo.ui.taste import TasteBar, changed, kept
from mmdemo.ui.uploads import SIDE
from mmdemo.ui.welcome import Welcome

COUNTS = (8, 12, 24, 48)
FACETS = 6  # drop-downs shown; the Browse tab shows every facet
DOUBT = 5  # per cent: below this match the best answer is called a distant one
STAY = ("love", "dismiss")
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

    def __init__(self, recommender: Recommender, camera: bool = True) -> None:
        self._recommender = recommender
        index = recommender.index
        self.welcome = Welcome(recommender)
        self._reference = gr.State("")
        self.asked = gr.State(None)  # the query behind the results that are shown
        self._filters: list[str] = [column for column, values in index.facets.items() if len(values) > 1][:FACETS]
        priced = [item.price for item in index.products if item.price is not None]
        actions = theme.asset("actions.js")
        with gr.Row(elem_id="mm-discover"):
            with gr.Column(elem_id="mm-query", elem_classes="mm-side", min_width=0):
                self.photo = gr.Image(
                    type="filepath",
                    image_mode=None,
                    label="Photo",
                    sources=["upload", "clipboard", "webcam"] if camera else ["upload", "clipboard"],
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
                self.understood = gr.HTML("", js_on_load=actions, apply_default_css=False, elem_id="mm-understood")
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
                    self._variety = gr.Slider(
                        0, 0.8, value=0, step=0.1, label="Variety", info="0: the nearest; more: less alike", buttons=[],
                        elem_id="mm-variety",
                    )  # fmt: skip
                    self._fold = gr.Checkbox(True, label="Variants of one thing on one card", elem_id="mm-fold")
                    self._count = gr.Radio(COUNTS, value=12, label="Number of results", elem_id="mm-count")
                with gr.Accordion("More photos", open=False, elem_id="mm-more-photos"):
                    self._blend, self._avoid = (
                        gr.File(file_count="multiple", file_types=["image"], label=label, height=110, elem_id=name)
                        for label, name in (("Blend with these", "mm-blend"), ("Not like these", "mm-avoid"))
                    )
            with gr.Column(elem_classes="mm-main", min_width=0):
                self.taste = TasteBar(recommender)
                self._notice = gr.HTML("", apply_default_css=False, elem_id="mm-notice")
                self.results = gr.HTML(
                    self.welcome.page(), js_on_load=actions, apply_default_css=False, elem_id="mm-results"
                )

    def _query(
        self,
        photo: Image.Image | None,
        text: str,
        reference: str,
        taste: Taste,
        weight: float,
        count: int,
        low: float | None,
        high: float | None,
        variety: float,
        fold: bool,
        blend: list[Any] | None,
        avoid: list[Any] | None,
        *facets: list[str] | None,
    ) -> Query:
        """What the form asks; InputError for what cannot be asked."""
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
        return Query(
            image=photo,
            text=text.strip(),
            reference=reference if pictured else "",
            like=(reference,) if reference and not pictured else (),  # no picture to start from: its fused vector
            k=int(count),
            weight=float(weight),
            filters=tuple(rules),
            diversity=float(variety),
            fold=bool(fold),
            photos=pictures_of(blend),
            unlike_photos=pictures_of(avoid),
            taste=taste,
        )

    def _page(self, query: Query) -> str:
        """The results as HTML; InputError if there are none."""
        found = self._recommender.recommend(query)
        if not found:
            raise InputError("No product passes these filters. Take one away to see more.")
        best = round(100 * found[0].match)
        none = best < DOUBT or not any(r.close for r in found)
        doubt = "Nothing in this catalogue really matches. These are the nearest." if none else ""
        photos = (query.image is not None) + len(query.photos)
        start = query.reference or "".join(query.like)
        asked = [
            "" if not photos else "your photo" if photos == 1 else f"your {photos} photos",
            f"“{self._recommender.product(start).title}”" if start else "",
            f"“{query.text}”" if query.text else "",
        ]
        said = " and ".join(filter(None, asked)) or "your taste"
        amount = f"{len(found)} of {len(self._recommender.index.products):,} products"
        return cards.render(
            "results",
            heading=f"{amount} for {said}",
            doubt=doubt,
            items=cards.tiles(found, self._recommender, query.taste.likes),
            taste=bool(query.taste),
        )

    def _understood(self, query: Query) -> str:
        """What the sentence was taken for, as chips."""
        if not query.text:
            return ""
        reading = self._recommender.read(query)
        parts = [
            {"said": p.said, "kind": p.kind, "meaning": p.meaning, "without": reading.without(p)} for p in reading.parts
        ]
        return cards.render("understood", parts=parts, text=reading.text, notes=reading.notes)

    def listen(self, page: gr.Blocks, also_from: gr.HTML, tabs: gr.Tabs) -> None:
        """Wire the tab; `also_from` is the product dialog, whose "like" comes back here through `tabs`."""
        memory = self.taste.memory
        asked = [self._text, memory, self._weight, self._count, self._low, self._high, self._variety, self._fold,
                 self._blend, self._avoid, *self._facets]  # fmt: skip
        shown = [self.photo, self._reference, self.chosen, self._panel, self._notice, self.results, self.asked,
                 self.understood]  # fmt: skip

        def answer(
            photo: dict[str, Any] | Image.Image | None, reference: str, text: str, sent: Any, *rest: Any,
            shown_photo: Any = None, by_taste: bool = False,
        ) -> tuple[Any, ...]:  # fmt: skip
            """Values for `shown`; a fault becomes one sentence above the results that were there."""
            with one_version(self._recommender):
                return answer_now(photo, reference, text, sent, *rest, shown_photo=shown_photo, by_taste=by_taste)

        def answer_now(
            photo: dict[str, Any] | Image.Image | None, reference: str, text: str, sent: Any, *rest: Any,
            shown_photo: Any, by_taste: bool,
        ) -> tuple[Any, ...]:  # fmt: skip
            unchanged, same = (gr.skip(),) * 4, (gr.skip(),) * 3
            try:
                decoded = photo if isinstance(photo, Image.Image) else picture_of(photo)
            except InputError as error:
                return None, *unchanged[:3], _notice(error), *same
            try:
                weight, count, low, high, *others = rest
                low, high = low or None, high or None  # an empty number field may arrive as 0
                query = self._query(
                    decoded, text or "", reference, self.taste.read(sent), weight, count, low, high, *others
                )
                bare = replace(query, taste=Taste()).empty and not by_taste
                html = self.welcome.page() if bare else self._page(query)
                item = cards.tile(self._recommender.product(reference)) if reference else None
                chips = self._understood(query)
            except InputError as error:
                return *unchanged, _notice(error), *same
            except Exception:
                log.exception("a search failed")
                sorry = InputError(
                    "Something went wrong here, and it was not your query. The log of the server says more."
                )
                return *unchanged, _notice(sorry), *same
            photo_value = gr.skip() if shown_photo is None else shown_photo
            facets = others[4:]
            used = sum(value is not None and value != [] for value in (low, high, *facets))
            panel = gr.update(label=f"Filters ({used})" if used else "Filters")
            chosen = cards.render("reference", item=item)
            return photo_value, reference, chosen, panel, _notice(None), html, None if bare else query, chips

        def search(photo: dict[str, Any] | None, reference: str, *rest: Any) -> tuple[Any, ...]:
            return answer(photo, "" if photo else reference, *rest)

        def take(event: gr.EventData, photo: Any, reference: str, text: str, *rest: Any) -> tuple[Any, ...]:
            """One understood part is taken off the sentence."""
            left = str(event._data.get("text", ""))[:500]
            return *answer(photo, reference, left, *rest), left

        def like(event: gr.EventData, *values: Any) -> tuple[Any, ...]:
            return answer(None, str(event._data.get("id", "")), *values, shown_photo=gr.update(value=None))

        def like_from_dialog(event: gr.EventData, *values: Any) -> tuple[Any, ...]:
            return gr.Tabs(selected="discover"), *like(event, *values)

        def drop(*values: Any) -> tuple[Any, ...]:
            return answer(None, "", *values)

        def click(act: str) -> Callable[..., tuple[Any, ...]]:
            """A like or a dislike: the taste moves, and the answer with it."""

            def clicked(event: gr.EventData, photo: Any, reference: str, text: str, sent: Any, *rest: Any) -> Any:
                taste = changed(self.taste.read(sent), act, str(event._data.get("id", "")))
                # Without a query, likes and dislikes are given on the page of the taste, and stay there.
                made = answer(photo, reference, text, kept(taste), *rest, by_taste=act in STAY and bool(taste.likes))
                return *made, kept(taste), self.taste.draw(taste)

            return clicked

        def for_you(text: str, sent: Any, *rest: Any) -> tuple[Any, ...]:
            fresh = answer(None, "", "", sent, *rest, shown_photo=gr.update(value=None), by_taste=True)
            return *fresh, ""

        def attempt(event: gr.EventData, sent: Any, weight: float, count: int, variety: float, fold: bool) -> Any:
            start = self.welcome.start(str(event._data.get("number", "")))
            photo = None if start.image is None else imaging.decode(start.image, max_side=SIDE)
            rest = [weight, count, None, None, variety, fold, None, None, *(None for _ in self._facets)]
            made = answer(photo, start.reference, start.text, sent, *rest, shown_photo=gr.update(value=photo))
            return *made, start.text, None, None, None, None, *([] for _ in self._facets)

        def restart() -> tuple[Any, ...]:
            rest = [0.5, 12, None, None, 0.0, True, None, None, *(None for _ in self._facets)]
            made = answer(None, "", "", None, *rest, shown_photo=gr.update(value=None))
            return *made, 0.5, 0.0, "", None, None, None, None, *([] for _ in self._facets)

        whole = [self.photo, self._reference, *asked]

        def on(
            event: Callable[..., Any], fn: Callable[..., Any], inputs: list[Any], outputs: list[Any], js: str = ""
        ) -> None:
            done = event(fn, inputs, outputs, show_progress_on=self.results, **BUSY)
            if js:
                done.success(fn=None, js=js, api_visibility="private")

        # Events of one kind share one listener: two at once would race, and the older answer might come last.
        asking = [self._button.click, self._text.submit, self.photo.input]
        switches: list[Any] = [*self._facets, self._count, self._fold]
        narrowing = [*(f.input for f in switches),
                                *(e for f in (self._low, self._high) for e in (f.submit, f.blur)),
                                *(slider.release for slider in (self._weight, self._variety)),
                                *(e for f in (self._blend, self._avoid) for e in (f.upload, f.clear, f.delete)),
                                ]  # fmt: skip
        on(partial(gr.on, asking), search, whole, shown, DOWN)
        on(partial(gr.on, narrowing), search, whole, shown)
        on(self.understood.take, take, whole, [*shown, self._text])
        on(self.results.like, like, asked, shown, AGAIN)
        on(also_from.like, like_from_dialog, asked, [tabs, *shown], AGAIN)
        on(self.chosen.drop, drop, asked, shown)
        tasted = [*shown, memory, self.taste.bar]
        on(self.results.love, click("love"), whole, tasted)
        on(self.results.dismiss, click("dismiss"), whole, tasted)
        on(self.taste.bar.unlove, click("unlove"), whole, tasted)
        on(self.taste.bar.forget, click("forget"), whole, tasted)
        on(self.taste.bar.foryou, for_you, asked, [*shown, self._text], AGAIN)
        fields = [self._text, self._low, self._high, self._blend, self._avoid, *self._facets]
        settings = [memory, self._weight, self._count, self._variety, self._fold]
        on(self.results.attempt, attempt, settings, [*shown, *fields], DOWN)
        on(self._reset.click, restart, [], [*shown, self._weight, self._variety, *fields])
        page.load(lambda sent: self.taste.draw(self.taste.read(sent)), memory, self.taste.bar, **QUIET)


def pictures_of(files: list[Any] | None) -> tuple[Image.Image, ...]:
    """Uploaded files as pictures, at most MOST_PHOTOS of them."""
    return tuple(p for file in (files or [])[:MOST_PHOTOS] if (p := picture_of(file)) is not None)


def _notice(error: InputError | None) -> str:
    sentence = "" if error is None else str(error)
    return cards.render("notice", sentence=sentence[:1].upper() + sentence[1:])

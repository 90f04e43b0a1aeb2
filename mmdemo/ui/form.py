"""The left column of Discover: the controls that make a `SearchState`, and a `SearchState` put back into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from mmdemo.core.messages import N_
from mmdemo.search.recommender import Recommender
from mmdemo.serve.translation import named, noun, translate, word
from mmdemo.ui import theme
from mmdemo.ui.search_state import COUNTS, MOST_VARIETY, REQUEST, Photo, SearchState, columns

PHOTO_ONLY, WORDS_ONLY = N_("only the photo"), N_("only the words")
EMPTY = ""  # of a number field: Gradio shows 0 for None until the field is first changed
Updates = dict[Any, Any]  # component -> its new value; what is not named stays as it is


class Form:
    """The controls, placed where it is made."""

    def __init__(self, recommender: Recommender, camera: bool) -> None:
        self.columns = columns(recommender)
        self._values = {column: recommender.index.facets[column] for column in self.columns}
        self._place_question(camera)
        self._place_weight()
        with gr.Row(elem_id="mm-go"):
            self.button = gr.Button(translate("Search"), variant="primary", elem_id="mm-search", min_width=0, scale=3)
            self.reset = gr.Button(
                translate("Start again"), variant="secondary", elem_id="mm-reset", min_width=0, scale=2
            )
        with gr.Accordion(translate("Filters"), open=False, elem_id="mm-filters") as self._panel:
            self._place_facets()
            self._place_prices([item.price for item in recommender.index.products if item.price is not None])
            self._place_presentation()
        with gr.Accordion(translate("More photos"), open=False, elem_id="mm-more-photos"):
            self._blend, self._avoid = (
                gr.File(file_count="multiple", file_types=["image"], label=label, height=110, elem_id=name)
                for label, name in (
                    (translate("Blend with these"), "mm-blend"),
                    (translate("Not like these"), "mm-avoid"),
                )
            )
        self.inputs = [
            self.photo,
            self.text,
            self._weight,
            self._count,
            self._low,
            self._high,
            self._variety,
            self._fold,
            self._blend,
            self._avoid,
            *self._facets,
        ]
        self.outputs = [*self.inputs, self._panel]

    def _place_question(self, camera: bool) -> None:
        """The photo or the product that stands for one, the sentence, and what was understood of it."""
        actions = theme.asset("actions.js")
        self.photo = gr.Image(
            type="filepath",
            image_mode=None,
            label=translate("Photo"),
            sources=["upload", "clipboard", "webcam"] if camera else ["upload", "clipboard"],
            buttons=[],
            height=232,
            elem_id="mm-photo",
            placeholder=translate("Drop a photo here\nor click to choose one"),
            webcam_options=gr.WebcamOptions(mirror=False),
        )
        self.marks = gr.HTML(
            "", js_on_load=theme.asset("marks.js"), apply_default_css=False, elem_id="mm-marks", padding=False
        )
        self.chosen = gr.HTML("", js_on_load=actions, apply_default_css=False, elem_id="mm-reference")
        self.text = gr.Textbox(
            label=translate("In words"),
            placeholder=translate("What is it, or what should be different?"),
            lines=1,
            max_lines=1,
            elem_id="mm-text",
        )
        self.understood = gr.HTML("", js_on_load=actions, apply_default_css=False, elem_id="mm-understood")

    def _place_weight(self) -> None:
        """The slider between words and photo; the style sheet shows it, or its hint, by what the form holds."""
        with gr.Column(elem_id="mm-weight", min_width=0):
            self._weight = gr.Slider(
                REQUEST["weight"]["minimum"],
                REQUEST["weight"]["maximum"],
                value=SearchState.weight,
                step=0.05,
                label=translate("Which counts more?"),
                buttons=[],
            )
            gr.HTML(
                f"<p class='mm-ends'><span>{translate(WORDS_ONLY)}</span><span>{translate(PHOTO_ONLY)}</span></p>",
                apply_default_css=False,
            )
        gr.HTML(
            hint(translate("With a photo and words, a slider here weighs one against the other.")),
            apply_default_css=False,
            elem_id="mm-weight-hint",
        )

    def _place_facets(self) -> None:
        self._facets = [
            gr.Dropdown(
                choices(column, values),
                multiselect=True,
                label=named(column).capitalize(),
                elem_id=f"mm-filter-{place}",
            )
            for place, (column, values) in enumerate(self._values.items())
        ]
        if self._facets:
            gr.HTML(
                hint(translate("Numbers: {noun} near your search, or all of them before it.", noun=noun())),
                apply_default_css=False,
            )

    def _place_prices(self, prices: Sequence[float]) -> None:
        """The limits of the price, hidden where no product has one."""
        with gr.Row(visible=bool(prices), elem_id="mm-prices"):
            self._low, self._high = (
                gr.Number(
                    value=EMPTY,  # type: ignore[arg-type]
                    label=label,
                    placeholder=f"{limit(prices):.0f}" if prices else None,
                    minimum=0,
                    min_width=0,
                    elem_id=name,
                )
                for label, limit, name in (
                    (translate("Price from"), min, "mm-low"),
                    (translate("Price to"), max, "mm-high"),
                )
            )

    def _place_presentation(self) -> None:
        """How the answer is shown: its variety, its variants and its length."""
        self._variety = gr.Slider(
            REQUEST["diversity"]["minimum"],
            MOST_VARIETY,
            value=SearchState.variety,
            step=0.1,
            label=translate("Variety"),
            info=translate("0: the nearest; more: less alike"),
            buttons=[],
            elem_id="mm-variety",
        )
        self._fold = gr.Checkbox(True, label=translate("Variants of one thing on one card"), elem_id="mm-fold")
        self._count = gr.Radio(
            COUNTS, value=SearchState.count, label=translate("Number of results"), elem_id="mm-count"
        )

    def read(self, values: Sequence[Any], shown: SearchState) -> SearchState:
        """The search that the controls hold, `values` being those of `inputs`; what has no control stays as `shown`."""
        upload, text, weight, count, low, high, variety, fold, blend, avoid, *chosen = values
        photo = Photo.of(upload)
        search = SearchState(
            photo=photo,
            text=text or "",
            reference="" if photo else shown.reference,
            weight=float(weight),
            count=int(count),
            low=low or None,  # an empty number field may arrive as 0
            high=high or None,
            variety=float(variety),
            fold=bool(fold),
            order=shown.order,
            blend=tuple(filter(None, map(Photo.of, blend or ()))),
            avoid=tuple(filter(None, map(Photo.of, avoid or ()))),
            facets=tuple((c, tuple(values)) for c, values in zip(self.columns, chosen, strict=True) if values),
        )
        if search.photo == shown.photo:
            search = replace(search, box=shown.box, everything=shown.everything)
        # A kind that was chosen holds for what was asked then.
        if (search.photo, search.text, search.reference) == (shown.photo, shown.text, shown.reference):
            search = replace(search, kind=shown.kind)
        # What asks for the taste or the history alone ends with the first thing that is asked for.
        return replace(search, by_taste=shown.by_taste, history=shown.history) if search.empty else search

    def fill(self, search: SearchState) -> Updates:
        """The controls as this search has them."""
        chosen = dict(search.facets)
        return {
            self.photo: gr.update(value=search.photo.path if search.photo else None),
            self.text: search.text,
            self._weight: search.weight,
            self._count: search.count,
            self._low: EMPTY if search.low is None else search.low,
            self._high: EMPTY if search.high is None else search.high,
            self._variety: search.variety,
            self._fold: search.fold,
            self._blend: [photo.path for photo in search.blend] or None,
            self._avoid: [photo.path for photo in search.avoid] or None,
            **{
                box: gr.update(value=list(chosen.get(c, ()))) for c, box in zip(self.columns, self._facets, strict=True)
            },
            **self.answered(search),
        }

    def answered(self, search: SearchState) -> Updates:
        """The number on the filters' panel."""
        label = translate("Filters ({n})", n=search.narrowed) if search.narrowed else translate("Filters")
        return {self._panel: gr.update(label=label)}

    def counted(self, counts: Mapping[str, Mapping[str, int]]) -> Updates:
        """The filters with these counts; those of the whole catalogue for a column that has none."""
        return {
            box: gr.update(choices=choices(column, counts.get(column, self._values[column])))
            for column, box in zip(self.columns, self._facets, strict=True)
        }

    @property
    def asking(self) -> list[Callable[..., Any]]:
        """Events by which one asks."""
        return [self.button.click, self.text.submit, self.photo.input]

    @property
    def narrowing(self) -> list[Callable[..., Any]]:
        """Events by which one changes what was asked."""
        switches: list[Any] = [*self._facets, self._count, self._fold]
        return [
            *(control.input for control in switches),
            *(event for field in (self._low, self._high) for event in (field.submit, field.blur)),
            *(slider.release for slider in (self._weight, self._variety)),
            *(event for box in (self._blend, self._avoid) for event in (box.upload, box.clear, box.delete)),
        ]


def choices(column: str, counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """The values of a filter, each with its count; none of the nearest products has one without."""
    labels = {value: word(column, value) for value in counts}
    return [(f"{labels[value]}  ({count})" if count else labels[value], value) for value, count in counts.items()]


def hint(sentence: str) -> str:
    """A sentence of ours below a control, as HTML."""
    return f"<p class='mm-hint'>{sentence}</p>"


def merged(*updates: Updates) -> Updates:
    """Several updates as one: of two for the same component, properties of both, the later one's where they differ."""
    whole: Updates = {}
    for update in updates:
        for component, value in update.items():
            before = whole.get(component)
            both = isinstance(before, dict) and isinstance(value, dict) and "__type__" in value
            whole[component] = {**before, **value} if both else value  # type: ignore[dict-item]
    return whole

"""The left column of Discover: the controls that make a `Search`, and a `Search` put back into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from mmdemo.recommender import Recommender
from mmdemo.say import named, noun, say, word
from mmdemo.ui import theme
from mmdemo.ui.search import COUNTS, MOST_VARIETY, Photo, Search, columns

Updates = dict[Any, Any]  # component -> its new value; what is not named stays as it is


class Form:
    """The controls, placed where it is made."""

    def __init__(self, recommender: Recommender, camera: bool) -> None:
        index = recommender.index
        self.columns = columns(recommender)
        self._values = {column: index.facets[column] for column in self.columns}
        priced = [item.price for item in index.products if item.price is not None]
        actions = theme.asset("actions.js")
        self.photo = gr.Image(
            type="filepath",
            image_mode=None,
            label=say("Photo"),
            sources=["upload", "clipboard", "webcam"] if camera else ["upload", "clipboard"],
            buttons=[],
            height=232,
            elem_id="mm-photo",
            placeholder=say("Drop a photo here\nor click to choose one"),
            webcam_options=gr.WebcamOptions(mirror=False),
        )
        self.chosen = gr.HTML("", js_on_load=actions, apply_default_css=False, elem_id="mm-reference")
        self.text = gr.Textbox(
            label=say("In words"),
            placeholder=say("What is it, or what should be different?"),
            lines=1,
            max_lines=1,
            max_length=500,
            elem_id="mm-text",
        )
        self.understood = gr.HTML("", js_on_load=actions, apply_default_css=False, elem_id="mm-understood")
        with gr.Column(elem_id="mm-weight", min_width=0):
            self._weight = gr.Slider(0, 1, value=0.5, step=0.05, label=say("Which counts more?"), buttons=[])
            gr.HTML(
                f"<p class='mm-ends'><span>{say('only the words')}</span><span>{say('only the photo')}</span></p>",
                apply_default_css=False,
            )
        gr.HTML(
            hint(say("With a photo and words, a slider here weighs one against the other.")),
            apply_default_css=False,
            elem_id="mm-weight-hint",
        )
        with gr.Row(elem_id="mm-go"):
            self.button = gr.Button(say("Search"), variant="primary", elem_id="mm-search", min_width=0, scale=3)
            self.reset = gr.Button(say("Start again"), variant="secondary", elem_id="mm-reset", min_width=0, scale=2)
        with gr.Accordion(say("Filters"), open=False, elem_id="mm-filters") as self._panel:
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
                    hint(say("Numbers: {noun} near your search, or all of them before it.", noun=noun())),
                    apply_default_css=False,
                )
            with gr.Row(visible=bool(priced), elem_id="mm-prices"):
                self._low, self._high = (
                    gr.Number(
                        label=label,
                        placeholder=f"{limit(priced):.0f}" if priced else None,
                        minimum=0,
                        min_width=0,
                        elem_id=name,
                    )
                    for label, limit, name in ((say("Price from"), min, "mm-low"), (say("Price to"), max, "mm-high"))
                )
            self._variety = gr.Slider(
                0, MOST_VARIETY, value=0, step=0.1, label=say("Variety"),
                info=say("0: the nearest; more: less alike"),
                buttons=[], elem_id="mm-variety",
            )  # fmt: skip
            self._fold = gr.Checkbox(True, label=say("Variants of one thing on one card"), elem_id="mm-fold")
            self._count = gr.Radio(COUNTS, value=12, label=say("Number of results"), elem_id="mm-count")
        with gr.Accordion(say("More photos"), open=False, elem_id="mm-more-photos"):
            self._blend, self._avoid = (
                gr.File(file_count="multiple", file_types=["image"], label=label, height=110, elem_id=name)
                for label, name in ((say("Blend with these"), "mm-blend"), (say("Not like these"), "mm-avoid"))
            )
        self.inputs = [self.photo, self.text, self._weight, self._count, self._low, self._high, self._variety,
                       self._fold, self._blend, self._avoid, *self._facets]  # fmt: skip
        self.outputs = [*self.inputs, self._panel]

    def read(self, values: Sequence[Any], shown: Search) -> Search:
        """The search that the controls hold, `values` being those of `inputs`; what has no control stays as `shown`."""
        photo, text, weight, count, low, high, variety, fold, blend, avoid, *chosen = values
        own = Photo.of(photo)
        search = Search(
            photo=own,
            text=text or "",
            reference="" if own else shown.reference,
            weight=float(weight),
            count=int(count),
            low=low or None,  # an empty number field may arrive as 0
            high=high or None,
            variety=float(variety),
            fold=bool(fold),
            order=shown.order,
            blend=tuple(filter(None, map(Photo.of, blend or ()))),
            avoid=tuple(filter(None, map(Photo.of, avoid or ()))),
            facets=tuple((c, tuple(some)) for c, some in zip(self.columns, chosen, strict=True) if some),
        )
        # What asks for the taste alone ends with the first thing that is asked for.
        return replace(search, by_taste=True) if shown.by_taste and search.empty else search

    def fill(self, search: Search) -> Updates:
        """The controls as this search has them."""
        chosen = dict(search.facets)
        return {
            self.photo: gr.update(value=search.photo.path if search.photo else None),
            self.text: search.text,
            self._weight: search.weight,
            self._count: search.count,
            self._low: search.low,
            self._high: search.high,
            self._variety: search.variety,
            self._fold: search.fold,
            self._blend: [photo.path for photo in search.blend] or None,
            self._avoid: [photo.path for photo in search.avoid] or None,
            **{
                box: gr.update(value=list(chosen.get(c, ()))) for c, box in zip(self.columns, self._facets, strict=True)
            },
            **self.answered(search),
        }

    def answered(self, search: Search) -> Updates:
        """The number on the filters' panel."""
        label = say("Filters ({n})", n=search.narrowed) if search.narrowed else say("Filters")
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
    shown = {value: word(column, value) for value in counts}
    return [(f"{shown[value]}  ({count})" if count else shown[value], value) for value, count in counts.items()]


def hint(sentence: str) -> str:
    """A sentence of ours below a control, as HTML."""
    return f"<p class='mm-hint'>{sentence}</p>"


def merged(*updates: Updates) -> Updates:
    """Several updates as one: of two for the same component, properties of both, the later one's where they differ."""
    whole: Updates = {}
    for some in updates:
        for component, value in some.items():
            before = whole.get(component)
            both = isinstance(before, dict) and isinstance(value, dict) and "__type__" in value
            whole[component] = {**before, **value} if both else value  # type: ignore[dict-item]
    return whole

"""The Discover tab: a search is answered by results that say why they are there, and can be gone back to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from mmdemo.errors import InputError
from mmdemo.feedback import Taste
from mmdemo.live import one_version
from mmdemo.recommender import Recommender
from mmdemo.say import later, say
from mmdemo.ui import answer, cards, theme, trail, uploads
from mmdemo.ui.asked import picture_of
from mmdemo.ui.compare import Compare
from mmdemo.ui.form import Form, Updates, merged
from mmdemo.ui.search import ORDERS, Photo, Search, from_link
from mmdemo.ui.taste import TasteBar, changed, kept
from mmdemo.ui.trail import Visit
from mmdemo.ui.welcome import Welcome

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# Gradio's own preprocessing would open the picture with whatever Pillow knows, before a line of ours ran; without it,
# what arrives is the uploaded file's record, and `mmdemo.imaging` alone decodes it.
# An event that comes while another still runs is neither dropped nor sent later with that one's data (as Gradio's
# `always_last` does): each is answered by whoever has the visit's turn. Where an event is its controls' values and no
# more, the last one is enough.
BUSY: dict[str, Any] = {
    "show_progress": "minimal",
    "api_visibility": "private",
    "preprocess": False,
    "trigger_mode": "multiple",
    "concurrency_id": "search",
}

# On a phone the results lie below what was asked.
DOWN = """() => { if (window.innerWidth < 900)
    document.getElementById("mm-results").scrollIntoView({behavior: "smooth"}); }"""
AGAIN = """() => { const results = document.getElementById("mm-results"), way = {behavior: "smooth"};
    window.innerWidth < 900 ? results.scrollIntoView(way) : window.scrollTo({top: 0, ...way}); }"""

SORRY = later("Something went wrong here, and it was not your query. The log of the server says more.")

log = logging.getLogger(__name__)


class Discover:
    """The tab's components; `listen` wires them."""

    def __init__(self, recommender: Recommender, camera: bool = True) -> None:
        self._recommender = recommender
        self.welcome = Welcome(recommender)
        self.asked = gr.State(None)  # the query behind the results that are shown
        self._visit = gr.State(Visit())
        actions = theme.asset("actions.js")
        with gr.Row(elem_id="mm-discover"):
            with gr.Column(elem_id="mm-query", elem_classes="mm-side", min_width=0):
                self._form = Form(recommender, camera)
                self.chosen = self._form.chosen
            with gr.Column(elem_classes="mm-main", min_width=0):
                self.taste = TasteBar(recommender)
                self._crumbs = gr.HTML("", js_on_load=actions, apply_default_css=False, elem_id="mm-trail")
                self._notice = gr.HTML("", apply_default_css=False, elem_id="mm-notice")
                self.results = gr.HTML(
                    self.welcome.page(), js_on_load=actions, apply_default_css=False, elem_id="mm-results"
                )
        self._compare = Compare(recommender)

    def _answer(self, search: Search, taste: Taste, visit: Visit, fill: bool = True) -> Updates:
        """What the page shows for this search; a fault becomes one sentence above the results that were there.

        With `fill` the controls are set to the search too; without, they are where it comes from.
        """
        if not taste.likes:
            search = replace(search, by_taste=False)
        try:
            try:
                picture_of(search.photo.path if search.photo else None)
            except InputError as error:
                return {self._form.photo: gr.update(value=None), self._notice: _notice(str(error))}
            with one_version(self._recommender):
                query = search.query(self._recommender, taste)
                if search.empty:
                    html = self.welcome.page(answer.narrowed_to(self._recommender, search), search.link())
                    counts: dict[str, dict[str, int]] = {}
                else:
                    html, counts = answer.page(self._recommender, search, query)
                way = visit.trail.to(search)
                product = self._recommender.product(search.reference) if search.reference else None
                shown: Updates = {
                    self.chosen: cards.render("reference", item=cards.tile(product) if product else None),
                    self._form.understood: answer.understood(self._recommender, query),
                    self._notice: _notice(""),
                    self.results: html,
                    self.asked: None if search.empty else query,
                    self._crumbs: trail.draw(way, self._recommender),
                }
        except InputError as error:
            return {self._notice: _notice(str(error))}
        visit.trail, visit.shown = way, search
        controls = self._form.fill(search) if fill else self._form.answered(search)
        return merged(shown, controls, self._form.counted(counts))

    def listen(self, page: gr.Blocks, also_from: gr.HTML, tabs: gr.Tabs) -> None:
        """Wire the tab; `also_from` is the product dialog, whose "like" comes back here through `tabs`."""
        memory, form = self.taste.memory, self._form
        inputs = [memory, self._visit, *form.inputs]
        outputs = [*form.outputs, self.chosen, form.understood, self._notice, self.results, self.asked, self._crumbs,
                   memory, self.taste.bar, tabs]  # fmt: skip

        def tasted(sent: Any, visit: Visit) -> Taste:
            return self.taste.read(visit.taste(sent))

        Change = Callable[[Search, dict[str, Any]], Search | None]

        def changes(change: Change, fill: bool = True, again: bool = True) -> Callable[..., Any]:
            """A handler: the search that the form holds, changed by what was clicked, is answered.

            Not `again`: what is shown already stays. A field that is left tells its value a second time, and that
            answer might come after the one to the click that left it.
            """

            def handler(event: gr.EventData, sent: Any, visit: Visit, *values: Any) -> Any:
                data = event._data if isinstance(event._data, dict) else {}
                # Another order is one of what is shown, and changes no control: what is clicked at the same time counts
                # too, whichever of the two is answered first.
                sort = data.get("do") == "sort"
                search = change(visit.shown if sort else form.read(values, visit.shown), data)
                if search is None:
                    return gr.skip()
                if search == visit.shown and not again:
                    return {self._notice: _notice("")}  # what was said of a value in between is mended
                return self._answer(search, tasted(sent, visit), visit, fill and not sort)

            return handler

        def clicks(act: str) -> Callable[..., Any]:
            """A like or a dislike: the taste moves, and the answer with it."""

            def handler(event: gr.EventData, sent: Any, visit: Visit, *values: Any) -> Updates:
                taste = changed(tasted(sent, visit), act, str(event._data.get("id", "")))
                made = self._answer(form.read(values, visit.shown), taste, visit, fill=False)
                visit.clicked(kept(taste))
                return {**made, memory: kept(taste), self.taste.bar: self.taste.draw(taste)}

            return handler

        def from_dialog(event: gr.EventData, *values: Any) -> Updates:
            return {**liked(event, *values), tabs: gr.Tabs(selected="discover")}

        def opened(request: gr.Request, sent: Any, visit: Visit, *values: Any) -> Any:
            """The address may name a search."""
            taste = tasted(sent, visit)
            drawn: Updates = {self.taste.bar: self.taste.draw(taste)}
            with one_version(self._recommender):
                search, notes = from_link(dict(request.query_params), self._recommender)
            if search == Search() and not notes:
                return drawn
            made = self._answer(search, taste, visit)
            if notes and self.results in made:
                made[self._notice] = _notice(" ".join(notes))
            return {**made, **drawn}

        def safe(fn: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(fn)
            def handler(*args: Any) -> Any:
                try:
                    with next(arg for arg in args if isinstance(arg, Visit)).turn:
                        return fn(*args)
                except Exception:
                    log.exception("a search failed")
                    return {self._notice: _notice(say(SORRY))}

            return handler

        def on(event: Callable[..., Any], fn: Callable[..., Any], js: str = "", **other: Any) -> None:
            done = event(safe(fn), inputs, outputs, **{"show_progress_on": self.results, **BUSY, **other})
            if js:
                done.success(fn=None, js=js, api_visibility="private")

        liked = changes(lambda now, data: replace(now, photo=None, reference=str(data.get("id", "")), by_taste=False))
        on(partial(gr.on, form.asking), changes(lambda now, _: now, fill=False), DOWN, trigger_mode="always_last")
        on(partial(gr.on, form.narrowing), changes(lambda now, _: now, fill=False, again=False),
           trigger_mode="always_last")  # fmt: skip
        on(self.results.like, liked, AGAIN)
        on(also_from.like, from_dialog, AGAIN)
        on(self.chosen.drop, changes(lambda now, _: replace(now, reference="")))
        for component, act in ((self.results, "love"), (self.results, "dismiss"), (self.taste.bar, "unlove"),
                               (self.taste.bar, "forget")):  # fmt: skip
            on(getattr(component, act), clicks(act))
        on(self.taste.bar.foryou, changes(lambda now, _: now.anew(facets=now.facets, low=now.low, high=now.high,
                                                                  by_taste=True)), AGAIN)  # fmt: skip
        on(form.understood.take, changes(_reworded))
        on(self.results.adjust, changes(_adjusted))
        on(self.results.attempt, changes(self._started), DOWN)
        on(form.reset.click, changes(lambda now, _: Search()))

        def back(event: gr.EventData, sent: Any, visit: Visit, *values: Any) -> Any:
            step = visit.trail.step(event._data.get("step"))
            return gr.skip() if step is None else self._answer(step, tasted(sent, visit), visit)

        on(self._crumbs.back, back)
        on(page.load, opened, show_progress="hidden")  # the first page stays in sight until a link is answered
        self._compare.listen(self.asked)

    def _started(self, now: Search, data: dict[str, Any]) -> Search:
        """The query to begin with that was clicked."""
        start = self.welcome.start(str(data.get("number", "")))
        photo = None if start.image is None else Photo.of(uploads.place(start.image, Path(get_upload_folder())))
        return now.anew(photo=photo, text=start.text, reference=start.reference)


def _reworded(now: Search, data: dict[str, Any]) -> Search:
    return replace(now, text=str(data.get("text", ""))[:500])


def _adjusted(now: Search, data: dict[str, Any]) -> Search | None:
    """The search after a click among the results: without a condition, in other words, or in another order."""
    act = data.get("do")
    if act == "without":
        return now.without(str(data.get("column", "")), str(data.get("op", "")))
    if act == "take":
        return _reworded(now, data)
    if act == "say":
        return now.anew(text=str(data.get("text", ""))[:500])
    order = str(data.get("value", ""))
    return replace(now, order=order) if act == "sort" and order in ORDERS else None


def _notice(sentence: str) -> str:
    return cards.render("notice", sentence=sentence[:1].upper() + sentence[1:])

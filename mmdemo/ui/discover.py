"""The Discover tab: a search is answered by results that say why they are there, and can be gone back to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import gradio as gr
from gradio.utils import get_upload_folder

from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_
from mmdemo.core.request import MAX_CLICKS, Sort, Taste
from mmdemo.evaluate.click_log import ClickLog
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender
from mmdemo.search.refine import refine
from mmdemo.serve import uploads
from mmdemo.serve.arguments import MOST_PHOTOS, picture_of
from mmdemo.serve.translation import translate
from mmdemo.ui import answer, cards, theme, trail
from mmdemo.ui.compare import Compare
from mmdemo.ui.for_you import ForYou
from mmdemo.ui.form import Form, Updates, merged
from mmdemo.ui.search_state import LONGEST, ORDERS, Photo, SearchState, box_of, from_link
from mmdemo.ui.taste import TasteBar, changed, kept
from mmdemo.ui.trail import Visit
from mmdemo.ui.welcome import Welcome

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# Gradio's own preprocessing would open the picture with whatever Pillow knows, before a line of ours ran; without it,
# what arrives is the uploaded file's record, and `mmdemo.catalog.imaging` alone decodes it.
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
# The page is there: where its address named no search that can be shown, the first page stands there again.
OPENED = """() => { document.querySelector(".mm-awaited")?.classList.remove("mm-awaited");
    document.dispatchEvent(new Event("mm-opened")); }"""

SORRY = N_("Something went wrong here, and it was not your query. The log of the server says more.")

logger = logging.getLogger(__name__)

Change = Callable[[SearchState, dict[str, Any]], SearchState | None]  # by the data of a click; None: nothing to answer


class DiscoverTab:
    """The tab's components; `listen` wires them."""

    def __init__(self, live: Live, camera: bool = True, log: ClickLog | None = None) -> None:
        self._live, self._log = live, log
        recommender = live.current()
        self.welcome = Welcome(recommender)
        self.asked = gr.State(None)  # the query behind the results that are shown
        self._visit = gr.State(Visit())
        actions = theme.asset("actions.js")
        with gr.Row(elem_id="mm-discover"):
            with gr.Column(elem_id="mm-query", elem_classes="mm-side", min_width=0):
                self._form = Form(recommender, camera)
                self.chosen = self._form.chosen
            with gr.Column(elem_classes="mm-main", min_width=0):
                self.taste = TasteBar(recommender.index)
                self._crumbs = gr.HTML("", js_on_load=actions, apply_default_css=False, elem_id="mm-trail")
                self.for_you = ForYou(live)
                self._notice = gr.HTML("", apply_default_css=False, elem_id="mm-notice")
                self.results = gr.HTML(
                    self.welcome.page(recommender), js_on_load=actions, apply_default_css=False, elem_id="mm-results"
                )
        self._compare = Compare(live)

    def _answer(
        self, recommender: Recommender, search: SearchState, taste: Taste, visit: Visit, fill: bool = True
    ) -> Updates:
        """What the page shows for this search; a fault becomes one sentence above the results that were there.

        With `fill` the controls are set to the search too; without, they are where it comes from.
        """
        if not taste.likes:
            search = replace(search, by_taste=False)
        note = ""
        if search != search.limited:
            search, fill = search.limited, True
            note = translate("At most {n} photos are used: these are the first {n}.", n=MOST_PHOTOS)
        try:
            try:
                picture_of(search.photo.path if search.photo else None)
            except InputError as error:
                return {self._form.photo: gr.update(value=None), self._notice: _notice(translate(error))}
            query = search.query(recommender, taste)
            for photo in search.photos:
                uploads.keep(photo.path, photo.key, Path(get_upload_folder()))
            way = visit.trail.to(search)
            if search.empty:
                html = self.welcome.page(recommender, answer.narrowed_to(recommender, search), search.link())
                counts: dict[str, dict[str, int]] = {}
            else:
                prepared = recommender.prepare(query)
                before = way.at - 1 if way.at > 0 else None
                html, counts = answer.page(recommender, search, prepared, self._log, before)
            product = recommender.product(search.reference) if search.reference else None
            shown: Updates = {
                self.chosen: cards.render("reference", item=cards.tile(product) if product else None),
                self._form.marks: answer.marks(recommender, query, search.everything),
                self._form.understood: "" if search.empty else answer.understood(recommender, prepared),
                self._notice: _notice(note),
                self.results: html,
                self.asked: None if search.empty else query,
                self._crumbs: trail.draw(way, recommender),
            }
        except InputError as error:
            return {self._notice: _notice(translate(error))}
        visit.trail, visit.shown = way, search
        controls = self._form.fill(search) if fill else self._form.answered(search)
        return merged(shown, controls, self._form.counted(counts))

    def listen(self, page: gr.Blocks, also_from: gr.HTML, tabs: gr.Tabs) -> None:
        """Wire the tab; `also_from` is the product dialog, whose "like" comes back here through `tabs`."""
        form, bar = self._form, self.taste.bar
        self._inputs = [self.taste.memory, self._visit, *form.inputs]
        self._outputs = [
            *form.outputs,
            self.chosen,
            form.marks,
            form.understood,
            self._notice,
            self.results,
            self.asked,
            self._crumbs,
            self.taste.memory,
            bar,
            tabs,
        ]
        like = self._changes(_like)

        def like_from_dialog(event: gr.EventData, *values: Any) -> Updates:
            return {**like(event, *values), tabs: gr.Tabs(selected="discover")}

        on, changes, clicks = self._on, self._changes, self._clicks
        on(partial(gr.on, form.asking), changes(_same, fill=False), DOWN, trigger_mode="always_last")
        on(partial(gr.on, form.narrowing), changes(_same, fill=False, again=False), trigger_mode="always_last")
        on(self.results.like, like, AGAIN)
        on(also_from.like, like_from_dialog, AGAIN)
        on(self.chosen.drop, changes(lambda now, _: replace(now, reference="")))
        on(self.results.love, clicks("love"))
        on(self.results.dismiss, clicks("dismiss"))
        on(bar.unlove, clicks("unlove"))
        on(bar.forget, clicks("forget"))
        on(bar.foryou, changes(_by_taste), AGAIN)
        if self.for_you.offered:
            on(self.for_you.row.foryou, changes(_by_history), AGAIN)
        on(form.marks.look, changes(_looking_at), DOWN)
        on(form.marks.everything, changes(lambda now, _: replace(now, box=None, everything=bool(now.photo))), DOWN)
        on(form.understood.take, changes(_reworded))
        on(form.understood.adjust, changes(_adjusted))
        on(self.results.adjust, changes(self._adjusted))
        on(self.results.back, self._go_back)
        on(self.results.attempt, changes(self._started), DOWN)
        on(form.reset.click, changes(lambda now, _: SearchState()))
        on(self._crumbs.back, self._go_back)
        on(page.load, self._opened, OPENED, show_progress="hidden")  # the first page stays until a link is answered
        on(self.results.revisit, self._revisited)
        self._compare.listen(self.asked)
        if self._log is not None:
            for clicked in (self.results.show, self.results.love, self.results.like):
                clicked(self._logged, None, None, queue=False, **QUIET)

    def _on(self, event: Callable[..., Any], handler: Callable[..., Any], js: str = "", **settings: Any) -> None:
        """Let a handler answer an event, and run `js` in the browser once it has."""
        answered = event(
            self._in_turn(handler),
            self._inputs,
            self._outputs,
            **{"show_progress_on": self.results, **BUSY, **settings},
        )
        if js:
            answered.success(fn=None, js=js, api_visibility="private")

    def _in_turn(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """The handler, run while no other event of the visit is answered; a fault of ours becomes a sentence."""

        @wraps(handler)
        def in_turn(*args: Any) -> Any:
            try:
                with next(arg for arg in args if isinstance(arg, Visit)).turn:
                    return handler(*args)
            except Exception:
                logger.exception("a search failed")
                return {self._notice: _notice(translate(SORRY))}

        return in_turn

    def _changes(self, change: Change, fill: bool = True, again: bool = True) -> Callable[..., Any]:
        """A handler: the search that the form holds, changed by what was clicked, is answered.

        Without `again` a search that is shown already is not answered anew: a field that loses the focus sends its
        value a second time, and that answer might come after the one to the click that took the focus.
        """

        def handler(event: gr.EventData, sent: Any, visit: Visit, *values: Any) -> Any:
            recommender = self._live.current()
            data = event._data if isinstance(event._data, dict) else {}
            # Another order is one of what is shown, and changes no control: what is clicked at the same time counts
            # too, whichever of the two is answered first.
            sort = data.get("do") == "sort"
            try:
                search = change(visit.shown if sort else self._form.read(values, visit.shown), data)
            except InputError as error:
                return {self._notice: _notice(translate(error))}
            if search is None:
                return gr.skip()
            if search == visit.shown and not again:
                return {self._notice: _notice("")}  # a notice about a value in between no longer holds
            return self._answer(recommender, search, self._taste(recommender, sent, visit), visit, fill and not sort)

        return handler

    def _clicks(self, act: str) -> Callable[..., Any]:
        """A handler of likes and dislikes: the taste moves, and the answer with it."""

        def handler(event: gr.EventData, sent: Any, visit: Visit, *values: Any) -> Updates:
            recommender = self._live.current()
            taste = changed(self._taste(recommender, sent, visit), act, str(event._data.get("id", "")))
            updates = self._answer(recommender, self._form.read(values, visit.shown), taste, visit, fill=False)
            visit.clicked(kept(taste))
            return {
                **updates,
                self.taste.memory: kept(taste),
                self.taste.bar: self.taste.draw(taste, recommender),
            }

        return handler

    def _logged(self, event: gr.EventData) -> None:
        """A product among the results was opened, liked or started from."""
        if self._log is not None:
            self._log.clicked(str(event._data.get("answer", "")), str(event._data.get("id", "")))

    def _opened(self, request: gr.Request, sent: Any, visit: Visit, *values: Any) -> Any:
        """The page is opened; its address may name a search."""
        recommender = self._live.current()
        taste = self._taste(recommender, sent, visit)
        taste_bar: Updates = {self.taste.bar: self.taste.draw(taste, recommender)}
        search, notes = from_link(dict(request.query_params), recommender, self._photo_of)
        if search == SearchState() and not notes:
            return taste_bar
        return {**self._answer_noting(recommender, search, taste, visit, notes), **taste_bar}

    def _revisited(self, event: gr.EventData, sent: Any, visit: Visit, *values: Any) -> Any:
        """The browser went back or forth to an address of the page."""
        recommender = self._live.current()
        params = dict(parse_qsl(str(event._data.get("link", "")).removeprefix("?")))
        search, notes = from_link(params, recommender, self._photo_of)
        return self._answer_noting(recommender, search, self._taste(recommender, sent, visit), visit, notes)

    def _answer_noting(
        self, recommender: Recommender, search: SearchState, taste: Taste, visit: Visit, notes: list[str]
    ) -> Updates:
        updates = self._answer(recommender, search, taste, visit)
        if notes and self.results in updates:
            updates[self._notice] = _notice(" ".join(notes))
        return updates

    def _photo_of(self, key: str) -> Photo | None:
        """The photo that a link calls by this key: one that is kept, or one that the first page offers."""
        folder = Path(get_upload_folder())
        kept = Photo.of(uploads.find(key, folder))
        return kept or next((photo for photo in self._own_photos() if photo.key == key), None)

    def _own_photos(self) -> Iterator[Photo]:
        for picture in self.welcome.pictures.values():
            if photo := Photo.of(uploads.place(picture, Path(get_upload_folder()))):
                yield photo

    def _go_back(self, event: gr.EventData, sent: Any, visit: Visit, *values: Any) -> Any:
        """A step of the trail is shown again."""
        recommender = self._live.current()
        step = visit.trail.step(event._data.get("step"))
        if step is None:
            return gr.skip()
        return self._answer(recommender, step, self._taste(recommender, sent, visit), visit)

    def _taste(self, recommender: Recommender, sent: Any, visit: Visit) -> Taste:
        """The visitor's taste: what the browser sent, or what it was told since."""
        return self.taste.read(visit.taste(sent), recommender.index)

    def _adjusted(self, now: SearchState, data: dict[str, Any]) -> SearchState | None:
        """The search after a click among the results, or after words that change it."""
        if data.get("do") != "refine":
            return _adjusted(now, data)
        recommender = self._live.current()
        shown = data.get("shown")
        ids = [i for i in shown if isinstance(i, str)] if isinstance(shown, list) else []
        query = now.query(recommender, Taste())
        return now.refined(query, refine(recommender, query, str(data.get("text", "")), ids))

    def _started(self, now: SearchState, data: dict[str, Any]) -> SearchState:
        """The query to begin with that was clicked."""
        start = self.welcome.start(str(data.get("number", "")))
        photo = Photo.of(uploads.place(start.image, Path(get_upload_folder()))) if start.image else None
        return now.anew(photo=photo, text=start.text, reference=start.reference)


def _same(now: SearchState, data: dict[str, Any]) -> SearchState:
    return now


def _like(now: SearchState, data: dict[str, Any]) -> SearchState:
    """More like the product that was clicked."""
    return replace(now, photo=None, reference=str(data.get("id", "")), by_taste=False, history=())


def _by_taste(now: SearchState, data: dict[str, Any]) -> SearchState:
    """What the visitor likes, without a query."""
    return now.anew(facets=now.facets, low=now.low, high=now.high, by_taste=True)


def _by_history(now: SearchState, data: dict[str, Any]) -> SearchState:
    """What people go on to from the products that were opened."""
    history = tuple(i for i in str(data.get("history", "")).split("|") if i)
    return now.anew(facets=now.facets, low=now.low, high=now.high, history=history[-MAX_CLICKS:])


def _looking_at(now: SearchState, data: dict[str, Any]) -> SearchState | None:
    """The search by another part of the photo."""
    box = box_of(str(data.get("box", "")))
    return replace(now, box=box, kind="", everything=False) if now.photo and box else None


def _reworded(now: SearchState, data: dict[str, Any]) -> SearchState:
    return replace(now, text=str(data.get("text", ""))[:LONGEST], kind="")


def _adjusted(now: SearchState, data: dict[str, Any]) -> SearchState | None:
    """The search after a click among the results: without a condition, in other words, or in another order."""
    act = data.get("do")
    if act == "without":
        return now.without(str(data.get("column", "")), str(data.get("op", "")))
    if act == "take":
        return _reworded(now, data)
    if act == "kind":
        return replace(now, kind=str(data.get("kind", ""))[:LONGEST])
    if act == "new":
        return SearchState()
    if act == "box":
        return _looking_at(now, data)
    if act == "say":
        return now.anew(text=str(data.get("text", ""))[:LONGEST])
    order = str(data.get("value", ""))
    return replace(now, order=cast(Sort, order)) if act == "sort" and order in ORDERS else None


def _notice(sentence: str) -> str:
    return cards.render("notice", sentence=sentence[:1].upper() + sentence[1:])

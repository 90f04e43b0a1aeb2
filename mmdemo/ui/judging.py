"""A page, or a part of the Quality tab, where a judge grades answers by key, not knowing which ranker gave them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable

import gradio as gr

from mmdemo.catalog.product import Product
from mmdemo.core.errors import InputError
from mmdemo.evaluate.judgements import (
    LETTERS,
    Item,
    JudgementFile,
    JudgingSession,
    judgements_beside,
    ranked_answers,
)
from mmdemo.search.live import Live
from mmdemo.serve import gradio_patches
from mmdemo.serve.translation import translate
from mmdemo.ui import cards, theme


class JudgingPanel:
    """The Quality tab's switch that opens judging in the page; `listen` wires it.

    One session serves every visitor, as one judge; its grades are kept beside the index.
    """

    def __init__(self, live: Live) -> None:
        self._live, self._lock = live, threading.Lock()
        self._session: JudgingSession | None = None
        self.switch = gr.Checkbox(label=translate("Judge answers"), container=False, elem_id="mm-judge-switch")
        self.answer = _answer("")

    def listen(self) -> None:
        """Open judging while the switch is on; when it is turned off, say how far the grades agree with the rule."""

        def turned(on: bool) -> str:
            try:
                session = self._current()
            except InputError as e:
                return cards.render("judge", answer=None, problem=translate(e))
            return _shown(session) if on else cards.render("judge", answer=None, problem="", **_progress(session))

        self.switch.change(turned, self.switch, self.answer, api_visibility="private", show_progress="minimal")
        _grades(self.answer, self._current)

    def _current(self) -> JudgingSession:
        """The session over the live version of the index; drawing and ranking its sentences takes seconds."""
        recommender = self._live.current()
        with self._lock:
            if self._session is None or self._session.index is not recommender.index:
                q, matrices = ranked_answers(recommender.index, recommender.encoder)
                file = JudgementFile(judgements_beside(recommender.index))
                self._session = JudgingSession(recommender.index, q, matrices, file, "page")
            return self._session


def judging_page(session: JudgingSession) -> gr.Blocks:
    """The page; every grade is on disk before the next answer is shown."""
    with gr.Blocks(title=translate("Judging"), analytics_enabled=False) as page:
        answer = _answer(_shown(session))
        _grades(answer, lambda: session)
        page.load(lambda: _shown(session), None, answer, queue=False, show_progress="hidden", api_visibility="private")
    return page


def _answer(shown: str) -> gr.HTML:
    return gr.HTML(shown, js_on_load=theme.asset("judge.js"), apply_default_css=False, elem_id="mm-judge")


def _grades(answer: gr.HTML, current: Callable[[], JudgingSession]) -> None:
    """Keep what is pressed, and show the next answer."""

    def graded(event: gr.EventData) -> str:
        session = current()
        item = session.next
        letter = str(event._data.get("grade", "")).upper()
        # The page names what it shows, so that a key pressed twice does not grade the next answer unseen.
        if item is not None and letter in LETTERS and str(event._data.get("item", "")) == _name(item):
            session.grade(item, letter)
        return _shown(session)

    answer.grade(graded, None, answer, queue=False, show_progress="hidden", api_visibility="private")


def serve_judging(session: JudgingSession, host: str, port: int) -> None:
    """Serve the page until interrupted; its address is printed once it answers."""
    page = judging_page(session)
    with gradio_patches.unvisited():
        look = theme.look() | {"footer_links": []}
        page.launch(server_name=host, server_port=port, **look, share=False, quiet=True, prevent_thread_lock=True)
    print(f"judge at http://{host}:{port}; Ctrl+C ends, and what is graded is kept", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        page.close(verbose=False)
    agreement = session.agreement()
    print(f"{session.done} of {len(session.items)} answers are graded, {agreement}")


def _name(item: Item) -> str:
    return f"{item.query}-{item.product}"


def _shown(session: JudgingSession) -> str:
    item = session.next
    answer = None
    if item is not None:
        shows = session.q.shows[item.query]
        answer = {
            "name": _name(item),
            "text": session.q.said[item.query],
            "shown": _picture(session, session.index.products[session.index.row(shows)]) if shows else None,
            "product": _picture(session, session.index.products[item.product]),
        }
    return cards.render("judge", answer=answer, problem="", **_progress(session))


def _progress(session: JudgingSession) -> dict[str, object]:
    return {"done": session.done, "count": len(session.items), "agreement": session.agreement()}


def _picture(session: JudgingSession, product: Product) -> dict[str, object]:
    """A product without its picture's address: the page has no other routes."""
    thumbnail = session.index.thumbnail(product.id)
    data = base64.b64encode(thumbnail).decode() if thumbnail else ""
    card = cards.tile(product)
    return {"title": card["title"], "price": card["price"], "data": f"data:image/webp;base64,{data}" if data else ""}

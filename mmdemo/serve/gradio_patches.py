"""Everything that changes Gradio or rewrites what it sends, each with the reason.

All of it was made for Gradio 6.31.0; tests/test_gradio_patches.py fails for a version that no longer needs a patch.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary, ref

import gradio as gr
import gradio.blocks
import orjson
import uvicorn.config
from gradio.queueing import Queue
from gradio.server_messages import ProcessCompletedMessage
from gradio.state_holder import SessionState
from starlette.responses import Response
from starlette.types import Message, Send

from mmdemo.core.messages import Words
from mmdemo.core.paths import HOME
from mmdemo.serve import connections
from mmdemo.serve.translation import speaking, translate

MADE_FOR = "6.31.0"
UNFETCHED, UNFETCHED_BYTES, UNFETCHED_SECONDS = 1000, 64 << 20, 600.0  # answers that wait for whoever asked


def sessions_without_settings() -> None:
    """Sessions that keep their values alone.

    Gradio writes the settings of every component down for each new session, and programs begin one with each call; only
    its deep links, which this app has none of, ever read them. It was most of what a call cost beside its answer.
    """
    begun = SessionState.__init__

    def begin(self: SessionState, blocks: Any) -> None:
        begun(self, SimpleNamespace(default_config=blocks.default_config, blocks={}))  # type: ignore[arg-type]

    SessionState.__init__ = begin  # type: ignore[method-assign]
    SessionState._update_config = SessionState._update_value_in_config = _nothing  # type: ignore[method-assign]


def answers_for_a_while() -> None:
    """Answers that nobody fetches are forgotten: the oldest first, by number, by bytes and after some minutes.

    Gradio keeps each for as long as the server runs, or until 2,000 other sessions have asked for something. It also
    sums up the last ten thousand calls after each one, for a page that the gate serves to nobody.
    """
    send = Queue.send_message

    def sending(self: Queue, event: Any, event_message: Any) -> None:
        if event.session_hash not in self.pending_messages_per_session:  # forgotten meanwhile
            return
        send(self, event, event_message)
        if isinstance(event_message, ProcessCompletedMessage):
            waiting = _unfetched.setdefault(self, Unfetched(self))
            waiting.add(event, len(orjson.dumps(event_message.output, default=str)))

    Queue.send_message = sending  # type: ignore[method-assign]
    Queue.compute_analytics_summary = _nothing  # type: ignore[method-assign]


class Unfetched:
    """The answers of one page's queue that wait for whoever asked, the oldest first."""

    def __init__(self, queue: Queue) -> None:
        self.queue = ref(queue)
        self._held: dict[str, tuple[str, int, float]] = {}  # by event: its session, bytes and time

    def add(self, event: Any, size: int, now: float | None = None) -> None:
        """One more answer waits; those that are too old or too many are forgotten with their sessions."""
        queue, now = self.queue(), time.monotonic() if now is None else now
        assert queue is not None
        asked = queue.pending_event_ids_session
        if not event.alive:  # nobody waits for it any more
            asked.get(event.session_hash, set()).discard(event._id)
            return
        self._held[event._id] = event.session_hash, size, now
        self._held = {id: held for id, held in self._held.items() if id in asked.get(held[0], ())}
        while self._held and (
            len(self._held) > UNFETCHED
            or sum(size for _, size, _ in self._held.values()) > UNFETCHED_BYTES
            or now - next(iter(self._held.values()))[2] > UNFETCHED_SECONDS
        ):
            forgotten = next(iter(self._held.values()))[0]
            queue.pending_messages_per_session.pop(forgotten, None)
            asked.pop(forgotten, None)
            self._held = {id: held for id, held in self._held.items() if held[0] != forgotten}


_unfetched: WeakKeyDictionary[Queue, Unfetched] = WeakKeyDictionary()


@contextmanager
def no_server_yet() -> Iterator[None]:
    """A context in which pages are made without the server that Gradio makes for each of their stages.

    Whatever serves the page makes another one, so those were thrown away: three of four.
    """
    with patch.object(gradio.blocks, "App", SimpleNamespace(create_app=_nothing)):
        yield


@contextmanager
def unvisited() -> Iterator[None]:
    """A context in which Gradio starts without a visit of its own.

    It refuses to start where its own page does not answer it within three seconds, as on a busy machine.
    """
    with patch.object(gradio.blocks.networking, "url_ok", lambda url: True):
        yield


@contextmanager
def bounded_connections() -> Iterator[None]:
    """A context in which Gradio starts a server whose connections are `Connection`s; it takes no class for them."""
    connections.Connection.most = connections.most()
    ours = f"{connections.__name__}:{connections.Connection.__name__}"
    with patch.dict(uvicorn.config.HTTP_PROTOCOLS, auto=ours):
        yield


def missing_words() -> gr.I18n:
    """What Gradio has no Chinese for: it would tell a screen reader the name of the text."""
    with speaking("zh"):
        return gr.I18n(**{"zh-CN": {"common.complete": translate("Complete")}})


def in_language(html: str, lang: str, chinese: str) -> str:
    """A page that says its language, where Gradio calls every page English.

    Gradio's own words follow the browser; a script makes them follow the page. `chinese` is the address of the Chinese
    page, to which the script leads a browser that speaks Chinese, or an empty string.
    """
    html = html.replace('lang="en"', f'lang="{lang}"', 1)
    return html.replace("<head>", f'<head><script data-zh="{chinese}">{_first_scripts()}</script>', 1)


@cache
def _first_scripts() -> str:
    return "\n".join((HOME / "assets" / "ui" / f"{name}.js").read_text("utf-8") for name in ("language", "address"))


def with_plain_busy(send: Send, busy: Response) -> Send:
    """Send `busy` where the queue is full: Gradio's own sentence speaks of the size of its queue."""
    full = False

    async def sending(message: Message) -> None:
        nonlocal full
        if message["type"] == "http.response.start" and message["status"] == 503:
            full = True
            await send({"type": "http.response.start", "status": 503, "headers": busy.raw_headers})
            await send({"type": "http.response.body", "body": busy.body})
        elif not full:
            await send(message)

    return sending


def speak(page: gr.Blocks, language: str, words: Callable[[], Words]) -> None:
    """Run every handler of a finished page in this language, which Gradio does not hand to them.

    `words` gives those of the catalogue as it is now. What programs call stays English.
    """
    for block_function in page.fns.values():
        if block_function.fn is not None:
            of_page = block_function.api_visibility != "public"
            spoken = (language, words) if of_page else ("en", dict)
            block_function.fn = _speaking(block_function.fn, *spoken)


def _speaking(fn: Callable[..., Any], language: str, words: Callable[[], Words]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(fn):

        @wraps(fn)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with speaking(language, words()):
                return await fn(*args, **kwargs)

        return awaited
    # A generator would say its words after this language has ended.
    assert not inspect.isgeneratorfunction(fn) and not inspect.isasyncgenfunction(fn), fn

    @wraps(fn)
    def handler(*args: Any, **kwargs: Any) -> Any:
        with speaking(language, words()):
            return fn(*args, **kwargs)

    return handler


def _nothing(*args: Any, **kwargs: Any) -> None:
    pass

"""Gradio without what it does for every visitor, or several times over, and this app has no use for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import gradio.blocks
from gradio.state_holder import SessionState


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


def _nothing(*args: Any, **kwargs: Any) -> None:
    pass

"""The language of a page: whatever its handlers say is said in it. What programs call stays English."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import gradio as gr

from mmdemo.say import Words, speaking


def speak(page: gr.Blocks, language: str, words: Callable[[], Words]) -> None:
    """Let every handler of a finished page speak this language; `words` gives those of the catalogue as it is now."""
    for made in page.fns.values():
        if made.fn is not None:
            of_page = made.api_visibility != "public"
            made.fn = _speaking(made.fn, language, words) if of_page else _speaking(made.fn, "en", dict)


def _speaking(fn: Callable[..., Any], language: str, words: Callable[[], Words]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(fn):

        @wraps(fn)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with speaking(language, words()):
                return await fn(*args, **kwargs)

        return awaited
    # A generator would say its words later, when nobody listens to this language any more.
    assert not inspect.isgeneratorfunction(fn) and not inspect.isasyncgenfunction(fn), fn

    @wraps(fn)
    def handler(*args: Any, **kwargs: Any) -> Any:
        with speaking(language, words()):
            return fn(*args, **kwargs)

    return handler

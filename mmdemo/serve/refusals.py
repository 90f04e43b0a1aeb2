"""How a request that goes no further is answered: people by a page with a way back, programs by JSON."""

from __future__ import annotations

import html
from functools import cache
from string import Template

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from mmdemo.core.paths import HOME
from mmdemo.serve.translation import language, translate


def refusal(status: int, sentence: str, **headers: str) -> JSONResponse:
    """A refusal for a program: the sentence where Gradio's page looks for it, and where a program does."""
    return JSONResponse({"detail": sentence, "error": sentence}, status, headers=_named(headers))


def answer(scope: Scope, status: int, sentence: str, **headers: str) -> Response:
    """A refusal for whoever made this request: a page where a browser opens an address, else JSON."""
    if scope["method"] != "GET" or "text/html" not in Headers(scope=scope).get("accept", ""):
        return refusal(status, sentence, **headers)
    home, back = ("/zh/" if language() == "zh" else "/"), translate("To the first page")
    page = _page().substitute(lang=language(), sentence=html.escape(sentence), home=home, back=html.escape(back))
    return HTMLResponse(page, status, headers=_named(headers))


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@cache
def _page() -> Template:
    return Template((HOME / "assets" / "ui" / "refused.html").read_text("utf-8"))

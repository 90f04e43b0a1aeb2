"""The same functions in one request: POST /api/NAME, their arguments as a JSON object, answered with JSON.

Gradio's own API takes two requests and a queue for each call, which for words alone costs more than the answer.
"""

from __future__ import annotations

import inspect
import json
import logging
from functools import partial
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from mmdemo.core.errors import InputError
from mmdemo.encode.batching import Busy
from mmdemo.serve.api import AT_ONCE, Endpoint
from mmdemo.serve.refusals import refusal
from mmdemo.serve.translation import speaking

ADDRESS = "/api"
log = logging.getLogger(__name__)


def routes(functions: dict[str, Endpoint]) -> list[Route]:
    """A route for each function. A fault of the input is its sentence, as `error`, with status 400."""
    limit = anyio.CapacityLimiter(AT_ONCE)

    def route(name: str, fn: Endpoint) -> Route:
        async def call(request: Request) -> JSONResponse:
            try:
                work = partial(_english, fn, _arguments(name, fn, await request.body()))
                return JSONResponse(await anyio.to_thread.run_sync(work, limiter=limit))
            except Busy as error:
                return refusal(503, str(error), Retry_After="3")
            except InputError as error:
                return refusal(400, str(error))
            except Exception:
                log.exception("a call failed")
                return refusal(500, "something went wrong here, and it was not the question")

        return Route(f"{ADDRESS}/{name}", call, methods=["POST"])

    return [route(name, fn) for name, fn in functions.items()]


def _english(fn: Endpoint, given: dict[str, Any]) -> dict[str, Any]:
    """Programs are answered in English, below /zh too."""
    with speaking("en"):
        return fn(**given)


def _arguments(name: str, fn: Endpoint, body: bytes) -> dict[str, Any]:
    """The arguments that a body gives by name; InputError for others, or where one is missing."""
    given = json.loads(body or b"{}")  # the gate lets nothing else in
    known = inspect.signature(fn).parameters
    needed = [p.name for p in known.values() if p.default is p.empty]
    if not isinstance(given, dict) or set(given) - set(known) or set(needed) - set(given):
        takes = ", ".join(f"{n} (needed)" if n in needed else n for n in known) or "nothing"
        found = ", ".join(given)[:200] or "nothing" if isinstance(given, dict) else "no object"
        raise InputError("{name} takes a JSON object of {takes}; found {found}", name=name, takes=takes, found=found)
    return given

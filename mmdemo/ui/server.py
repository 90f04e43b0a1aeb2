"""The server of the pages: its port, the gate in front of it, its start and its orderly end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.routing import Route

from mmdemo.core import upload_folder
from mmdemo.core.errors import InputError
from mmdemo.encode.export import export_apart
from mmdemo.evaluate.click_log import ClickLog
from mmdemo.search.live import Live
from mmdemo.serve import api, gate, gradio_patches, uploads
from mmdemo.serve import mcp as tools
from mmdemo.serve.drafts import LARGEST, Drafts
from mmdemo.serve.site import ICON, Pages, Site
from mmdemo.ui import theme
from mmdemo.ui.page import build

FIRST_PORT = 7860
QUEUED = 24  # queries that may wait; the next one is told to try again, which is better than a wait of a minute
SESSIONS = 1000  # visitors whose state is kept for each page
GRACE = 8.0  # seconds in which a stopping server finishes what it has begun


@dataclass(frozen=True)
class ServeOptions:
    """How the pages are served.

    Attributes
    ----------
    public
        For visitors who are strangers: calls are counted for each of them, no camera is offered and no catalogue is
        taken.
    password
        What visitors are asked for, "" for nothing.
    mcp
        Agents are served too.
    log
        A file for what the opened catalogue's pages show and what is clicked there.
    fetch_images
        Pictures that visitors' catalogues have as web addresses are fetched.
    share_catalogues
        Catalogues that visitors built are shown to everybody, not to their visitor alone.
    """

    public: bool = False
    password: str = ""
    mcp: bool = False
    log: Path | None = None
    fetch_images: bool = False
    share_catalogues: bool = False


def serve(index: Path, host: str, port: int | None, options: ServeOptions = ServeOptions()) -> None:
    """Open an index and serve its pages until interrupted or terminated; their address is printed once they answer.

    Raises InputError for no index, a port that is taken, or a log that is none of this catalogue.
    """
    public, mcp = options.public, options.mcp
    gradio_patches.sessions_without_settings()
    gradio_patches.answers_for_a_while()
    live = Live.open(index)
    port = free_port(host, port)
    rules = _rules(host, public, options.password, mcp)
    functions = api.endpoints(live)
    clicks = None if options.log is None else ClickLog(options.log, live.current().index.manifest)
    drafts = None if public else Drafts.beside(live.current().index, options.fetch_images)
    site = Site(
        live,
        lambda other, name, lang: _queued(
            *build(other, public, None, lang, site, name, clicks if other is live else None)
        ),
        drafts,
        look=theme.look(),
        shared=options.share_catalogues,
    )
    page, routes = _queued(*build(live, public, functions, site=site, log=clicks))
    lifespan = None
    if mcp:
        agents, lifespan = tools.serve(live)
        routes += agents
    _share_heaps()
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
    _launch(page, routes, lifespan, site, rules, port)
    sweeping = uploads.sweep_often(rules.uploads)
    _announce(host, port, mcp)
    threading.Thread(target=export_apart, args=(live.current().encoder,), daemon=True).start()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            stop.wait()
    finally:
        sweeping.set()
        if drafts is not None:
            drafts.close()
        _end([page, *site.blocks], rules)
    upload_folder.remove(rules.uploads)
    print("mmdemo has ended", flush=True)
    os._exit(0)  # the interpreter takes a large program's modules down one by one, which may take many seconds


def free_port(host: str, wanted: int | None) -> int:
    """The wanted port, or the first free one from 7860 on; InputError if the wanted one is taken."""
    for port in [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + 100):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue
    if wanted is not None:
        raise InputError(
            "port {wanted} on {host} cannot be used; choose another, or leave --port out to have one chosen",
            wanted=wanted,
            host=host,
        )
    raise InputError(
        "no port from {first_port} to {last_port} is free on {host}; name one with --port",
        first_port=FIRST_PORT,
        last_port=FIRST_PORT + 99,
        host=host,
    )


def _rules(host: str, public: bool, password: str, mcp: bool) -> gate.Rules:
    return gate.Rules(
        host=host,
        uploads=Path(get_upload_folder()).resolve(),
        arrived=uploads.draw_anew,
        public=public,
        password=password,
        calls=gate.Bucket(rate=1.0, burst=30) if public else None,
        tools=mcp,
        catalogue=0 if public else LARGEST,
        bodies_at_once=gate.BODIES_AT_ONCE if public else gate.Rules.bodies_at_once,
    )


def _queued(page: gr.Blocks, routes: list[Route]) -> tuple[gr.Blocks, list[Route]]:
    page.state_session_capacity = SESSIONS
    with gradio_patches.no_server_yet():
        return page.queue(default_concurrency_limit=api.AT_ONCE, max_size=QUEUED, api_open=False), routes


def _launch(
    page: gr.Blocks,
    routes: list[Route],
    lifespan: Callable[[Any], Any] | None,
    site: Site,
    rules: gate.Rules,
    port: int,
) -> None:
    """Start the server in a thread of its own, the gate in front of everything."""
    with gradio_patches.unvisited(), gradio_patches.bounded_connections():
        page.launch(
            server_name=rules.host,
            server_port=port,
            **site.look,
            favicon_path=ICON,
            app_kwargs={
                "routes": routes,
                "middleware": [Middleware(gate.Gate, rules=rules), Middleware(Pages, site=site)],
                "lifespan": lifespan,
            },
            share=False,
            state_session_capacity=SESSIONS,
            mcp_server=False,  # mmdemo.serve.mcp serves agents
            quiet=True,
            prevent_thread_lock=True,
        )


def _announce(host: str, port: int, mcp: bool) -> None:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    print(f"mmdemo is ready at {address}", flush=True)
    if mcp:
        print(f"agents connect by MCP at {address}{tools.ADDRESS}/", flush=True)


def _share_heaps() -> None:
    """Two heaps for all threads: with one for each thread, as the C library has it, a busy server grows for hours."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(-8, 2)  # M_ARENA_MAX; glibc alone has it


def _end(pages: list[gr.Blocks], rules: gate.Rules) -> None:
    """Take no new work, finish what has begun, and stop; all of it within `GRACE` seconds."""
    rules.stopping = True
    until = time.monotonic() + GRACE / 2
    while time.monotonic() < until and (
        rules.working or any(len(page._queue) or any(page._queue.active_jobs) for page in pages)
    ):
        time.sleep(0.05)
    time.sleep(0.3)  # for the last answers to reach their readers
    first = pages[0]
    first.server.config.timeout_graceful_shutdown = 1  # pages left open hold streams that would never end
    first.close(verbose=False)
    first.server.thread.join(GRACE / 2)

"""The page: header, tabs, the product dialog, and the way it is served. The only package that imports Gradio."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import threading
import time
from pathlib import Path

from mmdemo.ui import uploads

# Before Gradio is imported, which reads these once: no word to anybody, and a folder for uploads that we clean up.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_TEMP_DIR"] = str(uploads.make_folder())

import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import Route

from mmdemo.errors import InputError
from mmdemo.recommender import Recommender
from mmdemo.ui import api, browse, cards, discover, gate, product, theme

FIRST_PORT = 7860
QUEUED = 24  # queries that may wait; the next one is told to try again, which is better than to wait a minute
GRACE = 8.0  # seconds that a stopping server gives to what it has begun


def build(recommender: Recommender, public: bool = False) -> tuple[gr.Blocks, list[Route]]:
    """The whole page with its API over one open index, and the routes that serve its pictures."""
    with gr.Blocks(title="mmdemo", fill_width=True, analytics_enabled=False) as page:
        manifest = recommender.index.manifest
        gr.HTML(
            cards.render(
                "header",
                catalogue=cards.catalogue_name(manifest),
                count=len(recommender.index.products),
                encoder=cards.encoder_name(manifest),
            ),
            js_on_load=theme.asset("header.js"),
            apply_default_css=False,
            elem_id="mm-header",
        )
        dialog = product.Dialog(recommender)
        with gr.Tabs(selected="discover", elem_id="mm-tabs") as tabs:
            with gr.Tab("Discover", id="discover"):
                found = discover.Discover(recommender, camera=not public)
            with gr.Tab("Browse", id="browse"):
                shelf = browse.Browse(recommender)
        dialog.render()
        dialog.opens_from(found.results, found.asked)
        dialog.opens_from(dialog.box, found.asked)
        for component in (found.chosen, shelf.grid):
            dialog.opens_from(component)
        found.listen(page, also_from=dialog.box, tabs=tabs)
        shelf.listen(page)
        gr.HTML(cards.render("footer"), apply_default_css=False, elem_id="mm-footer")
        api.publish(recommender)
    return page, cards.routes(recommender, found.welcome.pictures)


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
            f"port {wanted} on {host} cannot be used; choose another, or leave --port out to have one chosen"
        )
    raise InputError(f"no port from {FIRST_PORT} to {FIRST_PORT + 99} is free on {host}; name one with --port")


def serve(recommender: Recommender, host: str, port: int | None, *, public: bool = False, password: str = "") -> None:
    """Serve the page until interrupted or terminated; the address is printed once it answers.

    `public` is for strangers: calls are counted for each of them, and neither camera nor tools for agents are offered.
    """
    port = free_port(host, port)
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    rules = gate.Rules(
        host=host,
        uploads=folder,
        arrived=uploads.draw_anew,
        public=public,
        password=password,
        calls=gate.Bucket(rate=1.0, burst=30) if public else None,
    )
    page, routes = build(recommender, public)
    page.queue(default_concurrency_limit=api.AT_ONCE, max_size=QUEUED, api_open=False)
    _share_heaps()
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
    page.launch(
        server_name=host,
        server_port=port,
        theme=theme.theme(),
        css=theme.asset("style.css"),
        favicon_path=theme.ASSETS / "favicon.png",
        app_kwargs={"routes": routes, "middleware": [Middleware(gate.Gate, rules=rules)]},
        footer_links=["api"],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        show_error=True,
        share=False,
        state_session_capacity=1000,
        max_file_size="20mb",
        mcp_server=rules.tools,  # the same functions as tools for agents
        quiet=True,
        prevent_thread_lock=True,
    )
    sweeping = uploads.sweep_often(folder)
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    print(f"mmdemo is ready at http://{f'[{shown}]' if ':' in shown else shown}:{port}", flush=True)
    try:
        stop.wait()
    finally:
        sweeping.set()
        _end(page, rules)
    # Taking a large program's modules down one by one may last longer than whoever asked is willing to wait.
    uploads.remove(folder)
    print("mmdemo has ended", flush=True)
    os._exit(0)


def _share_heaps() -> None:
    """Two heaps for all threads: with one each, as the C library has it, a busy server grows for hours."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(-8, 2)  # M_ARENA_MAX; glibc alone has it


def _end(page: gr.Blocks, rules: gate.Rules) -> None:
    """Take no new work, finish what has begun, and go; all of it within `GRACE` seconds."""
    rules.stopping = True
    until = time.monotonic() + GRACE / 2
    while time.monotonic() < until and (len(page._queue) or any(page._queue.active_jobs)):
        time.sleep(0.05)
    time.sleep(0.3)  # for the last answers to reach their readers
    page.server.config.timeout_graceful_shutdown = 1  # pages left open hold streams that would never end
    page.close(verbose=False)
    page.server.thread.join(GRACE / 2)

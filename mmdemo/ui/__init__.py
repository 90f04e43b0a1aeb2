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

from mmdemo.drafts import LARGEST, Drafts
from mmdemo.errors import InputError
from mmdemo.recommender import Recommender
from mmdemo.say import Words, say, speaking
from mmdemo.ui import (
    api,
    browse,
    cards,
    discover,
    gate,
    lean,
    map,
    pipeline,
    product,
    quality,
    rest,
    theme,
    tools,
    yours,
)
from mmdemo.ui.site import LANGUAGES, LOOK, Pages, Site
from mmdemo.ui.speech import speak
from mmdemo.wordbook import spoken

FIRST_PORT = 7860
QUEUED = 24  # queries that may wait; the next one is told to try again, which is better than to wait a minute
SESSIONS = 1000  # visitors whose state is kept for each page
GRACE = 8.0  # seconds that a stopping server gives to what it has begun

lean.sessions_without_settings()


def build(
    recommender: Recommender, public: bool = False, functions: dict[str, api.Endpoint] | None = None,
    lang: str = LANGUAGES[0], site: Site | None = None, name: str = "",
) -> tuple[gr.Blocks, list[Route]]:  # fmt: skip
    """The whole page with its API over one open index, and the routes that serve its pictures.

    `site` is what the page is one of, under the name of its catalogue.
    """
    site = site or Site(recommender, alone=True)
    name = name or site.home

    def words() -> Words:
        return spoken(recommender.index.manifest, lang)

    with (
        speaking(lang, words()),
        lean.no_server_yet(),
        gr.Blocks(title="mmdemo", fill_width=True, analytics_enabled=False) as page,
    ):
        header = gr.HTML(
            site.header(name, lang),
            js_on_load=theme.asset("header.js"),
            apply_default_css=False,
            elem_id="mm-header",
        )
        page.load(lambda: site.header(name, lang), None, header, **browse.QUIET)
        dialog = product.Dialog(recommender)
        with gr.Tabs(selected="discover", elem_id="mm-tabs") as tabs:
            with gr.Tab(say("Discover"), id="discover"):
                found = discover.Discover(recommender, camera=not public)
            with gr.Tab(say("Browse"), id="browse"):
                shelf = browse.Browse(recommender)
            with gr.Tab(say("Map"), id="map") as tab:
                plane = map.MapTab(recommender)
                plane.listen(found.asked, tab)
                page.load(plane.prepare, **browse.QUIET)
            with gr.Tab(say("How it works"), id="how") as tab:
                steps = pipeline.Pipeline(recommender, found.welcome.example)
                steps.listen(found.asked, tab)
            with gr.Tab(say("Quality"), id="quality") as tab:
                measured = quality.Quality(recommender)
                measured.listen(tab)
            own = None
            if site.drafts is not None:
                with gr.Tab(say("Your catalogue"), id="yours"):
                    own = yours.Yours(site.drafts, lambda other: site.link(name, lang, other, lang))
        dialog.render()
        dialog.opens_from(found.results, found.asked)
        dialog.opens_from(dialog.box, found.asked)
        dialog.opens_from(plane.box, found.asked)
        dialog.opens_from(steps.page, found.asked)
        for component in (found.chosen, shelf.grid, measured.page):
            dialog.opens_from(component)
        found.listen(page, also_from=dialog.box, tabs=tabs)
        shelf.listen(page)
        if own is not None:
            own.listen(header, lambda: site.header(name, lang))
        gr.HTML(cards.render("footer"), apply_default_css=False, elem_id="mm-footer")
        functions = functions or api.endpoints(recommender)
        api.publish(functions)
    speak(page, lang, words)
    routes = cards.routes(recommender, found.welcome.pictures) + rest.routes(functions)
    return page, routes + (yours.routes(site.drafts) if site.drafts is not None else [])


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


def serve(
    recommender: Recommender, host: str, port: int | None, *, public: bool = False, password: str = "",
    mcp: bool = False,
) -> None:  # fmt: skip
    """Serve the page until interrupted or terminated; the address is printed once it answers.

    `public` is for strangers: calls are counted for each of them, and no camera is offered. `mcp` serves agents too.
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
        tools=mcp,
        catalogue=0 if public else LARGEST,
    )
    functions = api.endpoints(recommender)
    drafts = None if public else Drafts.beside(recommender.index)
    site = Site(recommender, lambda other, name, lang: _queued(*build(other, public, None, lang, site, name)), drafts)
    page, routes = _queued(*build(recommender, public, functions, site=site))
    lifespan = None
    if mcp:
        agents, lifespan = tools.serve(recommender, functions)
        routes += agents
    _share_heaps()
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with lean.unvisited():
        page.launch(
            server_name=host,
            server_port=port,
            **LOOK,
            favicon_path=theme.ASSETS / "favicon.png",
            app_kwargs={
                "routes": routes,
                "middleware": [Middleware(gate.Gate, rules=rules), Middleware(Pages, site=site)],
                "lifespan": lifespan,
            },
            share=False,
            state_session_capacity=SESSIONS,
            mcp_server=False,  # mmdemo.ui.tools serves agents
            quiet=True,
            prevent_thread_lock=True,
        )
    sweeping = uploads.sweep_often(folder)
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    print(f"mmdemo is ready at {address}", flush=True)
    if mcp:
        print(f"agents connect by MCP at {address}{tools.ADDRESS}/", flush=True)
    try:
        stop.wait()
    finally:
        sweeping.set()
        if drafts is not None:
            drafts.close()
        _end([page, *site.blocks], rules)
    # Taking a large program's modules down one by one may last longer than whoever asked is willing to wait.
    uploads.remove(folder)
    print("mmdemo has ended", flush=True)
    os._exit(0)


def _share_heaps() -> None:
    """Two heaps for all threads: with one each, as the C library has it, a busy server grows for hours."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(-8, 2)  # M_ARENA_MAX; glibc alone has it


def _queued(page: gr.Blocks, routes: list[Route]) -> tuple[gr.Blocks, list[Route]]:
    page.state_session_capacity = SESSIONS
    with lean.no_server_yet():
        return page.queue(default_concurrency_limit=api.AT_ONCE, max_size=QUEUED, api_open=False), routes


def _end(pages: list[gr.Blocks], rules: gate.Rules) -> None:
    """Take no new work, finish what has begun, and go; all of it within `GRACE` seconds."""
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

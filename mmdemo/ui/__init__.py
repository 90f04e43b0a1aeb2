"""The page: header, tabs, the product dialog, and the way it is served. The only package that imports Gradio."""

from __future__ import annotations

import os
import socket

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before Gradio is imported: it reads this once

import gradio as gr
from starlette.routing import Route

from mmdemo.errors import InputError
from mmdemo.recommender import Recommender
from mmdemo.ui import api, browse, cards, discover, product, theme

FIRST_PORT = 7860
DAY = 24 * 60 * 60


def build(recommender: Recommender) -> tuple[gr.Blocks, list[Route]]:
    """The whole page with its API over one open index, and the routes that serve its pictures."""
    with gr.Blocks(title="mmdemo", fill_width=True, analytics_enabled=False, delete_cache=(3600, DAY)) as page:
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
                found = discover.Discover(recommender)
            with gr.Tab("Browse", id="browse"):
                shelf = browse.Browse(recommender)
        dialog.render()
        for component in (found.results, found.chosen, shelf.grid, dialog.box):
            dialog.opens_from(component)
        found.listen(also_from=dialog.box, tabs=tabs)
        shelf.listen(page)
        gr.HTML(cards.render("footer"), apply_default_css=False, elem_id="mm-footer")
        api.publish(recommender)
    return page, cards.routes(recommender, found.start_pictures)


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


def serve(recommender: Recommender, host: str, port: int | None) -> None:
    """Serve the page until interrupted; the address is printed once it answers."""
    port = free_port(host, port)
    page, routes = build(recommender)
    page.queue(default_concurrency_limit=4, max_size=64)
    page.launch(
        server_name=host,
        server_port=port,
        theme=theme.theme(),
        css=theme.asset("style.css"),
        favicon_path=theme.ASSETS / "favicon.png",
        app_kwargs={"routes": routes},
        footer_links=["api"],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        show_error=True,
        max_file_size="20mb",
        mcp_server=True,  # the same functions as tools for agents
        quiet=True,
        prevent_thread_lock=True,
    )
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    print(f"mmdemo is ready at http://{f'[{shown}]' if ':' in shown else shown}:{port}", flush=True)
    page.block_thread()

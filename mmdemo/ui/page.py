"""The page: header, tabs and the product dialog over one open index, with its API and the routes of its pictures.

Knows nothing of how it is served.
"""

from __future__ import annotations

import gradio as gr
from starlette.routing import Route

from mmdemo.catalog.translations import spoken
from mmdemo.core.messages import Words
from mmdemo.evaluate.click_log import ClickLog
from mmdemo.search.live import Live
from mmdemo.serve import api, gradio_patches, pictures, rest
from mmdemo.serve.site import LANGUAGES, Site
from mmdemo.serve.translation import speaking, translate
from mmdemo.ui import cards, theme, your_catalogue
from mmdemo.ui.browse import QUIET, BrowseTab
from mmdemo.ui.discover import DiscoverTab
from mmdemo.ui.how_it_works import HowItWorksTab
from mmdemo.ui.map import MapTab
from mmdemo.ui.product_dialog import ProductDialog
from mmdemo.ui.quality import QualityTab
from mmdemo.ui.search_state import LONGEST


def build(
    live: Live,
    public: bool = False,
    functions: dict[str, api.Endpoint] | None = None,
    lang: str = LANGUAGES[0],
    site: Site | None = None,
    name: str = "",
    log: ClickLog | None = None,
) -> tuple[gr.Blocks, list[Route]]:
    """The whole page with its API over one open index, and the routes that serve its pictures.

    `site` is what the page is one of, under the name of its catalogue; `log` is told what is shown and clicked.
    """
    site = site or Site(live, alone=True)
    name = name or site.home

    def words() -> Words:
        manifest = live.current().index.manifest
        return spoken(manifest.words, manifest.noun, lang)

    with (
        speaking(lang, words()),
        gradio_patches.no_server_yet(),
        gr.Blocks(title="mmdemo", fill_width=True, analytics_enabled=False) as page,
    ):
        header = _place_header(page, site, name, lang)
        dialog = ProductDialog(live)
        with gr.Tabs(selected="discover", elem_id="mm-tabs") as tabs:
            with gr.Tab(translate("Discover"), id="discover"):
                found = DiscoverTab(live, not public, log)
            with gr.Tab(translate("Browse"), id="browse"):
                shelf = BrowseTab(live)
            with gr.Tab(translate("Map"), id="map") as tab:
                plane = MapTab(live)
                plane.listen(found.asked, tab)
                page.load(plane.prepare, **QUIET)
            with gr.Tab(translate("How it works"), id="how") as tab:
                steps = HowItWorksTab(live, found.welcome.example)
                steps.listen(found.asked, tab)
            with gr.Tab(translate("Quality"), id="quality") as tab:
                measured = QualityTab(live, judges=not public)
                measured.listen(tab)
            own = None
            if site.drafts is not None:
                with gr.Tab(translate("Your catalogue"), id="yours"):
                    own = your_catalogue.YourCatalogueTab(site.drafts, lambda other: site.link(name, lang, other, lang))
        dialog.render()
        asking = (found.results, dialog.box, plane.box, steps.page)
        opening = (*asking, found.chosen, shelf.grid, measured.page, found.for_you.row)
        dialog.opens_from_all(opening, asking, found.asked)
        found.for_you.listen(page, opening)
        found.listen(page, also_from=dialog.box, tabs=tabs)
        shelf.listen(page)
        if own is not None:
            own.listen(header, lambda request: header_html(site, name, lang, request))
        gr.HTML(cards.render("footer", logged=log is not None), apply_default_css=False, elem_id="mm-footer")
        api.publish(functions := functions or api.endpoints(live))
    gradio_patches.speak(page, lang, words)
    routes = pictures.routes(live, found.welcome.pictures) + rest.routes(functions)
    return page, routes + (your_catalogue.routes(site.drafts) if site.drafts is not None else [])


def _place_header(page: gr.Blocks, site: Site, name: str, lang: str) -> gr.HTML:
    """The header, drawn again whenever the page is opened: a catalogue may have come since."""
    header = gr.HTML(
        header_html(site, name, lang),
        js_on_load=theme.asset("header.js"),
        apply_default_css=False,
        elem_id="mm-header",
    )

    def draw(request: gr.Request) -> str:
        return header_html(site, name, lang, request)

    page.load(draw, None, header, **QUIET)
    return header


def header_html(site: Site, name: str, lang: str, request: gr.Request | None = None) -> str:
    """The header of a page as HTML, with the catalogues that whoever asks has built."""
    drafts = [] if request is None else str(request.cookies.get(your_catalogue.COOKIE, "")).split(".")
    return cards.render("header", longest=LONGEST, **vars(site.header(name, lang, drafts)))

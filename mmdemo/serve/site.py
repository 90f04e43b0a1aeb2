"""A site of pages in one server: every catalogue beside the one that was opened, in every language.

The page of the opened catalogue has the path `/`; another one has `/c/NAME/`, and the Chinese page of each stands
below `/zh`. A page is built when it is first visited. Knows neither what is on a page nor how the server is started.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import gradio as gr
from cachetools import LRUCache
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mmdemo.core.errors import InputError
from mmdemo.core.paths import HOME
from mmdemo.index import verify
from mmdemo.index.manifest import Manifest
from mmdemo.index.product_index import live_version
from mmdemo.search.live import Live
from mmdemo.serve import gradio_patches
from mmdemo.serve.catalogue_names import catalogue_name, encoder_name, row_noun
from mmdemo.serve.drafts import Drafts, owner, owner_of
from mmdemo.serve.refusals import answer
from mmdemo.serve.translation import language, translate

LANGUAGES = ("en", "zh")  # the first one has the plain paths
NAMES = {"en": "English", "zh": "中文"}
FOLDER = re.compile(r"\w[\w .-]{0,79}")  # what a folder may be called to be offered
_CALLED = ("host", "x-forwarded-host", "x-forwarded-proto", "x-gradio-server")  # by which Gradio says where it is
_PATH = re.compile(r"(?:/(zh))?(?:/c/([^/]+))?(/.*)?", re.S)

log = logging.getLogger(__name__)
Build = Callable[[Live, str, str], tuple[gr.Blocks, list[Route]]]  # of a catalogue's name and language


@dataclass(frozen=True)
class Entry:
    """One catalogue of the site: its folder's name, what the switcher calls it, and how many products it has."""

    folder: str
    name: str
    amount: str


@dataclass(frozen=True)
class Header:
    """What the header of a page says: catalogues (name, amount, link, here) and languages (code, name, link)."""

    catalogues: list[dict[str, Any]]
    languages: list[dict[str, str]]
    lang: str
    notice: str
    encoder: str


class Site:
    """The catalogues and their pages. `build` makes a page; `drafts` are catalogues on their way here.

    `look` are the arguments that each page is mounted with: its theme, its style sheet and what of Gradio it shows.
    With `shared` catalogues that visitors built are shown to everybody.
    """

    def __init__(
        self,
        opened: Live,
        build: Build | None = None,
        drafts: Drafts | None = None,
        alone: bool = False,
        look: Mapping[str, Any] | None = None,
        shared: bool = False,
    ) -> None:
        self._shared = shared
        self.opened, self.drafts, self.look = opened, drafts, look or {}
        self.folder = opened.current().index.folder.parent.resolve()  # of the opened index
        self.home = self.folder.name
        self._build, self._alone = build, alone
        self._open: dict[str, Live] = {self.home: opened}
        self._pages: dict[tuple[str, str], tuple[ASGIApp, gr.Blocks]] = {}
        self.made: LRUCache[tuple[str | None, ...], tuple[bytes, bytes]] = LRUCache(32)  # pages, plain and packed
        if drafts is not None:
            drafts.built = self.forget
        self._opening = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    # What there is

    def entries(self, drafts: Collection[str] = (), here: str = "") -> list[Entry]:
        """The opened catalogue, then its whole siblings by name: those of the operator, those that the visitor with
        these `drafts` built, and the one whose page it is."""
        owners = {owner(draft) for draft in drafts}
        opened = self.opened.current().index.manifest
        entries = [_entry(self.home, opened.title or catalogue_name(opened), opened)]
        if self._alone:
            return entries
        for folder in sorted(self.folder.parent.iterdir(), key=lambda path: path.name.casefold()):
            manifest = _manifest(folder) if FOLDER.fullmatch(folder.name) and folder.name != self.home else None
            if manifest is not None and (folder.name == here or self._shared or owner_of(folder) in ("", *owners)):
                entries.append(_entry(folder.name, manifest.title or folder.name, manifest))
        return entries

    def has(self, name: str) -> bool:
        """Whether there is a catalogue of this name."""
        folder = self.folder.parent / name
        return name in self._open or (FOLDER.fullmatch(name) is not None and _manifest(folder) is not None)

    def header(self, name: str, lang: str, drafts: Collection[str] = ()) -> Header:
        """The header of a page for a visitor with these drafts: which catalogue it shows, the ways to the others, and
        to the other languages."""
        manifest = self._open[name].current().index.manifest
        catalogues = [
            {
                "name": entry.name,
                "amount": entry.amount,
                "link": self.link(name, lang, entry.folder, lang),
                "here": entry.folder == name,
            }
            for entry in self.entries(drafts, name)
        ]
        languages = [
            {"code": code, "name": NAMES[code], "link": self.link(name, lang, name, code)}
            for code in LANGUAGES
            if code != lang
        ]
        return Header(
            catalogues=catalogues,
            languages=languages,
            lang=lang,
            notice=_called(manifest, "notice", manifest.notice),
            encoder=encoder_name(manifest),
        )

    def link(self, name: str, lang: str, other: str, other_lang: str) -> str:
        """The address of another page, as seen from the page of `name`."""
        up = "../" * (self._path(name, lang).count("/") - 1) or "./"
        return up + quote(self._path(other, other_lang)[1:])

    def _path(self, name: str, lang: str) -> str:
        return path_of("" if name == self.home else name, lang)

    # Its pages

    async def page(self, name: str, lang: str) -> ASGIApp:
        """The page of a catalogue in a language, built at its first visit. Raises InputError if it cannot be opened."""
        async with self._opening:
            if (name, lang) not in self._pages:
                blocks, routes = await anyio.to_thread.run_sync(self._make, name, lang)
                page = await self._mount(blocks, routes, self._path(name, lang))
                self._pages[name, lang] = page, blocks
            return self._pages[name, lang][0]

    def _make(self, name: str, lang: str) -> tuple[gr.Blocks, list[Route]]:
        assert self._build is not None
        if name not in self._open:
            self._open[name] = Live.open(self.folder.parent / name, beside=list(self._open.values()))
        return self._build(self._open[name], name, lang)

    async def _mount(self, blocks: gr.Blocks, routes: list[Route], path: str) -> ASGIApp:
        """The page as an application that answers below its path, its queue running."""
        app = FastAPI(openapi_url=None)
        gr.mount_gradio_app(app, blocks, path.rstrip("/"), app_kwargs={"routes": routes}, **self.look)
        blocks.favicon_path = ICON  # type: ignore[assignment]  # the parameter is for the page at / alone
        ready = asyncio.Event()

        async def run() -> None:
            async with app.router.lifespan_context(app):
                ready.set()
                await asyncio.Event().wait()  # as long as the server runs

        task = asyncio.create_task(run())
        self._running.add(task)  # or nobody would hold it
        await ready.wait()
        return app

    @property
    def blocks(self) -> list[gr.Blocks]:
        """The pages that are open, the first one left out."""
        return [blocks for _, blocks in self._pages.values()]

    def forget(self, name: str) -> None:
        """Close the pages of a catalogue that was replaced; the next visit opens the new one."""
        self.made = LRUCache(self.made.maxsize)  # a page that is being made goes into the one before
        for key in [key for key in self._pages if key[0] == name]:
            self._pages.pop(key)[1]._queue.close()
        if name != self.home and (closed := self._open.pop(name, None)):
            closed.close()


class Pages:
    """ASGI middleware that answers for all pages but the first one."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app, self.site = app, site
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        matched = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if matched is None:
            await self.app(scope, receive, send)
            return
        lang, name = matched[1] or LANGUAGES[0], matched[2] or self.site.home
        if not (matched[1] or matched[2]):
            await self._answer(self.app, matched, scope, receive, send)
            return
        is_page_language = lang in LANGUAGES and bool(matched[1]) == (lang != LANGUAGES[0])
        if not is_page_language or matched[2] == self.site.home or not self.site.has(name):
            await answer(scope, 404, translate("There is no such catalogue."))(scope, receive, send)
            return
        if not matched[3]:
            asked = scope["query_string"].decode("latin-1")
            to = f"{quote(scope['path'])}/{f'?{asked}' if asked else ''}"
            await RedirectResponse(to)(scope, receive, send)
            return
        try:
            page = await self.site.page(name, lang)
        except InputError as error:
            log.warning("the catalogue '%s' cannot be opened: %s", name, error)
            told = translate("This catalogue cannot be opened: {reason}", reason=error)
            await answer(scope, 503, told)(scope, receive, send)
            return
        await self._answer(page, matched, scope, receive, send)

    async def _answer(self, page: ASGIApp, matched: re.Match[str], scope: Scope, receive: Receive, send: Send) -> None:
        """What a page has at an address; the page itself is the same for everybody, so it is made once."""
        if matched[3] != "/" or scope["method"] != "GET":
            await page(scope, receive, send)
            return
        headers = Headers(scope=scope)
        key = (matched[0], scope["scheme"], *(headers.get(name) for name in _CALLED))
        made = self.site.made
        if key not in made:
            async with self._making:  # not by each of those who come at once
                if key not in made:
                    made[key] = await self._make(page, matched, scope)
        packed = "gzip" in headers.get("accept-encoding", "")
        more = {"content-encoding": "gzip"} if packed else {}
        html = made[key][packed]
        await Response(html, media_type="text/html", headers={"vary": "accept-encoding"} | more)(scope, receive, send)

    async def _make(self, page: ASGIApp, matched: re.Match[str], scope: Scope) -> tuple[bytes, bytes]:
        """A page, plain and packed, that says in which language it is."""
        lang, name = matched[1] or LANGUAGES[0], matched[2] or self.site.home
        other = self.site.link(name, lang, name, "zh") if "zh" in LANGUAGES and lang != "zh" else ""
        asked = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        parts: list[bytes] = []

        async def nothing_more() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def keep(message: Message) -> None:
            assert message.get("status", 200) == 200, message
            parts.append(message.get("body", b""))

        # What stands behind ? is read by scripts in the browser.
        await page({**scope, "headers": asked, "query_string": b""}, nothing_more, keep)
        html = gradio_patches.in_language(b"".join(parts).decode(), lang, other).encode()
        return html, await anyio.to_thread.run_sync(gzip.compress, html)


ICON = str(HOME / "assets" / "ui" / "favicon.png")


def path_of(name: str, lang: str) -> str:
    """The path of a page: "" is the opened catalogue."""
    return ("/" if lang == LANGUAGES[0] else f"/{lang}/") + (f"c/{name}/" if name else "")


def _manifest(folder: Path) -> Manifest | None:
    """What the switcher needs of an index that this program reads, None where there is none."""
    version = live_version(folder)
    with contextlib.suppress(InputError):
        return None if version is None else _read(folder, version)
    return None


@cache  # a version never changes
def _read(folder: Path, version: Path) -> Manifest:
    return verify.read_manifest(folder, version)


def _entry(folder: str, name: str, manifest: Manifest) -> Entry:
    count = manifest.count
    name = _called(manifest, "name", name)
    return Entry(folder, name, translate("{n} {noun}", n=f"{count:,}", noun=row_noun(manifest, count)))


def _called(manifest: Manifest, what: str, english: str) -> str:
    """The name or the notice of a catalogue in the language spoken here, if it says so."""
    return manifest.words.get(language(), {}).get(what, {}).get(english, english)

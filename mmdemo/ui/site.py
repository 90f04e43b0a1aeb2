"""A site of pages in one server: every catalogue beside the one that was opened, in every language.

The page of the opened catalogue has the path `/`; another one has `/c/NAME/`, and the Chinese page of each stands
below `/zh`. A page is built when it is first visited. Knows neither what is on a page nor how the server is started.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import gradio as gr
from fastapi import FastAPI
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mmdemo import verify
from mmdemo.drafts import Drafts
from mmdemo.errors import InputError
from mmdemo.index import live_version
from mmdemo.live import close_live, open_live
from mmdemo.recommender import Recommender
from mmdemo.say import language, say, speaking
from mmdemo.ui import cards, theme
from mmdemo.wordbook import words_of

LANGUAGES = ("en", "zh")  # the first one has the plain paths
NAMES = {"en": "English", "zh": "中文"}
FOLDER = re.compile(r"\w[\w .-]{0,79}")  # what a folder may be called to be offered
_PATH = re.compile(r"(?:/(zh))?(?:/c/([^/]+))?(/.*)?", re.S)

log = logging.getLogger(__name__)
Build = Callable[[Recommender, str, str], tuple[gr.Blocks, list[Route]]]  # of a catalogue's name and language


@dataclass(frozen=True)
class Entry:
    """One catalogue of the site: its folder's name, what the switcher calls it, and how many products it has."""

    folder: str
    name: str
    amount: str


class Site:
    """The catalogues and their pages. `build` makes a page; `drafts` are catalogues on their way here."""

    def __init__(
        self, opened: Recommender, build: Build | None = None, drafts: Drafts | None = None, alone: bool = False
    ) -> None:
        self.opened, self.drafts = opened, drafts
        self.folder = opened.index.folder.parent.resolve()  # of the opened index
        self.home = self.folder.name
        self._build, self._alone = build, alone
        self._recommenders: dict[str, Recommender] = {self.home: opened}
        self._pages: dict[tuple[str, str], tuple[ASGIApp, gr.Blocks]] = {}
        if drafts is not None:
            drafts.built = self.forget
        self._opening = asyncio.Lock()
        self._running: set[asyncio.Task[None]] = set()

    # What there is

    def entries(self) -> list[Entry]:
        """The opened catalogue, then its whole siblings by name."""
        opened = self.opened.index.manifest
        found = [_entry(self.home, cards.catalogue_name(opened), opened)]
        if self._alone:
            return found
        for folder in sorted(self.folder.parent.iterdir(), key=lambda path: path.name.casefold()):
            manifest = _manifest(folder) if FOLDER.fullmatch(folder.name) and folder.name != self.home else None
            if manifest is not None:
                found.append(_entry(folder.name, folder.name, manifest))
        return found

    def has(self, name: str) -> bool:
        """Whether there is a catalogue of this name."""
        folder = self.folder.parent / name
        return name in self._recommenders or (FOLDER.fullmatch(name) is not None and _manifest(folder) is not None)

    def header(self, name: str, lang: str) -> str:
        """The header of a page: which catalogue it shows, the ways to the others, and to the other languages."""
        manifest = self._recommenders[name].index.manifest
        catalogues = [
            {
                "name": entry.name,
                "amount": entry.amount,
                "link": self.link(name, lang, entry.folder, lang),
                "here": entry.folder == name,
            }
            for entry in self.entries()
        ]
        languages = [
            {"code": code, "name": NAMES[code], "link": self.link(name, lang, name, code)}
            for code in LANGUAGES
            if code != lang
        ]
        return cards.render(
            "header",
            catalogues=catalogues,
            languages=languages,
            lang=lang,
            notice=_called(manifest, "notice", str(manifest.get("notice") or "")),
            encoder=cards.encoder_name(manifest),
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
        if name not in self._recommenders:
            self._recommenders[name] = open_live(self.folder.parent / name, beside=list(self._recommenders.values()))
        return self._build(self._recommenders[name], name, lang)

    async def _mount(self, blocks: gr.Blocks, routes: list[Route], path: str) -> ASGIApp:
        """The page as an application that answers below its path, its queue running."""
        app = FastAPI(openapi_url=None)
        gr.mount_gradio_app(app, blocks, path.rstrip("/"), app_kwargs={"routes": routes}, **LOOK)
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
        for key in [key for key in self._pages if key[0] == name]:
            self._pages.pop(key)[1]._queue.close()
        if name != self.home and (closed := self._recommenders.pop(name, None)):
            close_live(closed)


class Pages:
    """ASGI middleware that answers for all pages but the first one."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app, self.site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        matched = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if matched is None:
            await self.app(scope, receive, send)
            return
        lang, name = matched[1] or LANGUAGES[0], matched[2] or self.site.home
        if matched[3] == "/":
            scope, send = self._with_language(scope, send, name, lang)
        if not (matched[1] or matched[2]):
            await self.app(scope, receive, send)
            return
        known = lang in LANGUAGES and bool(matched[1]) == (lang != LANGUAGES[0])
        if not known or matched[2] == self.site.home or not self.site.has(name):
            await PlainTextResponse(say("There is no such catalogue."), 404)(scope, receive, send)
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
            told = say("This catalogue cannot be opened: {reason}", reason=error)
            await PlainTextResponse(told, 503)(scope, receive, send)
            return
        await page(scope, receive, send)

    def _with_language(self, scope: Scope, send: Send, name: str, lang: str) -> tuple[Scope, Send]:
        """The same request and answer, but that a page, which Gradio calls English, says in which language it is."""
        other = self.site.link(name, lang, name, "zh") if "zh" in LANGUAGES and lang != "zh" else ""
        script = f'<head><script data-zh="{other}">{theme.asset("language.js")}</script>'
        held: list[Message] = []

        async def sending(message: Message) -> None:
            if held or b"text/html" in dict(message.get("headers", ())).get(b"content-type", b""):
                held.append(message)
                if message["type"] != "http.response.body" or message.get("more_body"):
                    return
                body = b"".join(part.get("body", b"") for part in held).decode()
                body = body.replace('lang="en"', f'lang="{lang}"', 1).replace("<head>", script, 1)
                start, content = held[0], body.encode()
                length = [(b"content-length", str(len(content)).encode())]
                start["headers"] = [pair for pair in start["headers"] if pair[0] != b"content-length"] + length
                await send(start)
                message = {"type": "http.response.body", "body": content}
            await send(message)

        plain = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        return {**scope, "headers": plain}, sending if scope["method"] == "GET" else send


def _missing_words() -> gr.I18n:
    """What Gradio has no Chinese for: it would tell a screen reader the name of the text."""
    with speaking("zh"):
        return gr.I18n(**{"zh-CN": {"common.complete": say("Complete")}})


ICON = str(theme.ASSETS / "favicon.png")
# What every page is served with, the first as well as the others.
LOOK: dict[str, Any] = {
    "footer_links": ["api"],
    "run_history": False,
    "enable_monitoring": False,
    "ssr_mode": False,
    "show_error": True,
    "i18n": _missing_words(),
    "max_file_size": "20mb",
    "theme": theme.theme(),
    "css": theme.asset("style.css"),
}


def path_of(name: str, lang: str) -> str:
    """The path of a page: "" is the opened catalogue."""
    return ("/" if lang == LANGUAGES[0] else f"/{lang}/") + (f"c/{name}/" if name else "")


def _manifest(folder: Path) -> dict[str, object] | None:
    """What the switcher needs of an index that this program reads, None where there is none."""
    version = live_version(folder)
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return None if version is None else _read(version / "manifest.json")
    return None


@cache  # a version never changes
def _read(path: Path) -> dict[str, object] | None:
    manifest = json.loads(path.read_text(encoding="utf-8"))
    whole = manifest["format"] == verify.FORMAT
    return {name: manifest.get(name) for name in ("count", "noun", "words")} if whole else None


def _entry(folder: str, name: str, manifest: Mapping[str, object]) -> Entry:
    count = manifest.get("count")
    count = count if isinstance(count, int) else 0
    name = _called(manifest, "name", name)
    return Entry(folder, name, say("{n} {noun}", n=f"{count:,}", noun=cards.noun(manifest, count)))


def _called(manifest: Mapping[str, object], what: str, english: str) -> str:
    """The name or the notice of a catalogue in the language spoken here, if it says so."""
    return words_of(manifest, language()).get(what, {}).get(english, english)

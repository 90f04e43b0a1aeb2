"""Translates messages, terms and errors into the language of the page that is being answered.

The one place that knows the languages: the catalogue of messages in assets/locale, read through gettext, and the words
of the product catalogue. Without a page, everything stays English.
"""

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache

from mmdemo.core.messages import Message, Term, Words, column_label, fill, row_noun
from mmdemo.core.paths import HOME

LOCALE = HOME / "assets" / "locale"


@dataclass(frozen=True)
class _Page:
    language: str = "en"
    words: Words = field(default_factory=dict)


_page: ContextVar[_Page] = ContextVar("page", default=_Page())  # noqa: B039


@contextmanager
def speaking(language: str, words: Words | None = None) -> Iterator[None]:
    """Within it, `translate` answers in this language; `words` are what a catalogue's values are called in it."""
    token = _page.set(_Page(language, words or {}))
    try:
        yield
    finally:
        _page.reset(token)


def language() -> str:
    """The language of the page: "en" or "zh"."""
    return _page.get().language


def translate(text: str | Exception, /, **values: object) -> str:
    """A template with its values, a message, a term or an error, in the language of the page."""
    if values:
        text = Message(str(text), **values)
    elif isinstance(text, Exception):
        message = getattr(text, "message", None)
        text = message if isinstance(message, Message) else str(text)
    if isinstance(text, Term):
        return _term(text)
    if not text:
        return ""  # gettext keeps its header under the empty text
    catalogue = _catalogue(language())
    if not isinstance(text, Message):
        return catalogue.gettext(text)
    if text.singular:
        template = catalogue.ngettext(text.singular, text.template, text.values["n"])
    else:
        template = catalogue.gettext(text.template)
    return fill(template, {n: translate(v) if isinstance(v, Message | Term) else v for n, v in text.values.items()})


def _term(term: Term) -> str:
    page = _page.get()
    word = term.translations.get(page.language) or page.words.get(term.column, {}).get(term.value)
    if word and word != term.value:
        return word
    return translate(term.default) if isinstance(term.default, Message) else str(term)


def word(column: str, value: str) -> str:
    """A value of the catalogue in the language of the page; the value itself where the catalogue has no word for it."""
    return translate(Term(column, value))


def named(column: str) -> str:
    """A column as people call it, in the language of the page."""
    return translate(column_label(column))


def noun(count: int = 2) -> str:
    """What so many rows of the catalogue are called, in the language of the page."""
    return translate(row_noun(count))


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("mmdemo", LOCALE, [language], fallback=True)

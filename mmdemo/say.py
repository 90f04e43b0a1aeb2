"""What the page says, in the language of whoever reads it: the code says it in English, zh.json knows it in Chinese.

Programs are answered in English: it is what everything is said in outside of `speaking`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache

from mmdemo.home import HOME

DICTIONARIES = HOME / "assets" / "ui"
Words = Mapping[str, Mapping[str, str]]  # column -> value of a catalogue -> what it is called in another language
# What catalogues call their columns most often; the others are shown under the names that they have.
COLUMNS = (
    *("brand", "category", "colour", "currency", "description", "finish", "group", "id", "image"),
    *("kind", "material", "pattern", "price", "size", "style", "text", "title", "url"),
)


@dataclass(frozen=True)
class _Speech:
    language: str = "en"
    words: Words = field(default_factory=dict)


_ENGLISH = _Speech()
_now: ContextVar[_Speech] = ContextVar("speech", default=_ENGLISH)


@contextmanager
def speaking(language: str, words: Words | None = None) -> Iterator[None]:
    """Inside, everything is said in this language; `words` are what a catalogue's values are called in it."""
    token = _now.set(_Speech(language, words or {}))
    try:
        yield
    finally:
        _now.reset(token)


def language() -> str:
    """The language that is spoken here: "en" or "zh"."""
    return _now.get().language


def say(text: str, /, **values: object) -> str:
    """The text in the language spoken here, its {names} replaced by the values; English where it is not known."""
    said = _dictionary(language()).get(text, text)
    return said.format(**values) if values else said


def say_many(n: int, one: str, many: str, /, **values: object) -> str:
    """`one` or `many` of something, {n} being how many. Chinese has one form for both."""
    return say(one if n == 1 and language() == "en" else many, n=n, **values)


def again(sentence: str) -> str:
    """A sentence that was said in English and kept, such as a note in a report, in the language spoken here."""
    known = _dictionary(language())
    if sentence in known:
        return known[sentence]
    for text, pattern in _patterns(language()):
        if found := pattern.fullmatch(sentence):
            return known[text].format(**{name: again(value) for name, value in found.groupdict().items()})
    return sentence


def later(text: str) -> str:
    """The text as it is: marks what is said when somebody reads it, and not where it stands."""
    return text


def word(column: str, value: str) -> str:
    """What a catalogue's value is called in the language spoken here; the value itself where nobody said."""
    return _now.get().words.get(column, {}).get(value, value)


def uncapitalised(value: str) -> str:
    """A value within an English sentence: "t-shirt"; Chinese, which writes "T恤", as it is."""
    return value.lower() if value.isascii() else value


def noun(count: int = 2) -> str:
    """What so many rows of the catalogue at hand are called: "products", unless it says otherwise."""
    plain = later("product") if count == 1 else later("products")
    own = word("noun", plain)
    return own if own != plain else say(plain)


def named(column: str) -> str:
    """A column as people call it: "price_range" is "price range"."""
    own = word("column", column)
    return own if own != column else say(column.replace("_", " "))


def listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    said = words[0]
    for next_one in words[1:-1]:
        said = say("{first}, {second}", first=said, second=next_one)
    return say("{first} and {second}", first=said, second=words[-1]) if len(words) > 1 else said


@cache
def _patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """Texts with holes that make whole sentences, as patterns of what they may have said."""
    found = []
    for text in _dictionary(language):
        parts = re.split(r"\{(\w+)\}", text)
        plain, holes = "".join(parts[::2]), parts[1::2]
        if holes and len(plain) > 20 and "{" not in plain and len(set(holes)) == len(holes):
            made = [re.escape(part) if place % 2 == 0 else f"(?P<{part}>.+?)" for place, part in enumerate(parts)]
            found.append((text, re.compile("".join(made), re.S)))
    return found


@cache
def _dictionary(language: str) -> dict[str, str]:
    path = DICTIONARIES / f"{language}.json"
    return json.loads(path.read_text(encoding="utf-8")) if language != "en" and path.is_file() else {}

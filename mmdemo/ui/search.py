"""One search as a visitor filled it in: a value that becomes a query, a link and back, and a step of the trail."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from gradio.utils import get_upload_folder

from mmdemo.errors import InputError
from mmdemo.feedback import Taste
from mmdemo.query import Filter, Query
from mmdemo.recommender import Recommender
from mmdemo.say import later, named, say
from mmdemo.ui.asked import MOST_PHOTOS, picture_of

COUNTS = (8, 12, 24, 48)
LONGEST = 500  # characters of the sentence
ORDERS = {"match": later("Best match first"), "cheap": later("Cheapest first"), "dear": later("Dearest first")}
MOST_VARIETY = 0.8
SHOWN = ("weight", "count", "variety", "fold", "order")  # how an answer is shown, rather than what is asked
MOST_NOTES = 8  # sentences about what is wrong with a link
FACETS = 6  # columns that the form filters by; the Browse tab has every facet


@dataclass(frozen=True)
class Photo:
    """An uploaded picture: where it lies, and what tells it from others (the path changes when it is shown again)."""

    path: str = field(compare=False)
    digest: str = ""

    @classmethod
    def of(cls, record: Any) -> Photo | None:
        """The photo of an upload's record or path, None for none."""
        path = record.get("path") if isinstance(record, dict) else record
        if not isinstance(path, str) or not path:
            return None
        try:
            file = Path(path).resolve()
            inside = file.is_relative_to(Path(get_upload_folder()).resolve())
            return cls(path, hashlib.sha256(file.read_bytes()).hexdigest() if inside else path)
        except (OSError, ValueError):
            return cls(path, path)  # reading it will say what is wrong


@dataclass(frozen=True)
class Search:
    """Everything that the form holds; `by_taste` asks for what the visitor likes, without a query."""

    photo: Photo | None = None
    text: str = ""
    reference: str = ""
    weight: float = 0.5
    count: int = 12
    low: float | None = None
    high: float | None = None
    variety: float = 0.0
    fold: bool = True
    order: str = "match"
    blend: tuple[Photo, ...] = ()
    avoid: tuple[Photo, ...] = ()
    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by_taste: bool = False

    @property
    def empty(self) -> bool:
        """Nothing to search by."""
        return not (self.photo or self.text.strip() or self.reference or self.blend or self.by_taste)

    @property
    def narrowed(self) -> int:
        """How many filters are set."""
        return len(self.facets) + (self.low is not None) + (self.high is not None)

    def anew(self, **asked: Any) -> Search:
        """Another search, shown in the same way."""
        return Search(**{name: getattr(self, name) for name in SHOWN}, **asked)

    @property
    def what(self) -> Search:
        """What was asked, without how the answer is shown: two searches that agree in it are one step."""
        return replace(self, **{name: getattr(Search(), name) for name in SHOWN})

    def query(self, recommender: Recommender, taste: Taste) -> Query:
        """The query that the recommender answers; InputError for what cannot be asked."""
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InputError(
                say(
                    "The price range runs backwards: from {low:g} to {high:g}. Swap the two.",
                    low=self.low,
                    high=self.high,
                )
            )
        pictured = bool(self.reference) and bool(recommender.product(self.reference).image)
        photos, unlike = (
            tuple(p for photo in some[:MOST_PHOTOS] if (p := picture_of(photo.path)) is not None)
            for some in (self.blend, self.avoid)
        )
        return Query(
            image=picture_of(self.photo.path) if self.photo else None,
            text=self.text.strip(),
            reference=self.reference if pictured else "",
            like=(self.reference,) if self.reference and not pictured else (),  # no picture: its fused vector
            k=self.count,
            weight=self.weight,
            filters=self.filters,
            diversity=self.variety,
            fold=self.fold,
            photos=photos,
            unlike_photos=unlike,
            taste=taste,
        )

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The form's filters, as the query has them."""
        chosen = [Filter(column, "=", "|".join(values)) for column, values in self.facets]
        limits = ((">=", self.low), ("<=", self.high))
        return (*chosen, *(Filter("price", op, f"{value:g}") for op, value in limits if value is not None))

    def without(self, column: str, op: str) -> Search:
        """The search without one of its filters; without any for the column "*"."""
        if column == "*":
            return replace(self, facets=(), low=None, high=None)
        if op == "=":
            return replace(self, facets=tuple(pair for pair in self.facets if pair[0] != column))
        return replace(self, low=None) if op == ">=" else replace(self, high=None) if op == "<=" else self

    def link(self) -> str:
        """The search as the query string of an address, "" for nothing; photos and tastes are not in it."""
        named = {
            "q": self.text.strip(),
            "like": self.reference,
            "weight": "" if self.weight == 0.5 else f"{self.weight:g}",
            "results": "" if self.count == 12 else str(self.count),
            "from": "" if self.low is None else f"{self.low:g}",
            "to": "" if self.high is None else f"{self.high:g}",
            "variety": "" if not self.variety else f"{self.variety:g}",
            "variants": "" if self.fold else "apart",
            "sort": "" if self.order == "match" else self.order,
            **{f"is.{column}": "|".join(values) for column, values in self.facets},
            "photo": "missing" if self.photo or self.blend or self.avoid else "",
        }
        return urlencode({name: value for name, value in named.items() if value})


def columns(recommender: Recommender) -> list[str]:
    """The columns that the form filters by."""
    return [column for column, values in recommender.index.facets.items() if len(values) > 1][:FACETS]


def from_link(params: Mapping[str, str], recommender: Recommender) -> tuple[Search, list[str]]:
    """The search of a link, and a sentence about every part of it that cannot be had here."""
    index, notes = recommender.index, list[str]()

    def number(name: str, low: float, high: float, default: Any) -> Any:
        try:
            value = float(params.get(name) or "nan")
        except ValueError:
            value = math.inf
        if math.isnan(value):
            if params.get(name):
                notes.append(say("“{value}” is no number for “{name}”.", value=params[name][:40], name=name))
            return default
        if not low <= value <= high or math.isinf(value):
            notes.append(say("“{value}” is no good number for “{name}”.", value=params[name][:40], name=name))
            return default
        return value

    text = params.get("q", "")
    if len(text) > LONGEST:
        notes.append(say("Its sentence is too long: at most {n} characters are read.", n=LONGEST))
    reference = params.get("like", "")
    if reference and not index.holds(reference):
        notes.append(say("There is no product “{id}” here.", id=reference[:40]))
        reference = ""
    count = int(number("results", 1, 1000, 12))
    if count not in COUNTS:
        notes.append(say("The number of results is one of {numbers}.", numbers=", ".join(map(str, COUNTS))))
        count = 12
    order = params.get("sort") or "match"
    if order not in ORDERS:
        notes.append(say("Nothing can be sorted by “{order}”.", order=order[:40]))
        order = "match"
    facets = []
    for name, cell in params.items():
        if not name.startswith("is."):
            continue
        column = name.removeprefix("is.")
        known = index.facets[column] if column in columns(recommender) else {}
        values = tuple(value for value in cell.split("|") if value in known)
        for value in cell.split("|"):
            if value not in known:
                said = {"value": value[:40], "column": named(column[:40])}
                notes.append(say("Nothing here has “{value}” as its {column}.", **said))
        if values:
            facets.append((column, values))
    if params.get("photo"):
        notes.append(say("A photo was part of this search. A link does not carry it: add your photo to see the same."))
    found = Search(
        text=text[:LONGEST],
        reference=reference,
        weight=number("weight", 0, 1, 0.5),
        count=count,
        low=number("from", 0, 1e9, None),
        high=number("to", 0, 1e9, None),
        variety=number("variety", 0, MOST_VARIETY, 0.0),
        fold=params.get("variants") != "apart",
        order=order,
        facets=tuple(facets),
    )
    return found, notes[:MOST_NOTES]

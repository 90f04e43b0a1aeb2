"""One search as a visitor filled it in: a value that becomes a query, a link and back, and a step of the trail."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

from gradio.utils import get_upload_folder
from pydantic import TypeAdapter, ValidationError

from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_
from mmdemo.core.request import ANY_KIND, MAX_CLICKS, Box, Filter, Operator, Query, Sort, Taste
from mmdemo.search.recommender import Recommender
from mmdemo.serve.arguments import MOST_PHOTOS, picture_of
from mmdemo.serve.translation import named, translate

COUNTS = (8, 12, 24, 48)
ORDERS = {"match": N_("Best match first"), "cheap": N_("Cheapest first"), "dear": N_("Dearest first")}
MOST_VARIETY = 0.8  # of the page; the query takes more
REQUEST = Query.model_json_schema()["properties"]  # the limits and defaults of each field of the request
LONGEST = REQUEST["text"]["maxLength"]  # characters of the sentence
PRICE = {"minimum": 0, "maximum": 1e9, "default": None}  # of a filter, which the request does not limit
SHOWN = ("weight", "count", "variety", "fold", "order")  # how an answer is shown, rather than what is asked
MOST_NOTES = 8  # sentences about what is wrong with a link
FACETS = 6  # columns that the form filters by; the Browse tab has every facet


@dataclass(frozen=True)
class Photo:
    """An uploaded picture: where it lies, and what tells it from others (the path changes when it is shown again)."""

    path: str = field(compare=False)
    digest: str = ""

    @property
    def key(self) -> str:
        """What a link calls it; nobody guesses it who has not seen the picture."""
        return self.digest[:32]

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
class SearchState:
    """Everything that the form holds; `by_taste` asks for what the visitor likes, without a query, `history` for what
    people go on to from these products, and `everything` for each thing on the photo."""

    photo: Photo | None = None
    text: str = ""
    reference: str = ""
    weight: float = REQUEST["weight"]["default"]
    count: int = REQUEST["k"]["default"]
    low: float | None = None
    high: float | None = None
    variety: float = REQUEST["diversity"]["default"]
    fold: bool = True
    order: Sort = "match"
    blend: tuple[Photo, ...] = ()
    avoid: tuple[Photo, ...] = ()
    facets: tuple[tuple[str, tuple[str, ...]], ...] = ()
    by_taste: bool = False
    kind: str = ""
    box: Box | None = None
    history: tuple[str, ...] = ()
    everything: bool = False

    @property
    def empty(self) -> bool:
        """Nothing to search by."""
        return not (self.photo or self.text.strip() or self.reference or self.blend or self.by_taste or self.history)

    @property
    def limited(self) -> SearchState:
        """The search without the photos that are too many."""
        return replace(self, blend=self.blend[:MOST_PHOTOS], avoid=self.avoid[:MOST_PHOTOS])

    @property
    def photos(self) -> tuple[Photo, ...]:
        """Every picture in it."""
        return (*([self.photo] if self.photo else []), *self.blend, *self.avoid)

    @property
    def narrowed(self) -> int:
        """How many filters are set."""
        return len(self.facets) + (self.low is not None) + (self.high is not None)

    def anew(self, **asked: Any) -> SearchState:
        """Another search, shown in the same way."""
        return SearchState(**{name: getattr(self, name) for name in SHOWN}, **asked)

    @property
    def what(self) -> SearchState:
        """What was asked, without how the answer is shown: two searches that agree in it are one step."""
        return replace(self, **{name: getattr(SearchState(), name) for name in SHOWN})

    def query(self, recommender: Recommender, taste: Taste) -> Query:
        """The query that the recommender answers; InputError for what cannot be asked."""
        if self.low is not None and self.high is not None and self.low > self.high:
            raise InputError(
                "The price range runs backwards: from {low:g} to {high:g}. Swap the two.",
                low=self.low,
                high=self.high,
            )
        pictured = bool(self.reference) and bool(recommender.product(self.reference).image)
        photos, unlike = (
            tuple(p for photo in some if (p := picture_of(photo.path)) is not None) for some in (self.blend, self.avoid)
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
            sort=self.order,
            kind=self.kind,
            box=self.box if self.photo else None,
            history=tuple(i for i in self.history if recommender.index.holds(i)),
        )

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The form's filters, as the query has them."""
        chosen = [Filter(column, "=", "|".join(values)) for column, values in self.facets]
        limits: tuple[tuple[Operator, float | None], ...] = ((">=", self.low), ("<=", self.high))
        return (*chosen, *(Filter("price", op, f"{value:g}") for op, value in limits if value is not None))

    def without(self, column: str, op: str) -> SearchState:
        """The search without one of its filters; without any for the column "*"."""
        if column == "*":
            return replace(self, facets=(), low=None, high=None)
        if op == "=":
            return replace(self, facets=tuple(pair for pair in self.facets if pair[0] != column))
        return replace(self, low=None) if op == ">=" else replace(self, high=None) if op == "<=" else self

    def refined(self, before: Query, after: Query) -> SearchState:
        """This search, which asks the query `before`, as one that asks `after`: what words made of it."""
        search = self
        for rule in before.filters:
            if rule not in after.filters:
                search = search.without(rule.column, rule.op)
        search = replace(search, text=after.text, order=after.sort, kind=after.kind)
        start = after.reference or "".join(after.like)
        return search if start == self.reference else replace(search, reference=start, photo=None, box=None, blend=())

    def link(self) -> str:
        """The search as the query string of an address, "" for nothing; photos go by their keys, tastes do not."""
        named = {
            "q": self.text.strip(),
            "like": self.reference,
            "weight": "" if self.weight == SearchState.weight else f"{self.weight:g}",
            "results": "" if self.count == SearchState.count else str(self.count),
            "from": "" if self.low is None else f"{self.low:g}",
            "to": "" if self.high is None else f"{self.high:g}",
            "variety": "" if not self.variety else f"{self.variety:g}",
            "variants": "" if self.fold else "apart",
            "sort": "" if self.order == "match" else self.order,
            "kind": self.kind,
            "history": "|".join(self.history),
            **{f"is.{column}": "|".join(values) for column, values in self.facets},
            "photo": self.photo.key if self.photo else "",
            "all": "1" if self.photo and self.everything else "",
            "box": written(self.box) if self.photo and self.box else "",
            "blend": "|".join(photo.key for photo in self.blend),
            "avoid": "|".join(photo.key for photo in self.avoid),
        }
        return urlencode({name: value for name, value in named.items() if value})


def written(box: Box) -> str:
    """A box as a link has it."""
    return ",".join(f"{edge:.3g}" for edge in box)


def box_of(given: str) -> Box | None:
    """The box that is written as 'left,top,right,bottom'; None for what is none."""
    try:
        return TypeAdapter(Box).validate_python(given)
    except ValidationError:
        return None


def columns(recommender: Recommender) -> list[str]:
    """The columns that the form filters by."""
    return [column for column, values in recommender.index.facets.items() if len(values) > 1][:FACETS]


def from_link(
    params: Mapping[str, str], recommender: Recommender, photo_of: Callable[[str], Photo | None] = lambda key: None
) -> tuple[SearchState, list[str]]:
    """The search of a link, and a sentence about every part of it that cannot be had here.

    `photo_of` gives the photo that has a key, None for one that is not kept, or no longer.
    """
    index, notes = recommender.index, list[str]()
    number = partial(_number_of_link, params, notes)

    text = params.get("q", "")
    if len(text) > LONGEST:
        notes.append(translate("Its sentence is too long: at most {n} characters are read.", n=LONGEST))
    reference = params.get("like", "")
    if reference and not index.holds(reference):
        notes.append(translate("There is no product “{id}” here.", id=reference[:40]))
        reference = ""
    count = int(number("results", REQUEST["k"]))
    if count not in COUNTS:
        notes.append(translate("The number of results is one of {numbers}.", numbers=", ".join(map(str, COUNTS))))
        count = SearchState.count
    order = params.get("sort") or "match"
    if order not in ORDERS:
        notes.append(translate("Nothing can be sorted by “{order}”.", order=order[:40]))
        order = "match"
    kind = params.get("kind", "")
    if kind not in ("", ANY_KIND) and recommender.kinds.named(kind) is None:
        notes.append(translate("“{kind}” names no kind of thing.", kind=kind[:40]))
        kind = ""
    history = params.get("history", "").split("|")[-MAX_CLICKS:]
    notes += [translate("There is no product “{id}” here.", id=i[:40]) for i in history if i and not index.holds(i)]
    facets = _facets_of_link(params, recommender, notes)
    photos = _photos_of_link(params, photo_of, notes)
    search = SearchState(
        **photos,
        text=text[:LONGEST],
        reference=reference,
        weight=number("weight", REQUEST["weight"]),
        count=count,
        low=number("from", PRICE),
        high=number("to", PRICE),
        variety=number("variety", REQUEST["diversity"] | {"maximum": MOST_VARIETY}),
        fold=params.get("variants") != "apart",
        order=cast(Sort, order),
        facets=tuple(facets),
        kind=kind,
        box=_box_of_link(params, notes),
        history=tuple(i for i in history if index.holds(i)),
        everything=bool(photos["photo"] and params.get("all")),
    )
    return search, notes[:MOST_NOTES]


def _number_of_link(params: Mapping[str, str], notes: list[str], name: str, limits: Mapping[str, Any]) -> Any:
    """The value of this parameter; the default where it is missing, or (with a note) not within the limits."""
    try:
        value = float(params.get(name) or "nan")
    except ValueError:
        value = math.inf
    if math.isnan(value):
        if params.get(name):
            notes.append(translate("“{value}” is no number for “{name}”.", value=params[name][:40], name=name))
        return limits["default"]
    if not limits["minimum"] <= value <= limits["maximum"]:
        notes.append(translate("“{value}” is no good number for “{name}”.", value=params[name][:40], name=name))
        return limits["default"]
    return value


def _photos_of_link(
    params: Mapping[str, str], photo_of: Callable[[str], Photo | None], notes: list[str]
) -> dict[str, Any]:
    """The photos that a link names, as fields of a search; the first of `notes` says where one is kept no longer."""
    photos = {
        name: [photo_of(key) for key in params[name].split("|")[:MOST_PHOTOS]]
        for name in ("photo", "blend", "avoid")
        if params.get(name)
    }
    if any(photo is None for some in photos.values() for photo in some):
        notes.insert(
            0,
            translate(
                "A photo of this search is kept here no longer: it was deleted an hour after its last use. Add it "
                "again to see the same."
            ),
        )
    blend, avoid = (tuple(filter(None, photos.get(name, ()))) for name in ("blend", "avoid"))
    return {"photo": next(iter(photos.get("photo", ())), None), "blend": blend, "avoid": avoid}


def _box_of_link(params: Mapping[str, str], notes: list[str]) -> Box | None:
    """The part of the photo that a link names; None, with a note, for what is none."""
    given = params.get("box", "")
    if given and box_of(given) is None:
        notes.append(translate("“{value}” is no part of a photo.", value=given[:40]))
    return box_of(given)


def _facets_of_link(
    params: Mapping[str, str], recommender: Recommender, notes: list[str]
) -> list[tuple[str, tuple[str, ...]]]:
    """The chosen values by column; a value that no product has becomes one of the `notes`."""
    facets = []
    for name, cell in params.items():
        if not name.startswith("is."):
            continue
        column = name.removeprefix("is.")
        values = recommender.index.facets[column] if column in columns(recommender) else {}
        for value in cell.split("|"):
            if value not in values:
                notes.append(
                    translate(
                        "Nothing here has “{value}” as its {column}.", value=value[:40], column=named(column[:40])
                    )
                )
        if chosen := tuple(value for value in cell.split("|") if value in values):
            facets.append((column, chosen))
    return facets

"""Queries to begin with, so that the first click already finds something.

A catalogue that comes with query files (query_id, image, text, reference_id, product_id or target_ids) is shown by its
own queries; any other by its own products: a picture, a picture with a change, and words read from its rows.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path

from mmdemo.catalog import Product
from mmdemo.say import language, say, word

CHANGES = ("colour", "material", "finish")  # attributes that a query to begin with may name
PHOTOS, SENTENCES = 6, 5
TRIES = 2  # candidates of a kind for each query that is shown: the page waits for them


@dataclass(frozen=True)
class Start:
    """A query to try: a picture file or a product used as one (or neither), and a sentence (or none)."""

    text: str = ""
    image: Path | None = None
    reference: str = ""
    targets: frozenset[str] = field(default=frozenset(), compare=False)  # ids of right answers; none: any will do


def read_queries(path: Path, known: set[str]) -> list[Start]:
    """The queries of a file whose answers are all in the catalogue; none if the file is for another catalogue."""
    if not path.is_file():
        return []
    starts = []
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            targets = (row.get("target_ids") or row.get("product_id") or "").split()
            reference = (row.get("reference_id") or "").strip()
            image = path.parent / row["image"].strip() if (row.get("image") or "").strip() else None
            if not targets or not known.issuperset([*targets, *([reference] if reference else [])]):
                continue
            if image is not None and not image.is_file():
                continue
            # Beside a photo the reference is what it shows: left out when answers are measured, wanted by a visitor.
            starts.append(Start((row.get("text") or "").strip(), image, "" if image else reference, frozenset(targets)))
    return starts


def given(folder: Path, known: set[str]) -> list[Start]:
    """The queries that come with a catalogue, in the language spoken here; a photo alone is in every one."""
    pictured = read_queries(folder / "queries.csv", known)
    if language() == "en":
        return pictured + read_queries(folder / "composed_queries.csv", known)
    others = read_queries(folder / f"composed_queries_{language()}.csv", known)
    return [start for start in pictured if not start.text] + others


def from_products(products: Sequence[Product]) -> list[Start]:
    """Queries made of the catalogue's own rows, spread over its categories."""
    shown = list(islice(_spread(products), 60))
    pictured = [item for item in shown if item.image]
    values: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in products:
        for name, value in item.attributes.items():
            values[item.category, name][value] += 1
    shelf = defaultdict(set)
    for item in products:
        shelf[item.category].add(item.id)
    # A photo alone is a good example where it finds another one of its kind, not just something of its colour.
    starts = [Start(reference=item.id, targets=frozenset(shelf[item.category] - {item.id})) for item in pictured[::2]]
    for item in pictured[1::2]:
        name, other = _change(item, values)
        if other:
            right = (p.id for p in products if p.category == item.category and p.attributes.get(name) == other)
            starts.append(
                Start(say("but in {value}", value=word(name, other)), reference=item.id, targets=frozenset(right))
            )
    for item in shown:
        said = {name: value for name, value in item.attributes.items() if value and name.casefold() in CHANGES}
        if said and item.category:
            alike = (p.id for p in products if p.category == item.category and said.items() <= p.attributes.items())
            called = [word(name, value) for name, value in said.items()]
            parts = [*list(dict.fromkeys(called))[:2], item.shown("category")]
            english = any(part.isascii() for part in parts)
            words = " ".join(parts).lower() if english else "".join(parts)
            starts.append(Start(words, targets=frozenset(alike)))
        else:
            starts.append(Start(item.shown("title"), targets=frozenset({item.id})))
    return starts


def choose(
    given: Sequence[Start], own: Sequence[Start], grade: Callable[[Start], int] = lambda start: 1
) -> tuple[list[Start], list[Start]]:
    """(with a picture, with words alone): as many as the page shows, those that `grade` calls 2 before those of 1.

    Photos that came with the catalogue are tried first, then its other queries, then its `own` rows.
    """
    pools = [[start for start in given if start.image], [start for start in given if not start.image], own]

    def kind(pictured: bool, worded: bool, count: int) -> list[Start]:
        kept, second = dict[object, Start](), dict[object, Start]()
        for pool in pools:
            found = [s for s in pool if bool(s.image or s.reference) == pictured and bool(s.text) == worded]
            for start in _thin(found, TRIES * count):
                key = start if pictured else start.text.casefold()
                if len(kept) < count and key not in kept and (good := grade(start)):
                    (kept if good > 1 else second)[key] = start
        return list({**kept, **second}.values())[:count]

    pairs = zip_longest(kind(True, True, PHOTOS // 2), kind(True, False, PHOTOS // 2))
    return [start for pair in pairs for start in pair if start], kind(False, True, SENTENCES)


def _thin(items: Sequence[Start], count: int) -> list[Start]:
    """At most `count` of them, evenly spread: neighbours in a file are often alike."""
    if len(items) <= count:
        return list(items)
    return [items[place * len(items) // count] for place in range(count)]


def _spread(products: Sequence[Product]) -> Iterator[Product]:
    """One product of each category in turn, the larger categories first."""
    shelves: dict[str, list[Product]] = {}
    for item in products:
        shelves.setdefault(item.category, []).append(item)
    ordered = sorted(shelves.values(), key=len, reverse=True)
    for row in zip_longest(*(_sample(shelf, 8) for shelf in ordered)):
        yield from (item for item in row if item is not None)


def _sample(shelf: Sequence[Product], count: int) -> list[Product]:
    step = max(1, len(shelf) // count)
    return list(shelf[step // 2 :: step][:count])


def _change(item: Product, values: Mapping[tuple[str, str], Counter[str]]) -> tuple[str, str]:
    """(attribute, value): what most others of the category have instead; empty strings where nothing can change."""
    for name, value in item.attributes.items():
        if name.casefold() in CHANGES:
            other = next(
                (other for other, _ in values[item.category, name].most_common() if other not in ("", value)), ""
            )
            if other:
                return name, other
    return "", ""

"""Queries to begin with, so that the first click already finds something.

A catalogue that comes with a `queries.csv` (query_id, image, text, reference_id, product_id or target_ids) is shown by
its own queries; any other by its own products: a picture, a picture with a change, and words read from its rows.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from mmdemo.catalog import Product

PHOTOS, SENTENCES = 6, 5


@dataclass(frozen=True)
class Start:
    """A query to try: a picture file or a product used as one (or neither), and a sentence (or none)."""

    text: str = ""
    image: Path | None = None
    reference: str = ""


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
            starts.append(Start((row.get("text") or "").strip(), image, reference))
    return starts


def from_products(products: Sequence[Product]) -> list[Start]:
    """Queries made of the catalogue's own rows, spread over its categories."""
    pictured = [item for item in _spread(products) if item.image]
    starts = [Start(reference=item.id) for item in pictured[: PHOTOS // 2]]
    starts += [
        Start(change, reference=item.id) for item in pictured[PHOTOS // 2 :] if (change := _change(item, products))
    ]
    starts += [Start(text=_say(item)) for item in _spread(products)]
    return starts


def choose(starts: Sequence[Start]) -> tuple[list[Start], list[Start]]:
    """(with a picture, with words alone): as many of each as the page shows, kinds mixed, no sentence twice."""
    alone = [item for item in starts if (item.image or item.reference) and not item.text]
    changed = [item for item in starts if (item.image or item.reference) and item.text]
    photos = [item for pair in zip_longest(_thin(alone, PHOTOS), _thin(changed, PHOTOS)) for item in pair if item]
    said = list(
        {item.text.casefold(): item for item in starts if item.text and not (item.image or item.reference)}.values()
    )
    return photos[:PHOTOS], _thin([item for item in said if len(item.text) <= 60] or said, SENTENCES)


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


def _change(item: Product, products: Sequence[Product]) -> str:
    """A value that a sibling or a neighbour of the same category has instead: "but in blue"; empty if there is none."""
    for name, value in item.attributes.items():
        if name.casefold() not in ("color", "colour", "material", "finish"):
            continue
        others = Counter(
            other.attributes.get(name, "")
            for other in products
            if other.category == item.category and other.attributes.get(name, "") not in ("", value)
        )
        if others:
            return f"but in {others.most_common(1)[0][0]}"
    return ""


def _say(item: Product) -> str:
    """Words a shopper might use for this kind of thing: a colour or material and the category, else the title."""
    said = [value for name, value in item.attributes.items() if name.casefold() in ("color", "colour", "material")]
    if said and item.category:
        return f"{' '.join(said[:2])} {item.category}".lower()
    return item.title

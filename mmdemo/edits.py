"""Edits that a catalogue knows the answer to: "this, in blue" -> the same thing in blue."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdemo.product import SILENT, Product, facets
from mmdemo.vectors import Array

SENTENCES = (
    "in {new}", "the same in {new}", "the same but in {new}", "{new} please", "is {new}", "make it {new}",
    "i want this in {new}", "do you have this in {new}?", "a {new} version", "with {new} instead", "the same for {new}",
    "but for {new}", "more suitable for {new} use",
    "in {new} instead of {old}", "{new} instead of {old}", "{new} rather than {old}", "{new}, not {old}",
    "not {old} but {new}", "from {old} to {new}", "i like it but not in {old}, rather in {new}",
)  # fmt: skip


DATED = frozenset("year season collection released launched".split())  # when a thing was sold, not what it is like
MOST_RIGHT = 60  # answers; where more are right a wish asks for next to nothing
ASKED = 20  # products from which one change is asked

_Change = tuple[int, str, str, NDArray[np.int64]]  # reference, old value, new value, targets


@dataclass(frozen=True)
class Edit:
    """Product row `reference` and a sentence that asks for a change; `targets` are the rows that answer it."""

    reference: int
    text: str
    targets: NDArray[np.int64]


def mine_edits(products: Sequence[Product], image: Array, rng: np.random.Generator, most: int = 6000) -> list[Edit]:
    """Edits read out of the catalogue: within a parent where variants are known, else across products of one category
    that are alike in every attribute that pictures show, apart from the changed one."""
    columns = _columns(products)
    parents: dict[str, list[int]] = defaultdict(list)
    for row, p in enumerate(products):
        if p.parent:
            parents[p.parent].append(row)
    families = [rows for rows in parents.values() if len(rows) > 1]
    if families:
        seen = {name: c for name, c in columns.items() if len(set(c)) > 1}
        groups = families
    else:
        seen = {name: c for name, c in columns.items() if name not in DATED and _visible(c, image, rng)}
        kinds: dict[str, list[int]] = defaultdict(list)
        for row, p in enumerate(products):
            kinds[p.category].append(row)
        groups = list(kinds.values())
    edits: list[_Change] = []
    for group in groups:
        edits += _within(group, seen, rng)
    return [_worded(edits[i], rng) for i in rng.permutation(len(edits))[:most]]


def _columns(products: Sequence[Product]) -> dict[str, list[str]]:
    """The attributes with a manageable number of values, as columns of values; "this mug, as a lamp" is no edit."""
    names = [n for n, values in facets(products).items() if len(values) <= 60 and n not in SILENT and n != "category"]
    return {n: [str(p.field(n) or "") for p in products] for n in names}


def _visible(column: list[str], image: Array, rng: np.random.Generator, sample: int = 1500) -> bool:
    """Whether pictures tell this attribute: nearest neighbours agree on it far more often than chance."""
    rows = rng.permutation(len(column))[:sample]
    x = image[rows]
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    scores = x @ x.T
    np.fill_diagonal(scores, -np.inf)
    values = np.array([column[r] for r in rows])
    agree = float((values[scores.argmax(1)] == values).mean())
    chance = float(sum((values == v).mean() ** 2 for v in set(values)))
    return (agree - chance) / max(1e-9, 1 - chance) > 0.35


def _within(rows: list[int], columns: dict[str, list[str]], rng: np.random.Generator) -> list[_Change]:
    """(reference, old, new, targets) for every change of one attribute that some product of the group answers."""
    edits: list[_Change] = []
    for name, column in columns.items():
        rest: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            if column[row]:
                rest[tuple(c[row] for other, c in columns.items() if other != name)][column[row]].append(row)
        for by_value in rest.values():
            for old, references in by_value.items():
                for new, targets in by_value.items():
                    if new != old and len(targets) <= MOST_RIGHT:
                        some = rng.permutation(references)[:ASKED]
                        edits += [(int(r), old, new, np.array(targets, np.int64)) for r in some]
    return edits


def _worded(change: _Change, rng: np.random.Generator) -> Edit:
    reference, old, new, targets = change
    sentence = SENTENCES[int(rng.integers(len(SENTENCES)))]
    return Edit(reference, sentence.format(new=new.lower(), old=old.lower()), targets)

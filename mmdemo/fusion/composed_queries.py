"""Mine composed queries with known answers from a catalogue: "this, in blue" -> the same thing in blue.

A composed query is a product's picture and a sentence that asks for a change (composed image retrieval,
Vo et al. 2019). It knows nothing of encoders and heads.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdemo.catalog.product import SILENT, Product, facets
from mmdemo.core.vectors import Array

SENTENCES = (
    "in {new}",
    "the same in {new}",
    "the same but in {new}",
    "{new} please",
    "is {new}",
    "make it {new}",
    "i want this in {new}",
    "do you have this in {new}?",
    "a {new} version",
    "with {new} instead",
    "the same for {new}",
    "but for {new}",
    "more suitable for {new} use",
    "in {new} instead of {old}",
    "{new} instead of {old}",
    "{new} rather than {old}",
    "{new}, not {old}",
    "not {old} but {new}",
    "from {old} to {new}",
    "i like it but not in {old}, rather in {new}",
)


DATED = frozenset("year season collection released launched".split())  # when a thing was sold, not what it is like
MAX_TARGETS = 60  # a change with more right answers says next to nothing
MAX_REFERENCES = 20  # products from which the same change is asked
MAX_VALUES = 60  # of an attribute
MIN_AGREEMENT = 0.35  # of a picture's nearest neighbour on an attribute, beyond chance, for pictures to show it

_Change = tuple[int, str, str, NDArray[np.int64]]  # reference, old value, new value, targets


@dataclass(frozen=True)
class ComposedQuery:
    """Product row `reference` and a sentence that asks for a change; `targets` are the rows that answer it."""

    reference: int
    text: str
    targets: NDArray[np.int64]


def mine_composed_queries(
    products: Sequence[Product], image: Array, rng: np.random.Generator, limit: int = 6000
) -> list[ComposedQuery]:
    """Up to `limit` composed queries read out of a catalogue, with one changed attribute each.

    Reference and targets are variants of one parent where variants are known, else products of one category that agree
    in every other attribute that pictures show. `image` (n, d) are the products' embeddings.
    """
    columns = _columns(products)
    by_parent: dict[str, list[int]] = defaultdict(list)
    for row, p in enumerate(products):
        if p.parent:
            by_parent[p.parent].append(row)
    groups = [rows for rows in by_parent.values() if len(rows) > 1]
    if groups:
        compared = {name: c for name, c in columns.items() if len(set(c)) > 1}
    else:
        compared = {name: c for name, c in columns.items() if name not in DATED and _visible(c, image, rng)}
        by_category: dict[str, list[int]] = defaultdict(list)
        for row, p in enumerate(products):
            by_category[p.category].append(row)
        groups = list(by_category.values())
    changes: list[_Change] = []
    for group in groups:
        changes += _changes_within(group, compared, rng)
    return [_worded(changes[i], rng) for i in rng.permutation(len(changes))[:limit]]


def _columns(products: Sequence[Product]) -> dict[str, list[str]]:
    """The attributes with a manageable number of values, as columns. "This mug, as a lamp" is not a change to ask for,
    so the category is left out."""
    names = [
        name
        for name, values in facets(products).items()
        if len(values) <= MAX_VALUES and name not in SILENT and name != "category"
    ]
    return {name: [str(p.field(name) or "") for p in products] for name in names}


def _visible(column: list[str], image: Array, rng: np.random.Generator, sample: int = 1500) -> bool:
    """Whether pictures show this attribute: nearest neighbours agree on it far more often than by chance."""
    rows = rng.permutation(len(column))[:sample]
    x = image[rows]
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    scores = x @ x.T
    np.fill_diagonal(scores, -np.inf)
    values = np.array([column[r] for r in rows])
    agree = float((values[scores.argmax(1)] == values).mean())
    chance = float(sum((values == v).mean() ** 2 for v in set(values)))
    return (agree - chance) / max(1e-9, 1 - chance) > MIN_AGREEMENT


def _changes_within(rows: list[int], columns: dict[str, list[str]], rng: np.random.Generator) -> list[_Change]:
    """Every change of one attribute that some product of the group answers."""
    changes: list[_Change] = []
    for name, column in columns.items():
        alike: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            if column[row]:
                alike[tuple(c[row] for other, c in columns.items() if other != name)][column[row]].append(row)
        for rows_by_value in alike.values():
            for old, references in rows_by_value.items():
                for new, targets in rows_by_value.items():
                    if new != old and len(targets) <= MAX_TARGETS:
                        sampled = rng.permutation(references)[:MAX_REFERENCES]
                        changes += [(int(r), old, new, np.array(targets, np.int64)) for r in sampled]
    return changes


def _worded(change: _Change, rng: np.random.Generator) -> ComposedQuery:
    reference, old, new, targets = change
    sentence = SENTENCES[int(rng.integers(len(SENTENCES)))]
    return ComposedQuery(reference, sentence.format(new=new.lower(), old=old.lower()), targets)

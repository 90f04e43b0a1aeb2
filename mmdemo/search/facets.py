"""Counts facet values among the products nearest to a query, and finds the conditions worth relaxing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.request import Filter, Query
from mmdemo.fusion.prepared_query import PreparedQuery
from mmdemo.language.reading import Part
from mmdemo.search.recommender import Recommender

NEAREST = 200  # products that count as near, at most a sixth of the catalogue, but not fewer than FEWEST
FEWEST = 48
MOST_RELAXED = 24  # conditions that are tried, since each is a search


@dataclass(frozen=True)
class Relaxation:
    """A condition that may be taken away: a filter of the form or a part of the sentence. `count` products then pass,
    and `match` is the best chance among them to be right."""

    condition: Filter | Part
    count: int
    match: float
    close: bool


def size(products: int) -> int:
    """How many of a catalogue's products count as near."""
    return min(NEAREST, max(FEWEST, products // 6))


def facet_counts(
    recommender: Recommender, query: Query | PreparedQuery, columns: Sequence[str]
) -> dict[str, dict[str, int]]:
    """For each column its values among the nearest products that pass every other condition, most frequent first.

    The column's own choice in the form does not narrow its counts: they answer "how many if I choose this too". Values
    that none of the nearest has come last, with 0.
    """
    index, prepared = recommender.index, recommender.prepare(query)
    nearest: dict[tuple[Filter, ...], NDArray[np.int64]] = {}  # by the conditions, which many columns share
    counts = {}
    for column in columns:
        chosen = [f for f in prepared.given.filters if f.column == column and f.op == "="]
        others = tuple(f for f in prepared.query.filters if f not in chosen)
        if others not in nearest:
            nearest[others] = recommender.search(prepared, size(len(index)), index.allowed(others))[1]
        # In the order of the whole catalogue, which breaks ties.
        values = index.facet_index.counts(column, np.isin(np.arange(len(index)), nearest[others]))
        counts[column] = dict(sorted(values.items(), key=lambda pair: -pair[1]))
    return counts


def passing(recommender: Recommender, query: Query | PreparedQuery) -> int:
    """How many products pass the query's conditions, those of its sentence among them."""
    if isinstance(query, PreparedQuery):
        allowed = query.allowed
    else:  # conditions need no encoder
        allowed = recommender.index.allowed(recommender.read(query).apply(query).filters)
    return len(recommender.index) if allowed is None else len(allowed)


def relaxations(recommender: Recommender, query: Query | PreparedQuery) -> list[Relaxation]:
    """Every condition (of many, the first) whose absence lets something pass, the most promising first."""
    prepared, options = recommender.prepare(query), list[Relaxation]()
    given, reading = prepared.given, prepared.reading
    conditions: list[Filter | Part] = [*given.filters, *(p for p in reading.parts if p.kind in ("filter", "not"))]
    for condition in conditions[:MOST_RELAXED]:
        if isinstance(condition, Filter):
            reduced = given.with_(filters=tuple(f for f in given.filters if f != condition))
        else:
            reduced = given.with_(text=reading.without(condition))
        if reduced.empty:
            continue
        relaxed = recommender.prepare(reduced.with_(k=1, diversity=0.0))
        if best := recommender.recommend(relaxed):
            options.append(Relaxation(condition, passing(recommender, relaxed), best[0].match, best[0].close))
    return sorted(options, key=lambda relaxation: (-relaxation.match, -relaxation.count))

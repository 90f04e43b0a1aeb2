"""What lies near a query: how many of its nearest products have each value of a facet, and what a condition costs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mmdemo.language import Part
from mmdemo.query import Filter, Query
from mmdemo.recommender import Recommender

NEAREST = 200  # products that count as near, at most a sixth of the catalogue, but not fewer than FEWEST
FEWEST = 48


@dataclass(frozen=True)
class Way:
    """A condition that may be taken away: a filter of the form or a part of the sentence. `count` products then pass,
    and `match` is the best chance among them to be right."""

    condition: Filter | Part
    count: int
    match: float
    close: bool


def size(products: int) -> int:
    """How many of a catalogue's products count as near."""
    return min(NEAREST, max(FEWEST, products // 6))


def facet_counts(recommender: Recommender, query: Query, columns: Sequence[str]) -> dict[str, dict[str, int]]:
    """For each column its values among the nearest products that pass every other condition, most frequent first.

    The column's own choice in the form does not narrow its counts: they answer "how many if I choose this too". Values
    that none of the nearest has come last, with 0.
    """
    index = recommender.index
    read = recommender.read(query).apply(query)
    vector = recommender.embed(read)[0].sum(0)
    nearest: dict[tuple[Filter, ...], list[int]] = {}  # by the conditions, which many columns share
    counts = {}
    for column in columns:
        own = [f for f in query.filters if f.column == column and f.op == "="]
        others = tuple(f for f in read.filters if f not in own)
        if others not in nearest:
            nearest[others] = index.search(vector, size(len(index)), index.allowed(others))[1].tolist()
        found = Counter(v for row in nearest[others] for v in index.products[row].values(column))
        known = index.facets[column]  # in the order of the whole catalogue, which breaks ties
        counts[column] = dict(sorted(((v, found[v]) for v in known), key=lambda pair: -pair[1]))
    return counts


def passing(recommender: Recommender, query: Query) -> int:
    """How many products pass the query's conditions, those of its sentence among them."""
    allowed = recommender.index.allowed(recommender.read(query).apply(query).filters)
    return len(recommender.index) if allowed is None else len(allowed)


def ways(recommender: Recommender, query: Query) -> list[Way]:
    """Every condition whose absence lets something pass, the most promising first."""
    reading, found = recommender.read(query), list[Way]()
    conditions: list[Filter | Part] = [*query.filters, *(part for part in reading.parts if part.kind != "edit")]
    for condition in conditions:
        if isinstance(condition, Filter):
            fewer = replace(query, filters=tuple(f for f in query.filters if f != condition))
        else:
            fewer = replace(query, text=reading.without(condition))
        best = [] if fewer.empty else recommender.recommend(replace(fewer, k=1, diversity=0.0))
        if best:
            found.append(Way(condition, passing(recommender, fewer), best[0].match, best[0].close))
    return sorted(found, key=lambda way: (-way.match, -way.count))

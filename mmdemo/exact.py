"""Brute force: the true nearest of a query, and how many of them a search gives back."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from mmdemo.vectorfile import Ids
from mmdemo.vectors import Array, normalize


class Searched(Protocol):
    """The part of a `VectorStore` that can be measured."""

    def search(self, vectors: Array, k: int, filter: Ids | None = None) -> tuple[Array, Ids]: ...

    def vectors(self, ids: Ids) -> Array: ...


def sampled(vectors: Array, n: int, seed: int = 0, noise: float = 0.3) -> Array:
    """Queries (n, d) like stored ones and yet new: unit rows of a sample, each moved by noise of that length."""
    rng = np.random.default_rng(seed)
    rows = np.asarray(vectors[np.sort(rng.integers(len(vectors), size=n))], np.float32)
    return normalize(rows + noise * normalize(rng.standard_normal(rows.shape)))


def best(queries: Array, k: int, chunks: Iterable[tuple[Ids, Array]]) -> tuple[Array, Ids]:
    """The k best by brute force: scores and ids (n, k), of rows that come some at a time with their ids."""
    scores = np.full((len(queries), k), -np.inf, np.float32)
    ids = np.full((len(queries), k), -1, np.int64)
    for some, rows in chunks:
        every = np.hstack([scores, queries @ rows.T])
        names = np.hstack([ids, np.broadcast_to(some, (len(queries), len(some)))])
        top = np.argpartition(-every, k - 1, axis=1)[:, :k]
        top = np.take_along_axis(top, np.argsort(-np.take_along_axis(every, top, 1), axis=1, kind="stable"), 1)
        scores, ids = np.take_along_axis(every, top, 1), np.take_along_axis(names, top, 1)
    return scores, ids


def share_found(store: Searched, queries: Array, k: int, chunks: Iterable[tuple[Ids, Array]]) -> float:
    """The recall of a store that holds these rows: how much of the true k nearest its search gives back.

    An id counts by its exact score: of equals any will do, and a score that the store made up helps it nothing.
    """
    true, _ = best(queries, k, chunks)
    hits, there = 0, int(np.isfinite(true).sum())
    for query, least, ids in zip(queries, true, store.search(queries, k)[1], strict=True):
        ids = np.unique(ids[ids >= 0])
        hits += int((store.vectors(ids) @ query >= least[np.isfinite(least)].min(initial=np.inf) - 1e-6).sum())
    return hits / there if there else 1.0

"""Searches by brute force: the true nearest of a query, and how many of them a store finds."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np

from mmdemo.core.vectors import Array, normalize
from mmdemo.index.vector_file import Ids


class Searched(Protocol):
    """The part of a `VectorStore` that can be measured."""

    def search(self, vectors: Array, k: int, filter: Ids | None = None) -> tuple[Array, Ids]: ...

    def vectors(self, ids: Ids) -> Array: ...


def sampled(vectors: Array, n: int, seed: int = 0, noise: float = 0.3) -> Array:
    """Queries (n, d) that resemble stored vectors: a sample of unit rows, each moved by noise of this length."""
    rng = np.random.default_rng(seed)
    rows = np.asarray(vectors[np.sort(rng.integers(len(vectors), size=n))], np.float32)
    return normalize(rows + noise * normalize(rng.standard_normal(rows.shape)))


def nearest(queries: Array, k: int, chunks: Iterable[tuple[Ids, Array]]) -> tuple[Array, Ids]:
    """Scores and ids (n, k) of the k nearest, by brute force over chunks of ids and rows."""
    scores = np.full((len(queries), k), -np.inf, np.float32)
    ids = np.full((len(queries), k), -1, np.int64)
    for chunk_ids, rows in chunks:
        every = np.hstack([scores, queries @ rows.T])
        names = np.hstack([ids, np.broadcast_to(chunk_ids, (len(queries), len(chunk_ids)))])
        top = np.argpartition(-every, k - 1, axis=1)[:, :k]
        top = np.take_along_axis(top, np.argsort(-np.take_along_axis(every, top, 1), axis=1, kind="stable"), 1)
        scores, ids = np.take_along_axis(every, top, 1), np.take_along_axis(names, top, 1)
    return scores, ids


def measured_recall(store: Searched, queries: Array, k: int, chunks: Iterable[tuple[Ids, Array]]) -> float:
    """The recall@k of a store that holds these rows: the share of the true k nearest that its search finds.

    An id counts by its exact score, so among equal scores any id will do, and the scores that the store reports do not
    matter.
    """
    true, _ = nearest(queries, k, chunks)
    hits, there = 0, int(np.isfinite(true).sum())
    for query, least, ids in zip(queries, true, store.search(queries, k)[1], strict=True):
        ids = np.unique(ids[ids >= 0])
        hits += int((store.vectors(ids) @ query >= least[np.isfinite(least)].min(initial=np.inf) - 1e-6).sum())
    return hits / there if there else 1.0

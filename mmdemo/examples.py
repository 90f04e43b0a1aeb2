"""The queries behind a figure, so that whoever reads it can look at what went wrong, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmdemo.vectors import Array

if TYPE_CHECKING:
    from mmdemo.evaluation import Queries
    from mmdemo.index import ProductIndex

SAMPLE = 6  # examples of each kind
ANSWERS = 5  # of the first answers, and of the right ones


def examples(
    index: ProductIndex, q: Queries, scores: Array, match: Array, right: NDArray[np.bool_], vectors: Array, k: int = 10
) -> dict[str, list[dict[str, Any]]]:
    """The queries that a reader should see: `worst` and `best` by the rank of the first right answer, `misjudged` by
    how far the `match` (n,) stated for the first answer is from whether it is `right` (n,), `alike` by how like each
    other the first k answers' unit `vectors` are. Most telling first.

    Each holds the query as `text` and `picture` (a product's id; either may be ""), the `right` ids, the `rank`, the
    first `answers`, the `match` and the `variety` of the first k.
    """
    best = np.array([s[t].max() for s, t in zip(scores, q.targets, strict=True)])
    rank = 1 + (scores > best[:, None]).sum(1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    variety = np.array([_variety(vectors[row]) for row in order])
    ids = [p.id for p in index.products]

    def shown(i: int) -> dict[str, Any]:
        return {
            "text": q.said[i],
            "picture": q.shows[i],
            "right": [ids[r] for r in q.targets[i][:ANSWERS]],
            "rank": int(rank[i]),
            "answers": [ids[r] for r in order[i, :ANSWERS] if np.isfinite(scores[i, r])],
            "match": round(float(match[i]), 4),
            "variety": round(float(variety[i]), 4),
        }

    telling = {"worst": -rank, "best": rank, "misjudged": -np.abs(match - right), "alike": variety}
    return {name: [shown(i) for i in np.argsort(key, kind="stable")[:SAMPLE]] for name, key in telling.items()}


def most_shown(index: ProductIndex, scores: Array, k: int = 10) -> list[dict[str, Any]]:
    """The products that most of the lists of k hold: `id` and the share of `lists`, most shown first."""
    k = min(k, scores.shape[1])
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    times = np.bincount(top.ravel(), minlength=len(index))
    first = np.argsort(-times, kind="stable")[:SAMPLE]
    return [{"id": index.products[r].id, "lists": round(float(times[r] / len(scores)), 4)} for r in first if times[r]]


def _variety(vectors: Array) -> float:
    """One minus the mean cosine of each two unit vectors."""
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float(1 - pairs.mean()) if len(pairs) else 0.0

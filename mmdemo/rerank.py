"""Reordering an answer: relevance against variety."""

import numpy as np

from mmdemo.vectors import Array


def mmr(relevance: Array, vectors: Array, k: int, diversity: float) -> list[int]:
    """Positions of the k picked by maximal marginal relevance (Carbonell and Goldstein 1998).

    `relevance` (n,) and unit `vectors` (n, d); `diversity` 0 keeps the order of relevance, 1 looks at variety alone.
    """
    if diversity == 0:
        return list(np.argsort(-relevance, kind="stable")[:k])
    likeness = vectors @ vectors.T
    nearest = np.zeros(len(relevance), np.float32)
    left, picked = list(range(len(relevance))), list[int]()
    while left and len(picked) < k:
        gain = (1 - diversity) * relevance[left] - diversity * nearest[left]
        best = left.pop(int(np.argmax(gain)))
        picked.append(best)
        nearest = np.maximum(nearest, likeness[best])
    return picked

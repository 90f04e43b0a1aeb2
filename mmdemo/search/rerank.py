"""Reorders an answer for variety (relevance against likeness to what stands before), and folds variants."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mmdemo.catalog.product import Product
from mmdemo.core.metrics import mean_cosine
from mmdemo.core.vectors import Array

NEAR_COPY = 0.999  # cosine of two pictures of the same category from which they count as one
DIRECTIONS = 6  # along which near-copies are looked for: fewer find too many, more search slowly


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


def families(products: Sequence[Product], image: Array) -> NDArray[np.int64]:
    """A number for each product (n,), shared by variants of one parent, by members of one group, and by near-copies:
    products of one category whose pictures' unit embeddings `image` (n, d) agree to NEAR_COPY."""
    same = [edge for kind in ("parent", "group") for edge in _with_first([getattr(p, kind) for p in products])]
    sample = image[:: 1 + len(image) // 4096]
    directions = np.linalg.eigh(sample.T @ sample)[1][:, -DIRECTIONS:]  # those in which pictures differ most
    by_category: dict[str, list[int]] = {}
    for row, p in enumerate(products):
        if image[row].any():
            by_category.setdefault(p.category, []).append(row)
    copies = [np.array(rows)[near_copies(image[rows], directions)] for rows in by_category.values()]
    edges = np.vstack([np.array(same, np.int64).reshape(-1, 2), *copies])
    graph = coo_array((np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(len(products), len(products)))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _with_first(names: Sequence[str]) -> list[tuple[int, int]]:
    """Each position paired with the first one of the same name; positions without a name are left out."""
    first: dict[str, int] = {}
    return [(first.setdefault(name, row), row) for row, name in enumerate(names) if name]


def near_copies(vectors: Array, directions: Array) -> NDArray[np.int64]:
    """Pairs (m, 2) of positions whose unit vectors (n, d) agree to NEAR_COPY; of equal vectors, each with the first.

    Vectors that agree are as near along a few orthonormal `directions` (d, few), where a tree finds them without
    comparing all with all.
    """
    from scipy.spatial import cKDTree  # half a second that no start has to wait for

    first: dict[bytes, int] = {}
    first_equal = [first.setdefault(v.tobytes(), n) for n, v in enumerate(vectors)]
    equal = [(original, n) for n, original in enumerate(first_equal) if original != n]
    distinct = np.array(list(first.values()), np.int64)
    tree = cKDTree(np.asarray(vectors[distinct] @ directions, np.float64))
    pairs = distinct[tree.query_pairs((2 - 2 * NEAR_COPY) ** 0.5 + 1e-4, output_type="ndarray")]
    chunks = [pairs[start : start + 65_536] for start in range(0, len(pairs), 65_536)]
    near = [c[np.einsum("nd,nd->n", vectors[c[:, 0]], vectors[c[:, 1]]) > NEAR_COPY] for c in chunks]
    return np.vstack([np.array(equal, np.int64).reshape(-1, 2), *near])


def fold(family: NDArray[np.int64]) -> tuple[list[int], list[list[int]]]:
    """Of ranked rows' families (n,): the positions of the first of each, and for each the positions folded under it."""
    first: dict[int, int] = {}
    under: dict[int, list[int]] = {}
    for position, name in enumerate(family.tolist()):
        if name in first:
            under[name].append(position)
        else:
            first[name], under[name] = position, []
    return list(first.values()), list(under.values())


def relevance_diversity_curve(
    scores: Array,
    vectors: Array,
    targets: Sequence[NDArray[np.int64]],
    k: int = 10,
    steps: Sequence[float] = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    pool: int = 5,
) -> list[dict[str, Any]]:
    """What diversity costs: for each step, the share of queries with a right product in the first k, and the mean
    distance (1 - cosine) between the k products, over queries' `scores` (q, n) of products' `vectors` (n, d).

    `targets` are the right rows of each query. Diversity picks from pool * k candidates, as the recommender does.
    """
    tops = [np.argsort(-s, kind="stable")[: min(k * pool, int(np.isfinite(s).sum()))] for s in scores]
    curve = []
    for step in steps:
        hits, distances = [], []
        for s, top, right in zip(scores, tops, targets, strict=True):
            rows = top[mmr(s[top], vectors[top], k, step)]
            hits.append(bool(np.isin(rows, right).any()))
            distances.append(1 - mean_cosine(vectors[rows]))
        curve.append({"diversity": step, f"recall@{k}": float(np.mean(hits)), "distance": float(np.mean(distances))})
    return curve

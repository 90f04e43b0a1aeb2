"""Unit vectors: the one normalisation of the code base. A score anywhere is the dot product of two of these."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]


def normalize(x: ArrayLike) -> Array:
    """Rows (n, d) scaled to length one, float32. Raises ValueError on a zero or non-finite row."""
    rows = np.atleast_2d(np.asarray(x, dtype=np.float32))
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    bad = np.flatnonzero(~np.isfinite(length[:, 0]) | (length[:, 0] < 1e-12))
    if bad.size:
        raise ValueError(f"row {bad[0]} of {len(rows)} is zero or not finite, so it has no direction to normalise to")
    return rows / length


def present(x: Array) -> NDArray[np.bool_]:
    """Which rows (n,) carry a modality: a missing picture or text is stored as a row of zeros."""
    return np.any(x != 0, axis=1)


def storable(ids: ArrayLike, vectors: ArrayLike, dim: int, known: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array]:
    """Ids (n,) and rows (n, dim) as stores keep them; raises ValueError for a known id or a row that is not unit."""
    ids, vectors = np.asarray(ids, np.int64), np.ascontiguousarray(vectors, np.float32)
    if vectors.ndim != 2 or vectors.shape != (len(ids), dim):
        raise ValueError(f"expected {len(ids)} rows of {dim} numbers, found an array of shape {vectors.shape}")
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
        raise ValueError("a stored vector must have length one")
    if len(np.unique(ids)) < len(ids) or np.isin(ids, known).any():
        raise ValueError("an id is stored already; remove it first")
    return ids, vectors

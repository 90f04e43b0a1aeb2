"""Vector stores: unit vectors under integer ids, searched by cosine. The only module that knows FAISS.

A store knows nothing of products. `NumpyStore` is the exact reference that every other store is tested against.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import faiss
import numpy as np
from numpy.typing import NDArray

from mmdemo.errors import InputError
from mmdemo.vectors import Array

Ids = NDArray[np.int64]


class VectorStore(Protocol):
    """Scores are cosines, best first; a short answer is padded with id -1 and score -inf."""

    def add(self, ids: Ids, vectors: Array) -> None:
        """Store unit rows (n, d) under new ids; raises ValueError for a known id or a row that is not unit."""

    def search(self, vectors: Array, k: int, filter: Ids | None = None) -> tuple[Array, Ids]:
        """The k best of the ids in `filter` (None = all) for each query row: scores (n, k) and ids (n, k)."""

    def remove(self, ids: Ids) -> int:
        """Forget these ids; returns how many were there."""

    def save(self, path: Path) -> None: ...

    @classmethod
    def load(cls, path: Path) -> Self: ...

    def __len__(self) -> int: ...


def _check(ids: Ids, vectors: Array, dim: int, known: Ids) -> tuple[Ids, Array]:
    ids, vectors = np.asarray(ids, np.int64), np.ascontiguousarray(vectors, np.float32)
    if vectors.ndim != 2 or vectors.shape != (len(ids), dim):
        raise ValueError(f"expected {len(ids)} rows of {dim} numbers, found an array of shape {vectors.shape}")
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
        raise ValueError("a stored vector must have length one")
    if len(np.unique(ids)) < len(ids) or np.isin(ids, known).any():
        raise ValueError("an id is stored already; remove it first")
    return ids, vectors


class NumpyStore:
    """Brute force in NumPy: exact, and simple enough to be right by inspection."""

    def __init__(self, dim: int) -> None:
        self.dim, self._ids, self._vectors = dim, np.empty(0, np.int64), np.empty((0, dim), np.float32)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: Ids, vectors: Array) -> None:
        ids, vectors = _check(ids, vectors, self.dim, self._ids)
        self._ids, self._vectors = np.r_[self._ids, ids], np.vstack([self._vectors, vectors])

    def search(self, vectors: Array, k: int, filter: Ids | None = None) -> tuple[Array, Ids]:
        keep = np.ones(len(self), bool) if filter is None else np.isin(self._ids, filter)
        ids, scores = self._ids[keep], np.atleast_2d(vectors) @ self._vectors[keep].T
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        pad = [(0, 0), (0, k - order.shape[1])]
        return (
            np.pad(np.take_along_axis(scores, order, 1), pad, constant_values=-np.inf),
            np.pad(ids[order], pad, constant_values=-1),
        )

    def remove(self, ids: Ids) -> int:
        gone = np.isin(self._ids, ids)
        self._ids, self._vectors = self._ids[~gone], self._vectors[~gone]
        return int(gone.sum())

    def save(self, path: Path) -> None:
        with path.open("wb") as f:
            np.savez(f, ids=self._ids, vectors=self._vectors)

    @classmethod
    def load(cls, path: Path) -> Self:
        with np.load(path) as f:
            store = cls(f["vectors"].shape[1])
            store.add(f["ids"], f["vectors"])
        return store


@contextmanager
def _one_thread() -> Iterator[None]:
    """For one query a second thread costs more than it brings. The number is put back: it is one with that of torch,
    whose sums differ in the last digit with it."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class FaissStore:
    """Exact inner product in FAISS; filters are applied inside the search, so they never cost recall."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, ids: Ids, vectors: Array) -> None:
        ids, vectors = _check(ids, vectors, self.dim, faiss.vector_to_array(self._index.id_map))
        self._index.add_with_ids(vectors, ids)

    def search(self, vectors: Array, k: int, filter: Ids | None = None) -> tuple[Array, Ids]:
        vectors = np.ascontiguousarray(np.atleast_2d(vectors), np.float32)
        params = None
        if filter is not None:
            params = faiss.SearchParameters(sel=faiss.IDSelectorBatch(np.asarray(filter, np.int64)))  # type: ignore[call-arg]
        with _one_thread():
            scores, ids = self._index.search(vectors, k, params=params)
        scores[ids < 0] = -np.inf
        return scores, ids

    def remove(self, ids: Ids) -> int:
        return int(self._index.remove_ids(np.asarray(ids, np.int64)))

    def save(self, path: Path) -> None:
        faiss.write_index(self._index, str(path))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a file that this class wrote. Check its hash first: FAISS trusts what it reads."""
        try:
            index: Any = faiss.read_index(str(path))
        except RuntimeError as e:
            raise InputError(f"{path.name} cannot be read as a FAISS index; build the index again") from e
        flat = faiss.downcast_index(index.index) if isinstance(index, faiss.IndexIDMap2) else None
        if not isinstance(flat, faiss.IndexFlatIP) or len(faiss.vector_to_array(index.id_map)) != flat.ntotal:
            raise InputError(f"{path.name} is a FAISS index of another kind; build the index again")
        store = cls(index.d)
        store._index = index
        return store

    def everything(self) -> tuple[Ids, Array]:
        """All ids (n,) with their vectors (n, d), in the order in which they are stored."""
        flat: Any = faiss.downcast_index(self._index.index)
        vectors = faiss.vector_to_array(flat.codes).view(np.float32).reshape(len(self), self.dim)
        return faiss.vector_to_array(self._index.id_map), vectors

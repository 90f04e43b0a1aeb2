"""Stores unit vectors under integer ids and searches them by cosine; the only module that uses FAISS.

A store knows nothing of products. `NumpyStore` is the exact reference that every other store is tested against.

The rule: up to EXACT numbers (50,000 vectors of 256) `FaissStore` compares a query with every vector. Past that it
looks into the PROBES nearest of some 4 sqrt(n) inverted lists (Jegou et al. 2011), whose vectors are kept in one byte a
dimension, and scores REFINE candidates for every answer by their exact vectors, which stay on disk: scores are exact
cosines at any size. Where a filter lets through at most one in FEW, those are compared whole. The curves behind these
numbers stand in docs/performance.md.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import faiss
import numpy as np

from mmdemo.core.errors import InputError
from mmdemo.core.vectors import Array, storable
from mmdemo.index.exact import measured_recall, nearest
from mmdemo.index.vector_file import Ids, VectorFile

EXACT = 12_800_000  # numbers, vectors times their width, up to which every vector is compared
PROBES = 64  # lists that a search looks into
REFINE = 4  # candidates for each answer that are scored exactly
FEW = 250  # where a filter lets through fewer than one in so many, all of those are compared
MOST = 4096  # answers up to which the lists are asked; for more, every vector is compared
TRAINING = 40  # vectors that each list's centre is learnt from
_reading = threading.Lock()  # FAISS has one limit for all that is read at once
BESIDE = ".vectors.npy"  # suffix of the file of exact vectors beside an index of quantised ones


class VectorStore(Protocol):
    """Unit vectors under integer ids, searched by cosine.

    Every store behaves as `NumpyStore` does, but for the recall that it states in its description; the tests of
    `tests/store_contract.py` run against all of them.

    Examples
    --------
    >>> store = NumpyStore(2)
    >>> store.add(np.array([7, 8]), np.eye(2, dtype=np.float32))
    >>> store.search(np.array([[0.6, 0.8]], np.float32), k=3)[1]
    array([[ 8,  7, -1]])
    """

    def add(self, ids: Ids, vectors: Array) -> None:
        """Store vectors under new ids.

        Parameters
        ----------
        ids
            (n,) int64, none of them stored yet.
        vectors
            (n, d) float32 rows of length one.

        Raises
        ------
        ValueError
            For an id that is stored already, or a row that is not of length one.
        """

    def search(self, vectors: Array, k: int, filter: Ids | None = None) -> tuple[Array, Ids]:
        """The nearest stored vectors of each query.

        Parameters
        ----------
        vectors
            (n, d) queries of length one.
        k
            How many to return.
        filter
            The ids that may be returned; None for all.

        Returns
        -------
        tuple
            Cosines (n, k), best first, and their ids (n, k); where there are fewer, -inf and -1 fill the rest.
        """

    def remove(self, ids: Ids) -> int:
        """Delete these ids; returns how many of them were stored."""

    def vectors(self, ids: Ids) -> Array:
        """The exact rows (n, d) stored under these ids; raises KeyError for one that is not stored."""

    def describe(self) -> dict[str, Any]:
        """The kind and parameters of the store for a manifest, ready for JSON, without secrets."""

    def recall(self, queries: Array, k: int = 10) -> float:
        """The share of the true k nearest of these queries (n, d) that `search` finds, counted by brute force."""

    def save(self, path: Path) -> None:
        """Write to `path` and, where one file is not enough, to files beside it whose names begin with its name."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Open what `save` wrote."""

    def __len__(self) -> int: ...


class NumpyStore:
    """Brute force in NumPy: exact, and simple enough to be right by inspection."""

    def __init__(self, dim: int) -> None:
        self.dim, self._ids, self._vectors = dim, np.empty(0, np.int64), np.empty((0, dim), np.float32)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: Ids, vectors: Array) -> None:
        ids, vectors = storable(ids, vectors, self.dim, self._ids)
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

    def vectors(self, ids: Ids) -> Array:
        place = {i: n for n, i in enumerate(self._ids.tolist())}
        return self._vectors[[place[i] for i in np.asarray(ids).tolist()]]

    def describe(self) -> dict[str, Any]:
        return {"kind": "exact", "vectors": len(self), "dim": self.dim}

    def recall(self, queries: Array, k: int = 10) -> float:
        return measured_recall(self, queries, k, [(self._ids, self._vectors)])

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
    """Search in one thread: for a single query a second one costs more time than it saves.

    The number of threads is shared with torch, whose sums depend on it in the last digit, so it is restored.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


class FaissStore:
    """FAISS: exact up to `exact` vectors, past that inverted lists of quantised vectors, as this module's rule says."""

    def __init__(self, dim: int, exact: int | None = None) -> None:
        self.dim, self.exact = dim, EXACT // dim if exact is None else exact
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dim))
        self._file: VectorFile | None = None  # the exact vectors, once `_index` holds quantised ones

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def is_flat(self) -> bool:
        """Whether every vector is compared, and none is quantised."""
        return self._file is None

    @property
    def ids(self) -> Ids:
        """All ids, ascending."""
        return self._file.ids if self._file is not None else np.sort(faiss.vector_to_array(self._index.id_map))

    def add(self, ids: Ids, vectors: Array) -> None:
        ids, vectors = storable(ids, vectors, self.dim, self.ids)
        if self._file is None and len(self) + len(ids) > self.exact:
            known, before = self.everything()
            ids, vectors = np.r_[known, ids], np.vstack([before, vectors]) if len(known) else vectors
            self._index, self._file = _inverted_lists(vectors), VectorFile(self.dim)
        self._own()
        self._index.add_with_ids(vectors, ids)
        if self._file is not None:
            self._file.add(ids, vectors)

    def search(self, vectors: Array, k: int, filter: Ids | None = None) -> tuple[Array, Ids]:
        vectors = np.ascontiguousarray(np.atleast_2d(vectors), np.float32)
        if self._file is not None:
            return self._near(self._file, vectors, k, filter)
        params = None
        if filter is not None:
            params = faiss.SearchParameters(sel=faiss.IDSelectorBatch(np.asarray(filter, np.int64)))  # type: ignore[call-arg]
        with _one_thread():
            scores, ids = self._index.search(vectors, k, params=params)
        scores[ids < 0] = -np.inf
        return scores, ids

    def _near(self, file: VectorFile, vectors: Array, k: int, filter: Ids | None) -> tuple[Array, Ids]:
        """Candidates from the lists, put in order by their exact vectors. Every vector is compared where only few may
        be, where very many are wanted, and for a query whose lists do not hold enough."""
        if filter is not None:
            filter = np.asarray(filter, np.int64)
            filter = file.there(filter if (np.diff(filter) > 0).all() else np.unique(filter))
        among = len(self) if filter is None else len(filter)
        if among * FEW <= len(self) or k > MOST:
            return nearest(vectors, k, file.chunks(filter))
        # What a filter lets through lies in all lists: the less it is, the more of them are worth a look.
        probes = min(self._index.nlist, PROBES * len(self) // among)
        params = faiss.SearchParametersIVF(sel=_selector(filter), nprobe=probes)  # type: ignore[call-arg]
        with _one_thread():
            _, candidates = self._index.search(vectors, min(REFINE * k, among), params=params)
        answers = []
        for vector, row in zip(vectors, candidates, strict=True):
            ids = np.sort(row[row >= 0])
            enough = len(ids) >= min(k, among)
            answers.append(nearest(vector[None], k, [(ids, file.read(ids))] if enough else file.chunks(filter)))
        return np.vstack([scores for scores, _ in answers]), np.vstack([ids for _, ids in answers])

    def remove(self, ids: Ids) -> int:
        self._own()
        if self._file is not None:
            self._file.remove(ids)
        gone = int(self._index.remove_ids(np.asarray(ids, np.int64)))
        if not len(self):
            self.__init__(self.dim, self.exact)  # type: ignore[misc]  # what the lists learnt is of nothing that is left
        return gone

    def vectors(self, ids: Ids) -> Array:
        if self._file is not None:
            return self._file.read(np.asarray(ids, np.int64))
        known, rows = self.everything()
        place = {i: n for n, i in enumerate(known.tolist())}
        return rows[[place[i] for i in np.asarray(ids).tolist()]]

    def describe(self) -> dict[str, Any]:
        size = {"vectors": len(self), "dim": self.dim, "faiss": faiss.__version__}
        if self._file is None:
            return {"kind": "exact", **size}
        lists = self._index.nlist
        return {"kind": "ivf-sq8", **size, "lists": lists, "probes": min(PROBES, lists), "refine": REFINE}

    def recall(self, queries: Array, k: int = 10) -> float:
        return measured_recall(self, queries, k, self._file.chunks() if self._file else [self.everything()])

    def save(self, path: Path) -> None:
        if self._file is not None:
            self._file.save(path.with_name(path.name + BESIDE))
        part = path.with_name(path.name + ".part")  # the file itself may be the one that is mapped here
        faiss.write_index(self._index, str(part))
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what this class wrote; lists are mapped into memory. Check the hashes first: FAISS trusts what it
        reads."""
        index = _read(path)
        flat = faiss.downcast_index(index.index) if isinstance(index, faiss.IndexIDMap2) else None
        if isinstance(flat, faiss.IndexFlatIP):
            sound = flat.d == index.d > 0 and flat.ntotal == index.ntotal == index.id_map.size()
        else:
            sound = isinstance(index, faiss.IndexIVFScalarQuantizer) and index.metric_type == faiss.METRIC_INNER_PRODUCT
            lists: Any = faiss.downcast_InvertedLists(index.invlists) if sound else None  # type: ignore[arg-type]
            # Lists may also lie in another file, for which no hash vouches.
            sound = type(lists) is faiss.OnDiskInvertedLists and not lists.filename
        if not sound:
            raise InputError("{name} is a FAISS index of another kind; build the index again", name=path.name)
        store = cls(index.d)
        store._index = index
        if flat is None:
            lists.prefetch_nthread = 0  # starting threads that read ahead takes longer than the search
            held = [faiss.rev_swig_ptr(lists.get_ids(n), lists.list_size(n)) for n in range(index.nlist)]
            ids = np.sort(np.concatenate([np.empty(0, np.int64), *(some for some in held if len(some))]))
            store._file = VectorFile.load(path.with_name(path.name + BESIDE), index.d, ids)
        return store

    def everything(self) -> tuple[Ids, Array]:
        """All ids (n,), ascending, with their vectors (n, d), read into memory."""
        if self._file is not None:
            return self._file.ids, self._file.read(self._file.ids)
        flat: Any = faiss.downcast_index(self._index.index)
        vectors = faiss.vector_to_array(flat.codes).view(np.float32).reshape(len(self), self.dim)
        ids = faiss.vector_to_array(self._index.id_map)
        order = np.argsort(ids, kind="stable")
        in_order = bool((order[:-1] < order[1:]).all())  # as nearly always: then no copy is made
        return (ids, vectors) if in_order else (ids[order], vectors[order])

    def _own(self) -> None:
        """Lists that are mapped from a file are read-only: before a change they are copied into memory."""
        mapped: Any = faiss.downcast_InvertedLists(self._index.invlists) if self._file is not None else None
        if type(mapped) is faiss.OnDiskInvertedLists:
            copied: Any = faiss.ArrayInvertedLists(self._index.nlist, self._index.code_size)
            lists_class: Any = faiss.InvertedLists
            lists_class.copy_subset_to(mapped, copied, lists_class.SUBSET_TYPE_ID_RANGE, 0, np.iinfo(np.int64).max)
            self._index.replace_invlists(copied, True)
            copied.this.disown()  # the index deletes it


def _read(path: Path) -> Any:
    """A FAISS index of one of the kinds that are written here. Whatever its counts say, it takes no more memory than
    the file is long: FAISS would believe them."""
    with path.open("rb") as file:
        start, size = file.read(57), os.fstat(file.fileno()).st_size
    if (start[:4], start[37:41]) != (b"IxM2", b"IxFI") and (start[:4], start[53:57]) != (b"IwSq", b"IxFI"):
        raise InputError("{name} is a FAISS index of another kind; build the index again", name=path.name)
    with _reading:
        usual = faiss.get_deserialization_vector_byte_limit(), faiss.get_deserialization_loop_limit()
        faiss.set_deserialization_vector_byte_limit(size)
        faiss.set_deserialization_loop_limit(size)
        try:
            return faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        except (RuntimeError, MemoryError) as e:
            raise InputError("{name} cannot be read as a FAISS index; build the index again", name=path.name) from e
        finally:
            faiss.set_deserialization_vector_byte_limit(usual[0])
            faiss.set_deserialization_loop_limit(usual[1])


def _inverted_lists(vectors: Array) -> Any:
    """An empty index whose lists and scales are learnt from these vectors; the same vectors teach it the same."""
    count = min(4 * 2 ** round(np.log2(len(vectors) ** 0.5)), len(vectors))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(vectors.shape[1]),
        vectors.shape[1],
        count,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
        False,
    )
    index.cp.min_points_per_centroid = 1
    sample = np.random.default_rng(0).permutation(len(vectors))[: TRAINING * count]
    index.train(vectors[np.sort(sample)])
    return index


def _selector(filter: Ids | None) -> Any:
    """Ids as FAISS wants them: a bit for each number up to the largest, unless that would take too many."""
    if filter is None:
        return None
    if filter[-1] > 64 * len(filter) + 2**24:
        return faiss.IDSelectorBatch(filter)
    bits = np.zeros(int(filter[-1]) + 1, bool)
    bits[filter] = True
    return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))  # type: ignore[call-arg,arg-type]

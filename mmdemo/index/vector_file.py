"""Exact vectors by id: in a file, of which a read takes only the rows asked for, and in memory what came since.

Nothing is mapped into memory: a page that was touched once would count as resident for good, and a few rows of each
query's answer would in time bring in the whole file. Knows nothing of search.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.errors import InputError
from mmdemo.core.vectors import Array

Ids = NDArray[np.int64]
CHUNK = 16_384  # rows that are read at once where all are


class VectorFile:
    """Rows (n, dim) float32 under distinct ids."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._ids = np.empty(0, np.int64)  # ascending
        self._place = np.empty(0, np.int64)  # of each id: a row of the file, or after the file's last one of `_fresh`
        self._fresh = np.empty((0, dim), np.float32)
        self._start = self._length = 0  # where the file's rows begin, in bytes, and how many there are
        self._file = -1

    def __len__(self) -> int:
        return len(self._ids)

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)

    @property
    def ids(self) -> Ids:
        """All ids, ascending."""
        return self._ids

    def there(self, ids: Ids) -> Ids:
        """Those of these ascending ids that are there."""
        if self._dense():  # as in an index, whose ids are row numbers: only the ends need a look
            low, high = np.searchsorted(ids, [self._ids[0], self._ids[-1] + 1])
            return ids[low:high]
        return ids[self._found(ids)[1]]

    def add(self, ids: Ids, vectors: Array) -> None:
        """Keep rows under new ids; the caller vouches that they are new."""
        place = self._length + len(self._fresh) + np.arange(len(ids))
        self._fresh = np.vstack([self._fresh, vectors]) if len(self._fresh) else np.array(vectors, np.float32)
        ids, place = np.r_[self._ids, ids], np.r_[self._place, place]
        order = np.argsort(ids, kind="stable")
        self._ids, self._place = ids[order], place[order]

    def remove(self, ids: Ids) -> int:
        """Forget these ids; returns how many were there. Their rows are not written again."""
        removed = np.isin(self._ids, ids)
        self._ids, self._place = self._ids[~removed], self._place[~removed]
        return int(removed.sum())

    def read(self, ids: Ids) -> Array:
        """The rows (n, dim) of these ids; raises KeyError for one that is not there."""
        at, found = self._found(ids)
        if not found.all():
            raise KeyError(int(np.asarray(ids)[~found][0]))
        return self._rows(self._place[at])

    def chunks(self, ids: Ids | None = None) -> Iterator[tuple[Ids, Array]]:
        """Ids (None = all) with their rows, some at a time, in the order given or ascending."""
        ids = self._ids if ids is None else ids
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            yield chunk, self.read(chunk)

    def save(self, path: Path) -> None:
        """Write a NumPy file (n, dim) of the rows, ids ascending; `path` may be the file that is read here."""
        part = path.with_name(path.name + ".part")
        rows = np.lib.format.open_memmap(part, "w+", np.float32, (len(self), self.dim))
        start = 0
        for ids, chunk in self.chunks():
            rows[start : start + len(ids)] = chunk
            start += len(ids)
        rows.flush()
        part.replace(path)

    @classmethod
    def load(cls, path: Path, dim: int, ids: Ids) -> "VectorFile":
        """What `save` wrote, for these ids in ascending order. Raises InputError when the file does not fit them."""
        try:
            rows = np.load(path, mmap_mode="r")
        except (OSError, ValueError, EOFError) as e:
            raise InputError("{name} is missing or is no file of vectors; build the index again", name=path.name) from e
        if not isinstance(rows, np.memmap) or rows.dtype != np.float32 or rows.shape != (len(ids), dim):
            raise InputError(
                "{name} should hold {n} vectors of {dim} numbers and holds shape {shape}; build the index again",
                name=path.name,
                n=len(ids),
                dim=dim,
                shape=rows.shape,
            )
        store = cls(dim)
        store._ids, store._place, store._length = ids, np.arange(len(ids)), len(ids)
        store._start, store._file = int(rows.offset), os.open(path, os.O_RDONLY)
        return store

    def _dense(self) -> bool:
        return len(self) > 0 and int(self._ids[-1] - self._ids[0]) == len(self) - 1

    def _found(self, ids: Ids) -> tuple[Ids, NDArray[np.bool_]]:
        if not len(self):
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), bool)
        at = ids - self._ids[0] if self._dense() else np.searchsorted(self._ids, ids)
        at = np.clip(at, 0, len(self) - 1)
        return at, self._ids[at] == ids

    def _rows(self, place: Ids) -> Array:
        """The rows at these places; neighbours in the file are read together."""
        rows = np.empty((len(place), self.dim), np.float32)
        fresh = place >= self._length
        if fresh.any():
            rows[fresh] = self._fresh[place[fresh] - self._length]
        stored = np.flatnonzero(~fresh)
        if len(stored):
            size = 4 * self.dim
            first = np.flatnonzero(np.diff(place[stored], prepend=-2) != 1)
            starts, counts = place[stored[first]].tolist(), np.diff(first, append=len(stored)).tolist()
            read = [os.pread(self._file, n * size, self._start + s * size) for s, n in zip(starts, counts, strict=True)]
            rows[stored] = np.frombuffer(b"".join(read), np.float32).reshape(-1, self.dim)
        return rows

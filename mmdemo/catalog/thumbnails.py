"""Stores and reads an index's pictures: the thumbnails that `imaging` makes, one after the other in one file.

Pictures belong to row numbers; it knows nothing of the products in these rows.
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

CONTENT, TABLE = "thumbnails.bin", "thumbnails.npy"  # the pictures; the row and the end offset of each
ROW, FILE, START, END = range(4)


def _empty_table() -> NDArray[np.int64]:
    return np.empty((0, 4), np.int64)


@dataclass(frozen=True)
class Thumbnails:
    """The pictures of numbered rows: of each row the product's main picture, then its further views.

    Attributes
    ----------
    files
        Where the pictures are.
    table
        One line a picture, int64 (pictures, 4): its row (ascending), the place of its file in `files`, and where it
        starts and ends there, in bytes.

    Examples
    --------
    >>> import tempfile
    >>> thumbnails = Thumbnails.write(Path(tempfile.mkdtemp()) / "a.bin", [[b"front", b"back"], [], [b"lid"]])
    >>> thumbnails.read(0, 1), thumbnails.count(1), thumbnails.take([2]).read(0)
    (b'back', 0, b'lid')
    """

    files: tuple[Path, ...] = ()
    table: NDArray[np.int64] = field(default_factory=_empty_table)

    def count(self, row: int) -> int:
        """How many pictures a row has."""
        low, high = np.searchsorted(self.table[:, ROW], [row, row + 1])
        return int(high - low)

    def read(self, row: int, number: int = 0) -> bytes | None:
        """A row's picture, its main one or a further view (counted from 1); None where there is no such picture."""
        if not 0 <= number < self.count(row):
            return None
        _, file, start, end = self.table[np.searchsorted(self.table[:, ROW], row) + number].tolist()
        with self.files[file].open("rb") as content:
            content.seek(start)
            return content.read(end - start)

    @property
    def nbytes(self) -> int:
        """The length of all pictures together."""
        return int((self.table[:, END] - self.table[:, START]).sum())

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Self:
        """The pictures of these rows, which become rows 0, 1, ..."""
        first, end = (np.searchsorted(self.table[:, ROW], np.asarray(rows, np.int64) + step) for step in (0, 1))
        places = [np.arange(low, high) for low, high in zip(first, end, strict=True)]
        table = self.table[np.concatenate([np.empty(0, np.int64), *places])]
        table[:, ROW] = np.repeat(np.arange(len(places)), end - first)
        return type(self)(self.files, table)

    @classmethod
    def concatenate(cls, parts: Iterable[tuple[Self, int]]) -> Self:
        """The pictures of several parts, each given with its number of rows, which follow one another."""
        files, tables, rows = list[Path](), [_empty_table()], 0
        for part, count in parts:
            tables.append(part.table + np.array([rows, len(files), 0, 0]))
            files.extend(part.files)
            rows += count
        return cls(tuple(files), np.vstack(tables))

    @classmethod
    def write(cls, path: Path, pictures: Iterable[Sequence[bytes]]) -> Self:
        """Write the pictures of rows 0, 1, ... into one file."""
        table, end = list[tuple[int, int, int, int]](), 0
        with path.open("wb") as content:
            for row, of_row in enumerate(pictures):
                for picture in of_row:
                    content.write(picture)
                    table.append((row, 0, end, end + len(picture)))
                    end += len(picture)
        return cls((path,), np.array(table, np.int64).reshape(-1, 4))

    def save(self, folder: Path) -> None:
        """Write all pictures into `folder`, as `load` reads them."""
        with ExitStack() as stack, (folder / CONTENT).open("wb") as content:
            sources = [stack.enter_context(file.open("rb")) for file in self.files]
            for _, file, start, end in self.table.tolist():
                sources[file].seek(start)
                content.write(sources[file].read(end - start))
        lengths = self.table[:, END] - self.table[:, START]
        np.save(folder / TABLE, np.column_stack([self.table[:, ROW], np.cumsum(lengths)]))

    @classmethod
    def load(cls, folder: Path, rows: int) -> Self:
        """What `save` wrote for so many rows. Raises ValueError for a table that does not fit the pictures."""
        saved = np.array(np.load(folder / TABLE, mmap_mode="r"))  # mapped first, so that a false length takes no memory
        if saved.dtype != np.int64 or saved.ndim != 2 or saved.shape[1] != 2:
            raise ValueError(f"{TABLE} holds no rows and ends of pictures")
        row, end = saved.T
        start = np.r_[0, end[:-1]][: len(end)]
        ascending = (np.diff(row) >= 0).all() and (end > start).all()
        inside = not len(row) or (row[0] >= 0 and row[-1] < rows and start[0] == 0)
        if not ascending or not inside or (end[-1] if len(end) else 0) != (folder / CONTENT).stat().st_size:
            raise ValueError(f"{TABLE} does not fit {CONTENT}")
        return cls((folder / CONTENT,), np.column_stack([row, np.zeros_like(row), start, end]))

"""Embeddings of the further pictures of products, so that a product is found by any of its pictures.

Pictures belong to row numbers; it knows nothing of the products in these rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from mmdemo.core.vectors import Array

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class FurtherPictures:
    """The embeddings of numbered rows' further pictures, in the order in which a product shows them.

    Attributes
    ----------
    rows
        The row of each picture, ascending, int64 (pictures,).
    image
        Their embeddings, float32 (pictures, width).

    Examples
    --------
    >>> further = FurtherPictures(np.array([0, 0, 2]), np.array([[1, 0], [0, 1], [0, 1]], np.float32))
    >>> further.nearest(np.array([0.6, 0.8]), further.image, [0, 1])
    (array([ 1, -1]), array([ 0.8, -inf], dtype=float32))
    >>> further.take([2, 1]).rows
    array([0])
    """

    rows: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    image: Array = field(default_factory=lambda: np.empty((0, 0), np.float32))

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: Sequence[int] | Rows) -> Self:
        """The pictures of these rows, which become rows 0, 1, ..."""
        first, end = (np.searchsorted(self.rows, np.asarray(rows, np.int64) + step) for step in (0, 1))
        places = np.concatenate(
            [np.empty(0, np.int64), *(np.arange(low, high) for low, high in zip(first, end, strict=True))]
        )
        return type(self)(np.repeat(np.arange(len(first)), end - first), self.image[places])

    @classmethod
    def concatenate(cls, parts: Iterable[tuple[Self, int]]) -> Self:
        """The pictures of several parts, each given with its number of rows, which follow one another."""
        numbers, images, before = list[Rows](), list[Array](), 0
        for part, count in parts:
            if len(part):
                numbers.append(part.rows + before)
                images.append(part.image)
            before += count
        return cls(np.concatenate(numbers), np.vstack(images)) if numbers else cls()

    def highest(self, scores: Array, count: int) -> Array:
        """For each of so many rows the highest of its pictures' scores (pictures,), -inf where it has none."""
        best = np.full(count, -np.inf, np.float32)
        np.maximum.at(best, self.rows, scores)
        return best

    def nearest(self, query: Array, vectors: Array, rows: Sequence[int] | Rows) -> tuple[Rows, Array]:
        """Of each of these rows, the place of the picture that is nearest to a query (width,), by these vectors
        (pictures, width), and its score; -1 and -inf where it has none."""
        places, scores = np.full(len(rows), -1), np.full(len(rows), -np.inf, np.float32)
        first, end = (np.searchsorted(self.rows, np.asarray(rows, np.int64) + step) for step in (0, 1))
        for n in np.flatnonzero(end > first):
            of_row = vectors[first[n] : end[n]] @ query
            best = int(np.argmax(of_row))
            places[n], scores[n] = first[n] + best, of_row[best]
        return places, scores

    def save(self, path: Path, image: NDArray) -> None:
        """Write the rows with their embeddings, which may be narrowed, as `load` reads them."""
        save_file({"rows": self.rows, "image": image}, path)

    @classmethod
    def load(cls, path: Path, rows: int, width: int) -> Self:
        """What `save` wrote for so many rows. Raises ValueError for what does not fit them."""
        saved = load_file(path)
        of, image = saved.get("rows"), saved.get("image")
        if of is None or image is None or of.dtype != np.int64 or image.dtype not in (np.float16, np.float32):
            raise ValueError(f"{path.name} holds no rows and embeddings of pictures")
        if of.ndim != 1 or image.shape != (len(of), width) or not np.isfinite(image).all():
            raise ValueError(f"{path.name} does not hold an embedding of each picture")
        if (np.diff(of) < 0).any() or (len(of) and (of[0] < 0 or of[-1] >= rows)):
            raise ValueError(f"{path.name} does not fit the {rows} rows")
        return cls(of, image.astype(np.float32))

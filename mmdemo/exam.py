"""What an encoder knows of a catalogue: titles find pictures, pictures find titles, among products kept aside.

Knows nothing of training. Ranks are compared in the encoder's own space, with the preprocessing that users get.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdemo.catalog import Catalog
from mmdemo.encoder import Encoder
from mmdemo.imaging import decode
from mmdemo.product import Product
from mmdemo.shelf import held_out, variant
from mmdemo.vectors import Array

MOST = 1000  # products a catalogue is asked about
FEWEST = 5  # with fewer there is nothing to tell apart
WORDS, SIGHT, RANK = "title -> picture, recall@10", "picture -> title, recall@10", "both ways, mean reciprocal rank"


def found(scores: Array, right: NDArray[np.bool_], k: int) -> float:
    """Recall@k: the share of queries (rows) with a right answer among the first k; queries without one do not count."""
    asked = right.any(1)
    best = np.argsort(-scores[asked], axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(right[asked], best, 1).any(1).mean())


def share(scores: Array, right: NDArray[np.bool_], k: int) -> float:
    """Precision@k: the mean share of right answers among the first k."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(right, best, 1).mean())


def reciprocal_rank(scores: Array, right: NDArray[np.bool_]) -> float:
    """MRR: the mean of 1 / (rank of the first right answer) over queries (rows) that have one."""
    asked = right.any(1)
    order = np.argsort(-scores[asked], axis=1, kind="stable")
    return float((1 / (1 + np.take_along_axis(right[asked], order, 1).argmax(1))).mean())


def luck(right: NDArray[np.bool_], k: int) -> float:
    """Recall@k of a random order, by drawing without replacement."""
    asked, n = right[right.any(1)].sum(1), right.shape[1]
    miss = np.ones(len(asked))
    for i in range(min(k, n)):
        miss *= np.clip((n - asked - i) / (n - i), 0, 1)
    return float(1 - miss.mean())


@dataclass(frozen=True)
class Exam:
    """Pictures and titles of a catalogue's products; `right` (n, n) says which title fits which picture."""

    name: str
    pictures: list[Image.Image]
    titles: list[str]
    right: NDArray[np.bool_]

    @classmethod
    def of(
        cls, path: str | Path, *, aside: bool, split_by: str | None = None, side: int = 256, seed: int = 0
    ) -> "Exam | None":
        """Up to MOST products of a catalogue, only those kept aside where `aside`; None with fewer than FEWEST.

        `side` (pixels) caps the pictures that stay in memory. Near-copies and sizes of one thing are right as well.
        """
        catalog = Catalog.read(path)
        chosen = [p for p in catalog.products if p.title and catalog.image_path(p)]
        chosen = [p for p in chosen if held_out(p, split_by)] if aside else chosen
        if len(chosen) < FEWEST:
            return None
        chosen = [chosen[i] for i in np.sort(np.random.default_rng(seed).permutation(len(chosen))[:MOST])]
        pictures = [decode(catalog.image_path(p), max_side=side) for p in chosen]  # type: ignore[arg-type]
        return cls(Path(path).resolve().name, pictures, [p.title for p in chosen], alike(chosen))

    def chance(self) -> dict[str, float]:
        """The figures of a random order (for the reciprocal rank: its expectation where one answer is right)."""
        n = len(self.titles)
        recall = luck(self.right, 10)
        return {WORDS: recall, SIGHT: recall, RANK: float((1 / np.arange(1, n + 1)).mean())}

    def marks(self, encoder: Encoder) -> dict[str, float]:
        """The encoder's figures, each from 0 to 1."""
        scores = encoder.encode_text(self.titles) @ encoder.encode_image(self.pictures).T
        return {
            WORDS: found(scores, self.right, 10),
            SIGHT: found(scores.T, self.right.T, 10),
            RANK: (reciprocal_rank(scores, self.right) + reciprocal_rank(scores.T, self.right.T)) / 2,
        }


def alike(products: Sequence[Product]) -> NDArray[np.bool_]:
    """bool (n, n): near-copies, sizes of one thing, or the same title."""
    keys = ([p.group or f"#{p.id}" for p in products], [variant(p) for p in products], [p.title for p in products])
    return np.any([np.array(key)[:, None] == np.array(key)[None] for key in keys], axis=0)

"""What an encoder knows of a catalogue: titles find pictures, pictures find titles, among products kept aside.

Knows nothing of training. Ranks are compared in the encoder's own space, with the preprocessing that users get.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.catalog.product import Product
from mmdemo.core.holdout import Holdout
from mmdemo.core.metrics import chance_recall_at, mean_reciprocal_rank, recall_at
from mmdemo.encode.encoder import Encoder
from mmdemo.finetune.dataset import variant

MOST = 1000  # products a catalogue is asked about
FEWEST = 5  # with fewer there is nothing to tell apart
WORDS, SIGHT, RANK = "title -> picture, recall@10", "picture -> title, recall@10", "both ways, mean reciprocal rank"


@dataclass(frozen=True)
class RetrievalEval:
    """Pictures and titles of a catalogue's products; `right` (n, n) says which title fits which picture."""

    name: str
    pictures: list[Image.Image]
    titles: list[str]
    right: NDArray[np.bool_]

    @classmethod
    def of(
        cls, path: str | Path, *, holdout: Holdout | None = None, side: int = 256, seed: int = 0
    ) -> "RetrievalEval | None":
        """Up to MOST products of a catalogue, where given only those that `holdout` keeps
        out of training; None with fewer than FEWEST.

        `side` (pixels) caps the pictures that stay in memory. Near-copies and sizes of one thing are right as well.
        """
        catalog = Catalog.read(path)
        chosen = [p for p in catalog.products if p.title and catalog.image_path(p)]
        chosen = [p for p in chosen if holdout.held_out(p)] if holdout else chosen
        if len(chosen) < FEWEST:
            return None
        chosen = [chosen[i] for i in np.sort(np.random.default_rng(seed).permutation(len(chosen))[:MOST])]
        pictures = [decode(catalog.image_path(p), max_side=side) for p in chosen]  # type: ignore[arg-type]
        return cls(Path(path).resolve().name, pictures, [p.title for p in chosen], alike(chosen))

    def chance(self) -> dict[str, float]:
        """The figures of a random order (for the reciprocal rank: its expectation where one answer is right)."""
        n = len(self.titles)
        recall = chance_recall_at(self.right, 10)
        return {WORDS: recall, SIGHT: recall, RANK: float((1 / np.arange(1, n + 1)).mean())}

    def evaluate(self, encoder: Encoder) -> dict[str, float]:
        """The encoder's figures, each from 0 to 1."""
        scores = encoder.encode_text(self.titles) @ encoder.encode_image(self.pictures).T
        return {
            WORDS: recall_at(scores, self.right, 10),
            SIGHT: recall_at(scores.T, self.right.T, 10),
            RANK: (mean_reciprocal_rank(scores, self.right) + mean_reciprocal_rank(scores.T, self.right.T)) / 2,
        }


def alike(products: Sequence[Product]) -> NDArray[np.bool_]:
    """bool (n, n): near-copies, sizes of one thing, or the same title."""
    keys = ([p.group or f"#{p.id}" for p in products], [variant(p) for p in products], [p.title for p in products])
    return np.any([np.array(key)[:, None] == np.array(key)[None] for key in keys], axis=0)

"""A query after its sentence was read and its photo and words were encoded and fused, once for all that is asked of it.

Knows nothing of ranking; `Recommender.prepare` makes it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.request import Modality, Query
from mmdemo.core.vectors import Array
from mmdemo.language.names import Named
from mmdemo.language.reading import Reading
from mmdemo.language.tiers import Tiers


@dataclass(frozen=True, eq=False)
class PreparedQuery:
    """What every step after the encoder works on.

    `given` is the query as it came, `query` the same with its sentence replaced by what was understood (`reading`).
    `image` and `text` are the embeddings (1, width) of its photo and its words, None where it has none. `parts`
    (3, width), with a taste (4, width), sum to the unit `vector` (width,). `allowed` are the rows that pass the
    filters, None without filters. `tiers` says of each product in which part of the answer it stands. `lift`
    (products,) is what behaviour adds to each product's score, None where no history was given or nothing was learnt;
    of a history alone the `vector` is zero. `named` is what a name in the sentence brings, None where there is none.
    """

    given: Query
    reading: Reading
    query: Query
    image: Array | None
    text: Array | None
    parts: Array
    allowed: NDArray[np.int64] | None
    tiers: Tiers
    lift: Array | None = None
    named: Named | None = None

    @property
    def modality(self) -> Modality:
        """What the query starts from: see `Query.modality`."""
        return self.query.modality

    @cached_property
    def vector(self) -> Array:
        """The unit vector (width,) that is searched with."""
        return self.parts.sum(0)

    def lifted(self, scores: Array, rows: NDArray[np.int64] | slice = slice(None)) -> Array:
        """The scores of the products at `rows`, of whose cosines (rows,) names and behaviour make them."""
        scores = scores if self.named is None else self.named.mixed(scores, rows)
        return scores if self.lift is None else scores + self.lift[rows]

    @cached_property
    def shares(self) -> Array:
        """The parts as they count beside a name."""
        return self.parts if self.named is None else (1 - self.named.weight) * self.parts

    def name(self, row: int) -> float | None:
        """What the name in the sentence adds to a product's score, None where there is none."""
        return None if self.named is None else self.named.weight * float(self.named.cosines[row])

    def behaviour(self, row: int) -> float | None:
        """What behaviour adds to a product's score, None where it adds to none."""
        return None if self.lift is None else float(self.lift[row])

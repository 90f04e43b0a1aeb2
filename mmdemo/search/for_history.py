"""What behaviour adds to the answer of one query: every product's score after a shopper's history and likes, and why.

History and likes are one history to the models. Knows nothing of pictures and words.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from mmdemo.behaviour.behaviour import Behaviour, Explained
from mmdemo.behaviour.events import Rows
from mmdemo.core.request import Query
from mmdemo.core.vectors import Array
from mmdemo.index.product_index import ProductIndex

BESIDE = 0.8  # spread of what behaviour adds beside a query, as a share of that of the query's scores; by hand
ALONE = 0.1  # and by itself: as far apart as a query's scores commonly are
CLAIMED = 0.2  # of what lifts a product for everybody: a history that adds less is not said to have brought it
CLEAR = 0.5  # standard deviations from which on behaviour is a reason


@dataclass(frozen=True, eq=False)
class BehaviourPart:
    """What behaviour adds: (its scores - `mean`) x `slope`, after the products at the rows `history` (m,)."""

    behaviour: Behaviour
    history: Rows
    mean: float
    slope: float
    size: float
    lift: Array

    @classmethod
    def of(cls, index: ProductIndex, query: Query, vector: Array) -> Self | None:
        """The part of a query that searches with `vector`; None where nothing was learnt or no history is given."""
        ids = dict.fromkeys((*query.history, *query.taste.likes))
        if index.behaviour is None or not ids:
            return None
        history = np.array([index.row(i) for i in ids], np.int64)
        scores = index.behaviour.for_history(history.tolist())
        mean, spread = float(scores.mean()), max(float(scores.std()), 1e-9)
        size = BESIDE * index.spread(vector) if query.directed else ALONE
        lift = ((scores - mean) * (size / spread)).astype(np.float32)
        return cls(index.behaviour, history, mean, size / spread, size, lift)

    @cached_property
    def chances(self) -> Array:
        """The chance (products,) that each is what comes next, as the gate was trained to tell it."""
        scores = self.lift / self.slope
        chance = np.exp(scores - scores.max())
        chance[self.history] = 0
        return (chance / max(float(chance.sum()), 1e-9)).astype(np.float32)

    def is_new(self, row: int) -> bool:
        """Whether too few people have touched a product to say anything of it but by its content."""
        return bool(self.behaviour.new[row])

    def decides(self, row: int) -> bool:
        """Whether behaviour lifts a product clearly."""
        return float(self.lift[row]) > CLEAR * self.size

    def explain(self, row: int) -> Explained:
        """What the lift of a product is made of, exactly."""
        told = self.behaviour.explain(self.history, row)
        return replace(
            told,
            always=(told.always - self.mean) * self.slope,
            history=told.history * self.slope,
            models={name: share * self.slope for name, share in told.models.items()},
        )

    def because(self, row: int) -> int | None:
        """The product of the history that brought this one, None where it comes for everybody."""
        told = self.explain(row)
        shares = np.where(self.history == row, -np.inf, told.history)
        best = int(np.argmax(shares))
        brought = shares[best] > 0 and told.history.sum() >= CLAIMED * told.always
        return int(self.history[best]) if brought else None

    def as_dict(self, index: ProductIndex, row: int) -> dict[str, Any]:
        """The lift of a product taken apart, ready for JSON: `always` and the shares of the `history` sum to it."""
        told = self.explain(row)
        shares = zip(self.history, told.history, strict=True)
        return {
            "always": told.always,
            "history": [{"id": index.products[at].id, "share": float(share)} for at, share in shares],
            "new": self.is_new(row),
        }

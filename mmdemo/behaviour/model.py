"""The one contract of every model of behaviour: learn from events, score every product for a history, explain a score.

A score is exactly the sum of a base, which holds for everybody, and of one share for each product of the history.
"""

from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mmdemo.behaviour.events import Events, Matrix, Rows
from mmdemo.core.vectors import Array

Floats = NDArray[np.float64]
State = dict[str, NDArray]


@dataclass(frozen=True)
class Shares:
    """A score taken apart: `base` holds for everybody, `history` (m,) is what each product of the history adds."""

    base: float
    history: Floats

    @property
    def score(self) -> float:
        """The score that this explains."""
        return self.base + float(self.history.sum())


class BehaviourModel(ABC):
    """What every model does; `state` is all that is kept of it, and holds numbers of products, none of people."""

    name: ClassVar[str]

    @abstractmethod
    def fit(self, events: Events) -> Self:
        """Learn from what people did, and return the model."""

    @abstractmethod
    def score(self, histories: Matrix) -> Array:
        """How much whoever has these histories (people, products) may like each product: higher is better."""

    @abstractmethod
    def explain(self, history: Rows, product: int) -> Shares:
        """What the score of a product (its row) after a history (m,) of rows is made of."""

    @abstractmethod
    def state(self) -> State:
        """The fitted numbers, for `restore`."""

    @abstractmethod
    def restore(self, state: State) -> Self:
        """The fitted model that `state` was taken from."""

    @abstractmethod
    def aligned(self, rows: Rows, content: Floats) -> Self:
        """The fitted model over other products (m,): the row that each had, -1 for one that came since, and what is
        known of each by itself (m, p)."""


class LinearModel(BehaviourModel):
    """A model whose score is base[product] + the sum of weights[seen, product] over the history."""

    base: Array  # (products,)
    weights: Array  # (products, products)

    def score(self, histories: Matrix) -> Array:
        return self.base + histories @ self.weights

    def explain(self, history: Rows, product: int) -> Shares:
        return Shares(float(self.base[product]), self.weights[history, product].astype(np.float64))

    def state(self) -> State:
        return {"base": self.base, "weights": self.weights}

    def restore(self, state: State) -> Self:
        self.base, self.weights = state["base"], state["weights"]
        return self

    def aligned(self, rows: Rows, content: Floats) -> Self:
        moved = copy(self)
        moved.base, moved.weights = take(self.base, rows), take(take(self.weights, rows).T, rows).T
        return moved


def take(values: NDArray, rows: Rows) -> NDArray:
    """Rows of an array, zero where a row is -1.

    >>> take(np.array([5.0, 7.0]), np.array([1, -1])).tolist()
    [7.0, 0.0]
    """
    taken = (
        values[np.maximum(rows, 0)].copy() if len(values) else np.zeros((len(rows), *values.shape[1:]), values.dtype)
    )
    taken[rows < 0] = 0
    return taken

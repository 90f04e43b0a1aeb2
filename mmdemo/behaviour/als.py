"""Implicit ALS: people and products as factors by alternating least squares (Hu, Koren and Volinsky 2008).

What is kept are the products' factors. A person is solved for when asked: (Y'Y + (confidence - 1) Y_h'Y_h + ridge I)^-1
applied to the history, so a score is a sum over the history, as the paper explains it.
"""

from copy import copy
from typing import Self

import numpy as np

from mmdemo.behaviour.events import Events, Matrix, Rows
from mmdemo.behaviour.model import BehaviourModel, Floats, Shares, State, take
from mmdemo.core.vectors import Array

STEPS = 8
BLOCK = 1024  # systems that are solved at a time


class Als(BehaviourModel):
    """Implicit ALS with one confidence for all events.

    Parameters
    ----------
    factors
        How many numbers describe a person or product.
    confidence
        Of an event, where that nothing happened has 1.
    ridge
        The weight of the penalty on large factors.
    """

    name = "ALS"

    def __init__(self, factors: int = 64, confidence: float = 10.0, ridge: float = 10.0, seed: int = 0) -> None:
        self.factors, self.confidence, self.ridge, self.seed = factors, confidence, ridge, seed
        self.items: Array = np.zeros((0, factors), np.float32)

    def fit(self, events: Events) -> Self:
        rng = np.random.default_rng(self.seed)
        by_person = events.matrix[np.bincount(events.person, minlength=events.people) > 0]
        by_product = by_person.T.tocsr()
        self.items = rng.normal(0, 0.1, (events.products, self.factors)).astype(np.float32)
        for _ in range(STEPS):
            self.items = self._solve(by_product, self._solve(by_person, self.items))
        return self

    def _solve(self, liked: Matrix, factors: Array) -> Array:
        """The factors (rows of `liked`) that fit best to those of its columns."""
        common = factors.T @ factors + self.ridge * np.eye(self.factors, dtype=np.float32)
        solved = np.zeros((liked.shape[0], self.factors), np.float32)
        for start in range(0, liked.shape[0], BLOCK):
            block = liked[start : start + BLOCK]
            systems = np.repeat(common[None], block.shape[0], 0)
            for i, (a, b) in enumerate(zip(block.indptr[:-1], block.indptr[1:], strict=True)):
                own = factors[block.indices[a:b]]
                systems[i] += (self.confidence - 1) * own.T @ own
            right = self.confidence * (block @ factors)
            solved[start : start + BLOCK] = np.linalg.solve(systems, right[:, :, None])[:, :, 0]
        return solved

    def score(self, histories: Matrix) -> Array:
        return self._solve(histories, self.items) @ self.items.T

    def explain(self, history: Rows, product: int) -> Shares:
        own = self.items[history].astype(np.float64)
        system = self.items.T.astype(np.float64) @ self.items + self.ridge * np.eye(self.factors)
        system += (self.confidence - 1) * own.T @ own
        return Shares(0.0, self.confidence * own @ np.linalg.solve(system, self.items[product].astype(np.float64)))

    def state(self) -> State:
        return {"items": self.items, "weights": np.array([self.confidence, self.ridge])}

    def restore(self, state: State) -> Self:
        self.items, self.factors = state["items"], state["items"].shape[1]
        self.confidence, self.ridge = map(float, state["weights"])
        return self

    def aligned(self, rows: Rows, content: Floats) -> Self:
        moved = copy(self)
        moved.items = take(self.items, rows)
        return moved

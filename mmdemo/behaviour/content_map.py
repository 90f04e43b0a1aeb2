"""A content-to-behaviour map: from a product's picture and words to how behaviour would rank it, for new products.

A ridge regression learns, on products that people touched, the column of EASE weights from the product's content; any
product's column is then what its content predicts (as Gantner et al. 2010 map attributes to factors). A product of the
history that nobody else touched lends its row from products of like content.
"""

from copy import copy
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from mmdemo.behaviour.ease import Ease
from mmdemo.behaviour.events import FEW, Events, Matrix, Rows
from mmdemo.behaviour.model import BehaviourModel, Floats, Shares, State, take
from mmdemo.core.vectors import Array


class ContentMap(BehaviourModel):
    """Scores every product by its content alone, touched or not: history x lender x content'.

    Parameters
    ----------
    content
        What is known of each product, (products, p).
    ridge
        The weight of the penalty of the regression from content.
    ease_ridge
        That of the EASE weights which are regressed.
    """

    name = "content map"

    def __init__(self, content: ArrayLike, ridge: float = 1.0, ease_ridge: float = 300.0) -> None:
        self.content: Floats = np.asarray(content, np.float64)
        self.ridge, self.ease_ridge = ridge, ease_ridge
        self.lender: Floats = np.zeros_like(self.content)

    def fit(self, events: Events) -> Self:
        touched = np.flatnonzero(events.counts >= FEW)
        known = self.content[touched]
        target = Ease(self.ease_ridge).fit(events).weights[np.ix_(touched, touched)].astype(np.float64)
        regression = np.linalg.solve(known.T @ known + self.ridge * np.eye(known.shape[1]), known.T)
        self.between = regression @ target @ regression.T  # (p, p): what content says of content
        self.lender = self.content @ self.between
        self.lender[touched] = target @ regression.T
        return self

    def score(self, histories: Matrix) -> Array:
        return ((histories @ self.lender) @ self.content.T).astype(np.float32)

    def explain(self, history: Rows, product: int) -> Shares:
        return Shares(0.0, self.lender[history] @ self.content[product])

    def state(self) -> State:
        return {"content": self.content, "between": self.between, "lender": self.lender}

    def restore(self, state: State) -> Self:
        self.content, self.between, self.lender = (
            state[name].astype(np.float64) for name in ("content", "between", "lender")
        )
        return self

    def aligned(self, rows: Rows, content: Floats) -> Self:
        moved = copy(self)
        moved.content, moved.lender = content, take(self.lender, rows)
        moved.lender[rows < 0] = content[rows < 0] @ self.between
        return moved

"""Popularity with decay: how many liked a product, one a half-life ago counts half; `fit` tunes the half-life."""

from copy import copy
from typing import Self

import numpy as np

from mmdemo.behaviour.events import DAY, Events, Matrix, Rows
from mmdemo.behaviour.model import BehaviourModel, Floats, Shares, State, take
from mmdemo.core.vectors import Array

SMALL = 0.1  # events that a product without any counts for, so that its logarithm exists


class Popularity(BehaviourModel):
    """log(decayed count + SMALL), the same for everybody.

    Parameters
    ----------
    half_life
        In days; None counts every event alike.

    Examples
    --------
    >>> events = Events(np.array([0, 1, 2]), np.array([0, 0, 1]), np.array([0.0, 0.0, 30 * DAY]), 3, 2)
    >>> Popularity().fit(events).count.tolist(), Popularity(half_life=15).fit(events).count.tolist()
    ([2.0, 1.0], [0.5, 1.0])
    """

    name = "popularity"

    def __init__(self, half_life: float | None = None) -> None:
        self.half_life = half_life
        self.count: Array = np.zeros(0, np.float32)

    def fit(self, events: Events) -> Self:
        age = (events.time.max() - events.time) / DAY if len(events) else events.time
        weight = np.ones(len(events)) if self.half_life is None else 0.5 ** (age / self.half_life)
        self.count = np.bincount(events.product, weight, events.products).astype(np.float32)
        return self

    def score(self, histories: Matrix) -> Array:
        return np.repeat(np.log(self.count + SMALL)[None], histories.shape[0], 0)

    def explain(self, history: Rows, product: int) -> Shares:
        return Shares(float(np.log(self.count[product] + SMALL)), np.zeros(len(history)))

    def state(self) -> State:
        return {"count": self.count}

    def restore(self, state: State) -> Self:
        self.count = state["count"]
        return self

    def aligned(self, rows: Rows, content: Floats) -> Self:
        moved = copy(self)
        moved.count = take(self.count, rows)
        return moved

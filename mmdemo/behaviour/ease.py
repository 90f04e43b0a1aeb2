"""EASE: the weights with which a person's products best predict each other, in closed form (Steck 2019)."""

from typing import Self

import numpy as np

from mmdemo.behaviour.events import Events
from mmdemo.behaviour.model import LinearModel


class Ease(LinearModel):
    """B = I - P / diag(P), P = (X'X + ridge I)^-1, where no product predicts itself.

    Parameters
    ----------
    ridge
        The weight of the penalty on large weights.

    Examples
    --------
    >>> events = Events(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 2]), np.zeros(5), 3, 3)
    >>> Ease(ridge=1.0).fit(events).weights.astype(float).round(2).tolist()
    [[0.0, 0.67, 0.0], [0.67, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    name = "EASE"

    def __init__(self, ridge: float = 300.0) -> None:
        self.ridge = ridge

    def fit(self, events: Events) -> Self:
        gram = (events.matrix.T @ events.matrix).toarray().astype(np.float64)
        gram[np.diag_indices_from(gram)] += self.ridge
        inverse = np.linalg.inv(gram)
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        self.base, self.weights = np.zeros(len(gram), np.float32), weights.astype(np.float32) + 0.0
        return self

"""Item-kNN: products are alike where the same people liked both (Sarwar et al. 2001); the cosine, shrunk for few."""

from typing import Self

import numpy as np

from mmdemo.behaviour.events import Events
from mmdemo.behaviour.model import LinearModel


class ItemKnn(LinearModel):
    """The sum of a product's similarities to the history's products, those to its nearest neighbours alone.

    Parameters
    ----------
    neighbours
        How many products each one is compared with.
    shrinkage
        People that are added to the denominator, so that a chance meeting of rare products counts little.

    Examples
    --------
    >>> events = Events(np.array([0, 0, 1]), np.array([0, 1, 1]), np.zeros(3), 2, 3)
    >>> ItemKnn(shrinkage=0).fit(events).weights.astype(float).round(2).tolist()
    [[0.0, 0.71, 0.0], [0.71, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    name = "item-kNN"

    def __init__(self, neighbours: int = 100, shrinkage: float = 10.0) -> None:
        self.neighbours, self.shrinkage = neighbours, shrinkage

    def fit(self, events: Events) -> Self:
        together = (events.matrix.T @ events.matrix).toarray().astype(np.float64)
        size = np.sqrt(np.diag(together))
        similar = together / np.maximum(np.outer(size, size) + self.shrinkage, 1e-9)
        np.fill_diagonal(similar, 0.0)
        if self.neighbours < len(similar):
            least = -np.partition(-similar, self.neighbours - 1, axis=0)[self.neighbours - 1]
            similar[similar < least] = 0.0
        self.base, self.weights = np.zeros(len(similar), np.float32), similar.astype(np.float32)
        return self

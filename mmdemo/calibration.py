"""From a cosine to a probability: how often an answer with such a score was right on held-out queries."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmdemo.vectors import Array


@dataclass
class Calibration:
    """A logistic curve a * score + b for each kind of query ('image', 'text', 'both'), after Platt (1999)."""

    curves: dict[str, tuple[float, float]] = field(default_factory=dict)

    def match(self, kind: str, scores: Array) -> Array:
        """Probabilities (n,) that answers with these scores are right; an unknown kind borrows a known curve."""
        a, b = self.curves.get(kind) or next(iter(self.curves.values()), (12.0, -7.0))
        return (1 / (1 + np.exp(-np.clip(a * np.asarray(scores) + b, -30, 30)))).astype(np.float32)


def calibrate(answers: dict[str, tuple[Array, NDArray[np.bool_]]], top: int = 10) -> Calibration:
    """Fit a curve for every kind from score matrices and which products were right, (queries, products) each."""
    curves = {}
    for kind, (scores, right) in answers.items():
        order = np.argsort(-scores, axis=1)[:, :top]
        s = np.take_along_axis(scores, order, 1).ravel().astype(np.float64)
        y = np.take_along_axis(right, order, 1).ravel().astype(np.float64)
        finite = np.isfinite(s)
        curves[kind] = _platt(s[finite], y[finite])
    return Calibration(curves)


def _platt(s: NDArray[np.float64], y: NDArray[np.float64], rounds: int = 50) -> tuple[float, float]:
    """Newton's method on the log-likelihood, with Platt's smoothed targets and a slope that may not be negative."""
    hits = y.sum()
    target = np.where(y > 0, (hits + 1) / (hits + 2), 1 / (len(y) - hits + 2))
    x = np.stack([s, np.ones_like(s)], 1)
    w = np.array([5.0, -3.0])
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (p - target) + 1e-3 * w
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        w -= np.clip(step, -10, 10)
        if np.abs(step).max() < 1e-6:
            break
    return (float(w[0]), float(w[1])) if w[0] > 0 else (0.0, float(np.log((hits + 1) / (len(y) - hits + 1))))

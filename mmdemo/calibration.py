"""From a cosine to a probability: how often an answer that stood out so far was right on held-out queries.

What counts is how far a score stands out from the same query's scores of the whole catalogue (its z-score): a dim
phone photo has lower cosines than a shop picture, but its right answer stands out all the same.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmdemo.vectors import Array

DOUBT = 0.05  # a chance below which the best answer is called a distant one


@dataclass
class Calibration:
    """A logistic curve a * z + b for each kind of query ('image', 'text', 'both', 'edit', 'like'), after Platt (1999).

    `floors` holds how near the nearest of the first answers has to be for each kind; below it nothing matches.
    """

    curves: dict[str, tuple[float, float]] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)

    def match(self, kind: str, z: Array) -> Array:
        """Probabilities (n,) that answers with these z-scores are right; an unknown kind borrows a known curve."""
        known = self.curves.get(kind) or self.curves.get("both" if kind == "edit" else kind)
        a, b = known or next(iter(self.curves.values()), (2.0, -8.0))
        return (1 / (1 + np.exp(-np.clip(a * np.asarray(z) + b, -30, 30)))).astype(np.float32)


def calibrate(answers: dict[str, tuple[Array, NDArray[np.bool_]]], top: int = 10) -> Calibration:
    """Fit a curve for every kind from score matrices and which products were right, (queries, products) each.

    Queries with more right answers than `top` ("women's shoes") are left out where there are others: nearly all that
    they bring is right, at any score, which says nothing about the queries that mean one thing.
    """
    curves = {}
    for kind, (scores, right) in answers.items():
        pointed = right.sum(1) <= top
        if pointed.sum() >= 20:
            scores, right = scores[pointed], right[pointed]
        order = np.argsort(-scores, axis=1)[:, :top]
        s = np.take_along_axis(standing(scores), order, 1).ravel().astype(np.float64)
        y = np.take_along_axis(right, order, 1).ravel().astype(np.float64)
        finite = np.isfinite(s)
        curves[kind] = _platt(s[finite], y[finite])
    return Calibration(curves)


def reliability(match: Array, right: NDArray[np.bool_], bins: int = 10) -> list[dict[str, float]]:
    """The reliability curve: for each bin of the stated chance that is not empty, the mean `stated`, the share that was
    `right`, and the `count`. `match` and `right` are (n,)."""
    bin_of = np.minimum((match * bins).astype(int), bins - 1)
    return [
        {"stated": float(match[here].mean()), "right": float(right[here].mean()), "count": int(here.sum())}
        for here in (bin_of == b for b in range(bins))
        if here.any()
    ]


def calibration_error(match: Array, right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error: how far the stated chance is from the share of right answers, by bins of the chance.

    `match` and `right` are (n,); 0 is perfect (Naeini et al. 2015).
    """
    curve = reliability(match, right, bins)
    return sum(b["count"] * abs(b["stated"] - b["right"]) for b in curve) / max(1, len(match))


def nearness(image: Array | None, pictures: Array, scores: Array) -> Array:
    """How near answers (n) are in absolute terms: what tells a stranger's photo, whose best answer stands out as well.

    The plain cosine of the query's picture (1, d) with theirs (n, d), or the scores themselves where there is none.
    """
    return pictures @ image[0] if image is not None else scores


def standing(scores: Array) -> Array:
    """Score matrices (queries, products) as z-scores of each query's own row; -inf (left out) stays -inf."""
    there = np.isfinite(scores)
    count = np.maximum(there.sum(1, keepdims=True), 1)  # a catalogue of one product leaves nothing to compare with
    mean = np.where(there, scores, 0).sum(1, keepdims=True) / count
    spread = np.sqrt(np.where(there, (np.where(there, scores, 0) - mean) ** 2, 0).sum(1, keepdims=True) / count)
    return (scores - mean) / np.maximum(spread, 1e-6)


def _platt(z: NDArray[np.float64], y: NDArray[np.float64], rounds: int = 100) -> tuple[float, float]:
    """Damped Newton steps on the log-likelihood, with Platt's smoothed targets and a slope that is not negative."""
    hits = y.sum()
    target = np.where(y > 0, (hits + 1) / (hits + 2), 1 / (len(y) - hits + 2))
    x = np.stack([z, np.ones_like(z)], 1)

    def loss(w: NDArray[np.float64]) -> float:
        return float((np.logaddexp(0, x @ w) - target * (x @ w)).sum() + 5e-4 * w @ w)

    w = np.array([0.0, np.log((hits + 1) / (len(y) - hits + 1))])
    for _ in range(rounds):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        gradient = x.T @ (p - target) + 1e-3 * w
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(2)
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while loss(w - size * step) > loss(w) and size > 1e-6:
            size /= 2
        w = w - size * step
        if np.abs(size * step).max() < 1e-7:
            break
    return (float(w[0]), float(w[1])) if w[0] > 0 else (0.0, float(np.log((hits + 1) / (len(y) - hits + 1))))

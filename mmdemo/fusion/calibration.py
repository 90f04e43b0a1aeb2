"""Calibrate: from a cosine to the probability that an answer is right, learnt on held-out queries.

What counts is how far a score stands out from the same query's scores of the whole catalogue (its z-score): a dim
phone photo has lower cosines than a shop picture, but its right answer stands out all the same. And how many others
stand out as far: of five that are equally near, at most one is the product on the photo. Of red mugs any is a "red
mug", so for words what counts may be no more than how far a score lies behind the best.
It knows nothing of heads and products: scores go in.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from mmdemo.core.vectors import Array

RIVALS = 100  # best answers that the soft maximum is taken of
SHARPNESS = 3.0  # of the soft maximum: the higher, the less a rival counts that is a standard deviation behind
RIDGE = (0.1, 0.1, 5.0, 1e-3)  # on a, b, c and d, which a few queries would make arbitrarily steep
DEFAULT_CURVE = (2.0, 2.0, 0.0, -8.0)

Curve = tuple[float, float, float, float]


@dataclass
class Calibration:
    """For each kind of query ('image', 'text', 'both', 'edit', 'like') a logistic curve, after Platt (1999).

    Attributes
    ----------
    curves
        Coefficients of a z + b (z - soft maximum) + c (z - best) + d by kind of query. a, b, c >= 0, so a better score
        or fewer rivals never make an answer less likely.
    thresholds
        How near the nearest answer of each kind has to be; below it the catalogue does not sell what is asked for.

    Examples
    --------
    >>> calibration = Calibration({"image": (1.0, 1.0, 0.0, -4.0)})
    >>> calibration.probability("image", np.array([5.0, 1.0]), rivals=np.array([5.0, 1.0])).round(2)
    array([0.73, 0.  ], dtype=float32)
    """

    curves: dict[str, Curve] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)

    def probability(self, kind: str, z: Array, rivals: Array) -> Array:
        """Probabilities (n,) that answers with these z-scores are right; an unknown kind has another one's curve.

        `rivals` (m,) are the z-scores of the best answers that may be shown, these included: a filter that leaves fewer
        of them makes each more likely.
        """
        curve = self.curves.get(kind) or self.curves.get("both" if kind == "edit" else kind)
        curve = curve or next(iter(self.curves.values()), DEFAULT_CURVE)
        z = np.asarray(z, np.float32)
        if not len(z):
            return z
        features = _features(z[None], np.asarray(rivals if len(rivals) else z)[None])[0]
        return expit(np.clip(features @ np.array(curve), -30, 30)).astype(np.float32)


def calibrate(answers: dict[str, tuple[Array, NDArray[np.bool_]]], top: int = 10) -> Calibration:
    """Fit a curve for every kind of query.

    Parameters
    ----------
    answers
        By kind, scores and which products are right, (queries, products) both; a score of -inf is left out.
    top
        Answers of each query that are learnt from.

    Returns
    -------
    Calibration
        Curves without thresholds.

    Examples
    --------
    >>> scores = np.random.default_rng(0).normal(size=(50, 20))
    >>> right = scores == scores.max(1, keepdims=True)
    >>> sure, unsure = calibrate({"image": (scores, right)}).probability("image", np.array([3.0, 0.0]), np.zeros(1))
    >>> bool(sure > unsure)
    True
    """
    curves = {}
    for kind, (scores, right) in answers.items():
        z, order = z_scores(scores), np.argsort(-scores, axis=1)[:, :top]
        features = _features(np.take_along_axis(z, order, 1), z).reshape(-1, 4)
        present = np.isfinite(features).all(1)
        hits = np.take_along_axis(right, order, 1).ravel()
        curves[kind] = _fit_curve(features[present], hits[present].astype(np.float64))
    return Calibration(curves)


def logistic(features: NDArray[np.float64], right: NDArray[np.bool_], ridge: float = 0.1) -> tuple[Array, float]:
    """Slopes (k,) and the constant of a logistic regression of what is `right` (n,) on features (n, k).

    >>> slopes, constant = logistic(np.array([[0.0], [1.0]] * 50), np.array([False, True] * 50))
    >>> bool(slopes[0] > 3), bool(constant < -1)
    (True, True)
    """
    x, y = np.c_[features, np.ones(len(features))], right.astype(np.float64)
    penalty = np.r_[np.full(x.shape[1] - 1, ridge), 0.0]

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = x @ w
        value = (np.logaddexp(0, odds) - y * odds).sum() + 0.5 * (penalty * w) @ w
        return float(value), x.T @ (expit(odds) - y) + penalty * w

    fitted = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x
    return fitted[:-1].astype(np.float32), float(fitted[-1])


def soft_maximum(z: Array) -> tuple[Array, Array]:
    """(queries,) the soft maximum of the RIVALS best of each row of z-scores (queries, n), and the maximum itself.

    The nearer others come to the best, the further the soft maximum lies above it.
    """
    best = np.sort(z, axis=1)[:, -RIVALS:]
    maximum = np.where(np.isfinite(best[:, -1:]), best[:, -1:], 0)  # 0 for a row without answers
    above = np.log(np.exp(SHARPNESS * (best - maximum)).sum(1).clip(1)) / SHARPNESS
    return maximum[:, 0] + above, maximum[:, 0]


def z_scores(scores: Array) -> Array:
    """Score matrices (queries, products) as z-scores of each query's own row; -inf (left out) stays -inf.

    >>> z_scores(np.array([[1.0, 3.0]]))
    array([[-1.,  1.]])
    """
    present = np.isfinite(scores)
    count = np.maximum(present.sum(1, keepdims=True), 1)  # a catalogue of one product leaves nothing to compare with
    mean = np.where(present, scores, 0).sum(1, keepdims=True) / count
    squares = np.where(present, (np.where(present, scores, 0) - mean) ** 2, 0)
    return (scores - mean) / np.maximum(np.sqrt(squares.sum(1, keepdims=True) / count), 1e-6)


def _features(first: Array, z: Array) -> NDArray[np.float64]:
    """What the curves read, (queries, k, 4), of the first answers (queries, k) among all of `z` (queries, n)."""
    first = first.astype(np.float64)
    soft, best = (x[:, None] for x in soft_maximum(z))
    return np.stack([first, first - soft, first - best, np.ones_like(first)], axis=2)


def _fit_curve(x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    """Three slopes, none negative, and a constant (the columns of `x`) by maximum likelihood with a ridge, on targets
    smoothed as Platt does."""
    hits, ridge = y.sum(), np.array(RIDGE)
    target = np.where(y > 0, (hits + 1) / (hits + 2), 1 / (len(y) - hits + 2))

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = x @ w
        value = (np.logaddexp(0, odds) - target * odds).sum() + 0.5 * (ridge * w) @ w
        return float(value), x.T @ (expit(odds) - target) + ridge * w

    start = np.array([0, 0, 0, np.log((hits + 1) / (len(y) - hits + 1))])
    bounds = [(0, None)] * 3 + [(None, None)]
    fitted = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 0, "gtol": 1e-9})
    return tuple(fitted.x.tolist())

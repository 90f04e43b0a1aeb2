"""From a cosine to a probability: how often an answer that stood out so far was right on held-out queries.

What counts is how far a score stands out from the same query's scores of the whole catalogue (its z-score): a dim
phone photo has lower cosines than a shop picture, but its right answer stands out all the same. And how crowded it is
up there: of five that are equally near, at most one is the product on the photo. Of red mugs any is a "red mug", so
for words what counts may be no more than how far a score lies behind the best.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmdemo.vectors import Array

RIVALS = 100  # best answers that make a crowd
SHARP = 3.0  # the higher, the fewer of them: how much a rival counts that is a standard deviation behind
STIFF = (0.1, 0.1, 5.0, 1e-3)  # ridge on a, b, c, d, which a few queries would make as steep as they like

Curve = tuple[float, float, float, float]


@dataclass
class Calibration:
    """A logistic curve a z + b (z - crowd) + c (z - best) + d for each kind of query ('image', 'text', 'both', 'edit',
    'like'), after Platt (1999); a, b, c >= 0, so a better score or a smaller crowd never makes an answer less likely.

    `floors` holds how near the nearest of the first answers has to be for each kind; below it nothing matches.
    """

    curves: dict[str, Curve] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)

    def match(self, kind: str, z: Array, rivals: Array) -> Array:
        """Probabilities (n,) that answers with these z-scores are right; an unknown kind borrows a known curve.

        `rivals` (m,) are the z-scores of the best answers that may be shown, these included: a condition that leaves
        fewer of them makes each more likely.
        """
        known = self.curves.get(kind) or self.curves.get("both" if kind == "edit" else kind)
        curve = known or next(iter(self.curves.values()), (2.0, 2.0, 0.0, -8.0))
        z = np.asarray(z, np.float32)
        if not len(z):
            return z
        return _chance(_seen(z[None], np.asarray(rivals if len(rivals) else z)[None])[0] @ np.array(curve))


def crowd(z: Array) -> tuple[Array, Array]:
    """(queries,) the soft maximum of the RIVALS best of each row of z-scores (queries, n), and the very best.

    The nearer others come to the best, the further the crowd lies above it.
    """
    high = np.sort(z, axis=1)[:, -RIVALS:]
    best = np.where(np.isfinite(high[:, -1:]), high[:, -1:], 0)  # a row without answers has no crowd
    above = np.log(np.exp(SHARP * (high - best)).sum(1).clip(1)) / SHARP
    return best[:, 0] + above, best[:, 0]


def _seen(first: Array, z: Array) -> NDArray[np.float64]:
    """What the curves read, (queries, k, 4), of the first answers (queries, k) among all of `z` (queries, n)."""
    first = first.astype(np.float64)
    crowded, best = (x[:, None] for x in crowd(z))
    return np.stack([first, first - crowded, first - best, np.ones_like(first)], axis=2)


def calibrate(answers: dict[str, tuple[Array, NDArray[np.bool_]]], top: int = 10) -> Calibration:
    """Fit a curve for every kind to the first `top` answers, from score matrices and which products were right,
    (queries, products) each."""
    curves = {}
    for kind, (scores, right) in answers.items():
        z, order = standing(scores), np.argsort(-scores, axis=1)[:, :top]
        seen = _seen(np.take_along_axis(z, order, 1), z).reshape(-1, 4)
        there = np.isfinite(seen).all(1)
        curves[kind] = _platt(seen[there], np.take_along_axis(right, order, 1).ravel()[there].astype(np.float64))
    return Calibration(curves)


def _chance(odds: Array) -> Array:
    return (1 / (1 + np.exp(-np.clip(odds, -30, 30)))).astype(np.float32)


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


def _platt(x: NDArray[np.float64], y: NDArray[np.float64], rounds: int = 100) -> Curve:
    """Three slopes and a constant (the columns of `x`) by damped Newton steps on the log-likelihood, with Platt's
    smoothed targets. A slope that would be negative is left out, and the rest is fitted again."""
    hits = y.sum()
    target = np.where(y > 0, (hits + 1) / (hits + 2), 1 / (len(y) - hits + 2))
    used = [0, 1, 2, 3]
    while True:
        seen, ridge = x[:, used], np.array(STIFF)[used]

        def loss(w: NDArray[np.float64], seen: NDArray = seen, ridge: NDArray = ridge) -> float:
            return float((np.logaddexp(0, seen @ w) - target * (seen @ w)).sum() + 0.5 * (ridge * w) @ w)

        w = np.zeros(len(used))
        w[-1] = np.log((hits + 1) / (len(y) - hits + 1))
        for _ in range(rounds):
            p = 1 / (1 + np.exp(-np.clip(seen @ w, -30, 30)))
            gradient = seen.T @ (p - target) + ridge * w
            hessian = (seen * (p * (1 - p))[:, None]).T @ seen + np.diag(ridge)
            step, size = np.linalg.solve(hessian, gradient), 1.0
            while loss(w - size * step) > loss(w) and size > 1e-6:
                size /= 2
            w = w - size * step
            if np.abs(size * step).max() < 1e-7:
                break
        found = dict(zip(used, w.tolist(), strict=True))
        wrong = {column for column in (0, 1, 2) if found.get(column, 0) < 0}
        if not wrong:
            return found.get(0, 0.0), found.get(1, 0.0), found.get(2, 0.0), found[3]
        used = [column for column in used if column not in wrong]

"""Ranking metrics, bootstrap intervals, paired tests and calibration error, each defined here and nowhere else.

Knows nothing of products, encoders or indexes: matrices of scores and of relevance go in, figures come out. recall@k
is the share of queries with a relevant answer among the first k (for one relevant answer that is recall; for several
it is what papers on composed retrieval report under that name).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmdemo.core.vectors import Array

RANKING_METRICS = {  # and what ir-measures calls them
    "recall@1": "Success@1",
    "recall@5": "Success@5",
    "recall@10": "Success@10",
    "mrr": "RR",
    "ndcg@10": "nDCG@10",
}
GRADED_METRICS = ("ndcg@10", "kind@10", "wishes@10")  # what `graded_metrics` gives
DEPTH = 100  # answers of each query that `ranking_metrics` looks at
Relevance = NDArray[np.bool_]  # (queries, answers): which answers are right


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Interval):
    """A mean difference over the same queries, its 95% interval, and the two-sided p of no difference."""

    p: float


@dataclass(frozen=True)
class ListStatistics:
    """What the lists of one ranker are like; see `list_statistics`. In JSON `top_tenth` is "top tenth"."""

    diversity: float
    coverage: float
    top_tenth: Annotated[float, Field(alias="top tenth")]


@dataclass(frozen=True)
class ReliabilityBin:
    """Answers of about the same stated probability: the mean stated, the share that was right, and how many."""

    stated: float
    right: float
    count: int


def ranking_metrics(scores: Array, targets: Sequence[NDArray[np.int64]]) -> dict[str, NDArray[np.float64]]:
    """Every metric of RANKING_METRICS for every query, by ir-measures on the first DEPTH answers.

    Parameters
    ----------
    scores : float (queries, answers); -inf leaves an answer out.
    targets : for each query the columns of its relevant answers.

    Returns
    -------
    dict of metric name to float64 (queries,).

    Examples
    --------
    >>> ranking_metrics(np.array([[0.1, 0.9, 0.5]]), [np.array([2])])["mrr"].tolist()
    [0.5]
    """
    import ir_measures  # late: a page that shows a report needs the names alone

    depth = min(DEPTH, scores.shape[1])
    top = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    run = {str(i): {str(d): float(scores[i, d]) for d in row if np.isfinite(scores[i, d])} for i, row in enumerate(top)}
    qrels = {str(i): {str(t): 1 for t in ts} for i, ts in enumerate(targets)}
    names = {ir_measures.parse_measure(measure): name for name, measure in RANKING_METRICS.items()}
    values = {name: np.zeros(len(targets)) for name in RANKING_METRICS}
    for metric in ir_measures.iter_calc(list(names), qrels, run):
        values[names[metric.measure]][int(metric.query_id)] = metric.value
    return values


def recall_at(scores: Array, relevant: Relevance, k: int) -> float:
    """Recall@k: the share of queries with a relevant answer among the first k; queries without one do not count.

    >>> recall_at(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([[True, False], [False, True]]), 1)
    0.5
    """
    answerable = relevant.any(1)
    return float(_first(scores[answerable], relevant[answerable], k).any(1).mean())


def precision_at(scores: Array, relevant: Relevance, k: int) -> float:
    """Precision@k: the mean share of relevant answers among the first k.

    >>> precision_at(np.array([[0.9, 0.5, 0.1]]), np.array([[True, False, True]]), 2)
    0.5
    """
    return float(_first(scores, relevant, k).mean())


def capped_recall_at(scores: Array, relevant: Relevance, k: int) -> float:
    """Relevant answers among the first k as a share of those that k answers can hold, the mean over queries.

    >>> capped_recall_at(np.array([[0.9, 0.5, 0.1]]), np.array([[True, False, True]]), 2)
    0.5
    """
    possible = np.minimum(relevant.sum(1), k)
    return float((_first(scores, relevant, k).sum(1) / possible).mean())


def mean_reciprocal_rank(scores: Array, relevant: Relevance) -> float:
    """MRR: the mean of 1 / (rank of the first relevant answer) over the queries that have one; ties by position.

    >>> mean_reciprocal_rank(np.array([[0.9, 0.5, 0.1]]), np.array([[False, True, False]]))
    0.5
    """
    answerable = relevant.any(1)
    ordered = _first(scores[answerable], relevant[answerable], scores.shape[1])
    return float((1 / (1 + ordered.argmax(1))).mean())


def reciprocal_ranks(scores: Array, relevant: Relevance) -> NDArray[np.float64]:
    """1 / (rank of the best relevant answer) of each query, (queries,); a tie with a wrong answer counts as lost.

    >>> reciprocal_ranks(np.array([[0.9, 0.9, 0.1]]), np.array([[False, True, False]])).tolist()
    [0.5]
    """
    best = np.where(relevant, scores, -np.inf).max(1, keepdims=True)
    return 1.0 / (1 + (np.where(relevant, -np.inf, scores) >= best).sum(1))


def ndcg_at(scores: Array, relevant: Relevance, k: int) -> NDArray[np.float64]:
    """nDCG@k of each query, (queries,), with a gain of one for each relevant answer (Järvelin and Kekäläinen 2002).

    Every query needs a relevant answer.

    >>> ndcg_at(np.array([[0.9, 0.5, 0.1]]), np.array([[False, True, False]]), 2).round(3).tolist()
    [0.631]
    """
    first = _first(scores, relevant, k)
    discount = 1 / np.log2(np.arange(2, first.shape[1] + 2))
    ideal = np.cumsum(discount)[np.minimum(relevant.sum(1), len(discount)) - 1]
    return (first * discount).sum(1) / ideal


def graded_metrics(
    scores: Array, gains: NDArray[np.float64], of_kind: Relevance, exact: Relevance, k: int = 10
) -> dict[str, NDArray[np.float64]]:
    """Every metric of GRADED_METRICS for every query, (queries,): nDCG by gains, and the precision of kind and of
    wishes, which is the share of right answers among the first k, or among as many as are shown or could be right.

    Parameters
    ----------
    scores : float (queries, answers); -inf leaves an answer out, and ties keep their positions.
    gains : float (queries, answers); every query needs one above zero.
    of_kind, exact : bool (queries, answers); which answers are of the kind asked for, and which meet every wish.

    Examples
    --------
    >>> scores, gains = np.array([[0.9, 0.5, 0.1]]), np.array([[0.1, 1.0, 0.0]])
    >>> {name: v.round(3).tolist() for name, v in graded_metrics(scores, gains, gains > 0, gains == 1, k=2).items()}
    {'ndcg@10': [0.688], 'kind@10': [1.0], 'wishes@10': [1.0]}
    """
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    shown = np.isfinite(np.take_along_axis(scores, order, 1))
    discount = 1 / np.log2(np.arange(2, order.shape[1] + 2))
    ideal = -np.sort(-gains, axis=1)[:, : order.shape[1]] @ discount
    gained = (np.take_along_axis(gains, order, 1) * shown) @ discount

    def precision(right: Relevance) -> NDArray[np.float64]:
        possible = np.minimum(right.sum(1), np.minimum(shown.sum(1), k))
        return (np.take_along_axis(right, order, 1) & shown).sum(1) / np.maximum(possible, 1)

    return dict(zip(GRADED_METRICS, (gained / ideal, precision(of_kind), precision(exact)), strict=True))


def chance_graded_metrics(
    gains: NDArray[np.float64], of_kind: Relevance, exact: Relevance, k: int = 10
) -> dict[str, NDArray[np.float64]]:
    """What `graded_metrics` gives for a random order, on average; exact, without drawing.

    >>> right = np.array([[True, False]])
    >>> chance_graded_metrics(np.array([[1.0, 0.0]]), right, right, k=1)["kind@10"]
    array([0.5])
    """
    n = gains.shape[1]
    k = min(k, n)
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = -np.sort(-gains, axis=1)[:, :k] @ discount

    def precision(right: Relevance) -> NDArray[np.float64]:
        return k * right.mean(1) / np.maximum(np.minimum(right.sum(1), k), 1)

    expected = (gains.mean(1) * discount.sum() / ideal, precision(of_kind), precision(exact))
    return dict(zip(GRADED_METRICS, expected, strict=True))


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """Agreement of two judges over the same items beyond chance (Cohen 1960); 1 is full, 0 is chance's.

    >>> cohen_kappa(["E", "E", "I", "I"], ["E", "I", "I", "I"])
    0.5
    """
    if not first:
        return 0.0
    labels = sorted({*first, *second})
    number = {label: i for i, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels)))
    for a, b in zip(first, second, strict=True):
        table[number[a], number[b]] += 1
    table /= len(first)
    observed, expected = np.trace(table), float(table.sum(0) @ table.sum(1))
    return float((observed - expected) / (1 - expected)) if expected < 1 else 1.0


def chance_recall_at(relevant: Relevance, k: int) -> float:
    """Recall@k of a random order, by drawing without replacement.

    >>> round(chance_recall_at(np.eye(20, dtype=bool), 10), 3)
    0.5
    """
    counts, n = relevant[relevant.any(1)].sum(1), relevant.shape[1]
    miss = np.ones(len(counts))
    for i in range(min(k, n)):
        miss *= np.clip((n - counts - i) / (n - i), 0, 1)
    return float(1 - miss.mean())


def bootstrap_interval(values: NDArray[np.float64], seed: int = 0, resamples: int = 1000) -> Interval:
    """Mean of (n,) values with its 95% percentile bootstrap interval (Efron 1979).

    >>> bootstrap_interval(np.ones(10))
    Interval(value=1.0, low=1.0, high=1.0)
    """
    rng = np.random.default_rng(seed)
    means = rng.choice(values, (resamples, len(values))).mean(1) if len(values) else np.zeros(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high))


def paired_randomisation_test(
    a: NDArray[np.float64], b: NDArray[np.float64], seed: int = 0, flips: int = 5000
) -> Difference:
    """Mean of a - b over the same queries (n,), with its 95% interval and the two-sided p.

    The test flips the sign of each query's difference at random (Smucker, Allan and Carterette 2007).

    >>> paired_randomisation_test(np.ones(50), np.zeros(50)).p < 0.001
    True
    """
    difference = a - b
    rng = np.random.default_rng(seed)
    null = np.abs((rng.choice([-1.0, 1.0], (flips, len(difference))) * difference).mean(1))
    p = float((1 + (null >= abs(difference.mean()) - 1e-12).sum()) / (1 + flips))
    mean = bootstrap_interval(difference, seed)
    return Difference(mean.value, mean.low, mean.high, p)


def mean_cosine(vectors: Array) -> float:
    """Mean cosine of each two of some unit vectors (n, d); 1 for a single one. One minus it is the diversity of a list
    (Smyth and McClave 2001).

    >>> mean_cosine(np.eye(3))
    0.0
    """
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float(pairs.mean()) if len(pairs) else 1.0


def list_statistics(scores: Array, vectors: Array, k: int = 10) -> ListStatistics:
    """What the first k answers are like as lists, from scores (queries, products) and unit vectors (products, d).

    diversity: one minus the mean cosine within a list; coverage: the share of the catalogue that some list shows;
    top_tenth: the share of all places that the most shown tenth of the catalogue takes.

    >>> list_statistics(np.eye(4), np.eye(4), k=2).diversity
    1.0
    """
    k = min(k, scores.shape[1])
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    lists = [row[np.isfinite(scores[i, row])] for i, row in enumerate(top)]
    cosines = [mean_cosine(vectors[row]) if k > 1 else 0.0 for row in lists]
    shown = np.sort(np.bincount(np.hstack(lists), minlength=len(vectors)))[::-1]
    tenth = -(-len(vectors) // 10)
    return ListStatistics(
        diversity=float(1 - np.mean(cosines)),
        coverage=float((shown > 0).mean()),
        top_tenth=float(shown[:tenth].sum() / max(1, shown.sum())),
    )


def reliability_curve(probability: Array, right: NDArray[np.bool_], bins: int = 10) -> list[ReliabilityBin]:
    """The bins of the stated probability that are not empty; `probability` and `right` are (n,).

    >>> reliability_curve(np.array([0.25, 0.25]), np.array([True, False]))
    [ReliabilityBin(stated=0.25, right=0.5, count=2)]
    """
    bin_of = np.minimum((probability * bins).astype(int), bins - 1)
    return [
        ReliabilityBin(float(probability[here].mean()), float(right[here].mean()), int(here.sum()))
        for here in (bin_of == b for b in range(bins))
        if here.any()
    ]


def expected_calibration_error(probability: Array, right: NDArray[np.bool_], bins: int = 10) -> float:
    """How far the stated probability is from the share of right answers, by bins; 0 is perfect (Naeini et al. 2015).

    >>> expected_calibration_error(np.array([0.25, 0.25]), np.array([True, False]))
    0.25
    """
    curve = reliability_curve(probability, right, bins)
    return sum(b.count * abs(b.stated - b.right) for b in curve) / max(1, len(probability))


def _first(scores: Array, relevant: Relevance, k: int) -> Relevance:
    """(queries, k): whether each of the first k answers is relevant, best first; ties keep their positions."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(relevant, order, 1)

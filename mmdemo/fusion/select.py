"""Select a head on validation queries: reciprocal ranks, the baseline of each task, and the one-standard-error rule.

It knows nothing of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmdemo.core.metrics import reciprocal_ranks
from mmdemo.core.vectors import Array
from mmdemo.fusion.heads import FusionHead
from mmdemo.fusion.training_tasks import TEXT_TO_IMAGE, TaskQueries, TrainingTasks

ReciprocalRanks = dict[str, NDArray[np.float64]]  # task -> of each product (or composed query) that is asked for
Figures = dict[str, float]  # task -> mean reciprocal rank


@dataclass(frozen=True)
class Validation:
    """What heads are compared on: queries of validation products, and what each task scores without training."""

    tasks: TrainingTasks
    queries: list[TaskQueries]
    baseline: Figures

    @classmethod
    def against(cls, mean: FusionHead, tasks: TrainingTasks, queries: list[TaskQueries]) -> "Validation":
        """These queries with the `baselines` that need no training."""
        return cls(tasks, queries, baselines(mean, tasks, queries))


def objective(figures: Figures, baseline: Figures) -> float:
    """Mean figure over the tasks, where falling below a task's baseline costs double: no task pays for another's gain.

    >>> objective({"image": 0.75, "text": 0.25}, baseline={"image": 0.5, "text": 0.5})
    0.375
    """
    return float(np.mean([figures[t] - max(0.0, baseline[t] - figures[t]) for t in figures if t != "all"]))


def standard_error(a: ReciprocalRanks, b: ReciprocalRanks, baseline: Figures) -> float:
    """The standard error of the difference of two heads' objectives, over what is asked for."""
    slopes = {t: 2.0 if min(a[t].mean(), b[t].mean()) < baseline[t] else 1.0 for t in a}
    variance = sum(slopes[t] ** 2 * (a[t] - b[t]).var(ddof=1) / len(a[t]) for t in a)
    return float(np.sqrt(variance) / len(a))


def one_standard_error_rule(candidates: Sequence[ReciprocalRanks], baseline: Figures) -> int:
    """The first candidate, from the simplest on, whose objective is within one standard error of the best one's.

    After Breiman et al. (1984).
    """
    objectives = [objective(mean_by_task(ranks), baseline) for ranks in candidates]
    best = int(np.argmax(objectives))
    # One product's luck is exactly one standard error, so a rounding error must not separate them.
    within = [
        objectives[best] - objectives[i] <= standard_error(candidates[best], ranks, baseline) + 1e-9
        for i, ranks in enumerate(candidates)
    ]
    return within.index(True)


@torch.inference_mode()
def product_vectors(head: FusionHead, tasks: TrainingTasks) -> tuple[Tensor, Tensor]:
    """All products as fused vectors, (n, width) each: with their texts, and with their pictures alone."""
    full, without_text = (head.products(*tasks.product_rows(without_text)).sum(1) for without_text in (False, True))
    return full, without_text


@torch.inference_mode()
def ranks_by_task(
    head: FusionHead,
    tasks: TrainingTasks,
    queries: list[TaskQueries],
    products: tuple[Tensor, Tensor] | None = None,
) -> ReciprocalRanks:
    """The reciprocal rank of whatever is asked for, by task, among all products of the catalogue.

    What is asked for in several ways has the mean of them. `products` are the head's `product_vectors`, where they are
    at hand.
    """
    head.eval()
    products = products or product_vectors(head, tasks)
    return {q.task: _reciprocal_ranks(score_queries(head, q, products[q.task == TEXT_TO_IMAGE]), q) for q in queries}


def mean_by_task(ranks: ReciprocalRanks) -> Figures:
    """Mean reciprocal rank by task, and 'all', the mean over tasks."""
    figures = {task: float(values.mean()) for task, values in ranks.items()}
    return {**figures, "all": float(np.mean(list(figures.values())))}


def evaluate_head(head: FusionHead, tasks: TrainingTasks, queries: list[TaskQueries]) -> Figures:
    """A head's mean reciprocal rank by task, and 'all', the mean over tasks."""
    return mean_by_task(ranks_by_task(head, tasks, queries))


@torch.inference_mode()
def baselines(mean: FusionHead, tasks: TrainingTasks, queries: list[TaskQueries]) -> Figures:
    """By task, the best figure that needs no training: by pictures alone, by texts alone, or by the mean of both."""
    best = evaluate_head(mean, tasks, queries)
    best.pop("all")
    for q in queries:
        for rows, products in zip((q.image, q.text), tasks.product_rows(q.task == TEXT_TO_IMAGE), strict=True):
            if bool(rows.any()):
                scores = _without_reference((rows[:, : mean.dim] @ products[:, : mean.dim].T).numpy(), q)
                best[q.task] = max(best[q.task], float(_reciprocal_ranks(scores, q).mean()))
    return best


def score_queries(head: FusionHead, q: TaskQueries, products: Tensor) -> Array:
    """A head's scores (queries, products); a reference is no answer to its own query."""
    return _without_reference((head(q.image, q.text, q.reference_text, q.expansion).sum(1) @ products.T).numpy(), q)


def _without_reference(scores: Array, q: TaskQueries) -> Array:
    rows = np.flatnonzero(q.reference >= 0)
    scores[rows, q.reference[rows]] = -np.inf
    return scores


def _reciprocal_ranks(scores: Array, q: TaskQueries) -> NDArray[np.float64]:
    ranks = reciprocal_ranks(scores, q.positives)
    number = np.unique(q.wanted, return_inverse=True)[1]
    return np.bincount(number, ranks) / np.bincount(number)

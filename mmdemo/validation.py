"""How good a head is on validation: questions with known answers, the floor under each task, and what doubt is left."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmdemo.fusion import FusionHead
from mmdemo.lessons import WORDLESS, Lessons, Questions
from mmdemo.vectors import Array

Answered = dict[str, NDArray[np.float64]]  # task -> reciprocal rank of each of its questions


def merit(figures: dict[str, float], floor: dict[str, float]) -> float:
    """Mean figure over the tasks, where falling below a task's floor costs double: gains must not be paid for there."""
    return float(np.mean([figures[t] - max(0.0, floor[t] - figures[t]) for t in figures if t != "all"]))


def doubt(a: Answered, b: Answered, floor: dict[str, float]) -> float:
    """Two standard errors of the difference of two heads' merits, by how it varies over the same questions."""
    slopes = {t: 2.0 if min(a[t].mean(), b[t].mean()) < floor[t] else 1.0 for t in a}
    variance = sum(slopes[t] ** 2 * (a[t] - b[t]).var(ddof=1) / len(a[t]) for t in a)
    return float(2 * np.sqrt(variance) / len(a))


def least_moved(heads: list[Answered], floor: dict[str, float]) -> int:
    """The first of heads, from the least moved to the most, whose merit cannot be told from the best one's.

    As the one-standard-error rule of Breiman et al. 1984, but with two: the luck of a single question is one already.
    """
    merits = [merit(means(found), floor) for found in heads]
    best = int(np.argmax(merits))
    return next(i for i, found in enumerate(heads) if merits[best] - merits[i] <= doubt(heads[best], found, floor))


@torch.inference_mode()
def answered(head: FusionHead, data: Lessons, questions: list[Questions]) -> Answered:
    """The reciprocal rank of every question by task, among all products of the catalogue."""
    head.eval()
    shelves = [head.products(*data.shown(wordless)).sum(1) for wordless in (False, True)]
    return {q.task: _reciprocal_ranks(scores_of(head, q, shelves[q.task == WORDLESS]), q.right) for q in questions}


def means(found: Answered) -> dict[str, float]:
    """Mean reciprocal rank by task, and 'all', the mean over tasks."""
    figures = {task: float(ranks.mean()) for task, ranks in found.items()}
    return {**figures, "all": float(np.mean(list(figures.values())))}


def judge(head: FusionHead, data: Lessons, questions: list[Questions]) -> dict[str, float]:
    """`means` of `answered`."""
    return means(answered(head, data, questions))


@torch.inference_mode()
def floors(data: Lessons, questions: list[Questions], mean: FusionHead) -> dict[str, float]:
    """By task, the best that comes without training: pictures alone, texts alone, or the mean of both."""
    best = judge(mean, data, questions)
    best.pop("all")
    for q in questions:
        for asked, stored in zip((q.image, q.text), data.shown(q.task == WORDLESS), strict=True):
            if bool(asked.any()):
                alone = _left_out((asked[:, : mean.dim] @ stored[:, : mean.dim].T).numpy(), q)
                best[q.task] = max(best[q.task], float(_reciprocal_ranks(alone, q.right).mean()))
    return best


def scores_of(head: FusionHead, q: Questions, products: Tensor) -> Array:
    """Scores (questions, products) of a head; a reference is no answer to its own question."""
    return _left_out((head(q.image, q.text, q.origin).sum(1) @ products.T).numpy(), q)


def _left_out(scores: Array, q: Questions) -> Array:
    rows = np.flatnonzero(q.reference >= 0)
    scores[rows, q.reference[rows]] = -np.inf
    return scores


def _reciprocal_ranks(scores: Array, right: NDArray[np.bool_]) -> NDArray[np.float64]:
    best = np.where(right, scores, -np.inf).max(1, keepdims=True)
    return 1.0 / (1 + (np.where(right, -np.inf, scores) >= best).sum(1))

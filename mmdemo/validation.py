"""How good a head is on validation: questions with known answers, the floor under each task, and what doubt is left."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmdemo.fusion import FusionHead
from mmdemo.lessons import WORDLESS, Lessons, Questions
from mmdemo.vectors import Array

Answered = dict[str, NDArray[np.float64]]  # task -> reciprocal rank of each product (or edit) that is asked for


def merit(figures: dict[str, float], floor: dict[str, float]) -> float:
    """Mean figure over the tasks, where falling below a task's floor costs double: gains must not be paid for there."""
    return float(np.mean([figures[t] - max(0.0, floor[t] - figures[t]) for t in figures if t != "all"]))


def doubt(a: Answered, b: Answered, floor: dict[str, float]) -> float:
    """The standard error of the difference of two heads' merits, by how it varies over what is asked for."""
    slopes = {t: 2.0 if min(a[t].mean(), b[t].mean()) < floor[t] else 1.0 for t in a}
    variance = sum(slopes[t] ** 2 * (a[t] - b[t]).var(ddof=1) / len(a[t]) for t in a)
    return float(np.sqrt(variance) / len(a))


def least_moved(heads: list[Answered], floor: dict[str, float]) -> int:
    """The first of heads, from the least moved to the most, whose merit lies within a standard error of the best one's
    (the rule of Breiman et al. 1984)."""
    merits = [merit(means(found), floor) for found in heads]
    best = int(np.argmax(merits))
    # The luck of a single product is one standard error, so a rounding error must not tell them apart.
    near = [merits[best] - merits[i] <= doubt(heads[best], found, floor) + 1e-9 for i, found in enumerate(heads)]
    return near.index(True)


@torch.inference_mode()
def shelves_of(head: FusionHead, data: Lessons) -> tuple[Tensor, Tensor]:
    """All products as they are searched, (n, width) each: with their words, and as they show pictures alone."""
    shown, bare = (head.products(*data.shown(wordless)).sum(1) for wordless in (False, True))
    return shown, bare


@torch.inference_mode()
def answered(
    head: FusionHead, data: Lessons, questions: list[Questions], shelves: tuple[Tensor, Tensor] | None = None
) -> Answered:
    """The reciprocal rank of whatever is asked for by task, among all products of the catalogue; asked for in several
    ways it has the mean of them. `shelves` is what `shelves_of` says, where that is known."""
    head.eval()
    shelves = shelves or shelves_of(head, data)
    return {q.task: _reciprocal_ranks(scores_of(head, q, shelves[q.task == WORDLESS]), q) for q in questions}


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
                best[q.task] = max(best[q.task], float(_reciprocal_ranks(alone, q).mean()))
    return best


def scores_of(head: FusionHead, q: Questions, products: Tensor) -> Array:
    """Scores (questions, products) of a head; a reference is no answer to its own question."""
    return _left_out((head(q.image, q.text, q.origin, q.guess).sum(1) @ products.T).numpy(), q)


def _left_out(scores: Array, q: Questions) -> Array:
    rows = np.flatnonzero(q.reference >= 0)
    scores[rows, q.reference[rows]] = -np.inf
    return scores


def _reciprocal_ranks(scores: Array, q: Questions) -> NDArray[np.float64]:
    best = np.where(q.right, scores, -np.inf).max(1, keepdims=True)
    ranks = 1.0 / (1 + (np.where(q.right, -np.inf, scores) >= best).sum(1))
    number = np.unique(q.of, return_inverse=True)[1]
    return np.bincount(number, ranks) / np.bincount(number)

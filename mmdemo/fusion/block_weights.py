"""Tune on validation queries how much each block of a product (picture, mixture, text) counts.

It concerns queries by a photo, by words, and by a photo with words that describe it. Training tasks cannot teach it,
because an encoder has memorised the products that it was trained on.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from mmdemo.fusion.heads import FusionHead, Trained
from mmdemo.fusion.select import (
    Figures,
    ReciprocalRanks,
    Validation,
    one_standard_error_rule,
    product_vectors,
    ranks_by_task,
)
from mmdemo.fusion.training_tasks import TEXT_TO_IMAGE, TaskQueries

SHARES = (0.001, 0.3, 1.0)  # of the trained weights of blocks of another modality than the query's
STRENGTHS = (0.0, 0.2, 0.4, 0.6, 0.8)  # of the gate: how far a described photo may decide by itself
MIN_QUERIES = 8  # of a kind, to fit the gate


def tune_block_weights(head: FusionHead, validation: Validation) -> ReciprocalRanks:
    """Set how much a photo alone asks of mixtures and texts, and words alone of mixtures and pictures.

    Like the weights of a stack (Wolpert 1992), chosen by the one-standard-error rule. Then `fit_photo_gate`. Returns
    the tuned head's reciprocal ranks.
    """
    tasks, queries = validation.tasks, validation.queries
    products = product_vectors(head, tasks)
    ranks = ranks_by_task(head, tasks, queries, products)
    if not isinstance(head, Trained):
        return ranks
    for weights, own_block, names in (
        (head.image_weights, 0, ("image",)),
        (head.text_weights, 2, ("text", TEXT_TO_IMAGE)),
    ):
        if concerned := [q for q in queries if q.task in names]:
            trained, others = weights.detach().clone(), torch.arange(len(weights)) != own_block
            values = [trained + others * math.log(share) for share in SHARES]
            rank = partial(ranks_by_task, head, tasks, concerned, products)
            ranks |= _choose(weights.data, values, rank, validation.baseline)
    return ranks | fit_photo_gate(head, validation, products)


def fit_photo_gate(
    head: Trained, validation: Validation, products: tuple[Tensor, Tensor] | None = None
) -> ReciprocalRanks:
    """Fit the gate that lets an uploaded photo decide by itself where its words only describe it.

    Words that describe a photo agree with it, words that ask for a change do not: the log-odds come from two normal
    distributions of their cosine (Fisher 1936), the gate's strength from the one-standard-error rule. Without enough
    queries of both kinds the gate stays as it is. Returns the reciprocal ranks of photos with words and of composed
    queries.
    """
    by_task = {q.task: q for q in validation.queries if q.task in ("both", "edit")}
    if len(by_task) < 2:
        return {}
    describing, changing = (_cosines(head, by_task[task]) for task in ("both", "edit"))
    if min(len(describing), len(changing)) < MIN_QUERIES:
        return {}
    apart = describing.mean() - changing.mean()
    slope = (2 * apart / (describing.var() + changing.var() + 1e-6)).clamp_min(0)
    offset = -slope * (describing.mean() + changing.mean()) / 2
    values = [torch.tensor([slope, offset, strength]) for strength in STRENGTHS]
    products = products or product_vectors(head, validation.tasks)
    rank = partial(ranks_by_task, head, validation.tasks, [*by_task.values()], products)
    return _choose(head.photo_gate, values, rank, validation.baseline)


def _choose(
    parameter: Tensor, values: list[Tensor], rank: Callable[[], ReciprocalRanks], baseline: Figures
) -> ReciprocalRanks:
    """Set `parameter` to one of `values` by the one-standard-error rule; returns the ranks with it."""
    candidates = []
    for value in values:
        parameter.copy_(value)
        candidates.append(rank())
    chosen = one_standard_error_rule(candidates, baseline)
    parameter.copy_(values[chosen])
    return candidates[chosen]


@torch.inference_mode()
def _cosines(head: Trained, q: TaskQueries) -> Tensor:
    """(n,) of words and photo, for the queries whose photo is uploaded."""
    uploaded = ~q.reference_text.any(1)
    i, t = head.align(q.image[uploaded], q.text[uploaded])
    return (i * t).sum(1)

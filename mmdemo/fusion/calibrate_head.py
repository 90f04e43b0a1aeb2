"""Calibrate a head on queries of held-out products: curves of probability, and thresholds of `search/in_catalogue`."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from mmdemo.core.vectors import Array
from mmdemo.fusion.calibration import Calibration, calibrate
from mmdemo.fusion.heads import FusionHead
from mmdemo.fusion.select import score_queries
from mmdemo.fusion.training_tasks import TEXT_TO_IMAGE, TaskQueries, TrainingTasks, evaluation_queries, perturb

MAX_QUERIES = 400  # of a task
MAX_PICKED = 300  # products that similar ones are asked for
FURTHEST = 2.5  # lengths of an embedding: noise on the furthest photos, about a phone in dim light
FALSE_ALARMS = 0.05  # of the queries that do have an answer, the share that may be told that nothing matches


def calibrate_head(head: FusionHead, tasks: TrainingTasks, splits: Sequence[str], seed: int) -> Calibration:
    """Curves for photos, words, both, composed queries and picked products, and the thresholds of the first three.

    They are learnt on queries of these splits, as a report asks them.
    """
    rng = np.random.default_rng(seed)
    queries = [
        _with_distant_photos(q, tasks, rng)
        for split in splits
        for q in evaluation_queries(tasks, split, MAX_QUERIES, rng, as_reported=True)
    ]
    answers: dict[str, list[tuple[Array, NDArray[np.bool_]]]] = {}
    nearest: dict[str, list[Array]] = {}
    with torch.inference_mode():
        products = head.products(tasks.image, tasks.text).sum(1)
        for q in queries:
            if q.task == TEXT_TO_IMAGE:  # a product of the shop has its words
                continue
            scores = score_queries(head, q, products)
            answers.setdefault(q.task, []).append((scores, q.positives))
            if q.task != "edit":  # a composed query starts from a product of the shop, which is always near
                nearest.setdefault(q.task, []).append(_nearest(q, scores, tasks))
        rows = np.flatnonzero(tasks.split != "train")
        picked = rng.permutation(rows if len(rows) > 20 else np.arange(tasks.n))[:MAX_PICKED]
        similar = (products[picked] @ products.T).numpy()
        similar[np.arange(len(picked)), picked] = -np.inf
        answers["like"] = [(similar, tasks.parent_or_category[picked][:, None] == tasks.parent_or_category[None])]
    stacked = {
        kind: (np.vstack([scores for scores, _ in parts]), np.vstack([right for _, right in parts]))
        for kind, parts in answers.items()
    }
    thresholds = {kind: float(np.quantile(np.hstack(values), FALSE_ALARMS)) for kind, values in nearest.items()}
    return replace(calibrate(stacked), thresholds=thresholds)


def _with_distant_photos(q: TaskQueries, tasks: TrainingTasks, rng: np.random.Generator) -> TaskQueries:
    """Queries with photos three times: as they are, and further from the shop's own pictures than any crop of them,
    as other people's photos are. Other queries as they are."""
    if q.task not in ("image", "both"):
        return q
    image = torch.cat([perturb(q.image, rng, strength) for strength in (0.0, FURTHEST / 2, FURTHEST)])
    text = q.text.repeat(3, 1)
    return replace(
        q,
        image=image,
        text=text,
        reference_text=q.reference_text.repeat(3, 1),
        positives=np.tile(q.positives, (3, 1)),
        reference=np.tile(q.reference, 3),
        expansion=tasks.expansion(q.task, image, text),
        wanted=np.tile(q.wanted, 3),
    )


def _nearest(q: TaskQueries, scores: Array, tasks: TrainingTasks) -> Array:
    """(queries,) the cosine of each photo with the nearest picture; for words, the best score."""
    if q.task == "text":
        return scores.max(1)
    photos = F.normalize(q.image[:, : tasks.dim], dim=1).numpy()
    return (photos @ tasks.image[:, : tasks.dim].numpy().T).max(1)

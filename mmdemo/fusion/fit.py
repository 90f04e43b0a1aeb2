"""Fit adapters and a head to one catalogue, encoder frozen, in seconds.

Each kind of head gets the same budget; validation on products kept aside picks one, and `mean`, which learns nothing,
is among the candidates, so that the result is never worse than it there.
"""

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from mmdemo.core.holdout import Holdout
from mmdemo.core.messages import Message
from mmdemo.core.progress import Progress, silent
from mmdemo.encode.embed import EncodedCatalog
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.fusion.block_weights import tune_block_weights
from mmdemo.fusion.calibrate_head import calibrate_head
from mmdemo.fusion.calibration import Calibration
from mmdemo.fusion.heads import HEADS, LEARNT, FusionHead, Mean, Trained
from mmdemo.fusion.select import (
    Figures,
    ReciprocalRanks,
    Validation,
    evaluate_head,
    mean_by_task,
    objective,
    one_standard_error_rule,
)
from mmdemo.fusion.train import TrainingOptions, train
from mmdemo.fusion.training_tasks import TaskQueries, TrainingTasks, evaluation_queries

MIN_TRAIN = 40  # products: below this nothing can be learnt or judged
MAX_QUERIES = 400  # of a task, to judge a head by


@dataclass
class Fitted:
    """What `fit` returns.

    Attributes
    ----------
    head
        The head that validation picked.
    scores
        By candidate, its mean reciprocal rank by task; empty without training.
    note
        A sentence that says what was chosen and why.
    seconds
        Time of the whole fit.
    calibration
        From the head's scores to probabilities.
    held_out
        Ids of the products that nothing here has seen.
    """

    head: FusionHead
    scores: dict[str, Figures]
    note: str
    seconds: float
    calibration: Calibration
    held_out: list[str] = field(default_factory=list)


def fit(
    catalog: EncodedCatalog,
    encoder: Encoder,
    *,
    heads: Sequence[str] = LEARNT,
    options: TrainingOptions = TrainingOptions(),  # noqa: B008
    start: Trained | None = None,
    holdout: Holdout = Holdout(),  # noqa: B008
    progress: Progress = silent,
) -> Fitted:
    """Learn adapters and a head for this catalogue; deterministic for a seed.

    Parameters
    ----------
    catalog
        Products and their embeddings.
    encoder
        The one that embedded them; it reads the sentences of the training tasks.
    heads
        Names from `HEADS` of the heads to try beside the mean.
    options
        How each head is trained; the seed decides every random choice.
    start
        A pretrained head, which the head of its kind goes on from and is preferred within a standard error. Without
        composed queries it is the only candidate beside the mean, and what it knows of them stays as it is.
    holdout
        Splits the products, as it did when the encoder was trained.
    progress
        Is told about every training step.

    Returns
    -------
    Fitted
        With the mean, and a note that says why, where the catalogue is too small or too uniform to learn from.

    Examples
    --------
    >>> fit(embed(catalog, encoder, work), encoder, start=pretrained_head(encoder)).head.name  # doctest: +SKIP
    'attention'
    """
    started = time.perf_counter()
    seed = options.seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    encode_text = partial(text_embeddings, encoder)
    tasks = TrainingTasks(catalog, encode_text, encoder.dim, rng, holdout=holdout)
    mean = Mean(encoder.dim, catalog.image.shape[1], catalog.text.shape[1]).eval()
    held_out = [p.id for p, split in zip(tasks.products, tasks.split, strict=True) if split == "test"]
    queries = evaluation_queries(tasks, "valid", MAX_QUERIES, np.random.default_rng(seed + 1))
    if reason := _no_training(tasks, queries):
        note = Message("The mean of picture and text is used as it is: {reason}.", reason=reason)
        calibration = calibrate_head(mean, tasks, ("valid", "train"), seed)
        return Fitted(mean, {}, note, time.perf_counter() - started, calibration, held_out)
    validation = Validation.against(mean, tasks, queries)
    candidates = _train_candidates(validation, heads, options, start, progress)
    scores = {"mean": evaluate_head(mean, tasks, queries)}
    scores |= {head.name: mean_by_task(ranks) for head, ranks in candidates}
    best = _choose(candidates, scores, validation.baseline, start) or mean
    note, calibration = _note(best, scores, queries), calibrate_head(best, tasks, ("valid",), seed)
    return Fitted(best, scores, note, time.perf_counter() - started, calibration, held_out)


def _no_training(tasks: TrainingTasks, queries: list[TaskQueries]) -> Message | None:
    """The reason for not training, where there is one."""
    train_products = int((tasks.split == "train").sum())
    if train_products < MIN_TRAIN:
        template = "training needs at least {n} products and finds {found}"
        return Message(template, n=MIN_TRAIN, found=train_products)
    if not tasks.has_image.any():
        return Message("no product has a picture")
    if not tasks.has_text.any():
        return Message("no product has a text")
    if float(tasks.image[tasks.has_image].std(0).max()) < 1e-4:
        return Message("all pictures are the same")
    if not queries:
        return Message("too few products fall into the validation part to judge a head")
    return None


def _train_candidates(
    validation: Validation,
    names: Sequence[str],
    options: TrainingOptions,
    start: Trained | None,
    progress: Progress,
) -> list[tuple[FusionHead, ReciprocalRanks]]:
    """Every head, trained and tuned, with its reciprocal ranks on validation."""
    tasks = validation.tasks
    trainable = [q.task for q in validation.queries if len(tasks.eligible(q.task, "train")) >= MIN_TRAIN]
    # Composed queries teach the most and are the hardest: half of a batch; the other tasks share the rest.
    others = max(1, len(trainable) - ("edit" in trainable))
    shares = {task: 0.5 if task == "edit" else 0.5 / others for task in trainable}
    if start is not None and "edit" not in trainable:
        names = (start.name,)
    candidates, done = [], 0
    for name in names:
        torch.manual_seed(options.seed)
        if start is not None and start.name == name:
            continued = deepcopy(start)
            if "edit" not in trainable:
                continued.freeze_mixing()
            head: FusionHead = continued
        else:
            head = HEADS[name](tasks.dim, tasks.image.shape[1], tasks.text.shape[1])

        def report(more: int, name: str = name) -> None:
            nonlocal done
            done += more
            progress(done, options.steps * len(names), f"fitting the {name} head")

        train(head, validation, shares, options, report)
        candidates.append((head, tune_block_weights(head, validation)))
    return candidates


def _choose(
    candidates: list[tuple[FusionHead, ReciprocalRanks]],
    scores: dict[str, Figures],
    baseline: Figures,
    start: Trained | None,
) -> FusionHead | None:
    """The best by validation of those that beat the mean, or the one trained from `start` within a standard error."""

    def value(name: str) -> float:
        return objective(scores[name], baseline)

    better = [
        (head, ranks)
        for head, ranks in candidates
        if scores[head.name]["all"] >= scores["mean"]["all"] and value(head.name) > value("mean")
    ]
    better.sort(key=lambda one: (start is None or one[0].name != start.name, -value(one[0].name)))
    if not better:
        return None
    return better[one_standard_error_rule([ranks for _, ranks in better], baseline)][0]


def _note(best: FusionHead, scores: dict[str, Figures], queries: list[TaskQueries]) -> Message:
    if scores[best.name]["all"] <= scores["mean"]["all"]:
        return Message(
            "The mean of picture and text is used as it is: no trained head did better on the validation products."
        )
    return Message(
        "The {head} head was chosen: mean reciprocal rank {own} on {n} validation queries against {mean} for the mean.",
        head=best.name,
        own=f"{scores[best.name]['all']:.3f}",
        n=sum(len(q.image) for q in queries),
        mean=f"{scores['mean']['all']:.3f}",
    )

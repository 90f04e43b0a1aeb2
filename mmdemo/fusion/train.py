"""Train one head on a catalogue's tasks, the encoder frozen.

Positives are what a catalogue has: the product's own (augmented) picture, parts of its text, and variants for a
composed query ("this, in blue"). It knows nothing of the choice between heads, which is `fit`'s.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mmdemo.fusion.block_weights import tune_block_weights
from mmdemo.fusion.heads import FusionHead
from mmdemo.fusion.losses import info_nce
from mmdemo.fusion.select import Validation, mean_by_task, objective, one_standard_error_rule
from mmdemo.fusion.training_tasks import TEXT_TO_IMAGE, TrainingTasks

BATCH = 224  # queries
HARD_NEGATIVES = 64
VALIDATE_EVERY = 40  # steps
PATIENCE = 0.4  # of the steps: training stops after so many without a gain
INTERPOLATED = (0, 0.25, 0.5, 0.75, 1)  # states from the start of training (0) to its best (1)
FACET_WEIGHT = 0.1  # of predicting products' attributes, in the loss
MAX_SCALE = 60  # of the cosines in the loss, which starts at 20

State = dict[str, Tensor]


@dataclass(frozen=True)
class TrainingOptions:
    """How a head is trained. The strong weight decay keeps the adapters near the identity on a small shop."""

    steps: int = 200
    seed: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 5.0


@dataclass(frozen=True)
class _Batch:
    """Queries (n, width), which of them see no texts (n, 1), candidate rows and positives (n, candidates)."""

    image: Tensor
    text: Tensor
    reference_text: Tensor
    without_text: Tensor
    candidates: NDArray[np.int64]
    positives: Tensor


def train(
    head: FusionHead,
    validation: Validation,
    shares: dict[str, float],
    options: TrainingOptions,
    progress: Callable[[int], None] = lambda steps: None,
) -> None:
    """Train a head in place on the training split.

    Moving less is often better for what was not trained on (WiSE-FT, Wortsman et al. 2022): of the start, quarters of
    the way and the best state, the first within a standard error of the best is kept, each with its block weights
    tuned.

    Parameters
    ----------
    head
        What to train.
    validation
        Training tasks, and the queries and baselines that decide how far to go.
    shares
        Each task's share of a batch.
    options
        Steps, seed, learning rate and weight decay.
    progress
        Is told how many more steps are done.
    """
    tasks, steps, rng = validation.tasks, options.steps, np.random.default_rng(options.seed)
    classifiers = nn.ModuleList(nn.Linear(head.width, int(codes.max()) + 1) for codes in tasks.facets.T)
    log_scale = nn.Parameter(torch.tensor(np.log(20.0), dtype=torch.float32))
    optimiser = _optimiser([*head.parameters(), *classifiers.parameters()], log_scale, options)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.learning_rate, total_steps=steps, pct_start=0.1)
    eligible = {task: tasks.eligible(task, "train") for task in shares}
    start = deepcopy(head.state_dict())
    best_state, best, validations_since = start, -np.inf, 0
    for step in range(steps):
        head.train()
        loss = _loss(head, tasks, _batch(tasks, shares, eligible, rng), classifiers, log_scale)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        progress(1)
        if (step + 1) % VALIDATE_EVERY == 0 or step + 1 == steps:
            state, validations_since = deepcopy(head.state_dict()), validations_since + 1
            figure = objective(mean_by_task(tune_block_weights(head, validation)), validation.baseline)
            head.load_state_dict(state)
            if figure > best:
                best_state, best, validations_since = state, figure, 0
            if validations_since * VALIDATE_EVERY >= PATIENCE * steps:
                progress(steps - step - 1)
                break
    _interpolate(head, start, best_state, validation)
    head.eval()


def _optimiser(
    parameters: list[nn.Parameter], log_scale: nn.Parameter, options: TrainingOptions
) -> torch.optim.Optimizer:
    """AdamW that keeps matrices near zero, but not the few numbers that weigh the blocks."""
    trainable = [p for p in parameters if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.numel() < 16] + [log_scale], "weight_decay": 0.0},
        {"params": [p for p in trainable if p.numel() >= 16], "weight_decay": options.weight_decay},
    ]
    return torch.optim.AdamW(groups, lr=options.learning_rate)


def _batch(
    tasks: TrainingTasks,
    shares: dict[str, float],
    eligible: dict[str, NDArray[np.int64]],
    rng: np.random.Generator,
) -> _Batch:
    """Queries of every task, and as candidates one answer to each, hard negatives and the references."""
    in_training, draws, without_text = tasks.split == "train", [], []
    positives: list[NDArray[np.int64]] = []
    references = np.empty(0, np.int64)
    for task, share in shares.items():
        wanted = rng.choice(eligible[task], max(4, int(BATCH * share)))
        draw = tasks.draw(task, wanted, rng)
        draws.append(draw[:3])
        without_text.append(torch.full((len(wanted), 1), task == TEXT_TO_IMAGE))
        positives.extend(rows[in_training[rows]] for rows in draw.positives)
        if task == "edit":  # the reference is the hardest negative
            references = np.array([tasks.composed[i].reference for i in wanted], np.int64)
    answers = np.array([rng.choice(rows) for rows in positives], np.int64)
    negatives = _hard_negatives(tasks, answers, np.flatnonzero(in_training), rng)
    candidates = np.unique(np.r_[answers, negatives, references])
    column = np.full(tasks.n, -1)
    column[candidates] = np.arange(len(candidates))
    is_positive = torch.zeros(len(positives), len(candidates))
    for query, rows in enumerate(positives):
        columns = column[rows]
        is_positive[query, columns[columns >= 0]] = 1
    image, text, reference_text = (torch.cat(rows) for rows in zip(*draws, strict=True))
    return _Batch(image, text, reference_text, torch.cat(without_text), candidates, is_positive)


def _hard_negatives(
    tasks: TrainingTasks, answers: NDArray[np.int64], train: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Products of the same parent or category as some of the answers."""
    negatives = []
    for row in rng.choice(answers, min(HARD_NEGATIVES, len(answers)), replace=False):
        similar = train[tasks.parent_or_category[train] == tasks.parent_or_category[row]]
        if len(similar):
            negatives.append(rng.choice(similar))
    return np.array(negatives, np.int64)


def _loss(
    head: FusionHead, tasks: TrainingTasks, batch: _Batch, classifiers: nn.ModuleList, log_scale: nn.Parameter
) -> Tensor:
    """InfoNCE of the batch, and a little of predicting the candidates' attributes from their vectors."""
    queries = head(batch.image, batch.text, batch.reference_text).sum(1)
    products, without_text = (
        head.products(*tasks.product_rows(without_text, batch.candidates)).sum(1) for without_text in (False, True)
    )
    scores = torch.where(batch.without_text, queries @ without_text.T, queries @ products.T)
    loss = info_nce(scores * log_scale.exp().clamp(max=MAX_SCALE), batch.positives)
    for facet, classifier in enumerate(classifiers):
        codes = torch.from_numpy(tasks.facets[batch.candidates, facet])
        if bool((codes >= 0).any()):
            predicted = F.cross_entropy(classifier(products) * 4, codes, ignore_index=-1)
            loss = loss + FACET_WEIGHT / len(classifiers) * predicted
    return loss


def _interpolate(head: FusionHead, start: State, end: State, validation: Validation) -> None:
    """Leave the head between two states, by the one-standard-error rule from the start on."""
    states = [{name: start[name].lerp(value, share) for name, value in end.items()} for share in INTERPOLATED]
    candidates = []
    for state in states:
        head.load_state_dict(state)
        candidates.append(tune_block_weights(head, validation))
    head.load_state_dict(states[one_standard_error_rule(candidates, validation.baseline)])

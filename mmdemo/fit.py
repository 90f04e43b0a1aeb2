"""Align and fuse on one catalogue, encoder frozen: adapters and a head, learnt in seconds from the catalogue itself.

Positives come from what a catalogue has: the product's own (perturbed) picture, parts of its text, and variants
under an edit ("this, in blue"). Each head gets the same budget; validation on products kept aside picks one, and
`mean`, which learns nothing, is among the candidates: so the result is never worse than it there.
"""

import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mmdemo.calibration import Calibration, calibrate, nearness
from mmdemo.catalog import Product
from mmdemo.fusion import HEADS, FusionHead, Mean, Trained
from mmdemo.lessons import EncodeText, Lessons, Questions, perturb, questions
from mmdemo.say import say
from mmdemo.vectors import Array

Progress = Callable[[int, int, str], None]
LEAST_TRAIN = 40  # products: below this nothing can be learnt or judged
BATCH, SIBLINGS = 224, 64
FAR = 1.5  # noise, in lengths of a unit embedding, of the furthest photo that a match is calibrated on
FIRST = 10  # answers among which one has to be near
FALSE_ALARMS = 0.05  # of the held-out queries that do have an answer, how many may be told that nothing matches
DECAY = 5.0  # strong: on a small shop the adapters must stay near the identity


@dataclass
class Fitted:
    """The head that validation picked, every candidate's figure, and a sentence that says what happened."""

    head: FusionHead
    scores: dict[str, dict[str, float]]
    note: str
    seconds: float
    calibration: Calibration
    held_out: list[str] = field(default_factory=list)


def loss_of(scores: Tensor, right: Tensor) -> Tensor:
    """InfoNCE with several positives: mean log-probability of the right candidates (Khosla et al. 2020)."""
    log_p = scores - torch.logsumexp(scores, 1, keepdim=True)
    return -((log_p * right).sum(1) / right.sum(1).clamp_min(1)).mean()


def train(
    head: FusionHead, data: Lessons, tasks: dict[str, float], valid: list[Questions], steps: int, seed: int,
    floor: dict[str, float], progress: Callable[[int], None], lr: float = 1e-3,
) -> tuple[FusionHead, dict[str, float]]:  # fmt: skip
    """Train on the train split; returns the head as it did best on `valid`, the start included, with its figures.

    Points between start and end are tried as well (WiSE-FT, Wortsman et al. 2022): less far is often better on what
    was not trained on. `floor` is the baseline's figure for each task; see `merit`.
    """
    rng = np.random.default_rng(seed)
    aux = nn.ModuleList(nn.Linear(head.width, int(c.max()) + 1) for c in data.facets.T)
    scale = nn.Parameter(torch.tensor(np.log(20.0), dtype=torch.float32))
    # The few numbers that weigh the blocks move fast and freely; the matrices stay near where they started.
    learns = [p for p in head.parameters() if p.requires_grad]
    few = [p for p in learns if p.numel() < 16] + [scale]
    many = [p for p in (*learns, *aux.parameters()) if p.numel() >= 16]
    groups = [{"params": few, "lr": 2e-2, "weight_decay": 0.0}, {"params": many, "lr": lr, "weight_decay": DECAY}]
    optimiser = torch.optim.AdamW(groups)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [2e-2, lr], total_steps=steps, pct_start=0.1)
    learnt_from = data.split == "train"
    trained = np.flatnonzero(learnt_from)
    pools = {t: data.pool(t, "train") for t in tasks}
    start = deepcopy(head.state_dict())
    best_figures, best_state = judge(head, data, valid), start

    def weigh(state: dict[str, Tensor]) -> None:
        nonlocal best_figures, best_state
        head.load_state_dict(state)
        figures = judge(head, data, valid)
        if merit(figures, floor) > merit(best_figures, floor):
            best_figures, best_state = figures, deepcopy(state)

    for step in range(steps):
        head.train()
        images, texts, origins = [], [], []
        right: list[NDArray[np.int64]] = []
        references = np.empty(0, np.int64)
        for task, share in tasks.items():
            pick = rng.choice(pools[task], max(4, int(BATCH * share)))
            i, t, o, r = data.ask(task, pick, rng)
            images.append(i)
            texts.append(t)
            origins.append(o)
            right.extend(answers[learnt_from[answers]] for answers in r)
            if task == "edit":  # the reference and its kin are the hardest wrong answers
                references = np.array([data.edits[e].reference for e in pick], np.int64)
        wanted = np.array([rng.choice(r) for r in right], np.int64)
        kin = _kin_of(data, wanted, trained, rng)
        candidates = np.unique(np.r_[wanted, kin, references])
        position = np.full(data.n, -1)
        position[candidates] = np.arange(len(candidates))
        mask = torch.zeros(len(right), len(candidates))
        for row, answers in enumerate(right):
            at = position[answers]
            mask[row, at[at >= 0]] = 1
        q = head(torch.cat(images), torch.cat(texts), torch.cat(origins)).sum(1)
        p = head.products(data.image[candidates], data.text[candidates]).sum(1)
        loss = loss_of(q @ p.T * scale.exp().clamp(max=60), mask)
        for k, layer in enumerate(aux):
            codes = torch.from_numpy(data.facets[candidates, k])
            if bool((codes >= 0).any()):
                loss = loss + 0.1 / len(aux) * F.cross_entropy(layer(p) * 4, codes, ignore_index=-1)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        progress(1)
        if (step + 1) % 25 == 0 or step + 1 == steps:
            weigh(head.state_dict())
    end = best_state
    for share in (0.75, 0.5, 0.25):
        weigh({name: start[name].lerp(value, share) for name, value in end.items()})
    head.load_state_dict(best_state)
    return head.eval(), best_figures


def _kin_of(data: Lessons, wanted: NDArray[np.int64], train: NDArray[np.int64], rng: np.random.Generator) -> NDArray:
    """Same-parent or same-category products for about SIBLINGS of the wanted rows: hard negatives."""
    some = rng.choice(wanted, min(SIBLINGS, len(wanted)), replace=False)
    found = []
    for row in some:
        kin = train[data.kin[train] == data.kin[row]]
        if len(kin):
            found.append(rng.choice(kin))
    return np.array(found, np.int64)


def merit(figures: dict[str, float], floor: dict[str, float]) -> float:
    """Mean figure over the tasks, where falling below a task's floor costs double: gains must not be paid for there."""
    return float(np.mean([figures[t] - max(0.0, floor[t] - figures[t]) for t in figures if t != "all"]))


@torch.inference_mode()
def judge(head: FusionHead, data: Lessons, questions: list[Questions]) -> dict[str, float]:
    """Mean reciprocal rank by task, among all products of the catalogue, and 'all', the mean over tasks."""
    head.eval()
    products = head.products(data.image, data.text).sum(1)
    figures = {q.task: float(_reciprocal_ranks(_scores(head, q, products), q.right).mean()) for q in questions}
    return {**figures, "all": float(np.mean(list(figures.values())))}


@torch.inference_mode()
def floors(data: Lessons, questions: list[Questions], mean: FusionHead) -> dict[str, float]:
    """By task, the best that comes without training: pictures alone, texts alone, or the mean of both."""
    best = judge(mean, data, questions)
    best.pop("all")
    for q in questions:
        for asked, stored in ((q.image, data.image), (q.text, data.text)):
            if bool(asked.any()):
                alone = _left_out((asked[:, : mean.dim] @ stored[:, : mean.dim].T).numpy(), q)
                best[q.task] = max(best[q.task], float(_reciprocal_ranks(alone, q.right).mean()))
    return best


def _scores(head: FusionHead, q: Questions, products: Tensor) -> Array:
    return _left_out((head(q.image, q.text, q.origin).sum(1) @ products.T).numpy(), q)


def _left_out(scores: Array, q: Questions) -> Array:
    """A reference is no answer to its own query."""
    rows = np.flatnonzero(q.reference >= 0)
    scores[rows, q.reference[rows]] = -np.inf
    return scores


def _reciprocal_ranks(scores: Array, right: NDArray[np.bool_]) -> NDArray[np.float64]:
    best = np.where(right, scores, -np.inf).max(1, keepdims=True)
    return 1.0 / (1 + (np.where(right, -np.inf, scores) >= best).sum(1))


def fit(
    products: Sequence[Product], image: Array, text: Array, encode_text: EncodeText, dim: int, *,
    view: Array | None = None, seed: int = 0, heads: Sequence[str] = ("concat", "weighted", "attention"),
    steps: int = 250, progress: Progress | None = None, start: Trained | None = None,
) -> Fitted:  # fmt: skip
    """Learn adapters and a head for this catalogue; deterministic for a seed.

    `image` (n, >= dim) and `text` (n, >= dim) are encoder rows, zero where missing; `dim` is the shared space's;
    `view` has rows of another try at each picture (zero where there is none), the pictures themselves by default.
    `start` is a head that already knows something (`general_head`): the one of its kind goes on from it. In a catalogue
    that shows no edits it is the only candidate beside the mean, and what it knows of edits stays as it is.
    Falls back to `mean`, with a sentence that says why, when the
    catalogue is too small or too uniform to learn from.
    """
    started = time.perf_counter()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    data = Lessons(products, image, text, view, encode_text, rng)
    mean = Mean(dim, image.shape[1], text.shape[1]).eval()
    held_out = [p.id for p, s in zip(products, data.split, strict=True) if s == "test"]
    why_not = _why_not(data)
    valid = questions(data, "valid", 400, np.random.default_rng(seed + 1))
    if not why_not and not valid:
        why_not = say("too few products fall into the validation part to judge a head")
    if why_not:
        everything = questions(data, "valid", 200, rng) + questions(data, "train", 200, rng)
        calibration = _calibrated(mean, data, everything, seed)
        note = say("The mean of picture and text is used as it is: {reason}.", reason=why_not)
        return Fitted(mean, {}, note, time.perf_counter() - started, calibration, held_out)
    asked = [q.task for q in valid if len(data.pool(q.task, "train")) >= LEAST_TRAIN]
    # Edits teach the most and are the hardest: half of a batch; what else there is shares the rest.
    tasks = {t: 0.5 if t == "edit" else 0.5 / max(1, len(asked) - ("edit" in asked)) for t in asked}
    if start is not None and "edit" not in asked:
        heads = (start.name,)
    scores, floor = {"mean": judge(mean, data, valid)}, floors(data, valid, mean)
    best: FusionHead = mean
    done = 0
    for name in heads:
        torch.manual_seed(seed)

        def tick(n: int, name: str = name) -> None:
            nonlocal done
            done += n
            if progress:
                progress(done, steps * len(heads), f"fitting the {name} head")

        head: FusionHead = HEADS[name](dim, image.shape[1], text.shape[1])
        if start is not None and start.name == name:
            head = deepcopy(start)
            if "edit" not in asked:
                head.keep_mixing()
        head, scores[name] = train(head, data, tasks, valid, steps, seed, floor, tick)
        no_worse = scores[name]["all"] >= scores["mean"]["all"]
        if no_worse and merit(scores[name], floor) > merit(scores[best.name], floor):
            best = head
    gain = scores[best.name]["all"] - scores["mean"]["all"]
    note = say("The mean of picture and text is used as it is: no trained head did better on the validation products.")
    if gain > 0:
        note = say(
            "The {head} head was chosen: mean reciprocal rank {own} on {n} validation queries against {mean} for the "
            "mean.",
            head=best.name, own=f"{scores[best.name]['all']:.3f}", n=sum(len(q.image) for q in valid),
            mean=f"{scores['mean']['all']:.3f}",
        )  # fmt: skip
    return Fitted(best, scores, note, time.perf_counter() - started, _calibrated(best, data, valid, seed), held_out)


def _why_not(data: Lessons) -> str:
    """A reason for not training, or ''."""
    train = int((data.split == "train").sum())
    if train < LEAST_TRAIN:
        return say("training needs at least {n} products and finds {found}", n=LEAST_TRAIN, found=train)
    if not data.has_image.any():
        return say("no product has a picture")
    if not data.has_text.any():
        return say("no product has a text")
    if float(data.image[data.has_image].std(0).max()) < 1e-4:
        return say("all pictures are the same")
    return ""


def _calibrated(head: FusionHead, data: Lessons, asked: list[Questions], seed: int) -> Calibration:
    """Curves for photos (near and far from the shop's own), words, both, edits, and picked products."""
    rng = np.random.default_rng(seed)
    answers: dict[str, list[tuple[Array, NDArray[np.bool_]]]] = {}
    nearest: dict[str, list[float]] = {}
    dim = head.dim
    with torch.inference_mode():
        products = head.products(data.image, data.text).sum(1)
        for q in asked:
            for strength in (0.0, FAR / 2, FAR) if q.task in ("image", "both") else (0.0,):
                # Strangers' photos are further from a shop's own than any crop of it.
                far = replace(q, image=perturb(q.image, rng, strength))
                scores = _scores(head, far, products)
                answers.setdefault(q.task, []).append((scores, q.right))
                if q.task == "edit":  # starts from a product of the shop, which is near by nature
                    continue
                for row, first in enumerate(np.argsort(-scores, axis=1)[:, :FIRST]):
                    photo = F.normalize(far.image[row, None, :dim], dim=1).numpy() if q.task != "text" else None
                    near = nearness(photo, data.image[first, :dim].numpy(), scores[row, first])
                    nearest.setdefault(q.task, []).append(float(near.max()))
        rows = np.flatnonzero(data.split != "train")
        picked = rng.permutation(rows if len(rows) > 20 else np.arange(data.n))[:300]
        like = (products[picked] @ products.T).numpy()
        like[np.arange(len(picked)), picked] = -np.inf
        answers["like"] = [(like, data.kin[picked][:, None] == data.kin[None])]
    found = calibrate({k: (np.vstack([s for s, _ in v]), np.vstack([r for _, r in v])) for k, v in answers.items()})
    return replace(found, floors={k: float(np.quantile(v, FALSE_ALARMS)) for k, v in nearest.items()})

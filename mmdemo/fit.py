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

from mmdemo.calibration import Calibration, calibrate
from mmdemo.catalog import Product
from mmdemo.fusion import HEADS, FusionHead, Mean, Trained
from mmdemo.lessons import WORDLESS, EncodeText, Lessons, Questions, perturb, questions
from mmdemo.say import say
from mmdemo.settle import settle
from mmdemo.validation import Answered, floors, judge, least_moved, means, merit, scores_of
from mmdemo.vectors import Array

Progress = Callable[[int, int, str], None]
LEAST_TRAIN = 40  # products: below this nothing can be learnt or judged
BATCH, SIBLINGS = 224, 64
LOOK = 40  # steps between two looks at validation
PATIENCE = 0.4  # of the steps: after so many without a gain training ends
FAR = 2.5  # noise, in lengths of a row, of the furthest photo that a match is calibrated on: about a phone in dim light
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
    floor: dict[str, float], progress: Callable[[int], None], lr: float = 1e-3, decay: float = DECAY,
) -> None:  # fmt: skip
    """Train a head in place, on the train split.

    Less far is often better on what was not trained on (WiSE-FT, Wortsman et al. 2022): of start, quarters of the way
    and end it is the first within a standard error of the best, each as it is when settled. `floor` is the baseline's
    figure for each task; see `merit`.
    """
    rng = np.random.default_rng(seed)
    aux = nn.ModuleList(nn.Linear(head.width, int(c.max()) + 1) for c in data.facets.T)
    scale = nn.Parameter(torch.tensor(np.log(20.0), dtype=torch.float32))
    # The matrices stay near where they started; the few numbers that weigh the blocks are not drawn to zero.
    learns = [p for p in (*head.parameters(), *aux.parameters()) if p.requires_grad]
    few = [p for p in learns if p.numel() < 16] + [scale]
    many = [p for p in learns if p.numel() >= 16]
    groups = [{"params": few, "weight_decay": 0.0}, {"params": many, "weight_decay": decay}]
    optimiser = torch.optim.AdamW(groups, lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps, pct_start=0.1)
    learnt_from = data.split == "train"
    trained = np.flatnonzero(learnt_from)
    pools = {t: data.pool(t, "train") for t in tasks}
    start = deepcopy(head.state_dict())
    end, best, since = start, -np.inf, 0  # the best that training reaches, and how many looks ago that was
    for step in range(steps):
        head.train()
        images, texts, origins, without = [], [], [], []
        right: list[NDArray[np.int64]] = []
        references = np.empty(0, np.int64)
        for task, share in tasks.items():
            pick = rng.choice(pools[task], max(4, int(BATCH * share)))
            i, t, o, r = data.ask(task, pick, rng)
            images.append(i)
            texts.append(t)
            origins.append(o)
            without.append(torch.full((len(pick), 1), task == WORDLESS))
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
        p, bare = (head.products(*data.shown(wordless, candidates)).sum(1) for wordless in (False, True))
        scores = torch.where(torch.cat(without), q @ bare.T, q @ p.T)
        loss = loss_of(scores * scale.exp().clamp(max=60), mask)
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
        if (step + 1) % LOOK == 0 or step + 1 == steps:
            here, since = deepcopy(head.state_dict()), since + 1
            now = merit(means(settle(head, data, valid, floor)), floor)
            head.load_state_dict(here)
            if now > best:
                end, best, since = here, now, 0
            if since * LOOK >= PATIENCE * steps:
                progress(steps - step - 1)
                break
    way = [{name: start[name].lerp(value, share) for name, value in end.items()} for share in (0, 0.25, 0.5, 0.75, 1)]
    ranks = []
    for state in way:
        head.load_state_dict(state)
        ranks.append(settle(head, data, valid, floor))
    head.load_state_dict(way[least_moved(ranks, floor)])
    head.eval()


def _kin_of(data: Lessons, wanted: NDArray[np.int64], train: NDArray[np.int64], rng: np.random.Generator) -> NDArray:
    """Same-parent or same-category products for about SIBLINGS of the wanted rows: hard negatives."""
    some = rng.choice(wanted, min(SIBLINGS, len(wanted)), replace=False)
    found = []
    for row in some:
        kin = train[data.kin[train] == data.kin[row]]
        if len(kin):
            found.append(rng.choice(kin))
    return np.array(found, np.int64)


def fit(
    products: Sequence[Product], image: Array, text: Array, encode_text: EncodeText, dim: int, *,
    view: Array | None = None, seed: int = 0, heads: Sequence[str] = ("concat", "weighted", "attention"),
    steps: int = 200, progress: Progress | None = None, start: Trained | None = None,
) -> Fitted:  # fmt: skip
    """Learn adapters and a head for this catalogue; deterministic for a seed.

    `image` (n, >= dim) and `text` (n, >= dim) are encoder rows, zero where missing; `dim` is the shared space's;
    `view` has rows of another try at each picture (zero where there is none), the pictures themselves by default.
    `start` is a head that already knows something (`general_head`): the one of its kind goes on from it, and is kept
    where it is within a standard error of the best. In a catalogue that shows no edits it is the only candidate beside
    the mean, and what it knows of edits stays as it is.
    Falls back to `mean`, with a sentence that says why, when the
    catalogue is too small or too uniform to learn from.
    """
    started = time.perf_counter()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    data = Lessons(products, image, text, view, encode_text, rng, dim=dim)
    mean = Mean(dim, image.shape[1], text.shape[1]).eval()
    held_out = [p.id for p, s in zip(products, data.split, strict=True) if s == "test"]
    why_not = _why_not(data)
    valid = questions(data, "valid", 400, np.random.default_rng(seed + 1))
    if not why_not and not valid:
        why_not = say("too few products fall into the validation part to judge a head")
    if why_not:
        calibration = _calibrated(mean, data, ("valid", "train"), seed)
        note = say("The mean of picture and text is used as it is: {reason}.", reason=why_not)
        return Fitted(mean, {}, note, time.perf_counter() - started, calibration, held_out)
    asked = [q.task for q in valid if len(data.pool(q.task, "train")) >= LEAST_TRAIN]
    # Edits teach the most and are the hardest: half of a batch; what else there is shares the rest.
    tasks = {t: 0.5 if t == "edit" else 0.5 / max(1, len(asked) - ("edit" in asked)) for t in asked}
    if start is not None and "edit" not in asked:
        heads = (start.name,)
    scores, floor = {"mean": judge(mean, data, valid)}, floors(data, valid, mean)
    better: list[tuple[FusionHead, Answered]] = []
    done = 0
    for name in heads:
        torch.manual_seed(seed)

        def tick(n: int, name: str = name) -> None:
            nonlocal done
            done += n
            if progress:
                progress(done, steps * len(heads), f"fitting the {name} head")

        goes_on = start is not None and start.name == name
        head: FusionHead = deepcopy(start) if goes_on else HEADS[name](dim, image.shape[1], text.shape[1])  # type: ignore[assignment]
        if goes_on and "edit" not in asked:
            head.keep_mixing()  # type: ignore[operator]
        train(head, data, tasks, valid, steps, seed, floor, tick)
        ranks = settle(head, data, valid, floor)
        scores[name] = means(ranks)
        if scores[name]["all"] >= scores["mean"]["all"] and merit(scores[name], floor) > merit(scores["mean"], floor):
            better.append((head, ranks))
    # The best by validation, but what goes on from more than this shop where validation can hardly tell them apart.
    better.sort(key=lambda one: (start is None or one[0].name != start.name, -merit(means(one[1]), floor)))
    best = better[least_moved([ranks for _, ranks in better], floor)][0] if better else mean
    gain = scores[best.name]["all"] - scores["mean"]["all"]
    note = say("The mean of picture and text is used as it is: no trained head did better on the validation products.")
    if gain > 0:
        note = say(
            "The {head} head was chosen: mean reciprocal rank {own} on {n} validation queries against {mean} for the "
            "mean.",
            head=best.name, own=f"{scores[best.name]['all']:.3f}", n=sum(len(q.image) for q in valid),
            mean=f"{scores['mean']['all']:.3f}",
        )  # fmt: skip
    return Fitted(
        best, scores, note, time.perf_counter() - started, _calibrated(best, data, ("valid",), seed), held_out
    )


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


def _calibrated(head: FusionHead, data: Lessons, splits: Sequence[str], seed: int) -> Calibration:
    """Curves for photos, words, both, edits, and picked products, and how near the nearest answer has to be, learnt on
    questions of these splits as a report asks them."""
    rng = np.random.default_rng(seed)
    asked = [_distant(q, data, rng) for s in splits for q in questions(data, s, 400, rng, as_reported=True)]
    answers: dict[str, list[tuple[Array, NDArray[np.bool_]]]] = {}
    nearest: dict[str, list[Array]] = {}
    with torch.inference_mode():
        products = head.products(data.image, data.text).sum(1)
        for q in asked:
            if q.task == WORDLESS:  # a product of the shop has its words
                continue
            scores = scores_of(head, q, products)
            answers.setdefault(q.task, []).append((scores, q.right))
            if q.task != "edit":  # an edit starts from a product of the shop, which is near by nature
                nearest.setdefault(q.task, []).append(_nearest(q, scores, data, head.dim))
        rows = np.flatnonzero(data.split != "train")
        picked = rng.permutation(rows if len(rows) > 20 else np.arange(data.n))[:300]
        like = (products[picked] @ products.T).numpy()
        like[np.arange(len(picked)), picked] = -np.inf
        answers["like"] = [(like, data.kin[picked][:, None] == data.kin[None])]
    found = calibrate({k: (np.vstack([s for s, _ in v]), np.vstack([r for _, r in v])) for k, v in answers.items()})
    return replace(found, floors={k: float(np.quantile(np.hstack(v), FALSE_ALARMS)) for k, v in nearest.items()})


def _distant(q: Questions, data: Lessons, rng: np.random.Generator) -> Questions:
    """Photos three times, as they are and further off, as strangers' photos are further from a shop's own than any
    crop of it; other questions as they are."""
    if q.task not in ("image", "both"):
        return q
    image = torch.cat([perturb(q.image, rng, strength) for strength in (0.0, FAR / 2, FAR)])
    text, origin = q.text.repeat(3, 1), q.origin.repeat(3, 1)
    return Questions(q.task, image, text, origin, np.tile(q.right, (3, 1)), np.tile(q.reference, 3),
                     data.guess(q.task, image, text), np.tile(q.of, 3))  # fmt: skip


def _nearest(q: Questions, scores: Array, data: Lessons, dim: int) -> Array:
    """(questions,) how near the nearest picture is to each one's photo; where there is none, its best score."""
    if q.task == "text":
        return scores.max(1)
    photos = F.normalize(q.image[:, :dim], dim=1).numpy()
    return (photos @ data.image[:, :dim].numpy().T).max(1)

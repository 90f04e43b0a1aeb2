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
from mmdemo.lessons import WORDLESS, EncodeText, Lessons, Questions, perturb, questions
from mmdemo.say import say
from mmdemo.validation import answered, floors, judge, least_moved, means, merit, scores_of
from mmdemo.vectors import Array

Progress = Callable[[int, int, str], None]
LEAST_TRAIN = 40  # products: below this nothing can be learnt or judged
BATCH, SIBLINGS = 224, 64
LOOK = 25  # steps between two looks at validation
PATIENCE = 0.4  # of the steps: after so many without a gain training ends
FAR = 1.5  # noise, in lengths of a unit embedding, of the furthest photo that a match is calibrated on
FIRST = 10  # answers among which one has to be near
FALSE_ALARMS = 0.05  # of the held-out queries that do have an answer, how many may be told that nothing matches
STRENGTHS = (0.0, 0.2, 0.4, 0.6, 0.8)  # how far a photo may be believed over the words that describe it
LEAST_ASKED = 8  # questions of a sort, to tell it from another
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
) -> tuple[FusionHead, dict[str, float]]:  # fmt: skip
    """Train on the train split; returns the head as it is to be used, with its figures on `valid`.

    Less far is often better on what was not trained on (WiSE-FT, Wortsman et al. 2022): of start, quarters of the way
    and end it is the first within a standard error of the best. `floor` is the baseline's figure for each
    task; see `merit`.
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
            now, since = merit(judge(head, data, valid), floor), since + 1
            if now > best:
                end, best, since = deepcopy(head.state_dict()), now, 0
            if since * LOOK >= PATIENCE * steps:
                progress(steps - step - 1)
                break
    way = [{name: start[name].lerp(value, share) for name, value in end.items()} for share in (0, 0.25, 0.5, 0.75, 1)]
    ranks = []
    for state in way:
        head.load_state_dict(state)
        ranks.append(answered(head, data, valid))
    head.load_state_dict(way[least_moved(ranks, floor)])
    return head.eval(), believe(head, data, valid, floor)


def believe(head: FusionHead, data: Lessons, valid: list[Questions], floor: dict[str, float]) -> dict[str, float]:
    """Set how far a head believes an uploaded photo whose words describe it; returns its figures on `valid`.

    Words that describe a photo agree with it, wishes do not (two normal distributions, Fisher 1936). Lessons cannot
    teach how far such words may be left aside: an encoder knows the words of the products that it was trained on too
    well. Without questions of both sorts a head goes on believing what it did.
    """
    asked = {q.task: q for q in valid}
    if not isinstance(head, Trained) or not {"both", "edit"} <= set(asked):
        return judge(head, data, valid)
    described, wished = (_agreement(head, asked[task]) for task in ("both", "edit"))
    if min(len(described), len(wished)) < LEAST_ASKED:
        return judge(head, data, valid)
    apart = described.mean() - wished.mean()
    slope = (2 * apart / (described.var() + wished.var() + 1e-6)).clamp_min(0)
    offset = -slope * (described.mean() + wished.mean()) / 2
    found = []
    for strength in STRENGTHS:
        head.belief.copy_(torch.tensor([slope, offset, strength]))
        found.append(answered(head, data, valid))
    chosen = least_moved(found, floor)
    head.belief[2] = STRENGTHS[chosen]
    return means(found[chosen])


@torch.inference_mode()
def _agreement(head: Trained, q: Questions) -> Tensor:
    """(n,) how far words and photo agree, of the questions whose photo is uploaded."""
    uploaded = ~q.origin.any(1)
    i, t = head.align(q.image[uploaded], q.text[uploaded])
    return (i * t).sum(1)


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
        calibration = _calibrated(mean, data, everything, ("valid", "train"), seed)
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
    return Fitted(
        best, scores, note, time.perf_counter() - started, _calibrated(best, data, valid, ("valid",), seed), held_out
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


def _calibrated(
    head: FusionHead, data: Lessons, asked: list[Questions], splits: Sequence[str], seed: int
) -> Calibration:
    """Curves for photos, words, both, edits, and picked products, learnt on questions of these splits as a report asks
    them; and how near the nearest answer has to be, learnt on whatever was `asked`."""
    rng = np.random.default_rng(seed)
    anything = [_distant(q, rng) for q in asked]
    reported = [_distant(q, rng) for s in splits for q in questions(data, s, 400, rng, as_reported=True)]
    answers: dict[str, list[tuple[Array, NDArray[np.bool_]]]] = {}
    nearest: dict[str, list[Array]] = {}
    with torch.inference_mode():
        products = head.products(data.image, data.text).sum(1)
        for q in reported:
            if q.task != WORDLESS:  # a product of the shop has its words
                answers.setdefault(q.task, []).append((scores_of(head, q, products), q.right))
        for q in anything:
            if q.task not in ("edit", WORDLESS):  # an edit starts from a product of the shop, which is near by nature
                nearest.setdefault(q.task, []).append(_nearest(head, q, products, data))
        rows = np.flatnonzero(data.split != "train")
        picked = rng.permutation(rows if len(rows) > 20 else np.arange(data.n))[:300]
        like = (products[picked] @ products.T).numpy()
        like[np.arange(len(picked)), picked] = -np.inf
        answers["like"] = [(like, data.kin[picked][:, None] == data.kin[None])]
    found = calibrate({k: (np.vstack([s for s, _ in v]), np.vstack([r for _, r in v])) for k, v in answers.items()})
    return replace(found, floors={k: float(np.quantile(np.hstack(v), FALSE_ALARMS)) for k, v in nearest.items()})


def _distant(q: Questions, rng: np.random.Generator) -> Questions:
    """Photos three times, as they are and further off, as strangers' photos are further from a shop's own than any
    crop of it; other questions as they are."""
    if q.task not in ("image", "both"):
        return q
    image = torch.cat([perturb(q.image, rng, strength) for strength in (0.0, FAR / 2, FAR)])
    return Questions(q.task, image, q.text.repeat(3, 1), q.origin.repeat(3, 1), np.tile(q.right, (3, 1)),
                     np.tile(q.reference, 3), np.tile(q.of, 3))  # fmt: skip


def _nearest(head: FusionHead, q: Questions, products: Tensor, data: Lessons) -> Array:
    """(questions,) how near the nearest of each one's first answers is."""
    scores, dim = scores_of(head, q, products), head.dim
    photos = F.normalize(q.image[:, :dim], dim=1).numpy()
    near = np.empty(len(scores), np.float32)
    for row, first in enumerate(np.argsort(-scores, axis=1)[:, :FIRST]):
        photo = photos[row, None] if q.task != "text" else None
        near[row] = nearness(photo, data.image[first, :dim].numpy(), scores[row, first]).max()
    return near

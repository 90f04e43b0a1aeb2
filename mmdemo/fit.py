"""Align and fuse on one catalogue, encoder frozen: adapters and a head, learnt in seconds from the catalogue itself.

Positives come from what a catalogue has: the product's own (perturbed) picture, parts of its text, and variants
under an edit ("this, in blue"). Each head gets the same budget; validation on products kept aside picks one, and
`mean`, which learns nothing, is among the candidates: so the result is never worse than it there.
"""

import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mmdemo.calibration import Calibration, calibrate
from mmdemo.catalog import Product, facets
from mmdemo.edits import Edit, mine_edits
from mmdemo.fusion import HEADS, FusionHead, Mean
from mmdemo.vectors import Array, present

EncodeText = Callable[[Sequence[str]], Array]
Progress = Callable[[int, int, str], None]
LEAST_TRAIN, LEAST_VALID = 40, 8  # below this nothing can be learnt or judged
BATCH, SIBLINGS = 192, 64
NOISE = 0.25  # of a unit embedding, on top of the other view: about what another light does to it


def split_of(product: Product) -> str:
    """'test' (never trained on), 'valid' or 'train'; near-copies and variants always fall together."""
    key = crc32((product.parent or product.group or product.id).encode())
    return "test" if key % 5 == 0 else "valid" if key % 10 == 1 else "train"


@dataclass
class Fitted:
    """The head that validation picked, every candidate's figure, and a sentence that says what happened."""

    head: FusionHead
    scores: dict[str, dict[str, float]]
    note: str
    seconds: float
    calibration: Calibration
    held_out: list[str] = field(default_factory=list)


@dataclass
class _Questions:
    """Queries with known answers: rows of numbers, and for each query the answers among all products."""

    task: str
    image: Tensor
    text: Tensor
    right: NDArray[np.bool_]  # (queries, products)
    reference: NDArray[np.int64]  # product left out of its own answer, or -1


class _Data:
    """A catalogue as tensors, with the partial texts and edits that training asks for."""

    def __init__(
        self,
        products: Sequence[Product],
        image: Array,
        text: Array,
        view: Array | None,
        encode: EncodeText,
        rng: np.random.Generator,
    ):
        self.products, self.n = products, len(products)
        self.image, self.text = torch.from_numpy(image), torch.from_numpy(text)
        self.view = torch.from_numpy(view) if view is not None else self.image
        self.has_image, self.has_text = present(image), present(text)
        self.split = np.array([split_of(p) for p in products])
        self.same = _codes([p.group or p.id for p in products])
        self.kin = _codes([p.parent or p.category or "" for p in products])
        self.edits: list[Edit] = mine_edits(products, image, rng)
        words = [partial_texts(p, rng) for p in products]
        unique = sorted({w for kinds in words for w in kinds if w} | {e.text for e in self.edits})
        rows = {w: i for i, w in enumerate(unique)}
        vectors = encode(unique) if unique else np.zeros((0, text.shape[1]), np.float32)
        self.words = torch.from_numpy(np.vstack([vectors, np.zeros((1, text.shape[1]), np.float32)]))
        self.kinds = np.array([[rows.get(w, len(unique)) for w in kinds] for kinds in words], np.int64)
        self.edit_words = np.array([rows[e.text] for e in self.edits], np.int64)
        self.edit_right = [e.targets for e in self.edits]
        self.facets = _facet_codes(products)

    def ask(self, task: str, pick: NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor, list]:
        """Rows for `task` on products (or edits) `pick`, and a list of the right answers of each query."""
        zero_image, zero_text = torch.zeros(len(pick), self.image.shape[1]), torch.zeros(len(pick), self.text.shape[1])
        if task == "edit":
            refs = np.array([self.edits[i].reference for i in pick])
            return self.image[refs], self.words[self.edit_words[pick]], [self.edit_right[i] for i in pick]
        other = torch.from_numpy(rng.random(len(pick)) < 0.7)[:, None]
        image = perturb(torch.where(other, self.view[pick], self.image[pick]), rng)
        kind = rng.integers(0, self.kinds.shape[1], len(pick))
        word = self.kinds[pick, kind]
        if task == "image":
            return image, zero_text, [np.flatnonzero(self.same == self.same[i]) for i in pick]
        alike = [np.flatnonzero(self.kinds[:, k] == w) for k, w in zip(kind, word, strict=True)]
        if task == "text":
            return zero_image, self.words[word], alike
        both = [np.flatnonzero(self.same == self.same[i]) for i in pick]
        return image, self.words[word], both

    def pool(self, task: str, split: str) -> NDArray[np.int64]:
        """What a task can draw on in a split: product rows, or edit numbers."""
        if task == "edit":
            return np.array([i for i, e in enumerate(self.edits) if self.split[e.reference] == split], np.int64)
        keep = self.split == split
        if task != "text":
            keep &= self.has_image
        if task != "image":
            keep &= self.has_text
        return np.flatnonzero(keep)


def partial_texts(p: Product, rng: np.random.Generator) -> tuple[str, str, str]:
    """What a person might type of a product: its title, its attributes as a phrase, half of its title's words."""
    words = p.title.split()
    half = " ".join(w for w in words if rng.random() < 0.5) or (words[0] if words else "")
    values = [v for v in p.attributes.values() if v and len(v) < 30][:3]
    return p.title, " ".join([*values, p.category]).strip().lower() or p.title, half


def perturb(x: Tensor, rng: np.random.Generator) -> Tensor:
    """A stand-in for another photo of the same thing: noise on the embedding, missing rows left missing."""
    noise = torch.from_numpy(rng.standard_normal(x.shape, dtype=np.float32)) * (NOISE / x.shape[1] ** 0.5)
    strength = torch.from_numpy(rng.random((len(x), 1), dtype=np.float32)) * x.norm(dim=1, keepdim=True)
    return x + noise * strength


def _codes(values: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.array(values, dtype=object).astype(str), return_inverse=True)[1].astype(np.int64)


def _facet_codes(products: Sequence[Product]) -> NDArray[np.int64]:
    """(n, facets) value numbers of the columns worth predicting, -1 where a product has none."""
    columns = [[str(p.field(name) or "") for p in products] for name in facets(products)]
    kept = []
    for column in columns:
        values = sorted(set(column) - {""})
        if 2 <= len(values) <= min(60, len(products) // 4):
            number = {v: i for i, v in enumerate(values)}
            kept.append([number.get(v, -1) for v in column])
    return np.array(kept, np.int64).T.reshape(len(products), -1)


def loss_of(scores: Tensor, right: Tensor) -> Tensor:
    """InfoNCE with several positives: mean log-probability of the right candidates (Khosla et al. 2020)."""
    log_p = scores - torch.logsumexp(scores, 1, keepdim=True)
    return -((log_p * right).sum(1) / right.sum(1).clamp_min(1)).mean()


def _train(
    head: FusionHead, data: _Data, tasks: dict[str, float], valid: list[_Questions], steps: int, seed: int,
    progress: Callable[[int], None],
) -> tuple[FusionHead, dict[str, float]]:  # fmt: skip
    rng = np.random.default_rng(seed)
    aux = nn.ModuleList(nn.Linear(head.width, int(c.max()) + 1) for c in data.facets.T)
    scale = nn.Parameter(torch.tensor(np.log(20.0), dtype=torch.float32))
    optimiser = torch.optim.AdamW([*head.parameters(), *aux.parameters(), scale], lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=steps, pct_start=0.1)
    pools = {t: data.pool(t, "train") for t in tasks}
    train = np.flatnonzero(data.split == "train")
    best, best_figures, best_state = -1.0, {}, deepcopy(head.state_dict())
    for step in range(steps):
        head.train()
        images, texts, right = [], [], []
        references = np.empty(0, np.int64)
        for task, share in tasks.items():
            pick = rng.choice(pools[task], max(4, int(BATCH * share)))
            i, t, r = data.ask(task, pick, rng)
            images.append(i)
            texts.append(t)
            right.extend(r)
            if task == "edit":  # the reference and its kin are the hardest wrong answers
                references = np.array([data.edits[e].reference for e in pick], np.int64)
        wanted = np.array([rng.choice(r) for r in right], np.int64)
        kin = _kin_of(data, wanted, train, rng)
        candidates = np.unique(np.r_[wanted, kin, references])
        position = np.full(data.n, -1)
        position[candidates] = np.arange(len(candidates))
        mask = torch.zeros(len(right), len(candidates))
        for row, answers in enumerate(right):
            at = position[answers]
            mask[row, at[at >= 0]] = 1
        q = head(torch.cat(images), torch.cat(texts)).sum(1)
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
        if (step + 1) % 50 == 0 or step + 1 == steps:
            figures = judge(head, data, valid)
            if figures["all"] > best:
                best, best_figures, best_state = figures["all"], figures, deepcopy(head.state_dict())
    head.load_state_dict(best_state)
    return head.eval(), best_figures


def _kin_of(data: _Data, wanted: NDArray[np.int64], train: NDArray[np.int64], rng: np.random.Generator) -> NDArray:
    """Same-parent or same-category products for about SIBLINGS of the wanted rows: hard negatives."""
    some = rng.choice(wanted, min(SIBLINGS, len(wanted)), replace=False)
    found = []
    for row in some:
        kin = train[data.kin[train] == data.kin[row]]
        if len(kin):
            found.append(rng.choice(kin))
    return np.array(found, np.int64)


@torch.inference_mode()
def judge(head: FusionHead, data: _Data, questions: list[_Questions]) -> dict[str, float]:
    """Mean reciprocal rank by task, among all products of the catalogue, and 'all', the mean over tasks."""
    head.eval()
    products = head.products(data.image, data.text).sum(1)
    figures = {q.task: float(_reciprocal_ranks(_scores(head, q, products), q.right).mean()) for q in questions}
    return {**figures, "all": float(np.mean(list(figures.values())))}


def _scores(head: FusionHead, q: _Questions, products: Tensor) -> Array:
    scores = (head(q.image, q.text).sum(1) @ products.T).numpy()
    rows = np.flatnonzero(q.reference >= 0)
    scores[rows, q.reference[rows]] = -np.inf
    return scores


def _reciprocal_ranks(scores: Array, right: NDArray[np.bool_]) -> NDArray[np.float64]:
    best = np.where(right, scores, -np.inf).max(1, keepdims=True)
    return 1.0 / (1 + (np.where(right, -np.inf, scores) >= best).sum(1))


def _questions(data: _Data, split: str, most: int, rng: np.random.Generator) -> list[_Questions]:
    made = []
    for task in ("image", "text", "both", "edit"):
        pool = data.pool(task, split)
        if len(pool) < LEAST_VALID:
            continue
        pick = rng.permutation(pool)[:most]
        image, text, answers = data.ask(task, pick, rng)
        right = np.zeros((len(pick), data.n), bool)
        for row, a in enumerate(answers):
            right[row, a] = True
        reference = np.array([data.edits[i].reference for i in pick]) if task == "edit" else np.full(len(pick), -1)
        made.append(_Questions(task, image, text, right, reference.astype(np.int64)))
    return made


def fit(
    products: Sequence[Product], image: Array, text: Array, encode_text: EncodeText, dim: int, *,
    view: Array | None = None, seed: int = 0, heads: Sequence[str] = ("concat", "weighted", "attention"),
    steps: int = 250, progress: Progress | None = None,
) -> Fitted:  # fmt: skip
    """Learn adapters and a head for this catalogue; deterministic for a seed.

    `image` (n, >= dim) and `text` (n, >= dim) are encoder rows, zero where missing; `dim` is the shared space's;
    `view` has rows of another try at each picture (zero where there is none), the pictures themselves by default.
    Falls back to `mean` with a sentence that says why when the catalogue is too small or too uniform to learn from.
    """
    started = time.perf_counter()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    data = _Data(products, image, text, view, encode_text, rng)
    mean = Mean(dim, image.shape[1], text.shape[1]).eval()
    held_out = [p.id for p, s in zip(products, data.split, strict=True) if s == "test"]
    why_not = _why_not(data)
    valid = _questions(data, "valid", 400, np.random.default_rng(seed + 1))
    if not why_not and not valid:
        why_not = "too few products fall into the validation part to judge a head"
    if why_not:
        everything = _questions(data, "valid", 200, rng) + _questions(data, "train", 200, rng)
        calibration = _calibrated(mean, data, everything)
        return Fitted(mean, {}, f"The mean of picture and text is used as it is: {why_not}.",
                      time.perf_counter() - started, calibration, held_out)  # fmt: skip
    tasks = {q.task: 0.25 for q in valid if len(data.pool(q.task, "train")) >= LEAST_TRAIN}
    scores = {"mean": judge(mean, data, valid)}
    best: FusionHead = mean
    done = 0
    for name in heads:
        torch.manual_seed(seed)

        def tick(n: int, name: str = name) -> None:
            nonlocal done
            done += n
            if progress:
                progress(done, steps * len(heads), f"fitting the {name} head")

        head, scores[name] = _train(
            HEADS[name](dim, image.shape[1], text.shape[1]), data, tasks, valid, steps, seed, tick
        )
        if scores[name]["all"] > scores[best.name]["all"]:
            best = head
    gain = scores[best.name]["all"] - scores["mean"]["all"]
    note = (
        f"The {best.name} head was chosen: mean reciprocal rank {scores[best.name]['all']:.3f} on "
        f"{sum(len(q.image) for q in valid)} validation queries against {scores['mean']['all']:.3f} for the mean."
        if gain > 0
        else "The mean of picture and text is used as it is: no trained head did better on the validation products."
    )
    return Fitted(best, scores, note, time.perf_counter() - started, _calibrated(best, data, valid), held_out)


def _why_not(data: _Data) -> str:
    """A reason for not training, or ''."""
    train = int((data.split == "train").sum())
    if train < LEAST_TRAIN:
        return f"{train} products are left for training and at least {LEAST_TRAIN} are needed"
    if not data.has_image.any():
        return "no product has a picture"
    if not data.has_text.any():
        return "no product has a text"
    if float(data.image[data.has_image].std(0).max()) < 1e-4:
        return "all pictures are the same"
    return ""


def _calibrated(head: FusionHead, data: _Data, questions: list[_Questions]) -> Calibration:
    with torch.inference_mode():
        products = head.products(data.image, data.text).sum(1)
        return calibrate({q.task: (_scores(head, q, products), q.right) for q in questions})

"""What a catalogue can teach: queries with known answers, drawn from its pictures, texts, variants and attributes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmdemo.catalog import Product, facets
from mmdemo.edits import Edit, mine_edits
from mmdemo.guess import guess_among
from mmdemo.vectors import Array, present

EncodeText = Callable[[Sequence[str]], Array]
WORDLESS = "wordless"  # asked with words, among products that show their pictures and carry no words
TASKS = ("image", "text", "both", "edit", WORDLESS)
HALF = 2  # which of `partial_texts` is half of a title
NOISE = 0.25  # of a unit embedding, on top of the other view: about what another light does to it


def split_of(product: Product) -> str:
    """'test' (a tenth, never trained on), 'valid' (a tenth) or 'train'; near-copies and variants fall together.

    Both tenths lie in the fifth that `align` keeps aside: an encoder knows the products it was trained on too well
    for them to judge a head.
    """
    key = crc32((product.parent or product.group or product.id).encode()) % 10
    return "test" if key == 0 else "valid" if key == 5 else "train"


@dataclass
class Questions:
    """Queries with known answers: rows of numbers, and for each query the answers among all products."""

    task: str
    image: Tensor
    text: Tensor
    origin: Tensor  # the text of the product whose picture an edit starts from, zero where a photo came without it
    right: NDArray[np.bool_]  # (queries, products)
    reference: NDArray[np.int64]  # product left out of its own answer, or -1
    guess: Tensor  # for a photo with words: what the shop would call the thing on it
    of: NDArray[np.int64]  # the product, or the number of the edit, that is asked for: it may be asked for in many ways


class Lessons:
    """A catalogue as tensors, with the partial texts and edits that training asks for."""

    def __init__(
        self,
        products: Sequence[Product],
        image: Array,
        text: Array,
        view: Array | None,
        encode: EncodeText,
        rng: np.random.Generator,
        edits: list[Edit] | None = None,
        dim: int | None = None,
    ):
        """`dim` is the shared space's, the first numbers of every row; by default rows hold nothing else."""
        self.products, self.n, self.dim = products, len(products), dim or image.shape[1]
        self.image, self.text = torch.from_numpy(image), torch.from_numpy(text)
        self.view = torch.from_numpy(view) if view is not None else self.image
        self.has_image, self.has_text = present(image), present(text)
        self.split = np.array([split_of(p) for p in products])
        self.same = _codes([p.group or p.id for p in products])
        self.kin = _codes([p.parent or p.category or "" for p in products])
        self.edits = edits if edits is not None else mine_edits(products, image, rng)
        words = [partial_texts(p, rng) for p in products]
        unique = sorted({w for kinds in words for w in kinds if w} | {e.text for e in self.edits})
        rows = {w: i for i, w in enumerate(unique)}
        vectors = encode(unique) if unique else np.zeros((0, text.shape[1]), np.float32)
        self.words = torch.from_numpy(np.vstack([vectors, np.zeros((1, text.shape[1]), np.float32)]))
        self.kinds = np.array([[rows.get(w, len(unique)) for w in kinds] for kinds in words], np.int64)
        self.carriers = carriers(products, [kinds[HALF] for kinds in words], range(self.n))
        self.edit_words = np.array([rows[e.text] for e in self.edits], np.int64)
        self.edit_right = [e.targets for e in self.edits]
        self.facets = _facet_codes(products)

    def ask(
        self, task: str, pick: NDArray[np.int64], rng: np.random.Generator, kind: NDArray[np.int64] | None = None,
        as_reported: bool = False,
    ) -> tuple[Tensor, Tensor, Tensor, list]:  # fmt: skip
        """Image, text and origin rows for `task` on products (or edits) `pick`, and each query's right answers.

        Half of the edits start from a product of the shop, whose text is known, half from its photo alone; words are
        any of `partial_texts`, or those that `kind` says. With `as_reported` they are what a report asks: edits of
        products, halves of titles.
        """
        zero_image, zero_text = torch.zeros(len(pick), self.image.shape[1]), torch.zeros(len(pick), self.text.shape[1])
        if task == "edit":
            refs = np.array([self.edits[i].reference for i in pick])
            known = torch.from_numpy(as_reported | (rng.random(len(pick)) < 0.5))[:, None]
            origin = self.text[refs] * known
            return self.image[refs], self.words[self.edit_words[pick]], origin, [self.edit_right[i] for i in pick]
        other = torch.from_numpy(rng.random(len(pick)) < 0.7)[:, None]
        image = perturb(torch.where(other, self.view[pick], self.image[pick]), rng)
        if kind is None:
            kind = np.full(len(pick), HALF) if as_reported else rng.integers(0, self.kinds.shape[1], len(pick))
        word = self.kinds[pick, kind]
        if task == "image":
            return image, zero_text, zero_text, [np.flatnonzero(self.same == self.same[i]) for i in pick]
        if task in ("text", WORDLESS):
            alike = [
                self.carriers[i] if k == HALF else np.flatnonzero(self.kinds[:, k] == w)
                for i, k, w in zip(pick, kind, word, strict=True)
            ]
            return zero_image, self.words[word], zero_text, alike
        both = [np.flatnonzero(self.same == self.same[i]) for i in pick]
        return image, self.words[word], zero_text, both

    def guess(self, task: str, image: Tensor, text: Tensor) -> Tensor:
        """(n, text width) what the shop would call the things on photos that come with words, zero for other tasks."""
        if task not in ("both", "edit"):
            return torch.zeros_like(text)
        rows = np.flatnonzero(self.has_image)
        found = guess_among(image.numpy(), self.image.numpy()[rows], self.text.numpy()[rows], self.dim)
        return torch.from_numpy(found)

    def shown(self, wordless: bool, rows: NDArray[np.int64] | slice = slice(None)) -> tuple[Tensor, Tensor]:
        """Image and text rows of products as they are asked among: with their words, or with their pictures alone."""
        text = self.text[rows]
        return self.image[rows], torch.zeros_like(text) if wordless else text

    def pool(self, task: str, split: str, as_reported: bool = False) -> NDArray[np.int64]:
        """What a task can draw on in a split: product rows, or numbers of edits of its products that have an answer
        there; with `as_reported` an answer anywhere."""
        if task == "edit":
            there = self.split == split
            known = there | as_reported
            return np.array([i for i, e in enumerate(self.edits) if there[e.reference] and known[e.targets].any()], int)
        keep = self.split == split
        if task != "text":
            keep &= self.has_image
        if task != "image":
            keep &= self.has_text
        return np.flatnonzero(keep)


def questions(
    data: Lessons, split: str, most: int, rng: np.random.Generator, least: int = 8, as_reported: bool = False
) -> list[Questions]:
    """Up to `most` questions of every task that a split can ask at least `least` of.

    Words ask for each product with each of its `partial_texts`, because a small shop has few to judge a head by; with
    `as_reported` as in `ask`.
    """
    made = []
    for task in TASKS:
        pool = data.pool(task, split, as_reported)
        if len(pool) < least:
            continue
        ways = data.kinds.shape[1] if task in ("text", "both", WORDLESS) and not as_reported else 1
        kind, row = divmod(rng.permutation(ways * len(pool))[:most], len(pool))
        pick = pool[row]
        image, text, origin, answers = data.ask(task, pick, rng, kind if ways > 1 else None, as_reported)
        right = np.zeros((len(pick), data.n), bool)
        for number, a in enumerate(answers):
            right[number, a] = True
        reference = np.array([data.edits[i].reference for i in pick]) if task == "edit" else np.full(len(pick), -1)
        guess = data.guess(task, image, text)
        made.append(Questions(task, image, text, origin, right, reference.astype(np.int64), guess, pick))
    return made


def partial_texts(p: Product, rng: np.random.Generator) -> tuple[str, str, str]:
    """What a person might type of a product: its title, its attributes as a phrase, half of its title's words."""
    words = p.title.split()
    half = " ".join(w for w in words if rng.random() < 0.5) or (words[0] if words else "")
    values = [v for v in p.attributes.values() if v and len(v) < 30][:3]
    return p.title, " ".join([*values, p.category]).strip().lower() or p.title, half


def carriers(products: Sequence[Product], texts: Sequence[str], rows: Sequence[int]) -> list[NDArray[np.int64]]:
    """For words taken from the titles of `rows`, all rows whose title has each of them: any of those is asked for."""
    having: dict[str, set[int]] = {}
    for row, product in enumerate(products):
        for word in product.title.casefold().split():
            having.setdefault(word, set()).add(row)
    asked = [
        [having[word] for word in text.casefold().split()] or [{row}] for text, row in zip(texts, rows, strict=True)
    ]
    return [np.array(sorted(set.intersection(*sets)), np.int64) for sets in asked]


def perturb(x: Tensor, rng: np.random.Generator, most: float = NOISE) -> Tensor:
    """A stand-in for another photo of the same thing: noise on the embedding, missing rows left missing."""
    noise = torch.from_numpy(rng.standard_normal(x.shape, dtype=np.float32)) * (most / x.shape[1] ** 0.5)
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

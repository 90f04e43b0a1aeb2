"""Draw training and evaluation queries with known answers from a catalogue: its pictures, texts, variants, attributes.

It knows nothing of heads and their training.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmdemo.catalog.catalog import Product, facets
from mmdemo.core.holdout import Holdout
from mmdemo.core.vectors import Array, present
from mmdemo.encode.embed import EncodedCatalog
from mmdemo.fusion.composed_queries import ComposedQuery, mine_composed_queries
from mmdemo.fusion.query_expansion import expand_among

EncodeText = Callable[[Sequence[str]], Array]
TEXT_TO_IMAGE = "wordless"  # text queries among products that have their pictures and no texts
TASKS = ("image", "text", "both", "edit", TEXT_TO_IMAGE)  # "edit" asks composed queries
HALF = 2  # the place of half a title among `partial_texts`
NOISE = 0.25  # lengths of an embedding, on top of the random crop: about what another light changes


@dataclass
class TaskQueries:
    """Queries of one task with known answers.

    Attributes
    ----------
    task
        One of `TASKS`.
    image, text
        Embeddings (n, width), zero where a query has none.
    reference_text
        The text of the product whose picture a composed query starts from, zero where a photo came without it.
    positives
        bool (n, products): the right answers.
    reference
        (n,) the product that is left out of its own answer, or -1.
    expansion
        For a photo with words, the texts of the products that look like it (`query_expansion`); zero elsewhere.
    wanted
        (n,) the product, or the number of the composed query, that is asked for, possibly in several ways.
    """

    task: str
    image: Tensor
    text: Tensor
    reference_text: Tensor
    positives: NDArray[np.bool_]
    reference: NDArray[np.int64]
    expansion: Tensor
    wanted: NDArray[np.int64]


class Draw(NamedTuple):
    """Some queries of a task: embeddings (n, width) of each, and the rows of each one's right answers."""

    image: Tensor
    text: Tensor
    reference_text: Tensor
    positives: list[NDArray[np.int64]]


class TrainingTasks:
    """A catalogue as tensors, with the partial texts and composed queries that training asks for.

    Parameters
    ----------
    catalog
        Products and their embeddings.
    encode_text
        Embeds sentences like the catalogue's texts.
    dim
        Dimension of the shared space, the first numbers of every embedding.
    rng
        Decides which words and changes are asked for.
    composed
        Composed queries; by default those mined from the catalogue.
    holdout
        Splits the products into train, validation and test.
    """

    def __init__(
        self,
        catalog: EncodedCatalog,
        encode_text: EncodeText,
        dim: int,
        rng: np.random.Generator,
        composed: list[ComposedQuery] | None = None,
        holdout: Holdout = Holdout(),  # noqa: B008
    ) -> None:
        products, text = catalog.products, catalog.text
        self.products, self.n, self.dim = products, len(products), dim
        self.image, self.text = torch.from_numpy(catalog.image), torch.from_numpy(text)
        self.augmented = torch.from_numpy(catalog.augmented)
        self.has_image, self.has_text = present(catalog.image), present(text)
        self.split = np.array([holdout.split_of(p) for p in products])
        self.near_copies = _codes([p.group or p.id for p in products])  # equal for near-copies
        self.parent_or_category = _codes(
            [p.parent or p.category or "" for p in products]
        )  # equal for hard negatives of each other
        self.composed = composed if composed is not None else mine_composed_queries(products, catalog.image, rng)
        partial = [partial_texts(p, rng) for p in products]
        unique = sorted({t for texts in partial for t in texts if t} | {c.text for c in self.composed})
        number = {t: i for i, t in enumerate(unique)}
        vectors = encode_text(unique) if unique else np.zeros((0, text.shape[1]), np.float32)
        # (texts + 1, width), the last one zero for an empty text
        self.text_vectors = torch.from_numpy(np.vstack([vectors, np.zeros((1, text.shape[1]), np.float32)]))
        self.partial = np.array([[number.get(t, len(unique)) for t in texts] for texts in partial], np.int64)
        self.title_positives = title_positives(products, [texts[HALF] for texts in partial], range(self.n))
        self.composed_text = np.array([number[c.text] for c in self.composed], np.int64)
        self.facets = _facet_codes(products)

    def draw(
        self,
        task: str,
        wanted: NDArray[np.int64],
        rng: np.random.Generator,
        form: NDArray[np.int64] | None = None,
        as_reported: bool = False,
    ) -> Draw:
        """Queries of a task that ask for these products (or composed queries).

        Half of the composed queries start from a product of the shop, whose text is known, half from its photo alone.
        `form` says which of `partial_texts` is asked with; by default any of them. With `as_reported` queries are those
        of a report: composed queries that start from products, and halves of titles.
        """
        n = len(wanted)
        no_image, no_text = torch.zeros(n, self.image.shape[1]), torch.zeros(n, self.text.shape[1])
        if task == "edit":
            composed = [self.composed[i] for i in wanted]
            references = np.array([c.reference for c in composed])
            has_known_text = torch.from_numpy(as_reported | (rng.random(n) < 0.5))[:, None]
            text = self.text_vectors[self.composed_text[wanted]]
            return Draw(
                self.image[references], text, self.text[references] * has_known_text, [c.targets for c in composed]
            )
        use_augmented = torch.from_numpy(rng.random(n) < 0.7)[:, None]
        image = perturb(torch.where(use_augmented, self.augmented[wanted], self.image[wanted]), rng)
        if form is None:
            form = np.full(n, HALF) if as_reported else rng.integers(0, self.partial.shape[1], n)
        number = self.partial[wanted, form]
        text = self.text_vectors[number]
        if task in ("text", TEXT_TO_IMAGE):
            positives = [
                self.title_positives[row] if f == HALF else np.flatnonzero(self.partial[:, f] == t)
                for row, f, t in zip(wanted, form, number, strict=True)
            ]
            return Draw(no_image, text, no_text, positives)
        copies = [np.flatnonzero(self.near_copies == self.near_copies[row]) for row in wanted]
        return Draw(image, no_text if task == "image" else text, no_text, copies)

    def expansion(self, task: str, image: Tensor, text: Tensor) -> Tensor:
        """(n, text width) `query_expansion` of photos that come with words, zero for other tasks."""
        if task not in ("both", "edit"):
            return torch.zeros_like(text)
        rows = np.flatnonzero(self.has_image)
        expanded = expand_among(image.numpy(), self.image.numpy()[rows], self.text.numpy()[rows], self.dim)
        return torch.from_numpy(expanded)

    def product_rows(self, without_text: bool, rows: NDArray[np.int64] | slice = slice(None)) -> tuple[Tensor, Tensor]:
        """Image and text embeddings of products as they are searched: with their texts, or with pictures alone."""
        text = self.text[rows]
        return self.image[rows], torch.zeros_like(text) if without_text else text

    def eligible(self, task: str, split: str, as_reported: bool = False) -> NDArray[np.int64]:
        """What a task can ask for in a split: product rows, or numbers of composed queries.

        A composed query's reference is in the split and has an answer there; with `as_reported` an answer anywhere.
        """
        in_split = self.split == split
        if task == "edit":
            answers = in_split | as_reported
            chosen = [i for i, c in enumerate(self.composed) if in_split[c.reference] and answers[c.targets].any()]
            return np.array(chosen, int)
        if task != "text":
            in_split = in_split & self.has_image
        if task != "image":
            in_split = in_split & self.has_text
        return np.flatnonzero(in_split)


def evaluation_queries(
    tasks: TrainingTasks,
    split: str,
    limit: int,
    rng: np.random.Generator,
    least: int = 8,
    as_reported: bool = False,
) -> list[TaskQueries]:
    """Up to `limit` queries of every task that can ask for at least `least` products of a split.

    Words ask for each product with each of its `partial_texts`, because a small shop has few products to judge a head
    by; with `as_reported` as in `TrainingTasks.draw`.
    """
    queries = []
    for task in TASKS:
        eligible = tasks.eligible(task, split, as_reported)
        if len(eligible) < least:
            continue
        forms = tasks.partial.shape[1] if task in ("text", "both", TEXT_TO_IMAGE) and not as_reported else 1
        form, place = divmod(rng.permutation(forms * len(eligible))[:limit], len(eligible))
        wanted = eligible[place]
        draw = tasks.draw(task, wanted, rng, form if forms > 1 else None, as_reported)
        positives = np.zeros((len(wanted), tasks.n), bool)
        for number, rows in enumerate(draw.positives):
            positives[number, rows] = True
        reference = np.full(len(wanted), -1)
        if task == "edit":
            reference = np.array([tasks.composed[i].reference for i in wanted])
        expansion = tasks.expansion(task, draw.image, draw.text)
        queries.append(
            TaskQueries(
                task,
                draw.image,
                draw.text,
                draw.reference_text,
                positives,
                reference.astype(np.int64),
                expansion,
                wanted,
            )
        )
    return queries


def partial_texts(p: Product, rng: np.random.Generator) -> tuple[str, str, str]:
    """What a person might type for a product: its title, its attributes as a phrase, half of its title's words.

    >>> partial_texts(Product("1", "", "Red mug", category="Mug"), np.random.default_rng(0))
    ('Red mug', 'mug', 'mug')
    """
    words = p.title.split()
    half = " ".join(w for w in words if rng.random() < 0.5) or (words[0] if words else "")
    values = [v for v in p.attributes.values() if v and len(v) < 30][:3]
    return p.title, " ".join([*values, p.category]).strip().lower() or p.title, half


def title_positives(products: Sequence[Product], texts: Sequence[str], rows: Sequence[int]) -> list[NDArray[np.int64]]:
    """For texts taken from the titles of `rows`, every row whose title has all of the words: each is a right answer."""
    rows_with: dict[str, set[int]] = {}
    for row, product in enumerate(products):
        for word in product.title.casefold().split():
            rows_with.setdefault(word, set()).add(row)
    by_word = [
        [rows_with[word] for word in text.casefold().split()] or [{row}] for text, row in zip(texts, rows, strict=True)
    ]
    return [np.array(sorted(set.intersection(*sets)), np.int64) for sets in by_word]


def perturb(x: Tensor, rng: np.random.Generator, strength: float = NOISE) -> Tensor:
    """Embeddings as of another photo of the same thing: with noise of up to `strength` lengths, missing rows kept."""
    noise = torch.from_numpy(rng.standard_normal(x.shape, dtype=np.float32)) * (strength / x.shape[1] ** 0.5)
    share = torch.from_numpy(rng.random((len(x), 1), dtype=np.float32)) * x.norm(dim=1, keepdim=True)
    return x + noise * share


def _codes(values: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.array(values, dtype=object).astype(str), return_inverse=True)[1].astype(np.int64)


def _facet_codes(products: Sequence[Product]) -> NDArray[np.int64]:
    """(n, facets) value numbers of the columns worth predicting, -1 where a product has none."""
    columns = [[str(p.field(name) or "") for p in products] for name in facets(products)]
    codes = []
    for column in columns:
        values = sorted(set(column) - {""})
        if 2 <= len(values) <= min(60, len(products) // 4):
            number = {v: i for i, v in enumerate(values)}
            codes.append([number.get(v, -1) for v in column])
    return np.array(codes, np.int64).T.reshape(len(products), -1)

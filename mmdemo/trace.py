"""One query, step by step: what each step of the recommender took in, gave out, and cost in time.

The steps are the recommender's own, run once more with a clock between them. Photo and words go straight to the
encoder, since the recommender would remember them: no time here is that of a memory.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from mmdemo.embed import image_rows, text_rows
from mmdemo.encoder import Encoder
from mmdemo.fusion import FusionHead, Trained
from mmdemo.index import ProductIndex
from mmdemo.query import Query
from mmdemo.recommender import Recommendation, Recommender
from mmdemo.vectors import Array

NAMES = ("image", "text", "interaction", "taste")  # of the parts of a query
SIDE_BY_SIDE = 5  # neighbours by each way of asking
LENDERS = 3  # products that are named as lending a photo their words
PAIRS = 512  # products that say how well pictures and texts are aligned


@dataclass(frozen=True)
class Alignment:
    """Mean cosines of products' pictures with their own text and with the text of others: the wider apart the better.

    `raw` is as the encoder gives them, `adapted` after the adapters that this catalogue trained.
    """

    raw: tuple[float, float]
    adapted: tuple[float, float]


@dataclass(frozen=True)
class Trace:
    """What happened to one query. A modality that was not given has no vector, no size and no time.

    `ms` has the time of each step by name: read, image tower, text tower, fuse, search, arrange. `norms` are lengths of
    the parts of the unit vector. `by` has the first rows with their cosines: by photo only, by words only and by both
    where both were given, else by the one vector among pictures and among texts.
    """

    query: Query
    kind: str
    text: str
    pixels: tuple[int, int] | None
    sees: int
    words: int
    tokens: int
    photo: Array | None
    said: Array | None
    vector: Array
    norms: dict[str, float]
    cosines: tuple[float, float] | None
    searched: int
    nearest: int
    answers: list[Recommendation]
    by: dict[str, list[tuple[int, float]]]
    lenders: list[int]  # rows whose words stand for those that an uploaded photo lacks
    ms: dict[str, float] = field(default_factory=dict)


def trace(recommender: Recommender, query: Query) -> Trace:
    """Run the query with a clock between its steps. Raises InputError where `recommend` does."""
    asked, clock = query, Clock()
    index, encoder = recommender.index, recommender.encoder
    with clock("read"):
        query = recommender.read(query).apply(query)
    text = query.text.strip()
    photos = [p for p in (query.image, *query.photos, *query.unlike_photos) if p is not None]
    sentences = [s for s in (text, *query.away) if s]
    if photos:
        with clock("image tower"):
            image_rows(encoder, photos)
    if sentences:
        with clock("text tower"):
            text_rows(encoder, sentences)
    _, kind = recommender.embed(query)  # from here on rows are known, and what is timed is the fusion alone
    image = recommender.image_row(query)
    said = recommender.text_rows([text]) if text else None
    with clock("fuse"):
        parts = recommender.fused(query, image, said)[0]
    with clock("search"):
        scores, rows = recommender.nearest(query, parts)
    with clock("arrange"):
        recommender.arrange(query, scores, rows)
    photo, words = aligned(index.head, image=image, text=said)
    allowed = index.allowed(query.filters)
    few = replace(query, k=SIDE_BY_SIDE, diversity=0.0)
    by = {}
    if image is not None and said is not None:
        alone = replace(few, away=(), weight=0.5)
        by["photo"] = _first(recommender, few, recommender.fused(alone, image, None)[0])
        by["words"] = _first(recommender, few, recommender.fused(replace(alone, reference=""), None, said)[0])
    elif image is not None or said is not None:
        one = (photo if image is not None else words)[0]
        pictures, texts = aligned(index.head, image=index.image, text=index.text)
        by["pictures"] = _among(recommender, few, pictures @ one, allowed)
        by["texts"] = _among(recommender, few, texts @ one, allowed)
    by["both"] = _first(recommender, few, parts)
    cosines, lenders = None, list[int]()
    if image is not None and said is not None and isinstance(index.head, Trained) and not query.reference:
        lenders = [int(row) for row in index.lenders(image)[0] if row >= 0 and index.text[row].any()][:LENDERS]
    if image is not None and said is not None:
        cosines = float(image[0, : index.head.dim] @ said[0, : index.head.dim]), float(photo[0] @ words[0])
    return Trace(
        query=asked,
        kind=kind,
        text=text,
        pixels=query.image.size if query.image is not None else None,
        sees=seen_side(encoder),
        words=len(text.split()),
        tokens=tokens(encoder, text),
        photo=photo[0] if len(photo) else None,
        said=words[0] if len(words) else None,
        vector=parts.sum(0),
        norms=dict(zip(NAMES, np.linalg.norm(parts, axis=1).astype(float).tolist(), strict=False)),
        cosines=cosines,
        searched=len(index) if allowed is None else len(allowed),
        nearest=len(rows),
        answers=recommender.recommend(asked),
        by=by,
        lenders=lenders,
        ms=clock.ms,
    )


def aligned(head: FusionHead, *, image: Array | None = None, text: Array | None = None) -> tuple[Array, Array]:
    """Pictures (n, dim) and texts (m, dim) in their shared space, adapted where the head has adapters; zero stays zero.

    A modality that is not given comes back empty.
    """
    none = np.zeros((0, head.dim), np.float32)
    if not isinstance(head, Trained):
        return tuple(none if rows is None else rows[:, : head.dim] for rows in (image, text))  # type: ignore[return-value]
    with torch.inference_mode():
        return (
            none if image is None else head.image_adapter(torch.from_numpy(image)).numpy(),
            none if text is None else head.text_adapter(torch.from_numpy(text)).numpy(),
        )


def alignment(index: ProductIndex) -> Alignment | None:
    """How well this catalogue's pictures and texts are aligned; None where too few products have both."""
    both = np.flatnonzero((index.image != 0).any(1) & (index.text != 0).any(1))
    if len(both) < 2:
        return None
    some = both[np.linspace(0, len(both) - 1, min(PAIRS, len(both))).astype(int)]
    image, text = index.image[some], index.text[some]
    raw = image[:, : index.head.dim], text[:, : index.head.dim]
    return Alignment(_own_and_other(*raw), _own_and_other(*aligned(index.head, image=image, text=text)))


def tokens(encoder: Encoder, text: str) -> int:
    """How many pieces the tokeniser makes of a text, its marks for begin and end among them; 0 where it is hidden."""
    tokenizer = getattr(encoder, "tokenizer", None)
    if tokenizer is None or not text:
        return 0
    row = tokenizer([text])[0].tolist()
    padding = next((n for n, token in enumerate(reversed(row)) if token != row[-1]), len(row))
    return len(row) - (padding if padding > 1 else 0)


def seen_side(encoder: Encoder) -> int:
    """Pixels, each side, of what the image tower sees; 0 where it does not say."""
    size = getattr(getattr(getattr(encoder, "model", None), "visual", None), "image_size", 0)
    return int(size[0] if isinstance(size, tuple | list) else size)


class Clock:
    """Milliseconds by the name of a step."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time what happens inside."""
        begun = time.perf_counter()
        yield
        self.ms[step] = 1000 * (time.perf_counter() - begun)


def _first(recommender: Recommender, query: Query, parts: Array) -> list[tuple[int, float]]:
    scores, rows, _ = recommender.arrange(query, *recommender.nearest(query, parts))
    return [(int(row), float(score)) for row, score in zip(rows, scores, strict=True)]


def _among(
    recommender: Recommender, query: Query, scores: Array, allowed: NDArray[np.int64] | None
) -> list[tuple[int, float]]:
    order = np.argsort(-scores, kind="stable")
    order = order if allowed is None else order[np.isin(order, allowed)]
    scores, rows, _ = recommender.arrange(query, scores[order], order)
    return [(int(row), float(score)) for row, score in zip(rows, scores, strict=True)]


def _own_and_other(image: Array, text: Array) -> tuple[float, float]:
    cosines = image @ text.T
    own, n = float(np.trace(cosines)), len(cosines)
    return own / n, (float(cosines.sum()) - own) / (n * (n - 1))

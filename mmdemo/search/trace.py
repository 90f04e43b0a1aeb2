"""One query, step by step: what each step of the recommender took in, gave out, and cost in time.

The steps are the recommender's own, run once more with a clock between them. Photo and words go straight to the
encoder, past the recommender's cache, so that every time is that of the computation.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from mmdemo.core.request import Query
from mmdemo.core.vectors import Array
from mmdemo.encode.embeddings import photo_embeddings, text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.fusion.heads import FusionHead, Trained
from mmdemo.fusion.prepared_query import PreparedQuery
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.tiers import Tiers
from mmdemo.search.recommendation import Recommendation
from mmdemo.search.recommender import Recommender

NAMES = ("image", "text", "interaction", "taste", "name")  # of the parts of a query
SIDE_BY_SIDE = 5  # products that are listed for each way of searching
MAX_NAMED = 3  # neighbours of a photo that are named
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
    words_vector: Array | None
    vector: Array
    norms: dict[str, float]
    cosines: tuple[float, float] | None
    searched: int
    nearest: int
    answers: list[Recommendation]
    by: dict[str, list[tuple[int, float]]]
    neighbours: list[int]  # rows whose texts the query expansion of an uploaded photo takes
    ms: dict[str, float] = field(default_factory=dict)


def trace(recommender: Recommender, query: Query | PreparedQuery) -> Trace:
    """Run the query with a clock between its steps. Raises InputError where `recommend` does."""
    given, clock = query.given if isinstance(query, PreparedQuery) else recommender.looking(query), Clock()
    index, encoder = recommender.index, recommender.encoder
    with clock("read"):
        as_read = recommender.read(given).apply(given)
    text = as_read.text.strip()
    photos = [p for p in (as_read.seen, *as_read.photos, *as_read.unlike_photos) if p is not None]
    sentences = [s for s in (text, *as_read.away) if s]
    if photos:
        with clock("image tower"):
            photo_embeddings(encoder, photos)
    if sentences:
        with clock("text tower"):
            text_embeddings(encoder, sentences)
    prepared = recommender.prepare(query)  # from here on embeddings are cached, and what is timed is the fusion alone
    with clock("fuse"):
        recommender.fused(as_read, prepared.image, prepared.text)
    with clock("search"):
        scores, rows = recommender.nearest(prepared)
    with clock("arrange"):
        recommender.arrange(prepared, scores, rows)
    photo, words = aligned(index.head, image=prepared.image, text=prepared.text)
    cosines, neighbours = None, list[int]()
    if prepared.image is not None and prepared.text is not None:
        dim = index.head.dim
        cosines = float(prepared.image[0, :dim] @ prepared.text[0, :dim]), float(photo[0] @ words[0])
        if isinstance(index.head, Trained) and not as_read.reference:
            nearest = index.neighbours(prepared.image)[0]
            neighbours = [int(row) for row in nearest if row >= 0 and index.text[row].any()][:MAX_NAMED]
    return Trace(
        query=given,
        kind=prepared.modality,
        text=text,
        pixels=as_read.seen.size if as_read.seen is not None else None,
        sees=seen_side(encoder),
        words=len(text.split()),
        tokens=tokens(encoder, text),
        photo=photo[0] if len(photo) else None,
        words_vector=words[0] if len(words) else None,
        vector=prepared.vector,
        norms=_norms(prepared),
        cosines=cosines,
        searched=len(index) if prepared.allowed is None else len(prepared.allowed),
        nearest=len(rows),
        answers=recommender.recommend(prepared),
        by=_side_by_side(recommender, prepared, photo, words),
        neighbours=neighbours,
        ms=clock.ms,
    )


def _norms(prepared: PreparedQuery) -> dict[str, float]:
    """The lengths of a query's parts, as they count in a score."""
    norms = dict(zip(NAMES, np.linalg.norm(prepared.shares, axis=1).astype(float).tolist(), strict=False))
    return norms if prepared.named is None else norms | {"name": prepared.named.weight}


def _side_by_side(
    recommender: Recommender, prepared: PreparedQuery, photo: Array, words: Array
) -> dict[str, list[tuple[int, float]]]:
    """The first rows by each modality alone, `photo` and `words` (1 or 0, dim) as they were aligned, and by both."""
    index, image, text = recommender.index, prepared.image, prepared.text
    short = prepared.query.with_(k=SIDE_BY_SIDE, diversity=0.0)
    by = {}
    whole = prepared
    prepared = replace(
        prepared, tiers=Tiers.one(len(index), prepared.allowed), named=None
    )  # what each modality finds by itself
    if image is not None and text is not None:
        alone = short.with_(away=(), weight=0.5)
        by["photo"] = _first(recommender, prepared, short, recommender.fused(alone, image, None)[0])
        by["words"] = _first(recommender, prepared, short, recommender.fused(alone.with_(reference=""), None, text)[0])
    elif image is not None or text is not None:
        vector = (photo if image is not None else words)[0]
        pictures, texts = aligned(index.head, image=index.image, text=index.text)
        by["pictures"] = _among(recommender, replace(prepared, query=short), pictures @ vector)
        by["texts"] = _among(recommender, replace(prepared, query=short), texts @ vector)
    by["both"] = _first(recommender, whole, short, prepared.parts)
    return by


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
    sample = both[np.linspace(0, len(both) - 1, min(PAIRS, len(both))).astype(int)]
    image, text = index.image[sample], index.text[sample]
    raw = image[:, : index.head.dim], text[:, : index.head.dim]
    return Alignment(_matching_and_other(*raw), _matching_and_other(*aligned(index.head, image=image, text=text)))


def tokens(encoder: Encoder, text: str) -> int:
    """How many pieces the tokeniser makes of a text, the start and end tokens included; 0 without a known tokeniser."""
    tokenizer = getattr(encoder, "tokenizer", None)
    if tokenizer is None or not text:
        return 0
    row = tokenizer([text])[0].tolist()
    padding = next((n for n, token in enumerate(reversed(row)) if token != row[-1]), len(row))
    return len(row) - (padding if padding > 1 else 0)


def seen_side(encoder: Encoder) -> int:
    """Pixels, each side, of the image tower's input; 0 where the model does not say."""
    size = getattr(getattr(getattr(encoder, "model", None), "visual", None), "image_size", 0)
    return int(size[0] if isinstance(size, tuple | list) else size)


class Clock:
    """Milliseconds by the name of a step."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time what happens inside."""
        started = time.perf_counter()
        yield
        self.ms[step] = 1000 * (time.perf_counter() - started)


def _first(recommender: Recommender, prepared: PreparedQuery, query: Query, parts: Array) -> list[tuple[int, float]]:
    changed = replace(prepared, query=query, parts=parts)
    scores, rows, _ = recommender.arrange(changed, *recommender.nearest(changed))
    return [(int(row), float(score)) for row, score in zip(rows, scores, strict=True)]


def _among(recommender: Recommender, prepared: PreparedQuery, scores: Array) -> list[tuple[int, float]]:
    order = np.argsort(-scores, kind="stable")
    scores, rows, _ = recommender.arrange(prepared, scores[order], order)
    return [(int(row), float(score)) for row, score in zip(rows, scores, strict=True)]


def _matching_and_other(image: Array, text: Array) -> tuple[float, float]:
    cosines = image @ text.T
    matching, n = float(np.trace(cosines)), len(cosines)
    return matching / n, (float(cosines.sum()) - matching) / (n * (n - 1))

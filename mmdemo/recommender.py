"""The recommender: one query in, ranked products out, each with its reason. Every surface makes this call."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mmdemo import explain
from mmdemo.catalog import Product
from mmdemo.embed import image_rows, text_rows
from mmdemo.encoder import Encoder
from mmdemo.errors import InputError
from mmdemo.index import ProductIndex, resolve_spec
from mmdemo.query import Query
from mmdemo.rerank import mmr
from mmdemo.vectors import Array

LIKE, UNLIKE = 0.6, 0.4  # how far liked and disliked products pull (Rocchio 1971)
NEIGHBOURS = 200  # among so many of the nearest, `similar` looks for the same category
POOL = 5  # diversity picks from this many times k candidates


@dataclass(frozen=True)
class Recommendation:
    """One answer. `score` is a cosine and equals the sum of `parts`; `match` is the calibrated chance it is right."""

    rank: int
    id: str
    title: str
    score: float
    match: float
    parts: dict[str, float]
    reason: str
    product: Product

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that the command line and the API share."""
        return {"rank": self.rank, "id": self.id, "title": self.title, "score": self.score, "match": self.match,
                "parts": self.parts, "reason": self.reason}  # fmt: skip


class Recommender:
    """An index and the encoder that made it."""

    def __init__(self, index: ProductIndex, encoder: Encoder) -> None:
        self.index, self.encoder = index, encoder
        self._text_row = lru_cache(maxsize=512)(lambda text: text_rows(encoder, [text]))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open an index with the encoder that its manifest names; InputError when they do not belong together."""
        index = ProductIndex.load(path)
        made_by = index.manifest.get("encoder", {})
        encoder = Encoder.load(resolve_spec(str(made_by.get("spec", ""))))
        if encoder.weights_hash != made_by.get("weights_sha256"):
            raise InputError(
                f"the index '{path}' was made by other weights of the encoder '{made_by.get('spec')}' (expected "
                f"{str(made_by.get('weights_sha256'))[:12]}…, found {encoder.weights_hash[:12]}…); build it again: "
                f"python -m mmdemo build CATALOG --out {path}"
            )
        return cls(index, encoder)

    def recommend(self, query: Query) -> list[Recommendation]:
        """The k best products that pass the filters, best first. Raises InputError for an empty or unknown query."""
        parts, kind = self.embed(query)
        scores, rows = self._search(query, parts)
        return self._answer(query, kind, parts, scores, rows)

    def similar(self, product_id: str, k: int = 12) -> list[Recommendation]:
        """Products like this one, by the same fused vectors: those of its own category first, itself left out."""
        category = self.product(product_id).category
        pool = self.recommend(Query(like=(product_id,), k=min(1000, max(k, NEIGHBOURS))))
        pool.sort(key=lambda r: r.product.category != category)  # stable, so the best stay first in both halves
        return [replace(r, rank=rank) for rank, r in enumerate(pool[:k], 1)]

    def product(self, product_id: str) -> Product:
        """The product's row; raises InputError naming the nearest id when it is unknown."""
        return self.index.products[self.index.row(product_id)]

    def explain(self, query: Query, product_id: str) -> dict[str, Any]:
        """The receipt of this product for this query, its rank among all products, and what each query word did."""
        row = self.index.row(product_id)
        parts, kind = self.embed(query)
        target = self.index.vectors[row]
        score = float(parts.sum(0) @ target)

        def without(texts: list[str]) -> Array:
            image = self._image_row(query)
            rows = text_rows(self.encoder, texts)
            images = np.repeat(image, len(rows), 0) if image is not None else None
            fused = self.index.head.fuse(image=images, text=rows, weight=query.weight)
            return fused @ target

        words = explain.word_effects(query.text, without, score) if query.text.strip() else []
        receipt = explain.receipt(parts, target)
        better = int((self.index.vectors @ parts.sum(0) > score + 1e-6).sum())
        product = self.index.products[row]
        return {
            "id": product_id, "title": product.title, "score": score, "rank": better + 1,
            "match": float(
                self.index.calibration.match(kind, self.index.standing(parts.sum(0), np.array([score])))[0]
            ), "parts": receipt,
            "reason": explain.sentence(kind, receipt, product, query.text, bool(query.like)),
            "words": [{"word": w, "effect": e} for w, e in words],
        }  # fmt: skip

    def embed(self, query: Query) -> tuple[Array, str]:
        """The query's three parts (3, width), summing to a unit vector, and its kind: image, text, both or like."""
        if query.empty:
            raise InputError("there is nothing to search by: give a photo, some words, or a product to start from")
        image = self._image_row(query)
        text = self._text_row(query.text.strip()) if query.text.strip() else None
        kind = "both" if image is not None and text is not None else "image" if image is not None else "text"
        parts = np.zeros((3, self.index.head.width), np.float32)
        if image is not None or text is not None:
            parts += self.index.head.parts(image=image, text=text, weight=query.weight)[0]
        else:
            kind = "like"
        for ids, pull in ((query.like, LIKE), (query.unlike, -UNLIKE)):
            if ids:
                rows = [self.index.row(i) for i in ids]
                parts += pull * self.index.parts[rows].mean(0)
        length = np.linalg.norm(parts.sum(0))
        if length < 1e-6:
            raise InputError("what you like and dislike cancel each other out; take one of them back")
        return parts / length, kind

    def _image_row(self, query: Query) -> Array | None:
        if query.reference:
            row = self.index.image[self.index.row(query.reference)][None]
            if not row.any():
                raise InputError(f"the product '{query.reference}' has no picture to start from; describe it in words")
            return row
        return image_rows(self.encoder, [query.image]) if query.image is not None else None

    def _search(self, query: Query, parts: Array) -> tuple[Array, NDArray[np.int64]]:
        left_out = {self.index.row(i) for i in (*query.like, *query.unlike, *filter(None, [query.reference]))}
        wanted = query.k * (POOL if query.diversity else 1) + len(left_out)
        scores, rows = self.index.search(parts.sum(0), wanted, self.index.allowed(query.filters))
        keep = ~np.isin(rows, list(left_out))
        scores, rows = scores[keep], rows[keep]
        order = mmr(scores, self.index.vectors[rows], query.k, query.diversity)
        return scores[order], rows[order]

    def _answer(
        self, query: Query, kind: str, parts: Array, scores: Array, rows: NDArray[np.int64]
    ) -> list[Recommendation]:
        match = self.index.calibration.match(kind, self.index.standing(parts.sum(0), scores))
        answers = []
        for rank, (row, score) in enumerate(zip(rows, scores, strict=True), 1):
            product = self.index.products[row]
            receipt = explain.receipt(parts, self.index.vectors[row])
            reason = explain.sentence(kind, receipt, product, query.text, bool(query.like))
            answers.append(
                Recommendation(
                    rank, product.id, product.title, float(score), float(match[rank - 1]), receipt, reason, product
                )
            )
        return answers

"""Why this product for this query: every figure behind one answer, each taken from the score that ranked it.

The parts are made by `explain` (receipt, words), `regions` (maps and their checks) and `counterfactual` (what would
change it); here they meet the recommender.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmdemo import counterfactual, explain, regions
from mmdemo.embed import image_rows, moved, plain_rows, product_rows
from mmdemo.imaging import decode
from mmdemo.query import Query
from mmdemo.recommender import Recommender
from mmdemo.say import say
from mmdemo.vectors import Array

STRENGTHS = ("category", "colour", "material", "pattern")  # properties that a change may add, first


@dataclass(frozen=True)
class Map:
    """A heat map over a picture (GRID rows of GRID numbers, in units of the score)."""

    heat: list[list[float]]
    picture: Image.Image


class Why:
    """One query and one product. Nothing is computed before it is asked for."""

    def __init__(self, recommender: Recommender, query: Query, product_id: str) -> None:
        self._r, self.index = recommender, recommender.index
        self.asked, self.row = query, recommender.index.row(product_id)
        self.reading = recommender.read(query)
        self.query = self.reading.apply(query)
        self.parts, self.kind = recommender.embed(self.query)
        self.vector = self.parts.sum(0)
        self.target = self.index.vectors[self.row]
        self.product = self.index.products[self.row]
        self.score = float(self.vector @ self.target)

    @cached_property
    def receipt(self) -> dict[str, float]:
        """The score's parts, summing to it."""
        return explain.receipt(self.parts, self.target)

    @cached_property
    def rank(self) -> int | None:
        """The product's place in the answer; None where the query leaves it out."""
        return self._r.rank(self.asked, self.product.id)

    @cached_property
    def reason(self) -> str:
        """The card's sentence."""
        return self._r.reason(self.kind, self.parts, self.row, self.index.spread(self.parts.sum(0)))

    @cached_property
    def match(self) -> float:
        """The calibrated chance that this product is right."""
        near = self._r.nearest(self.query, self.parts)
        return float(self._r.match(self.query, self.kind, self.parts, np.array([self.score], np.float32), *near)[0])

    @cached_property
    def words(self) -> list[tuple[str, float]]:
        """What each word that the encoder read did to the score, leave one out."""
        return explain.word_effects(self.query.text, self._with_text, self.score, self._pieces)

    @cached_property
    def note(self) -> str:
        """What is left out where a query is very long, so that no query takes much longer than others; else empty."""
        if len(self._pieces) <= explain.MOST_WORDS and len(self.reading.parts) <= counterfactual.MOST:
            return ""
        return say(
            "This is a long query: only its first {words} words are weighed, and only its first {tried} words and "
            "{tried} conditions are tried without.", words=explain.MOST_WORDS, tried=counterfactual.MOST,
        )  # fmt: skip

    @cached_property
    def title_words(self) -> list[tuple[str, float]]:
        """What each word of the product's title did to the score: its text read again without that word."""
        title, text = self.product.title, self.product.text

        def score_of(titles: list[str]) -> Array:
            return self._as_product(text=self._r.text_rows([text.replace(title, t, 1).lstrip(" .") for t in titles]))

        return explain.word_effects(title, score_of, self.score) if text.startswith(title) else []

    @cached_property
    def query_map(self) -> Map | None:
        """Where in the query's photo (or the reference's picture) the score comes from; None without one."""
        picture = self._query_picture
        return None if picture is None else self._map(picture, self._seen_query)

    @cached_property
    def product_map(self) -> Map | None:
        """Where in the product's picture the score comes from; None without one."""
        picture = self._product_picture
        return None if picture is None else self._map(picture, self._seen_product)

    @cached_property
    def query_check(self) -> regions.Check | None:
        """How far the photo's map may be believed, on the whole deployed path."""
        if self.query_map is None:
            return None
        rows = product_rows if self.query.reference else image_rows
        score = lambda pictures: self._with_image(rows(self._r.encoder, pictures))  # noqa: E731
        return regions.check(score, self.query_map.picture, np.array(self.query_map.heat))

    @cached_property
    def product_check(self) -> regions.Check | None:
        """How far the product's map may be believed, on the whole deployed path."""
        if self.product_map is None:
            return None
        score = lambda pictures: self._as_product(image=product_rows(self._r.encoder, pictures))  # noqa: E731
        return regions.check(score, self.product_map.picture, np.array(self.product_map.heat))

    @cached_property
    def changes(self) -> list[counterfactual.Change]:
        """The smallest changes of the query that put the product first or drop it; each was run."""
        columns = [c for c in STRENGTHS if c in self.index.facets] or list(self.index.facets)[:4]
        options = list(counterfactual.candidates(self.asked, self.reading, self.product, columns))
        readings = [self._r.read(q).apply(q) for _, q in options]
        self._r.text_rows([q.text.strip() for q in readings if q.text.strip()] or [""])  # all of them in one batch
        return counterfactual.changes(self.asked, options, lambda q: self._r.rank(q, self.product.id))

    @cached_property
    def above(self) -> dict[str, str] | None:
        """The product ranked right above this one, and the properties in which the two differ; None for the first."""
        if self.rank is None or self.rank == 1:
            return None
        answer = self._r.recommend(replace(self.asked, k=min(1000, self.rank), diversity=0.0))
        place = next((i for i, r in enumerate(answer) if self.product.id in (r.id, *r.variants)), len(answer))
        if not place:
            return None
        other = answer[place - 1].product
        return {"id": other.id, "title": other.shown("title"),
                "difference": explain.difference(self.product, other, list(self.index.facets))}  # fmt: skip

    def as_dict(self, checks: bool = True) -> dict[str, Any]:
        """Everything as JSON; without `checks`, what takes longest is left out."""
        said: dict[str, Any] = {
            "id": self.product.id, "title": self.product.title, "score": self.score, "rank": self.rank,
            "match": self.match, "parts": self.receipt, "reason": self.reason,
            "words": [{"word": w, "effect": e} for w, e in self.words],
            "title_words": [{"word": w, "effect": e} for w, e in self.title_words],
            "read": self.reading.as_dict(), "note": self.note,
        }  # fmt: skip
        for name in ("query", "product"):
            made = getattr(self, f"{name}_map")
            found = getattr(self, f"{name}_check") if checks else None
            said[f"{name}_map"] = None
            if made is not None and (found is not None or not checks):  # no check, no map
                figures = None if found is None else asdict(found) | {"gain": found.gain}
                said[f"{name}_map"] = {"heat": made.heat, "faithfulness": figures}
        if checks:
            said["changes"] = [
                {"change": c.what, "text": c.query.text, "before": c.before, "after": c.after, "sentence": c.sentence}
                for c in self.changes
            ]
            said["above"] = self.above
        return said

    @cached_property
    def _pieces(self) -> list[tuple[int, int]]:
        return self._r.language.grammar.words.pieces(self.query.text)

    @cached_property
    def _query_picture(self) -> Image.Image | None:
        if self.query.reference:
            return self._thumbnail(self.query.reference)
        return None if self.query.image is None else regions.small(self.query.image)

    @cached_property
    def _product_picture(self) -> Image.Image | None:
        return self._thumbnail(self.product.id) if self.index.image[self.row].any() else None

    def _thumbnail(self, product_id: str) -> Image.Image | None:
        path: Path | None = self.index.thumbnail(product_id)
        return regions.small(decode(path)) if path is not None else None

    def _map(self, picture: Image.Image, score: regions.Score) -> Map:
        return Map(regions.heat_map(score, picture).astype(float).tolist(), picture)

    def _seen_query(self, pictures: list[Image.Image]) -> Array:
        """Scores of changed query pictures. Each change is looked at once and moves all looks of the deployed row
        alike: a third of the work. The check goes the whole way."""
        row = self._r.image_row(self.query)
        assert row is not None
        share = 1 / (1 + len(self.query.photos))  # of a blend of photos, one is changed
        return self._with_image(self._moved(row[0], pictures, share))

    def _seen_product(self, pictures: list[Image.Image]) -> Array:
        return self._as_product(image=self._moved(self.index.image[self.row], pictures))

    def _moved(self, row: Array, pictures: list[Image.Image], share: float = 1.0) -> Array:
        plain = plain_rows(self._r.encoder, pictures)
        return moved(row, share * (plain - plain[0]), self.index.head.dim)

    def _with_text(self, texts: list[str]) -> Array:
        """Scores (n,) of this product with other words in the query."""
        image = self._r.image_row(self.query)
        rows = self._r.text_rows(texts)
        if image is None and not self.query.like and not self.query.taste:
            # Without its only word a query is nothing; its score is nought.
            there = rows.any(1)
            scores = np.zeros(len(rows), np.float32)
            if there.any():
                scores[there] = self._r.fused(self.query, None, rows[there]).sum(1) @ self.target
            return scores
        if image is None:
            return np.array([self._r.fused(self.query, None, r[None] if r.any() else None).sum(1)[0] @ self.target
                             for r in rows], np.float32)  # fmt: skip
        return self._r.fused(self.query, np.repeat(image, len(rows), 0), rows).sum(1) @ self.target

    def _with_image(self, rows: Array) -> Array:
        """Scores (n,) of this product with other photo rows in the query."""
        text = self._r.text_rows([self.query.text.strip()]) if self.query.text.strip() else None
        return (
            self._r.fused(self.query, rows, None if text is None else np.repeat(text, len(rows), 0)).sum(1)
            @ self.target
        )

    def _as_product(self, image: Array | None = None, text: Array | None = None) -> Array:
        """Scores (n,) of this product with other picture or text rows."""
        n = len(image) if image is not None else len(text) if text is not None else 1
        image = np.repeat(self.index.image[self.row][None], n, 0) if image is None else image
        text = np.repeat(self.index.text[self.row][None], n, 0) if text is None else text
        return self.index.head.product_parts(image=image, text=text).sum(1) @ self.vector


def faithfulness(recommender: Recommender, queries: Sequence[Query], most: int = 100) -> dict[str, Any]:
    """How far the maps may be believed, for the report: deletion, insertion and random order over queries' first
    answers, {"query" | "product": {"pairs", "deletion", "insertion", "random_deletion", "random_insertion", "gain"}},
    each figure with a 95% interval; `gain` above zero means better than random order.

    Queries without a photo count for the product's map alone. Some 0.3 s a query.
    """
    from mmdemo.evaluation import interval

    found: dict[str, list[regions.Check]] = {"query": [], "product": []}
    for query in queries[:most]:
        answer = recommender.recommend(replace(query, k=1))
        if not answer:
            continue
        why = Why(recommender, query, answer[0].id)
        for name, check in (("query", why.query_check), ("product", why.product_check)):
            if check is not None:
                found[name].append(check)
    names = ("deletion", "insertion", "random_deletion", "random_insertion", "gain")
    return {
        kind: {"pairs": len(checks)} | {n: interval(np.array([getattr(c, n) for c in checks])) for n in names}
        for kind, checks in found.items()
        if checks
    }

"""Why this product for this query: every figure behind one answer, each taken from the score that ranked it.

The figures come from `reasons` (receipt, sentence), `words`, `occlusion` (maps and their checks) and `counterfactual`;
the recommender is handed in and known by the protocol `Ranker` alone.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdemo.catalog.imaging import decode
from mmdemo.catalog.product import Product
from mmdemo.core.messages import Message
from mmdemo.core.request import Query
from mmdemo.core.vectors import Array
from mmdemo.encode.embeddings import photo_embeddings, product_embeddings, shifted, single_view_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.explain import counterfactual, reasons, words
from mmdemo.explain import occlusion as regions
from mmdemo.fusion.prepared_query import PreparedQuery
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.language_model import Language
from mmdemo.language.names import names_of
from mmdemo.language.reading import Reading

STRENGTHS = ("category", "colour", "material", "pattern")  # properties that a change may add, first


@dataclass(frozen=True)
class Map:
    """A heat map over a picture (GRID rows of GRID numbers, in units of the score)."""

    heat: list[list[float]]
    picture: Image.Image


@dataclass(frozen=True)
class RankedAbove:
    """The product that is ranked right above another one, and in which properties it differs from it."""

    id: str
    title: str
    difference: str


class Answer(Protocol):
    """One product of an answer."""

    @property
    def id(self) -> str: ...
    @property
    def variants(self) -> tuple[str, ...]: ...
    @property
    def product(self) -> Product: ...


class Ranker(Protocol):
    """What an explanation asks of the recommender whose ranking it explains: see `search.recommender`."""

    index: ProductIndex
    encoder: Encoder

    @property
    def language(self) -> Language: ...
    def prepare(self, query: Query | PreparedQuery, /) -> PreparedQuery: ...
    def recommend(self, query: Query | PreparedQuery, /) -> Sequence[Answer]: ...
    def read(self, query: Query, /) -> Reading: ...
    def rank(self, query: Query | PreparedQuery, product_id: str, /) -> int | None: ...
    def reason(self, prepared: PreparedQuery, row: int, /) -> str: ...
    def match(self, prepared: PreparedQuery, scores: Array, rows: NDArray[np.int64], /) -> Any: ...
    def fused(self, query: Query, image: Array | None, text: Array | None, /) -> Array: ...
    def text_rows(self, texts: Sequence[str], /) -> Array: ...
    def behaviour_part(self, prepared: PreparedQuery, /) -> Any: ...


class Explanation:
    """One query and one product. Nothing is computed before it is asked for."""

    def __init__(self, recommender: Ranker, query: Query | PreparedQuery, product_id: str) -> None:
        self._r, self.index = recommender, recommender.index
        self.row = recommender.index.row(product_id)
        self.prepared = recommender.prepare(query)
        self.asked, self.reading, self.query = self.prepared.given, self.prepared.reading, self.prepared.query
        self.parts, self.modality, self.vector = self.prepared.parts, self.prepared.modality, self.prepared.vector
        # Of several pictures, the one that the score comes from.
        seen = self.index.nearest_pictures(self.vector, [self.row])
        self.target, self._picture_row, self._picture = seen[0][0], seen[1][0], int(seen[2][0])
        self.product, self._named = self.index.products[self.row], self.prepared.named
        self._lift = self.prepared.behaviour(self.row)
        self.score = float(self._whole(self.vector @ self.target[:, None])[0])

    @cached_property
    def receipt(self) -> dict[str, float]:
        """The score's parts, summing to it."""
        return reasons.receipt(self.prepared.shares, self.target, self.prepared.name(self.row), self._lift)

    @cached_property
    def rank(self) -> int | None:
        """The product's place in the answer; None where the query leaves it out."""
        return self._r.rank(self.prepared, self.product.id)

    @cached_property
    def reason(self) -> str:
        """The card's sentence."""
        return self._r.reason(self.prepared, self.row)

    @cached_property
    def match(self) -> float:
        """The calibrated chance that this product is exact or a substitute."""
        return float(self._match.chance[0])

    @cached_property
    def grade(self) -> str | None:
        """What the product is to the query (exact, substitute, complement); None where that is not certain."""
        grade = self._match.grades[0]
        return None if grade is None else str(grade)

    @cached_property
    def _match(self) -> Any:
        return self._r.match(self.prepared, np.array([self.score], np.float32), np.array([self.row]))

    @cached_property
    def behaviour(self) -> dict[str, Any] | None:
        """What behaviour's part of the score is made of: `always` and the shares of the history sum to it."""
        part = self._r.behaviour_part(self.prepared)
        return None if part is None else part.as_dict(self.index, self.row)

    @cached_property
    def words(self) -> list[tuple[str, float]]:
        """What each word that the encoder read did to the score, leave one out."""
        return words.word_effects(self.query.text, self._with_text, self.score, self._pieces)

    @cached_property
    def note(self) -> str:
        """What is left out where a query is very long, so that no query takes much longer than others; else empty."""
        if len(self._pieces) <= words.MOST_WORDS and len(self.reading.parts) <= counterfactual.MOST:
            return ""
        return Message(
            "This is a long query: only its first {words} words are weighed, and only its first {tried} words and "
            "{tried} conditions are tried without.",
            words=words.MOST_WORDS,
            tried=counterfactual.MOST,
        )

    @cached_property
    def title_words(self) -> list[tuple[str, float]]:
        """What each word of the product's title did to the score: its text read again without that word."""
        title, text = self.product.title, self.product.text

        def score_of(titles: list[str]) -> Array:
            rows = self._r.text_rows([text.replace(title, t, 1).lstrip(" .") for t in titles])
            others = [name for name in names_of(self.product) if name != title]
            said, between = self.reading.sentence, self.index.names.between
            return self._as_product(
                text=rows, name=[between(said, [t, *others]) for t in titles] if self._named else None
            )

        return words.word_effects(title, score_of, self.score) if text.startswith(title) else []

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
        rows = product_embeddings if self.query.reference else photo_embeddings
        score = lambda pictures: self._with_image(rows(self._r.encoder, pictures))  # noqa: E731
        return regions.check(score, self.query_map.picture, np.array(self.query_map.heat))

    @cached_property
    def product_check(self) -> regions.Check | None:
        """How far the product's map may be believed, on the whole deployed path."""
        if self.product_map is None:
            return None
        rows = single_view_embeddings if self._picture else product_embeddings  # as they were when it was built
        score = lambda pictures: self._as_product(image=rows(self._r.encoder, pictures))  # noqa: E731
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
    def above(self) -> RankedAbove | None:
        """The product ranked right above this one; None for the first."""
        if self.rank is None or self.rank == 1:
            return None
        answers = self._r.recommend(self.asked.with_(k=min(1000, self.rank), diversity=0.0))
        place = next((i for i, r in enumerate(answers) if self.product.id in (r.id, *r.variants)), len(answers))
        if not place:
            return None
        other = answers[place - 1].product
        difference = words.difference(self.product, other, list(self.index.facets))
        return RankedAbove(other.id, other.shown("title"), difference)

    def as_dict(self, checks: bool = True) -> dict[str, Any]:
        """Everything as JSON; without `checks`, what takes longest is left out."""
        answer: dict[str, Any] = {
            "id": self.product.id,
            "title": self.product.title,
            "score": self.score,
            "rank": self.rank,
            "match": self.match,
            "grade": self.grade,
            "parts": self.receipt,
            "reason": self.reason,
            "behaviour": self.behaviour,
            "words": [{"word": w, "effect": e} for w, e in self.words],
            "title_words": [{"word": w, "effect": e} for w, e in self.title_words],
            "read": self.reading.as_dict(),
            "note": self.note,
        }
        for name in ("query", "product"):
            heat_map = getattr(self, f"{name}_map")
            check = getattr(self, f"{name}_check") if checks else None
            answer[f"{name}_map"] = None
            if heat_map is not None and (check is not None or not checks):  # no check, no map
                figures = None if check is None else asdict(check) | {"gain": check.gain}
                answer[f"{name}_map"] = {"heat": heat_map.heat, "faithfulness": figures}
        if checks:
            answer["changes"] = [
                {"change": c.what, "text": c.query.text, "before": c.before, "after": c.after, "sentence": c.sentence}
                for c in self.changes
            ]
            answer["above"] = None if self.above is None else asdict(self.above)
        return answer

    @cached_property
    def _pieces(self) -> list[tuple[int, int]]:
        return self._r.language.grammar.words.pieces(self.query.text)

    @cached_property
    def _query_picture(self) -> Image.Image | None:
        if self.query.reference:
            return self._thumbnail(self.query.reference)
        seen = self.query.seen
        return None if seen is None else regions.small(seen)

    @cached_property
    def _product_picture(self) -> Image.Image | None:
        return self._thumbnail(self.product.id, self._picture) if self._picture_row.any() else None

    def _thumbnail(self, product_id: str, number: int = 0) -> Image.Image | None:
        content = self.index.thumbnail(product_id, number)
        return regions.small(decode(content)) if content is not None else None

    def _map(self, picture: Image.Image, score: regions.Score) -> Map:
        return Map(regions.heat_map(score, picture).astype(float).tolist(), picture)

    def _seen_query(self, pictures: list[Image.Image]) -> Array:
        """Scores of changed query pictures. One view of each change is encoded, and its effect is taken for that of all
        views: a third of the work. The check encodes every view."""
        row = self.prepared.image
        assert row is not None
        share = 1 / (1 + len(self.query.photos))  # of a blend of photos, one is changed
        return self._with_image(self._moved(row[0], pictures, share))

    def _seen_product(self, pictures: list[Image.Image]) -> Array:
        return self._as_product(image=self._moved(self._picture_row, pictures))

    def _moved(self, row: Array, pictures: list[Image.Image], share: float = 1.0) -> Array:
        plain = single_view_embeddings(self._r.encoder, pictures)
        return shifted(row, share * (plain - plain[0]), self.index.head.dim)

    def _with_text(self, texts: list[str]) -> Array:
        """Scores (n,) of this product with other words in the query; behaviour adds what it did."""
        said, text = self.reading.sentence, self.query.text
        name = None
        if self._named is not None:
            sentences = [said.replace(text, t, 1) if text in said else t for t in texts]
            name = [float(self.index.names.cosines(sentence)[self.row]) for sentence in sentences]
        return self._whole(self._fused_with_text(texts), name)

    def _whole(self, scores: Array, name: Sequence[float] | None = None) -> Array:
        """Cosines (n,) of this product as scores, with what its name and behaviour add; `name` are other cosines."""
        if self._named is not None:
            by_name = np.asarray(self._named.cosines[self.row] if name is None else name, np.float32)
            scores = (1 - self._named.weight) * scores + self._named.weight * by_name
        return scores + np.float32(self._lift or 0.0)

    def _fused_with_text(self, texts: list[str]) -> Array:
        image = self.prepared.image
        rows = self._r.text_rows(texts)
        if image is None and not self.query.like and not self.query.taste:
            # A query without its only word has no vector; its score counts as zero.
            has_words = rows.any(1)
            scores = np.zeros(len(rows), np.float32)
            if has_words.any():
                scores[has_words] = self._r.fused(self.query, None, rows[has_words]).sum(1) @ self.target
            return scores
        if image is None:
            return np.array(
                [self._r.fused(self.query, None, r[None] if r.any() else None).sum(1)[0] @ self.target for r in rows],
                np.float32,
            )
        return self._r.fused(self.query, np.repeat(image, len(rows), 0), rows).sum(1) @ self.target

    def _with_image(self, rows: Array) -> Array:
        """Scores (n,) of this product with other photo rows in the query."""
        text = self.prepared.text
        fused = self._r.fused(self.query, rows, None if text is None else np.repeat(text, len(rows), 0))
        return self._whole(fused.sum(1) @ self.target)

    def _as_product(
        self, image: Array | None = None, text: Array | None = None, name: Sequence[float] | None = None
    ) -> Array:
        """Scores (n,) of this product with other picture or text rows; `name` are the cosines of its names then."""
        n = len(image) if image is not None else len(text) if text is not None else 1
        image = np.repeat(self._picture_row[None], n, 0) if image is None else image
        text = np.repeat(self.index.text[self.row][None], n, 0) if text is None else text
        return self._whole(self.index.head.product_parts(image=image, text=text).sum(1) @ self.vector, name)

"""The recommender: one query in, ranked products out, each with its reason. Every surface makes this call."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdemo import explain
from mmdemo.assistant import Assistant, Language
from mmdemo.batching import Rows
from mmdemo.calibration import RIVALS, nearness
from mmdemo.catalog import Product
from mmdemo.embed import blend, query_looks, seen_rows, text_rows
from mmdemo.encoder import Encoder
from mmdemo.errors import InputError
from mmdemo.feedback import PULL, Posterior, Space, posterior
from mmdemo.grammar import Grammar
from mmdemo.home import resolve_spec
from mmdemo.index import ProductIndex
from mmdemo.language import Reading
from mmdemo.query import Query
from mmdemo.rerank import families, fold, mmr
from mmdemo.say import noun, say
from mmdemo.vectors import Array
from mmdemo.wordbook import every_language

LIKE, UNLIKE = 0.6, 0.4  # how far liked and disliked products pull (Rocchio 1971)
NEIGHBOURS = 200  # among so many of the nearest, `similar` looks for the same category
POOL = 5  # diversity picks from this many times k candidates
TEXTS, PHOTOS = 1024, 32  # sentences and photos whose rows are kept


@dataclass(frozen=True)
class Recommendation:
    """One answer. `score` is a cosine and equals the sum of `parts`; `match` is the calibrated chance it is right.

    `close` says whether it is near at all: where no answer is close, nothing in the catalogue matches the query.
    `variants` are ids folded under it, `because` the liked product that brought it where the taste did.
    """

    rank: int
    id: str
    title: str
    score: float
    match: float
    parts: dict[str, float]
    reason: str
    product: Product
    close: bool = True
    variants: tuple[str, ...] = ()
    because: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that the command line and the API share."""
        return {"rank": self.rank, "id": self.id, "title": self.title, "score": self.score, "match": self.match,
                "parts": self.parts, "reason": self.reason, "close": self.close, "variants": list(self.variants),
                "because": self.because}  # fmt: skip


class Recommender:
    """An index and the encoder that made it."""

    def __init__(self, index: ProductIndex, encoder: Encoder) -> None:
        self.index, self.encoder = index, encoder
        self._texts = Rows[str](str, lambda texts: text_rows(encoder, texts), TEXTS, key=str)
        self._photos = Rows[Image.Image](
            lambda photo: query_looks(encoder, photo), lambda looks: seen_rows(encoder, looks), PHOTOS, key=id
        )

    @cached_property
    def language(self) -> Language:
        """The reader of sentences, which knows the catalogue's own words in every language it has them in."""
        grammar = Grammar(self.index.products, self.index.facets, every_language(self.index.manifest))
        return Language(grammar, Assistant.from_environment())

    @cached_property
    def contrasts(self) -> explain.Contrasts:
        """What every property of a product does to its vector, for the sentence on its card."""
        return explain.Contrasts(self.index.products, self.index.vectors, self.index.facets)

    @cached_property
    def families(self) -> NDArray[np.int64]:
        """For each product the number of its family: what folding shows as one."""
        return families(self.index.products, self.index.image[:, : self.index.head.dim])

    @cached_property
    def space(self) -> Space:
        """The catalogue's main directions, in which tastes are learnt."""
        return Space(self.index.vectors)

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
        return cls(index, encoder.at())

    def on(self, index: ProductIndex) -> Self:
        """The same encoder, with what it remembers, on another index that it made."""
        other = type(self)(index, self.encoder)
        other._texts, other._photos = self._texts, self._photos
        return other

    def recommend(self, query: Query) -> list[Recommendation]:
        """The k best products that pass the filters, best first, the sentence read as `read` does.

        Raises InputError for an empty or unknown query.
        """
        query = self.read(query).apply(query)
        kind, image, text = self._given(query)
        parts = self.fused(query, image, text)[0]
        near = self.nearest(query, parts)
        scores, rows, under = self.arrange(query, *near)
        return self._answer(
            query, kind, image, parts, scores, rows, under, self.match(query, kind, parts, scores, *near)
        )

    def read(self, query: Query) -> Reading:
        """What the query's sentence means here: filters, negatives, edits, and the rest that the encoder reads."""
        anchor = self.product(query.reference) if query.reference else None
        if anchor is None and query.image is None and len(query.like) == 1:
            anchor = self.product(query.like[0])
        return self.language.read(query.text, anchor, photo=query.image is not None)

    def similar(self, product_id: str, k: int = 12) -> list[Recommendation]:
        """Products like this one, by the same fused vectors: those of its own category first, itself left out."""
        category = self.product(product_id).category
        pool = self.recommend(Query(like=(product_id,), k=min(1000, max(k, NEIGHBOURS))))
        pool.sort(key=lambda r: r.product.category != category)  # stable, so the best stay first in both halves
        return [replace(r, rank=rank) for rank, r in enumerate(pool[:k], 1)]

    def product(self, product_id: str) -> Product:
        """The product's row; raises InputError naming the nearest id when it is unknown."""
        return self.index.products[self.index.row(product_id)]

    def rank(self, query: Query, product_id: str) -> int | None:
        """The place that `recommend` would give this product if it went on long enough, without diversity; None where
        the query leaves it out."""
        row = self.index.row(product_id)
        query = self.read(query).apply(query)
        scores = self.index.vectors @ self.embed(query)[0].sum(0)
        among = np.ones(len(self.index), bool)
        if (allowed := self.index.allowed(query.filters)) is not None:
            among[:] = False
            among[allowed] = True
        among[list(self._left_out(query))] = False
        if not among[row]:
            return None
        if not query.fold:
            return int((scores[among] > scores[row] + 1e-6).sum()) + 1
        best = np.full(len(self.index), -np.inf, np.float32)
        np.maximum.at(best, self.families[among], scores[among])
        return int((best > best[self.families[row]] + 1e-6).sum()) + 1

    def explain(self, query: Query, product_id: str) -> dict[str, Any]:
        """Everything behind this product's place in the answer: see `why.Why`."""
        from mmdemo.why import Why

        return Why(self, query, product_id).as_dict()

    def embed(self, query: Query) -> tuple[Array, str]:
        """The query's three parts (3, width), summing to a unit vector, and its kind: image, text, both, edit or like.

        With a taste there is a fourth part, what the taste adds.
        """
        kind, image, text = self._given(query)
        return self.fused(query, image, text)[0], kind

    def _given(self, query: Query) -> tuple[str, Array | None, Array | None]:
        """A query's kind, and its rows (1, width): its photo's, None without one, and its words'."""
        if query.empty:
            raise InputError(
                say(
                    "there is nothing to search by: give a photo, some words, or one {noun} to start from", noun=noun(1)
                )
            )
        image = self.image_row(query)
        text = self.text_rows([query.text.strip()]) if query.text.strip() else None
        if image is None:
            return "like" if text is None else "text", image, text
        return "image" if text is None else "edit" if query.reference else "both", image, text

    def fused(self, query: Query, image: Array | None, text: Array | None) -> Array:
        """Parts (n, 3 or 4, width) of the query with these rows (n, width each) for its photo and its words."""
        n = len(image) if image is not None else len(text) if text is not None else 1
        parts = np.zeros((n, 3, self.index.head.width), np.float32)
        if image is not None or text is not None:
            origin = guess = None
            if query.reference:  # a product of the shop brings its own words along
                origin = np.repeat(self.index.text[self.index.row(query.reference)][None], n, 0)
            elif image is not None and text is not None:
                guess = self.index.guess(image)
            parts += self.index.head.parts(image=image, text=text, origin=origin, guess=guess, weight=query.weight)
        if query.away:
            parts[:, 1] -= UNLIKE * self.index.head.fuse(text=self.text_rows(query.away)).mean(0)
        if query.unlike_photos:
            parts[:, 0] -= UNLIKE * self.index.head.fuse(image=self._photos(query.unlike_photos)).mean(0)
        for ids, pull in ((query.like, LIKE), (query.unlike, -UNLIKE)):
            if ids:
                rows = [self.index.row(i) for i in ids]
                parts += pull * self.index.parts(rows).mean(0)
        if query.taste:
            parts = np.concatenate([parts, self._taste(query, parts)], axis=1)
        length = np.linalg.norm(parts.sum(1), axis=1)
        if (length < 1e-6).any():
            raise InputError(say("what you like and dislike cancel each other out; take one of them back"))
        return parts / length[:, None, None]

    def text_rows(self, texts: Sequence[str]) -> Array:
        """Encoder rows (n, width) of sentences, zero for an empty one; those seen lately are not encoded again."""
        rows = np.zeros((len(texts), self.index.text.shape[1]), np.float32)
        if any(texts):
            rows[[bool(t) for t in texts]] = self._texts([t for t in texts if t])
        return rows

    def image_row(self, query: Query) -> Array | None:
        """The row (1, width) of the query's photos, blended where there are several, or of its reference."""
        rows = []
        if query.reference:
            row = self.index.image[self.index.row(query.reference)][None]
            if not row.any():
                raise InputError(
                    say("the product '{id}' has no picture to start from; describe it in words", id=query.reference)
                )
            rows.append(row)
        if pictures := [*([query.image] if query.image is not None else []), *query.photos]:
            rows.append(self._photos(pictures))
        if not rows:
            return None
        every = np.vstack(rows)
        return every if len(every) == 1 else blend(every, self.index.head.dim)

    def _taste(self, query: Query, parts: Array) -> Array:
        """What the taste adds to a query before its length is made one (n, 1, width)."""
        drawn = self.posterior(query).draw(np.random.default_rng(query.taste.clicks))
        direction = self.space.direction(drawn)
        direction -= (direction @ self.space.mean) * self.space.mean / float(self.space.mean @ self.space.mean)
        spread = [self.index.spread(v) for v in parts.sum(1)]
        size = np.array([s if s > 1e-6 else 1.0 for s in spread], np.float32) * PULL
        return (size / max(self.index.spread(direction), 1e-9))[:, None, None] * direction[None, None]

    def posterior(self, query: Query) -> Posterior:
        """What the query's taste says about the directions of the catalogue."""
        liked, disliked = ([self.index.row(i) for i in ids] for ids in (query.taste.likes, query.taste.dislikes))
        return posterior(self.space, self.index.vectors[liked], self.index.vectors[disliked])

    def _left_out(self, query: Query) -> set[int]:
        ids = (*query.like, *query.unlike, *query.taste.dislikes, *filter(None, [query.reference]))
        return {self.index.row(i) for i in ids}

    def nearest(self, query: Query, parts: Array) -> tuple[Array, NDArray[np.int64]]:
        """Scores and rows that pass the filters, best first, as many as `arrange` and `match` need."""
        wanted = query.k * (POOL if query.diversity else 1)
        out = self._left_out(query)
        vector, allowed = parts.sum(0), self.index.allowed(query.filters)
        if not query.fold:
            return self.index.search(vector, max(wanted, RIVALS) + len(out), allowed)
        ask = max(POOL * wanted, RIVALS) + len(out)
        while True:
            scores, rows = self.index.search(vector, ask, allowed)
            found = list(dict.fromkeys(self.families[rows[~np.isin(rows, list(out))]].tolist()))[:wanted]
            if len(rows) < ask:
                return scores, rows
            if len(found) == wanted:
                break
            ask *= 2
        # What is folded under an answer is its whole family, as far away as it may be.
        rest = np.setdiff1d(np.flatnonzero(np.isin(self.families, found)), rows)
        rest = rest if allowed is None else np.intersect1d(rest, allowed)
        more = self.index.search(vector, len(rest), rest) if len(rest) else (scores[:0], rows[:0])
        return np.r_[scores, more[0]], np.r_[rows, more[1]]

    def match(
        self, query: Query, kind: str, parts: Array, scores: Array, near: Array, rows: NDArray[np.int64]
    ) -> Array:
        """The calibrated chances (n,) that answers with these scores are right; `near` and `rows` are what `nearest`
        found, their rivals."""
        rivals = near[~np.isin(rows, list(self._left_out(query)))][:RIVALS]
        stood = self.index.standing(parts.sum(0), np.r_[scores, rivals])
        return self.index.calibration.match(kind, stood[: len(scores)], stood[len(scores) :])

    def arrange(
        self, query: Query, scores: Array, rows: NDArray[np.int64]
    ) -> tuple[Array, NDArray[np.int64], list[list[int]]]:
        """The k answers among the nearest: some left out, variants folded, varied; and the rows under each."""
        keep = ~np.isin(rows, list(self._left_out(query)))
        scores, rows = scores[keep], rows[keep]
        under: list[list[int]] = [[] for _ in rows]
        if query.fold:
            first, below = fold(self.families[rows])
            under = [[int(rows[i]) for i in some] for some in below]
            scores, rows = scores[first], rows[first]
        if query.diversity:
            scores, rows = scores[: query.k * POOL], rows[: query.k * POOL]
        order = mmr(scores, self.index.vectors[rows], query.k, query.diversity)
        return scores[order], rows[order], [under[i] for i in order]

    def _answer(
        self, query: Query, kind: str, photo: Array | None, parts: Array, scores: Array, rows: NDArray[np.int64],
        under: list[list[int]], match: Array,
    ) -> list[Recommendation]:  # fmt: skip
        dim, spread = self.index.head.dim, self.index.spread(parts.sum(0))
        near = nearness(photo[:, :dim] if photo is not None else None, self.index.image[rows, :dim], scores)
        if kind == "both":  # what a wish asks for may be far from the photo; what is on the photo has to be sold here
            assert photo is not None
            known = self.index.lenders(photo)[0]
            near = np.maximum(near, (self.index.image[known[known >= 0], :dim] @ photo[0, :dim]).max(initial=-1.0))
        close = near >= self.index.calibration.floors.get(kind, -1.0)
        answers = []
        for place, (row, score) in enumerate(zip(rows, scores, strict=True)):
            product = self.index.products[row]
            receipt = explain.receipt(parts, self.index.vectors[row])
            because = self._because(query, parts, row)
            reason = self.reason(kind, parts, int(row), spread, because)
            answers.append(
                Recommendation(
                    place + 1, product.id, product.title, float(score), float(match[place]), receipt, reason, product,
                    bool(close[place]), tuple(self.index.products[r].id for r in under[place]), because,
                )
            )  # fmt: skip
        return answers

    def reason(self, kind: str, parts: Array, row: int, spread: float, because: str = "") -> str:
        """The sentence for a card: which part of the query decided which property of the product.

        `spread` is that of the query's scores."""
        decisions = self.contrasts.decisions(parts, row, spread)
        title = self.product(because).shown("title") if because else ""
        return explain.sentence(kind, explain.receipt(parts, self.index.vectors[row]), decisions, title)

    def _because(self, query: Query, parts: Array, row: int) -> str:
        """The liked product that brought this one, "" where the taste did not lift it clearly."""
        likes = query.taste.likes
        if not likes or self.index.products[row].id in likes:
            return ""
        if parts[3] @ self.index.vectors[row] < 0.5 * self.index.spread(parts[3]):
            return ""
        shares = self.posterior(query).shares(self.space.features(self.index.vectors[row][None])[0])
        best = int(np.argmax(shares[: len(likes)]))
        return likes[best] if shares[best] > 0 else ""

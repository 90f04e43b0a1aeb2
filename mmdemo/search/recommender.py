"""The recommender: one query in, ranked products out, each with its reason. Every surface makes this call."""

import hashlib
import threading
from collections import Counter
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray
from PIL import Image

from mmdemo.catalog.catalog import Product
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message, row_noun
from mmdemo.core.paths import resolve_spec
from mmdemo.core.request import WHOLE, Box, Modality, Query, Turn, part_of
from mmdemo.core.vectors import Array
from mmdemo.encode.batching import EmbeddingCache
from mmdemo.encode.box_head import BoxHead, box_head
from mmdemo.encode.embeddings import embed_views, mean_embedding, query_views, single_view_embeddings, text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.encode.nouns import noun_classifier
from mmdemo.explain import reasons
from mmdemo.explain.explanation import Explanation
from mmdemo.fusion.calibration import RIVALS
from mmdemo.fusion.prepared_query import PreparedQuery
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.grammar import Grammar
from mmdemo.language.kinds import Kinds
from mmdemo.language.language_model import Assistant, Language
from mmdemo.language.reading import Reading
from mmdemo.language.tiers import ORDER
from mmdemo.search.feedback import PULL, Posterior, Space, posterior
from mmdemo.search.for_history import BehaviourPart
from mmdemo.search.in_catalogue import in_catalogue, names
from mmdemo.search.match import Match, Matcher
from mmdemo.search.photo_kinds import PhotoKinds
from mmdemo.search.query_kind import named_first, tiers
from mmdemo.search.recommendation import Recommendation
from mmdemo.search.regions import Region, find_regions
from mmdemo.search.rerank import families, fold, mmr
from mmdemo.search.unmet import Unmet, unmet

EXPLORED = 0.25  # of a taste's pull, where behaviour says more of likes and the taste explores on top; by hand
LIKE, UNLIKE = 0.6, 0.4  # how far liked and disliked products pull (Rocchio 1971)
POOL = 5  # where no kind is asked for, diversity picks from this many times k candidates
MOST_VARIED = 1000  # products of a kind that diversity picks from
SORTED = 200  # of the nearest products are put in order by price, where no kind is asked for
NAMED = 4  # phrases of a sentence that are tried without, for the reasons
TEXTS, PHOTOS = 1024, 32  # sentences and photos whose rows are kept
MARKED = 256  # photos whose marks are kept
PhotoPart = tuple[Image.Image, Box, Turn]  # a photo, the box in it that is looked at, and what turns it upright
TURNS: tuple[Turn, ...] = (90, 180, 270)
# A photo is searched whole and as it lies. Only where its kind is most unlikely, and that of another way up, or of a
# thing on it, nearly certain, that is searched: a chance that is the best of several is too high, and of what is not
# sold some turn always looks like something.
UNLIKELY = 0.2  # chance of a photo's kind below which other ways up, and things on it, are tried
CERTAIN = 0.9  # chance from which one of them is taken


class Recommender:
    """An index and the encoder that made it.

    Parameters
    ----------
    index
        The catalogue with its vectors, head and store.
    encoder
        The encoder that made the index's embeddings.

    Examples
    --------
    >>> recommender = Recommender.load("index/default")  # doctest: +SKIP
    >>> recommender.recommend(Query(text="a blue mug", filters=["price<40"], k=3))[0].title  # doctest: +SKIP
    'Blue enamel low camp mug'
    """

    def __init__(self, index: ProductIndex, encoder: Encoder) -> None:
        self.index, self.encoder = index, encoder
        self._texts = EmbeddingCache[str](str, lambda texts: text_embeddings(encoder, texts), TEXTS, key=str)
        self._photos = EmbeddingCache[PhotoPart](
            lambda part: query_views(encoder, part_of(*part)),
            lambda views: embed_views(encoder, views),
            PHOTOS,
            key=lambda part: (id(part[0]), *part[1:]),
        )
        self._regions: LRUCache[bytes, list[Region]] = LRUCache(MARKED)
        self._regions_lock = threading.Lock()
        self._posteriors: LRUCache[tuple[str, ...], Posterior] = LRUCache(16)  # each reason of an answer asks for it
        self._posteriors_lock = threading.Lock()

    @cached_property
    def language(self) -> Language:
        """The reader of sentences, which knows the catalogue's own words in every language it has them in."""
        grammar = Grammar(self.index.products, self.index.facets, list(self.index.manifest.words.values()))
        return Language(grammar, self.index.spelling, Assistant.from_environment())

    @cached_property
    def kinds(self) -> Kinds:
        """The kinds of thing in the catalogue, by its nouns in every language it has them in."""
        return Kinds(self.index.products, list(self.index.manifest.words.values()))

    @cached_property
    def matcher(self) -> Matcher:
        """How certain answers are."""
        return Matcher(self.index, self.language.grammar.words, self.photo_kinds)

    @cached_property
    def photo_kinds(self) -> PhotoKinds | None:
        """The kinds as the encoder's classifier of nouns tells them on photos; None where it has none."""
        classifier = noun_classifier(self.encoder.spec, self.index.image.shape[1])
        return None if classifier is None else PhotoKinds(self.index, self.kinds, classifier)

    @cached_property
    def box_head(self) -> BoxHead | None:
        """The encoder's network that finds things on photos; None where it has none."""
        return box_head(self.encoder)

    @cached_property
    def contrasts(self) -> reasons.Contrasts:
        """What every property of a product does to its vector, for the sentence on its card."""
        return reasons.Contrasts(self.index.products, self.index.vectors, self.index.facets)

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
        """Open an index with the encoder that its manifest names.

        Parameters
        ----------
        path
            The index folder.

        Returns
        -------
        Recommender
            It answers from the version that is live now.

        Raises
        ------
        InputError
            Where the index or its encoder cannot be read, or the encoder has other weights than the one that made it.

        Examples
        --------
        >>> recommender = Recommender.load("index/default")  # doctest: +SKIP
        >>> len(recommender.index.products)  # doctest: +SKIP
        1312
        """
        index = ProductIndex.load(path)
        made_by = index.manifest.encoder
        encoder = Encoder.load(resolve_spec(made_by.spec))
        if encoder.weights_hash != made_by.weights_sha256:
            raise InputError(
                "the index '{path}' was made by other weights of the encoder '{spec}' (expected "
                "{weights_sha256}…, found {weights_hash}…); build it again: python -m mmdemo build CATALOG --out "
                "{path}",
                path=path,
                spec=made_by.spec,
                weights_sha256=made_by.weights_sha256[:12],
                weights_hash=encoder.weights_hash[:12],
            )
        return cls(index, encoder.for_inference())

    def on(self, index: ProductIndex) -> Self:
        """The same encoder, with what it remembers, on another index that it made."""
        other = type(self)(index, self.encoder)
        other._texts, other._photos = self._texts, self._photos
        return other

    def prepare(self, query: Query | PreparedQuery, image: Array | None = None) -> PreparedQuery:
        """Read the sentence, encode photo and words and fuse them, once for everything that is asked of the query.

        Parameters
        ----------
        query
            A query, or one that is prepared already, which comes back as it is.
        image
            The embedding (1, width) of its photo, where there is one already.

        Returns
        -------
        PreparedQuery
            What `recommend`, `explain`, `rank`, `trace`, facet counts, relaxations and the map take.

        Raises
        ------
        InputError
            For a query with nothing to search by, an unknown product id, or a filter on an unknown column.

        Examples
        --------
        >>> prepared = Recommender.load("index/default").prepare(Query(text="a blue mug"))  # doctest: +SKIP
        >>> prepared.modality, prepared.parts.shape  # doctest: +SKIP
        ('text', (3, 768))
        """
        if isinstance(query, PreparedQuery):
            return query
        query = self.looking(query)
        reading = self.read(query)
        as_read = reading.apply(query)
        image, text = self._embeddings(as_read, image)
        parts = self.fused(as_read, image, text)[0]
        allowed = self.index.allowed(as_read.filters)
        words = self.language.grammar.words
        named = None if query.weight == 1 else self.index.named(reading.sentence)
        order = tiers(self.index, self.kinds, words, query, reading, image, self.photo_kinds)
        order = named_first(order, self.index, query, named)
        part = BehaviourPart.of(self.index, as_read, parts.sum(0))
        lift = None if part is None else part.lift
        return PreparedQuery(query, reading, as_read, image, text, parts, allowed, order, lift, named)

    def recommend(self, query: Query | PreparedQuery) -> list[Recommendation]:
        """Find the k best products that pass the filters, best first.

        Parameters
        ----------
        query
            What is asked; its sentence is read as `prepare` does.

        Returns
        -------
        list of Recommendation
            At most `query.k`, fewer where the filters leave fewer.

        Raises
        ------
        InputError
            As `prepare`.

        Examples
        --------
        >>> answers = Recommender.load("index/default").recommend(Query(text="a blue mug", k=2))  # doctest: +SKIP
        >>> [answer.title for answer in answers]  # doctest: +SKIP
        ['Blue enamel low camp mug', 'Tall travel-height mug in a leaf print, light blue ceramic']
        """
        prepared = self.prepare(query)
        scores, rows, under = self.arrange(prepared, *self.nearest(prepared))
        match, near = self.match(prepared, scores, rows), self.rivals(prepared)[1]
        return self._answers(prepared, scores, rows, under, match, near)

    def read(self, query: Query) -> Reading:
        """What the query's sentence means here: filters, negatives, edits, and the rest that the encoder reads."""
        anchor = self.product(query.reference) if query.reference else None
        if anchor is None and query.image is None and len(query.like) == 1:
            anchor = self.product(query.like[0])
        return self.language.read(query.text, anchor, photo=query.image is not None)

    def similar(self, product_id: str, k: int = 12) -> list[Recommendation]:
        """Find products like this one by their fused vectors: those of its category first, itself left out.

        Parameters
        ----------
        product_id
            The product to start from.
        k
            How many to return.

        Returns
        -------
        list of Recommendation
            At most k.

        Raises
        ------
        InputError
            For an unknown id; the message names the nearest one.

        Examples
        --------
        >>> recommender = Recommender.load("index/default")  # doctest: +SKIP
        >>> recommender.similar(recommender.index.products[0].id, k=3)[0].rank  # doctest: +SKIP
        1
        """
        return self.recommend(Query(like=(product_id,), k=k))

    def unmet(self, query: Query | PreparedQuery) -> list[Unmet]:
        """What the query asks for and no product of its kind has, each with the nearest that there is."""
        return unmet(self.index, self.language.grammar.words, self.prepare(query))

    def regions(self, photo: Image.Image) -> list[Region]:
        """Mark the things on a photo that the catalogue may sell.

        Parameters
        ----------
        photo
            Any picture. Those marked lately are not looked at again.

        Returns
        -------
        list of Region
            The most certain first; none where the photo is all of one thing, or shows nothing that is sold, and where
            the encoder ships without what finds them.

        Examples
        --------
        >>> recommender = Recommender.load("index/default")  # doctest: +SKIP
        >>> [region.kind for region in recommender.regions(decode("room.jpg", max_side=512))]  # doctest: +SKIP
        ['Sofa', 'Floor lamp']
        """
        kinds, head = self.photo_kinds, self.box_head
        if kinds is None or head is None:
            return []
        key = hashlib.sha256(photo.tobytes()).digest()
        with self._regions_lock:
            known = self._regions.get(key)
        if known is None:
            find, encode = partial(head.find, self.encoder), partial(single_view_embeddings, self.encoder)
            known = find_regions(photo, find, encode, kinds)
            with self._regions_lock:
                self._regions[key] = known
        return known

    def looking(self, query: Query) -> Query:
        """The query with the part of its photo that is searched by, and its way up, where it does not name them.

        The whole photo is searched by as it lies; where its kind is unlikely, in the turn in which it is nearly
        certain, else by the thing marked on it that is.
        """
        photo, kinds = query.image, self.photo_kinds
        if photo is None or query.photos or kinds is None:
            return query
        box, turn = query.box, query.turn
        upright, certain = self._upright(photo, box or WHOLE, kinds) if turn is None else (turn, 1.0)
        if box is None and turn is None and certain < UNLIKELY:
            likeliest = next(iter(self.regions(photo)), None)
            if likeliest is not None and likeliest.certainty >= CERTAIN:
                box, upright = likeliest.box, 0
        return query if (box, upright) == (query.box, turn or 0) else query.with_(box=box, turn=upright)

    def _upright(self, photo: Image.Image, box: Box, kinds: PhotoKinds) -> tuple[Turn, float]:
        """The turn in which a part of a photo is searched by, and how certain its kind is then; others than 0 are only
        tried where the kind is unlikely as it is."""
        certain = kinds.certainty(self._photos([(photo, box, 0)]))
        if certain >= UNLIKELY:
            return 0, certain
        rows = single_view_embeddings(self.encoder, [part_of(photo, box, turn) for turn in TURNS])
        chances = {turn: kinds.certainty(row[None]) for turn, row in zip(TURNS, rows, strict=True)}
        best = max(TURNS, key=lambda turn: chances[turn])
        return (best, chances[best]) if chances[best] >= CERTAIN else (0, certain)

    def product(self, product_id: str) -> Product:
        """The product's row; raises InputError naming the nearest id when it is unknown."""
        return self.index.products[self.index.row(product_id)]

    def rank(self, query: Query | PreparedQuery, product_id: str) -> int | None:
        """The place that `recommend` would give this product if it went on long enough, without diversity; None where
        the query leaves it out."""
        row = self.index.row(product_id)
        prepared = self.prepare(query)
        place = prepared.tiers.places.copy()
        place[list(self._left_out(prepared.query))] = -1
        if place[row] < 0:
            return None
        # Place by place: a cosine is less than 2 away from any other, and what behaviour adds is small beside it.
        scores = np.where(place < 0, -np.inf, prepared.lifted(self.index.scores(prepared.vector)) - 4.0 * place)
        if not prepared.query.fold:
            return int((scores > scores[row] + 1e-6).sum()) + 1
        best = np.full(len(self.index), -np.inf, np.float32)
        np.maximum.at(best, self.families, scores)
        return int((best > best[self.families[row]] + 1e-6).sum()) + 1

    def explain(self, query: Query | PreparedQuery, product_id: str) -> dict[str, Any]:
        """Explain this product's place in the answer.

        Parameters
        ----------
        query
            The query, prepared or not.
        product_id
            Any product of the catalogue, whether or not it is among the k best.

        Returns
        -------
        dict
            What `Explanation.as_dict` gives, ready for JSON: score, rank, parts, words, maps, changes.

        Raises
        ------
        InputError
            As `prepare`, or for an unknown product.

        Examples
        --------
        >>> recommender, query = Recommender.load("index/default"), Query(text="a blue mug")  # doctest: +SKIP
        >>> sorted(recommender.explain(query, recommender.recommend(query)[0].id)["parts"])  # doctest: +SKIP
        ['image', 'interaction', 'text']
        """
        return Explanation(self, query, product_id).as_dict()

    def embed(self, query: Query) -> tuple[Array, Modality]:
        """The query's three parts (3, width), summing to a unit vector, its sentence taken as it is, and its kind.

        With a taste there is a fourth part, what the taste adds.
        """
        return self.fused(query, *self._embeddings(query))[0], query.modality

    def _embeddings(self, query: Query, image: Array | None = None) -> tuple[Array | None, Array | None]:
        """The embeddings (1, width) of a query's photo, None without one, and of its words."""
        if query.empty:
            raise InputError(
                "there is nothing to search by: give a photo, some words, or one {noun} to start from", noun=row_noun(1)
            )
        text = query.text.strip()
        return self.image_row(query) if image is None else image, self.text_rows([text]) if text else None

    def fused(self, query: Query, image: Array | None, text: Array | None) -> Array:
        """Parts (n, 3 or 4, width) of the query with these rows (n, width each) for its photo and its words."""
        n = len(image) if image is not None else len(text) if text is not None else 1
        parts = np.zeros((n, 3, self.index.head.width), np.float32)
        if image is not None or text is not None:
            reference_text = expansion = None
            if query.reference:  # a product of the shop brings its own words along
                reference_text = np.repeat(self.index.text[self.index.row(query.reference)][None], n, 0)
            elif image is not None and text is not None:
                expansion = self.index.expansion(image)
            parts += self.index.head.parts(
                image=image, text=text, reference_text=reference_text, expansion=expansion, weight=query.weight
            )
        if query.away:
            parts[:, 1] -= UNLIKE * self.index.head.fuse(text=self.text_rows(query.away)).mean(0)
        if query.unlike_photos:
            unlike = self._photos([(photo, WHOLE, 0) for photo in query.unlike_photos])
            parts[:, 0] -= UNLIKE * self.index.head.fuse(image=unlike).mean(0)
        for ids, pull in ((query.like, LIKE), (query.unlike, -UNLIKE)):
            if ids:
                rows = [self.index.row(i) for i in ids]
                parts += pull * self.index.parts(rows).mean(0)
        if query.taste or self._looked_at(query):
            parts = np.concatenate([parts, self._taste(query, parts)], axis=1)
        length = np.linalg.norm(parts.sum(1), axis=1)
        by_behaviour = self.index.behaviour is not None and not query.directed
        if by_behaviour and (length < 1e-6).all():
            return parts  # the history alone answers
        if (length < 1e-6).any():
            raise InputError("what you like and dislike cancel each other out; take one of them back")
        return parts / length[:, None, None] * (EXPLORED if by_behaviour else 1.0)

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
                    "the product '{id}' has no picture to start from; describe it in words", id=query.reference
                )
            rows.append(row)
        parts: list[PhotoPart] = [(photo, WHOLE, 0) for photo in query.photos]
        if query.image is not None:
            parts.insert(0, (query.image, query.box or WHOLE, query.turn or 0))
        if parts:
            rows.append(self._photos(parts))
        if not rows:
            return None
        every = np.vstack(rows)
        return every if len(every) == 1 else mean_embedding(every, self.index.head.dim)

    def _taste(self, query: Query, parts: Array) -> Array:
        """What the taste adds to a query before its length is made one (n, 1, width)."""
        seed = query.taste.clicks + len(self._looked_at(query))
        drawn = self.posterior(query).draw(np.random.default_rng(seed))
        direction = self.space.direction(drawn)
        direction -= (direction @ self.space.mean) * self.space.mean / float(self.space.mean @ self.space.mean)
        spread = [self.index.spread(v) for v in parts.sum(1)]
        pull = PULL if self.index.behaviour is None else EXPLORED * PULL
        size = np.array([s if s > 1e-6 else 1.0 for s in spread], np.float32) * pull
        return (size / max(self.index.spread(direction), 1e-9))[:, None, None] * direction[None, None]

    def posterior(self, query: Query) -> Posterior:
        """What the query's taste says about the directions of the catalogue."""
        return self._posterior(query.taste.likes, query.taste.dislikes, self._looked_at(query))

    @cachedmethod(lambda self: self._posteriors, lock=lambda self: self._posteriors_lock)
    def _posterior(self, *clicked: tuple[str, ...]) -> Posterior:
        liked, disliked, seen = (self.index.vectors[[self.index.row(i) for i in ids]] for ids in clicked)
        return posterior(self.space, liked, disliked, seen)

    def _looked_at(self, query: Query) -> tuple[str, ...]:
        """The part of the history that the taste learns from: none where behaviour was learnt, which says more."""
        return query.history if self.index.behaviour is None else ()

    def _left_out(self, query: Query) -> set[int]:
        ids = (*query.like, *query.unlike, *query.taste.dislikes, *filter(None, [query.reference]))
        seen = () if query.directed else query.history
        return {self.index.row(i) for i in (*ids, *seen)}

    def search(
        self, prepared: PreparedQuery, k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[Array, NDArray[np.int64]]:
        """Scores and rows, best first, of the k best products for a query, among `allowed` rows where they are given;
        exact where names or behaviour count, which no store knows."""
        if prepared.lift is None and prepared.named is None:
            return self.index.search(prepared.vector, k, allowed)
        rows = np.arange(len(self.index)) if allowed is None else allowed
        scores = prepared.lifted(self.index.scores(prepared.vector))[rows]
        best = np.argsort(-scores, kind="stable")[:k]
        return scores[best], rows[best]

    def nearest(self, prepared: PreparedQuery) -> tuple[Array, NDArray[np.int64]]:
        """Scores and rows of the candidates that `arrange` needs, tier by tier, in each best first."""
        scores, rows, cards = [np.zeros(0, np.float32)], [np.zeros(0, np.int64)], set[int]()
        for _, of_place in prepared.tiers.rows:
            some = self._nearest_among(prepared, of_place, self._candidates(prepared, len(of_place), len(cards)))
            scores.append(some[0])
            rows.append(some[1])
            kept = some[1][~np.isin(some[1], list(self._left_out(prepared.query)))]
            cards.update((self.families[kept] if prepared.query.fold else kept).tolist())
            if len(cards) >= prepared.query.k:
                break
        found = np.concatenate(rows)
        first = np.sort(np.unique(found, return_index=True)[1])  # a variant may be found with another, and by itself
        return np.concatenate(scores)[first], found[first]

    def _candidates(self, prepared: PreparedQuery, available: int, count: int) -> int:
        """How many of a tier's products are candidates, where earlier tiers have `count` answers: the whole kind for an
        order by price and, within reason, for variety."""
        query, of_kind = prepared.query, prepared.tiers.kind is not None
        if query.sort != "match":
            return available if of_kind else SORTED
        if query.diversity:
            return MOST_VARIED if of_kind else query.k * POOL
        return query.k - count

    def _nearest_among(
        self, prepared: PreparedQuery, among: NDArray[np.int64], wanted: int
    ) -> tuple[Array, NDArray[np.int64]]:
        """Scores and rows of the nearest of some products, best first; where variants are folded, of as many families,
        and all of each."""
        query, out = prepared.query, self._left_out(prepared.query)
        allowed = None if len(among) == len(self.index) else among
        if not query.fold:
            return self.search(prepared, wanted + len(out), allowed)
        ask = POOL * wanted + len(out)
        while True:
            scores, rows = self.search(prepared, ask, allowed)
            nearest_families = list(dict.fromkeys(self.families[rows[~np.isin(rows, list(out))]].tolist()))[:wanted]
            if len(rows) < ask or len(nearest_families) == wanted:
                break
            ask *= 2
        # What is folded under an answer is its whole family, as far away as it may be, whatever wish the rest misses.
        family = np.isin(self.families, nearest_families) & (prepared.tiers.places >= 0)
        rest = np.setdiff1d(np.flatnonzero(family), rows)
        more = self.search(prepared, len(rest), rest) if len(rest) else (scores[:0], rows[:0])
        return np.r_[scores, more[0]], np.r_[rows, more[1]]

    def rivals(self, prepared: PreparedQuery) -> tuple[Array, NDArray[np.int64]]:
        """Scores and rows of the nearest products that pass the filters, best first, whatever their tier."""
        out = self._left_out(prepared.query)
        scores, rows = self.search(prepared, RIVALS + len(out), prepared.allowed)
        keep = ~np.isin(rows, list(out))
        return scores[keep][:RIVALS], rows[keep][:RIVALS]

    def match(self, prepared: PreparedQuery, scores: Array, rows: NDArray[np.int64]) -> Match:
        """How certain answers, products at `rows` (n,) with these scores, are.

        An index that is not calibrated for such a query says how likely each is the very product, and no grade; so does
        behaviour by itself, of what comes next.
        """
        if not prepared.query.directed and (part := self.behaviour_part(prepared)) is not None:
            return Match(part.chances[rows], np.ones(len(rows), bool), [None] * len(rows))
        if (match := self.matcher(prepared, rows)) is not None:
            return match
        rivals, rival_rows = self.rivals(prepared)
        if prepared.named is not None:
            scores, rivals = prepared.named.unmixed(scores, rows), prepared.named.unmixed(rivals, rival_rows)
        z = self.index.z_scores(prepared.vector, np.r_[scores, rivals])
        chance = self.index.calibration.probability(prepared.modality, z[: len(scores)], z[len(scores) :])
        close = in_catalogue(self.index, prepared.modality, prepared.image, rows, scores)
        if prepared.modality == "text":
            close |= np.array([names(prepared.query.text, self.index.products[row]) for row in rows], bool)
        return Match(chance, close, [None] * len(rows))

    def arrange(
        self, prepared: PreparedQuery, scores: Array, rows: NDArray[np.int64]
    ) -> tuple[Array, NDArray[np.int64], list[list[int]]]:
        """The k answers among candidates, tier by tier: some left out, variants folded, varied or in order of price;
        and the rows under each."""
        query, place = prepared.query, prepared.tiers.places[rows]
        keep = ~np.isin(rows, list(self._left_out(query))) & (place >= 0)
        order = np.flatnonzero(keep)
        if query.sort != "match":
            order = order[self._by_price(prepared, rows[order])]  # before folding: the cheapest variant stands for all
        order = order[np.argsort(place[order], kind="stable")]
        scores, rows = scores[order], rows[order]
        under: list[list[int]] = [[] for _ in rows]
        if query.fold:
            first, below = fold(self.families[rows])
            under = [[int(rows[i]) for i in positions] for positions in below]
            scores, rows = scores[first], rows[first]
        picked: list[int] = []
        for taken in prepared.tiers.taken:
            of_tier = np.flatnonzero(prepared.tiers.places[rows] == taken)
            if query.sort == "match":
                pool = of_tier[: self._candidates(prepared, len(of_tier), 0)]
                left = query.k - len(picked)
                picked += pool[mmr(scores[pool], self.index.vectors[rows[pool]], left, query.diversity)].tolist()
            else:
                picked += of_tier.tolist()
        picked = picked[: query.k]
        return scores[picked], rows[picked], [under[i] for i in picked]

    def _by_price(self, prepared: PreparedQuery, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The order of some products by price; those without one last."""
        sign = 1 if prepared.query.sort == "cheap" else -1
        prices = [self.index.products[row].price for row in rows]
        return np.argsort([np.inf if price is None else sign * price for price in prices], kind="stable")

    def _answers(
        self,
        prepared: PreparedQuery,
        scores: Array,
        rows: NDArray[np.int64],
        under: list[list[int]],
        match: Match,
        near: NDArray[np.int64],
    ) -> list[Recommendation]:
        parts, grounds, behaviour = prepared.parts, self.grounds(prepared, near), self.behaviour_part(prepared)
        places = prepared.tiers.of_rows[rows]
        seen = self.index.nearest_pictures(prepared.vector, rows)[0]
        answers = []
        for place, (row, score) in enumerate(zip(rows, scores, strict=True)):
            product = self.index.products[row]
            because = self._because(prepared.query, parts, int(row), behaviour)
            answers.append(
                Recommendation(
                    rank=place + 1,
                    id=product.id,
                    title=product.title,
                    score=float(score),
                    match=float(match.chance[place]),
                    parts=reasons.receipt(prepared.shares, seen[place], prepared.name(row), prepared.behaviour(row)),
                    reason=self._reason(prepared, int(row), grounds, because, behaviour),
                    product=product,
                    close=bool(match.close[place]),
                    grade=match.grades[place],
                    variants=tuple(self.index.products[r].id for r in under[place]),
                    because=because,
                    tier=ORDER[places[place]],
                    new=behaviour is not None and behaviour.is_new(int(row)),
                )
            )
        return answers

    def behaviour_part(self, prepared: PreparedQuery) -> BehaviourPart | None:
        """What behaviour adds to a query's answer, None where it adds nothing."""
        return None if prepared.lift is None else BehaviourPart.of(self.index, prepared.query, prepared.vector)

    def reason(self, prepared: PreparedQuery, row: int) -> str:
        """The sentence for a card: which part of the query decided which property of the product; "" where nothing is
        certain."""
        grounds, behaviour = self.grounds(prepared, self.rivals(prepared)[1]), self.behaviour_part(prepared)
        because = self._because(prepared.query, prepared.parts, row, behaviour)
        return self._reason(prepared, row, grounds, because, behaviour)

    def _reason(
        self,
        prepared: PreparedQuery,
        row: int,
        grounds: reasons.Grounds,
        because: str,
        behaviour: BehaviourPart | None,
    ) -> str:
        return reasons.sentence(
            prepared.modality,
            reasons.receipt(prepared.shares, self.index.nearest_pictures(prepared.vector, [row])[0][0]),
            self.contrasts.decisions(row, grounds),
            self._lead(prepared, row, because, behaviour),
            reasons.REFERENCE if prepared.query.reference else reasons.YOUR_PHOTO,
        )

    def _lead(self, prepared: PreparedQuery, row: int, because: str, behaviour: BehaviourPart | None) -> Message | None:
        """What a name, behaviour or the taste decided, None where none lifted the product clearly."""
        if prepared.named is not None and prepared.named.exactly[row]:
            return reasons.CALLED
        query, title = prepared.query, self.product(because).shown("title") if because else ""
        if behaviour is not None and (behaviour.decides(row) or not query.directed):
            return reasons.because_of_behaviour(title, behaviour.is_new(row))
        if not because:
            return None
        return reasons.because_liked(title) if because in query.taste.likes else reasons.because_seen(title)

    def grounds(self, prepared: PreparedQuery, near: NDArray[np.int64]) -> reasons.Grounds:
        """What the reasons of a query may rest on; `near` are the rows of its nearest products, best first."""
        return reasons.Grounds(
            prepared.parts,
            self.index.spread(prepared.vector),
            self.index.vectors[near[:RIVALS]],
            None if prepared.modality == "like" else self._values_shown(prepared),
            self._without_words(prepared),
        )

    def _values_shown(self, prepared: PreparedQuery) -> dict[str, set[str]]:
        """Column -> the values that the photo shows: those of the product to start from, or of most of the products
        that look like the photo."""
        if prepared.image is None:
            return {}
        if prepared.query.reference:
            alike = [self.product(prepared.query.reference)]
        else:
            rows = self.index.neighbours(prepared.image)[0]
            alike = [self.index.products[row] for row in rows if row >= 0]
        shown: dict[str, set[str]] = {}
        for column in self.index.facets:
            counts = Counter(value for p in alike for value in {str(p.field(column) or ""), *p.values(column)} if value)
            shown[column] = {value for value, n in counts.items() if 2 * n > len(alike)}
        return shown

    def _without_words(self, prepared: PreparedQuery) -> dict[tuple[str, str], Array | None]:
        """(Column, value) that the words speak of -> the query's vector without these words; None for what is nothing
        without them."""
        query, image = prepared.query, prepared.image
        named = self.language.grammar.words.named(query.text)[:NAMED]
        texts = [" ".join(f"{query.text[: m.start]} {query.text[m.end :]}".split()) for m, _ in named]
        rows, vectors = self.text_rows(texts), dict[tuple[str, str], Array | None]()
        for (_, values), text, row in zip(named, texts, rows, strict=True):
            reduced = query.with_(text=text)
            vector = None if reduced.empty else self.fused(reduced, image, row[None] if text else None)[0].sum(0)
            vectors |= {(column, value): vector for column, some in values.items() for value in some}
        return vectors

    def _because(self, query: Query, parts: Array, row: int, behaviour: BehaviourPart | None) -> str:
        """The product of the history or the taste that brought this one, "" where neither lifted it clearly."""
        if behaviour is not None:
            source = behaviour.because(row) if behaviour.decides(row) or not query.directed else None
            return "" if source is None else self.index.products[source].id
        likes, seen = query.taste.likes, self._looked_at(query)
        if not (likes or seen) or self.index.products[row].id in likes:
            return ""
        if parts[3] @ self.index.vectors[row] < 0.5 * self.index.spread(parts[3]):
            return ""
        shares = self.posterior(query).shares(self.space.features(self.index.vectors[row][None])[0])
        sources = (*likes, *query.taste.dislikes, *seen)
        best = int(np.argmax(np.where([i in query.taste.dislikes for i in sources], -np.inf, shares)))
        return sources[best] if shares[best] > 0 else ""

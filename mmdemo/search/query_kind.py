"""The kind that a query asks for, and by it the tiers of the answer.

The kind is that of the noun in the sentence, else of the photo, by the encoder's classifier of nouns or, where it has
none, by a vote of its neighbours in the index, else of the product to start from. It knows nothing of pages.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mmdemo.core.errors import InputError
from mmdemo.core.request import ANY_KIND, Filter, Query
from mmdemo.core.vectors import Array
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.kinds import Kinds, Mask
from mmdemo.language.names import Named
from mmdemo.language.reading import Reading
from mmdemo.language.situations import likely_kinds
from mmdemo.language.tiers import QueryKind, Source, Tiers, placed
from mmdemo.language.vocabulary import Vocabulary
from mmdemo.language.wishes import Wish, named_values
from mmdemo.search.photo_kinds import PhotoKinds

VOTERS = 64  # products that vote on the kind of a photo
SOFTNESS = 0.05  # difference of cosine by which a vote falls to 1 / e


def query_kind(
    index: ProductIndex,
    kinds: Kinds,
    query: Query,
    reading: Reading,
    image: Array | None,
    photo_kinds: PhotoKinds | None = None,
) -> QueryKind | None:
    """The kind that a query asks for.

    Parameters
    ----------
    index, kinds
        The catalogue.
    query
        The query as it came.
    reading
        What its sentence was understood to mean.
    image
        The embedding (1, width) of its photo or its reference.
    photo_kinds
        Tells the chances of the kinds on a photo, where the encoder can.

    Raises
    ------
    InputError
        Where the request names a kind that is no noun known here.
    """
    if query.kind == ANY_KIND:
        return None
    if query.kind:
        named = kinds.named(query.kind)
        if named is None:
            raise InputError(
                "'{kind}' names no kind of thing; write a noun such as '{example}', or '{any}' for every kind",
                kind=query.kind[:40],
                example=next(iter(index.facets.get("category", {})), "mug"),
                any=ANY_KIND,
            )
        return QueryKind(named, Source.REQUEST)
    only_photo = image is not None and query.weight == 1
    if not only_photo and (named := kinds.asked(reading.sentence, _apart(reading))) is not None:
        return QueryKind(named, Source.WORDS)
    if query.text.strip() and query.weight == 0:
        return None  # only the words, which name none
    if query.reference or (query.like and image is None and not query.text.strip()):
        return _of_references(index, kinds, [query.reference] if query.reference else query.like)
    if image is None:
        return None
    if photo_kinds is not None and (likeliest := photo_kinds.likeliest(image)):
        category, chance = likeliest
        return QueryKind(kinds.of_category(category), Source.PHOTO, chance)
    return of_photo(index, kinds, image)


def _apart(reading: Reading) -> list[tuple[int, int]]:
    """Where a sentence says what is understood as conditions."""
    return [(part.start, part.end) for part in reading.parts if part.kind != "edit"]


def of_photo(index: ProductIndex, kinds: Kinds, image: Array) -> QueryKind | None:
    """The kind of the thing on a photo (1, width), by a vote of products that look like it."""
    rows = index.search(index.head.fuse(image=image)[0], VOTERS)[1]
    cosines = index.cosines(image, rows)
    votes: dict[str, float] = {}
    weights = np.exp((cosines - cosines.max(initial=-1.0)) / SOFTNESS)
    for row, weight in zip(rows.tolist(), weights.tolist(), strict=True):
        votes[index.products[row].category] = votes.get(index.products[row].category, 0.0) + weight
    best = max(votes, key=lambda category: votes[category], default="")
    certainty = votes.get(best, 0.0) / max(float(weights.sum()), 1e-9)
    if not best:
        return None
    return QueryKind(kinds.of_category(best), Source.PHOTO, certainty)


def _of_references(index: ProductIndex, kinds: Kinds, ids: Sequence[str]) -> QueryKind | None:
    categories = {index.products[index.row(i)].category for i in ids}
    if len(categories) != 1 or categories == {""}:
        return None
    return QueryKind(kinds.of_category(categories.pop()), Source.REFERENCE)


def tiers(
    index: ProductIndex,
    kinds: Kinds,
    vocabulary: Vocabulary,
    query: Query,
    reading: Reading,
    image: Array | None,
    photo_kinds: PhotoKinds | None = None,
) -> Tiers:
    """The tiers of the answer to a query, which has to pass the conditions of the form and of the sentence.

    Parameters and exceptions are those of `query_kind`, and the words of the catalogue. Within a tier what meets more
    of the wishes comes first (red ones, of "a red mug"), then what goes with the situation: handbags, of "a bag for a
    wedding". Where no kind is asked for, the kinds that go with the situation are the first tier, umbrellas for a rainy
    day; and things that the sentence names beside what it asks for come last: no sofa for "something for the sofa".
    """
    kind = query_kind(index, kinds, query, reading, image, photo_kinds)
    wishes = [part.filters for part in reading.parts if part.kind == "filter"]
    excluded = [rule for part in reading.parts if part.kind != "filter" for rule in part.conditions]
    must = passing(index, [*query.filters, *excluded])
    met = [passing(index, filters) for filters in wishes]
    allowed = np.logical_and.reduce([must, *met])
    missed, likely = np.zeros(len(index), np.int8), None
    if query.kind != ANY_KIND and query.weight != 1:
        for wish in named_values(reading.text, vocabulary):
            missed += ~having(index, wish)
        for rule in (rule for part in reading.parts for rule in part.wishes):
            missed += ~passing(index, [rule])
        likely = likely_kinds(kinds, reading.sentence, _apart(reading)) if image is None else None
    if kind is None:
        tier = np.where(allowed, 0, -1).astype(np.int8)
        leads = likely is not None and bool((likely & allowed).any())
        if likely is not None and leads:
            tier[~likely & allowed] = 2
        if query.kind != ANY_KIND:
            tier[kinds.beside(reading.sentence, _apart(reading)) & allowed] = 2
        return Tiers(None, placed(tier, missed, np.ones(len(index), bool)), leads)
    asked, tier = kind.asked, np.where(allowed, 2, -1).astype(np.int8)
    tier[asked.near & allowed] = 1
    tier[asked.rows & allowed] = 0
    if not (tier == 0).any() and kind.source in (Source.WORDS, Source.REQUEST):
        tier[_nearly(asked.rows & must & ~allowed, met)] = 1
    return Tiers(kind, placed(tier, missed, np.ones(len(index), bool) if likely is None else likely))


def named_first(found: Tiers, index: ProductIndex, query: Query, named: Named | None) -> Tiers:
    """The tiers with what is called just as the sentence says before all, however that was understood; the conditions
    of the form hold."""
    if named is None:
        return found
    return replace(found, places=np.where(named.exactly & passing(index, query.filters), np.int8(0), found.places))


def having(index: ProductIndex, wish: Wish) -> Mask:
    """Which products (n,) have a value that a wish names."""
    return np.logical_or.reduce([index.facet_index.having(column, some) for column, some in wish.values.items()])


def _nearly(missing: Mask, met: Sequence[Mask]) -> Mask:
    """Of products that miss some wish of the sentence, those that meet as many as any of them."""
    count = np.sum([mask & missing for mask in met], axis=0, dtype=int) if met else np.zeros(len(missing), int)
    return missing & (count == count[missing].max(initial=0))


def passing(index: ProductIndex, filters: Sequence[Filter]) -> Mask:
    """Which products (n,) pass all of these conditions."""
    mask = np.zeros(len(index), bool)
    allowed = index.allowed(filters)
    mask[slice(None) if allowed is None else allowed] = True
    return mask

"""Queries to begin with, so that the first click already finds something.

A catalogue that comes with query files is shown by its own queries; any other by its own products: a picture, a picture
with a change, and words read from its rows.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest

from mmdemo.catalog.product import Product
from mmdemo.catalog.starting_queries import StartingQuery, thin
from mmdemo.serve.translation import language, translate, word

CHANGES = ("colour", "material", "finish")  # attributes that a query to begin with may name
PHOTOS, SENTENCES = 6, 5
TRIES = 2  # candidates of a kind for each query that is shown: the page waits for them


def given(queries: Iterable[StartingQuery], product_ids: Collection[str]) -> list[StartingQuery]:
    """Those of the shop's own queries that the page's language can offer and whose products are still sold."""
    return [
        query
        for query in queries
        if query.language in ("", language())
        and all(i in product_ids for i in (*query.targets, *filter(None, [query.reference])))
    ]


def from_products(products: Sequence[Product]) -> list[StartingQuery]:
    """Queries made of the catalogue's own rows, spread over its categories."""
    shown = list(islice(_spread(products), 60))
    pictured = [item for item in shown if item.image]
    values: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for item in products:
        for name, value in item.attributes.items():
            values[item.category, name][value] += 1
    shelf = defaultdict(set)
    for item in products:
        shelf[item.category].add(item.id)
    # A photo alone is a good example where it finds another one of its kind, not just something of its colour.
    starts = [
        StartingQuery(reference=item.id, targets=frozenset(shelf[item.category] - {item.id})) for item in pictured[::2]
    ]
    for item in pictured[1::2]:
        name, other = _change(item, values)
        if other:
            right = (p.id for p in products if p.category == item.category and p.attributes.get(name) == other)
            starts.append(
                StartingQuery(
                    translate("but in {value}", value=word(name, other)), reference=item.id, targets=frozenset(right)
                )
            )
    for place, item in enumerate(shown):
        forms = (_described, _below_a_price, _without)
        form = forms[place % len(forms)]
        starts.append(form(item, products) or _described(item, products) or _titled(item))
    return starts


def _described(item: Product, products: Sequence[Product]) -> StartingQuery | None:
    """The product's colour and material, and its kind."""
    wanted = {name: value for name, value in item.attributes.items() if value and name.casefold() in CHANGES}
    if not (wanted and item.category):
        return None
    alike = (p.id for p in products if p.category == item.category and wanted.items() <= p.attributes.items())
    values = [word(name, value) for name, value in wanted.items()]
    parts = [*list(dict.fromkeys(values))[:2], translate(item.shown("category"))]
    english = any(part.isascii() for part in parts)
    return StartingQuery(" ".join(parts).lower() if english else "".join(parts), targets=frozenset(alike))


def _below_a_price(item: Product, products: Sequence[Product]) -> StartingQuery | None:
    """Its kind, for at most a round price that not all of the kind cost."""
    kind = [p for p in products if p.category == item.category and p.price is not None]
    if not item.category or item.price is None:
        return None
    step = 10 ** max(0, math.floor(math.log10(max(item.price, 1))))
    limit = step * math.ceil(item.price / step)
    below = frozenset(p.id for p in kind if p.price is not None and p.price <= limit)
    if len(below) == len(kind):
        return None
    return StartingQuery(
        translate("{kind:lower} under {price}", kind=translate(item.shown("category")), price=limit), targets=below
    )


def _without(item: Product, products: Sequence[Product]) -> StartingQuery | None:
    """Its kind in any colour but this one."""
    colour = next((name for name in item.attributes if name.casefold() == CHANGES[0] and item.attributes[name]), "")
    if not (colour and item.category):
        return None
    others = (
        p.id for p in products if p.category == item.category and p.attributes.get(colour) != item.attributes[colour]
    )
    kind, value = translate(item.shown("category")), word(colour, item.attributes[colour])
    words = translate("{kind:lower}, not {value:lower}", kind=kind, value=value)
    return StartingQuery(words, targets=frozenset(others))


def _titled(item: Product) -> StartingQuery:
    return StartingQuery(translate(item.shown("title")), targets=frozenset({item.id}))


def choose(
    given: Sequence[StartingQuery],
    own: Sequence[StartingQuery],
    grade: Callable[[StartingQuery], int] = lambda start: 2,
) -> tuple[list[StartingQuery], list[StartingQuery]]:
    """(with a picture, with words alone): as many as the page shows, those that `grade` calls 2 before those of 1.

    Photos that came with the catalogue are tried first, then its other queries, then its `own` rows, which have to be
    of grade 2.
    """
    pools = [[start for start in given if start.image], [start for start in given if not start.image], own]

    def kind(pictured: bool, worded: bool, count: int) -> list[StartingQuery]:
        kept, second = dict[object, StartingQuery](), dict[object, StartingQuery]()
        for pool in pools:
            found = [s for s in pool if bool(s.image or s.reference) == pictured and bool(s.text) == worded]
            for start in thin(found, TRIES * count):
                key = start if pictured else start.text.casefold()
                least = 2 if pool is own else 1  # what the shop did not ask itself is offered where it is right
                if len(kept) < count and key not in kept and (good := grade(start)) >= least:
                    (kept if good > 1 else second)[key] = start
        return list({**kept, **second}.values())[:count]

    pairs = zip_longest(kind(True, True, PHOTOS // 2), kind(True, False, PHOTOS // 2))
    return [start for pair in pairs for start in pair if start], kind(False, True, SENTENCES)


def _spread(products: Sequence[Product]) -> Iterator[Product]:
    """One product of each category in turn, the larger categories first."""
    shelves: dict[str, list[Product]] = {}
    for item in products:
        shelves.setdefault(item.category, []).append(item)
    ordered = sorted(shelves.values(), key=len, reverse=True)
    for row in zip_longest(*(_sample(shelf, 8) for shelf in ordered)):
        yield from (item for item in row if item is not None)


def _sample(shelf: Sequence[Product], count: int) -> list[Product]:
    step = max(1, len(shelf) // count)
    return list(shelf[step // 2 :: step][:count])


def _change(item: Product, values: Mapping[tuple[str, str], Counter[str]]) -> tuple[str, str]:
    """(attribute, value): what most others of the category have instead; empty strings where nothing can change."""
    for name, value in item.attributes.items():
        if name.casefold() in CHANGES:
            other = next(
                (other for other, _ in values[item.category, name].most_common() if other not in ("", value)), ""
            )
            if other:
                return name, other
    return "", ""

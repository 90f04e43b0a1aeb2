"""The answer to a search as HTML: cards in order, what the sentence was taken for, and help where little was found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mmdemo.language import Part
from mmdemo.pool import Way, facet_counts, passing, ways
from mmdemo.product import Product
from mmdemo.query import Filter, Query
from mmdemo.recommender import Recommendation, Recommender
from mmdemo.say import listed, noun, say, say_many
from mmdemo.ui import cards
from mmdemo.ui.search import ORDERS, Search, columns

MOST_WAYS, MOST_KINDS = 4, 10
LITTLE = frozenset("the and for with from not but like this that one same all any".split())  # words that name nothing


def page(recommender: Recommender, search: Search, query: Query) -> tuple[str, dict[str, dict[str, int]]]:
    """The results as HTML, and the counts of the filters that go with them."""
    found = recommender.recommend(query)
    best = found[0].match if found else 0.0
    doubtful = doubt(query, found)
    better = [way for way in ways(recommender, query) if not found or (way.close and way.match > best)] if (
        doubtful or not found) else []  # fmt: skip
    chances = has_chances(query, found)
    total = len(recommender.index.products)
    shown = {"n": len(found), "all": f"{total:,}", "noun": noun(total)}
    html = cards.render(
        "results",
        heading=say("{n} of {all} {noun} for {query}", **shown, query=said(recommender, query)) if found else "",
        doubtful=doubtful,
        ways=[_way(recommender, query, way) for way in better[:MOST_WAYS]],
        unfiltered=passing(recommender, search.without("*", "").query(recommender, query.taste))
        if not found and not better and search.narrowed
        else 0,
        kinds=_kinds(recommender) if doubtful or not found else [],
        items=[
            item if chances else {**item, "match": None}
            for item in cards.tiles(in_order(found, search.order), recommender, query.taste.likes)
        ],
        taste=bool(query.taste),
        link=search.link(),
        photo=bool(search.photo or search.blend or search.avoid),
        orders=ORDERS,
        order=search.order,
    )
    return html, facet_counts(recommender, query, columns(recommender))


def doubt(query: Query, found: Sequence[Recommendation]) -> bool:
    """Whether nothing that was found really matches. What started from a product of the catalogue is never in doubt."""
    if not found or query.reference or query.like:
        return False
    return not any(r.close for r in found) and not names(query.text, found[0].product)


def has_chances(query: Query, found: Sequence[Recommendation]) -> bool:
    """Whether the match per cent of this answer is shown: it is the chance that a product is the right one, which is no
    question where nothing really matches, or where one only asks for more like this."""
    return not (doubt(query, found) or query.like or (query.reference and not query.text))


def names(text: str, product: Product) -> bool:
    """Whether the sentence has a word that the product is called by: "chair" means many chairs and none above all, so
    that no answer is near it, and yet they are what was asked for."""
    called = " ".join([product.title, product.category, *product.attributes.values()]).casefold()
    words = set(re.findall(r"[^\W\d_]{3,}", text.casefold())) - LITTLE
    if (kind := product.shown("category")) != product.category and kind in text:  # Chinese has no gaps between words
        return True
    return any(re.search(rf"\b{re.escape(word.removesuffix('s'))}s?\b", called) for word in words)


def said(recommender: Recommender, query: Query) -> str:
    """What was asked, for a heading."""
    photos = (query.image is not None) + len(query.photos)
    start = query.reference or "".join(query.like)
    asked = [
        say_many(photos, "your photo", "your {n} photos") if photos else "",
        f"“{recommender.product(start).shown('title')}”" if start else "",
        f"“{query.text}”" if query.text else "",
    ]
    return listed([part for part in asked if part] or [say("your taste")])


def understood(recommender: Recommender, query: Query) -> str:
    """What the sentence was taken for, as chips."""
    if not query.text:
        return ""
    reading = recommender.read(query)
    parts = [
        {"said": p.said, "kind": p.kind, "meaning": p.meaning, "without": reading.without(p)} for p in reading.parts
    ]
    return cards.render("understood", parts=parts, text=reading.text, notes=reading.notes)


def narrowed_to(recommender: Recommender, search: Search) -> int | None:
    """How many products pass the form's filters, None without any."""
    allowed = recommender.index.allowed(search.filters)
    return None if allowed is None else len(allowed)


def in_order(found: Sequence[Recommendation], order: str) -> list[Recommendation]:
    """The answers as the visitor wants them; without a price comes last."""
    if order == "match":
        return list(found)
    sign = 1 if order == "cheap" else -1
    return sorted(found, key=lambda r: (r.product.price is None, sign * (r.product.price or 0)))


def _way(recommender: Recommender, query: Query, way: Way) -> dict[str, Any]:
    """A condition that may be taken away, as a button."""
    chance = round(100 * way.match) if has_chances(query, []) else 0
    shown = {"count": way.count, "match": chance, "close": way.close}
    if isinstance(way.condition, Filter):
        meaning = Part("", 0, 0, "filter", (way.condition,)).meaning
        return {**shown, "meaning": meaning, "column": way.condition.column, "op": way.condition.op, "text": None}
    left = recommender.read(query).without(way.condition)
    return {**shown, "meaning": way.condition.said, "column": "", "op": "", "text": left}


def _kinds(recommender: Recommender) -> list[str]:
    return list(recommender.index.facets.get("category", {}))[:MOST_KINDS]

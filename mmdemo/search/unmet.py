"""What was asked for and does not exist here: which wish no product meets, and the nearest that does, as a query.

Each is one sentence and one change of the query, for a page a sentence and a click. It knows nothing of pages.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from mmdemo.core.messages import Message, Term
from mmdemo.core.money import format_price
from mmdemo.core.request import Filter
from mmdemo.fusion.prepared_query import PreparedQuery
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.kinds import KindAsked, Mask
from mmdemo.language.reading import Part
from mmdemo.language.tiers import Source
from mmdemo.language.vocabulary import Vocabulary
from mmdemo.language.wishes import Wish, named_values
from mmdemo.search.query_kind import having, passing

MOST = 3  # sentences for one answer
_UPPER, _LOWER = ("<", "<="), (">", ">=")


@dataclass(frozen=True)
class Unmet:
    """One wish that nothing of the kind meets.

    Parameters
    ----------
    sentence
        What there is not, and the nearest that there is.
    instead
        The fields of the query to change, with their new values, so that the nearest is found; empty where there is
        none.
    count
        How many products of the kind are then left.
    """

    sentence: str
    instead: dict[str, Any]
    count: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that the command line and the API share."""
        instead = {
            name: value if isinstance(value, str) else [str(f) for f in value] for name, value in self.instead.items()
        }
        return {"sentence": str(self.sentence), "instead": instead, "count": self.count}


def unmet(index: ProductIndex, vocabulary: Vocabulary, prepared: PreparedQuery) -> list[Unmet]:
    """What the words ask for and no product of the kind has; nothing for a kind that only a photo tells.

    Parameters
    ----------
    index, vocabulary
        The catalogue and its words.
    prepared
        The query, with its tiers.

    Returns
    -------
    list of Unmet
        At most `MOST`, those of the sentence first.
    """
    kind = prepared.tiers.kind
    if kind is None or kind.source not in (Source.WORDS, Source.REQUEST):
        return []
    asked, first = kind.asked, prepared.tiers.of_rows == 0
    if not asked.rows.any():
        return [_not_sold(prepared, asked)]
    if first.any():
        return _unmet_words(index, vocabulary, prepared, first)[:MOST]
    return list(_unmet_conditions(index, prepared, asked))[:MOST]


def _not_sold(prepared: PreparedQuery, asked: KindAsked) -> Unmet:
    """Nothing is of the kind: the next wider kind, or other things that the rest of the words describe."""
    sentence = prepared.given.text
    if asked.wider:
        text = _replaced(sentence, asked.spans, asked.wider)
        message = Message("No {kind} here; the nearest kind is {wider}.", kind=asked.words, wider=asked.wider)
        return Unmet(message, {"text": text} if asked.spans else {"kind": asked.wider}, int(asked.near.sum()))
    rest = _replaced(sentence, asked.spans, "") if asked.spans else sentence
    if re.search(r"\w", rest) and rest != sentence:
        message = Message("No {kind} here: these are other things for “{rest}”.", kind=asked.words, rest=rest)
        return Unmet(message, {"text": rest})
    return Unmet(Message("No {kind} here.", kind=asked.words), {})


def _unmet_conditions(index: ProductIndex, prepared: PreparedQuery, asked: KindAsked) -> Iterator[Unmet]:
    """The conditions without any one of which some of the kind is left, each with the nearest that is."""
    given, parts = prepared.given, [p for p in prepared.reading.parts if p.filters and p.kind != "edit"]
    conditions: list[Filter | Part] = [*parts, *given.filters]
    masks = [passing(index, c.filters if isinstance(c, Part) else (c,)) for c in conditions]
    for n, condition in enumerate(conditions):
        others = [mask for m, mask in enumerate(masks) if m != n]
        left = np.logical_and.reduce([asked.rows, *others])
        if not left.any():
            continue
        filters = condition.filters if isinstance(condition, Part) else (condition,)
        limit, message = _sentence(index, asked, filters, left)
        if isinstance(condition, Part):
            reduced = prepared.reading.without(condition)
            text = f"{reduced} {limit}" if limit else reduced
            yield Unmet(message, {"text": text.strip()}, int(left.sum()))
        else:
            yield Unmet(message, {"filters": tuple(f for f in given.filters if f != condition)}, int(left.sum()))


def _sentence(index: ProductIndex, asked: KindAsked, filters: tuple[Filter, ...], left: Mask) -> tuple[str, str]:
    """The words that ask for the nearest price instead, "" for other conditions, and the sentence."""
    signs = {f.op: f.number for f in filters if f.column == "price"}
    priced = [p for row in np.flatnonzero(left) if (p := index.products[row]).price is not None]
    chinese = asked.words[:1] > "一"
    if not signs or not priced:
        what = Part("", 0, 0, "filter", filters).meaning
        return "", Message("No {kind} here where {condition}.", kind=asked.words, condition=what)
    limits = {op: value for op, value in signs.items() if op in _UPPER} or signs
    upper, bound = next(iter(limits)) in _UPPER, next(iter(limits.values()))
    nearest = min(priced, key=lambda p: abs((p.price or 0) - bound))
    values = {
        "kind": asked.words,
        "limit": format_price(bound, nearest.currency),
        "nearest": format_price(nearest.price, nearest.currency),
    }
    if len(signs) > 1:
        low = min(signs.values())
        message = Message(
            "No {kind} from {low} to {limit}: the nearest costs {nearest}.",
            low=format_price(low, nearest.currency),
            **values,
        )
        upper = (nearest.price or 0) > bound
    elif upper:
        message = Message("No {kind} under {limit}: from {nearest}.", **values)
    else:
        message = Message("No {kind} over {limit}: up to {nearest}.", **values)
    words = ("不超过" if upper else "至少") if chinese else ("up to " if upper else "at least ")
    return f"{words}{nearest.price:g}{'元' if chinese else ''}", message


def _unmet_words(index: ProductIndex, vocabulary: Vocabulary, prepared: PreparedQuery, first: Mask) -> list[Unmet]:
    """Values that the words name and no product of the kind has, each with the value of the nearest one that is."""
    wishes = named_values(prepared.query.text, vocabulary)
    missing = [wish for wish in wishes if not (having(index, wish) & first).any()]
    if missing:
        return [_without(index, prepared, wish, first) for wish in missing]
    return _unmet_together(index, prepared, wishes, first)


def _unmet_together(index: ProductIndex, prepared: PreparedQuery, wishes: list[Wish], first: Mask) -> list[Unmet]:
    """Two values that each exist, but not on one product of the kind."""
    kind, text = prepared.tiers.kind, prepared.query.text
    assert kind is not None
    for one, other in combinations(wishes, 2):
        if not (having(index, one) & having(index, other) & first).any():
            words = [text[wish.start : wish.end] for wish in (one, other)]
            return [
                Unmet(
                    Message(
                        "No {kind} here with both “{one}” and “{other}”.",
                        kind=kind.asked.words,
                        one=words[0],
                        other=words[1],
                    ),
                    {},
                )
            ]
    return []


def _without(index: ProductIndex, prepared: PreparedQuery, wish: Wish, first: Mask) -> Unmet:
    kind = prepared.tiers.kind
    assert kind is not None
    rows = np.flatnonzero(first)
    nearest = index.products[rows[int(np.argmax(prepared.lifted(index.vectors[rows] @ prepared.vector, rows)))]]
    column = max(wish.values, key=lambda c: len(wish.values[c]))
    value = str(nearest.field(column) or "")
    words = prepared.query.text[wish.start : wish.end]
    at = prepared.given.text.find(words)
    if not value or at < 0:
        return Unmet(Message("No “{words}” {kind} here.", kind=kind.asked.words, words=words), {}, len(rows))
    message = Message(
        "No “{words}” {kind} here: the nearest is “{value}”.",
        kind=kind.asked.words,
        words=words,
        value=Term(column, value),
    )
    return Unmet(message, {"text": _replaced(prepared.given.text, ((at, at + len(words)),), value)}, len(rows))


def _replaced(sentence: str, spans: tuple[tuple[int, int], ...], words: str) -> str:
    """The sentence with these words in the place of what stands there."""
    for start, end in sorted(spans, reverse=True):
        sentence = f"{sentence[:start]}{words}{sentence[end:]}"
    return re.sub(r"^[\s,，]+|[\s,，的]+$", "", re.sub(r"\s+", " ", sentence))

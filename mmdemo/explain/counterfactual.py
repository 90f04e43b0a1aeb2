"""What would change the answer: the smallest change of a query that puts a product first or drops it from the top ten.

Every change is a whole query, and its effect is the rank that asking it gives; nothing is estimated.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mmdemo.catalog.product import Product
from mmdemo.core.messages import Message, Term
from mmdemo.core.request import MAX_TEXT, Query
from mmdemo.language.reading import Reading

TOP = 10
MOST = 16  # words of a query, and as many of its conditions, that are tried without
LITTLE = frozenset("a an the in with of to please but and it i want would like for some my me is are".split())

Rank = Callable[[Query], int | None]  # None: the product is no longer among the answers


@dataclass(frozen=True)
class Change:
    """A changed query and where it puts the product: `after` is None where a condition leaves it out."""

    what: str
    query: Query
    before: int
    after: int | None

    @property
    def sentence(self) -> str:
        """For a person: "Without “leather” it falls from 2 to 41"."""
        if self.after is None:
            return Message("{change:capital} it is left out.", change=self.what)
        if self.after == 1:
            return Message("{change:capital} it comes first (now {before}).", change=self.what, before=self.before)
        if self.after > self.before:
            return Message(
                "{change:capital} it falls from {before} to {after}.",
                change=self.what,
                before=self.before,
                after=self.after,
            )
        return Message(
            "{change:capital} it rises from {before} to {after}.",
            change=self.what,
            before=self.before,
            after=self.after,
        )


def candidates(query: Query, reading: Reading, product: Product, columns: Sequence[str]) -> Iterator[tuple[str, Query]]:
    """Changes from small to large: a word or a condition off, a word swapped or added, a whole modality, two words."""
    words = [m for m in re.finditer(r"[^\s,，;；]+", query.text) if m[0].casefold() not in LITTLE][:MOST]
    for part in [part for part in reading.parts if part.kind != "sort"][:MOST]:
        yield Message("without “{words}”", words=part.words), query.with_(text=reading.without(part))
    for m in words:
        if not any(p.start < m.end() and m.start() < p.end for p in reading.parts):
            yield Message("without “{words}”", words=m[0]), query.with_(text=_cut(query.text, [m]))
    for column in columns:
        value = str(product.field(column) or "").lower()
        fits = len(query.text) + len(value) + 2 <= MAX_TEXT
        if value and value not in query.text.casefold() and query.text.strip() and fits:
            term = Term(column, str(product.field(column)))
            yield Message("with “{words:lower}” added", words=term), query.with_(text=f"{query.text}, {value}")
    pictured = query.image is not None or bool(query.reference)
    if pictured and query.text.strip():
        yield Message("without the photo"), query.with_(image=None, box=None, reference="", photos=())
        yield Message("without the words"), query.with_(text="")
    for one, two in pairwise(words if len(words) < MOST else ()):  # a long query loses nothing by two of its words
        yield Message("without “{words}”", words=f"{one[0]} {two[0]}"), query.with_(text=_cut(query.text, [one, two]))


def changes(query: Query, options: Sequence[tuple[str, Query]], rank: Rank) -> list[Change]:
    """The smallest change that puts the product first, if it is not, and the smallest that drops it out of the TOP.

    Where none of the options does, the one that moves it furthest that way is given; none where nothing moves it.
    """
    before = rank(query)
    if before is None:
        return []
    tried = [Change(what, changed, before, rank(changed)) for what, changed in options if not changed.empty]
    up = [c for c in tried if c.after is not None and c.after < before]
    down = [c for c in tried if c.after is None or c.after > before]
    chosen = []
    if up:
        chosen.append(next((c for c in up if c.after == 1), min(up, key=lambda c: c.after or 0)))
    if down and before <= TOP:
        out = [c for c in down if c.after is None or c.after > TOP]
        # Of the changes of one word, the one that costs most says most.
        smallest = [c for c in out if _longer(c.query, query) == _longer(out[0].query, query)]
        chosen.append(max(smallest or down, key=lambda c: c.after or float("inf")))
    return chosen


def _longer(query: Query, other: Query) -> int:
    return len(query.text.split()) - len(other.text.split())


def _cut(text: str, removed: Sequence[re.Match[str]]) -> str:
    for m in reversed(removed):
        text = f"{text[: m.start()]} {text[m.end() :]}"
    return re.sub(r"\s+", " ", text).strip(" ,;，；")

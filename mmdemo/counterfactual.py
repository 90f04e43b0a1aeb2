"""What would change the answer: the smallest change of a query that puts a product first or drops it from the top ten.

Every change is a whole query, and its effect is the rank that asking it gives; nothing is estimated.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from mmdemo.language import Reading
from mmdemo.product import Product
from mmdemo.query import Query
from mmdemo.say import say, word

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
        what = self.what[:1].upper() + self.what[1:]
        if self.after is None:
            return say("{change} it is left out.", change=what)
        if self.after == 1:
            return say("{change} it comes first (now {before}).", change=what, before=self.before)
        if self.after > self.before:
            return say("{change} it falls from {before} to {after}.", change=what, before=self.before, after=self.after)
        return say("{change} it rises from {before} to {after}.", change=what, before=self.before, after=self.after)


def candidates(query: Query, reading: Reading, product: Product, columns: Sequence[str]) -> Iterator[tuple[str, Query]]:
    """Changes from small to large: a word or a condition off, a word swapped or added, a whole modality, two words."""
    words = [m for m in re.finditer(r"[^\s,，;；]+", query.text) if m[0].casefold() not in LITTLE][:MOST]
    for part in reading.parts[:MOST]:
        yield say("without “{words}”", words=part.said), replace(query, text=reading.without(part))
    for m in words:
        if not any(p.start < m.end() and m.start() < p.end for p in reading.parts):
            yield say("without “{words}”", words=m[0]), replace(query, text=_cut(query.text, [m]))
    for column in columns:
        value = str(product.field(column) or "").lower()
        if value and value not in query.text.casefold() and query.text.strip():
            shown = word(column, str(product.field(column))).lower()
            yield say("with “{words}” added", words=shown), replace(query, text=f"{query.text}, {value}")
    pictured = query.image is not None or bool(query.reference)
    if pictured and query.text.strip():
        yield say("without the photo"), replace(query, image=None, reference="", photos=())
        yield say("without the words"), replace(query, text="")
    for one, two in pairwise(words):
        yield say("without “{words}”", words=f"{one[0]} {two[0]}"), replace(query, text=_cut(query.text, [one, two]))


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
    found = []
    if up:
        found.append(next((c for c in up if c.after == 1), min(up, key=lambda c: c.after or 0)))
    if down and before <= TOP:
        out = [c for c in down if c.after is None or c.after > TOP]
        # Of the changes of one word, the one that costs most says most.
        smallest = [c for c in out if _longer(c.query, query) == _longer(out[0].query, query)]
        found.append(max(smallest or down, key=lambda c: c.after or float("inf")))
    return found


def _longer(query: Query, other: Query) -> int:
    return len(query.text.split()) - len(other.text.split())


def _cut(text: str, gone: Sequence[re.Match[str]]) -> str:
    for m in reversed(gone):
        text = f"{text[: m.start()]} {text[m.end() :]}"
    return re.sub(r"\s+", " ", text).strip(" ,;，；")

"""Why: the receipt, the words and the sentence behind one recommendation, taken from the score that ranked it."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mmdemo.catalog import Product
from mmdemo.say import later, listed, named, say, uncapitalised, word
from mmdemo.vectors import Array

PARTS = ("image", "text", "interaction")
TASTE = "taste"
SAYS = {
    "image": later("your photo"), "text": later("your words"), "interaction": later("photo and words together"),
}  # fmt: skip
MOST_WORDS = 24
MOST_VALUES = 60  # a column with more values is no property that a sentence names
UNSEEN = frozenset(("brand", "maker", "manufacturer", "designer", "vendor", "year"))  # and no picture shows these
CLEAR = 0.35  # standard deviations of the query's scores: a lead below this decides nothing


def receipt(query_parts: Array, product: Array) -> dict[str, float]:
    """How much of the score came through the photo, the words, both together (and the taste): (3 or 4, d) @ (d,)."""
    names = (*PARTS, TASTE)[: len(query_parts)]
    return dict(zip(names, (query_parts @ product).astype(float).tolist(), strict=True))


def without_each(text: str, pieces: Sequence[tuple[int, int]] | None = None) -> list[tuple[str, str]]:
    """(word, the text without it) for each word, the first MOST_WORDS of them.

    `pieces` says where the words stand, in a text that does not part them by spaces.
    """
    if pieces is None:
        pieces = [found.span() for found in re.finditer(r"\S+", text)]
    return [
        (text[start:end], re.sub(r"\s+", " ", text[:start] + text[end:]).strip()) for start, end in pieces[:MOST_WORDS]
    ]


def word_effects(
    text: str, score_of: Callable[[list[str]], Array], score: float, pieces: Sequence[tuple[int, int]] | None = None
) -> list[tuple[str, float]]:
    """What each word of a text did to a score: the score minus the one without that word (leave one out).

    `score_of` gives the deployed score for other texts, an empty one included; `pieces` as in `without_each`.
    """
    pairs = without_each(text, pieces)
    if not pairs:
        return []
    return [(w, float(score - s)) for (w, _), s in zip(pairs, score_of([t for _, t in pairs]), strict=True)]


@dataclass(frozen=True)
class Decision:
    """A property on which a product leads over its alternatives, and which part of the query gave it the lead."""

    column: str
    value: str
    by: str  # one of PARTS
    lead: float  # in units of the score


class Contrasts:
    """For each property of a product: the mean vector of the alternatives that differ in it."""

    def __init__(self, products: Sequence[Product], vectors: Array, columns: dict[str, dict[str, int]]) -> None:
        self._products = products
        self._columns = [c for c, values in columns.items() if len(values) <= MOST_VALUES and c not in UNSEEN]
        if "category" in columns and "category" not in self._columns:
            self._columns.insert(0, "category")
        self._sums: dict[tuple[str, ...], Array] = {(): vectors.sum(0)}
        self._counts: dict[tuple[str, ...], int] = defaultdict(int)
        self._counts[()] = len(products)
        rows: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row, p in enumerate(products):
            rows[p.category,].append(row)
            for column in self._columns:
                if column != "category" and (value := str(p.field(column) or "")):
                    rows[p.category, column].append(row)
                    rows[p.category, column, value].append(row)
        for key, some in rows.items():
            self._sums[key], self._counts[key] = vectors[some].sum(0), len(some)

    def alternative(self, row: int, column: str) -> Array | None:
        """The mean vector (d,) of the products that differ in a column (for the category: of the other categories;
        otherwise within the category); None where there is none."""
        p = self._products[row]
        value = str(p.field(column) or "")
        if not value:
            return None
        inside: tuple[str, ...] = (p.category,) if column == "category" else (p.category, column, value)
        count = self._counts[inside[:-1]] - self._counts[inside]
        return (self._sums[inside[:-1]] - self._sums[inside]) / np.float32(count) if count else None

    def decisions(self, query_parts: Array, row: int, vector: Array, spread: float) -> list[Decision]:
        """The properties on which a product clearly leads, the clearest first, each with the part that decided it."""
        others = {c: other for c in self._columns if (other := self.alternative(row, c)) is not None}
        if not others:
            return []
        leads = query_parts[:3] @ (vector - np.stack(list(others.values()))).T
        found = []
        for column, lead in zip(others, leads.T, strict=True):
            if (whole := float(lead.sum())) > CLEAR * spread and lead.max() > 0:
                value = str(self._products[row].field(column))
                found.append(Decision(column, value, PARTS[int(lead.argmax())], whole))
        return sorted(found, key=lambda d: -d.lead)


def sentence(kind: str, parts: dict[str, float], decisions: Sequence[Decision], because: str = "") -> str:
    """One plain sentence for a card; `kind` is what was asked with: image, text, both or like.

    `because` is the title of a liked product where the taste decided.
    """
    decided: dict[str, list[str]] = {}
    for d in decisions[:3]:
        name = named("kind" if d.column == "category" else d.column)
        decided.setdefault(d.by, []).append(
            say("{name} ({value})", name=name, value=uncapitalised(word(d.column, d.value)))
        )
    if because:
        lead = say("Because you liked “{title}”", title=because)
        return _sentence([lead, *(_decided(decided) if kind != "like" else [])])
    if kind == "like":
        alike = [name for names in decided.values() for name in names]
        start = say("Close to where you started")
        return _sentence([say("{head}: {names}", head=start, names=listed(alike)) if alike else start])
    if kind in ("both", "edit"):
        return _of_both(parts, decided)
    if decided:
        return _sentence(_decided(decided))
    return say("It looks like your photo.") if kind == "image" else say("Its picture and text fit your words.")


def _of_both(parts: dict[str, float], decided: dict[str, list[str]]) -> str:
    most = max(PARTS, key=lambda p: abs(parts[p]))
    share = abs(parts[most]) / max(1e-9, sum(abs(parts[p]) for p in PARTS))
    if share > 0.55:
        lead, own = say("Mostly {part}", part=say(SAYS[most])), decided.pop(most, [])
    else:
        lead, own = say("Your photo and your words alike"), []
    head = say("{head}: {names}", head=lead, names=listed(own)) if own else lead
    return _sentence([head, *_decided(decided)])


def difference(product: Product, above: Product, columns: Sequence[str]) -> str:
    """The properties in which a product differs from the one ranked above it: "colour: navy, above: teal"."""
    differing = [
        say("{column}: {value}, above: {other}", column=named(c), value=product.shown(c), other=above.shown(c))
        for c in ("category", *(c for c in columns if c != "category"))
        if product.field(c) and above.field(c) and product.field(c) != above.field(c)
    ]
    return say("; ").join(differing[:3])


def _decided(decided: dict[str, list[str]]) -> list[str]:
    return [say("{part} decided the {names}", part=say(SAYS[by]), names=listed(names)) for by, names in decided.items()]


def _sentence(clauses: Sequence[str]) -> str:
    said = say("; ").join(clauses)
    return said[:1].upper() + said[1:] + say(".")

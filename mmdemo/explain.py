"""Why: the receipt, the words and the sentence behind one recommendation, taken from the score that ranked it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mmdemo.catalog import Product
from mmdemo.product import split_values
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
SAMPLE = 20_000  # products from which the effects of their properties are learnt
RIDGE = 1.0  # products' worth of doubt about each effect
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
    """What each value of each property adds to a product's vector, other properties being equal.

    An additive model of the catalogue, by ridge regression: vector = mean + an effect for each value. So a kind, a
    colour and a pattern are told apart even where checked cushions happen to be navy.
    """

    def __init__(self, products: Sequence[Product], vectors: Array, columns: dict[str, dict[str, int]]) -> None:
        self._products, self._values = products, columns
        shown = (c for c in columns if c not in UNSEEN)
        named = [c for c in shown if c == "category" or len(columns[c]) <= MOST_VALUES]
        rows = range(0, len(products), 1 + len(products) // SAMPLE)
        self._number: dict[tuple[str, str], int] = {}
        held = np.zeros((len(rows), sum(len(columns[c]) for c in named) + 1), np.float32)
        for at, row in enumerate(rows):
            for column in named:
                for value in self._worn(products[row], column):
                    held[at, self._number.setdefault((column, value), len(self._number))] = 1
        held = held[:, : len(self._number)]
        centred = vectors[:: rows.step] - vectors[:: rows.step].mean(0)
        ridge = RIDGE * np.eye(held.shape[1], dtype=np.float32)
        effects = np.linalg.solve(held.T @ held + ridge, held.T @ centred)
        counts, self._columns = held.sum(0), list(dict.fromkeys(column for column, _ in self._number))
        self._leads = np.zeros_like(effects)
        for column in named:
            mine = [n for (c, _), n in self._number.items() if c == column]
            total, summed = counts[mine].sum(), counts[mine] @ effects[mine]
            for n in mine:
                if (others := total - counts[n]) > 0:
                    self._leads[n] = effects[n] - (summed - counts[n] * effects[n]) / others

    def _worn(self, product: Product, column: str) -> list[str]:
        """The counted values of a product: its cell, or the items of a cell that is a list."""
        cell = str(product.field(column) or "")
        return [value for value in ([cell] if cell in self._values[column] else split_values(cell))
                if value in self._values[column]]  # fmt: skip

    def lead(self, column: str, value: str) -> Array | None:
        """How a product of this value differs (d,) from what has another one; None for a value that is not known."""
        number = self._number.get((column, value))
        return self._leads[number] if number is not None else None

    def decisions(self, query_parts: Array, row: int, spread: float) -> list[Decision]:
        """The properties on which a product clearly leads, the clearest first, each with the part that decided it."""
        product = self._products[row]
        worn = ((column, value) for column in self._columns for value in self._worn(product, column))
        known = [(of, number) for of in worn if (number := self._number.get(of)) is not None]
        found = []
        shares = query_parts[:3] @ self._leads[[number for _, number in known]].T
        for ((column, value), _), mine in zip(known, shares.T, strict=True):
            if (whole := float(mine.sum())) > CLEAR * spread and mine.max() > 0:
                found.append(Decision(column, value, PARTS[int(mine.argmax())], whole))
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
        lead, own = say("Your photo and your words about equally"), []
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

"""The reason below a card and the receipt, the exact split of its score into parts (photo, words, both together).

A sentence names a property only where leaving it out would move the product: what the words name of it, or what the
photo adds towards it. Where nothing is certain there is no sentence.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmdemo.catalog.catalog import Product
from mmdemo.catalog.product import split_values
from mmdemo.core.messages import Message, Term, column_label, joined, listed
from mmdemo.core.vectors import Array

PARTS = ("image", "text", "interaction")
TASTE, NAME, BEHAVIOUR = "taste", "name", "behaviour"
YOUR_PHOTO, REFERENCE = Message("your photo"), Message("the product you started from")
CALLED = Message("it is called what you wrote")
PART_LABELS = {
    "image": YOUR_PHOTO,
    "text": Message("your words"),
    "interaction": Message("photo and words together"),
}
MOST_VALUES = 60  # a column with more values is no property that a sentence names
UNSEEN = frozenset(("brand", "maker", "manufacturer", "designer", "vendor", "year"))  # and no picture shows these
SAMPLE = 20_000  # products from which the effects of their properties are learnt
RIDGE = 1.0  # products' worth of doubt about each effect
CLEAR = 0.35  # standard deviations of the query's scores: a lead below this decides nothing
TIE = 1e-6  # scores nearer than this are the same


def receipt(
    query_parts: Array, product: Array, name: float | None = None, behaviour: float | None = None
) -> dict[str, float]:
    """How much of the score came through the photo, the words, both together (and the taste): (3 or 4, d) @ (d,); and
    what a name and behaviour added, where they did."""
    names = (*PARTS, TASTE)[: len(query_parts)]
    parts = dict(zip(names, (query_parts @ product).astype(float).tolist(), strict=True))
    added = {NAME: name, BEHAVIOUR: behaviour}
    return parts | {part: value for part, value in added.items() if value is not None}


@dataclass(frozen=True)
class Decision:
    """A property on which a product leads over its alternatives, and which part of the query gave it the lead."""

    column: str
    value: str
    by: str  # one of PARTS
    lead: float  # in units of the score


@dataclass(frozen=True, eq=False)
class Grounds:
    """What the reasons of one query's answers may rest on.

    Parameters
    ----------
    parts
        The query's parts (3 or 4, width), which sum to its vector.
    spread
        The standard deviation of its scores over the catalogue.
    rivals
        The vectors (m, width) of the products nearest to it, among which a product has its place.
    shown
        Column -> the values that the photo shows; None for what a shopper pointed at, of which all is shown.
    named
        (Column, value) that the words speak of -> the query's vector (width,) without these words, None where nothing
        would be left of it.
    """

    parts: Array
    spread: float
    rivals: Array
    shown: Mapping[str, Collection[str]] | None = None
    named: Mapping[tuple[str, str], Array | None] = field(default_factory=dict)

    def decides(self, by: str, of: tuple[str, str], lead: Array, product: Array) -> bool:
        """Whether a product (width,) would have a worse place without what this part of the query says of a property,
        by which it leads (width,) over others."""
        if by == "image" or self.shown is None:
            if self.shown is not None and of[1] not in self.shown.get(of[0], ()):
                return False
            direction = lead / np.linalg.norm(lead)
            part = self.parts[PARTS.index(by)]
            without: Array | None = self.parts.sum(0) - (part @ direction) * direction
        elif of in self.named:
            without = self.named[of]
        else:
            return False
        return without is None or self.place(without, product) > self.place(self.parts.sum(0), product)

    def place(self, query: Array, product: Array) -> int:
        """How many of the rivals come before a product (width,) for a query (width,)."""
        return int((self.rivals @ query > product @ query + TIE).sum())


class Contrasts:
    """What each value of each property adds to a product's vector, other properties being equal.

    An additive model of the catalogue, by ridge regression: vector = mean + an effect for each value. So a kind, a
    colour and a pattern are told apart even where checked cushions happen to be navy.
    """

    def __init__(self, products: Sequence[Product], vectors: Array, columns: dict[str, dict[str, int]]) -> None:
        self._products, self._vectors, self._values = products, vectors, columns
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
        return [
            value
            for value in ([cell] if cell in self._values[column] else split_values(cell))
            if value in self._values[column]
        ]

    def lead(self, column: str, value: str) -> Array | None:
        """How a product of this value differs (d,) from what has another one; None for a value that is not known."""
        number = self._number.get((column, value))
        return self._leads[number] if number is not None else None

    def decisions(self, row: int, grounds: Grounds) -> list[Decision]:
        """The properties without which a product would have a worse place, the clearest first, each with the part of
        the query that decided it."""
        product, vector = self._products[row], self._vectors[row]
        worn = [(column, value) for column in self._columns for value in self._worn(product, column)]
        found = []
        for column, value in worn:
            if (lead := self.lead(column, value)) is None:
                continue
            shares = grounds.parts[:3] @ lead
            whole, by = float(shares.sum()), PARTS[int(shares.argmax())]
            clear = whole > CLEAR * grounds.spread and shares.max() > 0
            if clear and grounds.decides(by, (column, value), lead, vector):
                found.append(Decision(column, value, by, whole))
        return sorted(found, key=lambda d: -d.lead)


def sentence(
    kind: str,
    parts: dict[str, float],
    decisions: Sequence[Decision],
    lead: Message | None = None,
    start: Message = YOUR_PHOTO,
) -> str:
    """One plain sentence for a card, "" where nothing is certain.

    `kind` is what was asked with: image, text, both, edit or like.
    `lead` is what the taste or behaviour decided; `start` is what the image part comes from.
    """
    labels = {**PART_LABELS, "image": start}
    decided: dict[str, list[str]] = {}
    for d in decisions[:3]:
        name = column_label("kind" if d.column == "category" else d.column)
        decided.setdefault(d.by, []).append(Message("{name} ({value:lower})", name=name, value=Term(d.column, d.value)))
    if lead:
        return _sentence([lead, *(_decided(decided, labels) if kind != "like" else [])])
    if not decided:
        return ""
    if kind == "like":
        alike = [name for names in decided.values() for name in names]
        return _sentence([Message("{head}: {names}", head=Message("Close to where you started"), names=listed(alike))])
    return _sentence(_of_both(parts, decided, labels) if kind in ("both", "edit") else _decided(decided, labels))


def because_liked(title: str) -> Message:
    """Why a taste brought a product."""
    return Message("Because you liked “{title}”", title=title)


def because_seen(title: str) -> Message:
    """Why what a shopper looked at brought a product."""
    return Message("Because you looked at “{title}”", title=title)


def because_of_behaviour(title: str, new: bool) -> Message:
    """Why behaviour brought a product: from the one of this title, "" for none; a `new` one by its content."""
    if new and title:
        return Message(
            "New here: its picture and words are like those that people go on to from “{title}”", title=title
        )
    if new:
        return Message("New here: its picture and words are like those that people go on to")
    if title:
        return Message("People who went for “{title}” went on to this", title=title)
    return Message("Many people go on to this")


def _of_both(parts: dict[str, float], decided: dict[str, list[str]], labels: Mapping[str, Message]) -> list[str]:
    most = max(PARTS, key=lambda p: abs(parts[p]))
    share = abs(parts[most]) / max(1e-9, sum(abs(parts[p]) for p in PARTS))
    if share <= 0.55 or most not in decided:
        return _decided(decided, labels)
    lead = Message("Mostly {part}", part=labels[most])
    return [Message("{head}: {names}", head=lead, names=listed(decided.pop(most))), *_decided(decided, labels)]


def _decided(decided: dict[str, list[str]], labels: Mapping[str, Message]) -> list[str]:
    return [
        Message("{part} decided the {names}", part=labels[by], names=listed(names)) for by, names in decided.items()
    ]


def _sentence(clauses: Sequence[str]) -> Message:
    return Message("{clauses:capital}.", clauses=joined("; ", clauses))

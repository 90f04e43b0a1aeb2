"""Reads what people did from an `events.csv` beside a catalogue: who, which product, what, when.

    user,id,event,time,value
    u17,mug-1,view,2024-03-01T10:20:00,
    u17,mug-4,rating,2024-03-02,5

Ratings as MovieLens has them and Shopify's export of orders are read too. People become numbers while the file is read:
their names are kept nowhere. Splits are by time, never random, so that nothing is learnt from the future.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mmdemo.catalog.product import Product, column_name
from mmdemo.catalog.table import read_table
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message

ALIASES = {  # heading -> column, after `column_name`
    **dict.fromkeys(("user", "userid", "user_id", "person", "customer", "customer_id", "email", "session"), "user"),
    **dict.fromkeys(
        ("id", "item", "itemid", "item_id", "movieid", "product", "product_id", "sku", "lineitem_sku"), "id"
    ),
    **dict.fromkeys(("time", "timestamp", "date", "created_at"), "time"),
    **dict.fromkeys(("value", "rating"), "value"),
    **dict.fromkeys(("event", "event_type", "type", "action"), "event"),
    "lineitem_name": "line",
    "name": "order",
}
AGAINST = frozenset("dislike unlike return refund remove hide".split())  # events that are no sign of liking
RATED = frozenset(("", "rating", "rate", "review", "score"))  # events whose value is a rating, and no price or quantity
LIKED = 0.7  # of the highest rating of a file: from there on a rating counts as liking
FEW = 3  # events: people and products with fewer are said
DAY = 86_400.0
MILLISECONDS = 1e11  # a time above is in milliseconds
Rows = NDArray[np.int64]
Matrix: TypeAlias = csr_array


@dataclass(frozen=True)
class Events:
    """What people liked: one entry a person and product, its last time.

    Parameters
    ----------
    person
        The number (n,) of who did it.
    product
        The row (n,) of the product in the catalogue.
    time
        When, (n,) in seconds.
    people, products
        How many there are of each.

    Examples
    --------
    >>> events = Events(np.array([0, 0, 1]), np.array([2, 1, 2]), np.array([5.0, 6.0, 7.0]), 2, 3)
    >>> events.counts.tolist(), events.before(6.0).matrix.toarray().tolist()
    ([0, 1, 2], [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    """

    person: Rows
    product: Rows
    time: NDArray[np.float64]
    people: int
    products: int

    def __len__(self) -> int:
        return len(self.person)

    @cached_property
    def matrix(self) -> Matrix:
        """Which person (people) liked which product (products), as ones."""
        ones = np.ones(len(self), np.float32)
        return csr_array((ones, (self.person, self.product)), shape=(self.people, self.products))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many people liked each product."""
        return np.bincount(self.product, minlength=self.products)

    def before(self, time: float) -> "Events":
        """What was done before a time."""
        return self._where(self.time < time)

    def since(self, time: float) -> "Events":
        """What was done at a time or later."""
        return self._where(self.time >= time)

    def of(self, people: Rows) -> "Events":
        """What these people did."""
        return self._where(np.isin(self.person, people))

    def at_share(self, share: float) -> float:
        """The time before which this share of the events lies."""
        return float(np.quantile(self.time, share)) if len(self) else 0.0

    def _where(self, keep: NDArray[np.bool_]) -> "Events":
        return Events(self.person[keep], self.product[keep], self.time[keep], self.people, self.products)


def histories(rows: list[list[int]] | list[Rows], products: int) -> Matrix:
    """Histories of product rows as a matrix (people, products) of ones.

    >>> histories([[2, 0], []], products=3).toarray().tolist()
    [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    unique = [np.unique(np.asarray(some, np.int64)) for some in rows]
    ends = np.cumsum([0, *map(len, unique)])
    columns = np.concatenate([*unique, np.zeros(0, np.int64)])
    return csr_array((np.ones(len(columns), np.float32), columns, ends), shape=(len(unique), products))


def rows_of_events(products: Iterable[Product]) -> dict[str, int]:
    """The row that an id in a file of events means: a product's own, one that was folded into it, its parent's, or, as
    shops without ids write orders, its title."""
    products = list(products)
    titles = {p.title: row for row, p in reversed(list(enumerate(products)))}
    parents = {p.parent: row for row, p in reversed(list(enumerate(products))) if p.parent}
    folded = {
        other: row
        for row, p in enumerate(products)
        for other in filter(None, p.attributes.get("variant_ids", "").split("|"))
    }
    return titles | parents | folded | {p.id: row for row, p in enumerate(products)}


def read_events(path: Path, rows: Mapping[str, int]) -> tuple[Events, list[Message]]:
    """Read a file of events.

    Parameters
    ----------
    path
        The table.
    rows
        Product id -> row; a catalogue's variants may share a row.

    Returns
    -------
    tuple[Events, list[Message]]
        What people liked, and notes on what was left out and on what there is little of.

    Raises
    ------
    InputError
        Where the file is no table of events, or none of its lines can be used.
    """
    table = read_table(path, ALIASES)
    names = [ALIASES.get(column_name(column), "") for column in table.columns]
    place = {name: names.index(name) for name in dict.fromkeys(names) if name}
    if missing := [name for name in ("user", "id", "time") if name not in place]:
        raise InputError(
            "'{name}' has no column '{missing}'; expected user, id and time, and where there are any event and value",
            name=path.name,
            missing=missing[0],
        )
    at = [place.get(name) for name in ("user", "id", "time", "value", "event", "order", "line")]
    lines = [["" if n is None else cells[n].strip() for n in at] for _, cells in table.rows]
    if "order" in place:
        _fill_orders(lines, rows)
    for line in lines:
        line[3] = line[3] if line[4].casefold() in RATED else ""
    best = max((v for line in lines if (v := _number(line[3])) is not None), default=0.0)
    people: dict[str, int] = {}
    last: dict[tuple[int, int], float] = {}
    left_out = {"line": len(table.broken), "product": 0, "liking": 0}
    for user, product, when, rated, event, *_ in lines:
        time, value = _time(when), _number(rated)
        if not user or time is None:
            left_out["line"] += 1
        elif product not in rows:
            left_out["product"] += 1
        elif event.casefold() in AGAINST or (value is not None and value < LIKED * best):
            left_out["liking"] += 1
        else:
            key = people.setdefault(user, len(people)), rows[product]
            last[key] = max(time, last.get(key, time))
    if not last:
        raise InputError(
            "none of the {n:,} lines of '{name}' says that somebody liked a product of this catalogue",
            n=len(lines),
            name=path.name,
        )
    pairs = np.array(list(last), np.int64)
    events = Events(pairs[:, 0], pairs[:, 1], np.array(list(last.values())), len(people), 1 + max(rows.values()))
    return events, _notes(events, left_out)


def _fill_orders(lines: list[list[str]], rows: Mapping[str, int]) -> None:
    """Shopify names the customer and the time in the first line of an order alone, and a product without a SKU by its
    title, with its variant after a dash."""
    first: dict[str, list[str]] = {}
    for line in lines:
        if order := line[5]:
            start = first.setdefault(order, line)
            line[0], line[2], line[3] = line[0] or start[0], line[2] or start[2], ""
        if not line[1]:
            line[1] = line[6] if line[6] in rows else line[6].rpartition(" - ")[0]


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _time(cell: str) -> float | None:
    """Seconds since 1970 of a number or of an ISO date; None for anything else."""
    number = _number(cell)
    if number is not None:
        return number / 1000 if number > MILLISECONDS else number
    try:
        moment = datetime.fromisoformat(cell.replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _notes(events: Events, left_out: dict[str, int]) -> list[Message]:
    notes = []
    if n := left_out["line"]:
        notes.append(Message("{n:,} lines have no person, or a time that is neither a date nor a number", n=n))
    if n := left_out["product"]:
        notes.append(Message("{n:,} lines name a product that is not in the catalogue", n=n))
    if n := left_out["liking"]:
        notes.append(Message("{n:,} lines say that somebody did not like a product; they teach nothing yet", n=n))
    few_products = int((events.counts < FEW).sum())
    few_people = int((np.bincount(events.person, minlength=events.people) < FEW).sum())
    if few_products:
        notes.append(
            Message(
                "{n:,} products have fewer than {few} events: their pictures and words stand in",
                n=few_products,
                few=FEW,
            )
        )
    if few_people:
        notes.append(
            Message(
                "{n:,} of {people:,} people have fewer than {few} events", n=few_people, people=events.people, few=FEW
            )
        )
    return notes

"""The catalogue as a shelf to look through: facets with live counts, words in titles, order and pages.

Knows products only; nothing of pages, and nothing of vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmdemo.catalog import Product
from mmdemo.say import later

PAGE = 24
ORDERS = {
    later("Catalogue order"): "order",
    later("Price, low to high"): "cheap",
    later("Price, high to low"): "dear",
    later("Title, A to Z"): "title",
}


@dataclass
class View:
    """One look at the shelf: the products of a page, and for each facet its values with counts."""

    products: list[Product]
    total: int
    page: int
    pages: int
    facets: dict[str, list[tuple[str, int, bool]]] = field(default_factory=dict)  # value, count, chosen


class Shelf:
    """Made once for a catalogue; `view` takes about a millisecond for each 1,000 products."""

    def __init__(self, products: Sequence[Product], facets: Mapping[str, Mapping[str, int]]) -> None:
        self.products = list(products)
        self._titles = [item.shown("title").casefold() for item in self.products]
        self._values: dict[str, list[str]] = {}
        # For each facet the rows and the numbers of their values; a cell may hold several values.
        self._pairs: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for column, counts in facets.items():
            values = list(counts)
            place = {value: code for code, value in enumerate(values)}
            self._values[column] = values
            pairs = [
                (row, place[value])
                for row, item in enumerate(self.products)
                for value in item.values(column)
                if value in place
            ]
            rows, codes = np.array(pairs, int).reshape(-1, 2).T
            self._pairs[column] = rows, codes
        # A product without a price comes last in either direction.
        price = np.array([np.inf if item.price is None else item.price for item in self.products], float)
        self._order = {
            "order": np.arange(len(self.products)),
            "cheap": np.argsort(price, kind="stable"),
            "dear": np.argsort(np.where(np.isinf(price), np.inf, -price), kind="stable"),
            "title": np.array(sorted(range(len(self.products)), key=self._titles.__getitem__), int),
        }

    @property
    def columns(self) -> list[str]:
        """The facets, in the catalogue's order."""
        return list(self._values)

    def view(
        self,
        chosen: Mapping[str, Sequence[str]] | None = None,
        words: str = "",
        order: str = "order",
        page: int = 1,
        size: int = PAGE,
    ) -> View:
        """The products with any chosen value of every chosen facet and with all the words in their title.

        The counts of a facet answer "how many if I choose this too": its own choice does not narrow them.
        """
        chosen = {column: list(values) for column, values in (chosen or {}).items() if values and column in self._pairs}
        base = np.ones(len(self.products), bool)
        wanted = words.casefold().split()
        if wanted:
            base = np.fromiter(
                (all(word in title for word in wanted) for title in self._titles), bool, len(self._titles)
            )
        masks = {column: self._holds(column, values) for column, values in chosen.items()}
        found = np.logical_and.reduce([base, *masks.values()])
        facets = {}
        for column, values in self._values.items():
            others = np.logical_and.reduce([base, *(mask for name, mask in masks.items() if name != column)])
            rows, codes = self._pairs[column]
            counts = np.bincount(codes[others[rows]], minlength=len(values))
            picked = chosen.get(column, ())
            facets[column] = [
                (value, int(count), value in picked)
                for value, count in zip(values, counts, strict=True)
                if count or value in picked
            ]
        ordered = self._order.get(order, self._order["order"])
        kept = ordered[found[ordered]]
        pages = max(1, -(-len(kept) // size))
        page = min(max(1, page), pages)
        shown = [self.products[row] for row in kept[(page - 1) * size : page * size]]
        return View(shown, len(kept), page, pages, facets)

    def _holds(self, column: str, wanted: Sequence[str]) -> np.ndarray:
        """Which products have any of these values."""
        rows, codes = self._pairs[column]
        numbers = [number for number, value in enumerate(self._values[column]) if value in wanted]
        mask = np.zeros(len(self.products), bool)
        mask[rows[np.isin(codes, numbers)]] = True
        return mask


def page_numbers(page: int, pages: int) -> list[int]:
    """The page numbers a pager shows, 0 for a gap: 1 … 4 5 6 … 40."""
    wanted = sorted({1, pages, *range(max(1, page - 1), min(pages, page + 1) + 1)})
    numbers: list[int] = []
    for number in wanted:
        if numbers and number - numbers[-1] > 1:
            numbers.append(0)
        numbers.append(number)
    return numbers

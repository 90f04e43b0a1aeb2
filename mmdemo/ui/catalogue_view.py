"""The catalogue as a shelf to look through: facets with live counts, words in titles, order and pages.

Knows products only; nothing of pages, and nothing of vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mmdemo.catalog.catalog import Product
from mmdemo.catalog.facet_index import FacetIndex
from mmdemo.core.messages import N_
from mmdemo.serve.translation import translate

PAGE = 24
ORDERS = {
    N_("Catalogue order"): "order",
    N_("Price, low to high"): "cheap",
    N_("Price, high to low"): "dear",
    N_("Title, A to Z"): "title",
}


@dataclass
class CataloguePage:
    """One look at the shelf: the products of a page, and for each facet its values with counts."""

    products: list[Product]
    total: int
    page: int
    pages: int
    facets: dict[str, list[tuple[str, int, bool]]] = field(default_factory=dict)  # value, count, chosen


class CatalogueView:
    """Made once for a catalogue; `view` takes about a millisecond for each 1,000 products."""

    def __init__(self, products: Sequence[Product], facet_index: FacetIndex) -> None:
        self.products, self._facet_index = list(products), facet_index
        self._titles = [translate(item.shown("title")).casefold() for item in self.products]
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
        return list(self._facet_index.facets)

    def view(
        self,
        chosen: Mapping[str, Sequence[str]] | None = None,
        words: str = "",
        order: str = "order",
        page: int = 1,
        size: int = PAGE,
    ) -> CataloguePage:
        """The products with any chosen value of every chosen facet and with all the words in their title.

        The counts of a facet answer "how many if I choose this too": its own choice does not narrow them.
        """
        chosen = {
            column: list(values) for column, values in (chosen or {}).items() if values and column in self.columns
        }
        base = np.ones(len(self.products), bool)
        wanted = words.casefold().split()
        if wanted:
            base = np.fromiter(
                (all(word in title for word in wanted) for title in self._titles), bool, len(self._titles)
            )
        masks = {column: self._facet_index.having(column, values) for column, values in chosen.items()}
        found = np.logical_and.reduce([base, *masks.values()])
        facets = {}
        for column in self.columns:
            others = np.logical_and.reduce([base, *(mask for name, mask in masks.items() if name != column)])
            picked = chosen.get(column, ())
            facets[column] = [
                (value, count, value in picked)
                for value, count in self._facet_index.counts(column, others).items()
                if count or value in picked
            ]
        ordered = self._order.get(order, self._order["order"])
        kept = ordered[found[ordered]]
        pages = max(1, -(-len(kept) // size))
        page = min(max(1, page), pages)
        shown = [self.products[row] for row in kept[(page - 1) * size : page * size]]
        return CataloguePage(shown, len(kept), page, pages, facets)


def page_numbers(page: int, pages: int) -> list[int]:
    """The page numbers a pager shows, 0 for a gap: 1 … 4 5 6 … 40."""
    wanted = sorted({1, pages, *range(max(1, page - 1), min(pages, page + 1) + 1)})
    numbers: list[int] = []
    for number in wanted:
        if numbers and number - numbers[-1] > 1:
            numbers.append(0)
        numbers.append(number)
    return numbers

"""Answers which products have which values: columns worth filtering by, counts of values, and filters as row masks.

It is made once for the products of an index or a catalogue, whose positions are the row numbers. It knows nothing of
vectors.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from threading import Lock

import numpy as np
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray

from mmdemo.catalog.product import Product, facets
from mmdemo.catalog.word_index import WordIndex
from mmdemo.core.errors import InputError
from mmdemo.core.request import Filter

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
MASKS = 256  # filters whose rows are remembered
WORD_INDEXES = 8  # columns whose words are remembered
COMPARISONS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


class FacetIndex:
    """Facets, counts and filters of a sequence of products.

    Examples
    --------
    >>> index = FacetIndex([Product(str(n), "", "", category=c) for n, c in enumerate(["Mug", "Vase", "Mug"])])
    >>> index.facets, index.counts("category", np.array([False, True, True]))
    ({'category': {'Mug': 2, 'Vase': 1}}, {'Mug': 1, 'Vase': 1})
    >>> index.allowed([Filter.parse("category=mug")])
    array([0, 2])
    """

    def __init__(self, products: Sequence[Product]) -> None:
        self._products = products
        self._word_indexes: LRUCache[tuple[object, ...], WordIndex] = LRUCache(WORD_INDEXES)
        self._masks: LRUCache[tuple[object, ...], Mask] = LRUCache(MASKS)
        self._lock = Lock()
        self._pairs: dict[str, tuple[Rows, NDArray[np.int64], list[str]]] = {}

    @cached_property
    def facets(self) -> dict[str, dict[str, int]]:
        """Columns whose values repeat, with the count of every value, most frequent first."""
        return facets(self._products)

    @cached_property
    def columns(self) -> list[str]:
        """Everything a filter may name."""
        known = ["id", "title", "category", "price", "currency", "parent", "group"]
        return known + sorted({name for p in self._products for name in p.attributes})

    def counts(self, column: str, among: Mask | None = None) -> dict[str, int]:
        """Each value of a facet, in the order of the whole catalogue, with how many of some products have it."""
        rows, codes, _ = self._values(column)
        counts = np.bincount(codes if among is None else codes[among[rows]], minlength=len(self.facets[column]))
        return dict(
            zip(self.facets[column], counts.tolist(), strict=False)
        )  # the last codes are whole cells of lists, which are not counted

    def codes(self, column: str) -> NDArray[np.int64]:
        """For each product the position in the facet of its first value, -1 for none."""
        rows, codes, _ = self._values(column)
        counted = codes < len(self.facets[column])
        first = np.full(len(self._products), -1)
        first[rows[counted][::-1]] = codes[counted][::-1]
        return first

    def having(self, column: str, values: Collection[str]) -> Mask:
        """Which products have any of these values of a facet, in exactly this spelling."""
        rows, codes, names = self._values(column)
        mask = np.zeros(len(self._products), bool)
        mask[rows[np.isin(codes, [code for code, name in enumerate(names) if name in values])]] = True
        return mask

    def allowed(self, filters: Iterable[Filter]) -> Rows | None:
        """Rows that pass every filter, ascending, or None without filters; raises InputError as `mask` does."""
        masks = [self.mask(condition) for condition in filters]
        return np.flatnonzero(np.logical_and.reduce(masks)) if masks else None

    @cachedmethod(attrgetter("_masks"), lock=attrgetter("_lock"))
    def mask(self, condition: Filter) -> Mask:
        """Which products pass a filter; InputError, which lists the columns, for a column that does not exist."""
        if condition.op in ("~", "!~"):
            mentioned = self._words(condition.column).having(condition.choices)
            return mentioned if condition.op == "~" else ~mentioned
        column = next((name for name in self.columns if name.casefold() == condition.column.casefold()), None)
        if column is None:
            raise InputError(
                "no column '{column}' to filter by; there are: {columns}",
                column=condition.column,
                columns=", ".join(self.columns),
            )
        if condition.op in ("=", "!="):
            equal = self._equal(column, condition.choices)
            return equal if condition.op == "=" else ~equal
        numbers = self._numbers(column)
        with np.errstate(invalid="ignore"):
            return COMPARISONS[condition.op](numbers, condition.number) & np.isfinite(numbers)

    def _equal(self, column: str, choices: frozenset[str]) -> Mask:
        """Which products have any of these values, whatever their case."""
        if column in self.facets:
            names = self._values(column)[2]
            return self.having(column, {name for name in names if name.casefold() in choices})
        return np.array([_has(p, column, choices) for p in self._products], bool)

    @cachedmethod(attrgetter("_word_indexes"), lock=attrgetter("_lock"))
    def _words(self, column: str) -> WordIndex:
        """Where words stand in a column, or in all that is said of each product."""
        return WordIndex(_words_of(p, column) for p in self._products)

    @cachedmethod(attrgetter("_masks"), lock=attrgetter("_lock"))
    def _numbers(self, column: str) -> NDArray[np.float64]:
        return np.array([_number(p.field(column)) for p in self._products], float)

    def _values(self, column: str) -> tuple[Rows, NDArray[np.int64], list[str]]:
        """The rows and value numbers of a facet's column, row by row, and the values, those of `facets` first."""
        if column not in self._pairs:
            numbers = {value: code for code, value in enumerate(self.facets[column])}
            pairs = [
                (row, numbers.setdefault(value, len(numbers)))
                for row, product in enumerate(self._products)
                for value in product.values(column)
            ]
            rows, codes = np.array(pairs, np.int64).reshape(-1, 2).T
            self._pairs[column] = rows, codes, list(numbers)
        return self._pairs[column]


def passes(product: Product, condition: Filter) -> bool:
    """Whether one product passes a filter. One that lacks the column passes no filter but `!=` and `!~`.

    >>> mug = Product("1", "", "Blue mug", price=12.0, attributes={"colour": "blue"})
    >>> [passes(mug, Filter.parse(text)) for text in ("price<20", "colour=red|blue", "text!~blue", "size=S")]
    [True, True, False, False]
    """
    column, op = condition.column, condition.op
    if op in ("~", "!~"):
        return bool(WordIndex([_words_of(product, column)]).having(condition.choices)[0]) == (op == "~")
    if op in ("=", "!="):
        return _has(product, column, condition.choices) == (op == "=")
    number = _number(product.field(column))
    return bool(np.isfinite(number) and COMPARISONS[op](number, condition.number))


def _words_of(product: Product, column: str) -> str:
    """What a filter on words looks into: a column, or with "text" all that is said of a product."""
    return product.text if column == "text" else str(product.field(column) or "")


def _has(product: Product, column: str, choices: Collection[str]) -> bool:
    """Whether a product has any of these values, whatever their case."""
    return any(value.casefold() in choices for value in product.values(column))


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")

"""Graded relevance of a ranking: nDCG with the grades of ESCI, and how many of ten answers are right, by known wishes.

The grade of every product follows by the one rule of `language.relevance`, here for a whole catalogue at once. It
knows nothing of how queries are drawn.
"""

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mmdemo.catalog.product import SILENT, Product, is_id
from mmdemo.core.metrics import (
    GRADED_METRICS,
    bootstrap_interval,
    chance_graded_metrics,
    graded_metrics,
    paired_randomisation_test,
)
from mmdemo.core.request import Filter
from mmdemo.core.vectors import Array
from mmdemo.evaluate.queries import Queries
from mmdemo.evaluate.report import Comparison, GradedFigures, GradedRanker, Ranker
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.relevance import GAINS, MAKERS, Asked, Grade, grade, graded

CODES = tuple(Grade)  # a grade's code is its place here
GAIN_OF_CODE = np.array([GAINS[g] for g in CODES])
EXACT, SUBSTITUTE = CODES.index(Grade.EXACT), CODES.index(Grade.SUBSTITUTE)


class Grader:
    """Grades every product of an index for what is asked."""

    def __init__(self, index: ProductIndex) -> None:
        self.index = index
        self._category = np.array([p.category for p in index.products], dtype=object)
        hidden = MAKERS | SILENT | {"category"}
        self._columns = [name for name in index.facets if name not in hidden and not is_id(name)]
        self._linked: dict[str, set[str]] = {}
        for link in index.links:
            self._linked.setdefault(link.id, set()).add(link.other_id)
            self._linked.setdefault(link.other_id, set()).add(link.id)

    def grades(self, asked: Asked) -> NDArray[np.int8]:
        """The code of every product's grade (n,), the same that `relevance.grade` gives product by product."""
        index = self.index
        kinds = asked.kinds
        if kinds is None and asked.reference is not None and asked.reference.category:
            kinds = frozenset({asked.reference.category})
        of_kind = np.isin(self._category, list(kinds or ()))
        meets = np.ones(len(index), bool)
        for wish in asked.wishes:
            meets &= index.facet_index.mask(wish)
        goes_with = np.zeros(len(index), bool)
        goes_with[[index.row(i) for i in asked.goes_with if index.holds(i)]] = True
        codes = np.zeros(len(index), np.int8)
        for kind, meeting, complement in np.ndindex(2, 2, 2):
            some = (of_kind == kind) & (meets == meeting) & (goes_with == complement)
            result = graded(bool(kind), bool(meeting), bool(complement), kinds is not None, asked.pictured)
            codes[some] = CODES.index(result)
        if kinds is not None:
            codes[~of_kind & np.isin(self._category, list(asked.near))] = SUBSTITUTE
        if asked.reference is not None:  # whether the rest is as the reference has it takes whole rows
            for row in np.flatnonzero(codes == EXACT):
                codes[row] = CODES.index(grade(asked, index.products[row]))
        return codes

    def asked_of(self, q: Queries, row: int) -> Asked | None:
        """What a query asks for, as its right answers tell: their kind, and the values that all of them share and that
        the query shows or names. None where the right answers are of several kinds.

        A photo or a product to start from shows every value but the maker's; words alone name theirs.
        """
        if q.asked[row] is not None:
            return q.asked[row]
        targets = [self.index.products[r] for r in q.targets[row]]
        kinds = {p.category for p in targets}
        if len(kinds) != 1 or "" in kinds or q.fused is not None:
            return None
        shared = set.intersection(*(set(self.looks(p).items()) for p in targets))
        if not (q.image[row].any() or q.origin[row].any()):
            shared = {(name, value) for name, value in shared if _names(q.said[row], value)}
        return Asked(frozenset(kinds), wishes=conditions(dict(shared)), goes_with=self.goes_with(q.shows[row]))

    def looks(self, product: Product) -> dict[str, str]:
        """The values of a product by which shoppers tell it from others of its kind; not who made it."""
        return {name: str(value) for name in self._columns if (value := product.attributes.get(name))}

    def goes_with(self, product_id: str) -> frozenset[str]:
        """Ids of the products that links join to this one."""
        return frozenset(self._linked.get(product_id, ()))


def conditions(values: Mapping[str, str]) -> tuple[Filter, ...]:
    """A wish for each of these values, by column."""
    return tuple(Filter(name, "=", value) for name, value in sorted(values.items()) if "|" not in value)


def _names(text: str, value: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text, re.IGNORECASE) is not None


def popularity(index: ProductIndex) -> Array | None:
    """How often each product (n,) is linked by behaviour, which is what real links are; None where there are none."""
    ends = [index.row(i) for link in index.links if not link.simulated for i in (link.id, link.other_id)]
    return np.bincount(ends, minlength=len(index)).astype(np.float32) if ends else None


def in_tiers(q: Queries, scores: Array | None) -> Array | None:
    """Scores (queries, products) that rank as a search does: tier by tier, in each by score."""
    if scores is None or all(place is None for place in q.tiers):
        return scores
    ranked = scores.copy()
    for row, place in enumerate(q.tiers):
        if place is not None:  # a cosine is at most 2 away from any other
            ranked[row] = np.where(place < 0, -np.inf, scores[row] - 4.0 * place)
            if q.reference[row] >= 0:
                ranked[row, q.reference[row]] = -np.inf
    return ranked


def graded_figures(index: ProductIndex, q: Queries, matrices: Mapping[Ranker, Array | None]) -> GradedFigures | None:
    """The graded figures of every ranker over the queries whose wishes are known; None where there are none.

    The head ranks as deployed, the kind that is asked for first; the other rankers are plain nearest neighbours. Beside
    them stands popularity where links tell of behaviour, else the mean of random orders.
    """
    grader = Grader(index)
    asked = [grader.asked_of(q, row) for row in range(len(q))]
    codes = np.array([grader.grades(a) for a in asked if a is not None], np.int8).reshape(-1, len(index))
    rows = np.array([row for row, a in enumerate(asked) if a is not None], np.int64)
    reference = q.reference[rows]
    left_out = np.flatnonzero(reference >= 0)
    codes[left_out, reference[left_out]] = CODES.index(Grade.IRRELEVANT)
    answerable = (codes == EXACT).any(1)
    codes, rows = codes[answerable], rows[answerable]
    if not len(rows):
        return None
    judged = (GAIN_OF_CODE[codes], codes <= SUBSTITUTE, codes == EXACT)
    values: dict[GradedRanker, dict[str, NDArray[np.float64]] | None] = {
        ranker: graded_metrics(scores[rows], *judged) if scores is not None else None
        for ranker, scores in (dict(matrices) | {"head": in_tiers(q, matrices["head"])}).items()
    }
    popular = popularity(index)
    if popular is not None:
        values["popularity"] = graded_metrics(np.tile(popular, (len(rows), 1)), *judged)
    else:
        values["chance"] = chance_graded_metrics(*judged)
    return GradedFigures(
        queries=len(rows),
        rankers={
            ranker: {metric: bootstrap_interval(v) for metric, v in of.items()} if of else None
            for ranker, of in values.items()
        },
        paired=_compared(values),
    )


def _compared(values: Mapping[GradedRanker, dict[str, NDArray[np.float64]] | None]) -> dict[str, Comparison]:
    """The head against the best other ranker, metric by metric."""
    others = {ranker: of for ranker, of in values.items() if of is not None and ranker != "head"}
    head = values["head"]
    assert head is not None  # the head answers everything
    compared = {}
    for metric in GRADED_METRICS:
        best = max(others, key=lambda ranker: others[ranker][metric].mean())
        compared[metric] = Comparison.of(best, paired_randomisation_test(head[metric], others[best][metric]))
    return compared

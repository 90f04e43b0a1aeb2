"""The grade of every product for one query, out of the catalogue: the rule of `language.relevance`, over an index."""

import numpy as np
from numpy.typing import NDArray

from mmdemo.fusion.prepared_query import PreparedQuery
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.relevance import Asked, Grade, graded, keeps
from mmdemo.language.vocabulary import Vocabulary
from mmdemo.language.wishes import wishes
from mmdemo.search.query_kind import passing


def grades(
    index: ProductIndex, vocabulary: Vocabulary, prepared: PreparedQuery, rows: NDArray[np.int64] | None = None
) -> list[Grade]:
    """The grade of each product, in the order of the index, or of those at `rows`.

    Parameters
    ----------
    index, vocabulary
        The catalogue and its words.
    prepared
        The query. Its wishes are its conditions, those of its sentence among them, and every value that its words name.
    """
    query, kind = prepared.query, prepared.tiers.kind
    edits = (rule for part in prepared.reading.parts for rule in part.wishes)
    conditions = (*query.filters, *edits, *wishes(query.text, vocabulary))
    reference = index.products[index.row(query.reference)] if query.reference else None
    asked = Asked(wishes=conditions, reference=reference)
    rows = np.arange(len(index)) if rows is None else rows
    meets = passing(index, conditions)[rows]
    if reference is not None:
        meets &= np.array([keeps(asked, index.products[row]) for row in rows], bool)
    nothing = np.zeros(len(index), bool)
    of_kind, near = (nothing, nothing) if kind is None else (kind.asked.rows, kind.asked.near)
    complement = nothing.copy()
    complement[[index.row(i) for i, _ in index.goes_with(query.reference)] if reference is not None else []] = True
    pictured = query.image is not None
    each = zip(of_kind[rows], near[rows], meets, complement[rows], strict=True)
    return [graded(bool(k or n), bool(m and not n), bool(c), kind is not None, pictured) for k, n, m, c in each]

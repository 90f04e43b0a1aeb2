"""The chance that a sentence without a known noun asks for each kind of the catalogue, by the products near to it.

Words that say nothing ("asdfgh"), or in a language that the encoder does not read, lie near nothing in particular:
their best score is low and hardly stands out, and their neighbours agree on no kind. It knows nothing of photos.
"""

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.vectors import Array
from mmdemo.index.product_index import ProductIndex

NEIGHBOURS = 20  # products that vote on the kind

WordCurve = tuple[float, float, float, float]


def word_features(
    index: ProductIndex, vector: Array, allowed: NDArray[np.int64] | None = None
) -> dict[str, NDArray[np.float64]]:
    """By category of the neighbours of a query (width,): its best score, how far this stands out from its scores of all
    products (a z-score), and the category's share of the votes, by z-scores as well."""
    scores, rows = index.search(vector, NEIGHBOURS, allowed)
    if not len(rows):
        return {}
    z = index.z_scores(vector, scores)
    votes = np.exp(z - z[0])
    share: dict[str, float] = {}
    for row, vote in zip(rows.tolist(), votes.tolist(), strict=True):
        category = index.products[row].category
        share[category] = share.get(category, 0.0) + vote / float(votes.sum())
    return {category: np.array([scores[0], z[0], part], np.float64) for category, part in share.items() if category}


def word_chances(index: ProductIndex, vector: Array, curve: WordCurve) -> dict[str, float]:
    """Category -> the chance that a sentence with this query vector (width,) asks for it, of those near to it.

    `curve` has the slopes of `word_features` and a constant.
    """
    odds = {c: float(f @ np.array(curve[:3]) + curve[3]) for c, f in word_features(index, vector).items()}
    return {category: float(1 / (1 + np.exp(-value))) for category, value in odds.items()}

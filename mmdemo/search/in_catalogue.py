"""Whether what was asked for is in the catalogue at all: the one rule, whose thresholds `fusion/calibrate_head` sets.

An answer is in the catalogue where it is near enough in absolute terms; the threshold of each kind of query is
calibrated with the index (`Calibration.thresholds`). Knows nothing of pages.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mmdemo.catalog.product import Product
from mmdemo.core.request import Modality, Query
from mmdemo.core.vectors import Array
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.stemming import stem
from mmdemo.language.tiers import Tier
from mmdemo.search.recommendation import Recommendation

# Words that name nothing.
STOP_WORDS = frozenset("the and for with from not but like this that one same all any".split())


def in_catalogue(
    index: ProductIndex, kind: Modality, photo: Array | None, rows: NDArray[np.int64], scores: Array
) -> NDArray[np.bool_]:
    """Which answers (n,), products at `rows` with these scores, are near enough to a query of this `photo` (1, width).

    What a wish asks for may be far from the photo, so for a photo with words it is enough that the thing on the photo
    is sold here.
    """
    near = scores if photo is None else index.cosines(photo, rows)  # the best of anything stands out, near or not
    if kind == "both":
        assert photo is not None
        neighbours = index.neighbours(photo)[0]
        near = np.maximum(near, index.cosines(photo, neighbours[neighbours >= 0]).max(initial=-1.0))
    return near >= index.calibration.thresholds.get(kind, -1.0)


def nothing_matches(query: Query, answers: Sequence[Recommendation]) -> bool:
    """Whether no answer really matches: none of the kind asked for is near. A query that started from a product of the
    catalogue always has a match."""
    if not answers or query.reference or query.like:
        return False
    return not any(r.close and r.tier is not Tier.OTHER for r in answers)


def names(text: str, product: Product, translate: Callable[[str], str] = str) -> bool:
    """Whether the sentence has a word that the product is called by: "chair" means many chairs and none above all, so
    that no answer is near it, and yet they are what was asked for. `translate` gives what the page calls a kind."""
    description = " ".join([product.title, product.category, *product.attributes.values()]).casefold()
    words = set(re.findall(r"[^\W\d_]{3,}", text.casefold())) - STOP_WORDS
    product_stems = set(map(stem, re.findall(r"[^\W\d_]{3,}", description)))
    if (
        kind := translate(product.shown("category"))
    ) != product.category and kind in text:  # Chinese has no gaps between words
        return True
    return not product_stems.isdisjoint(map(stem, words))

"""Learn how much the name in a query counts beside what photo and words mean: the block weight of names.

Chosen on names, names with a slip, and halves of titles of products that the report does not ask about.
"""

import numpy as np

from mmdemo.core.metrics import reciprocal_ranks
from mmdemo.core.vectors import Array
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.name_queries import draw_names
from mmdemo.fusion.select import ReciprocalRanks, mean_by_task, one_standard_error_rule
from mmdemo.fusion.training_tasks import HALF, partial_texts, title_positives
from mmdemo.index.product_index import ProductIndex

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
SAMPLE = 150  # products whose names are asked
LEAST = 30  # and below that names count nothing


def name_weight(index: ProductIndex, encoder: Encoder, seed: int = 0) -> float:
    """The least weight of names within one standard error of the best one, where falling below none at all costs
    double; 0 for an index with too few products to learn it from."""
    rng = np.random.default_rng(seed)
    held_out = set(index.manifest.held_out)
    rows = [row for row, product in enumerate(index.products) if product.id not in held_out]
    rows = np.sort(rng.permutation(rows)[:SAMPLE]).tolist()
    if len(rows) < LEAST:
        return 0.0
    names, slips = draw_names(index.products, rows, rng)
    halves = [partial_texts(index.products[row], rng)[HALF] for row in rows]
    carrying = title_positives(index.products, halves, rows)
    asked = {"names": names, "slips": slips, "words": [(h, c) for h, c in zip(halves, carrying, strict=True) if h]}
    candidates: list[ReciprocalRanks] = [{} for _ in WEIGHTS]
    for task, queries in asked.items():
        if len(queries) < 2:
            continue
        texts = [text for text, _ in queries]
        scores = index.head.fuse(text=text_embeddings(encoder, texts)) @ index.vectors.T
        right = np.zeros(scores.shape, bool)
        for row, (_, rows_called) in enumerate(queries):
            right[row, rows_called] = True
        cosines = [index.names.called(index.spelling.mend(text)[0], index.spelling) for text in texts]
        for weight, ranks in zip(WEIGHTS, candidates, strict=True):
            ranks[task] = reciprocal_ranks(_mixed(scores, cosines, weight), right)
    return WEIGHTS[one_standard_error_rule(candidates, mean_by_task(candidates[0]))]


def _mixed(scores: Array, cosines: list[Array | None], weight: float) -> Array:
    """Scores (queries, products) with the names counted in by a weight."""
    pairs = zip(scores, cosines, strict=True)
    return np.stack([row if name is None else (1 - weight) * row + weight * name for row, name in pairs])

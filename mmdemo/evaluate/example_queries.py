"""The queries behind a figure, so that whoever reads it can look at what went wrong, worst first."""

import base64

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.metrics import mean_cosine
from mmdemo.core.vectors import Array
from mmdemo.evaluate.queries import Queries
from mmdemo.evaluate.report import Example, ExampleOrder, ProductFrequency
from mmdemo.index.product_index import ProductIndex

SAMPLE = 6  # examples of each kind
ANSWERS = 5  # of the first answers, and of the right ones


def examples(
    index: ProductIndex, q: Queries, scores: Array, match: Array, right: NDArray[np.bool_], vectors: Array, k: int = 10
) -> dict[ExampleOrder, list[Example]]:
    """The queries that a reader should see: `worst` and `best` by the rank of the first right answer, `misjudged` by
    how far the `match` (n,) stated for the first answer is from whether it is `right` (n,), `alike` by how like each
    other the first k answers' unit `vectors` are. Most telling first.
    """
    best = np.array([s[t].max() for s, t in zip(scores, q.targets, strict=True)])
    rank = 1 + (scores > best[:, None]).sum(1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    variety = np.array([1 - mean_cosine(vectors[row]) for row in order])
    ids = [p.id for p in index.products]

    def example(i: int) -> Example:
        return Example(
            text=q.said[i],
            picture=q.shows[i],
            right=[ids[r] for r in q.targets[i][:ANSWERS]],
            rank=int(rank[i]),
            answers=[ids[r] for r in order[i, :ANSWERS] if np.isfinite(scores[i, r])],
            match=round(float(match[i]), 4),
            variety=round(float(variety[i]), 4),
            photo=base64.b64encode(q.photos[i]).decode(),
        )

    ascending: dict[ExampleOrder, NDArray] = {
        "worst": -rank,
        "best": rank,
        "misjudged": -np.abs(match - right),
        "alike": variety,
    }
    return {name: [example(i) for i in np.argsort(key, kind="stable")[:SAMPLE]] for name, key in ascending.items()}


def most_shown(index: ProductIndex, scores: Array, k: int = 10) -> list[ProductFrequency]:
    """The products that most of the lists of k hold, most shown first."""
    k = min(k, scores.shape[1])
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    times = np.bincount(top.ravel(), minlength=len(index))
    first = np.argsort(-times, kind="stable")[:SAMPLE]
    shares = np.round(times / len(scores), 4)
    return [ProductFrequency(id=index.products[r].id, lists=float(shares[r])) for r in first if times[r]]

"""How far the heat maps of explanations may be believed, measured over queries. Knows nothing of how maps are made."""

from collections.abc import Sequence

import numpy as np

from mmdemo.core.metrics import bootstrap_interval
from mmdemo.core.request import Query
from mmdemo.evaluate.report import MapCheck, Picture
from mmdemo.explain.explanation import Explanation
from mmdemo.explain.occlusion import Check
from mmdemo.search.recommender import Recommender

FIGURES = ("deletion", "insertion", "random_deletion", "random_insertion", "gain")


def faithfulness(recommender: Recommender, queries: Sequence[Query], most: int = 100) -> dict[Picture, MapCheck]:
    """How far the maps may be believed: deletion, insertion and random order over queries' first answers.

    Queries without a photo count for the product's map alone. Some 0.3 s a query.
    """
    checks: dict[Picture, list[Check]] = {"query": [], "product": []}
    for query in queries[:most]:
        answer = recommender.recommend(query.with_(k=1))
        if not answer:
            continue
        explanation = Explanation(recommender, query, answer[0].id)
        if explanation.query_check is not None:
            checks["query"].append(explanation.query_check)
        if explanation.product_check is not None:
            checks["product"].append(explanation.product_check)
    return {picture: _figures(made) for picture, made in checks.items() if made}


def _figures(checks: list[Check]) -> MapCheck:
    intervals = {name: bootstrap_interval(np.array([getattr(check, name) for check in checks])) for name in FIGURES}
    return MapCheck(pairs=len(checks), **intervals)

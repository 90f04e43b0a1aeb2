"""python -m benchmarks.explanations [--queries N]: the figures and the drawing of docs/explanations.md.

On the default catalogue: how far the heat maps may be believed (deletion and insertion against random order), what
reading the sentences brings on its own edit queries, and relevance against diversity.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mmdemo.catalog.imaging import decode
from mmdemo.catalog.query_file import query_rows
from mmdemo.core.metrics import Interval, bootstrap_interval
from mmdemo.core.request import Query
from mmdemo.evaluate.evaluation import score_matrices
from mmdemo.evaluate.faithfulness import faithfulness
from mmdemo.evaluate.plots import Line, line_chart
from mmdemo.evaluate.queries import read_queries
from mmdemo.search.recommender import Recommender
from mmdemo.search.rerank import relevance_diversity_curve

HOME = Path(__file__).resolve().parent.parent
CATALOG, DOCS = HOME / "assets" / "catalog", HOME / "docs"


def map_queries(most: int) -> list[Query]:
    """The catalogue's own queries with photos, then its edits of a product's picture, evenly spread."""
    photos = [
        Query(image=decode(CATALOG / row["image"], max_side=512), text=row["text"])
        for row in query_rows(CATALOG / "queries.csv")
    ]
    rows = query_rows(CATALOG / "composed_queries.csv")
    some = rows[:: max(1, len(rows) // max(1, most - len(photos)))]
    return [*photos, *(Query(text=row["text"], reference=row["reference_id"]) for row in some)][:most]


def edits(recommender: Recommender, read: bool) -> dict[str, Interval]:
    """recall@1 and @10 of the catalogue's edit queries, the sentence read by the grammar or left to the encoder."""
    hits = []
    for row in query_rows(CATALOG / "composed_queries.csv"):
        query = Query(text=row["text"], reference=row["reference_id"], k=10)
        if read:
            ids = [r.id for r in recommender.recommend(query)]
        else:
            scores = recommender.index.vectors @ recommender.embed(query)[0].sum(0)
            scores[recommender.index.row(query.reference)] = -np.inf
            ids = [recommender.index.products[i].id for i in np.argsort(-scores)[:10]]
        right = set(row["target_ids"].split())
        hits.append([bool(right & set(ids[:1])), bool(right & set(ids))])
    table = np.array(hits, float)
    return {"recall@1": bootstrap_interval(table[:, 0]), "recall@10": bootstrap_interval(table[:, 1])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=30, help="queries whose maps are checked")
    most = parser.parse_args().queries
    recommender = Recommender.load(HOME / "index" / "default")
    index = recommender.index
    asked, _ = read_queries(CATALOG / "composed_queries.csv", index, recommender.encoder)
    curve = relevance_diversity_curve(score_matrices(index, asked)["head"], index.vectors, asked.targets)
    recalls = {how: edits(recommender, how == "read") for how in ("read", "as it is")}
    figures = {
        "edits": {how: {metric: asdict(v) for metric, v in of.items()} for how, of in recalls.items()},
        "diversity": curve,
    }
    print(json.dumps(figures), flush=True)
    x = np.array([step["distance"] for step in curve])
    picture = line_chart(
        [Line("recall@10", x, np.array([step["recall@10"] for step in curve]))],
        "mean distance (1 - cosine) between the ten answers",
        "relevance against diversity, slider from 0 to 0.8",
    )
    (DOCS / "diversity.png").write_bytes(picture)
    checks = faithfulness(recommender, map_queries(most), most)
    figures["faithfulness"] = {picture: check.as_dict() for picture, check in checks.items()}
    print(json.dumps(figures["faithfulness"]))
    (DOCS / "explanations.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""python -m benchmarks.sentences [--index INDEX] [--out answers.csv]: the first five answers to a hundred sentences.

For a person to grade: the sentences, with what would be good, are in benchmarks/sentences.csv.
"""

import argparse
import csv
from pathlib import Path

from mmdemo.core.request import Query
from mmdemo.search.recommender import Recommender

HOME = Path(__file__).resolve().parent.parent
SENTENCES = HOME / "benchmarks" / "sentences.csv"
COLUMNS = ("id", "text", "good", "rank", "product_id", "category", "price", "title")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=HOME / "index" / "default")
    parser.add_argument("--out", type=Path, default=Path("answers.csv"))
    chosen = parser.parse_args()
    recommender = Recommender.load(chosen.index)
    with (
        SENTENCES.open(encoding="utf-8", newline="") as lines,
        chosen.out.open("w", encoding="utf-8", newline="") as out,
    ):
        table = csv.writer(out)
        table.writerow(COLUMNS)
        for row in csv.DictReader(lines):
            for answer in recommender.recommend(Query(text=row["text"], k=5)):
                product = answer.product
                given = (answer.rank, answer.id, product.category, product.price, answer.title)
                table.writerow((row["id"], row["text"], row["good"], *given))


if __name__ == "__main__":
    main()

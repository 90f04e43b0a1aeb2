"""Do the reasons on the cards hold? What each of them names is left out, and the product has to have a worse place.

python -m stress.reasons [INDEX] [--queries N]

A property that the words decided: the sentence is asked again without the words that name it. One that the photo
decided: the query is asked again without its photo. Prints the claims, how many of them hold, and those that do not;
ends with 1 where more than one in twenty does not.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmdemo.core.paths import HOME
from mmdemo.core.request import Query
from mmdemo.explain.reasons import Decision
from mmdemo.language.vocabulary import Vocabulary, tokens_of
from mmdemo.search.recommender import Recommender

ANSWERS = 4  # cards of each query
WRONG = 0.05  # the share of claims that may fail
WISHES = ("in {}", "the same in {}", "this but {}", "{}, please", "rather {}")
NOUNS = ("{1}", "{0} {1}", "a {0} {1}", "{1} in {0}", "looking for a {0} {1}", "{0}")


def queries(recommender: Recommender, n: int, rng: np.random.Generator) -> Iterator[Query]:
    """Sentences made of the catalogue's own values, every second beside a product to start from."""
    products = recommender.index.products
    columns = [c for c in recommender.index.facets if c not in ("category", "brand")]
    for _ in range(n):
        product, other = (products[int(i)] for i in rng.integers(0, len(products), 2))
        values = [str(v) for c in columns if (v := other.field(c))]
        value = values[int(rng.integers(len(values)))] if values else other.category
        if rng.random() < 0.5:
            text = NOUNS[int(rng.integers(len(NOUNS)))].format(value, (other.category or other.title).lower())
            yield Query(text=text, k=ANSWERS)
        else:
            wish = WISHES[int(rng.integers(len(WISHES)))].format(value)
            yield Query(reference=product.id, text=wish, k=ANSWERS)


def without(query: Query, decision: Decision, vocabulary: Vocabulary) -> Query:
    """The query without what a decision names."""
    if decision.by == "image":
        return query.with_(reference="", image=None)
    text, tokens, end = query.text, tokens_of(query.text), len(query.text)
    for first in reversed(range(len(tokens))):
        match = vocabulary.match(tokens, first)
        if match and match.end <= end and decision.value in vocabulary.values(match.stems).get(decision.column, ()):
            text, end = f"{text[: match.start]} {text[match.end :]}", match.start
    return query.with_(text=" ".join(text.split()))


def check(recommender: Recommender, asked: Iterator[Query]) -> tuple[Counter[str], list[str]]:
    """How many claims hold by the part that they name, and a line about each that does not."""
    counts, wrong = Counter[str](), list[str]()
    vocabulary = recommender.language.grammar.words
    for query in asked:
        prepared = recommender.prepare(query)
        grounds = recommender.grounds(prepared, recommender.rivals(prepared)[1])
        for answer in recommender.recommend(prepared):
            for decision in recommender.contrasts.decisions(recommender.index.row(answer.id), grounds)[:3]:
                reduced = without(query, decision, vocabulary)
                before = recommender.rank(prepared, answer.id) or 0
                after = None if reduced.empty else recommender.rank(reduced, answer.id)
                holds = after is None or after > before
                counts[decision.by] += 1
                counts[f"{decision.by} holds"] += holds
                if not holds:
                    what = f"{decision.column} ({decision.value}) by {decision.by}"
                    wrong.append(f"{query.reference} “{query.text}”: {answer.id}, {what}: {before} -> {after}")
    return counts, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("index", type=Path, nargs="?", default=HOME / "index" / "default")
    parser.add_argument("--queries", type=int, default=1000)
    args = parser.parse_args()
    recommender = Recommender.load(args.index)
    counts, wrong = check(recommender, queries(recommender, args.queries, np.random.default_rng(0)))
    for line in wrong[:40]:
        print(line)
    claims = sum(n for name, n in counts.items() if not name.endswith("holds"))
    for part in ("image", "text", "interaction"):
        print(f"{part}: {counts[f'{part} holds']} of {counts[part]} claims hold")
    print(f"{len(wrong)} of {claims} claims do not hold")
    sys.exit(len(wrong) > WRONG * max(1, claims))


if __name__ == "__main__":
    main()

"""Which single call costs most? Every sort of request at the limits of its fields, by processor time.

python -m stress.costs [--index INDEX] [--most 2.0]

The rest of the suite has no clock; this ends with 1 where a call of `recommend`, `explain` or `feedback` takes longer
than `--most` seconds of the processor.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmdemo.core.errors import InputError
from mmdemo.core.request import MAX_CLICKS, MAX_PARTS, MAX_TEXT
from mmdemo.search.recommender import Recommender
from mmdemo.serve import api

SENTENCES = {
    "digits": "7 ,41. 9",
    "one long number": "9",
    "ones": "1 ",
    "amounts": "under 20 € ",
    "ranges": "20-30 ",
    "thousands": "1 000",
    "numbers in words": "one hundred ",
    "under": "under ",
    "not": "not ",
    "exclusions": "without red, ",
    "edits": "red -> blue ",
    "comparisons": "rather than prefer to ",
    "sizes": "by size ",
    "wishes": "red wool vegan cheap mug under 1 ",
    "one long word": "a",
    "dashes": "-",
    "dots": "1.1.",
    "quotes": "“a” ",
    "emoji": "👩‍🍳",
    "Chinese": "不要红色的杯子四十元以下",
}


def requests(recommender: Recommender, rng: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and arguments of what may be asked, each as long as it may be."""
    products, facets = recommender.index.products, recommender.index.facets
    words = [word for item in products[:500] for word in f"{item.title} {item.description}".split()]
    values = [(column, value) for column, known in facets.items() for value in known]
    ids = [item.id for item in products]

    def some(count: int) -> list[str]:
        return rng.choices(words, k=count)

    for name, text in SENTENCES.items():
        yield name, {"text": (text * MAX_TEXT)[:MAX_TEXT]}
    yield "words of the shop", {"text": " ".join(some(200))[:MAX_TEXT]}
    yield "misspelt words", {"text": " ".join(f"{word[:-2]}xq{word[-2:]}" for word in some(200))[:MAX_TEXT]}
    yield "values of the shop", {"text": " ".join(v for _, v in rng.choices(values, k=200))[:MAX_TEXT]}
    yield "letters at random", {"text": "".join(rng.choices("abcdefghij ", k=MAX_TEXT))}
    filters = {
        "words": lambda: "text~" + "|".join(some(14))[:90],
        "phrases": lambda: "text~" + " ".join(some(14))[:90],
        "no words": lambda: "text!~" + "|".join(some(14))[:90],
        "a letter": lambda: "text~" + "|".join("a" * 45),
        "values": lambda: "{}!={}".format(*rng.choice(values)),
    }
    for name, made in filters.items():
        yield f"{MAX_PARTS} filters by {name}", {"text": "mug", "filters": [made() for _ in range(MAX_PARTS)]}
    yield "likes", {"text": "mug", "like": rng.choices(ids, k=100), "unlike": rng.choices(ids, k=100)}
    yield "a history", {"history": rng.choices(ids, k=MAX_CLICKS)}
    yield "variety", {"text": "mug", "k": 100, "diversity": 1.0}
    yield "a comment", {"text": "mug", "refine": ("no, in green, without stripes, the second one " * 50)[:MAX_TEXT]}
    yield "a product and words", {"image": ids[0], "text": " ".join(some(200))[:MAX_TEXT]}


def calls(recommender: Recommender, rng: random.Random) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Functions, names and arguments."""
    ids = [item.id for item in recommender.index.products]
    for name, given in requests(recommender, rng):
        yield "recommend", name, given
        if not {"k", "diversity", "refine"} & given.keys():
            yield "explain", name, given | {"id": ids[-1]}
    clicks = {"likes": rng.choices(ids, k=MAX_CLICKS // 2), "dislikes": rng.choices(ids, k=MAX_CLICKS // 2)}
    yield "feedback", "a taste", clicks
    yield "feedback", "a taste and words", clicks | {"text": "mug", "k": 100, "diversity": 1.0}


def main() -> int:
    """Ask everything once and print what it cost, the dearest last."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--index", type=Path, default=Path("index/default"))
    parser.add_argument("--most", type=float, default=2.0)
    given = parser.parse_args()
    recommender = Recommender.load(given.index)
    first = recommender.index.products[0].id
    for once in ({"text": "mug"}, {"history": [first]}, {"image": first, "text": "mug"}):
        api.call(recommender, "explain", id=first, **once)  # what is made once
    costs = []
    for function, name, arguments in calls(recommender, random.Random(0)):
        began = time.process_time()
        try:
            api.call(recommender, function, **arguments)
            said = ""
        except InputError as error:
            said = f" ({error})"[:80]
        costs.append((time.process_time() - began, f"{function}: {name}{said}"))
    for seconds, what in sorted(costs):
        print(f"{seconds:6.2f} s  {what}")
    return int(max(costs)[0] > given.most)


if __name__ == "__main__":
    sys.exit(main())

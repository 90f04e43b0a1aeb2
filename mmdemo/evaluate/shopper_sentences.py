"""Sentences such as shoppers type, drawn from a catalogue with known kind and wishes: "red mug under 15".

Knows nothing of how sentences are read or answered.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.request import Filter
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.graded import EXACT, Grader, conditions
from mmdemo.evaluate.queries import Queries
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.relevance import Asked

# By what they ask for beside the kind; {price} is a bound, {other} a value that is not wanted.
TEMPLATES = (
    "{value} {kind}",
    "{kind} in {value}",
    "a {value} {kind}, {second}",
    "{value} {kind} under {price}",
    "{kind} up to {price}, {value}",
    "{value} {kind} but not {other}",
    "{kind} for less than {price}",
)
UNNAMED = frozenset(("plain", "solid", "none", "other"))  # values that nobody types


def shopper_sentences(
    index: ProductIndex, encoder: Encoder, rows: Sequence[int], rng: np.random.Generator
) -> Queries | None:
    """A sentence for each of these products that has a kind and a look to name, right for whatever meets its wishes;
    None where no product has."""
    grader = Grader(index)
    texts: list[str] = []
    asked: list[Asked] = []
    targets: list[NDArray[np.int64]] = []
    for row in rows:
        drawn = _sentence(index, grader, row, rng)
        if drawn is None:
            continue
        texts.append(drawn[0])
        asked.append(drawn[1])
        targets.append(np.flatnonzero(grader.grades(drawn[1]) == EXACT))
    if not texts:
        return None
    text = text_embeddings(encoder, texts)
    no_photo = np.zeros((len(texts), index.image.shape[1]), np.float32)
    return Queries(no_photo, text, 0 * text, np.full(len(texts), -1), targets, texts, asked=list(asked))


def _sentence(index: ProductIndex, grader: Grader, row: int, rng: np.random.Generator) -> tuple[str, Asked] | None:
    """A sentence that asks for this product among others, and what it asks for."""
    product = index.products[row]
    looks = [(name, value) for name, value in grader.looks(product).items() if value.casefold() not in UNNAMED]
    if not product.category or not looks:
        return None
    rng.shuffle(looks)
    (column, value), second = looks[0], looks[1 % len(looks)]
    others = sorted({v for v in index.facets[second[0]]} - {second[1]})
    template = str(rng.choice(TEMPLATES))
    wishes: list[Filter] = []
    if "{value}" in template:
        wishes += conditions({column: value})
    if "{second}" in template:
        wishes += conditions(dict([second]))
    other = others[int(rng.integers(len(others)))] if others else ""
    if "{other}" in template:
        if not other or "|" in other or len(looks) < 2:
            return None
        wishes.append(Filter(second[0], "!=", other))
    price = 0
    if "{price}" in template:
        if product.price is None:
            return None
        price = int(product.price * rng.uniform(1.05, 1.5)) + 1
        wishes.append(Filter("price", "<=" if "up to" in template else "<", str(price)))
    sentence = template.format(kind=product.category.lower(), value=value, second=second[1], other=other, price=price)
    return sentence, Asked(frozenset({product.category}), wishes=tuple(wishes))

"""Queries that call products by a name: a title, a brand, an id or a code, rightly spelt and with one slip of a letter.

Every product of that name is a right answer. Knows nothing of metrics.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mmdemo.catalog.product import Product
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.queries import Queries
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.names import names_of, words

Drawn = list[tuple[str, NDArray[np.int64]]]  # what is asked, and the rows of the products that are called so
_WORD = re.compile(r"[^\W\d_]{4,}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def draw_names(products: Sequence[Product], rows: Iterable[int], rng: np.random.Generator) -> tuple[Drawn, Drawn]:
    """One name of each of these products, and those of them that have a word of four letters with a slip in it."""
    called: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, product in enumerate(products):
        for key in {tuple(sorted(words(name))) for name in names_of(product)}:
            called[key].append(row)
    exact: Drawn = []
    for row in rows:
        names = names_of(products[row])
        name = names[int(rng.integers(len(names)))]
        exact.append((name, np.array(called[tuple(sorted(words(name)))], np.int64)))
    slips = [(slip(name, rng), right) for name, right in exact if _WORD.search(name)]
    return exact, slips


def slip(text: str, rng: np.random.Generator) -> str:
    """A text with one letter of one of its longer words left out, doubled, swapped with the next, or another one."""
    found = list(_WORD.finditer(text))
    if not found:
        return text
    word = found[int(rng.integers(len(found)))]
    at, other = int(rng.integers(word.start() + 1, word.end() - 1)), _LETTERS[int(rng.integers(len(_LETTERS)))]
    before, letter, after = text[:at], text[at], text[at + 1 :]
    ways = (before + after, before + 2 * letter + after, before + after[0] + letter + after[1:], before + other + after)
    return ways[int(rng.integers(len(ways)))]


def name_queries(
    index: ProductIndex, encoder: Encoder, rows: Sequence[int], rng: np.random.Generator
) -> dict[str, Queries]:
    """The tasks "names" and "names with a slip", of a name of each of these products."""
    by_task = dict(zip(("names", "names with a slip"), draw_names(index.products, rows, rng), strict=True))
    return {task: _queries(index, encoder, drawn) for task, drawn in by_task.items() if drawn}


def _queries(index: ProductIndex, encoder: Encoder, drawn: Drawn) -> Queries:
    said = [text for text, _ in drawn]
    text = text_embeddings(encoder, said)
    no_photo = np.zeros((len(said), index.image.shape[1]), np.float32)
    return Queries(no_photo, text, 0 * text, np.full(len(said), -1), [right for _, right in drawn], said)

"""What each word of a text did to a score, and in what two products differ."""

import re
from collections.abc import Callable, Sequence

from mmdemo.catalog.product import Product
from mmdemo.core.messages import Message, column_label, joined
from mmdemo.core.vectors import Array

MOST_WORDS = 24


def without_each(text: str, pieces: Sequence[tuple[int, int]] | None = None) -> list[tuple[str, str]]:
    """(word, the text without it) for each word, the first MOST_WORDS of them.

    `pieces` says where the words stand, in a text that does not part them by spaces.
    """
    if pieces is None:
        pieces = [found.span() for found in re.finditer(r"\S+", text)]
    return [
        (text[start:end], re.sub(r"\s+", " ", text[:start] + text[end:]).strip()) for start, end in pieces[:MOST_WORDS]
    ]


def word_effects(
    text: str, score_of: Callable[[list[str]], Array], score: float, pieces: Sequence[tuple[int, int]] | None = None
) -> list[tuple[str, float]]:
    """What each word of a text did to a score: the score minus the one without that word (leave one out).

    `score_of` gives the deployed score for other texts, an empty one included; `pieces` as in `without_each`.
    """
    pairs = without_each(text, pieces)
    if not pairs:
        return []
    return [(w, float(score - s)) for (w, _), s in zip(pairs, score_of([t for _, t in pairs]), strict=True)]


def difference(product: Product, above: Product, columns: Sequence[str]) -> str:
    """The properties in which a product differs from the one ranked above it: "colour: navy, above: teal"."""
    differing = [
        Message(
            "{column}: {value}, above: {other}", column=column_label(c), value=product.shown(c), other=above.shown(c)
        )
        for c in ("category", *(c for c in columns if c != "category"))
        if product.field(c) and above.field(c) and product.field(c) != above.field(c)
    ]
    return joined("; ", differing[:3])

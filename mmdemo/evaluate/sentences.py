"""Sentences of evaluation queries read as a search reads them: conditions, negatives, and what is left to encode.

The grammar alone reads, so that a figure does not depend on a language model's mood. Knows nothing of metrics.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.request import Query
from mmdemo.core.vectors import Array, present
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.queries import Queries
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.grammar import Grammar
from mmdemo.language.kinds import Kinds
from mmdemo.search.query_kind import named_first, tiers


def with_tiers(index: ProductIndex, q: Queries) -> Queries:
    """The queries with the tier of every product, as a search puts answers: the kind that is asked for first."""
    words = list(index.manifest.words.values())
    grammar, kinds = Grammar(index.products, index.facets, words), Kinds(index.products, words)
    places: list[NDArray[np.int8] | None] = []
    photo, from_product = present(q.image), present(q.origin)
    for i, sentence in enumerate(q.said):
        starts = q.shows[i] if from_product[i] or (q.fused is not None and q.shows[i]) else ""
        anchor = index.products[index.row(starts)] if starts else None
        reading = grammar.read(sentence, anchor, photo=bool(photo[i]) and anchor is None)
        query = Query(text=sentence, reference=starts)
        image = q.image[i : i + 1] if photo[i] else None
        found = tiers(index, kinds, grammar.words, query, reading, image)
        places.append(named_first(found, index, query, q.named[i]).places)
    return replace(q, tiers=places)


def read_sentences(index: ProductIndex, encoder: Encoder, q: Queries, looks: bool = True) -> Queries:
    """The queries as a search would ask them; the very same object where no sentence says more than words to encode.

    With `looks`, how an edit wants the product to look is a condition: a search puts what meets it first, and where the
    very product is looked for the rest does not count.
    """
    if q.fused is not None or not any(q.said):
        return q
    grammar = Grammar(index.products, index.facets, list(index.manifest.words.values()))
    photo, starts_from_product = present(q.image), present(q.origin)
    readings = []
    for i, sentence in enumerate(q.said):
        anchor = index.products[index.row(q.shows[i])] if starts_from_product[i] else None
        readings.append(grammar.read(sentence, anchor, photo=bool(photo[i]) and anchor is None) if sentence else None)
    named = [index.named(index.spelling.mend(sentence)[0]) for sentence in q.said]
    if any(part is not None for part in named):
        q = replace(q, named=named)
    if not any(reading and reading.parts for reading in readings):
        return q
    kept = [reading.text if reading else "" for reading in readings]
    aways = [[p.away for p in reading.parts if p.away] if reading else [] for reading in readings]
    changed = {t for t, sentence in zip(kept, q.said, strict=True) if t and t != sentence.strip()}
    unique = sorted(changed.union(*aways))
    embeddings: dict[str, Array] = dict(zip(unique, text_embeddings(encoder, unique), strict=True)) if unique else {}
    text, text_alone = q.text.copy(), q.text.copy()
    for i, words in enumerate(kept):
        if words in changed:
            text[i] = text_alone[i] = embeddings[words]
        elif not words and photo[i]:  # all of it was conditions; without a photo the sentence ranks what meets them
            text[i] = 0
    filters = [
        [f for p in reading.parts for f in (p.filters if looks else p.conditions)] if reading else []
        for reading in readings
    ]
    return replace(
        q,
        text=text,
        text_alone=text_alone,
        allowed=[index.allowed(conditions) if conditions else None for conditions in filters],
        away=[np.stack([embeddings[words] for words in away]) if away else None for away in aways],
    )

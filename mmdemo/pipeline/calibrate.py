"""Calibrate an index: how certain the kind is that a sentence without a known noun asks for, and how names count.

Sentences come from the catalogue itself. Each is asked twice, of all products and without those of its kind, as if the
shop did not sell it; so both what is right and what is not sold are learnt from.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mmdemo.catalog.product import Product
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.fusion.calibration import logistic
from mmdemo.fusion.training_tasks import HALF, partial_texts
from mmdemo.index.locks import writing
from mmdemo.index.product_index import ProductIndex
from mmdemo.pipeline.name_weight import name_weight
from mmdemo.search.word_kinds import WordCurve, word_features

SENTENCES = 500
ANSWERS = 8  # of a sentence that are learnt from
LEAST = 30  # sentences, and below that nothing is learnt


def calibrate(index_dir: Path, encoder: Encoder) -> ProductIndex:
    """Calibrate an index that was built before, and save it as a new version.

    Parameters
    ----------
    index_dir
        The index folder.
    encoder
        The encoder that made it.

    Returns
    -------
    ProductIndex
        The saved index.
    """
    with writing(index_dir):
        index = ProductIndex.load(index_dir)
        index.manifest = index.manifest.updated(
            word_curve=word_curve(index, encoder), name_weight=name_weight(index, encoder)
        )
        return index.save(index_dir, pages=lambda _: _pages(index))


def _pages(index: ProductIndex) -> dict[str, bytes]:
    """The pages of the report, as they are."""
    return {path.name: path.read_bytes() for path in sorted(index.folder.glob("report*")) if path.suffix != ".json"}


def word_curve(index: ProductIndex, encoder: Encoder, seed: int = 0) -> WordCurve | None:
    """The curve of `word_chances` for an index; None where its products have too few kinds or texts to learn from."""
    rng = np.random.default_rng(seed)
    category = np.array([p.category for p in index.products])
    if len(set(category.tolist()) - {""}) < 2:
        return None
    asked = list(_sentences(index.products, rng))
    asked = [asked[i] for i in rng.permutation(len(asked))[:SENTENCES]]
    if len(asked) < LEAST:
        return None
    vectors = index.head.fuse(text=text_embeddings(encoder, [text for text, _ in asked]))
    features, right = [], []
    for (_, kind), vector in zip(asked, vectors, strict=True):
        for allowed in (None, np.flatnonzero(category != kind)):
            by_category = word_features(index, vector, allowed)
            for row in index.search(vector, ANSWERS, allowed)[1]:
                if category[row] in by_category:
                    features.append(by_category[category[row]])
                    right.append(category[row] == kind)
    slopes, constant = logistic(np.array(features), np.array(right))
    return float(slopes[0]), float(slopes[1]), float(slopes[2]), constant


def _sentences(products: list[Product], rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Sentences that ask for products, and the categories of these: a kind, a value and a kind, half of a title, the
    first sentence of a description."""
    for product in (products[i] for i in rng.permutation(len(products))[:SENTENCES]):
        if not (kind := product.category):
            continue
        values = [v for name, v in product.attributes.items() if v and name != "brand"]
        yield kind.lower(), kind
        if values:
            yield f"{values[int(rng.integers(len(values)))]} {kind.lower()}", kind
        if half := partial_texts(product, rng)[HALF].strip():
            yield half, kind
        if first := product.description.split(". ")[0].strip():
            yield first, kind

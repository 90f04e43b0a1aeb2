"""Whether "nothing here matches" is right, asked with photos and words of things that a shop does not sell, or does.

A catalogue of other things brings the queries for what is not sold: the photos of its query file, then its own
pictures, and its titles, whole and halved.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.catalog.imaging import decode
from mmdemo.catalog.query_file import query_rows
from mmdemo.core.errors import InputError
from mmdemo.core.metrics import bootstrap_interval
from mmdemo.core.paths import HOME
from mmdemo.core.request import Query
from mmdemo.core.vectors import Array, present
from mmdemo.encode.embeddings import photo_embeddings, text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.queries import Queries
from mmdemo.evaluate.report import AcceptedStranger, OutOfCatalogue, Rejections
from mmdemo.evaluate.tasks import SAMPLE, held_out_rows
from mmdemo.fusion.training_tasks import HALF, partial_texts
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.in_catalogue import nothing_matches
from mmdemo.search.recommendation import Recommendation
from mmdemo.search.recommender import Recommender

BUILT_IN = HOME / "assets" / "catalog"
MOST = 50  # queries of each kind for things that are not sold
EXAMPLES = 6
EMBEDDED = Image.new("RGB", (1, 1))  # stands in a query for a photo whose embedding is given


def built_in(index: ProductIndex) -> Catalog | None:
    """The catalogue that comes with the program, for anybody else's shop; None for its own index."""
    if not BUILT_IN.is_dir():
        return None
    catalog = Catalog.read(BUILT_IN)
    return None if any(index.holds(p.id) for p in catalog) else catalog


def answered(recommender: Recommender, q: Queries, k: int = 5) -> tuple[NDArray[np.bool_], list[list[Recommendation]]]:
    """For which queries (n,) the page says that nothing matches, and the answers that it gives them."""
    image = present(q.image)
    away, answers = np.zeros(len(q), bool), []
    for i in range(len(q)):
        query = Query(image=EMBEDDED if image[i] else None, text=q.said[i], k=k)
        prepared = recommender.prepare(query, q.image[i : i + 1] if image[i] else None)
        answers.append(recommender.recommend(prepared))
        away[i] = nothing_matches(query, answers[i])
    return away, answers


def measure_rejections(recommender: Recommender, catalog: Catalog, own: dict[str, list[Queries]]) -> OutOfCatalogue:
    """How often "nothing matches" is said to queries for things of `catalog`, which the shop does not sell, and by
    mistake to the shop's `own` queries of the same kinds. Raises InputError where the catalogue has no such things.

    A product of a kind that the shop sells does not count: its category must not be named by any of the shop's titles
    and categories.
    """
    index, encoder = recommender.index, recommender.encoder
    sold = " ".join(f"{p.title} {p.category}" for p in index.products).casefold()
    foreign = [p for p in catalog if not index.holds(p.id) and not (p.category and p.category.casefold() in sold)]
    if not foreign:
        raise InputError(
            "the catalogue '{name}' has no strangers for this shop: expected products of kinds that the shop does "
            "not sell; give a catalogue of other things",
            name=catalog.root.name,
        )
    some = [foreign[i] for i in np.random.default_rng(1).permutation(len(foreign))[:MOST]]
    rng = np.random.default_rng(2)
    halves = [partial_texts(p, rng)[HALF] for p in some]
    asked = {
        "photo": _photos(index, encoder, catalog, foreign),
        "title": (_sentences(index, encoder, [p.title for p in some]), [p.title for p in some]),
        "half a title": (_sentences(index, encoder, halves), halves),
    }
    rows = held_out_rows(index)[:SAMPLE]
    own = {**own, "title": [_sentences(index, encoder, [index.products[r].title for r in rows])]}
    measured = {
        kind: _rejections(recommender, queries, titles, own[kind])
        for kind, (queries, titles) in asked.items()
        if len(queries) and own.get(kind)
    }
    return OutOfCatalogue.model_validate({"catalogue": catalog.root.resolve().name, **measured})


def _rejections(recommender: Recommender, q: Queries, titles: list[str], own: list[Queries]) -> Rejections:
    away, answers = answered(recommender, q)
    mistaken = np.concatenate([answered(recommender, queries)[0] for queries in own])
    return Rejections(
        strangers=len(q),
        own=len(mistaken),
        turned_away=bootstrap_interval(away.astype(float)),
        mistaken=bootstrap_interval(mistaken.astype(float)),
        examples=_accepted(titles, answers, away),
    )


def _accepted(
    titles: list[str], answers: list[list[Recommendation]], away: NDArray[np.bool_]
) -> list[AcceptedStranger]:
    """Things not sold that were answered as if they matched, those with the highest match first."""
    wrong = sorted((i for i in np.flatnonzero(~away) if answers[i]), key=lambda i: -answers[i][0].match)[:EXAMPLES]
    return [
        AcceptedStranger(title=titles[i], match=round(answers[i][0].match, 4), answers=[r.id for r in answers[i]])
        for i in wrong
    ]


def _photos(
    index: ProductIndex, encoder: Encoder, catalog: Catalog, foreign: list[Product]
) -> tuple[Queries, list[str]]:
    by_id = {p.id: p for p in foreign}
    spread = [foreign[i] for i in np.random.default_rng(0).permutation(len(foreign))]
    sources = [*_phone_photos(catalog.root, by_id), *((catalog.image_path(p), p.title) for p in spread)]
    pictures: list[Image.Image] = []
    titles: list[str] = []
    for path, title in sources:
        if path is None or len(pictures) == MOST:
            continue
        try:
            pictures.append(decode(path, max_side=512))
            titles.append(title)
        except InputError:
            continue  # a picture that does not decode asks nothing
    return _queries(index, photo_embeddings(encoder, pictures) if pictures else None, None, len(pictures)), titles


def _sentences(index: ProductIndex, encoder: Encoder, texts: list[str]) -> Queries:
    return _queries(index, None, text_embeddings(encoder, texts), len(texts), texts)


def _phone_photos(root: Path, by_id: dict[str, Product]) -> list[tuple[Path | None, str]]:
    """(file, title) of the photos in a catalogue's query file that show one of these products."""
    path = root / "queries.csv"
    if not path.is_file():
        return []
    rows = [(row.get("image", ""), row.get("reference_id") or row.get("product_id", "")) for row in query_rows(path)]
    return [(root / image, by_id[product_id].title) for image, product_id in rows if image and product_id in by_id]


def _queries(index: ProductIndex, image: Array | None, text: Array | None, n: int, texts: list[str] = []) -> Queries:  # noqa: B006
    image = image if image is not None else np.zeros((n, index.image.shape[1]), np.float32)
    text = text if text is not None else np.zeros((n, index.text.shape[1]), np.float32)
    return Queries(image, text, 0 * text, np.full(n, -1), [np.empty(0, np.int64)] * n, texts)

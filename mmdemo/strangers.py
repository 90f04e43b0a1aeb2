"""Is "nothing here matches" right? Asked with photos and words of things that the shop does not sell, and that it does.

A catalogue of other things brings the strangers: the photos of its query file, then its own pictures, and its titles,
whole and halved.
"""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdemo.catalog import Catalog, Product
from mmdemo.embed import image_rows, text_rows
from mmdemo.encoder import Encoder
from mmdemo.errors import InputError
from mmdemo.evaluation import Queries, interval, matches, score_matrices
from mmdemo.home import HOME
from mmdemo.imaging import decode
from mmdemo.index import ProductIndex
from mmdemo.lessons import HALF, partial_texts
from mmdemo.say import say
from mmdemo.tasks import SAMPLE, held_out_rows
from mmdemo.vectors import Array, present

BUILT_IN = HOME / "assets" / "catalog"
KINDS = ("photo", "title", "half a title")
MOST = 50  # strangers of each kind
EXAMPLES = 6


def built_in(index: ProductIndex) -> Catalog | None:
    """The catalogue that comes with the program, for anybody else's shop; None for its own index."""
    if not BUILT_IN.is_dir():
        return None
    catalog = Catalog.read(BUILT_IN)
    return None if any(index.holds(p.id) for p in catalog) else catalog


def turned_away(index: ProductIndex, q: Queries) -> NDArray[np.bool_]:
    """For which queries (n,) the page would say that nothing matches."""
    scores = score_matrices(index, q)["head"]
    assert scores is not None  # the head answers everything
    photo, words, dim = present(q.image), present(q.text), index.head.dim
    near = np.where(photo, (q.image[:, :dim] @ index.image[:, :dim].T).max(1), scores.max(1))
    kinds = np.where(photo, np.where(words, "both", "image"), "text")
    return near < np.array([index.calibration.floors.get(kind, -1.0) for kind in kinds])


def strangers(index: ProductIndex, encoder: Encoder, catalog: Catalog, own: dict[str, list[Queries]]) -> dict[str, Any]:
    """For KINDS: the share of strangers told that nothing matches, and of the shop's `own` queries of that kind told so
    by mistake, with intervals and the worst examples. Raises InputError where the catalogue has no strangers.

    A product of a kind that the shop sells is no stranger: its category must not be named by any of the shop's titles
    and categories.
    """
    sold = " ".join(f"{p.title} {p.category}" for p in index.products).casefold()
    foreign = [p for p in catalog if not index.holds(p.id) and not (p.category and p.category.casefold() in sold)]
    if not foreign:
        raise InputError(
            say(
                "the catalogue '{name}' has no strangers for this shop: expected products of kinds that the shop does "
                "not sell; give a catalogue of other things",
                name=catalog.root.name,
            )
        )
    some = [foreign[i] for i in np.random.default_rng(1).permutation(len(foreign))[:MOST]]
    rng = np.random.default_rng(2)
    halves = [partial_texts(p, rng)[HALF] for p in some]
    asked = {"photo": _photos(index, encoder, catalog, foreign),
             "title": (_said(index, encoder, [p.title for p in some]), [p.title for p in some]),
             "half a title": (_said(index, encoder, halves), halves)}  # fmt: skip
    rows = held_out_rows(index)[:SAMPLE]
    own = {**own, "title": [_said(index, encoder, [index.products[r].title for r in rows])]}
    found: dict[str, Any] = {"catalogue": catalog.root.resolve().name}
    for kind in KINDS:
        queries, titles = asked[kind]
        if not len(queries) or not own.get(kind):
            continue
        away = turned_away(index, queries)
        mistaken = np.concatenate([turned_away(index, q) for q in own[kind]])
        found[kind] = {
            "strangers": len(queries),
            "own": len(mistaken),
            "turned away": interval(away.astype(float)),
            "mistaken": interval(mistaken.astype(float)),
            "examples": _believed(index, queries, titles, away),
        }
    return found


def _believed(index: ProductIndex, q: Queries, titles: list[str], away: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Strangers that were answered as if they matched, those with the highest match first."""
    scores = score_matrices(index, q)["head"]
    assert scores is not None
    match, _ = matches(index, q, scores)
    order = np.argsort(-scores, axis=1)[:, :5]
    wrong = [int(i) for i in np.argsort(-match[:, 0], kind="stable") if not away[i]][:EXAMPLES]
    return [
        {"title": titles[i], "match": round(float(match[i, 0]), 4), "answers": [index.products[r].id for r in order[i]]}
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
    return _queries(index, image_rows(encoder, pictures) if pictures else None, None, len(pictures)), titles


def _said(index: ProductIndex, encoder: Encoder, texts: list[str]) -> Queries:
    return _queries(index, None, text_rows(encoder, texts), len(texts), texts)


def _phone_photos(root: Path, by_id: dict[str, Product]) -> list[tuple[Path | None, str]]:
    """(file, title) of the photos in a catalogue's query file that show one of these products."""
    path = root / "queries.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as f:
        rows = [
            (row.get("image") or "", row.get("reference_id") or row.get("product_id") or "")
            for row in csv.DictReader(f)
        ]
    return [(root / image, by_id[shown].title) for image, shown in rows if image and shown in by_id]


def _queries(index: ProductIndex, image: Array | None, text: Array | None, n: int, said: list[str] = []) -> Queries:  # noqa: B006
    image = image if image is not None else np.zeros((n, index.image.shape[1]), np.float32)
    text = text if text is not None else np.zeros((n, index.text.shape[1]), np.float32)
    return Queries(image, text, 0 * text, np.full(n, -1), [np.empty(0, np.int64)] * n, said)

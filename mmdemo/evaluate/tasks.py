"""The tasks of a report: queries with known answers that a catalogue holds, on products that no training saw."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import Source, decode, thumbnail
from mmdemo.core.errors import InputError
from mmdemo.core.progress import Progress, silent
from mmdemo.core.vectors import present
from mmdemo.encode.embeddings import photo_embeddings, random_crop, text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.evaluation import evaluate
from mmdemo.evaluate.name_queries import name_queries
from mmdemo.evaluate.queries import PHOTO_SIDE, Queries, read_queries
from mmdemo.evaluate.report import Evaluation, NotMeasured
from mmdemo.evaluate.shopper_sentences import shopper_sentences
from mmdemo.fusion.composed_queries import mine_composed_queries
from mmdemo.fusion.related import apply_map
from mmdemo.fusion.training_tasks import HALF, partial_texts, title_positives
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.relevance import Asked

SAMPLE = 200  # products per task
EDITS = 600  # edits read out of a catalogue that comes without any
FILES = {"other photos": "queries.csv", "edits": "composed_queries.csv"}


def tasks(
    index: ProductIndex, catalog: Catalog, encoder: Encoder, progress: Progress = silent
) -> dict[str, Queries | InputError]:
    """Every task that this catalogue can ask, by its name; a query file that cannot be used is its error.

    photo: the product's own picture, cropped at random and recompressed; words: half of its title's words, and every
    product that has them all is right; photo and words: both, and only itself or a near-copy is right; other views:
    its further pictures; other photos and edits ("this, in blue"): the query files beside the catalogue, or edits read
    out of it; both kinds of other pictures "and words": with half of the title; sentences: a kind and wishes, such as
    shoppers type, right for all that meets them; names, rightly spelt and with a slip: a title, a brand, an id or a
    code, right for all that are called so; similar: from a product to its variants; links: from a product to what goes
    with it.
    """
    rng = np.random.default_rng(0)
    source = {p.id: catalog.image_path(p) for p in catalog}
    by_name: dict[str, Queries | InputError] = {**own_tasks(index, source.__getitem__, encoder, rng)}
    for name, file in FILES.items():
        path = catalog.root / file
        if path.is_file():
            try:
                by_name[name] = read_queries(path, index, encoder, progress)[0]
            except InputError as e:
                by_name[name] = e
        elif name == "edits" and (edits := _edits(index, encoder, rng)) is not None:
            by_name[name] = edits
    if (views := _views(index, catalog, encoder)) is not None:
        by_name["other views"] = views
    for name in ("other photos", "other views"):
        if (
            isinstance(q := by_name.get(name), Queries)
            and (with_words := described(index, encoder, q, rng)) is not None
        ):
            by_name[f"{name} and words"] = with_words
    sampled = np.sort(rng.permutation(held_out_rows(index))[:SAMPLE]).tolist()
    if (sentences := shopper_sentences(index, encoder, sampled, rng)) is not None:
        by_name["sentences"] = sentences
    by_name |= name_queries(index, encoder, sampled, rng)
    if (similar := _similar(index)) is not None:
        by_name["similar"] = similar
    if (links := _links(index)) is not None:
        by_name["links"] = links
    return by_name


def measure(
    index: ProductIndex, asked: dict[str, Queries | InputError], encoder: Encoder | None = None
) -> dict[str, Evaluation | NotMeasured]:
    """The report's figures of every task; a note where there are none."""
    return {
        name: NotMeasured(note=q.message) if isinstance(q, InputError) else evaluate(index, q, encoder)
        for name, q in asked.items()
    }


def held_out_rows(index: ProductIndex) -> list[int]:
    """The rows that no training saw; all of them where those are too few to ask about."""
    ids = set(index.manifest.held_out)
    rows = [i for i, p in enumerate(index.products) if p.id in ids]
    return rows if len(rows) >= 5 else list(range(len(index)))


def own_tasks(
    index: ProductIndex, picture: Callable[[str], Source | None], encoder: Encoder, rng: np.random.Generator
) -> dict[str, Queries]:
    """The tasks words, photo, and photo and words; `picture` finds a product's picture by its id."""
    rows = np.sort(rng.permutation(held_out_rows(index))[:SAMPLE])
    texts = [partial_texts(index.products[r], rng)[HALF] for r in rows]
    words = text_embeddings(encoder, texts)
    nothing, targets = np.full(len(rows), -1), copies(index, rows)
    ids = [index.products[r].id for r in rows]
    no_photo = np.zeros((len(rows), index.image.shape[1]), np.float32)
    carrying = title_positives(index.products, texts, rows.tolist())
    by_name = {"words": Queries(no_photo, words, 0 * words, nothing, carrying, texts)}
    pictured = index.image[rows].any(1)
    if pictured.any():
        photos = [picture(index.products[r].id) for r in rows[pictured]]
        image = no_photo.copy()
        image[pictured] = photo_embeddings(encoder, [random_crop(decode(p, max_side=512), rng) for p in photos])  # type: ignore[arg-type]
        by_name["photo"] = Queries(image, 0 * words, 0 * words, nothing, targets, [], ids).subset(pictured)
        by_name["photo and words"] = Queries(image, words, 0 * words, nothing, targets, texts, ids).subset(pictured)
    return by_name


def described(
    index: ProductIndex, encoder: Encoder, photos: Queries, rng: np.random.Generator, least: int = 5
) -> Queries | None:
    """These photos, each with half of the title of the product that it shows; None where too few say which that is."""
    asks = present(photos.text)  # a wish beside a photo wants another product than the one that is shown
    shows = np.array([r if a else t[0] for r, a, t in zip(photos.reference, asks, photos.targets, strict=True)])
    there = present(photos.image) & ~present(photos.origin) & (shows >= 0)
    if there.sum() < least:
        return None
    some, rows = photos.subset(there), shows[there]
    halves = [partial_texts(index.products[r], rng)[HALF] for r in rows]
    targets = [t if r in t else same for t, r, same in zip(some.targets, rows, copies(index, rows), strict=True)]
    return replace(
        some, text=text_embeddings(encoder, halves), said=halves, reference=np.full(len(rows), -1), targets=targets
    )


def copies(index: ProductIndex, rows: Iterable[int]) -> list[NDArray[np.int64]]:
    """For each of these rows, itself and its near-copies (the same `group`): any of them answers a photo of it."""
    same: dict[str, list[int]] = defaultdict(list)
    for r, p in enumerate(index.products):
        same[p.group or f"#{p.id}"].append(r)
    return [np.array(same[(p := index.products[r]).group or f"#{p.id}"], np.int64) for r in rows]


def _edits(index: ProductIndex, encoder: Encoder, rng: np.random.Generator) -> Queries | None:
    """Edits whose reference no training saw, read out of a catalogue that comes without a file of them."""
    rows = set(held_out_rows(index))
    edits = [
        e for e in mine_composed_queries(index.products, index.image, rng) if e.reference in rows and len(e.targets)
    ]
    edits = [e for e in edits if index.image[e.reference].any()][:EDITS]
    if not edits:
        return None
    references = np.array([e.reference for e in edits], np.int64)
    unique = sorted({e.text for e in edits})
    vectors = dict(zip(unique, text_embeddings(encoder, unique), strict=True))
    text = np.stack([vectors[e.text] for e in edits])
    shows = [index.products[r].id for r in references]
    targets = [e.targets for e in edits]
    return Queries(
        index.image[references], text, index.text[references], references, targets, [e.text for e in edits], shows
    )


def _views(index: ProductIndex, catalog: Catalog, encoder: Encoder) -> Queries | None:
    """The first further picture of products that no training saw."""
    rows, pictures, photos = [], [], []
    for r in held_out_rows(index)[:SAMPLE]:
        for view in catalog.views.get(index.products[r].id, ())[:1]:
            try:
                pictures.append(decode(catalog.file(view), max_side=512))
                photos.append(thumbnail(catalog.file(view), PHOTO_SIDE))
                rows.append(r)
            except InputError:
                continue  # the build refused it, and said so
    if not rows:
        return None
    nothing = np.zeros((len(rows), index.text.shape[1]), np.float32)
    ids = [index.products[r].id for r in rows]
    targets = copies(index, rows)
    image, left_out = photo_embeddings(encoder, pictures), np.full(len(rows), -1)
    return Queries(image, nothing, nothing, left_out, targets, [], ids, photos=photos)


def _similar(index: ProductIndex) -> Queries | None:
    """From products that no training saw to their variants, ranked as similar products are."""
    families: dict[str, list[int]] = defaultdict(list)
    for r, p in enumerate(index.products):
        if p.parent:
            families[p.parent].append(r)
    rows = [r for r in held_out_rows(index) if len(families[index.products[r].parent]) > 1][:SAMPLE]
    if not rows:
        return None
    products = [index.products[r] for r in rows]
    variants = [families[p.parent] for p in products]
    targets = [np.array([v for v in family if v != r], np.int64) for r, family in zip(rows, variants, strict=True)]
    return Queries(
        index.image[rows],
        index.text[rows],
        0 * index.text[rows],
        np.array(rows, np.int64),
        targets,
        shows=[p.id for p in products],
        fused=index.vectors[rows],
        asked=[Asked(reference=p) for p in products],
    )


def _links(index: ProductIndex) -> Queries | None:
    """From every linked product, its picture and its text, to all that it is linked with."""
    linked = [(r, [index.row(i) for i, _ in index.goes_with(p.id)]) for r, p in enumerate(index.products)]
    linked = [(r, others) for r, others in linked if others]
    if not linked:
        return None
    rows = np.array([r for r, _ in linked], np.int64)
    targets = [np.unique(others) for _, others in linked]
    text = index.text[rows]
    shows = [index.products[r].id for r in rows]
    fused = apply_map(index.related, index.vectors[rows])
    return Queries(index.image[rows], text, 0 * text, rows, targets, [], shows, fused)

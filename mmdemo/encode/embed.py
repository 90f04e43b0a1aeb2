"""Encode a catalogue: embeddings and thumbnails, in shards, so that an interrupted build can be resumed.

A few threads decode and prepare pictures, never many ahead of the encoder, which then seldom waits. It knows nothing of
heads, indexes and queries.
"""

import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file, save_file

from mmdemo.catalog.catalog import Catalog, Product, Refusal
from mmdemo.catalog.imaging import decode, thumbnail
from mmdemo.catalog.thumbnails import Thumbnails
from mmdemo.core.errors import InputError
from mmdemo.core.progress import Progress, silent
from mmdemo.core.vectors import Array
from mmdemo.encode.embeddings import (
    PRODUCT_VIEWS,
    QUERY_WEIGHTS,
    Crop,
    average_views,
    preparation,
    random_window,
    recompressed,
    text_embeddings,
    views_of_photo,
    views_of_product,
)
from mmdemo.encode.encoder import BATCH, Encoder
from mmdemo.encode.further_pictures import FurtherPictures
from mmdemo.encode.tuning import DEFAULT, Setting, load_or_tune

SHARD = 256  # products
FORMAT = 3  # of a shard; shards of another one are not gone on with
PREFETCH = max(8, 2 * (os.cpu_count() or 1))  # products decoded, and as many prepared, ahead of the encoder
THUMBNAIL_SIDE = 384  # pixels, the longer side
VIEWS = PRODUCT_VIEWS + len(QUERY_WEIGHTS)  # of a product: of its picture, and of a random crop as somebody's photo
FURTHER_VIEWS = 1  # of each of its further pictures: whole
ShardWriter = Callable[[Catalog, Path], None]
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class EncodedCatalog:
    """The products of a catalogue that could be encoded, and their embeddings, zero where a modality is missing.

    Attributes
    ----------
    products
        The n products.
    image, text
        Their embeddings, float32 (n, width of a picture) and (n, width of a text).
    augmented
        Embeddings of a random crop of each picture, recompressed: further positives for `fit`. Float32, like `image`.
    refused
        Pictures that could not be read.
    setting
        How this machine encoded.
    thumbnails
        The pictures that the app shows, by the number of the product; they lie among the shards.
    picture_hashes
        `Catalog.picture_hash` of each product, uint8 (n, 32); None where it is unknown.
    further
        The embeddings of their further pictures, by the number of the product.
    """

    products: Sequence[Product]
    image: Array
    augmented: Array
    text: Array
    refused: list[Refusal] = field(default_factory=list)
    setting: Setting = DEFAULT
    thumbnails: Thumbnails = field(default_factory=Thumbnails)
    picture_hashes: NDArray[np.uint8] | None = None
    further: FurtherPictures = field(default_factory=FurtherPictures)


def embed(
    catalog: Catalog,
    encoder: Encoder,
    work: Path,
    *,
    resume: bool = False,
    progress: Progress = silent,
    shard_writer: ShardWriter | None = None,
) -> EncodedCatalog:
    """Encode every product of a catalogue.

    Parameters
    ----------
    catalog
        What to encode.
    encoder
        Embeds pictures and texts.
    work
        The folder for shards and thumbnails.
    resume
        Keep the shards that an earlier run of the same catalogue and encoder left in `work`.
    progress
        Is told how many products are encoded.
    shard_writer
        Writes the missing shards first, for example on other machines (`ray_data`).

    Returns
    -------
    EncodedCatalog
        In the catalogue's order, without products whose picture could not be read; it may be empty.

    Examples
    --------
    >>> catalog, encoder = Catalog.read("assets/catalog"), Encoder.load("assets/encoder")  # doctest: +SKIP
    >>> embed(catalog, encoder, Path("work"), resume=True).image.shape  # doctest: +SKIP
    (1004, 1536)
    """
    _open_work(work, catalog, encoder, resume)
    encoded_before = next((s for s in shard_starts(catalog) if not shard_path(work, s).exists()), len(catalog))

    def report(done: int) -> None:
        if done >= encoded_before:
            progress(min(done, len(catalog)), len(catalog), "encoding products")

    report(encoded_before)
    setting, tuned_encoder = load_or_tune(encoder, catalog, work / "setting.json")
    if shard_writer is not None:
        shard_writer(catalog, work)
    for start in shard_starts(catalog):
        if not shard_path(work, start).exists():
            with setting.threads_set():
                write_shard(work, catalog, start, start + SHARD, tuned_encoder, report)
        report(start + SHARD)
    return _read_shards(catalog, work, setting)


def _read_shards(catalog: Catalog, work: Path, setting: Setting) -> EncodedCatalog:
    """All shards of a catalogue together."""
    shards, products, refused = [], list[Product](), list[Refusal]()
    thumbnails, further = list[tuple[Thumbnails, int]](), list[tuple[FurtherPictures, int]]()
    for start in shard_starts(catalog):
        shard = shard_path(work, start)
        shards.append(load_file(shard))
        thumbnails.append((Thumbnails((thumbnails_path(shard),), shards[-1]["thumbnails"]), len(shards[-1]["kept"])))
        further.append((FurtherPictures(shards[-1]["further_rows"], shards[-1]["further"]), len(shards[-1]["kept"])))
        refused += [Refusal(**refusal) for refusal in json.loads(shard.with_suffix(".json").read_text())]
        products += [catalog.products[start + i] for i in shards[-1]["kept"]]
    image, augmented, text, hashes = (
        np.vstack([shard.pop(name) for shard in shards])  # each frees its parts, so that no two copies of all are held
        for name in ("image", "view", "text", "picture_hashes")
    )
    pictures, others = Thumbnails.concatenate(thumbnails), FurtherPictures.concatenate(further)
    return EncodedCatalog(products, image, augmented, text, refused, setting, pictures, hashes, others)


def _open_work(work: Path, catalog: Catalog, encoder: Encoder, resume: bool) -> None:
    """Keep what is in `work` where `resume` allows it and it belongs to this catalogue and encoder; else empty it."""
    identity = json.dumps(
        {"catalogue": catalog.digest(), "encoder": encoder.weights_hash, "shard": SHARD, "format": FORMAT}
    )
    path = work / "identity.json"
    if not (resume and path.is_file() and path.read_text(errors="replace") == identity):
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        path.write_text(identity)


def shard_starts(catalog: Catalog) -> range:
    """The first product's place of every shard."""
    return range(0, len(catalog), SHARD)


def shard_path(work: Path, start: int) -> Path:
    """Where a shard is written."""
    return work / f"{start:09d}.safetensors"


def thumbnails_path(shard: Path) -> Path:
    """Where the thumbnails of a shard are written."""
    return shard.with_suffix(".thumbnails")


def prefetch(pool: ThreadPoolExecutor, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The results of `work` for all items, in order, the pool never more than `PREFETCH` items ahead.

    >>> with ThreadPoolExecutor(2) as pool:
    ...     list(prefetch(pool, abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    pending = deque[Future[Result]]()
    for item in items:
        pending.append(pool.submit(work, item))
        if len(pending) > PREFETCH:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def write_shard(
    work: Path,
    catalog: Catalog,
    start: int,
    stop: int,
    encoder: Encoder,
    encoded: Callable[[int], None] = lambda products: None,
) -> None:
    """Encode the catalogue's products from `start` to `stop` as one shard of `work`; a shard that exists is complete.

    After each pass of the encoder, `encoded` is told how many products of the catalogue are done.
    """
    reader = _ShardReader(catalog, catalog.products[start:stop])
    prepare, batch = preparation(encoder), getattr(encoder, "batch", BATCH)

    def prepared_views(item: tuple[Image.Image, Crop, list[Image.Image]]) -> list[Any]:
        picture, crop, further = item
        own = (*views_of_product(picture), *views_of_photo(recompressed(picture, crop)))
        return [prepare(view) for view in (*own, *further)]

    passes = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        views = chain.from_iterable(prefetch(pool, prepared_views, reader.pictures(pool)))
        while pixels := list(islice(views, batch)):
            passes.append(encoder.encode_image_with_features(pixels))
            pictures_done = int(np.searchsorted(np.cumsum(reader.views()), len(passes) * batch, side="right"))
            encoded(start + (reader.kept[reader.pictured[pictures_done - 1]] + 1 if pictures_done else 0))
    if not reader.pictured:  # the shard's arrays still need their widths
        passes.append(encoder.encode_image_with_features([Image.new("RGB", (8, 8), "white")] * VIEWS))
    every = [np.vstack(arrays) for arrays in zip(*passes, strict=True)]
    is_further = reader.are_further(len(every[0]))
    features, vectors = (x[is_further].reshape(-1, FURTHER_VIEWS, x.shape[1]) for x in every)
    further = average_views(features, vectors) if len(features) else np.empty((0, 0), np.float32)
    features, vectors = (x[~is_further].reshape(-1, VIEWS, x.shape[1]) for x in every)
    image, augmented = (
        _scatter(average_views(features[:, part], vectors[:, part], weights), reader.pictured, len(reader.kept))
        for part, weights in ((slice(PRODUCT_VIEWS), None), (slice(PRODUCT_VIEWS, None), QUERY_WEIGHTS))
    )
    texts = [reader.products[i].text for i in reader.kept]
    text = text_embeddings(encoder, texts or ["-"])[: len(texts)]
    path = shard_path(work, start)
    path.with_suffix(".json").write_text(json.dumps(reader.refused))  # all before the shard: then it is complete
    thumbnails = Thumbnails.write(thumbnails_path(path), reader.thumbnails)
    shard: dict[str, np.ndarray] = {
        "image": image,
        "view": augmented,
        "text": text,
        "further": further,
        "further_rows": np.repeat(reader.pictured, reader.further).astype(np.int64),
        "kept": np.array(reader.kept, np.int64),
        "picture_hashes": np.frombuffer(b"".join(reader.hashes), np.uint8).reshape(-1, 32),
    }
    part_path = path.with_suffix(".part")
    save_file({**shard, "thumbnails": thumbnails.table}, part_path)
    part_path.replace(path)


class _ShardReader:
    """Reads the pictures of some products in order, and remembers which products have one and which are refused.

    `kept` are the places of the products that stay, `thumbnails` and `hashes` theirs, `pictured` the places among those
    that have a picture, and `further` how many further pictures each of these has.
    """

    def __init__(self, catalog: Catalog, products: Sequence[Product]) -> None:
        self.catalog, self.products = catalog, products
        self.kept, self.pictured, self.refused = list[int](), list[int](), list[dict[str, Any]]()
        self.thumbnails, self.hashes, self.further = list[list[bytes]](), list[bytes](), list[int]()

    def views(self) -> list[int]:
        """How many views there are of the pictures of each product that has one."""
        return [VIEWS + FURTHER_VIEWS * count for count in self.further]

    def are_further(self, count: int) -> NDArray[np.bool_]:
        """Which of so many views are of further pictures."""
        own_and_further = np.array([(VIEWS, FURTHER_VIEWS * n) for n in self.further or [0]], np.int64).ravel()
        return np.repeat(np.arange(len(own_and_further)) % 2 == 1, own_and_further)[:count]

    def pictures(self, pool: ThreadPoolExecutor) -> Iterator[tuple[Image.Image, Crop, list[Image.Image]]]:
        """Every product's picture, the crop of it that serves as another photo, and its further pictures."""
        rng = np.random.default_rng(sum(self.catalog.image_path(p) is not None for p in self.products))
        for place, (pictures, thumbnails, faults) in enumerate(prefetch(pool, self._read, self.products)):
            self.refused.extend(faults)
            if pictures:
                self.pictured.append(len(self.kept))
                self.further.append(len(pictures) - 1)
                self.thumbnails.append(thumbnails)
                yield pictures[0], random_window(pictures[0], rng), pictures[1:]
            elif any(fault["column"] == "image" for fault in faults):
                continue
            else:
                self.thumbnails.append([])
            self.kept.append(place)
            self.hashes.append(self.catalog.picture_hash(self.products[place]))

    def _read(self, product: Product) -> tuple[list[Image.Image], list[bytes], list[dict[str, Any]]]:
        """A product's pictures, the first of which it needs, their thumbnails, and the faults found."""
        pictures, faults = list[Image.Image](), list[dict[str, Any]]()
        for file in (product.image, *self.catalog.views.get(product.id, ())) if product.image else ():
            column = "views" if pictures else "image"
            try:
                pictures.append(decode(self.catalog.file(file), max_side=512))
            except InputError as e:
                faults.append({"row": 0, "id": product.id, "column": column, "reason": e.message})
                if column == "image":
                    break
        return pictures, [thumbnail(picture, THUMBNAIL_SIDE) for picture in pictures], faults


def _scatter(rows: Array, places: list[int], count: int) -> Array:
    """Rows at these places of `count`, zero elsewhere."""
    scattered = np.zeros((count, rows.shape[1]), np.float32)
    scattered[places] = rows[: len(places)]
    return scattered

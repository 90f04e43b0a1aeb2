"""A catalogue through the encoder: rows of numbers and thumbnails, in shards, so that a stopped build goes on.

Pictures are decoded and cut by a few threads, never many pictures ahead of the encoder, which then seldom waits.
"""

import hashlib
import io
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import load_file, save_file

from mmdemo.catalog import Catalog, Product, Refusal
from mmdemo.encoder import Encoder
from mmdemo.errors import InputError
from mmdemo.imaging import decode, thumbnail
from mmdemo.tuning import PLAIN, Setting, tuned
from mmdemo.vectors import Array, normalize

SHARD = 256
AHEAD = max(8, 2 * (os.cpu_count() or 1))  # products that may be decoded, and as many cut, before the encoder asks
BATCH = 32  # pictures of one pass of an encoder that does not say
CORNERS_AND_MIDDLE = ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))
SIDE = 384  # pixels, longer side of the pictures that the app shows
PRODUCT_LOOKS, QUERY_LOOKS = 6, (2, 1, 1)  # how often a picture is looked at; a query's looks by their weight
LOOKS = PRODUCT_LOOKS + len(QUERY_LOOKS)  # of one product, as it is shown and as somebody's photo of it
Progress = Callable[[int, int, str], None]
Given = TypeVar("Given")
Made = TypeVar("Made")


def silent(done: int, total: int, what: str) -> None:
    """A progress callback that says nothing."""


@dataclass
class Embedded:
    """Products that came through, their rows (zero where a modality is missing), and pictures that did not decode.

    `view` holds rows of another try at each picture (cropped, recompressed): the positives that `fit` learns from.
    `setting` says how this machine encoded.
    """

    products: list[Product]
    image: Array
    view: Array
    text: Array
    refused: list[Refusal]
    setting: Setting = PLAIN


def embed(
    catalog: Catalog, encoder: Encoder, work: Path, *, resume: bool = False, progress: Progress = silent,
    elsewhere: Callable[[Catalog, Path], None] | None = None,
) -> Embedded:  # fmt: skip
    """Encode every product, writing shards and thumbnails under `work`; `elsewhere` may write them first (many.py).

    With `resume`, shards that an earlier run of the same catalogue and encoder left in `work` are kept; without, or
    when either has changed, the work starts anew.
    """
    identity = {"catalogue": catalog.digest(), "encoder": encoder.weights_hash, "shard": SHARD}
    mark = work / "identity.json"
    wanted = json.dumps(identity)
    if not (resume and mark.is_file() and mark.read_text(errors="replace") == wanted):
        shutil.rmtree(work, ignore_errors=True)
        (work / "thumbs").mkdir(parents=True)
        mark.write_text(wanted)
    starts, ready = range(0, len(catalog), SHARD), 0  # and the products of the first shards, which may be there

    def encoding(done: int) -> None:
        if done >= ready:
            progress(min(done, len(catalog)), len(catalog), "encoding products")

    ready = next((start for start in starts if not (work / f"{start:09d}.safetensors").exists()), len(catalog))
    encoding(ready)
    setting, fast = tuned(encoder, catalog, work / "setting.json")
    if elsewhere is not None:
        elsewhere(catalog, work)
    products, refused, images, views, texts = [], [], [], [], []
    for start in starts:
        rows = catalog.products[start : start + SHARD]
        shard = work / f"{start:09d}.safetensors"
        if not shard.exists():
            with setting.threads_set():
                write_shard(work, catalog, start, start + SHARD, fast, encoding)
        arrays = load_file(shard)
        for refusal in json.loads(shard.with_suffix(".json").read_text()):
            refused.append(Refusal(**refusal))
        products += [rows[i] for i in arrays["kept"]]
        images.append(arrays["image"])
        views.append(arrays["view"])
        texts.append(arrays["text"])
        encoding(start + SHARD)
    if not products:
        raise InputError(
            "no product of the catalogue could be encoded; see the refused rows above and mend the pictures"
        )
    return Embedded(products, np.vstack(images), np.vstack(views), np.vstack(texts), refused, setting)


def cropped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Another try at the same photo: 60 to 90% of its area, recompressed as a JPEG of quality 40."""
    return _squeezed(picture, _window(picture, rng))


def _window(picture: Image.Image, rng: np.random.Generator) -> tuple[int, int, int, int]:
    side = rng.uniform(0.6, 0.9) ** 0.5
    w, h = round(picture.width * side), round(picture.height * side)
    x, y = int(rng.integers(0, picture.width - w + 1)), int(rng.integers(0, picture.height - h + 1))
    return x, y, x + w, y + h


def _squeezed(picture: Image.Image, window: tuple[int, int, int, int]) -> Image.Image:
    squeezed = io.BytesIO()
    picture.crop(window).save(squeezed, "JPEG", quality=40)
    return decode(squeezed.getvalue())


def image_rows(encoder: Encoder, pictures: Sequence[Image.Image]) -> Array:
    """Rows (n, width) of query photos: the unit embedding, then the tower's pooled features at unit length.

    A photo is seen as it is (twice the weight), a little nearer and a little further away: people do not frame a
    thing as its shop does.
    """
    return seen_rows(encoder, [query_looks(encoder, p) for p in pictures])


def query_looks(encoder: Encoder, picture: Image.Image) -> list[Any]:
    """The looks at a query photo at the encoder's size, for `seen_rows`; safe to call from many threads."""
    return [_pixels(encoder)(look) for look in _query_looks(picture)]


def seen_rows(encoder: Encoder, looks: Sequence[list[Any]]) -> Array:
    """`image_rows` of photos whose looks are ready."""
    return _seen(encoder, looks, QUERY_LOOKS)


def _pixels(encoder: Encoder) -> Callable[[Image.Image], Any]:
    """What can be done to a picture before the encoder's turn."""
    return getattr(encoder, "pixels", lambda picture: picture)


def product_rows(encoder: Encoder, pictures: Sequence[Image.Image]) -> Array:
    """Rows of product pictures: as they are, their corners and their middle, so that a cropped photo finds its own.

    This is the multi-crop test of AlexNet (Krizhevsky et al. 2012), paid once, when the index is built.
    """
    return _seen(encoder, [_product_looks(p) for p in pictures])


def plain_rows(encoder: Encoder, pictures: Sequence[Image.Image]) -> Array:
    """Rows of pictures seen once, as they are: a third to a sixth of the work, for many changes of one picture."""
    return _seen(encoder, [[p] for p in pictures])


def moved(row: Array, by: Array, dim: int) -> Array:
    """A row (width,) moved by differences (n, width): unit embedding and unit features again, (n, width)."""
    rows = row + by
    parts = [rows[:, :dim], rows[:, dim:]]
    return np.hstack([normalize(part) for part in parts if part.shape[1]])


def blend(rows: Array, dim: int) -> Array:
    """Rows (n, width) of several photos as one row (1, width), lying in the middle of them."""
    return moved(rows.mean(0), np.zeros((1, rows.shape[1]), np.float32), dim)


def _query_looks(picture: Image.Image) -> list[Image.Image]:
    return [picture, _part(picture, 0.86, 0.5, 0.5), _further(picture)]


def _product_looks(picture: Image.Image) -> list[Image.Image]:
    return [picture, *(_part(picture, 0.86, x, y) for x, y in CORNERS_AND_MIDDLE)]


def _seen(encoder: Encoder, looks: Sequence[list[Any]], weights: Sequence[float] | None = None) -> Array:
    features, vectors = encoder.image_both([look for some in looks for look in some])
    n = len(looks)
    return _together(features.reshape(n, -1, features.shape[1]), vectors.reshape(n, -1, vectors.shape[1]), weights)


def _together(features: Array, vectors: Array, weights: Sequence[float] | None = None) -> Array:
    """Rows (n, width) of what was seen at each of several looks, (n, looks, d) both."""
    alone = _hidden(vectors.reshape(-1, vectors.shape[2]), features.reshape(-1, features.shape[2]))
    seen, felt = (np.average(x, axis=1, weights=weights).astype(np.float32) for x in (vectors, features))
    return normalize(seen) if alone else np.hstack([normalize(seen), normalize(felt)])


def _part(picture: Image.Image, share: float, x: float, y: float) -> Image.Image:
    """A window of `share` of each side, at x, y from 0 (left, top) to 1 (right, bottom)."""
    w, h = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    left, top = round(x * (picture.width - w)), round(y * (picture.height - h))
    return picture.crop((left, top, left + w, top + h))


def _further(picture: Image.Image, margin: float = 0.08) -> Image.Image:
    w, h = round(picture.width * margin), round(picture.height * margin)
    return ImageOps.expand(picture, (w, h, w, h), fill="white")


def text_rows(encoder: Encoder, texts: Sequence[str]) -> Array:
    """Rows (n, width) of sentences: the unit embedding, then the tower's pooled features at unit length."""
    features, vectors = encoder.text_both(texts)
    return _rows(vectors, features)


def _rows(vectors: Array, features: Array) -> Array:
    return vectors if _hidden(vectors, features) else np.hstack([vectors, normalize(features)])


def _hidden(vectors: Array, features: Array) -> bool:
    """Whether a tower hides its pooled features and hands out the embedding again: then once is enough. Asked of single
    looks, (n, d) both: the means of several would differ."""
    return features.shape == vectors.shape and np.allclose(normalize(features), vectors, atol=1e-4)


def thumb_name(product_id: str) -> str:
    """Thumbnails are named by a hash, since an id may hold any character."""
    return f"{hashlib.sha256(product_id.encode()).hexdigest()[:20]}.webp"


def view_name(product_id: str, number: int) -> str:
    """The name of a further picture's thumbnail, counted from 1."""
    return thumb_name(f"{product_id}\0{number}")  # no id holds a NUL


def ahead(pool: ThreadPoolExecutor, work: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
    """What `work` makes of each item, in order, the pool never more than `AHEAD` items ahead of whoever asks."""
    waiting = deque[Future[Made]]()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def write_shard(
    work: Path, catalog: Catalog, start: int, stop: int, encoder: Encoder,
    encoded: Callable[[int], None] = lambda products: None,
) -> None:  # fmt: skip
    """Encode the products of these places as one shard into `work`, where a file that is there is whole.

    `encoded` is told after each pass of the encoder how many products of the catalogue are behind it.
    """
    path, thumbs, rows = work / f"{start:09d}.safetensors", work / "thumbs", catalog.products[start:stop]
    pictured: list[int] = []
    kept: list[int] = []
    refused: list[dict[str, Any]] = []
    pixels = _pixels(encoder)

    def read(at: int) -> tuple[int, Image.Image | None, list[dict[str, Any]]]:
        return at, *_read(catalog, rows[at], thumbs)

    def drawn() -> Iterator[tuple[Image.Image, tuple[int, int, int, int]]]:
        """The shard's pictures in order, and the part of each that is its other view."""
        rng = np.random.default_rng(sum(catalog.image_path(row) is not None for row in rows))
        for at, picture, faults in ahead(pool, read, range(len(rows))):
            refused.extend(faults)
            if picture is not None:
                pictured.append(len(kept))
                yield picture, _window(picture, rng)
            elif any(fault["column"] == "image" for fault in faults):
                continue
            kept.append(at)

    def looked(one: tuple[Image.Image, tuple[int, int, int, int]]) -> list[Any]:
        picture, window = one
        return [pixels(look) for look in (*_product_looks(picture), *_query_looks(_squeezed(picture, window)))]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        looks = (look for some in ahead(pool, looked, drawn()) for look in some)
        passes = []
        batch = getattr(encoder, "batch", BATCH)
        while some := list(islice(looks, batch)):
            passes.append(encoder.image_both(some))
            done = min(len(passes) * batch // LOOKS, len(pictured))
            encoded(start + kept[pictured[done - 1]] + 1)
    if not pictured:
        passes.append(encoder.image_both([Image.new("RGB", (8, 8), "white")] * LOOKS))
    seen = [np.vstack(some) for some in zip(*passes, strict=True)]
    features, vectors = (x.reshape(-1, LOOKS, x.shape[1]) for x in seen)
    image, view = (
        _spread(_together(features[:, looks], vectors[:, looks], weights), pictured, len(kept))
        for looks, weights in ((slice(PRODUCT_LOOKS), None), (slice(PRODUCT_LOOKS, None), QUERY_LOOKS))
    )
    text = text_rows(encoder, [rows[i].text for i in kept] or ["-"])[: len(kept)]
    # The list of refusals first: a shard that exists is a shard that is whole.
    path.with_suffix(".json").write_text(json.dumps(refused))
    part = path.with_suffix(".part")
    save_file({"image": image, "view": view, "text": text, "kept": np.array(kept, np.int64)}, part)
    part.replace(path)


def _read(catalog: Catalog, product: Product, thumbs: Path) -> tuple[Image.Image | None, list[dict[str, Any]]]:
    """A product's picture, its thumbnails written, and what was refused."""
    source, refused = catalog.image_path(product), list[dict[str, Any]]()
    if source is None:
        return None, refused
    try:
        picture = decode(source, max_side=512)
    except InputError as e:
        return None, [{"row": 0, "id": product.id, "column": "image", "reason": str(e)}]
    thumbnail(picture, thumbs / thumb_name(product.id), side=SIDE)
    views = 0
    for further in catalog.views.get(product.id, ()):
        try:
            thumbnail(catalog.root / further, thumbs / view_name(product.id, views + 1), side=SIDE)
            views += 1
        except InputError as e:
            refused.append({"row": 0, "id": product.id, "column": "views", "reason": str(e)})
    return picture, refused


def _spread(rows: Array, at: list[int], count: int) -> Array:
    """The rows at these places of `count`, zero elsewhere."""
    spread = np.zeros((count, rows.shape[1]), np.float32)
    spread[at] = rows[: len(at)]
    return spread

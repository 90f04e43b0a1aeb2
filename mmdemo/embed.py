"""A catalogue through the encoder: rows of numbers and thumbnails, in shards, so that a stopped build goes on."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import load_file, save_file

from mmdemo.catalog import Catalog, Product, Refusal
from mmdemo.encoder import Encoder
from mmdemo.errors import InputError
from mmdemo.imaging import decode, thumbnail
from mmdemo.vectors import Array, normalize

SHARD = 256
CORNERS_AND_MIDDLE = ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))
SIDE = 384  # pixels, longer side of the pictures that the app shows
Progress = Callable[[int, int, str], None]


def silent(done: int, total: int, what: str) -> None:
    """A progress callback that says nothing."""


@dataclass
class Embedded:
    """Products that came through, their rows (zero where a modality is missing), and pictures that did not decode.

    `view` holds rows of another try at each picture (cropped, recompressed): the positives that `fit` learns from.
    """

    products: list[Product]
    image: Array
    view: Array
    text: Array
    refused: list[Refusal]


def embed(
    catalog: Catalog, encoder: Encoder, work: Path, *, resume: bool = False, progress: Progress = silent
) -> Embedded:
    """Encode every product, writing shards and thumbnails under `work`.

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
    products, refused, images, views, texts = [], [], [], [], []
    for start in range(0, len(catalog), SHARD):
        rows = catalog.products[start : start + SHARD]
        shard = work / f"{start:09d}.safetensors"
        if not shard.exists():
            _write_shard(shard, catalog, rows, encoder, work / "thumbs")
        arrays = load_file(shard)
        for refusal in json.loads(shard.with_suffix(".json").read_text()):
            refused.append(Refusal(**refusal))
        products += [rows[i] for i in arrays["kept"]]
        images.append(arrays["image"])
        views.append(arrays["view"])
        texts.append(arrays["text"])
        progress(min(start + SHARD, len(catalog)), len(catalog), "encoding products")
    if not products:
        raise InputError(
            "no product of the catalogue could be encoded; see the refused rows above and mend the pictures"
        )
    return Embedded(products, np.vstack(images), np.vstack(views), np.vstack(texts), refused)


def cropped(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Another try at the same photo: 60 to 90% of its area, recompressed as a JPEG of quality 40."""
    side = rng.uniform(0.6, 0.9) ** 0.5
    w, h = round(picture.width * side), round(picture.height * side)
    x, y = int(rng.integers(0, picture.width - w + 1)), int(rng.integers(0, picture.height - h + 1))
    squeezed = io.BytesIO()
    picture.crop((x, y, x + w, y + h)).save(squeezed, "JPEG", quality=40)
    return decode(squeezed.getvalue())


def image_rows(encoder: Encoder, pictures: Sequence[Image.Image]) -> Array:
    """Rows (n, width) of query photos: the unit embedding, then the tower's pooled features at unit length.

    A photo is seen as it is (twice the weight), a little nearer and a little further away: people do not frame a
    thing as its shop does.
    """
    return _seen(encoder, [[p, _part(p, 0.86, 0.5, 0.5), _further(p)] for p in pictures], (2, 1, 1))


def product_rows(encoder: Encoder, pictures: Sequence[Image.Image]) -> Array:
    """Rows of product pictures: as they are, their corners and their middle, so that a cropped photo finds its own.

    This is the multi-crop test of AlexNet (Krizhevsky et al. 2012), paid once, when the index is built.
    """
    return _seen(encoder, [[p, *(_part(p, 0.86, x, y) for x, y in CORNERS_AND_MIDDLE)] for p in pictures])


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


def _seen(encoder: Encoder, looks: list[list[Image.Image]], weights: Sequence[float] | None = None) -> Array:
    both = [encoder.image_both(some) for some in zip(*looks, strict=True)]
    features, vectors = (np.average([look[k] for look in both], axis=0, weights=weights) for k in (0, 1))
    return _rows(normalize(vectors), features)


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
    # A tower that hides its pooled features hands out the embedding again: once is enough.
    if features.shape == vectors.shape and np.allclose(normalize(features), vectors, atol=1e-4):
        return vectors
    return np.hstack([vectors, normalize(features)])


def thumb_name(product_id: str) -> str:
    """Thumbnails are named by a hash, since an id may hold any character."""
    return f"{hashlib.sha256(product_id.encode()).hexdigest()[:20]}.webp"


def view_name(product_id: str, number: int) -> str:
    """The name of a further picture's thumbnail, counted from 1."""
    return thumb_name(f"{product_id}\0{number}")  # no id holds a NUL


def _write_shard(path: Path, catalog: Catalog, rows: list[Product], encoder: Encoder, thumbs: Path) -> None:
    pictures: list[Image.Image] = []
    with_picture: list[int] = []
    kept: list[int] = []
    refused: list[dict[str, Any]] = []
    for i, product in enumerate(rows):
        source = catalog.image_path(product)
        if source is not None:
            try:
                picture = decode(source, max_side=512)
            except InputError as e:
                refused.append({"row": 0, "id": product.id, "column": "image", "reason": str(e)})
                continue
            thumbnail(picture, thumbs / thumb_name(product.id), side=SIDE)
            views = 0
            for further in catalog.views.get(product.id, ()):
                try:
                    thumbnail(catalog.root / further, thumbs / view_name(product.id, views + 1), side=SIDE)
                    views += 1
                except InputError as e:
                    refused.append({"row": 0, "id": product.id, "column": "views", "reason": str(e)})
            with_picture.append(len(kept))
            pictures.append(picture)
        kept.append(i)
    text = text_rows(encoder, [rows[i].text for i in kept] or ["-"])[: len(kept)]
    seen = product_rows(encoder, pictures or [Image.new("RGB", (8, 8), "white")])
    image = np.zeros((len(kept), seen.shape[1]), np.float32)
    image[with_picture] = seen[: len(with_picture)]
    view = np.zeros_like(image)
    if pictures:
        rng = np.random.default_rng(len(pictures))
        view[with_picture] = image_rows(encoder, [cropped(p, rng) for p in pictures])
    # The list of refusals first: a shard that exists is a shard that is whole.
    path.with_suffix(".json").write_text(json.dumps(refused))
    part = path.with_suffix(".part")
    save_file({"image": image, "view": view, "text": text, "kept": np.array(kept, np.int64)}, part)
    part.replace(path)

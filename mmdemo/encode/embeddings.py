"""Embeddings of photos, product pictures and sentences, a picture's averaged over several views of it.

An embedding (a row of `width` numbers) is the encoder's unit vector, followed by the tower's pooled features at unit
length where the tower shows them. It knows nothing of catalogues and files.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from mmdemo.catalog.imaging import decode
from mmdemo.core.vectors import Array, normalize
from mmdemo.encode.encoder import Encoder

CORNERS_AND_CENTRE = ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5))
CROP = 0.86  # of each side of a picture
PRODUCT_VIEWS = 1 + len(CORNERS_AND_CENTRE)
QUERY_WEIGHTS = (2, 1, 1)  # of a query photo's views: whole, nearer, further away
Crop = tuple[int, int, int, int]  # left, top, right, bottom


def photo_embeddings(encoder: Encoder, photos: Sequence[Image.Image]) -> Array:
    """Embeddings (n, width) of query photos.

    Each is seen whole (with twice the weight), a little nearer and a little further away, since people do not frame a
    thing as its shop does.
    """
    return embed_views(encoder, [query_views(encoder, photo) for photo in photos])


def query_views(encoder: Encoder, photo: Image.Image) -> list[Any]:
    """The views of a query photo, prepared for `embed_views`; may be called from many threads."""
    prepare = preparation(encoder)
    return [prepare(view) for view in views_of_photo(photo)]


def embed_views(encoder: Encoder, views: Sequence[list[Any]]) -> Array:
    """`photo_embeddings` of photos whose views are prepared."""
    return _encode_views(encoder, views, QUERY_WEIGHTS)


def product_embeddings(encoder: Encoder, pictures: Sequence[Image.Image]) -> Array:
    """Embeddings (n, width) of product pictures: whole, corners and centre, so that a cropped photo finds its product.

    This is the multi-crop evaluation of AlexNet (Krizhevsky et al. 2012), paid once, when the index is built.
    """
    return _encode_views(encoder, [views_of_product(p) for p in pictures])


def single_view_embeddings(encoder: Encoder, pictures: Sequence[Image.Image]) -> Array:
    """Embeddings (n, width) of pictures seen once: a third to a sixth of the work, for many changes of one picture."""
    return _encode_views(encoder, [[p] for p in pictures])


def text_embeddings(encoder: Encoder, texts: Sequence[str]) -> Array:
    """Embeddings (n, width) of sentences."""
    features, vectors = encoder.encode_text_with_features(texts)
    return vectors if _features_hidden(vectors, features) else np.hstack([vectors, normalize(features)])


def shifted(embedding: Array, by: Array, dim: int) -> Array:
    """One embedding (width,) plus each of these differences (n, width), both of its parts at unit length: (n, width).

    >>> shifted(np.array([1.0, 0.0], np.float32), np.array([[0.0, 1.0], [1.0, 0.0]], np.float32), dim=2).round(2)
    array([[0.71, 0.71],
           [1.  , 0.  ]], dtype=float32)
    """
    rows = embedding + by
    parts = [rows[:, :dim], rows[:, dim:]]
    return np.hstack([normalize(part) for part in parts if part.shape[1]])


def mean_embedding(embeddings: Array, dim: int) -> Array:
    """Embeddings (n, width) of several photos as one, in the middle of them: (1, width)."""
    return shifted(embeddings.mean(0), np.zeros((1, embeddings.shape[1]), np.float32), dim)


def random_crop(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Another photo of the same thing: 60 to 90% of the picture's area, recompressed as a JPEG of quality 40."""
    return recompressed(picture, random_window(picture, rng))


def random_window(picture: Image.Image, rng: np.random.Generator) -> Crop:
    """The part of the picture that `random_crop` keeps."""
    side = rng.uniform(0.6, 0.9) ** 0.5
    w, h = round(picture.width * side), round(picture.height * side)
    x, y = int(rng.integers(0, picture.width - w + 1)), int(rng.integers(0, picture.height - h + 1))
    return x, y, x + w, y + h


def recompressed(picture: Image.Image, crop: Crop) -> Image.Image:
    """This part of the picture after a JPEG of quality 40."""
    jpeg = io.BytesIO()
    picture.crop(crop).save(jpeg, "JPEG", quality=40)
    return decode(jpeg.getvalue())


def views_of_photo(photo: Image.Image) -> list[Image.Image]:
    """A query photo whole, nearer and further away, weighted by `QUERY_WEIGHTS`."""
    return [photo, _window(photo, 0.5, 0.5), _with_margin(photo)]


def views_of_product(picture: Image.Image) -> list[Image.Image]:
    """A product picture whole, its corners and its centre: `PRODUCT_VIEWS` of them."""
    return [picture, *(_window(picture, x, y) for x, y in CORNERS_AND_CENTRE)]


def preparation(encoder: Encoder) -> Callable[[Image.Image], Any]:
    """What can be done to a picture before the encoder's turn."""
    return getattr(encoder, "pixels", lambda picture: picture)


def average_views(features: Array, vectors: Array, weights: Sequence[float] | None = None) -> Array:
    """Embeddings (n, width) from what the encoder says of several views of each picture, (n, views, d) both."""
    hidden = _features_hidden(vectors.reshape(-1, vectors.shape[2]), features.reshape(-1, features.shape[2]))
    vector, feature = (np.average(x, axis=1, weights=weights).astype(np.float32) for x in (vectors, features))
    return normalize(vector) if hidden else np.hstack([normalize(vector), normalize(feature)])


def _encode_views(encoder: Encoder, views: Sequence[list[Any]], weights: Sequence[float] | None = None) -> Array:
    features, vectors = encoder.encode_image_with_features([view for picture in views for view in picture])
    n = len(views)
    return average_views(features.reshape(n, -1, features.shape[1]), vectors.reshape(n, -1, vectors.shape[1]), weights)


def _features_hidden(vectors: Array, features: Array) -> bool:
    """Whether a tower hides its pooled features and returns the embedding in their place, which is then kept once.

    Asked of single views, (n, d) both: the means of several would differ.
    """
    return features.shape == vectors.shape and np.allclose(normalize(features), vectors, atol=1e-4)


def _window(picture: Image.Image, x: float, y: float) -> Image.Image:
    """A window of `CROP` of each side, at x, y from 0 (left, top) to 1 (right, bottom)."""
    w, h = max(1, round(picture.width * CROP)), max(1, round(picture.height * CROP))
    left, top = round(x * (picture.width - w)), round(y * (picture.height - h))
    return picture.crop((left, top, left + w, top + h))


def _with_margin(picture: Image.Image, margin: float = 0.08) -> Image.Image:
    w, h = round(picture.width * margin), round(picture.height * margin)
    return ImageOps.expand(picture, (w, h, w, h), fill="white")

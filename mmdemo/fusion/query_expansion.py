"""Expand a photo with the texts of the products that look most like it (pseudo-relevance feedback).

A wish ("in blue instead of red") says more where it is known what it starts from. A product of the shop brings its own
text; for a photo the texts of its nearest products stand in (Croft and Harper 1979). It knows nothing of products:
rows of numbers go in.
"""

import numpy as np

from mmdemo.core.vectors import Array

NEIGHBOURS = 10  # products whose texts are used
SHARPNESS = 30.0  # how much more the nearest of them counts


def expand(photos: Array, images: Array, texts: Array, dim: int) -> Array:
    """Text rows (n, text width) for photos (n, width), averaged over the texts of their neighbours.

    `images` (n, k, width) and `texts` (n, k, text width) are the neighbours' rows, `dim` the shared space's dimension.
    The nearer a neighbour, the more its text counts; the row is zero where no neighbour has a text.

    >>> photo, images = np.array([[1.0, 0.0]]), np.array([[[1.0, 0.0], [0.0, 1.0]]])
    >>> expand(photo, images, texts=images, dim=2).round(2)
    array([[1., 0.]], dtype=float32)
    """
    length = np.linalg.norm(photos[:, :dim], axis=1, keepdims=True).clip(1e-9)
    near = np.einsum("nd,nkd->nk", photos[:, :dim] / length, images[..., :dim])
    weight = np.exp(SHARPNESS * (near - near.max(1, keepdims=True))) * (texts != 0).any(2)
    rows = np.einsum("nk,nkd->nd", weight, texts)
    for part in (rows[:, :dim], rows[:, dim:]):  # the embedding and the features, each at unit length as in any row
        part /= np.linalg.norm(part, axis=1, keepdims=True).clip(1e-9)
    return rows.astype(np.float32)


def expand_among(photos: Array, images: Array, texts: Array, dim: int) -> Array:
    """`expand` for photos among all products of a shop, (m, width) and (m, text width), by exact search."""
    if not len(photos) or not len(images):
        return np.zeros((len(photos), texts.shape[1]), np.float32)
    expanded = []
    for start in range(0, len(photos), 256):
        chunk = photos[start : start + 256]
        near = chunk[:, :dim] @ images[:, :dim].T
        k = min(NEIGHBOURS, len(images))
        rows = np.argpartition(-near, k - 1, axis=1)[:, :k]
        expanded.append(expand(chunk, images[rows], texts[rows], dim))
    return np.vstack(expanded)

"""What a shop would call the thing on a photo: the words of its own products that look most like it.

A wish ("in blue instead of red") says more where it is known what it starts from. A product of the shop brings its
text; for a photo the nearest products lend theirs (pseudo-relevance feedback, Croft and Harper 1979).
"""

import numpy as np

from mmdemo.vectors import Array

NEAREST = 10  # products that lend their words
SHARP = 30.0  # how much more the nearest of them counts


def guess(photos: Array, pictures: Array, texts: Array, dim: int) -> Array:
    """Text rows (n, text width) for photos (n, width), from those of their nearest products: (n, k, width) pictures and
    (n, k, text width) texts. The nearer a picture, the more its words count; zero where none has words."""
    length = np.linalg.norm(photos[:, :dim], axis=1, keepdims=True).clip(1e-9)
    near = np.einsum("nd,nkd->nk", photos[:, :dim] / length, pictures[..., :dim])
    weight = np.exp(SHARP * (near - near.max(1, keepdims=True))) * (texts != 0).any(2)
    rows = np.einsum("nk,nkd->nd", weight, texts)
    for part in (rows[:, :dim], rows[:, dim:]):  # the embedding and the features, each of length one as in any row
        part /= np.linalg.norm(part, axis=1, keepdims=True).clip(1e-9)
    return rows.astype(np.float32)


def guess_among(photos: Array, pictures: Array, texts: Array, dim: int) -> Array:
    """`guess` for photos among all of a shop's products, (m, width) and (m, text width), looking at every picture."""
    if not len(photos) or not len(pictures):
        return np.zeros((len(photos), texts.shape[1]), np.float32)
    found = []
    for start in range(0, len(photos), 256):
        some = photos[start : start + 256]
        near = some[:, :dim] @ pictures[:, :dim].T
        k = min(NEAREST, len(pictures))
        rows = np.argpartition(-near, k - 1, axis=1)[:, :k]
        found.append(guess(some, pictures[rows], texts[rows], dim))
    return np.vstack(found)

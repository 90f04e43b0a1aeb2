"""What a small index leaves out of its folder: digits that no score needs, and vectors that its head computes again.

An index of at most SMALL products keeps its embeddings and its head in half precision and has no file of fused vectors:
an opening computes those for its checks anyway. Everything is computed in float32. Since the numbers were rounded
before the head fused them, an index that was built, saved and opened has the same vectors at each step.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.vectors import Array
from mmdemo.fusion.heads import FusionHead

ROWS, ROWS_PLAIN = "rows.jsonl.gz", "rows.jsonl"  # the products; the second in an index of format 5
STEP = 16_384  # rows that go through the head at a time
SMALL = 16_384  # products up to which an opening computes every fused vector
ANCHORED = 4  # numbers of each fused vector that are stored, to see that head and embeddings belong together


def rounded(rows: Array) -> Array:
    """Embeddings (n, width) at half precision, as float32."""
    return rows.astype(np.float16).astype(np.float32)


def narrowed(rows: Array) -> NDArray[Any]:
    """Rows (n, width) as float16 where the index is small and no digit is lost, else as they are."""
    if len(rows) > SMALL:
        return rows
    half = rows.astype(np.float16)
    return half if np.array_equal(half, rows) else rows


def fused(head: FusionHead, image: Array, text: Array) -> Array:
    """What a head makes of products (n), some at a time: their fused vectors (n, width of the head)."""
    steps = [slice(start, start + STEP) for start in range(0, len(image), STEP)]
    return np.vstack([head.product_parts(image=image[rows], text=text[rows]).sum(axis=1) for rows in steps])


def anchor(vectors: Array) -> Array:
    """The first numbers (n, ANCHORED) of fused vectors."""
    return np.ascontiguousarray(vectors[:, :ANCHORED])

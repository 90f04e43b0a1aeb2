"""Projects embeddings to points of a plane, for the map, so that what is alike lies together.

Knows nothing of products.

t-SNE (van der Maaten and Hinton 2008) in the short form of Böhm, Berens and Kobak (2022): every point is drawn to its
nearest neighbours alike, and begins at its principal components (Kobak and Berens 2019), so that the whole keeps its
place and two runs give the same plane. The push between all pairs is estimated from a fresh sample in each step.
"""

import numpy as np

from mmdemo.core.vectors import Array
from mmdemo.index.store import FaissStore

NEIGHBOURS_DRAWN = 15  # nearest rows that a point is drawn towards
SAMPLE = 128  # points whose push is felt in one step; in a smaller catalogue that is everybody
STEPS, EARLY = 400, 130  # all of them, and how many of the first pull harder to let clusters form
EXAGGERATION = 12.0, 1.0  # how much harder, first and then
PLACED_BY = 5  # neighbours that place a newcomer


def principal(rows: Array) -> Array:
    """Rows (n, d) -> their two principal components (n, 2), each axis turned so that its longest reach is positive."""
    centred = rows - rows.mean(0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    points = np.zeros((len(rows), 2), np.float32)
    components = centred @ vectors[:, ::-1][:, :2]
    points[:, : components.shape[1]] = components
    reach = points[np.abs(points).argmax(0), [0, 1]]
    return points * np.where(reach < 0, -1, 1).astype(np.float32)


def project(rows: Array) -> Array:
    """Unit rows (n, d) -> points (n, 2) float32 in a square from -1 to 1, the same every time; neighbours stay near."""
    start = principal(rows)
    n, k = len(rows), min(NEIGHBOURS_DRAWN, (len(rows) - 1) // 3)
    if k < 2:  # too few for anything but a straight look
        return _framed(start)
    neighbours = _neighbours(rows, k)
    points = start / max(float(start[:, 0].std()), 1e-12) * 1e-4
    rng = np.random.default_rng(0)
    speed, gain = np.zeros_like(points), np.ones_like(points)
    for step in range(STEPS):
        pull = _pull(points, neighbours) * EXAGGERATION[step >= EARLY]
        force = pull + _push(points, rng)
        same = np.sign(force) == np.sign(speed)
        gain = np.clip(np.where(same, gain + 0.2, gain * 0.8), 0.01, None).astype(np.float32)
        speed = (0.5 if step < EARLY else 0.8) * speed + n / EXAGGERATION[0] * 4 * gain * force
        points = points + speed
    return _framed(points)


def place(rows: Array, points: Array, vector: Array) -> Array:
    """Where a newcomer (d,) belongs among `points` (n, 2) of `rows` (n, d): amid its nearest, by how near they are."""
    scores = rows @ vector
    nearest = np.argsort(-scores, kind="stable")[:PLACED_BY]
    weight = np.exp((scores[nearest] - scores[nearest[0]]) / max(float(scores.std()), 1e-6) * 2)
    return (weight @ points[nearest] / weight.sum()).astype(np.float32)


def _neighbours(rows: Array, k: int) -> np.ndarray:
    """Row numbers (n, k) of each row's nearest others."""
    store = FaissStore(rows.shape[1])
    store.add(np.arange(len(rows)), rows)
    nearest = np.vstack([store.search(rows[at : at + 512], k + 1)[1] for at in range(0, len(rows), 512)])
    # A row comes first in its own list, but for copies of it: move it to the end, and drop the last.
    itself = nearest == np.arange(len(rows))[:, None]
    return np.take_along_axis(nearest, np.argsort(itself, axis=1, kind="stable"), 1)[:, :k]


def _pull(points: Array, neighbours: np.ndarray) -> Array:
    n, k = neighbours.shape
    apart = [points[:, axis][neighbours] - points[:, axis, None] for axis in (0, 1)]
    weight = 1 / (1 + apart[0] ** 2 + apart[1] ** 2) / np.float32(2 * n * k)
    pulls = [weight * pull for pull in apart]
    # Both ends of every thread move, each towards the other.
    return np.stack([pull.sum(1) - np.bincount(neighbours.ravel(), pull.ravel(), n) for pull in pulls], 1).astype(
        np.float32
    )


def _push(points: Array, rng: np.random.Generator) -> Array:
    n = len(points)
    sample = points if n <= SAMPLE else points[rng.choice(n, SAMPLE, replace=False)]
    square = (points**2).sum(1)[:, None] + (sample**2).sum(1)[None] - 2 * points @ sample.T
    nearness = 1 / (1 + np.maximum(square, 0))
    total = max(float(nearness.sum()) - len(sample), 1e-9)  # without each with itself
    nearness *= nearness
    return (points * nearness.sum(1, keepdims=True) - nearness @ sample) / np.float32(total)


def _framed(points: Array) -> Array:
    """Centred, the longer side from -1 to 1."""
    low, high = points.min(0), points.max(0)
    return ((points - (low + high) / 2) / max(float((high - low).max()) / 2, 1e-12)).astype(np.float32)

"""Soft goods: flat pattern pieces sewn at their seams, then inflated or draped by position-based dynamics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.spatial import Delaunay, cKDTree

from .geometry import Array, Points, arc_length

Segment = tuple[Points, bool]  # a polyline, and whether it is a seam


def resample(points: Points, step: float) -> Array:
    """A 2-D polyline cut into pieces of about `step`."""
    p = np.asarray(points, float)
    d = arc_length(p)
    t = np.linspace(0, d[-1], max(round(d[-1] / step), 1) + 1)
    return np.stack([np.interp(t, d, p[:, k]) for k in range(2)], 1)


def mirrored(points: Points) -> Array:
    """The polyline on the other side of x = 0, running back."""
    return (np.asarray(points, float) * [-1, 1])[::-1]


def inside(polygon: Array, points: Array) -> Array:
    """Which points lie inside a polygon (even-odd rule)."""
    a, b = polygon, np.roll(polygon, -1, 0)
    x, y = points[:, 0][:, None], points[:, 1][:, None]
    spans = (a[:, 1] > y) != (b[:, 1] > y)
    dy = b[:, 1] - a[:, 1]
    cross = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / np.where(dy == 0, 1e-12, dy)
    return (spans & (x < cross)).sum(1) % 2 == 1


def triangulate(outline: Array, step: float) -> tuple[Array, Array]:
    """Even triangles inside an outline; its own points come first."""
    lo, hi = outline.min(0), outline.max(0)
    rows = np.arange(lo[1], hi[1], step * 0.866)
    grid = np.array([(x + (j % 2) * step / 2, y) for j, y in enumerate(rows) for x in np.arange(lo[0], hi[0], step)])
    grid = grid[inside(outline, grid)]
    grid = grid[cKDTree(outline).query(grid)[0] > step * 0.55]
    points = np.vstack([outline, grid])
    tri = Delaunay(points).simplices
    tri = tri[inside(outline, points[tri].mean(1))]
    p = points[tri]
    e, f = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    area = e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]
    tri, area = tri[np.abs(area) > 1e-7], area[np.abs(area) > 1e-7]
    tri[area < 0] = tri[area < 0][:, [0, 2, 1]]
    return points, tri


def sew(front: Sequence[Segment], back: Sequence[Segment], step: float) -> tuple[Array, Array, Array]:
    """Two outlines with common seams as one surface: vertices, triangles, and the layer (0 front, 1 back)."""

    def outline(segments: Sequence[Segment]) -> tuple[Array, Array]:
        points, seam = [], []
        for line, sewn in segments:
            q = resample(line, step)[:-1]
            points.append(q)
            seam += [sewn] * len(q)
        s = np.array(seam)
        return np.vstack(points), s | np.roll(s, 1)  # the end point of a seam belongs to it, too

    pf, sf = outline(front)
    pb, sb = outline(back)
    (qf, tf), (qb, tb) = triangulate(pf, step), triangulate(pb, step)
    n = len(qf)
    v = np.vstack([np.c_[qf, np.full(n, 0.006)], np.c_[qb, np.full(len(qb), -0.006)]])
    target = np.arange(len(v))
    seam_index = np.flatnonzero(sf)
    tree = cKDTree(qf[: len(pf)][sf])
    for j in np.flatnonzero(sb):
        d, k = tree.query(qb[j])
        if d < step * 0.2:
            target[n + j] = seam_index[k]
            v[seam_index[k], 2] = 0
    t = np.vstack([target[tf], target[tb[:, ::-1] + n]])
    used = np.unique(t)
    new = -np.ones(len(v), int)
    new[used] = np.arange(len(used))
    return v[used], new[t], np.r_[np.zeros(n), np.ones(len(qb))][used]


def edges(tri: Array) -> Array:
    """Each edge of a triangulation once."""
    return np.unique(np.sort(np.vstack([tri[:, [0, 1]], tri[:, [1, 2]], tri[:, [2, 0]]]), 1), axis=0)


def hinges(tri: Array) -> Array:
    """The two far corners of every pair of triangles that share an edge."""
    e = np.vstack([tri[:, [0, 1, 2]], tri[:, [1, 2, 0]], tri[:, [2, 0, 1]]])
    k = np.sort(e[:, :2], 1)
    o = np.lexsort((k[:, 1], k[:, 0]))
    k, far = k[o], e[o, 2]
    same = (k[1:] == k[:-1]).all(1)
    return np.stack([far[:-1][same], far[1:][same]], 1)


def scatter(index: Array, values: Array, n: int) -> Array:
    """Sum of rows of values by index."""
    return np.stack([np.bincount(index, values[:, d], minlength=n) for d in range(values.shape[1])], 1)


def simulate(
    start: Array,
    tri: Array,
    rest: Array,
    pressure: float = 1.0,
    gravity: float = 0.0,
    floor: float | None = None,
    steps: int = 100,
    iterations: int = 8,
    dt: float = 0.022,
    bend: float = 0.05,
    damping: float = 0.86,
    collide: Callable[[Array], Array] | None = None,
) -> Array:
    """Let a cloth settle under pressure and gravity; edge lengths are those of `rest`."""
    x, previous, n = start.copy(), start.copy(), len(start)
    e, h = edges(tri), hinges(tri)
    length = np.linalg.norm(rest[e[:, 0]] - rest[e[:, 1]], axis=1)
    span = np.linalg.norm(rest[h[:, 0]] - rest[h[:, 1]], axis=1)
    degree = np.bincount(e.ravel(), minlength=n)[:, None]
    hinge_degree = np.maximum(np.bincount(h.ravel(), minlength=n), 1)[:, None]
    area = np.linalg.norm(np.cross(rest[tri[:, 1]] - rest[tri[:, 0]], rest[tri[:, 2]] - rest[tri[:, 0]]), axis=1).mean()
    ei, hi, ti = np.r_[e[:, 0], e[:, 1]], np.r_[h[:, 0], h[:, 1]], tri.T.ravel()
    for _ in range(steps):
        speed = (x - previous) * damping
        previous = x.copy()
        normal = np.cross(x[tri[:, 1]] - x[tri[:, 0]], x[tri[:, 2]] - x[tri[:, 0]]) / area
        force = scatter(ti, np.tile(normal, (3, 1)), n) / 6 * pressure
        force[:, 2] -= gravity
        x = x + speed + force * dt * dt
        for _ in range(iterations):
            d = x[e[:, 1]] - x[e[:, 0]]
            now = np.linalg.norm(d, axis=1)
            c = d * ((now - length) / (now + 1e-12) * 0.5)[:, None]
            x = x + scatter(ei, np.vstack([c, -c]), n) / degree * 1.4
            if bend:
                d = x[h[:, 1]] - x[h[:, 0]]
                now = np.linalg.norm(d, axis=1)
                c = d * ((now - span) / (now + 1e-12) * 0.5 * bend)[:, None]
                x = x + scatter(hi, np.vstack([c, -c]), n) / hinge_degree
            if floor is not None:
                low = x[:, 2] < floor
                x[low, 2] = floor
                x[low, :2] = previous[low, :2] * 0.7 + x[low, :2] * 0.3  # friction
            if collide is not None:
                x = collide(x)
    if not np.isfinite(x).all():
        raise FloatingPointError("the cloth blew up: lower the pressure or the time step")
    return x


def smooth(points: Array, tri: Array, rounds: int = 3) -> Array:
    """Taubin smoothing: takes out the noise without shrinking the cloth."""
    e, n = edges(tri), len(points)
    degree = np.bincount(e.ravel(), minlength=n)[:, None]
    for _ in range(rounds):
        for weight in (0.5, -0.53):
            mean = (scatter(e[:, 0], points[e[:, 1]], n) + scatter(e[:, 1], points[e[:, 0]], n)) / degree
            points = points + weight * (mean - points)
    return points


def subdivide(points: Array, tri: Array, uv: Array) -> tuple[Array, Array, Array]:
    """Each triangle cut into four."""
    e, inverse = np.unique(
        np.sort(np.vstack([tri[:, [0, 1]], tri[:, [1, 2]], tri[:, [2, 0]]]), 1), axis=0, return_inverse=True
    )
    inverse, m, n = inverse.ravel(), len(tri), len(points)
    a, b, c = inverse[:m] + n, inverse[m : 2 * m] + n, inverse[2 * m :] + n
    t = np.vstack(
        [
            np.stack([tri[:, 0], a, c], 1),
            np.stack([tri[:, 1], b, a], 1),
            np.stack([tri[:, 2], c, b], 1),
            np.stack([a, b, c], 1),
        ]
    )
    return (
        np.vstack([points, (points[e[:, 0]] + points[e[:, 1]]) / 2]),
        t,
        np.vstack([uv, (uv[e[:, 0]] + uv[e[:, 1]]) / 2]),
    )


def crease(xy: Array, start: Points, angle: float, length: float, width: float) -> Array:
    """Height of one fold that starts at a point, runs at an angle (degrees) and dies out."""
    d = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    r = xy - np.asarray(start, float)
    along, across = r @ d, r @ np.array([-d[1], d[0]])
    return np.exp(-((across / width) ** 2)) * np.clip(along / 0.1, 0, 1) * np.exp(-np.clip(along, 0, 9) / length)


def lay_flat(
    front: Sequence[Segment],
    back: Sequence[Segment],
    step: float,
    folds: Callable[[Array], Array],
    rng: np.random.Generator,
    steps: int = 55,
    slack: float = 1.02,
) -> tuple[Array, Array, Array, Array]:
    """A garment laid on a table: points, triangles, UVs ((x + 1) / 2, (y + 1) / 2), flat points.

    `folds` gives the height of the folds of the front at flat points; cloth that long settles into them.
    """
    flat, tri, layer = sew(front, back, step)
    x = flat.copy()
    x[:, 2] += np.where(layer < 0.5, 0.02, 0.0) + 0.004 * rng.standard_normal(len(x))
    x[:, 2] -= x[:, 2].min() - 0.002
    x[:, 2] += np.where(layer < 0.5, folds(flat[:, :2]), 0)
    rest = np.c_[flat[:, :2] * slack, x[:, 2]]
    x = simulate(
        x,
        tri,
        rest,
        pressure=0.35,
        gravity=0.35,
        floor=0.0,
        steps=steps,
        iterations=8,
        dt=0.03,
        bend=0.05,
        damping=0.85,
    )
    uv = (flat[:, :2] + 1) / 2
    x, tri, uv = subdivide(x, tri, uv)
    return smooth(x, tri, 3), tri, uv, flat

"""Triangle meshes built from numbers: revolve, sweep, loft, rounded box, superellipsoid."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray
Points = Any  # whatever numpy makes an array of, nested lists of arrays included
EPS = 1e-12


@dataclass(frozen=True)
class Mesh:
    """Vertices (n, 3), triangles (m, 3) and texture coordinates (n, 2); a sheet is not `closed`."""

    vertices: Array
    faces: Array
    uv: Array
    closed: bool = True

    def moved(self, by: Points = (0, 0, 0), turn: Array | None = None, scale: float = 1.0) -> Mesh:
        """The mesh scaled, then turned by a 3x3 matrix, then shifted."""
        v = self.vertices * scale
        if turn is not None:
            v = v @ np.asarray(turn).T
        return replace(self, vertices=v + np.asarray(by, float))

    def mapped(self, uv: Array) -> Mesh:
        """The same mesh with other texture coordinates."""
        return replace(self, uv=np.asarray(uv, float))

    def uv_scaled(self, su: float, sv: float) -> Mesh:
        """The same mesh with stretched texture coordinates."""
        return replace(self, uv=self.uv * [su, sv])

    def projected(self, axes: tuple[int, int] = (0, 1), scale: float = 1.0) -> Mesh:
        """Texture coordinates taken from two of the three position axes."""
        return self.mapped(self.vertices[:, list(axes)] * scale + 0.5)

    def draped(self, scale: float = 1.0) -> Mesh:
        """Texture coordinates of a cloth laid over the top that falls down the sides without stretching."""
        v = self.vertices
        r = np.linalg.norm(v[:, :2], axis=1)
        fallen = v[:, 2].max() - v[:, 2]
        return self.mapped(v[:, :2] / (r[:, None] + EPS) * np.hypot(r, fallen)[:, None] * scale + 0.5)


def rotation(axis: str, degrees: float) -> Array:
    """Rotation matrix about x, y or z."""
    a = np.radians(degrees)
    c, s = np.cos(a), np.sin(a)
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[axis]


def grid_faces(nu: int, nv: int, wrap_u: bool = False, wrap_v: bool = False) -> Array:
    """Triangles of a (nu, nv) grid of vertices stored row by row."""
    i = np.arange(nu if wrap_u else nu - 1)
    j = np.arange(nv if wrap_v else nv - 1)
    ii, jj = (a.ravel() for a in np.meshgrid(i, j, indexing="ij"))
    a, b = ii * nv + jj, ((ii + 1) % nu) * nv + jj
    c, d = ((ii + 1) % nu) * nv + (jj + 1) % nv, ii * nv + (jj + 1) % nv
    return np.vstack([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def merge(meshes: Iterable[Mesh]) -> Mesh:
    """Several meshes as one."""
    meshes = list(meshes)
    offsets = np.cumsum([0] + [len(m.vertices) for m in meshes])
    return Mesh(
        np.vstack([m.vertices for m in meshes]),
        np.vstack([m.faces + o for m, o in zip(meshes, offsets, strict=False)]),
        np.vstack([m.uv for m in meshes]),
        all(m.closed for m in meshes),
    )


def arc_length(points: Array) -> Array:
    """Distance travelled along a polyline, zero at its first point."""
    return np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]


def catmull(points: Points, n: int = 12, closed: bool = False) -> Array:
    """Catmull-Rom curve through control points, `n` samples a span."""
    p = np.asarray(points, float)
    q = np.vstack([p[-1], p, p[0], p[1]]) if closed else np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, n, endpoint=False)[:, None]
    out = []
    for k in range(1, len(q) - 2):
        a, b, c, d = q[k - 1 : k + 3]
        out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    if not closed:
        out.append(p[-1:])
    return np.vstack(out)


def fillet(points: Points, radius: Points, n: int = 8) -> Array:
    """Polyline with its inner corners rounded, by one radius or one for each point."""
    p = np.asarray(points, float)
    r = np.broadcast_to(np.asarray(radius, float), (len(p),))
    t = np.linspace(0, 1, n)[:, None]
    out = [p[:1]]
    for k in range(1, len(p) - 1):
        a, b, c = p[k - 1], p[k], p[k + 1]
        la, lc = np.linalg.norm(a - b), np.linalg.norm(c - b)
        d = min(r[k], la * 0.49, lc * 0.49)
        if d < 1e-6:
            out.append(b[None])
            continue
        s, e = b + (a - b) / la * d, b + (c - b) / lc * d
        out.append((1 - t) ** 2 * s + 2 * t * (1 - t) * b + t**2 * e)
    out.append(p[-1:])
    return np.vstack(out)


def refine(points: Points, step: float) -> Array:
    """The same polyline with no gap wider than `step`: a relief needs points to act on."""
    p = np.asarray(points, float)
    out = [p[:1]]
    for a, b in pairwise(p):
        n = max(1, int(np.ceil(np.linalg.norm(b - a) / step)))
        out.append(a + (b - a) * np.linspace(0, 1, n + 1)[1:, None])
    return np.vstack(out)


def circle(radius: float, z: float = 0.0, n: int = 96, stretch: float = 1.0) -> Array:
    """Closed ring of points in a horizontal plane (the first point is not repeated)."""
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.stack([radius * np.cos(a), radius * stretch * np.sin(a), np.full(n, float(z))], 1)


def revolve(
    profile: Points,
    n: int = 128,
    relief: Callable[[Array, Array], Array] | None = None,
    stretch: tuple[float, float] = (1.0, 1.0),
    wall: tuple[float, float] | None = None,
    closed: bool = True,
) -> Mesh:
    """Surface of revolution of (radius, height) points.

    u runs around, v along the profile; `wall` gives the heights between which v goes from 0 to 1, so that a
    pattern starts at the foot and ends at the rim. `relief(angle, height)` multiplies the radius.
    """
    p = np.asarray(profile, float)
    th = np.linspace(0, 2 * np.pi, n + 1)
    s = arc_length(p)
    if wall is None:
        v = s / s[-1]
    else:
        rising = np.arange(len(p))
        lo = rising[p[:, 1] >= wall[0] - 1e-9][0]
        hi = rising[(p[:, 1] >= wall[1] - 1e-9) & (rising > lo)]
        v = (s - s[lo]) / (s[hi[0] if len(hi) else -1] - s[lo])
    radius = np.tile(p[:, 0], (n + 1, 1))
    if relief is not None:
        radius = radius * relief(th[:, None], p[None, :, 1])
    xyz = np.stack(
        [
            radius * np.cos(th)[:, None] * stretch[0],
            radius * np.sin(th)[:, None] * stretch[1],
            np.broadcast_to(p[:, 1], radius.shape),
        ],
        -1,
    )
    xyz[-1] = xyz[0]  # bit-exact seam
    uv = np.stack(np.broadcast_arrays((th / (2 * np.pi))[:, None], v[None]), -1)
    return Mesh(xyz.reshape(-1, 3), grid_faces(n + 1, len(p)), uv.reshape(-1, 2), closed)


def shell(outer: Points, thickness: float) -> tuple[Array, Array]:
    """Outside and inside profiles of a vessel wall; they meet at the crown of its rounded rim."""
    o = np.asarray(outer, float)
    d = np.gradient(o, axis=0)
    d /= np.linalg.norm(d, axis=1, keepdims=True) + EPS
    inner = o + np.stack([-d[:, 1], d[:, 0]], 1) * thickness
    inner[:, 0] = np.maximum(inner[:, 0], 0)
    # A tightly curved foot folds the offset curve back on itself: keep what rises above the floor.
    inner = inner[inner[:, 1] >= o[0, 1] + thickness * 0.9][::-1]
    top, edge = o[-1], inner[0]
    centre, v = (top + edge) / 2, top - (top + edge) / 2
    w = np.array([-v[1], v[0]])
    w = w if w[1] > 0 else -w
    a = np.linspace(0, np.pi, 9)[1:-1, None]
    rim = centre + np.cos(a) * v + np.sin(a) * w
    return np.vstack([o, rim[:4]]), np.vstack([rim[3:], inner, [[0, o[0, 1] + thickness]]])


def frames(path: Array, closed: bool = False) -> tuple[Array, Array, Array]:
    """Tangents, normals and binormals that twist as little as they can along a path."""
    t = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    t = t / (np.linalg.norm(t, axis=1, keepdims=True) + EPS)
    helper = np.array([0, 0, 1.0]) if abs(t[0, 2]) < 0.9 else np.array([0, 1.0, 0])
    first = np.cross(t[0], helper)
    normals = [first / np.linalg.norm(first)]
    for k in range(1, len(path)):
        v = normals[-1] - t[k] * np.dot(normals[-1], t[k])
        normals.append(v / np.linalg.norm(v))
    n = np.array(normals)
    if closed:
        # Spread what is left of the twist evenly over the loop.
        b = np.cross(t, n)
        e = n[-1] - t[0] * np.dot(n[-1], t[0])
        f = -np.arctan2(e @ b[0], e @ n[0]) * np.arange(len(path)) / len(path)
        n = np.cos(f)[:, None] * n + np.sin(f)[:, None] * b
    return t, n, np.cross(t, n)


def sweep(
    path: Points,
    rx: float | Array,
    ry: float | Array | None = None,
    n: int = 20,
    power: float = 2.0,
    closed: bool = False,
    up: Points | None = None,
) -> Mesh:
    """Superelliptic section (half widths rx, ry) along a path, with rounded ends.

    With `up`, the ry axis of the section stays as near to that direction as the path lets it. u runs along
    the path in units of its length, v around the section.
    """
    p = np.asarray(path, float)
    m = len(p)
    rx = np.broadcast_to(np.asarray(rx, float), (m,))
    ry = rx if ry is None else np.broadcast_to(np.asarray(ry, float), (m,))
    t, nn, b = frames(p, closed)
    if up is not None:
        u = np.asarray(up, float)
        b = u - t * (t @ u)[:, None]
        b /= np.linalg.norm(b, axis=1, keepdims=True) + EPS
        nn = np.cross(b, t)
    if not closed:
        k = np.array([0.0, 0.5, 0.85])
        reach = np.sqrt(1 - k**2)[:, None] * 0.6
        head, tail = p[0] - t[0] * reach * min(rx[0], ry[0]), p[-1] + t[-1] * reach * min(rx[-1], ry[-1])
        p = np.vstack([head, p, tail[::-1]])
        rx, ry = np.r_[rx[0] * k, rx, rx[-1] * k[::-1]], np.r_[ry[0] * k, ry, ry[-1] * k[::-1]]
        nn, b = (np.vstack([[a[0]] * 3, a, [a[-1]] * 3]) for a in (nn, b))
    a = np.linspace(0, 2 * np.pi, n + 1)
    ca, sa = (np.sign(f) * np.abs(f) ** (2 / power) for f in (np.cos(a), np.sin(a)))
    ca[-1], sa[-1] = ca[0], sa[0]
    xyz = p[:, None] + nn[:, None] * (rx[:, None] * ca)[..., None] + b[:, None] * (ry[:, None] * sa)[..., None]
    s = arc_length(p)
    uv = np.stack(np.broadcast_arrays((s / s[-1])[:, None], (a / (2 * np.pi))[None]), -1)
    return Mesh(xyz.reshape(-1, 3), grid_faces(len(p), n + 1, wrap_u=closed), uv.reshape(-1, 2))


def rod(a: Points, b: Points, ra: float, rb: float | None = None, n: int = 24) -> Mesh:
    """Straight round bar from a to b, tapering from radius ra to rb."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    t = np.linspace(0, 1, 10)
    return sweep(a + (b - a) * t[:, None], ra + ((ra if rb is None else rb) - ra) * t, n=n)


def loft(rings: Array) -> Mesh:
    """Skin over closed rings (k, n, 3), capped flat at both ends; UVs are arc lengths."""
    rings = np.asarray(rings, float)
    k, n = rings.shape[:2]
    rings = np.concatenate([rings, rings[:, :1]], 1)
    ends = [np.repeat(r.mean(0)[None], n + 1, 0) for r in (rings[0], rings[-1])]
    rows = np.concatenate([ends[0][None], rings, ends[1][None]], 0)
    mid = rows[k // 2 + 1]
    u = arc_length(mid)
    v = arc_length(rows[:, 0])
    uv = np.stack(np.broadcast_arrays(u[None], v[:, None]), -1)
    # Row-major (row, around): faces are flipped so that they look outwards.
    return Mesh(rows.reshape(-1, 3), grid_faces(k + 2, n + 1)[:, ::-1], uv.reshape(-1, 2))


def rounded_box(sx: float, sy: float, sz: float, radius: float = 0.02, n: int = 10, bulge: float = 0.0) -> Mesh:
    """Box with rounded edges, centred; `bulge` pillows its faces. UVs are metres on each face."""
    half = np.array([sx, sy, sz]) / 2
    r = min(radius, *(half * 0.999))

    def samples(h: float) -> Array:
        # More samples over the rounded edge than over the flat middle.
        c = h - r
        e = c + r * np.sin(np.linspace(0, 1, 5) * np.pi / 4) / np.sin(np.pi / 4)
        return np.r_[-e[::-1][:-1], np.linspace(-c, c, n), e[1:]]

    vertices, faces, uvs, offset = [], [], [], 0
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        for sign in (-1, 1):
            a, b = np.meshgrid(samples(half[i]), samples(half[j]), indexing="ij")
            p = np.zeros((*a.shape, 3))
            p[..., i], p[..., j], p[..., k] = a, b, sign * half[k]
            inner = np.clip(p, -(half - r), half - r)
            d = p - inner
            q = inner + d / (np.linalg.norm(d, axis=-1, keepdims=True) + EPS) * r
            q[..., k] += sign * bulge * np.clip(1 - (a / half[i]) ** 2, 0, 1) * np.clip(1 - (b / half[j]) ** 2, 0, 1)
            f = grid_faces(*a.shape) + offset
            vertices.append(q.reshape(-1, 3))
            faces.append(f if sign > 0 else f[:, ::-1])
            uvs.append(np.stack([a, b], -1).reshape(-1, 2))
            offset += a.size
    return Mesh(np.vstack(vertices), np.vstack(faces), np.vstack(uvs))


def superellipsoid(a: float, b: float, c: float, e1: float = 1.0, e2: float = 1.0, nu: int = 96, nv: int = 48) -> Mesh:
    """Ellipsoid with half axes a, b, c; exponents under 1 square it off (e1 up the side, e2 around)."""
    u, v = np.linspace(-np.pi, np.pi, nu + 1), np.linspace(-np.pi / 2, np.pi / 2, nv + 1)
    uu, vv = np.meshgrid(u, v, indexing="ij")

    def power(x: Array, e: float) -> Array:
        x = np.where(np.abs(x) < 1e-12, 0.0, x)
        return np.sign(x) * np.abs(x) ** e

    xyz = np.stack(
        [
            a * power(np.cos(vv), e1) * power(np.cos(uu), e2),
            b * power(np.cos(vv), e1) * power(np.sin(uu), e2),
            c * power(np.sin(vv), e1),
        ],
        -1,
    )
    uv = np.stack([(uu + np.pi) / (2 * np.pi), (vv + np.pi / 2) / np.pi], -1)
    return Mesh(xyz.reshape(-1, 3), grid_faces(nu + 1, nv + 1), uv.reshape(-1, 2))


def thick_sheet(surface: Array, offset: Points) -> Mesh:
    """Closed plate from a (nu, nv, 3) grid of points and the same grid shifted by `offset`."""
    s = np.asarray(surface, float)
    nu, nv = s.shape[:2]
    n = nu * nv
    back = s + np.asarray(offset, float)
    idx = np.arange(n).reshape(nu, nv)
    ring = np.r_[idx[:, 0], idx[-1, 1:], idx[::-1, -1][1:], idx[0, ::-1][1:-1]]
    nxt = np.roll(ring, -1)
    side = np.vstack([np.stack([nxt, ring, ring + n], 1), np.stack([nxt, ring + n, nxt + n], 1)])
    g = grid_faces(nu, nv)
    u, v = np.meshgrid(np.linspace(0, 1, nu), np.linspace(0, 1, nv), indexing="ij")
    uv = np.tile(np.stack([u, v], -1).reshape(-1, 2), (2, 1))
    return Mesh(np.vstack([s.reshape(-1, 3), back.reshape(-1, 3)]), np.vstack([g, g[:, ::-1] + n, side]), uv)


def welded(vertices: Array, tolerance: float = 1e-5) -> Array:
    """For each vertex the number of its place: vertices at one place share a number."""
    key = np.round(vertices / tolerance).astype(np.int64)
    return np.unique(key, axis=0, return_inverse=True)[1].ravel()


def vertex_normals(mesh: Mesh) -> Array:
    """Area-weighted normals; vertices at one place share theirs, so that texture seams do not show."""
    v, t = mesh.vertices, mesh.faces
    n = np.cross(v[t[:, 1]] - v[t[:, 0]], v[t[:, 2]] - v[t[:, 0]])
    place = welded(v)
    out = np.zeros((place.max() + 1, 3))
    for k in range(3):
        for d in range(3):
            out[:, d] += np.bincount(place[t[:, k]], n[:, d], minlength=len(out))
    out /= np.linalg.norm(out, axis=1, keepdims=True) + 1e-20
    return out[place]


def open_edges(mesh: Mesh) -> int:
    """Number of edges that an odd number of triangles touch: zero for a closed surface."""
    place = welded(mesh.vertices)[mesh.faces]
    solid = (place[:, 0] != place[:, 1]) & (place[:, 1] != place[:, 2]) & (place[:, 2] != place[:, 0])
    t = place[solid]
    e = np.sort(np.vstack([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]]), 1)
    return int((np.unique(e, axis=0, return_counts=True)[1] % 2).sum())

"""Textures drawn with numpy: colour patterns (a blend mask of two colours) and height maps."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

Array = np.ndarray
SIZE = 640


def uv_grid(n: int = SIZE) -> tuple[Array, Array]:
    """u along the columns, v along the rows, both at texel centres."""
    t = (np.arange(n) + 0.5) / n
    return np.meshgrid(t, t)


def mix(a: Array, b: Array, t: Array) -> Array:
    """Blend of two colours (or pictures) by a mask."""
    return np.asarray(a) * (1 - t[..., None]) + np.asarray(b) * t[..., None]


def step(x: Array, edge: float) -> Array:
    """0 below zero, 1 above, with a ramp of width `edge` between."""
    return np.clip(x / edge + 0.5, 0, 1)


def noise(rng: np.random.Generator, sx: float, sy: float | None = None, n: int = SIZE) -> Array:
    """Smooth tiling noise of unit variance."""
    a = ndimage.gaussian_filter(rng.standard_normal((n, n)), (sx if sy is None else sy, sx), mode="wrap")
    a -= a.mean()
    return a / (a.std() + 1e-9)


def stripes(u: Array, v: Array, ku: float, kv: float) -> Array:
    """Bands across v."""
    return step(0.21 - np.abs((v * kv) % 1 - 0.5), 0.05)


def pinstripes(u: Array, v: Array, ku: float, kv: float) -> Array:
    """Narrow lines along v."""
    return step(0.13 - np.abs((u * ku * 1.5) % 1 - 0.5), 0.06)


def dots(u: Array, v: Array, ku: float, kv: float) -> Array:
    """Staggered rows of dots."""
    row = np.floor(v * kv)
    return step(0.24 - np.hypot((u * ku + row % 2 * 0.5) % 1 - 0.5, (v * kv) % 1 - 0.5), 0.06)


def checks(u: Array, v: Array, ku: float, kv: float) -> Array:
    """Gingham: two sets of half-tone bands."""
    return ((u * ku) % 1 < 0.5) * 0.5 + ((v * kv) % 1 < 0.5) * 0.5


def chevron(u: Array, v: Array, ku: float, kv: float) -> Array:
    """Zigzag bands."""
    return step(0.22 - np.abs((v * kv + np.abs((u * ku) % 1 - 0.5)) % 1 - 0.5), 0.06)


def dipped(u: Array, v: Array, ku: float, kv: float) -> Array:
    """The lower part dipped in the accent colour."""
    return step(0.40 - v, 0.01)


def floral(u: Array, v: Array, ku: float, kv: float) -> Array:
    """Small five-petalled flowers in staggered rows."""
    row = np.floor(v * kv * 0.8)
    x, y = (u * ku * 0.8 + row % 2 * 0.5) % 1 - 0.5, (v * kv * 0.8) % 1 - 0.5
    r, a = np.hypot(x, y), np.arctan2(y, x) + row
    petal = step(0.20 + 0.13 * np.cos(5 * a) - r, 0.05)
    return petal * step(r - 0.075, 0.04)


def leaves(u: Array, v: Array, ku: float, kv: float) -> Array:
    """Sprigs: pairs of leaves along upright stems."""
    x, y = (u * ku * 0.55) % 1 - 0.5, (v * kv * 1.1) % 1 - 0.5
    side = np.abs(x)
    p, q = side * 0.8 + y * 0.6 - 0.22, side * -0.6 + y * 0.8 + 0.02
    leaf = step(0.13 * np.cos(np.clip(p / 0.22, -1, 1) * np.pi / 2) - np.abs(q), 0.03)
    return np.maximum(leaf * (np.abs(p) < 0.22), step(0.022 - side, 0.02))


def diamonds(u: Array, v: Array, ku: float, kv: float) -> Array:
    """Harlequin lozenges."""
    return step(0.30 - np.abs((u * ku) % 1 - 0.5) - np.abs((v * kv * 0.7) % 1 - 0.5), 0.05)


MASKS = {f.__name__: f for f in (stripes, pinstripes, dots, checks, chevron, dipped, floral, leaves, diamonds)}
PATTERNS = ("plain", *MASKS, "speckled", "terrazzo", "marbled")


def speckle(rng: np.random.Generator, density: float = 0.0035, n: int = SIZE) -> Array:
    """Fine and coarse specks, as iron makes in a glaze."""
    fine, coarse = (rng.random((n, n)) < density), (rng.random((n, n)) < density * 0.15)
    return np.clip(ndimage.gaussian_filter(fine * 1.0, 1.2) * 9 + ndimage.gaussian_filter(coarse * 1.0, 2.6) * 30, 0, 1)


def terrazzo(rng: np.random.Generator, base: Array, chips: list[Array], n: int = SIZE, count: int = 260) -> Array:
    """Chips of several colours in a base."""
    seeds = rng.random((count, 2))
    u, v = uv_grid(n)
    q = np.stack([u, v], -1) + np.stack([noise(rng, n / 60, n=n), noise(rng, n / 60, n=n)], -1) * 0.004
    d, i = cKDTree(seeds).query(q.reshape(-1, 2), k=2)
    size = (rng.random(count) * 0.03 + 0.014)[i[:, 0]]
    chip = step((d[:, 1] - d[:, 0] - size * 0.6).reshape(n, n), 0.006)
    chip = chip * (rng.random(count)[i[:, 0]].reshape(n, n) < 0.7)
    return mix(base, np.asarray(chips)[rng.integers(0, len(chips), count)[i[:, 0]]].reshape(n, n, 3), chip)


def marble(rng: np.random.Generator, n: int = SIZE) -> Array:
    """Soft veins."""
    u, v = uv_grid(n)
    w = noise(rng, n / 9, n=n) * 0.8 + noise(rng, n / 24, n=n) * 0.28
    return np.clip(1 - np.abs(np.sin(np.pi * (2 * u + 2 * v) + 1.5 * w)) * 2.6, 0, 1) * (
        0.55 + 0.35 * np.clip(w, -1, 1)
    )


def paint(
    pattern: str,
    base: Array,
    accents: list[Array],
    repeats: tuple[float, float],
    rng: np.random.Generator,
    n: int = SIZE,
) -> Array:
    """Colour texture (n, n, 3) of a named pattern; `repeats` is how often it recurs along u and v."""
    if pattern in MASKS:
        u, v = uv_grid(n)
        return mix(base, accents[0], MASKS[pattern](u, v, *repeats))
    if pattern == "speckled":
        return mix(base, accents[0], speckle(rng, n=n) * 0.85)
    if pattern == "terrazzo":
        return terrazzo(rng, base, accents, n)
    if pattern == "marbled":
        return mix(base, accents[0], marble(rng, n))
    raise KeyError(f"no pattern called {pattern!r}")


@lru_cache(maxsize=8)
def weave(threads: int, n: int = 512) -> Array:
    """Height of a plain weave."""
    u, v = uv_grid(n)
    a, b = np.abs(np.sin(np.pi * u * threads)), np.abs(np.sin(np.pi * v * threads))
    over = (np.floor(u * threads) + np.floor(v * threads)) % 2
    return np.where(over > 0, np.sqrt(a) * (0.6 + 0.4 * b), np.sqrt(b) * (0.6 + 0.4 * a))


@lru_cache(maxsize=8)
def knit(columns: float, rows: float, n: int = 768) -> Array:
    """Height of stockinette: columns of V-shaped stitches."""
    u, v = uv_grid(n)
    x = (u * columns) % 1
    side = np.where(x < 0.5, x * 2, 2 - x * 2)
    y = (v * rows + side * 0.55) % 1
    return np.clip(np.sin(np.pi * y), 0, 1) ** 0.6 * np.sqrt(
        np.clip(np.sin(np.pi * np.clip(side, 0.02, 1) * 0.95), 0, 1)
    )


@lru_cache(maxsize=2)
def leather(cells: int = 2500, n: int = 512) -> Array:
    """Height of leather grain."""
    p = np.random.default_rng(5).random((cells, 2))
    tree = cKDTree(np.vstack([p + np.array([a, b]) for a in (-1, 0, 1) for b in (-1, 0, 1)]))
    u, v = uv_grid(n)
    d = tree.query(np.stack([u, v], -1).reshape(-1, 2), k=2)[0]
    return np.sqrt(np.clip((d[:, 1] - d[:, 0]).reshape(n, n) * np.sqrt(cells) * 1.6, 0, 1))


@lru_cache(maxsize=2)
def nap(n: int = 512) -> Array:
    """Height of a brushed surface: suede, velvet, felt."""
    return np.clip(0.5 + 0.18 * noise(np.random.default_rng(6), 1.0, n=n), 0, 1)


def wood(
    rng: np.random.Generator, light: Array, dark: Array, along_v: bool = False, n: int = 512
) -> tuple[Array, Array]:
    """Colour and height of wood grain running along u (or v)."""
    _, v = uv_grid(n)
    w = noise(rng, n / 3, n / 30, n) * 0.5 + noise(rng, n / 5, n / 60, n) * 0.15
    ring = (0.5 + 0.5 * np.sin(2 * np.pi * (v * 9 + w))) ** 1.6
    grain = noise(rng, n / 18, 0.7, n) * 0.5 + noise(rng, n / 10, 1.4, n) * 0.4
    colour = mix(light, dark, np.clip(0.25 + 0.4 * ring + 0.16 * grain + 0.1 * noise(rng, n / 4, n / 12, n), 0, 1))
    height = np.clip(0.5 - 0.15 * grain, 0, 1)
    return (colour.transpose(1, 0, 2), height.T) if along_v else (colour, height)

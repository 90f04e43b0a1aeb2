"""Tote bags: two canvas panels, gently filled, with webbing straps."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..cloth import sew, simulate, smooth, subdivide
from ..geometry import Mesh, catmull, rotation, sweep
from ..materials import accents, fabric, leather
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import MASKS, mix, noise, uv_grid

SCALE = 1.4


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Tall, square or wide panels; long or short straps."""
    w, h, reach = shape.get("width", 0.55), shape.get("height", 0.62), shape.get("strap", 0.52)
    panel = [
        ([[-w, -h], [w, -h]], True),
        ([[w, -h], [w * 1.02, h]], True),
        ([[w * 1.02, h], [-w * 1.02, h]], False),
        ([[-w * 1.02, h], [-w, -h]], True),
    ]
    flat, tri, layer = sew(panel, panel, 0.036)
    start = flat.copy()
    start[:, 2] += np.where(layer < 0.5, 0.03, -0.03) * np.clip(1 - (start[:, 0] / w) ** 2, 0, 1)
    start += [0, 0, 0.003] * rng.standard_normal((len(start), 1))

    def ground(x: np.ndarray) -> np.ndarray:
        return np.c_[x[:, 0], np.maximum(x[:, 1], -h + 0.02), x[:, 2]]

    x = simulate(
        start,
        tri,
        flat * [1.01, 1.01, 1],
        pressure=shape.get("full", 1.0),
        steps=100,
        iterations=12,
        dt=0.03,
        damping=0.88,
        collide=ground,
    )
    trees = [cKDTree(flat[layer == side][:, :2]) for side in (0, 1)]

    def at(side: int, px: float, py: float) -> np.ndarray:
        return x[layer == side][trees[side].query([px, py])[1]]

    straps, sx = [], w * 0.44
    for side, sign in ((0, 1), (1, -1)):
        a, b = at(side, -sx, h - 0.1), at(side, sx, h - 0.1)
        a2, b2 = at(side, -sx, h), at(side, sx, h)
        lift = np.array([0, 0, sign * 0.012])
        top = h + reach - 0.02 * side
        path = catmull(
            [
                a + lift,
                a2 + lift,
                a2 * 0.88 + [0, reach * 0.58, 0] + lift * 2,
                [-sx * 0.42, top - 0.04, a2[2] * 0.7],
                [sx * 0.42, top - 0.04, a2[2] * 0.7],
                b2 * 0.88 + [0, reach * 0.58, 0] + lift * 2,
                b2 + lift,
                b + lift,
            ],
            10,
        )
        straps.append(("strap", sweep(path, 0.030, 0.007, power=5, n=24, up=(0, 0, 1)).uv_scaled(14, 0.5)))
    x, tri, uv = subdivide(x, tri, flat[:, :2] / SCALE + 0.5)
    bag = Mesh(smooth(x, tri, 2), tri, uv, closed=False)
    stand = rotation("x", 90)
    return Model([(s, m.moved(turn=stand)) for s, m in [("bag", bag), *straps]], View(-24, 10, fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Canvas in a colour, with stripes, a block or a printed sun; leather or canvas straps."""
    n = 1024
    u, v = uv_grid(n)
    x, y, h = (u - 0.5) * SCALE, (v - 0.5) * SCALE, shape.get("height", 0.62)
    slub = 1 + 0.03 * noise(rng, 0.8, 14, n) + 0.03 * noise(rng, 14, 0.8, n)
    t = np.ones((n, n, 3)) * rgb(variant.colour) * slub[..., None]
    second, third = accents(variant.colour)
    if variant.pattern == "sunrise print":
        r = np.hypot(x, y + 0.02)
        for radius, c in ((0.30, second), (0.235, third), (0.17, rgb("orange")), (0.1, rgb("yellow"))):
            t = np.where(((r < radius) & (y > -0.02))[..., None], c, t)
        t = np.where(((np.abs(x) < 0.30) & (np.abs(y + 0.07) < 0.018))[..., None], second, t)
    elif variant.pattern == "colour block":
        t = np.where((y < -h * 0.3)[..., None], second, t)
    elif variant.pattern != "plain":
        t = mix(t, second, MASKS[variant.pattern](u, v, *shape.get("repeats", (13, 13))))
    stitch = np.exp(-((np.abs(y - (h - 0.07)) / 0.004) ** 2)) * (np.sin(x * 420) > -0.2)
    t = np.clip(t * (1 - 0.25 * stitch[..., None]), 0, 1)
    strap = (
        leather("tan", 3) if shape.get("leather_straps") else fabric("canvas").but(colour=rgb(variant.colour) * 0.92)
    )
    return {"bag": fabric(variant.material).but(texture=t, bump_repeat=(1.6, 1.6)), "strap": strap}


FAMILY = Family(
    "tote",
    "Tote bag",
    build,
    finish,
    [
        Parent(
            "everyday tote",
            "Heavy canvas, double-stitched, with straps long enough for a winter coat.",
            22.0,
            "Harbour Lane",
            "canvas",
            ["cream", "navy", "olive", "cream/sunrise print", "navy/stripes"],
            dict(),
        ),
        Parent(
            "wide market tote",
            "Wider than it is tall, so the leeks and the newspaper fit side by side.",
            28.0,
            "Harbour Lane",
            "canvas",
            ["terracotta", "teal", "black", "terracotta/checks", "teal/colour block"],
            dict(width=0.68, height=0.5, strap=0.4, full=1.2),
        ),
        Parent(
            "tall tote with leather straps",
            "Slim and upright, with short bridle-leather straps that soften over the years.",
            48.0,
            "Corso & Figlia",
            "linen",
            ["beige", "pink", "charcoal", "beige/leaves", "pink/dots"],
            dict(width=0.46, height=0.64, strap=0.3, leather_straps=True, full=1.1),
        ),
        Parent(
            "small lunch tote",
            "A short little bag for a box, an apple and the spare keys.",
            18.0,
            "Harbour Lane",
            "canvas",
            ["mustard", "pink", "navy", "pink/checks", "navy/dots"],
            dict(width=0.44, height=0.4, strap=0.26, full=1.3),
        ),
        Parent(
            "beach tote",
            "Enormous, striped and full of sand by evening.",
            38.0,
            "Tidewear",
            "cotton",
            ["blue/stripes", "red/stripes", "yellow/stripes", "mint", "coral/colour block"],
            dict(width=0.78, height=0.56, strap=0.5, full=1.3, repeats=(9, 9)),
        ),
        Parent(
            "book tote",
            "Narrow enough for the library, strong enough for the encyclopaedia.",
            26.0,
            "Plain Thread",
            "canvas",
            ["charcoal", "sage", "burgundy", "sage/leaves", "charcoal/pinstripes", "burgundy/sunrise print"],
            dict(width=0.5, height=0.6, strap=0.62, full=0.9),
        ),
    ],
)

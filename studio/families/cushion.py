"""Cushions: two panels sewn together and inflated, with piping along the seam."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from ..cloth import resample, sew, simulate, smooth
from ..geometry import Mesh, catmull, rotation, superellipsoid, sweep
from ..materials import accents, fabric, painted
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb

STEP = 0.045


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Square, long and round cushions."""
    w, h = shape.get("width", 1.0), shape.get("height", 1.0)
    if shape.get("round"):
        a = np.linspace(0, 2 * np.pi, 97)
        ring = np.stack([w * np.cos(a), w * np.sin(a)], 1)
        seams = [(ring[:49], True), (ring[48:], True)]
        edge = resample(ring, STEP)[:-1]
    else:
        c = np.array([[-w, -h], [w, -h], [w, h], [-w, h]])
        seams = [(c[[i, (i + 1) % 4]], True) for i in range(4)]
        edge = np.vstack([resample(c[[i, (i + 1) % 4]], STEP)[:-1] for i in range(4)])
    flat, tri, _ = sew(seams, seams, STEP)
    start = flat.copy()
    start[:, 2] += 0.02 * np.sign(start[:, 2]) + 0.002 * rng.standard_normal(len(start))
    x = simulate(start, tri, flat, pressure=shape.get("plump", 4.5), steps=130, iterations=14)
    x = smooth(x, tri, 2)
    if shape.get("flat"):  # its own weight flattens what lies on the floor
        low = -shape["flat"]
        x[:, 2] = np.where(x[:, 2] < low, low + (x[:, 2] - low) * 0.12, x[:, 2])
    seam = x[cKDTree(flat[:, :2]).query(edge)[1]]
    parts = [("cover", Mesh(x, tri, flat[:, :2] / 2 + 0.5))]
    if shape.get("piping", True):
        parts.append(("piping", sweep(catmull(seam, 2, closed=True), 0.026, closed=True, n=12).uv_scaled(30, 1)))
    if shape.get("button"):
        # A button pulled in through the middle.
        r = np.linalg.norm(flat[:, :2], axis=1)
        x[:, 2] *= 1 - 0.72 * np.exp(-((r / 0.2) ** 2))
        parts[0] = ("cover", Mesh(x, tri, flat[:, :2] / 2 + 0.5))
        z = x[:, 2][r < 0.08]
        for s in (z.max(), z.min()):
            parts.append(("piping", superellipsoid(0.08, 0.08, 0.035, nu=40, nv=20).moved((0, 0, s))))
    lean = rotation("x", shape.get("lean", 72))
    return Model([(slot, m.moved(turn=lean)) for slot, m in parts], View(-22, shape.get("elevation", 12), fill=0.82))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Piping in the accent colour where there is a pattern."""
    m = fabric(variant.material)
    plain = m.but(colour=rgb(variant.colour), bump=None)
    cover = painted(m, variant.colour, variant.pattern, shape.get("repeats", (8, 8)), rng)
    piping = plain.but(colour=accents(variant.colour)[0]) if variant.pattern in ("stripes", "pinstripes") else plain
    return {"cover": cover, "piping": piping}


FAMILY = Family(
    "cushion",
    "Cushion",
    build,
    finish,
    [
        Parent(
            "square piped cushion",
            "A plump 50 cm square with a neat piped edge and a feather-soft filling.",
            32.0,
            "Loomfield",
            "linen",
            ["navy", "mustard", "sage", "navy/stripes", "mustard/checks", "navy@velvet"],
            dict(repeats=(8, 8)),
        ),
        Parent(
            "long lumbar cushion",
            "The long one that goes in front of the square ones, or behind your back.",
            36.0,
            "Loomfield",
            "cotton",
            ["terracotta", "cream", "teal", "terracotta/diamonds", "cream/chevron"],
            dict(width=1.0, height=0.58, plump=3.6, lean=68, repeats=(9, 9)),
        ),
        Parent(
            "round buttoned cushion",
            "A velvet round pulled in at the middle by one covered button.",
            34.0,
            "Holm Interiors",
            "velvet",
            ["pink", "green", "burgundy", "pink@corduroy"],
            dict(round=True, button=True, plump=3.8, lean=64),
        ),
        Parent(
            "oversized floor cushion",
            "Big, flat and firm enough to sit on through a whole film.",
            59.0,
            "Loomfield",
            "canvas",
            ["grey", "blue", "olive", "grey/floral", "blue/dots"],
            dict(piping=False, plump=3.0, lean=0, flat=0.06, elevation=24, repeats=(7, 7)),
        ),
        Parent(
            "large square cushion",
            "Sixty centimetres on each side: more pillow than cushion.",
            42.0,
            "Loomfield",
            "cotton",
            ["pink", "olive", "light blue", "light blue/stripes", "olive/leaves", "pink/floral"],
            dict(width=1.15, height=1.15, plump=4.0, piping=False, repeats=(7, 7)),
        ),
        Parent(
            "textured wool cushion",
            "A dry, nubbly wool that keeps its square shoulders.",
            45.0,
            "Plain Thread",
            "wool",
            ["charcoal", "terracotta", "white", "white/diamonds", "charcoal/checks"],
            dict(plump=3.6, repeats=(9, 9), lean=70),
        ),
        Parent(
            "little rectangle cushion",
            "For the small of the back, the neck, or the dog.",
            28.0,
            "Loomfield",
            "linen",
            ["lavender", "mustard", "blue", "blue/chevron", "mustard/dots"],
            dict(width=0.9, height=0.66, plump=4.2, lean=70, repeats=(10, 10)),
        ),
    ],
)

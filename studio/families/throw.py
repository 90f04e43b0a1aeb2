"""Throws and blankets, folded in four, with fringe or a stitched edge."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, arc_length, catmull, merge, sweep
from ..materials import accents, fabric, painted
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def build(shape: dict, rng: np.random.Generator) -> Model:
    """One ribbon of cloth that turns back on itself; thickness, size and number of layers vary."""
    n, thick, deep, wide = shape.get("layers", 4), shape.get("thick", 0.06), 0.46, shape.get("wide", 0.78)
    points = []
    for k in range(n):
        z, s = thick * (1.15 + 2.25 * k), 1 if k % 2 == 0 else -1
        slack = rng.uniform(-0.02, 0.02)
        points += [[0, y, z + 0.004 * np.sin(9 * y + k)] for y in np.linspace(-deep, deep, 9) * s]
        if k < n - 1:
            points += [[0, s * (deep + thick * 1.05 + slack), z + thick * 1.12]]
    path = catmull(points, 5)
    cloth = sweep(path, thick, wide, n=56, power=5, up=(1, 0, 0))
    v = cloth.vertices
    v = v + np.stack([0.012 * np.sin(5 * v[:, 2] + 3 * v[:, 1]), 0 * v[:, 0], 0.008 * np.sin(6 * v[:, 0]) * v[:, 2]], 1)
    along = arc_length(path)[-1]
    uv = np.stack([cloth.vertices[:, 0] / 2 + 0.5, cloth.uv[:, 0] * along / 2], 1)
    parts: list[tuple[str, Mesh]] = [("cloth", Mesh(v, cloth.faces, uv, closed=True))]
    if shape.get("fringe"):
        strands, s = [], 1 if n % 2 else -1
        top = thick * (1.15 + 2.25 * (n - 1))
        for px in np.linspace(-wide * 0.97, wide * 0.97, 42):
            dx = rng.normal(0, 0.01)
            hang = [[px, s * deep * 0.98, top], [px + dx, s * (deep + thick + 0.03), top - 0.04]]
            hang += [[px + dx, s * (deep + thick + 0.06), top - 0.26 - rng.uniform(0, 0.03)]]
            strands.append(sweep(catmull(hang, 6), 0.013, n=8))
        parts.append(("fringe", merge(strands)))
    return Model(parts, View(-24, 24, fill=0.84))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Cloth in a colour or pattern; the fringe is the cloth's."""
    m = painted(fabric(variant.material, 1.4), variant.colour, variant.pattern, shape.get("repeats", (11, 11)), rng)
    plain = fabric("wool").but(colour=rgb(variant.colour), bump=None)
    return {"cloth": m, "fringe": plain.but(colour=accents(variant.colour)[0]) if variant.pattern != "plain" else plain}


FAMILY = Family(
    "throw",
    "Throw",
    build,
    finish,
    [
        Parent(
            "fringed lambswool throw",
            "Warm without weight, with a knotted fringe at both ends.",
            89.0,
            "Loomfield",
            "wool",
            ["mustard", "grey", "burgundy", "grey/checks", "burgundy/stripes", "mustard/diamonds"],
            dict(fringe=True),
        ),
        Parent(
            "washed linen bedspread",
            "Cool in July, a light layer in January, and never in need of an iron.",
            119.0,
            "Loomfield",
            "linen",
            ["sage", "cream", "light blue", "terracotta", "light blue/pinstripes", "cream/checks"],
            dict(thick=0.035, layers=6),
        ),
        Parent(
            "chunky boucle blanket",
            "Thick, curly and generous; claim it before somebody else does.",
            99.0,
            "Loomfield",
            "boucle",
            ["cream", "pink", "olive", "brown", "charcoal"],
            dict(thick=0.09, layers=3),
        ),
        Parent(
            "picnic blanket",
            "A dense weave that shrugs off crumbs, grass and a spilled glass.",
            69.0,
            "Harbour Lane",
            "cotton",
            ["red/checks", "blue/checks", "green/checks", "navy/stripes", "yellow/checks", "teal"],
            dict(thick=0.045, layers=4, wide=0.62, repeats=(8, 8), fringe=True),
        ),
        Parent(
            "velvet quilted throw",
            "A velvet face and a soft filling, for the foot of the bed.",
            139.0,
            "Holm Interiors",
            "velvet",
            ["navy", "teal", "coral", "green", "lavender"],
            dict(thick=0.075, layers=4, wide=0.7),
        ),
    ],
)

"""Scarves, laid flat: one long ribbon of cloth, looped, with fringe."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import zoom

from ..geometry import Mesh, arc_length, catmull, merge, rotation, sweep, thick_sheet
from ..materials import accents, fabric, painted
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import knit, mix, step, uv_grid

LAYS = {
    "cross": [
        [-0.62, -1.15, 0.05],
        [-0.5, -0.6, 0.05],
        [-0.1, 0.0, 0.07],
        [0.42, 0.55, 0.06],
        [0.34, 1.0, 0.06],
        [0, 1.13, 0.06],
        [-0.34, 1.0, 0.06],
        [-0.42, 0.55, 0.08],
        [0.1, 0.0, 0.2],
        [0.5, -0.6, 0.1],
        [0.62, -1.15, 0.06],
    ],
    "hang": [
        [-0.36, -1.2, 0.05],
        [-0.38, -0.4, 0.05],
        [-0.4, 0.5, 0.05],
        [-0.33, 0.98, 0.06],
        [0, 1.16, 0.07],
        [0.33, 0.98, 0.06],
        [0.4, 0.5, 0.05],
        [0.38, -0.4, 0.05],
        [0.36, -1.0, 0.05],
    ],
    "loop": [
        [0.3, -1.25, 0.05],
        [0.26, -0.7, 0.06],
        [0.1, -0.2, 0.18],
        [-0.4, 0.22, 0.12],
        [-0.46, 0.72, 0.06],
        [0, 1.05, 0.06],
        [0.46, 0.72, 0.06],
        [0.4, 0.22, 0.08],
        [0, -0.12, 0.1],
        [-0.3, -0.5, 0.06],
        [-0.36, -1.05, 0.05],
    ],
}


def build(shape: dict, rng: np.random.Generator) -> Model:
    """How it is laid, how wide and thick it is; knitted, woven or silky."""
    if shape["lay"] == "square":
        a, b = np.meshgrid(np.linspace(-1, 1, 120), np.linspace(-1, 1, 120), indexing="ij")
        z = 0.035 * np.sin(2.6 * a + 1.2 * np.sin(2 * b)) + 0.03 * np.sin(3.3 * b - 1.7 * a) + 0.02 * np.sin(6 * a * b)
        sheet = thick_sheet(
            np.stack([a + 0.03 * np.sin(3 * b), b + 0.03 * np.sin(2.6 * a), z + 0.1], -1), (0, 0, -0.012)
        )
        return Model([("cloth", sheet.moved(turn=rotation("z", 38)))], View(0, 90, above=True, fill=0.88))
    path = catmull(LAYS[shape["lay"]], 18)
    half, thick = shape.get("half", 0.2), shape.get("thick", 0.045)
    ribbon = sweep(path, half, thick, n=64, power=4, up=(0, 0, 1))
    v = ribbon.vertices.copy()
    along, across = ribbon.uv[:, 0] * arc_length(path)[-1], ribbon.uv[:, 1] * 2 * np.pi
    v[:, 2] += (
        shape.get("folds", 0.018)
        * np.sin(np.cos(across) * shape.get("pleats", 5) + 0.8 * np.sin(along * 2))
        * (np.sin(across) > 0)
        * np.clip(np.minimum(ribbon.uv[:, 0], 1 - ribbon.uv[:, 0]) * 30, 0, 1)  # the ends stay closed
    )
    uv = np.stack([np.cos(across) * half / 2 + 0.5, along / 2], 1)
    parts: list[tuple[str, Mesh]] = [("cloth", Mesh(v, ribbon.faces, uv))]
    if shape.get("fringe", True):
        strands = []
        for end, before in ((0, 3), (-1, -4)):
            d = path[end] - path[before]
            d /= np.linalg.norm(d)
            side = np.array([-d[1], d[0], 0])
            for k in np.linspace(-0.94, 0.94, 17):
                s = path[end] + side * k * half + [0, 0, -0.01]
                sway = side * rng.normal(0, 0.016)
                strands.append(
                    sweep(
                        [s - d * 0.02, s + d * 0.1 + sway / 2, s + d * rng.uniform(0.2, 0.24) + sway - [0, 0, 0.02]],
                        0.014,
                        n=8,
                    )
                )
        parts.append(("fringe", merge(strands)))
    v0 = min(m.vertices[:, 2].min() for _, m in parts)
    return Model([(s, m.moved((0, 0, -v0))) for s, m in parts], View(0, 90, above=True, fill=0.88))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Cloth or stockinette."""
    m = painted(fabric(variant.material, 1.4), variant.colour, variant.pattern, shape.get("repeats", (16, 8)), rng)
    if shape.get("knit"):
        m = m.but(bump=knit(30, 26), bump_depth=0.02, bump_repeat=(1.6, 1.6))
    if shape["lay"] == "square":  # a carré has a border and a rolled hem
        u, v = uv_grid(1024)
        edge = np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v))
        t = (
            np.ones((1024, 1024, 3)) * rgb(variant.colour)
            if m.texture is None
            else zoom(m.texture, (1.6, 1.6, 1), order=1)
        )
        line = step(0.018 - np.abs(edge - 0.075), 0.004) + step(0.012 - edge, 0.004)
        m = m.but(texture=np.clip(mix(t, accents(variant.colour)[0], np.clip(line, 0, 1)), 0, 1), colour=None)
    plain = fabric("cotton").but(colour=rgb(variant.colour), bump=None)
    return {"cloth": m, "fringe": plain.but(colour=accents(variant.colour)[0]) if variant.pattern != "plain" else plain}


FAMILY = Family(
    "scarf",
    "Scarf",
    build,
    finish,
    [
        Parent(
            "fringed wool scarf",
            "Two metres of soft wool, long enough to wrap twice and still hang down.",
            45.0,
            "Harbour Lane",
            "wool",
            ["grey", "mustard", "navy", "red", "grey/checks", "red/checks", "navy/stripes"],
            dict(lay="hang", half=0.24),
        ),
        Parent(
            "chunky knitted scarf",
            "Big stitches, made on needles the size of broomsticks.",
            39.0,
            "Plain Thread",
            "wool",
            ["cream", "teal", "pink", "orange", "teal/stripes"],
            dict(lay="cross", knit=True, half=0.23, thick=0.07, folds=0.01),
        ),
        Parent(
            "silk carré",
            "A light square with a rolled hem, for necks, ponytails and handbag handles.",
            49.0,
            "Maren Studio",
            "silk",
            ["burgundy", "light blue", "green", "burgundy/dots", "light blue/floral", "green/leaves"],
            dict(lay="square", repeats=(9, 9)),
        ),
        Parent(
            "crinkled linen scarf",
            "Thin enough for August, long enough for a mistral.",
            35.0,
            "Plain Thread",
            "linen",
            ["terracotta", "sage", "lavender", "white", "terracotta/pinstripes", "sage/leaves"],
            dict(lay="loop", half=0.22, thick=0.04, folds=0.035, pleats=9),
        ),
    ],
)

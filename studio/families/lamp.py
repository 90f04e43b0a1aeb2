"""Table lamps: a turned base under a glowing shade."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, circle, fillet, revolve, rod, superellipsoid, sweep
from ..materials import Material, ceramic, fabric, lacquer, metal, painted, wood
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Bases: gourd, ball, column, tripod, or turned to a profile; shades: cone, drum, dome."""
    base, top, parts = shape["base"], 1.05, []
    if base == "gourd":
        line = catmull(
            [
                [0.2, 0],
                [0.25, 0.03],
                [0.36, 0.28],
                [0.3, 0.52],
                [0.14, 0.68],
                [0.2, 0.8],
                [0.12, 0.93],
                [0.05, top],
            ],
            12,
        )
        parts.append(("base", revolve(np.vstack([[[0, 0]], line, [[0, top]]]), 128, wall=(0.01, 0.9))))
    elif base == "ball":
        top = 0.86
        line = catmull([[0.2, 0.0], [0.36, 0.1], [0.44, 0.4], [0.36, 0.68], [0.16, 0.8], [0.06, 0.84]], 12)
        parts.append(("base", revolve(np.vstack([[[0, 0]], line, [[0, 0.84]]]), 128, wall=(0.01, 0.8))))
    elif base == "turned":
        line = catmull(shape["profile"], 12)
        parts.append(("base", revolve(np.vstack([[[0, 0]], line, [[0, top]]]), 128, wall=(0.01, top * 0.9))))
    elif base == "column":
        line = fillet(
            [[0, 0], [0.32, 0], [0.32, 0.06], [0.07, 0.08], [0.06, top], [0, top]],
            [0, 0.02, 0.02, 0.05, 0.02, 0],
            6,
        )
        parts.append(("base", revolve(line, 96)))
    else:
        for k in range(3):
            a = 2 * np.pi * k / 3 + 0.5
            d = np.array([np.cos(a), np.sin(a), 0])
            parts.append(("base", rod(d * 0.05 + [0, 0, top], d * 0.42 + [0, 0, 0.02], 0.032, 0.026)))
        parts.append(("metal", superellipsoid(0.09, 0.09, 0.05, 0.5, 1, 48, 24).moved((0, 0, top))))
    z0 = top - 0.02 if base != "ball" else top + 0.06
    h, r0, r1 = shape.get("shade_height", 0.6), shape.get("r0", 0.56), shape.get("r1", 0.38)
    parts.append(("metal", rod([0, 0, top - 0.06], [0, 0, z0 + 0.3], 0.025, n=20)))
    if shape.get("dome"):
        line = catmull(
            [[r0, z0], [r0 * 0.97, z0 + 0.2], [r0 * 0.75, z0 + 0.42], [0.14, z0 + 0.55], [0.0, z0 + 0.56]], 10
        )
    else:
        line = np.array([[r0, z0], [r0 + (r1 - r0) * 0.5, z0 + h / 2], [r1, z0 + h]])
        for r, z in ((r0, z0), (r1, z0 + h)):
            parts.append(("rim", sweep(circle(r, z), 0.011, closed=True, n=10)))
    parts.append(("shade", revolve(line, 128, closed=False)))
    parts.append(("bulb", superellipsoid(0.11, 0.11, 0.14, nu=32, nv=16).moved((0, 0, z0 + h * 0.5))))
    return Model(parts, View(-20, 9, fill=0.84))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The variant colours the base; the shade belongs to the design."""
    kind = variant.material
    if kind in ("oak", "walnut", "beech"):
        base = wood(kind, rng, along_v=shape["base"] != "tripod")
    elif kind in ("brass", "copper", "steel"):
        base = metal(kind)
    elif kind == "painted steel":
        base = lacquer(variant.colour)
    else:
        base = painted(ceramic(kind), variant.colour, variant.pattern, shape.get("repeats", (12, 8)), rng)
    shade = rgb(shape.get("shade", "#efe3cd"))
    return {
        "base": base,
        "metal": metal(shape.get("metal", "brass")),
        "shade": fabric("linen").but(colour=shade, kind="translucent", bump=None),
        "rim": lacquer(shape.get("shade", "#efe3cd"), 0.8),
        "bulb": Material(colour=np.ones(3), emission=(2.6, 2.1, 1.4)),
    }


FAMILY = Family(
    "lamp",
    "Table lamp",
    build,
    finish,
    [
        Parent(
            "gourd table lamp",
            "A double-gourd base under a tapered linen shade: warm light, quiet presence.",
            89.0,
            "Lumen & Oak",
            "ceramic",
            ["blue", "cream", "green", "cream/leaves", "blue/stripes"],
            dict(base="gourd", repeats=(10, 9)),
        ),
        Parent(
            "globe table lamp",
            "A round base you want to put your hands around, with a straight drum shade.",
            79.0,
            "Atelier Nove",
            "stoneware",
            ["terracotta", "charcoal", "sage", "charcoal/speckled", "terracotta/diamonds"],
            dict(base="ball", r0=0.5, r1=0.5, shade_height=0.5, repeats=(12, 6)),
        ),
        Parent(
            "slim column lamp",
            "A slender stem on a disc foot, small enough for a crowded bedside table.",
            64.0,
            "Lumen & Oak",
            "painted steel",
            ["black", "mustard", "red", "gold@brass"],
            dict(base="column", r0=0.44, r1=0.3, shade_height=0.46, shade="#f2efe8"),
        ),
        Parent(
            "tripod lamp with dome shade",
            "Three turned legs carry a soft dome of light for the reading corner.",
            98.0,
            "North Orchard",
            "oak",
            ["natural@oak", "walnut@walnut", "orange@painted steel", "teal@painted steel"],
            dict(base="tripod", dome=True, r0=0.52, metal="brass"),
        ),
        Parent(
            "bottle table lamp",
            "A tall bottle of glazed clay with a wide shade, for long sideboards.",
            109.0,
            "Atelier Nove",
            "ceramic",
            ["teal", "mustard", "white", "teal/speckled", "white/leaves"],
            dict(
                base="turned",
                profile=[[0.22, 0], [0.3, 0.06], [0.32, 0.5], [0.24, 0.78], [0.08, 0.9], [0.06, 1.05]],
                r0=0.62,
                r1=0.44,
                repeats=(11, 8),
            ),
        ),
        Parent(
            "stacked spheres lamp",
            "Three balls, one on top of the other, in a good mood.",
            95.0,
            "Lumen & Oak",
            "painted steel",
            ["coral", "navy", "sage", "natural@oak", "walnut@walnut"],
            dict(
                base="turned",
                profile=[
                    [0.3, 0],
                    [0.31, 0.03],
                    [0.12, 0.07],
                    [0.27, 0.22],
                    [0.1, 0.37],
                    [0.22, 0.51],
                    [0.09, 0.65],
                    [0.17, 0.78],
                    [0.07, 0.91],
                    [0.05, 1.05],
                ],
                r0=0.5,
                r1=0.34,
                shade_height=0.5,
                shade="#f2efe8",
            ),
        ),
        Parent(
            "cone-base lamp",
            "A plain cone holds a plain drum, and the two get along.",
            72.0,
            "Lumen & Oak",
            "stoneware",
            ["grey", "terracotta", "black", "pink", "black/terrazzo"],
            dict(
                base="turned",
                profile=[[0.42, 0], [0.44, 0.03], [0.3, 0.4], [0.16, 0.8], [0.06, 1.0], [0.05, 1.05]],
                r0=0.46,
                r1=0.46,
                shade_height=0.44,
                repeats=(12, 7),
            ),
        ),
    ],
)

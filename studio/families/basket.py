"""Woven baskets, with handles, lids or legs."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, fillet, refine, revolve, shell, superellipsoid, sweep
from ..materials import leather, surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def build(shape: dict, rng: np.random.Generator) -> Model:
    """A profile with the relief of its weave; loops at the rim, a bail over it, or a lid."""
    line = catmull(shape["profile"], 16)
    top, rim, stretch = line[-1, 1], line[-1, 0], shape.get("stretch", (1.0, 1.0))
    outside, inside = shell(np.vstack([[[0, 0], [line[0, 0] * 0.8, 0]], line]), 0.05)
    outside = refine(outside, 0.008)
    around, rows = shape.get("stakes", 44), shape.get("rows", 30)

    def weave(a: np.ndarray, z: np.ndarray) -> np.ndarray:
        return (
            1
            + 0.022
            * np.sin(around * a / 2 + np.pi * np.floor(z / top * rows))
            * np.abs(np.sin(np.pi * z / top * rows)) ** 0.5
        )

    parts = [
        ("body", revolve(outside, 528, weave, stretch, wall=(0.01, top), closed=False)),
        ("inside", revolve(inside, 128, None, stretch, closed=False)),
    ]
    ring = np.linspace(0, 2 * np.pi, 97)[:-1]
    edge = np.stack(
        [(rim - 0.02) * stretch[0] * np.cos(ring), (rim - 0.02) * stretch[1] * np.sin(ring), 0 * ring + top], 1
    )
    parts.append(("body", sweep(edge, 0.04, closed=True, n=14).uv_scaled(1, 0.2)))
    if shape.get("loops"):
        for s in (-1, 1):
            t = np.linspace(-0.1, np.pi + 0.1, 30)
            x = s * (rim * stretch[0] + 0.005)
            loop = np.stack([0 * t + x, 0.2 * np.cos(t), top - 0.02 + 0.2 * np.sin(t)], 1)
            parts.append(("handle", sweep(loop, 0.024, 0.036, n=16, up=(1, 0, 0))))
    if shape.get("bail"):
        t = np.linspace(-0.12, np.pi + 0.12, 60)
        x = rim * stretch[0] - 0.01
        loop = np.stack([x * np.cos(t), 0 * t, top - 0.06 + shape["bail"] * np.sin(t)], 1)
        parts.append(("handle", sweep(loop, 0.026, 0.05, n=18, up=(0, 1, 0))))
    if shape.get("lid"):
        dome = fillet(
            [[0, 0], [rim + 0.04, 0], [rim + 0.04, 0.07], [rim * 0.6, 0.16], [0, 0.18]], [0, 0.02, 0.04, 0.1, 0], 12
        )
        lid = revolve(dome, 264, lambda a, z: 1 + 0.008 * np.cos(around * a), stretch)
        parts += [("body", lid.moved((0, 0, top + 0.02)))]
        parts.append(("handle", superellipsoid(0.07, 0.07, 0.06, nu=40, nv=20).moved((0, 0, top + 0.24))))
    return Model(parts, View(-18, 18, fill=0.82))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The weave takes the variant; handles are of leather or like the basket."""
    body = surface(variant, rng, shape.get("repeats", (14, 5))).but(bump=None)
    plain = body.but(texture=None, colour=rgb(variant.colour) * 0.86)
    return {"body": body, "inside": plain, "handle": leather("tan", 2) if shape.get("leather") else plain}


FAMILY = Family(
    "basket",
    "Basket",
    build,
    finish,
    [
        Parent(
            "belly basket",
            "The round one that folds flat, holds a fig tree or hides the toys.",
            39.0,
            "Saltmarsh",
            "seagrass",
            ["natural", "black", "cream", "natural/dipped", "cream/chevron"],
            dict(
                profile=[[0.42, 0], [0.6, 0.16], [0.66, 0.4], [0.56, 0.66], [0.46, 0.84]], loops=True, repeats=(14, 4)
            ),
        ),
        Parent(
            "laundry basket with lid",
            "Tall, ventilated and closed, so the laundry waits out of sight.",
            79.0,
            "Saltmarsh",
            "rattan",
            ["natural", "brown", "white", "sage"],
            dict(profile=[[0.44, 0], [0.48, 0.3], [0.52, 0.8], [0.54, 1.2]], lid=True, stakes=40, rows=34),
        ),
        Parent(
            "rope storage basket",
            "Coils of cotton rope, soft enough for a nursery floor.",
            34.0,
            "Loomfield",
            "cotton",
            ["cream", "mustard", "grey", "pink", "cream/stripes", "grey/dipped"],
            dict(
                profile=[[0.56, 0], [0.6, 0.1], [0.6, 0.4], [0.58, 0.64]],
                loops=True,
                leather=True,
                stakes=120,
                rows=18,
                repeats=(14, 3),
            ),
        ),
        Parent(
            "market basket",
            "One tall handle over a wide oval, for leeks, bread and the dog's opinion.",
            49.0,
            "Saltmarsh",
            "rattan",
            ["natural", "walnut", "red", "teal"],
            dict(
                profile=[[0.42, 0], [0.54, 0.12], [0.62, 0.34], [0.66, 0.48]],
                bail=0.72,
                stretch=(1.15, 0.8),
                stakes=40,
                rows=14,
            ),
        ),
        Parent(
            "bread basket",
            "Low and open, lined with a napkin or not at all.",
            22.0,
            "Saltmarsh",
            "seagrass",
            ["natural", "navy", "terracotta", "natural/diamonds"],
            dict(
                profile=[[0.56, 0], [0.72, 0.1], [0.8, 0.26]], stretch=(1.2, 0.85), rows=9, stakes=60, repeats=(18, 1.5)
            ),
        ),
    ],
)

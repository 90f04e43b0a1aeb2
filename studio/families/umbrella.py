"""Umbrellas, open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..geometry import Mesh, catmull, grid_faces, rod, rotation, sweep
from ..materials import fabric, metal, painted, wood
from ..model import Family, Model, Parent, Variant, View


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Number of ribs, depth of the canopy, a crook or a straight grip."""
    ribs, deep, h = shape.get("ribs", 8), shape.get("deep", 0.42), 1.5
    n = ribs * 24
    a, t = np.meshgrid(np.linspace(0, 2 * np.pi, n + 1), np.linspace(0.0, 1, 40), indexing="ij")
    sag = np.abs(np.sin(ribs * a / 2))  # zero at the ribs
    r = t * (1 - 0.075 * sag * t**2)
    z = h - deep * t**2 * (1 + 0.05 * sag) - 0.03 * sag * np.sin(np.pi * t)
    grid = np.stack([r * np.cos(a), r * np.sin(a), z], -1)
    grid[-1] = grid[0]
    uv = np.stack([a / (2 * np.pi), t], -1).reshape(-1, 2)
    canopy = Mesh(grid.reshape(-1, 3), grid_faces(n + 1, 40), uv, closed=False)
    parts = [
        ("canopy", canopy),
        ("shaft", rod([0, 0, 0.1], [0, 0, h + 0.02], 0.018)),
        ("shaft", rod([0, 0, h], [0, 0, h + 0.12], 0.022, 0.008)),
    ]
    for k in range(ribs):
        b = 2 * np.pi * k / ribs
        d = np.array([np.cos(b), np.sin(b), 0])
        spoke = np.array([d * s + [0, 0, h - deep * s**2 - 0.02] for s in np.linspace(0.02, 0.985, 14)])
        parts += [
            ("rib", sweep(spoke, 0.007, n=8)),
            ("rib", rod(d * 0.03 + [0, 0, h - 0.55], d * 0.5 + [0, 0, h - deep * 0.25 - 0.02], 0.006, n=8)),
        ]
        parts.append(("rib", rod(d * 0.98 + [0, 0, h - deep - 0.0], d * 1.02 + [0, 0, h - deep - 0.03], 0.012, n=8)))
    if shape.get("crook", True):
        t = np.linspace(0, np.pi, 24)
        hook = np.vstack(
            [[[0, 0, 0.24], [0, 0, 0.12]], np.stack([0.11 - 0.11 * np.cos(t), 0 * t, 0.02 - 0.11 * np.sin(t)], 1)]
        )
        parts.append(("grip", sweep(catmull(hook, 4), 0.036, n=18)))
    else:
        parts.append(("grip", rod([0, 0, -0.08], [0, 0, 0.2], 0.045, 0.04)))
    tilt = rotation("y", shape.get("tilt", 24)) @ rotation("x", 14)
    parts = [(s, replace(m, vertices=m.vertices @ tilt.T)) for s, m in parts]
    return Model(parts, View(-10, 4, fill=0.84, lift=0.06))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The canopy takes the variant."""
    m = painted(fabric("nylon", 2), variant.colour, variant.pattern, shape.get("repeats", (24, 7)), rng)
    grip = wood(shape.get("grip", "beech"), rng, along_v=True)
    return {"canopy": m.but(bump=None), "shaft": metal("steel"), "rib": metal("steel"), "grip": grip}


FAMILY = Family(
    "umbrella",
    "Umbrella",
    build,
    finish,
    [
        Parent(
            "classic crook umbrella",
            "Eight ribs, a wooden crook and a canopy that turns wind into applause.",
            49.0,
            "Harbour Lane",
            "nylon",
            ["navy", "red", "green", "navy/dots", "red/stripes", "green/checks"],
            dict(),
        ),
        Parent(
            "dome umbrella",
            "Deep enough to disappear into down to the shoulders.",
            39.0,
            "Tidewear",
            "nylon",
            ["pink", "light blue", "yellow", "black", "pink/floral", "light blue/dots"],
            dict(deep=0.72, ribs=10, tilt=14),
        ),
        Parent(
            "compact umbrella",
            "Folds to the length of a banana and opens at the push of a thumb.",
            29.0,
            "Tidewear",
            "nylon",
            ["charcoal", "teal", "orange", "lavender", "teal/leaves"],
            dict(crook=False, ribs=6, deep=0.34, grip="walnut", tilt=32),
        ),
    ],
)

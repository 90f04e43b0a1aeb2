"""Belts, coiled, with their buckle in front."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, arc_length, rod, sweep
from ..materials import fabric, leather, metal, painted
from ..model import Family, Model, Parent, Variant, View


def _bar(points: list[list[float]], radius: float) -> Mesh:
    return sweep(np.asarray(points, float), radius, n=14, closed=True)


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Width of the strap, and a square, round or double-ring buckle."""
    turns, half = 2.35, shape.get("half", 0.15)
    a = np.linspace(0, 2 * np.pi * turns, 260)
    r = 0.34 + 0.24 * (a / a[-1]) + 0.02 * np.sin(a * 1.7)
    a0 = -np.pi / 2 - a[-1] - 0.25
    path = np.stack([r * np.cos(a + a0) * 1.12, r * np.sin(a + a0), 0 * a + half], 1)
    parts = [("strap", sweep(path, 0.02, half, n=36, power=7, up=(0, 0, 1)).uv_scaled(9, 1.3))]
    end, d = path[-1], (path[-1] - path[-4]) / np.linalg.norm(path[-1] - path[-4])
    up, tall = np.array([0, 0, 1.0]), half * 1.32
    mid = end + d * 0.06
    wide = shape.get("buckle_width", 0.2)
    if shape.get("buckle", "square") == "square":
        k = 0.8
        ring = [
            mid + d * x * wide + up * z * tall
            for x, z in ((-1, -k), (-k, -1), (k, -1), (1, -k), (1, k), (k, 1), (-k, 1), (-1, k))
        ]
        dense = np.vstack(
            [np.linspace(p, q, 8, endpoint=False) for p, q in zip(ring, [*ring[1:], ring[0]], strict=True)]
        )
        parts.append(("metal", _bar(dense, 0.026)))
        parts.append(("metal", rod(mid - d * wide * 0.2 + up * 0.0, mid + d * wide * 1.05, 0.016)))
        parts.append(("metal", rod(mid - d * wide * 0.2 - up * tall, mid - d * wide * 0.2 + up * tall, 0.018)))
    else:
        t = np.linspace(0, 2 * np.pi, 64, endpoint=False)[:, None]
        for off in (0.0, 0.07) if shape["buckle"] == "rings" else (0.0,):
            out = np.cross(d, up) * off
            parts.append(("metal", _bar(mid + out + d * np.cos(t) * tall + up * np.sin(t) * tall, 0.028)))
    at = np.searchsorted(arc_length(path), arc_length(path)[-1] - 0.32)
    keep, d = path[at], (path[at] - path[at - 3]) / np.linalg.norm(path[at] - path[at - 3])
    loop = [
        keep + np.cross(d, up) * y + up * z
        for y, z in ((-0.032, -half), (0.032, -half), (0.032, half + 0.014), (-0.032, half + 0.014))
    ]
    dense = np.vstack([np.linspace(p, q, 8, endpoint=False) for p, q in zip(loop, [*loop[1:], loop[0]], strict=True)])
    parts.append(("loop", sweep(dense, 0.012, 0.035, n=14, power=4, closed=True, up=d)))
    return Model(parts, View(8, 24, fill=0.84))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The strap takes the variant."""
    if variant.material in ("leather", "suede"):
        strap = leather(variant.colour, 2, variant.material == "suede")
    else:
        strap = painted(fabric(variant.material, 2), variant.colour, variant.pattern, (9, 3), rng)
    return {"strap": strap, "loop": strap, "metal": metal(shape.get("metal", "brass"))}


FAMILY = Family(
    "belt",
    "Belt",
    build,
    finish,
    [
        Parent(
            "classic belt",
            "One strap, one buckle, five holes: it will outlive the trousers.",
            45.0,
            "Corso & Figlia",
            "leather",
            ["tan", "black", "brown", "navy", "tan@suede"],
            dict(),
        ),
        Parent(
            "wide ring-buckle belt",
            "A broad belt with a round buckle, for dresses and big coats.",
            55.0,
            "Corso & Figlia",
            "leather",
            ["burgundy", "black", "olive", "cream"],
            dict(half=0.21, buckle="ring", metal="gold"),
        ),
        Parent(
            "double-ring webbing belt",
            "No holes, no tongue: pull it through two rings and go sailing.",
            25.0,
            "Harbour Lane",
            "canvas",
            ["navy", "red", "khaki", "navy/stripes", "khaki/stripes", "green/stripes"],
            dict(buckle="rings", metal="steel"),
        ),
        Parent(
            "slim waist belt",
            "A narrow line that turns any shift into a shape.",
            35.0,
            "Maren Studio",
            "leather",
            ["red", "white", "teal", "mustard", "pink"],
            dict(half=0.09, buckle_width=0.14, metal="gold"),
        ),
    ],
)

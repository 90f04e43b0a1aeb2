"""Boots: a foot that rises into a shaft, on a sole with a heel."""

from __future__ import annotations

import numpy as np

from ..geometry import Array, Mesh, catmull, loft, rod, sweep
from ..materials import leather, metal
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import leather as grain
from ..patterns import mix, nap, step, uv_grid
from .sneaker import FOOTPRINT

FRONT = [
    [0.0, 0.985],
    [0.05, 0.99],
    [0.11, 0.955],
    [0.155, 0.86],
    [0.2, 0.72],
    [0.27, 0.56],
    [0.36, 0.455],
    [0.5, 0.415],
]
BACK = [[0.0, 0.02], [0.06, 0.0], [0.14, 0.0], [0.25, 0.03], [0.36, 0.045], [0.5, 0.03]]


def _ring(z: float, shape: dict) -> Array:
    """The outline at a height: the foot's below, an oval further up."""
    f, b = (np.interp(z, *catmull(c, 10).T) for c in (FRONT, BACK))
    calf = np.clip((z - 0.5) / 0.6, 0, 1) * shape.get("calf", 0.0)
    f, b = f + calf * 0.5, b - calf * 0.5
    foot = catmull(FOOTPRINT, 8, closed=True)[::-1]
    u = np.arctan2(foot[:, 1], foot[:, 0] - 0.45)
    k = np.clip((z - 0.16) / 0.2, 0, 1)
    k = k * k * (3 - 2 * k)
    oval = np.stack([0.5 + 0.5 * np.cos(u), (0.098 + calf * 0.35) * np.sin(u)], 1)
    round_off = 1 - 0.42 * np.clip((z - 0.03) / 0.16, 0, 1) ** 2 * np.clip((foot[:, 0] - 0.45) / 0.5, 0, 1)
    low = np.c_[foot[:, 0], foot[:, 1] * round_off]
    p = low * (1 - k) + oval * k
    return np.c_[b + p[:, 0] * (f - b), p[:, 1], np.full(len(p), z)]


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Height of the shaft, thickness of sole and heel; laces, a zip, pull loops or a buckle."""
    h, sole, heel = shape.get("height", 0.62), shape.get("sole", 0.05), shape.get("heel", 0.05)
    heights = np.r_[np.linspace(0.0, 0.2, 34), np.linspace(0.2, h, 36)[1:]]
    rows = np.array([_ring(z, shape) for z in heights])
    slant = shape.get("slant", 0.0)
    rows[..., 2] += slant * np.clip((rows[..., 2] - h * 0.75) / (h * 0.25), 0, 1) * (rows[..., 0] - 0.2)
    lift = sole + heel
    pitch = heel * np.clip((0.55 - rows[..., 0]) / 0.45, 0, 1) ** 1.2
    rows[..., 2] += sole + pitch
    upper = loft(rows)
    uv = upper.vertices[:, [0, 2]] * 0.7 + 0.1
    parts = [("upper", upper.mapped(uv))]
    inner = rows[-6:].copy()
    middle = inner[-1].mean(0)
    hole = np.array(
        [
            np.c_[middle[:2] + (inner[-1][:, :2] - middle[:2]) * k, inner[-1][:, 2] + dz]
            for k, dz in ((0.93, 0.003), (0.9, -0.02), (0.86, -0.12))
        ]
    )
    parts.append(("inside", loft(hole[::-1])))
    parts.append(("inside", sweep(rows[-1] * [1, 1, 1], 0.008, n=10, closed=True)))
    base = rows[0]
    rings = []
    for f, g in ((0.0, -0.006), (0.0, 0.012), (0.5, 0.016), (1.0, 0.014), (1.0, -0.01)):
        c = base[:, :2].mean(0)
        xy = c + (base[:, :2] - c) * (1 + g * 2)
        spring = heel * np.clip((0.55 - xy[:, 0]) / 0.45, 0, 1) ** 1.2
        under = np.where((xy[:, 0] < 0.30), 0, spring) if f == 0 else spring
        rings.append(np.c_[xy, under + f * sole])
    parts.append(("sole", loft(np.array(rings))))
    if shape.get("laces"):
        for z in np.linspace(0.24, h - 0.05, shape["laces"]):
            ring = _ring(z, shape)
            x = ring[:, 0].max()
            p = catmull(
                [
                    [x - 0.05, -0.062, z + lift - 0.012],
                    [x + 0.004, -0.03, z + lift + 0.004],
                    [x + 0.012, 0, z + lift + 0.01],
                    [x + 0.004, 0.03, z + lift + 0.004],
                    [x - 0.05, 0.062, z + lift - 0.012],
                ],
                6,
            )
            parts.append(("lace", sweep(p, 0.008, 0.009, n=12)))
            for s in (-1, 1):
                parts.append(
                    (
                        "metal",
                        rod(
                            [x - 0.052, s * 0.058, z + lift - 0.012],
                            [x - 0.054, s * 0.074, z + lift - 0.012],
                            0.009,
                            n=12,
                        ),
                    )
                )
    if shape.get("loop"):
        b, top = rows[-1][:, 0].min(), rows[-1][np.argmin(rows[-1][:, 0]), 2]
        tab = catmull(
            [
                [b - 0.004, 0, top - 0.09],
                [b - 0.03, 0, top + 0.01],
                [b - 0.02, 0, top + 0.05],
                [b + 0.012, 0, top + 0.02],
                [b + 0.012, 0, top - 0.05],
            ],
            8,
        )
        parts.append(("lace", sweep(tab, 0.005, 0.022, n=14, power=4, up=(0, 1, 0))))
    if shape.get("buckle"):
        z = 0.30
        belt = np.array([[p[0], p[1] * 1.09, z + lift + 0.35 * (p[0] - 0.25)] for p in _ring(z, shape)])
        c = belt[:, :2].mean(0)
        belt[:, :2] = c + (belt[:, :2] - c) * 1.03
        parts.append(("lace", sweep(belt, 0.008, 0.022, n=14, power=4, closed=True, up=(0, 0, 1))))
    return Model([(s, Mesh(m.vertices * 2, m.faces, m.uv, m.closed)) for s, m in parts], View(26, 12, fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Panels are painted as seen from the side: elastic, toe cap, seams."""
    n = 1024
    u, v = uv_grid(n)
    x, z = (u - 0.1) / 0.7, (v - 0.1) / 0.7 - shape.get("sole", 0.05)
    base = rgb(variant.colour)
    t, height = np.ones((n, n, 3)) * base, np.full((n, n), 0.5)
    suede, rubber = variant.material == "suede", variant.material == "rubber"

    def seam(d: np.ndarray) -> None:
        nonlocal t, height
        line = np.exp(-((d / 0.005) ** 2))
        t, height = t * (1 - 0.35 * line[..., None]), height - 0.4 * line

    if shape.get("elastic"):
        d = 0.075 - np.abs(x - 0.26) - 0.10 * np.clip(0.5 - z, 0, 1)
        d = np.minimum(d, z - 0.2)
        m = step(d, 0.006)
        rib = 0.85 + 0.15 * np.sin(x * 700)
        t = mix(t, np.clip(base * 0.45 + 0.03, 0, 1) * rib[..., None], m)
        seam(d)
    if shape.get("cap"):
        seam(x - 0.80 + 0.2 * np.clip(z - 0.1, 0, 1))
    if shape.get("counter"):
        seam(0.2 - x + 0.3 * (z - 0.1) ** 2)
    if shape.get("cuff"):
        high = shape.get("height", 0.62) - 0.07
        t = mix(t, rgb(shape["cuff"]), step(z - high - 0.02, 0.006))
    texture = grain(2500, n) if not (suede or rubber) else nap(n)
    return {
        "upper": leather(variant.colour, 1, suede).but(
            texture=np.clip(t, 0, 1),
            colour=None,
            roughness=0.28 if rubber else 1.0 if suede else 0.42,
            bump=None if rubber else np.clip(height + 0.12 * (texture - 0.5), 0, 1),
            bump_depth=0.012,
            bump_repeat=(1, 1),
            coat=0.4 if rubber else 0.0,
        ),
        "inside": leather("#3a3029", 2),
        "sole": leather(shape.get("sole_colour", "#2b2a2b"), 2).but(roughness=0.8),
        "lace": leather(variant.colour, 2).but(colour=np.clip(base * 0.55, 0, 1)),
        "metal": metal("brass"),
    }


FAMILY = Family(
    "boot",
    "Boots",
    build,
    finish,
    [
        Parent(
            "Chelsea boot",
            "Elastic at the sides, a loop at the heel and nothing to tie.",
            139.0,
            "Striden",
            "leather",
            ["black", "brown", "tan", "navy@suede", "tan@suede"],
            dict(height=0.56, elastic=True, loop=True),
        ),
        Parent(
            "lace-up work boot",
            "A capped toe, seven rows of lacing and a welt that can be resoled.",
            169.0,
            "Striden",
            "leather",
            ["tan", "burgundy", "olive", "black", "khaki@suede"],
            dict(height=0.58, laces=7, cap=True, counter=True, sole=0.065, sole_colour="#d8cdb8"),
        ),
        Parent(
            "rubber rain boot",
            "Knee-high to puddles, rinsed clean under the garden tap.",
            59.0,
            "Harbour Lane",
            "rubber",
            ["yellow", "green", "navy", "red", "pink"],
            dict(height=0.95, calf=0.09, sole=0.06, heel=0.03, cuff="#cfc6b2", sole_colour="#d9d4c8"),
        ),
        Parent(
            "tall riding boot",
            "A long clean shaft and a strap at the ankle, horse not included.",
            229.0,
            "Corso & Figlia",
            "leather",
            ["brown", "black", "burgundy", "grey@suede"],
            dict(height=1.12, calf=0.12, buckle=True, slant=0.12, counter=True),
        ),
        Parent(
            "suede ankle boot",
            "A block heel, a low shaft and the softest nap in the shop.",
            119.0,
            "Maren Studio",
            "suede",
            ["terracotta", "sage", "charcoal", "mustard", "teal"],
            dict(height=0.44, heel=0.12, counter=True, sole=0.03, sole_colour="#8a6243"),
        ),
    ],
)

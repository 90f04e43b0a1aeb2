"""Skirts, laid flat."""

from __future__ import annotations

import numpy as np

from ..cloth import lay_flat, mirrored
from ..geometry import Mesh, catmull
from ..materials import Material, accents, fabric
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import MASKS, mix, noise, uv_grid

TOP = 0.75


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Waist, hem, length and how deep the pleats fall."""
    waist, hem = np.array([shape.get("waist", 0.3), TOP]), np.array([shape.get("hem", 0.7), shape.get("length", -0.7)])
    round_hip = shape.get("hip", 0.0)

    def outline(front: bool) -> list:
        top = np.array([[0, TOP - (0.03 if front else 0)], waist])
        hip = waist + (hem - waist) * 0.3 + [round_hip, 0]
        side = catmull([waist, hip, waist + (hem - waist) * 0.65 + [round_hip * 0.6, 0], hem], 10)
        bottom = catmull(
            [hem, hem * [0.5, 1] - [0, shape.get("curve", 0.06)], [0, hem[1] - shape.get("curve", 0.06) * 1.35]], 10
        )
        right = [(top, False), (side, True), (bottom, False)]
        return right + [(mirrored(line), sewn) for line, sewn in reversed(right)]

    pleats = shape.get("pleats", 7)

    def folds(xy: np.ndarray) -> np.ndarray:
        below = np.clip((TOP - 0.1 - xy[:, 1]) / (TOP - hem[1]), 0, 1)
        half = waist[0] + (hem[0] - waist[0]) * below + round_hip * np.sin(np.pi * below)
        at = xy[:, 0] / half
        wave = 0.5 + 0.5 * np.cos(pleats * np.pi * at + shape.get("sway", 0.8) * np.sin(3 * xy[:, 1]))
        return shape.get("fullness", 0.08) * below ** shape.get("from", 0.7) * wave * np.clip(1 - at**4, 0, 1)

    x, tri, uv, _ = lay_flat(outline(True), outline(False), 0.036, folds, rng, steps=42, slack=1.0)
    return Model([("cloth", Mesh(x, tri, uv, closed=False))], View(0, 90, above=True, fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Waistband, buttons, pockets, tiers."""
    n = 1024
    u, v = uv_grid(n)
    x, y = u * 2 - 1, v * 2 - 1
    base = rgb(variant.colour)
    t = np.ones((n, n, 3)) * base
    if variant.pattern != "plain":
        t = mix(t, accents(variant.colour)[0], MASKS[variant.pattern](u, v, *shape.get("repeats", (24, 24))))
    height = np.full((n, n), 0.5)
    thread = rgb("#d59a4a") if variant.material == "denim" else base * 0.6

    def line(d: np.ndarray, where: np.ndarray | float = 1.0, w: float = 0.005) -> None:
        nonlocal t, height
        m = np.exp(-((d / w) ** 2)) * where
        t, height = mix(t, thread, np.clip(0.6 * m, 0, 1)), height - 0.3 * m

    t = np.where((y > TOP - 0.1)[..., None], base, t)
    line(y - TOP + 0.1)
    if shape.get("elastic"):
        height = np.where(y > TOP - 0.1, 0.5 + 0.35 * np.sin(x * 240), height)
    for at in shape.get("tiers", ()):
        line(y - at, w=0.008)
        gather = np.clip(0.16 - (at - y), 0, 1) * (y < at) * 3
        height = height + gather * np.sin(x * 160 + 3 * np.sin(x * 31)) * 0.5
    if shape.get("knife"):
        half = np.interp(y, [shape.get("length", -0.7), TOP], [shape.get("hem", 0.7), shape.get("waist", 0.3)])
        saw = (shape["knife"] * (x / half + 1)) % 1.0
        height = np.where(y < TOP - 0.1, 0.2 + 0.6 * saw, height)
        t = t * (1 - 0.22 * np.clip(0.16 - saw, 0, 1)[..., None] * 6 * (y < TOP - 0.1)[..., None])
    if shape.get("buttons"):
        line(x - 0.04, y < TOP)
        for z in np.linspace(TOP - 0.05, shape.get("length", -0.7) + 0.05, shape["buttons"]):
            t = mix(t, rgb(shape.get("button", "cream")), np.clip((0.022 - np.hypot(x, y - z)) / 0.004 + 0.5, 0, 1))
    if shape.get("pockets"):
        for s in (-1, 1):
            line(np.maximum(np.abs(s * x - 0.24) - 0.1, np.abs(y - 0.36) - 0.12), s * x > 0)
    line(y - shape.get("length", -0.7) - 0.03)
    cloth = fabric(variant.material)
    rib = 0.2 * np.abs(np.sin(np.pi * u * 150)) ** 0.7 if variant.material == "corduroy" else 0
    silk = variant.material == "silk"
    return {
        "cloth": Material(
            texture=np.clip(t, 0, 1),
            roughness=0.38 if silk else cloth.roughness,
            specular=0.5 if silk else 0.1,
            sheen=cloth.sheen,
            bump=height + rib + (0 if silk else 0.04) * noise(rng, 1.0, n=n),
            bump_depth=0.03,
        )
    }


FAMILY = Family(
    "skirt",
    "Skirt",
    build,
    finish,
    [
        Parent(
            "A-line skirt",
            "Flat at the waist, free at the hem, and it has pockets.",
            55.0,
            "Maren Studio",
            "cotton",
            ["mustard", "navy", "red", "navy/floral", "red/dots", "mustard/leaves"],
            dict(hem=0.62, length=-0.5, pockets=True, fullness=0.05, pleats=5),
        ),
        Parent(
            "pleated midi skirt",
            "Forty narrow pleats that open with every step and close again behind you.",
            85.0,
            "Maren Studio",
            "silk",
            ["green", "pink", "black", "light blue", "black/dots"],
            dict(hem=0.66, length=-0.9, knife=11, pleats=5, fullness=0.05, waist=0.27),
        ),
        Parent(
            "button-through denim skirt",
            "Seven buttons from top to bottom, of which you close as many as you like.",
            65.0,
            "Tidewear",
            "denim",
            ["blue", "navy", "white", "black"],
            dict(hem=0.44, length=-0.36, buttons=7, button="#b98a4a", fullness=0.015, pleats=3, hip=0.05, curve=0.03),
        ),
        Parent(
            "tiered maxi skirt",
            "Three tiers, each a little wider than the last, down to the sandals.",
            79.0,
            "Maren Studio",
            "cotton",
            ["white", "terracotta", "lavender", "white/floral", "terracotta/stripes", "teal"],
            dict(hem=0.74, length=-0.95, tiers=(0.3, -0.28), elastic=True, fullness=0.07, pleats=9, waist=0.26),
        ),
        Parent(
            "corduroy mini skirt",
            "Short, straight and warm, for tights and long socks.",
            49.0,
            "Tidewear",
            "corduroy",
            ["brown", "burgundy", "olive", "orange", "teal"],
            dict(hem=0.46, length=-0.2, waist=0.32, fullness=0.012, pleats=3, hip=0.04, pockets=True, curve=0.03),
        ),
        Parent(
            "linen wrap skirt",
            "It ties at the side, falls over itself and asks for a breeze.",
            69.0,
            "Plain Thread",
            "linen",
            ["sage", "cream", "coral", "sage/leaves", "coral/pinstripes"],
            dict(hem=0.56, length=-0.7, fullness=0.06, pleats=4, sway=2.2, waist=0.28),
        ),
    ],
)

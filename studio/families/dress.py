"""Dresses laid flat."""

from __future__ import annotations

import numpy as np

from ..cloth import crease, lay_flat, mirrored
from ..geometry import Mesh, catmull
from ..materials import Material, accents, fabric
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import MASKS, mix, uv_grid

TOP = 0.9


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Sleeveless or short-sleeved; the skirt's hem, length and fullness vary."""
    waist = np.array([shape.get("waist", 0.25), 0.26])
    hem = np.array([shape.get("hem", 0.6), shape.get("length", -0.8)])
    arm, sleeve = np.array([0.33, 0.56]), shape.get("sleeve", 0.0)

    def outline(front: bool) -> list:
        a = np.linspace(0, np.pi / 2, 12)
        drop = shape.get("neck_drop", 0.22) if front else 0.09
        neck = np.stack([0.18 * np.sin(a), TOP - drop * np.cos(a)], 1)
        side = catmull([arm, waist, waist + (hem - waist) * [0.3, 0.4], hem], 10)
        bottom = catmull(
            [
                hem,
                hem * [0.5, 1] - [0, 0.045],
                [0, hem[1] - 0.06],
                hem * [-0.5, 1] - [0, 0.045],
                hem * [-1, 1],
            ],
            8,
        )
        if sleeve:
            end = np.array([0.36 + sleeve * 0.72, TOP - 0.06 - sleeve * 0.62])
            under = end + np.array([-0.13, -0.16])
            shoulder = catmull([[0.18, TOP], [0.31, TOP - 0.04], end], 8)
            cuff, arm_line = np.array([end, under]), catmull([under, (under + arm) / 2, arm], 6)
            right = [(shoulder, True), (cuff, False), (arm_line, True), (side, True)]
        else:
            shoulder = np.array([[0.18, TOP], [0.29, TOP - 0.03]])
            hole = catmull([[0.29, TOP - 0.03], [0.26, 0.72], [0.28, 0.62], arm], 8)
            right = [(shoulder, True), (hole, False), (side, True)]
        left = [(mirrored(p), sewn) for p, sewn in reversed(right)]
        return [(neck, False), *right, (bottom, False), *left, (mirrored(neck), False)]

    pleats = shape.get("pleats", 9)

    def folds(xy: np.ndarray) -> np.ndarray:
        below = np.clip((waist[1] - xy[:, 1]) / (waist[1] - hem[1]), 0, 1)
        half = waist[0] + (hem[0] - waist[0]) * below
        wave = 0.5 + 0.5 * np.cos(pleats * np.pi * xy[:, 0] / half + 1.2 * np.sin(3 * xy[:, 1]))
        z = shape.get("fullness", 0.075) * below**0.8 * wave * np.clip(1 - (xy[:, 0] / half) ** 4, 0, 1)
        for _ in range(5):
            at = (rng.uniform(-0.2, 0.2), rng.uniform(0.2, 0.55))
            z += 0.03 * crease(xy, at, rng.uniform(60, 120), rng.uniform(0.1, 0.2), 0.03)
        return z

    x, tri, uv, _ = lay_flat(outline(True), outline(False), 0.036, folds, rng, steps=42, slack=1.0)
    return Model([("cloth", Mesh(x, tri, uv, closed=False))], View(0, 90, above=True, fill=0.88))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Colour or pattern, with a waist seam or a belt."""
    n = 1024
    u, v = uv_grid(n)
    x, y = u * 2 - 1, v * 2 - 1
    t = np.ones((n, n, 3)) * rgb(variant.colour)
    if variant.pattern != "plain":
        t = mix(t, accents(variant.colour)[0], MASKS[variant.pattern](u, v, *shape.get("repeats", (26, 26))))
    seam = np.exp(-((np.abs(y - 0.26) / 0.008) ** 2))
    if shape.get("belt"):
        t = np.where((np.abs(y - 0.26) < 0.035)[..., None], rgb(variant.colour) * 0.55, t)
    elif not shape.get("shift"):
        t = t * (1 - 0.35 * seam[..., None])
    if shape.get("buttons"):
        for z in np.linspace(0.62, -0.7, 12):
            t = mix(t, rgb("cream"), np.clip((0.018 - np.hypot(x, y - z)) / 0.004 + 0.5, 0, 1))
        t = t * (1 - 0.25 * np.exp(-((np.abs(x - 0.035) / 0.004) ** 2))[..., None])
    cloth = fabric(variant.material)
    return {
        "cloth": cloth.but(texture=np.clip(t, 0, 1), bump_depth=cloth.bump_depth * 0.6, bump_repeat=(2, 2), colour=None)
        if variant.material != "silk"
        else Material(texture=np.clip(t, 0, 1), roughness=0.38, specular=0.5, sheen=0.3)
    }


FAMILY = Family(
    "dress",
    "Dress",
    build,
    finish,
    [
        Parent(
            "A-line midi dress",
            "Fitted to the waist, then a skirt that moves when you do.",
            79.0,
            "Maren Studio",
            "cotton",
            ["teal", "red", "navy", "navy/dots", "red/floral"],
            dict(),
        ),
        Parent(
            "belted shirt dress",
            "Short sleeves, a row of buttons and a belt: dressed in under a minute.",
            89.0,
            "Maren Studio",
            "linen",
            ["olive", "light blue", "terracotta", "light blue/pinstripes"],
            dict(
                sleeve=0.3,
                belt=True,
                buttons=True,
                hem=0.46,
                fullness=0.05,
                neck_drop=0.16,
                pleats=7,
                repeats=(24, 24),
            ),
        ),
        Parent(
            "straight shift dress",
            "A knee-length shift that skims rather than clings, for work and straight after.",
            69.0,
            "Tidewear",
            "cotton",
            ["black", "pink", "mustard", "black/checks", "mustard/leaves"],
            dict(
                shift=True,
                waist=0.33,
                hem=0.42,
                length=-0.62,
                fullness=0.02,
                pleats=3,
                sleeve=0.16,
                repeats=(20, 20),
            ),
        ),
        Parent(
            "maxi sundress",
            "Thin straps of shoulder, a high waist and a hem that touches the grass.",
            95.0,
            "Maren Studio",
            "cotton",
            ["coral", "white", "green", "white/floral", "green/leaves", "coral/dots"],
            dict(waist=0.24, hem=0.56, length=-1.0, neck_drop=0.3, fullness=0.06, pleats=11),
        ),
        Parent(
            "mini skater dress",
            "A fitted top, a short full skirt and shoes you can jump in.",
            59.0,
            "Tidewear",
            "cotton",
            ["purple", "yellow", "light blue", "light blue/checks", "purple/dots"],
            dict(hem=0.66, length=-0.36, waist=0.25, fullness=0.085, pleats=9, sleeve=0.14),
        ),
        Parent(
            "silk slip dress",
            "Cut on the bias, with nothing to it but a line.",
            119.0,
            "Maren Studio",
            "silk",
            ["black", "pink", "sage", "burgundy", "mustard"],
            dict(shift=True, waist=0.26, hem=0.40, length=-0.86, fullness=0.03, pleats=5, neck_drop=0.34),
        ),
        Parent(
            "linen tunic dress",
            "Loose, knee-length and short-sleeved, for days that start in the garden.",
            79.0,
            "Plain Thread",
            "linen",
            ["cream", "blue", "terracotta", "cream/pinstripes", "blue/checks"],
            dict(
                shift=True,
                waist=0.36,
                hem=0.5,
                length=-0.56,
                sleeve=0.26,
                buttons=True,
                fullness=0.04,
                pleats=5,
                neck_drop=0.2,
            ),
        ),
    ],
)

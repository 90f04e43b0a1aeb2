"""Trousers and shorts, laid flat."""

from __future__ import annotations

import numpy as np

from ..cloth import crease, lay_flat, mirrored
from ..geometry import Mesh, catmull
from ..materials import Material, accents, fabric
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import MASKS, mix, noise, uv_grid

WAIST, CROTCH = 0.92, 0.34


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Width of hips and hems, length, and how far the legs stand apart."""
    hip, hem, end, apart = (
        shape.get("hip", 0.38),
        shape.get("hem", 0.2),
        shape.get("length", -0.95),
        shape.get("apart", 0.1),
    )
    waist = shape.get("waist", 0.3)
    inner, outer = np.array([apart, end]), np.array([apart + hem, end])

    def outline(front: bool) -> list:
        dip = 0.03 if front else 0.0
        top = np.array([[0, WAIST - dip], [waist, WAIST]])
        side = catmull([[waist, WAIST], [hip, 0.55], [(hip + outer[0]) / 2 + 0.01, (0.4 + end) / 2], outer], 12)
        bottom = np.array([outer, inner])
        inseam = catmull([inner, [(apart + 0.02) * 0.6 + 0.01, (end + CROTCH) / 2], [0.0, CROTCH]], 12)
        right = [(top, False), (side, True), (bottom, False), (inseam, True)]
        return right + [(mirrored(line), sewn) for line, sewn in reversed(right)]

    def folds(xy: np.ndarray) -> np.ndarray:
        z = np.zeros(len(xy))
        for s in (-1, 1):
            for _ in range(5):  # from the crotch down the legs, and behind the knees
                z += (
                    0.05
                    * rng.uniform(0.4, 1)
                    * crease(xy, (s * 0.05, CROTCH + 0.06), -90 + s * rng.uniform(15, 75), rng.uniform(0.1, 0.28), 0.03)
                )
            for _ in range(4):
                at = (s * rng.uniform(0.12, 0.28), rng.uniform(end + 0.15, 0.2))
                z += (
                    0.04 * rng.uniform(0.4, 1) * crease(xy, at, rng.uniform(-40, 40) + 90, rng.uniform(0.1, 0.25), 0.03)
                )
            if shape.get("pressed"):
                z += 0.03 * np.exp(
                    -(((np.abs(xy[:, 0]) - np.interp(xy[:, 1], [end, WAIST], [apart + hem / 2, 0.16])) / 0.02) ** 2)
                )
        return z

    x, tri, uv, _ = lay_flat(outline(True), outline(False), 0.036, folds, rng, steps=48)
    return Model([("cloth", Mesh(x, tri, uv, closed=False))], View(0, 90, above=True, fill=0.88))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Waistband, fly, pockets and hems are drawn in; denim is faded and topstitched."""
    n = 1024
    u, v = uv_grid(n)
    x, y = u * 2 - 1, v * 2 - 1
    t = np.ones((n, n, 3)) * rgb(variant.colour)
    if variant.pattern != "plain":
        t = mix(t, accents(variant.colour)[0], MASKS[variant.pattern](u, v, *shape.get("repeats", (30, 30))))
    height = np.full((n, n), 0.5)
    denim = variant.material == "denim"
    thread = rgb("#d59a4a") if denim else rgb(variant.colour) * 0.6
    if denim:
        fade = np.exp(-(((np.abs(x) - 0.18) / 0.09) ** 2)) * np.exp(-(((y - 0.1) / 0.5) ** 2))
        t = t * (1 + 0.35 * fade + 0.05 * noise(rng, 1.0, 5, n))[..., None]

    def line(d: np.ndarray, where: np.ndarray, w: float = 0.004) -> None:
        nonlocal t, height
        m = np.exp(-((d / w) ** 2)) * where
        t = mix(t, thread, np.clip(m * (0.85 if denim else 0.5) * (np.sin((x + y) * 500) > -0.5), 0, 1))
        height = height - 0.3 * m

    band = shape.get("band", 0.07)
    line(y - (WAIST - 0.025 - band), np.ones_like(x))
    if shape.get("elastic"):
        height = np.where(y > WAIST - 0.03 - band, 0.5 + 0.35 * np.sin(x * 260), height)
        for s in (-1, 1):
            cord = (
                np.exp(-(((x - s * 0.03 - s * 0.25 * (WAIST - 0.06 - y)) / 0.009) ** 2))
                * (y < WAIST - 0.05)
                * (y > WAIST - 0.27)
            )
            t = mix(t, rgb("cream"), cord)
    else:
        line(x - 0.045 - 0.02 * np.clip(0.6 - y, 0, 1), (y < WAIST - band) & (y > CROTCH + 0.2))
        line(x, (y < WAIST) & (y > CROTCH), 0.003)
        t = mix(
            t,
            rgb("#b98a4a" if denim else "cream"),
            np.clip((0.02 - np.hypot(x - 0.015, y - WAIST + 0.06)) / 0.004, 0, 1),
        )
        for at in (-0.2, 0.2):
            loop = (np.abs(x - at) < 0.014) & (y > WAIST - 0.04 - band)
            t[loop] = t[loop] * 0.82
    for s in (-1, 1):
        pocket = np.hypot((s * x - 0.36) / 0.15, (y - WAIST + 0.09) / 0.22) if denim else None
        d = (pocket - 1) * 0.15 if pocket is not None else (s * x - 0.2 - 0.35 * (WAIST - 0.1 - y))
        line(d, (s * x > 0.05) & (y < WAIST - 0.03 - band) & (y > WAIST - 0.36))
        if shape.get("cargo"):
            d = np.maximum(np.abs(s * x - 0.31) - 0.07, np.abs(y + 0.05) - 0.12)
            line(d, s * x > 0)
            line(y - 0.03, (np.abs(s * x - 0.31) < 0.075))
    end = shape.get("length", -0.95)
    line(y - end - 0.05, np.ones_like(x))
    if shape.get("turn_up"):
        t = np.where((y < end + 0.1)[..., None], np.clip(t * 0.6 + 0.36, 0, 1) if denim else t * 0.9, t)
        line(y - end - 0.1, np.ones_like(x), 0.006)
    cloth = fabric(variant.material)
    rib = np.abs(np.sin(np.pi * u * 150)) ** 0.7 if variant.material == "corduroy" else 0
    return {
        "cloth": Material(
            texture=np.clip(t, 0, 1),
            roughness=cloth.roughness,
            specular=0.1,
            sheen=cloth.sheen,
            bump=height + 0.2 * rib + 0.04 * noise(rng, 1.0, n=n),
            bump_depth=0.03,
        )
    }


FAMILY = Family(
    "trousers",
    "Trousers",
    build,
    finish,
    [
        Parent(
            "straight jeans",
            "A mid rise, a straight leg and a denim that fades where you do.",
            89.0,
            "Tidewear",
            "denim",
            ["navy", "blue", "light blue", "black", "white"],
            dict(hip=0.4, hem=0.25, apart=0.09),
        ),
        Parent(
            "pleated wide trousers",
            "They fall from the waist in one line and swing a little at the ankle.",
            99.0,
            "Maren Studio",
            "linen",
            ["beige", "olive", "black", "terracotta", "black/pinstripes", "beige/checks"],
            dict(hip=0.42, hem=0.33, apart=0.07, pressed=True),
        ),
        Parent(
            "corduroy trousers",
            "Soft ribs, a turned-up hem and the quiet sound of walking.",
            85.0,
            "Plain Thread",
            "corduroy",
            ["brown", "mustard", "green", "burgundy", "grey"],
            dict(turn_up=True, hem=0.18),
        ),
        Parent(
            "drawstring joggers",
            "Elastic at the waist, tapered at the ankle, on the sofa by seven.",
            49.0,
            "Tidewear",
            "cotton",
            ["grey", "navy", "sage", "pink", "navy/dots"],
            dict(elastic=True, hem=0.14, hip=0.39, apart=0.13),
        ),
        Parent(
            "chino shorts",
            "Cut to just above the knee, with pockets that take a real phone.",
            45.0,
            "Harbour Lane",
            "cotton",
            ["khaki", "blue", "red", "white", "khaki/checks", "blue/stripes"],
            dict(length=-0.28, hem=0.32, apart=0.06, hip=0.4, waist=0.32, repeats=(24, 24)),
        ),
        Parent(
            "cargo trousers",
            "Two extra pockets for a knife, a string and a map.",
            79.0,
            "Harbour Lane",
            "canvas",
            ["olive", "charcoal", "tan", "teal"],
            dict(cargo=True, hem=0.23, hip=0.41, apart=0.09),
        ),
    ],
)

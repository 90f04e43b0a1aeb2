"""Sandals and slippers: a contoured footbed and straps over it."""

from __future__ import annotations

import numpy as np

from ..geometry import Array, catmull, loft, rounded_box, sweep, thick_sheet
from ..materials import fabric, lacquer, leather, metal, painted, wood
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from .sneaker import FOOTPRINT


def _outline(grow: float) -> Array:
    ring = catmull(FOOTPRINT, 10, closed=True)[::-1]
    middle = ring.mean(0)
    return middle + (ring - middle) * (1 + grow)


def _spring(x: Array, heel: float) -> Array:
    return 0.05 * np.clip((x - 0.7) / 0.3, 0, 1) ** 2 + heel * np.clip((0.52 - x) / 0.5, 0, 1) ** 1.3


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Thickness and heel of the sole; bands across at given places, a thong, a heel strap, or a closed toe."""
    sole, heel, parts = shape.get("sole", 0.07), shape.get("heel", 0.015), []
    for slot, lo, hi, grow in (("sole", 0.0, 1.0, 0.02), ("bed", 1.0, 1.28, 0.0)):
        rows = []
        for f, g in zip(
            np.r_[lo, np.linspace(lo, hi, 6), hi], (-0.02, 0, 0.006, 0.008, 0.008, 0.006, 0, -0.02), strict=True
        ):
            ring = _outline(grow + g)
            z = f * sole + _spring(ring[:, 0], heel) * (1 if f else 0.0 if heel > 0.05 else 1)
            rows.append(np.c_[ring, z])
        parts.append((slot, loft(np.array(rows)).projected((0, 1), 1.5)))
    top = 1.25 * sole

    def band(x0: float, x1: float, wide: float, high: float, slot: str = "strap") -> Array:
        t = np.linspace(0, np.pi, 40)
        y = 0.15 if x0 > 0.45 else 0.112
        x = x0 + (x1 - x0) * (t / np.pi)
        path = np.stack([x, -(y + 0.012) * np.cos(t), top * 0.6 + _spring(x, heel) + high * np.sin(t) ** 0.75], 1)
        parts.append((slot, sweep(path, 0.011, wide, n=26, power=4, up=(1, 0, 0.25)).uv_scaled(3, 1)))
        return path

    for x0, x1, wide, high in shape.get("bands", ()):
        path = band(x0, x1, wide, high)
        if shape.get("buckles"):
            at = path[9] - [0, 0.012, 0]
            parts.append(("metal", rounded_box(0.055, 0.018, 0.05, 0.008).moved(at)))
    if shape.get("thong"):
        for s in (-1, 1):
            strap = [
                [0.8, 0.012, top + 0.012],
                [0.74, s * 0.045, top + 0.075],
                [0.6, s * 0.115, top + 0.06],
                [0.44, s * 0.112, top * 0.7],
            ]
            parts.append(("strap", sweep(catmull(strap, 12), 0.011, 0.022, n=20, power=3, up=(0, 0, 1))))
        parts.append(("strap", sweep([[0.8, 0.012, top - 0.02], [0.8, 0.012, top + 0.03]], 0.014, n=14)))
    if shape.get("ankle"):
        t = np.linspace(-2.45, 2.45, 60)
        ring = np.stack([0.15 - 0.115 * np.cos(t) + 0.03, 0.105 * np.sin(t), 0.27 + heel + 0.05 * np.cos(t)], 1)
        parts.append(("strap", sweep(ring, 0.009, 0.02, n=20, power=3, up=(0, 0, 1))))
        parts.append(("metal", rounded_box(0.04, 0.016, 0.05, 0.006).moved(ring[8] + [0, -0.008, 0])))
        for s in (-1, 1):
            post = [[0.16, s * 0.102, top * 0.6 + heel], [0.12, s * 0.112, 0.16 + heel], [0.10, s * 0.105, 0.28 + heel]]
            parts.append(("strap", sweep(catmull(post, 8), 0.009, 0.022, n=18, power=3, up=(1, 0, 0.3))))
    if shape.get("toe"):
        t, f = np.meshgrid(np.linspace(0, np.pi, 48), np.linspace(0, 1, 26), indexing="ij")
        x = 0.47 + 0.515 * f
        ring = _outline(0.01)
        edge = np.interp(x.ravel(), *(ring[ring[:, 1] > 0.0][np.argsort(ring[ring[:, 1] > 0.0][:, 0])].T)).reshape(
            x.shape
        )
        low = np.interp(x.ravel(), *(ring[ring[:, 1] < 0.0][np.argsort(ring[ring[:, 1] < 0.0][:, 0])].T)).reshape(
            x.shape
        )
        y = (edge + low) / 2 - (edge - low) / 2 * np.cos(t)
        z = (
            top * 0.55
            + _spring(x, heel)
            + (0.165 - 0.10 * f**1.5) * np.sin(t) ** 0.6 * np.sqrt(np.clip(1 - f**6, 0, 1))
        )
        parts.append(("strap", thick_sheet(np.stack([x, y, z], -1), (0, 0, 0.014)).uv_scaled(1.0, 1.0)))
    return Model([(s, m.moved(scale=2.0)) for s, m in parts], View(28, shape.get("elevation", 24), fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Straps in the variant; footbed and sole belong to the design."""
    if variant.material in ("leather", "suede"):
        strap = leather(variant.colour, 1.5, variant.material == "suede")
    elif variant.material == "rubber":
        strap = lacquer(variant.colour, 0.55)
    else:
        strap = painted(
            fabric(variant.material, 1.2), variant.colour, variant.pattern, shape.get("repeats", (9, 9)), rng
        )
    bed = (
        leather("beige", 2)
        if shape.get("bed", "leather") == "leather"
        else strap
        if shape["bed"] == "own"
        else fabric("felt").but(colour=rgb(shape["bed"]))
    )
    sole = (
        wood("beech", rng, 1.5)
        if shape.get("sole_kind") == "wood"
        else fabric("jute", 3).but(colour=rgb("#d9bf94"))
        if shape.get("sole_kind") == "jute"
        else lacquer(shape.get("sole_colour", "#5d4331"), 0.8)
    )
    return {"strap": strap, "bed": bed, "sole": sole, "metal": metal("brass")}


FAMILY = Family(
    "sandal",
    "Sandals",
    build,
    finish,
    [
        Parent(
            "two-strap sandal",
            "Two buckled straps over a footbed that learns the shape of your foot.",
            79.0,
            "Striden",
            "leather",
            ["tan", "black", "white", "olive", "tan@suede"],
            dict(bands=((0.62, 0.7, 0.062, 0.125), (0.4, 0.46, 0.062, 0.16)), buckles=True, sole=0.085),
        ),
        Parent(
            "pool slide",
            "One broad band, straight from the shower to the terrace.",
            29.0,
            "Striden",
            "rubber",
            ["navy", "yellow", "coral", "mint", "charcoal"],
            dict(bands=((0.53, 0.62, 0.125, 0.135),), bed="own", sole=0.09, sole_colour="#f0eee8"),
        ),
        Parent(
            "toe-post sandal",
            "A thong, a sole and the sound of summer on the stairs.",
            22.0,
            "Tidewear",
            "rubber",
            ["pink", "light blue", "red", "green"],
            dict(thong=True, bed="own", sole=0.06, sole_colour="#2f3136"),
        ),
        Parent(
            "ankle-strap sandal",
            "Slim straps and a low block heel that dances longer than you do.",
            89.0,
            "Maren Studio",
            "leather",
            ["red", "gold", "teal", "cream", "black@suede"],
            dict(bands=((0.74, 0.8, 0.03, 0.085),), ankle=True, heel=0.11, sole=0.045, sole_colour="#8a6243"),
        ),
        Parent(
            "wooden clog",
            "A closed toe on a beech sole: the gardener's, the nurse's and the architect's shoe.",
            95.0,
            "North Orchard",
            "leather",
            ["brown", "navy", "mustard", "burgundy", "mustard@suede"],
            dict(toe=True, sole=0.12, heel=0.05, sole_kind="wood", elevation=20),
        ),
        Parent(
            "felt slipper",
            "Thick felt around the toes, and a heel you can tread down without remorse.",
            49.0,
            "Plain Thread",
            "felt",
            ["grey", "orange", "sage", "purple", "sage@wool"],
            dict(toe=True, sole=0.05, bed="#d8d2c6", sole_colour="#b9a88f", elevation=22),
        ),
        Parent(
            "espadrille mule",
            "Canvas on a sole of plaited jute, for harbours with ice cream.",
            39.0,
            "Tidewear",
            "canvas",
            ["blue", "terracotta", "khaki", "blue/stripes", "terracotta/checks"],
            dict(toe=True, sole=0.085, sole_kind="jute", bed="#e6d8bd", elevation=21),
        ),
    ],
)

"""Stools: turned seat, three or four legs, with or without a cushion."""

from __future__ import annotations

import numpy as np

from ..geometry import circle, fillet, revolve, rod, superellipsoid, sweep
from ..materials import fabric, lacquer, leather, painted, painted_wood, wood
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Height, leg count, foot ring and cushion vary."""
    h, k = shape.get("height", 0.9), shape.get("legs", 4)
    r = shape.get("radius", 0.42)
    line = fillet(
        [[0, h], [r - 0.02, h], [r, h + 0.04], [r - 0.02, h + 0.085], [r * 0.7, h + 0.085], [0, h + 0.06]],
        [0, 0.03, 0.03, 0.03, 0.05, 0],
        8,
    )
    parts = [("seat", revolve(line, 96).projected((0, 1), 0.9))]
    if shape.get("cushion"):
        cushion = superellipsoid(r - 0.01, r - 0.01, shape["cushion"], 0.55, 1).moved(
            (0, 0, h + 0.06 + shape["cushion"] * 0.8)
        )
        parts.append(("cushion", cushion.draped()))
    spread = shape.get("spread", 0.16)
    top, foot = r * 0.64, r * 0.64 + spread
    for i in range(k):
        a = 2 * np.pi * (i + 0.5) / k
        d = np.array([np.cos(a), np.sin(a), 0])
        parts.append(
            (
                "frame",
                rod(
                    d * top + [0, 0, h + 0.01],
                    d * foot,
                    shape.get("leg", 0.036),
                    shape.get("leg", 0.036) * 0.78,
                ),
            )
        )
    if shape.get("ring"):
        z = h * shape["ring"]
        parts.append(("frame", sweep(circle(foot - spread * z / h, z), 0.02, closed=True, n=14)))
    elif k == 4:
        for i in range(4):
            a, b = 2 * np.pi * (i + 0.5) / 4, 2 * np.pi * (i + 1.5) / 4
            z = h * (0.33 if i % 2 else 0.42)
            q = foot - spread * z / h
            parts.append(("frame", rod([np.cos(a) * q, np.sin(a) * q, z], [np.cos(b) * q, np.sin(b) * q, z], 0.02)))
    return Model(parts, View(-28, 16, fill=0.84))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """A cushion takes the variant; without one the wood does."""
    if shape.get("cushion"):
        frame = wood(shape["frame"], rng) if shape.get("frame") else lacquer("#222326")
        if variant.material in ("leather", "suede"):
            cover = leather(variant.colour, 2, variant.material == "suede")
        else:
            cover = painted(fabric(variant.material), variant.colour, variant.pattern, (9, 9), rng)
        return {
            "seat": frame,
            "frame": frame,
            "cushion": cover.but(colour=rgb(variant.colour) if cover.texture is None else None),
        }
    plain = variant.material == "painted wood"
    w = (
        painted_wood(variant.colour)
        if plain
        else lacquer(variant.colour)
        if variant.material == "steel"
        else wood(variant.material, rng)
    )
    return {"seat": w, "frame": w}


FAMILY = Family(
    "stool",
    "Stool",
    build,
    finish,
    [
        Parent(
            "kitchen counter stool",
            "A padded round seat on turned legs, with rungs where your heels look for them.",
            119.0,
            "North Orchard",
            "leather",
            ["tan", "black", "burgundy", "tan@suede"],
            dict(height=1.05, cushion=0.085, frame="walnut"),
        ),
        Parent(
            "three-legged milking stool",
            "Three stout legs never wobble, not even on a tiled floor.",
            69.0,
            "Holm Interiors",
            "painted wood",
            ["natural@oak", "walnut@walnut", "yellow", "blue"],
            dict(height=0.55, legs=3, leg=0.05, spread=0.14),
        ),
        Parent(
            "pouf-top stool",
            "A deep cushion on slim black legs: a seat, a footrest, a place for the tray.",
            89.0,
            "Holm Interiors",
            "velvet",
            ["mustard", "teal", "pink", "teal/checks", "mustard@boucle"],
            dict(height=0.42, cushion=0.16, radius=0.5, leg=0.026, spread=0.06),
        ),
        Parent(
            "bar stool with foot ring",
            "Tall, light and steady, with a ring all the way round for restless feet.",
            109.0,
            "Holm Interiors",
            "steel",
            ["red", "yellow", "charcoal", "mint"],
            dict(height=1.25, radius=0.38, leg=0.026, ring=0.3, spread=0.18),
        ),
        Parent(
            "low ottoman stool",
            "A drum of cloth on four little feet, there when legs get tired.",
            119.0,
            "Holm Interiors",
            "boucle",
            ["cream", "terracotta", "olive", "grey", "brown"],
            dict(height=0.22, cushion=0.24, radius=0.55, leg=0.034, spread=0.0, frame="oak"),
        ),
        Parent(
            "workshop stool",
            "A pressed steel seat on four straight legs, stackable and hard to impress.",
            59.0,
            "Harbour Lane",
            "steel",
            ["silver", "orange", "teal", "black", "cream"],
            dict(height=0.8, radius=0.36, leg=0.03, spread=0.2),
        ),
        Parent(
            "upholstered bar stool",
            "High, soft and steady; the second round is on it.",
            139.0,
            "Holm Interiors",
            "velvet",
            ["navy", "burgundy", "sage", "black@leather", "brown@leather"],
            dict(height=1.2, cushion=0.09, radius=0.4, leg=0.03, ring=0.32, spread=0.14),
        ),
    ],
)

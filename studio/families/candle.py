"""Candles: in jars, on sticks, as pillars."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, catmull, circle, fillet, revolve, rod, shell, sweep
from ..materials import Material, surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def _taper(z: float, h: float) -> list[tuple[str, Mesh]]:
    wax = revolve(fillet([[0, z], [0.07, z], [0.055, z + h], [0, z + h + 0.01]], [0, 0.01, 0.02, 0], 6), 64)
    return [("wax", wax), ("wick", rod([0, 0, z + h], [0.006, 0, z + h + 0.07], 0.006, n=10))]


def build(shape: dict, rng: np.random.Generator) -> Model:
    """A jar of wax, a turned stick with a taper, three sticks of different heights, or a ribbed pillar."""
    kind, parts = shape["kind"], []
    if kind == "jar":
        outside, inside = shell(fillet([[0, 0], *shape["profile"]], 0.06, 10), 0.03)
        top, r = outside[:, 1].max(), inside[:, 0].max() * 0.99
        level = top * 0.78
        parts += [("body", revolve(outside, 144, wall=(0.02, top * 0.98), closed=False))]
        parts += [("body", revolve(inside, 144, closed=False))]
        parts += [("wax", revolve([[0, level - 0.04], [r, level - 0.04], [r, level + 0.005], [0, level]], 96))]
        for x in (-0.16, 0.16) if shape.get("wicks") else (0.0,):
            parts.append(("wick", rod([x, 0, level], [x, 0, level + 0.1], 0.009, n=10)))
        return Model(parts, View(-18, 20, fill=0.74))
    if kind == "pillar":
        h, k = shape["height"], shape.get("ribs", 12)
        line = fillet([[0, 0], [0.34, 0], [0.34, h], [0, h - 0.03]], [0, 0.03, 0.05, 0], 10)
        wave = lambda a, z: 1 + 0.06 * np.abs(np.cos(k * a / 2 + shape.get("twist", 0) * z))  # noqa: E731
        parts = [("body", revolve(line, 360, wave)), ("wick", rod([0, 0, h - 0.04], [0, 0, h + 0.09], 0.011, n=10))]
        return Model(parts, View(-18, 14, fill=0.76))
    for i, h in enumerate(shape.get("heights", (0.7,))):
        x = (i - (len(shape.get("heights", (0.7,))) - 1) / 2) * 0.62
        beads = [[0.28, 0.0], [0.27, 0.04], [0.1, 0.08], [0.055, 0.14]]
        beads += [
            [0.055 + 0.05 * (j % 2), 0.14 + (h - 0.2) * (j + 1) / 7] for j in range(6 if shape.get("turned") else 0)
        ]
        beads += [[0.055, h - 0.06], [0.11, h - 0.02], [0.12, h + 0.05]]
        stick = revolve(np.vstack([[[0, 0]], catmull(beads, 8), [[0, h + 0.05]]]), 96)
        one = [("body", stick), *_taper(h + 0.03, 0.75)]
        if shape.get("ring"):
            loop = circle(0.08, 0, 48) @ np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]])
            one.append(("body", sweep(loop + np.array([0.33, 0, 0.06]), 0.016, closed=True, n=12)))
        parts += [(s, m.moved((x, 0.2 * (i % 2), 0))) for s, m in one]
    return Model(parts, View(-16, 12, fill=0.84))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The holder takes the variant; a pillar is wax through and through."""
    wax = Material(colour=rgb(shape.get("wax", "#f1e6cf")), roughness=0.5, specular=0.3)
    body = (
        wax.but(colour=rgb(variant.colour))
        if shape["kind"] == "pillar"
        else surface(variant, rng, (14, 6), along_v=True)
    )
    return {"body": body, "wax": wax, "wick": Material(colour=rgb("#3a3430"), roughness=1.0, specular=0.0)}


FAMILY = Family(
    "candle",
    "Candle",
    build,
    finish,
    [
        Parent(
            "scented candle in a jar",
            "Fig, cedar and a little smoke: forty hours of it, in a jar worth keeping.",
            26.0,
            "Fennel House",
            "ceramic",
            ["sage", "terracotta", "navy", "cream", "sage/speckled", "navy/stripes"],
            dict(kind="jar", profile=[[0.36, 0], [0.38, 0.72]]),
        ),
        Parent(
            "two-wick bowl candle",
            "Low and wide with two wicks, for the middle of a long table.",
            38.0,
            "Fennel House",
            "stoneware",
            ["black", "beige", "teal", "pink", "beige/terrazzo"],
            dict(kind="jar", profile=[[0.4, 0], [0.58, 0.24], [0.56, 0.46]], wicks=2),
        ),
        Parent(
            "turned candlestick",
            "Turned beads catch the candlelight all the way down to the foot.",
            24.0,
            "North Orchard",
            "painted wood",
            ["natural@oak", "walnut@walnut", "green", "red", "light blue"],
            dict(kind="stick", turned=True, heights=(0.95,), wax="#f1e6cf"),
        ),
        Parent(
            "chamber candlestick with ring",
            "A saucer foot and a finger ring, for carrying light down a dark corridor.",
            29.0,
            "Lumen & Oak",
            "brass",
            ["gold", "black@steel", "mustard@enamel", "burgundy@enamel"],
            dict(kind="stick", heights=(0.28,), ring=True),
        ),
        Parent(
            "candlesticks, set of three",
            "Three heights that belong together and never quite line up.",
            54.0,
            "Lumen & Oak",
            "steel",
            ["black", "gold@brass", "white", "orange"],
            dict(kind="stick", heights=(0.55, 1.0, 0.75)),
        ),
        Parent(
            "ribbed pillar candle",
            "A thick pillar with soft ribs that glow from inside once it has burned down.",
            18.0,
            "Fennel House",
            "wax",
            ["cream", "pink", "terracotta", "olive", "lavender"],
            dict(kind="pillar", height=0.85),
        ),
        Parent(
            "twisted pillar candle",
            "Its ribs wind once around on their way up, like a stick of barley sugar.",
            19.0,
            "Fennel House",
            "wax",
            ["white", "mustard", "sage", "light blue", "red"],
            dict(kind="pillar", height=1.1, ribs=8, twist=2.6),
        ),
    ],
)

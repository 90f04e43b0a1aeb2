"""Over-ear and on-ear headphones."""

from __future__ import annotations

import numpy as np

from ..geometry import Array, circle, fillet, revolve, rod, rotation, sweep
from ..materials import lacquer, leather, metal, wood
from ..model import Family, Model, Parent, Variant, View


def _oval(radius: float, tall: float) -> Array:
    return circle(radius, 0, 96, tall / 0.86) * [0.86, 0.86, 1]


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Cup size and shape, band width and yokes vary."""
    size, tall, band = shape.get("cup", 1.0), shape.get("tall", 1.05), shape.get("band", 0.10)
    a = np.radians(np.linspace(-98, 98, 80))
    arc = np.stack([0.62 * np.sin(a), 0 * a, 0.95 + 0.59 * np.cos(a)], 1)
    parts = [("shell", sweep(arc, 0.03 if shape.get("wire") else 0.035, band, power=4, n=28, up=(0, 1, 0)))]
    inner = arc[np.abs(a) < 1.05]
    pad = np.stack([inner[:, 0] * 0.93, inner[:, 1], 0.95 + (inner[:, 2] - 0.95) * 0.93], 1)
    parts.append(("pad", sweep(pad, 0.04, max(band * 1.05, 0.06), power=3, n=28, up=(0, 1, 0)).uv_scaled(3, 1)))
    line = fillet(
        [[0, 0], [0.26, 0], [0.31, 0.06], [0.31, 0.13], [0.29, 0.15], [0, 0.15]],
        [0, 0.10, 0.04, 0.02, 0.02, 0],
        8,
    )
    cup = revolve(line, 96, stretch=(0.86, tall))
    cushion = sweep(_oval(0.225, tall), 0.085, 0.075, closed=True, n=24).uv_scaled(6, 1)
    ring = sweep(_oval(0.2, tall), 0.012, closed=True, n=12)
    disc = revolve(
        fillet([[0, 0], [0.17, 0], [0.17, 0.012], [0, 0.016]], [0, 0.004, 0.004, 0], 5),
        96,
        stretch=(0.86, tall),
    )
    for s in (-1, 1):
        turn = rotation("y", -s * 90) @ rotation("z", 90)
        face = turn @ rotation("x", 180)
        parts.append(("shell", cup.moved(scale=size, turn=face, by=(s * 0.56, 0, 0.72))))
        parts.append(("pad", cushion.moved(scale=size, turn=turn, by=(s * 0.52, 0, 0.72))))
        out = s * (0.56 + 0.155 * size)
        parts.append(("trim", ring.moved(scale=size, turn=turn, by=(out, 0, 0.72))))
        if shape.get("disc"):
            parts.append(("disc", disc.moved(scale=size, turn=turn @ rotation("x", 180), by=(out - s * 0.01, 0, 0.72))))
        if shape.get("yoke"):
            b = np.radians(np.linspace(-8, 188, 48))
            fork = np.stack([np.full(48, s * 0.63), 0.30 * size * np.cos(b), 0.72 + 0.35 * size * np.sin(b)], 1)
            parts.append(("trim", sweep(fork, 0.018, 0.024, n=16, up=(1, 0, 0))))
        parts.append(("trim", rod([s * 0.645, 0, 0.72 + 0.31 * size], [s * 0.60, 0, 1.10], 0.03)))
    return Model(parts, View(-38, 10, fill=0.8))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Shell in the variant's colour; pads, trim and discs belong to the design."""
    shell = (
        metal("steel")
        if variant.material == "aluminium" and variant.colour == "silver"
        else lacquer(variant.colour, 0.3 if variant.material == "aluminium" else 0.42)
    )
    return {
        "shell": shell,
        "pad": leather(shape.get("pad", "charcoal"), 1),
        "trim": metal(shape.get("trim", "steel")),
        "disc": wood(shape["disc"], rng) if shape.get("disc") else shell,
    }


FAMILY = Family(
    "headphones",
    "Headphones",
    build,
    finish,
    [
        Parent(
            "over-ear wireless headphones",
            "Thirty hours of music, silence at one touch and cushions you forget.",
            149.0,
            "Ondula",
            "plastic",
            ["black", "white", "navy", "red"],
            dict(trim="copper"),
        ),
        Parent(
            "wood-disc studio headphones",
            "Real wood on each cup and a warm, unhurried sound.",
            219.0,
            "Ondula",
            "plastic",
            ["cream", "green", "burgundy", "charcoal"],
            dict(disc="walnut", yoke=True, trim="brass", pad="brown", tall=0.9, cup=1.08, band=0.085),
        ),
        Parent(
            "light on-ear headphones",
            "Small round cups on a narrow band, for the walk to work.",
            69.0,
            "Ondula",
            "plastic",
            ["yellow", "mint", "pink", "blue"],
            dict(cup=0.76, tall=0.86, band=0.055, wire=True),
        ),
        Parent(
            "foldable travel headphones",
            "They fold to half their size and shut the aeroplane out.",
            179.0,
            "Ondula",
            "aluminium",
            ["silver", "charcoal", "coral", "teal"],
            dict(cup=0.95, tall=1.12, band=0.07, yoke=True, trim="steel"),
        ),
        Parent(
            "kids' headphones",
            "Never louder than they should be, and soft where small ears are.",
            39.0,
            "Little Fable",
            "plastic",
            ["mint", "orange", "lavender", "light blue"],
            dict(cup=0.8, tall=0.9, band=0.09, pad="grey"),
        ),
        Parent(
            "oak-disc listening headphones",
            "Open-backed, with a disc of oak and cushions of soft brown leather.",
            259.0,
            "Ondula",
            "plastic",
            ["black", "white", "navy", "olive"],
            dict(disc="oak", tall=1.15, cup=1.1, band=0.075, trim="copper", pad="tan"),
        ),
    ],
)

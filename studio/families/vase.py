"""Vases: turned, ribbed, twisted and faceted."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, revolve, shell
from ..materials import ceramic, painted
from ..model import Family, Model, Parent, Variant, View


def build(shape: dict, rng: np.random.Generator) -> Model:
    """A profile through control points, with an optional relief."""
    line = catmull(shape["profile"], 14)
    foot = [[0, line[0, 1]], [line[0, 0] * 0.9, line[0, 1]]]
    outside, inside = shell(np.vstack([foot, line]), 0.03)
    top = line[-1, 1]

    def fade(z: np.ndarray) -> np.ndarray:
        return np.clip(np.minimum((z - 0.04) * 6, (top - 0.1 - z) * 6), 0, 1)

    relief, n = None, 144
    if shape.get("ribs"):
        relief, n = lambda a, z: 1 + shape.get("depth", 0.035) * np.cos(shape["ribs"] * a) * fade(z), 320
    elif shape.get("twist"):
        k = shape["twist"]
        relief, n = lambda a, z: 1 + 0.05 * np.cos(k * (a + 1.1 * z)) * fade(z), 320
    elif shape.get("rings"):
        relief = lambda a, z: 1 + 0.03 * np.cos(z * 2 * np.pi * shape["rings"]) * fade(z) + 0 * a  # noqa: E731
    parts = [
        ("body", revolve(outside, n, relief, wall=(line[0, 1], top * 0.99), closed=False)),
        ("body", revolve(inside, n, relief, closed=False)),
    ]
    return Model(parts, View(-20, shape.get("elevation", 13), fill=0.8))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """One glaze all over."""
    return {
        "body": painted(ceramic(variant.material), variant.colour, variant.pattern, shape.get("repeats", (14, 10)), rng)
    }


FAMILY = Family(
    "vase",
    "Vase",
    build,
    finish,
    [
        Parent(
            "round-shouldered vase",
            "A full body narrows to a slim neck that holds three or four stems upright.",
            38.0,
            "Atelier Nove",
            "ceramic",
            ["terracotta", "navy", "cream", "terracotta/speckled", "navy/stripes"],
            dict(
                profile=[
                    [0.26, 0],
                    [0.40, 0.12],
                    [0.50, 0.45],
                    [0.40, 0.85],
                    [0.19, 1.08],
                    [0.17, 1.2],
                    [0.24, 1.3],
                ],
                repeats=(14, 9),
            ),
        ),
        Parent(
            "tall ribbed vase",
            "Deep vertical ribs run from foot to neck and throw a fine play of shadow.",
            46.0,
            "Fennel House",
            "ceramic",
            ["sage", "white", "mustard", "sage@earthenware"],
            dict(
                profile=[[0.28, 0], [0.37, 0.3], [0.39, 0.75], [0.35, 1.15], [0.24, 1.4], [0.27, 1.58]],
                ribs=18,
            ),
        ),
        Parent(
            "bottle vase",
            "A long thin neck above a low round body, made for a single branch.",
            29.0,
            "Atelier Nove",
            "porcelain",
            ["light blue", "black", "red", "black/marbled", "light blue/dots"],
            dict(
                profile=[
                    [0.3, 0],
                    [0.46, 0.12],
                    [0.48, 0.34],
                    [0.27, 0.6],
                    [0.1, 0.8],
                    [0.085, 1.25],
                    [0.12, 1.38],
                ],
                repeats=(13, 12),
            ),
        ),
        Parent(
            "wide bowl vase",
            "Low, open and generous: cut short a whole garden bunch and drop it in.",
            42.0,
            "North Orchard",
            "stoneware",
            ["teal", "beige", "pink", "teal/diamonds", "beige/terrazzo"],
            dict(
                profile=[[0.34, 0], [0.58, 0.16], [0.68, 0.42], [0.62, 0.62], [0.52, 0.74], [0.49, 0.84]],
                elevation=18,
                repeats=(14, 5),
            ),
        ),
        Parent(
            "twisted column vase",
            "Its fluted wall turns as it rises, so it looks different from every chair.",
            52.0,
            "Atelier Nove",
            "ceramic",
            ["lavender", "charcoal", "yellow", "lavender@earthenware"],
            dict(profile=[[0.3, 0], [0.33, 0.06], [0.31, 0.5], [0.33, 1.0], [0.38, 1.3]], twist=9),
        ),
        Parent(
            "stepped cylinder vase",
            "Soft horizontal rings, thrown by hand, give a plain cylinder its rhythm.",
            34.0,
            "North Orchard",
            "earthenware",
            ["olive", "burgundy", "grey"],
            dict(
                profile=[[0.33, 0], [0.36, 0.05], [0.36, 0.4], [0.36, 0.7], [0.35, 0.95], [0.33, 1.02]],
                rings=5.2,
            ),
        ),
        Parent(
            "amphora vase",
            "A narrow foot, wide shoulders and an old idea of how to hold flowers.",
            58.0,
            "Atelier Nove",
            "earthenware",
            ["terracotta", "cream", "navy", "cream/chevron", "terracotta/leaves"],
            dict(
                profile=[[0.17, 0], [0.24, 0.14], [0.46, 0.7], [0.42, 0.98], [0.2, 1.16], [0.17, 1.34], [0.25, 1.42]],
                repeats=(14, 10),
            ),
        ),
        Parent(
            "bud vase",
            "Hardly a hand tall; it needs one flower and no more.",
            16.0,
            "Fennel House",
            "porcelain",
            ["white", "pink", "green", "mustard", "pink/dots"],
            dict(
                profile=[[0.2, 0], [0.34, 0.1], [0.36, 0.28], [0.16, 0.48], [0.12, 0.6], [0.17, 0.68]],
                elevation=16,
                repeats=(10, 6),
            ),
        ),
        Parent(
            "hourglass vase",
            "Pinched in the middle, so that tulips lean out and roses stand straight.",
            36.0,
            "North Orchard",
            "ceramic",
            ["coral", "sage", "black", "white", "black/dipped"],
            dict(
                profile=[[0.36, 0], [0.42, 0.1], [0.36, 0.42], [0.22, 0.66], [0.34, 0.94], [0.46, 1.18]],
                repeats=(14, 9),
            ),
        ),
        Parent(
            "fluted trumpet vase",
            "Deep flutes widen towards the top like a skirt caught by the wind.",
            49.0,
            "Atelier Nove",
            "ceramic",
            ["light blue", "burgundy", "yellow", "grey", "mint"],
            dict(profile=[[0.3, 0], [0.22, 0.1], [0.2, 0.4], [0.3, 0.85], [0.52, 1.3]], ribs=14, depth=0.06),
        ),
    ],
)

"""Bowls: for cereal, ramen, salad and fruit."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, revolve, shell
from ..materials import surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def build(shape: dict, rng: np.random.Generator) -> Model:
    """A profile through control points above a foot ring; flutes or a waved rim; one or several stacked."""
    line = catmull(shape["profile"], 14)
    r = line[0, 0]
    foot = [[0, 0], [r * 0.9, 0], [r, 0.01]] if line[0, 1] < 0.02 else [[0, 0], [r, 0], [r * 0.97, line[0, 1] * 0.8]]
    outside, inside = shell(np.vstack([foot, line]), shape.get("thick", 0.03))
    top, k = line[-1, 1], shape.get("flutes", 0)

    def relief(a: np.ndarray, z: np.ndarray) -> np.ndarray:
        return 1 + shape.get("depth", 0.04) * np.abs(np.cos(k * a / 2)) * np.clip((z - 0.05) / top * 1.6, 0, 1)

    n, wave = (320, relief) if k else (160, None)
    body = revolve(outside, n, wave, wall=(line[0, 1], top), closed=False)
    lining = revolve(inside, n, wave, closed=False)
    parts = []
    for i in range(shape.get("stack", 1)):
        lift, slide = i * shape.get("pitch", 0.2), 0.01 * (-1) ** i * (i > 0)
        parts += [("body", body.moved((slide, 0, lift))), ("lining", lining.moved((slide, 0, lift)))]
    return Model(parts, View(-20, shape.get("elevation", 24), fill=0.8))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Pattern outside; inside plain, or white where the design says so."""
    body = surface(variant, rng, shape.get("repeats", (16, 4)))
    plain = (
        body
        if body.texture is not None and variant.pattern == "plain"
        else body.but(texture=None, colour=rgb(variant.colour))
    )
    return {"body": body, "lining": plain.but(colour=rgb("white")) if shape.get("white_inside") else plain}


FAMILY = Family(
    "bowl",
    "Bowl",
    build,
    finish,
    [
        Parent(
            "cereal bowl",
            "Deep enough to stop the milk from travelling, small enough for one hand.",
            13.0,
            "Kiln & Kettle",
            "stoneware",
            ["navy", "sage", "terracotta", "white", "navy/stripes", "sage/speckled"],
            dict(profile=[[0.26, 0.05], [0.42, 0.12], [0.58, 0.3], [0.62, 0.5]], repeats=(18, 4)),
        ),
        Parent(
            "noodle bowl",
            "A tall foot and a wide flare, for broth on top and a good hold underneath.",
            19.0,
            "Fennel House",
            "porcelain",
            ["white", "blue", "red", "black", "white/checks", "blue/chevron"],
            dict(profile=[[0.28, 0.12], [0.36, 0.16], [0.62, 0.36], [0.86, 0.66]], white_inside=True, repeats=(22, 5)),
        ),
        Parent(
            "salad bowl",
            "Room to toss leaves for six without losing half of them to the table.",
            48.0,
            "North Orchard",
            "oak",
            ["natural", "walnut@walnut", "cream@stoneware", "mustard@stoneware", "teal@stoneware"],
            dict(profile=[[0.34, 0.0], [0.62, 0.08], [0.9, 0.32], [0.96, 0.48]], thick=0.045, elevation=26),
        ),
        Parent(
            "fluted fruit bowl",
            "Petal-like flutes open towards the rim, so even three lemons look arranged.",
            36.0,
            "Atelier Nove",
            "ceramic",
            ["yellow", "pink", "light blue", "green", "cream", "pink@earthenware"],
            dict(profile=[[0.3, 0.03], [0.5, 0.1], [0.78, 0.28], [0.98, 0.4]], flutes=16, depth=0.06, elevation=28),
        ),
        Parent(
            "stacking bowls, set of three",
            "Three bowls that nest into one and take the shelf space of a single one.",
            34.0,
            "Kiln & Kettle",
            "enamel",
            ["mint", "charcoal", "orange", "light blue", "white"],
            dict(profile=[[0.3, 0.02], [0.42, 0.08], [0.52, 0.24], [0.56, 0.36]], stack=3, pitch=0.16, elevation=16),
        ),
        Parent(
            "footed dessert bowl",
            "A small bowl on a stem that turns two scoops of ice cream into an occasion.",
            16.0,
            "Fennel House",
            "ceramic",
            ["lavender", "teal", "burgundy", "cream", "lavender/dots", "cream/floral"],
            dict(
                profile=[[0.3, 0.0], [0.27, 0.04], [0.09, 0.14], [0.1, 0.26], [0.34, 0.38], [0.5, 0.62], [0.53, 0.78]],
                repeats=(16, 9),
                elevation=17,
            ),
        ),
    ],
)

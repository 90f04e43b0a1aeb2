"""Pendant lamps: a shade on a cord, hanging."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, fillet, revolve, rod, shell, superellipsoid
from ..materials import Material, fabric, metal, surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def build(shape: dict, rng: np.random.Generator) -> Model:
    """The shade is turned from a profile that starts at its lower edge; closed globes glow."""
    line = catmull(shape["profile"], 12) if shape.get("soft", True) else fillet(shape["profile"], 0.05, 8)
    top, k = line[-1, 1], shape.get("flutes", 0)
    wave = (lambda a, z: 1 + shape.get("depth", 0.03) * np.cos(k * a) * np.clip((top - z) * 6, 0, 1)) if k else None
    parts = []
    if shape.get("closed"):
        parts.append(("shade", revolve(line, 320 if k else 144, wave, closed=False)))
    else:
        outside, inside = shell(line[::-1] * [1, -1], 0.02)  # the open edge is the rim
        parts.append(("shade", revolve((outside * [1, -1])[::-1], 320 if k else 144, wave, wall=None, closed=False)))
        parts.append(("inside", revolve((inside * [1, -1])[::-1], 320 if k else 144, wave, closed=False)))
        parts.append(("bulb", superellipsoid(0.1, 0.1, 0.12, nu=32, nv=16).moved((0, 0, shape.get("bulb", top * 0.4)))))
    parts.append(
        (
            "cap",
            revolve(fillet([[0, 0], [0.09, 0], [0.06, 0.14], [0, 0.14]], [0, 0.01, 0.03, 0], 6), 48).moved(
                (0, 0, top - 0.01)
            ),
        )
    )
    parts.append(("cord", rod([0, 0, top + 0.1], [0, 0, top + shape.get("cord", 0.75)], 0.014, n=12)))
    return Model(parts, View(-15, shape.get("elevation", 2), fill=0.82, lift=0.5))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The shade takes the variant; it is pale inside, and glows where it lets light through."""
    shade = surface(variant, rng, shape.get("repeats", (12, 5)))
    if shape.get("glows"):
        shade = fabric("linen").but(colour=rgb(variant.colour), kind="translucent", bump=None)
    warm = rgb(shape.get("inside", "#f7efdd"))
    return {
        "shade": shade,
        "inside": shade if shape.get("glows") else Material(colour=warm, roughness=0.7, specular=0.2),
        "bulb": Material(colour=np.ones(3), emission=(0.5, 0.45, 0.35) if shape.get("glows") else (1.0, 0.9, 0.65)),
        "cap": metal(shape.get("cap", "brass")),
        "cord": Material(colour=rgb("charcoal"), roughness=0.9, specular=0.1),
    }


FAMILY = Family(
    "pendant",
    "Pendant lamp",
    build,
    finish,
    [
        Parent(
            "dome pendant",
            "A half globe that lights the table and leaves the faces out of the glare.",
            89.0,
            "Lumen & Oak",
            "steel",
            ["black", "mustard", "sage", "terracotta", "white"],
            dict(profile=[[0.8, 0], [0.78, 0.2], [0.62, 0.5], [0.34, 0.7], [0.08, 0.78], [0, 0.78]]),
        ),
        Parent(
            "enamel barn pendant",
            "The wide hat from the workshop, tamed for the kitchen island.",
            74.0,
            "Harbour Lane",
            "enamel",
            ["navy", "red", "cream", "green", "grey"],
            dict(profile=[[0.85, 0], [0.8, 0.06], [0.36, 0.3], [0.2, 0.44], [0.17, 0.66], [0, 0.68]], cap="steel"),
        ),
        Parent(
            "ceramic bell pendant",
            "A small heavy bell, best hung in a row of two or three.",
            64.0,
            "Atelier Nove",
            "ceramic",
            ["white", "teal", "pink", "white/speckled", "teal@earthenware"],
            dict(profile=[[0.48, 0], [0.42, 0.12], [0.36, 0.42], [0.26, 0.64], [0.06, 0.76], [0, 0.77]], cord=0.62),
        ),
        Parent(
            "pleated linen pendant",
            "Fine pleats of linen let the light through in stripes.",
            98.0,
            "Lumen & Oak",
            "linen",
            ["cream", "terracotta", "light blue", "olive"],
            dict(
                profile=[[0.82, 0], [0.62, 0.3], [0.4, 0.6], [0.34, 0.66], [0, 0.67]],
                soft=False,
                flutes=44,
                depth=0.02,
                glows=True,
            ),
        ),
        Parent(
            "brushed cone pendant",
            "A slender cone that puts a clear circle of light exactly where you read.",
            79.0,
            "Lumen & Oak",
            "brass",
            ["gold", "copper@copper", "charcoal@steel", "orange@steel", "mint@steel"],
            dict(profile=[[0.42, 0], [0.26, 0.5], [0.1, 0.95], [0, 0.97]], soft=False, cord=0.6, bulb=0.25),
        ),
        Parent(
            "woven pendant",
            "Woven by hand, it throws a net of shadow across the ceiling.",
            84.0,
            "Saltmarsh",
            "rattan",
            ["natural", "black", "cream", "brown"],
            dict(
                profile=[[0.42, 0], [0.66, 0.2], [0.74, 0.42], [0.56, 0.72], [0.2, 0.9], [0, 0.92]],
                flutes=36,
                depth=0.018,
                repeats=(1, 1),
            ),
        ),
    ],
)

"""Casseroles and pans: enamelled pots with lids, side handles or a long one."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, fillet, revolve, rod, shell, superellipsoid, sweep
from ..materials import lacquer, metal, surface, wood
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Height and stretch of the pot, with a lid and two loops, or open with a long handle."""
    h, r, stretch = shape.get("height", 0.5), 0.72, shape.get("stretch", (1.0, 1.0))
    outside, inside = shell(fillet([[0, 0], [r * 0.9, 0], [r, h]], [0, 0.14, 0], 10), 0.035)
    parts = [
        ("body", revolve(outside, 144, stretch=stretch, wall=(0.02, h), closed=False)),
        ("lining", revolve(inside, 144, stretch=stretch, closed=False)),
    ]
    if shape.get("lid", True):
        dome = shape.get("dome", 0.16)
        line = catmull([[r + 0.02, 0], [r + 0.025, 0.03], [r * 0.9, 0.07], [r * 0.5, dome * 0.9], [0, dome]], 12)
        parts.append(("lid", revolve(np.vstack([[[0, 0]], line]), 144, stretch=stretch).moved((0, 0, h))))
        knob = superellipsoid(0.12, 0.12, 0.05, 0.5, 1, 48, 24).moved((0, 0, h + dome + 0.09))
        parts += [("knob", knob), ("knob", rod([0, 0, h + dome - 0.02], [0, 0, h + dome + 0.08], 0.05, 0.045))]
    if shape.get("long"):
        path = [[r - 0.04, 0, h * 0.8], [r + 0.25, 0, h * 0.9], [r + 1.0, 0, h + 0.12]]
        parts.append(("handle", sweep(catmull(path, 14), 0.055, 0.075, n=24, up=(0, 1, 0))))
    else:
        for s in (-1, 1):
            x, z, w = s * r * stretch[0], h * 0.8, 0.2
            loop = [[x * 0.94, -w, z], [x + s * 0.13, -w * 0.9, z + 0.02], [x + s * 0.19, 0, z + 0.03]]
            loop += [[x + s * 0.13, w * 0.9, z + 0.02], [x * 0.94, w, z]]
            parts.append(("handle", sweep(catmull(loop, 10), 0.035, 0.05, n=20, up=(0, 0, 1))))
    return Model(parts, View(-22, 18, fill=0.84))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Body, lid and loops in the variant; knob and long handle belong to the design."""
    body = surface(variant, rng, (20, 4))
    plain = body.but(texture=None, colour=rgb(variant.colour)) if variant.pattern != "plain" else body
    knob = wood("beech", rng) if shape.get("knob") == "wood" else metal(shape.get("knob", "brass"))
    grip = wood("walnut", rng, along_v=False) if shape.get("long") else plain
    return {"body": body, "lid": plain, "lining": lacquer("#efe8d8", 0.3), "knob": knob, "handle": grip}


FAMILY = Family(
    "casserole",
    "Cookware",
    build,
    finish,
    [
        Parent(
            "round casserole",
            "Heavy walls hold the heat, and the lid sends every drop back into the stew.",
            129.0,
            "Kiln & Kettle",
            "cast iron",
            ["red", "navy", "sage", "mustard", "charcoal"],
            dict(),
        ),
        Parent(
            "oval casserole",
            "The long one, for a chicken with its legs out or a whole piece of brisket.",
            159.0,
            "Kiln & Kettle",
            "cast iron",
            ["teal", "orange", "cream", "black"],
            dict(stretch=(1.3, 0.9), knob="steel", dome=0.18),
        ),
        Parent(
            "tall stock pot",
            "Straight-sided and tall, with room for bones, greens and an afternoon.",
            79.0,
            "Harbour Lane",
            "enamel",
            ["white", "blue", "green", "white/dots", "blue/speckled"],
            dict(height=0.92, knob="wood", dome=0.1),
        ),
        Parent(
            "shallow braiser",
            "Wide and low, so that everything browns and nothing steams.",
            119.0,
            "Kiln & Kettle",
            "cast iron",
            ["burgundy", "light blue", "olive", "pink"],
            dict(height=0.28, dome=0.2),
        ),
        Parent(
            "milk pan",
            "A small pan with a walnut handle for porridge, cocoa and midnight custard.",
            44.0,
            "Harbour Lane",
            "enamel",
            ["cream", "mint", "terracotta", "black", "cream/floral"],
            dict(height=0.55, lid=False, long=True),
        ),
    ],
)

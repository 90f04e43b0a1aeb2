"""Water bottles and flasks."""

from __future__ import annotations

import numpy as np

from ..geometry import Array, catmull, circle, fillet, revolve, shell, sweep
from ..materials import glass, lacquer, metal, painted, wood
from ..model import Family, Model, Parent, Variant, View


def _profile(kind: str) -> Array:
    if kind == "bottle":
        return fillet([[0, 0], [0.3, 0], [0.3, 1.0], [0.13, 1.28], [0.12, 1.5]], [0, 0.05, 0.25, 0.22, 0], 14)
    if kind == "tumbler":
        return fillet([[0, 0], [0.27, 0], [0.36, 0.98]], [0, 0.05, 0], 12)
    if kind == "wide":
        return fillet([[0, 0], [0.36, 0], [0.36, 0.92], [0.27, 1.05], [0.27, 1.12]], [0, 0.05, 0.12, 0.05, 0], 12)
    return fillet([[0, 0], [0.33, 0], [0.33, 0.72], [0.12, 1.06], [0.12, 1.34]], [0, 0.07, 0.3, 0.2, 0], 14)


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Slim flask, tumbler, wide-mouth bottle, glass carafe."""
    kind = shape["kind"]
    line = _profile(kind)
    top, r = line[-1, 1], line[-1, 0]
    if kind == "flask":
        line = fillet([[0, 0], [0.3, 0], [0.3, 1.16], [0.2, 1.26], [0.2, 1.3]], [0, 0.04, 0.08, 0.03, 0], 12)
        top, r = line[-1, 1], line[-1, 0]
    view = View(-18, 9, fill=0.84)
    if kind == "carafe":
        outside, inside = shell(line, 0.022)
        body = revolve(np.vstack([outside, inside[1:]]), 128, wall=(0.02, top))
        stopper = revolve(
            fillet(
                [[0, top - 0.1], [r - 0.03, top - 0.1], [r + 0.01, top + 0.16], [0, top + 0.16]],
                [0, 0.01, 0.03, 0],
                6,
            ),
            64,
        )
        return Model([("body", body), ("cap", stopper)], view)
    body = revolve(np.vstack([line, [[0, top]]]), 144, wall=(0.02, top * (0.76 if kind == "bottle" else 0.98)))
    parts = [("body", body)]
    if kind == "tumbler":
        cap = fillet(
            [
                [0, top - 0.01],
                [r + 0.012, top - 0.01],
                [r + 0.012, top + 0.05],
                [r - 0.05, top + 0.08],
                [0, top + 0.08],
            ],
            [0, 0.008, 0.02, 0.03, 0],
            6,
        )
        parts.append(("cap", revolve(cap, 128)))
        straw = sweep([[0.12, 0, top], [0.13, 0, top + 0.2], [0.145, 0, top + 0.42]], 0.028, n=20)
        parts.append(("band", straw))
    elif kind == "wide":
        cap = fillet(
            [[0, top - 0.02], [r + 0.03, top - 0.02], [r + 0.03, top + 0.17], [0, top + 0.17]],
            [0, 0.01, 0.04, 0],
            8,
        )
        parts.append(("cap", revolve(cap, 128, lambda a, z: 1 + 0.012 * np.cos(40 * a) * (z < top + 0.12))))
        a = np.radians(np.linspace(0, 180, 40))
        loop = np.stack([0.24 * np.cos(a), 0 * a, top + 0.12 + 0.26 * np.sin(a)], 1)
        parts.append(("cap", sweep(loop, 0.03, 0.05, n=20, power=3, up=(0, 1, 0))))
    elif kind == "flask":
        cup = fillet([[0, top - 0.03], [0.27, top - 0.03], [0.24, top + 0.34], [0, top + 0.34]], [0, 0.01, 0.05, 0], 8)
        parts += [("cap", revolve(cup, 96)), ("cap", sweep(circle(0.302, 0.05), 0.012, closed=True, n=12))]
        grip = catmull([[0.29, 0, 0.95], [0.5, 0, 0.86], [0.52, 0, 0.5], [0.48, 0, 0.3], [0.29, 0, 0.24]], 10)
        parts.append(("cap", sweep(grip, 0.03, 0.055, n=20, power=3, up=(0, 1, 0))))
    else:
        cap = fillet([[0, top - 0.02], [0.15, top - 0.02], [0.15, top + 0.24], [0, top + 0.24]], [0, 0.01, 0.03, 0], 8)
        parts.append(("cap", revolve(cap, 96)))
        parts.append(("cap", sweep(circle(0.302, 0.03), 0.012, closed=True, n=12)))
    return Model(parts, view)


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Powder-coated or bare steel, or glass with a cork."""
    if shape["kind"] == "carafe":
        return {"body": glass(variant.colour), "cap": wood("beech", rng)}
    bare = variant.material in ("copper",) or (variant.material == "steel" and variant.colour == "silver")
    body = (
        metal(variant.material)
        if bare
        else painted(lacquer(variant.colour, 0.42), variant.colour, variant.pattern, shape.get("repeats", (9, 6)), rng)
    )
    cap = (
        wood("beech", rng)
        if shape.get("cap") == "wood"
        else lacquer("#2a2b2e", 0.5)
        if shape.get("cap") == "black"
        else metal("steel")
    )
    return {"body": body, "cap": cap, "band": lacquer(shape.get("band", "#f3f1ec"), 0.5)}


FAMILY = Family(
    "bottle",
    "Water bottle",
    build,
    finish,
    [
        Parent(
            "slim insulated bottle",
            "Cold for a day, hot for twelve hours, and slim enough for a coat pocket.",
            29.0,
            "Harbour Lane",
            "steel",
            ["terracotta", "navy", "sage", "silver", "navy/dots"],
            dict(kind="bottle", repeats=(9, 6)),
        ),
        Parent(
            "wide-mouth bottle",
            "Takes ice cubes, a slice of lemon and a bottle brush; the loop takes a finger.",
            32.0,
            "Harbour Lane",
            "steel",
            ["yellow", "black", "light blue", "yellow/chevron", "black/leaves"],
            dict(kind="wide", cap="black", repeats=(12, 6)),
        ),
        Parent(
            "travel tumbler",
            "Fits the cup holder and closes with a turn; the straw lifts out for washing.",
            24.0,
            "Tidewear",
            "steel",
            ["pink", "white", "purple", "pink/floral", "white/stripes"],
            dict(kind="tumbler", cap="black", band="#2a2b2e", repeats=(11, 6)),
        ),
        Parent(
            "glass carafe",
            "Mouth-blown glass with a beech stopper, for the table or beside the bed.",
            36.0,
            "Atelier Nove",
            "glass",
            ["green", "amber", "blue"],
            dict(kind="carafe"),
        ),
        Parent(
            "vacuum flask",
            "Soup at noon, still too hot: take a friend and two cups.",
            38.0,
            "Harbour Lane",
            "steel",
            ["green", "red", "cream", "silver", "red/checks"],
            dict(kind="flask", cap="black", repeats=(11, 7)),
        ),
        Parent(
            "kids' tumbler with straw",
            "Leakproof upside down, which is how it will travel.",
            19.0,
            "Little Fable",
            "steel",
            ["light blue", "yellow", "mint", "yellow/dots", "light blue/floral"],
            dict(kind="tumbler", cap="wood", band="#e8735a", repeats=(9, 5)),
        ),
        Parent(
            "slim bottle with wooden cap",
            "The slim one again, with a beech cap and a quieter voice.",
            34.0,
            "Plain Thread",
            "steel",
            ["white", "charcoal", "coral", "lavender", "white/leaves", "charcoal/speckled"],
            dict(kind="bottle", cap="wood", repeats=(9, 7)),
        ),
    ],
)

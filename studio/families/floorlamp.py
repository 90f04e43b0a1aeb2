"""Floor lamps: straight, arched, tripod and reading lamps."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, catmull, circle, fillet, revolve, rod, rotation, superellipsoid, sweep
from ..materials import Material, fabric, metal, surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def _foot(radius: float) -> Mesh:
    return revolve(fillet([[0, 0], [radius, 0], [radius, 0.05], [0, 0.06]], [0, 0.015, 0.02, 0], 6), 96)


def _shade(r0: float, r1: float, h: float) -> list[tuple[str, Mesh]]:
    cone = revolve(np.array([[r0, 0], [(r0 + r1) / 2, h / 2], [r1, h]]), 128, closed=False)
    rims = [("rim", sweep(circle(r, z), 0.01, closed=True, n=10)) for r, z in ((r0, 0), (r1, h))]
    return [("shade", cone), *rims, ("bulb", superellipsoid(0.09, 0.09, 0.12, nu=32, nv=16).moved((0, 0, h / 2)))]


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Four stands; fabric shades, or a bowl that takes the stand's finish."""
    kind, h, parts = shape["kind"], shape.get("height", 2.3), []
    r0, r1, tall = shape.get("shade", (0.48, 0.36, 0.5))
    if kind == "tripod":
        for k in range(3):
            d = np.array([np.cos(2.1 * k + 0.4), np.sin(2.1 * k + 0.4), 0])
            parts.append(("stand", rod(d * 0.06 + [0, 0, h], d * 0.62, 0.038, 0.028)))
        parts.append(("metal", superellipsoid(0.12, 0.12, 0.05, 0.5, 1, 48, 24).moved((0, 0, h))))
        parts.append(("metal", rod([0, 0, h], [0, 0, h + 0.2], 0.022)))
        parts += [(s, m.moved((0, 0, h + 0.05))) for s, m in _shade(r0, r1, tall)]
    elif kind == "straight":
        parts += [("stand", _foot(0.36)), ("stand", rod([0, 0, 0.04], [0, 0, h + 0.2], 0.028))]
        if shape.get("table"):
            disc = fillet([[0, 0], [0.42, 0], [0.42, 0.04], [0, 0.04]], [0, 0.012, 0.012, 0], 6)
            parts.append(("stand", revolve(disc, 96).moved((0, 0, h * 0.42))))
        parts += [(s, m.moved((0, 0, h))) for s, m in _shade(r0, r1, tall)]
    elif kind == "arc":
        path = catmull(
            [[-0.9, 0, 0.03], [-0.9, 0, 1.2], [-0.62, 0, 2.0], [0.0, 0, 2.4], [0.6, 0, 2.2], [0.78, 0, 1.9]], 14
        )
        parts += [("stand", _foot(0.34).moved((-0.9, 0, 0))), ("stand", sweep(path, 0.03, n=20))]
        bowl = revolve(catmull([[0.4, 0], [0.36, 0.14], [0.22, 0.27], [0.06, 0.33], [0, 0.33]], 10), 128, closed=False)
        parts += [("stand", bowl.moved((0.8, 0, 1.6)))]
        parts.append(("bulb", superellipsoid(0.1, 0.1, 0.1, nu=32, nv=16).moved((0.8, 0, 1.68))))
    else:  # reading
        parts += [("stand", _foot(0.32)), ("stand", rod([0, 0, 0.04], [0, 0, h * 0.86], 0.026))]
        elbow, head = np.array([0, 0, h * 0.86]), np.array([0.62, 0, h * 0.98])
        parts += [
            ("stand", rod(elbow - [0.16, 0, 0.03], head, 0.022)),
            ("metal", superellipsoid(0.05, 0.05, 0.05, nu=32, nv=16).moved(elbow)),
        ]
        cone = revolve(np.array([[0.3, 0], [0.2, 0.22], [0.08, 0.42], [0.0, 0.44]]), 96, closed=False)
        parts.append(("stand", cone.moved(turn=rotation("y", -28), by=head + np.array([0.1, 0, -0.38]))))
        parts.append(("bulb", superellipsoid(0.08, 0.08, 0.08, nu=24, nv=12).moved(head + np.array([0.06, 0, -0.3]))))
    return Model(parts, View(-18, 7, fill=0.9))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The stand takes the variant; a fabric shade belongs to the design."""
    shade = rgb(shape.get("cloth", "#efe3cd"))
    return {
        "stand": surface(variant, rng, scale=1.0),
        "metal": metal("brass"),
        "shade": fabric("linen").but(colour=shade, kind="translucent", bump=None),
        "rim": Material(colour=shade, roughness=0.8, specular=0.2),
        "bulb": Material(colour=np.ones(3), emission=(2.6, 2.1, 1.4)),
    }


FAMILY = Family(
    "floorlamp",
    "Floor lamp",
    build,
    finish,
    [
        Parent(
            "tripod floor lamp",
            "Three long legs and a drum of linen: it fills a dark corner by itself.",
            179.0,
            "Lumen & Oak",
            "oak",
            ["natural", "walnut@walnut", "black@painted wood", "sage@painted wood"],
            dict(kind="tripod", height=1.7, shade=(0.58, 0.5, 0.6)),
        ),
        Parent(
            "arc floor lamp",
            "Stands behind the sofa and reaches over it, without a hole in the ceiling.",
            229.0,
            "Lumen & Oak",
            "steel",
            ["black", "gold@brass", "white", "red"],
            dict(kind="arc"),
        ),
        Parent(
            "reading floor lamp",
            "Its cone tilts, its arm slides, and the light stays on the page.",
            129.0,
            "Lumen & Oak",
            "steel",
            ["mustard", "teal", "charcoal", "gold@brass", "pink"],
            dict(kind="reading"),
        ),
        Parent(
            "floor lamp with tray",
            "A lamp and a side table on one foot, for rooms that have space for neither.",
            149.0,
            "Holm Interiors",
            "steel",
            ["green", "black", "cream", "gold@brass"],
            dict(kind="straight", table=True, shade=(0.5, 0.34, 0.5)),
        ),
    ],
)

"""Storage: bookcases, a ladder shelf, a sideboard, a bedside table."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, rod, rotation, rounded_box
from ..materials import metal, surface, wood
from ..model import Family, Model, Parent, Variant, View


def _board(w: float, d: float, h: float) -> Mesh:
    axes = (0, 1) if h < min(w, d) else (2, 1) if w < d else (0, 2)
    return rounded_box(w, d, h, 0.012, 6).projected(axes, 0.45)


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Open shelves, cubes, a leaning ladder, or a carcass with doors and drawers on legs."""
    kind, w, h, d, t = shape["kind"], shape.get("width", 1.2), shape.get("height", 2.2), shape.get("depth", 0.5), 0.05
    parts: list[tuple[str, Mesh]] = []
    if kind == "ladder":
        for s in (-1, 1):
            rail = rounded_box(0.06, 0.08, 2.5, 0.02).projected((2, 0), 0.5).moved(turn=rotation("x", -13))
            parts.append(("body", rail.moved((s * 0.5, 0.26, 1.22))))
        for k in range(4):
            z, deep = 0.35 + 0.55 * k, 0.66 - 0.13 * k
            parts.append(("body", _board(1.0, deep, 0.04).moved((0, 0.3 - deep / 2 + 0.13 * k, z))))
        return Model(parts, View(-28, 12, fill=0.88))
    if kind == "open":
        for s in (-1, 1):
            parts.append(("body", _board(t, d, h).moved((s * (w - t) / 2, 0, h / 2))))
        n = shape.get("shelves", 5)
        for k in range(n):
            z = 0.06 + (h - 0.1) * k / (n - 1)
            parts.append(("body", _board(w - 2 * t, d, 0.045).moved((0, 0, z))))
        for x in np.linspace(-w / 2, w / 2, shape.get("columns", 1) + 1)[1:-1]:
            parts.append(("body", _board(0.04, d * 0.98, h - 0.1).moved((x, 0, h / 2 + 0.01))))
        parts.append(("back", _board(w - t, 0.02, h - 0.06).moved((0, d / 2 - 0.02, h / 2))))
        return Model(parts, View(-26, 10, fill=0.88))
    leg = shape.get("leg", 0.4)
    parts.append(("body", _board(w, d, h).moved((0, 0, leg + h / 2))))
    n, rows = shape.get("doors", 3), shape.get("rows", 1)
    for i in range(n):
        for j in range(rows):
            fw, fh = (w - 0.08) / n - 0.02, (h - 0.06) / rows - 0.02
            x = -w / 2 + 0.04 + (fw + 0.02) * (i + 0.5)
            z = leg + 0.03 + (fh + 0.02) * (j + 0.5)
            parts.append(("front", _board(fw, 0.03, fh).moved((x, -d / 2 - 0.012, z))))
            if shape.get("slats"):
                for k in np.linspace(-fw / 2 + 0.03, fw / 2 - 0.03, 14):
                    parts.append(
                        (
                            "front",
                            rod(
                                [x + k, -d / 2 - 0.03, z - fh / 2 + 0.02],
                                [x + k, -d / 2 - 0.03, z + fh / 2 - 0.02],
                                0.011,
                                n=10,
                            ),
                        )
                    )
            else:
                grip = x if rows > 1 or n == 1 else x + (fw / 2 - 0.07) * (1 if i % 2 == 0 else -1)
                parts.append(("knob", rod([grip, -d / 2 - 0.02, z], [grip, -d / 2 - 0.075, z], 0.022, 0.028, n=16)))
    for s in (-1, 1):
        for y in (-1, 1):
            parts.append(
                (
                    "leg",
                    rod(
                        [s * (w / 2 - 0.14), y * (d / 2 - 0.1), leg],
                        [s * (w / 2 - 0.09), y * (d / 2 - 0.05), 0],
                        0.035,
                        0.022,
                    ),
                )
            )
    return Model(parts, View(-26, 12, fill=0.88))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The whole takes the variant, or only the fronts of a wooden carcass."""
    m = surface(variant, rng)
    body = wood(shape["carcass"], rng) if shape.get("carcass") else m
    back = m if m.texture is not None else m.but(colour=np.asarray(m.colour) * 0.86)
    return {"body": body, "front": m, "back": back, "leg": wood(shape.get("legs", "oak"), rng), "knob": metal("brass")}


FAMILY = Family(
    "storage",
    "Storage",
    build,
    finish,
    [
        Parent(
            "tall bookcase",
            "Five shelves, one of them for the books you mean to read.",
            249.0,
            "North Orchard",
            "painted wood",
            ["natural@oak", "walnut@walnut", "white", "green", "navy"],
            dict(kind="open"),
        ),
        Parent(
            "cube shelf",
            "Nine square bays for records, baskets and one thoughtful gap.",
            199.0,
            "Holm Interiors",
            "painted wood",
            ["mustard", "white", "black", "natural@ash", "pink"],
            dict(kind="open", width=1.7, height=1.7, shelves=4, columns=3),
        ),
        Parent(
            "leaning ladder shelf",
            "It leans on the wall, asks for two screws and gets narrower as it climbs.",
            129.0,
            "Holm Interiors",
            "oak",
            ["natural", "walnut@walnut", "black@painted wood", "teal@painted wood"],
            dict(kind="ladder"),
        ),
        Parent(
            "three-door sideboard",
            "Long and low on slim legs; the plates go left, the games go right.",
            540.0,
            "North Orchard",
            "painted wood",
            ["sage", "walnut@walnut", "terracotta", "light blue"],
            dict(kind="doors", width=2.2, height=0.85, depth=0.6, carcass="oak"),
        ),
        Parent(
            "slatted cabinet",
            "Fine upright slats hide the muddle and let the router breathe.",
            420.0,
            "North Orchard",
            "oak",
            ["natural", "walnut@walnut", "black@painted wood", "white@painted wood"],
            dict(kind="doors", width=1.5, height=1.2, depth=0.55, doors=2, slats=True, leg=0.3),
        ),
        Parent(
            "bedside table with drawers",
            "Two drawers: one for what you need at night and one for everything else.",
            139.0,
            "Holm Interiors",
            "painted wood",
            ["blue", "cream", "natural@oak", "burgundy", "mint"],
            dict(kind="doors", width=0.85, height=0.62, depth=0.62, doors=1, rows=2, leg=0.35),
        ),
    ],
)

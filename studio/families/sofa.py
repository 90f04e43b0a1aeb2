"""Sofas and armchairs from padded boxes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..geometry import rod, rotation, rounded_box, sweep
from ..materials import fabric, leather, metal, painted, wood
from ..model import Family, Model, Parent, Variant, View


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Seat count, arm style and back height vary."""
    seats, arm, deep = shape["seats"], shape.get("arm", "box"), 0.85
    each = shape.get("each", 0.95)
    w, back = seats * each, shape.get("back", 0.85)
    parts = [("cover", rounded_box(w + 0.1, deep, 0.26, 0.06).moved((0, 0, 0.36)))]
    for k in range(seats):
        x = (k - (seats - 1) / 2) * each
        parts.append(("cover", rounded_box(each - 0.01, 0.78, 0.22, 0.08, 14, 0.03).moved((x, -0.06, 0.57))))
        cushion = rounded_box(each - 0.02, 0.22, back - 0.35, 0.10, 14, 0.05).moved(turn=rotation("x", -10))
        parts.append(("cover", cushion.moved((x, 0.30, 0.64 + (back - 0.35) / 2))))
    parts.append(("cover", rounded_box(w + 0.26, 0.20, back, 0.08).moved((0, 0.42, 0.235 + back / 2))))
    for s in (-1, 1):
        x = s * (w / 2 + 0.11)
        if arm == "box":
            parts.append(("cover", rounded_box(0.22, 0.95, 0.62, 0.09, 12, 0.01).moved((x, 0, 0.52))))
        elif arm == "rolled":
            parts.append(("cover", rounded_box(0.18, 0.92, 0.55, 0.06, 12).moved((x, 0, 0.48))))
            path = np.stack([np.full(20, x + s * 0.03), np.linspace(-0.38, 0.42, 20), np.full(20, 0.80)], 1)
            parts.append(("cover", sweep(path, 0.15, n=40)))
        else:
            loop = np.array([[x, -0.40, 0.0], [x, -0.36, 0.62], [x, 0.1, 0.70], [x, 0.46, 0.66]])
            parts.append(
                (
                    "leg",
                    sweep(
                        np.vstack([np.linspace(a, b, 12, endpoint=False) for a, b in pairwise(loop)]),
                        0.045,
                        0.03,
                        n=20,
                        power=3,
                    ),
                )
            )
    for s in (-1, 1):
        for y in (-0.36, 0.36):
            if arm == "frame" and y < 0:
                continue
            parts.append(("leg", rod([s * (w / 2 + 0.02), y, 0.25], [s * (w / 2 + 0.07), y * 1.12, 0], 0.04, 0.025)))
    if shape.get("throw"):
        for s in (-1, 1):
            pillow = rounded_box(0.42, 0.16, 0.42, 0.078, 12, 0.03).moved(
                turn=rotation("x", -20) @ rotation("y", s * 8)
            )
            parts.append(("pillow", pillow.moved((s * (w / 2 - 0.24), 0.08, 0.86))))
    return Model(parts, View(-26, 13, fill=0.9))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """One cover; legs of wood or brass."""
    if variant.material == "leather":
        cover = leather(variant.colour, 3)
    else:
        cover = painted(
            fabric(variant.material, 2.2), variant.colour, variant.pattern, shape.get("repeats", (7, 7)), rng
        )
    leg = metal("brass") if shape.get("leg") == "brass" else wood(shape.get("leg", "oak"), rng)
    return {"cover": cover, "leg": leg, "pillow": fabric("wool", 2).but(colour=np.array([0.93, 0.89, 0.80]))}


FAMILY = Family(
    "sofa",
    "Sofa",
    build,
    finish,
    [
        Parent(
            "two-seat sofa",
            "Compact enough for a third-floor flat, deep enough for a Sunday.",
            890.0,
            "Holm Interiors",
            "linen",
            ["teal", "grey", "mustard", "grey/checks", "teal@velvet"],
            dict(seats=2),
        ),
        Parent(
            "three-seat sofa",
            "Rolled arms, three generous seats and two pillows that come with it.",
            1290.0,
            "Holm Interiors",
            "velvet",
            ["navy", "burgundy", "beige", "beige@leather"],
            dict(seats=3, arm="rolled", leg="walnut", throw=True, back=0.8, each=0.8),
        ),
        Parent(
            "open-frame armchair",
            "Loose cushions in an open oak frame, airy from every side.",
            540.0,
            "North Orchard",
            "wool",
            ["terracotta", "sage", "charcoal", "terracotta/stripes"],
            dict(seats=1, arm="frame", back=0.9),
        ),
        Parent(
            "club armchair",
            "Low, square and wrapped all round, on slim brass legs.",
            620.0,
            "Holm Interiors",
            "velvet",
            ["pink", "green", "cream", "green@corduroy"],
            dict(seats=1, arm="box", back=0.72, leg="brass", each=0.8),
        ),
        Parent(
            "loveseat",
            "For two who like each other, or one who likes room.",
            740.0,
            "Holm Interiors",
            "boucle",
            ["cream", "olive", "grey", "terracotta"],
            dict(seats=2, each=0.75, back=0.75, arm="rolled", leg="walnut"),
        ),
        Parent(
            "long three-seat sofa",
            "Three metres of evening, with square arms that hold a book and a cup.",
            1490.0,
            "Holm Interiors",
            "linen",
            ["sage", "charcoal", "beige", "blue", "beige/pinstripes"],
            dict(seats=3, arm="box", each=0.9, leg="oak", throw=True),
        ),
        Parent(
            "oak-frame two-seater",
            "An open oak frame with two loose seats, light enough to move for dancing.",
            890.0,
            "North Orchard",
            "wool",
            ["mustard", "navy", "grey", "cream", "navy/checks"],
            dict(seats=2, arm="frame", back=0.85, each=0.85),
        ),
        Parent(
            "high-backed reading chair",
            "Rolled arms and a tall back: nobody can see you, or the biscuits.",
            690.0,
            "Holm Interiors",
            "velvet",
            ["teal", "mustard", "burgundy", "tan@leather", "black@leather"],
            dict(seats=1, arm="rolled", back=1.12, leg="walnut", each=0.85),
        ),
    ],
)

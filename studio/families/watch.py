"""Wristwatches: case, dial with hands, strap standing on its side."""

from __future__ import annotations

import numpy as np

from ..geometry import fillet, revolve, rotation, rounded_box, superellipsoid, sweep
from ..materials import Material, fabric, leather, metal
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import uv_grid


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Round or square case; the strap is a loop behind it."""
    r, wide = shape.get("radius", 0.42), shape.get("strap_width", 0.21)
    square = shape.get("square", False)
    if square:
        case = rounded_box(r * 1.75, r * 2.0, 0.22, 0.09, 12).moved((0, 0, -0.02))
        bezel = rounded_box(r * 1.62, r * 1.86, 0.05, 0.024, 8).moved((0, 0, 0.085))
        half = (r * 0.72, r * 0.84)
        dial = rounded_box(2 * half[0], 2 * half[1], 0.02, 0.009, 8).moved((0, 0, 0.105))
        dial = dial.mapped(dial.vertices[:, :2] / (2 * np.array(half)) + 0.5)
        parts = [("case", case), ("case", bezel), ("dial", dial)]
    else:
        line = fillet(
            [
                [0, -0.12],
                [r - 0.06, -0.12],
                [r + 0.04, -0.04],
                [r + 0.04, 0.06],
                [r, 0.11],
                [r - 0.05, 0.115],
                [r - 0.06, 0.07],
                [0, 0.07],
            ],
            [0, 0.03, 0.03, 0.03, 0.02, 0.01, 0.01, 0],
            8,
        )
        face = revolve([[0, 0.068], [r - 0.052, 0.068], [r - 0.05, 0.073], [0, 0.073]], 96)
        parts = [
            ("case", revolve(line, 128)),
            ("dial", face.mapped(face.vertices[:, :2] / (2 * (r - 0.05)) + 0.5)),
        ]
        if shape.get("diver"):
            ring = revolve(
                fillet(
                    [
                        [r - 0.06, 0.09],
                        [r + 0.05, 0.09],
                        [r + 0.04, 0.13],
                        [r - 0.055, 0.125],
                        [r - 0.06, 0.09],
                    ],
                    [0, 0.01, 0.01, 0.005, 0],
                    5,
                ),
                240,
                lambda a, z: 1 + 0.012 * np.cos(60 * a) * (z < 0.11),
                closed=False,
            )
            parts.append(("case", ring))
    parts.append(
        (
            "case",
            superellipsoid(0.05, 0.045, 0.045, 0.5, 1, 32, 16).moved(((r * 0.875 if square else r) + 0.07, 0, 0)),
        )
    )
    for sy in (-1, 1):
        for sx in (-1, 1):
            lug = rounded_box(0.07, 0.17, 0.10, 0.03).moved(turn=rotation("x", sy * -24))
            parts.append(("case", lug.moved((sx * (wide + 0.035), sy * (r + 0.01), -0.04))))
    a = np.radians(np.linspace(40, 320, 120))
    path = np.stack([0 * a, (r + 0.18) * np.sin(a), -0.56 + 0.66 * np.cos(a)], 1)
    parts.append(("strap", sweep(path, 0.035, wide, n=36, power=6, up=(1, 0, 0)).uv_scaled(5, 1.2)))
    buckle = rounded_box(wide * 2.3, 0.12, 0.06, 0.025).moved((0, 0, -0.56 - 0.66))
    parts.append(("case", buckle))
    stand = rotation("x", 68)
    return Model([(s, m.moved(turn=stand)) for s, m in parts], View(-26, 12, fill=0.82))


def _dial(shape: dict) -> np.ndarray:
    n = 768
    u, v = uv_grid(n)
    x, y = u * 2 - 1, v * 2 - 1
    r, a = np.hypot(x, y), np.arctan2(x, y)
    t = np.ones((n, n, 3)) * rgb(shape.get("dial", "navy"))
    ink = rgb(shape.get("ink", "cream"))
    for k in range(60):
        b = 2 * np.pi * k / 60
        big = k % 5 == 0
        if shape.get("sparse") and not big:
            continue
        d = np.abs(np.sin(a - b) * r)
        t[(np.cos(a - b) > 0) & (d < (0.022 if big else 0.007)) & (r > (0.70 if big else 0.84)) & (r < 0.92)] = ink
    hands = (
        (305, 0.48, 0.032, ink),
        (60, 0.72, 0.024, ink),
        (190, 0.78, 0.010, rgb(shape.get("second", "red"))),
    )
    for degrees, length, width, colour in hands:
        b = np.radians(degrees)
        along = np.cos(a - b) * r
        t[(np.abs(np.sin(a - b) * r) < width) & (along > -0.12) & (along < length)] = colour
    t[r < 0.05] = ink
    return t


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The variant is the strap's colour and material; case and dial belong to the design."""
    if variant.material in ("leather", "suede"):
        strap = leather(variant.colour, 1.5, variant.material == "suede")
    elif variant.material == "rubber":
        strap = Material(colour=rgb(variant.colour), roughness=0.55, specular=0.35)
    elif variant.material == "steel":
        strap = metal("steel")
    else:
        strap = fabric("canvas", 2).but(colour=rgb(variant.colour))
    return {
        "case": metal(shape.get("case", "steel")),
        "strap": strap,
        "dial": Material(texture=_dial(shape), roughness=0.35, specular=0.5, coat=0.4),
    }


FAMILY = Family(
    "watch",
    "Watch",
    build,
    finish,
    [
        Parent(
            "round field watch",
            "Clear hands, clear numbers of minutes, and nothing you do not need.",
            129.0,
            "Meridian",
            "leather",
            ["tan", "black", "olive", "olive@nylon"],
            dict(dial="navy"),
        ),
        Parent(
            "rectangular dress watch",
            "A slim golden case with a dial that leaves out all but the hours.",
            169.0,
            "Meridian",
            "leather",
            ["burgundy", "green", "navy", "navy@suede"],
            dict(square=True, case="gold", dial="cream", ink="charcoal", sparse=True, radius=0.4),
        ),
        Parent(
            "diver's watch",
            "A broad grooved bezel and a strap that shrugs off salt water.",
            199.0,
            "Meridian",
            "rubber",
            ["orange", "blue", "yellow", "white"],
            dict(diver=True, dial="black", radius=0.46, strap_width=0.25),
        ),
        Parent(
            "minimal slim watch",
            "No numbers, no date, two hands: it is about now.",
            119.0,
            "Meridian",
            "leather",
            ["grey", "brown", "pink", "light blue"],
            dict(dial="white", ink="charcoal", sparse=True, radius=0.4, case="gold", strap_width=0.17),
        ),
        Parent(
            "square everyday watch",
            "A steel square with a green face, for wrists that do things.",
            139.0,
            "Meridian",
            "rubber",
            ["black", "green", "coral", "navy"],
            dict(square=True, dial="green", ink="cream", radius=0.38),
        ),
        Parent(
            "steel pilot's watch",
            "A big dark dial that can be read in the dark at two thousand metres.",
            229.0,
            "Meridian",
            "leather",
            ["brown", "charcoal", "khaki@nylon", "olive@nylon", "tan@suede"],
            dict(dial="charcoal", radius=0.47, strap_width=0.24, second="orange"),
        ),
    ],
)

"""Wall clocks: a rim, a dial and two hands."""

from __future__ import annotations

import numpy as np

from ..geometry import fillet, revolve, rod, rounded_box
from ..materials import Material, lacquer, surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import uv_grid


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Round, sunburst or square; a rim or none."""
    parts, r, rim = [], 0.9, shape.get("rim", 0.09)
    if shape.get("square"):
        s = 2 * r
        parts.append(("rim", rounded_box(s + 2 * rim, s + 2 * rim, 0.24, shape.get("corner", 0.11), 14)))
        face = rounded_box(s, s, 0.05, 0.02, 10).moved((0, 0, 0.115))
    else:
        line = [[0, 0], [r + rim, 0], [r + rim, 0.2], [r, 0.2], [r - 0.02, 0.1], [0, 0.1]]
        parts.append(("rim", revolve(fillet(line, [0, 0.05, rim * 0.4, rim * 0.3, 0.01, 0], 8), 160)))
        face = revolve([[0, 0.09], [r - 0.015, 0.09], [r - 0.015, 0.105], [0, 0.105]], 128)
    parts.append(("dial", face.mapped(face.vertices[:, :2] / (2 * r) + 0.5)))
    for k in range(shape.get("rays", 0)):
        a = 2 * np.pi * k / shape["rays"]
        d, long = np.array([np.cos(a), np.sin(a), 0]), 1.62 if k % 2 else 1.4
        parts.append(("rim", rod(d * r + [0, 0, 0.08], d * long + [0, 0, 0.08], 0.045, 0.02)))
    top = parts[1][1].vertices[:, 2].max()
    for degrees, length, width in ((-60, 0.5, 0.036), (54, 0.74, 0.026)):
        a = np.radians(90 - degrees)
        d = np.array([np.cos(a), np.sin(a), 0])
        parts.append(
            ("hand", rod(d * -0.12 + [0, 0, top + 0.035], d * length * r + [0, 0, top + 0.035], width, width * 0.6))
        )
    parts.append(("hand", rod([0, 0, top], [0, 0, top + 0.05], 0.06)))
    return Model(parts, View(0, 90, above=True, fill=0.8))


def _dial(shape: dict, base: np.ndarray, ink: np.ndarray) -> np.ndarray:
    n = 1024
    u, v = uv_grid(n)
    x, y = u * 2 - 1, v * 2 - 1
    r, a = np.hypot(x, y), np.arctan2(x, y)
    t = np.ones((n, n, 3)) * base
    marks = shape.get("marks", "bars")
    for k in range(60):
        b, hour, quarter = 2 * np.pi * k / 60, k % 5 == 0, k % 15 == 0
        if (marks == "quarters" and not quarter) or (marks != "minutes" and not hour):
            continue
        ahead, off = np.cos(a - b) * r, np.abs(np.sin(a - b) * r)
        if marks == "dots":
            t[np.hypot(ahead - 0.8, off) < (0.06 if quarter else 0.036)] = ink
        else:
            t[(off < (0.022 if hour else 0.007)) & (ahead > (0.72 if hour else 0.82)) & (ahead < 0.9)] = ink
    return t


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The rim takes the variant; so does the dial of a clock that is one colour all over."""
    rim = surface(variant, rng, (6, 6))
    own = shape.get("dial", "white")
    base = rgb(variant.colour if own == "own" else own)
    ink = rgb("white") if base.mean() < 0.55 else rgb("charcoal")
    dial = Material(texture=_dial(shape, base, ink), roughness=0.5, specular=0.3)
    return {"rim": rim, "dial": dial, "hand": lacquer("white" if base.mean() < 0.55 else "#2a2b2e")}


FAMILY = Family(
    "clock",
    "Wall clock",
    build,
    finish,
    [
        Parent(
            "station clock",
            "Bars for the hours and lines for the minutes: nobody misses a train under it.",
            49.0,
            "Meridian",
            "aluminium",
            ["black", "red", "silver@steel", "blue"],
            dict(marks="minutes", rim=0.1),
        ),
        Parent(
            "wood-rimmed clock",
            "A broad wooden ring around a quiet white face with a dot for each hour.",
            59.0,
            "North Orchard",
            "oak",
            ["natural", "walnut@walnut", "sage@painted wood", "navy@painted wood"],
            dict(marks="dots", rim=0.22),
        ),
        Parent(
            "one-colour clock",
            "Dial and rim in one colour, with just enough white to tell the time by.",
            39.0,
            "Lumen & Oak",
            "plastic",
            ["mustard", "teal", "terracotta", "pink", "green"],
            dict(marks="bars", rim=0.05, dial="own"),
        ),
        Parent(
            "sunburst clock",
            "Twenty-four rays in two lengths: the sun over the sideboard since 1958.",
            89.0,
            "Meridian",
            "brass",
            ["gold", "walnut@walnut", "black@steel", "red@steel"],
            dict(marks="quarters", rays=24, rim=0.06, dial="cream"),
        ),
        Parent(
            "square kitchen clock",
            "Round corners, clear hours and a wipe-clean front, for the wall over the hob.",
            34.0,
            "Lumen & Oak",
            "plastic",
            ["mint", "orange", "white", "light blue", "black"],
            dict(square=True, rim=0.08, corner=0.11, marks="bars"),
        ),
    ],
)

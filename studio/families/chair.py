"""Chairs: slat, spindle and moulded backs, and an upholstered one."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, catmull, rod, rounded_box, sweep, thick_sheet
from ..materials import fabric, lacquer, leather, metal, painted, painted_wood, wood
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb

SEAT = 0.92


def _shell_back(width: float) -> Mesh:
    u, v = np.meshgrid(np.linspace(-1, 1, 48), np.linspace(0, 1, 40), indexing="ij")
    narrow = width * (1 - 0.12 * v - 0.22 * np.clip((v - 0.55) / 0.45, 0, 1) ** 3)
    x, y = u * narrow, 0.44 + 0.26 * v**1.3 - 0.20 * u**2 * (1 - 0.3 * v)
    z = SEAT - 0.06 + 0.82 * np.sin(v * 1.45) - 0.16 * v**2 * np.abs(u) ** 3.5
    return thick_sheet(np.stack([x, y, z], -1), (0, 0.07, 0))


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Seat, four splayed legs and one of four backs."""
    back, pad = shape["back"], shape.get("pad", False)
    seat = rounded_box(0.95, 0.9, 0.16 if pad else 0.09, 0.06 if pad else 0.04, 14, 0.02).moved((0, 0, SEAT))
    v = seat.vertices.copy()
    v[:, 2] -= 0.05 * np.clip(1 - (v[:, 0] / 0.5) ** 2, 0, 1) * np.clip(1 - (v[:, 1] / 0.5) ** 2, 0, 1)
    seat = Mesh(v, seat.faces, seat.uv).projected((0, 1), 0.8)
    parts = [("seat", seat)]
    splay = shape.get("splay", 0.07)
    for s in (-1, 1):
        for y, out in ((-0.34, -1), (0.34, 1.3)):
            leg = rod([s * 0.36, y, SEAT - 0.03], [s * (0.36 + splay), y + splay * out, 0], 0.045, 0.03)
            parts.append(("frame", leg))
        if back in ("slat", "ladder", "spindle"):
            t = np.linspace(0, 1, 16)
            post = np.stack([s * (0.39 + 0.03 * t), 0.38 + 0.16 * t**1.4, SEAT - 0.02 + 0.88 * t], 1)
            parts.append(("frame", sweep(post, np.linspace(0.04, 0.03, 16), n=20)))
    if back in ("slat", "ladder"):
        rails = ((1.66, 0.2), (1.38, 0.12)) if back == "slat" else ((1.72, 0.1), (1.54, 0.1), (1.36, 0.1), (1.18, 0.1))
        for z, h in rails:
            t = np.linspace(-1, 1, 24)
            f = (z - SEAT) / 0.86
            path = np.stack([(0.39 + 0.03 * f) * t, 0.37 + 0.16 * f**1.4 + 0.07 * (1 - t**2), 0 * t + z], 1)
            rail = sweep(path, 0.025, h / 2, power=5, up=(0, 0, 1), n=32).projected((0, 2), 0.8)
            parts.append(("frame", rail))
    elif back == "spindle":
        t = np.linspace(-1, 1, 40)
        crest = np.stack([0.47 * t, 0.53 + 0.05 * (1 - t**2), 1.78 + 0.05 * (1 - t**2)], 1)
        parts.append(("frame", sweep(crest, 0.03, 0.06, power=4, up=(0, 0, 1), n=28)))
        for x in np.linspace(-0.27, 0.27, 5):
            parts.append(("frame", rod([x, 0.40, SEAT], [x * 1.1, 0.56, 1.79], 0.018, 0.016)))
    elif back == "board":
        t = np.linspace(-1, 1, 24)
        path = np.stack([0.44 * t, 0.46 + 0.09 * (1 - t**2), 0 * t + 1.52], 1)
        board = sweep(path, 0.022, 0.17, power=4, up=(0, -0.16, 1), n=36).projected((0, 2), 0.8)
        parts.append(("seat", board))
        for s in (-1, 1):
            post = np.array([[s * 0.3, 0.34, SEAT - 0.02], [s * 0.3, 0.44, SEAT + 0.24], [s * 0.3, 0.55, 1.56]])
            parts.append(("frame", sweep(catmull(post, 8), 0.024, n=16)))
    else:
        parts.append(("seat", _shell_back(shape.get("width", 0.5)).uv_scaled(1.2, 1)))
    if shape.get("arms"):
        for s in (-1, 1):
            wide = 0.5 if back == "shell" else 0.47
            arm = [[s * (wide - 0.08), 0.46, SEAT + 0.46], [s * wide, 0.2, SEAT + 0.42], [s * wide, -0.24, SEAT + 0.4]]
            parts.append(("frame", sweep(catmull(arm, 12), 0.03, 0.045, n=20, power=3, up=(1, 0, 0))))
            parts.append(("frame", rod([s * wide, -0.2, SEAT + 0.4], [s * 0.42, -0.26, SEAT - 0.02], 0.026, 0.03)))
    return Model(parts, View(-34, 13, fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Wooden chairs are one wood; upholstered ones have a wooden or steel frame."""
    frame_kind = shape.get("frame", "oak")
    if variant.material in ("oak", "walnut", "ash"):
        w = wood(variant.material, rng)
        return {"seat": w, "frame": lacquer("#222326", 0.4) if shape["back"] == "board" else w}
    if variant.material == "painted wood":
        w = painted_wood(variant.colour)
        return {"seat": w, "frame": lacquer("#222326", 0.4) if shape["back"] == "board" else w}
    frame = (
        lacquer("#222326", 0.4)
        if frame_kind == "black steel"
        else metal("brass")
        if frame_kind == "brass"
        else wood(frame_kind, rng)
    )
    if variant.material == "leather":
        seat = leather(variant.colour, 3)
    elif variant.material == "plastic":
        seat = lacquer(variant.colour, 0.45)
    else:
        seat = painted(fabric(variant.material, 1.5), variant.colour, variant.pattern, (7, 7), rng)
    return {"seat": seat.but(colour=rgb(variant.colour) if seat.texture is None else None), "frame": frame}


FAMILY = Family(
    "chair",
    "Chair",
    build,
    finish,
    [
        Parent(
            "slat-back dining chair",
            "Two steam-bent slats meet the small of your back just where they should.",
            149.0,
            "North Orchard",
            "painted wood",
            ["natural@oak", "walnut@walnut", "green", "black"],
            dict(back="slat"),
        ),
        Parent(
            "spindle-back chair",
            "Five slim spindles under a curved crest rail: the farmhouse chair, drawn finer.",
            165.0,
            "North Orchard",
            "painted wood",
            ["blue", "teal", "mustard", "natural@ash"],
            dict(back="spindle", splay=0.12),
        ),
        Parent(
            "upholstered dining chair",
            "A padded seat and a back that wraps a little, so dinner can run late.",
            189.0,
            "Holm Interiors",
            "velvet",
            ["green", "pink", "navy", "navy/stripes", "navy@leather"],
            dict(back="shell", pad=True, frame="black steel"),
        ),
        Parent(
            "moulded shell chair",
            "One light shell on oak legs, easy to wipe and easier to move.",
            99.0,
            "Holm Interiors",
            "plastic",
            ["white", "yellow", "grey", "orange"],
            dict(back="shell", frame="oak", width=0.46, splay=0.13),
        ),
        Parent(
            "ladder-back chair",
            "Four narrow rungs and a wide seat; it has stood in kitchens for two centuries.",
            139.0,
            "Holm Interiors",
            "painted wood",
            ["red", "light blue", "charcoal"],
            dict(back="ladder", splay=0.03),
        ),
        Parent(
            "wishbone armchair",
            "Curved arms in one sweep, and a back that lets the light through.",
            289.0,
            "North Orchard",
            "painted wood",
            ["natural@oak", "walnut@walnut", "sage", "black"],
            dict(back="spindle", arms=True, splay=0.06),
        ),
        Parent(
            "upholstered armchair for the table",
            "Padded all round, with arms at the height of the table edge.",
            249.0,
            "Holm Interiors",
            "linen",
            ["terracotta", "grey", "sage", "grey/checks", "terracotta/pinstripes"],
            dict(back="shell", pad=True, arms=True, frame="oak", width=0.52),
        ),
        Parent(
            "school chair",
            "Two bent boards on a steel frame: generations have tipped back on it.",
            85.0,
            "Holm Interiors",
            "painted wood",
            ["mint", "yellow", "red", "natural@ash", "coral"],
            dict(back="board", frame="black steel", splay=0.04),
        ),
    ],
)

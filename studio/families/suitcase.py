"""Suitcases: ribbed shells on wheels, and a soft one with straps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..geometry import Mesh, catmull, revolve, rod, rotation, rounded_box, sweep
from ..materials import lacquer, leather, metal, surface
from ..model import Family, Model, Parent, Variant, View


def _groove(mesh: Mesh, ribs: int, width: float, across: bool) -> Mesh:
    """Press grooves into the two large faces."""
    v = mesh.vertices.copy()
    along = v[:, 2] if across else v[:, 0]
    press = 0.018 * np.clip(np.cos(along / width * np.pi * ribs) * 3, -1, 1)
    v[:, 1] += np.sign(v[:, 1]) * press * np.clip((np.abs(v[:, 1]) - 0.16) * 12, 0, 1) * (np.abs(along) < width * 0.46)
    return replace(mesh, vertices=v)


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Size, ribs up or across, wheels and a telescopic handle, or a trunk with straps lying low."""
    w, h, d = shape.get("width", 1.0), shape.get("height", 1.4), shape.get("depth", 0.52)
    lift = 0.16 if shape.get("wheels", True) else 0.03
    body = rounded_box(w, d, h, shape.get("round", 0.13), 90 if shape.get("ribs") else 24)
    if shape.get("ribs"):
        body = _groove(body, shape["ribs"], w if not shape.get("across") else h, bool(shape.get("across")))
    parts = [("body", body.uv_scaled(0.8, 0.8).moved((0, 0, lift + h / 2)))]
    seam = rounded_box(w + 0.012, 0.05, h + 0.012, 0.024, 16)
    parts.append(("trim", seam.moved((0, 0, lift + h / 2))))
    grip_z = lift + h
    bow = catmull(
        [[-0.2, 0, grip_z - 0.01], [-0.16, 0, grip_z + 0.07], [0.16, 0, grip_z + 0.07], [0.2, 0, grip_z - 0.01]], 10
    )
    parts.append(("grip", sweep(bow, 0.026, 0.045, n=18, up=(0, 1, 0))))
    if shape.get("wheels", True):
        wheel = revolve([[0, -0.035], [0.075, -0.035], [0.085, 0], [0.075, 0.035], [0, 0.035]], 40)
        for x in (-1, 1):
            for y in (-1, 1):
                at = (x * (w / 2 - 0.14), y * (d / 2 - 0.11), 0.085)
                parts.append(("grip", wheel.moved(turn=rotation("y", 90), by=at)))
                parts.append(("grip", rounded_box(0.12, 0.12, 0.09, 0.03).moved((at[0], at[1], 0.16))))
        for x in (-0.2, 0.2):
            parts.append(("metal", rod([x, d / 2 - 0.1, grip_z - 0.1], [x, d / 2 - 0.1, grip_z + 0.5], 0.02)))
        parts.append(("grip", rounded_box(0.52, 0.07, 0.08, 0.03).moved((0, d / 2 - 0.1, grip_z + 0.52))))
    for x in shape.get("straps", ()):
        belt = rounded_box(0.09, d + 0.03, h + 0.03, shape.get("round", 0.13), 16)
        parts.append(("strap", belt.moved((x * w, 0, lift + h / 2))))
        parts.append(("metal", rounded_box(0.13, 0.03, 0.11, 0.012).moved((x * w, -d / 2 - 0.02, lift + h * 0.62))))
    if shape.get("corners"):
        for x in (-1, 1):
            for z in (-1, 1):
                cap = rounded_box(0.2, d + 0.014, 0.2, min(shape.get("round", 0.13), 0.09), 12)
                parts.append(("strap", cap.moved((x * (w / 2 - 0.094), 0, lift + h / 2 + z * (h / 2 - 0.094)))))
    return Model(parts, View(-30, 11, fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The shell takes the variant; straps and corners are tan leather."""
    body = surface(variant, rng, (9, 9))
    return {
        "body": body,
        "trim": metal("steel") if shape.get("wheels", True) else leather("brown", 2),
        "grip": lacquer("#2b2c30", 0.5) if shape.get("wheels", True) else leather("brown", 2),
        "metal": metal("steel" if shape.get("wheels", True) else "brass"),
        "strap": leather(shape.get("strap", "tan"), 2),
    }


FAMILY = Family(
    "suitcase",
    "Suitcase",
    build,
    finish,
    [
        Parent(
            "ribbed cabin suitcase",
            "Fits the overhead bin, rolls on four quiet wheels and shows no scratches.",
            149.0,
            "Pilgrim Road",
            "plastic",
            ["navy", "yellow", "black", "mint", "coral"],
            dict(ribs=9),
        ),
        Parent(
            "large check-in suitcase",
            "Two weeks for one or one week for two, in a shell that gives before it breaks.",
            219.0,
            "Pilgrim Road",
            "plastic",
            ["charcoal", "teal", "burgundy", "lavender"],
            dict(width=1.15, height=1.75, depth=0.62, ribs=11, across=True),
        ),
        Parent(
            "aluminium cabin suitcase",
            "Every dent is a stamp in its passport.",
            389.0,
            "Pilgrim Road",
            "aluminium",
            ["silver@steel", "black", "gold@brass", "red"],
            dict(ribs=15, round=0.07),
        ),
        Parent(
            "weekend trunk with straps",
            "A small hard case with leather corners, for trains rather than planes.",
            179.0,
            "Pilgrim Road",
            "canvas",
            ["olive", "beige", "blue", "burgundy@leather", "beige/checks"],
            dict(wheels=False, width=1.4, height=0.95, depth=0.44, round=0.08, straps=(-0.3, 0.3), corners=True),
        ),
    ],
)

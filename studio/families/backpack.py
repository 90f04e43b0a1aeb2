"""Backpacks: daypack, flap pack, roll-top and a small round one."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, catmull, loft, rounded_box, superellipsoid, sweep, thick_sheet
from ..materials import lacquer, leather, metal, surface
from ..model import Family, Model, Parent, Variant, View


def _body(w: float, d: float, h: float, crown: float) -> Mesh:
    """A soft block whose top is an arch: rows of rounded rectangles, closing over the crown."""
    u = np.linspace(-np.pi, np.pi, 161)[:-1]
    c, s = np.cos(u), np.sin(u)
    rows = []
    for f in np.r_[
        np.linspace(0, 0.1, 8)[:-1],
        np.linspace(0.1, 1 - crown, 22)[:-1],
        1 - crown + crown * np.sin(np.linspace(0, np.pi / 2, 22)),
    ]:
        k = np.sqrt(np.clip(1 - np.clip((f - 1 + crown) / crown, 0, 1) ** 2.4, 1e-4, 1))
        foot = 0.86 + 0.14 * np.sqrt(np.clip(1 - (1 - min(f / 0.1, 1)) ** 2, 0, 1))
        belly = 1 + 0.06 * np.sin(np.pi * f)
        rows.append(
            np.stack(
                [
                    w * k * foot * np.sign(c) * np.abs(c) ** 0.5,
                    d * max(k, 0.12) ** 0.7 * foot * belly * np.sign(s) * np.abs(s) ** 0.55,
                    0 * u + h * f,
                ],
                1,
            )
        )
    return loft(np.array(rows)).uv_scaled(0.7, 0.7)


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Width, crown, flap, pocket and trim vary; two padded straps and a loop on top."""
    w, d, h = shape.get("width", 0.48), shape.get("depth", 0.27), shape.get("height", 1.25)
    parts = [("body", _body(w, d, h, shape.get("crown", 0.32)))]
    if shape.get("base"):
        low = _body(w * 1.012, d * 1.012, h, shape.get("crown", 0.32))
        rows = low.vertices.copy()
        rows[:, 2] = np.minimum(rows[:, 2], h * 0.2)
        parts.append(("trim", Mesh(rows, low.faces, low.uv, closed=False)))
    if shape.get("pocket", True):
        ph = shape.get("pocket_height", 0.46)
        pocket = superellipsoid(w * 0.78, 0.11, h * ph / 2, 0.35, 0.4, 96, 64).moved(
            (0, -d * 0.98, h * 0.09 + h * ph / 2)
        )
        parts.append(("body", pocket.projected((0, 2), 0.7)))
        z = h * 0.09 + h * ph * 0.82
        zip_line = catmull(
            [[-w * 0.62, -d - 0.085, z - 0.02], [0, -d - 0.108, z], [w * 0.62, -d - 0.085, z - 0.02]], 12
        )
        parts.append(("dark", sweep(zip_line, 0.012, n=10)))
        parts.append(("metal", rounded_box(0.025, 0.02, 0.09, 0.008).moved((w * 0.3, -d - 0.115, z - 0.05))))
    if shape.get("flap"):
        x = np.linspace(-1, 1, 40)
        v = catmull(
            [
                [d * 0.7, h * 0.9],
                [0.3 * d, h * 1.01],
                [-d * 0.7, h * 0.97],
                [-d - 0.08, h * 0.84],
                [-d - 0.15, h * 0.55],
            ],
            8,
        )
        across = w * (1.04 - 0.1 * np.linspace(1, 0, len(v)) ** 2)
        droop = -0.10 * np.abs(x[:, None]) ** 3 * (v[None, :, 1] > h * 0.7)
        grid = np.stack(
            [
                x[:, None] * across[None],
                v[None, :, 0] + 0 * x[:, None] + 0.07 * np.abs(x[:, None]) ** 4,
                v[None, :, 1] + droop,
            ],
            -1,
        )
        parts.append(("trim" if shape.get("flap") == "trim" else "body", thick_sheet(grid, (0, -0.025, 0.012))))
        for s in (-1, 1):
            strap = catmull(
                [
                    [s * w * 0.45, -d - 0.16, h * 0.62],
                    [s * w * 0.45, -d - 0.19, h * 0.45],
                    [s * w * 0.45, -d - 0.17, h * 0.3],
                ],
                8,
            )
            parts.append(("trim", sweep(strap, 0.038, 0.01, n=20, power=4, up=(0, 1, 0))))
            parts.append(("metal", rounded_box(0.11, 0.03, 0.08, 0.012).moved((s * w * 0.45, -d - 0.2, h * 0.42))))
    if shape.get("roll"):
        path = [[-w * 0.92, -0.03, h * 0.985], [0, -0.05, h * 1.0], [w * 0.92, -0.03, h * 0.985]]
        parts.append(("body", sweep(catmull(path, 12), 0.085, 0.085, n=28, power=2.2)))
        for s in (-1, 1):
            strap = catmull(
                [
                    [s * w * 0.6, 0.05, h * 1.04],
                    [s * w * 0.6, -0.13, h * 1.02],
                    [s * w * 0.6, -d - 0.0, h * 0.86],
                    [s * w * 0.6, -d - 0.025, h * 0.62],
                ],
                10,
            )
            parts.append(("trim", sweep(strap, 0.035, 0.009, n=18, power=4, up=(0, 0.5, 1))))
    loop = catmull(
        [[-0.1, d * 0.5, h * 0.96], [-0.08, d * 0.45, h * 1.08], [0.08, d * 0.45, h * 1.08], [0.1, d * 0.5, h * 0.96]],
        10,
    )
    parts.append(("trim", sweep(loop, 0.016, 0.032, n=16, up=(0, 1, 0))))
    for s in (-1, 1):
        arm = [[s * w * 0.42, d * 0.8, h * 0.93], [s * w * 0.72, d + 0.14, h * 0.82], [s * w * 1.0, d + 0.17, h * 0.5]]
        arm += [[s * w * 1.04, d + 0.06, h * 0.2], [s * w * 0.9, d * 0.6, h * 0.07]]
        parts.append(("dark", sweep(catmull(arm, 10), 0.022, 0.065, n=22, power=3, up=(1, 0, 0.2))))
    return Model(parts, View(-27, 10, fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Body in the variant; trim of leather, straps dark."""
    body = surface(variant, rng, shape.get("repeats", (9, 9)), 1.3)
    trim = leather(shape.get("trim", "tan"), 2)
    return {"body": body, "trim": trim, "dark": lacquer("#303238", 0.8), "metal": metal(shape.get("metal", "brass"))}


FAMILY = Family(
    "backpack",
    "Backpack",
    build,
    finish,
    [
        Parent(
            "everyday backpack",
            "A laptop at the back, lunch in the middle and keys where you find them.",
            69.0,
            "Pilgrim Road",
            "nylon",
            ["navy", "olive", "coral", "grey", "navy/dots", "olive/leaves"],
            dict(),
        ),
        Parent(
            "flap backpack with buckles",
            "Two buckled straps over a deep main bag, like the one your geography teacher had.",
            98.0,
            "Pilgrim Road",
            "canvas",
            ["khaki", "teal", "burgundy", "brown@leather", "khaki/checks"],
            dict(flap="body", crown=0.2, height=1.1, width=0.5, pocket_height=0.4),
        ),
        Parent(
            "roll-top backpack",
            "Roll it up for a day trip, roll it out for a weekend; rain stays outside.",
            89.0,
            "Harbour Lane",
            "canvas",
            ["mustard", "charcoal", "sage", "terracotta", "charcoal/pinstripes"],
            dict(roll=True, crown=0.12, height=1.3, width=0.46, base=True),
        ),
        Parent(
            "mini backpack",
            "Phone, wallet, a paperback and a cardigan: all the luggage an evening needs.",
            119.0,
            "Corso & Figlia",
            "leather",
            ["black", "tan", "pink", "green", "tan@suede"],
            dict(height=0.85, width=0.42, depth=0.2, crown=0.5, pocket_height=0.42, trim="brown", metal="gold"),
        ),
        Parent(
            "kids' backpack",
            "Small straps, a soft back and a pocket exactly as big as an apple.",
            39.0,
            "Little Fable",
            "cotton",
            ["yellow", "light blue", "red", "red/dots", "light blue/stripes", "yellow/floral"],
            dict(height=0.95, width=0.45, depth=0.28, crown=0.45, repeats=(7, 7)),
        ),
    ],
)

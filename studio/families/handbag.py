"""Leather handbags."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, loft, rotation, rounded_box, sweep, thick_sheet
from ..materials import leather, metal
from ..model import Family, Model, Parent, Variant, View


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Structured top-handle, bucket and flap bags."""
    kind = shape["kind"]
    h, w, d = shape.get("height", 0.8), shape.get("width", 0.62), shape.get("depth", 0.26)
    u = np.linspace(-np.pi, np.pi, 161)[:-1]
    c, s = np.cos(u), np.sin(u)
    square = 1.0 if kind == "bucket" else 0.45
    rows = []
    for z in np.linspace(0, h, 40):
        f = z / h
        a, b = w * (1 - shape.get("taper", 0.10) * f**1.5), d * (1 - shape.get("pinch", 0.72) * f**1.6)
        k = min(1, (z + 0.004) / 0.07)
        k = 0.93 + 0.07 * np.sqrt(1 - (1 - k) ** 2)
        rows.append(
            np.stack(
                [
                    a * k * np.sign(c) * np.abs(c) ** square,
                    b * k * np.sign(s) * np.abs(s) ** square,
                    0 * u + z,
                ],
                1,
            )
        )
    body = loft(np.array(rows)).uv_scaled(0.8, 0.8)
    parts = [("body", body), ("trim", sweep(rows[2] + [0, 0, 0.015], 0.012, closed=True, n=10))]
    top = shape.get("top", 1.26)
    if kind == "structured":
        parts.append(("body", rounded_box(w * 1.78, 0.15, 0.03, 0.014).moved((0, 0, h))))
        for y in (-1, 1):
            x = w * 0.48
            path = catmull(
                [
                    [-x, y * 0.10, h - 0.1],
                    [-x, y * 0.085, h + 0.02],
                    [-x * 0.8, y * 0.06, top - 0.16],
                    [0, y * 0.04, top],
                    [x * 0.8, y * 0.06, top - 0.16],
                    [x, y * 0.085, h + 0.02],
                    [x, y * 0.10, h - 0.1],
                ],
                12,
            )
            parts.append(("trim", sweep(path, 0.024, n=18)))
            for sx in (-x, x):
                ring = np.linspace(0, 2 * np.pi, 40, endpoint=False)
                loop = np.stack([sx + 0.04 * np.cos(ring), 0 * ring + y * 0.118, h - 0.065 + 0.04 * np.sin(ring)], 1)
                parts.append(("metal", sweep(loop, 0.009, n=10, closed=True)))
                tab = rounded_box(0.09, 0.02, 0.24, 0.009).moved(turn=rotation("x", y * -14))
                parts.append(("trim", tab.moved((sx, y * 0.165, h - 0.2))))
        clasp = rounded_box(0.10, 0.02, 0.07, 0.01).moved(turn=rotation("x", 14))
        parts.append(("metal", clasp.moved((0, -0.150, h - 0.14))))
    elif kind == "bucket":
        rim = rows[-1]
        parts.append(("trim", sweep(rim, 0.02, closed=True, n=14)))
        parts.append(("trim", sweep(rows[31] * [1.005, 1.005, 1], 0.012, closed=True, n=12)))
        a = rows[-1][:, 0].max()
        path = catmull(
            [
                [-a, 0, h - 0.1],
                [-a - 0.01, 0, h + 0.06],
                [-a * 0.72, 0, top - 0.12],
                [0, 0, top],
                [a * 0.72, 0, top - 0.12],
                [a + 0.01, 0, h + 0.06],
                [a, 0, h - 0.1],
            ],
            12,
        )
        parts.append(("trim", sweep(path, 0.012, 0.045, n=20, power=3, up=(0, 1, 0)).uv_scaled(6, 1)))
        for sx in (-1, 1):
            cord = catmull(
                [
                    [sx * 0.06, -d * 0.98, h * 0.79],
                    [sx * 0.09, -d * 1.12, h * 0.62],
                    [sx * 0.06, -d * 1.14, h * 0.42],
                ],
                10,
            )
            parts.append(("trim", sweep(cord, 0.014, n=12)))
            parts.append(
                (
                    "metal",
                    sweep([[sx * 0.06, -d * 1.14, h * 0.44], [sx * 0.058, -d * 1.14, h * 0.36]], 0.024, n=16),
                )
            )
    else:
        a = w * (1 - shape.get("taper", 0.1)) * 1.005
        x = np.linspace(-1, 1, 40)
        back, front = d * (1 - shape.get("pinch", 0.4)), d * 1.03
        v = catmull(
            [
                [back * 0.9, h - 0.02],
                [back * 0.5, h + 0.035],
                [-back * 0.7, h + 0.03],
                [-back - 0.05, h - 0.05],
                [-front * 0.93, h * 0.7],
                [-front * 1.03, h * 0.42],
            ],
            8,
        )
        t = np.linspace(0, 1, len(v))
        corner = 1 - 0.10 * np.clip((t - 0.8) / 0.2, 0, 1) ** 3
        grid = np.stack(
            [
                x[:, None] * a * corner[None],
                np.broadcast_to(v[None, :, 0], (40, len(v))),
                np.broadcast_to(v[None, :, 1], (40, len(v))),
            ],
            -1,
        )
        grid[..., 2] += (
            np.where(t > 0.8, 0.10, 0)[None] * np.abs(x[:, None]) ** 4 * ((t - 0.8) / 0.2).clip(0, 1)[None] ** 2
        )
        parts.append(("trim", thick_sheet(grid, (0, -0.022, 0.012)).uv_scaled(1.2, 1.0)))
        parts.append(("metal", rounded_box(0.16, 0.03, 0.1, 0.014).moved((0, -front * 1.03 - 0.035, h * 0.5))))
        path = catmull(
            [
                [-a, 0, h - 0.12],
                [-a - 0.015, 0, h + 0.08],
                [-a * 0.8, 0, top - 0.18],
                [-a * 0.3, 0, top],
                [a * 0.3, 0, top],
                [a * 0.8, 0, top - 0.18],
                [a + 0.015, 0, h + 0.08],
                [a, 0, h - 0.12],
            ],
            12,
        )
        parts.append(("trim", sweep(path, 0.012, 0.038, n=20, power=3, up=(0, 1, 0)).uv_scaled(6, 1)))
        for sx in (-1, 1):
            ring = np.linspace(0, 2 * np.pi, 40, endpoint=False)
            loop = np.stack([0 * ring + sx * (a + 0.012), 0.05 * np.cos(ring), h - 0.08 + 0.05 * np.sin(ring)], 1)
            parts.append(("metal", sweep(loop, 0.01, n=10, closed=True)))
    return Model(parts, View(-26, 13, fill=0.82))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Body in leather or suede; handles and flap a shade darker."""
    suede = variant.material == "suede"
    return {
        "body": leather(variant.colour, 1.3, suede),
        "trim": leather(variant.colour, 2.5, suede).shaded(shape.get("trim_shade", 0.72)),
        "metal": metal("gold"),
    }


FAMILY = Family(
    "handbag",
    "Handbag",
    build,
    finish,
    [
        Parent(
            "structured top-handle bag",
            "Two rolled handles, a firm base and room for papers that must not fold.",
            189.0,
            "Corso & Figlia",
            "leather",
            ["tan", "black", "burgundy", "tan@suede"],
            dict(kind="structured"),
        ),
        Parent(
            "drawstring bucket bag",
            "A soft bucket that closes with a pull of its cord and hangs from one wide strap.",
            159.0,
            "Corso & Figlia",
            "leather",
            ["mustard", "teal", "brown", "teal@suede"],
            dict(kind="bucket", width=0.42, depth=0.36, height=0.84, taper=-0.06, pinch=-0.04, top=1.6),
        ),
        Parent(
            "flap shoulder bag",
            "A small saddle-shaped flap with a gold plate, worn high under the arm.",
            145.0,
            "Corso & Figlia",
            "leather",
            ["green", "pink", "navy", "red"],
            dict(
                kind="flap",
                width=0.6,
                depth=0.2,
                height=0.62,
                pinch=0.35,
                taper=0.04,
                top=1.15,
                trim_shade=0.86,
            ),
        ),
        Parent(
            "small top-handle bag",
            "The same bag, two sizes down, for evenings and short lists.",
            149.0,
            "Corso & Figlia",
            "leather",
            ["red", "cream", "teal", "brown", "teal@suede"],
            dict(kind="structured", width=0.5, height=0.6, depth=0.22, top=1.0, taper=0.16),
        ),
        Parent(
            "satchel",
            "A long flap, a strap for the shoulder and room for a newspaper.",
            169.0,
            "Corso & Figlia",
            "leather",
            ["tan", "black", "olive", "navy", "brown@suede"],
            dict(kind="flap", width=0.7, depth=0.17, height=0.66, pinch=0.12, taper=0.0, top=1.35, trim_shade=0.8),
        ),
        Parent(
            "mini bucket bag",
            "A phone, a key, a lipstick; pull the cord and go.",
            119.0,
            "Maren Studio",
            "leather",
            ["pink", "white", "lavender", "black", "mustard@suede"],
            dict(kind="bucket", width=0.34, depth=0.31, height=0.6, taper=-0.1, pinch=-0.08, top=1.2),
        ),
        Parent(
            "briefcase",
            "Slim, upright and rather serious, with two short handles.",
            239.0,
            "Corso & Figlia",
            "leather",
            ["black", "brown", "burgundy", "grey"],
            dict(
                kind="structured", width=0.74, height=0.62, depth=0.18, taper=0.03, pinch=0.5, top=0.92, trim_shade=0.85
            ),
        ),
    ],
)

"""Mugs: a turned body with a swept handle."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, fillet, refine, revolve, shell, sweep
from ..materials import ceramic, painted
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Body profiles: straight, flared, bellied or footed."""
    r, h, kind = shape.get("radius", 0.42), shape.get("height", 0.95), shape["kind"]
    if kind == "straight":
        outer = fillet([[0, 0], [r, 0], [r + 0.002, h]], [0, shape.get("foot", 0.07), 0], 10)
    elif kind == "flared":
        outer = fillet([[0, 0], [r * 0.62, 0], [r * 0.78, h * 0.35], [r * 1.14, h]], [0, 0.07, 0.4, 0], 12)
    elif kind == "bellied":
        wall = [
            [r * 0.62, 0],
            [r * 0.95, h * 0.14],
            [r * 1.14, h * 0.42],
            [r * 0.98, h * 0.78],
            [r * 0.96, h],
        ]
        outer = np.vstack([[[0, 0], [r * 0.4, 0]], catmull(wall, 9)])
    else:
        outer = np.vstack(
            [
                fillet([[0, 0], [r * 0.6, 0], [r * 0.6, 0.06], [r * 0.72, 0.09]], [0, 0.015, 0.02, 0], 5),
                catmull([[r * 0.82, 0.12], [r * 1.08, 0.26], [r * 1.12, 0.45], [r * 1.16, h]], 9),
            ]
        )
    outside, inside = shell(outer, 0.036)
    relief = None
    if shape.get("facets"):
        k = shape["facets"]

        def relief(a: np.ndarray, z: np.ndarray) -> np.ndarray:
            fade = np.clip(np.minimum(z - 0.06, h - 0.1 - z) * 8, 0, 1)
            return 1 - 0.045 * np.abs(np.sin(k * a / 2)) * fade

    elif shape.get("rings"):
        k = shape["rings"]

        def relief(a: np.ndarray, z: np.ndarray) -> np.ndarray:
            fade = np.clip(np.minimum(z - 0.06, h - 0.1 - z) * 12, 0, 1)
            return 1 + 0.018 * np.cos(2 * np.pi * k * z / h) * fade + 0 * a

        outside = refine(outside, 0.01)

    body = revolve(outside, 160 if relief is None else 256, relief, wall=(0.03, h * 0.985), closed=False)
    lining = revolve(inside, 160 if relief is None else 256, closed=False)
    hz, hr = h * shape.get("grip_at", 0.5), h * shape.get("grip", 0.29)
    i = np.searchsorted(outer[:, 1], [hz - hr * 0.95, hz + hr * 0.95]).clip(0, len(outer) - 1)
    lo, hi = outer[i[0], 0], outer[i[1], 0]
    square = shape.get("square_grip", False)
    a = np.radians(np.linspace(80, -80, 28))
    p = 0.45 if square else 0.8
    reach = shape.get("reach", 1.1) * hr
    x0 = np.linspace(hi, lo, 28)
    arc = np.stack(
        [x0 - 0.02 + reach * np.cos(a) ** p, 0 * a, hz + hr * np.sign(a) * np.abs(np.sin(a)) ** (p + 0.2)], 1
    )
    path = np.vstack([[hi - 0.012, 0, arc[0, 2] + 0.008], arc, [lo - 0.035, 0, arc[-1, 2] - 0.008]])
    handle = sweep(catmull(path, 3), shape.get("strap", 0.045), 0.08, power=2.4, up=(0, 1, 0))
    return Model([("body", body), ("lining", lining), ("handle", handle)], View(-16, 17, fill=0.78))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Pattern outside; the lining is white where the pattern is, else the mug's colour."""
    m = ceramic(variant.material)
    plain = m.but(colour=rgb(variant.colour))
    body = painted(m, variant.colour, variant.pattern, shape.get("repeats", (12, 6)), rng)
    lining = m.but(colour=rgb("white")) if shape.get("white_inside") or variant.material == "porcelain" else plain
    return {"body": body, "lining": lining, "handle": plain}


FAMILY = Family(
    "mug",
    "Mug",
    build,
    finish,
    [
        Parent(
            "straight-sided mug",
            "Straight walls, a flat base and a handle that takes three fingers.",
            14.0,
            "Kiln & Kettle",
            "stoneware",
            ["white", "navy", "terracotta", "navy/stripes", "white/dots"],
            dict(kind="straight", white_inside=True, repeats=(13, 5)),
        ),
        Parent(
            "rounded belly mug",
            "Its round belly keeps coffee warm and sits well between two cold hands.",
            16.5,
            "Fennel House",
            "ceramic",
            ["sage", "mustard", "pink", "sage/speckled", "mustard/floral"],
            dict(kind="bellied", height=0.86, grip=0.26, reach=1.2, repeats=(12, 5)),
        ),
        Parent(
            "flared latte mug",
            "A narrow foot opens to a wide rim that leaves room for the foam.",
            18.0,
            "Kiln & Kettle",
            "porcelain",
            ["teal", "cream", "red", "teal/chevron", "cream/leaves"],
            dict(
                kind="flared",
                height=1.0,
                grip=0.24,
                reach=1.05,
                grip_at=0.56,
                white_inside=True,
                repeats=(12, 6),
            ),
        ),
        Parent(
            "low camp mug",
            "Short and broad with a square-shouldered handle, the way camp mugs have always been.",
            12.0,
            "Harbour Lane",
            "enamel",
            ["blue", "green", "black", "blue/speckled", "green/checks"],
            dict(
                kind="straight",
                radius=0.5,
                height=0.74,
                square_grip=True,
                grip=0.3,
                reach=0.95,
                foot=0.04,
                strap=0.03,
                white_inside=True,
                repeats=(16, 4),
            ),
        ),
        Parent(
            "faceted espresso cup",
            "Twelve soft facets catch the light, and a small foot lifts it off the tray.",
            11.0,
            "Fennel House",
            "stoneware",
            ["burgundy", "charcoal", "light blue", "burgundy@porcelain"],
            dict(kind="footed", radius=0.38, height=0.66, facets=12, grip=0.27, grip_at=0.58, reach=1.15),
        ),
        Parent(
            "ribbed tea mug",
            "Fine ribs run around it like ripples, and the thin lip suits tea.",
            17.0,
            "Fennel House",
            "porcelain",
            ["mint", "navy", "coral", "white", "lavender"],
            dict(kind="straight", radius=0.4, height=0.86, rings=9, grip=0.27),
        ),
        Parent(
            "soup mug",
            "Wide as a bowl, with a handle that lets you eat standing up.",
            19.0,
            "Kiln & Kettle",
            "stoneware",
            ["terracotta", "teal", "cream", "teal/dots", "cream/stripes"],
            dict(kind="bellied", radius=0.56, height=0.7, grip=0.3, reach=1.05, repeats=(16, 4)),
        ),
        Parent(
            "tall travel-height mug",
            "As tall as a cup gets before it tips: the first coffee and the second in one.",
            20.0,
            "Kiln & Kettle",
            "ceramic",
            ["black", "yellow", "light blue", "black/marbled", "light blue/leaves"],
            dict(kind="straight", radius=0.36, height=1.18, grip=0.24, reach=1.2, white_inside=True, repeats=(11, 7)),
        ),
    ],
)

"""Teapots: turned body and lid, swept spout and handle."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, revolve, sweep
from ..materials import ceramic, metal, painted, wood
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb

BODIES = {
    "round": [[0.26, 0], [0.30, 0.02], [0.47, 0.2], [0.52, 0.40], [0.42, 0.64], [0.25, 0.755]],
    "tall": [[0.33, 0], [0.38, 0.03], [0.42, 0.3], [0.4, 0.6], [0.33, 0.86], [0.24, 0.94]],
    "pear": [[0.3, 0], [0.36, 0.02], [0.5, 0.16], [0.46, 0.4], [0.3, 0.66], [0.23, 0.84]],
    "barrel": [[0.3, 0], [0.36, 0.02], [0.41, 0.2], [0.4, 0.38], [0.3, 0.52], [0.23, 0.56]],
    "cone": [[0.5, 0], [0.52, 0.03], [0.46, 0.3], [0.36, 0.62], [0.28, 0.82], [0.25, 0.86]],
    "squat": [[0.36, 0], [0.42, 0.03], [0.6, 0.18], [0.62, 0.3], [0.46, 0.46], [0.25, 0.52]],
}


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Three bodies; a side handle or a bail over the top."""
    kind = shape["body"]
    line = catmull(BODIES[kind], 14)
    top, rim = line[-1, 1], line[-1, 0]
    waist = np.interp(top * 0.4, line[:, 1], line[:, 0])
    body = revolve(
        np.vstack([[[0, 0]], line, [[rim * 0.8, top + 0.01], [0, top + 0.01]]]), 144, wall=(0.01, top * 0.98)
    )
    lid_line = [
        [rim + 0.02, 0],
        [rim, 0.035],
        [rim * 0.62, 0.09],
        [0.05, 0.12],
        [0.035, 0.145],
        [0.075, 0.2],
        [0.05, 0.25],
        [0.0, 0.26],
    ]
    lid = revolve(np.vstack([[[0, -0.01]], catmull(lid_line, 10)]), 96).moved((0, 0, top))
    reach = shape.get("spout", 0.36)
    spout = catmull(
        [
            [waist - 0.14, 0, top * 0.3],
            [waist + reach * 0.3, 0, top * 0.47],
            [waist + reach * 0.62, 0, top * 0.75],
            [waist + reach, 0, top * 0.98],
        ],
        12,
    )
    parts = [
        ("body", body),
        ("lid", lid),
        ("spout", sweep(spout, np.linspace(0.125, 0.045, len(spout)), n=28)),
    ]
    if shape.get("bail"):
        a = np.radians(np.linspace(-8, 188, 48))
        w = np.interp(top * 0.86, line[:, 1], line[:, 0])
        loop = np.stack([(w + 0.04) * np.cos(a), 0 * a, top * 0.86 + 0.52 * np.sin(a)], 1)
        parts.append(("handle", sweep(loop, 0.022, 0.03, n=16, up=(0, 1, 0))))
        grip = loop[14:34]
        parts.append(("grip", sweep(grip, 0.036, 0.045, n=18, up=(0, 1, 0))))
        for s in (-1, 1):
            knob = sweep([[s * (w - 0.03), 0, top * 0.83], [s * (w + 0.06), 0, top * 0.83]], 0.05, n=18)
            parts.append(("lid", knob))
    else:
        a = np.radians(np.linspace(72, -76, 24))
        back = np.interp([top * 0.88, top * 0.2], line[:, 1], line[:, 0])
        x0 = np.linspace(back[0], back[1], 24)
        loop = np.stack([-(x0 - 0.07) - 0.34 * np.cos(a), 0 * a, top * 0.54 + top * 0.36 * np.sin(a)], 1)
        parts.append(("handle", sweep(loop, 0.04, 0.055, n=20, up=(0, 1, 0))))
    return Model(parts, View(-14, 17, fill=0.84))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The pattern stays on the body; a bail handle is brass with a wooden grip."""
    m = ceramic(variant.material)
    plain = m.but(colour=rgb(variant.colour))
    body = painted(m, variant.colour, variant.pattern, shape.get("repeats", (16, 7)), rng)
    bail = shape.get("bail")
    return {
        "body": body,
        "lid": plain,
        "spout": plain,
        "handle": metal("brass") if bail else plain,
        "grip": wood("beech", rng),
    }


FAMILY = Family(
    "teapot",
    "Teapot",
    build,
    finish,
    [
        Parent(
            "round teapot",
            "The classic globe, with a lid that stays put while you pour the last cup.",
            44.0,
            "Kiln & Kettle",
            "ceramic",
            ["teal", "cream", "red", "cream/floral", "teal/dots"],
            dict(body="round", repeats=(14, 6)),
        ),
        Parent(
            "tall teapot",
            "A straight, upright pot for long afternoons: six cups and a spout that does not drip.",
            52.0,
            "Fennel House",
            "stoneware",
            ["charcoal", "sage", "mustard", "charcoal/speckled"],
            dict(body="tall", spout=0.34),
        ),
        Parent(
            "low teapot with brass handle",
            "A brass bail with a beech grip arcs over a broad, low pot.",
            68.0,
            "Fennel House",
            "stoneware",
            ["black", "navy", "terracotta", "navy/chevron"],
            dict(body="squat", bail=True, spout=0.3, repeats=(20, 5)),
        ),
        Parent(
            "pear-shaped teapot",
            "Full below and slim above, with a spout that listens.",
            48.0,
            "Fennel House",
            "porcelain",
            ["white", "light blue", "pink", "light blue/floral", "pink/dots"],
            dict(body="pear", spout=0.36, repeats=(15, 7)),
        ),
        Parent(
            "little teapot for one",
            "A pot for exactly one person and exactly one chapter.",
            29.0,
            "Kiln & Kettle",
            "ceramic",
            ["yellow", "green", "navy", "lavender", "navy/stripes"],
            dict(body="barrel", spout=0.3, repeats=(15, 5)),
        ),
        Parent(
            "enamel stove teapot",
            "From the hob to the table to the lawn, and no harm done on the way.",
            39.0,
            "Harbour Lane",
            "enamel",
            ["red", "cream", "blue", "cream/checks", "blue/speckled"],
            dict(body="cone", spout=0.36, repeats=(16, 7)),
        ),
    ],
)

"""Jugs: a turned body pulled out into a lip, with a handle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..geometry import Mesh, catmull, revolve, shell, sweep
from ..materials import surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def _lip(mesh: Mesh, top: float, reach: float) -> Mesh:
    """Pull the rim out towards -x and up, the more the nearer to it."""
    v = mesh.vertices.copy()
    a = np.arctan2(v[:, 1], -v[:, 0])
    pull = np.exp(-((a / 0.42) ** 2)) * np.clip((v[:, 2] / top - 0.62) / 0.38, 0, 1) ** 1.6
    v[:, 0] -= reach * pull
    v[:, 2] += 0.35 * reach * pull
    v[:, 1] *= 1 - 0.35 * pull
    return replace(mesh, vertices=v)


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Straight, bellied or tall-necked bodies."""
    line = catmull(shape["profile"], 14)
    top = line[-1, 1]
    outside, inside = shell(np.vstack([[[0, 0], [line[0, 0] * 0.8, 0]], line]), 0.032)
    body = revolve(outside, 192, wall=(0.02, top), closed=False)
    parts = [("body", _lip(body, top, shape.get("lip", 0.2)))]
    parts.append(("lining", _lip(revolve(inside, 192, closed=False), top, shape.get("lip", 0.2))))
    hi, lo = top * shape.get("high", 0.9), top * shape.get("low", 0.3)
    xh, xl = (np.interp(z, line[:, 1], line[:, 0]) for z in (hi, lo))
    reach = max(xh, xl) + shape.get("reach", 0.34)
    path = [[xh - 0.03, 0, hi], [(xh + reach) / 2, 0, hi + 0.05], [reach, 0, hi * 0.72 + lo * 0.28]]
    path += [[(xl + reach) / 2 + 0.04, 0, lo * 0.75 + hi * 0.25 - 0.06], [xl - 0.03, 0, lo]]
    parts.append(("handle", sweep(catmull(path, 10), 0.042, 0.07, power=2.4, n=24, up=(0, 1, 0))))
    return Model(parts, View(-14, 15, fill=0.8))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Pattern on the body alone."""
    body = surface(variant, rng, shape.get("repeats", (14, 8)))
    plain = body.but(texture=None, colour=rgb(variant.colour)) if variant.pattern != "plain" else body
    return {"body": body, "lining": plain, "handle": plain}


FAMILY = Family(
    "jug",
    "Jug",
    build,
    finish,
    [
        Parent(
            "farmhouse milk jug",
            "Round at the bottom, narrow at the neck, with a lip that pours without a drip.",
            28.0,
            "Kiln & Kettle",
            "ceramic",
            ["cream", "blue", "green", "cream/stripes", "blue/floral"],
            dict(profile=[[0.34, 0], [0.48, 0.16], [0.52, 0.42], [0.4, 0.76], [0.33, 0.98], [0.37, 1.14]]),
        ),
        Parent(
            "straight water jug",
            "A plain cylinder that holds a litre and a half and a tray of ice.",
            34.0,
            "Fennel House",
            "stoneware",
            ["charcoal", "white", "mustard", "teal", "white/speckled", "teal/dots"],
            dict(profile=[[0.38, 0], [0.4, 0.05], [0.4, 0.6], [0.4, 1.2]], high=0.86, low=0.28, repeats=(14, 7)),
        ),
        Parent(
            "creamer",
            "Small enough to live on the breakfast tray and never in anyone's way.",
            15.0,
            "Kiln & Kettle",
            "porcelain",
            ["white", "pink", "mint", "red", "pink/dots"],
            dict(
                profile=[[0.3, 0], [0.4, 0.08], [0.43, 0.28], [0.36, 0.5], [0.38, 0.62]],
                lip=0.16,
                reach=0.26,
                repeats=(14, 4),
            ),
        ),
        Parent(
            "tall enamel pitcher",
            "The old dairy shape: a wide base, a high handle and flowers if you like.",
            32.0,
            "Harbour Lane",
            "enamel",
            ["light blue", "red", "black", "yellow", "black/speckled"],
            dict(
                profile=[[0.46, 0], [0.44, 0.3], [0.36, 0.8], [0.27, 1.2], [0.33, 1.45]], lip=0.24, high=0.93, low=0.36
            ),
        ),
    ],
)

"""Knitted hats."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, revolve, superellipsoid, welded
from ..materials import Material, accents
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import MASKS, knit, mix, uv_grid


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Rounded, slouchy or short crowns; with or without cuff and pompom."""
    ribs, tall = shape.get("ribs", 36), shape.get("tall", 1.0)
    line = np.array(
        [
            [0.46, 0.02],
            [0.50, 0.12],
            [0.51, 0.30],
            [0.50, 0.52],
            [0.44, 0.78],
            [0.28, 0.98],
            [0.10, 1.06],
            [0, 1.07],
        ]
    )
    line[:, 1] *= tall
    top = line[-1, 1]
    sag = shape.get("sag", 0.0)
    if sag:  # more cloth than head: it bulges over the edge before it falls back
        line[2:7, 0] *= [1.06, 1.2, 1.28, 1.3, 1.2]

    def crown(a: np.ndarray, z: np.ndarray) -> np.ndarray:
        fade = np.clip((top - 0.02 - z) * 4, 0, 1)
        folds = 0.02 * np.sin(3 * a + 4 * z) + 0.015 * np.sin(5 * a - 2)
        return 1 + 0.022 * np.abs(np.sin(ribs * a / 2)) * fade + (1 + 2 * sag) * folds * np.clip(z - 0.35, 0, 1)

    body = revolve(np.vstack([[[0, 0.02]], catmull(line, 16)]), ribs * 8, crown, wall=(0.02, top))
    if sag:
        v = body.vertices.copy()
        up = np.clip(v[:, 2] - 0.34, 0, None) / (top - 0.34)
        v[:, 0] += 0.55 * sag * up**1.3
        v[:, 2] -= sag * up**1.2 * (0.34 + 0.55 * np.clip(v[:, 0] + 0.1, 0, None))
        v[:, 2] += 0.03 * np.sin(9 * v[:, 2] - 4 * v[:, 0]) * up * (1 - up) * 2
        body = type(body)(v, body.faces, body.uv)
    parts = [("body", body)]
    if shape.get("cuff", True):
        h = shape.get("cuff_height", 0.38)
        cuff = catmull(
            [
                [0.47, 0.02],
                [0.485, 0.0],
                [0.535, 0.0],
                [0.555, 0.06],
                [0.56, h * 0.5],
                [0.553, h * 0.9],
                [0.53, h],
                [0.49, h],
            ],
            10,
        )
        parts.append(
            (
                "cuff",
                revolve(cuff, ribs * 8, lambda a, z: 1 + 0.03 * np.abs(np.sin(ribs * a / 2)), closed=False),
            )
        )
    if shape.get("pompom"):
        r = shape["pompom"]
        ball = superellipsoid(r, r, r, nu=128, nv=64)
        fluff = 1 + 0.10 * rng.standard_normal(len(ball.vertices))[welded(ball.vertices)]
        ball = type(ball)(ball.vertices * fluff[:, None], ball.faces, ball.uv)
        parts.append(("pompom", ball.moved((0, 0, top + r * 0.65))))
    return Model(parts, View(-20, 10, fill=0.8))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Stockinette with the pattern knitted in; the pompom is cream or the hat's colour."""
    ribs = shape.get("ribs", 36)

    def yarn(rows: float) -> Material:
        wool = variant.material == "wool"  # cotton is knitted finer, lies flatter and has no halo
        return Material(
            colour=rgb(variant.colour) * (1.0 if wool else 0.92) + (0.0 if wool else 0.06),
            roughness=0.95,
            specular=0.05,
            sheen=0.6 if wool else 0.1,
            bump=knit(ribs // 2, rows) if wool else knit(ribs * 1.5, rows * 2.5),
            bump_depth=0.02,
            bump_repeat=(2, 2),
        )

    body = yarn(30)
    if variant.pattern != "plain":
        u, v = uv_grid(768)
        mask = MASKS[variant.pattern](u, v, *shape.get("repeats", (14, 6)))
        body = body.but(colour=None, texture=mix(rgb(variant.colour), accents(variant.colour)[0], mask))
    pompom = rgb("cream") if shape.get("cream_pompom") else rgb(variant.colour)
    return {
        "body": body,
        "cuff": yarn(13),
        "pompom": Material(colour=pompom, roughness=1.0, specular=0.0, sheen=0.8),
    }


FAMILY = Family(
    "beanie",
    "Beanie",
    build,
    finish,
    [
        Parent(
            "bobble beanie",
            "A thick rib, a deep cuff and a pompom the size of a tangerine.",
            26.0,
            "Tidewear",
            "wool",
            ["mustard", "navy", "burgundy", "navy/stripes", "burgundy/chevron"],
            dict(pompom=0.2, cream_pompom=True, repeats=(16, 6)),
        ),
        Parent(
            "fisherman beanie",
            "Short and close, worn above the ears by people who get up early.",
            22.0,
            "Harbour Lane",
            "wool",
            ["charcoal", "teal", "orange", "teal@cotton"],
            dict(tall=0.72, ribs=44, cuff_height=0.26),
        ),
        Parent(
            "slouchy beanie",
            "A long, soft crown that falls back over a narrow turned edge.",
            28.0,
            "Plain Thread",
            "wool",
            ["pink", "grey", "green", "grey/stripes", "green/diamonds"],
            dict(tall=1.25, cuff_height=0.2, sag=0.62, ribs=30, repeats=(15, 7)),
        ),
        Parent(
            "big-bobble kids' hat",
            "A small hat under a very large pompom.",
            19.0,
            "Little Fable",
            "wool",
            ["red", "light blue", "yellow", "red/dots", "light blue/stripes"],
            dict(pompom=0.27, tall=0.9, cuff_height=0.3, ribs=32, repeats=(14, 5)),
        ),
        Parent(
            "ribbed watch cap",
            "Tightly ribbed from brim to crown, for wind that means it.",
            25.0,
            "Harbour Lane",
            "wool",
            ["navy", "black", "olive", "brown", "cream"],
            dict(tall=0.92, ribs=24, cuff_height=0.34),
        ),
        Parent(
            "fair-isle bobble hat",
            "Bands of pattern all the way up and a pompom to finish.",
            35.0,
            "Tidewear",
            "wool",
            ["teal/diamonds", "burgundy/floral", "charcoal/chevron", "green/leaves"],
            dict(pompom=0.17, cream_pompom=True, repeats=(14, 7), ribs=40),
        ),
    ],
)

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
    slouch = shape.get("slouch", 0.0)

    def crown(a: np.ndarray, z: np.ndarray) -> np.ndarray:
        fade = np.clip((top - 0.02 - z) * 4, 0, 1)
        folds = 0.02 * np.sin(3 * a + 4 * z) + 0.015 * np.sin(5 * a - 2)
        return 1 + 0.022 * np.abs(np.sin(ribs * a / 2)) * fade + (1 + 2.5 * slouch) * folds * np.clip(z - 0.35, 0, 1)

    body = revolve(np.vstack([[[0, 0.02]], catmull(line, 16)]), ribs * 8, crown, wall=(0.02, top))
    if slouch:
        v = body.vertices.copy()
        lean = np.clip(v[:, 2] - 0.45, 0, None)
        v[:, 0] -= slouch * lean**1.6
        v[:, 2] -= 0.45 * slouch * lean**1.5
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
        depth = 0.02 if variant.material == "wool" else 0.009
        return Material(
            colour=rgb(variant.colour),
            roughness=0.95,
            specular=0.05,
            sheen=0.6,
            bump=knit(ribs // 2, rows),
            bump_depth=depth,
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
            dict(tall=1.18, cuff_height=0.17, slouch=0.24, ribs=30, repeats=(15, 7)),
        ),
    ],
)

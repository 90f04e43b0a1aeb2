"""T-shirts laid flat: sewn from two outlines and draped."""

from __future__ import annotations

import numpy as np

from ..cloth import crease, lay_flat, mirrored
from ..geometry import Mesh, catmull
from ..materials import Material, accents
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import MASKS, mix, noise, step, uv_grid

NECK, SHOULDER, HEM = 0.18, 0.62, -0.78
TIP, ARMPIT = np.array([0.46, 0.52]), np.array([0.475, 0.25])


def outline_points(shape: dict) -> dict:
    """Corners of the cut: sleeve end, armpit, hem."""
    drop = np.array(shape.get("sleeve_dir", (0.78, -0.62)))
    drop /= np.linalg.norm(drop)
    wide = shape.get("boxy", 0.0)
    end = TIP + [wide, 0] + drop * shape.get("sleeve", 0.42)
    cuff = np.array([-0.62, -0.78]) if drop[1] > -0.75 else np.array([-0.86, -0.5])
    width = shape.get("cuff", 0.27)
    hem = shape.get("hem", HEM)
    return {
        "dir": drop,
        "end": end,
        "under": end + cuff / np.linalg.norm(cuff) * width,
        "hem": hem,
        "tip": TIP + np.array([wide, 0]),
        "arm": ARMPIT + np.array([wide, -0.03 if wide else 0]),
        "corner": np.array([0.52 + wide, hem]),
    }


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Crew or V neck, short or long sleeves, regular or boxy."""
    p = outline_points(shape)

    def outline(front: bool) -> list:
        a = np.linspace(0, np.pi / 2, 12)
        drop = shape.get("neck_drop", 0.20) if front else 0.05
        if shape.get("v_neck") and front:
            neck = np.stack([np.linspace(0, NECK, 12), SHOULDER - drop * (1 - np.linspace(0, 1, 12)) ** 1.05], 1)
        else:
            neck = np.stack([NECK * np.sin(a), SHOULDER - drop * np.cos(a)], 1)
        shoulder = catmull([[NECK, SHOULDER], [0.32, SHOULDER - 0.045], p["tip"], p["end"]], 8)
        under = catmull([p["under"], (p["under"] + p["arm"]) / 2 + [0, -0.004], p["arm"]], 6)
        side = catmull([p["arm"], [p["arm"][0] - 0.005, -0.2], p["corner"]], 8)
        hem = np.array([p["corner"], [0, p["hem"] - 0.015], p["corner"] * [-1, 1]])
        cuff = np.array([p["end"], p["under"]])
        return [
            (neck, False),
            (shoulder, True),
            (cuff, False),
            (under, True),
            (side, True),
            (hem, False),
            (mirrored(side), True),
            (mirrored(under), True),
            (mirrored(cuff), False),
            (mirrored(shoulder), True),
            (mirrored(neck), False),
        ]

    def folds(xy: np.ndarray) -> np.ndarray:
        z = np.zeros(len(xy))
        for s in (-1, 1):  # from the armpits towards the hem
            for _ in range(4):
                angle = -90 - s * rng.uniform(-6, 38)
                z += (
                    0.08
                    * rng.uniform(0.4, 1)
                    * crease(xy, (s * p["arm"][0] * 0.86, 0.26), angle, rng.uniform(0.2, 0.5), 0.035)
                )
        for _ in range(8):
            at = (rng.uniform(-0.4, 0.4), rng.uniform(-0.7, 0.3))
            z += 0.05 * rng.uniform(0.4, 1) * crease(xy, at, rng.uniform(40, 140), rng.uniform(0.1, 0.25), 0.03)
        return z

    x, tri, uv, _ = lay_flat(outline(True), outline(False), 0.034, folds, rng)
    return Model([("cloth", Mesh(x, tri, uv, closed=False))], View(0, 90, above=True, fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Colour, pattern or chest print; hems, neck rib and pocket are drawn on top."""
    n, p = 1024, outline_points(shape)
    u, v = uv_grid(n)
    x, y = u * 2 - 1, v * 2 - 1
    base, (second, third) = rgb(variant.colour), accents(variant.colour)
    t = np.ones((n, n, 3)) * base
    if variant.pattern == "graphic":
        for (cx, cy), c in (((-0.06, 0.12), second), ((0.07, 0.05), third)):
            t = mix(t, c, step(0.15 - np.hypot(x - cx, y - cy), 0.006))
        bars = ((np.abs(x) < 0.2) & (np.abs(y + 0.16) < 0.012)) | ((np.abs(x) < 0.14) & (np.abs(y + 0.21) < 0.008))
        t[bars] = second
    elif variant.pattern != "plain":
        t = mix(t, second, MASKS[variant.pattern](u, v, *shape.get("repeats", (22, 24))))
    height = noise(rng, 1.0, n=n) * 0.05 + 0.5

    def line(d: np.ndarray, w: float) -> np.ndarray:
        return np.exp(-((d / w) ** 2))

    stitch = line(np.abs(y - (p["hem"] + 0.05)), 0.004) * (np.sin(x * 600) > -0.3)
    height -= 0.25 * line(np.abs(y - (p["hem"] + 0.05)), 0.006)
    t = t * (1 - 0.18 * stitch[..., None])
    for s in (-1, 1):
        d = p["dir"] * [s, 1]
        e = p["end"] * [s, 1] - d * 0.045
        seam = line(np.abs((x - e[0]) * d[0] + (y - e[1]) * d[1]), 0.005) * (s * x > 0.52 + shape.get("boxy", 0))
        height -= 0.25 * seam
        t = t * (1 - 0.15 * seam[..., None])
    drop = shape.get("neck_drop", 0.20)
    depth = np.where(y < SHOULDER, (y - SHOULDER) / drop, 9)
    ring = np.abs(x) / NECK - depth if shape.get("v_neck") else np.hypot(x / NECK, depth)
    width = 1.22 if shape.get("v_neck") else 1.28
    rib, edge = (
        (ring < width) & (y < SHOULDER + 0.02),
        line((ring - width + 0.01) * NECK, 0.004) * (y < SHOULDER + 0.02),
    )
    if variant.pattern != "plain" and shape.get("contrast_neck"):
        t[rib] = second
    else:
        t[rib] = base
    t = t * (1 - 0.22 * edge[..., None])
    height = np.where(rib, 0.5 + 0.12 * np.sin(np.arctan2(x / NECK, -depth) * 150), height) - 0.3 * edge
    if shape.get("pocket"):
        px, py = np.abs(x - 0.21), y - 0.13
        d = np.maximum(np.maximum(px - 0.105, -py - 0.13 + px * 0.3), py - 0.12)
        t = t * (1 - 0.26 * line(d, 0.004)[..., None])
        height = height - 0.3 * line(d, 0.006) + 0.12 * (d < 0)
        t = t * (1 - 0.18 * (line(py - 0.085, 0.003) * (d < 0))[..., None])
    return {
        "cloth": Material(
            texture=np.clip(t, 0, 1), roughness=0.92, specular=0.1, sheen=0.3, bump=height, bump_depth=0.03
        )
    }


FAMILY = Family(
    "tshirt",
    "T-shirt",
    build,
    finish,
    [
        Parent(
            "crew-neck t-shirt",
            "Midweight jersey that keeps its shape, with a ribbed neck that does not go wavy.",
            24.0,
            "Tidewear",
            "cotton",
            ["white", "navy", "red", "navy/stripes", "white/graphic", "navy/graphic"],
            dict(),
        ),
        Parent(
            "boxy pocket t-shirt",
            "Cut wide and a little short, with a patch pocket for a pen or a train ticket.",
            29.0,
            "Plain Thread",
            "cotton",
            ["sage", "mustard", "charcoal", "charcoal/pinstripes"],
            dict(boxy=0.07, pocket=True, hem=-0.66, sleeve=0.38, cuff=0.3),
        ),
        Parent(
            "long-sleeved t-shirt",
            "The first layer in autumn and the last in spring, in soft combed jersey.",
            34.0,
            "Tidewear",
            "cotton",
            ["cream", "green", "lavender", "green/stripes"],
            dict(sleeve=1.0, sleeve_dir=(0.36, -0.93), cuff=0.2, contrast_neck=True),
        ),
        Parent(
            "v-neck t-shirt",
            "A clean V that shows a necklace, in a slightly longer, slimmer cut.",
            27.0,
            "Plain Thread",
            "cotton",
            ["black", "pink", "blue", "pink/dots", "blue/floral"],
            dict(v_neck=True, neck_drop=0.34, hem=-0.86, sleeve=0.36, repeats=(20, 22)),
        ),
        Parent(
            "oversized t-shirt",
            "Wide shoulders, long sleeves for a short-sleeved shirt, and heavy cotton.",
            35.0,
            "Plain Thread",
            "cotton",
            ["grey", "olive", "lavender", "black/graphic", "beige", "olive/graphic"],
            dict(boxy=0.1, sleeve=0.5, cuff=0.34, hem=-0.82),
        ),
        Parent(
            "cap-sleeve top",
            "Hardly a sleeve at all, for warm days and bare arms.",
            25.0,
            "Maren Studio",
            "cotton",
            ["coral", "white", "teal", "teal/dots", "white/floral", "coral/leaves"],
            dict(sleeve=0.16, cuff=0.2, hem=-0.66, neck_drop=0.26),
        ),
        Parent(
            "breton shirt",
            "Boat-necked and long-sleeved, as fishermen and film stars like it.",
            45.0,
            "Harbour Lane",
            "cotton",
            ["navy/stripes", "white/stripes", "red/stripes", "mustard/stripes", "white"],
            dict(sleeve=1.0, sleeve_dir=(0.42, -0.9), cuff=0.22, neck_drop=0.12, boxy=0.02, repeats=(22, 17)),
        ),
    ],
)

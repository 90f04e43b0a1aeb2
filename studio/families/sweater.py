"""Sweaters and cardigans: the cut of a long-sleeved shirt, in wool, with ribbed edges."""

from __future__ import annotations

import numpy as np

from ..materials import Material, accents
from ..model import Family, Parent, Variant
from ..palette import rgb
from ..patterns import MASKS, knit, mix, noise, step, uv_grid
from .tshirt import NECK, SHOULDER, build, outline_points

LONG = dict(sleeve=1.0, sleeve_dir=(0.36, -0.93), cuff=0.2)


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Stitches in relief, cables where the design has them, ribs at hem, cuffs and neck, a button band or a pocket."""
    n, p = 1024, outline_points(shape)
    u, v = uv_grid(n)
    x, y = u * 2 - 1, v * 2 - 1
    base, (second, third) = rgb(variant.colour), accents(variant.colour)
    t = np.ones((n, n, 3)) * base
    if variant.pattern == "colour block":
        t = np.where((y > 0.12)[..., None], second, t)
    elif variant.pattern != "plain":
        mask = MASKS[variant.pattern](u, v, *shape.get("repeats", (20, 18)))
        if shape.get("yoke"):
            mask = mask * (y > 0.08) * (y < 0.5)
            t[np.abs(y - 0.06) < 0.012] = third
        t = mix(t, second, mask)
    count = shape.get("stitches", 46)
    height = 0.35 + 0.4 * knit(count, count * 1.3, n)
    if shape.get("cables"):
        for at in (-0.3, -0.1, 0.1, 0.3):
            twist = np.sin(y * 26 + np.sign(at))
            d = np.minimum(np.abs(x - at - 0.026 * twist), np.abs(x - at + 0.026 * twist))
            height = height * 0.7 + 0.9 * np.exp(-((d / 0.018) ** 2))
    hem = y < p["hem"] + 0.11
    cuff = np.zeros((n, n), bool)
    for s in (-1, 1):
        d = p["dir"] * [s, 1]
        e = p["end"] * [s, 1] - d * 0.12
        cuff |= ((x - e[0]) * d[0] + (y - e[1]) * d[1] > 0) & (s * x > 0.5)
    drop = shape.get("neck_drop", 0.20)
    depth = np.where(y < SHOULDER, (y - SHOULDER) / drop, 9)
    vee = shape.get("v_neck")
    ring = np.abs(x) / NECK - depth if vee else np.hypot(x / NECK, depth)
    neck = (ring < (1.3 if vee else 1.42)) & (y < SHOULDER + 0.02)
    rib = hem | cuff | neck
    ribs = 0.5 + 0.45 * np.sin(np.where(neck, np.arctan2(x / NECK, -depth) * 70, x * 330))
    height = np.where(rib, ribs, height)
    t[rib] = second if shape.get("tipped") and variant.pattern != "plain" else base
    edge = np.abs(np.gradient(rib.astype(float))[0]) + np.abs(np.gradient(rib.astype(float))[1])
    t = t * (1 - 0.2 * np.clip(edge, 0, 1)[..., None])
    if shape.get("buttons"):
        band = (np.abs(x) < 0.055) & (y < SHOULDER - drop * 0.9)
        height = np.where(band, 0.5 + 0.45 * np.sin(y * 330), height)
        t[band] = base
        t = t * (1 - 0.4 * np.exp(-((np.abs(x - 0.055) / 0.005) ** 2))[..., None] * (y < SHOULDER - drop)[..., None])
        for z in np.linspace(SHOULDER - drop - 0.1, p["hem"] + 0.06, shape["buttons"]):
            t = mix(t, rgb(shape.get("button", "brown")), step(0.024 - np.hypot(x, y - z), 0.004))
    if shape.get("pouch"):
        d = np.maximum(np.abs(x) - 0.3 + 0.5 * np.clip(y + 0.36, 0, 1), np.abs(y + 0.4) - 0.2)
        line = np.exp(-((d / 0.006) ** 2))
        t, height = t * (1 - 0.3 * line[..., None]), height - 0.4 * line
    t = t * (1 + 0.02 * noise(rng, 1.2, n=n))[..., None]
    deep = 0.05 if variant.material in ("wool", "mohair") else 0.03
    return {
        "cloth": Material(
            texture=np.clip(t, 0, 1), roughness=0.97, specular=0.05, sheen=0.5, bump=height, bump_depth=deep
        )
    }


FAMILY = Family(
    "sweater",
    "Sweater",
    build,
    finish,
    [
        Parent(
            "crew-neck sweater",
            "The one that goes over everything and under everything else.",
            79.0,
            "Plain Thread",
            "wool",
            ["navy", "grey", "mustard", "burgundy", "navy/stripes", "grey/diamonds"],
            dict(**LONG, boxy=0.02, repeats=(14, 13)),
        ),
        Parent(
            "cable-knit sweater",
            "Four thick cables up the front, knitted slowly and worn for years.",
            119.0,
            "Plain Thread",
            "wool",
            ["cream", "sage", "blue", "charcoal", "pink"],
            dict(**LONG, boxy=0.06, cables=True, stitches=36),
        ),
        Parent(
            "yoke sweater",
            "A patterned yoke in two colours, as worn by people with boats and sheep.",
            109.0,
            "Tidewear",
            "wool",
            ["teal/chevron", "red/diamonds", "brown/floral", "grey/checks", "navy/diamonds"],
            dict(**LONG, boxy=0.04, yoke=True, repeats=(18, 16)),
        ),
        Parent(
            "V-neck cardigan",
            "Six horn buttons and a deep V: a jacket that does not know it is one.",
            89.0,
            "Maren Studio",
            "wool",
            ["olive", "terracotta", "lavender", "black", "olive@cotton"],
            dict(**LONG, v_neck=True, neck_drop=0.44, buttons=6, hem=-0.72),
        ),
        Parent(
            "loopback sweatshirt",
            "Brushed inside, plain outside, with a pouch for cold hands and warm phones.",
            59.0,
            "Tidewear",
            "cotton",
            ["grey", "green", "coral", "navy", "green/colour block", "navy/colour block"],
            dict(**LONG, boxy=0.08, pouch=True, stitches=120, hem=-0.7),
        ),
    ],
)

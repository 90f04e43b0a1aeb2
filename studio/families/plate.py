"""Plates and platters, leaning as on a dresser, or in a stack."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, catmull, revolve, rotation
from ..materials import accents, surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import MASKS, mix, step, uv_grid


def _disc(shape: dict) -> Mesh:
    rim, well = shape.get("rim", 0.15), shape.get("well", 0.68)
    top = catmull([[0, 0.03], [well * 0.9, 0.032], [well, 0.045], [well + 0.06, rim * 0.7], [1.0, rim]], 12)
    under = catmull([[1.0, rim - 0.03], [well + 0.06, rim * 0.7 - 0.045], [well * 0.92, 0.0], [0, 0.0]], 12)
    k, stretch = shape.get("scallop", 0), shape.get("stretch", (1.0, 1.0))
    wave = (lambda a, z: 1 + 0.035 * np.abs(np.cos(k * a / 2)) * (z > 0.04)) if k else None
    edge = [[1.012, rim - 0.006], [1.015, rim - 0.015], [1.012, rim - 0.024]]
    disc = revolve(np.vstack([top, edge, under])[::-1], 320 if k else 160, wave, stretch)
    return disc.projected((0, 1), 0.48)


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Width of the rim, scalloped or oval outline; one leaning plate or a stack of four."""
    disc = _disc(shape)
    if shape.get("stack"):
        step_up = shape.get("rim", 0.15) * 0.72
        parts = [("plate", disc.moved((0.012 * (-1) ** i, 0, i * step_up))) for i in range(4)]
        return Model(parts, View(-18, 30, fill=0.84))
    leaning = disc.moved(turn=rotation("x", 74))
    return Model([("plate", leaning.moved((0, 0, -leaning.vertices[:, 2].min())))], View(-16, 8, fill=0.8))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The pattern fills the plate or only its rim; a banded plate has a line near the edge."""
    m = surface(variant, rng, shape.get("repeats", (11, 11)))
    if variant.pattern in MASKS and shape.get("on_rim", True):
        u, v = uv_grid(1024)
        r, a = np.hypot(u - 0.5, v - 0.5) / 0.48, np.arctan2(v - 0.5, u - 0.5) / (2 * np.pi) + 0.5
        well = shape.get("well", 0.68)
        band = np.clip((r - well - 0.04) / (0.92 - well), 0, 1)
        mask = MASKS[variant.pattern](a, band, 26, 2.0) * step(r - well - 0.05, 0.01) * step(0.97 - r, 0.01)
        m = m.but(texture=mix(rgb(variant.colour), accents(variant.colour)[0], mask), colour=None)
    return {"plate": m}


FAMILY = Family(
    "plate",
    "Plate",
    build,
    finish,
    [
        Parent(
            "dinner plate",
            "A generous plate with a calm, wide rim that frames whatever lands on it.",
            16.0,
            "Kiln & Kettle",
            "stoneware",
            ["white", "navy", "sage", "charcoal", "white/dots", "navy/speckled"],
            dict(),
        ),
        Parent(
            "scalloped side plate",
            "A softly waved edge for cake, toast or the last of the cheese.",
            12.0,
            "Fennel House",
            "ceramic",
            ["pink", "mint", "yellow", "cream", "pink/dots", "cream/floral"],
            dict(scallop=14, rim=0.12, well=0.6),
        ),
        Parent(
            "coupe plate",
            "No rim at all, just one shallow curve from the middle to the edge.",
            18.0,
            "Atelier Nove",
            "porcelain",
            ["black", "light blue", "terracotta", "white", "light blue/marbled", "terracotta@earthenware"],
            dict(well=0.8, rim=0.16, on_rim=False),
        ),
        Parent(
            "oval serving platter",
            "Long enough for a whole fish and handsome enough to stay out afterwards.",
            42.0,
            "North Orchard",
            "stoneware",
            ["teal", "mustard", "beige", "blue", "teal/stripes", "blue/chevron"],
            dict(stretch=(1.0, 0.66), well=0.7),
        ),
        Parent(
            "camp plates, set of four",
            "Four light plates with turned-up edges, as happy on grass as on linen.",
            32.0,
            "Harbour Lane",
            "enamel",
            ["red", "green", "cream", "navy", "orange", "navy/speckled"],
            dict(stack=True, rim=0.17, well=0.72),
        ),
    ],
)

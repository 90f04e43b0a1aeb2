"""Rugs, seen from above: rectangles, runners, rounds and ovals, with or without a fringe."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, merge, revolve, sweep, thick_sheet
from ..materials import accents, fabric, painted
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import mix, noise, step, uv_grid


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Width and length of a sheet that lies not quite flat, or a disc."""
    w, h = shape.get("width", 1.3), shape.get("height", 2.0)
    if shape.get("round"):
        line = [[1.0, 0.0], [1.012, 0.02], [1.0, 0.045], [0.5, 0.05], [0.0, 0.05]]
        disc = revolve(line, 160, stretch=(w, h), closed=False)
        return Model(
            [("rug", disc.mapped(disc.vertices[:, :2] / [2.04 * w, 2.04 * h] + 0.5))],
            View(0, 90, above=True, fill=0.86),
        )
    x, y = np.meshgrid(np.linspace(-w, w, 90), np.linspace(-h, h, 120), indexing="ij")
    wave = 0.012 * np.sin(2.1 * y + 1.3 * x) + 0.01 * np.sin(3.4 * x - y)
    edge = 0.012 * np.sin(7 * y) * (np.abs(x) / w) ** 8
    sheet = thick_sheet(np.stack([x + edge * np.sign(x), y, wave + 0.05], -1), (0, 0, -0.04))
    parts: list[tuple[str, Mesh]] = [("rug", sheet)]
    if shape.get("fringe", True):
        strands = []
        for s in (-1, 1):
            for px in np.linspace(-w * 0.985, w * 0.985, int(w * 46)):
                dx, long = rng.normal(0, 0.016), rng.uniform(0.13, 0.17)
                path = [
                    [px, s * h * 0.995, 0.04],
                    [px + dx / 2, s * (h + long / 2), 0.02],
                    [px + dx, s * (h + long), 0.012],
                ]
                strands.append(sweep(path, 0.013, 0.008, n=8))
        parts.append(("fringe", merge(strands)))
    return Model(parts, View(shape.get("turn", 0), 90, above=True, fill=0.88))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """A field in the pattern, often within a border of the second colour, and a worn depth of colour."""
    m = painted(
        fabric(variant.material, 2.0), variant.colour, variant.pattern, shape.get("repeats", (10, 14)), rng, 1024
    )
    n, (second, _) = 1024, accents(variant.colour)
    t = np.ones((n, n, 3)) * rgb(variant.colour) if m.texture is None else np.asarray(m.texture)
    u, v = uv_grid(n)
    w, h = shape.get("width", 1.3), shape.get("height", 2.0)
    if shape.get("round"):
        edge = (1 - 2 * np.hypot(u - 0.5, v - 0.5)) * min(w, h)
    else:
        edge = 2 * np.minimum(np.minimum(u, 1 - u) * w, np.minimum(v, 1 - v) * h)
    for at, width in shape.get("border", ()):
        t = mix(t, second, step(width / 2 - np.abs(edge - at), 0.008))
    if shape.get("bands"):
        t = mix(
            t,
            second,
            step(0.014 - np.abs((np.minimum(v, 1 - v) * h * 2) % 0.09 - 0.045), 0.01)
            * (np.minimum(v, 1 - v) * h * 2 < 0.36),
        )
    if shape.get("braid"):
        t = t * (1 - 0.25 * np.exp(-((((edge / 0.11) % 1) / 0.12) ** 2)))[..., None]
    t = np.clip(t * (1 + 0.025 * noise(rng, 60, 2, n) + 0.02 * noise(rng, 3, 3, n))[..., None], 0, 1)
    fringe = fabric("cotton").but(colour=rgb(shape.get("fringe_colour", "cream")), bump=None)
    return {"rug": m.but(texture=t, colour=None, repeat=(1, 1), bump_depth=0.03), "fringe": fringe}


FAMILY = Family(
    "rug",
    "Rug",
    build,
    finish,
    [
        Parent(
            "flat-woven rug",
            "Thin, tough and reversible: shake it out of the window and turn it over.",
            149.0,
            "Loomfield",
            "wool",
            ["navy", "terracotta", "sage", "grey", "navy/stripes", "terracotta/diamonds", "grey/checks"],
            dict(bands=True, repeats=(9, 13)),
        ),
        Parent(
            "bordered rug",
            "Two quiet lines run around the edge and hold the room together.",
            229.0,
            "Loomfield",
            "wool",
            ["cream", "teal", "burgundy", "charcoal", "cream/leaves", "teal/floral"],
            dict(border=((0.2, 0.05), (0.3, 0.02)), fringe=False, repeats=(12, 18)),
        ),
        Parent(
            "hallway runner",
            "Long and narrow, for the way from the door to the kettle.",
            119.0,
            "Loomfield",
            "cotton",
            ["mustard", "blue", "olive", "black", "blue/chevron", "black/diamonds", "mustard/stripes"],
            dict(width=0.62, height=2.2, repeats=(5, 18)),
        ),
        Parent(
            "braided round rug",
            "One long braid wound outwards from the middle, as kitchens have known it for ages.",
            89.0,
            "Saltmarsh",
            "jute",
            ["natural", "grey", "brown", "green"],
            dict(round=True, width=1.0, height=1.0, braid=True),
        ),
        Parent(
            "oval nursery rug",
            "A soft oval to crawl, tumble and build on.",
            99.0,
            "Little Fable",
            "cotton",
            ["pink", "light blue", "mint", "yellow", "pink/dots", "light blue/checks"],
            dict(round=True, width=1.35, height=0.9, border=((0.07, 0.06),), repeats=(12, 8)),
        ),
    ],
)

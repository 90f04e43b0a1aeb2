"""Hats and caps: fedora, sun hat, bucket hat, boater, beret and a baseball cap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..geometry import Mesh, catmull, revolve, superellipsoid, sweep, thick_sheet
from ..materials import fabric, surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def _cap() -> list[tuple[str, Mesh]]:
    crown = superellipsoid(0.62, 0.72, 0.62, 0.9, 1.0, 160, 80)
    v = crown.vertices.copy()
    v[:, 2] = np.maximum(v[:, 2], -0.02)
    v[:, :2] *= (1 - 0.012 * np.exp(-((np.sin(3 * np.arctan2(v[:, 1], v[:, 0])) / 0.08) ** 2)))[:, None]
    parts: list[tuple[str, Mesh]] = [("body", replace(crown, vertices=v, closed=False))]
    parts.append(("trim", superellipsoid(0.05, 0.05, 0.03, nu=32, nv=16).moved((0, 0, 0.62))))
    a, t = np.meshgrid(np.radians(np.linspace(-68, 68, 60)), np.linspace(0, 1, 24), indexing="ij")
    reach = t * 0.62 * np.cos(a * 0.62) ** 0.7
    x, y = 0.62 * np.sin(a) * (1 + 0.16 * t), -0.71 * np.cos(a) - reach
    z = 0.015 - 0.10 * t**1.4 * np.cos(a) - 0.10 * np.abs(np.sin(a)) ** 2.2
    parts.append(("brim", thick_sheet(np.stack([x, y, z + 0.02], -1), (0, 0, 0.028))))
    return parts


def build(shape: dict, rng: np.random.Generator) -> Model:
    """A turned crown and brim pressed into an oval, with a band; or a cap with a peak."""
    if shape.get("cap"):
        return Model(_cap(), View(34, 16, fill=0.82))
    line = catmull(shape["profile"], 14)
    top, k = line[:, 1].max(), shape.get("rings", 0)
    wave = (lambda a, z: 1 + 0.006 * np.cos(np.pi * 2 * k * z) + 0 * a) if k else None
    hat = revolve(line, 192, wave, shape.get("stretch", (0.9, 1.06)), closed=False)
    v = hat.vertices.copy()
    a, r = np.arctan2(v[:, 1], v[:, 0]), np.hypot(v[:, 0], v[:, 1])
    rim = np.clip((r - shape.get("head", 0.6)) / (line[0, 0] - shape.get("head", 0.6)), 0, 1)
    v[:, 2] += rim**1.5 * (shape.get("curl", 0.0) * np.cos(2 * a) + shape.get("wave", 0.0) * np.sin(3 * a + 1))
    if shape.get("pinch"):  # a fedora's crease along the crown and two dents in front
        high = np.clip((v[:, 2] / top - 0.55) / 0.45, 0, 1)
        v[:, 2] -= 0.20 * high * np.exp(-((v[:, 0] / 0.16) ** 2)) * (np.abs(v[:, 1]) < 0.62)
        v[:, 0] *= 1 - 0.26 * high * np.clip(-v[:, 1] / 0.5, 0, 1)
    v[:, 2] -= v[:, 2].min()
    parts: list[tuple[str, Mesh]] = [("body", replace(hat, vertices=v))]
    if shape.get("band"):
        z0, z1 = shape["band"]
        belt = line[(line[:, 1] > z0) & (line[:, 1] < z1) & (line[:, 0] < shape.get("head", 0.6) + 0.06)]
        ring = revolve(belt + np.array([0.012, 0]), 160, None, shape.get("stretch", (0.9, 1.06)), closed=False)
        parts.append(("trim", ring.moved((0, 0, -(hat.vertices[:, 2].min())))))
    if shape.get("stalk"):
        parts.append(("body", sweep([[0, 0, top - 0.02], [0.02, 0, top + 0.08]], 0.025, n=14)))
    return Model(parts, View(-24, shape.get("elevation", 17), fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Felt, straw or cloth; a band in a darker or a second colour."""
    body = surface(variant, rng, shape.get("repeats", (14, 8)), shape.get("weave", 1.0))
    band = rgb(shape["band_colour"]) if shape.get("band_colour") else rgb(variant.colour) * 0.5
    return {
        "body": body,
        "trim": fabric("cotton").but(colour=rgb(variant.colour) if shape.get("cap") else band, bump=None),
        "brim": fabric("cotton").but(colour=rgb(variant.colour), bump_repeat=(2, 2)),
    }


FAMILY = Family(
    "hat",
    "Hat",
    build,
    finish,
    [
        Parent(
            "wide-brimmed fedora",
            "A pinched crown, a brim that keeps its line and a ribbon to match.",
            69.0,
            "Harbour Lane",
            "felt",
            ["tan", "black", "burgundy", "olive", "grey"],
            dict(
                profile=[
                    [1.12, 0.05],
                    [0.9, 0.015],
                    [0.66, 0.02],
                    [0.6, 0.08],
                    [0.57, 0.3],
                    [0.52, 0.56],
                    [0.4, 0.7],
                    [0.16, 0.74],
                    [0, 0.74],
                ],
                band=(0.06, 0.24),
                pinch=True,
                curl=-0.06,
            ),
        ),
        Parent(
            "straw sun hat",
            "A brim as wide as your shoulders, and shade wherever you lie down.",
            45.0,
            "Saltmarsh",
            "rattan",
            ["natural", "cream", "black", "coral", "natural/stripes"],
            dict(
                profile=[
                    [1.4, 0.0],
                    [1.1, 0.06],
                    [0.7, 0.1],
                    [0.6, 0.16],
                    [0.57, 0.36],
                    [0.46, 0.54],
                    [0.2, 0.62],
                    [0, 0.63],
                ],
                band=(0.16, 0.28),
                wave=0.05,
                rings=26,
                band_colour="navy",
                repeats=(14, 12),
            ),
        ),
        Parent(
            "bucket hat",
            "Folds into a pocket, comes out for drizzle and for festivals.",
            32.0,
            "Tidewear",
            "cotton",
            ["khaki", "navy", "pink", "blue@denim", "navy/floral", "pink/checks", "khaki/leaves"],
            dict(
                profile=[
                    [0.98, 0.0],
                    [0.82, 0.14],
                    [0.64, 0.27],
                    [0.6, 0.34],
                    [0.56, 0.62],
                    [0.5, 0.7],
                    [0.3, 0.72],
                    [0, 0.72],
                ],
                repeats=(14, 9),
            ),
        ),
        Parent(
            "boater",
            "Flat crown, flat brim and a striped ribbon: all that is missing is the river.",
            49.0,
            "Saltmarsh",
            "rattan",
            ["natural", "white", "light blue", "mint"],
            dict(
                profile=[
                    [1.02, 0.01],
                    [0.82, 0.005],
                    [0.64, 0.01],
                    [0.6, 0.04],
                    [0.59, 0.26],
                    [0.57, 0.43],
                    [0.5, 0.46],
                    [0.2, 0.465],
                    [0, 0.465],
                ],
                band=(0.05, 0.24),
                rings=24,
                band_colour="burgundy",
            ),
        ),
        Parent(
            "beret",
            "Soft, round and tilted, in a wool that remembers nothing.",
            29.0,
            "Plain Thread",
            "wool",
            ["red", "navy", "mustard", "black", "green"],
            dict(
                profile=[
                    [0.5, 0.0],
                    [0.52, 0.06],
                    [0.66, 0.12],
                    [0.86, 0.24],
                    [0.84, 0.36],
                    [0.6, 0.44],
                    [0.2, 0.47],
                    [0, 0.47],
                ],
                stalk=True,
                wave=0.05,
                head=0.4,
                stretch=(1.0, 1.0),
                elevation=14,
            ),
        ),
        Parent(
            "six-panel cap",
            "Six panels, a curved peak and a strap at the back that really adjusts.",
            25.0,
            "Tidewear",
            "cotton",
            ["navy", "white", "green", "orange", "navy/pinstripes", "black@corduroy", "brown@suede"],
            dict(cap=True, repeats=(14, 7)),
        ),
    ],
)

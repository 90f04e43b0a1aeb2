"""Sunglasses: two lenses in a frame, temples folded back."""

from __future__ import annotations

import numpy as np

from ..geometry import Array, Mesh, catmull, sweep
from ..materials import Material, metal, surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import mix, noise, uv_grid

OUTLINES = {  # x to the nose is negative
    "round": [[np.cos(a) * 0.27, np.sin(a) * 0.26] for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)],
    "square": [
        [0.31, 0.0],
        [0.3, 0.17],
        [0.2, 0.22],
        [0, 0.225],
        [-0.2, 0.21],
        [-0.28, 0.15],
        [-0.28, 0.0],
        [-0.24, -0.15],
        [-0.14, -0.22],
        [0.02, -0.235],
        [0.2, -0.21],
        [0.28, -0.14],
    ],
    "pilot": [
        [0.3, 0.06],
        [0.26, 0.19],
        [0.08, 0.235],
        [-0.14, 0.22],
        [-0.26, 0.15],
        [-0.265, 0.02],
        [-0.2, -0.14],
        [-0.08, -0.25],
        [0.08, -0.28],
        [0.22, -0.2],
    ],
    "cat": [
        [0.32, 0.12],
        [0.4, 0.25],
        [0.26, 0.25],
        [0.02, 0.21],
        [-0.2, 0.18],
        [-0.27, 0.08],
        [-0.24, -0.08],
        [-0.12, -0.19],
        [0.06, -0.21],
        [0.22, -0.12],
    ],
}


def _bend(p: Array) -> Array:
    """Onto the curve of a face."""
    return np.stack([p[:, 0], 0.16 * p[:, 0] ** 2, p[:, 1]], 1)


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Outline of the lenses, thickness of the frame, bridge."""
    thick, parts = shape.get("thick", 0.028), []
    ring = catmull(OUTLINES[shape["kind"]], 10, closed=True)
    for s in (-1, 1):
        flat = ring * [s, 1] + [s * 0.35, 0]
        rim = _bend(flat)
        parts.append(("frame", sweep(rim, thick, thick * 0.85, n=18, power=3, closed=True, up=(0, 1, 0))))
        centre = flat.mean(0)
        rows = np.array(
            [
                _bend(centre + (flat - centre) * k) - np.array([0, 0.02 * (1 - k**2), 0])
                for k in np.linspace(0.02, 1, 14)
            ]
        )
        n = rows.shape[1]
        lens = np.concatenate([rows, rows[:, :1]], 1)
        i, j = np.meshgrid(np.arange(13), np.arange(n), indexing="ij")
        a, b = (i * (n + 1) + j).ravel(), ((i + 1) * (n + 1) + j).ravel()
        faces = np.vstack([np.stack([a, b, b + 1], 1), np.stack([a, b + 1, a + 1], 1)])
        v = lens.reshape(-1, 3)
        parts.append(("lens", Mesh(v, faces, v[:, [0, 2]] * [1, 1.8] + 0.5, closed=False)))
        edge = flat[np.argmax(flat[:, 0] * s)]
        hinge = np.array(
            [edge[0] - s * 0.01, 0.16 * edge[0] ** 2 + 0.02, edge[1] + 0.06 if shape["kind"] != "cat" else edge[1]]
        )
        bends = [[0, 0, 0], [s * 0.03, 0.12, 0], [s * 0.01, 0.75, 0], [-s * 0.03, 1.0, -0.03], [-s * 0.06, 1.22, -0.2]]
        arm = hinge + np.array(bends)
        parts.append(("temple", sweep(catmull(arm, 12), shape.get("arm", 0.03), 0.016, n=16, power=3, up=(1, 0, 0))))
    z = 0.1 if shape["kind"] != "round" else 0.06
    bridge = catmull(
        [[-0.1, 0.005, z - 0.01], [-0.05, -0.012, z + 0.035], [0.05, -0.012, z + 0.035], [0.1, 0.005, z - 0.01]], 10
    )
    parts.append(("frame", sweep(bridge, max(thick, 0.016), n=14)))
    if shape["kind"] == "pilot":
        bar = catmull([[-0.24, 0.02, 0.235], [0, -0.01, 0.25], [0.24, 0.02, 0.235]], 12)
        parts.append(("frame", sweep(bar, 0.014, n=12)))
    return Model(parts, View(-28, 16, fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Frame in the variant, tortoiseshell where the pattern says marbled; lenses tinted by design."""
    frame = (
        surface(variant, rng).but(roughness=0.22, coat=0.5) if variant.material == "acetate" else surface(variant, rng)
    )
    n = 256
    _, v = uv_grid(n)
    dark = rgb(shape.get("lens", "#2b2e33"))
    if variant.pattern == "marbled":
        t = mix(rgb(variant.colour), rgb("#2a1710"), np.clip(noise(rng, 22, n=n) * 0.8 + 0.1, 0, 1))
        frame = frame.but(texture=t, colour=None, repeat=(3, 1))
    tint = mix(np.clip(dark * 1.7 + 0.06, 0, 1), dark, np.clip(v * 1.6 - 0.3, 0, 1))
    lens = Material(texture=tint, roughness=0.08, specular=0.7, coat=1.0)
    return {
        "frame": frame,
        "temple": metal("gold") if shape.get("wire") and variant.material == "acetate" else frame,
        "lens": lens,
    }


FAMILY = Family(
    "sunglasses",
    "Sunglasses",
    build,
    finish,
    [
        Parent(
            "square sunglasses",
            "The bold one: it flatters round faces and hides long nights.",
            89.0,
            "Ondula",
            "acetate",
            ["black", "brown/marbled", "navy", "red", "clear"],
            dict(kind="square", thick=0.04),
        ),
        Parent(
            "round sunglasses",
            "Two circles and a keyhole bridge, somewhere between poet and drummer.",
            79.0,
            "Ondula",
            "acetate",
            ["brown", "olive", "amber/marbled", "pink", "gold@brass"],
            dict(kind="round", thick=0.026, lens="#39482f"),
        ),
        Parent(
            "pilot sunglasses",
            "Thin wire, teardrop lenses and a bar across, as flown since the thirties.",
            99.0,
            "Ondula",
            "steel",
            ["gold@brass", "silver", "black", "copper@copper"],
            dict(kind="pilot", thick=0.013, arm=0.014, lens="#3d3226"),
        ),
        Parent(
            "cat-eye sunglasses",
            "Its corners lift, and so does the mood.",
            85.0,
            "Maren Studio",
            "acetate",
            ["burgundy", "white", "teal", "lavender", "brown/marbled"],
            dict(kind="cat", thick=0.034, lens="#33262d"),
        ),
    ],
)

"""Planted pots."""

from __future__ import annotations

import numpy as np

from ..geometry import Array, Mesh, catmull, fillet, grid_faces, revolve, rod, shell, superellipsoid, sweep
from ..materials import Material, ceramic, metal, painted, wood
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import mix, noise, uv_grid


def _pot(kind: str) -> tuple[Array, float]:
    if kind == "tapered":
        return fillet([[0, 0], [0.34, 0], [0.46, 0.8]], [0, 0.06, 0], 8), 0.70
    if kind == "cylinder":
        return fillet([[0, 0], [0.44, 0], [0.44, 0.66]], [0, 0.05, 0], 8), 0.57
    if kind == "tall":
        return fillet([[0, 0], [0.3, 0], [0.38, 1.15]], [0, 0.04, 0], 8), 1.05
    if kind == "bowl":
        return np.vstack([[[0, 0], [0.2, 0]], catmull([[0.26, 0], [0.45, 0.14], [0.55, 0.36], [0.53, 0.56]], 10)]), 0.48
    return np.vstack(
        [[[0, 0], [0.2, 0]], catmull([[0.27, 0], [0.43, 0.2], [0.46, 0.45], [0.36, 0.66], [0.38, 0.74]], 10)]
    ), 0.62


def _snake(rng: np.random.Generator, soil: float, spread: float) -> list[Mesh]:
    out = []
    for _ in range(11):
        a, r, length, lean = (
            rng.uniform(0, 2 * np.pi),
            rng.uniform(0.02, spread),
            rng.uniform(0.6, 1.15),
            rng.uniform(0.05, 0.28),
        )
        d, t = np.array([np.cos(a), np.sin(a), 0]), np.linspace(0, 1, 30)
        path = d * r + np.outer(t**1.6, d * lean) + np.outer(t, [0, 0, length]) + [0, 0, soil - 0.02]
        w = 0.085 * np.sin(np.pi * np.clip(t * 0.9 + 0.12, 0, 1)) ** 0.6 * (1 - t**6)
        out.append(sweep(path, w + 0.004, 0.010, n=20, up=(d[0], d[1], 0.2)))
    return out


def _blade(base: Array, d: Array, length: float, width: float, droop: float) -> Mesh:
    u, v = np.meshgrid(np.linspace(-1, 1, 13), np.linspace(0, 1, 17), indexing="ij")
    side = np.cross(d, [0, 0, 1.0])
    side /= np.linalg.norm(side)
    w = width * np.sin(np.pi * v**0.8) ** 0.8
    g = base + v[..., None] * length * d + (u * w)[..., None] * side
    g = g + (-droop * v**2 + 0.03 * np.abs(u))[..., None] * np.array([0, 0, 1.0])
    return Mesh(g.reshape(-1, 3), grid_faces(13, 17), np.stack([(u + 1) / 2, v], -1).reshape(-1, 2), closed=False)


def _leafy(rng: np.random.Generator, soil: float) -> tuple[list[Mesh], list[Mesh]]:
    stems, leaves = [], []
    for k in range(26):
        a, e, length = k * 2.4, rng.uniform(0.25, 1.2), rng.uniform(0.35, 0.75)
        d = np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
        t = np.linspace(0, 1, 16)[:, None]
        path = np.array([0, 0, soil]) + d * length * t + np.array([0, 0, -0.12]) * t**2
        stems.append(sweep(path, 0.010, n=8))
        out = d * 0.6 + np.array([d[0], d[1], -0.3]) * 0.5
        leaves.append(_blade(path[-1], out, 0.34, 0.15, 0.10))
    return stems, leaves


def _cactus(rng: np.random.Generator, soil: float) -> list[Mesh]:
    out = []
    for x, y, h, r in ((0.0, 0.04, 0.95, 0.17), (0.2, -0.08, 0.55, 0.12), (-0.2, -0.02, 0.68, 0.13)):
        line = catmull([[r * 0.85, 0], [r, h * 0.3], [r, h * 0.7], [r * 0.72, h * 0.93], [0, h]], 10)
        relief = lambda a, z, h=h: 1 + 0.10 * np.cos(10 * a) * np.clip((h - z) * 6, 0, 1)  # noqa: E731
        out.append(revolve(np.vstack([[[0, 0]], line]), 240, relief).moved((x, y, soil - 0.02)))
    return out


def _grass(rng: np.random.Generator, soil: float) -> list[Mesh]:
    out = []
    for k in range(46):
        a, e = k * 2.4 + rng.uniform(-0.3, 0.3), rng.uniform(0.55, 1.45)
        d = np.array([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)])
        out.append(
            _blade(
                np.array([0, 0, soil]) + 0.06 * d * [1, 1, 0],
                d,
                rng.uniform(0.7, 1.05),
                0.035,
                rng.uniform(0.15, 0.5),
            )
        )
    return out


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Four pots and four plants."""
    outer, soil = _pot(shape["pot"])
    outside, inside = shell(outer, 0.04)
    lift = 0.42 if shape.get("stand") else 0.0
    top = outer[-1, 1]
    r = np.interp(soil, outer[-8:, 1], outer[-8:, 0]) - 0.02
    parts = [
        ("pot", revolve(outside, 128, wall=(0.03, top), closed=False)),
        ("inside", revolve(inside, 128, closed=False)),
        ("soil", revolve([[0, soil - 0.05], [r, soil - 0.05], [r, soil], [0, soil + 0.02]], 64)),
    ]
    if shape["plant"] == "snake":
        parts += [("leaf", m) for m in _snake(rng, soil, r * 0.5)]
    elif shape["plant"] == "leafy":
        stems, leaves = _leafy(rng, soil)
        parts += [("stem", m) for m in stems] + [("leaf", m) for m in leaves]
    elif shape["plant"] == "cactus":
        parts += [("leaf", m) for m in _cactus(rng, soil)]
        parts.append(("flower", superellipsoid(0.06, 0.06, 0.05, nu=32, nv=16).moved((0.0, 0.04, soil + 0.95))))
    else:
        parts += [("leaf", m) for m in _grass(rng, soil)]
    parts = [(s, m.moved((0, 0, lift))) for s, m in parts]
    if lift:
        for k in range(4):
            a = np.pi / 4 + k * np.pi / 2
            d = np.array([np.cos(a), np.sin(a), 0])
            parts.append(("stand", rod(d * 0.48, d * 0.47 + [0, 0, lift + 0.32], 0.028, n=20)))
        for s in (0, 1):
            d = np.array([np.cos(np.pi / 4 + s * np.pi / 2), np.sin(np.pi / 4 + s * np.pi / 2), 0])
            parts.append(("stand", rod(-d * 0.47 + [0, 0, lift - 0.03], d * 0.47 + [0, 0, lift - 0.03], 0.024, n=16)))
    return Model(parts, View(-15, 13, fill=0.86))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The variant is the pot's."""
    n = 128
    u, v = uv_grid(n)
    m = metal(variant.material) if variant.material in ("brass", "copper") else ceramic(variant.material)
    pot = m if m.metallic else painted(m, variant.colour, variant.pattern, shape.get("repeats", (14, 6)), rng)
    inside = m if m.metallic else m.but(colour=rgb(variant.colour))
    if shape["plant"] == "snake":
        leaf = mix(
            rgb("#39633f"),
            rgb("#7fa06a"),
            np.clip(0.5 + 0.5 * np.sin(u * 60 + noise(rng, 4, n=n)), 0, 1) ** 3,
        )
        leaf[(np.abs((v * 2) % 1) < 0.09) | (np.abs((v * 2) % 1 - 1) < 0.09)] = rgb("#c9c77a")
    elif shape["plant"] == "leafy":
        leaf = mix(rgb("#2f6a3c"), rgb("#4f8a4e"), np.exp(-((np.abs(u - 0.5) / 0.04) ** 2)))
    elif shape["plant"] == "cactus":
        leaf = np.ones((n, n, 3)) * rgb("#5b8a5c")
        spine = (np.abs((u * 10) % 1) < 0.12) & (np.abs((v * 16) % 1 - 0.5) < 0.14)
        leaf[spine] = rgb("#e8e2c0")
    else:
        leaf = mix(rgb("#6f9a4c"), rgb("#3f7a3c"), v)
    return {
        "pot": pot,
        "inside": inside,
        "soil": Material(colour=rgb("#3b2a20"), roughness=1.0, specular=0.0),
        "leaf": Material(texture=leaf, roughness=0.4, specular=0.4),
        "stem": Material(colour=rgb("#5d7d45"), roughness=0.6),
        "flower": Material(colour=rgb("#e2557a"), roughness=0.7),
        "stand": wood("oak", rng, along_v=True),
    }


FAMILY = Family(
    "planter",
    "Planter",
    build,
    finish,
    [
        Parent(
            "tapered plant pot",
            "The classic tapered pot, sold with a snake plant that forgives forgotten weeks.",
            34.0,
            "North Orchard",
            "ceramic",
            ["white", "terracotta", "navy", "white/dipped", "navy/diamonds"],
            dict(pot="tapered", plant="snake", repeats=(12, 5)),
        ),
        Parent(
            "planter on oak stand",
            "A deep cylinder held in an oak cross stand, with leaves that fill the corner.",
            72.0,
            "Holm Interiors",
            "stoneware",
            ["mustard", "charcoal", "mint", "charcoal/speckled"],
            dict(pot="cylinder", plant="leafy", stand=True),
        ),
        Parent(
            "low cactus bowl",
            "Three small cacti in a shallow bowl; water it when you think of it.",
            28.0,
            "Fennel House",
            "stoneware",
            ["pink", "teal", "beige", "beige/terrazzo", "teal/stripes"],
            dict(pot="bowl", plant="cactus", repeats=(14, 5)),
        ),
        Parent(
            "belly pot with grass",
            "A round-bellied pot with a neat rim and a fountain of fine grass.",
            39.0,
            "North Orchard",
            "earthenware",
            ["blue", "olive", "red", "blue/chevron"],
            dict(pot="belly", plant="grass", repeats=(14, 6)),
        ),
        Parent(
            "tall floor planter",
            "Knee-high and slim, with a fountain of grass for the corner.",
            89.0,
            "Holm Interiors",
            "concrete",
            ["grey", "charcoal", "white", "terracotta"],
            dict(pot="tall", plant="grass"),
        ),
        Parent(
            "desert bowl on stand",
            "Cacti at eye level, out of reach of cats and sleeves.",
            64.0,
            "North Orchard",
            "ceramic",
            ["mint", "navy", "coral", "navy/dots", "coral/stripes"],
            dict(pot="cylinder", plant="cactus", stand=True, repeats=(14, 5)),
        ),
        Parent(
            "classic terracotta pot",
            "Thrown in the old shape, with room for roots and a leafy head.",
            24.0,
            "North Orchard",
            "earthenware",
            ["terracotta", "cream", "sage", "cream/dipped", "terracotta/leaves"],
            dict(pot="tapered", plant="leafy", repeats=(12, 5)),
        ),
        Parent(
            "metal belly planter",
            "Polished metal around a snake plant: it doubles whatever light there is.",
            59.0,
            "Lumen & Oak",
            "brass",
            ["gold", "copper@copper", "black@ceramic", "burgundy@ceramic"],
            dict(pot="belly", plant="snake"),
        ),
    ],
)

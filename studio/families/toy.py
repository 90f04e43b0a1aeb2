"""Wooden toys: a car, a stacking tower, a rainbow, a train engine, a boat."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, catmull, circle, fillet, loft, revolve, rod, rotation, rounded_box, sweep, thick_sheet
from ..materials import painted_wood, wood
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb


def _wheel(radius: float, width: float = 0.09) -> Mesh:
    line = [
        [0, -width],
        [radius, -width],
        [radius, width],
        [radius * 0.5, width],
        [radius * 0.4, width * 0.6],
        [0, width * 0.6],
    ]
    return revolve(fillet(line, 0.025, 6), 64).moved(turn=rotation("x", 90))


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Each toy is a few turned and rounded blocks; slots a, b, c are three shades of the variant."""
    kind, parts = shape["kind"], []
    if kind in ("car", "train"):
        r = 0.2
        if kind == "car":
            parts.append(("a", rounded_box(1.7, 0.72, 0.36, 0.15, 14).moved((0, 0, 0.4))))
            cabin = rounded_box(0.95, 0.62, 0.42, 0.17, 14)
            parts.append(("b", cabin.moved((0.02, 0, 0.72))))
            for s in (-1, 1):
                parts.append(("pale", rounded_box(0.34, 0.02, 0.2, 0.009).moved((-0.19, s * 0.315, 0.76))))
                parts.append(("pale", rounded_box(0.34, 0.02, 0.2, 0.009).moved((0.22, s * 0.315, 0.76))))
                parts.append(
                    (
                        "pale",
                        revolve([[0, 0], [0.07, 0], [0.06, 0.03], [0, 0.035]], 32).moved(
                            turn=rotation("y", -90), by=(-0.84, s * 0.22, 0.42)
                        ),
                    )
                )
        else:
            parts.append(("a", rounded_box(1.5, 0.6, 0.16, 0.05, 10).moved((0, 0, 0.36))))
            boiler = revolve(fillet([[0, 0], [0.28, 0], [0.28, 0.95], [0, 0.95]], [0, 0.05, 0.03, 0], 8), 80)
            parts.append(("b", boiler.moved(turn=rotation("y", 90), by=(-0.72, 0, 0.70))))
            parts.append(("a", rounded_box(0.5, 0.6, 0.72, 0.05, 10).moved((0.46, 0, 0.78))))
            parts.append(("c", rounded_box(0.66, 0.74, 0.09, 0.04, 10).moved((0.46, 0, 1.18))))
            chimney = fillet([[0, 0], [0.09, 0], [0.09, 0.2], [0.15, 0.34], [0, 0.34]], [0, 0, 0.05, 0.02, 0], 6)
            parts += [
                ("c", revolve(chimney, 48).moved((-0.48, 0, 0.94))),
                ("pale", revolve([[0, 0], [0.09, 0], [0.09, 0.08], [0, 0.12]], 48).moved((-0.1, 0, 0.96))),
            ]
        for x in (-0.52, 0.52) if kind == "car" else (-0.5, 0.0, 0.5):
            for s in (-1, 1):
                parts.append(("wheel", _wheel(r).moved((x, s * 0.34, r), turn=rotation("z", 0 if s < 0 else 180))))
                parts.append(
                    (
                        "c",
                        revolve([[0, 0], [0.06, 0], [0.05, 0.03], [0, 0.035]], 32).moved(
                            turn=rotation("x", 90 * -s * -1), by=(x, s * 0.43, r)
                        ),
                    )
                )
        return Model(parts, View(-32, 16, fill=0.84))
    if kind == "stacker":
        sizes = (0.62, 0.55, 0.48, 0.41, 0.34)
        parts.append(("wood", revolve(fillet([[0, 0], [0.68, 0], [0.68, 0.09], [0, 0.1]], [0, 0.03, 0.04, 0], 8), 96)))
        for k, r in enumerate(sizes):
            z = 0.1 + 0.12 + k * 0.235
            parts.append(("abcab"[k], sweep(circle(r - 0.115, z), 0.118, closed=True, n=40)))
            parts.append(
                (
                    "abcab"[k],
                    revolve(fillet([[0, z - 0.1], [r - 0.1, z - 0.1], [r - 0.1, z + 0.1], [0, z + 0.1]], 0.02, 5), 64),
                )
            )
        parts.append(("wood", revolve(catmull([[0, 1.22], [0.16, 1.26], [0.2, 1.4], [0.14, 1.54], [0, 1.6]], 8), 64)))
        return Model(parts, View(-20, 14, fill=0.82))
    if kind == "rainbow":
        for k in range(5):
            r = 0.98 - 0.18 * k
            t = np.linspace(0, np.pi, 60)
            path = np.stack([r * np.cos(t), 0 * t, r * np.sin(t)], 1)
            arch = sweep(path, 0.083, 0.22, n=40, power=5, up=(0, 1, 0))
            v = arch.vertices.copy()
            v[:, 2] = np.maximum(v[:, 2], 0.0)
            parts.append(("abcab"[k], Mesh(v, arch.faces, arch.uv)))
        return Model(parts, View(-24, 12, fill=0.84))
    if kind == "boat":
        grid = []
        for x in np.linspace(-0.9, 0.9, 40):
            w = 0.36 * np.clip(1 - ((x + 0.1) / 1.05) ** 4, 0.02, 1) * (1 - 0.25 * np.clip(x, 0, 1) ** 2)
            a = np.linspace(-np.pi / 2, 1.5 * np.pi, 49)[:-1]
            top, deep = 0.42 + 0.10 * (x / 0.9) ** 2, 0.36
            yy, zz = (
                w * np.sign(np.cos(a)) * np.abs(np.cos(a)) ** 0.6,
                np.where(np.sin(a) > 0, top, top - deep * np.abs(np.sin(a)) ** 0.7 * min(1, w / 0.2)),
            )
            grid.append(np.stack([0 * a + x, yy, zz], 1))
        parts.append(("a", loft(np.array(grid))))
        parts += [
            ("wood", rod([0.02, 0, 0.4], [0.02, 0, 1.85], 0.035)),
            ("wood", rod([-0.7, 0, 0.62], [0.1, 0, 0.62], 0.022)),
        ]
        for s, far, slot in ((-1, 0.72, "b"), (1, 0.56, "c")):
            u, v = np.meshgrid(np.linspace(0, 1, 24), np.linspace(0, 1, 30), indexing="ij")
            x = 0.02 + s * (0.05 + u * far * (1 - v) ** 0.9)
            y = 0.07 * np.sin(np.pi * u) * (1 - v) + 0.01
            z = 0.68 + v * 1.08
            parts.append((slot, thick_sheet(np.stack([x, y, z], -1), (0, 0.025, 0))))
        return Model(parts, View(-22, 12, fill=0.84))
    # blocks
    spots = ((-0.42, 0, 0), (0.16, 0.05, 0), (0.72, -0.02, 0), (-0.14, 0.0, 1), (0.44, 0.03, 1), (0.14, 0.02, 2))
    for k, (x, y, level) in enumerate(spots):
        cube = rounded_box(0.5, 0.5, 0.5, 0.05, 10).moved(turn=rotation("z", (-7, 5, 12, 3, -9, 16)[k]))
        parts.append(("abcbca"[k], cube.moved((x, y, 0.25 + 0.5 * level))))
    roof = Mesh(*_roof())
    parts.append(("wood", roof.moved((0.14, 0.02, 1.5), turn=rotation("z", 16))))
    return Model(parts, View(-26, 15, fill=0.84))


def _roof() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    v = np.array(
        [[-0.25, -0.25, 0], [0.25, -0.25, 0], [0, -0.25, 0.3], [-0.25, 0.25, 0], [0.25, 0.25, 0], [0, 0.25, 0.3]]
    )
    f = [[0, 1, 2], [3, 5, 4], [0, 3, 4], [0, 4, 1], [1, 4, 5], [1, 5, 2], [0, 2, 5], [0, 5, 3]]
    flat = v[np.array(f).ravel()]  # every face has its own corners ...
    out = flat + 0.0
    return out, np.arange(len(flat)).reshape(-1, 3), out[:, [0, 2]] + 0.5


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Three shades of one colour on beech; a natural toy is left bare."""
    base = rgb(variant.colour)
    beech = wood("beech", rng)
    if variant.material in ("oak", "beech", "walnut"):
        shades = [
            wood(variant.material, rng),
            wood("beech", rng),
            wood("walnut" if variant.material != "walnut" else "oak", rng),
        ]
    else:
        paint = painted_wood(variant.colour)
        shades = [
            paint,
            paint.but(colour=np.clip(base * 0.55 + 0.42, 0, 1)),
            paint.but(colour=np.clip(base * 0.72, 0, 1)),
        ]
    return {
        **dict(zip("abc", shades, strict=True)),
        "wood": beech,
        "wheel": beech,
        "pale": painted_wood("cream"),
    }


def _toy(name: str, pitch: str, price: float, finishes: list[str], kind: str) -> Parent:
    return Parent(name, pitch, price, "Little Fable", "painted wood", finishes, dict(kind=kind))


FAMILY = Family(
    "toy",
    "Toy",
    build,
    finish,
    [
        _toy(
            "toy car",
            "Round, silent and impossible to break; the wheels really turn.",
            18.0,
            ["red", "blue", "mint", "yellow", "natural@beech"],
            "car",
        ),
        _toy(
            "stacking tower",
            "Five rings, one right order and a hundred better ones.",
            22.0,
            ["teal", "coral", "sage", "purple", "natural@beech"],
            "stacker",
        ),
        _toy(
            "rainbow puzzle",
            "Five arches to stack, to tunnel through and to balance on the cat.",
            32.0,
            ["pink", "blue", "terracotta", "green", "mustard"],
            "rainbow",
        ),
        _toy(
            "toy train engine",
            "It pulls wooden carriages and, if need be, the whole tea party.",
            26.0,
            ["green", "red", "navy", "orange", "natural@oak"],
            "train",
        ),
        _toy(
            "toy sailing boat",
            "Floats in the bath, sails on the rug, dries on the window sill.",
            24.0,
            ["light blue", "red", "navy", "yellow", "natural@walnut"],
            "boat",
        ),
        _toy(
            "building blocks",
            "Six cubes and a roof in three shades of one colour: architecture begins here.",
            29.0,
            ["lavender", "olive", "burgundy", "light blue", "natural@beech"],
            "blocks",
        ),
    ],
)

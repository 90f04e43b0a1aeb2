"""What surfaces are made of, independent of the renderer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import patterns
from .palette import ACCENTS, rgb

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Material:
    """A surface: flat `colour` or `texture` (sRGB), gloss, and an optional height map."""

    colour: Array | None = None
    texture: Array | None = None
    roughness: float = 0.5
    specular: float = 0.5
    metallic: float = 0.0
    coat: float = 0.0
    sheen: float = 0.0
    bump: Array | None = None
    bump_depth: float = 0.01
    bump_repeat: tuple[float, float] = (1.0, 1.0)
    repeat: tuple[float, float] = (1.0, 1.0)
    kind: str = "solid"  # solid, glass, translucent, light
    emission: tuple[float, float, float] | None = None

    def but(self, **changes: Any) -> Material:
        """A copy with some fields changed."""
        return replace(self, **changes)


WOODS = {
    "oak": ("#dcb98a", "#b98a55"),
    "beech": ("#e6c9a0", "#cfa573"),
    "walnut": ("#85573a", "#4e301e"),
    "ash": ("#ecdcc0", "#cdb48c"),
}
METALS = {
    "brass": ("#e3b95f", 0.25),
    "steel": ("#c9cbce", 0.28),
    "copper": ("#e09a72", 0.24),
    "gold": ("#f0c878", 0.2),
}
CERAMIC_GLOSS = {
    "porcelain": 0.12,
    "stoneware": 0.42,
    "ceramic": 0.25,
    "earthenware": 0.7,
    "enamel": 0.16,
    "concrete": 0.9,
}
FABRICS = {  # threads, bump depth, sheen, roughness
    "cotton": (110, 0.006, 0.25, 0.9),
    "linen": (64, 0.016, 0.2, 0.95),
    "canvas": (90, 0.014, 0.15, 0.95),
    "wool": (48, 0.022, 0.5, 0.95),
    "velvet": (0, 0.010, 1.0, 0.75),
    "felt": (0, 0.016, 0.5, 1.0),
    "boucle": (0, 0.02, 0.5, 1.0),
    "corduroy": (0, 0.03, 0.5, 0.95),
    "silk": (0, 0.0, 0.4, 0.35),
}


def accents(colour: str) -> list[Array]:
    """The second and third colours that patterns on this base use."""
    names = ACCENTS.get(colour, ("cream", "charcoal"))
    return [rgb(n) for n in names]


def painted(
    material: Material,
    colour: str,
    pattern: str,
    repeats: tuple[float, float],
    rng: np.random.Generator,
    n: int = 640,
) -> Material:
    """The material in a colour, plain or patterned."""
    if pattern == "plain":
        return material.but(colour=rgb(colour), texture=None)
    texture = patterns.paint(pattern, rgb(colour), accents(colour), repeats, rng, n)
    # Grown patterns know no repeats: tile them so that chips and veins keep their shape on a long wall.
    tiles = max(1, round(repeats[0] / repeats[1])) if pattern in ("terrazzo", "speckled", "marbled") else 1
    return material.but(colour=None, texture=np.clip(texture, 0, 1), repeat=(tiles, 1))


def ceramic(kind: str = "ceramic") -> Material:
    """Glazed or bare clay; the kind sets the gloss."""
    gloss = CERAMIC_GLOSS[kind]
    if kind in ("concrete", "earthenware"):
        return Material(roughness=gloss, specular=0.2, bump=patterns.nap(), bump_depth=0.006, bump_repeat=(3, 3))
    return Material(roughness=gloss, specular=0.5, coat=0.5 if gloss < 0.3 else 0.0)


def fabric(kind: str = "cotton", repeat: float = 1.0) -> Material:
    """Cloth; `repeat` is how often its weave tile recurs over the UV square."""
    threads, depth, sheen, rough = FABRICS[kind]
    if kind == "corduroy":
        u, _ = patterns.uv_grid(512)
        bump = np.abs(np.sin(np.pi * u * 48)) ** 0.7
    elif kind == "boucle":
        bump = np.clip(0.5 + 0.3 * patterns.noise(np.random.default_rng(8), 3.5, n=512), 0, 1)
    else:
        bump = patterns.weave(threads) if threads else patterns.nap()
    return Material(
        roughness=rough,
        specular=0.5 if kind == "silk" else 0.12,
        sheen=sheen,
        bump=bump if depth else None,
        bump_depth=depth,
        bump_repeat=(repeat, repeat),
    )


def wood(kind: str, rng: np.random.Generator, repeat: float = 1.0, along_v: bool = False) -> Material:
    """Oiled wood with its grain along u (or v)."""
    light, dark = WOODS[kind]
    texture, height = patterns.wood(rng, rgb(light), rgb(dark), along_v)
    return Material(
        texture=texture,
        roughness=0.45,
        specular=0.4,
        bump=height,
        bump_depth=0.005,
        repeat=(repeat, repeat),
        bump_repeat=(repeat, repeat),
    )


def painted_wood(colour: str) -> Material:
    """Lacquered wood in a colour."""
    return Material(colour=rgb(colour), roughness=0.42, specular=0.45)


def metal(kind: str) -> Material:
    """Bare metal."""
    colour, rough = METALS[kind]
    return Material(colour=rgb(colour), roughness=rough, metallic=1.0)


def lacquer(colour: str, roughness: float = 0.38) -> Material:
    """Plastic, or metal under a coat of paint."""
    return Material(colour=rgb(colour), roughness=roughness, specular=0.5)


def leather(colour: str, repeat: float = 2.0, suede: bool = False) -> Material:
    """Grained leather, or suede."""
    if suede:
        return Material(
            colour=rgb(colour),
            roughness=1.0,
            specular=0.05,
            sheen=0.9,
            bump=patterns.nap(),
            bump_depth=0.012,
            bump_repeat=(repeat, repeat),
        )
    return Material(
        colour=rgb(colour),
        roughness=0.4,
        specular=0.45,
        bump=patterns.leather(),
        bump_depth=0.004,
        bump_repeat=(repeat, repeat),
    )


def glass(colour: str = "clear") -> Material:
    """Coloured glass."""
    return Material(colour=np.sqrt(rgb(colour)), kind="glass")

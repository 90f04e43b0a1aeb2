"""What surfaces are made of, independent of the renderer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import patterns
from .palette import ACCENTS, encode, linear, rgb
from .variant import Variant

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
    mottle: tuple[float, float] = (0.0, 0.0)  # how much the colour wanders, and over which share of the picture
    kind: str = "solid"  # solid, glass, translucent, light
    emission: tuple[float, float, float] | None = None

    def but(self, **changes: Any) -> Material:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def shaded(self, factor: float) -> Material:
        """A copy in a darker (or lighter) shade of its own colour."""
        if self.texture is not None:
            return replace(self, texture=np.clip(self.texture * factor, 0, 1))
        return replace(self, colour=np.clip(np.asarray(self.colour) * factor, 0, 1))


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
    "denim": (120, 0.010, 0.15, 0.95),
    "nylon": (150, 0.004, 0.1, 0.6),
    "jute": (26, 0.034, 0.1, 1.0),
    "seagrass": (22, 0.04, 0.1, 0.9),
    "rattan": (20, 0.045, 0.0, 0.6),
}

# Raise a number when the look of a material changes: pictures of it are then out of date, and of it alone; those of
# one family where the key names it.
LOOKS = {"glass": 2, "earthenware": 2, "suede": 2, "velvet": 2, "beanie cotton": 2, "mug porcelain": 2}


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
        return mottled(material.but(colour=rgb(colour), texture=None))
    texture = patterns.paint(pattern, rgb(colour), accents(colour), repeats, rng, n)
    # Grown patterns know no repeats: tile them so that chips and veins keep their shape on a long wall.
    tiles = max(1, round(repeats[0] / repeats[1])) if pattern in ("terrazzo", "speckled", "marbled") else 1
    return mottled(material.but(colour=None, texture=np.clip(texture, 0, 1), repeat=(tiles, 1)))


def mottled(material: Material, n: int = 384) -> Material:
    """The material with a colour that wanders, as that of brushed nap, crushed pile and unglazed clay does."""
    amount, size = material.mottle
    if not amount:
        return material
    rng = np.random.default_rng(9)
    if material.texture is None:
        base = np.ones((n, n, 3)) * np.asarray(material.colour)
    else:
        base, n = np.asarray(material.texture), len(material.texture)
    light = amount * (patterns.noise(rng, n * size, n=n) + 0.5 * patterns.noise(rng, 1.2, n=n))
    return material.but(colour=None, texture=np.clip(base * (1 + light)[..., None], 0, 1))


def ceramic(kind: str = "ceramic") -> Material:
    """Glazed or bare clay; the kind sets the gloss."""
    gloss = CERAMIC_GLOSS[kind]
    if kind in ("concrete", "earthenware"):
        sandy = (0.028, 0.006) if kind == "earthenware" else (0.0, 0.0)
        depth = 0.005 if kind == "earthenware" else 0.006
        return Material(
            roughness=1.0 if kind == "earthenware" else gloss,
            specular=0.05 if kind == "earthenware" else 0.2,
            bump=patterns.nap(),
            bump_depth=depth,
            bump_repeat=(3, 3),
            mottle=sandy,
        )
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
        mottle=(0.03, 0.05) if kind == "velvet" else (0.0, 0.0),
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
        brushed = Material(
            colour=np.clip(rgb(colour) * 0.82 + 0.13, 0, 1),  # the nap scatters light: paler than smooth hide
            roughness=1.0,
            specular=0.0,
            sheen=1.0,
            bump=patterns.nap(),
            bump_depth=0.008,  # more would darken it: steep grain shades itself
            bump_repeat=(repeat, repeat),
            mottle=(0.028, 0.012),
        )
        return mottled(brushed)
    return Material(
        colour=rgb(colour),
        roughness=0.4,
        specular=0.45,
        bump=patterns.leather(),
        bump_depth=0.004,
        bump_repeat=(repeat, repeat),
    )


def glass(colour: str = "clear") -> Material:
    """Coloured glass: light that has crossed two walls, four surfaces in all, has the colour."""
    return Material(colour=encode(linear(rgb(colour)) ** 0.25), kind="glass")


def surface(
    variant: Variant,
    rng: np.random.Generator,
    repeats: tuple[float, float] = (12, 6),
    scale: float = 1.0,
    along_v: bool = False,
) -> Material:
    """What a variant's main part is made of, whatever the material: the finish that most families need."""
    kind, colour = variant.material, variant.colour
    if kind in WOODS:
        return wood(kind, rng, scale, along_v)
    if kind in METALS and colour in ("silver", "gold", "copper"):
        return metal(kind)
    if kind == "glass":
        return glass(colour)
    if kind in ("leather", "suede"):
        base = leather(colour, 2 * scale, kind == "suede")
    elif kind in CERAMIC_GLOSS:
        base = ceramic(kind)
    elif kind in FABRICS:
        base = fabric(kind, scale)
    elif kind == "painted wood":
        base = painted_wood(colour)
    else:  # plastic, or metal under paint
        base = lacquer(colour)
    return painted(base, colour, variant.pattern, repeats, rng)

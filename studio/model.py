"""The vocabulary of the catalogue: a family has parents (shapes), a parent has variants (finishes)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .geometry import Mesh
from .materials import Material
from .variant import Variant


@dataclass(frozen=True)
class View:
    """Where the shop picture is taken from: degrees around and up (or from above), share of frame filled.

    `lift` is how far over the floor it hangs, as a share of its longest side.
    """

    azimuth: float = -25.0
    elevation: float = 14.0
    above: bool = False
    fill: float = 0.82
    lift: float = 0.0


@dataclass
class Model:
    """Meshes by slot; a variant says which material each slot gets."""

    parts: list[tuple[str, Mesh]]
    view: View = View()

    def fingerprint(self) -> str:
        """Hash of the geometry, rounded so that it does not depend on the last bits of a sum."""
        h = hashlib.sha256()
        for slot, mesh in self.parts:
            h.update(slot.encode())
            h.update((np.round(mesh.vertices, 4) + 0.0).astype(np.float32).tobytes())
            h.update(mesh.faces.astype(np.int32).tobytes())
        return h.hexdigest()[:16]


@dataclass(frozen=True)
class Parent:
    """One design: shape parameters, its name in titles, a selling sentence, a price and its variants.

    Variants are written "colour", "colour/pattern" or "colour/pattern@material".
    """

    name: str
    pitch: str
    price: float
    brand: str
    material: str
    finishes: Sequence[str]
    shape: dict = field(default_factory=dict)

    @property
    def variants(self) -> list[Variant]:
        """The finishes, parsed."""
        out = []
        for text in self.finishes:
            look, _, material = text.partition("@")
            colour, _, pattern = look.partition("/")
            out.append(Variant(colour, material or self.material, pattern or "plain"))
        return out


@dataclass(frozen=True)
class Family:
    """A kind of product: how its shapes are built and how its finishes are applied."""

    key: str
    category: str
    build: Callable[[dict, np.random.Generator], Model]
    finish: Callable[[dict, Variant, np.random.Generator], dict[str, Material]]
    parents: Sequence[Parent]

    def seed(self, index: int) -> int:
        """Seed of a parent: stable, whatever happens to other families."""
        return int.from_bytes(hashlib.sha256(f"{self.key}/{index}".encode()).digest()[:4], "big")

    def model(self, index: int) -> Model:
        """The geometry of a parent; all its variants share it."""
        return self.build(self.parents[index].shape, np.random.default_rng(self.seed(index)))

    def materials(self, index: int, variant: Variant) -> dict[str, Material]:
        """The materials by slot of one variant."""
        return self.finish(self.parents[index].shape, variant, np.random.default_rng(self.seed(index) + 1))


@dataclass(frozen=True)
class Product:
    """One row of the catalogue before it is written."""

    id: str
    family: Family
    index: int
    variant: Variant

    @property
    def parent(self) -> Parent:
        """The design this product is a variant of."""
        return self.family.parents[self.index]

    @property
    def parent_id(self) -> str:
        """Identifier shared by all variants of a design."""
        return f"{self.family.key}-{self.index + 1:02d}"

    def spec_hash(self, **settings: object) -> str:
        """Hash of everything that decides the picture: shape, finish and render settings."""
        v = self.variant
        spec = [self.parent_id, self.parent.shape, v.colour, v.material, v.pattern, settings]
        return hashlib.sha256(json.dumps(spec, sort_keys=True, default=str).encode()).hexdigest()[:16]

"""Which pictures there are to take: of every product for the shop, and some more for training and as queries."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

from . import catalogue
from .model import Product

KINDS = ("shop", "second", "phone", "extra")
EXTRA_VIEWS = 2
SETTINGS = ("table", "dim", "cropped", "cluttered")

# Products photographed first for the example queries, with what a shopper would type beside the photo.
EXAMPLES = (
    ("cushion-01-mustard", "with checks"),
    ("teapot-01-red", ""),
    ("lamp-01-blue", "in green"),
    ("tote-01-navy", "with stripes"),
    ("mug-01-navy-stripes", ""),
    ("sneaker-01-navy", ""),
    ("chair-03-green", "the same in pink"),
    ("planter-03-teal", ""),
)
PHOTOS_A_FAMILY = 2


@dataclass(frozen=True)
class Shot:
    """One picture: its kind, its product, and the number of an extra view or the setting of a phone photo."""

    kind: str
    product: Product
    detail: str = ""

    @property
    def name(self) -> str:
        """File name without suffix."""
        first = self.detail in ("", "1", SETTINGS[0])
        return self.product.id if first else f"{self.product.id}-{self.detail}"

    @property
    def spec(self) -> str:
        """Hash of the recipe: a picture with another one is out of date."""
        size, samples = catalogue.resolution(self.kind, self.product)
        if self.kind == "shop":
            return catalogue.shop_spec(self.product)
        return catalogue.spec(self.product, size, samples, kind=self.kind, detail=self.detail)


def phone_shots(items: Sequence[Product]) -> list[Shot]:
    """The photos for queries.csv: the examples, some of every family, then one of each other product that no training
    of the app sees; each in the next of the settings."""
    by_id = {p.id: p for p in items}
    shots = [Shot("phone", by_id[name], SETTINGS[0]) for name, _ in EXAMPLES]
    taken = {name for name, _ in EXAMPLES}
    for key in dict.fromkeys(p.family.key for p in items):
        mine = [p for p in items if p.family.key == key and p.id not in taken]
        mine.sort(key=lambda p: hashlib.sha256(f"photo/{p.id}".encode()).digest())
        last = -1
        for p in mine:
            if p.index != last and sum(s.product.family.key == key for s in shots[len(EXAMPLES) :]) < PHOTOS_A_FAMILY:
                shots.append(Shot("phone", p, SETTINGS[len(shots) % len(SETTINGS)]))
                last = p.index
    taken = {s.product.id for s in shots}
    unseen = [
        p for p in items if not crc32(p.parent_id.encode()) % 10 and p.id not in taken
    ]  # as core.holdout's test split
    unseen.sort(key=lambda p: hashlib.sha256(f"photo/{p.id}".encode()).digest())
    for p in unseen:
        shots.append(Shot("phone", p, SETTINGS[len(shots) % len(SETTINGS)]))
    return shots


def all_shots(kind: str, items: Sequence[Product]) -> list[Shot]:
    """Every picture of one kind, in catalogue order."""
    if kind == "phone":
        return phone_shots(items)
    if kind == "extra":
        return [Shot(kind, p, str(n + 1)) for p in items for n in range(EXTRA_VIEWS)]
    return [Shot(kind, p) for p in items]

"""The list of products, and the recipes of their pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from .families import families
from .materials import LOOKS
from .model import Product

SHOP_SIZE, SHOP_SAMPLES = 384, 9
FINER_SAMPLES = 16  # of the first pictures: they are as good
SECOND_SIZE, SECOND_SAMPLES = 256, 9
EXTRA_SIZE, EXTRA_SAMPLES = 320, 9
PHONE_SAMPLES = 32
GREY = "#e0dcd4"  # the backdrop of white things
REVISION = 1  # raise it when the look of every picture changes
SECTIONS = {"shop": "pictures", "second": "views", "phone": "queries", "extra": "pictures"}  # of the manifest


def products(keys: Iterable[str] | None = None) -> list[Product]:
    """All products, or those of some families, in catalogue order."""
    chosen = families()
    unknown = set(keys or ()) - set(chosen)
    if unknown:
        raise SystemExit(f"no such family: {', '.join(sorted(unknown))}; there are: {', '.join(chosen)}")
    out = []
    for key, family in chosen.items():
        if keys and key not in set(keys):
            continue
        for index, parent in enumerate(family.parents):
            for v in parent.variants:
                words = [key, f"{index + 1:02d}", v.colour]
                words += [v.pattern] if v.pattern != "plain" else []
                words += [v.material] if v.material != parent.material else []
                out.append(Product("-".join(words).replace(" ", "-"), family, index, v))
    return out


def _more(product: Product, samples: int) -> int:
    """Samples a pixel: after denoising 9 are within 43 dB of 36, but glass needs more."""
    return samples * (4 if product.variant.material == "glass" else 1)


def resolution(kind: str, product: Product) -> tuple[int, int]:
    """Side in pixels and samples a pixel of a picture."""
    return {
        "shop": (SHOP_SIZE, _more(product, SHOP_SAMPLES)),
        "second": (SECOND_SIZE, _more(product, SECOND_SAMPLES)),
        "extra": (EXTRA_SIZE, EXTRA_SAMPLES),
        "phone": (SHOP_SIZE, PHONE_SAMPLES),
    }[kind]


def on_grey(product: Product) -> bool:
    """Whether the product's shop pictures have the grey backdrop."""
    return product.variant.colour == "white"


def spec(product: Product, size: int, samples: int, **more: str) -> str:
    """Hash of a picture's recipe."""
    material = product.variant.material
    number = LOOKS.get(f"{product.family.key} {material}", LOOKS.get(material))
    look = {"look": number} if number else {}
    if on_grey(product) and more.get("kind") in (None, "second"):
        look["backdrop"] = GREY
    return product.spec_hash(size=size, samples=samples, revision=REVISION, **look, **more)


def shop_spec(product: Product) -> str:
    """Hash of a shop picture's recipe."""
    return spec(product, *resolution("shop", product))


def is_current(product: Product, found: str) -> bool:
    """Whether a shop picture's recipe is that of today, or the same with more samples."""
    return found in (shop_spec(product), spec(product, SHOP_SIZE, _more(product, FINER_SAMPLES)))


def read_manifest(folder: Path) -> dict[str, dict]:
    """The manifest of a folder of pictures, without the settings at its head: section -> name -> recipe."""
    path = folder / "manifest.json"
    data = json.loads(path.read_text()) if path.exists() else {}
    return {section: data.get(section, {}) for section in ("pictures", "views", "queries")}


def write_manifest(folder: Path, sections: dict[str, dict]) -> None:
    """Write the manifest, in catalogue order, through a temporary file."""
    folder.mkdir(parents=True, exist_ok=True)
    order = {p.id: i for i, p in enumerate(products())}
    data: dict = {"revision": REVISION, "size": SHOP_SIZE, "samples": SHOP_SAMPLES}
    for section, entries in sections.items():
        if entries or section == "pictures":
            data[section] = {k: entries[k] for k in sorted(entries, key=lambda k: (order.get(k, len(order)), k))}
    tmp = folder / "manifest.json.part"
    tmp.write_text(json.dumps(data, indent=1) + "\n")
    tmp.replace(folder / "manifest.json")

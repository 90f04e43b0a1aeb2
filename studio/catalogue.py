"""The list of products, and the files that describe them."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import copywriting
from .families import families
from .model import Product

SHOP_SIZE, SHOP_SAMPLES = 384, 16
EXTRA_SIZE, EXTRA_SAMPLES = 320, 9
REVISION = 1  # raise it when the look of every picture changes
COLUMNS = (
    "id",
    "image",
    "title",
    "description",
    "category",
    "price",
    "currency",
    "colour",
    "material",
    "pattern",
    "parent",
    "brand",
)
COMPOSED_COLUMNS = ("query_id", "reference_id", "text", "changed", "old", "new", "target_ids")
ATTRIBUTES = ("colour", "material", "pattern")


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


def shop_samples(product: Product) -> int:
    """Samples a pixel: after denoising 16 are within 42 dB of 96, but glass needs more."""
    return SHOP_SAMPLES * (4 if product.variant.material == "glass" else 1)


def shop_spec(product: Product) -> str:
    """Hash of a shop picture's recipe."""
    return product.spec_hash(size=SHOP_SIZE, samples=shop_samples(product), revision=REVISION)


def rows(items: Sequence[Product]) -> list[dict[str, str]]:
    """The rows of products.csv."""
    titles = copywriting.titles(items)
    out = []
    for item in items:
        v = item.variant
        out.append(
            {
                "id": item.id,
                "image": f"images/{item.id}.webp",
                "title": titles[item.id],
                "description": copywriting.description(item),
                "category": item.family.category,
                "price": f"{copywriting.price(item):.2f}",
                "currency": "EUR",
                "colour": v.colour,
                "material": v.material,
                "pattern": v.pattern,
                "parent": item.parent_id,
                "brand": item.parent.brand,
            }
        )
    return out


def composed_queries(items: Sequence[Product]) -> list[dict[str, str]]:
    """Questions of the kind "this one, but in blue": same parent, one attribute changed, the others kept."""
    rng = random.Random(20)
    out: list[dict[str, str]] = []
    for reference in items:
        siblings = [p for p in items if p.parent_id == reference.parent_id and p.id != reference.id]
        for changed in ATTRIBUTES:
            kept = [a for a in ATTRIBUTES if a != changed]
            targets: dict[str, list[str]] = {}
            for s in siblings:
                if all(getattr(s.variant, a) == getattr(reference.variant, a) for a in kept):
                    targets.setdefault(getattr(s.variant, changed), []).append(s.id)
            for new, ids in targets.items():
                old = getattr(reference.variant, changed)
                text = copywriting.wish(changed, old, new, reference.family.category, rng)
                out.append(
                    {
                        "query_id": f"c{len(out) + 1:04d}",
                        "reference_id": reference.id,
                        "text": text,
                        "changed": changed,
                        "old": old,
                        "new": new,
                        "target_ids": " ".join(sorted(ids)),
                    }
                )
    return out


def write_csv(path: Path, columns: Sequence[str], data: Iterable[dict[str, str]]) -> None:
    """Write rows as UTF-8 CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(data)


def read_manifest(out: Path) -> dict[str, dict]:
    """Recipes of the pictures that exist, by product id."""
    path = out / "manifest.json"
    return json.loads(path.read_text())["pictures"] if path.exists() else {}


def write_manifest(out: Path, pictures: dict[str, dict]) -> None:
    """Write the manifest, in catalogue order, through a temporary file."""
    order = {p.id: i for i, p in enumerate(products())}
    kept = {k: pictures[k] for k in sorted(pictures, key=lambda k: order.get(k, len(order))) if k in order}
    data = {"revision": REVISION, "size": SHOP_SIZE, "samples": SHOP_SAMPLES, "pictures": kept}
    tmp = out / "manifest.json.part"
    tmp.write_text(json.dumps(data, indent=1) + "\n")
    tmp.replace(out / "manifest.json")


def write_tables(out: Path) -> int:
    """Write products.csv and composed_queries.csv for all products; returns their number."""
    items = products()
    write_csv(out / "products.csv", COLUMNS, rows(items))
    write_csv(out / "composed_queries.csv", COMPOSED_COLUMNS, composed_queries(items))
    return len(items)

"""The files that describe the catalogue: products, queries with their answers, and what goes together.

Only products whose shop picture exists are listed, so the catalogue is whole at any time.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import chinese, copywriting, wishes
from .catalogue import products
from .links import links
from .model import Product
from .shots import EXAMPLES, phone_shots

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
    "title_zh",
    "description_zh",
    "views",
)
COMPOSED_COLUMNS = ("query_id", "reference_id", "text", "changed", "old", "new", "target_ids")
QUERY_COLUMNS = ("query_id", "image", "text", "reference_id", "product_id", "setting")
LINK_COLUMNS = ("id", "other_id", "kind", "source")
ATTRIBUTES = ("colour", "material", "pattern")


def rows(items: Sequence[Product], out: Path) -> list[dict[str, str]]:
    """The rows of products.csv. Titles are chosen among all products, so that they do not change as pictures come."""
    everything = products()
    titles, titles_zh = copywriting.titles(everything), chinese.titles(everything)
    data = []
    for item in items:
        v, view = item.variant, f"views/{item.id}.webp"
        data.append(
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
                "title_zh": titles_zh[item.id],
                "description_zh": chinese.description(item),
                "views": view if (out / view).exists() else "",
            }
        )
    return data


def edits(items: Sequence[Product]) -> list[dict[str, str]]:
    """Every "this one, but ...": same parent, one attribute changed, the others kept; with all its exact answers."""
    out = []
    for reference in items:
        siblings = [p for p in items if p.parent_id == reference.parent_id and p.id != reference.id]
        for changed in ATTRIBUTES:
            kept = [a for a in ATTRIBUTES if a != changed]
            targets: dict[str, list[str]] = {}
            for s in siblings:
                if all(getattr(s.variant, a) == getattr(reference.variant, a) for a in kept):
                    targets.setdefault(getattr(s.variant, changed), []).append(s.id)
            for new, ids in targets.items():
                out.append(
                    {
                        "reference_id": reference.id,
                        "changed": changed,
                        "old": getattr(reference.variant, changed),
                        "new": new,
                        "target_ids": " ".join(sorted(ids)),
                    }
                )
    return out


def composed_queries(items: Sequence[Product], language: str = "en") -> list[dict[str, str]]:
    """Questions of the kind "this one, but in blue": one edit of each attribute of each product, some worded twice."""
    rng = random.Random(f"wishes/{language}")
    thing = {p.id: p.family.category for p in items}
    chosen: dict[tuple[str, str], list[dict[str, str]]] = {}
    for edit in edits(items):
        chosen.setdefault((edit["reference_id"], edit["changed"]), []).append(edit)
    out = []
    for options in chosen.values():
        edit = rng.choice(options)
        texts: dict[str, None] = {}
        for _ in range(2 if rng.random() < 0.4 else 1):
            category = thing[edit["reference_id"]]
            ask = wishes.wish if language == "en" else wishes.wish_zh
            texts[ask(edit["changed"], edit["old"], edit["new"], category, rng)] = None
        for text in texts:
            out.append({"query_id": f"{'c' if language == 'en' else 'z'}{len(out) + 1:04d}", "text": text, **edit})
    return out


def queries(items: Sequence[Product], out: Path) -> list[dict[str, str]]:
    """The rows of queries.csv: photos that exist, half of them with a wish, and the product meant."""
    typed, rng = dict(EXAMPLES), random.Random("photos")
    open_edits: dict[str, list[dict[str, str]]] = {}
    for edit in edits(items):
        open_edits.setdefault(edit["reference_id"], []).append(edit)
    data, here = [], {p.id for p in items}
    for i, shot in enumerate(phone_shots(products())):
        reference, text, target = shot.product.id, typed.get(shot.product.id, ""), shot.product.id
        options = open_edits.get(reference, [])
        if text:
            target = next((e["target_ids"] for e in options if text.endswith(e["new"])), target)
        elif i >= len(EXAMPLES) and i % 2 and options:
            edit = rng.choice(options)
            text = wishes.wish(edit["changed"], edit["old"], edit["new"], shot.product.family.category, rng)
            target = edit["target_ids"]
        if reference in here and (out / "queries" / f"{shot.name}.webp").exists():
            data.append(
                {
                    "query_id": f"q{i + 1:02d}",
                    "image": f"queries/{shot.name}.webp",
                    "text": text,
                    "reference_id": reference,
                    "product_id": target,
                    "setting": shot.detail,
                }
            )
    return data


def write_csv(path: Path, columns: Sequence[str], data: Iterable[dict[str, str]]) -> None:
    """Write rows as UTF-8 CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(data)


def write_tables(out: Path) -> int:
    """Write all tables for the products whose picture exists; returns their number."""
    items = [p for p in products() if (out / "images" / f"{p.id}.webp").exists()]
    write_csv(out / "products.csv", COLUMNS, rows(items, out))
    write_csv(out / "composed_queries.csv", COMPOSED_COLUMNS, composed_queries(items))
    write_csv(out / "composed_queries_zh.csv", COMPOSED_COLUMNS, composed_queries(items, "zh"))
    write_csv(out / "queries.csv", QUERY_COLUMNS, queries(items, out))
    write_csv(out / "links.csv", LINK_COLUMNS, links(items))
    write_csv(out / "words_zh.csv", ("column", "en", "zh"), chinese.words())
    (out / "catalog.json").write_text('{"title": "Home and wardrobe", "rendered": true}\n')
    return len(items)


def write_view_queries(folder: Path) -> None:
    """queries.csv of the extra views: each asks for the product that it shows."""
    from .shots import all_shots

    data = [
        {"query_id": f"v-{s.name}", "image": f"images/{s.name}.webp", "product_id": s.product.id}
        for s in all_shots("extra", products())
        if (folder / "images" / f"{s.name}.webp").exists()
    ]
    write_csv(folder / "queries.csv", ("query_id", "image", "product_id"), data)

"""Contact sheets of the rendered pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from .model import Product

GAP = 4


def sheet(pictures: Sequence[Path], cell: int, columns: int) -> Image.Image:
    """One picture of many, row by row; missing ones stay white."""
    n = -(-len(pictures) // columns)
    out = Image.new("RGB", (columns * (cell + GAP) + GAP, n * (cell + GAP) + GAP), "white")
    for i, path in enumerate(pictures):
        if path.exists():
            with Image.open(path) as im:
                tile = im.convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS)
            out.paste(tile, (GAP + i % columns * (cell + GAP), GAP + i // columns * (cell + GAP)))
    return out


def write_sheets(items: Sequence[Product], out: Path, folder: Path) -> None:
    """One sheet of all designs, one of the phone photos, and one for each family with a parent to a row; of those
    pictures of the catalogue in `out` that exist."""
    folder.mkdir(parents=True, exist_ok=True)
    sheet(sorted((out / "queries").glob("*.webp")), 120, 10).save(folder / "phone.webp", quality=74, method=6)
    path = {p.id: out / "images" / f"{p.id}.webp" for p in items}
    items = [p for p in items if path[p.id].exists()]
    designs: dict[str, list[Product]] = {}
    for p in items:
        designs.setdefault(p.parent_id, []).append(p)
    # Of each design another finish, so that the colours mix.
    faces = [mine[i * 3 % len(mine)] for i, mine in enumerate(designs.values())]
    sheet([path[p.id] for p in faces], 76, 20).save(folder / "contact-sheet.webp", quality=74, method=6)
    for key in dict.fromkeys(p.family.key for p in items):
        mine = [p for p in items if p.family.key == key]
        rows = [[p for p in mine if p.index == i] for i in range(len(mine[0].family.parents))]
        rows = [row for row in rows if row]
        widest = max(map(len, rows))
        cells: list[Product | None] = []
        for row in rows:
            cells += row + [None] * (widest - len(row))
        n = len(cells) // widest
        whole = Image.new("RGB", (widest * 164 + GAP, n * 164 + GAP), "white")
        for j, p in enumerate(cells):
            if p is not None:
                whole.paste(
                    sheet([path[p.id]], 160, 1).crop((GAP, GAP, GAP + 160, GAP + 160)),
                    (GAP + j % widest * 164, GAP + j // widest * 164),
                )
        whole.save(folder / f"{key}.webp", quality=74, method=6)

"""Contact sheets of the rendered pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from .model import Product

GAP = 4


def sheet(items: Sequence[Product], images: Path, cell: int, columns: int) -> Image.Image:
    """One picture of many, row by row; missing ones stay white."""
    n = -(-len(items) // columns)
    out = Image.new("RGB", (columns * (cell + GAP) + GAP, n * (cell + GAP) + GAP), "white")
    for i, item in enumerate(items):
        path = images / f"{item.id}.webp"
        if path.exists():
            with Image.open(path) as im:
                tile = im.convert("RGB").resize((cell, cell), Image.Resampling.LANCZOS)
            out.paste(tile, (GAP + i % columns * (cell + GAP), GAP + i // columns * (cell + GAP)))
    return out


def write_sheets(items: Sequence[Product], images: Path, folder: Path) -> None:
    """The overall sheet, and one for each family with a parent to a row."""
    folder.mkdir(parents=True, exist_ok=True)
    sheet(items, images, 84, 18).save(folder / "contact-sheet.webp", quality=72, method=6)
    for key in dict.fromkeys(p.family.key for p in items):
        mine = [p for p in items if p.family.key == key]
        widest = max(sum(p.index == i for p in mine) for i in range(len(mine[0].family.parents)))
        cells: list[Product | None] = []
        for i in range(len(mine[0].family.parents)):
            row = [p for p in mine if p.index == i]
            cells += row + [None] * (widest - len(row))
        n = len(cells) // widest
        out = Image.new("RGB", (widest * 164 + GAP, n * 164 + GAP), "white")
        for j, p in enumerate(cells):
            if p is not None:
                out.paste(
                    sheet([p], images, 160, 1).crop((GAP, GAP, GAP + 160, GAP + 160)),
                    (GAP + j % widest * 164, GAP + j // widest * 164),
                )
        out.save(folder / f"{key}.webp", quality=74, method=6)

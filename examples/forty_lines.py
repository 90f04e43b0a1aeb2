"""Align, build, fit, evaluate: the whole of mmdemo on a shop of 60 drawn things, in about half a minute."""

import csv
import tempfile
from itertools import product
from pathlib import Path

from PIL import Image, ImageDraw

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.core.request import Query
from mmdemo.encode.encoder import Encoder
from mmdemo.finetune.align import AlignmentOptions, align
from mmdemo.pipeline.build import build, summary
from mmdemo.search.recommender import Recommender

COLOURS = {"red": "#c22", "green": "#2a5", "blue": "#24c", "yellow": "#ec3", "black": "#222", "purple": "#83a"}


def draw_shop(folder: Path, sizes: range) -> Path:
    """A catalogue of discs and squares, as a shop would deliver it: a table and pictures."""
    folder.mkdir(parents=True)
    rows = [("id", "image", "title", "category", "price", "colour")]
    for shape, colour, size in product(("disc", "square"), COLOURS, sizes):
        picture = Image.new("RGB", (128, 128), "white")
        form = ImageDraw.Draw(picture).ellipse if shape == "disc" else ImageDraw.Draw(picture).rectangle
        form([64 - size, 64 - size, 64 + size, 64 + size], fill=COLOURS[colour])
        name = f"{shape}-{colour}-{size}"
        picture.save(folder / f"{name}.png")
        rows.append((name, f"{name}.png", f"{colour.title()} {shape} of {size} mm", shape.title(), f"{size} €", colour))
    csv.writer((folder / "catalog.csv").open("w", newline="", encoding="utf-8")).writerows(rows)
    return folder


with tempfile.TemporaryDirectory() as temporary:
    work = Path(temporary)
    shop, other = draw_shop(work / "shop", range(20, 60, 8)), draw_shop(work / "other", range(22, 60, 12))
    options = AlignmentOptions(epochs=2, check=other)
    learnt = align([shop], work / "encoder", "assets/encoder", options)  # 1. the towers, fine-tuned
    print(f"align: {learnt['steps']} steps; {learnt['why']}")
    index, _ = build(Catalog.read(shop), Encoder.load(work / "encoder"), work / "index")  # 2. encode; 3. fit a head
    print(f"fit: the {index.head.name} head\n{summary(index)}")  # 4. measured on products it never saw
    for found in Recommender.load(work / "index").recommend(
        Query(image=decode(shop / "disc-red-44.png"), text="in blue", k=3)
    ):
        print(found.rank, found.title, f"{found.score:.3f}", found.reason)

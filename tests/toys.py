"""A toy shop whose right answers are known: squares and discs in plain colours, and an encoder that sees just that."""

import atexit
import csv
import hashlib
import re
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from mmdemo.catalog.catalog import Catalog, Refusal
from mmdemo.core.vectors import Array, normalize
from mmdemo.index.product_index import ProductIndex
from mmdemo.pipeline.build import BuildOptions, build

COLOURS = {
    "red": (200, 30, 30),
    "green": (30, 160, 60),
    "blue": (30, 60, 200),
    "yellow": (235, 210, 40),
    "black": (20, 20, 20),
    "purple": (130, 40, 160),
}
SHAPES = ("mug", "tray")
PEOPLE, DAY = 300, 86_400  # of a shop with events


def picture(shape: str, colour: str, size: int = 96, scale: float = 0.7) -> Image.Image:
    """A disc (mug) or a square (tray) of a colour on white."""
    image = Image.new("RGB", (size, size), "white")
    edge = size * (1 - scale) / 2
    box = [edge, edge, size - edge, size - edge]
    draw = ImageDraw.Draw(image)
    (draw.ellipse if shape == "mug" else draw.rectangle)(box, fill=COLOURS[colour])
    return image


def toy_catalogue(folder: Path, copies: int = 4) -> Path:
    """A catalogue folder: every shape in every colour, `copies` parents of each shape that differ in size and price."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as f:
        table = csv.writer(f)
        table.writerow(["id", "image", "title", "description", "category", "price", "colour", "parent"])
        for shape in SHAPES:
            for n in range(copies):
                for c, colour in enumerate(COLOURS):
                    name = f"{shape}-{n}-{colour}"
                    picture(shape, colour, scale=0.5 + 0.08 * n).save(folder / "images" / f"{name}.png")
                    table.writerow(
                        [
                            name,
                            f"images/{name}.png",
                            f"{colour.capitalize()} {shape}, size {n}",
                            f"A {shape}.",
                            shape.capitalize(),
                            f"{10 + 5 * n + c}.00 €",
                            colour.capitalize(),
                            f"{shape}-{n}",
                        ]
                    )
    return folder


def write_events(path: Path, people: int = PEOPLE, seed: int = 0) -> list[str]:
    """Everybody goes on to things of one shape, and nobody touched the purple tray; returns their names."""
    rng, names = np.random.default_rng(seed), []
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["user", "id", "event", "time", "value"])
        for n in range(people):
            names.append(f"shopper-{n}-zq@example.com")
            colours = [c for c in COLOURS if (SHAPES[n % 2], c) != ("tray", "purple")]
            start = rng.uniform(0, 60)
            for i, colour in enumerate(rng.permutation(colours)[:4]):
                time = int((start + 10 * i + rng.uniform(0, 5)) * DAY)
                table.writerow([names[-1], f"{SHAPES[n % 2]}-0-{colour}", "purchase", time, "19.90"])
    return names


@cache
def other_things() -> Path:
    """A catalogue folder of four things that no toy shop sells, to try "nothing here matches" on.

    A build without one reads and encodes the built-in catalogue for that.
    """
    folder = Path(tempfile.mkdtemp(prefix="mmdemo-test-things-"))
    atexit.register(shutil.rmtree, folder)
    rows = ["id,image,title,category"]
    for n in range(4):
        image = Image.new("RGB", (96, 96), "white")
        ImageDraw.Draw(image).polygon([(48, 10), (10, 86), (86, 86 - 9 * n)], fill=(40 * n, 90, 200 - 40 * n))
        image.save(folder / f"{n}.png")
        rows.append(f"lamp-{n},{n}.png,Paper lantern {n},Lantern")
    (folder / "products.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def quick_build(catalog: Catalog, encoder: Any, out: Path, resume: bool = False) -> tuple[ProductIndex, list[Refusal]]:
    """An index as `build` makes it, with `other_things` in place of the built-in catalogue."""
    return build(catalog, encoder, out, BuildOptions(others=Catalog.read(other_things())), resume=resume)


class ToyEncoder:
    """Sees the colour, the shape and the size of a toy picture, and reads the same three out of words."""

    dim, spec, name, preprocess = 16, "toy", "toy", None
    weights_hash = hashlib.sha256(b"toy").hexdigest()

    def for_inference(self, *_: object) -> "ToyEncoder":
        """There is one kind of it alone."""
        return self

    def _vector(self, colour: Sequence[float] | None, shape: float, size: float) -> Array:
        v = np.full(self.dim, 0.05, np.float32)
        if colour is not None:
            v[:3] = (np.asarray(colour, np.float32) - 128) / 96
        v[3], v[4], v[5] = shape, -shape, size
        return v

    def encode_image(self, images: Sequence[Image.Image]) -> Array:
        rows = []
        for image in images:
            pixels = np.asarray(image.convert("RGB"))
            red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
            inside = np.minimum(np.minimum(red, green), blue) < 225
            if not inside.any():
                rows.append(self._vector(None, 0.0, 0.0))
                continue
            columns, lines = np.flatnonzero(inside.any(0)), np.flatnonzero(inside.any(1))
            width, height = np.ptp(columns), np.ptp(lines)
            fill = inside.sum() / ((height + 1) * (width + 1))
            colour = pixels[inside].mean(0, dtype=np.float32)
            rows.append(self._vector(colour, 1.0 if fill < 0.9 else -1.0, width / len(pixels[0])))
        return normalize(rows)

    def encode_text(self, texts: Sequence[str]) -> Array:
        rows = []
        for text in texts:
            said = set(re.findall(r"[a-z]+", text.lower()))
            colour = next((rgb for name, rgb in COLOURS.items() if name in said), None)
            rows.append(self._vector(colour, 1.0 if "mug" in said else -1.0 if "tray" in said else 0.0, 0.0))
        return normalize(rows)

    def encode_image_with_features(self, images: Sequence[Image.Image]) -> tuple[Array, Array]:
        rows = self.encode_image(images)
        return rows, rows

    def encode_text_with_features(self, texts: Sequence[str]) -> tuple[Array, Array]:
        rows = self.encode_text(texts)
        return rows, rows

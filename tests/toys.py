"""A toy shop whose right answers are known: squares and discs in plain colours, and an encoder that sees just that."""

import csv
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from mmdemo.vectors import Array, normalize

COLOURS = {
    "red": (200, 30, 30), "green": (30, 160, 60), "blue": (30, 60, 200), "yellow": (235, 210, 40),
    "black": (20, 20, 20), "purple": (130, 40, 160),
}  # fmt: skip
SHAPES = ("mug", "tray")


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
                    table.writerow([
                        name, f"images/{name}.png", f"{colour.capitalize()} {shape}, size {n}", f"A {shape}.",
                        shape.capitalize(), f"{10 + 5 * n + c}.00 €", colour.capitalize(), f"{shape}-{n}",
                    ])  # fmt: skip
    return folder


class ToyEncoder:
    """Sees the colour, the shape and the size of a toy picture, and reads the same three out of words."""

    dim, spec, name, preprocess = 16, "toy", "toy", None
    weights_hash = hashlib.sha256(b"toy").hexdigest()

    def at(self, *_: object) -> "ToyEncoder":
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
            pixels = np.asarray(image.convert("RGB"), np.float32)
            inside = pixels.min(2) < 225
            if not inside.any():
                rows.append(self._vector(None, 0.0, 0.0))
                continue
            ys, xs = np.nonzero(inside)
            fill = inside.sum() / ((np.ptp(ys) + 1) * (np.ptp(xs) + 1))
            rows.append(self._vector(pixels[inside].mean(0), 1.0 if fill < 0.9 else -1.0, np.ptp(xs) / len(pixels[0])))
        return normalize(rows)

    def encode_text(self, texts: Sequence[str]) -> Array:
        rows = []
        for text in texts:
            said = set(re.findall(r"[a-z]+", text.lower()))
            colour = next((rgb for name, rgb in COLOURS.items() if name in said), None)
            rows.append(self._vector(colour, 1.0 if "mug" in said else -1.0 if "tray" in said else 0.0, 0.0))
        return normalize(rows)

    def image_both(self, images: Sequence[Image.Image]) -> tuple[Array, Array]:
        return self.encode_image(images), self.encode_image(images)

    def text_both(self, texts: Sequence[str]) -> tuple[Array, Array]:
        return self.encode_text(texts), self.encode_text(texts)

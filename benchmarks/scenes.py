"""Rooms with several products in them, made of cut-outs, so that it is known where each thing is.

A product's picture on white is cut out by `training/phone.py` and put into a photo of a place, 2 to 5 of them side by
side, in dim warm or cool light, soft and badly compressed. The same pictures, places and seed give the same scenes.
"""

import io
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image, ImageFilter

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.core.holdout import Holdout
from mmdemo.core.request import Box
from mmdemo.core.vectors import Array
from training.phone import LEAST, cut_out

CUT = 256  # pixels of a cut-out
SHARPEST = 0.35  # share of a scene's pixels a side that is kept, at least
SHAPES = ((512, 384), (384, 512), (512, 512))
OVERLAP = 0.1  # of the smaller of two things, at most


@dataclass(frozen=True, eq=False)
class Scene:
    """A photo, the box of each thing in it, and the number of its picture."""

    photo: Image.Image
    boxes: list[Box]
    things: list[int]


@dataclass(frozen=True, eq=False)
class CutOut:
    """A thing without what was behind it: how it darkens (`light`, 3 channels) and hides (`solid`, 1)."""

    light: Array
    solid: Array

    @classmethod
    def of(cls, picture: Image.Image) -> Self | None:
        """The thing on a white picture; None where it is too white to be told from the white around it."""
        light, solid = cut_out(picture, CUT)
        return cls(light, solid) if (solid > 0.5).mean() >= LEAST else None

    def at(self, side: int) -> tuple[Array, Array]:
        """`light` and `solid` at this size."""
        both = [
            np.stack([_resized(levels[:, :, c], side) for c in range(levels.shape[2])], 2)
            for levels in (self.light, self.solid)
        ]
        return both[0], both[1]


def scene(
    cut_outs: Sequence[CutOut], places: Sequence[Image.Image], rng: np.random.Generator, fewest: int = 2
) -> Scene:
    """`fewest` to 5 of the things (as far as there is room for them) in one of the places; one alone is large."""
    width, height = SHAPES[rng.integers(len(SHAPES))]
    place = places[int(rng.integers(len(places)))].resize((width, height), Image.Resampling.BICUBIC)
    pixels = np.asarray(place.convert("RGB"), np.float32) / 255
    count = int(rng.integers(fewest, 6))
    boxes, things = list[Box](), list[int]()
    for thing in rng.permutation(len(cut_outs))[:count].tolist():
        sides = (0.62 - 0.07 * count, 0.85 - 0.09 * count) if count > 1 else (0.55, 1.0)
        side = round(min(width, height) * rng.uniform(*sides))
        light, solid = cut_outs[thing].at(side)
        inside = solid[:, :, 0] > 0.5
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        tight = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        for _ in range(40):
            x, y = int(rng.integers(0, width - side + 1)), int(rng.integers(0, height - side + 1))
            edges = (tight + np.array([x, y, x, y])) / (width, height, width, height)
            box = (float(edges[0]), float(edges[1]), float(edges[2]), float(edges[3]))
            if all(_overlap(box, other) <= OVERLAP for other in boxes):
                behind = pixels[y : y + side, x : x + side]
                behind[:] = light * (solid + (1 - solid) * behind)
                boxes.append(box)
                things.append(thing)
                break
    pixels = pixels * rng.uniform(0.6, 1.0) * rng.uniform(0.92, 1.08, 3)
    photo = Image.fromarray((255 * pixels.clip(0, 1)).astype(np.uint8))
    # Places are small pictures: things that are sharper than their place would give themselves away.
    small = round(rng.uniform(SHARPEST, 1) * max(width, height))
    photo.thumbnail((small, small), Image.Resampling.BICUBIC)
    photo = photo.resize((width, height), Image.Resampling.BICUBIC)
    memory = io.BytesIO()
    photo.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 1)))).save(
        memory, "JPEG", quality=int(rng.integers(40, 86))
    )
    return Scene(decode(memory.getvalue()), boxes, things)


def cut_outs(
    folder: Path, splits: set[str], most: int, rng: np.random.Generator, other: str = ""
) -> list[tuple[str, CutOut]]:
    """Ids and things of up to `most` products of a catalogue in these splits, as their pictures show them, or those of
    the same name in its folder `other`."""
    catalog, found = Catalog.read(folder), list[tuple[str, CutOut]]()
    products = [p for p in catalog if Holdout().split_of(p) in splits]
    for i in rng.permutation(len(products)).tolist():
        path = catalog.image_path(products[i])
        if path is not None and other and (folder / other / path.name).is_file():
            path = folder / other / path.name
        if path is not None and (thing := CutOut.of(decode(path, max_side=512))) is not None:
            found.append((products[i].id, thing))
        if len(found) == most:
            break
    return found


def places_of(
    folder: Path, half: int, rng: np.random.Generator, without: Collection[str] = (), most: int = 150
) -> list[Image.Image]:
    """Up to `most` photos of one half (0 or 1, by a hash) of a catalogue of places, some categories left out."""
    catalog = Catalog.read(folder)
    kept = [p for p in catalog if zlib.crc32(p.id.encode()) % 2 == half and p.category not in without]
    paths = [path for i in rng.permutation(len(kept)) if (path := catalog.image_path(kept[i])) is not None]
    return [decode(path, max_side=512) for path in paths[:most]]


def _resized(levels: Array, side: int) -> Array:
    return np.asarray(Image.fromarray(levels).resize((side, side), Image.Resampling.BILINEAR))


def _overlap(one: Box, other: Box) -> float:
    """The share of the smaller box that lies in the other."""
    wide, high = (min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return max(0.0, wide) * max(0.0, high) / min(areas)

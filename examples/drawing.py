"""What both example catalogues draw with: gradients, ridges, noise, and one way to write a catalogue folder."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Array = np.ndarray
Colour = tuple[int, int, int]
SIDE = 448  # pixels of a finished picture
SCALE = 2  # drawn so many times larger, then reduced: that smooths every edge
BIG = SIDE * SCALE


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """The colour so far from `a` towards `b`."""
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def sky(colours: Sequence[Colour], horizon: float = 1.0) -> Image.Image:
    """A canvas that runs through these colours from its top down to the horizon (a share of its height)."""
    at = np.clip(np.linspace(0, 1 / horizon, BIG), 0, 1) * (len(colours) - 1)
    table = np.array(colours, float)
    lower = np.minimum(at.astype(int), len(colours) - 2)
    rows = table[lower] + (table[lower + 1] - table[lower]) * (at - lower)[:, None]
    return Image.fromarray(np.repeat(rows[:, None], BIG, 1).round().astype(np.uint8))


def ridge(rng: np.random.Generator, height: float, rough: float, waves: int = 7) -> Array:
    """A mountain line: for every column the share of the height at which it stands."""
    x, line = np.linspace(0, 1, BIG), np.full(BIG, height)
    for n in range(waves):
        size = rough / 1.7**n
        line += size * np.sin(2 * np.pi * (x * (1 + 1.9**n) * rng.uniform(0.7, 1.3) + rng.random()))
    return line


def fill(image: Image.Image, line: Array, colour: Colour, fade: Colour | None = None) -> None:
    """Paint everything below the line, running down into `fade` where one is given."""
    top = (line * BIG).astype(int)
    mask = np.arange(BIG)[:, None] >= top[None]
    layer = sky([colour, fade or colour]) if fade else Image.new("RGB", (BIG, BIG), colour)
    image.paste(layer, (0, 0), Image.fromarray((mask * 255).astype(np.uint8)))


def glow(image: Image.Image, x: float, y: float, radius: float, colour: Colour, strength: float = 0.8) -> None:
    """Light around a point, added to what is there; places and sizes are shares of the picture."""
    yy, xx = np.mgrid[0:BIG, 0:BIG] / BIG
    share = strength * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * radius**2))
    image.paste(Image.new("RGB", (BIG, BIG), colour), (0, 0), Image.fromarray((share * 255).round().astype(np.uint8)))


def disc(image: Image.Image, x: float, y: float, radius: float, colour: Colour) -> None:
    """A plain disc."""
    box = [(x - radius) * BIG, (y - radius) * BIG, (x + radius) * BIG, (y + radius) * BIG]
    ImageDraw.Draw(image).ellipse(box, fill=colour)


def polygon(image: Image.Image, points: Iterable[tuple[float, float]], colour: Colour) -> None:
    """A plain polygon."""
    ImageDraw.Draw(image).polygon([(x * BIG, y * BIG) for x, y in points], fill=colour)


def shadow(
    image: Image.Image, box: tuple[float, float, float, float], strength: float = 0.35, blur: float = 0.02
) -> None:
    """A soft dark ellipse, as below a thing on a table."""
    mask = Image.new("L", (BIG, BIG))
    ImageDraw.Draw(mask).ellipse([v * BIG for v in box], fill=round(255 * strength))
    image.paste((20, 16, 24), (0, 0, BIG, BIG), mask.filter(ImageFilter.GaussianBlur(blur * BIG)))


def clouds(rng: np.random.Generator, size: int = BIG, octaves: int = 5) -> Array:
    """Smooth noise from 0 to 1, finer detail weaker."""
    total = np.zeros((size, size))
    for n in range(octaves):
        cells = 3 * 2**n
        grid = Image.fromarray(rng.random((cells, cells)).astype(np.float32))
        total += np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC)) / 1.9**n
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def finish(image: Image.Image) -> Image.Image:
    """At its final size."""
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def write(
    folder: Path,
    rows: list[dict[str, str]],
    pictures: Iterable[Image.Image],
    about: dict[str, object],
    chinese: dict[str, dict[str, str]],
) -> None:
    """A catalogue folder: catalog.csv, catalog.json, words_zh.csv and images/, one WebP for each row by its id."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for old in (folder / "images").glob("*.webp"):
        old.unlink()
    for row, picture in zip(rows, pictures, strict=True):
        picture.save(folder / row["image"], "WEBP", quality=80, method=6)
    with (folder / "catalog.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    (folder / "catalog.json").write_text(json.dumps(about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    with (folder / "words_zh.csv").open("w", newline="", encoding="utf-8") as file:
        words = csv.writer(file, lineterminator="\n")
        words.writerow(["column", "en", "zh"])
        words.writerows([column, en, zh] for column, values in chinese.items() for en, zh in values.items())

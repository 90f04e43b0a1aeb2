"""Pictures for training: decoded once into one array, then varied in batches.

The variations are those between a shop's photograph and a shopper's: framing, mirror, light, blur, recompression,
another background. Colour is left recognisable, because "blue" must stay blue.
"""

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F
from tqdm import tqdm

from mmdemo.catalog.imaging import decode


def square(image: Image.Image, side: int) -> np.ndarray:
    """uint8 (side, side, 3): the whole picture, centred on white."""
    scale = side / max(image.size)
    size = [max(1, round(length * scale)) for length in image.size]
    canvas = Image.new("RGB", (side, side), "white")
    canvas.paste(image.resize(size, Image.Resampling.BICUBIC), ((side - size[0]) // 2, (side - size[1]) // 2))
    return np.asarray(canvas)


def cache(paths: Sequence[Path], file: Path, side: int) -> np.ndarray:
    """uint8 (n, side, side, 3), memory-mapped from `file`; decoded only where the file is not there yet."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        half_done = file.with_suffix(f".{os.getpid()}.part.npy")
        pixels = np.lib.format.open_memmap(half_done, "w+", np.uint8, (len(paths), side, side, 3))
        with ThreadPoolExecutor(2) as pool:
            squares = pool.map(lambda path: square(decode(path, max_side=2 * side), side), paths)
            for i, picture in enumerate(tqdm(squares, total=len(paths), desc="pictures", unit=" photos")):
                pixels[i] = picture
        pixels.flush()
        half_done.replace(file)
    return np.load(file, mmap_mode="r")


class Photos:
    """Several caches as one: `photos[rows]` is uint8 (n, side, side, 3)."""

    def __init__(self, parts: Sequence[np.ndarray]):
        self.parts, self.starts = list(parts), np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        of = np.searchsorted(self.starts, rows, side="right") - 1
        return np.stack([self.parts[part][row - self.starts[part]] for part, row in zip(of, rows, strict=True)])


def surroundings(pixels: torch.Tensor) -> torch.Tensor:
    """float (b, 1, h, w): 1 where white reaches in from the edge, for product shots on white; else all 0.

    A flood from the border, so that a white shirt keeps its white: it stops where the picture is not white.
    """
    white = (pixels.amin(1, keepdim=True) > 0.92).float()
    edge = torch.cat([white[..., 0, :], white[..., -1, :], white[..., :, 0], white[..., :, -1]], -1)
    studio = (edge.mean(-1) > 0.9).float()[..., None, None]
    small = -F.max_pool2d(-white, 4)  # coarse: a product's outline is never lost, some of the white beside it is
    reached = torch.zeros_like(small)
    reached[..., [0, -1], :] = small[..., [0, -1], :]
    reached[..., :, [0, -1]] = small[..., :, [0, -1]]
    for _ in range(small.shape[-1]):
        reached = F.max_pool2d(reached, 3, 1, 1) * small
    return studio * F.interpolate(reached, pixels.shape[-2:], mode="bilinear", align_corners=False)


def place(pixels: torch.Tensor, backgrounds: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """Product shots (b, 3, h, w) smaller and on crops of `backgrounds`; other pictures come back as they are."""
    mask = surroundings(pixels)
    size = torch.from_numpy(rng.uniform(1.0, 1.7, len(pixels))).float()
    shift = torch.from_numpy(rng.uniform(-1, 1, (len(pixels), 2))).float() * (size - 1)[:, None]
    theta = torch.zeros(len(pixels), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = size
    theta[:, :, 2] = shift
    layers = torch.cat([pixels, 1 - mask], 1)
    moved = F.grid_sample(layers, F.affine_grid(theta, list(layers.shape), align_corners=False), align_corners=False)
    picks = torch.from_numpy(backgrounds[np.sort(rng.choice(len(backgrounds), len(pixels)))]).permute(0, 3, 1, 2) / 255
    theta = crops(len(pixels), rng, smallest=0.2)
    behind = F.grid_sample(picks, F.affine_grid(theta, list(pixels.shape), align_corners=False), align_corners=False)
    alpha = moved[:, 3:]
    placed = moved[:, :3] * alpha + behind * (1 - alpha)
    return torch.where(mask.amax((1, 2, 3), keepdim=True) > 0, placed, pixels)


def crops(count: int, rng: np.random.Generator, smallest: float, turn: float = 0.0) -> torch.Tensor:
    """(count, 2, 3) affine maps of random crops: area from `smallest` to 1, mirrored half the time, turned a little."""
    area, aspect = rng.uniform(smallest, 1.0, count), np.exp(rng.uniform(-0.2, 0.2, count))
    wide, high = np.minimum(np.sqrt(area * aspect), 1), np.minimum(np.sqrt(area / aspect), 1)
    angle = rng.uniform(-turn, turn, count) * (rng.random(count) < 0.5)
    theta = np.zeros((count, 2, 3), np.float32)
    theta[:, 0] = np.stack([wide * np.cos(angle), -wide * np.sin(angle), rng.uniform(-1, 1, count) * (1 - wide)], 1)
    theta[:, 1] = np.stack([high * np.sin(angle), high * np.cos(angle), rng.uniform(-1, 1, count) * (1 - high)], 1)
    theta[:, :, 0] *= np.where(rng.random(count) < 0.5, -1, 1)[:, None]
    return torch.from_numpy(theta)


def recompress(picture: torch.Tensor, quality: int) -> torch.Tensor:
    """One (3, h, w) picture in 0..1 after a JPEG round trip."""
    kept = io.BytesIO()
    Image.fromarray((picture.permute(1, 2, 0) * 255).byte().numpy()).save(kept, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(kept))).permute(2, 0, 1) / 255


def augment(
    pixels: np.ndarray,
    side: int,
    rng: np.random.Generator,
    backgrounds: np.ndarray | None = None,
    smallest: float = 0.4,
) -> torch.Tensor:
    """float (b, 3, side, side) in 0..1: a random variation of each uint8 (b, h, w, 3) picture."""
    x = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 255
    count = len(x)
    column = lambda low, high, width=1: torch.from_numpy(rng.uniform(low, high, (count, width, 1, 1))).float()  # noqa: E731
    if backgrounds is not None and (chosen := np.flatnonzero(rng.random(count) < 0.35)).size:
        x[chosen] = place(x[chosen], backgrounds, rng)
    grid = F.affine_grid(crops(count, rng, smallest, turn=0.12), [count, 3, side, side], align_corners=False)
    x = F.grid_sample(x - 1, grid, align_corners=False) + 1  # what lies outside the picture is white
    x = x * column(0.8, 1.2) * column(0.94, 1.06, 3)
    level = x.mean((1, 2, 3), keepdim=True)
    x = ((x - level) * column(0.8, 1.2) + level).clamp(0, 1)
    if (chosen := np.flatnonzero(rng.random(count) < 0.15)).size:
        x[chosen] = F.interpolate(F.avg_pool2d(x[chosen], 2), (side, side), mode="bilinear", align_corners=False)
    for i in np.flatnonzero(rng.random(count) < 0.12):
        x[i] = recompress(x[i], int(rng.integers(25, 75)))
    return x

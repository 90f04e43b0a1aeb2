"""What a phone would make of a product in somebody's room: a shop picture cut out by its white and put into a photo.

Knows nothing of encoders. Seeded: the same pictures and rooms give the same photos.
"""

import io
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageFilter
from scipy.ndimage import label
from torch.nn import functional as F

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.finetune.augment import square

SIDE = 256  # pixels of a photo
LEAST = 0.06  # share of its frame that a product fills, or it was lost with the white


def rooms(scenes: Catalog, most: int = 120, seed: int = 0) -> list[Image.Image]:
    """Up to `most` photos of places."""
    paths = [path for product in scenes.products if (path := scenes.image_path(product))]
    picks = np.random.default_rng(seed).permutation(len(paths))[:most]
    return [decode(paths[i], max_side=2 * SIDE) for i in np.sort(picks)]


def cut_out(image: Image.Image, side: int) -> tuple[np.ndarray, np.ndarray]:
    """(light, solid) of a product on white: float (side, side, 3) where 1 is the white, and (side, side, 1) in 0..1.

    `solid` is 0 where a flood from the edge over white and over its faint grey shadows gets to; a white mug keeps its
    inside. What is not solid only darkens what is behind it, so that a product keeps its shadow.
    """
    pixels = square(image, side).astype(np.float32)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    light = np.minimum(pixels / np.median(edge, axis=0), 1)
    pale = (light.min(2) > 0.85) & (np.ptp(light, axis=2) < 0.05)
    areas, _ = label(pale, np.ones((3, 3)))
    reached = pale & np.isin(areas, np.concatenate([areas[[0, -1]].ravel(), areas[:, [0, -1]].ravel()]))
    solid = torch.from_numpy(1 - reached.astype(np.float32))[None, None]
    return light, F.avg_pool2d(solid, 3, 1, 1)[0, 0, :, :, None].numpy()


def composites(
    products: Sequence[Image.Image], places: Sequence[Image.Image], seed: int = 0
) -> list[Image.Image | None]:
    """A photo of each product: in a crop of some place, 60-95% as wide, in dim warm or cool light, soft, JPEG 30-60.

    None for a product that is too white to be told from the white around it.
    """
    rng, photos = np.random.default_rng(seed), []
    for image in products:
        place = places[rng.integers(len(places))]
        size = round(min(place.size) * rng.uniform(0.4, 1.0))
        left, top = (int(rng.integers(length - size + 1)) for length in place.size)
        room = place.crop((left, top, left + size, top + size)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        pixels = np.asarray(room, np.float32) / 255
        wide = round(SIDE * rng.uniform(0.6, 0.95))
        turned = image.rotate(float(rng.uniform(-8, 8)), Image.Resampling.BICUBIC, fillcolor=image.getpixel((0, 0)))
        light, solid = cut_out(turned, wide)
        x, y = (int(v) for v in rng.integers(0, SIDE - wide + 1, 2))
        if solid.mean() < LEAST:
            photos.append(None)
            continue
        behind = pixels[y : y + wide, x : x + wide]
        behind[:] = light * (solid + (1 - solid) * behind)
        pixels = pixels * rng.uniform(0.55, 0.9) * rng.uniform(0.92, 1.08, 3)
        margin = int(SIDE * rng.uniform(0, 0.08))
        photo = Image.fromarray((255 * pixels.clip(0, 1)).astype(np.uint8)).crop(
            (margin, margin, SIDE - margin, SIDE - margin)
        )
        memory = io.BytesIO()
        photo.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.5)))).save(
            memory, "JPEG", quality=int(rng.integers(30, 61))
        )
        photos.append(decode(memory.getvalue()))
    return photos

"""Looks at a shop picture: is anything there, within the frame, and of the colour that the table names?"""

from __future__ import annotations

import numpy as np

from . import palette
from .catalogue import on_grey
from .model import Product

PALE = ("white", "cream", "clear", "silver")
# Least share of the object near the named colour, where the variant is only a part of it: a frame round a print,
# the stand of a lamp, the legs of a table. Bare metal mirrors the room.
SHARES = {"frame": 0.03, "clock": 0.05, "floorlamp": 0.03, "sunglasses": 0.05, "table": 0.05, "lamp": 0.05, "toy": 0.08}
BARE_METAL = ("brass", "steel", "copper", "aluminium")


def faults(picture: np.ndarray, product: Product) -> list[str]:
    """What is wrong with a picture (side, side, 3) of 8-bit RGB; an empty list if nothing is."""
    step = max(1, len(picture) // 192)
    lab = palette.lab(picture[::step, ::step] / 255.0)
    edges = np.concatenate([lab[:4].reshape(-1, 3), lab[:, :4].reshape(-1, 3), lab[:, -4:].reshape(-1, 3)])
    backdrop, found = np.median(edges, 0), []
    if backdrop[0] <= 78:
        found.append("the backdrop is dark")
    away = np.linalg.norm(lab - backdrop, axis=-1)
    border = np.concatenate([away[:2].ravel(), away[-2:].ravel(), away[:, :2].ravel(), away[:, -2:].ravel()])
    if (border > 20).mean() >= 0.02:
        found.append("the object leaves the frame")
    pale = product.variant.colour in PALE
    if (away > (3 if pale else 15)).mean() <= 0.03:
        found.append("blank")
    if product.variant.material == "glass":  # glass shows what stands behind it
        return found
    body = lab[away > (5 if on_grey(product) else 0 if pale else 12)]
    named = palette.lab(palette.rgb(product.variant.colour))
    # Light and shade move the lightness more than the hue.
    near = np.linalg.norm((body - named) * [0.5, 1, 1], axis=-1) < 26
    least = min(SHARES.get(product.family.key, 0.12), 0.05 if product.variant.material in BARE_METAL else 1.0)
    if not len(body) or near.mean() <= least:
        found.append(f"hardly anything is {product.variant.colour}")
    return found

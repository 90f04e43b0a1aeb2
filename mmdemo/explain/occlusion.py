"""Where in a picture a score comes from: occlusion maps, and how far each may be believed.

A map hides windows of the picture in its background's colour and asks what the deployed score loses (occlusion, Zeiler
and Fergus 2014). Its check is deletion and insertion (Petsiuk et al. 2018, RISE): hide what is marked first, or show it
first, and compare with random orders. Knows nothing of encoders or heads: pictures go in, scores come out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdemo.core.vectors import Array

GRID = 6  # cells a side
WINDOW = 2  # cells a side that are hidden at once; windows overlap
STEPS = (0.15, 0.3, 0.5, 0.75)  # shares of the cells that a check hides or shows
ORDERS = 2  # random orders that a check compares with
SIDE = 224  # pixels: more than any shipped encoder looks at
LEAST = 0.05  # of a score: where a picture brings less, shares of it are noise, and there is no check and no map

Score = Callable[[list[Image.Image]], Array]  # pictures -> scores (n,)
Cells = NDArray[np.bool_]


@dataclass(frozen=True)
class Check:
    """Areas under the score as a picture is taken away (`deletion`, low is good) and built up (`insertion`, high is
    good) in a map's order and in random ones; 1 is the whole picture's score, 0 the empty picture's."""

    deletion: float
    insertion: float
    random_deletion: float
    random_insertion: float

    @cached_property
    def gain(self) -> float:
        """How much better than random order, mean of both; a map at or below zero says nothing."""
        return (self.random_deletion - self.deletion + self.insertion - self.random_insertion) / 2


def small(picture: Image.Image) -> Image.Image:
    """The picture at a size that is enough for a map."""
    scale = SIDE / max(picture.size)
    if scale >= 1:
        return picture
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))


def heat_map(score: Score, picture: Image.Image) -> Array:
    """What each cell brought to the score (GRID, GRID), in units of the score: positive cells held it up."""
    places = range(GRID - WINDOW + 1)
    windows = []
    for y in places:
        for x in places:
            hidden = np.zeros((GRID, GRID), bool)
            hidden[y : y + WINDOW, x : x + WINDOW] = True
            windows.append(hidden)
    scores = score([picture, *(hide(picture, hidden) for hidden in windows)])
    lost = scores[0] - scores[1:]
    stack = np.stack(windows).astype(np.float32)
    return np.einsum("n,nyx->yx", lost, stack) / stack.sum(0)


def hide(picture: Image.Image, hidden: Cells) -> Image.Image:
    """The picture with cells (GRID, GRID) painted in the colour of its edge."""
    pixels = np.asarray(picture.convert("RGB")).copy()
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ys = np.arange(len(pixels)) * GRID // len(pixels)
    xs = np.arange(pixels.shape[1]) * GRID // pixels.shape[1]
    pixels[hidden[ys][:, xs]] = np.median(edge, axis=0).astype(np.uint8)
    return Image.fromarray(pixels)


def check(score: Score, picture: Image.Image, heat: Array, seed: int = 0) -> Check | None:
    """Deletion and insertion of a map against random orders; None where the picture hardly moves the score."""
    rng = np.random.default_rng(seed)
    cells = GRID * GRID
    by_heat = np.argsort(-heat.ravel(), kind="stable")
    pictures = [picture, hide(picture, np.ones((GRID, GRID), bool))]
    for order in (by_heat, *(rng.permutation(cells) for _ in range(ORDERS))):
        for removal_order in (order, order[::-1])[: 2 if order is by_heat else 1]:
            for share in STEPS:
                hidden = np.zeros(cells, bool)
                hidden[removal_order[: round(share * cells)]] = True
                pictures.append(hide(picture, hidden.reshape(GRID, GRID)))
    scores = score(pictures).astype(np.float64)
    whole, empty, rest = scores[0], scores[1], scores[2:].reshape(-1, len(STEPS))
    if abs(whole - empty) < LEAST:
        return None
    curves = (rest - empty) / (whole - empty)
    x = np.array([0.0, *STEPS, 1.0])
    area = [float(np.trapezoid([1.0, *curve, 0.0], x)) for curve in curves]
    # Hiding the least important first is showing the most important last: the curve of insertion read backwards. For a
    # random order both are one curve.
    random = float(np.mean(area[2:]))
    return Check(area[0], area[1], random, random)

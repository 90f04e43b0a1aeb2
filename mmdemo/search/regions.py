"""The things on a photo that the catalogue may sell: where each is, of which kind, and how certain that is.

The encoder's box head says where things may be; the best of these parts are encoded in one batch, and what
`photo_kinds` says of each tells which of them the catalogue sells. So any catalogue's things are found. It knows
nothing of queries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdemo.core.request import LEAST_SIDE, Box, cropped
from mmdemo.core.vectors import Array
from mmdemo.encode.box_head import Boxes
from mmdemo.search.photo_kinds import PhotoKinds

LOOKED_AT = 8  # parts of a photo that are encoded
MOST = 6  # marks on a photo
FRAMED = 0.25  # least chance that a part is a thing
SAME = 0.4  # intersection over union from which two boxes are one
PART = 0.5  # of the smaller box in common, from which two boxes of one kind are parts of one thing
CERTAIN = 0.5  # least chance of a marked thing's kind

Find = Callable[[Image.Image], tuple[Boxes, NDArray[np.float64]]]  # photo -> boxes (n, 4), chances (n,) of being things
Encode = Callable[[Sequence[Image.Image]], Array]  # pictures -> embeddings (n, width)


@dataclass(frozen=True)
class Region:
    """A thing on a photo: its box, the category that it seems to be of, and the chance that it is."""

    box: Box
    kind: str
    certainty: float

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"box": list(self.box), "kind": self.kind, "certainty": round(self.certainty, 3)}


def find_regions(photo: Image.Image, find: Find, encode: Encode, kinds: PhotoKinds) -> list[Region]:
    """The things on a photo, the most certain first."""
    boxes, chances = find(photo)
    order = [n for n in suppressed(boxes, chances) if chances[n] >= FRAMED][:LOOKED_AT]
    if not order:
        return []

    def told(framed: Sequence[Box]) -> list[Region]:
        rows = encode([cropped(photo, box) for box in framed])
        likeliest = [kinds.likeliest(row[None]) for row in rows]
        regions = [Region(box, *kind) for box, kind in zip(framed, likeliest, strict=True) if kind is not None]
        return sorted((r for r in regions if r.certainty >= CERTAIN), key=lambda region: -region.certainty)

    groups = parts_of_things(told([as_box(boxes[n]) for n in order]))
    parted = [around([r.box for r in group]) for group in groups if len(group) > 1]
    wholes = {r.box: r for r in (told(parted) if parted else [])}
    found = [
        whole if (whole := wholes.get(around([r.box for r in g]))) and whole.kind == g[0].kind else g[0] for g in groups
    ]
    return sorted(found, key=lambda region: -region.certainty)[:MOST]


def parts_of_things(regions: Sequence[Region]) -> list[list[Region]]:
    """The regions in groups, each of which is parts of one thing: of one kind, and half of the smaller box in common.

    >>> left, right = Region((0, 0, 0.6, 1), "Hat", 0.9), Region((0.2, 0, 0.8, 1), "Hat", 0.8)
    >>> [len(group) for group in parts_of_things([left, right, Region((0.2, 0, 0.8, 1), "Coat", 0.7)])]
    [2, 1]
    """
    groups: list[list[Region]] = []
    for region in regions:
        same = (
            g for g in groups if g[0].kind == region.kind and _shared(around([r.box for r in g]), region.box) >= PART
        )
        if group := next(same, None):
            group.append(region)
        else:
            groups.append([region])
    return groups


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of these."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _shared(one: Box, other: Box) -> float:
    """The area that two boxes have in common, as a share of the smaller one's."""
    wide, high = (min(one[n + 2], other[n + 2]) - max(one[n], other[n]) for n in (0, 1))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return max(wide, 0.0) * max(high, 0.0) / min(areas)


def as_box(edges: NDArray[np.float64]) -> Box:
    """A box of a query, not too small for one, in the precision that links and answers have."""
    half = np.maximum(edges[2:] - edges[:2], 2 * LEAST_SIDE) / 2
    centre = np.clip((edges[:2] + edges[2:]) / 2, half, 1 - half)
    left, top, right, bottom = np.clip(np.r_[centre - half, centre + half], 0, 1).round(3).tolist()
    return left, top, right, bottom


def suppressed(boxes: Boxes, scores: NDArray[np.float64], most: float = SAME) -> NDArray[np.int64]:
    """Which boxes (n, 4) are left, best first, where of two that have more than `most` in common the worse one goes.

    >>> boxes = np.array([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.6], [0.5, 0.5, 1, 1]])
    >>> suppressed(boxes, np.array([0.5, 0.9, 0.1]))
    array([1, 2])
    """
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        kept.append(left[0])
        left = left[1:][common(boxes[left[0]], boxes[left[1:]]) <= most]
    return np.array(kept, np.int64)


def common(box: NDArray[np.float64] | Box, others: Boxes) -> NDArray[np.float64]:
    """Intersection over union of a box (4,) with others (n, 4)."""
    one = np.asarray(box)
    sides = np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2])
    both = np.clip(sides, 0, None).prod(1)
    areas = (others[:, 2:] - others[:, :2]).prod(1) + (one[2:] - one[:2]).prod()
    return both / np.maximum(areas - both, 1e-9)

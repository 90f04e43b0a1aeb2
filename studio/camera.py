"""Camera that frames an object, and the lights around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .geometry import Array, Mesh, rotation
from .model import Model, View

FIELD_OF_VIEW = 20.0


@dataclass(frozen=True)
class Softbox:
    """Rectangular lamp: position, width, height, radiance."""

    position: tuple[float, float, float]
    width: float
    height: float
    radiance: tuple[float, float, float]


@dataclass(frozen=True)
class Rig:
    """Constant surrounding light plus softboxes, and the exposure that suits them."""

    ambient: float
    boxes: tuple[Softbox, ...]
    exposure: float = 1.06


SHOP = Rig(
    0.55,
    (
        Softbox((-3.2, -2.6, 4.2), 3.0, 3.0, (5.15, 5.1, 5.0)),
        Softbox((3.6, -1.5, 2.2), 1.2, 3.4, (2.6, 2.65, 2.75)),
        Softbox((0.5, 3.5, 5.0), 3.5, 2.0, (2.2, 2.2, 2.2)),
    ),
)
SHOP_ABOVE = Rig(
    0.60,
    (Softbox((-4.6, 2.2, 2.4), 1.8, 1.8, (13, 12.8, 12.5)), Softbox((3.5, -3.0, 4), 3, 3, (2.2, 2.2, 2.25))),
)
HARD_RIGHT = Rig(
    0.30,
    (
        Softbox((3.4, -1.6, 3.4), 1.8, 1.8, (12, 11.5, 10.8)),
        Softbox((-3.6, -2, 2.0), 1.0, 3.4, (1.5, 1.6, 1.75)),
    ),
)
OVERCAST = Rig(0.80, (Softbox((0, -1.5, 5.2), 4.5, 4.5, (2.0, 2.0, 2.0)),))
EVENING = Rig(
    0.20,
    (
        Softbox((-2.6, -1.4, 3.2), 1.4, 1.4, (9.0, 7.4, 5.4)),
        Softbox((3.5, -2.5, 2.5), 2.0, 2.0, (0.9, 1.0, 1.3)),
    ),
    exposure=1.0,
)
WINDOW = Rig(0.22, (Softbox((-3.8, 0.6, 2.2), 2.2, 2.6, (6.4, 6.8, 7.4)),), exposure=1.0)


@dataclass(frozen=True)
class Camera:
    """Eye, target and up vector."""

    eye: Array
    target: Array
    up: tuple[float, float, float]
    field_of_view: float = FIELD_OF_VIEW


def frame(
    model: Model, view: View | None = None, shift: tuple[float, float] = (0.0, 0.0), roll: float = 0.0
) -> tuple[list[tuple[str, Mesh]], Camera]:
    """The parts, scaled to a box of side 2 and turned to face the camera, and the camera that fits them.

    The object turns, not the room, so that the lights keep their side. `shift` moves it off centre by a
    share of the frame.
    """
    view = view or model.view
    points = np.vstack([m.vertices for _, m in model.parts])
    lo, hi = points.min(0), points.max(0)
    scale = 2.0 / max(hi - lo)
    base = np.array([(lo[0] + hi[0]) / 2, (lo[1] + hi[1]) / 2, lo[2] - view.lift / scale * 2])
    turn = rotation("z", -view.azimuth)
    parts = [(slot, m.moved(-base).moved(scale=scale, turn=turn)) for slot, m in model.parts]
    points = np.vstack([m.vertices for _, m in parts])
    e = np.radians(view.elevation)
    d = np.array([0, -0.06, 1.0]) if view.above else np.array([0, -np.cos(e), np.sin(e)])
    d /= np.linalg.norm(d)
    up = np.array([0, 1.0, 0]) if view.above else np.array([0, 0, 1.0])
    right = np.cross(up, d)
    right /= np.linalg.norm(right)
    over = np.cross(d, right)
    target = (points.min(0) + points.max(0)) / 2
    tan = np.tan(np.radians(FIELD_OF_VIEW / 2))
    distance = 0.0
    for _ in range(5):
        q = points - target
        depth, x, y = q @ d, q @ right, q @ over
        distance = np.max(np.maximum(np.abs(x), np.abs(y)) / (tan * view.fill) + depth)
        sx, sy = x / (distance - depth), y / (distance - depth)
        target = target + (right * (sx.max() + sx.min()) + over * (sy.max() + sy.min())) / 2 * distance
    target = target - (right * shift[0] + over * shift[1]) * 2 * tan * distance
    tilt = up + right * np.tan(np.radians(roll))
    return parts, Camera(target + d * distance, target, tuple(tilt))

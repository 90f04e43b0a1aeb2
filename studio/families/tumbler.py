"""Drinking glasses: tumblers, stemmed glasses, a carafe's companions."""

from __future__ import annotations

import numpy as np

from ..geometry import catmull, fillet, refine, revolve, shell
from ..materials import glass
from ..model import Family, Model, Parent, Variant, View


def build(shape: dict, rng: np.random.Generator) -> Model:
    """A closed wall of glass along a profile, plain, ribbed or faceted."""
    if "stem" in shape:
        r, h = shape["stem"]
        foot = [[0, 0], [r, 0], [r, 0.015], [0.06, 0.05], [0.032, 0.1], [0.032, h - 0.06], [0.05, h]]
        line = np.vstack([fillet(foot, 0.03, 8), catmull(shape["profile"], 12)])
    else:
        line = fillet([[0, 0], *shape["profile"]], shape.get("round", 0.05), 10)
    line = refine(line, 0.02)
    outside, inside = shell(line, shape.get("thick", 0.028))
    if "stem" in shape:  # the bowl is hollow, the stem is not
        inside = np.vstack([inside[inside[:, 1] > shape["stem"][1] + 0.05], [[0, shape["stem"][1] + 0.04]]])
    k, top = shape.get("ribs", 0), line[-1, 1]

    def wave(a: np.ndarray, z: np.ndarray) -> np.ndarray:
        fade = np.clip(np.minimum(z - 0.08, top - 0.14 - z) * 9, 0, 1)
        return 1 + shape.get("depth", 0.03) * np.cos(k * a) * fade

    body = revolve(np.vstack([outside, inside[1:]]), 288 if k else 128, wave if k else None)
    return Model([("body", body)], View(-18, shape.get("elevation", 12), fill=0.78))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Coloured glass."""
    return {"body": glass(variant.colour)}


FAMILY = Family(
    "tumbler",
    "Drinking glass",
    build,
    finish,
    [
        Parent(
            "straight tumbler",
            "A plain, heavy-based glass for water at lunch and something stronger later.",
            9.0,
            "Atelier Nove",
            "glass",
            ["clear", "amber", "light blue", "green"],
            dict(profile=[[0.36, 0], [0.4, 0.86]]),
        ),
        Parent(
            "ribbed tumbler",
            "Vertical ribs give grip to wet fingers and stripes to the tablecloth.",
            11.0,
            "Atelier Nove",
            "glass",
            ["clear", "pink", "teal", "yellow"],
            dict(profile=[[0.34, 0], [0.43, 0.74]], ribs=20),
        ),
        Parent(
            "stemmed wine glass",
            "A rounded bowl on a short, sturdy stem that survives the dishwasher.",
            14.0,
            "Fennel House",
            "glass",
            ["clear", "amber", "lavender", "green"],
            dict(stem=(0.3, 0.5), profile=[[0.12, 0.53], [0.32, 0.68], [0.37, 0.88], [0.29, 1.2]], thick=0.02),
        ),
        Parent(
            "low coupe glass",
            "Wide, shallow and a little festive: for bubbles, sorbet or prawns.",
            15.0,
            "Fennel House",
            "glass",
            ["pink", "clear", "blue", "amber"],
            dict(
                stem=(0.3, 0.5),
                profile=[[0.1, 0.52], [0.38, 0.62], [0.5, 0.78], [0.51, 0.86]],
                thick=0.02,
                elevation=14,
            ),
        ),
    ],
)

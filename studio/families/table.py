"""Tables: pedestal, tray, trestle, coffee tables and a desk."""

from __future__ import annotations

import numpy as np

from ..geometry import Mesh, catmull, fillet, refine, revolve, rod, rounded_box
from ..materials import Material, lacquer, metal, painted, surface, wood
from ..model import Family, Model, Parent, Variant, View


def _disc(
    radius: float, z: float, thick: float = 0.06, stretch: tuple[float, float] = (1, 1), lip: float = 0.0
) -> Mesh:
    edge = [[radius, z + lip], [radius - 0.025, z + lip], [radius - 0.03, z], [0, z]] if lip else [[radius, z], [0, z]]
    line = [[0, z - thick], [radius, z - thick], *edge]
    return revolve(fillet(line, [0, 0.02, *[0.012] * (len(edge) - 1), 0], 6), 144, stretch=stretch).projected(
        (0, 1), 0.45
    )


def _legs(w: float, d: float, h: float, splay: float, thick: float) -> list[Mesh]:
    return [
        rod([s * w, t * d, h], [s * (w + splay), t * (d + splay), 0], thick, thick * 0.7)
        for s in (-1, 1)
        for t in (-1, 1)
    ]


def build(shape: dict, rng: np.random.Generator) -> Model:
    """One function draws them all; `kind` says which."""
    kind, parts = shape["kind"], []
    if kind == "pedestal":
        h, r = shape.get("height", 1.0), shape.get("radius", 0.55)
        parts.append(("top", _disc(r, h)))
        foot = [
            [r * 0.62, 0],
            [r * 0.6, 0.03],
            [0.1, 0.09],
            [0.065, 0.2],
            [0.065, h * 0.7],
            [0.1, h - 0.08],
            [0.2, h - 0.05],
        ]
        parts.append(("base", revolve(np.vstack([[[0, 0]], catmull(foot, 8), [[0, h - 0.05]]]), 96)))
    elif kind == "tray":
        parts.append(("top", _disc(0.55, 0.95, 0.03, lip=0.09)))
        for k in range(3):
            d = np.array([np.cos(2.1 * k), np.sin(2.1 * k), 0])
            parts.append(("base", rod(d * 0.44 + [0, 0, 0.92], -d * 0.4, 0.02)))
    elif kind == "drum":
        wave = lambda a, z: 1 - 0.03 * np.abs(np.sin(12 * a)) * np.clip(np.minimum(z - 0.03, 0.78 - z) * 20, 0, 1)  # noqa: E731
        line = refine(fillet([[0, 0], [0.5, 0], [0.5, 0.8], [0, 0.8]], [0, 0.03, 0.03, 0], 14), 0.03)
        parts.append(("base", revolve(line, 384, wave)))
        parts.append(("top", _disc(0.53, 0.86)))
    elif kind == "coffee":
        stretch = shape.get("stretch", (1.3, 0.75))
        parts.append(("top", _disc(0.9, 0.72, 0.07, stretch)))
        parts += [("base", m) for m in _legs(0.7, 0.36, 0.68, 0.12, 0.05)]
        if shape.get("rack"):
            parts.append(("top", _disc(0.68, 0.32, 0.04, stretch)))
    elif kind == "trestle":
        parts.append(("top", rounded_box(2.5, 1.1, 0.07, 0.02).projected((0, 1), 0.35).moved((0, 0, 1.1))))
        for s in (-1, 1):
            for t in (-1, 1):
                parts.append(("base", rod([s * 0.85, t * 0.1, 1.07], [s * 0.95, t * 0.45, 0], 0.045)))
            parts.append(("base", rod([s * 0.87, -0.36, 0.28], [s * 0.87, 0.36, 0.28], 0.032)))
        parts.append(("base", rod([-0.87, 0, 0.9], [0.87, 0, 0.9], 0.035)))
    else:  # desk
        parts.append(("top", rounded_box(2.2, 1.0, 0.06, 0.02).projected((0, 1), 0.4).moved((0, 0, 1.15))))
        parts += [("base", m) for m in _legs(0.98, 0.4, 1.12, 0.06, 0.045)]
        parts.append(("top", rounded_box(2.0, 0.86, 0.26, 0.02).projected((0, 2), 0.4).moved((0, 0.02, 0.99))))
        for s in (-1, 1):
            front = rounded_box(0.96, 0.03, 0.2, 0.01).projected((0, 2), 0.4)
            parts.append(("drawer", front.moved((s * 0.49, -0.42, 0.99))))
            parts.append(("knob", rod([s * 0.49, -0.43, 0.99], [s * 0.49, -0.48, 0.99], 0.03, 0.035)))
    return Model(parts, View(-24, shape.get("elevation", 16), fill=0.88))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The variant is that of the top, the drawers or the whole."""
    m = (
        painted(Material(roughness=0.2, specular=0.5, coat=0.4), variant.colour, "marbled", (6, 6), rng)
        if variant.material == "marble"
        else surface(variant, rng)
    )
    own = shape.get("base")
    base = (
        m
        if own is None
        else wood(own, rng)
        if own in ("oak", "walnut")
        else metal(own)
        if own == "brass"
        else lacquer(own)
    )
    if own is None and variant.material == "marble":
        base = lacquer("#2a2b2e")
    top = wood(shape["top"], rng) if shape.get("top") else m
    return {"top": top, "base": m if shape.get("top") else base, "drawer": m, "knob": metal("brass")}


FAMILY = Family(
    "table",
    "Table",
    build,
    finish,
    [
        Parent(
            "pedestal side table",
            "One turned foot, one round top, and always a place for the cup.",
            119.0,
            "Holm Interiors",
            "painted wood",
            ["green", "black", "natural@oak", "walnut@walnut", "coral"],
            dict(kind="pedestal"),
        ),
        Parent(
            "tray table",
            "The tray lifts off, the legs fold flat, and the garden is set for tea.",
            69.0,
            "Holm Interiors",
            "steel",
            ["mustard", "white", "teal", "pink", "gold@brass"],
            dict(kind="tray", elevation=20),
        ),
        Parent(
            "fluted drum table",
            "A fluted column under a thick round top, as solid as it looks.",
            159.0,
            "North Orchard",
            "oak",
            ["natural", "walnut@walnut", "cream@painted wood", "terracotta@painted wood"],
            dict(kind="drum"),
        ),
        Parent(
            "oval coffee table",
            "No corners for shins, and a lower shelf for the books under the books.",
            219.0,
            "North Orchard",
            "walnut",
            ["walnut", "natural@oak", "black@painted wood", "white@painted wood"],
            dict(kind="coffee", rack=True),
        ),
        Parent(
            "round marble-top bistro table",
            "A veined stone top on a slim dark foot; add two chairs and a carafe.",
            249.0,
            "Corso & Figlia",
            "marble",
            ["white", "green", "black", "pink"],
            dict(kind="pedestal", height=1.25, radius=0.62, base="#2a2b2e"),
        ),
        Parent(
            "trestle dining table",
            "Seats six on weekdays and eight at New Year, on a pair of honest trestles.",
            590.0,
            "North Orchard",
            "painted wood",
            ["natural@oak", "walnut@walnut", "blue", "charcoal"],
            dict(kind="trestle", top="oak", elevation=14),
        ),
        Parent(
            "two-drawer desk",
            "Two shallow drawers for pens and chargers, and slim legs all round.",
            329.0,
            "Holm Interiors",
            "painted wood",
            ["sage", "navy", "natural@ash", "orange"],
            dict(kind="desk", base="oak"),
        ),
    ],
)

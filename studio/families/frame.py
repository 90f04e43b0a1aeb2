"""Framed prints: a moulding, a mount and an abstract print of a few shapes."""

from __future__ import annotations

import numpy as np

from ..geometry import rounded_box
from ..materials import Material, surface
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import mix, step, uv_grid


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Proportions and width of the moulding."""
    w, h, bar = shape.get("width", 1.4), shape.get("height", 1.9), shape.get("bar", 0.09)
    parts = []
    for s in (-1, 1):
        across = rounded_box(w + 2 * bar, bar, 0.12, 0.018).projected((0, 1), 0.7)
        parts.append(("frame", across.moved((0, s * (h + bar) / 2, 0.06))))
        upright = rounded_box(bar, h, 0.12, 0.018)
        upright = upright.mapped(upright.vertices[:, [1, 0]] * 0.7 + 0.5)
        parts.append(("frame", upright.moved((s * (w + bar) / 2, 0, 0.06))))
    sheet = rounded_box(w, h, 0.03, 0.004).moved((0, 0, 0.03))
    parts.append(("print", sheet.mapped(sheet.vertices[:, :2] / [w, h] + 0.5)))
    return Model(parts, View(0, 90, above=True, fill=0.84))


def _print(kind: str, colours: list[np.ndarray], aspect: float, rng: np.random.Generator) -> np.ndarray:
    n = 1024
    u, v = uv_grid(n)
    x, y = (u - 0.5) * aspect, v - 0.5
    t = np.ones((n, n, 3)) * rgb("#f2ecdf")
    a, b, c = colours

    def disc(cx: float, cy: float, r: float, colour: np.ndarray) -> None:
        nonlocal t
        t = mix(t, colour, step(r - np.hypot(x - cx, y - cy), 0.004))

    if kind == "hills":
        disc(0.1, 0.18, 0.11, b)
        for k, colour in enumerate((a * 0.55 + 0.4, a * 0.8 + 0.12, a)):
            line = 0.02 - 0.13 * k + 0.07 * np.sin(x * (7 - k) + 2.2 * k)
            t = mix(t, np.clip(colour, 0, 1), step(line - y, 0.004))
    elif kind == "arches":
        for k, colour in enumerate((a, c, b, a)):
            r = 0.3 - 0.07 * k
            arch = np.where(y > -0.1, np.hypot(x, y + 0.1), np.abs(x))
            t = mix(t, colour, step(r - arch, 0.004) * (y > -0.4) * step(arch - r + 0.05, 0.004))
    elif kind == "circles":
        for cx, cy, r, colour in ((-0.1, 0.16, 0.17, a), (0.12, -0.02, 0.2, b), (-0.08, -0.22, 0.14, c)):
            disc(cx, cy, r, colour)
    elif kind == "leaf":
        stem = np.abs(x - 0.05 * np.sin(3 * y)) < 0.006
        for k in range(11):
            side, yy = (-1) ** k, -0.3 + 0.058 * k
            p, q = (x * side - 0.11) * 0.85 + (y - yy - 0.05) * 0.5, (y - yy - 0.05) * 0.85 - (x * side - 0.11) * 0.5
            t = mix(t, a if k % 3 else b, step(1 - (p / 0.11) ** 2 - (q / 0.034) ** 2, 0.03))
        t[stem & (np.abs(y) < 0.38)] = a
    else:  # bars
        for k in range(7):
            t = mix(
                t,
                (a, b, c)[k % 3],
                step(0.03 - np.abs(y - 0.3 + 0.1 * k), 0.003) * (np.abs(x) < 0.08 + 0.03 * (k * 5 % 7)),
            )
    return t


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """The moulding takes the variant; the print belongs to the design, within a white mount."""
    w, h, mount = shape.get("width", 1.4), shape.get("height", 1.9), shape.get("mount", 0.2)
    t = _print(shape["print"], [rgb(c) for c in shape["inks"]], w / h, rng)
    u, v = uv_grid(len(t))
    edge = np.minimum(np.minimum(u, 1 - u) * w, np.minimum(v, 1 - v) * h)
    t = mix(t, rgb("#fbfaf7"), step(mount - edge, 0.004))
    t = t * (1 - 0.18 * np.exp(-(((edge - mount) / 0.006) ** 2)))[..., None]
    return {"frame": surface(variant, rng), "print": Material(texture=t, roughness=0.35, specular=0.4)}


def _parent(name: str, pitch: str, price: float, finishes: list[str], **shape: object) -> Parent:
    return Parent(name, pitch, price, "Studio Pallas", "painted wood", finishes, shape)


FAMILY = Family(
    "frame",
    "Framed print",
    build,
    finish,
    [
        _parent(
            "framed print, three hills",
            "Three ridges and a low sun, printed in flat colours and ready to hang.",
            59.0,
            ["black", "natural@oak", "walnut@walnut", "white"],
            print="hills",
            inks=("green", "orange", "cream"),
        ),
        _parent(
            "framed print, arches",
            "Nested arches in warm earth colours, with a wide white mount.",
            64.0,
            ["terracotta", "natural@oak", "black", "walnut@walnut"],
            print="arches",
            inks=("terracotta", "mustard", "pink"),
            mount=0.16,
        ),
        _parent(
            "square framed print, three circles",
            "Three overlapping circles hold each other in balance, more or less.",
            49.0,
            ["navy", "white", "natural@oak", "red"],
            print="circles",
            inks=("navy", "coral", "mustard"),
            width=1.6,
            height=1.6,
            bar=0.07,
        ),
        _parent(
            "framed print, single branch",
            "One branch, pressed flat and drawn large, as in an old herbarium.",
            54.0,
            ["natural@oak", "green", "black", "walnut@walnut"],
            print="leaf",
            inks=("#2f5d46", "sage", "olive"),
            width=1.2,
            bar=0.06,
        ),
        _parent(
            "wide framed print, short lines",
            "Bars of colour in an order that nearly explains itself.",
            69.0,
            ["gold@brass", "teal", "black", "natural@ash"],
            print="bars",
            inks=("teal", "mustard", "burgundy"),
            width=2.0,
            height=1.4,
            mount=0.24,
        ),
    ],
)

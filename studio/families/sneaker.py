"""Sneakers: a foxed sole and a lasted upper with painted panels, laces and tongue."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates

from ..geometry import Array, Mesh, arc_length, catmull, grid_faces, superellipsoid, sweep
from ..materials import Material, fabric
from ..model import Family, Model, Parent, Variant, View
from ..palette import rgb
from ..patterns import mix, step, uv_grid, weave

N = 240  # points around the outline
ROWS = 40  # points up the upper
FOOTPRINT = [
    [0, 0.0],
    [0.02, 0.065],
    [0.10, 0.105],
    [0.25, 0.108],
    [0.42, 0.108],
    [0.60, 0.140],
    [0.74, 0.158],
    [0.86, 0.140],
    [0.95, 0.085],
    [0.99, 0.0],
    [0.965, -0.075],
    [0.88, -0.125],
    [0.74, -0.145],
    [0.58, -0.118],
    [0.42, -0.092],
    [0.25, -0.098],
    [0.10, -0.10],
    [0.02, -0.062],
]
OPENING = [
    [0.02, 0.0, 0.40],
    [0.05, 0.055, 0.385],
    [0.14, 0.072, 0.335],
    [0.25, 0.075, 0.315],
    [0.35, 0.066, 0.36],
    [0.42, 0.058, 0.365],
    [0.52, 0.047, 0.315],
    [0.62, 0.040, 0.265],
    [0.685, 0.028, 0.236],
    [0.70, 0.0, 0.231],
]


def _spring(x: Array) -> Array:
    return 0.075 * np.clip((x - 0.72) / 0.28, 0, 1) ** 2 + 0.02 * np.clip((0.1 - x) / 0.1, 0, 1) ** 2


def _footprint() -> tuple[Array, Array, Array]:
    curve = catmull(FOOTPRINT, 24, closed=True)
    ring = np.vstack([curve, curve[:1]])
    d = arc_length(ring)
    s = np.linspace(0, d[-1], N, endpoint=False)
    b = np.stack([np.interp(s, d, ring[:, k]) for k in (0, 1)], 1)
    tangent = np.roll(b, -1, 0) - np.roll(b, 1, 0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    out = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    if ((b + out * 0.01 - [0.5, 0]) ** 2).sum() < ((b - [0.5, 0]) ** 2).sum():
        out = -out
    return b, out, s / d[-1]


def _surface(shape: dict) -> tuple[Array, Array, Array]:
    """Upper as a grid (N, ROWS, 3), the opening curve, and the control line of the opening."""
    b, out, t = _footprint()
    thick = shape.get("sole", 1.0)
    line = np.array(OPENING)
    line[:6, 2] += shape.get("ankle", 0.0)
    line[:, 2] += 0.085 * (thick - 1)
    curve = catmull(np.vstack([line, line[1:-1][::-1] * [1, -0.92, 1]]), 16, closed=True)
    ring = np.vstack([curve, curve[:1]])
    d = arc_length(ring)
    d /= d[-1]
    # The opening and the footprint correspond at heel and toe, evenly in between.
    tt, tc = t[np.argmax(b[:, 0])], d[np.argmax(curve[:, 0])]
    w = np.where(t <= tt, t / tt * tc, tc + (t - tt) / (1 - tt) * (1 - tc))
    c = np.stack([np.interp(w, d, ring[:, k]) for k in range(3)], 1)
    base = np.c_[b + out * -0.012, _spring(b[:, 0]) + _top(b[:, 0], thick) * 0.9]
    k = np.clip((b[:, 0] - 0.62) / 0.33, 0, 1)
    control = np.c_[
        base[:, :2] * 0.86 + c[:, :2] * 0.14 + out * (0.012 + 0.02 * k)[:, None],
        base[:, 2] + (c[:, 2] - base[:, 2]) * (0.62 + 0.36 * k),
    ]
    v = np.linspace(0, 1, ROWS)[None, :, None]
    return (1 - v) ** 2 * base[:, None] + 2 * v * (1 - v) * control[:, None] + v**2 * c[:, None], c, line


def _top(x: Array, thick: float) -> Array:
    return 0.085 * thick + 0.035 * np.clip(1 - x / 0.55, 0, 1)


def build(shape: dict, rng: np.random.Generator) -> Model:
    """Low or high ankle, thin or thick sole."""
    b, out, t = _footprint()
    upper, opening, line = _surface(shape)
    thick, ankle = shape.get("sole", 1.0), shape.get("ankle", 0.0)
    i = np.arange(N)
    j = (i + 1) % N
    wall = catmull(
        [
            (-0.035, 0.0),
            (-0.008, 0.0),
            (0.006, 0.06),
            (0.012, 0.2),
            (0.014, 0.45),
            (0.010, 0.75),
            (0.004, 0.92),
            (-0.006, 1.0),
            (-0.03, 1.0),
        ],
        4,
    )
    m = len(wall)
    rings = np.array([np.c_[b + out * o, _spring(b[:, 0]) + z * _top(b[:, 0], thick)] for o, z in wall]).transpose(
        1, 0, 2
    )
    rings = np.concatenate([rings, rings[:1]], 0)
    uv = np.stack(np.broadcast_arrays(np.r_[t, 1.0][:, None], np.linspace(0, 1, m)[None]), -1).reshape(-1, 2)
    n = (N + 1) * m
    caps = np.vstack(
        [
            np.stack([(i + 1) * m, i * m, np.full(N, n)], 1),
            np.stack([i * m + m - 1, (i + 1) * m + m - 1, np.full(N, n + 1)], 1),
        ]
    )
    sole = Mesh(
        np.vstack([rings.reshape(-1, 3), [[0.5, 0, 0.0]], [[0.5, 0, _top(np.array(0.5), thick)]]]),
        np.vstack([grid_faces(N + 1, m), caps]),
        np.vstack([uv, [[0, 0]], [[0, 1]]]),
    )
    grid = np.concatenate([upper, upper[:1]], 0)
    uv = np.stack(np.broadcast_arrays(np.r_[t, 1.0][:, None], np.linspace(0, 1, ROWS)[None]), -1).reshape(-1, 2)
    parts = [("sole", sole), ("upper", Mesh(grid.reshape(-1, 3), grid_faces(N + 1, ROWS), uv, closed=False))]
    ring = np.concatenate([opening, opening[:1]], 0)
    deep = ring * [0.92, 0.55, 1] + [0.04, 0, -0.22]
    deep[:, 2] = np.maximum(deep[:, 2] * 0.3, 0.1 * thick)
    lining = np.stack([ring * [1, 0.93, 1], ring * [0.985, 0.86, 1] + [0.006, 0, -0.06], deep], 1)
    parts.append(
        (
            "lining",
            Mesh(
                lining.reshape(-1, 3),
                grid_faces(len(ring), 3),
                np.zeros((lining.shape[0] * 3, 2)),
                closed=False,
            ),
        )
    )
    floor = 0.14 + 0.085 * (thick - 1)
    parts.append(
        (
            "lining",
            Mesh(
                np.vstack([np.c_[b * [0.98, 0.8], np.full(N, floor)], [[0.5, 0, floor]]]),
                np.stack([i, j, np.full(N, N)], 1),
                np.zeros((N + 1, 2)),
                closed=False,
            ),
        )
    )
    parts.append(("lining", sweep(opening, np.where(opening[:, 0] < 0.40, 0.017, 0.006), n=14, closed=True)))
    rise = 0.085 * (thick - 1)
    tongue = catmull(
        [
            [0.74, 0, 0.205 + rise],
            [0.66, 0, 0.238 + rise],
            [0.56, 0, 0.285 + rise],
            [0.46, 0, 0.345 + rise],
            [0.385, 0, 0.42 + ankle + rise],
            [0.345, 0, 0.475 + ankle + rise],
        ],
        8,
    )
    flap = sweep(tongue, np.linspace(0.030, 0.066, len(tongue)), 0.016, power=2.6, n=36, up=(1, 0, 1.2))
    v = flap.vertices.copy()
    v[:, 2] -= 2.2 * v[:, 1] ** 2
    parts.append(("tongue", Mesh(v, flap.faces, flap.uv * 3)))
    for x in np.linspace(0.445, 0.655, 6):
        z, y = np.interp(x, line[5:, 0], line[5:, 2]), np.interp(x, line[5:, 0], line[5:, 1])
        a, e = np.array([x, y + 0.012, z - 0.012]), np.array([x, -(y * 0.92 + 0.012), z - 0.012])
        mid = np.array([x - 0.004, 0, z + 0.034])
        path = catmull(
            [
                a + np.array([0, 0.004, -0.012]),
                a + np.array([0, 0, 0.006]),
                (a + mid) / 2 + [0, 0, 0.012],
                mid,
                (e + mid) / 2 + [0, 0, 0.012],
                e + np.array([0, 0, 0.006]),
                e + np.array([0, -0.004, -0.012]),
            ],
            6,
        )
        parts.append(("lace", sweep(path, 0.0055, 0.0125, power=3, n=16, up=(1, 0, 0.9)).uv_scaled(20, 4)))
    knot = np.array([0.43, 0, 0.40 + ankle * 0.6 + rise])
    for s in (-1, 1):
        loop = catmull(
            [
                knot,
                knot + np.array([0, s * 0.05, 0.035]),
                knot + np.array([0.02, s * 0.115, 0.03]),
                knot + np.array([0.05, s * 0.12, -0.02]),
                knot + np.array([0.045, s * 0.06, 0]),
                knot + np.array([0.005, 0, 0.004]),
            ],
            8,
        )
        tail = catmull(
            [
                knot,
                knot + np.array([0.03, s * 0.04, 0.02]),
                knot + np.array([0.07, s * 0.075, -0.03]),
                knot + np.array([0.09, s * 0.10, -0.10]),
            ],
            8,
        )
        parts += [("lace", sweep(p, 0.005, 0.0095, power=3, n=14, up=(1, 0, 0.5))) for p in (loop, tail)]
    parts.append(("lace", superellipsoid(0.016, 0.016, 0.013, nu=24, nv=12).moved(knot + np.array([0.003, 0, 0.005]))))
    return Model([(s, p.moved(scale=2.0)) for s, p in parts], View(24, 15, fill=0.88))


def finish(shape: dict, variant: Variant, rng: np.random.Generator) -> dict:
    """Panels are painted in shoe space: the texture looks up where on the shoe each texel lies."""
    grid, _, _ = _surface(shape)
    h, w = 320, 1280
    gv, gu = np.meshgrid(np.linspace(0, ROWS - 1, h), np.linspace(0, N, w), indexing="ij")
    grid = np.concatenate([grid, grid[:1]], 0)
    x, _, z = (map_coordinates(grid[..., k], [gu, gv], order=1, mode="nearest") for k in range(3))
    v = gv / (ROWS - 1)
    base = rgb(variant.colour)
    light = base.mean() > 0.75
    detail = {
        k: rgb(shape.get(k, d)) for k, d in (("accent", "white"), ("sole_colour", "#f3efe6"), ("outsole", "#b98a5c"))
    }
    if light and not shape.get("keep_accent"):
        detail["accent"] = rgb(shape.get("light_accent", "teal"))
    soft = np.clip(base * 0.82 if light else base * 0.75 + 0.10, 0, 1)
    t = np.ones((h, w, 3)) * base
    height = np.full((h, w), 0.35)
    if variant.material in ("canvas", "mesh"):
        height += 0.05 * weave(150, w)[:h, :w]
    elif variant.material == "suede":
        height += 0.04 * rng.standard_normal((h, w))

    def panel(d: Array, colour: Array) -> None:
        nonlocal t, height
        m = step(d, 0.006)
        t = mix(t, colour, m)
        height = height * (1 - m) + 0.65 * m
        seam = np.exp(-(((d - 0.009) / 0.0022) ** 2)) * (np.sin((x + z * 0.7) * 420) > -0.35)
        t = t * (1 - 0.28 * seam[..., None])
        height = height - 0.10 * seam
        t = t * (1 - 0.25 * np.exp(-(((d + 0.002) / 0.003) ** 2))[..., None])

    if shape.get("toecap"):
        panel(0.235 - 0.12 * (1 - v) - np.abs(x - 1.0), rgb("#f3f1ec") if shape["toecap"] == "rubber" else soft)
    if shape.get("mudguard"):
        panel((0.18 - v) * 0.12, soft)
    panel(0.16 - x + 0.05 * np.sin((z - 0.1) * 12), detail["accent"] if shape.get("heel", True) else soft)
    stripe = shape.get("stripe", "bar")
    if variant.pattern == "stripes" or stripe == "three":
        d = np.where(z > 0.1, 0.016 - np.abs((x - (0.47 - (z - 0.2) * 0.5) + 0.065) % 0.065 - 0.0325), -1)
        panel(d + np.where(np.abs(x - 0.47) < 0.12, 0, -1), detail["accent"])
    elif stripe == "bar":
        panel(0.055 - np.abs(x - (0.47 + (z - 0.2) * -0.55)), detail["accent"])
    elif stripe == "star":
        r, a = (
            np.hypot(x - 0.30, z - 0.27 - shape.get("ankle", 0) * 0.45),
            np.arctan2(z - 0.27 - shape.get("ankle", 0) * 0.45, x - 0.30),
        )
        panel(0.052 - r * (1 + 0.25 * np.cos(5 * a)), detail["accent"])
    eyestay = (v - (0.70 + 0.25 * np.clip((0.40 - x) / 0.1, 0, 1))) * 0.14 * np.where(x > 0.36, 1, 0.0) - np.where(
        x > 0.36, 0, 0.05
    )
    panel(eyestay, soft)
    u, sv = uv_grid(1024)
    sole = np.ones((1024, 1024, 3)) * detail["sole_colour"]
    sole[sv < 0.26] = detail["outsole"]
    if shape.get("foxing"):
        sole[np.abs(sv - 0.52) < 0.035] = detail["accent"]
    tread = np.where(sv < 0.26, 0.5 + 0.5 * np.sign(np.sin(u * 2 * np.pi * 90)), np.where(sv < 0.30, 0, 0.8))
    gloss = {"leather": (0.45, 0.45), "suede": (1.0, 0.05)}.get(variant.material, (0.7, 0.3))
    lining = fabric("cotton").but(colour=base * 0.55 + 0.35 if light else base * 0.7, bump=None)
    return {
        "upper": Material(
            texture=np.clip(t, 0, 1),
            roughness=gloss[0],
            specular=gloss[1],
            bump=np.clip(height, 0, 1),
            bump_depth=0.010,
            sheen=0.6 if variant.material == "suede" else 0.0,
        ),
        "sole": Material(texture=sole, roughness=0.6, specular=0.35, bump=np.clip(tread, 0, 1), bump_depth=0.006),
        "lining": lining,
        "tongue": fabric("canvas").but(colour=np.clip(base * 0.92, 0, 1), bump_depth=0.006, bump_repeat=(0.4, 0.4)),
        "lace": Material(colour=rgb(shape.get("lace", "#f3efe6")), roughness=0.9, specular=0.1),
    }


FAMILY = Family(
    "sneaker",
    "Sneaker",
    build,
    finish,
    [
        Parent(
            "low-top court sneaker",
            "A clean court shape with one diagonal bar, easy with jeans and with a suit.",
            79.0,
            "Striden",
            "leather",
            ["white", "navy", "burgundy", "navy@suede"],
            dict(toecap=True, light_accent="green"),
        ),
        Parent(
            "high-top canvas sneaker",
            "Laced to the ankle, capped at the toe, at home at concerts since forever.",
            64.0,
            "Striden",
            "canvas",
            ["red", "black", "mustard", "black@suede"],
            dict(
                ankle=0.17,
                sole=0.85,
                toecap="rubber",
                stripe="star",
                heel=False,
                foxing=True,
                accent="white",
                outsole="#8d6a48",
            ),
        ),
        Parent(
            "chunky running sneaker",
            "A thick rockered sole and three quick stripes for long, slow kilometres.",
            109.0,
            "Striden",
            "mesh",
            ["teal", "grey", "orange", "lavender"],
            dict(sole=1.6, mudguard=True, stripe="three", accent="#f3f1ec", outsole="#3b3c40", foxing=True),
        ),
        Parent(
            "retro trainer",
            "Seventies lines in soft suede on a gum sole.",
            89.0,
            "Striden",
            "suede",
            ["green", "blue", "tan", "pink"],
            dict(stripe="three", mudguard=True, outsole="#a9713f", sole_colour="#c08a55", accent="cream"),
        ),
        Parent(
            "mid-top skate shoe",
            "A padded collar, a flat sole and suede that takes a beating.",
            84.0,
            "Striden",
            "suede",
            ["charcoal", "burgundy", "olive", "navy"],
            dict(ankle=0.09, toecap=True, stripe="bar", accent="white", foxing=True),
        ),
        Parent(
            "minimal leather sneaker",
            "No stripe, no logo: one colour from the heel to the toe.",
            119.0,
            "Striden",
            "leather",
            ["white", "black", "sage", "tan", "light blue"],
            dict(stripe="none", heel=False, toecap=False, outsole="#f3efe6", sole=0.9),
        ),
        Parent(
            "canvas plimsoll",
            "Thin canvas on a thin sole, made for quays, decks and bicycles.",
            45.0,
            "Tidewear",
            "canvas",
            ["blue", "yellow", "coral", "mint", "navy"],
            dict(sole=0.75, toecap="rubber", stripe="none", heel=False, foxing=True, accent="red"),
        ),
    ],
)

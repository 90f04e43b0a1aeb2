"""A feed of posts: ten kinds of pictures in four lights, each with a caption, hashtags and an author.

python -m examples.posts.make draws it anew, the same every time.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from examples.drawing import (
    BIG,
    Colour,
    clouds,
    disc,
    fill,
    finish,
    glow,
    mix,
    polygon,
    ridge,
    shadow,
    sky,
    write,
)

FOLDER = Path(__file__).resolve().parent
ABOUT = {"noun": ["post", "posts"], "notice": ""}
Rng = np.random.Generator

# For every light: the sky from top to horizon, what is far, what is near, and the lamp in it.
LIGHTS: dict[str, tuple[list[Colour], Colour, Colour, Colour]] = {
    "morning": ([(108, 150, 200), (186, 200, 220), (250, 214, 190)], (150, 160, 190), (52, 66, 92), (255, 240, 214)),
    "noon": ([(38, 120, 205), (110, 180, 232), (206, 232, 244)], (120, 160, 180), (30, 84, 74), (255, 252, 230)),
    "dusk": ([(58, 38, 98), (190, 74, 104), (252, 158, 84)], (122, 62, 100), (36, 22, 52), (255, 214, 130)),
    "night": ([(6, 10, 30), (16, 28, 66), (44, 62, 110)], (30, 42, 82), (6, 10, 24), (238, 240, 250)),
}
SAID = {"morning": "early light", "noon": "broad daylight", "dusk": "golden hour", "night": "after dark"}
AUTHORS = ("mira.draws", "north.of.noon", "tuesday_walks", "paper.kites", "slow.fern", "old_harbour", "juno.sketches")


def _lamp(image: Image.Image, light: str, rng: Rng, low: float) -> tuple[float, float]:
    """Sun or moon with its glow; where it stands."""
    colour = LIGHTS[light][3]
    x = rng.uniform(0.2, 0.8)
    y = {"morning": low - 0.1, "noon": 0.16, "dusk": low - 0.05, "night": 0.2}[light]
    strong = 0.45 if light == "night" else 1.0
    glow(image, x, y, 0.22, colour, 0.55 * strong)
    glow(image, x, y, 0.09, colour, 0.7 * strong)
    disc(image, x, y, {"noon": 0.05, "night": 0.055}.get(light, 0.075), colour)
    if light == "night":
        for dx, dy, size in (
            (-0.018, -0.012, 0.012),
            (0.016, 0.01, 0.016),
            (0.006, -0.024, 0.007),
            (-0.012, 0.024, 0.008),
        ):
            disc(image, x + dx, y + dy, size, (206, 210, 226))
        _stars(image, rng, 90, low)
    return x, y


def _stars(image: Image.Image, rng: Rng, count: int, low: float) -> None:
    for _ in range(count):
        disc(image, rng.random(), rng.random() * low, rng.choice([0.0012, 0.0018, 0.003]), (236, 238, 255))


def mountains(light: str, rng: Rng) -> Image.Image:
    colours, far, near, _ = LIGHTS[light]
    image = sky(colours, 0.75)
    _lamp(image, light, rng, 0.5)
    for n in range(5):
        line = ridge(rng, 0.48 + 0.11 * n, 0.075 - 0.008 * n)
        tone = mix(far, near, n / 4)
        if n == 1 and light != "dusk":  # snow on the highest
            fill(image, line - 0.001, mix((245, 248, 255), far, 0.35 if light == "night" else 0.1))
            fill(image, line + 0.055 + 0.025 * np.sin(np.linspace(0, 90, BIG)), tone, mix(tone, colours[-1], 0.25))
        else:
            fill(image, line, tone, mix(tone, colours[-1], 0.35))
    return image


def sea(light: str, rng: Rng) -> Image.Image:
    colours, far, near, lamp = LIGHTS[light]
    low = 0.52
    image = sky(colours, low)
    x, _ = _lamp(image, light, rng, low)
    water = mix(mix(far, (20, 90, 140), 0.6), near, 0.25)
    fill(image, np.full(BIG, low), mix(water, colours[-1], 0.35), mix(water, near, 0.7))
    draw = ImageDraw.Draw(image)
    for n in range(90):  # the light on the water
        y = low + 0.008 + 0.46 * (n / 90) ** 1.4
        half = (0.02 + 0.16 * (y - low)) * rng.uniform(0.3, 1)
        at = x + rng.normal(0, 0.03 + 0.12 * (y - low))
        tone = mix(mix(water, colours[-1], 0.3), lamp, rng.uniform(0.35, 0.9))
        draw.rounded_rectangle([(at - half) * BIG, y * BIG, (at + half) * BIG, (y + 0.0055) * BIG], 6, fill=tone)
    at, size = (x + 0.36) % 0.7 + 0.15, rng.uniform(0.09, 0.13)
    y = low + 0.05
    sail, hull = mix((252, 250, 244), near, 0.35 if light == "night" else 0.05), mix((120, 40, 40), near, 0.4)
    polygon(image, [(at, y - size * 1.7), (at, y - 0.012), (at - size * 0.75, y - 0.012)], sail)
    polygon(
        image,
        [(at + 0.008, y - size * 1.45), (at + 0.008, y - 0.012), (at + size * 0.5, y - 0.012)],
        mix(sail, far, 0.3),
    )
    polygon(
        image,
        [(at - size * 0.8, y), (at + size * 0.65, y), (at + size * 0.4, y + 0.03), (at - size * 0.55, y + 0.03)],
        hull,
    )
    return image


def city(light: str, rng: Rng) -> Image.Image:
    colours, far, near, _ = LIGHTS[light]
    image = sky(colours, 0.85)
    _lamp(image, light, rng, 0.6)
    draw = ImageDraw.Draw(image)
    lit = {"morning": 0.08, "noon": 0.0, "dusk": 0.45, "night": 0.6}[light]
    for layer in range(3):
        tone, x = mix(far, near, layer / 2), -0.02
        while x < 1:
            wide = rng.uniform(0.07, 0.14)
            top = rng.uniform(0.32, 0.62) + 0.1 * layer
            draw.rectangle([x * BIG, top * BIG, (x + wide) * BIG, BIG], fill=tone)
            if rng.random() < 0.25:
                draw.line([(x + wide / 2) * BIG, (top - 0.07) * BIG, (x + wide / 2) * BIG, top * BIG], tone, 6)
            if layer:
                for wx in np.arange(x + 0.015, x + wide - 0.015, 0.022):
                    for wy in np.arange(top + 0.02, 1, 0.032):
                        on = rng.random() < lit
                        pane = mix((255, 214, 128), tone, 0.1) if on else mix(tone, colours[1], 0.22)
                        draw.rectangle([wx * BIG, wy * BIG, (wx + 0.011) * BIG, (wy + 0.017) * BIG], fill=pane)
            x += wide + rng.uniform(0.0, 0.02)
    return image


def forest(light: str, rng: Rng) -> Image.Image:
    colours, far, near, _ = LIGHTS[light]
    image = sky(colours, 0.8)
    _lamp(image, light, rng, 0.4)
    green = mix((34, 92, 60), near, {"noon": 0.0, "morning": 0.3}.get(light, 0.6))
    for layer in range(4):
        tone = mix(mix(far, colours[-1], 0.35), green, (layer + 1) / 4)
        base, size = 0.62 + 0.12 * layer, 0.2 + 0.09 * layer
        fill(image, np.full(BIG, base), mix(tone, colours[-1], 0.15), tone)
        for x in rng.permutation(np.arange(-0.03, 1.05, 0.085 + 0.02 * layer)):
            x, tall = x + rng.uniform(-0.03, 0.03), size * rng.uniform(0.7, 1.25)
            for part in range(5):
                top, wide = base + 0.02 - tall * (1 - part / 6.2), tall * (0.07 + 0.048 * part)
                polygon(image, [(x, top), (x + wide, top + tall * 0.3), (x - wide, top + tall * 0.3)], tone)
    return image


def desert(light: str, rng: Rng) -> Image.Image:
    colours, _, near, _ = LIGHTS[light]
    image = sky(colours, 0.6)
    _lamp(image, light, rng, 0.42)
    sand = mix((232, 178, 112), near, {"night": 0.72, "dusk": 0.35}.get(light, 0.05))
    for n in range(4):
        line = ridge(rng, 0.5 + 0.13 * n, 0.05, 2)
        fill(image, line, mix(sand, (255, 236, 200), 0.3 - 0.1 * n), mix(sand, near, 0.2 + 0.12 * n))
    tone = mix((44, 96, 62), near, {"noon": 0.0, "morning": 0.25}.get(light, 0.65))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(1, 4))):
        x, y, size = rng.uniform(0.12, 0.88), rng.uniform(0.78, 0.92), rng.uniform(0.13, 0.24)
        shadow(image, (x - size * 0.3, y - 0.01, x + size * 0.5, y + 0.02))
        thick = size * 0.14

        def limb(x0: float, y0: float, x1: float, y1: float, r: float = thick) -> None:
            draw.rounded_rectangle([(x0 - r) * BIG, y0 * BIG, (x1 + r) * BIG, y1 * BIG], r * BIG, fill=tone)

        limb(x, y - size, x, y)
        for side, up in ((-1, rng.uniform(0.4, 0.6)), (1, rng.uniform(0.5, 0.75))):
            arm = x + side * size * 0.36
            limb(min(x, arm), y - size * up, max(x, arm), y - size * up + thick * 1.5, thick * 0.7)
            limb(arm, y - size * (up + 0.3), arm, y - size * up + thick * 1.5, thick * 0.75)
    return image


def balloons(light: str, rng: Rng) -> Image.Image:
    colours, far, near, _ = LIGHTS[light]
    image = sky(colours, 0.9)
    _lamp(image, light, rng, 0.72)
    for n in range(3):
        fill(image, ridge(rng, 0.78 + 0.07 * n, 0.03, 3), mix(mix(far, (70, 130, 80), 0.4), near, n / 2.5))
    paints = [(222, 74, 62), (245, 182, 60), (48, 120, 190), (60, 160, 130), (160, 80, 160), (250, 240, 226)]
    draw = ImageDraw.Draw(image)
    for n, size in enumerate(sorted(rng.uniform(0.06, 0.17, int(rng.integers(3, 6))))):
        x, y = (0.14 + 0.22 * n + rng.uniform(-0.05, 0.05)) % 0.9 + 0.03, rng.uniform(0.18, 0.52)
        one, two = (mix(paints[i], near, 0.45 if light == "night" else 0.05) for i in rng.permutation(6)[:2])
        for k, share in enumerate((1, 0.78, 0.5, 0.2)):
            wide = size * share
            box = [(x - wide) * BIG, (y - size * 1.12) * BIG, (x + wide) * BIG, (y + size) * BIG]
            draw.ellipse(box, fill=one if k % 2 == 0 else two)
        polygon(
            image,
            [
                (x - size * 0.55, y + size * 0.78),
                (x + size * 0.55, y + size * 0.78),
                (x + size * 0.14, y + size * 1.35),
                (x - size * 0.14, y + size * 1.35),
            ],
            one,
        )
        for side in (-0.12, 0.12):
            draw.line(
                [(x + size * side) * BIG, (y + size * 1.3) * BIG, (x + size * side) * BIG, (y + size * 1.6) * BIG],
                near,
                3,
            )
        draw.rounded_rectangle(
            [(x - size * 0.16) * BIG, (y + size * 1.55) * BIG, (x + size * 0.16) * BIG, (y + size * 1.78) * BIG],
            6,
            fill=mix((120, 78, 44), near, 0.3),
        )
    return image


def aurora(light: str, rng: Rng) -> Image.Image:
    image = sky([(4, 8, 26), (8, 22, 48), (18, 48, 70)], 0.8)
    _stars(image, rng, 160, 0.75)
    tints = {
        "morning": ((90, 240, 200), (120, 170, 255)),
        "noon": ((70, 240, 150), (40, 200, 200)),
        "dusk": ((250, 90, 170), (150, 90, 240)),
        "night": ((60, 250, 150), (150, 80, 230)),
    }[light]
    x = np.linspace(0, 1, BIG)
    for tint in (*tints, tints[0]):
        middle = 0.35 + 0.1 * np.sin(2 * np.pi * (x * rng.uniform(0.6, 1.6) + rng.random())) + rng.uniform(-0.1, 0.1)
        rays = 0.55 + 0.45 * np.interp(x, np.linspace(0, 1, 60), rng.random(60))
        y = np.linspace(0, 1, BIG)[:, None] - middle[None]
        share = np.where(y > 0, np.exp(-y / 0.035), np.exp(y / 0.17)) * rays[None] * 0.62
        image.paste(Image.new("RGB", (BIG, BIG), tint), (0, 0), Image.fromarray((share * 255).astype(np.uint8)))
    for n in range(2):
        fill(image, ridge(rng, 0.74 + 0.1 * n, 0.05), mix((14, 30, 46), (4, 8, 16), n))
    return image


def coffee(light: str, rng: Rng) -> Image.Image:
    table = {"morning": (214, 190, 160), "noon": (238, 232, 222), "dusk": (150, 92, 66), "night": (58, 46, 52)}[light]
    grain = clouds(rng)[:, :1] @ np.ones((1, BIG)) + 0.25 * clouds(rng, octaves=6)
    wood = np.array(table)[None, None] * (0.84 + 0.16 * grain[..., None])
    image = Image.fromarray(np.clip(wood, 0, 255).astype(np.uint8))
    glow(image, rng.uniform(0, 1), 0.0, 0.4, (255, 244, 220), 0.3)
    cup = [(246, 242, 236), (52, 92, 120), (206, 96, 70), (84, 122, 92), (38, 38, 44)][int(rng.integers(5))]
    x, y, r = 0.5 + rng.uniform(-0.06, 0.06), 0.52 + rng.uniform(-0.06, 0.06), 0.27
    shadow(image, (x - r * 1.15, y - r * 1.0, x + r * 1.45, y + r * 1.5), 0.5, 0.035)
    disc(image, x, y, r * 1.28, mix(cup, (255, 255, 255), 0.18))
    disc(image, x, y, r * 1.2, mix(cup, (0, 0, 0), 0.1))
    shadow(image, (x - r * 0.8, y - r * 0.8, x + r * 1.08, y + r * 1.1), 0.4, 0.02)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(
        [(x + r * 0.7) * BIG, (y - 0.045) * BIG, (x + r * 1.22) * BIG, (y + 0.045) * BIG], 30, fill=cup
    )
    disc(image, x, y, r * 0.86, cup)
    disc(image, x, y, r * 0.78, mix(cup, (0, 0, 0), 0.22))
    disc(image, x, y, r * 0.74, (92, 54, 30))
    milk = (236, 214, 184)
    for n, share in enumerate(np.linspace(0.52, 0.14, 5)):  # a rosetta
        dy = r * (0.3 - 0.16 * n)
        for side in (-1, 1):
            draw.ellipse(
                [
                    (x + side * r * share * 0.42 - r * share * 0.52) * BIG,
                    (y + dy - r * 0.13) * BIG,
                    (x + side * r * share * 0.42 + r * share * 0.52) * BIG,
                    (y + dy + r * 0.1) * BIG,
                ],
                fill=milk,
            )
            draw.ellipse(
                [
                    (x + side * r * share * 0.42 - r * share * 0.44) * BIG,
                    (y + dy - r * 0.17) * BIG,
                    (x + side * r * share * 0.42 + r * share * 0.44) * BIG,
                    (y + dy + r * 0.01) * BIG,
                ],
                fill=(126, 80, 46),
            )
    draw.line([x * BIG, (y - r * 0.5) * BIG, x * BIG, (y + r * 0.42) * BIG], milk, 9)
    return image


def plant(light: str, rng: Rng) -> Image.Image:
    wall = {"morning": (238, 214, 200), "noon": (226, 236, 234), "dusk": (214, 140, 110), "night": (44, 56, 78)}[light]
    image = sky([mix(wall, (255, 255, 255), 0.12), mix(wall, (0, 0, 0), 0.06)])
    fill(image, np.full(BIG, 0.8), mix(wall, (90, 60, 40), 0.4), mix(wall, (60, 40, 30), 0.5))
    x, top, wide = 0.5, 0.62, 0.15
    shadow(image, (x - 0.16, 0.83, x + 0.26, 0.9), 0.4)
    pot = [(206, 104, 70), (240, 236, 228), (64, 94, 122), (226, 176, 72), (60, 60, 66)][int(rng.integers(5))]
    pot = mix(pot, (16, 20, 40), 0.4 if light == "night" else 0)
    leaf = mix(
        [(52, 122, 74), (96, 148, 72), (36, 92, 80), (132, 154, 96)][int(rng.integers(4))],
        (10, 20, 40),
        0.4 if light == "night" else 0,
    )
    kind, count = rng.choice(["fern", "round", "sword"]), int(rng.integers(9, 14))
    for angle in rng.permutation(np.linspace(-1.25, 1.25, count)):
        tone, long = mix(leaf, (255, 255, 210), rng.uniform(0, 0.25)), rng.uniform(0.3, 0.46) * (1 - 0.22 * abs(angle))
        t = np.linspace(0, 1, 30)
        bend = angle * (0.55 + 0.55 * t)
        px, py = x + long * t * np.sin(bend), top - long * t * np.cos(bend) + 0.05 * t**2
        if kind == "round":
            ImageDraw.Draw(image).line(
                [(a * BIG, b * BIG) for a, b in zip(px, py, strict=True)], mix(tone, (0, 0, 0), 0.2), 6
            )
            disc(image, px[-1], py[-1], long * 0.2, tone)
        else:
            half = (0.036 if kind == "sword" else 0.022) * np.sin(np.pi * np.clip(t * 0.92 + 0.06, 0, 1))
            nx, ny = np.cos(bend), np.sin(bend)
            left = list(zip(px - half * nx, py - half * ny, strict=True))
            right = list(zip(px + half * nx, py + half * ny, strict=True))
            polygon(image, [*left, *right[::-1]], tone)
            if kind == "fern":
                for a, b, way in zip(px[3::2], py[3::2], bend[3::2], strict=True):
                    for side in (-1, 1):
                        tip = (a + 0.055 * np.sin(way + side), b - 0.055 * np.cos(way + side))
                        ImageDraw.Draw(image).line([a * BIG, b * BIG, tip[0] * BIG, tip[1] * BIG], tone, 11)
    polygon(image, [(x - wide, top), (x + wide, top), (x + wide * 0.72, 0.87), (x - wide * 0.72, 0.87)], pot)
    polygon(
        image,
        [(x + wide * 0.35, top), (x + wide, top), (x + wide * 0.72, 0.87), (x + wide * 0.3, 0.87)],
        mix(pot, (0, 0, 0), 0.12),
    )
    polygon(
        image,
        [
            (x - wide * 1.1, top - 0.03),
            (x + wide * 1.1, top - 0.03),
            (x + wide * 1.1, top + 0.03),
            (x - wide * 1.1, top + 0.03),
        ],
        mix(pot, (255, 255, 255), 0.12),
    )
    return image


def cat(light: str, rng: Rng) -> Image.Image:
    colours, far, near, _ = LIGHTS[light]
    image = sky(colours, 0.8)
    _lamp(image, light, rng, 0.5)
    for n in range(2):
        fill(image, ridge(rng, 0.6 + 0.08 * n, 0.04, 3), mix(far, near, 0.25 * n))
    frame = mix((244, 238, 228), near, {"night": 0.55, "dusk": 0.3}.get(light, 0.04))
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, 0, BIG, BIG], outline=frame, width=44)
    draw.rectangle([BIG // 2 - 12, 0, BIG // 2 + 12, BIG], fill=frame)
    draw.rectangle([0, int(0.82 * BIG), BIG, BIG], fill=mix(frame, (120, 80, 60), 0.18))
    draw.rectangle([0, int(0.82 * BIG), BIG, int(0.835 * BIG)], fill=mix(frame, (255, 255, 255), 0.5))
    coat = mix(
        [(38, 34, 40), (206, 120, 52), (120, 116, 120), (236, 226, 210)][int(rng.integers(4))],
        near,
        0.3 if light in ("dusk", "night") else 0.05,
    )
    x, flip, base = rng.uniform(0.3, 0.7), rng.choice([-1, 1]), 0.84
    shadow(image, (x - 0.16, base - 0.02, x + 0.2, base + 0.03), 0.4)
    for a in np.linspace(0, 1, 40):  # tail
        disc(
            image,
            x + flip * (0.1 + 0.16 * a),
            base - 0.03 - 0.1 * a**2 + 0.05 * np.sin(3 * a),
            0.022 - 0.006 * a,
            mix(coat, (0, 0, 0), 0.12),
        )
    draw.ellipse([(x - 0.13) * BIG, (base - 0.33) * BIG, (x + 0.13) * BIG, (base + 0.02) * BIG], fill=coat)
    draw.ellipse([(x - 0.155) * BIG, (base - 0.17) * BIG, (x + 0.155) * BIG, (base + 0.02) * BIG], fill=coat)
    hx, hy = x - flip * 0.03, base - 0.38
    draw.ellipse([(hx - 0.105) * BIG, (hy - 0.09) * BIG, (hx + 0.105) * BIG, (hy + 0.09) * BIG], fill=coat)
    for side in (-1, 1):
        polygon(
            image, [(hx + side * 0.1, hy - 0.02), (hx + side * 0.098, hy - 0.15), (hx + side * 0.02, hy - 0.075)], coat
        )
        polygon(
            image,
            [(hx + side * 0.085, hy - 0.05), (hx + side * 0.086, hy - 0.12), (hx + side * 0.045, hy - 0.075)],
            mix(coat, (220, 130, 130), 0.5),
        )
        eye = (206, 226, 110)
        draw.ellipse(
            [
                (hx + side * 0.045 - 0.022) * BIG,
                (hy - 0.012) * BIG,
                (hx + side * 0.045 + 0.022) * BIG,
                (hy + 0.022) * BIG,
            ],
            fill=eye,
        )
        draw.ellipse(
            [
                (hx + side * 0.045 - 0.006) * BIG,
                (hy - 0.011) * BIG,
                (hx + side * 0.045 + 0.006) * BIG,
                (hy + 0.021) * BIG,
            ],
            fill=(16, 16, 20),
        )
    polygon(image, [(hx - 0.012, hy + 0.032), (hx + 0.012, hy + 0.032), (hx, hy + 0.046)], (206, 120, 120))
    return image


KINDS: dict[str, tuple[Callable[[str, Rng], Image.Image], list[str], list[str]]] = {
    "mountains": (
        mountains,
        ["Up before everybody else", "The long way over the pass", "Nothing up here but wind", "Counting ridges again"],
        ["hiking", "peaks", "outdoors"],
    ),
    "sea": (
        sea,
        ["One boat, no plans", "Salt on everything", "The wind dropped and we stayed", "Back in the harbour by supper"],
        ["sailing", "coast", "outdoors"],
    ),
    "city": (
        city,
        [
            "Every window is a story",
            "Looking out from the roof",
            "The last tram home",
            "My street from across the river",
        ],
        ["skyline", "urban", "architecture"],
    ),
    "forest": (
        forest,
        ["Quiet between the pines", "Follow the mist", "Smells of resin and rain", "A path with no signs"],
        ["pines", "woods", "outdoors"],
    ),
    "desert": (
        desert,
        ["Sand in both shoes", "The cactus was here first", "Two days without a road", "Dunes all the way down"],
        ["dunes", "cactus", "roadtrip"],
    ),
    "balloons": (
        balloons,
        ["They all went up at once", "Colour everywhere you look", "Caught the balloon festival", "Floating, mostly"],
        ["balloonfestival", "colourful", "travel"],
    ),
    "aurora": (
        aurora,
        [
            "The sky would not sit still",
            "Worth the frozen toes",
            "Northern lights, no filter",
            "It went on until three",
        ],
        ["northernlights", "stars", "winter"],
    ),
    "coffee": (
        coffee,
        ["First one of the day", "A leaf in the milk, finally", "Good table, good cup", "Ten minutes of nothing"],
        ["latteart", "cafe", "slowmornings"],
    ),
    "plants": (
        plant,
        ["New leaf this week", "It likes the window side", "Repotted and proud", "I may have too many of these"],
        ["houseplants", "green", "home"],
    ),
    "cats": (
        cat,
        ["She owns the windowsill", "Bird television", "Not moving until dinner", "Judging the neighbours"],
        ["catsofthefeed", "windowsill", "home"],
    ),
}

# What is said in Chinese: captions in the order of KINDS, then the words of every column.
CAPTIONS_ZH: dict[str, list[str]] = {
    "mountains": ["比谁都起得早", "翻过山口的那条远路", "山顶上只有风", "又在数山脊"],
    "sea": ["一条船，没有计划", "到处都是海盐味", "风停了，我们就留下了", "晚饭前回到了港口"],
    "city": ["每扇窗都有故事", "从屋顶往外看", "末班电车回家", "从河对岸看我住的街"],
    "forest": ["松林里很安静", "跟着雾走", "松脂和雨的味道", "没有路牌的小径"],
    "desert": ["两只鞋里都是沙", "仙人掌先来的", "两天没见到公路", "一路都是沙丘"],
    "balloons": ["它们一起升空了", "满眼都是颜色", "赶上了热气球节", "大部分时间都在飘"],
    "aurora": ["天空一刻不停", "脚冻僵也值得", "极光，没加滤镜", "一直持续到三点"],
    "coffee": ["今天的第一杯", "终于拉出了叶子", "好桌子，好杯子", "十分钟的空白"],
    "plants": ["这周长了新叶", "它喜欢窗边", "换了盆，很得意", "我好像养得太多了"],
    "cats": ["窗台是她的", "看鸟就是看电视", "开饭前不动", "在评判邻居"],
}
SAID_ZH = {"morning": "清晨", "noon": "白天", "dusk": "黄昏", "night": "夜晚"}
CHINESE: dict[str, dict[str, str]] = {
    "name": {"posts": "动态"},
    "noun": {"post": "帖子", "posts": "帖子"},
    "column": {"light": "光线", "hashtags": "话题", "author": "作者", "likes": "点赞"},
    "category": {
        "Mountains": "山",
        "Sea": "大海",
        "City": "城市",
        "Forest": "森林",
        "Desert": "沙漠",
        "Balloons": "热气球",
        "Aurora": "极光",
        "Coffee": "咖啡",
        "Plants": "绿植",
        "Cats": "猫",
    },
    "light": SAID_ZH,
    "hashtags": {
        "hiking": "徒步",
        "peaks": "山峰",
        "outdoors": "户外",
        "sailing": "帆船",
        "coast": "海岸",
        "skyline": "天际线",
        "urban": "都市",
        "architecture": "建筑",
        "pines": "松树",
        "woods": "树林",
        "dunes": "沙丘",
        "cactus": "仙人掌",
        "roadtrip": "公路旅行",
        "balloonfestival": "热气球节",
        "colourful": "多彩",
        "travel": "旅行",
        "northernlights": "北极光",
        "stars": "星空",
        "winter": "冬天",
        "latteart": "拉花",
        "cafe": "咖啡馆",
        "slowmornings": "慢早晨",
        "houseplants": "室内植物",
        "green": "绿色",
        "home": "居家",
        "catsofthefeed": "云吸猫",
        "windowsill": "窗台",
        **SAID_ZH,
        "earlylight": "晨光",
        "broaddaylight": "大白天",
        "goldenhour": "黄金时刻",
        "afterdark": "天黑以后",
    },
}


def rows() -> list[dict[str, str]]:
    """160 posts: every kind in every light, four times."""
    made, rng = [], np.random.default_rng(7)
    for kind, (_, captions, tags) in KINDS.items():
        shown = CHINESE["category"][kind.capitalize()]
        for light in LIGHTS:
            for n, caption in enumerate(captions):
                name = f"{kind}-{light}-{n + 1}"
                words = [*tags, light, SAID[light].replace(" ", "")]
                made.append(
                    {
                        "id": name,
                        "image": f"images/{name}.webp",
                        "title": f"{caption}: {kind} in {SAID[light]}" if kind != "aurora" else f"{caption}: aurora",
                        "description": f"{caption}. " + " ".join(f"#{word}" for word in words),
                        "category": kind.capitalize(),
                        "light": "night" if kind == "aurora" else light,
                        "hashtags": "|".join(words),
                        "author": AUTHORS[int(rng.integers(len(AUTHORS)))],
                        "likes": str(int(rng.lognormal(5, 1))),
                        "title_zh": f"{CAPTIONS_ZH[kind][n]}："
                        + ("极光" if kind == "aurora" else f"{SAID_ZH[light]}的{shown}"),
                        "description_zh": f"{CAPTIONS_ZH[kind][n]}。"
                        + " ".join(f"#{CHINESE['hashtags'][word]}" for word in words),
                    }
                )
    return made


def pictures() -> list[Image.Image]:
    """One picture for each row."""
    kinds = list(KINDS)
    return [
        finish(KINDS[kind][0](light, np.random.default_rng([kinds.index(kind), list(LIGHTS).index(light), n])))
        for kind in kinds
        for light in LIGHTS
        for n in range(4)
    ]


if __name__ == "__main__":
    write(FOLDER, rows(), pictures(), ABOUT, CHINESE)

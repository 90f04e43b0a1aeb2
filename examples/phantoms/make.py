"""An atlas of phantoms: drawings in the manner of medical pictures, each with a finding. Synthetic, not for diagnosis.

Every number in them is made up; no picture of a person was used. python -m examples.phantoms.make draws it anew, the
same every time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from examples.drawing import SIDE, Array, clouds, write

FOLDER = Path(__file__).resolve().parent
NOTICE = "Synthetic drawings, not for diagnosis."
ABOUT = {"noun": ["case", "cases"], "notice": NOTICE}
CHINESE: dict[str, dict[str, str]] = {
    "name": {"phantoms": "模拟影像"},
    "noun": {"case": "病例", "cases": "病例"},
    "notice": {NOTICE: "合成示意图，不可用于诊断。"},
    "column": {
        "modality": "成像方式",
        "region": "部位",
        "finding": "发现",
        "side": "侧别",
        "size": "大小",
        "origin": "来源",
    },
    "category": {
        "CT head": "头部 CT",
        "X-ray chest": "胸部 X 光",
        "X-ray forearm": "前臂 X 光",
        "Ultrasound abdomen": "腹部超声",
        "Retina photo eye": "眼底照片",
    },
    "modality": {"CT": "CT", "X-ray": "X 光", "Ultrasound": "超声", "Retina photo": "眼底照相"},
    "region": {"head": "头部", "chest": "胸部", "forearm": "前臂", "abdomen": "腹部", "eye": "眼底"},
    "finding": {
        "haemorrhage": "出血",
        "infarct": "梗死",
        "mass": "肿块",
        "wide ventricles": "脑室扩大",
        "no finding": "未见异常",
        "nodule": "结节",
        "pneumonia": "肺炎",
        "effusion": "积液",
        "pneumothorax": "气胸",
        "large heart": "心影增大",
        "fracture": "骨折",
        "bone cyst": "骨囊肿",
        "plate and screws": "钢板螺钉",
        "cyst": "囊肿",
        "gallstone": "胆结石",
        "solid mass": "实性肿块",
        "bleeding spots": "出血点",
        "yellow spots": "黄色斑点",
        "wide cup": "视杯扩大",
    },
    "side": {"left": "左侧", "right": "右侧"},
    "size": {"small": "小", "medium": "中等", "large": "大"},
    "origin": {"synthetic": "合成"},
}
Rng = np.random.Generator
YY, XX = (np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2) / (SIDE / 2)  # from -1 to 1
SIZES = {"small": 0.045, "medium": 0.075, "large": 0.115}
MILLIMETRES = {"small": 6, "medium": 14, "large": 27}


@dataclass(frozen=True)
class Finding:
    """What is drawn into a phantom: where (-1 to 1), how large, and how it is said."""

    name: str
    side: str
    size: str

    @property
    def sign(self) -> int:
        """-1 where the reader sees it on the left of the picture, which is the right of the body."""
        return -1 if self.side == "right" else 1

    @property
    def radius(self) -> float:
        """Half its width."""
        return SIZES.get(self.size, 0.08)


def blob(x: float, y: float, rx: float, ry: float, angle: float = 0.0, edge: float = 0.02) -> Array:
    """An ellipse from 1 inside to 0 outside, its edge soft."""
    c, s = np.cos(angle), np.sin(angle)
    u, v = ((XX - x) * c + (YY - y) * s) / rx, (-(XX - x) * s + (YY - y) * c) / ry
    return 1 / (1 + np.exp(np.clip((np.hypot(u, v) - 1) * min(rx, ry) / edge * 2, -50, 50)))


def blurred(picture: Array, pixels: float) -> Array:
    """Smoothed."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(pixels)), float) / 255


def line(points: list[tuple[float, float]], width: float) -> Array:
    """A polyline of a width, from 0 to 1."""
    mask = Image.new("L", (SIDE, SIDE))
    at = [((x + 1) / 2 * SIDE, (y + 1) / 2 * SIDE) for x, y in points]
    ImageDraw.Draw(mask).line(at, fill=255, width=max(1, round(width * SIDE / 2)), joint="curve")
    return np.asarray(mask, float) / 255


def head(found: Finding, rng: Rng) -> Array:
    """An axial slice of a head, as computed tomography shows it."""
    wide, tall = rng.uniform(0.64, 0.7), rng.uniform(0.8, 0.86)
    picture = 0.16 * blob(0, 0, wide + 0.045, tall + 0.045, edge=0.01)
    picture = picture + (0.97 - picture) * blob(0, 0, wide, tall, edge=0.006)
    inside = blob(0, 0, wide - 0.07, tall - 0.075, edge=0.006)
    ripple = clouds(rng, SIDE, 6)
    folds = np.abs(np.sin(9 * np.arctan2(YY, XX) + 16 * np.hypot(XX, YY) + 5 * ripple)) * (
        np.hypot(XX / wide, YY / tall) > 0.52
    )
    brain = 0.40 + 0.06 * (ripple - 0.5) - 0.09 * (folds < 0.22)
    picture = picture * (1 - inside) + brain * inside
    shift = -0.05 * found.sign if found.name == "haemorrhage" and found.size == "large" else 0.0
    for side in (-1, 1):  # ventricles
        swell = 1.7 if found.name == "wide ventricles" else 1.0
        horn = blob(side * 0.1 * swell + shift, -0.12, 0.055 * swell, 0.2 * swell, side * -0.28, 0.012)
        picture -= 0.27 * horn + 0.24 * blob(
            side * 0.13 * swell + shift, 0.22, 0.045 * swell, 0.14 * swell, side * 0.35, 0.012
        )
    picture += 0.05 * line([(shift * 0.2, -tall + 0.1), (shift, -0.3)], 0.012) * inside
    x, y = found.sign * rng.uniform(0.3, 0.38), rng.uniform(-0.2, 0.25)
    r = found.radius * 1.25
    if found.name == "haemorrhage":
        spot = blob(x, y, r * 1.25, r, rng.uniform(-1, 1), 0.012)
        picture = picture - 0.12 * blob(x, y, r * 1.9, r * 1.6, 0, 0.03) * (1 - spot) + 0.42 * spot
    elif found.name == "infarct":
        picture -= 0.17 * blob(x + found.sign * 0.1, y, r * 1.6, r * 2.0, 0.3, 0.03) * inside
    elif found.name == "mass":
        picture -= 0.1 * blob(x, y, r * 1.9, r * 1.7, 0.4, 0.04)
        picture += 0.3 * blob(x, y, r, r, 0, 0.012) - 0.24 * blob(x, y, r * 0.55, r * 0.55, 0, 0.012)
    return picture + rng.normal(0, 0.022, picture.shape)


def chest(found: Finding, rng: Rng) -> Array:
    """A chest from the front, as a radiograph shows it."""
    picture = 0.78 * blob(0, 0.35, 0.98, 1.35, edge=0.03) * (0.85 + 0.15 * blob(0, 0.3, 0.75, 1.1, edge=0.2))
    picture *= 1 - 0.75 * blob(-1.0, -1.05, 0.55, 0.34, 0.5, 0.05) - 0.75 * blob(1.0, -1.05, 0.55, 0.34, -0.5, 0.05)
    lungs = np.zeros_like(picture)
    for side in (-1, 1):
        lung = blob(side * 0.42, -0.05, 0.33, 0.66, side * -0.1, 0.02)
        floor = 0.5 + 0.05 * (side < 0) * -1
        lungs = np.maximum(lungs, lung * (1 / (1 + np.exp((YY - floor - 0.12 * (XX - side * 0.4) ** 2 * 4) / 0.012))))
    collapsed = np.zeros_like(picture)
    vessels = np.zeros_like(picture)
    for side in (-1, 1):
        for _ in range(15):
            x, y, way = side * 0.16, rng.uniform(-0.15, 0.15), rng.uniform(-1.35, 1.35)
            points = [(x, y)]
            for _ in range(6):
                way += rng.normal(0, 0.22)
                x, y = x + side * 0.075 * np.cos(way), y + 0.085 * np.sin(way)
                points.append((x, y))
            vessels = np.maximum(vessels, line(points, 0.018) * 0.6)
    picture -= lungs * (0.5 - 0.16 * blurred(vessels, 2.2) - 0.06 * clouds(rng, SIDE))
    picture += 0.14 * blob(0, 0, 0.1, 1.1, edge=0.02) - 0.12 * blob(0, -0.75, 0.045, 0.35, edge=0.012)
    picture += 0.24 * blob(0.12, 0.3, 0.27 if found.name != "large heart" else 0.42, 0.28, 0.55, 0.03) * (YY < 0.62)
    for side in (-1, 1):
        for n in range(9):  # ribs
            t = np.linspace(0, 1, 24)
            x = side * (0.1 + 0.76 * np.sin(t * 1.75))
            y = -0.82 + 0.155 * n + 0.3 * t**1.6 - 0.1 * np.sin(t * np.pi)
            picture += 0.085 * blurred(line(list(zip(x, y, strict=True)), 0.05), 1.6)
        t = np.linspace(0, 1, 20)
        bar = list(zip(side * (0.08 + 0.72 * t), -0.72 - 0.12 * np.sin(t * 3) - 0.04 * t, strict=True))
        picture += 0.16 * blurred(line(bar, 0.065), 1.5)
    x, y, r = found.sign * rng.uniform(0.38, 0.5), rng.uniform(-0.35, 0.2), found.radius
    if found.name == "nodule":
        picture += 0.26 * blob(x, y, r * 0.9, r * 0.9, 0, 0.012)
    elif found.name == "pneumonia":
        cloud = blurred((clouds(rng, SIDE, 6) > 0.45).astype(float), 5)
        picture += 0.34 * blob(x, y, r * 2.4, r * 2.2, 0.2, 0.07) * lungs * (0.35 + 0.65 * cloud)
    elif found.name == "effusion":
        level = 0.42 - 3.2 * (r - 0.045)
        picture += (
            0.4
            * lungs
            * (np.sign(XX) == found.sign)
            / (1 + np.exp(-(YY - level + 0.35 * (np.abs(XX) - 0.42) ** 1) / 0.02))
        )
    elif found.name == "pneumothorax":
        outer = lungs * (
            1 - blob(found.sign * (0.36 - r * 0.8), 0.02, 0.3 - r * 0.5, 0.58 - r * 0.5, found.sign * -0.1, 0.006)
        )
        collapsed = outer * (np.sign(XX) == found.sign)
        picture -= 0.15 * collapsed
    return picture + rng.normal(0, 0.014, picture.shape)


def bone(found: Finding, rng: Rng) -> Array:
    """The two bones of a forearm, as a radiograph shows them."""
    lean = rng.uniform(-0.12, 0.12)
    t = np.linspace(-1.15, 1.15, 60)
    limb = 0.2 * blob(lean * 0.2, 0, 0.52, 2.2, lean, 0.05)
    picture = limb + 0.08 * blob(lean * 0.2, 0, 0.36, 2.2, lean, 0.1)
    broken = found.sign
    for side, width in ((-1, 0.115), (1, 0.135)):
        centre = side * (0.17 + 0.05 * np.cos(t * 1.4)) + lean * -t
        wide = width * (1 + 0.75 * np.clip(np.abs(t) - 0.5, 0, 1) ** 1.5 * (1.2 if side * 1.0 > 0 else 0.7))
        gap = rng.uniform(-0.25, 0.3)
        offset = np.zeros_like(t)
        if found.name == "fracture" and side == broken:
            offset = np.where(t > gap, found.radius * 0.9, 0.0) * side
        for share, bright in ((1.0, 0.42), (0.86, 0.14), (0.62, -0.13)):
            xs = np.interp(YY[:, 0], t, centre + offset)[:, None]
            ws = np.interp(YY[:, 0], t, wide)[:, None] * share
            picture += bright / (1 + np.exp((np.abs(XX - xs) - ws) / 0.01))
        middle = float(np.interp(gap, t, centre))
        if found.name == "fracture" and side == broken:
            crack = [
                (middle - 0.22 + 0.44 * a, gap + 0.06 * (a - 0.5) + 0.035 * (-1) ** n)
                for n, a in enumerate(np.linspace(0, 1, 7))
            ]
            picture -= 0.5 * blurred(line(crack, 0.03 + found.radius * 0.14), 1.0) * (picture > 0.42)
        elif found.name == "bone cyst" and side == broken:
            r = found.radius
            picture -= 0.24 * blob(middle, gap, min(r, 0.105), r * 1.7, 0, 0.012)
            picture += 0.1 * (
                blob(middle, gap, min(r, 0.105) * 1.12, r * 1.85, 0, 0.01)
                - blob(middle, gap, min(r, 0.105), r * 1.7, 0, 0.01)
            )
        elif found.name == "plate and screws" and side == broken:
            long = 0.22 + found.radius * 3.2
            picture += 0.75 * line([(middle + side * 0.1, gap - long), (middle + side * 0.1, gap + long)], 0.07)
            for y in np.linspace(gap - long * 0.85, gap + long * 0.85, 6):
                picture += 0.75 * line([(middle + side * 0.13, y), (middle - side * 0.09, y)], 0.03)
    picture += 0.05 * clouds(rng, SIDE, 6) * (picture > 0.3)
    return picture + rng.normal(0, 0.013, picture.shape)


def ultrasound(found: Finding, rng: Rng) -> Array:
    """A fan of speckle, as ultrasound shows soft tissue."""
    y0 = -1.12
    depth, angle = np.hypot(XX, YY - y0), np.arctan2(XX, YY - y0)
    fan = (np.abs(angle) < 0.66) & (depth > 0.3) & (depth < 1.98)
    tissue = 0.42 + 0.26 * (clouds(rng, SIDE, 4) - 0.5) + 0.1 * np.sin(depth * 15 + 3 * clouds(rng, SIDE, 3))
    x, y, r = found.sign * rng.uniform(0.12, 0.26), rng.uniform(-0.05, 0.25), found.radius * 1.9
    beyond = (np.abs(angle - np.arctan2(x, y - y0)) < r / 1.35) & (depth > np.hypot(x, y - y0))
    if found.name == "cyst":
        spot = blob(x, y, r * 1.1, r * 0.9, rng.uniform(-0.4, 0.4), 0.012)
        tissue = (tissue + 0.2 * blurred(beyond.astype(float), 6)) * (1 - spot) + 0.03 * spot
        tissue += 0.3 * (blob(x, y, r * 1.18, r * 0.98, 0, 0.012) - blob(x, y, r * 1.08, r * 0.88, 0, 0.012)).clip(0)
    elif found.name == "gallstone":
        bag = blob(0.02, 0.1, 0.46, 0.24, -0.35, 0.014)
        tissue = tissue * (1 - bag) + 0.04 * bag
        sx, sy = found.sign * 0.16 + 0.02, 0.17 - found.sign * 0.05
        way = np.arctan2(sx, sy - y0)
        dark = (np.abs(angle - way) < found.radius / 1.2) & (depth > np.hypot(sx, sy - y0))
        tissue = tissue * (1 - 0.85 * blurred(dark.astype(float), 3))
        tissue += 0.9 * blob(sx, sy, found.radius * 1.25, found.radius * 0.8, 0, 0.012)
    elif found.name == "solid mass":
        spot = blob(x, y, r * 1.2, r * 0.95, rng.uniform(-0.6, 0.6), 0.03)
        tissue -= 0.2 * spot * (0.6 + 0.8 * clouds(rng, SIDE, 5))
    speckle = rng.rayleigh(0.8, (SIDE, SIDE))
    picture = blurred(np.clip(tissue * speckle * 0.8, 0, 1), 0.9) * np.exp(-0.28 * (depth - 0.3))
    return np.where(fan, picture * 1.25, 0.0)


def fundus(found: Finding, rng: Rng) -> Array:
    """The back of an eye in colour."""
    eye = blob(0, -0.02, 0.88, 0.88, edge=0.008)
    shade = 0.72 + 0.28 * blob(0.1, 0, 0.7, 0.7, 0, 0.25) + 0.1 * (clouds(rng, SIDE, 5) - 0.5)
    picture = np.stack([0.84 * shade, 0.40 * shade, 0.20 * shade], -1)

    def paint(mask: Array, colour: tuple[float, float, float]) -> None:
        picture[:] = picture * (1 - mask[..., None]) + np.array(colour) * mask[..., None]

    dx, dy = found.sign * 0.42, rng.uniform(-0.06, 0.04)
    paint(0.45 * blob(-found.sign * 0.2, 0.02, 0.17, 0.16, 0, 0.07), (0.45, 0.14, 0.07))
    for up in (-1, 1):
        for way in (-1, 1):
            for start, thick in ((0.9, 0.028), (0.45, 0.022), (1.25, 0.02)):
                x, y, angle, points = dx, dy, start, [(dx, dy)]
                for step in range(18):
                    angle += rng.normal(-0.05 if way == -found.sign else 0.0, 0.13)
                    x, y = x + way * 0.062 * np.cos(angle), y + up * 0.062 * np.sin(angle)
                    points.append((x, y))
                    if step in (6, 11):
                        side = [(x, y)]
                        for _ in range(8):
                            side.append(
                                (
                                    side[-1][0] + way * 0.05 * np.cos(angle + 0.7),
                                    side[-1][1] + up * 0.05 * np.sin(angle + 0.7),
                                )
                            )
                        paint(0.55 * blurred(line(side, thick * 0.5), 0.8), (0.5, 0.1, 0.08))
                paint(
                    0.75 * blurred(line(points, thick), 0.9), (0.52, 0.1, 0.08) if thick > 0.021 else (0.68, 0.2, 0.12)
                )
    cup = {"small": 0.05, "medium": 0.085, "large": 0.115}.get(found.size, 0.05) if found.name == "wide cup" else 0.05
    paint(blob(dx, dy, 0.145, 0.16, 0, 0.012), (0.97, 0.74, 0.42))
    paint(blob(dx, dy, cup, cup * 1.1, 0, 0.012), (1.0, 0.93, 0.74))
    count = {"small": 6, "medium": 16, "large": 34}.get(found.size, 0)
    if found.name in ("bleeding spots", "yellow spots"):
        for _ in range(count):
            a, d = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.62)
            r = rng.uniform(0.012, 0.034)
            spot = blob(d * np.cos(a), d * np.sin(a), r * rng.uniform(0.8, 1.5), r, rng.uniform(0, 3), 0.008)
            paint(0.9 * spot, (0.38, 0.03, 0.03) if found.name == "bleeding spots" else (0.98, 0.86, 0.42))
    return np.clip(picture + rng.normal(0, 0.012, picture.shape), 0, 1) * eye[..., None]


# What is drawn, how the picture is called, the region, and its findings: where sides and sizes mean something.
KINDS: dict[str, tuple[Callable[[Finding, Rng], Array], str, str, list[str]]] = {
    "head": (head, "CT", "head", ["haemorrhage", "infarct", "mass", "wide ventricles"]),
    "chest": (chest, "X-ray", "chest", ["nodule", "pneumonia", "effusion", "pneumothorax", "large heart"]),
    "bone": (bone, "X-ray", "forearm", ["fracture", "bone cyst", "plate and screws"]),
    "ultrasound": (ultrasound, "Ultrasound", "abdomen", ["cyst", "gallstone", "solid mass"]),
    "fundus": (fundus, "Retina photo", "eye", ["bleeding spots", "yellow spots", "wide cup"]),
}
WITHOUT_SIDE, WITHOUT_SIZE = ("wide ventricles", "large heart"), ("wide ventricles", "large heart")


def cases() -> list[tuple[str, Finding]]:
    """Every finding on both sides in three sizes; findings without them, and what is unremarkable, several times."""
    made = []
    for kind, (_, _, _, findings) in KINDS.items():
        for name in findings:
            if name in WITHOUT_SIZE:
                made += [(kind, Finding(name, "", "")) for _ in range(4)]
            else:
                made += [(kind, Finding(name, side, size)) for side in ("left", "right") for size in SIZES]
        made += [(kind, Finding("no finding", side if kind == "fundus" else "", "")) for side in ("left", "right") * 3]
    return made


def rows() -> list[dict[str, str]]:
    """One row for each case; every title says that it is a phantom."""
    made, seen, said = [], dict[str, int](), CHINESE
    for kind, found in cases():
        _, modality, region, _ = KINDS[kind]
        base = "-".join(filter(None, (kind, found.name.replace(" ", "-"), found.side, found.size)))
        seen[base] = seen.get(base, 0) + 1
        name = f"{base}-{seen[base]}"
        where = f", {found.side}" if found.side else ""
        size = f", {found.size}" if found.size else ""
        about = (
            f", about {MILLIMETRES[found.size]} mm" if found.size and kind in ("head", "chest", "ultrasound") else ""
        )
        about_zh = f"，约 {MILLIMETRES[found.size]} 毫米" if about else ""
        made.append(
            {
                "id": name,
                "image": f"images/{name}.webp",
                "title": f"{modality} phantom, {region}: {found.name}{size}{where}",
                "description": f"A drawn {region} in the manner of {modality}: {found.name}{where}{about}. {NOTICE}",
                "category": f"{modality} {region}",
                "modality": modality,
                "region": region,
                "finding": found.name,
                "side": found.side,
                "size": found.size,
                "origin": "synthetic",
                "title_zh": _in_chinese(modality, region, found),
                "description_zh": f"模拟绘图，仿{said['category'][f'{modality} {region}']}："
                f"{said['finding'][found.name]}{about_zh}。{said['notice'][NOTICE]}",
            }
        )
    return made


def _in_chinese(modality: str, region: str, found: Finding) -> str:
    said = [
        CHINESE["finding"][found.name],
        *(CHINESE[c][v] for c, v in (("size", found.size), ("side", found.side)) if v),
    ]
    return f"模拟{CHINESE['category'][f'{modality} {region}']}：" + "，".join(said)


def pictures() -> list[Image.Image]:
    """One picture for each row, its label drawn into it."""
    made = []
    for number, (kind, found) in enumerate(cases()):
        drawn = KINDS[kind][0](found, np.random.default_rng([11, number]))
        image = Image.fromarray((np.clip(drawn, 0, 1) * 255).round().astype(np.uint8)).convert("RGB")
        made.append(_labelled(image))
    return made


def _labelled(image: Image.Image) -> Image.Image:
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    draw.rectangle([0, SIDE - 24, SIDE, SIDE], fill=(0, 0, 0))
    draw.text((SIDE / 2, SIDE - 12), "SYNTHETIC  ·  NOT FOR DIAGNOSIS", fill=(255, 214, 110), font=font, anchor="mm")
    return image


if __name__ == "__main__":
    write(FOLDER, rows(), pictures(), ABOUT, CHINESE)

"""A line chart as a picture, drawn with Pillow: enough for a report, and nothing more to install."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 720)
EDGE = (110, 40, 300, 90)  # left, top, right, bottom
COLOURS = ("#78716c", "#d97706", "#7c6ee6", "#0d9488", "#be123c", "#1d4ed8", "#4d7c0f", "#a21caf")
LEAST = 1e-3  # of an axis


@dataclass(frozen=True)
class Line:
    """One curve: x and y (n,), and half the width of its interval (n,)."""

    name: str
    x: NDArray
    y: NDArray
    error: NDArray | None = None


def plot(lines: list[Line], x_name: str, y_name: str) -> Image.Image:
    """The curves with their intervals, axes and names."""
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image, "RGBA")
    font, small = (ImageFont.load_default(size) for size in (24, 20))
    left, top, right, bottom = EDGE[0], EDGE[1], SIZE[0] - EDGE[2], SIZE[1] - EDGE[3]
    spans = [line.error if line.error is not None else 0 * line.y for line in lines]
    high = max(float((line.y + e).max()) for line, e in zip(lines, spans, strict=True))
    low = min(0.0, *(float((line.y - e).min()) for line, e in zip(lines, spans, strict=True)))
    start, end = min(float(line.x.min()) for line in lines), max(float(line.x.max()) for line in lines)
    high, end = max(high, low + LEAST), max(end, start + LEAST)  # a flat curve and a single point can be drawn as well

    def at(x: float, y: float) -> tuple[float, float]:
        return (left + (x - start) / (end - start) * (right - left), bottom - (y - low) / (high - low) * (bottom - top))

    for value in ticks(low, high):
        draw.line([at(start, value), at(end, value)], fill="#e6e0d8")
        draw.text((left - 12, at(start, value)[1]), f"{value:g}", fill="#5f5851", font=small, anchor="rm")
    for value in ticks(start, end):
        draw.text((at(value, low)[0], bottom + 12), f"{value:g}", fill="#5f5851", font=small, anchor="mt")
    ends: list[float] = []
    for line, e, colour in zip(lines, spans, COLOURS, strict=False):
        upper = [at(x, y) for x, y in zip(line.x, line.y + e, strict=True)]
        lower = [at(x, y) for x, y in zip(line.x, line.y - e, strict=True)]
        draw.polygon([*upper, *reversed(lower)], fill=f"{colour}33")
        draw.line([at(x, y) for x, y in zip(line.x, line.y, strict=True)], fill=colour, width=4)
        y = at(float(line.x[-1]), float(line.y[-1]))[1]
        while any(abs(y - other) < 26 for other in ends):
            y += 4
        ends.append(y)
        draw.text((right + 14, y), line.name, fill=colour, font=font, anchor="lm")
    draw.text(((left + right) / 2, SIZE[1] - 18), x_name, fill="#1c1917", font=font, anchor="mb")
    draw.text((left, 8), y_name, fill="#1c1917", font=font)
    return image


def ticks(low: float, high: float) -> list[float]:
    """Some five round numbers from low to high."""
    step = 10 ** np.floor(np.log10((high - low) / 4))
    step = next(float(step * m) for m in (1, 2, 5, 10) if (high - low) / (step * m) <= 6)
    return [float(v) for v in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step]

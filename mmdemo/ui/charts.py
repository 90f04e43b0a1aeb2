"""Charts of the Quality tab: where their marks go, numbers in, coordinates out.

The templates in assets/ui/charts.html draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmdemo.core.metrics import Interval, ReliabilityBin
from mmdemo.evaluate.report import DiversityPoint

WIDTH, ROW = 340, 34  # of a bar chart: its width, and the height of one bar with its space
NAMES, VALUES = 96, 44  # left for the names and right for the numbers
SQUARE = (300, 220)  # a chart of points
LEFT, TOP, RIGHT, BOTTOM = 40, 12, 290, 176  # its axes
LEAST = 0.02  # of an axis: a curve that does not move is drawn as a point in the middle


def bars(values: Mapping[str, Interval | None], names: int = NAMES) -> dict[str, Any]:
    """Horizontal bars from 0 to 1 with their intervals, by name; None for one without. `names` is their width."""
    width = WIDTH - NAMES + names
    span = width - names - VALUES

    def x(share: float) -> float:
        return round(names + span * min(max(share, 0.0), 1.0), 1)

    rows = []
    for place, (name, v) in enumerate(values.items()):
        row = {"name": name, "y": ROW * place + ROW // 2, "given": v is not None}
        if v is not None:
            row |= {"end": x(v.value), "low": x(v.low), "high": x(v.high), "value": v.value}
        rows.append(row)
    lines = [{"x": x(share), "value": share} for share in (0, 0.5, 1)]
    return {"width": width, "height": ROW * len(rows) + 22, "start": names, "rows": rows, "lines": lines}


def reliability(curve: Sequence[ReliabilityBin]) -> dict[str, Any]:
    """The stated chance (across) against the share that was right (up), both 0 to 1; points grow with their count."""
    most = max((b.count for b in curve), default=1)
    points = [
        {
            "x": _at(b.stated, 0, 1, LEFT, RIGHT),
            "y": _at(b.right, 0, 1, BOTTOM, TOP),
            "size": round(3 + 5 * (b.count / most) ** 0.5, 1),
            **vars(b),
        }
        for b in curve
    ]
    halves = (0, 0.5, 1)
    return {
        **_frame(points),
        "across": [{"x": _at(t, 0, 1, LEFT, RIGHT), "value": t} for t in halves],
        "up": [{"y": _at(t, 0, 1, BOTTOM, TOP), "value": t} for t in halves],
    }


def tradeoff(curve: Sequence[DiversityPoint]) -> dict[str, Any]:
    """How far the ten answers lie apart (across) against the share of queries answered (up, from 0 to 1)."""
    apart = [p.distance for p in curve]
    low, high = min(apart), max(apart)
    if high - low < LEAST:
        low, high = (low + high - LEAST) / 2, (low + high + LEAST) / 2
    points = [
        {
            "x": _at(p.distance, low, high, LEFT + 8, RIGHT - 8),
            "y": _at(p.recall, 0, 1, BOTTOM, TOP),
            "size": 5 if place in (0, len(curve) - 1) else 3.5,
            "distance": p.distance,
            "recall": p.recall,
            "diversity": p.diversity,
        }
        for place, p in enumerate(curve)
    ]
    across = [{"x": _at(t, low, high, LEFT + 8, RIGHT - 8), "value": round(t, 3)} for t in round_numbers(low, high)]
    return {
        **_frame(points),
        "across": across,
        "up": [{"y": _at(t, 0, 1, BOTTOM, TOP), "value": t} for t in (0, 0.5, 1)],
    }


def round_numbers(low: float, high: float) -> list[float]:
    """Some five round numbers from low to high, where the ticks of an axis go."""
    from matplotlib.ticker import MaxNLocator  # late: the page starts without Matplotlib

    values = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(value) for value in values if low <= value <= high]


def _frame(points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "width": SQUARE[0],
        "height": SQUARE[1],
        "left": LEFT,
        "top": TOP,
        "right": RIGHT,
        "bottom": BOTTOM,
        "points": points,
        "line": " ".join(f"{p['x']},{p['y']}" for p in points),
    }


def _at(value: float, low: float, high: float, start: float, end: float) -> float:
    return round(start + (value - low) / (high - low) * (end - start), 1)

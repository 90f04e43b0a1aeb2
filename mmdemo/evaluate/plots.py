"""The plots of a report as PNGs, drawn by Matplotlib. Knows nothing of pages."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.metrics import ReliabilityBin
from mmdemo.evaluate.report import RANKERS, DiversityPoint, GradedRanker, Ranker, Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANKER_NAMES: dict[GradedRanker, str] = {
    "head": "fused",
    "image": "photo only",
    "text": "words only",
    "mean": "mean of both",
    "popularity": "popularity",
    "chance": "chance",
}
RANKER_COLOURS: dict[Ranker, str] = {"head": "#2f5d50", "image": "#c98f3c", "text": "#6f86b8", "mean": "#a9a9a9"}
RECALL_PLOT, MATCH_PLOT, VARIETY_PLOT = "report.png", "report-match.png", "report-variety.png"


@dataclass(frozen=True)
class Line:
    """One curve: x and y (n,), and half the width of its interval (n,)."""

    name: str
    x: NDArray
    y: NDArray
    error: NDArray | None = None


def plots(report: Report) -> dict[str, bytes]:
    """The pictures of the page by their names: PNGs."""
    tables = report.measured
    ends = np.array([0.0, 1.0])
    match = [Line("as stated", ends, ends)]
    match += [_reliability_line(task, t.reliability) for task, t in tables.items()]
    variety = [_variety_line(task, t.curve) for task, t in tables.items()]
    return {
        RECALL_PLOT: recall_chart(report),
        MATCH_PLOT: line_chart(match, "match per cent stated", "share that was right"),
        VARIETY_PLOT: line_chart(variety, "distance within a list of ten", "recall@10"),
    }


def line_chart(lines: list[Line], x_name: str, y_name: str) -> bytes:
    """The curves with their intervals, axes and names: a PNG of 1200 x 720 pixels."""
    from matplotlib.figure import Figure  # late: half a second that a search need not wait

    figure = Figure(figsize=(10, 6), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for line in lines:
        (drawn,) = axes.plot(line.x, line.y, marker="o" if len(line.x) == 1 else None, linewidth=2, label=line.name)
        if line.error is not None:
            axes.fill_between(line.x, line.y - line.error, line.y + line.error, color=drawn.get_color(), alpha=0.2)
    low, high = axes.get_ylim()
    axes.set_ylim(min(0.0, low), high)
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False)
    return _png(figure)


def _reliability_line(name: str, bins: list[ReliabilityBin]) -> Line:
    return Line(name, np.array([b.stated for b in bins]), np.array([b.right for b in bins]))


def _variety_line(name: str, curve: list[DiversityPoint]) -> Line:
    return Line(name, np.array([point.distance for point in curve]), np.array([point.recall for point in curve]))


def recall_chart(report: Report) -> bytes:
    """recall@10 of every task and ranker as bars with 95% intervals: a PNG."""
    from matplotlib.figure import Figure  # late: half a second that a search need not wait

    tables = report.measured
    figure = Figure(figsize=(1.6 + 1.5 * max(1, len(tables)), 3.4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for at, ranker in enumerate(RANKERS):
        answered = {i: t.rankers[ranker] for i, t in enumerate(tables.values())}
        recalls = {i: metrics["recall@10"] for i, metrics in answered.items() if metrics}
        if not recalls:
            continue
        places = [i + (at - 1.5) * 0.2 for i in recalls]
        values = [v.value for v in recalls.values()]
        gaps = [[v.value - v.low for v in recalls.values()], [v.high - v.value for v in recalls.values()]]
        axes.bar(places, values, 0.18, label=RANKER_NAMES[ranker], color=RANKER_COLOURS[ranker])
        axes.errorbar(places, values, gaps, fmt="none", ecolor="#333333", elinewidth=1, capsize=2)
    axes.set_xticks(range(len(tables)), list(tables))
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("recall@10")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize="small")
    return _png(figure)


def _png(figure: "Figure") -> bytes:
    """The figure as a file's bytes, drawn by Agg: no window, no state of pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out)
    return out.getvalue()

"""The report of an index as a page: what was measured when it was built, in words, tables and one plot."""

import io
from typing import Any

from mmdemo.evaluation import METRICS, RANKERS

NAMES = {"head": "fused", "image": "photo only", "text": "words only", "mean": "mean of both"}
SHADES = {"head": "#2f5d50", "image": "#c98f3c", "text": "#6f86b8", "mean": "#a9a9a9"}
PLOT = "report.png"


def measured(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Task -> its table, on products never trained on where there are any."""
    return {name: task["unseen"] or task for name, task in report["tasks"].items() if "rankers" in task}


def as_markdown(name: str, report: dict[str, Any]) -> str:
    """The page: figures with 95% intervals, each beside its baselines, and what they cost."""
    lines = [f"# How good the index “{name}” is", "", report["fit"]["note"], "", f"![recall@10 by task]({PLOT})", ""]
    for task, table in measured(report).items():
        whole = report["tasks"][task]
        unseen = " of products never trained on" if whole["unseen"] else ""
        lines += [f"## {task.capitalize()}: {table['queries']} queries{unseen}", ""]
        lines += ["| | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
        for ranker in RANKERS:
            row = table["rankers"][ranker]
            cells = [f"{v['value']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for v in row.values()] if row else []
            lines.append(f"| {NAMES[ranker]} | " + " | ".join(cells or ["–"] * len(METRICS)) + " |")
        lines += ["", verdict(table)]
        shown = whole["lists"]["head"]
        lines += [
            f"Lists of ten: diversity {shown['diversity']:.2f}; {shown['coverage']:.0%} of the catalogue comes up; the "
            f"most shown tenth takes {shown['top tenth']:.0%} of all places. The match per cent is off by "
            f"{whole['calibration']:.3f} on average.",
            "",
        ]
    lines += [f"{task.capitalize()}: {t['note']}\n" for task, t in report["tasks"].items() if "rankers" not in t]
    if scores := report["fit"]["validation"]:
        tasks = [task for task in next(iter(scores.values())) if task != "all"]
        lines += ["## The heads", "", "Mean reciprocal rank on the validation products; one was chosen by these.", ""]
        lines += ["| head | " + " | ".join([*tasks, "mean over tasks"]) + " |", "|---" * (len(tasks) + 2) + "|"]
        lines += [f"| {h} | " + " | ".join(f"{f[t]:.3f}" for t in [*tasks, "all"]) + " |" for h, f in scores.items()]
    cost = report["seconds"]
    lines += ["", "## Cost", "", f"Encoding took {cost['encode']:.0f} s, fitting {cost['fit']:.0f} s."]
    if refused := report["refused"]:
        lines.append(f"{len(refused)} rows were refused; `report.json` has the reasons.")
    return "\n".join(lines) + "\n"


def verdict(table: dict[str, Any]) -> str:
    """One sentence: is the fused search better than the best it is made of, and can chance explain that?"""
    c = table["paired"]["recall@10"]
    gap = f"recall@10 {c['value']:+.3f} [{c['low']:+.3f}, {c['high']:+.3f}], p = {c['p']:.4f}"
    if c["p"] > 0.05:
        return f"No clear difference between fused and {NAMES[c['against']]} ({gap})."
    return f"Fused is {'better' if c['value'] > 0 else 'worse'} than {NAMES[c['against']]} ({gap})."


def plot(report: dict[str, Any]) -> bytes:
    """recall@10 of every task and ranker as bars with 95% intervals: a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # late: half a second that a search need not wait
    from matplotlib.figure import Figure

    tables = measured(report)
    figure = Figure(figsize=(1.6 + 1.5 * max(1, len(tables)), 3.4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for at, ranker in enumerate(RANKERS):
        found = [(i, t["rankers"][ranker]["recall@10"]) for i, t in enumerate(tables.values()) if t["rankers"][ranker]]
        if not found:
            continue
        places = [i + (at - 1.5) * 0.2 for i, _ in found]
        values = [v["value"] for _, v in found]
        gaps = [[v["value"] - v["low"] for _, v in found], [v["high"] - v["value"] for _, v in found]]
        axes.bar(places, values, 0.18, label=NAMES[ranker], color=SHADES[ranker])
        axes.errorbar(places, values, gaps, fmt="none", ecolor="#333333", elinewidth=1, capsize=2)
    axes.set_xticks(range(len(tables)), list(tables))
    axes.set_ylim(0, 1.05)
    axes.set_ylabel("recall@10")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize="small")
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out)
    return out.getvalue()

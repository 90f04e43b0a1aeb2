"""The report of an index as a page: what was measured when it was built, in words, tables and plots."""

import io
from typing import Any

import numpy as np

from mmdemo.evaluation import METRICS, RANKERS
from mmdemo.lessons import WORDLESS
from mmdemo.plot import Line
from mmdemo.plot import plot as drawn
from mmdemo.say import later

NAMES = {"head": "fused", "image": "photo only", "text": "words only", "mean": "mean of both"}
SHADES = {"head": "#2f5d50", "image": "#c98f3c", "text": "#6f86b8", "mean": "#a9a9a9"}
PLOT, MATCH_PLOT, VARIETY_PLOT = "report.png", "report-match.png", "report-variety.png"
TASTE_PLOT = "report-taste.png"
SEEN = {"query": "query's photo", "product": "product's picture"}
# The tasks that the first sentences are about, where there are any: of each line the first that is asked often enough,
# since somebody's own photo says more than a crop of the shop's.
LEADS = (("edits",), ("other photos and words", "photo and words"))
OFTEN = 30  # queries
GIVEN = {
    "photo": later("With a photo"), "words": later("With half of a title's words"),
    "photo and words": later("With a photo and words"), "other views": later("With a photo from another side"),
    "other photos": later("With somebody's own photo"), "edits": later("With a product and a wish"),
    "other views and words": later("With a photo from another side and words"),
    "other photos and words": later("With somebody's own photo and words"),
    "links": later("From a product to what goes with it"),
}  # fmt: skip


def measured(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Task -> its table, on products never trained on where there are any."""
    return {name: task["unseen"] or task for name, task in report["tasks"].items() if "rankers" in task}


def unseen(report: dict[str, Any], task: str) -> bool:
    """Whether the figures of a task are evidence: of products that no training saw, or of an index without training."""
    return bool(report["tasks"][task]["unseen"]) or not report["fit"]["validation"]


def headlines(report: dict[str, Any]) -> list[dict[str, Any]]:
    """What the first sentences say: `task`, the share `found` among the first ten, the best `single` ranker (photo or
    words alone) with its share `alone`, and the number of `queries`. Of evidence alone; empty where there is none."""
    tables = {task: table for task, table in measured(report).items() if unseen(report, task)}
    leads = [[t for t in line if t in tables] for line in LEADS]
    often = [[t for t in line if tables[t]["queries"] >= OFTEN] or line[-1:] for line in leads]
    found = []
    for task in [line[0] for line in often if line] or list(tables)[:1]:
        ten = {r: of["recall@10"]["value"] for r, of in tables[task]["rankers"].items() if of}
        single = max((r for r in ("image", "text") if r in ten), key=lambda r: ten[r], default=None)
        found.append({"task": task, "found": ten["head"], "single": single, "alone": ten[single] if single else None,
                      "queries": tables[task]["queries"]})  # fmt: skip
    return found


def as_markdown(name: str, report: dict[str, Any]) -> str:
    """The page: figures with 95% intervals, each beside its baselines, and what they cost."""
    lines = [f"# How good the index “{name}” is", ""]
    lines += [_sentence(h) + "\n" for h in headlines(report)]
    lines += [report["fit"]["note"], "", f"![recall@10 by task]({PLOT})", ""]
    for task, table in measured(report).items():
        lines += _task(task, table, "of products never trained on" if unseen(report, task) else "")
    lines += [f"{task.capitalize()}: {t['note']}\n" for task, t in report["tasks"].items() if "rankers" not in t]
    lines += [
        "## Is the match true?",
        "",
        f"![stated against right]({MATCH_PLOT})",
        "",
        *about_strangers(report["strangers"]),
        "",
    ]
    if (related := report.get("related")) and related["queries"]:
        low, high, gain = related["alike"], related["learnt"], related["paired"]
        lines += ["## What goes together", "", f"nDCG@10 for what goes with {related['queries']} products whose links "
                  f"no training saw: {high['value']:.3f} [{high['low']:.3f}, {high['high']:.3f}] as learnt from other "
                  f"links, {low['value']:.3f} [{low['low']:.3f}, {low['high']:.3f}] by likeness alone "
                  f"({gain['value']:+.3f}, p = {gain['p']:.4f}).", ""]  # fmt: skip
    if maps := report.get("maps"):
        lines += ["## Are the heat maps true?", "", *about_maps(maps), ""]
    lines += ["## What variety costs", "", f"![recall@10 against variety]({VARIETY_PLOT})", ""]
    if taste := report.get("taste"):
        lines += [
            "## Does learning a taste pay?",
            "",
            f"![cumulative regret]({TASTE_PLOT})",
            "",
            *about_taste(taste),
            "",
        ]
    if scores := report["fit"]["validation"]:
        tasks = [task for task in next(iter(scores.values())) if task != "all"]
        lines += ["## The heads", "", "Mean reciprocal rank on the validation products; one was chosen by these.", ""]
        if WORDLESS in tasks:
            lines[-2] += " Wordless: words ask for products that are shown without theirs."
        lines += ["| head | " + " | ".join([*tasks, "mean over tasks"]) + " |", "|---" * (len(tasks) + 2) + "|"]
        lines += [f"| {h} | " + " | ".join(f"{f[t]:.3f}" for t in [*tasks, "all"]) + " |" for h, f in scores.items()]
    cost, seconds = report["cost"], report["seconds"]
    lines += ["", "## Cost", "", f"Encoding took {seconds['encode']:.0f} s, fitting {seconds['fit']:.0f} s. A query "
              f"takes {cost['query milliseconds']:.0f} ms (median). The index takes {cost['index megabytes']:.1f} MB, "
              f"the encoder {cost['encoder megabytes']:.1f} MB."]  # fmt: skip
    if kept := report.get("store"):
        lines.append(
            f"The vectors are searched by {kept['kind']}, which finds {kept['recall@10']:.1%} of the true ten nearest."
        )
    if refused := report["refused"]:
        lines.append(f"{len(refused)} rows or pictures were refused; `report.json` has the reasons.")
    return "\n".join(lines) + "\n"


def _sentence(h: dict[str, Any]) -> str:
    alone = f"; {NAMES[h['single']]}, in {100 * h['alone']:.0f}" if h["single"] else ""
    return (
        f"{GIVEN.get(h['task'], h['task'])} the right product is among the first ten in {100 * h['found']:.0f} of 100 "
        f"tries{alone} ({h['queries']} queries)."
    )


def _task(task: str, table: dict[str, Any], of: str) -> list[str]:
    lines = [f"## {task.capitalize()}: {table['queries']} queries {of}".rstrip(), ""]
    lines += ["| | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
    for ranker in RANKERS:
        row = table["rankers"][ranker]
        cells = [f"{v['value']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" for v in row.values()] if row else []
        lines.append(f"| {NAMES[ranker]} | " + " | ".join(cells or ["–"] * len(METRICS)) + " |")
    shown = table["lists"]["head"]
    lines += ["", verdict(table),
              f"Lists of ten: diversity {shown['diversity']:.2f}; {shown['coverage']:.0%} of the catalogue comes up; "
              f"the most shown tenth takes {shown['top tenth']:.0%} of all places. The match per cent is off by "
              f"{table['calibration']:.3f} on average.", ""]  # fmt: skip
    missed = [e for e in table["examples"]["worst"] if e["rank"] > 10][:3]
    for e in missed:
        asked = " and ".join(
            filter(None, [f"`{e['picture']}`" if e["picture"] else "", f"“{e['text']}”" if e["text"] else ""])
        )
        lines.append(f"- {asked}: `{e['right'][0]}` came at {e['rank']}, `{e['answers'][0]}` first")
    return [*lines, ""] if missed else lines


def about_strangers(found: dict[str, Any]) -> list[str]:
    """How often "nothing matches" is right, in a sentence for photos and one for words; or why that is not known."""
    if "note" in found:
        return [f"“Nothing matches”: {found['note']}."]
    return [
        f"“Nothing matches”, {kind}: said to {_per_cent(t['turned away'])} of {t['strangers']} things not sold here "
        f"(from “{found['catalogue']}”), and by mistake to {_per_cent(t['mistaken'])} of {t['own']} that are."
        for kind, t in found.items()
        if kind != "catalogue"
    ]


def about_maps(maps: dict[str, Any]) -> list[str]:
    """How far the heat maps may be believed, in a sentence for each picture they are drawn over."""
    return [
        f"Over the {SEEN[kind]} ({m['pairs']} first answers): with the marked cells hidden first "
        f"{_per_cent(m['deletion'])} of what the picture brings is left, in random order "
        f"{_per_cent(m['random_deletion'])}; shown first, {_per_cent(m['insertion'])}. Better than random order by "
        f"{m['gain']['value']:+.2f} [{m['gain']['low']:+.2f}, {m['gain']['high']:+.2f}]."
        for kind, m in maps.items()
    ]


def about_taste(taste: dict[str, Any]) -> list[str]:
    """What shoppers lose in each shop, and by how much more than with the bandit."""
    lines = ["| shop | regret | more than the bandit, shopper by shopper |", "|---|---|---|"]
    for name, shop in taste["shops"].items():
        r, m = shop["regret"], shop["more"]
        more = f"{m['value']:.2f} [{m['low']:.2f}, {m['high']:.2f}]" if m["value"] else ""
        lines.append(f"| {name} | {r['value']:.2f} [{r['low']:.2f}, {r['high']:.2f}] | {more} |")
    clicks = taste["every"] * len(next(iter(taste["shops"].values()))["curve"])
    return [
        f"{taste['shoppers']} simulated shoppers with hidden tastes, {clicks} clicks each; 95% intervals.",
        "",
        *lines,
    ]


def _per_cent(v: dict[str, float]) -> str:
    return f"{v['value']:.0%} [{v['low']:.0%}, {v['high']:.0%}]"


def verdict(table: dict[str, Any]) -> str:
    """One sentence: is the fused search better than the best it is made of, and can chance explain that?"""
    c = table["paired"]["recall@10"]
    gap = f"recall@10 {c['value']:+.3f} [{c['low']:+.3f}, {c['high']:+.3f}], p = {c['p']:.4f}"
    if c["p"] > 0.05:
        return f"No clear difference between fused and {NAMES[c['against']]} ({gap})."
    return f"Fused is {'better' if c['value'] > 0 else 'worse'} than {NAMES[c['against']]} ({gap})."


def plots(report: dict[str, Any]) -> dict[str, bytes]:
    """The pictures of the page by their names: PNGs."""
    tables = measured(report)
    straight = np.array([0.0, 1.0])
    match = [Line("as stated", straight, straight)]
    match += [Line(task, *_points(t["reliability"], "stated", "right")) for task, t in tables.items()]
    variety = [Line(task, *_points(t["curve"], "distance", "recall@10")) for task, t in tables.items()]
    pictures = {PLOT: plot(report)}
    drawings = [(MATCH_PLOT, match, "match per cent stated", "share that was right"),
                (VARIETY_PLOT, variety, "distance within a list of ten", "recall@10")]  # fmt: skip
    if taste := report.get("taste"):
        clicks = {name: taste["every"] * np.arange(1, len(s["curve"]) + 1) for name, s in taste["shops"].items()}
        regret = [Line(name, clicks[name], np.array(s["curve"])) for name, s in taste["shops"].items()]
        drawings.append((TASTE_PLOT, regret, "clicks", "cumulative regret"))
    for name, lines, x, y in drawings:
        out = io.BytesIO()
        drawn(lines, x, y).save(out, "PNG")
        pictures[name] = out.getvalue()
    return pictures


def _points(curve: list[dict[str, float]], x: str, y: str) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p[x] for p in curve]), np.array([p[y] for p in curve])


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

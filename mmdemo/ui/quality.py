"""The Quality tab: how good the answers are, beside what they are made of, with the examples behind every figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from mmdemo.evaluation import METRICS, RANKERS
from mmdemo.index import ProductIndex
from mmdemo.live import one_version
from mmdemo.recommender import Recommender
from mmdemo.report import headlines, measured, unseen
from mmdemo.say import again
from mmdemo.ui import cards, charts, theme

ORDER = ("edits", "other photos and words", "photo and words", "other views and words", "photo", "other photos",
         "other views", "words", "links")  # the rest comes after  # fmt: skip
FEW = 10  # queries below which a figure says nothing
MAPPED = ("insertion", "random_insertion", "deletion")  # what is drawn of a heat map's check
CLEAR = 0.05  # a difference that chance makes less often than this is one


class Quality:
    """The tab's component, empty until the tab is first opened; `listen` wires it."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._shown = gr.State("")  # the version of the index that this visitor's page is of
        self.page = gr.HTML(
            cards.render("quality_waiting"),
            js_on_load=theme.asset("actions.js"),
            apply_default_css=False,
            elem_id="mm-quality",
        )

    def listen(self, tab: gr.Tab) -> None:
        """Fill the page when the tab is opened, and again only for another version of the index."""

        def opened(shown: str) -> Any:
            with one_version(self._recommender):
                index = self._recommender.index
                version = index.folder.name
                return (gr.skip(), gr.skip()) if shown == version else (page(index), version)

        tab.select(
            opened, self._shown, [self.page, self._shown], queue=False, show_progress="hidden",
            api_visibility="private",
        )  # fmt: skip


def page(index: ProductIndex) -> str:
    """The whole page as HTML, of the report that lies in the index; what an older report lacks is left out."""
    report = index.report
    whole = all(key in report for key in ("tasks", "products", "strangers", "cost", "fit"))
    tables = measured(report) if "fit" in report and "tasks" in report else {}
    known = {task: table for task, table in tables.items() if "reliability" in table and "examples" in table}
    whole = whole and len(known) == len(tables)
    place = {task: ORDER.index(task) if task in ORDER else len(ORDER) for task in tables}
    ordered = sorted(tables, key=lambda task: (tables[task]["queries"] < FEW, place[task]))
    return cards.render(
        "quality",
        old=not whole,
        name=cards.catalogue_name(index.manifest),
        grown=report.get("products", len(index)) != len(index),
        count=report.get("products", len(index)),
        headlines=headlines(report) if tables else [],
        tasks=[_task(index, report, task, tables[task]) for task in ordered],
        notes=[(name, again(task["note"])) for name, task in report.get("tasks", {}).items() if "note" in task],
        strangers=_strangers(index, report.get("strangers", {"note": ""})),
        maps={
            kind: m | {"bars": charts.bars({name: m[name] for name in MAPPED})}
            for kind, m in report.get("maps", {}).items()
        },
        taste=_taste(report.get("taste")),
        cost=report.get("cost"),
        encode=report.get("seconds", {}).get("encode"),
        simulated=any(link.simulated for link in index.links),
        metrics=list(METRICS),
        rankers=RANKERS,
    )


def _task(index: ProductIndex, report: Mapping[str, Any], name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of one task; no curves and no examples for a report that was made before there were any."""
    shown = {
        "name": name,
        "queries": table["queries"],
        "unseen": unseen(dict(report), name),
        "bars": charts.bars({r: of["recall@10"] if of else None for r, of in table["rankers"].items()}),
        "rankers": table["rankers"],
        "verdicts": [
            {"place": place, "sure": of["p"] <= CLEAR, "gap": of["value"], "p": of["p"], "against": of["against"]}
            for place, of in (("ten", table["paired"]["recall@10"]), ("first", table["paired"]["recall@1"]))
        ],
        "few": table["queries"] < FEW,
        "lists": {},
        "examples": {},
    }
    if "examples" not in table:
        return shown
    return shown | {
        "error": table["calibration"],
        "reliability": charts.reliability(table["reliability"]),
        "curve": charts.tradeoff(table["curve"]),
        "lists": {r: of for r, of in table["lists"].items() if of},
        "examples": {kind: [_example(index, e) for e in some] for kind, some in table["examples"].items()},
        "most": [
            {"product": tile, "lists": e["lists"]} for e in table["most shown"] if (tile := _tile(index, e["id"]))
        ],
    }


def _example(index: ProductIndex, example: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **example,
        "picture": _tile(index, example["picture"]),
        "right": _tiles(index, example["right"], example["right"])[:2],
        "answers": _tiles(index, example["answers"], example["right"]),
        "first_right": bool(example["answers"]) and example["rank"] == 1,
    }


def _strangers(index: ProductIndex, found: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of "nothing matches": bars for photos and for words, and who was believed."""
    kinds = []
    for kind, t in found.items():
        if isinstance(t, Mapping):
            examples = [{**e, "answers": _tiles(index, e["answers"])} for e in t["examples"]]
            bars = charts.bars({"turned away": t["turned away"], "mistaken": t["mistaken"]})
            kinds.append({**t, "kind": kind, "bars": bars, "examples": examples})
    return {"kinds": kinds, "note": again(found.get("note", "")), "catalogue": found.get("catalogue", "")}


def _taste(taste: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the page shows of learning tastes: each shop's regret beside that of the shop that learns nothing."""
    if taste is None:
        return None
    shops = dict(reversed(taste["shops"].items()))  # the bandit first
    worst = max(s["regret"]["value"] for s in shops.values()) or 1.0
    regrets = {name: {k: s["regret"][k] / worst for k in ("value", "low", "high")} for name, s in shops.items()}
    others = {name: s["more"] for name, s in shops.items() if s["more"]["value"] or s["more"]["high"]}
    clicks = taste["every"] * len(next(iter(shops.values()))["curve"])
    return {"shoppers": taste["shoppers"], "clicks": clicks, "bars": charts.bars(regrets), "others": others}


def _tiles(index: ProductIndex, ids: Sequence[str], right: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [{**tile, "is_right": i in right} for i in ids if (tile := _tile(index, i))]


def _tile(index: ProductIndex, product_id: str) -> dict[str, Any] | None:
    """A card of a product; None for one that has left the index since it was measured."""
    return cards.tile(index.products[index.row(product_id)]) if index.holds(product_id) else None

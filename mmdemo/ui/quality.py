"""The Quality tab: how good the answers are, beside what they are made of, with the examples behind every figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from mmdemo.core.metrics import RANKING_METRICS
from mmdemo.evaluate.report import (
    RANKERS,
    BehaviourFigures,
    Example,
    Figures,
    GradedSort,
    OutOfCatalogue,
    Report,
)
from mmdemo.evaluate.report_page import GRADED_NAMES, MODEL_NAMES, SORT_NAMES, accepted, learnt_from
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.live import Live
from mmdemo.serve.catalogue_names import catalogue_name
from mmdemo.serve.translation import translate
from mmdemo.ui import cards, charts, theme
from mmdemo.ui.judging import JudgingPanel

ORDER = (
    "edits",
    "other photos and words",
    "photo and words",
    "other views and words",
    "photo",
    "other photos",
    "other views",
    "sentences",
    "words",
    "similar",
    "links",
)  # the rest comes after
FEW = 10  # queries below which a figure says nothing
MAPPED = ("insertion", "random_insertion", "deletion")  # what is drawn of a heat map's check
SUMMARY_BARS, SUMMARY_NAMES = 5, 216  # of the first chart: its most bars, and the width left for their names
CLEAR = 0.05  # a difference that chance makes less often than this is one


class QualityTab:
    """The tab's components, empty until the tab is first opened; `listen` wires them. With `judges`, answers may be
    judged there: grades are written to this machine, so strangers are not asked."""

    def __init__(self, live: Live, judges: bool = True) -> None:
        self._live = live
        self._shown = gr.State("")  # the version of the index that this visitor's page is of
        self.page = gr.HTML(
            cards.render("quality_waiting"),
            js_on_load=theme.asset("actions.js"),
            apply_default_css=False,
            elem_id="mm-quality",
        )
        self.judging = JudgingPanel(live) if judges else None

    def listen(self, tab: gr.Tab) -> None:
        """Fill the page when the tab is opened, and again only for another version of the index."""

        def opened(shown: str) -> Any:
            index = self._live.current().index
            version = index.folder.name
            return (gr.skip(), gr.skip()) if shown == version else (page(index), version)

        if self.judging is not None:
            self.judging.listen()
        tab.select(
            opened,
            self._shown,
            [self.page, self._shown],
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )


def page(index: ProductIndex) -> str:
    """The whole page as HTML, of the report that lies in the index; what an older report lacks is left out."""
    report = Report.read(index.report)
    figures = report.measured
    place = {task: ORDER.index(task) if task in ORDER else len(ORDER) for task in figures}
    ordered = sorted(figures, key=lambda task: (figures[task].queries < FEW, place[task]))
    count = len(index) if report.products is None else report.products
    return cards.render(
        "quality",
        old=not _is_whole(report),
        name=catalogue_name(index.manifest),
        grown=count != len(index),
        count=count,
        accepted=translate(accepted(report.relevance) or ""),
        relevance=[_graded(graded) for graded in report.relevance],
        graded_metrics={metric: translate(name) for metric, name in GRADED_NAMES.items()},
        headlines=report.headlines[: 1 if report.relevance else 2],
        tasks=[_task(index, report, task, figures[task]) for task in ordered],
        notes=[(task, translate(note)) for task, note in report.not_measured.items()],
        strangers=_strangers(index, report.out_of_catalogue or OutOfCatalogue()),
        summary=_summary(report),
        queries=sum(figures[task].queries for task in ordered),
        rendered=index.manifest.rendered,
        maps={
            picture: {"check": check, "bars": charts.bars({name: getattr(check, name) for name in MAPPED})}
            for picture, check in report.maps.items()
        },
        behaviour=_behaviour(report.behaviour),
        cost=report.cost,
        encode=report.seconds.encode if report.seconds else None,
        simulated=any(link.simulated for link in index.links),
        metrics=list(RANKING_METRICS),
        rankers=RANKERS,
    )


def _is_whole(report: Report) -> bool:
    """Whether the report has everything that this version of the program measures."""
    parts = (report.products, report.out_of_catalogue, report.cost)
    complete = all(figures.reliability and figures.examples for figures in report.measured.values())
    return complete and bool(report.tasks) and None not in parts


def _summary(report: Report) -> dict[str, Any]:
    """The chart that opens the page: for each sort of query the share of ten answers of the kind asked for or, where no
    kinds are known, how often the right one is found."""
    if report.relevance:
        heads = {graded.task: graded.figures.rankers["head"] for graded in report.relevance}
        return charts.bars({task: head["kind@10"] for task, head in heads.items() if head}, SUMMARY_NAMES)
    found = {task: figures.rankers["head"] for task, figures in report.measured.items() if figures.queries >= FEW}
    few = sorted(found, key=lambda task: ORDER.index(task) if task in ORDER else len(ORDER))[:SUMMARY_BARS]
    return charts.bars({task: head["recall@10"] for task in few if (head := found[task])}, SUMMARY_NAMES)


def _graded(graded: GradedSort) -> dict[str, Any]:
    """What the page shows of one sort of query as recommendations."""
    rankers = graded.figures.rankers
    c = graded.figures.paired["kind@10"]
    return {
        "sort": graded.sort,
        "task": graded.task,
        "name": translate(SORT_NAMES[graded.sort]),
        "queries": graded.figures.queries,
        "rankers": {ranker: metrics for ranker, metrics in rankers.items() if metrics},
        "bars": charts.bars({ranker: metrics["kind@10"] if metrics else None for ranker, metrics in rankers.items()}),
        "verdict": {"sure": c.p <= CLEAR, "gap": c.value, "p": c.p, "against": c.against},
    }


def _task(index: ProductIndex, report: Report, name: str, figures: Figures) -> dict[str, Any]:
    """What the page shows of one task; no curves and no examples for a report that was made before there were any."""
    shown = {
        "name": name,
        "queries": figures.queries,
        "unseen": report.is_evidence(name),
        "bars": charts.bars(
            {ranker: metrics["recall@10"] if metrics else None for ranker, metrics in figures.rankers.items()}
        ),
        "rankers": figures.rankers,
        "verdicts": [
            {"place": place, "sure": c.p <= CLEAR, "gap": c.value, "p": c.p, "against": c.against}
            for place, c in (("ten", figures.paired["recall@10"]), ("first", figures.paired["recall@1"]))
        ],
        "few": figures.queries < FEW,
        "lists": {},
        "examples": {},
    }
    if not figures.examples:
        return shown
    return shown | {
        "error": figures.calibration,
        "reliability": charts.reliability(figures.reliability),
        "curve": charts.tradeoff(figures.curve),
        "lists": {ranker: lists for ranker, lists in figures.lists.items() if lists},
        "examples": {order: [_example(index, name, e) for e in some] for order, some in figures.examples.items()},
        "most": [
            {"product": tile, "lists": often.lists} for often in figures.most_shown if (tile := _tile(index, often.id))
        ],
    }


def _example(index: ProductIndex, task: str, example: Example) -> dict[str, Any]:
    """An example; a product's own picture does not pass for another photo of it, which older reports do not hold."""
    another = task.startswith("other ")
    return {
        **dict(example),
        "picture": _tile(index, example.picture),
        "unkept": another and not example.photo,
        "right": _tiles(index, example.right, example.right)[:2],
        "answers": _tiles(index, example.answers, example.right),
        "first_right": bool(example.answers) and example.rank == 1,
    }


def _strangers(index: ProductIndex, figures: OutOfCatalogue) -> dict[str, Any]:
    """What the page shows of "nothing matches": bars for photos and for words, and what was answered nevertheless."""
    kinds = []
    for kind, rejections in figures.by_query.items():
        examples = [{**dict(e), "answers": _tiles(index, e.answers)} for e in rejections.examples]
        bars = charts.bars({"turned away": rejections.turned_away, "mistaken": rejections.mistaken})
        kinds.append({**dict(rejections), "kind": kind, "bars": bars, "examples": examples})
    return {"kinds": kinds, "note": translate(figures.note), "catalogue": figures.catalogue}


def _behaviour(figures: BehaviourFigures | None) -> dict[str, Any] | None:
    """What the page shows of what was learnt from people: from how many, and each model beside the others."""
    if figures is None:
        return None
    best_first = dict(sorted(figures.rankers.items(), key=lambda pair: -pair[1].value))
    return {
        "learnt": translate(learnt_from(figures)) if figures.events else "",
        "judged": figures.judged,
        "bars": charts.bars(best_first),
        "names": {name: translate(said) for name, said in MODEL_NAMES.items()},
        "notes": [translate(note) for note in figures.notes],
    }


def _tiles(index: ProductIndex, ids: Sequence[str], right: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [{**tile, "is_right": i in right} for i in ids if (tile := _tile(index, i))]


def _tile(index: ProductIndex, product_id: str) -> dict[str, Any] | None:
    """A card of a product; None for one that has left the index since it was measured."""
    return cards.tile(index.products[index.row(product_id)]) if index.holds(product_id) else None

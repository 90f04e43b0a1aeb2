import io
import json

import numpy as np
import pytest
from PIL import Image

from mmdemo.core.messages import Message, as_json, from_json
from mmdemo.core.metrics import Interval
from mmdemo.evaluate.plots import (
    MATCH_PLOT,
    RECALL_PLOT,
    VARIETY_PLOT,
    Line,
    line_chart,
    recall_chart,
)
from mmdemo.evaluate.report import Comparison, Evaluation, Figures, Fit, Headline, Report
from mmdemo.evaluate.report_page import as_markdown, verdict
from mmdemo.index.product_index import ProductIndex


@pytest.fixture(scope="module")
def index(toy_index):
    return ProductIndex.load(toy_index)


def test_the_page_holds_every_figure_of_the_report(index):
    report = Report.read(index.report)
    page = as_markdown("toys", report)
    for task, figures in report.measured.items():
        assert f"## {task.capitalize()}: {figures.queries} queries" in page
        for metrics in figures.rankers.values():
            for v in (metrics or {}).values():
                assert f"{v.value:.3f} [{v.low:.3f}, {v.high:.3f}]" in page
    assert report.fit.note in page


def test_the_plot_is_a_picture_with_a_bar_for_every_ranker_that_answers(index):
    picture = Image.open(io.BytesIO(recall_chart(Report.read(index.report))))
    assert picture.format == "PNG" and picture.width > 300
    colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert (0x2F, 0x5D, 0x50) in colours and (0xA9, 0xA9, 0xA9) in colours


def test_the_page_lies_in_the_index_and_under_its_hashes(index):
    for name in ("report.md", RECALL_PLOT, MATCH_PLOT, VARIETY_PLOT, "report.json"):
        assert (index.folder / name).is_file() and name in index.manifest.files
    assert from_json(json.loads((index.folder / "report.json").read_text(encoding="utf-8"))) == index.report


def test_a_report_keeps_every_figure_and_every_message_on_its_way_through_json(index):
    report = Report.read(index.report).with_(fit=Fit(head="mean", note=Message("{n} products", n=3)))
    again = Report.read(from_json(json.loads(json.dumps(as_json(report.as_dict())))))
    assert again == report and isinstance(again.fit.note, Message) and again.fit.note.template == "{n} products"
    assert Report.read(index.report).as_dict() == index.report


def test_the_verdict_says_better_only_where_chance_cannot_explain_it():
    def sentence(value, p):
        difference = Comparison(against="mean", value=value, low=value, high=value, p=p)
        return verdict(Figures(queries=50, rankers={}, paired={"recall@10": difference}))

    assert sentence(0.2, 0.001).startswith("Fused is better than mean of both")
    assert sentence(-0.2, 0.001).startswith("Fused is worse than mean of both")
    assert sentence(0.2, 0.3).startswith("No clear difference")


def test_the_report_holds_what_a_page_needs(index):
    report = Report.read(index.report)
    assert report.products == len(index) and report.tasks
    for task, figures in report.measured.items():
        assert figures.queries > 0 and figures.examples["worst"], task
        assert figures.curve and figures.reliability and figures.lists and figures.paired and figures.most_shown
        assert all(index.holds(i) for e in figures.examples["worst"] for i in (*e.right, *e.answers))


def test_the_cost_is_what_the_folder_weighs_and_a_query_takes(index):
    cost = index.report["cost"]
    folder = sum(p.stat().st_size for p in index.folder.rglob("*") if p.is_file())
    pages = sum((index.folder / f).stat().st_size for f in index.manifest.files if f.startswith("report"))
    pages += (index.folder / "manifest.json").stat().st_size
    assert cost["index megabytes"] * 1e6 == pytest.approx(folder - pages, rel=0.15)  # of a few kB, headers are some
    assert 0 < cost["query milliseconds"] < 1000
    assert cost["training seconds"] == index.report["fit"]["seconds"]


def a_report(**recalls):
    """A report with recall@10 of head, image and text alone, all on unseen products."""
    unseen = {name.replace("_", " "): figures(*of_rankers) for name, of_rankers in recalls.items()}
    tasks = {name: Evaluation(queries=50, rankers={}, unseen=of) for name, of in unseen.items()}
    return Report(fit=Fit(validation={"mean": {}}), tasks=tasks)


def figures(*recalls, queries=50):
    rankers = {
        ranker: None if recall is None else {"recall@10": Interval(recall, recall, recall)}
        for ranker, recall in zip(("head", "image", "text"), recalls, strict=True)
    }
    return Figures(queries=queries, rankers=rankers)


def test_the_headline_sets_the_head_beside_the_best_of_photo_and_words_alone():
    report = a_report(photo_and_words=(0.87, 0.6, 0.45), edits=(0.7, 0.1, None))
    assert report.headlines == [
        Headline(task="edits", found=0.7, single="image", alone=0.1, queries=50),
        Headline(task="photo and words", found=0.87, single="image", alone=0.6, queries=50),
    ]


def test_somebodys_own_photos_lead_where_there_are_enough_of_them():
    report = a_report(photo_and_words=(1.0, 1.0, 0.8), other_photos_and_words=(1.0, 0.95, 0.8))
    assert [h.task for h in report.headlines] == ["other photos and words"]
    few = Evaluation(queries=12, rankers={}, unseen=figures(1.0, 0.95, 0.8, queries=12))
    report = report.with_(tasks=report.tasks | {"other photos and words": few})
    assert [h.task for h in report.headlines] == ["photo and words"]
    report = report.with_(tasks={"other photos and words": few})
    assert [h.task for h in report.headlines] == ["other photos and words"]


def test_products_that_training_saw_make_no_headline():
    trained_on = Evaluation(**dict(figures(0.87, 0.6, 0.45)), unseen=None)
    report = a_report().with_(tasks={"photo and words": trained_on})
    assert report.headlines == [] and not report.is_evidence("photo and words")
    assert report.with_(fit=Fit()).is_evidence("photo and words")  # nothing was trained, so nothing was seen


def test_a_flat_curve_and_a_single_point_can_be_drawn():
    for curve in (Line("flat", np.array([0.2, 0.2]), np.zeros(2)), Line("point", np.array([0.5]), np.array([1.0]))):
        assert Image.open(io.BytesIO(line_chart([curve], "x", "y"))).size == (1200, 720)

import io
import json

import numpy as np
import pytest
from PIL import Image

from mmdemo.index import ProductIndex
from mmdemo.plot import Line
from mmdemo.plot import plot as draw
from mmdemo.report import (
    MATCH_PLOT,
    PLOT,
    TASTE_PLOT,
    VARIETY_PLOT,
    as_markdown,
    headlines,
    measured,
    plot,
    plots,
    unseen,
    verdict,
)


@pytest.fixture(scope="module")
def index(toy_index):
    return ProductIndex.load(toy_index)


def test_the_page_holds_every_figure_of_the_report(index):
    page = as_markdown("toys", index.report)
    for task, table in measured(index.report).items():
        assert f"## {task.capitalize()}: {table['queries']} queries" in page
        for row in table["rankers"].values():
            for v in (row or {}).values():
                assert f"{v['value']:.3f} [{v['low']:.3f}, {v['high']:.3f}]" in page
    assert index.report["fit"]["note"] in page


def test_the_plot_is_a_picture_with_a_bar_for_every_ranker_that_answers(index):
    picture = Image.open(io.BytesIO(plot(index.report)))
    assert picture.format == "PNG" and picture.width > 300
    colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert (0x2F, 0x5D, 0x50) in colours and (0xA9, 0xA9, 0xA9) in colours


def test_the_page_lies_in_the_index_and_under_its_hashes(index):
    for name in ("report.md", PLOT, MATCH_PLOT, VARIETY_PLOT, "report.json"):
        assert (index.folder / name).is_file() and name in index.manifest["files"]
    assert json.loads((index.folder / "report.json").read_text(encoding="utf-8")) == index.report


def test_the_verdict_says_better_only_where_chance_cannot_explain_it():
    said = lambda value, p: verdict(  # noqa: E731
        {"paired": {"recall@10": {"against": "mean", "value": value, "low": value, "high": value, "p": p}}}
    )
    assert said(0.2, 0.001).startswith("Fused is better than mean of both")
    assert said(-0.2, 0.001).startswith("Fused is worse than mean of both")
    assert said(0.2, 0.3).startswith("No clear difference")


def test_the_report_holds_what_a_page_needs(index):
    report = index.report
    assert report["products"] == len(index)
    for task, table in measured(report).items():
        assert table["queries"] > 0 and table["examples"]["worst"], task
        assert {"curve", "reliability", "lists", "calibration", "paired", "most shown"} <= set(table)
        assert all(index.holds(i) for e in table["examples"]["worst"] for i in (*e["right"], *e["answers"]))


def test_the_cost_is_what_the_folder_weighs_and_a_query_takes(index):
    cost = index.report["cost"]
    folder = sum(p.stat().st_size for p in index.folder.rglob("*") if p.is_file())
    pages = sum((index.folder / f).stat().st_size for f in index.manifest["files"] if f.startswith("report"))
    pages += (index.folder / "manifest.json").stat().st_size
    assert cost["index megabytes"] * 1e6 == pytest.approx(folder - pages, rel=0.05)
    assert 0 < cost["query milliseconds"] < 1000
    assert cost["training seconds"] == index.report["fit"]["seconds"]


def a_report(**tables):
    """A report with recall@10 of head, image and text alone, all on unseen products."""
    return {
        "fit": {"validation": {"mean": {}}},
        "tasks": {
            name.replace("_", " "): {
                "rankers": {},
                "unseen": {
                    "queries": 50,
                    "rankers": {
                        r: None if v is None else {"recall@10": {"value": v}}
                        for r, v in zip(("head", "image", "text"), values, strict=True)
                    },
                },
            }
            for name, values in tables.items()
        },
    }


def test_the_headline_sets_the_head_beside_the_best_of_photo_and_words_alone():
    report = a_report(photo_and_words=(0.87, 0.6, 0.45), edits=(0.7, 0.1, None))
    assert headlines(report) == [
        {"task": "edits", "found": 0.7, "single": "image", "alone": 0.1, "queries": 50},
        {"task": "photo and words", "found": 0.87, "single": "image", "alone": 0.6, "queries": 50},
    ]


def test_somebodys_own_photos_lead_where_there_are_enough_of_them():
    report = a_report(photo_and_words=(1.0, 1.0, 0.8), other_photos_and_words=(1.0, 0.95, 0.8))
    assert [h["task"] for h in headlines(report)] == ["other photos and words"]
    report["tasks"]["other photos and words"]["unseen"]["queries"] = 12
    assert [h["task"] for h in headlines(report)] == ["photo and words"]
    del report["tasks"]["photo and words"]
    assert [h["task"] for h in headlines(report)] == ["other photos and words"]


def test_products_that_training_saw_make_no_headline():
    report = a_report(photo_and_words=(0.87, 0.6, 0.45))
    task = report["tasks"]["photo and words"]
    task["unseen"], task["rankers"] = None, task["unseen"]["rankers"]
    assert headlines(report) == [] and not unseen(report, "photo and words")
    report["fit"]["validation"] = {}  # nothing was trained, so nothing was seen
    assert unseen(report, "photo and words")


def test_a_flat_curve_and_a_single_point_can_be_drawn():
    for curve in (Line("flat", np.array([0.2, 0.2]), np.zeros(2)), Line("point", np.array([0.5]), np.array([1.0]))):
        assert draw([curve], "x", "y").size == (1200, 720)


def test_what_learning_tastes_brings_is_a_table_and_a_plot_where_it_was_simulated(index):
    figure = {"value": 2.0, "low": 1.0, "high": 3.0}
    shop = {"regret": figure, "more": figure, "curve": [1.0, 2.0]}
    report = index.report | {"taste": {"shoppers": 7, "every": 5, "shops": {"Rocchio": shop, "no learning": shop}}}
    page = as_markdown("toys", report)
    assert "7 simulated shoppers" in page and "10 clicks" in page and "| Rocchio | 2.00 [1.00, 3.00] |" in page
    assert TASTE_PLOT in page and Image.open(io.BytesIO(plots(report)[TASTE_PLOT])).format == "PNG"
    assert TASTE_PLOT not in plots(index.report) and "taste" not in as_markdown("toys", index.report)

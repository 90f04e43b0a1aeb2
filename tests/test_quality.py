"""The Quality tab without a browser: where marks go, and pages of old, foreign and changed reports."""

import copy
import re

import pytest

from mmdemo.core.metrics import Interval, ReliabilityBin
from mmdemo.evaluate.report import DiversityPoint, Report
from mmdemo.index.product_index import ProductIndex
from mmdemo.ui import charts, quality


@pytest.fixture
def index(toy_index):
    return ProductIndex.load(toy_index)


def test_bars_grow_with_their_values_and_intervals_stay_inside():
    chart = charts.bars(
        {
            "head": Interval(1.0, 0.5, 1.0),
            "image": None,
            "text": Interval(0.25, 0.0, 0.5),
        }
    )
    head, image, text = chart["rows"]
    span = chart["lines"][-1]["x"] - chart["start"]
    assert head["end"] == chart["lines"][-1]["x"] and text["end"] == chart["start"] + span / 4
    assert (text["low"], text["high"]) == (chart["start"], head["low"])
    assert not image["given"] and [row["y"] for row in chart["rows"]] == [17, 51, 85]


def test_a_chance_that_is_true_lies_on_the_diagonal():
    curve = [ReliabilityBin(share, share, 1) for share in (0.0, 0.5, 1.0)]
    chart = charts.reliability(curve)
    places = [
        (
            (p["x"] - chart["left"]) / (chart["right"] - chart["left"]),
            (chart["bottom"] - p["y"]) / (chart["bottom"] - chart["top"]),
        )
        for p in chart["points"]
    ]
    assert places == [(0, 0), (0.5, 0.5), (1, 1)]


def test_a_curve_that_does_not_move_is_drawn_inside_its_axes():
    curve = [DiversityPoint(diversity=d, recall=0.5, distance=0.3) for d in (0.0, 0.4, 0.8)]
    chart = charts.tradeoff(curve)
    assert {p["x"] for p in chart["points"]} == {(chart["left"] + chart["right"]) / 2}


def test_every_task_is_on_the_page_with_its_number_of_queries(index):
    page = quality.page(index)
    assert set(re.findall(r'data-task="([^"]+)"', page)) == set(Report.read(index.report).measured)
    assert "older version" not in page and "nan" not in page.casefold().split()


def test_three_sentences_and_a_chart_stand_above_what_is_folded(index):
    page = quality.page(index)
    assert page.count('class="mm-headline') == 3 and page.count("data-summary") == 1
    assert page.index("data-summary") < page.index("mm-fold")
    assert not re.search(r"<details[^>]* open", page)
    folded = page[page.index("mm-fold") :]
    assert set(re.findall(r'data-(?:task|sort|match|variety)="', page)) == set(
        re.findall(r'data-(?:task|sort|match|variety)="', folded)
    )


def test_the_chance_is_shown_first_where_it_is_furthest_off(index):
    index.report = copy.deepcopy(index.report)
    for place, evaluation in enumerate(index.report["tasks"].values()):
        (evaluation.get("unseen") or evaluation)["calibration"] = place / 100
    shown = re.findall(r'data-match="([^"]+)"', quality.page(index))
    assert shown == list(index.report["tasks"])[::-1]


def test_an_example_shows_the_photo_that_was_asked_with_or_says_that_it_was_not_kept(index):
    index.report = copy.deepcopy(index.report)
    index.report["tasks"] = {"other photos": index.report["tasks"]["photo"]}
    unkept = quality.page(index)
    assert "Another photo" in unkept and "Asked with another photo of it, which was not kept" in unkept
    task = index.report["tasks"]["other photos"]
    for figures in (task, task.get("unseen") or {}):
        for example in (e for some in figures.get("examples", {}).values() for e in some):
            example["photo"] = "UklGRg=="
    kept = quality.page(index)
    assert "which was not kept" not in kept and 'src="data:image/webp;base64,UklGRg=="' in kept


def test_pictures_that_were_rendered_are_called_so(index):
    index.report = copy.deepcopy(index.report)
    index.report["tasks"] = {"other photos": index.report["tasks"]["photo"]}
    assert "rendered" not in quality.page(index)
    index.manifest = index.manifest.updated(rendered=True)
    page = quality.page(index)
    assert "A rendered photo" in page and "Real photos may fare worse" in page and "Another photo" not in page


def test_a_task_with_too_few_queries_to_say_anything_comes_last(index):
    index.report = copy.deepcopy(index.report)
    for task, evaluation in index.report["tasks"].items():
        for figures in (evaluation, evaluation.get("unseen") or {}):
            figures["queries"] = 3 if task == "edits" else 50
    shown = re.findall(r'data-task="([^"]+)"', quality.page(index))
    assert "edits" in shown and list(dict.fromkeys(shown))[-1] == "edits"


def test_an_older_report_says_what_to_run_and_shows_what_it_has(index):
    index.report = copy.deepcopy(index.report)
    for key in ("products", "strangers", "cost"):
        del index.report[key]
    for task in index.report["tasks"].values():
        for part in (task, task.get("unseen") or {}):
            for key in ("curve", "examples", "most shown", "reliability"):
                part.pop(key, None)
    page = quality.page(index)
    assert "python -m mmdemo build CATALOGUE --out index/" in page
    assert set(re.findall(r'data-task="([^"]+)"', page)) == set(Report.read(index.report).measured)
    assert "data-match" not in page and "data-variety" not in page


@pytest.mark.parametrize("report", [{}, {"tasks": {}}, {"fit": {}, "tasks": {}}])
def test_a_report_without_figures_is_a_page_that_says_so(index, report):
    index.report = report
    page = quality.page(index)
    assert "There is nothing to show yet" in page and "python -m mmdemo build" in page


def test_products_that_left_the_index_are_left_out_of_the_examples(index):
    tables = Report.read(index.report).measured
    gone = next(e.answers[0] for figures in tables.values() for e in figures.examples["worst"])
    smaller = index.remove([gone])
    page = quality.page(smaller)
    assert f'data-id="{gone}"' in quality.page(index) and f'data-id="{gone}"' not in page
    assert f"of {len(index):,} products (it has changed since)" in page

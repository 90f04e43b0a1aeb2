"""The Quality tab without a browser: where marks go, and pages of old, foreign and changed reports."""

import copy
import re

import pytest

from mmdemo.index import ProductIndex
from mmdemo.report import measured
from mmdemo.ui import charts, quality


@pytest.fixture
def index(toy_index):
    return ProductIndex.load(toy_index)


def test_bars_grow_with_their_values_and_intervals_stay_inside():
    chart = charts.bars({
        "head": {"value": 1.0, "low": 0.5, "high": 1.0}, "image": None, "text": {"value": 0.25, "low": 0, "high": 0.5},
    })  # fmt: skip
    head, image, text = chart["rows"]
    span = chart["lines"][-1]["x"] - chart["start"]
    assert head["end"] == chart["lines"][-1]["x"] and text["end"] == chart["start"] + span / 4
    assert (text["low"], text["high"]) == (chart["start"], head["low"])
    assert not image["given"] and [row["y"] for row in chart["rows"]] == [17, 51, 85]


def test_a_chance_that_is_true_lies_on_the_diagonal():
    curve = [{"stated": s, "right": s, "count": 1} for s in (0.0, 0.5, 1.0)]
    chart = charts.reliability(curve)
    places = [((p["x"] - chart["left"]) / (chart["right"] - chart["left"]),
               (chart["bottom"] - p["y"]) / (chart["bottom"] - chart["top"])) for p in chart["points"]]  # fmt: skip
    assert places == [(0, 0), (0.5, 0.5), (1, 1)]


def test_a_curve_that_does_not_move_is_drawn_inside_its_axes():
    curve = [{"diversity": d, "recall@10": 0.5, "distance": 0.3} for d in (0.0, 0.4, 0.8)]
    chart = charts.tradeoff(curve)
    assert {p["x"] for p in chart["points"]} == {(chart["left"] + chart["right"]) / 2}


def test_every_task_is_on_the_page_with_its_number_of_queries(index):
    page = quality.page(index)
    assert set(re.findall(r'data-task="([^"]+)"', page)) == set(measured(index.report))
    assert "older version" not in page and "nan" not in page.casefold().split()


def test_a_task_with_too_few_queries_to_say_anything_comes_last(index):
    index.report = copy.deepcopy(index.report)
    tables = measured(index.report)
    for task, table in tables.items():
        table["queries"] = 3 if task == "edits" else 50
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
    assert set(re.findall(r'data-task="([^"]+)"', page)) == set(measured(index.report))
    assert "data-match" not in page and "data-variety" not in page


@pytest.mark.parametrize("report", [{}, {"tasks": {}}, {"fit": {}, "tasks": {}}])
def test_a_report_without_figures_is_a_page_that_says_so(index, report):
    index.report = report
    page = quality.page(index)
    assert "There is nothing to show yet" in page and "python -m mmdemo build" in page


def test_products_that_left_the_index_are_left_out_of_the_examples(index):
    tables = measured(index.report)
    gone = next(e["answers"][0] for t in tables.values() for e in t["examples"]["worst"])
    smaller = index.remove([gone])
    page = quality.page(smaller)
    assert f'data-id="{gone}"' in quality.page(index) and f'data-id="{gone}"' not in page
    assert f"of {len(index):,} products (it has changed since)" in page


def test_what_learning_tastes_brings_is_drawn_beside_a_shop_that_learns_nothing(index):
    def shop(regret, more):
        spread = lambda v: {"value": v, "low": v - 0.5, "high": v + 0.5}  # noqa: E731
        return {"regret": spread(regret), "more": spread(more), "curve": [regret / 2, regret]}

    assert "data-taste" not in quality.page(index)
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    shops = {
        "no learning": shop(20, 10),
        "Rocchio": shop(10.2, 0.2),
        "Thompson sampling": shop(10, 0) | {"more": nothing},
    }
    index.report = index.report | {"taste": {"shoppers": 7, "every": 50, "shops": shops}}
    page = quality.page(index)
    assert "7 simulated shoppers" in page and "click 100 times" in page
    assert "no learning loses more than this demo" in page
    assert "Rocchio’s update: no clear difference from this demo" in page
    assert "loses less" not in page and "nan" not in page.casefold().split()

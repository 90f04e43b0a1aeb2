import io
import json

import pytest
from PIL import Image

from mmdemo.index import ProductIndex
from mmdemo.report import PLOT, as_markdown, measured, plot, verdict


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
    for name in ("report.md", PLOT, "report.json"):
        assert (index.folder / name).is_file() and name in index.manifest["files"]
    assert json.loads((index.folder / "report.json").read_text(encoding="utf-8")) == index.report


def test_the_verdict_says_better_only_where_chance_cannot_explain_it():
    said = lambda value, p: verdict(  # noqa: E731
        {"paired": {"recall@10": {"against": "mean", "value": value, "low": value, "high": value, "p": p}}}
    )
    assert said(0.2, 0.001).startswith("Fused is better than mean of both")
    assert said(-0.2, 0.001).startswith("Fused is worse than mean of both")
    assert said(0.2, 0.3).startswith("No clear difference")

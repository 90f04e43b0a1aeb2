"""The Quality tab in a browser: its sentence, its figures, and the examples behind each of them."""

import csv
import re
from collections.abc import Callable, Iterator

import demo_process
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.paths import resolve_spec
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.report import Report
from mmdemo.index.product_index import ProductIndex
from tests.toys import quick_build, toy_catalogue


@pytest.fixture(scope="module")
def toys(tmp_path_factory) -> Iterator[tuple[demo_process.Demo, ProductIndex]]:
    """The app on a toy shop with links, built with the encoder of the shipped index."""
    folder = toy_catalogue(tmp_path_factory.mktemp("toys") / "shop", copies=6)
    (folder / "links.csv").write_text("id,other_id,kind,source\nmug-0-red,tray-0-red,set,simulated\n")
    spec = ProductIndex.load(demo_process.INDEX).manifest.encoder.spec
    out = tmp_path_factory.mktemp("index") / "toys"
    index, _ = quick_build(Catalog.read(folder), Encoder.load(resolve_spec(spec)), out)
    demo = demo_process.start(out)
    yield demo, index
    demo_process.stop(demo.process)


def quality(visit: Callable[..., Page], url: str, folded: bool = False, **window) -> Page:
    """The tab as it is opened; its parts unfolded unless they are to stay `folded`."""
    page = visit(url=url, **window)
    bar = page.locator(".tab-container:not(.visually-hidden)")
    if not bar.get_by_role("tab", name="Quality").is_visible():  # a phone's bar folds what does not fit
        page.locator(".overflow-menu button").first.click()
        page.locator(".overflow-dropdown").get_by_text("Quality").click()
    else:
        bar.get_by_role("tab", name="Quality").click()
    expect(page.locator(".mm-quality-title")).to_be_visible()
    if not folded:
        page.evaluate("document.querySelectorAll('.mm-fold').forEach(part => { part.open = true; })")
    return page


def ids(thumbs: Locator) -> list[str]:
    return thumbs.evaluate_all("thumbs => thumbs.map(thumb => thumb.dataset.id)")


def test_nothing_is_read_before_the_tab_is_opened(visit, toys) -> None:
    page = visit(url=toys[0].url)
    assert page.locator(".mm-quality").count() == 0
    expect(page.locator(".mm-quality")).to_have_count(0)


def test_it_opens_with_a_summary_and_folded_parts_which_move_nothing_beside_them(visit, toys, screen) -> None:
    demo, index = toys
    page = quality(visit, demo.url, folded=True)
    report = Report.read(index.report)
    assert page.locator(".mm-headline").count() == 3
    expect(page.locator("[data-summary] .mm-bar-mark")).to_have_count(len(report.relevance))
    assert page.locator(".mm-fold[open]").count() == 0
    expect(page.locator("[data-task]").first).to_be_hidden()
    page.get_by_text("How we know").click()
    expect(page.locator(".mm-how")).to_contain_text("neither training nor tuning saw them")
    screen(page, "quality-summary")
    fold = page.locator(".mm-fold", has_text="Can the chance")
    before = fold.evaluate("part => part.getBoundingClientRect().top + scrollY")
    fold.locator("> summary").click()
    first, second = fold.locator("[data-match]").nth(0), fold.locator("[data-match]").nth(1)
    beside = second.evaluate("figure => figure.getBoundingClientRect().top + scrollY")
    first.locator(".mm-behind summary").click()
    expect(first.locator(".mm-examples")).to_be_visible()
    assert fold.evaluate("part => part.getBoundingClientRect().top + scrollY") == before
    assert second.evaluate("figure => figure.getBoundingClientRect().top + scrollY") == beside


def test_the_headline_says_the_figures_of_the_report(visit, toys, screen) -> None:
    demo, index = toys
    page = quality(visit, demo.url)
    said = page.locator(".mm-headline.mm-found").all_inner_texts()
    expected = Report.read(index.report).headlines[:1]
    assert len(said) == len(expected) > 0
    for sentence, h in zip(said, expected, strict=True):
        assert f"{100 * h.found:.0f} of 100 tries" in sentence
        alike = round(100 * h.alone) == round(100 * h.found)
        assert sentence.endswith("does as well." if alike else f"finds it in {100 * h.alone:.0f}.")
    screen(page, "quality")


def test_every_task_has_a_bar_for_every_ranker_and_the_number_of_its_queries(visit, toys) -> None:
    demo, index = toys
    page = quality(visit, demo.url)
    report = Report.read(index.report)
    tables = report.measured
    assert page.locator("[data-task]").count() == len(tables)
    for name, table in tables.items():
        figure = page.locator(f"[data-task='{name}']")
        expect(figure).to_contain_text(re.compile(rf"\b{table.queries} quer"))
        answered = [metrics["recall@10"] for metrics in table.rankers.values() if metrics]
        numbers = figure.locator(".mm-number").all_text_contents()
        assert numbers == [f"{round(100 * v.value)}%" for v in answered]
        assert figure.locator(".mm-whisker:not(.mm-halo)").count() == len(answered)
        assert ("No evidence" in figure.inner_text()) == (not report.is_evidence(name))
    expect(page.locator("[data-task='links']")).to_contain_text("simulated")


def test_the_examples_behind_a_figure_come_worst_first_and_open_their_products(visit, toys, screen) -> None:
    demo, index = toys
    page = quality(visit, demo.url)
    worst = Report.read(index.report).measured["words"].examples["worst"]
    figure = page.locator("[data-task='words']")
    figure.get_by_text("The examples behind it").click()
    rows = figure.locator(".mm-examples").first.locator("li")
    assert rows.count() == len(worst)
    assert [e.rank for e in worst] == sorted((e.rank for e in worst), reverse=True)
    for row, example in zip(rows.all(), worst, strict=True):
        expect(row.locator("q")).to_have_text(example.text)
        assert ids(row.locator(".mm-wanted .mm-thumb")) == example.right[:2]
        assert ids(row.locator(".mm-got .mm-thumb")) == example.answers
        expect(row.locator(".mm-rank")).to_contain_text("first" if example.rank == 1 else f"at place {example.rank}")
    picture = rows.first.locator(".mm-got img").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    screen(page, "quality-examples")
    rows.first.locator(".mm-got .mm-thumb").first.click()
    expect(page.locator("#mm-product-title")).to_have_text(index.products[index.row(worst[0].answers[0])].title)


def test_every_figure_has_its_examples(visit, toys) -> None:
    page = quality(visit, toys[0].url)
    for figure in page.locator(".mm-figure:not([data-map], [data-sort], [data-summary])").all():
        assert figure.locator(".mm-behind summary").count() == 1, figure.inner_text()
    tables = Report.read(toys[1].report).measured
    for name in tables:
        for kind in ("match", "variety"):
            figure = page.locator(f"[data-{kind}='{name}']")
            curve = tables[name].reliability if kind == "match" else tables[name].curve
            assert figure.locator("circle").count() == len(curve)


def test_how_far_the_heat_maps_may_be_believed_is_drawn_beside_random_order(visit, toys) -> None:
    page = quality(visit, toys[0].url)
    maps = Report.read(toys[1].report).maps
    assert page.locator("[data-map]").count() == len(maps)
    for kind, check in maps.items():
        figure = page.locator(f"[data-map={kind}]")
        expect(figure).to_contain_text(f"{check.gain.value:+.2f}")
        assert figure.locator("rect.mm-bar-mark").count() == 3


def test_strangers_are_counted_in_a_sentence(visit, toys) -> None:
    demo, index = toys
    page = quality(visit, demo.url)
    rejections = Report.read(index.report).out_of_catalogue.by_query
    assert set(rejections) == {"photo", "title", "half a title"}
    for kind, t in rejections.items():
        figure = page.locator(f"[data-strangers='{kind}']")
        expect(figure).to_contain_text(f"({t.strangers} strangers, {t.own} own)")
        expect(figure).to_contain_text(f"Said rightly to {round(100 * t.turned_away.value)} of 100 strangers")
        figure.locator(".mm-behind summary").click()
        asked = figure.locator(".mm-asked q").all_inner_texts()
        assert asked == [e.title for e in t.examples]


def test_answers_are_judged_in_the_tab_by_key_but_not_by_what_is_typed_elsewhere(visit, toys, screen) -> None:
    demo, index = toys
    page = quality(visit, demo.url, folded=True)
    kept = index.folder.parent / "judgements.csv"
    page.get_by_label("Judge answers").check()
    shown = page.locator("#mm-judge [data-item]")
    first = shown.get_attribute("data-item")
    expect(page.locator("#mm-judge")).to_contain_text("0 of ")
    bar = page.locator(".tab-container:not(.visually-hidden)")
    bar.get_by_role("tab", name="Discover").click()
    field = page.locator("#mm-text").locator("input, textarea").first
    field.press_sequentially("nice")
    expect(field).to_have_value("nice")
    bar.get_by_role("tab", name="Browse").click()
    page.keyboard.press("e")  # judging is out of sight
    bar.get_by_role("tab", name="Quality").click()
    expect(shown).to_have_attribute("data-item", first)
    assert not kept.exists()
    page.keyboard.press("e")
    expect(shown).not_to_have_attribute("data-item", first)
    screen(page, "quality-judging")
    (row,) = csv.DictReader(kept.open(newline="", encoding="utf-8"))
    assert row["grade"] == "E"
    page.get_by_label("Judge answers").uncheck()
    expect(page.locator("#mm-judge")).to_contain_text("Cohen's kappa")


def test_coming_back_to_the_tab_keeps_what_stands_open(visit, toys) -> None:
    page = quality(visit, toys[0].url)
    page.locator("[data-task]").first.get_by_text("All measures").click()
    bar = page.locator(".tab-container:not(.visually-hidden)")
    bar.get_by_role("tab", name="Browse").click()
    expect(page.locator("#mm-shelf .mm-card").first).to_be_visible()
    with page.expect_response(lambda response: response.request.method == "POST"):
        bar.get_by_role("tab", name="Quality").click()
    expect(page.locator("[data-task] table").first).to_be_visible()
    expect(page.locator("[data-task] table").first.locator("tbody tr")).to_have_count(4)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_in_the_tab(visit, toys, dark: bool) -> None:
    page = quality(visit, toys[0].url, dark=dark)
    page.evaluate("document.querySelectorAll('.mm-quality details').forEach(panel => { panel.open = true; })")
    page.wait_for_function(demo_process.STILL)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
        if "mm-" in node["html"] or "mm-" in str(node["target"])
    ]
    assert not serious, "\n".join(serious)


def test_it_fits_a_phone(visit, toys, screen) -> None:
    page = quality(visit, toys[0].url, width=390, height=844)
    page.evaluate("document.querySelectorAll('.mm-quality details').forEach(panel => { panel.open = true; })")
    assert page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)") <= 390
    outside = page.evaluate(
        """[...document.querySelectorAll('.mm-quality :is(button, svg, h2, h3, p)')].filter(e => e.checkVisibility())
        .filter(e => e.getBoundingClientRect().right > 391).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert not outside, outside
    screen(page, "quality-phone")

"""Judging in a browser, by keyboard: a grade a key, nothing that tells who ranked what, and going on another day."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import demo_process
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect


@pytest.fixture(scope="module")
def judgements(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("judging") / "judgements.csv"


@pytest.fixture(scope="module")
def url(judgements) -> Iterator[str]:
    port = demo_process.free_port()
    command = [sys.executable, "-m", "mmdemo", "judge", str(demo_process.INDEX), "--out", str(judgements)]
    log = judgements.with_suffix(".log")
    with log.open("w") as out:
        process = subprocess.Popen([*command, "--port", str(port)], cwd=demo_process.HOME, stdout=out, stderr=out)
    demo_process.wait_for(f"http://127.0.0.1:{port}", log, process)
    yield f"http://127.0.0.1:{port}"
    demo_process.stop(process)


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(demo_process.LIMIT)
    page.goto(url)
    page.wait_for_selector("[data-item]")
    yield page
    context.close()


def press(page: Page, key: str) -> None:
    """A key, and the next answer is there."""
    before = page.locator("[data-item]").get_attribute("data-item")
    page.keyboard.press(key)
    expect(page.locator("[data-item]")).not_to_have_attribute("data-item", before)


def test_answers_are_graded_by_key_and_kept_at_once(page, judgements) -> None:
    expect(page.locator(".mm-hint")).to_contain_text("0 of ")
    assert not any(word in page.locator("#mm-judge").inner_text().casefold() for word in ("score", "head", "%"))
    assert page.locator("#mm-judge img").last.evaluate("i => i.decode().then(() => i.naturalWidth)") > 0
    page.keyboard.press("x")  # no grade
    press(page, "e")
    press(page, "i")
    press(page, "S")
    expect(page.locator(".mm-hint")).to_contain_text("3 of ")
    assert "kappa" not in page.locator("#mm-judge").inner_text()  # what the rule says is told at the end
    rows = list(csv.DictReader(judgements.open(newline="", encoding="utf-8")))
    assert [row["grade"] for row in rows] == ["E", "I", "S"] and len({row["product_id"] for row in rows}) == 3


def test_a_judge_goes_on_where_the_page_was_left(page, judgements) -> None:
    done = len(judgements.read_text(encoding="utf-8").splitlines()) - 1
    expect(page.locator(".mm-hint")).to_contain_text(f"{done} of ")
    press(page, "c")
    assert len(judgements.read_text(encoding="utf-8").splitlines()) - 1 == done + 1


def test_the_page_can_be_used_without_seeing_it(page) -> None:
    results = Axe().run(page, context="#mm-judge")
    assert results.violations_count == 0, results.generate_report()

"""python -m benchmarks.page [--index INDEX] [--runs 9]: how long a visitor waits, in a real Chromium on this machine.

From the address to the first useful view (the queries to begin with and their pictures), and from a click to the
results and their pictures in view: by words, by a photo and words, in Browse and on the Map. Medians, and the quickest
and slowest of the runs.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))
import demo_process

WORDS = ("a cosy chair", "blue vase", "something to carry books", "warm winter hat", "glass bottle", "round rug",
         "leather boots", "a lamp for reading", "small table", "striped towel")  # fmt: skip
CARDS = "#mm-results .mm-card"


def opened(browser: Browser, url: str) -> Page:
    page = browser.new_context(viewport={"width": 1360, "height": 900}).new_page()
    page.goto(url)
    page.wait_for_selector(".mm-welcome")
    page.wait_for_function(demo_process.PICTURES_THERE)
    return page


def first_view(browser: Browser, url: str, run: int) -> float:
    began = time.perf_counter()
    page = opened(browser, url)
    took = time.perf_counter() - began
    page.context.close()
    return took


def waited(page: Page, act: Callable[[], None], ready: str) -> float:
    began = time.perf_counter()
    act()
    page.wait_for_selector(ready)
    page.wait_for_function(demo_process.PICTURES_THERE)
    return time.perf_counter() - began


def by_words(browser: Browser, url: str, run: int) -> float:
    page = opened(browser, url)
    page.get_by_label("In words").fill(WORDS[run % len(WORDS)])
    took = waited(page, lambda: page.get_by_role("button", name="Search", exact=True).click(), CARDS)
    page.context.close()
    return took


def by_both(browser: Browser, url: str, run: int) -> float:
    page = opened(browser, url)
    starts = page.locator(".mm-start")
    took = waited(page, starts.nth(run % starts.count()).click, CARDS)
    page.context.close()
    return took


def tab(name: str, ready: str) -> Callable[[Browser, str, int], float]:
    def once(browser: Browser, url: str, run: int) -> float:
        page = opened(browser, url)
        bar = page.locator(".tab-container:not(.visually-hidden)")
        took = waited(page, bar.get_by_role("tab", name=name).click, ready)
        page.context.close()
        return took

    return once


STEPS = {
    "first useful view": first_view,
    "results, by words": by_words,
    "results, by an example": by_both,
    "Browse": tab("Browse", "#mm-browse .mm-card"),
    "Map": tab("Map", "#mm-map canvas"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=demo_process.INDEX)
    parser.add_argument("--runs", type=int, default=9)
    chosen = parser.parse_args()
    demo = demo_process.start(chosen.index)
    print("| | median | quickest | slowest |\n|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=demo_process.chromium(), args=demo_process.FLAGS)
        for name, step in STEPS.items():
            step(browser, demo.url, chosen.runs)  # warm
            runs = [1000 * step(browser, demo.url, run) for run in range(chosen.runs)]
            figures = (statistics.median(runs), min(runs), max(runs))
            print(f"| {name} | " + " | ".join(f"{ms:.0f} ms" for ms in figures) + " |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()

"""python -m benchmarks.page [--index INDEX] [--runs 9]: how long a visitor waits, in a real Chromium on this machine.

By the page's own clock: from the address to the first useful view (the queries to begin with and their pictures), and
from a click to what it brings, pictures in view included. Medians, and the quickest and slowest of the runs.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))
import demo_process

WORDS = (
    "a cosy chair",
    "blue vase",
    "something to carry books",
    "warm winter hat",
    "glass bottle",
    "round rug",
    "leather boots",
    "a lamp for reading",
    "small table",
    "striped towel",
)
# Looks at every frame whether something is there, with its pictures, since the last click or the address.
CLOCK = f"""
window.began = 0;
addEventListener("click", () => {{ window.began = performance.now(); }}, true);
window.until = (selector) => new Promise((done) => {{
  const there = {demo_process.PICTURES_THERE};
  const look = () => document.querySelector(selector)?.checkVisibility() && there()
    ? done(performance.now() - window.began) : requestAnimationFrame(look);
  look();
}});
addEventListener("DOMContentLoaded", () => {{ window.opened = until(".mm-welcome img"); }});
"""

Act = Callable[[Page, int], None]


def say(page: Page, run: int) -> None:
    page.get_by_label("In words").fill(WORDS[run % len(WORDS)])
    page.get_by_role("button", name="Search", exact=True).click()


def begin(page: Page, run: int) -> None:
    starts = page.locator(".mm-start")
    starts.nth(run % starts.count()).click()


def tab(name: str) -> Act:
    def turn(page: Page, run: int) -> None:
        page.locator(".tab-container:not(.visually-hidden)").get_by_role("tab", name=name).click()

    return turn


CLICKS: dict[str, tuple[Act, str]] = {
    "results, by words": (say, "#mm-results .mm-card"),
    "results, by an example": (begin, "#mm-results .mm-card"),
    "Browse": (tab("Browse"), "#mm-browse .mm-card"),
    "Map": (tab("Map"), "#mm-map [data-drawn]"),
}


def waited(browser: Browser, url: str, run: int, act: Act | None = None, ready: str = "") -> float:
    """Milliseconds until the first useful view, or from a click to what it brings."""
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    page.add_init_script(CLOCK)
    page.goto(url)
    took = page.evaluate("opened")
    if act is not None:
        page.wait_for_timeout(500)
        act(page, run)
        took = page.evaluate("selector => until(selector)", ready)
    context.close()
    return float(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=demo_process.INDEX)
    parser.add_argument("--runs", type=int, default=9)
    chosen = parser.parse_args()
    demo = demo_process.start(chosen.index)
    print("| | median | quickest | slowest |\n|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=demo_process.chromium(), args=demo_process.FLAGS)
        for name, step in {"first useful view": (), **CLICKS}.items():
            waited(browser, demo.url, chosen.runs, *step)  # warm
            runs = [waited(browser, demo.url, run, *step) for run in range(chosen.runs)]
            figures = (statistics.median(runs), min(runs), max(runs))
            print(f"| {name} | " + " | ".join(f"{ms:.0f} ms" for ms in figures) + " |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()

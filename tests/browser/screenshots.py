"""The pictures of the README and the tour: python -m tests.browser.screenshots [--index INDEX]."""

import argparse
import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
import demo_process

OUT = demo_process.HOME / "docs" / "screenshots"


def visit(browser: Browser, url: str, width: int = 1360, height: int = 880, dark: bool = False) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", device_scale_factor=1.5
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".mm-welcome")
    return page


def keep(page: Page, name: str) -> None:
    page.wait_for_function(demo_process.PICTURES_THERE)
    page.mouse.move(0, 0)
    page.wait_for_function(demo_process.STILL)
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.save(OUT / f"{name}.webp", quality=80, method=6)
    print(f"{name}.webp  {shot.width}x{shot.height}  {(OUT / f'{name}.webp').stat().st_size // 1024} kB")
    page.context.close()


def open_tab(page: Page, name: str) -> None:
    page.locator(".tab-container:not(.visually-hidden)").get_by_role("tab", name=name).click()


def begin(page: Page, kind: str) -> None:
    """Take the first query to begin with that has both a photo and words, else the first of its kind."""
    starts = page.locator(kind)
    texts = starts.all_inner_texts()
    starts.nth(next((n for n, text in enumerate(texts) if "photo alone" not in text), 0)).click()
    page.wait_for_selector("#mm-results .mm-card")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, default=demo_process.INDEX)
    demo = demo_process.start(parser.parse_args().index)
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=demo_process.chromium(), args=demo_process.FLAGS)
        keep(visit(browser, demo.url), "welcome")

        page = visit(browser, demo.url)
        begin(page, ".mm-start")
        keep(page, "discover")

        page = visit(browser, demo.url)
        open_tab(page, "Browse")
        keep(page, "browse")

        for name in ("product", "why"):
            page = visit(browser, demo.url)
            begin(page, ".mm-start")
            page.locator("#mm-results .mm-pic").first.click()
            page.wait_for_selector(".mm-dialog[open] .mm-changes", timeout=60_000)
            if name == "why":
                page.locator(".mm-dialog .mm-why").evaluate("part => part.scrollIntoView()")
            keep(page, name)

        page = visit(browser, demo.url)
        begin(page, ".mm-start")
        for card in range(3):
            page.locator("#mm-results [data-compare]").nth(card).click()
        page.locator("#mm-compare [data-go]").click()
        page.wait_for_selector(".mm-compare-dialog[open]")
        keep(page, "compare")

        tabs = {
            "Map": "#mm-map [data-drawn]",
            "How it works": "#mm-pipeline [data-traced]",
            "Quality": "#mm-quality h2",
        }
        for tab, ready in tabs.items():
            page = visit(browser, demo.url)
            begin(page, ".mm-start")
            open_tab(page, tab)
            page.wait_for_selector(ready, timeout=60_000)
            keep(page, tab.split()[0].lower())

        page = visit(browser, demo.url)
        open_tab(page, "Your catalogue")
        page.wait_for_selector(".mm-yours")
        keep(page, "yours")

        page = visit(browser, demo.url + "/zh/")
        begin(page, ".mm-start")
        keep(page, "chinese")

        page = visit(browser, demo.url, dark=True)
        begin(page, ".mm-say")
        keep(page, "dark")

        page = visit(browser, demo.url, 390, 844)
        begin(page, ".mm-start")
        page.locator("#mm-results").evaluate("part => part.scrollIntoView()")
        keep(page, "phone")
        browser.close()


if __name__ == "__main__":
    main()

"""One Chromium and one app for all browser tests; every page is also a test that it is quiet and asks no other host."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import demo_process
from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=demo_process.LIMIT)
SCREENS = Path(__file__).parent / "screens"


@pytest.fixture(scope="session")
def demo() -> demo_process.Demo:
    return demo_process.start()


@pytest.fixture(scope="session")
def index():
    from mmdemo.index.product_index import ProductIndex

    return ProductIndex.load(demo_process.INDEX)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=demo_process.chromium(), args=demo_process.FLAGS + demo_process.FAKE_CAMERA
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, demo: demo_process.Demo) -> Iterator[Callable[..., Page]]:
    """Opens the demo in a fresh window; afterwards no page may have complained or called another host."""
    contexts, faults = [], []

    def open_page(width: int = 1360, height: int = 900, dark: bool = False, url: str = demo.url) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            permissions=["camera"],
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(demo_process.LIMIT)
        page.on("console", lambda said: faults.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on("request", lambda asked: faults.append(f"outside: {asked.url}") if _outside(asked.url, url) else None)
        page.goto(url)
        page.wait_for_selector(".mm-welcome")
        return page

    yield open_page
    told = list(faults)  # what a page says of streams that are cut as it is closed, no visitor sees
    for context in contexts:
        context.close()
    assert not told, "\n".join(told)


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    return visit()


@pytest.fixture(scope="session")
def screen() -> Callable[[Page, str], None]:
    """Keeps a picture of the page under this name, once the pictures in view have come."""
    SCREENS.mkdir(exist_ok=True)

    def keep(page: Page, name: str) -> None:
        page.wait_for_function(demo_process.PICTURES_THERE)
        page.wait_for_function(demo_process.STILL)
        page.screenshot(path=SCREENS / f"{name}.png")

    return keep


def _outside(asked: str, home: str) -> bool:
    return not asked.startswith((f"{home}/", "data:", "blob:"))

"""A catalogue with events in a browser: where the page shows what people did, and the log of what is clicked there."""

from collections.abc import Iterator
from types import SimpleNamespace

import demo_process
import pytest
from playwright.sync_api import Page, expect

from mmdemo.evaluate.click_log import ClickLog, read_log
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender
from mmdemo.serve.site import Site
from mmdemo.ui import server, theme
from mmdemo.ui.page import build
from tests.toys import ToyEncoder


@pytest.fixture(scope="module")
def demo(eventful_shop, tmp_path_factory) -> Iterator[SimpleNamespace]:
    """The page of a toy shop with events and a log, in this process, in place of the app of the other tests."""
    recommender = Recommender(ProductIndex.load(eventful_shop[2]), ToyEncoder())
    live, log = Live(recommender), tmp_path_factory.mktemp("log") / "clicks.jsonl"
    site = Site(live, alone=True, look=theme.look())
    page, routes = server._queued(*build(live, site=site, log=ClickLog(log, recommender.index.manifest, seed=0)))
    port = demo_process.free_port()
    rules = server._rules("127.0.0.1", public=False, password="", mcp=False)
    server._launch(page, routes, None, site, rules, port)
    yield SimpleNamespace(url=f"http://127.0.0.1:{port}", log=log, manifest=recommender.index.manifest)
    page.close(verbose=False)


def close(page: Page) -> None:
    expect(page.locator(".mm-dialog .mm-why h3")).to_be_visible()
    expect(page.locator(".mm-dialog .mm-why")).not_to_contain_text("Working out")  # nothing is on its way any more
    page.keyboard.press("Escape")
    expect(page.locator(".mm-dialog")).to_be_hidden()


def test_what_people_did_is_shown_from_the_first_product_that_is_opened(page: Page, demo, screen) -> None:
    row = page.locator("#mm-foryou")
    expect(row.locator("h2")).to_have_count(0)  # nothing was opened yet
    page.goto(f"{demo.url}/?q=red+tray&variants=apart")  # every colour by itself
    page.locator("#mm-results .mm-card [data-act=show]").first.click()
    expect(page.locator(".mm-dialog")).to_contain_text("People who looked at this went on to")
    screen(page, "behaviour-product")
    close(page)

    page.get_by_role("button", name="Start again").click()
    expect(row.locator("h2")).to_have_text("For you")
    expect(row).to_contain_text("from 1 product that you opened. Kept in this browser only.")
    expect(row.locator(".mm-card").first).to_contain_text("tray")
    row.get_by_role("button", name="Show more").click()
    expect(page.locator("#mm-results")).to_contain_text("for what you looked at")
    page.goto(f"{page.url}&variants=apart")  # nobody touched the purple tray
    new = page.locator("#mm-results .mm-card:has(.mm-new)")
    expect(new).to_have_attribute("data-id", "tray-0-purple")
    expect(new).to_contain_text("New here: its picture and words")
    screen(page, "behaviour-for-you")
    new.locator("[data-act=show]").first.click()
    why = page.locator(".mm-dialog .mm-why")
    expect(why).to_contain_text("people")
    expect(why).to_contain_text("Too few people have touched it")
    expect(why).to_contain_text("The chance that it comes next")
    close(page)

    page.goto(demo.url)
    expect(row.locator("h2")).to_have_text("For you")  # the browser remembers
    row.get_by_role("button", name="Forget it").click()
    expect(row.locator("h2")).to_have_count(0)

    expect(page.locator("#mm-footer")).to_contain_text("What is shown and clicked here is kept")
    first, *_ = read_log(demo.log, demo.manifest)
    assert first.clicked == {first.ids[0]}

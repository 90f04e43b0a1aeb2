"""Two languages in one site: a browser that speaks Chinese is led to the Chinese page, unless its owner chose."""

import demo_process
import pytest
from playwright.sync_api import Browser, Page, expect

from mmdemo.catalog.catalog import Catalog
from mmdemo.encode.encoder import Encoder
from tests.toys import quick_build, toy_catalogue


@pytest.fixture(scope="module")
def url(tiny_model, tmp_path_factory):
    """The address of a site in both languages."""
    folder = tmp_path_factory.mktemp("languages")
    toys = Catalog.read(toy_catalogue(folder / "toys", copies=1))
    quick_build(toys, Encoder.load(tiny_model), folder / "index" / "default")
    return demo_process.start(folder / "index" / "default").url


def opened(browser: Browser, url: str, locale: str) -> Page:
    page = browser.new_context(locale=locale).new_page()
    page.goto(url)
    page.wait_for_selector("#mm-header header")
    return page


def test_a_chinese_browser_is_led_to_the_chinese_page_and_its_owner_may_choose_another(browser, url) -> None:
    page = opened(browser, f"{url}/?x=1", "zh-CN")
    expect(page).to_have_url(f"{url}/zh/?x=1")
    assert page.evaluate("document.documentElement.lang") == "zh"
    page.get_by_role("link", name="English").click()
    expect(page).to_have_url(f"{url}/?x=1")
    page.wait_for_selector("#mm-header header")
    page.goto(f"{url}/")
    page.wait_for_selector("#mm-header header")
    expect(page).to_have_url(f"{url}/")
    page.get_by_role("link", name="中文").click()
    expect(page).to_have_url(f"{url}/zh/")
    page.context.close()


def test_any_other_browser_stays_and_finds_the_link(browser, url) -> None:
    page = opened(browser, f"{url}/?x=1", "de-DE")
    expect(page).to_have_url(f"{url}/?x=1")
    assert page.evaluate("document.documentElement.lang") == "en"
    page.get_by_role("link", name="中文").click()
    expect(page).to_have_url(f"{url}/zh/?x=1")
    page.context.close()

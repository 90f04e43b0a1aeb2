"""The kind of thing on the page: it comes first, its chip can be taken off, and what does not exist is said."""

from collections.abc import Callable

from playwright.sync_api import Page, expect
from test_page import CARDS, ask, ids

CHIP = "#mm-understood .mm-wish-kind"


def test_a_dress_at_a_price_that_none_has_is_said_and_one_click_leads_to_the_nearest(page: Page, index) -> None:
    category = {item.id: item.category for item in index.products}
    ask(page, "black dress under 50")
    assert {category[i] for i in ids(page.locator(".mm-grid").first.locator(".mm-card"))} == {"Dress"}
    assert category[ids(page.locator(CARDS))[0]] == "Dress"
    missing = page.locator(".mm-missing")
    expect(missing).to_contain_text("No dress under €50.00: from €59.00.")
    expect(page.locator("#mm-results")).not_to_contain_text("really matches")
    missing.get_by_role("button", name="black dress up to 59").click()
    expect(page.locator(".mm-bar h2")).to_contain_text("black dress up to 59")
    prices = {item.id: item.price for item in index.products}
    first = ids(page.locator(CARDS))[0]
    assert (category[first], prices[first]) == ("Dress", 59)


def test_the_chip_of_the_kind_is_taken_off_and_put_back_and_the_link_has_it(visit: Callable[..., Page], index) -> None:
    page = visit()
    ask(page, "round mirror")
    expect(page.locator(".mm-missing")).to_contain_text("No mirror here")
    expect(page.locator(CHIP)).to_contain_text("mirror")
    page.locator(f"{CHIP} button").click()
    expect(page.locator(CHIP)).to_contain_text("Every kind")
    expect(page.locator(".mm-missing")).to_have_count(0)
    assert "kind=any" in page.url
    page.locator(f"{CHIP} button").click()
    expect(page.locator(".mm-missing")).to_contain_text("No mirror here")
    assert "kind=" not in page.url


def test_a_divider_says_what_comes_after_the_kind(page: Page, index) -> None:
    known = {item.id: item for item in index.products}
    ask(page, "green teapot over 40")
    expect(page.locator(".mm-divider")).to_have_text("Also “green”: other things")
    teapots, others = (ids(page.locator(".mm-grid").nth(n).locator(".mm-card")) for n in (0, 1))
    assert teapots and all(known[i].category == "Teapot" and known[i].price > 40 for i in teapots)
    assert others and all(known[i].category != "Teapot" and known[i].price > 40 for i in others)

"""Discover beyond the first answer: links, the trail, counts, order, comparing, and help where little is found."""

import csv
import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import demo_process
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, Route, expect
from test_page import CARDS, HEADING, ask, ids, upload

from mmdemo.core.request import Query
from mmdemo.search.recommender import Recommender

STEPS = ".mm-trail [data-act=back]"


@pytest.fixture(scope="session")
def recommender() -> Recommender:
    return Recommender.load(demo_process.INDEX)


@pytest.fixture(scope="session")
def facet(index) -> tuple[str, str]:
    """The first filter of the form, and its most frequent value."""
    column, values = next((column, values) for column, values in index.facets.items() if len(values) > 1)
    return column, next(iter(values))


@pytest.fixture(scope="session")
def photo(index, tmp_path_factory) -> Path:
    """A picture of a product as a visitor might have it."""
    pictured = [item for item in index.products if item.image]
    path = tmp_path_factory.mktemp("photo") / "mine.jpg"
    with Image.open(io.BytesIO(index.thumbnail(pictured[len(pictured) // 3].id))) as picture:
        picture.convert("RGB").resize((300, 300)).save(path, quality=88)
    return path


def choose(page: Page, value: str, place: int = 0) -> None:
    """Pick a value of a filter of the open panel."""
    page.click(f"#mm-filter-{place} input")
    page.locator(f"#mm-filter-{place} [role=option]").filter(
        has_text=re.compile(rf"^\W*{re.escape(value)}\b")
    ).first.click()
    page.keyboard.press("Escape")


def follow(page: Page, url: str) -> Page:
    """Another window of the same browser, opened at a link."""
    other = page.context.new_page()
    other.goto(url)
    return other


def address(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def shown_as(page: Page, **wanted: str) -> None:
    """Wait until the address says so: quick clicks are answered one after the other."""
    page.wait_for_function(
        "wanted => Object.entries(wanted).every(([k, v]) => new URLSearchParams(location.search).get(k) === v)",
        arg=wanted,
    )


def test_the_address_restores_the_whole_search(visit: Callable[..., Page], facet) -> None:
    page = visit()
    page.locator("#mm-filters > button").click()
    ask(page, "something nice")
    choose(page, facet[1])
    expect(page.locator("#mm-filters > button")).to_contain_text("Filters (1)")
    page.locator("#mm-count label", has_text="24").click()
    page.locator(".mm-sort select").select_option("cheap")
    shown_as(page, results="24", sort="cheap")
    assert address(page) == {
        "q": ["something nice"],
        "results": ["24"],
        "sort": ["cheap"],
        f"is.{facet[0]}": [facet[1]],
    }
    before = ids(page.locator(CARDS))
    again = follow(visit(), page.url)
    expect(again.locator(HEADING)).to_contain_text("“something nice”")
    assert ids(again.locator(CARDS)) == before
    expect(again.locator("#mm-text :is(input, textarea)")).to_have_value("something nice")
    expect(again.locator("#mm-filters > button")).to_contain_text("Filters (1)")
    expect(again.locator(".mm-sort select")).to_have_value("cheap")
    expect(again.locator("#mm-notice")).to_be_empty()
    again.click("#mm-reset")
    expect(again.locator(".mm-welcome")).to_be_visible()
    again.wait_for_function("() => location.search === ''")


def test_two_clicks_before_the_first_is_answered_both_count(visit: Callable[..., Page]) -> None:
    page = visit()
    ask(page, "something nice")
    page.locator("#mm-filters > button").click()
    expect(page.locator("#mm-count")).to_be_visible()
    page.evaluate(
        """() => {
        const order = document.querySelector(".mm-sort select");
        order.value = "cheap";
        order.dispatchEvent(new Event("change", {bubbles: true}));
        document.querySelector("#mm-count input[value='24']").click();
    }"""
    )
    shown_as(page, results="24", sort="cheap")
    expect(page.locator(".mm-sort select")).to_have_value("cheap")
    expect(page.locator("#mm-count input[value='24']")).to_be_checked()
    wanted = ids(page.locator(CARDS))[:3]
    page.evaluate(
        """wanted => wanted.forEach(id => document.querySelector(
        `#mm-results .mm-card[data-id="${id}"] [data-act=love]`).click())""",
        wanted,
    )
    expect(page.locator("#mm-taste [data-act=unlove]")).to_have_count(3)
    field = page.locator("#mm-text :is(input, textarea)")
    field.fill(""), field.press("Enter")
    expect(page.locator(".mm-welcome")).to_be_visible()
    ask(page, "something nice")
    expect(page.locator(".mm-sort select")).to_have_value("cheap")  # a way of showing outlives an empty search


def test_a_link_to_a_product_that_one_starts_from(visit: Callable[..., Page]) -> None:
    page = visit()
    ask(page, "round")
    page.locator(f"{CARDS} .mm-more").nth(1).click()
    expect(page.locator("#mm-reference b")).to_be_visible()
    before, title = ids(page.locator(CARDS)), page.locator("#mm-reference b").inner_text()
    page.wait_for_function("() => new URLSearchParams(location.search).has('like')")
    page.reload()
    expect(page.locator("#mm-reference b")).to_have_text(title)
    expect(page.locator(HEADING)).to_contain_text("round")
    assert ids(page.locator(CARDS)) == before


def test_a_link_that_asks_for_what_is_not_here_says_so_and_shows_the_rest(visit: Callable[..., Page], demo) -> None:
    page = follow(
        visit(),
        f"{demo.url}/?q=blue&like=no-such-thing&results=seven&is.nonsense=odd&weight=nan&to=-3&sort=luck&from=%00",
    )
    expect(page.locator(HEADING)).to_contain_text("“blue”")
    notice = page.locator("#mm-notice [role=alert]")
    for said in ("no product “no-such-thing”", "“seven” is no", "“odd” as its nonsense", "“-3” is no", "“luck”"):
        expect(notice).to_contain_text(said)
    assert len(ids(page.locator(CARDS))) == 12


def test_results_come_as_a_table_in_the_order_of_the_cards(visit: Callable[..., Page]) -> None:
    page = visit()
    ask(page, "in green")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "results.csv"
    rows = list(csv.DictReader(download.value.path().open(encoding="utf-8-sig")))
    assert [row["id"] for row in rows] == ids(page.locator(CARDS)) and rows[0]["reason"]


def test_a_link_brings_its_photo_for_as_long_as_it_is_kept(visit: Callable[..., Page], photo) -> None:
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    upload(page, photo)
    expect(page.locator(HEADING)).to_contain_text("your photo")
    ask(page, "in green")
    page.locator("[data-copy]").click()
    expect(page.locator("[data-copy]")).to_have_text("Copied; with your photo for an hour")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url and address(page)["q"] == ["in green"]
    found = ids(page.locator(CARDS))
    again = follow(visit(), copied)
    expect(again.locator(HEADING)).to_contain_text("your photo and “in green”")
    expect(again.locator("#mm-photo img")).to_be_visible()
    assert ids(again.locator(CARDS)) == found
    gone = follow(visit(), copied.replace(address(page)["photo"][0], "0" * 32))
    expect(gone.locator("#mm-notice")).to_contain_text("kept here no longer")
    expect(gone.locator(HEADING)).to_contain_text("for “in green”")


def test_every_search_tab_and_product_is_a_step_of_the_browsers_history(page: Page, photo) -> None:
    tab = page.locator("#mm-tabs .tab-container:not(.visually-hidden) [aria-selected=true]")
    dialog = page.locator(".mm-dialog[open]")
    upload(page, photo)
    expect(page.locator(HEADING)).to_contain_text("for your photo")
    ask(page, "in green")
    expect(page.locator(HEADING)).to_contain_text("your photo and “in green”")
    first = page.locator(CARDS).first
    title = first.locator(".mm-title").inner_text()
    first.locator(".mm-pic").click()
    expect(dialog.locator("h2")).to_have_text(title)
    page.keyboard.press("Escape")
    page.locator(".tab-container:not(.visually-hidden)").get_by_role("tab", name="Browse").click()
    page.wait_for_function("() => location.hash === '#browse'")
    page.go_back()
    expect(tab).to_have_text("Discover")
    page.go_back()
    expect(dialog.locator("h2")).to_have_text(title)
    page.go_back()
    expect(dialog).to_have_count(0)
    page.go_back()
    expect(page.locator(HEADING)).to_contain_text("products for your photo")
    expect(page.locator("#mm-photo img")).to_be_visible()
    expect(page.locator("#mm-text :is(input, textarea)")).to_have_value("")
    page.go_back()
    expect(page.locator(".mm-welcome h1")).to_be_visible()
    expect(page.locator("#mm-photo img")).to_have_count(0)
    page.go_forward()
    expect(page.locator(HEADING)).to_contain_text("products for your photo")
    there = follow(page, page.url.partition("#")[0] + "#browse")
    expect(there.locator("#mm-tabs .tab-container:not(.visually-hidden) [aria-selected=true]")).to_have_text("Browse")


@pytest.mark.parametrize("link", ["?like=gone", "?is.colour=nonsense", "?photo=nonsense", "#map/gone"])
def test_a_link_to_what_is_gone_shows_the_first_page_and_says_so(visit: Callable[..., Page], link: str) -> None:
    page = follow(visit(), visit().url + link)
    expect(page.locator("#mm-notice, .mm-dialog[open]").get_by_role("alert")).to_contain_text(re.compile("no|gone"))
    page.keyboard.press("Escape")
    page.locator(".tab-container:not(.visually-hidden)").get_by_role("tab", name="Discover").click()
    expect(page.locator(".mm-welcome h1")).to_be_visible()
    expect(page.locator(".mm-ghost").first).to_be_hidden()


@pytest.mark.parametrize("size", [(1440, 900), (1366, 768)])
def test_the_photo_keeps_its_size_when_the_filters_open(visit: Callable[..., Page], photo, size) -> None:
    page = visit(*size)
    upload(page, photo)
    box = page.locator("#mm-photo")
    before = box.bounding_box()["height"]
    page.locator("#mm-filters > button").click()
    expect(page.locator("#mm-filter-0")).to_be_visible()
    assert box.bounding_box()["height"] == before > 150


def test_starting_again_empties_the_comparison(page: Page) -> None:
    ask(page, "blue")
    page.locator(CARDS).first.locator("[data-compare]").click()
    expect(page.locator(".mm-tray")).to_be_visible()
    page.click("#mm-reset")
    expect(page.locator(".mm-tray")).to_be_hidden()


def test_a_step_back_restores_what_was_asked_with_its_photo(page: Page, photo, screen) -> None:
    ask(page, "blue")
    first = ids(page.locator(CARDS))
    expect(page.locator(STEPS)).to_have_text(["blue"])
    upload(page, photo)
    expect(page.locator(HEADING)).to_contain_text("your photo and “blue”")
    both = ids(page.locator(CARDS))
    ask(page, "wood")
    expect(page.locator(STEPS)).to_have_text(["blue", "your photo + blue", "your photo + wood"])
    screen(page, "trail")
    page.locator(STEPS).nth(0).click()
    expect(page.locator(HEADING)).not_to_contain_text("your photo")
    assert ids(page.locator(CARDS)) == first
    expect(page.locator("#mm-photo img")).to_have_count(0)
    expect(page.locator(f"{STEPS}[aria-current]")).to_have_text("blue")
    page.locator(STEPS).nth(1).click()
    expect(page.locator(HEADING)).to_contain_text("your photo and “blue”")
    expect(page.locator("#mm-photo img")).to_be_visible()
    expect(page.locator("#mm-text :is(input, textarea)")).to_have_value("blue")
    assert ids(page.locator(CARDS)) == both
    page.locator("#mm-filters > button").click()
    page.locator("#mm-count label", has_text="8").first.click()
    expect(page.locator(CARDS)).to_have_count(min(8, len(both)))
    assert ids(page.locator(CARDS)) == both[:8]
    expect(page.locator(STEPS)).to_have_count(3)  # another number of results is the same step


def test_the_numbers_of_a_filter_follow_the_results(page: Page, index, facet, recommender) -> None:
    from mmdemo.search.facets import facet_counts, size

    page.locator("#mm-filters > button").click()

    def shown() -> list[str]:
        page.click("#mm-filter-0 input")
        said = page.locator("#mm-filter-0 [role=option]").all_inner_texts()
        page.keyboard.press("Escape")
        return [re.sub(r"\s+", " ", re.sub(r"^\W+", "", text)).strip() for text in said]

    values = index.facets[facet[0]]
    assert shown() == [f"{value} ({count})" for value, count in values.items()]
    sentence = next(iter(reversed(values)))  # the rarest value, so that counts must change
    ask(page, sentence)
    counts = facet_counts(recommender, Query(text=sentence), [facet[0]])[facet[0]]
    assert sum(counts.values()) == size(len(index.products)) and list(counts) != list(values)
    assert shown() == [f"{value} ({count})" if count else value for value, count in counts.items()]


def test_an_order_by_price_is_one_of_the_whole_kind(page: Page, index) -> None:
    prices = {item.id: item.price for item in index.products if item.category == "Vase"}
    ask(page, "vase")
    best = ids(page.locator(CARDS))
    for order, extreme in (("cheap", min), ("dear", max)):
        page.locator(".mm-sort select").select_option(order)
        page.wait_for_function("order => new URLSearchParams(location.search).get('sort') === order", arg=order)
        shown = [prices[i] for i in ids(page.locator(CARDS))]
        assert shown == sorted(shown, reverse=order == "dear") and shown[0] == extreme(prices.values())
    page.locator(".mm-sort select").select_option("match")
    page.wait_for_function("() => !new URLSearchParams(location.search).has('sort')")
    assert ids(page.locator(CARDS)) == best


@pytest.mark.parametrize("width", [1360, 390])
def test_up_to_four_are_compared_side_by_side(visit: Callable[..., Page], index, screen, width: int) -> None:
    page = visit(width, 844)
    known = {item.id: item for item in index.products}
    ask(page, "something for the table")
    picked = ids(page.locator(CARDS))[:4]
    expect(page.locator(".mm-tray")).to_be_hidden()
    for place in range(5):
        page.locator(f"{CARDS} [data-compare]").nth(place).click()
    expect(page.locator(".mm-tray-said")).to_contain_text("Four at most")
    expect(page.locator("[data-compare][aria-pressed=true]")).to_have_count(4)
    ask(page, "something for a table")  # a new answer keeps what was picked
    expect(page.locator(".mm-tray-picks button")).to_have_count(4)
    page.locator("[data-go]").click()
    table = page.locator(".mm-versus")
    expect(table.locator("thead th .mm-versus-title")).to_have_text([known[i].title for i in picked])
    row = table.locator("tbody tr", has=page.locator("th[scope=row]", has_text=re.compile("^Kind$")))
    kinds = [known[i].category for i in picked]
    expect(row.locator("td")).to_have_text(kinds)
    expect(row.locator("mark")).to_have_count(4 if len(set(kinds)) > 1 else 0)
    expect(table.locator("tbody tr").first.locator("td").first).to_contain_text(re.compile(r"number \d+"))
    box = page.locator(".mm-compare-dialog").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    screen(page, f"compare-{width}")
    faults = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert not [f for f in faults if f["impact"] in ("serious", "critical") and "mm-" in str(f["nodes"])], faults
    page.locator(".mm-compare-dialog [data-shut]").click()
    page.locator(".mm-tray-picks button").first.click()
    expect(page.locator(".mm-tray-picks button")).to_have_count(3)
    page.locator("[data-empty]").click()
    expect(page.locator(".mm-tray")).to_be_hidden()
    expect(page.locator("[data-compare][aria-pressed=true]")).to_have_count(0)


def test_where_nothing_is_found_it_says_what_to_take_away(page: Page, index, facet, screen) -> None:
    page.locator("#mm-filters > button").click()
    ask(page, "something blue")
    choose(page, facet[1])
    expect(page.locator("#mm-filters > button")).to_contain_text("Filters (1)")
    page.locator("#mm-high input").fill("0.01")
    page.locator("#mm-high input").press("Enter")
    expect(page.locator(".mm-help h2")).to_have_text("Nothing meets all of these conditions.")
    expect(page.locator(CARDS)).to_have_count(0)
    passing = sum(facet[1] in item.values(facet[0]) for item in index.products)
    way = page.locator(".mm-ways [data-do=without]")
    expect(way).to_have_count(1)
    expect(way).to_contain_text("price ≤ 0.01")
    expect(way).to_contain_text(f"{passing:,} left")
    screen(page, "nothing")
    way.click()
    expect(page.locator(CARDS).first).to_be_visible()
    expect(page.locator("#mm-high input")).to_have_value("")
    expect(page.locator("#mm-filters > button")).to_contain_text("Filters (1)")


def test_a_condition_of_the_sentence_may_be_what_is_taken_away(page: Page) -> None:
    field = page.locator("#mm-text :is(input, textarea)")
    field.fill("something blue under 0.01 euros")
    field.press("Enter")
    way = page.locator(".mm-ways [data-do=take]")
    expect(way).to_contain_text("under 0.01 euros")
    way.click()
    expect(page.locator(CARDS).first).to_be_visible()
    expect(field).to_have_value("something blue")


def test_filters_alone_say_how_many_pass_and_what_to_do(page: Page, index, facet) -> None:
    page.locator("#mm-filters > button").click()
    choose(page, facet[1])
    passing = sum(facet[1] in item.values(facet[0]) for item in index.products)
    expect(page.locator(".mm-welcome .mm-notice")).to_contain_text(f"{passing:,} pass your filters")


def test_while_the_first_answer_is_made_cards_shimmer_where_cards_will_be(visit: Callable[..., Page], screen) -> None:
    first = visit()
    page = first.context.new_page()
    ended = list[str]()  # the stream ends once the page's own first requests are answered, which end a shimmer too
    for event in ("requestfinished", "requestfailed"):  # by the server, or by the client where it is the quicker one
        page.on(event, lambda request: ended.append(request.url))
    page.goto(first.url)
    limit = time.monotonic() + demo_process.LIMIT / 1000
    while not any("/queue/data" in url for url in ended):
        assert time.monotonic() < limit, f"the page's first requests have no end; ended: {ended}"
        page.wait_for_timeout(50)  # lets events arrive
    held, released = list[Route](), list[bool]()
    page.route("**/queue/join*", lambda route: route.continue_() if released else held.append(route))
    field = page.locator("#mm-text :is(input, textarea)")
    field.fill("blue")
    field.press("Enter")
    bone = page.locator(".mm-ghost").first
    expect(bone).to_be_visible()
    before = bone.bounding_box()
    expect(page.locator(".mm-welcome h1")).to_be_hidden()
    screen(page, "skeleton")
    released.append(True)  # requests that come from now on go through
    for route in held:
        route.continue_()
    expect(page.locator(CARDS).locator(".mm-title").first).to_be_visible()
    after = page.locator(CARDS).first.evaluate("card => card.getBoundingClientRect().toJSON()")
    assert abs(before["y"] - after["y"]) < 12 and abs(before["x"] - after["x"]) < 2
    page.unroute_all(behavior="ignoreErrors")


def test_the_product_page_shows_every_picture_and_what_goes_with_it(page: Page, index, screen) -> None:
    shown = next(
        (item for item in index.products if index.views(item.id) or index.goes_with(item.id)), index.products[0]
    )
    page.locator(".tab-container:not(.visually-hidden)").get_by_role("tab", name="Browse").click()
    page.locator("#mm-words :is(input, textarea)").fill(shown.title)
    page.locator(f"#mm-shelf .mm-card[data-id='{shown.id}'] .mm-pic").click()
    dialog = page.locator(".mm-dialog[open]")
    expect(dialog.locator("h2")).to_have_text(shown.title)
    views = index.views(shown.id)
    expect(dialog.locator("[data-view]")).to_have_count(views + 1 if views else 0)
    if views:
        dialog.locator("[data-view]").nth(1).click()
        expect(dialog.locator(".mm-large img")).to_have_attribute("src", re.compile(r"\?view=1$"))
        page.wait_for_function("document.querySelector('.mm-large img').naturalWidth > 0")
    partners = [other for other, _ in index.goes_with(shown.id)][:6]
    expect(dialog.get_by_text("Goes well with")).to_have_count(1 if partners else 0)
    found = ids(dialog.locator(".mm-card"))
    assert found[: len(partners)] == partners
    screen(page, "pictures")


def test_a_presenters_page_hides_the_forms_and_goes_through_the_examples_by_keys(visit: Callable[..., Page]) -> None:
    page = follow(visit(), visit().url + "?present")
    expect(page.locator(".mm-welcome h1")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.mm-present')")
    expect(page.locator("#mm-go, #mm-filters, #mm-footer").locator("visible=true")).to_have_count(0)
    starts = page.locator("[data-act=attempt]").evaluate_all("all => all.map(start => start.innerText.trim())")
    page.keyboard.press("ArrowRight")
    expect(page.locator(CARDS).first).to_be_visible()
    first = page.locator(HEADING).inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator(HEADING)).not_to_have_text(first)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(HEADING)).to_have_text(first)
    assert len(starts) > 2 and "present" in urlsplit(page.url).query


def test_words_after_an_answer_change_it_step_by_step_and_can_be_taken_back(visit: Callable[..., Page], screen) -> None:
    page = visit()
    ask(page, "red mug")

    def say(words: str) -> None:
        page.locator(".mm-refine input").fill(words)
        page.locator(".mm-refine input").press("Enter")

    say("no, in green")
    expect(page.locator(HEADING)).to_contain_text("“mug in green”")
    expect(page.locator(".mm-refine input")).to_be_focused()
    expect(page.locator(".mm-refine input")).to_have_value("")
    say("under 20")
    expect(page.locator(HEADING)).to_contain_text("“mug in green, under 20”")
    expect(page.locator("#mm-understood .mm-wish-filter")).to_contain_text("under 20")
    screen(page, "refined")
    second = ids(page.locator(CARDS))[1]
    say("the second one, but in blue")
    expect(page.locator(HEADING)).to_contain_text("“in blue, under 20”")
    assert parse_qs(urlsplit(page.url).query)["like"] == [second]
    page.get_by_role("button", name="Take back").click()
    expect(page.locator(HEADING)).to_contain_text("“mug in green, under 20”")
    expect(page.locator("#mm-text :is(input, textarea)")).to_have_value("mug in green, under 20")
    page.get_by_role("button", name="New search").click()
    expect(page.locator(".mm-welcome")).to_be_visible()


def test_prices_are_empty_at_first_and_numbers_and_sliders_are_set_by_keys(visit: Callable[..., Page]) -> None:
    page = visit()
    page.click("#mm-filters button")
    low, high = page.locator("#mm-low input"), page.locator("#mm-high input")
    expect(low).to_have_value(""), expect(high).to_have_value("")
    ask(page, "mug")
    expect(low).to_have_value(""), expect(high).to_have_value("")
    whole = page.locator(HEADING).inner_text()
    high.fill("15"), high.press("Enter")
    expect(page.locator(HEADING)).not_to_have_text(whole)
    n, total = map(int, re.findall(r"[0-9]+", page.locator(HEADING).inner_text().replace(",", ""))[:2])
    assert n == page.locator(CARDS).count() <= total
    assert parse_qs(urlsplit(page.url).query)["to"] == ["15"]
    expect(low).to_have_value("")
    page.locator("#mm-variety input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile("variety=0.1"))
    expect(page.locator("#mm-filters")).to_contain_text("Filters (1)")


def test_a_long_sentence_is_counted_while_it_is_typed_and_one_too_long_is_not_cut(visit: Callable[..., Page]) -> None:
    page = visit()
    field = page.locator("#mm-text :is(input, textarea)")
    field.fill("a red mug " * 85)
    expect(page.locator(".mm-typed")).to_have_text("850 of 1,000 characters")
    field.press("Enter")
    expect(page.locator(HEADING)).to_be_visible()
    assert page.locator(HEADING).evaluate("h => h.clientHeight <= 2.2 * parseFloat(getComputedStyle(h).lineHeight)")
    field.fill("a red mug " * 105)
    expect(page.locator(".mm-typed")).to_have_text("1,050 of 1,000 characters")
    field.press("Enter")
    expect(page.locator("#mm-notice")).to_contain_text("at most 1,000 are read")
    expect(field).to_have_value("a red mug " * 105)
    field.fill("a red mug")
    expect(page.locator(".mm-typed")).to_be_hidden()

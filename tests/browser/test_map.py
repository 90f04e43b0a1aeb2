"""The Map tab and the How it works tab in a real browser."""

import json
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

VIEW = "#mm-map .mm-atlas-view"
LIST = "#mm-map .mm-atlas-list button"


def tab(page: Page, name: str) -> None:
    one = page.locator(".tab-container:not(.visually-hidden)").get_by_role("tab", name=name)
    if one.is_visible():
        return one.click()
    page.locator(".overflow-menu button").first.click()  # a phone's bar folds what does not fit
    page.locator(".overflow-dropdown").get_by_text(name).click()


def open_map(page: Page) -> None:
    tab(page, "Map")
    page.wait_for_selector(f"{VIEW}[data-drawn]")


def ask(page: Page, text: str) -> list[str]:
    """Search by words; the ids of the answers."""
    field = page.locator("#mm-text :is(input, textarea)")
    field.fill(text)
    field.press("Enter")
    expect(page.locator("#mm-results .mm-bar h2")).to_contain_text(text)
    return page.locator("#mm-results .mm-card").evaluate_all("cards => cards.map(card => card.dataset.id)")


def dialog_title(page: Page) -> str:
    page.wait_for_selector(".mm-dialog[open] h2")
    return page.locator("#mm-product .mm-product h2").inner_text()


@pytest.fixture
def many(index) -> tuple[str, int]:
    """A kind that several products share, and how many."""
    kind, count = next((k, n) for k, n in index.facets["category"].items() if n > 2)
    return kind, count


def test_nothing_is_laid_out_before_the_tab_is_opened(page: Page) -> None:
    assert page.locator(f"{VIEW}[data-drawn]").count() == 0


def test_the_map_lists_products_of_the_catalogue_and_opens_them(page: Page, index, screen) -> None:
    open_map(page)
    expect(page.locator(LIST)).to_have_count(min(21, len(index.products)))
    titles = {item.title for item in index.products}
    shown = page.locator(LIST).all_inner_texts()
    assert set(shown) <= titles
    page.locator(LIST).nth(3).click()
    assert dialog_title(page) == shown[3]
    page.keyboard.press("Escape")
    screen(page, "map")


def test_keys_walk_from_point_to_point_and_enter_opens_the_one_in_focus(page: Page) -> None:
    open_map(page)
    page.focus(VIEW)
    walked = []
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        walked.append(now := page.locator("#mm-map [data-focus]").inner_text())
    assert len(set(walked)) >= 3
    expect(page.locator("#mm-map .mm-atlas-said")).to_have_text(now)
    expect(page.locator(".mm-atlas-tip b")).to_have_text(now)
    page.keyboard.press("Enter")
    assert dialog_title(page) == now


def test_a_point_shows_its_product_under_the_mouse_and_opens_at_a_click(page: Page) -> None:
    open_map(page)
    page.focus(VIEW)
    page.keyboard.press("ArrowRight")
    tip = page.locator(".mm-atlas-tip")
    expect(tip).to_be_visible()
    title = tip.locator("b").inner_text()
    spot = tip.evaluate("t => [parseFloat(t.style.left), parseFloat(t.style.top)]")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    box = page.locator(VIEW).bounding_box()
    assert box
    page.mouse.move(box["x"] + spot[0], box["y"] + spot[1])
    expect(tip.locator("b")).to_have_text(title)
    page.mouse.down()
    page.mouse.up()
    assert dialog_title(page) == title


def test_the_legend_has_every_value_with_its_count(page: Page, index, many) -> None:
    open_map(page)
    page.select_option("#mm-map [data-facet]", label="category")
    kind, count = many
    one = page.locator(".mm-atlas-legend button").filter(has_text=kind).first
    assert one.inner_text().split() == [*kind.split(), str(count)]
    one.click()
    expect(one).to_have_attribute("aria-pressed", "true")


def test_named_colours_look_like_themselves(page: Page, index) -> None:
    colours = index.facets.get("colour", {})
    if "navy" not in {value.casefold() for value in colours}:
        pytest.skip("no navy in this catalogue")
    open_map(page)
    page.select_option("#mm-map [data-facet]", label="colour")
    page.locator(".mm-atlas-legend button").filter(has_text="navy").first.wait_for(state="attached")
    look = page.locator(".mm-atlas-legend button").filter(has_text="navy").first.locator("i")
    assert look.evaluate("dot => getComputedStyle(dot).backgroundColor") == "rgb(0, 0, 128)"


def test_the_last_query_stands_on_the_map_and_its_best_answer_in_focus(page: Page, index, many, screen) -> None:
    found = ask(page, many[0])
    open_map(page)
    expect(page.locator("#mm-map [data-yours]")).to_be_visible()
    assert page.locator("#mm-map [data-focus]").inner_text() == index.products[index.row(found[0])].title
    screen(page, "map-query")


def test_what_is_drawn_around_is_listed_and_what_passes_no_condition_is_left_out(page: Page, index, many) -> None:
    ask(page, f"{many[0].lower()} under 1000000")
    open_map(page)
    expect(page.locator("#mm-map [data-passing]")).to_contain_text("pass your conditions")
    box = page.locator(VIEW).bounding_box()
    assert box
    page.click("#mm-map [data-lasso]")
    expect(page.locator("#mm-map [data-lasso]")).to_have_attribute("aria-pressed", "true")
    corners = [(20, 20), (box["width"] - 20, 20), (box["width"] - 70, box["height"] - 20), (20, box["height"] - 40)]
    page.mouse.move(box["x"] + 20, box["y"] + 60)
    page.mouse.down()
    for x, y in corners:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()
    chosen = page.locator("#mm-map [data-chosen]")
    expect(chosen).to_have_text(re.compile(r"Drawn around: \d+"))
    count = int(re.findall(r"\d+", chosen.inner_text())[0])
    priced = sum(item.price is not None for item in index.products)
    assert 0 < count <= priced
    expect(page.locator(LIST)).to_have_count(min(count, 200))
    expect(page.locator("#mm-map [data-lasso]")).to_have_attribute("aria-pressed", "false")


def test_another_space_lays_the_same_products_out_anew(page: Page) -> None:
    open_map(page)
    drawn = page.locator(VIEW).get_attribute("data-drawn")
    page.click("#mm-map [data-space=text]")
    expect(page.locator(VIEW)).not_to_have_attribute("data-drawn", drawn or "")
    expect(page.locator("#mm-map [data-space=text]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#mm-map [data-lead=text]")).to_be_visible()
    expect(page.locator("#mm-map [data-lead=fused]")).to_be_hidden()


def test_a_finger_sees_a_product_first_and_opens_it_with_a_second_tap(visit: Callable[..., Page]) -> None:
    page = visit(width=390, height=844)
    open_map(page)
    page.locator(VIEW).scroll_into_view_if_needed()
    spot = page.evaluate(
        """() => { const view = document.querySelector('#mm-map .mm-atlas-view'); view.focus();
        view.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
        const tip = view.querySelector('.mm-atlas-tip'), at = [parseFloat(tip.style.left), parseFloat(tip.style.top)];
        view.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true})); return at; }"""
    )
    tap = """([x, y]) => { const view = document.querySelector('#mm-map .mm-atlas-view');
        view.setPointerCapture = () => {};
        const box = view.getBoundingClientRect(), at = {pointerId: 5, pointerType: 'touch', bubbles: true,
            clientX: box.left + x, clientY: box.top + y};
        for (const name of ['pointerdown', 'pointerup']) view.dispatchEvent(new PointerEvent(name, at)); }"""
    page.evaluate(tap, spot)
    title = page.locator(".mm-atlas-tip b").inner_text()
    expect(page.locator(".mm-atlas-tip")).to_be_visible()
    assert page.locator(".mm-dialog[open]").count() == 0
    page.evaluate(tap, spot)
    assert dialog_title(page) == title


def test_how_it_works_shows_an_example_until_there_is_a_query(page: Page, index, many, screen) -> None:
    tab(page, "How it works")
    expect(page.locator("#mm-pipeline")).to_contain_text("This is an example. Search for something under Discover")
    assert page.locator("#mm-pipeline .mm-took").count() >= 4
    tab(page, "Discover")
    found = ask(page, many[0])
    tab(page, "How it works")
    expect(page.locator("#mm-pipeline")).to_contain_text(f"“{many[0]}”")
    expect(page.locator("#mm-pipeline")).not_to_contain_text("This is an example")
    assert page.locator("#mm-pipeline .mm-took").count() >= 4
    expect(page.locator("#mm-pipeline")).to_contain_text(f"{len(index.products):,}")
    answers = page.locator("#mm-pipeline .mm-answers button").evaluate_all("all => all.map(one => one.dataset.id)")
    assert answers == found[: len(answers)] and answers
    screen(page, "how")
    boxes = page.locator("#mm-pipeline .mm-lanes > .mm-box")
    lane = boxes.evaluate_all("all => all.map(box => box.getBoundingClientRect().toJSON())")
    steps = [(box["left"], box["right"]) for box in lane[:3]]
    assert all(end + 20 < start for (_, end), (start, _) in pairwise(steps)), "an arrow lies between two steps"
    assert all(right - left > 120 for left, right in steps)
    page.locator("#mm-pipeline .mm-answers button").first.click()
    assert dialog_title(page) == index.products[index.row(found[0])].title


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["Map", "How it works"])
def test_both_tabs_are_accessible_and_fit_a_phone(visit: Callable[..., Page], name: str, dark: bool, screen) -> None:
    page = visit(width=390, height=844, dark=dark)
    page.locator(".mm-start").first.click()
    page.wait_for_selector("#mm-results .mm-card")
    if name == "Map":
        open_map(page)
    else:
        tab(page, name)
        page.wait_for_selector("[data-traced]")
    screen(page, f"{name.split()[0].lower()}-phone{'-dark' if dark else ''}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    faults = [f for f in Axe().run(page).response["violations"] if f["impact"] in ("serious", "critical")]
    assert not faults, json.dumps([(f["id"], [n["html"][:120] for n in f["nodes"][:3]]) for f in faults], indent=1)

"""The things on a photo are marked on the page; one is asked for by a tap, a box is drawn by mouse, finger and keys."""

import io
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import demo_process
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from test_page import CARDS, ids

from benchmarks.scenes import CutOut

LOOKS = ".mm-looks [data-look]"
KINDS = ("Teapot", "Chair")


@pytest.fixture(scope="module")
def room(index, tmp_path_factory):
    """Two products side by side before a grey wall: a teapot on the left, a chair on the right."""
    wall = np.full((384, 512, 3), (0.62, 0.58, 0.52), np.float32)
    for left, kind in zip((30, 280), KINDS, strict=True):
        product = next(p for p in index.products if p.category == kind)
        with Image.open(io.BytesIO(index.thumbnail(product.id))) as picture:
            light, solid = CutOut.of(picture.convert("RGB")).at(200)
        behind = wall[100:300, left : left + 200]
        behind[:] = light * (solid + (1 - solid) * behind)
    path = tmp_path_factory.mktemp("room") / "room.png"
    Image.fromarray((255 * wall).astype(np.uint8)).save(path)
    return path


def opened(page: Page, room) -> Page:
    page.set_input_files("#mm-photo input[type=file]", room)
    expect(page.locator(".mm-scene")).to_be_visible()
    return page


def box_of(page: Page) -> list[float]:
    """The box that the address names."""
    return [float(edge) for edge in parse_qs(urlsplit(page.url).query)["box"][0].split(",")]


def first_kind(page: Page, index) -> str:
    return {p.id: p.category for p in index.products}[ids(page.locator(CARDS))[0]]


def corners(page: Page, share: tuple[float, float], other: tuple[float, float]) -> list[tuple[float, float]]:
    """Two points of the photo, in pixels of the page."""
    around = page.locator(".mm-scene").bounding_box()
    return [(around["x"] + x * around["width"], around["y"] + y * around["height"]) for x, y in (share, other)]


def test_a_marked_thing_is_asked_for_by_a_tap_and_the_photo_stays(
    visit: Callable[..., Page], room, index, screen
) -> None:
    page = opened(visit(), room)
    looks = page.locator(LOOKS)
    expect(page.locator(f"{LOOKS}[aria-pressed=true]")).to_have_count(1)
    assert sorted(name.split()[-1] for name in looks.all_inner_texts()[:-1]) == sorted(KINDS)
    screen(page, "regions")
    for kind in KINDS:
        looks.filter(has_text=kind).click()
        expect(looks.filter(has_text=kind)).to_have_attribute("aria-pressed", "true")
        assert first_kind(page, index) == kind and page.locator("#mm-photo img").is_visible()
    spot = page.locator(".mm-spot:not([data-chosen=true])").first  # the frame lies over that of the chosen one
    tapped = looks.filter(has_text=spot.get_attribute("title"))
    spot.click()
    expect(tapped).to_have_attribute("aria-pressed", "true")
    looks.filter(has_text="Whole photo").click()
    expect(looks.filter(has_text="Whole photo")).to_have_attribute("aria-pressed", "true")
    assert box_of(page) == [0, 0, 1, 1]
    page.go_back()
    expect(tapped).to_have_attribute("aria-pressed", "true")


def test_everything_on_the_photo_is_answered_in_rows_below_it(visit: Callable[..., Page], room, index, screen) -> None:
    page = opened(visit(), room)
    page.get_by_role("button", name="Everything here that we sell").click()
    expect(page.locator(".mm-look .mm-spot")).to_have_count(2)
    screen(page, "everything")
    category = {p.id: p.category for p in index.products}
    for row in page.locator(".mm-thing").all():
        kind = row.locator(".mm-thing-head h3").inner_text().split()[-1]
        assert kind in KINDS and category[ids(row.locator(".mm-card"))[0]] == kind
    page.locator(".mm-look .mm-spot").last.click()
    expect(page.locator(".mm-thing").last).to_be_focused()
    page.locator(".mm-thing").last.get_by_role("button", name="More like this on the photo").click()
    expect(page.locator(f"{LOOKS}[aria-pressed=true]")).to_have_text(page.locator(LOOKS).nth(1).inner_text())


def test_a_box_is_drawn_moved_and_resized_by_the_mouse(visit: Callable[..., Page], room, index) -> None:
    page = opened(visit(), room)
    page.get_by_role("button", name="Draw a box").click()
    start, end = corners(page, (0.08, 0.25), (0.44, 0.74))
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()
    page.wait_for_url("**box=0.08*")
    assert box_of(page) == pytest.approx([0.08, 0.25, 0.44, 0.74], abs=0.02)
    assert first_kind(page, index) == "Teapot"
    for grip, by in ((".mm-frame", (0.4, 0.0)), ("[data-corner=se]", (0.05, 0.1))):
        before, held = box_of(page), page.locator(grip).bounding_box()
        (x, y), (right, down) = corners(page, (0, 0), by)
        middle = held["x"] + held["width"] / 2, held["y"] + held["height"] / 2 + (30 if grip == ".mm-frame" else 0)
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + right - x, middle[1] + down - y, steps=4)
        page.mouse.up()
        page.wait_for_function("before => !location.search.includes(before)", arg=page.url.partition("box=")[2])
        moves = (by[0], by[1]) if grip == ".mm-frame" else (0, 0)
        wanted = [before[0] + moves[0], before[1] + moves[1], before[2] + by[0], before[3] + by[1]]
        assert box_of(page) == pytest.approx(wanted, abs=0.02)
    assert first_kind(page, index) == "Chair"


@pytest.fixture
def phone(browser: Browser, demo) -> Iterator[Page]:
    """The page in Chinese on a phone at night."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, locale="zh-CN", color_scheme="dark"
    )
    page = context.new_page()
    page.set_default_timeout(demo_process.LIMIT)
    page.goto(f"{demo.url}/zh/")
    page.wait_for_selector(".mm-welcome")
    yield page
    context.close()


def test_on_a_phone_in_chinese_a_box_is_drawn_by_a_finger(phone: Page, room, index, screen) -> None:
    page = opened(phone, room)
    touch = page.context.new_cdp_session(page)
    page.get_by_role("button", name="画一个框").click()
    page.locator(".mm-scene").scroll_into_view_if_needed()
    start, end = corners(page, (0.56, 0.25), (0.93, 0.74))
    for kind, at in (("touchStart", start), ("touchMove", end), ("touchEnd", None)):
        points = [{"x": at[0], "y": at[1]}] if at else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_url("**box=0.5*")
    assert box_of(page) == pytest.approx([0.56, 0.25, 0.93, 0.74], abs=0.02)
    assert first_kind(page, index) == "Chair"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate("window.scrollTo(0, 0)")
    screen(page, "regions-phone")


def test_a_box_is_moved_and_resized_by_keys_alone(visit: Callable[..., Page], room) -> None:
    page = opened(visit(), room)
    page.get_by_role("button", name="Whole photo").click()
    page.wait_for_url("**box=0*")
    page.get_by_role("button", name="Draw a box").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".mm-frame")).to_be_focused()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**box=0.21*")
    assert box_of(page) == [0.21, 0.27, 0.73, 0.75]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_marks_are_accessible(visit: Callable[..., Page], room, dark) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(visit(dark=dark), room)
    page.get_by_role("button", name="Draw a box").focus()
    found = Axe().run(page, context="#mm-marks", options={"resultTypes": ["violations"]}).response["violations"]
    assert not found, [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found]

"""A catalogue whose words are an attack is shown as words."""

import csv
from collections.abc import Callable

import demo_process
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

TITLES = [
    "<script>window.hacked = 1</script> lamp",
    "<img src=x onerror='window.hacked = 2'> vase",
    "${window.hacked = 3} {{constructor}} chair",
    "`+(window.hacked=4)+` \\u0041 \\ table",
    '"><svg onload="window.hacked=5"> mug',
    "x" * 280,
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> demo_process.Demo:
    from mmdemo.build import build
    from mmdemo.catalog import Catalog
    from mmdemo.encoder import Encoder

    folder = tmp_path_factory.mktemp("hostile")
    with (folder / "catalog.csv").open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "image", "title", "description", "category", "url", "parent", "colour"])
        for number, title in enumerate(TITLES * 2):
            Image.new("RGB", (64, 64), (20 * number, 200 - 15 * number, 120)).save(folder / f"{number}.png")
            rows.writerow([f"a/{number}?&<b>\"'", f"{number}.png", title, title, f"<b>${{{number % 2}}}</b>",
                           "javascript:window.hacked=6", "p1", f"<i>{number % 3}</i>"])  # fmt: skip
    manifest = __import__("json").loads
    spec = "assets/encoder"
    if demo_process.INDEX.joinpath("current").exists():
        live = demo_process.INDEX / demo_process.INDEX.joinpath("current").read_text().strip() / "manifest.json"
        spec = manifest(live.read_text())["encoder"]["spec"]
    out = tmp_path_factory.mktemp("index") / "hostile"
    from mmdemo.index import resolve_spec

    build(Catalog.read(folder), Encoder.load(resolve_spec(spec)), out)
    demo = demo_process.start(out)
    yield demo
    demo_process.stop(demo.process)


def test_titles_are_text(visit: Callable[..., Page], hostile: demo_process.Demo, screen) -> None:
    page = visit(url=hostile.url)
    page.locator("#mm-text :is(input, textarea)").fill("<b>${window.hacked=7}</b>")
    page.click("#mm-search")
    expect(page.locator("#mm-results .mm-bar h2")).to_contain_text("<b>${window.hacked=7}</b>")
    shown = page.locator("#mm-results .mm-title").all_inner_texts()
    assert set(TITLES) == set(shown)
    screen(page, "hostile")
    for title in set(TITLES):
        page.locator("#mm-results .mm-card").filter(has_text=title[:40]).first.locator(".mm-pic").click()
        expect(page.locator(".mm-dialog h2")).to_have_text(title)
        assert page.locator(".mm-dialog .mm-large img").evaluate("i => i.decode().then(() => i.naturalWidth)") > 0
        assert page.locator(".mm-dialog a[href^='javascript']").count() == 0
        page.keyboard.press("Escape")
    page.locator("#mm-results .mm-more").first.click()
    expect(page.locator(".mm-chip")).to_be_visible()
    page.locator(".tab-container:not(.visually-hidden)").get_by_role("tab", name="Browse").click()
    page.locator(".mm-value").first.click()
    expect(page.locator("#mm-shelf h2")).to_have_text("6 products")
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

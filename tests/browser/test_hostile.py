"""A catalogue whose words are an attack is shown as words."""

from collections.abc import Callable, Iterator

import demo_process
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.core.paths import resolve_spec
from mmdemo.encode.encoder import Encoder
from mmdemo.index.product_index import ProductIndex
from tests.toys import quick_build

TITLES = [
    "<script>window.hacked = 1</script> lamp",
    "<img src=x onerror='window.hacked = 2'> vase",
    "${window.hacked = 3} {{constructor}} chair",
    "`+(window.hacked=4)+` \\u0041 \\ table",
    '"><svg onload="window.hacked=5"> mug',
    "x" * 280,
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Iterator[demo_process.Demo]:
    """An index of rows that no reader has cleaned, with the encoder of the shipped one."""
    folder = tmp_path_factory.mktemp("hostile")
    products = []
    for number, title in enumerate(TITLES * 2):
        Image.new("RGB", (64, 64), (20 * number, 200 - 15 * number, 120)).save(folder / f"{number}.png")
        products.append(
            Product(
                id=f"a/{number}?&<b>\"'",
                image=f"{number}.png",
                title=title,
                description=title,
                category=f"<b>${{{number % 2}}}</b>",
                url="javascript:window.hacked=6",
                parent=f"p{number % len(TITLES)}",  # two of each: variants fold into one card
                attributes={"colour": f"<i>{number % 3}</i>"},
            )
        )
    spec = ProductIndex.load(demo_process.INDEX).manifest.encoder.spec
    out = tmp_path_factory.mktemp("index") / "hostile"
    quick_build(Catalog(products, folder), Encoder.load(resolve_spec(spec)), out)
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

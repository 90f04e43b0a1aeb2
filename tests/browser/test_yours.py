"""A visitor brings a shop: drops it, sees what was understood, builds it, opens it, searches in it."""

import io
import os
import shutil
import signal
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import demo_process
import gradio as gr
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.core.money import format_price
from mmdemo.encode.encoder import Encoder
from mmdemo.index.product_index import WORK, ProductIndex, live_version
from mmdemo.serve import jobs
from mmdemo.serve.drafts import Building, Drafts
from mmdemo.ui.your_catalogue import YourCatalogueTab, routes
from tests import shop_exports
from tests.shop_zip import BAD, shop_zip
from tests.toys import picture, quick_build, toy_catalogue

BUILT = 400_000  # milliseconds that building a dozen products may take on a busy machine
READY = ".mm-yours [role=status] h2"


@pytest.fixture(scope="session")
def shelf(tiny_model, tmp_path_factory) -> Path:
    """A folder with one small index, as `index/` is with `index/default`."""
    folder = tmp_path_factory.mktemp("shelf")
    toys = Catalog.read(toy_catalogue(folder / "toys", copies=1))
    quick_build(toys, Encoder.load(tiny_model), folder / "index" / "default")
    return folder / "index"


@pytest.fixture
def page(visit: Callable[..., Page], shelf: Path) -> Page:
    return at_tab(visit(url=demo_process.start(shelf / "default").url))


def at_tab(page: Page) -> Page:
    shown = page.locator(".tab-container:not(.visually-hidden)").get_by_role("tab", name="Your catalogue")
    if not shown.count():  # on a phone it is behind the dots
        page.locator("#mm-tabs .overflow-menu > button").click()
        shown = page.locator("#mm-tabs .overflow-dropdown").get_by_text("Your catalogue")
    shown.click()
    expect(page.locator("#mm-yours h1")).to_be_visible()
    return page


def serious(page: Page) -> list[str]:
    """What keeps somebody from using the page: rules that it breaks, and where."""
    found = Axe().run(page).response["violations"]
    bad = [v for v in found if v["impact"] in ("serious", "critical")]
    return [f"{v['id']}: {node['html'][:200]}" for v in bad for node in v["nodes"]]


def send(page: Page, *files: Path) -> None:
    page.set_input_files("#mm-yours [data-files=files]", list(files))


def understood(page: Page, path: Path, name: str) -> None:
    send(page, path)
    expect(page.locator(READY)).to_have_text("12 products understood", timeout=BUILT)
    page.get_by_label("Name").fill(name)


def test_dropped_understood_stopped_gone_on_with_and_searched(page: Page, visit, shelf: Path, tmp_path, screen) -> None:
    send(page, shop_zip(tmp_path / "shop.zip"))
    expect(page.locator(READY)).to_have_text("12 products understood", timeout=BUILT)
    expect(page.locator(".mm-yours")).to_contain_text("12 with a picture · 12 with a price, €10.00 – €21.00")
    refused = page.get_by_role("region", name="Refused rows and changed cells").locator("tbody tr")
    expect(refused).to_have_count(1)
    assert refused.locator("td").all_inner_texts()[:3] == ["14", BAD[0], "image"]
    expect(refused).to_contain_text(f"there is no picture '{BAD[1]}'")
    with page.expect_download() as came:
        page.get_by_role("link", name="Download this list").click()
    assert BAD[0] in came.value.path().read_text("utf-8-sig")
    columns = page.get_by_role("region", name="Columns").locator("tbody tr").all_inner_texts()
    assert [row.split("\t")[:2] for row in columns][:2] == [["sku", "id"], ["Photo", "image"]]
    assert page.locator(".mm-first-rows figcaption b").all_inner_texts()[:2] == ["Red mug 0", "Green tray 1"]
    screen(page, "yours-understood")
    assert not serious(page)

    expect(page.get_by_label("Name")).to_have_value("shop")
    page.get_by_label("Name").fill("my shop")
    page.get_by_role("button", name="Build it").click()
    expect(page.get_by_role("heading", name="Building “my-shop”")).to_be_visible()
    expect(page.locator(".mm-stages [aria-current=step]")).to_have_text("Reading")
    screen(page, "yours-building")
    other = at_tab(visit(url=demo_process.start(shelf / "default").url))
    expect(other.locator(".mm-yours")).to_contain_text("“my-shop” is being built: ")
    assert not other.get_by_role("button", name="Stop").count(), "it is not this visitor's to stop"

    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".mm-yours")).to_contain_text("The build of “my-shop” was stopped")
    assert live_version(shelf / "my-shop") is None
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(READY)).to_have_text("“my-shop” is ready", timeout=BUILT)
    assert len(ProductIndex.load(shelf / "my-shop")) == 12 and not list((shelf / ".yours").iterdir())
    screen(page, "yours-ready")

    switcher = page.get_by_role("navigation", name="Catalogues").get_by_role("link")
    expect(switcher.nth(1)).to_have_text("my-shop 12 products")
    assert [link.get_attribute("aria-current") for link in switcher.all()] == ["page", None]
    page.get_by_role("link", name="Open it").click()
    page.wait_for_url("**/c/my-shop/")
    page.wait_for_selector(".mm-welcome", timeout=BUILT)
    expect(page.locator("#mm-header [aria-current=page]")).to_have_text("my-shop 12 products")
    field = page.locator("#mm-text :is(input, textarea)")
    field.fill("blue")
    field.press("Enter")
    expect(page.locator("#mm-results .mm-card").first).to_be_visible()
    ids = page.locator("#mm-results .mm-card").evaluate_all("cards => cards.map(card => card.dataset.id)")
    known = {item.id for item in ProductIndex.load(shelf / "my-shop").products}
    assert ids and set(ids) <= known
    page.wait_for_function("[...document.querySelectorAll('.mm-card img')].every(i => i.complete && i.naturalWidth)")
    page.get_by_role("navigation", name="Catalogues").get_by_role("link").nth(0).click()
    page.wait_for_selector(".mm-welcome")
    expect(page.locator("#mm-header [aria-current=page]")).to_contain_text("default")


BUILT_EXPORT = "shopify"
FACETS = """() => Object.fromEntries([...document.querySelectorAll('.mm-facet-rows > div')].map(row => [
    row.querySelector('dt').textContent.toLowerCase(),
    [...row.querySelectorAll('.mm-tag')].map(tag => tag.textContent)]))"""


def test_every_export_opens_at_the_first_drop_one_after_the_other_and_one_is_built(page: Page, shelf, tmp_path) -> None:
    shop_exports.write_pictures(tmp_path)
    pictures = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    for name in sorted(shop_exports.EXPORTS, key=BUILT_EXPORT.__eq__):  # the one that is built is the last
        (file, content), truth = shop_exports.EXPORTS[name]()
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as packed:
            packed.writestr(file, content)
            for path in pictures:
                packed.write(path, path.relative_to(tmp_path))
        send(page, tmp_path / f"{name}.zip")
        expect(page.locator(READY)).to_have_text(f"{len(truth)} products understood", timeout=BUILT)
        assert_shown(page, list(truth.values()), name)
        folder = shelf / ".yours" / page.evaluate("localStorage['mmdemo-draft']")
        sent = Catalog.read(folder / jobs.read(folder / jobs.UNDERSTOOD)["root"])
        assert shop_exports.values(sent, sent.views) == truth, name
        if name != BUILT_EXPORT:
            page.get_by_role("button", name="Drop another").click()
            expect(page.locator("[data-drop]")).to_be_visible()

    page.get_by_role("button", name="Build it").click()
    expect(page.locator(READY)).to_have_text(f"“{name}” is ready", timeout=BUILT)
    index = ProductIndex.load(shelf / name)
    assert {p.id: (p.title, p.price, p.category, p.parent, index.views(p.id)) for p in index.products} == {
        id: (p.title, p.price, p.category, p.parent, len(p.views)) for id, p in truth.items()
    }
    page.get_by_role("link", name="Open it").click()
    page.wait_for_selector(".mm-welcome", timeout=BUILT)
    expect(page.locator("#mm-header [aria-current=page]")).to_have_text(f"{name} {len(truth)} products")


def assert_shown(page: Page, products: list[shop_exports.Truth], name: str) -> None:
    """The counts, kinds and first rows that the page shows are those of these products."""
    several, prices = sum(bool(p.views) for p in products), [p.price for p in products if p.price]
    said = f"{sum(bool(p.image) for p in products)} with a picture" + (f", {several} with several" if several else "")
    said += f" · {len(prices)} with a price, " if prices else " · no prices"
    expect(page.locator(".mm-yours")).to_contain_text(said)
    parents = [p.parent for p in products if p.parent]
    said = f"{len(parents)} are variants of {len({*parents})} products"
    assert (said in page.locator(".mm-yours").inner_text()) == bool(parents), name
    first = page.locator(".mm-first-rows figure")
    assert first.locator("b").all_inner_texts() == [p.title for p in products[:8]], name
    shown = first.locator("span:not(.mm-nopic)").all_inner_texts()
    assert [text for text in shown if text] == [format_price(p.price, p.currency) for p in products[:8] if p.price], (
        name
    )
    assert first.locator("img").count() == sum(bool(p.image) for p in products[:8]), name
    kinds = Counter(p.category for p in products if p.category)
    tags = page.evaluate(FACETS).get("category", [])
    assert sorted(tags) == sorted(f"{kind} {n}" for kind, n in kinds.items()), name


def test_a_taken_name_is_asked_about_and_default_is_never_replaced(page: Page, shelf: Path, tmp_path) -> None:
    before = (shelf / "default" / "current").read_text()
    (shelf / "taken").mkdir(exist_ok=True)
    for path in (shelf / "default").iterdir():
        target = shelf / "taken" / path.name
        target.exists() or target.symlink_to(path)
    understood(page, shop_zip(tmp_path / "shop.zip"), "default")
    page.get_by_role("button", name="Build it").click()
    expect(page.get_by_role("alert")).to_contain_text("“default” stays as it is")
    expect(page.get_by_label("Name")).to_have_value("default")
    page.get_by_label("Name").fill("taken")
    page.get_by_role("button", name="Build it").click()
    expect(page.get_by_role("alert").filter(has_text="already")).to_be_visible()
    expect(page.get_by_role("button", name="Replace it")).to_be_visible()
    expect(page.get_by_role("button", name="Update it")).to_be_visible()
    assert (shelf / "default" / "current").read_text() == before
    page.get_by_role("button", name="Drop another").click()
    expect(page.locator("[data-drop]")).to_be_visible()
    for path in (shelf / "taken").iterdir():
        path.unlink()
    (shelf / "taken").rmdir()


def test_a_refused_file_leaves_everything_as_it_was(page: Page, shelf: Path, tmp_path) -> None:
    before = sorted(str(path) for path in shelf.rglob("*"))
    (tmp_path / "letter.txt").write_text("Dear shop")
    send(page, tmp_path / "letter.txt")
    expect(page.locator("#mm-yours [role=alert]").first).to_contain_text("holds neither")
    expect(page.locator("[data-drop]")).to_be_visible()
    assert [path for path in sorted(str(p) for p in shelf.rglob("*")) if ".yours" not in path] == [
        path for path in before if ".yours" not in path
    ]
    assert not (shelf / ".yours").exists() or not list((shelf / ".yours").iterdir())


def test_an_unclear_table_is_asked_about_and_read_as_the_visitor_says(page: Page, tmp_path, screen) -> None:
    (tmp_path / "styles.csv").write_text("Number,articleDisplayName,Cost\n7,Red wool hat,12.50\n8,Blue scarf,39.00\n")
    send(page, tmp_path / "styles.csv")
    expect(page.locator(READY)).to_have_text("Which column is which?", timeout=BUILT)
    expect(page.locator("#mm-column-title")).to_have_value("articleDisplayName")
    expect(page.locator("#mm-column-image")).to_have_value("")
    screen(page, "yours-columns")
    assert not serious(page)
    page.locator("#mm-column-id").select_option("")
    page.get_by_role("button", name="Read it so").click()
    expect(page.locator(READY)).to_have_text("2 products understood", timeout=BUILT)
    expect(page.locator(".mm-yours")).to_contain_text("2 with a price, 12.50 – 39.00")
    page.get_by_role("button", name="Drop another").click()
    expect(page.locator("[data-drop]")).to_be_visible()


def test_what_is_too_large_is_refused_before_it_is_sent(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.evaluate("""() => {
        const file = new File(["id,image,title\\n"], "shop.csv"), held = new DataTransfer();
        Object.defineProperty(file, "size", {value: 3 * 2 ** 30});
        const dropped = new DragEvent("drop", {dataTransfer: held, bubbles: true});
        Object.defineProperty(dropped, "dataTransfer", {value: {items: [], files: [file]}});
        document.querySelector("[data-drop]").dispatchEvent(dropped);
    }""")
    expect(page.locator("[data-fault]")).to_have_text("These files are too large together; at most 2048 MB are taken.")
    assert not [url for url in sent if "/yours/file/" in url]


def test_files_can_be_dropped_and_what_was_understood_survives_a_reload(page: Page) -> None:
    table = "id,image,title\\n1,,A mug\\n2,,A tray\\n"
    page.evaluate(f"""() => {{
        const held = new DataTransfer();
        held.items.add(new File(["{table}"], "crockery.csv"));
        const dropped = new DragEvent("drop", {{dataTransfer: held, bubbles: true}});
        document.querySelector("[data-drop]").dispatchEvent(dropped);
    }}""")
    expect(page.locator(READY)).to_have_text("2 products understood")
    expect(page.get_by_label("Name")).to_have_value("crockery")
    page.reload()
    page.wait_for_selector(".mm-welcome")
    at_tab(page)
    expect(page.locator(READY)).to_have_text("2 products understood")
    page.get_by_role("button", name="Drop another").click()
    expect(page.locator("[data-drop]")).to_be_visible()


def test_it_fits_a_phone_and_is_accessible_in_the_dark(visit, shelf: Path, screen) -> None:
    page = at_tab(visit(390, 844, dark=True, url=demo_process.start(shelf / "default").url))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not serious(page)
    screen(page, "yours-phone")


def test_after_a_hard_kill_of_the_server_the_page_goes_on_with_the_build(browser, shelf: Path, tmp_path) -> None:
    index = tmp_path / "index" / "default"
    shutil.copytree(shelf / "default", index, symlinks=True)
    first = demo_process.start.__wrapped__(index)
    page = browser.new_page()
    page.set_default_timeout(BUILT)
    page.goto(first.url)
    page.wait_for_selector(".mm-welcome")
    at_tab(page)
    understood(page, shop_zip(tmp_path / "shop.zip"), "shop")
    page.get_by_role("button", name="Build it").click()
    until = time.monotonic() + BUILT / 1000
    while not (shards := list((index.parent / "shop" / WORK).glob("*.safetensors"))):
        assert time.monotonic() < until, "nothing was encoded"
        time.sleep(0.02)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    page.close()
    assert live_version(index.parent / "shop") is None
    made = shards[0].stat().st_mtime_ns

    second = demo_process.start.__wrapped__(index)
    page = browser.new_page()  # of another visitor: the address is another one, so nothing is remembered
    page.set_default_timeout(BUILT)
    page.goto(second.url)
    page.wait_for_selector(".mm-welcome")
    at_tab(page)
    expect(page.locator(".mm-yours")).to_contain_text("The build of “shop” was stopped")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Building “shop”")).to_be_visible(timeout=BUILT)
    assert shards[0].stat().st_mtime_ns == made, "it was encoded again"
    expect(page.locator(READY)).to_have_text("“shop” is ready", timeout=BUILT)
    page.get_by_role("link", name="Open it").click()
    page.wait_for_selector(".mm-welcome", timeout=BUILT)
    expect(page.locator("#mm-header [aria-current=page]")).to_have_text("shop 12 products")
    page.close()
    demo_process.stop(second.process)


class Held(Drafts):
    """Drafts whose answer to one question comes when the test says so: to the first look, or to what is read."""

    def __init__(self, folder: Path, what: str) -> None:
        super().__init__(folder, "tiny")
        self.what, self.asked, self.free = what, threading.Event(), threading.Event()
        (folder / ".yours" / "shop").mkdir(parents=True)
        jobs.write(folder / ".yours" / "shop" / jobs.JOB, {"name": "shop"})

    def path(self, draft: str) -> Path:
        return self._home / draft

    def builds(self) -> list[Building]:
        found = super().builds()
        self._hold("look")
        return found

    def check(self, draft: str, own=()) -> dict:
        self._hold("read")
        raise InputError("There is nothing in it.")

    def _begin(self, draft: str) -> None:
        self._running, self._name = draft, "shop"

    def _hold(self, what: str) -> None:
        if what == self.what and threading.current_thread() is not threading.main_thread() and not self.asked.is_set():
            self.asked.set()
            assert self.free.wait(BUILT / 1000)


@contextmanager
def tab_of(held: Held, browser) -> Iterator[Page]:
    """The tab alone, in a server of its own."""
    with gr.Blocks() as blocks:
        YourCatalogueTab(held, str).listen(gr.HTML(), lambda request: "drawn")
    app, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, server_port=demo_process.free_port())
    app.router.routes[:0] = routes(held)
    page = browser.new_page()
    page.goto(url)
    yield page
    held.free.set()
    page.close()
    blocks.close()


ANSWERS = """() => {
    window.answers = [];
    const note = (node) => node.dataset?.question && window.answers.push(node.dataset.question);
    new MutationObserver((changes) => changes.forEach(({ target, addedNodes }) =>
        [target, ...addedNodes].forEach((node) => {
            note(node);
            node.querySelectorAll?.("[data-question]").forEach(note);
        }))).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def test_a_look_that_a_click_overtook_is_not_shown(browser, tmp_path) -> None:
    held = Held(tmp_path, "look")
    with tab_of(held, browser) as page:
        assert held.asked.wait(BUILT / 1000), "the page asked nothing"
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", name="Building “shop”")).to_be_visible()
        page.evaluate(ANSWERS)
        held.free.set()
        page.wait_for_function("window.answers.includes('1')", timeout=BUILT)  # the first answer has come
        expect(page.get_by_role("heading", name="Building “shop”")).to_be_visible()
        assert not page.get_by_role("button", name="Go on").count(), "what was so before the click is shown after it"


def test_what_was_found_in_the_files_is_shown_although_a_look_overtook_it(browser, tmp_path) -> None:
    held = Held(tmp_path, "read")
    held._begin("shop")  # another visitor's, so the page looks again when it ends
    with tab_of(held, browser) as page:
        expect(page.locator(".mm-yours")).to_contain_text("“shop” is being built")
        (tmp_path / "empty.csv").write_text("id,image,title\n")
        send(page, tmp_path / "empty.csv")
        assert held.asked.wait(BUILT / 1000), "nothing was read"
        held._running = ""
        expect(page.locator(".mm-yours")).to_contain_text("The build of “shop” was stopped")
        held.free.set()
        expect(page.get_by_role("alert").first).to_have_text("There is nothing in it.")


def test_every_row_that_cannot_be_used_is_told_with_its_line_and_its_reason(page: Page, tmp_path) -> None:
    """Pictures of other names, no titles, the same id twice, a price that is none: through the page, as sent."""
    rows = [
        "id,image,title,price",
        "a,images/red.png,Red mug,3",
        "b,images/RED.PNG,Red tray,4",
        "c,images/gone.png,Gone,5",
        "d,images/red.png,,6",
        ",images/red.png,Nameless,7",
        "a,images/red.png,Twice,8",
        "e,images/red.png,Dear,lots",
        "f,../../secret.png,Outside,9",
        "g,images/text.png,No picture,10",
    ]
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as packed:
        file = io.BytesIO()
        picture("mug", "red").save(file, "PNG")
        packed.writestr("images/red.png", file.getvalue())
        packed.writestr("images/text.png", b"not a picture")
        packed.writestr("products.csv", "\n".join(rows))
    send(page, tmp_path / "odd.zip")
    expect(page.locator(READY)).to_have_text("3 products understood", timeout=BUILT)
    wrong = {
        "4": ("c", "image", "Refused there is no picture 'images/gone.png'"),
        "5": ("d", "title", "Refused the title is empty"),
        "6": ("–", "id", "Refused the id is empty"),
        "7": ("a", "id", "Refused the id is already on line 2"),
        "9": ("f", "image", "Refused the picture lies outside the catalogue's folder"),
        "10": ("g", "image", "Refused 'text.png' is not a picture that can be read"),
        "8": ("e", "price", "Changed 'lots' is not a price"),
        "1": ("–", "image", "Changed "),  # once for all pictures that were found by a name like theirs
    }
    rows = page.get_by_role("region", name="Refused rows and changed cells").locator("tbody tr")
    told = [row.locator("td").all_inner_texts() for row in rows.all()]
    assert [line for line, *_ in told] == list(wrong)
    for line, *cells, reason in told:
        assert (tuple(cells), reason.startswith(wrong[line][2])) == (wrong[line][:2], True), (line, reason)
    page.get_by_role("button", name="Drop another").click()
    expect(page.locator("[data-drop]")).to_be_visible()

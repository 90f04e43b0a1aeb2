"""The page in Chinese: who comes to it, what it says, and that nothing on it is left in English."""

import re
from collections.abc import Callable, Iterator

import demo_process
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

TABS = ("discover", "browse", "map", "how", "quality", "yours")
# Names and terms that are the same in Chinese.
SAME = re.compile(
    r"(?<![A-Za-z])(?:mmdemo(-\w+)?|English|API|Gradio|CLIP|FAISS|Shopify|MRR|nDCG|CSV|TSV|Parquet|ZIP|JPE?G|PNG|WebP|px|ms|MB|EUR|USD|GBP|Shift|"
    r"id|image|title|act|mean|concat|weighted|attention|python -m mmdemo build \S+ --out \S+)(?![A-Za-z])"
)
# All that is shown, but for other catalogues, the words that the model read, and what a file holds.
SHOWN = """() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const at = walk.currentNode.parentElement;
    if (at.closest("script, style, code, .mm-switch, .mm-tinted") || !at.checkVisibility()) continue;
    found.push(walk.currentNode.textContent);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"])
    for (const at of document.querySelectorAll(`[${name}]`))
      if (at.checkVisibility()) found.push(at.getAttribute(name));
  return found;
}"""


@pytest.fixture
def reader(browser: Browser, demo) -> Iterator[Callable[..., Page]]:
    """Opens the first page with a browser of this language; no page may complain."""
    contexts, faults = [], []

    def open_page(locale: str = "zh-CN", width: int = 1360, path: str = "/") -> Page:
        contexts.append(browser.new_context(locale=locale, viewport={"width": width, "height": 900}))
        page = contexts[-1].new_page()
        page.set_default_timeout(demo_process.LIMIT)
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(demo.url + path)
        # An address that asks may be answered before one looks for the welcome.
        page.wait_for_selector(".mm-found .mm-card" if "?" in path else ".mm-welcome")
        return page

    yield open_page
    told = list(faults)
    for context in contexts:
        context.close()
    assert not told, "\n".join(told)


@pytest.fixture(scope="session")
def own_words(index) -> re.Pattern[str]:
    """What the catalogue says in English, as far as it has no Chinese for it."""
    said = {index.manifest.name, *index.manifest.noun, *(link.kind for link in index.links)}
    said.add(index.report["strangers"].get("catalogue", "") if "strangers" in index.report else "")
    known = index.manifest.words.get("zh", {})
    for item in index.products:
        said |= {item.currency, *(name.replace("_", " ") for name in item.attributes)}
        said |= {getattr(item, name) for name in ("title", "description") if f"{name}_zh" not in item.translated}
        values = {"category": item.category, **item.attributes}
        said |= {value for name, value in values.items() if value not in known.get(name, {})}
    words = "|".join(re.escape(text) for text in sorted(filter(None, said), key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z])(?:{words})(?![A-Za-z])", re.I)


def left_in_english(page: Page, own: re.Pattern[str]) -> list[str]:
    """What is shown in Latin words that are neither the catalogue's nor the same in Chinese."""
    found = []
    for text in page.evaluate(SHOWN):
        left = SAME.sub(" ", own.sub(" ", text)) if re.search("[A-Za-z]{2}", text) else ""
        if re.search(r"[A-Za-z]{2}", left):
            found.append(text.strip())
    return found


def ask(page: Page, words: str) -> None:
    page.locator("#mm-text textarea, #mm-text input").fill(words)
    page.locator("#mm-search").click()
    page.wait_for_selector(".mm-found .mm-card")


def open_tab(page: Page, name: str) -> None:
    page.locator("#mm-tabs [role=tab]").nth(TABS.index(name)).click()


def test_a_chinese_browser_comes_to_the_chinese_page_and_others_do_not(reader, demo) -> None:
    page = reader()
    expect(page).to_have_url(f"{demo.url}/zh/")
    assert page.evaluate("document.documentElement.lang").startswith("zh")
    expect(page.get_by_role("tab", name="发现")).to_be_visible()
    english = reader("en-GB")
    expect(english).to_have_url(f"{demo.url}/")
    assert english.evaluate("document.documentElement.lang") == "en"


def test_the_choice_by_hand_is_kept_and_takes_the_question_along(reader, demo) -> None:
    page = reader(path="/?q=red")
    expect(page).to_have_url(re.compile("/zh/.*q=red"))
    page.locator(".mm-language").click()
    page.wait_for_selector(".mm-found .mm-card")
    expect(page).to_have_url(re.compile(rf"{demo.url}/\?.*q=red"))
    page.goto(demo.url)
    page.wait_for_selector(".mm-welcome")
    expect(page).to_have_url(f"{demo.url}/")
    expect(page.get_by_role("tab", name="Discover")).to_be_visible()


def test_a_chinese_sentence_is_understood_and_answered_in_chinese(reader, index) -> None:
    page = reader()
    ask(page, "红色马克杯，20以下")
    expect(page.locator(".mm-wish small", has_text="价格≤20")).to_be_visible()
    shown = page.locator(".mm-card").evaluate_all("cards => cards.map(card => card.dataset.id)")
    assert all(index.products[index.row(i)].price <= 20 for i in shown)
    assert "red" in index.products[index.row(shown[0])].text.casefold()
    expect(page.locator(".mm-reason").first).to_have_text(re.compile("[\u4e00-\u9fff].*。$"))


def test_no_tab_says_anything_in_english(reader, own_words) -> None:
    page = reader()
    assert left_in_english(page, own_words) == []
    ask(page, "红色马克杯，不要玻璃")
    page.locator("#mm-filters button").first.click()
    page.wait_for_function(demo_process.STILL)
    assert left_in_english(page, own_words) == []
    for name, there in (
        ("browse", "#mm-shelf .mm-card"),
        ("map", "[data-drawn]"),
        ("how", ".mm-answers img"),
        ("quality", ".mm-quality"),
        ("yours", ".mm-drop"),
    ):
        open_tab(page, name)
        page.locator(there).first.wait_for()
        assert (name, left_in_english(page, own_words)) == (name, [])


def test_what_gradio_says_of_a_running_event_is_not_shown(reader, own_words) -> None:
    """Its words are English on every page, and come only when an answer takes long."""
    page = reader()
    page.evaluate("""() => { const said = document.createElement("div");
        said.className = "progress-text meta-text"; said.textContent = "processing | 1.2s";
        document.querySelector("#mm-results").append(said); }""")
    assert left_in_english(page, own_words) == []


def test_the_product_page_and_the_comparison_are_chinese(reader, own_words) -> None:
    page = reader()
    ask(page, "红色马克杯")
    page.locator(".mm-card .mm-pic").first.click()
    page.wait_for_selector(".mm-dialog[open] .mm-why-lead")
    page.locator(".mm-dialog[open] .mm-why .mm-hint").wait_for(state="detached")  # all is worked out
    assert left_in_english(page, own_words) == []
    page.locator(".mm-dialog[open] [data-close]").click()
    for place in (0, 1):
        page.locator("#mm-results .mm-pick").nth(place).click()
    page.locator("[data-go]").click()
    page.wait_for_selector(".mm-versus")
    assert left_in_english(page, own_words) == []


def test_gradios_own_words_follow_the_page_and_not_the_browser(reader, own_words) -> None:
    page = reader("en-GB", path="/zh/")
    assert page.evaluate("document.documentElement.lang").startswith("zh")
    assert left_in_english(page, own_words) == []


def test_the_map_speaks_each_visitor_s_language(reader, own_words) -> None:
    english = reader("en-GB")
    english.get_by_role("tab", name="Map", exact=True).click()
    english.locator("[data-drawn]").first.wait_for()
    page = reader()
    open_tab(page, "map")
    page.locator("[data-drawn]").first.wait_for()
    assert left_in_english(page, own_words) == []


def test_a_fault_is_told_in_chinese(reader) -> None:
    page = reader()
    panel = page.locator("#mm-filters button").first
    panel.click()
    page.wait_for_function(demo_process.STILL)
    for place, price in (("#mm-low", "50"), ("#mm-high", "20")):
        page.locator(f"{place} input").fill(price)
        page.locator(f"{place} input").press("Enter")
        expect(panel).to_contain_text("（1）")
    expect(page.locator("#mm-notice .mm-notice")).to_have_text("价格区间填反了：从 50 到 20。请对调。")


def test_on_a_phone_nothing_is_wider_than_the_screen(reader) -> None:
    page = reader(width=390)
    ask(page, "红色马克杯")
    for name in ("discover", "browse", "map"):
        open_tab(page, name)
        page.wait_for_function(demo_process.STILL)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


def test_the_chinese_page_can_be_used_by_everybody(reader) -> None:
    page = reader()
    ask(page, "红色马克杯")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []

"""The shelf behind the Browse tab, against plain counting; no browser needed."""

import time
from collections import Counter

import pytest

from mmdemo.catalog.catalog import Product
from mmdemo.catalog.facet_index import FacetIndex
from mmdemo.ui import cards
from mmdemo.ui.catalogue_view import CatalogueView, page_numbers

COLOURS, KINDS = ("red", "blue", "green"), ("mug", "vase")


@pytest.fixture(scope="module")
def products() -> list[Product]:
    return [
        Product(
            id=f"p{n}",
            image="",
            title=f"{COLOURS[n % 3].title()} {KINDS[n % 2]} {n}",
            category=KINDS[n % 2],
            price=None if n % 7 == 0 else float((n * 37) % 101),
            attributes={"colour": COLOURS[n % 3], "room": "Hall, Kitchen" if n % 5 == 0 else "Hall"},
        )
        for n in range(10_000)
    ]


@pytest.fixture(scope="module")
def shelf(products) -> CatalogueView:
    return CatalogueView(products, FacetIndex(products))


def test_choices_narrow_and_counts_foretell(shelf: CatalogueView, products) -> None:
    view = shelf.view({"colour": ["red", "blue"], "category": ["mug"]}, "1")
    wanted = [p for p in products if p.attributes["colour"] != "green" and p.category == "mug" and "1" in p.title]
    assert view.total == len(wanted) and view.products == wanted[:24] and view.pages == -(-len(wanted) // 24)
    in_mugs = Counter(p.attributes["colour"] for p in products if p.category == "mug" and "1" in p.title)
    assert {value: count for value, count, _ in view.facets["colour"]} == in_mugs
    assert {value for value, _, chosen in view.facets["colour"] if chosen} == {"red", "blue"}


def test_a_list_counts_for_each_of_its_values(shelf: CatalogueView) -> None:
    assert shelf.view({"room": ["Kitchen"]}).total == 2000
    assert dict((value, count) for value, count, _ in shelf.view().facets["room"]) == {"Hall": 10_000, "Kitchen": 2000}


@pytest.mark.parametrize(("order", "sign"), [("cheap", 1), ("dear", -1)])
def test_order_by_price_puts_the_unpriced_last(shelf: CatalogueView, order: str, sign: int) -> None:
    everything = shelf.view(order=order, size=10_000).products
    prices = [p.price for p in everything if p.price is not None]
    assert prices == sorted(prices, key=lambda price: sign * price)
    assert all(p.price is None for p in everything[len(prices) :])


def test_pages_cover_everything_once(shelf: CatalogueView) -> None:
    first = shelf.view(order="title")
    seen = [p.id for number in range(1, first.pages + 1) for p in shelf.view(order="title", page=number).products]
    assert len(seen) == len(set(seen)) == 10_000
    assert shelf.view(page=10**6).page == first.pages and shelf.view(page=-3).page == 1


def test_nothing_found_is_an_empty_page(shelf: CatalogueView) -> None:
    view = shelf.view({"colour": ["mauve"], "nosuchcolumn": ["x"]}, "zzz")
    assert (view.total, view.products, view.page, view.pages) == (0, [], 1, 1)


def test_a_view_of_ten_thousand_is_quick(shelf: CatalogueView) -> None:
    started = time.perf_counter()
    for number in range(10):
        shelf.view({"colour": ["red"]}, "mug", "dear", number)
    assert (time.perf_counter() - started) / 10 < 0.1


def test_page_numbers() -> None:
    assert page_numbers(1, 1) == [1]
    assert page_numbers(5, 40) == [1, 0, 4, 5, 6, 0, 40]
    assert page_numbers(40, 40) == [1, 0, 39, 40]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//[", "shop.example/x", ""]
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert cards.safe_link(url) == ""
    assert cards.safe_link("https://shop.example/x") == "https://shop.example/x"

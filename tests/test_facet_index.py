"""Facets, counts and filters equal what a look at every product gives."""

import random

import numpy as np
import pytest

from mmdemo.catalog.facet_index import FacetIndex
from mmdemo.catalog.product import Product, facets
from mmdemo.core.errors import InputError
from mmdemo.core.request import Filter

COLOURS, ROOMS = ("Red", "Blue", "green", ""), ("hall", "hall, attic", "attic", "kitchen, hall", "")


@pytest.fixture(scope="module")
def products() -> list[Product]:
    chance = random.Random(0)
    return [
        Product(
            f"p{n}",
            "",
            f"Thing {n} of {chance.choice(('oak', 'soaked clay'))}",
            category=chance.choice(("Mug", "Vase")),
            price=chance.choice((None, 3.0, 12.5)),
            attributes={"colour": chance.choice(COLOURS), "rooms": chance.choice(ROOMS), "weight": str(n)},
        )
        for n in range(120)
    ]


@pytest.fixture(scope="module")
def index(products) -> FacetIndex:
    return FacetIndex(products)


def test_the_facets_are_those_of_the_products(index, products):
    assert index.facets == facets(products) and set(index.facets) == {"category", "colour", "rooms"}
    assert [*index.facets["rooms"]] == [*facets(products)["rooms"]] and "hall, attic" not in index.facets["rooms"]


def test_counts_are_counts_of_values_among_some_products(index, products):
    among = np.arange(len(products)) % 3 == 0
    for column in index.facets:
        for some in (None, among, np.zeros(len(products), bool)):
            chosen = products if some is None else [p for p, there in zip(products, some, strict=True) if there]
            want = {value: sum(value in p.values(column) for p in chosen) for value in index.facets[column]}
            assert index.counts(column, some) == want and [*index.counts(column, some)] == [*want]


def test_codes_name_the_first_value_of_each_product(index, products):
    values = [*index.facets["rooms"]]
    want = [next((values.index(v) for v in p.values("rooms") if v in values), -1) for p in products]
    assert index.codes("rooms").tolist() == want and -1 in want


def test_products_that_have_a_value_have_it_so_written(index, products):
    assert index.having("colour", ["Red", "green"]).tolist() == [
        p.field("colour") in ("Red", "green") for p in products
    ]
    assert not index.having("colour", ["red", ""]).any()


CONDITIONS = {
    "colour=red|GREEN": lambda p: p.field("colour") in ("Red", "green"),
    "Colour!=red": lambda p: p.field("colour") != "Red",
    "rooms=attic": lambda p: "attic" in p.values("rooms"),
    "rooms=hall, attic": lambda p: p.field("rooms") == "hall, attic",
    "id=P7|p9": lambda p: p.id in ("p7", "p9"),
    "price<12.5": lambda p: p.price is not None and p.price < 12.5,
    "price>=12.5": lambda p: p.price is not None and p.price >= 12.5,
    "Weight>100": lambda p: float(p.attributes["weight"]) > 100,
    "title<5": lambda p: False,
    "text~oak": lambda p: p.title.endswith(" oak"),
    "title!~oak|clay": lambda p: not p.title.endswith((" oak", " clay")),
    "nothing~oak": lambda p: False,
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_filter_lets_through_what_meets_it(index, products, text):
    want = [CONDITIONS[text](p) for p in products]
    assert index.mask(Filter.parse(text)).tolist() == want
    assert index.allowed([Filter.parse(text)]).tolist() == np.flatnonzero(want).tolist()


def test_every_filter_must_be_met_and_none_lets_through_everything(index):
    both = index.allowed([Filter.parse("colour=red"), Filter.parse("price<5")])
    assert set(both) == set(index.allowed([Filter.parse("colour=red")])) & set(index.allowed([Filter.parse("price<5")]))
    assert index.allowed([]) is None


def test_an_unknown_column_is_refused_and_the_others_are_named(index):
    with pytest.raises(InputError, match=r"no column 'size' to filter by; there are: id, title, .*colour, rooms"):
        index.allowed([Filter.parse("size=9")])

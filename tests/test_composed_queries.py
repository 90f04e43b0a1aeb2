"""Composed queries mined from a catalogue: one attribute changes, everything else stays."""

import numpy as np

from mmdemo.catalog.catalog import Product
from mmdemo.core.vectors import normalize
from mmdemo.fusion.composed_queries import mine_composed_queries


def test_composed_queries_within_a_parent_change_one_attribute_and_keep_the_rest(encoded_shop):
    composed = mine_composed_queries(encoded_shop.products, encoded_shop.image, np.random.default_rng(0))
    assert len(composed) > 100
    for c in composed[:200]:
        reference = encoded_shop.products[c.reference]
        for t in c.targets:
            target = encoded_shop.products[t]
            assert target.parent == reference.parent
            assert target.attributes["colour"] != reference.attributes["colour"]
            assert target.attributes["colour"].lower() in c.text


def many_kinds(count: int) -> tuple[list[Product], np.ndarray]:
    """A shop of `count` categories, four colours in each, and when each thing was sold; pictures tell all of it."""
    products, image = [], []
    for kind in range(count):
        for copy in range(8):
            colour, year = ("red", "blue", "green", "black")[copy % 4], str(2011 + copy // 4)
            products.append(
                Product(
                    f"{kind}-{copy}",
                    "x.jpg",
                    f"{colour} thing {kind}",
                    category=f"Kind {kind}",
                    attributes={"colour": colour, "year": year},
                )
            )
            image.append(np.concatenate([np.eye(count)[kind], np.eye(4)[copy % 4], np.eye(2)[copy // 4]]))
    return products, normalize(np.array(image, np.float32))


def test_a_composed_query_across_products_keeps_the_category_however_many_there_are():
    """With more categories than an attribute may have values, "in blue" once asked for any blue thing."""
    products, image = many_kinds(70)
    composed = mine_composed_queries(products, image, np.random.default_rng(0))
    assert composed and all(products[t].category == products[c.reference].category for c in composed for t in c.targets)


def test_a_composed_query_neither_asks_for_nor_keeps_when_a_thing_was_sold():
    products, image = many_kinds(6)
    composed = mine_composed_queries(products, image, np.random.default_rng(0))
    assert not any("201" in c.text for c in composed)
    assert all({products[t].attributes["year"] for t in c.targets} == {"2011", "2012"} for c in composed)


def test_the_largest_category_is_asked_about_as_well():
    products, image = many_kinds(1)
    many = [
        Product(f"{p.id}-{i}", p.image, p.title, category=p.category, attributes=p.attributes)
        for p in products
        for i in range(60 if p.attributes["colour"] != "blue" else 3)
    ]
    composed = mine_composed_queries(many, np.repeat(image[:1], len(many), 0), np.random.default_rng(0))
    assert not composed, "no picture tells these apart"
    rows = [int(p.id.split("-")[1]) for p in many]
    composed = mine_composed_queries(many, image[rows], np.random.default_rng(0))
    assert {many[t].attributes["colour"] for c in composed for t in c.targets} == {"blue"}
    assert len(composed) == 3 * 20

"""The values that a text names, as conditions that a product meets or not."""

from mmdemo.catalog.product import Product, facets
from mmdemo.language.vocabulary import Vocabulary
from mmdemo.language.wishes import wishes

ROWS = [
    ("Cup", "blue", "glass"),
    ("Cup", "light blue", "oak"),
    ("Bag", "white", "leather"),
    ("Bag", "walnut", "walnut"),
]
PRODUCTS = [
    Product(f"{n}-{i}", "", "x", category=c, attributes={"colour": colour, "material": material})
    for i in range(2)
    for n, (c, colour, material) in enumerate(ROWS)
]
WORDS = Vocabulary(PRODUCTS, facets(PRODUCTS))


def named(text: str) -> list[str]:
    return [str(rule) for rule in wishes(text, WORDS)]


def test_values_are_conditions_and_kinds_of_things_are_not() -> None:
    assert named("a light blue cup in glass") == ["colour=light blue", "material=glass"]
    assert named("a wooden bag") == ["material=oak|walnut"]
    assert named("something nice") == []


def test_what_or_joins_is_one_wish() -> None:
    assert named("a white or light blue bag") == ["colour=light blue|white"]

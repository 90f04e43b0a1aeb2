"""The grade of a product for a query follows from kind, wishes, reference and links, by one rule."""

import pytest

from mmdemo.catalog.facet_index import FacetIndex, passes
from mmdemo.catalog.product import Product
from mmdemo.core.request import Filter
from mmdemo.language.relevance import ACCEPTABLE, GAINS, Asked, Grade, grade

MUG, VASE = frozenset({"Mug"}), frozenset({"Vase"})


def thing(name: str, category: str, price: float = 10.0, parent: str = "", **attributes: str) -> Product:
    return Product(name, "", f"{name} {category}", category=category, price=price, parent=parent, attributes=attributes)


RED = thing("red", "Mug", 12, "mug-1", colour="red", brand="A")
BLUE = thing("blue", "Mug", 30, "mug-1", colour="blue", brand="A")
OTHER_BLUE = thing("other", "Mug", 9, "mug-2", colour="blue", brand="B")
SAUCER = thing("saucer", "Plate", colour="red")


def wished(*conditions: str) -> tuple[Filter, ...]:
    return tuple(Filter.parse(condition) for condition in conditions)


@pytest.mark.parametrize(
    ("asked", "product", "expected"),
    [
        (Asked(MUG, wishes=wished("colour=red")), RED, Grade.EXACT),
        (Asked(MUG, wishes=wished("colour=red")), BLUE, Grade.SUBSTITUTE),
        (Asked(MUG, wishes=wished("colour=red")), SAUCER, Grade.IRRELEVANT),
        (Asked(MUG, wishes=wished("colour=blue", "price<20")), BLUE, Grade.SUBSTITUTE),
        (Asked(MUG, wishes=wished("colour!=red")), RED, Grade.SUBSTITUTE),
        (Asked(frozenset(), wishes=wished("colour=red")), RED, Grade.IRRELEVANT),  # a kind that is not sold
        (Asked(None, wishes=wished("colour=red")), SAUCER, Grade.EXACT),  # "something red"
        (Asked(None, wishes=wished("colour=red")), BLUE, Grade.IRRELEVANT),
        (Asked(reference=RED), BLUE, Grade.EXACT),  # its variant
        (Asked(reference=RED), OTHER_BLUE, Grade.SUBSTITUTE),
        (Asked(reference=RED, wishes=wished("colour=blue")), BLUE, Grade.EXACT),
        (Asked(reference=RED, wishes=wished("colour=blue")), OTHER_BLUE, Grade.SUBSTITUTE),
        (Asked(reference=RED, goes_with=frozenset({"saucer"})), SAUCER, Grade.COMPLEMENT),
        (Asked(VASE, reference=RED), BLUE, Grade.IRRELEVANT),  # the noun overrules the reference's kind
        (Asked(MUG, pictured=True), RED, Grade.SUBSTITUTE),
        (Asked(None, pictured=True), RED, Grade.IRRELEVANT),
    ],
)
def test_a_grade_follows_from_what_was_asked(asked: Asked, product: Product, expected: Grade) -> None:
    assert grade(asked, product) is expected


def test_without_variants_what_is_described_alike_is_exact_whoever_makes_it() -> None:
    reference = thing("a", "Mug", colour="red", material="glass", brand="A")
    alike, in_clay = (thing("b", "Mug", colour="blue", material=m, brand="B") for m in ("glass", "clay"))
    asked = Asked(reference=reference, wishes=wished("colour=blue"))
    assert (grade(asked, alike), grade(asked, in_clay)) == (Grade.EXACT, Grade.SUBSTITUTE)


def test_a_product_may_be_of_several_kinds() -> None:
    assert grade(Asked(frozenset({"cardigan"})), RED, {"Mug", "cardigan"}) is Grade.EXACT


def test_what_is_of_the_next_wider_kind_is_a_substitute() -> None:
    armchair = Asked(frozenset({"armchair"}), near=frozenset({"chair"}))
    assert grade(armchair, RED, {"chair"}) is Grade.SUBSTITUTE
    assert grade(armchair, RED, {"chair", "armchair"}) is Grade.EXACT


def test_gains_are_those_of_esci_and_what_is_acceptable_is_of_the_kind() -> None:
    assert [GAINS[g] for g in Grade] == [1.0, 0.1, 0.01, 0.0]
    assert {Grade.EXACT, Grade.SUBSTITUTE} == ACCEPTABLE


@pytest.mark.parametrize(
    "condition", ["price<20", "colour=RED", "colour!=red", "title~red|green", "text!~red", "size=S"]
)
def test_one_product_passes_a_filter_as_rows_of_a_table_do(condition: str) -> None:
    products, rule = [RED, BLUE, OTHER_BLUE, SAUCER, thing("sized", "Mug", size="S")], Filter.parse(condition)
    assert FacetIndex(products).mask(rule).tolist() == [passes(p, rule) for p in products]

"""How well a product answers a query, in grades: exact, substitute, complement or irrelevant.

The grades and gains are those of the Shopping Queries Dataset (ESCI; Reddy et al. 2022, arXiv 2206.06588). This is the
one rule by which a grade follows from what was asked and what the catalogue says; it knows nothing of scores.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from mmdemo.catalog.facet_index import passes
from mmdemo.catalog.product import SILENT, Product, is_id
from mmdemo.core.request import Filter

MAKERS = frozenset("brand vendor manufacturer maker label seller".split())  # columns of who made it, not how it is


class Grade(StrEnum):
    """How well a product answers a query.

    >>> Grade("exact") is Grade.EXACT, str(Grade.SUBSTITUTE), GAINS[Grade.SUBSTITUTE]
    (True, 'substitute', 0.1)
    """

    EXACT = "exact"
    SUBSTITUTE = "substitute"
    COMPLEMENT = "complement"
    IRRELEVANT = "irrelevant"


# What a grade adds to the discounted cumulative gain of a list, as published.
GAINS = {Grade.EXACT: 1.0, Grade.SUBSTITUTE: 0.1, Grade.COMPLEMENT: 0.01, Grade.IRRELEVANT: 0.0}
ACCEPTABLE = frozenset({Grade.EXACT, Grade.SUBSTITUTE})  # what a shopper would take


@dataclass(frozen=True)
class Asked:
    """What a query asks for, as far as a catalogue can tell.

    Parameters
    ----------
    kinds
        The kinds that were asked for, as `kinds_of` of the products names them: categories, where nothing finer is
        known. Empty for a kind that is not sold; None where the query names no kind and shows none.
    near
        The next wider kinds, such as other chairs for an armchair: what is of them is a substitute.
    wishes
        Conditions that the product should meet: those of the form, and those of the sentence.
    reference
        The product that the query starts from; what the wishes do not change of it is asked for as well.
    goes_with
        Ids of products that go with the one asked for: those that links join to the reference.
    pictured
        Whether a photo, of which the catalogue knows no more than the kind, is part of the query. How the thing on it
        looks is then asked for, but in no words, so that a product of the kind is a substitute.
    """

    kinds: frozenset[str] | None = None
    near: frozenset[str] = frozenset()
    wishes: tuple[Filter, ...] = ()
    reference: Product | None = None
    goes_with: frozenset[str] = frozenset()
    pictured: bool = False


def grade(asked: Asked, product: Product, kinds_of: Collection[str] | None = None) -> Grade:
    """The grade of one product.

    Parameters
    ----------
    asked
        What was asked for.
    product
        The product to grade.
    kinds_of
        Every kind that the product is of; its category alone, where None.

    Returns
    -------
    Grade
        Exact: of the kind, and it meets every wish. Substitute: of the kind. Complement: it goes with what was asked
        for. Else irrelevant. Where no kind was asked for, a product that meets the wishes is exact, and one that
        misses any is irrelevant, since nothing else ties it to the query.

    Examples
    --------
    >>> red = Product("1", "", "Red mug", category="Mug", parent="m", attributes={"colour": "red"})
    >>> blue = Product("2", "", "Blue mug", category="Mug", parent="m", attributes={"colour": "blue"})
    >>> asked = Asked(kinds=frozenset({"Mug"}), wishes=(Filter("colour", "=", "red"),))
    >>> [str(grade(asked, p)) for p in (red, blue, Product("v", "", "Red vase", category="Vase"))]
    ['exact', 'substitute', 'irrelevant']
    >>> str(grade(Asked(reference=red, wishes=(Filter("colour", "=", "blue"),)), blue))  # the same in blue
    'exact'
    """
    kinds = asked.kinds
    if kinds is None and asked.reference is not None and asked.reference.category:
        kinds = frozenset({asked.reference.category})
    its_kinds = (product.category,) if kinds_of is None else kinds_of
    if kinds is not None and kinds.isdisjoint(its_kinds) and not asked.near.isdisjoint(its_kinds):
        return Grade.SUBSTITUTE
    of_kind = kinds is not None and not kinds.isdisjoint(its_kinds)
    meets = all(passes(product, wish) for wish in asked.wishes) and keeps(asked, product)
    return graded(of_kind, meets, product.id in asked.goes_with, kinds is not None, asked.pictured)


def graded(of_kind: bool, meets: bool, complement: bool, kind_asked: bool, pictured: bool = False) -> Grade:
    """The rule itself.

    Parameters
    ----------
    of_kind
        Whether the product is of a kind that was asked for.
    meets
        Whether it meets every wish.
    complement
        Whether it goes with what was asked for.
    kind_asked
        Whether a kind was asked for at all.
    pictured
        Whether a photo asks for looks that no column tells.

    Returns
    -------
    Grade
        As `grade` says.

    Examples
    --------
    >>> str(graded(of_kind=True, meets=True, complement=False, kind_asked=True))
    'exact'
    >>> str(graded(of_kind=True, meets=True, complement=False, kind_asked=True, pictured=True))
    'substitute'
    """
    if meets and not pictured and (of_kind or not kind_asked):
        return Grade.EXACT
    if of_kind:
        return Grade.SUBSTITUTE
    return Grade.COMPLEMENT if complement else Grade.IRRELEVANT


def keeps(asked: Asked, product: Product) -> bool:
    """Whether what the wishes do not change is as the reference has it: its variants, or what is described alike."""
    reference = asked.reference
    if reference is None:
        return True
    if reference.parent or reference.group:
        same_parent = bool(reference.parent) and product.parent == reference.parent
        return same_parent or (bool(reference.group) and product.group == reference.group)
    changed = {wish.column for wish in asked.wishes} | MAKERS | SILENT
    kept = [name for name in reference.attributes if name not in changed and not is_id(name)]
    return all(product.values(name) == reference.values(name) for name in kept)

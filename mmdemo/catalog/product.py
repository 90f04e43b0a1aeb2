"""Describes one product, the text that the text tower reads for it, and the facets of many products.

It knows nothing of files.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from mmdemo.core.messages import Term, joined

KNOWN = tuple("id image title description category price currency url parent group".split())  # columns with a field
TEXT_DESCRIPTION = 300  # characters, so that the attributes are among the 77 tokens that text towers read
# Attributes that do not describe a product to a shopper.
SILENT = frozenset(
    "source licence license ean gtin upc asin isbn mpn barcode stock quantity sender regular_price".split()
)


@dataclass(frozen=True)
class Product:
    """One product of a catalogue, as its row in the table has it.

    Parameters
    ----------
    id
        The product's id, unique in its catalogue.
    image
        The picture's POSIX path relative to the catalogue's root, "" for a product without one.
    title, description, category, url
        The shop's words, "" where there are none.
    price, currency
        The amount in the currency of this ISO 4217 code; None and "" where they are not stated.
    parent, group
        What the variants of one product, and the near-copies of one picture, have in common.
    attributes
        The values of all other columns by their names.
    translated
        Its words in other languages by the names of their columns, such as "title_zh".

    Examples
    --------
    >>> mug = Product("mug-1", "mug.png", "Blue mug", price=12.5, attributes={"colour": "blue", "for": "tea"})
    >>> mug.text, mug.field("Color"), mug.values("price")
    ('Blue mug. For: tea.', 'blue', ('12.5',))
    """

    id: str
    image: str
    title: str
    description: str = ""
    category: str = ""
    price: float | None = None
    currency: str = ""
    url: str = ""
    parent: str = ""
    group: str = ""
    attributes: dict[str, str] = field(default_factory=dict, hash=False)
    translated: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def text(self) -> str:
        """What the text tower reads: "Title. Description. Colour: blue.", without repetitions."""
        lead = _sentences([self.title, _shortened(self.description)])
        extra = []
        for name, value in (("category", self.category), *self.attributes.items()):
            if not value or is_id(name) or name in SILENT or _is_code(value):
                continue
            label = name.replace("_", " ").strip().capitalize()
            if value.casefold() in ("false", "no"):
                continue
            if value.casefold() in ("true", "yes"):
                words = "" if _contains(lead, label) else label
            else:
                items = [value] if name == "category" else split_values(value)
                new_items = ", ".join(item for item in items if not _contains(lead, item))
                words = f"{label}: {new_items}" if new_items else ""
            if words:
                extra.append(words)
        return _sentences([lead, *extra])

    def field(self, name: str) -> str | float | None:
        """A known column or an attribute by its name, in any case; None where the product has no such field."""
        name = column_name(name)
        if name in KNOWN:
            return getattr(self, name)
        return self.attributes.get(name)

    def shown(self, name: str) -> Term:
        """A field for people: a term, which a page shows in its language as far as the catalogue has it."""
        value = str(self.field(name) or "")
        translations = {
            key.removeprefix(f"{name}_"): text for key, text in self.translated.items() if key.startswith(f"{name}_")
        }
        items = [] if name in ("title", "description") else split_values(value)
        default = joined(", ", [Term(name, item) for item in items]) if items else value
        return Term(name, value, default, translations)

    def row(self) -> dict[str, Any]:
        """The product as JSON; without translations, where it has none."""
        return {name: value for name, value in asdict(self).items() if value or name != "translated"}

    def values(self, name: str) -> tuple[str, ...]:
        """What a filter on `name` may match: the whole cell and, where it is a list, each of its items."""
        value = self.field(name)
        if value is None or value == "":
            return ()
        if isinstance(value, float):
            return (f"{value:.4f}".rstrip("0").rstrip("."),)
        return tuple(dict.fromkeys((value, *split_values(value))))


def facets(products: Iterable[Product]) -> dict[str, dict[str, int]]:
    """The columns worth filtering by: category and attributes whose values repeat, each value with its count.

    A facet has at least two values, and at least two rows a value or no more than 50 values. Ids, codes, long
    text and nearly unique columns are left out; a column of lists is counted by its items. Most frequent first.
    """
    columns: dict[str, list[str]] = {"category": []}
    for product in products:
        if product.category:
            columns["category"].append(product.category)
        for name, value in product.attributes.items():
            if value:
                columns.setdefault(name, []).append(value)
    counts_by_column = {}
    for name, cells in columns.items():
        is_category = name == "category"
        if not is_category and (name == "regular_price" or is_id(name) or sum(map(len, cells)) > 40 * len(cells)):
            continue
        if not is_category and _is_list(cells):
            cells = [item for cell in cells for item in split_values(cell)]
        counts = Counter(cells)
        unique = len(counts) / max(len(cells), 1)
        repeats = unique < 1 if is_category else unique <= 0.8
        if len(counts) >= 2 and repeats and (unique <= 0.5 or len(counts) <= 50):
            counts_by_column[name] = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    return counts_by_column


def split_values(cell: str) -> list[str]:
    """ "Cool, Indoor" or "Cool|Indoor" as ["Cool", "Indoor"]; prose, numbers and the rest are one value."""
    sign = next((sign for sign in "|;," if sign in cell), "")
    if not sign:
        return [cell.strip()] if cell.strip() else []
    items = [item.strip() for item in cell.split(sign)]
    # "Rich, dark and sweet as ever I had it in the whole of Italy" is prose, and 1,299 is a number.
    if sign == "," and (re.search(r"\d,\d", cell) or any(len(item) > 40 for item in items)):
        return [cell.strip()]
    return list(dict.fromkeys(item for item in items if item))


@lru_cache(maxsize=4096)  # filters and facets look up the same few names again and again
def column_name(header: str) -> str:
    """A header as the code names it: lower case, underscores, British colour."""
    name = re.sub(r"[\s\-]+", "_", header.strip().casefold())
    return "colour" if name == "color" else name


def is_id(name: str) -> bool:
    """True for columns of identifiers and addresses, by which no shopper filters."""
    return name in ("id", "uuid", "sku") or name.endswith(("_id", "_ids", "_uuid", "_sku", "_url", "_link"))


def is_aside(name: str) -> bool:
    """True for columns that repeat a product rather than describe it: further pictures, words in other languages."""
    return name == "views" or is_translation(name)


def is_translation(name: str) -> bool:
    """True for columns with a product's words in another language."""
    return re.fullmatch(r"(title|description|category)_(zh|en|de|fr|es|it|ja|ko|pt)", name) is not None


def _is_list(cells: list[str]) -> bool:
    """True where cells hold lists of values, most of which occur in other cells too."""
    distinct = [split_values(cell) for cell in dict.fromkeys(cells)]
    parts = Counter(item for items in distinct for item in items)
    several = {item for items in distinct if len(items) > 1 for item in items}
    return bool(several) and sum(parts[item] > 1 for item in several) >= len(several) / 2


def _is_code(value: str) -> bool:
    """True for long numbers, hashes, web addresses, and texts too long for a property."""
    code = r"\d{5,}|[0-9a-fA-F]{8}-[0-9a-fA-F\-]{20,}|[0-9a-f]{16,}|\w+://\S*"
    return len(value) > 120 or re.fullmatch(code, value) is not None


def _sentences(parts: Iterable[str]) -> str:
    return " ".join(part if part[-1] in ".!?" else f"{part}." for part in parts if part)


def _shortened(text: str) -> str:
    """The first sentences that fit into TEXT_DESCRIPTION, or else the first words."""
    if len(text) <= TEXT_DESCRIPTION:
        return text
    head = text[:TEXT_DESCRIPTION]
    end = max(head.rfind(sign) for sign in (". ", "! ", "? "))
    if end > TEXT_DESCRIPTION // 3:
        return head[: end + 1]
    return head.rsplit(" ", 1)[0].rstrip(" ,;:")


def _contains(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text, re.I) is not None

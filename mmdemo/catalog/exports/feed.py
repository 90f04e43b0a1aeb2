"""Product feeds for Google Merchant Center and Meta: one row an item, names as Google specifies them.

Attributes after support.google.com/merchants/answer/7052112 and Meta's catalogue fields, which take the same names.
"""

from mmdemo.catalog.exports.offers import availability
from mmdemo.catalog.exports.rows import (
    Conversion,
    Record,
    cells_by_heading,
    first,
    kind_of,
    unique,
    with_pictures,
)
from mmdemo.catalog.table import Table

NAME = "a product feed (Google Merchant, Meta)"
# What a feed says to the platform that shows it, rather than of the product.
PLATFORM = frozenset(
    (
        *(
            "id",
            "title",
            "description",
            "link",
            "image link",
            "additional image link",
            "price",
            "sale price",
            "currency",
        ),
        *("item group id", "google product category", "fb product category", "product type", "color", "colour"),
        *("gtin", "mpn", "identifier exists", "mobile link", "ads redirect", "shipping", "tax", "shipping weight"),
        *("sale price effective date", "availability date", "expiration date", "custom label 0", "custom label 1"),
        *(
            "custom label 2",
            "custom label 3",
            "custom label 4",
            "adult",
            "availability",
            "multipack",
            "is bundle",
            "energy efficiency class",
        ),
    )
)


def recognise(headings: set[str]) -> bool:
    """The names that both take: an id, a title, a link to a picture."""
    return {"id", "title", "image link"} <= headings


def convert(table: Table) -> Conversion:
    """A product for each item, items of one group under the same parent."""
    conversion, taken = Conversion(), set[str]()
    for line, row in cells_by_heading(table):
        period = row.get("sale price effective date", "")
        record: Record = {
            "id": unique(row["id"], taken) if row["id"] else "",
            "title": row["title"],
            "description": row.get("description", ""),
            "category": _kind(row),
            "price": row.get("price", ""),
            "sale_price": row.get("sale price", ""),
            "sale_starts": period.partition("/")[0],
            "sale_ends": period.partition("/")[2],
            "availability": availability(row.get("availability", "")),
            "currency": row.get("currency", ""),
            "url": row.get("link", ""),
            "parent": row.get("item group id", ""),
            "colour": first(row, "color", "colour"),
            **{name.replace(" ", "_"): cell for name, cell in row.items() if name not in PLATFORM},
        }
        conversion.add(line, with_pictures(record, [row["image link"], row.get("additional image link", "")]))
    return conversion


def _kind(row: Record) -> str:
    """The shop's own kind, else Google's, unless that is only a number."""
    google = row.get("google product category", "")
    return kind_of(row.get("product type", "")) or ("" if google.isdecimal() else kind_of(google))

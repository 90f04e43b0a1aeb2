"""Squarespace's products CSV: variants on the rows below a product, with empty titles.

Columns as Selling, Products, Export writes them.
"""

from mmdemo.catalog.exports.offers import stocked
from mmdemo.catalog.exports.rows import (
    Conversion,
    Record,
    cells_by_heading,
    first,
    grouped,
    hidden,
    kind_of,
    slug,
    unique,
    with_pictures,
)
from mmdemo.catalog.table import Table

NAME = "Squarespace"


def recognise(headings: set[str]) -> bool:
    """Addresses of pictures that it hosts."""
    return {"title", "hosted image urls"} <= headings


def convert(table: Table) -> Conversion:
    """A product for each variant, variants of one product under the same parent."""
    conversion, taken = Conversion(), set[str]()
    for rows in grouped(cells_by_heading(table), "product id" if _numbered(table) else "title"):
        head = rows[0][1]
        if hidden(head.get("visible", "")):
            conversion.left_out += 1
            continue
        parent = first(head, "product id", "product url") or slug(head["title"])
        for line, row in rows:
            options = {
                first(row, f"option name {n}") or first(head, f"option name {n}"): row.get(f"option value {n}", "")
                for n in range(1, 7)
                if row.get(f"option value {n}")
            }
            on_sale = row.get("on sale", "").casefold() in ("yes", "true", "1")
            record: Record = {
                "id": unique(first(row, "sku", "variant id") or slug("-".join([parent, *options.values()])), taken),
                "title": head["title"],
                "description": head.get("description", ""),
                "category": kind_of(head.get("categories", "")) or head.get("product page", ""),
                "price": first(row, "price"),
                "sale_price": first(row, "sale price") if on_sale else "",
                "availability": stocked(row.get("stock", "").replace("Unlimited", "1")),
                "parent": parent if len(rows) > 1 else "",
                "tags": head.get("tags", ""),
                **options,
            }
            addresses = (row.get("hosted image urls") or head["hosted image urls"]).replace(" http", "|http")
            conversion.add(line, with_pictures(record, [addresses]))
    return conversion


def _numbered(table: Table) -> bool:
    return any(row.get("product id") for _, row in cells_by_heading(table))

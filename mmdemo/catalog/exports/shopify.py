"""Shopify's products CSV: variants and pictures on the rows below a product, under the same handle.

Columns as Shopify documents them: help.shopify.com/manual/products/import-export/using-csv.
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
from mmdemo.catalog.exports.variants import options_of
from mmdemo.catalog.table import Table

NAME = "Shopify"


def recognise(headings: set[str]) -> bool:
    """The handle column, which only Shopify has, and a variant's price or a picture."""
    return {"handle", "title"} <= headings and bool(headings & {"variant price", "image src", "variant sku"})


def convert(table: Table) -> Conversion:
    """A product for each variant, variants of one handle under the same parent."""
    conversion, taken = Conversion(), set[str]()
    for rows in grouped(cells_by_heading(table), "handle"):
        head = rows[0][1]
        if hidden(head.get("status", "")) or hidden(head.get("published", "")):
            conversion.left_out += 1
            continue
        ordered = sorted(
            (_position(row), number, row["image src"]) for number, (_, row) in enumerate(rows) if row.get("image src")
        )
        images = [image for _, _, image in ordered]
        variants = [(line, row) for line, row in rows if _is_variant(row)] or rows[:1]
        for line, row in variants:
            options = _options(head, row)
            record: Record = {
                "id": unique(first(row, "variant sku") or slug("-".join([head["handle"], *options.values()])), taken),
                "title": head.get("title", ""),
                "description": first(head, "body"),
                "category": head.get("type") or kind_of(first(head, "product category", "custom product type")),
                "price": first(row, "variant price", "price"),
                "regular_price": first(row, "variant compare at price", "compare at price"),
                "availability": _availability(row),
                "parent": head["handle"] if len(variants) > 1 else "",
                "brand": head.get("vendor", ""),
                "tags": head.get("tags", ""),
                **options,
            }
            conversion.add(line, with_pictures(record, [first(row, "variant image"), *images]))
    return conversion


def _position(row: Record) -> int:
    position = row.get("image position", "")
    return int(position) if position.isdecimal() else 10_000


def _is_variant(row: Record) -> bool:
    return bool(first(row, "variant sku", "variant price", "option1 value"))


def _options(head: Record, row: Record) -> Record:
    """Name -> value of a variant's options; the names stand on the product's first row."""
    options: Record = {}
    for number in (1, 2, 3):
        name = head.get(f"option{number} name", "")
        value = first(row, f"option{number} value")
        if name and value and value != "Default Title":
            options |= options_of(name, value)
    return options


def _availability(row: Record) -> str:
    """By the stock where Shopify counts it and does not sell beyond it."""
    counted = first(row, "variant inventory tracker") and first(row, "variant inventory policy") != "continue"
    return stocked(first(row, "variant inventory qty", "inventory quantity")) if counted else ""

"""Shopware: the default product profile of version 6 and the articles of version 5.

Columns after the import and export profiles of docs.shopware.com.
"""

from mmdemo.catalog.exports.rows import (
    Conversion,
    Record,
    cells_by_heading,
    first,
    hidden,
    kind_of,
    unique,
    with_pictures,
)
from mmdemo.catalog.table import Table

NAME = "Shopware"
NUMBER = ("product number", "ordernumber")


def recognise(headings: set[str]) -> bool:
    """A product's number beside a gross price, or an order number beside its main one."""
    return ("product number" in headings and bool(headings & {"price gross", "price net"})) or {
        "ordernumber",
        "mainnumber",
    } <= headings


def convert(table: Table) -> Conversion:
    """A product for each row; a variant takes from its parent what it lacks."""
    rows = list(cells_by_heading(table))
    by_id = {row.get("id") or first(row, *NUMBER): row for _, row in rows}
    used = {first(row, "parent id", "parent") for _, row in rows}
    conversion, taken = Conversion(), set[str]()
    for line, row in rows:
        number = first(row, *NUMBER)
        if row.get("id") and row["id"] in used:
            continue  # its variants stand for it
        main = row.get("mainnumber", "")
        parent = by_id.get(first(row, "parent id", "parent"), {})
        if hidden(row.get("active", "") or parent.get("active", "")):
            conversion.left_out += 1
            continue
        both: Record = parent | {name: cell for name, cell in row.items() if cell}
        record: Record = {
            "id": unique(number, taken) if number else "",
            "title": first(both, "name", "translations default name"),
            "description": first(both, "description", "description long", "translations default description"),
            "category": kind_of(first(both, "categories", "category")),
            "price": first(both, "price gross", "price", "price net"),
            "currency": first(both, "currency"),
            "parent": first(parent, *NUMBER) or (main if main != number or _has_variants(rows, main) else ""),
            "brand": first(both, "manufacturer name", "manufacturer", "supplier"),
        }
        cells = [first(both, "cover media", "cover media url", "cover", "imageurl", "image"), first(both, "media")]
        conversion.add(line, with_pictures(record, cells))
    return conversion


def _has_variants(rows: list[tuple[int, Record]], main: str) -> bool:
    return bool(main) and sum(row.get("mainnumber") == main for _, row in rows) > 1

"""Etsy's listings CSV: pictures in ten columns, variations as lists, no number of a listing.

Columns as Shop Manager, Settings, Options, Download Data writes them.
"""

from mmdemo.catalog.exports.offers import stocked
from mmdemo.catalog.exports.rows import (
    Conversion,
    Record,
    cells_by_heading,
    first,
    slug,
    unique,
    with_pictures,
)
from mmdemo.catalog.table import Table

NAME = "Etsy"


def recognise(headings: set[str]) -> bool:
    """A title beside numbered pictures and the currency's code."""
    return {"title", "price", "currency code", "image1"} <= headings


def convert(table: Table) -> Conversion:
    """A product for each listing; its variations are lists of values."""
    conversion, taken = Conversion(), set[str]()
    for line, row in cells_by_heading(table):
        variations = {
            first(row, f"variation {n} name", f"variation {n} type"): row.get(f"variation {n} values", "")
            for n in (1, 2)
            if row.get(f"variation {n} name") or row.get(f"variation {n} type")
        }
        record: Record = {
            "id": unique(first(row, "sku").split(",")[0].strip() or slug(row["title"]), taken) if row["title"] else "",
            "title": row["title"],
            "description": row.get("description", ""),
            "price": row["price"],
            "currency": row["currency code"],
            "availability": stocked(row.get("quantity", "")),
            "material": row.get("materials", "").replace("_", " "),
            "tags": row.get("tags", "").replace("_", " "),
            **variations,
        }
        conversion.add(line, with_pictures(record, [row.get(f"image{n}", "") for n in range(1, 11)]))
    return conversion

"""Magento 2's product CSV: paths of categories, pictures below media/catalog/product, variations in one cell.

Columns after the data transfer reference of Adobe Commerce.
"""

import re

from mmdemo.catalog.exports.offers import availability
from mmdemo.catalog.exports.rows import (
    Conversion,
    Record,
    cells_by_heading,
    first,
    kind_of,
    pictures,
    unique,
    with_pictures,
)
from mmdemo.catalog.table import Table

NAME = "Magento"


def recognise(headings: set[str]) -> bool:
    """The set of attributes and the type, which only Magento names so."""
    return {"sku", "attribute set code", "product type"} <= headings


def convert(table: Table) -> Conversion:
    """A product for each row that is sold; a configurable one is stood for by its variations."""
    rows = [(line, row) for line, row in cells_by_heading(table) if not row.get("store view code")]
    known = {row["sku"] for _, row in rows}
    parents: dict[str, Record] = {}
    for _, row in rows:
        for variation in _pairs_of_each(row.get("configurable variations", "")):
            if variation.get("sku") in known:
                parents[variation["sku"]] = row | {"options": ",".join(f"{k}={v}" for k, v in variation.items())}
    stood_for = {parent["sku"] for parent in parents.values()}
    conversion, taken = Conversion(), set[str]()
    for line, row in rows:
        if row["sku"] in stood_for:
            continue
        parent = parents.get(row["sku"], {})
        if row.get("product online") == "2" or parent.get("product online") == "2":
            conversion.left_out += 1
            continue
        record: Record = {
            "id": unique(row["sku"], taken),
            "title": parent.get("name") or row.get("name", ""),
            "description": first(row, "description", "short description") or parent.get("description", ""),
            "category": kind_of(row.get("categories") or parent.get("categories", "")),
            "price": row.get("price") or parent.get("price", ""),
            "sale_price": row.get("special price", ""),
            "sale_starts": row.get("special price from date", ""),
            "sale_ends": row.get("special price to date", ""),
            "availability": availability(row.get("is in stock", "")),
            "parent": parent.get("sku", ""),
            **_pairs(row.get("additional attributes", "")),
            **{name: value for name, value in _pairs(parent.get("options", "")).items() if name != "sku"},
        }
        cells = [first(row, "base image", "image"), row.get("additional images", "")]
        if not any(cells):
            cells = [first(parent, "base image", "image"), parent.get("additional images", "")]
        # Paths begin at the shop's folder of pictures, with a slash.
        conversion.add(line, with_pictures(record, [path.lstrip("/") for path in pictures(cells)]))
    return conversion


def _pairs(cell: str) -> Record:
    """ "color=Red,size=M" as {"color": "Red", "size": "M"}; a comma within a value stays."""
    parts = re.split(r",(?=[\w ]+=)", cell)
    return {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts) if value.strip()}


def _pairs_of_each(cell: str) -> list[Record]:
    return [_pairs(variation) for variation in cell.split("|") if variation.strip()]

"""An Amazon flat file: three heading lines, of which the last one names the fields.

Fields after the inventory templates of Seller Central.
"""

from mmdemo.catalog.exports.offers import stocked
from mmdemo.catalog.exports.rows import (
    Conversion,
    Record,
    cells_by_heading,
    first,
    unique,
    with_pictures,
)
from mmdemo.catalog.table import Table

NAME = "an Amazon flat file"


def recognise(headings: set[str]) -> bool:
    """The names of a seller's number and of an item."""
    return {"item sku", "item name"} <= headings


def convert(table: Table) -> Conversion:
    """A product for each item that is sold; parents only group their children."""
    rows = list(cells_by_heading(table))
    parents = {
        row["item sku"]: row for _, row in rows if first(row, "parent child", "parentage").casefold() == "parent"
    }
    conversion, taken = Conversion(), set[str]()
    for line, row in rows:
        if row["item sku"] in parents:
            continue
        if row.get("update delete", "").casefold() == "delete":
            conversion.left_out += 1
            continue
        parent = parents.get(row.get("parent sku", ""), {})
        points = " ".join(cell for name, cell in row.items() if name.startswith("bullet point") and cell)
        record: Record = {
            "id": unique(row["item sku"], taken) if row["item sku"] else "",
            "title": row["item name"] or parent.get("item name", ""),
            "description": row.get("product description", "") or points or parent.get("product description", ""),
            "category": first(row, "item type", "item type name", "feed product type")
            .replace("-", " ")
            .replace("_", " "),
            "price": first(row, "standard price", "list price"),
            "sale_price": row.get("sale price", ""),
            "sale_starts": row.get("sale from date", ""),
            "sale_ends": row.get("sale end date", ""),
            "availability": stocked(row.get("quantity", "")),
            "currency": first(row, "currency"),
            "parent": row.get("parent sku", ""),
            "brand": first(row, "brand name", "brand"),
            "colour": first(row, "color name", "color"),
            "size": first(row, "size name", "size"),
            "material": first(row, "material type", "material composition"),
        }
        others = [cell for name, cell in row.items() if name.startswith("other image url")]
        conversion.add(line, with_pictures(record, [first(row, "main image url", "main offer image"), *others]))
    return conversion

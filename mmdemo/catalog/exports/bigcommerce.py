"""BigCommerce's product CSV: rows of products, followed by rows of their SKUs.

Columns as Products, Export, Bulk Edit template writes them.
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

NAME = "BigCommerce"


def recognise(headings: set[str]) -> bool:
    """The type of a row and a product's name."""
    return {"item type", "product name"} <= headings and bool(headings & {"product code/sku", "product id"})


def convert(table: Table) -> Conversion:
    """A product for each row of a product, or for each of the SKUs below it."""
    groups: list[list[tuple[int, Record]]] = []
    for line, row in cells_by_heading(table):
        kind = row["item type"].casefold()
        if kind == "product":
            groups.append([(line, row)])
        elif kind == "sku" and groups:
            groups[-1].append((line, row))
    conversion, taken = Conversion(), set[str]()
    for (first_line, head), *variants in groups:
        if hidden(head.get("product visible", "")):
            conversion.left_out += 1
            continue
        number = first(head, "product code/sku", "product id")
        images = [cell for name, cell in head.items() if name.startswith("product image file")]
        images = images or [cell for name, cell in head.items() if name.startswith("product image url")]
        for line, row in variants or [(first_line, head)]:
            record: Record = {
                "id": unique(first(row, "product code/sku", "product id") or number, taken),
                "title": head["product name"],
                "description": head.get("product description", ""),
                "category": kind_of(head.get("category", "")),
                "price": first(row, "price") or first(head, "price"),
                "sale_price": first(row, "sale price") or (first(head, "sale price") if not row.get("price") else ""),
                "url": head.get("product url", ""),
                "parent": number if variants else "",
                "brand": head.get("brand name", ""),
                **(_options(row["product name"]) if variants else {}),
            }
            conversion.add(line, with_pictures(record, images))
    return conversion


def _options(cell: str) -> Record:
    """ "[RT]Size=Small,[S]Colour=Red" as {"Size": "Small", "Colour": "Red"}."""
    pairs = (part.partition("=") for part in cell.split(",") if "=" in part)
    return {name.rpartition("]")[2].strip(): value.split(":")[0].strip() for name, _, value in pairs}

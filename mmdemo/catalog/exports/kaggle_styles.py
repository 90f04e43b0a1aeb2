"""Kaggle's fashion products: styles.csv, whose pictures are called by their ids."""

from mmdemo.catalog.exports.rows import Conversion, cells_by_heading, unique
from mmdemo.catalog.table import Table

NAME = "Kaggle's fashion products"


def recognise(headings: set[str]) -> bool:
    """The names of its columns."""
    return {"id", "articletype", "productdisplayname"} <= headings


def convert(table: Table) -> Conversion:
    """A product for each row, its picture images/ID.jpg."""
    conversion, taken = Conversion(), set[str]()
    for line, row in cells_by_heading(table):
        record = {
            "id": unique(row["id"], taken) if row["id"] else "",
            "image": f"images/{row['id']}.jpg",
            "title": row["productdisplayname"],
            "category": row["articletype"],
            "colour": row.get("basecolour", ""),
            **{name: row.get(name, "") for name in ("gender", "season", "usage")},
            "department": row.get("mastercategory", ""),
        }
        conversion.add(line, record)
    return conversion

"""Reads a product feed in XML (RSS 2.0 or Atom, as for Google Merchant Center) as a table.

It knows nothing of products: a column for every element that an item has; values of repeated elements share a cell.
"""

from pathlib import Path

from mmdemo.catalog.table import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, Table
from mmdemo.core.errors import InputError

SUFFIX = ".xml"
ITEMS = frozenset(("item", "entry", "product"))


def read_feed(path: Path) -> Table:
    """The items of a feed as rows of text.

    Raises
    ------
    InputError
        The file is not XML, has entities of its own, or holds no item.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException  # here: only a feed needs it
    from defusedxml.ElementTree import iterparse

    if path.stat().st_size > MAX_BYTES:
        raise InputError("'{name}' has more than {most} MB.", name=path.name, most=MAX_BYTES >> 20)
    rows: list[dict[str, str]] = []
    try:
        for _, element in iterparse(path, events=("end",), forbid_dtd=True):
            if _name(element.tag) in ITEMS:
                row: dict[str, list[str]] = {}
                for child in element:
                    text = (child.text or "").strip() or child.get("href", "")
                    if text:
                        row.setdefault(_name(child.tag), []).append(text)
                rows.append({name: "|".join(texts) for name, texts in row.items()})
                element.clear()
            if len(rows) > MAX_ROWS:
                raise InputError("'{name}' has more than {n:,} rows.", name=path.name, n=MAX_ROWS)
    except (ParseError, DefusedXmlException, UnicodeDecodeError, LookupError) as error:
        raise InputError("'{name}' is not XML that can be read ({error}).", name=path.name, error=error) from error
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if not rows or len(columns) > MAX_COLUMNS:
        raise InputError("'{name}' holds no items of a product feed; expected <item> or <entry>.", name=path.name)
    cells = [(number, [row.get(name, "") for name in columns]) for number, row in enumerate(rows, 1)]
    return Table(columns, cells, header_line=0)


def _name(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]

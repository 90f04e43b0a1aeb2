"""Reads JSON as a table: a list of products, JSON lines, or schema.org products as in the pages of shops.

It knows nothing of the columns of a catalogue: a schema.org product comes out under the names of a product feed.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmdemo.catalog.table import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, Table
from mmdemo.core.errors import InputError

SUFFIXES = frozenset((".json", ".jsonl", ".ndjson", ".jsonld"))
LISTS = ("products", "items", "data", "results", "rows", "@graph", "itemListElement")
Row = dict[str, Any]


def read_json(path: Path) -> Table:
    """The objects of a JSON file as rows of text, a column for every name that one of them has.

    Raises
    ------
    InputError
        The file is not JSON, holds no list of objects, or is larger than is read.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InputError("'{name}' has more than {most} MB.", name=path.name, most=MAX_BYTES >> 20)
    try:
        text = path.read_text(encoding="utf-8-sig")
        objects = list(_objects(_loaded(text, path)))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("'{name}' is not JSON that can be read ({error}).", name=path.name, error=error) from error
    if not objects:
        raise InputError("'{name}' holds no list of products; expected [{{...}}, {{...}}].", name=path.name)
    products = [_from_schema_org(row) for row in objects if _is_product(row)]  # a page describes other things too
    rows = products or objects
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if len(columns) > MAX_COLUMNS or len(rows) > MAX_ROWS:
        raise InputError(
            "'{name}' has more than {n:,} rows or {most} columns.", name=path.name, n=MAX_ROWS, most=MAX_COLUMNS
        )
    cells = [(line, [_cell(row.get(name)) for name in columns]) for line, row in enumerate(rows, 1)]
    return Table(columns, cells, header_line=0, plain_numbers=True)


def _loaded(text: str, path: Path) -> Any:
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return json.loads(text)


def _objects(value: Any) -> Iterator[Row]:
    """The products of a document, wherever the usual names put them."""
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)
    elif isinstance(value, dict):
        inside = next((value[name] for name in LISTS if isinstance(value.get(name), list)), None)
        if inside is not None:
            yield from _objects(inside)
        elif isinstance(value.get("item"), dict) and value.get("@type") == "ListItem":
            yield value["item"]
        elif value.get("@type") == "ProductGroup" and isinstance(value.get("hasVariant"), list):
            for variant in value["hasVariant"]:
                yield {**value, **variant, "item_group_id": value.get("productGroupID") or value.get("name")}
        else:
            yield value


def _is_product(row: Row) -> bool:
    kind = row.get("@type")
    return any(
        str(name).rpartition("/")[2] in ("Product", "ProductGroup")
        for name in (kind if isinstance(kind, list) else [kind])
    )


def _from_schema_org(row: Row) -> Row:
    """A schema.org product (schema.org/Product) under the names of a feed."""
    offer = row.get("offers") or {}
    offer = offer[0] if isinstance(offer, list) and offer else offer
    offer = offer if isinstance(offer, dict) else {}
    images = row.get("image")
    addresses = [_address(image) for image in (images if isinstance(images, list) else [images])]
    addresses = [address for address in addresses if address]
    extras = row.get("additionalProperty")
    properties = {
        str(extra["name"]): extra.get("value")
        for extra in (extras if isinstance(extras, list) else [])
        if isinstance(extra, dict) and extra.get("name")
    }
    return {
        "id": row.get("sku") or row.get("productID") or row.get("@id") or row.get("gtin13") or row.get("url"),
        "title": row.get("name"),
        "description": row.get("description"),
        "image_link": addresses[0] if addresses else "",
        "additional_image_link": "|".join(addresses[1:]),
        "link": row.get("url") or offer.get("url"),
        "price": offer.get("price") or offer.get("lowPrice"),
        "currency": offer.get("priceCurrency"),
        "availability": str(offer.get("availability") or "").rpartition("/")[2],
        "product_type": row.get("category"),
        "brand": row.get("brand"),
        "color": row.get("color"),
        "material": row.get("material"),
        "size": row.get("size"),
        "item_group_id": row.get("item_group_id") or row.get("inProductGroupWithID"),
        **properties,
    }


def _address(image: Any) -> str:
    if isinstance(image, dict):
        image = image.get("url") or image.get("contentUrl")
    return image if isinstance(image, str) else ""


def _cell(value: Any) -> str:
    """A value as the text that a CSV would hold; of an object its name or value, of a list its items."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else ""
    if isinstance(value, list):
        return "|".join(filter(None, map(_cell, value)))
    if isinstance(value, dict):
        return _cell(value.get("name") or value.get("value") or value.get("url") or value.get("@id"))
    return str(value)

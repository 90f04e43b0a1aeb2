"""Shared by the readers of exports: options in one cell taken apart, variants that differ by size alone made one."""

import re
from collections.abc import Sequence

from PIL.ImageColor import colormap

from mmdemo.catalog.headings import column_of

Record = dict[str, str]
_SIZE = re.compile(r"(?:\d?x{0,4}[sml]|x{1,4}l|one size|os|(?:us|eu|uk) ?\d{1,2}(?:[.,]5)?|\d{1,3}(?:[.,]5)?)", re.I)


def options_of(name: str, value: str) -> Record:
    """An option of a variant as attributes; of several in one cell, each under its own name.

    >>> options_of("Size / Colour", "S / Black"), options_of("Title", "XL / Black")
    ({'Size': 'S', 'Colour': 'Black'}, {'Size': 'XL', 'Colour': 'Black'})
    >>> options_of("Finish", "Oak / oiled")
    {'Finish': 'Oak / oiled'}
    """
    values = [part.strip() for part in value.split(" / ")]
    names = [part.strip() for part in name.split(" / ")]
    if len(values) > 1 and len(names) == len(values):
        return dict(zip(names, values, strict=True))
    kinds = [_kind(part) for part in values]
    if len(values) > 1 and all(kinds) and len(set(kinds)) == len(kinds):
        return dict(zip(kinds, values, strict=True))
    return {name: value}


def _kind(value: str) -> str:
    if _SIZE.fullmatch(value):
        return "Size"
    return "Colour" if value.casefold().replace(" ", "") in colormap else ""


def sizes_folded(records: Sequence[tuple[int, Record]]) -> list[tuple[int, Record]]:
    """The records, those of one parent that differ only by size and stock as one product with all of their sizes.

    Its id is that of the first; `variant_ids` has the others' too. It is in stock if one of them is.
    """
    groups: dict[tuple[object, ...], list[tuple[int, Record]]] = {}
    for line, record in records:
        size = _size_column(record)
        same = tuple(sorted((n, c) for n, c in record.items() if n not in ("id", "availability", size)))
        key = (same,) if record.get("parent") and size else (line, record.get("id", ""))
        groups.setdefault(key, []).append((line, record))
    return [group[0] if len(group) == 1 else (group[0][0], _folded([r for _, r in group])) for group in groups.values()]


def _size_column(record: Record) -> str:
    return next((name for name in record if column_of(name) == "size"), "")


def _folded(records: Sequence[Record]) -> Record:
    size = _size_column(records[0])
    folded = dict(records[0])
    folded[size] = "|".join(dict.fromkeys(record[size] for record in records))
    folded["variant_ids"] = "|".join(record["id"] for record in records)
    stock = [record["availability"] for record in records if record.get("availability")]
    if stock:
        folded["availability"] = "in stock" if "in stock" in stock else stock[0]
    return folded

"""CSV that a spreadsheet opens as it is meant: UTF-8 is recognised, and no cell is taken for a formula."""

import csv
from collections.abc import Iterable
from typing import IO

ENCODING = "utf-8-sig"  # by its first bytes spreadsheets tell UTF-8 from their own encoding
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet's formula begins


def defused(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe in front.

    >>> defused("=HYPERLINK(1)"), defused(-1.5), defused("plain")
    ("'=HYPERLINK(1)", -1.5, 'plain')
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def write_csv(file: IO[str], rows: Iterable[Iterable[object]]) -> None:
    """Write rows, the heading among them; numbers stay numbers, and None is an empty cell."""
    csv.writer(file).writerows([defused(cell) for cell in row] for row in rows)

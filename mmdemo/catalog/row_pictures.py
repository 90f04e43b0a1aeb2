"""Which pictures a row of a table gives: several in one cell, in further columns, in rows of their own, or by its id.

It knows nothing of products beyond the cells of their rows.
"""

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from mmdemo.catalog.exports.rows import pictures
from mmdemo.catalog.headings import column_of, is_numbered_picture
from mmdemo.catalog.image_folder import AddressNotFetched, PictureFolder
from mmdemo.catalog.refusal import Refusal, clause
from mmdemo.catalog.table import Table
from mmdemo.core.errors import InputError

MOST_VIEWS = 8  # further pictures of one product
COLUMNS = ("image", "views")
Row = dict[str, str]  # column -> cell


def comparable_id(product_id: str) -> str:
    """The form of an id in which two are equal if they look the same, however their accents are encoded."""
    return unicodedata.normalize("NFC", product_id)


def called_by_ids(table: Table, mapping: Mapping[str, str], folder: PictureFolder) -> bool:
    """Whether a table that says nothing of pictures has ids by which the pictures beside it are called."""
    if "image" in mapping or any(column_of(text) == "image" or is_numbered_picture(text) for text in table.columns):
        return False
    said = mapping.get("id")
    ids = [n for n, text in enumerate(table.columns) if (text == said if said else column_of(text) == "id")]
    return bool(ids) and folder.are_called_by([cells[ids[0]] for _, cells in table.rows])


def with_pictures_below(rows: list[tuple[int, Row]]) -> tuple[list[tuple[int, Row]], list[int]]:
    """The rows, without those that only give a further picture of a product above; and the lines of these.

    Such a row has the product's id, or none, and no other cell that differs.
    """
    kept, by_id, below = list[tuple[int, Row]](), dict[str, Row](), list[int]()
    for line, row in rows:
        above = by_id.get(comparable_id(row["id"])) if row["id"] else kept[-1][1] if kept else None
        if above is None or not _differs_in_pictures_alone(row, above):
            kept.append((line, row))
            by_id.setdefault(comparable_id(row["id"]), row)
        else:
            above["views"] = "|".join(filter(None, (above["views"], *(row[column] for column in COLUMNS))))
            below.append(line)
    return kept, below


def _differs_in_pictures_alone(row: Row, above: Row) -> bool:
    new = any(row[column] not in ("", above["image"], above["views"]) for column in COLUMNS)
    return new and all(not cell or name in ("id", *COLUMNS) or cell == above.get(name) for name, cell in row.items())


def take_pictures(row: Row, line: int, folder: PictureFolder, warnings: list[Refusal]) -> tuple[str, ...]:
    """Put the path of the first picture that can be used into the row, and return the paths of the others.

    A picture that cannot be used is noted. Raises InputError where the row names pictures and none of them can be.
    """
    cells = [(column, cell) for column in COLUMNS for cell in islice(_pictures_of(row[column], folder), 1 + MOST_VIEWS)]
    paths, faults = list[str](), list[tuple[str, InputError]]()
    for column, cell in cells:
        try:
            paths.append(folder.check(cell))
        except InputError as error:
            faults.append((column, error))
    if faults and not paths and faults[0][0] == "image":
        raise faults[0][1]
    warnings += [
        Refusal(line, row["id"], column, clause(e)) for column, e in faults if not isinstance(e, AddressNotFetched)
    ]
    row["image"], *others = dict.fromkeys(paths) or [""]
    row["views"] = ""
    return tuple(others[:MOST_VIEWS])


def addresses(rows: Sequence[tuple[int, Row]], folder: PictureFolder) -> list[str]:
    """The web addresses of the pictures of some rows that are not beside the table."""
    every: list[str] = []
    for _, row in rows:
        cells = (cell for column in COLUMNS for cell in _pictures_of(row[column], folder))
        every += [cell for cell in islice(cells, 1 + MOST_VIEWS) if folder.is_elsewhere(cell)]
    return every


def _pictures_of(cell: str, folder: PictureFolder) -> Iterator[str]:
    """The pictures that a cell names; a file whose name has a comma is one."""
    for part in filter(None, cell.split("|")):
        several = pictures([part])
        one = len(several) < 2 or os.path.isfile(os.path.join(folder.root, part))
        yield from [part.strip()] if one else several

"""Shared by the readers of exports: rows of our own form, and the small rules by which they are made."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from mmdemo.catalog.exports.offers import with_price_of
from mmdemo.catalog.exports.variants import sizes_folded
from mmdemo.catalog.headings import heading
from mmdemo.catalog.table import Table
from mmdemo.core.messages import Message

Record = dict[str, str]  # column of our own form, or attribute -> cell
COLUMNS = ("id", "image", "title", "description", "category", "price", "currency", "url", "parent", "views")
NO = frozenset(("0", "false", "no", "n", "draft", "archived", "disabled", "hidden", "nein", "non", "inactive"))
_PLURAL_PATH = re.compile(r"\s*[>»/]\s*|\\")


@dataclass
class Conversion:
    """Records with the line each came from, and notes on what was left out or assumed."""

    records: list[tuple[int, Record]] = field(default_factory=list)
    left_out: int = 0  # products that the shop itself does not show: drafts, hidden and archived ones

    def add(self, line: int, record: Record) -> None:
        """Take a record; empty cells are dropped."""
        self.records.append((line, {name: cell for name, cell in record.items() if cell}))


def cells_by_heading(table: Table) -> Iterator[tuple[int, Record]]:
    """Every row as heading -> cell, with its line; of two columns of one heading the first that is filled counts."""
    names = [heading(column) for column in table.columns]
    for line, cells in table.rows:
        record: Record = {}
        for name, cell in zip(names, cells, strict=True):
            if not record.get(name):
                record[name] = cell.strip()
        yield line, record


def first(record: Record, *names: str) -> str:
    """The first cell that is filled among these headings, "" for none."""
    return next((record[name] for name in names if record.get(name)), "")


def hidden(cell: str) -> bool:
    """Whether a status cell says that the shop does not show this product; an empty one does not."""
    return cell.strip().casefold() in NO


def kind_of(paths: str) -> str:
    """The most specific kind of a cell of category paths: "A > B, A > C" is "B".

    >>> kind_of("Home & Garden > Kitchen > Mugs, Sale"), kind_of("Default Category/Gear/Bags"), kind_of("Mugs")
    ('Mugs', 'Bags', 'Mugs')
    """
    separators = r"\s*[|;]\s*" if re.search(r"[|;]", paths) else r"\s*,\s*(?=[^,]*(?:>|/|$))"
    options = [path for path in re.split(separators, paths) if path.strip()]
    deepest = max(options, key=lambda path: len(_PLURAL_PATH.split(path)), default="")
    return _PLURAL_PATH.split(deepest)[-1].strip() if deepest else ""


def pictures(cells: Iterable[str]) -> list[str]:
    """The pictures of some cells in order, each once; a cell may hold several, by |, ;, commas or line breaks, and
    addresses by blanks too.

    >>> pictures(["a.jpg, b.jpg", "b.jpg|c.png"])
    ['a.jpg', 'b.jpg', 'c.png']
    """
    found: dict[str, None] = {}
    for cell in cells:
        for part in re.split(r"[|;\n\r]+|,\s*(?=https?:)|(?<=\.\w{3}),|(?<=\.\w{4}),|,\s+|\s+(?=https?:)", cell):
            if part.strip():
                found.setdefault(part.strip())
    return list(found)


def with_pictures(record: Record, cells: Iterable[str]) -> Record:
    """The record with the first of these pictures as its own and the others as its views."""
    paths = pictures(cells)
    return record | {"image": paths[0] if paths else "", "views": "|".join(paths[1:])}


def unique(wanted: str, taken: set[str]) -> str:
    """An id that no earlier product has: the wanted one, or with a number behind it."""
    candidate, number = wanted, 2
    while candidate in taken:
        candidate, number = f"{wanted}-{number}", number + 1
    taken.add(candidate)
    return candidate


def slug(text: str) -> str:
    """A text as an id: "Tall vase, blue" is "tall-vase-blue"."""
    return re.sub(r"[^\w]+", "-", text.casefold()).strip("-")[:80]


def grouped(rows: Iterable[tuple[int, Record]], name: str) -> list[list[tuple[int, Record]]]:
    """Rows that share a cell of this heading, or leave it empty below it, together in the order of the file."""
    groups: dict[str, list[tuple[int, Record]]] = {}
    last = ""
    for line, record in rows:
        last = record.get(name) or last
        groups.setdefault(last, []).append((line, record))
    return list(groups.values())


def table_of(conversion: Conversion, source: Table, name: str, today: date) -> Table:
    """The records as a table in our own form, at today's prices, with notes on the export and what was left out."""
    seen: dict[str, None] = dict.fromkeys(COLUMNS[:3])
    records = sizes_folded([(line, with_price_of(record, today)) for line, record in conversion.records])
    for _, record in records:
        seen |= dict.fromkeys(record)
    columns = [*(c for c in COLUMNS if c in seen), *(c for c in seen if c not in COLUMNS)]
    rows: Sequence[tuple[int, list[str]]] = [
        (line, [record.get(column, "") for column in columns]) for line, record in records
    ]
    notes = [*source.notes, Message("read as an export of {name}", name=name)]
    if len(records) < len(conversion.records):
        notes.append(
            Message(
                "variants that differ by their size alone are one product each: {n:,} variants, {products:,} products",
                n=len(conversion.records),
                products=len(records),
            )
        )
    if conversion.left_out:
        notes.append(
            Message("left out, since the shop does not show them (drafts, hidden): {n:,}", n=conversion.left_out)
        )
    return Table(columns, list(rows), source.broken, source.header_line, notes, source.plain_numbers)

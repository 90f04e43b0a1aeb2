"""Reads a CSV, TSV or Parquet file as rows of text, whatever its encoding and separator.

It knows nothing of products: columns are names, and cells are text.
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdemo.catalog.headings import heading
from mmdemo.catalog.surplus_cells import MOST_SURPLUS, TextColumns
from mmdemo.catalog.table_text import table_text
from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_, Message

SUFFIXES = frozenset((".csv", ".tsv", ".txt", ".parquet"))
MAX_BYTES = 512 * 1024 * 1024
MAX_TEXT = 256_000_000  # characters that a Parquet file may unpack to
MAX_BATCH = 64_000_000  # bytes of 64 of its rows: text of 10,000 characters in each of 100 columns
MAX_ROWS = 2_000_000
MAX_BROKEN = 100_000  # rows that do not fit the header; past that, the file is taken for something else than a table
MAX_COLUMNS = 500
MAX_CELL = 1_000_000
TEXT_HEADINGS = frozenset(("description", "title", "name", "text", "productdisplayname"))

_OTHER_KINDS = (
    (b"PAR1", N_("a Parquet file; name it .parquet")),
    (b"PK\x03\x04", N_("an Excel workbook or a ZIP; choose 'Save as' and 'CSV UTF-8', or name the ZIP .zip")),
    (b"\xd0\xcf\x11\xe0", N_("an old Excel workbook; choose 'Save as' and 'CSV UTF-8'")),
    (b"\x1f\x8b", N_("packed with gzip; unpack it first")),
    (b"%PDF", N_("a PDF; a table saved as CSV is needed")),
    (b"\x89PNG", N_("a picture; give a table or a folder")),
    (b"\xff\xd8\xff", N_("a picture; give a table or a folder")),
    (b"SQLite format 3", N_("a database; export the table as CSV")),
)


@dataclass
class Table:
    """`rows` are (line, cells), a cell per column; `broken` are (line, reason) for rows with other numbers of cells."""

    columns: list[str]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    broken: list[tuple[int, str]] = field(default_factory=list)
    header_line: int = 1
    notes: list[str] = field(default_factory=list)  # assumptions about the file that its owner should check
    plain_numbers: bool = False  # True where the file has typed numbers, so that a dot is a decimal point


def read_table(path: Path, known_columns: Iterable[str]) -> Table:
    """Read `path`; its separator is the one that finds most of the `known_columns`. Raises InputError."""
    known = frozenset(heading(column) for column in known_columns)
    try:
        size = path.stat().st_size
        with open(path, "rb") as stream:
            head = stream.read(64)
        if size > MAX_BYTES:
            raise InputError(
                "'{name}' has {n:,} MB; at most {most} MB are read.",
                name=path.name,
                n=size >> 20,
                most=MAX_BYTES >> 20,
            )
        if path.suffix.lower() == ".parquet":
            return _read_parquet(path)
        for magic, kind in _OTHER_KINDS:
            if head.startswith(magic):
                raise InputError("'{name}' is {kind}.", name=path.name, kind=Message(kind))
        text, notes = table_text(path.read_bytes(), path.name, known)
    except OSError as error:
        raise InputError(
            "'{name}' cannot be opened ({reason}).", name=path.name, reason=error.strerror or error
        ) from error
    table = _read_text(text, path.name, known, tabbed=path.suffix.lower() == ".tsv")
    table.notes += notes
    return table


def _read_text(text: str, name: str, known_columns: frozenset[str], tabbed: bool) -> Table:
    csv.field_size_limit(MAX_CELL)
    lines = io.StringIO(text, newline="").readlines()
    skipped = _lines_above_header(lines)
    delimiter = "\t" if tabbed and "\t" in lines[skipped] else _delimiter(lines[skipped], known_columns)
    # strict: a stray quote costs its own row, with the reason, and does not swallow the rows after it.
    reader = csv.reader(lines[skipped:], delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        columns = next(reader)
    except csv.Error as error:
        raise InputError("The header of '{name}' cannot be read ({error}).", name=name, error=error) from error
    while columns and not columns[-1].strip():
        columns.pop()
    if len(columns) > MAX_COLUMNS:
        raise InputError(
            "'{name}' has {n} columns; at most {most} are read.", name=name, n=len(columns), most=MAX_COLUMNS
        )
    table = Table(columns, header_line=skipped + 1)
    width = len(columns)
    surplus: list[tuple[int, list[str]]] = []  # rows with more cells than the header
    padded: list[tuple[int, list[str]]] = []  # those of them whose surplus cells are empty
    while True:
        line = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            last = skipped + reader.line_num
            table.broken.append((line, _open_quote(line, last, error)))
            _check_broken(table, name)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            padded.append((line, cells[: width + MOST_SURPLUS]))
        elif len(cells) > width and len(surplus) < MAX_BROKEN:
            surplus.append((line, cells))
        elif len(cells) != width:
            table.broken.append((line, _wrong_width(len(cells), width)))
            _check_broken(table, name)
        elif len(table.rows) + len(padded) >= MAX_ROWS:
            raise InputError("'{name}' has more than {n:,} rows.", name=name, n=MAX_ROWS)
        else:
            table.rows.append((line, cells))
    if len(padded) > len(table.rows):  # every row ends with separators
        table.rows = sorted([*table.rows, *((line, cells[:width]) for line, cells in padded)])
        padded = []
    if surplus or padded:
        _add_surplus_rows(table, [*surplus, *padded], delimiter)
        _check_broken(table, name)
    return table


def _lines_above_header(lines: list[str]) -> int:
    """How many lines stand above the header: blank ones, comments, and what some programs write there."""
    skipped = 0
    # The first line of some spreadsheets names the separator.
    while skipped < len(lines) - 1 and (not lines[skipped].strip() or lines[skipped].lower().startswith(("sep=", "#"))):
        skipped += 1
    if lines[skipped].startswith("TemplateType="):  # Amazon's: labels below it, then the names of the columns
        skipped = min(skipped + 2, len(lines) - 1)
    return skipped


def _open_quote(line: int, last: int, error: csv.Error) -> Message:
    where = Message("line {line}", line=line)
    where = Message("lines {line} to {last}", line=line, last=last) if last > line else where
    return Message("a quote is not closed or not doubled in {where} ({error})", where=where, error=error)


def _wrong_width(n: int, width: int) -> Message:
    return Message("{n} cells where the header has {width}", n=n, width=width)


def _add_surplus_rows(table: Table, surplus: list[tuple[int, list[str]]], delimiter: str) -> None:
    """Take the rows whose surplus cells belong to a text column, and refuse the others."""
    text_columns = TextColumns(table.columns, table.rows, TEXT_HEADINGS)
    repaired: dict[int, list[int]] = {}  # column -> lines
    width = len(table.columns)
    for line, cells in surplus:
        joined = text_columns.joined(cells, f"{delimiter} ")
        if not any(cell.strip() for cell in cells[width:]):
            cut = cells[:width]  # the last columns may be empty, too
            if joined is None or text_columns.fit(joined[0]) <= text_columns.fit(cut):
                table.rows.append((line, cut))
                continue
        if joined is not None:
            row, place = joined
            table.rows.append((line, row))
            repaired.setdefault(place, []).append(line)
        else:
            table.broken.append((line, _wrong_width(len(cells), width)))
    table.rows.sort(key=lambda row: row[0])
    table.broken.sort(key=lambda fault: fault[0])
    for place, lines in repaired.items():
        note = Message(
            "{n:,} rows have an unquoted '{sign}' in '{column}', which was put together again; first, line {line}",
            n=len(lines),
            sign=delimiter,
            column=table.columns[place].strip()[:40],
            line=lines[0],
        )
        table.notes.append(note)


def _check_broken(table: Table, name: str) -> None:
    if len(table.broken) > MAX_BROKEN:
        line, reason = table.broken[0]
        raise InputError(
            "More than {n:,} rows of '{name}' do not fit its header; first, line {line}: {reason}.",
            n=MAX_BROKEN,
            name=name,
            line=line,
            reason=reason,
        )


def _delimiter(header_line: str, known_columns: frozenset[str]) -> str:
    """The separator that finds the most known columns in the header, then the most columns."""

    def columns(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([header_line], delimiter=delimiter))
        except (csv.Error, StopIteration):
            return 0, 0
        return sum(heading(cell) in known_columns for cell in cells), len(cells)

    return max(",;\t|", key=columns)


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa  # here: a second of start-up that only Parquet needs
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            metadata, names = file.metadata, list(file.schema_arrow.names)
            if metadata.num_rows > MAX_ROWS or len(names) > MAX_COLUMNS:
                raise InputError(
                    "'{name}' has more than {n:,} rows or {most} columns.",
                    name=path.name,
                    n=MAX_ROWS,
                    most=MAX_COLUMNS,
                )
            if sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups)) > MAX_BYTES:
                raise InputError("'{name}' unpacks to more than {most} MB.", name=path.name, most=MAX_BYTES >> 20)
            plain = any(pa.types.is_floating(kind) for kind in file.schema_arrow.types)
            rows: list[tuple[int, list[str]]] = []
            size = 0
            # A few rows at a time: a page of a few bytes may hold millions of copies of a long text.
            for batch in file.iter_batches(batch_size=64):
                if batch.nbytes > MAX_BATCH:
                    raise InputError(
                        "'{name}' unpacks to more than {n} MB of text.", name=path.name, n=MAX_TEXT // 1000000
                    )
                columns = [
                    [_cell(value, name, path.name) for value in column.to_pylist()]
                    for name, column in zip(names, batch.columns, strict=True)
                ]
                for cells in zip(*columns, strict=True):
                    size += sum(map(len, cells))
                    rows.append((len(rows) + 2, list(cells)))
                if size > MAX_TEXT or len(rows) > MAX_ROWS:
                    raise InputError(
                        "'{name}' unpacks to more than {n} MB of text.", name=path.name, n=MAX_TEXT // 1000000
                    )
    except (pa.ArrowException, OSError, ValueError, ArithmeticError, LookupError, TypeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("'{name}' is not a Parquet file that can be read.", name=path.name) from error
    kept = [n for n, name in enumerate(names) if not name.startswith("__index_level_")]
    return Table(
        [names[n] for n in kept], [(line, [cells[n] for n in kept]) for line, cells in rows], plain_numbers=plain
    )


def _cell(value: Any, column: str, file: str) -> str:
    """A Parquet value as the text that a CSV would hold."""
    if value is None or value != value:  # NaN and NaT differ from themselves
        return ""
    if isinstance(value, bytes) or (isinstance(value, dict) and isinstance(value.get("bytes"), bytes)):
        raise InputError(
            "Column '{column}' of '{name}' holds bytes; save pictures as files and give their paths.",
            column=column,
            name=file,
        )
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else ""
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item, column, file) for item in value)
    text = json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict) else str(value)
    if len(text) > MAX_CELL:
        raise InputError(
            "Column '{column}' of '{name}' has a cell of {n:,} characters; at most {most:,}.",
            column=column,
            name=file,
            n=len(text),
            most=MAX_CELL,
        )
    return text

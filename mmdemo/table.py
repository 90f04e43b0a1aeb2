"""A CSV, TSV or Parquet file as rows of text, whatever its encoding and separator.

Knows nothing of products: columns are names, and cells are text.
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdemo.errors import InputError
from mmdemo.say import say

SUFFIXES = frozenset((".csv", ".tsv", ".txt", ".parquet"))
MAX_BYTES = 512 * 1024 * 1024
MAX_TEXT = 256_000_000  # characters that a Parquet file may unpack to
MAX_BATCH = 64_000_000  # bytes of 64 of its rows: text of 10,000 characters in each of 100 columns
MAX_ROWS = 2_000_000
MAX_BROKEN = 100_000  # rows that do not fit: past that the file is something else than its header says
MAX_COLUMNS = 500
MAX_CELL = 1_000_000

_FOREIGN = (
    (b"PAR1", "a Parquet file; name it .parquet"),
    (b"PK\x03\x04", "an Excel workbook or a ZIP; choose 'Save as' and 'CSV UTF-8', or name the ZIP .zip"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; choose 'Save as' and 'CSV UTF-8'"),
    (b"\x1f\x8b", "packed with gzip; unpack it first"),
    (b"%PDF", "a PDF; a table saved as CSV is needed"),
    (b"\x89PNG", "a picture; give a table or a folder"),
    (b"\xff\xd8\xff", "a picture; give a table or a folder"),
    (b"SQLite format 3", "a database; export the table as CSV"),
)


@dataclass
class Table:
    """`rows` are (line, cells), a cell per column; `broken` are (line, reason) for rows that do not fit them."""

    columns: list[str]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    broken: list[tuple[int, str]] = field(default_factory=list)
    header_line: int = 1
    notes: list[str] = field(default_factory=list)  # what a careful reader should know of the file
    plain_numbers: bool = False  # True where numbers came as numbers, so that a dot is a decimal point


def read_table(path: Path, known: Iterable[str]) -> Table:
    """Read `path`; `known` are column names by which one separator is told from another. Raises InputError."""
    try:
        size = path.stat().st_size
        with open(path, "rb") as stream:
            head = stream.read(64)
        if size > MAX_BYTES:
            raise InputError(
                say(
                    "'{name}' has {n:,} MB; at most {most} MB are read.",
                    name=path.name,
                    n=size >> 20,
                    most=MAX_BYTES >> 20,
                )
            )
        if path.suffix.lower() == ".parquet":
            return _read_parquet(path)
        for magic, kind in _FOREIGN:
            if head.startswith(magic):
                raise InputError(say("'{name}' is {kind}.", name=path.name, kind=kind))
        text, notes = _text(path.read_bytes(), path.name)
    except OSError as error:
        raise InputError(
            say("'{name}' cannot be opened ({reason}).", name=path.name, reason=error.strerror or error)
        ) from error
    table = _read_text(text, path.name, frozenset(known), tabbed=path.suffix.lower() == ".tsv")
    table.notes += notes
    return table


def _text(data: bytes, name: str) -> tuple[str, list[str]]:
    """The file's text and what had to be assumed."""
    nothing = InputError(say("'{name}' is empty; expected a table with the columns id, image and title.", name=name))
    if not data.strip():
        raise nothing
    text, notes = "\0", []
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = data.decode("utf-16")
        elif data[:4096].count(0) > len(data[:4096]) // 3:
            # Western text in UTF-16 without a mark has every other byte zero.
            text = data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        loose = data.decode("utf-8-sig", errors="replace")
        bad = loose.count("\ufffd")
        if sum(c > "\x7f" for c in loose) - bad > 4 * bad:
            text, notes = loose, [f"{bad} characters of '{name}' are damaged; the rest was read as UTF-8"]
        elif b"\0" not in data:
            text = data.decode("cp1252", errors="replace")
            notes = [f"'{name}' is not UTF-8 and was read as Western European (cp1252); check the accents"]
    if "\0" in text or any(c < "\t" for c in text[:4096]):
        raise InputError(say("'{name}' is not a text table; save it as CSV in UTF-8.", name=name))
    if not text.strip("\ufeff \t\r\n"):
        raise nothing
    return text.lstrip("\ufeff"), notes


def _read_text(text: str, name: str, known: frozenset[str], tabbed: bool) -> Table:
    csv.field_size_limit(MAX_CELL)
    lines = io.StringIO(text, newline="").readlines()
    skipped = 0
    # Blank lines, and the line that spreadsheets put first to name the separator.
    while skipped < len(lines) - 1 and (not lines[skipped].strip() or lines[skipped].lower().startswith("sep=")):
        skipped += 1
    delimiter = "\t" if tabbed and "\t" in lines[skipped] else _delimiter(lines[skipped], known)
    # strict: a stray quote costs its own row, with the reason, and does not swallow the rows after it.
    reader = csv.reader(lines[skipped:], delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        columns = next(reader)
    except csv.Error as error:
        raise InputError(say("The header of '{name}' cannot be read ({error}).", name=name, error=error)) from error
    while columns and not columns[-1].strip():
        columns.pop()
    if len(columns) > MAX_COLUMNS:
        raise InputError(
            say("'{name}' has {n} columns; at most {most} are read.", name=name, n=len(columns), most=MAX_COLUMNS)
        )
    table = Table(columns, header_line=skipped + 1)
    width = len(columns)
    while True:
        line = skipped + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            last = skipped + reader.line_num
            where = say("line {line}", line=line)
            where = say("lines {line} to {last}", line=line, last=last) if last > line else where
            table.broken.append(
                (line, say("a quote is not closed or not doubled in {where} ({error})", where=where, error=error))
            )
            _check_broken(table, name)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) != width:
            table.broken.append((line, say("{n} cells where the header has {width}", n=len(cells), width=width)))
            _check_broken(table, name)
        elif len(table.rows) >= MAX_ROWS:
            raise InputError(say("'{name}' has more than {n:,} rows.", name=name, n=MAX_ROWS))
        else:
            table.rows.append((line, cells))
    return table


def _check_broken(table: Table, name: str) -> None:
    if len(table.broken) > MAX_BROKEN:
        line, reason = table.broken[0]
        raise InputError(
            say(
                "More than {n:,} rows of '{name}' do not fit its header; first, line {line}: {reason}.",
                n=MAX_BROKEN,
                name=name,
                line=line,
                reason=reason,
            )
        )


def _delimiter(header: str, known: frozenset[str]) -> str:
    """The separator that finds the most known columns in the header, then the most columns."""

    def columns(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([header], delimiter=delimiter))
        except (csv.Error, StopIteration):
            return 0, 0
        return sum(cell.strip().casefold() in known for cell in cells), len(cells)

    return max(",;\t|", key=columns)


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa  # here: a second of start-up that only Parquet needs
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            said, names = file.metadata, list(file.schema_arrow.names)
            if said.num_rows > MAX_ROWS or len(names) > MAX_COLUMNS:
                raise InputError(
                    say(
                        "'{name}' has more than {n:,} rows or {most} columns.",
                        name=path.name,
                        n=MAX_ROWS,
                        most=MAX_COLUMNS,
                    )
                )
            if sum(said.row_group(n).total_byte_size for n in range(said.num_row_groups)) > MAX_BYTES:
                raise InputError(say("'{name}' unpacks to more than {most} MB.", name=path.name, most=MAX_BYTES >> 20))
            plain = any(pa.types.is_floating(kind) for kind in file.schema_arrow.types)
            rows: list[tuple[int, list[str]]] = []
            size = 0
            # A few rows at a time: a page of a few bytes may hold millions of copies of a long text.
            for batch in file.iter_batches(batch_size=64):
                if batch.nbytes > MAX_BATCH:
                    raise InputError(
                        say("'{name}' unpacks to more than {n} MB of text.", name=path.name, n=MAX_TEXT // 1000000)
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
                        say("'{name}' unpacks to more than {n} MB of text.", name=path.name, n=MAX_TEXT // 1000000)
                    )
    except (pa.ArrowException, OSError, ValueError, ArithmeticError, LookupError, TypeError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(say("'{name}' is not a Parquet file that can be read.", name=path.name)) from error
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
            say(
                "Column '{column}' of '{name}' holds bytes; save pictures as files and give their paths.",
                column=column,
                name=file,
            )
        )
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else ""
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item, column, file) for item in value)
    text = json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict) else str(value)
    if len(text) > MAX_CELL:
        raise InputError(
            say(
                "Column '{column}' of '{name}' has a cell of {n:,} characters; at most {most:,}.",
                column=column,
                name=file,
                n=len(text),
                most=MAX_CELL,
            )
        )
    return text

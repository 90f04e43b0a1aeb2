"""Reads an Excel workbook (.xlsx) as a table: the first sheet that has a header and a row below it.

It knows nothing of products. Formulas are read as the values that Excel last computed for them.
"""

import datetime
import zipfile
from pathlib import Path
from typing import Any

from mmdemo.catalog.table import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, Table
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message

SUFFIX = ".xlsx"


def read_workbook(path: Path) -> Table:
    """The rows of a workbook as text.

    Raises
    ------
    InputError
        The file is no workbook, is encrypted, unpacks to too much, or holds no table.
    """
    from openpyxl import load_workbook  # here: only a workbook needs it

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_BYTES:
                raise InputError("'{name}' unpacks to more than {most} MB.", name=path.name, most=MAX_BYTES >> 20)
        book = load_workbook(path, read_only=True, data_only=True)
    except InputError:
        raise
    except Exception as error:  # openpyxl lets exceptions of many types through
        raise InputError(
            "'{name}' is not an Excel workbook that can be read; choose 'Save as' and 'CSV UTF-8'.", name=path.name
        ) from error
    try:
        for sheet in book.worksheets:
            if (table := _table(sheet, path.name)) is not None:
                if len(book.worksheets) > 1:
                    table.notes.append(
                        Message("the sheet '{sheet}' was read; the others were not", sheet=sheet.title[:40])
                    )
                return table
    finally:
        book.close()
    raise InputError("'{name}' has no sheet with a header and rows.", name=path.name)


def _table(sheet: Any, name: str) -> Table | None:
    """The rows of a sheet below its first row that is not empty; None without any."""
    table: Table | None = None
    for line, row in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = [_text(value) for value in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if not cells:
            continue
        if table is None:
            if len(cells) > MAX_COLUMNS:
                raise InputError(
                    "'{name}' has {n} columns; at most {most} are read.", name=name, n=len(cells), most=MAX_COLUMNS
                )
            table = Table(cells, header_line=line, plain_numbers=True)
        elif len(cells) > len(table.columns):
            table.broken.append(
                (line, Message("{n} cells where the header has {width}", n=len(cells), width=len(table.columns)))
            )
        elif len(table.rows) >= MAX_ROWS:
            raise InputError("'{name}' has more than {n:,} rows.", name=name, n=MAX_ROWS)
        else:
            table.rows.append((line, cells + [""] * (len(table.columns) - len(cells))))
    return table if table is not None and table.rows else None


def _text(value: object) -> str:
    """A cell as the text that a CSV would hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else ""
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)

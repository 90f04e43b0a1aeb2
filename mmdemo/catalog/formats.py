"""Reads a table of any supported format.

It knows nothing of the formats themselves, each of which has a module.
"""

from collections.abc import Iterable
from pathlib import Path

from mmdemo.catalog import json_table, table, workbook, xml_feed
from mmdemo.catalog.table import Table, read_table

SUFFIXES = table.SUFFIXES | json_table.SUFFIXES | {workbook.SUFFIX, xml_feed.SUFFIX}


def read_any(path: Path, known_columns: Iterable[str]) -> Table:
    """The rows of a file, read by its ending, under the headings that it has.

    Parameters
    ----------
    path
        A file with one of SUFFIXES.
    known_columns
        Column names by which the separator of a text file is found.

    Raises
    ------
    InputError
        The file cannot be read, in one sentence.
    """
    suffix = path.suffix.lower()
    if suffix == workbook.SUFFIX:
        return workbook.read_workbook(path)
    if suffix in json_table.SUFFIXES:
        return json_table.read_json(path)
    if suffix == xml_feed.SUFFIX:
        return xml_feed.read_feed(path)
    return read_table(path, known_columns)

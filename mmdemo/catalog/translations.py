"""Reads what a catalogue's values are called in another language from `words_zh.csv` beside its table.

column,en,zh
colour,blue,蓝色
"""

import re
from collections.abc import Mapping
from pathlib import Path

from mmdemo.catalog.product import column_name
from mmdemo.catalog.settings import About
from mmdemo.catalog.table import read_table
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message, Words

FILE = re.compile(r"words_([a-z]{2})\.csv")
MOST, LONGEST = 5000, 100  # words in one language, and characters in a word
Note = tuple[int, str]  # line, reason


def read_words(folder: Path) -> tuple[dict[str, Words], list[Note]]:
    """Language -> its words, of every `words_??.csv` in a folder; and what was left out of them."""
    by_language: dict[str, Words] = {}
    notes: list[Note] = []
    root = folder.resolve()
    for path in sorted(folder.iterdir()):
        if (matched := FILE.fullmatch(path.name)) and path.is_file() and path.resolve().is_relative_to(root):
            by_language[matched[1]] = _read(path, matched[1], notes)
    return {language: words for language, words in by_language.items() if words}, notes


def _read(path: Path, language: str, notes: list[Note]) -> Words:
    columns = ["column", "en", language]
    try:
        table = read_table(path, columns)
    except InputError as error:
        notes.append((0, error.message))
        return {}
    names = [column_name(name) for name in table.columns]
    if missing := [name for name in columns if name not in names]:
        note = Message(
            "expected the columns {columns}; '{missing}' is missing, so no words",
            columns=", ".join(columns),
            missing=missing[0],
        )
        notes.append((1, note))
        return {}
    words: dict[str, dict[str, str]] = {}
    for _, cells in table.rows[:MOST]:
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        if row["column"] and row["en"] and row[language]:
            words.setdefault(column_name(row["column"]), {})[row["en"]] = row[language][:LONGEST]
    return words


def spoken(words: Mapping[str, Words], noun: tuple[str, str], language: str) -> Words:
    """The words of one language, with what rows are called in it under "noun" ("product" -> "post")."""
    of_language = words.get(language, {})
    nouns = of_language.get("noun", {})
    return {
        **of_language,
        "noun": {plain: nouns.get(name, name) for plain, name in zip(About().noun, noun, strict=True)},
    }

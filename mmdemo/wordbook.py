"""What a catalogue's values are called in another language: `words_zh.csv` beside its table, kept in the index.

column,en,zh
colour,blue,蓝色
"""

import re
from pathlib import Path
from typing import Any

from mmdemo.about import About
from mmdemo.errors import InputError
from mmdemo.product import column_name
from mmdemo.say import Words
from mmdemo.table import read_table

FILE = re.compile(r"words_([a-z]{2})\.csv")
MOST, LONGEST = 5000, 100  # words of one language, and characters of a word
Note = tuple[int, str]  # line, what is wrong with it


def read_words(folder: Path) -> tuple[dict[str, Words], list[Note]]:
    """Language -> its words, of every `words_??.csv` in a folder; and what was left out of them."""
    found: dict[str, Words] = {}
    notes: list[Note] = []
    home = folder.resolve()
    for path in sorted(folder.iterdir()):
        if (matched := FILE.fullmatch(path.name)) and path.is_file() and path.resolve().is_relative_to(home):
            found[matched[1]] = _read(path, matched[1], notes)
    return {language: words for language, words in found.items() if words}, notes


def _read(path: Path, language: str, notes: list[Note]) -> Words:
    columns = ["column", "en", language]
    try:
        table = read_table(path, columns)
    except InputError as error:
        notes.append((0, str(error)))
        return {}
    names = [column_name(name) for name in table.columns]
    if missing := [name for name in columns if name not in names]:
        notes.append((1, f"expected the columns {', '.join(columns)}; '{missing[0]}' is missing, so no words"))
        return {}
    words: dict[str, dict[str, str]] = {}
    for _, cells in table.rows[:MOST]:
        row = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
        if row["column"] and row["en"] and row[language]:
            words.setdefault(column_name(row["column"]), {})[row["en"]] = row[language][:LONGEST]
    return words


def words_of(manifest: Any, language: str) -> Words:
    """The words of one language that an index keeps; none for what this program did not write."""
    words = manifest.get("words", {}) if isinstance(manifest, dict) else {}
    own = words.get(language, {}) if isinstance(words, dict) else {}
    good = isinstance(own, dict) and all(
        isinstance(values, dict) and all(isinstance(value, str) for value in values.values()) for values in own.values()
    )
    return own if good else {}


def every_language(manifest: Any) -> list[Words]:
    """The words of an index in all the languages that it has them in."""
    words = manifest.get("words") if isinstance(manifest, dict) else None
    return [words_of(manifest, language) for language in words] if isinstance(words, dict) else []


def spoken(manifest: Any, language: str) -> Words:
    """What a page of this index speaks with: its words, and what its rows are called ("product" -> "post")."""
    own, plain = words_of(manifest, language), About().noun
    said = manifest.get("noun") if isinstance(manifest, dict) else None
    fits = isinstance(said, list | tuple) and len(said) == 2 and all(isinstance(word, str) and word for word in said)
    nouns = dict(zip(plain, said if fits else plain, strict=True))  # type: ignore[arg-type]
    called = own.get("noun", {})
    return {**own, "noun": {plain: called.get(noun, noun) for plain, noun in nouns.items()}}

"""Which column of a table is which: by what a person said, else by the table of headings, else it is asked.

It knows nothing of rows beyond the few that a question shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mmdemo.catalog.column_guess import ASKED, guess_columns
from mmdemo.catalog.headings import column_of, is_numbered_picture
from mmdemo.catalog.product import column_name
from mmdemo.catalog.table import Table
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message, joined, listed

REQUIRED = ("id", "image", "title")
MAPPED = (*ASKED, "currency", "url", "parent", "group", "views", "sale_price", "regular_price")  # may be mapped
ROWS_SHOWN = 5
LONGEST_CELL = 200  # characters of a cell in a question


@dataclass(frozen=True)
class ColumnQuestion:
    """What a person is shown to say which column is which: the headings, the first rows, and the best guess."""

    headings: list[str]
    rows: list[list[str]]
    guess: dict[str, str]


class UnclearColumns(InputError):
    """A table whose columns cannot be told for certain; `question` is what to ask."""

    def __init__(self, template: str, /, *, question: ColumnQuestion, **values: object) -> None:
        super().__init__(template, **values)
        self.question = question


def parse_mapping(texts: Iterable[str]) -> dict[str, str]:
    """What was said as COLUMN=HEADING.

    >>> parse_mapping(["title=productDisplayName", "image="])
    {'title': 'productDisplayName', 'image': ''}
    """
    mapping: dict[str, str] = {}
    for text in texts:
        name, sign, heading = text.partition("=")
        if not sign:
            raise InputError(
                "'{text}' does not say which column is which; write for example title=Productname.", text=text[:60]
            )
        mapping[name.strip()] = heading.strip()
    return mapping


def question_of(table: Table) -> ColumnQuestion:
    """What to ask of a table's columns."""
    rows = [cells for _, cells in table.rows]
    headings = [column.strip() for column in table.columns]
    shown = [[cell[:LONGEST_CELL] for cell in cells] for cells in rows[:ROWS_SHOWN]]
    return ColumnQuestion(headings, shown, guess_columns(headings, rows))


def name_columns(table: Table, file: str, mapping: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The name of every column as the code knows it, "" for one that is left out; and the headings that come twice.

    Parameters
    ----------
    table, file
        The table, and its file's name for messages.
    mapping
        Column of a catalogue -> the heading of it in this table, "" for a column that it does not have.

    Raises
    ------
    UnclearColumns
        No column is the id, the picture or the title for certain, and `mapping` does not say.
    InputError
        `mapping` names a column that there is none of.
    """
    chosen = _chosen(table, file, mapping)
    literal = [column_name(column) for column in table.columns]
    numbered = [place for place, text in enumerate(table.columns) if place not in chosen and is_numbered_picture(text)]
    if numbered and "image" not in mapping and all(column_of(column) != "image" for column in table.columns):
        chosen[numbered.pop(0)] = "image"
    names: list[str] = []
    repeated: list[str] = []
    for place, heading in enumerate(literal):
        if place in numbered:
            names.append("views")
            continue
        name = chosen.get(place) or _name(heading, table.columns[place], literal)
        if place not in chosen and (name in mapping or name in names):
            name = heading  # the column that it is another name of is there too
        if name in names or (place not in chosen and name in mapping):
            if name not in mapping:
                repeated.append(table.columns[place].strip())
            name = ""
        names.append("" if name.startswith("unnamed:") else name)
    missing = [name for name in REQUIRED if name not in names and name not in mapping]
    if missing:
        raise _unclear(table, file, missing)
    return names, repeated


def _name(heading: str, text: str, literal: Sequence[str]) -> str:
    name = column_of(text)
    return heading if not name or name in literal else name


def _chosen(table: Table, file: str, mapping: Mapping[str, str]) -> dict[int, str]:
    """Place in the table -> the column that a person said it is."""
    places = {column.strip(): place for place, column in reversed(list(enumerate(table.columns)))}
    by_name = {column_name(column): place for place, column in reversed(list(enumerate(table.columns)))}
    chosen: dict[int, str] = {}
    for name, heading in mapping.items():
        if name not in MAPPED:
            raise InputError(
                "'{name}' is no column of a catalogue; map one of {columns}.", name=name, columns=", ".join(MAPPED)
            )
        if not heading:
            continue
        place = places.get(heading.strip(), by_name.get(column_name(heading)))
        if place is None:
            raise InputError(
                "'{name}' has no column '{heading}' to be the {column}. Its columns are {columns}.",
                name=file,
                heading=heading[:60],
                column=name,
                columns=_listing(table),
            )
        if place in chosen:
            raise InputError(
                "The column '{heading}' cannot be both the {first} and the {second}.",
                heading=heading[:60],
                first=chosen[place],
                second=name,
            )
        chosen[place] = name
    return chosen


def _unclear(table: Table, file: str, missing: list[str]) -> UnclearColumns:
    question = question_of(table)
    example = " ".join(f'--map "{name}={question.guess[name]}"' for name in missing)
    return UnclearColumns(
        "'{name}' has no column {missing}. Its columns are {columns}. Say which it is, or that there is none; "
        "the best guess is {example}.",
        question=question,
        name=file,
        missing=listed([f"'{name}'" for name in missing]),
        columns=_listing(table),
        example=example,
    )


def _listing(table: Table) -> Message | str:
    headings = [f"'{column.strip()[:30]}'" for column in table.columns[:12]]
    return joined(", ", headings) if headings else Message("none")

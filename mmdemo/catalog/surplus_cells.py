"""Puts back together the rows of a table in which a separator within a text was not quoted.

`9,b.jpg,Shirt, navy` has four cells below a header of three: the text takes the surplus. It does so only where that is
beyond doubt: every piece has a letter, and the cells of all other columns are as in the rows that fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SAMPLE = 2000  # rows by which a column is known
MOST_SURPLUS = 20  # cells that a text may have been cut into
FEW = 0.5  # a column repeats its values if it has at most this many distinct ones for each row


@dataclass(frozen=True)
class _Column:
    """What the cells of a column look like in the rows that fit the header."""

    numbers: bool
    repeated: frozenset[str]
    text_length: float  # mean length of its cells, 0 where they are no texts

    @classmethod
    def of(cls, cells: Sequence[str]) -> "_Column":
        filled = [cell.strip() for cell in cells if cell.strip()]
        distinct = frozenset(filled)
        numbers = bool(filled) and all(_is_number(cell) for cell in filled)
        spaced = sum(" " in cell for cell in filled)
        text = bool(filled) and not numbers and 2 * spaced >= len(filled) and not any("://" in c for c in filled[:20])
        repeats = len(filled) >= 8 and len(distinct) <= FEW * len(filled)
        length = sum(map(len, filled)) / len(filled) if text else 0.0
        return cls(numbers, distinct if repeats else frozenset(), length)

    def fits(self, cell: str) -> bool:
        cell = cell.strip()
        if not cell:
            return True
        if self.numbers:
            return _is_number(cell)
        return not self.repeated or cell in self.repeated


class TextColumns:
    """The columns of a table that may take surplus cells, known by the rows that fit its header."""

    def __init__(self, headings: Sequence[str], rows: Sequence[tuple[int, list[str]]], texts: frozenset[str]) -> None:
        sample = [cells for _, cells in rows[:SAMPLE]]
        self._columns = [_Column.of([cells[n] for cells in sample]) for n in range(len(headings))]
        lengths = {n: column.text_length for n, column in enumerate(self._columns) if column.text_length}
        if not lengths:  # too few rows to go by: the headings tell
            lengths = {n: 1.0 for n, heading in enumerate(headings) if heading.strip().casefold() in texts}
        self._lengths = lengths

    def fit(self, row: Sequence[str]) -> int:
        """How many cells of a row are like the others of their columns."""
        return sum(column.fits(cell) for column, cell in zip(self._columns, row, strict=True))

    def joined(self, cells: Sequence[str], separator: str) -> tuple[list[str], int] | None:
        """The row with its surplus cells in the text column where the other columns fit best; and that column."""
        surplus = len(cells) - len(self._columns)
        best: tuple[list[str], int] | None = None
        best_rank = (0.0, 0.0)
        if not 0 < surplus <= MOST_SURPLUS:
            return None
        for place, length in self._lengths.items():
            pieces = cells[place : place + surplus + 1]
            if not all(any(sign.isalpha() for sign in piece) for piece in pieces):
                continue
            row = [*cells[:place], separator.join(piece.strip() for piece in pieces), *cells[place + surplus + 1 :]]
            others = [
                (column, cell) for n, (column, cell) in enumerate(zip(self._columns, row, strict=True)) if n != place
            ]
            if not all(column.fits(cell) for column, cell in others if column.numbers):
                continue
            rank = (sum(column.fits(cell) for column, cell in others), length)
            if rank > best_rank:
                best, best_rank = (row, place), rank
        return best


def _is_number(cell: str) -> bool:
    return any(sign.isdigit() for sign in cell) and sum(sign.isalpha() for sign in cell) <= 3

"""Guesses which column of an unknown table is the title, the picture, the price, by its heading and its cells.

A guess is shown to a person who confirms or corrects it; nothing is read by it alone. It knows nothing of exports.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmdemo.catalog.headings import column_of, heading, names_of
from mmdemo.core.errors import InputError
from mmdemo.core.money import parse_price

ASKED = ("title", "image", "price", "category", "id", "description")  # the columns that a person is asked for
SAMPLE = 200  # rows that are looked at
LEAST = 0.75  # of a heading's and its cells' scores together, below which nothing is guessed
_ORDER = ("image", "id", "price", "title", "category", "description")  # the surest first: a column is guessed once
_PICTURE = re.compile(r"\.(jpe?g|png|webp|gif|avif|hei[cf]|bmp|tiff?)($|[?#|,; ])", re.I)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class _Cells:
    """What the filled cells of a column are like, as shares of them."""

    filled: float
    distinct: float
    words: float
    pictures: float
    prices: float
    plain_numbers: float
    letters: float

    @classmethod
    def of(cls, cells: Sequence[str]) -> "_Cells":
        texts = [cell.strip() for cell in cells if cell.strip()]
        n = len(texts) or 1
        return cls(
            filled=len(texts) / max(len(cells), 1),
            distinct=len(set(texts)) / n,
            words=sum(len(text.split()) for text in texts) / n,
            pictures=sum(_PICTURE.search(text) is not None for text in texts) / n,
            prices=sum(_is_price(text) for text in texts) / n,
            plain_numbers=sum(text.isdecimal() for text in texts) / n,
            letters=sum(any(sign.isalpha() for sign in text) for text in texts) / n,
        )

    def score(self, column: str) -> float:
        """How far, from 0 to 1, the cells look like those of this column."""
        if not self.filled:
            return 0.0
        if column == "image":
            return self.pictures
        if self.pictures > 0.5:
            return 0.0
        if column == "id":
            return self.distinct * self.filled if self.words < 1.2 and self.distinct > 0.9 else 0.0
        if column == "price":
            return self.prices * (0.4 if self.plain_numbers > 0.9 else 1.0)
        if self.letters < 0.8:
            return 0.0
        if column == "title":
            return self.distinct * (1.0 if 1.5 <= self.words <= 15 else 0.4)
        if column == "category":
            return 1.0 if self.distinct <= 0.5 and self.words <= 3 else 0.2
        return 1.0 if self.words > 15 else 0.0


def guess_columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Column of a catalogue -> the heading that is most likely meant, "" where none is likely.

    Parameters
    ----------
    headings, rows
        The table; the first rows are enough.

    Examples
    --------
    >>> guess_columns(["Nr", "articleDisplayName", "pic"], [["7", "A red wool hat", "hat.jpg"]])["title"]
    'articleDisplayName'
    """
    sample = rows[:SAMPLE]
    cells = [_Cells.of([row[n] for row in sample]) for n in range(len(headings))]
    left = list(range(len(headings)))
    guesses = dict.fromkeys(ASKED, "")
    for column in _ORDER:
        scores = {n: _heading_score(headings[n], column) + cells[n].score(column) for n in left}
        best = max(scores, key=lambda n: scores[n], default=-1)
        if best >= 0 and (scores[best] >= LEAST or column_of(headings[best]) == column):
            guesses[column] = headings[best]
            left.remove(best)
    if not guesses["title"]:
        texts = [n for n in left if cells[n].letters > 0.5]
        guesses["title"] = headings[max(texts, key=lambda n: cells[n].words)] if texts else ""
    return guesses


def _heading_score(text: str, column: str) -> float:
    """How far, from 0 to 1, a heading names this column in one of the languages."""
    if column_of(text):
        return float(column_of(text) == column)
    plain = heading(_CAMEL.sub(" ", text))
    words = set(plain.split())
    names = names_of(column)
    if any(set(name.split()) <= words for name in names if len(name) > 2):
        return 0.7
    return 0.6 if difflib.get_close_matches(plain, names, n=1, cutoff=0.8) else 0.0


def _is_price(text: str) -> bool:
    try:
        parse_price(text)
    except InputError:
        return False
    return True

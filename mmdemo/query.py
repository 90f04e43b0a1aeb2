"""What a person asks for: a photo, a sentence, filters, products they pointed at."""

import math
import re
from dataclasses import dataclass, field
from typing import Self

from PIL import Image

from mmdemo.errors import InputError
from mmdemo.feedback import Taste
from mmdemo.say import say

MAX_TEXT = 1000  # characters of a query or a filter: explaining looks at each word
MAX_PARTS = 200
MAX_CLICKS = 500  # likes and dislikes of a taste
_OPS = ("<=", ">=", "!=", "!~", "<", ">", "=", "~")


@dataclass(frozen=True)
class Filter:
    """A condition on one column: `price<40`, `category=Mug|Vase` (any of), `colour!=blue`. Text ignores case.

    `text~leather|suede` looks for whole words in everything that is said of a product, `text!~leather` for none.
    """

    column: str
    op: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InputError when `text` is not COLUMN OP VALUE."""
        if len(text) > MAX_TEXT:
            raise InputError(f"a filter has {len(text):,} characters; at most {MAX_TEXT:,} are read")
        # Split, not matched as a whole: a pattern with several runs of blanks takes minutes over a thousand of them.
        column, op, value = map(str.strip, [*re.split(r"(<=|>=|!=|!~|<|>|=|~)", text, maxsplit=1), "", ""][:3])
        if not column or "!" in column or not op or not value:
            raise InputError(
                f"the filter '{text}' was not understood: write a column, one of {' '.join(_OPS)} and a value, "
                "as in 'price<40' or 'category=Mug|Vase'"
            )
        return cls(column, op, value)

    def __post_init__(self) -> None:
        if self.op in ("<", "<=", ">", ">="):
            self.number  # noqa: B018 - raises now rather than in the middle of a search

    @property
    def number(self) -> float:
        """The value as a number; raises InputError when it is none."""
        try:
            number = float(self.value)
            if math.isnan(number):
                raise ValueError
            return number
        except ValueError:
            raise InputError(
                f"the filter '{self}' compares with '{self.value}', which is not a number; write it as in 'price<40'"
            ) from None

    @property
    def choices(self) -> frozenset[str]:
        """The values of an `=` or `!=` filter, lower case."""
        return frozenset(v.strip().casefold() for v in self.value.split("|"))

    def __str__(self) -> str:
        return f"{self.column}{self.op}{self.value}"


@dataclass(frozen=True)
class Query:
    """One request. `reference` is a product used as the photo and left out of its own answer.

    `weight` leans the answer on the photo (1) or on the words (0); 0.5 is the head's own mixture. `away` are words
    and `unlike_photos` photos to go away from; `photos` blend with `image`. `diversity` runs from relevance alone (0)
    to variety alone (1), `fold` shows variants and near-copies as one, `taste` is what the shopper liked before.
    """

    image: Image.Image | None = None
    text: str = ""
    k: int = 12
    weight: float = 0.5
    filters: tuple[Filter, ...] = ()
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    reference: str = ""
    diversity: float = 0.0
    away: tuple[str, ...] = ()
    photos: tuple[Image.Image, ...] = ()
    unlike_photos: tuple[Image.Image, ...] = ()
    fold: bool = False
    taste: Taste = field(default_factory=Taste)

    def __post_init__(self) -> None:
        if len(self.text) > MAX_TEXT:
            raise InputError(
                say("the words have {n:,} characters; at most {most:,} are read", n=len(self.text), most=MAX_TEXT)
            )
        if len(self.filters) + len(self.like) + len(self.unlike) > MAX_PARTS:
            raise InputError(f"a query has at most {MAX_PARTS} filters and products that are liked or not")
        if self.taste.clicks > MAX_CLICKS:
            raise InputError(f"a taste has at most {MAX_CLICKS} likes and dislikes; send the last ones")
        if not 1 <= self.k <= 1000:
            raise InputError(f"the number of results must be between 1 and 1000, found {self.k}")
        if not 0 <= self.weight <= 1:
            raise InputError(f"the weight must be between 0 (words only) and 1 (photo only), found {self.weight}")
        if not 0 <= self.diversity <= 1:
            raise InputError(f"diversity must be between 0 and 1, found {self.diversity}")
        if self.image is not None and self.reference:
            raise InputError("give a photo or a reference product, not both")

    @property
    def empty(self) -> bool:
        """Nothing to search by."""
        return self.image is None and not (
            self.photos or self.text.strip() or self.like or self.reference or self.taste.likes
        )

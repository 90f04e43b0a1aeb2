"""What a person asks for: a photo, a sentence, filters, products they pointed at."""

import re
from dataclasses import dataclass
from typing import Self

from PIL import Image

from mmdemo.errors import InputError

_OPS = ("<=", ">=", "!=", "<", ">", "=")


@dataclass(frozen=True)
class Filter:
    """A condition on one column: `price<40`, `category=Mug|Vase` (any of), `colour!=blue`. Text ignores case."""

    column: str
    op: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InputError when `text` is not COLUMN OP VALUE."""
        found = re.fullmatch(r"\s*([^<>=!]+?)\s*(<=|>=|!=|<|>|=)\s*(.+?)\s*", text)
        if not found:
            raise InputError(
                f"the filter '{text}' was not understood: write a column, one of {' '.join(_OPS)} and a value, "
                "as in 'price<40' or 'category=Mug|Vase'"
            )
        return cls(*found.groups())

    def __post_init__(self) -> None:
        if self.op in ("<", "<=", ">", ">="):
            self.number  # noqa: B018 - raises now rather than in the middle of a search

    @property
    def number(self) -> float:
        """The value as a number; raises InputError when it is none."""
        try:
            return float(self.value)
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

    `weight` leans the answer on the photo (1) or on the words (0); 0.5 is the head's own mixture.
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

    def __post_init__(self) -> None:
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
        return self.image is None and not (self.text.strip() or self.like or self.reference)

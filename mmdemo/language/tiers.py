"""The tiers of an answer, of the kind asked for, near it, and other things; and the kind that a query asks for.

Tiers order an answer before scores do, and hide nothing. It knows nothing of how a kind is told or a score made.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mmdemo.language.kinds import KindAsked

CERTAIN = 0.5  # from which certainty on a kind is named to people; below it only sorts


class Tier(StrEnum):
    """Where an answer stands, whatever its score.

    Asked: of the kind asked for, and it passes the conditions; everything, where no kind is asked for. Near: of the
    next wider kind; or of the kind, where none of it passes every condition of the sentence. Other: other things.
    """

    ASKED = "asked"
    NEAR = "near"
    OTHER = "other"


ORDER = (Tier.ASKED, Tier.NEAR, Tier.OTHER)
STEPS = 8  # places of one tier: wishes missed, up to three, and whether it goes with the situation


def placed(tier: NDArray[np.int8], missed: NDArray[np.int8], likely: NDArray[np.bool_]) -> NDArray[np.int8]:
    """The places of products (n,): by tier, by the wishes that each misses, by what goes with the situation.

    Parameters
    ----------
    tier
        Position in `ORDER`, -1 for what is no answer.
    missed
        How many wishes each misses.
    likely
        Which go with the situation that the words name.
    """
    within = 2 * np.minimum(missed, STEPS // 2 - 1) + ~likely
    return np.where(tier < 0, -1, tier * STEPS + within).astype(np.int8)


class Source(StrEnum):
    """What told the kind of a query."""

    REQUEST = "request"
    WORDS = "words"
    PHOTO = "photo"
    REFERENCE = "reference"


@dataclass(frozen=True, eq=False)
class QueryKind:
    """The kind that a query asks for, what told it, and how certain that is, from 0 to 1."""

    asked: KindAsked
    source: Source
    certainty: float = 1.0

    @property
    def certain(self) -> bool:
        """Whether it may be named to people, and other things be left out where they are far."""
        return self.certainty >= CERTAIN


@dataclass(frozen=True, eq=False)
class Tiers:
    """The tiers of one query's answer.

    Parameters
    ----------
    kind
        The kind that is asked for; None where nothing tells it, or it was taken off.
    places
        For each product (n,) its place before scores count, 0 first, -1 for what is no answer: `STEPS` places a tier,
        since within a tier what meets more of the wishes comes first. `placed` makes them.
    likely
        Whether the first tier is of the kinds that go with a situation, which nobody asked for.
    """

    kind: QueryKind | None
    places: NDArray[np.int8]
    likely: bool = False

    @classmethod
    def one(cls, products: int, allowed: NDArray[np.int64] | None) -> Self:
        """A single tier of what passes the conditions."""
        places = np.full(products, 0 if allowed is None else -1, np.int8)
        places[slice(0) if allowed is None else allowed] = 0
        return cls(None, places)

    @property
    def of_rows(self) -> NDArray[np.int8]:
        """For each product (n,) the position of its tier in `ORDER`, -1 for what is no answer."""
        return self.places // np.int8(STEPS)

    @cached_property
    def rows(self) -> list[tuple[Tier, NDArray[np.int64]]]:
        """The places that have any products, first to last: the tier of each, and its rows."""
        return [(ORDER[place // STEPS], np.flatnonzero(self.places == place)) for place in self.taken]

    @property
    def taken(self) -> list[int]:
        """The places that have any products, first to last."""
        return np.unique(self.places[self.places >= 0]).tolist()

    @property
    def names_kind(self) -> bool:
        """Whether a kind is asked for with enough certainty to be named."""
        return self.kind is not None and self.kind.certain

    def as_dict(self) -> dict[str, object] | None:
        """The kind in the JSON form that the command line and the API share."""
        if self.kind is None:
            return None
        asked = self.kind.asked
        names = {"name": asked.words, "from": str(self.kind.source), "certainty": round(self.kind.certainty, 3)}
        return names | {"sold": asked.sold, "count": int(asked.rows.sum())}

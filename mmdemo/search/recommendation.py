"""One answer to a query: a product with its score, its parts and its reason. Knows nothing of how it was found."""

from dataclasses import dataclass
from typing import Any

from mmdemo.catalog.product import Product
from mmdemo.language.relevance import Grade
from mmdemo.language.tiers import Tier


@dataclass(frozen=True)
class Recommendation:
    """One answer. `score` is a cosine and equals the sum of `parts`; `match` is the calibrated chance that it
    is exact or a substitute (`search/match.py`), and `grade` what it is, None where that is not certain.

    `close` says whether it is near at all: where no answer is close, nothing in the catalogue matches the query.
    `tier` says whether it is of the kind that was asked for: tiers come one after the other, each by its scores.
    `variants` are ids folded under it, `because` the liked product that brought it where the taste did, or the one of
    the history where behaviour did. `new` says that behaviour counted and too few people have touched this product.
    """

    rank: int
    id: str
    title: str
    score: float
    match: float
    parts: dict[str, float]
    reason: str
    product: Product
    close: bool = True
    grade: Grade | None = None
    variants: tuple[str, ...] = ()
    because: str = ""
    tier: Tier = Tier.ASKED
    new: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The JSON form that the command line and the API share."""
        return {
            "rank": self.rank,
            "id": self.id,
            "title": self.title,
            "score": self.score,
            "match": self.match,
            "grade": None if self.grade is None else str(self.grade),
            "parts": self.parts,
            "reason": self.reason,
            "close": self.close,
            "variants": list(self.variants),
            "because": self.because,
            "tier": str(self.tier),
            "new": self.new,
        }

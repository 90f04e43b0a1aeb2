"""How certain an answer is: the calibrated chance that it is exact or a substitute, and its grade where it is certain.

The kind that is asked for parts a substitute from what is irrelevant. So the chance is that of the kind: of a noun in
the sentence, of the product to start from, of the thing on the photo, or of what words without a noun are near to. It
knows nothing of ranking.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.request import ANY_KIND
from mmdemo.core.vectors import Array
from mmdemo.fusion.prepared_query import PreparedQuery
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.relevance import Grade
from mmdemo.language.tiers import Source
from mmdemo.language.vocabulary import Vocabulary
from mmdemo.language.wishes import wishes
from mmdemo.search.grades import grades
from mmdemo.search.photo_kinds import PhotoKinds
from mmdemo.search.word_kinds import word_chances

NAMED, WIDER, OTHER = 0.97, 0.5, 0.02  # chances of the kind that a noun names, of the next wider one, of another
FLOOR = 0.3  # below this chance an answer is not near
CERTAIN = 0.7  # from this chance on an answer's grade is told


@dataclass(frozen=True, eq=False)
class Match:
    """What is known of the answers of one query.

    Parameters
    ----------
    chance
        For each answer (n,) the chance that it is exact or a substitute.
    close
        For each answer (n,), whether it is near to what was asked.
    grades
        Of each answer, where it is certain enough to be told; None where it is not.
    """

    chance: Array
    close: NDArray[np.bool_]
    grades: list[Grade | None]


class Matcher:
    """Tells how certain answers are, over one catalogue.

    Parameters
    ----------
    index, vocabulary
        The catalogue and its words.
    photo_kinds
        Tells the chances of the kinds on a photo; without it nothing is known of them.
    """

    def __init__(self, index: ProductIndex, vocabulary: Vocabulary, photo_kinds: PhotoKinds | None) -> None:
        self._index, self._vocabulary, self._photo_kinds = index, vocabulary, photo_kinds

    def __call__(self, prepared: PreparedQuery, rows: NDArray[np.int64]) -> Match | None:
        """The match of answers, products at `rows` (n,); None where the index is not calibrated for such a query."""
        chance = self._chances(prepared, rows)
        if chance is None:
            return None
        exactly = np.zeros(len(rows), bool) if prepared.named is None else prepared.named.exactly[rows]
        chance = np.where(exactly, np.maximum(chance, NAMED), chance)
        kind, query = prepared.tiers.kind, prepared.query
        wished = bool(query.filters or wishes(query.text, self._vocabulary))
        graded, close = grades(self._index, self._vocabulary, prepared, rows), chance >= FLOOR
        if kind is None and wished:  # "something blue" has no kind, and blue things are what was asked for
            close[:] = True
            chance[[grade is Grade.EXACT for grade in graded]] = NAMED
        told: list[Grade | None] = []
        for grade, certain, called in zip(graded, chance, exactly, strict=True):
            if called:
                grade = Grade.EXACT
            elif grade is Grade.EXACT and (prepared.modality == "like" or (kind is None and not wished)):
                grade = Grade.SUBSTITUTE  # nothing says what would be exact
            of_kind = grade in (Grade.EXACT, Grade.SUBSTITUTE)
            told.append(grade if grade is Grade.COMPLEMENT or (of_kind and certain >= CERTAIN) else None)
        return Match(chance, close, told)

    def _chances(self, prepared: PreparedQuery, rows: NDArray[np.int64]) -> Array | None:
        """The chance (n,) that each answer is of the kind asked for; None where the index is not calibrated for it."""
        index, kind, query = self._index, prepared.tiers.kind, prepared.query
        if kind is not None and kind.source is Source.PHOTO:
            if self._photo_kinds is None or prepared.image is None:
                return None
            return self._by_category(self._photo_kinds.chances(prepared.image), rows)
        if kind is not None:
            asked = kind.asked
            return np.where(asked.rows, NAMED, np.where(asked.near, WIDER, OTHER))[rows].astype(np.float32)
        if prepared.reading.unread and prepared.modality == "text":
            return np.zeros(len(rows), np.float32)  # whatever is near to words that are not read is so by chance
        curve = index.manifest.word_curve
        if curve is None or query.kind == ANY_KIND or prepared.modality != "text":
            return None
        chance = self._by_category(word_chances(index, prepared.vector, curve), rows)
        if prepared.tiers.likely:  # nobody asked for the kinds that go with a situation, yet they answer it
            chance = np.where(prepared.tiers.of_rows[rows] == 0, np.maximum(chance, WIDER), chance)
        return chance

    def _by_category(self, chances: dict[str, float], rows: NDArray[np.int64]) -> Array:
        return np.array([chances.get(self._index.products[row].category, OTHER) for row in rows], np.float32)

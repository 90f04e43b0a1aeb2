"""Every product of an index has a grade for a query, out of its kind, its values, its variants and the links."""

from collections import Counter

import pytest

from mmdemo.core.request import Query
from mmdemo.language.relevance import Grade
from mmdemo.search.grades import grades
from tests.toys import picture


@pytest.mark.parametrize(
    ("query", "exact", "substitute"),
    [
        (Query(text="red tray"), 4, 20),
        (Query(text="red tray under 5"), 0, 24),
        (Query(text="tray", filters=["price<11"]), 1, 23),
        (Query(text="something red"), 8, 0),
        (Query(text="red mirror"), 0, 0),
        (Query(image=picture("mug", "red")), 0, 24),
        (Query(reference="mug-0-red", text="in blue"), 1, 23),
        (Query(reference="mug-0-red"), 6, 18),
    ],
)
def test_grades_follow_from_the_catalogue(toy_recommender, query: Query, exact: int, substitute: int) -> None:
    words = toy_recommender.language.grammar.words
    counts = Counter(grades(toy_recommender.index, words, toy_recommender.prepare(query)))
    assert (counts[Grade.EXACT], counts[Grade.SUBSTITUTE]) == (exact, substitute)
    assert sum(counts.values()) == 48

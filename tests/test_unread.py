"""A language that nothing here reads is recognised and said, and what happens to be near is no match."""

import pytest

from mmdemo.core.request import Query
from mmdemo.language.spelling import Spelling
from mmdemo.language.unread import unread_language
from mmdemo.search.in_catalogue import nothing_matches


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("graue Wollmütze unter 30 Euro", "de"),
        ("un canapé en velours vert", "fr"),
        ("gafas de sol baratas", "es"),
        ("borsa di pelle nera", "it"),
        ("赤いドレス", "ja"),
        ("a grey wool hat under 30 euros", ""),
        ("灰色羊毛帽子", ""),
        ("blu candel", ""),
        ("asdfgh", ""),
        ("KALLAX 147", ""),
        ("", ""),
    ],
)
def test_the_language_is_told_where_it_is_not_read(sentence, language):
    assert unread_language(sentence, Spelling([])) == language


def test_it_is_said_and_nothing_matches(toy_recommender):
    query = Query(text="ein kleiner schwarzer Hund", k=5)
    prepared = toy_recommender.prepare(query)
    assert "This looks like German; English and Chinese are read." in [str(note) for note in prepared.reading.notes]
    answers = toy_recommender.recommend(prepared)
    assert nothing_matches(query, answers) and {r.grade for r in answers} == {None}

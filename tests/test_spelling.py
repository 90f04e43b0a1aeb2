"""Misspelt words are mended where a word of the shop is one slip away, which is said; everything else stays."""

import pytest

from mmdemo.catalog.product import Product
from mmdemo.core.request import Query
from mmdemo.language.spelling import Spelling

SPELLING = Spelling([Product("1", "", "Blue candle by Lumen"), Product("2", "", "Brown leather belt")])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("blu candel", "blu candle"),  # "blu" is one slip from too many words
        ("leahter belt brown", "leather belt brown"),
        ("a Candel, not blue", "a candle, not blue"),
        ("cushoin", "cushion"),  # not sold here, yet a word of shops
        ("canlde by lumenn", "candle by lumen"),
    ],
)
def test_a_slip_is_mended(written, meant):
    assert SPELLING.mend(written)[0] == meant


@pytest.mark.parametrize(
    "sentence",
    [
        "a cable, a bell and a quilt",  # words of the language, though table, belt and quilt are near
        "rotes Kleid mit Ärmeln",  # another language
        "asdfgh",
        "蓝色的蜡烛",
        "size XL, 20cm, KIVIK",
        "",
    ],
)
def test_everything_else_stays(sentence):
    assert SPELLING.mend(sentence) == (sentence, {})


def test_a_mended_sentence_is_answered_as_the_right_one_and_says_so(toy_recommender):
    wrong, right = (Query(text=text, k=5) for text in ("tryas in grenn", "trays in green"))
    assert [r.id for r in toy_recommender.recommend(wrong)] == [r.id for r in toy_recommender.recommend(right)]
    assert "Read “trays” for “tryas”." in toy_recommender.prepare(wrong).reading.notes

"""One stemmer for all: forms of one word meet, different words do not."""

import pytest

from mmdemo.language.stemming import singular, stem


@pytest.mark.parametrize(
    "forms",
    [
        ("striped", "stripes", "Stripe"),
        ("dotted", "dots", "dot"),
        ("dresses", "dress"),
        ("children's", "children’s", "children"),
        ("knitted", "knit"),
        ("bras", "bra"),
        ("flowery", "flowers", "flower"),
        ("polished", "polish"),
    ],
)
def test_forms_of_one_word_have_one_stem(forms):
    assert len(set(map(stem, forms))) == 1


@pytest.mark.parametrize(
    "words", [("linen", "lin"), ("men", "many"), ("mat", "matte"), ("made", "mad"), ("bar", "bare")]
)
def test_different_words_keep_apart(words):
    assert len(set(map(stem, words))) == len(words)


@pytest.mark.parametrize("word", ["色", "夜晚", "métal", "linen", "gas", "same", "this"])
def test_what_has_no_english_ending_stays(word):
    assert stem(word) == word


@pytest.mark.parametrize(
    ("many", "one"), [("Hoodies", "hoodie"), ("dresses", "dress"), ("Jeans", "jeans"), ("T-Shirts", "t-shirt")]
)
def test_a_singular_is_a_word(many, one):
    assert singular(many) == one

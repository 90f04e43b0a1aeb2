"""Words in texts, found by an index as a reading of every text would find them."""

import re

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from mmdemo.catalog.word_index import WordIndex

TEXTS = st.lists(st.text("ab c-恤,", max_size=12), max_size=6)


@given(TEXTS, st.text("ab c-恤,", min_size=1, max_size=6))
@example(["a b", "b"], "b b")  # no phrase goes from one text into the next
@example(["T-恤 ab"], "恤")
@example([], "a")
def test_a_phrase_is_found_where_a_pattern_for_its_words_finds_it(texts, phrase):
    words = re.findall(r"[a-z]+|[^\sa-z]", phrase)
    pattern = re.compile(r"\s*".join(rf"(?<![a-z]){w}(?![a-z])" if w.isascii() and w.isalpha() else w for w in words))
    expected = [bool(words) and pattern.search(text) is not None for text in texts]
    assert WordIndex(texts).having([phrase]).tolist() == expected


def test_any_of_several_phrases_is_enough_and_case_does_not_count():
    index = WordIndex(["Leather strap", "suede", "Faux leather"])
    assert index.having({"LEATHER  strap", "suede"}).tolist() == [True, True, False]
    assert not index.having([]).any() and not index.having(["..."]).any()


def test_a_word_is_looked_up_and_no_text_is_read_again():
    read = []

    def texts():
        for text in ("a red mug", "a blue mug"):
            read.append(text)
            yield text

    index = WordIndex(texts())
    for _ in range(3):
        np.testing.assert_array_equal(index.having(["mug"]), [True, True])
    assert read == ["a red mug", "a blue mug"]

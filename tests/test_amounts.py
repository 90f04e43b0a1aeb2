"""Amounts in sentences: numbers in digits and in words, and the currencies beside them."""

import pytest

from mmdemo.language.amounts import amounts_of, number_of


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("12.50", 12.5),
        ("1,299", 1299),
        ("1.299,00", 1299),
        ("1 299,50", 1299.5),
        ("0.299", 0.299),
        ("１２", 12),
        ("twenty", 20),
        ("forty-five", 45),
        ("a hundred and twenty", 120),
        ("two thousand five hundred", 2500),
        ("四十五", 45),
        ("两百", 200),
        ("三百零五", 305),
        ("一百二", 120),
        ("一万", 10_000),
        ("1.299.5", None),
        ("twenty thirty", None),
    ],
)
def test_a_number_of_a_sentence_follows_the_rule_of_the_tables(words, number):
    assert number_of(words) == number


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("40 euros", (40, {"EUR"})),
        ("€1k", (1000, {"EUR"})),
        ("1 000 €", (1000, {"EUR"})),
        ("40,- €", (40, {"EUR"})),
        ("US$40", (40, {"USD"})),
        ("CHF 40", (40, {"CHF"})),
        ("3 000 won", (3000, {"KRW"})),
        ("kr 400", (400, {"SEK", "NOK", "DKK", "ISK"})),
        ("￥40", (40, {"CNY", "JPY"})),
        ("40块", (40, {"CNY"})),
        ("2 grand", (2000, set())),
        ("fifty quid", (50, {"GBP"})),
    ],
)
def test_an_amount_has_every_currency_that_its_sign_may_stand_for(sentence, expected):
    (amount,) = amounts_of(sentence)
    assert (amount.value, set(amount.currencies)) == expected
    assert sentence[amount.start : amount.end] == sentence


@pytest.mark.parametrize("sentence", ["grand piano", "model a2b", "the won game", "9" * 400])
def test_what_is_no_number_or_too_large_for_a_price_is_no_amount(sentence):
    assert list(amounts_of(sentence)) == []

"""Prices as shops in many countries write them, and what is no price."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmdemo.core.errors import InputError
from mmdemo.core.money import decimal_sign, format_price, parse_currency, parse_price

READ = {
    "52": (52, ""),
    "0": (0, ""),
    "12.5": (12.5, ""),
    "12,5": (12.5, ""),
    " 12.50 ": (12.5, ""),
    ".99": (0.99, ""),
    "£9": (9, "GBP"),
    "$1,299.00": (1299, "USD"),
    "US$ 12": (12, "USD"),
    "USD $12.00": (12, "USD"),
    "CA$12": (12, "CAD"),
    "A$ 12.95": (12.95, "AUD"),
    "R$ 1.299,90": (1299.9, "BRL"),
    "1.299,00 €": (1299, "EUR"),
    "1.299,00 EUR": (1299, "EUR"),
    "EUR 1.299,00": (1299, "EUR"),
    "eur 5": (5, "EUR"),
    "€12": (12, "EUR"),
    "12€": (12, "EUR"),
    "12,- €": (12, "EUR"),
    "1'299.–": (1299, ""),
    "CHF 12.50": (12.5, "CHF"),
    "CHF 1'299.–": (1299, "CHF"),
    "Fr. 1’299.50": (1299.5, "CHF"),
    "1 299,00 kr": (1299, ""),
    "1\u00a0299,00\u00a0kr": (1299, ""),
    "1\u202f299,00 €": (1299, "EUR"),
    "99:-": (99, ""),
    "1 299,00 zł": (1299, "PLN"),
    "24 990 Ft": (24990, "HUF"),
    "¥1,200": (1200, "JPY"),
    "1,200円": (1200, "JPY"),
    "₹1,29,900.00": (129900, "INR"),
    "₹12,34,567": (1234567, "INR"),
    "1.299.000 ₫": (1299000, "VND"),
    "1,299,000": (1299000, ""),
    "1.299.000,50": (1299000.5, ""),
    # One separator before exactly three digits groups thousands ...
    "1.299": (1299, ""),
    "12,500": (12500, ""),
    "999.999 €": (999999, "EUR"),
    # ... unless it cannot, or the currency has three decimals.
    "0.299": (0.299, ""),
    "1299.500": (1299.5, ""),
    "1.2995": (1.2995, ""),
    "1.299 KWD": (1.299, "KWD"),
}


@pytest.mark.parametrize("text", READ)
def test_a_real_notation_is_read(text):
    assert parse_price(text) == READ[text]


REFUSED = {
    "": "empty",
    "   ": "empty",
    "free": "not a price",
    "n/a": "not a price",
    "€": "not a price",
    "-5": "negative",
    "−5 €": "negative",
    "$-5": "negative",
    "-$5": "negative",
    "(5.00)": "negative",
    "10-20": "range",
    "10 – 20 €": "range",
    "€10 - €20": "range",
    "10 to 20": "range",
    "from 10 €": "range",
    "ab 9,99 €": "range",
    "10/20": "range",
    "1.5e3": "not a price",
    "12 apples": "currency",
    "12.50 XYZ": "currency",
    "$12 EUR": "two currencies",
    "1.29.00": "separators",
    "1,2,3": "separators",
    "12 5": "separators",
    "1.299.00,5": "separators",
    "1,299.00.5": "separators",
    "1'2": "separators",
    "+5": "not a price",
    "5%": "currency",
    "NaN": "not a price",
    "inf": "not a price",
    "١٢": "not a price",
    "9" * 30: "larger",
    "9" * 500: "too long",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_single_price_is_refused_with_the_reason(text):
    with pytest.raises(InputError, match=REFUSED[text]):
        parse_price(text)


@pytest.mark.parametrize(
    ("text", "decimal", "currency", "amount"),
    [
        ("1.299", ".", "", 1.299),
        ("1.299", ",", "", 1299),
        ("1,299", ".", "", 1299),
        ("1,299", ",", "", 1.299),
        ("1.299", "", "KWD", 1.299),
        ("1,299", ".", "KWD", 1.299),
        ("1,299.500", "", "KWD", 1299.5),
    ],
)
def test_the_table_or_the_currency_settles_an_open_notation(text, decimal, currency, amount):
    assert parse_price(text, decimal, currency)[0] == amount


@pytest.mark.parametrize(
    ("column", "sign"),
    [
        (["49.99", "1.299", ""], "."),
        (["49,99 €", "1.299"], ","),
        (["1,299.00", "5"], "."),
        (["49.99", "49,99"], ""),
        (["1.299", "52", "free"], ""),
        ([], ""),
    ],
)
def test_the_decimal_sign_of_a_column_is_the_one_its_clear_prices_share(column, sign):
    assert decimal_sign(column) == sign


@pytest.mark.parametrize(("cell", "code"), [("eur", "EUR"), ("€", "EUR"), ("", ""), ("kr", ""), (" usd ", "USD")])
def test_a_currency_cell_becomes_its_code(cell, code):
    assert parse_currency(cell) == code


def test_an_unknown_currency_cell_is_refused():
    with pytest.raises(InputError, match="doubloons"):
        parse_currency("doubloons")


STYLES = {
    "1299.50": lambda v: f"{v:.2f}",
    "1,299.50": lambda v: f"{v:,.2f}",
    "1.299,50": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
    "1 299,50": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", " ,")),
    "1'299.50": lambda v: f"{v:,.2f}".replace(",", "'"),
    "1299,50": lambda v: f"{v:.2f}".replace(".", ","),
}


@given(st.integers(0, 10**10), st.sampled_from(sorted(STYLES)), st.sampled_from(["{} €", "€{}", "EUR {}", "{}EUR"]))
def test_every_amount_comes_back_from_every_style(cents, style, frame):
    assert parse_price(frame.format(STYLES[style](cents / 100))) == (cents / 100, "EUR")


@given(st.text(max_size=60) | st.text("0123456789.,'’ -–€$krEUR()", max_size=30))
def test_any_text_is_refused_or_gives_a_sane_price(text):
    try:
        amount, currency = parse_price(text)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert math.isfinite(amount) and 0 <= amount <= 1e12
    assert currency == "" or (len(currency) == 3 and currency.isupper())


@pytest.mark.parametrize(
    ("price", "currency", "shown"),
    [
        (None, "EUR", ""),
        (12.5, "EUR", "€12.50"),
        (1299.0, "usd", "$1,299"),
        (80.0, "SEK", "80.00 SEK"),
        (5.0, "", "5.00"),
        (7.0, "€", "€7.00"),
    ],
)
def test_a_price_is_shown_with_its_sign_or_its_code(price, currency, shown):
    assert format_price(price, currency) == shown

"""Prices: read from cells of tables, and written for a page, with CLDR's currencies.

It knows nothing of catalogues or of sentences, whose amounts `language.amounts` finds.
"""

import re
from collections.abc import Iterable
from datetime import date
from functools import cache

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol, get_territory_currencies

from mmdemo.core.errors import InputError

MAX_PRICE = 1e12
MAX_LENGTH = 40

# Currencies with the locale in which CLDR gives them the sign that shops write.
_LOCAL = (
    *((code, "en") for code in "EUR GBP USD JPY AUD CAD NZD HKD BRL MXN TWD INR KRW VND ILS PHP CNY".split()),
    *(("RUB", "ru"), ("TRY", "tr"), ("UAH", "uk"), ("THB", "th"), ("NGN", "en_NG")),
    *(("PLN", "pl"), ("CZK", "cs"), ("HUF", "hu")),
)
# What shops write besides. "$" and the yen sign are read as the currency that uses them most; "kr" is shared by four
# currencies and stays open.
_ALSO = {
    **dict.fromkeys(("fr", "fr.", "sfr."), "CHF"),
    **dict.fromkeys(("kr", "kr."), ""),
    **dict.fromkeys(("rs", "rs."), "INR"),
    **dict.fromkeys(("￥", "円"), "JPY"),
    **dict.fromkeys(("元", "rmb"), "CNY"),
    **{"euro": "EUR", "us$": "USD", "au$": "AUD", "c$": "CAD", "s$": "SGD", "tl": "TRY", "lei": "RON"},
}
_SIGNS = {get_currency_symbol(code, locale).casefold(): code for code, locale in _LOCAL} | _ALSO
AMBIGUOUS = frozenset(("USD", "JPY", ""))  # what "$", "¥" and "kr" stand for is often another currency
_THREE_DECIMALS = frozenset(("IQD",))  # beside those of CLDR, which gives the Iraqi dinar no decimals at all
SHOWN_BY_SIGN = ("EUR", "USD", "GBP", "JPY", "INR")  # the others are shown by their code, after the number

_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_NUMBER = r"[0-9.,'’]*[0-9](?:[0-9.,'’ ]*[0-9])?"
_ROUND = r"[.,:][-–—]{1,2}|[.,]"  # "1'299.–", "12,-", "99:-"
_PRICE = re.compile(rf"(?P<before>[^0-9\-−–—+(]*?) ?(?P<number>{_NUMBER})(?:{_ROUND})? ?(?P<after>[^0-9]*)")
_RANGE = re.compile(
    r"[0-9][^0-9]*(?:[-–—/~…]|\.\.|to|bis|until)[^0-9]*[0-9]|^(?:from|ab|à partir|up to|ca\.?|about) ", re.I
)
_NEGATIVE = re.compile(r"^[^0-9]*[-−–—] ?[^0-9]*[0-9]|^\(.*[0-9].*\)$")


def parse_price(text: str, decimal: str = "", currency: str = "") -> tuple[float, str]:
    """Read one written price.

    Parameters
    ----------
    text : str
        A cell of a table.
    decimal : str
        The sign that this table writes its decimals with, "" where it does not show one. One separator before exactly
        three digits ("1.299", "12,500") groups thousands, unless it is this sign, the number starts with 0, or the
        currency has three decimals.
    currency : str
        The currency that another column gives, "" for none.

    Returns
    -------
    tuple of float and str
        The amount and the ISO 4217 code, "" where the cell names no currency or an open one ("kr").

    Raises
    ------
    InputError
        With the reason, for what is no single price.

    Examples
    --------
    >>> parse_price("1.299,00 €"), parse_price("CHF 1'299.–"), parse_price("1 299,00 kr")
    ((1299.0, 'EUR'), (1299.0, 'CHF'), (1299.0, ''))
    """
    plain = _SPACES.sub(" ", text).strip()
    shown = _shown(plain)
    if not plain:
        raise InputError("the price is empty")
    if len(plain) > MAX_LENGTH:
        raise InputError("{shown} is too long for a price", shown=shown)
    if _NEGATIVE.search(plain):
        raise InputError("{shown} is negative; a price is zero or more", shown=shown)
    if _RANGE.search(plain):
        raise InputError("{shown} is a range or an estimate; give one price", shown=shown)
    match = _PRICE.fullmatch(plain)
    if not match:
        raise InputError("{shown} is not a price; write it like 1299.00 or 1.299,00 €", shown=shown)
    before, after = _currency(match["before"], shown), _currency(match["after"], shown)
    if before and after and before != after:
        raise InputError("{shown} names two currencies", shown=shown)
    stated = before or after or ""
    marks = set(match["number"]) & {".", ","}
    three_decimals = _has_three_decimals(stated or currency) and len(marks) == 1
    amount = _amount(match["number"], marks.pop() if three_decimals else decimal)
    if amount is None:
        raise InputError("{shown} mixes its separators; write it like 1299.00 or 1.299,00", shown=shown)
    if amount > MAX_PRICE:
        raise InputError("{shown} is larger than any price", shown=shown)
    return amount, stated


def parse_currency(text: str) -> str:
    """The ISO code of a currency cell ("eur", "€", "US$"), "" for an empty or open one ("kr"), or InputError."""
    plain = _SPACES.sub(" ", text).strip()
    return _currency(plain, _shown(plain)) or ""


def decimal_sign(texts: Iterable[str]) -> str:
    """The sign that these prices agree to write decimals with: "." or ",", "" where they do not show one."""
    signs = set()
    for text in texts:
        match = _PRICE.fullmatch(_SPACES.sub(" ", text[: MAX_LENGTH + 1]).strip())
        # One or two digits after the last separator can only be decimals.
        tail = re.search(r"([.,])[0-9]{1,2}$", match["number"]) if match else None
        if tail:
            signs.add(tail[1])
    return signs.pop() if len(signs) == 1 else ""


def format_price(price: float | None, currency: str = "") -> str:
    """12.5, "EUR" -> "€12.50"; most currencies follow the number by their code; no price is an empty string."""
    if price is None:
        return ""
    code = currency.upper()
    number = "#,##0" if price == int(price) and abs(price) >= 1000 else "#,##0.00"
    before = code in SHOWN_BY_SIGN or not code.isalpha()  # nothing, or a sign in place of a code
    pattern = f"¤{number}" if before else f"{number} ¤¤"
    return format_currency(price, code, pattern, locale="en", currency_digits=False)


def parse_number(text: str) -> float | None:
    """A number of digits and separators by the rule of prices; None where its separators make no sense.

    >>> parse_number("1.299,00"), parse_number("1,299"), parse_number("0.299"), parse_number("1.299.5")
    (1299.0, 1299.0, 0.299, None)
    """
    return _amount(text, "")


@cache
def _codes() -> frozenset[str]:
    """The currencies that are, or were in this decade, legal tender somewhere."""
    lists = (get_territory_currencies(territory, date(2020, 1, 1)) for territory in get_global("territory_currencies"))
    return frozenset(code for codes in lists for code in codes)


def _has_three_decimals(code: str) -> bool:
    return code in _THREE_DECIMALS or get_currency_precision(code) == 3


def _shown(text: str) -> str:
    return "'" + "".join(c if c.isprintable() else "?" for c in text[:40]) + "'"


def _currency(word: str, shown: str) -> str | None:
    """ISO code, "" for a sign that several currencies share, None for nothing."""
    word = word.strip()
    if not word:
        return None
    if word.upper() in _codes():
        return word.upper()
    if word.lower() in _SIGNS:
        return _SIGNS[word.lower()]
    # "USD $" or "$ USD": a code beside a sign; the code is the clearer of the two.
    parts = [_SIGNS.get(part.lower(), part.upper()) for part in word.split()]
    known = [part for part in parts if part in _codes()]
    if len(parts) == 2 and known and all(part in _codes() or not part for part in parts):
        clear = [part for part in known if part not in AMBIGUOUS] or known
        if len(set(clear)) == 1:
            return clear[0]
    raise InputError(
        "{shown} has {word} where a currency such as € or EUR was expected", shown=shown, word=_shown(word)
    )


def _amount(number: str, decimal: str) -> float | None:
    """The number, or None where its separators make no sense."""
    marks = re.sub(r"[0-9]", "", number)
    kinds = set(marks)
    if not kinds & {".", ","}:
        point = ""
    elif len(kinds) > 1:
        last = marks[-1]
        point = last if last in ".," and marks.count(last) == 1 else ""
    elif len(marks) > 1:
        point = ""
    else:
        whole, tail = number.split(marks)
        groups = len(tail) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0") and decimal != marks
        point = "" if groups else marks
    whole, _, fraction = number.partition(point) if point else (number, "", "")
    if kinds - {point} and not _grouped(whole):
        return None
    if not fraction.isdecimal() and fraction:
        return None
    return float(re.sub(r"[^0-9]", "", whole) + "." + (fraction or "0"))


def _grouped(whole: str) -> bool:
    """True for 1.299.000 and for the Indian 12,99,000; one separator throughout."""
    marks = set(re.sub(r"[0-9]", "", whole))
    if len(marks) > 1:
        return False
    western, indian = r"[0-9]{1,3}(?:[^0-9][0-9]{3})+", r"[0-9]{1,2}(?:[^0-9][0-9]{2})+[^0-9][0-9]{3}"
    return not marks or re.fullmatch(f"{western}|{indian}", whole) is not None

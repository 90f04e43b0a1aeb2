"""Prices as shops write them, read into a number and an ISO 4217 currency."""

import re
from collections.abc import Iterable

from mmdemo.errors import InputError
from mmdemo.say import say

MAX_PRICE = 1e12
MAX_LENGTH = 40

_CODES = frozenset(
    (
        "AED ARS AUD BDT BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR IQD ISK JOD JPY "
        "KES KRW KWD LKR LYD MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY "
        "TWD UAH USD UYU VND ZAR"
    ).split()
)
# "$" and the yen sign are read as the currency that uses them most; "kr" is shared by four and stays open.
_SIGNS = {
    "€": "EUR", "euro": "EUR", "£": "GBP", "$": "USD", "us$": "USD", "¥": "JPY", "￥": "JPY", "円": "JPY",
    "元": "CNY", "cn¥": "CNY", "rmb": "CNY", "fr": "CHF", "fr.": "CHF", "sfr.": "CHF", "kr": "", "kr.": "",
    "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD", "nz$": "NZD", "hk$": "HKD", "s$": "SGD", "r$": "BRL",
    "mx$": "MXN", "nt$": "TWD", "₹": "INR", "rs": "INR", "rs.": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY",
    "tl": "TRY", "₫": "VND", "₪": "ILS", "₴": "UAH", "฿": "THB", "₱": "PHP", "₦": "NGN", "zł": "PLN",
    "kč": "CZK", "ft": "HUF", "lei": "RON",
}  # fmt: skip
AMBIGUOUS = frozenset(("USD", "JPY", ""))  # what "$", "¥" and "kr" stand for is often another currency
_THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())

_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_NUMBER = r"[0-9.,'’]*[0-9](?:[0-9.,'’ ]*[0-9])?"
_ROUND = r"[.,:][-–—]{1,2}|[.,]"  # "1'299.–", "12,-", "99:-"
_PRICE = re.compile(rf"(?P<before>[^0-9\-−–—+(]*?) ?(?P<number>{_NUMBER})(?:{_ROUND})? ?(?P<after>[^0-9]*)")
_RANGE = re.compile(
    r"[0-9][^0-9]*(?:[-–—/~…]|\.\.|to|bis|until)[^0-9]*[0-9]|^(?:from|ab|à partir|up to|ca\.?|about) ", re.I
)
_NEGATIVE = re.compile(r"^[^0-9]*[-−–—] ?[^0-9]*[0-9]|^\(.*[0-9].*\)$")


def parse_price(text: str, decimal: str = "", currency: str = "") -> tuple[float, str]:
    """(amount, ISO currency or "") of one written price; raises InputError with the reason.

    "1.299,00 €" -> (1299.0, "EUR"), "CHF 1'299.–" -> (1299.0, "CHF"), "1 299,00 kr" -> (1299.0, "").
    One separator before exactly three digits ("1.299", "12,500") groups thousands, unless `decimal` names it as
    the sign that this table writes its decimals with, the number starts with 0, or the currency, which another
    column may give, has three decimals.
    """
    plain = _SPACES.sub(" ", text).strip()
    shown = _shown(plain)
    if not plain:
        raise InputError(say("the price is empty"))
    if len(plain) > MAX_LENGTH:
        raise InputError(say("{shown} is too long for a price", shown=shown))
    if _NEGATIVE.search(plain):
        raise InputError(say("{shown} is negative; a price is zero or more", shown=shown))
    if _RANGE.search(plain):
        raise InputError(say("{shown} is a range or an estimate; give one price", shown=shown))
    match = _PRICE.fullmatch(plain)
    if not match:
        raise InputError(say("{shown} is not a price; write it like 1299.00 or 1.299,00 €", shown=shown))
    before, after = _currency(match["before"], shown), _currency(match["after"], shown)
    if before and after and before != after:
        raise InputError(say("{shown} names two currencies", shown=shown))
    own = before or after or ""
    marks = set(match["number"]) & {".", ","}
    three_decimals = (own or currency) in _THREE_DECIMALS and len(marks) == 1
    amount = _amount(match["number"], marks.pop() if three_decimals else decimal)
    if amount is None:
        raise InputError(say("{shown} mixes its separators; write it like 1299.00 or 1.299,00", shown=shown))
    if amount > MAX_PRICE:
        raise InputError(say("{shown} is larger than any price", shown=shown))
    return amount, own


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


def _shown(text: str) -> str:
    return "'" + "".join(c if c.isprintable() else "?" for c in text[:40]) + "'"


def _currency(word: str, shown: str) -> str | None:
    """ISO code, "" for a sign that several currencies share, None for nothing."""
    word = word.strip()
    if not word:
        return None
    if word.upper() in _CODES:
        return word.upper()
    if word.lower() in _SIGNS:
        return _SIGNS[word.lower()]
    # "USD $" or "$ USD": a code beside a sign; the code is the clearer of the two.
    parts = [_SIGNS.get(part.lower(), part.upper()) for part in word.split()]
    known = [part for part in parts if part in _CODES]
    if len(parts) == 2 and known and all(part in _CODES or not part for part in parts):
        clear = [part for part in known if part not in AMBIGUOUS] or known
        if len(set(clear)) == 1:
            return clear[0]
    raise InputError(
        say("{shown} has {word} where a currency such as € or EUR was expected", shown=shown, word=_shown(word))
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

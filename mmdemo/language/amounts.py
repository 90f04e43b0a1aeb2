"""Finds amounts in a sentence, in digits or in words, with the currencies that stand beside them.

It knows nothing of prices or catalogues: whether "40" is a price, a size or a length is for others to say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mmdemo.core.money import MAX_PRICE, parse_number

# What shoppers write for a currency, and the currencies that it may mean.
_CURRENCIES: dict[str, tuple[str, ...]] = {
    r"€|euros?|eur|欧元|欧(?![元洲式风])": ("EUR",),
    r"us\$|us dollars?|usd|美元|美金": ("USD",),
    r"\$|dollars?|bucks": ("USD", "AUD", "CAD", "NZD", "SGD", "HKD"),
    r"£|pounds?(?: sterling)?|gbp|quid|英镑": ("GBP",),
    r"chf|sfr\.?|(?:swiss )?francs?|franken|瑞士法郎|法郎": ("CHF",),
    r"kr\.?|kron(?:or|er|ur|a|e)": ("SEK", "NOK", "DKK", "ISK"),
    r"sek": ("SEK",),
    r"nok": ("NOK",),
    r"dkk": ("DKK",),
    r"₩|won|krw|韩元|韩币": ("KRW",),
    r"yen|jpy|日元|日圆|円": ("JPY",),
    r"¥|￥": ("CNY", "JPY"),
    r"yuan|rmb|cny|元|块钱?|人民币": ("CNY",),
    r"₹|rupees?|inr|rs\.?": ("INR",),
    r"zł|zlot(?:ys?|ych)|pln": ("PLN",),
    r"a\$|au\$|aud": ("AUD",),
    r"ca?\$|cad": ("CAD",),
    r"hk\$|hkd|港币|港元": ("HKD",),
}
_CURRENCY = rf"(?<![a-z])(?:{'|'.join(_CURRENCIES)})(?![a-z])"
_CURRENCY_AFTER = rf"(?:{'|'.join(_CURRENCIES)})(?![a-z])"
_BLANK = r"[ \u00a0\u202f]"

_UNITS = {word: value for value, word in enumerate("zero one two three four five six seven eight nine ten".split())}
_UNITS |= {
    word: 11 + n
    for n, word in enumerate("eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split())
}
_UNITS |= {word: 20 + 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}
_POWERS = {"hundred": 100, "thousand": 1000, "grand": 1000}
_WORD = rf"(?:{'|'.join([*_UNITS, *_POWERS])})(?![a-z])"
_JOINED = r"(?:(?<=hundred)\ and\ |(?<=thousand)\ and\ |[ -])"  # "two and three hundred" are two numbers
_IN_ENGLISH = rf"(?<![a-z])(?:an?\ (?=(?:{'|'.join(_POWERS)})(?![a-z]))|(?!grand)){_WORD}(?:{_JOINED}{_WORD})*+"

_CHINESE_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_CHINESE_POWERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_CHINESE = "".join([*_CHINESE_DIGITS, *_CHINESE_POWERS])
_SCALES = {"k": 1000, "grand": 1000, "thousand": 1000, "hundred": 100, "百": 100, "千": 1000, "万": 10_000}
_POWER = re.compile(rf"(?:{'|'.join(_SCALES)})(?![a-z])", re.I)
# A number is taken whole, from its first character to its last, so that a long one is looked at once.
_IN_DIGITS = (
    rf"(?<![\d.,])(?:\d{{1,3}}(?:{_BLANK}\d{{3}}(?!\d))++(?:[.,]\d{{1,2}}(?!\d))?+"
    r"|\d++(?:[.,'’]\d{3}(?!\d))*+(?:[.,]\d{1,2}(?!\d))?+)(?![.,]?\d)"
)
_AMOUNT = re.compile(
    rf"(?:(?P<before>{_CURRENCY}){_BLANK}?)?"
    rf"(?(before)|(?<![a-z]))(?P<number>{_IN_DIGITS}|{_IN_ENGLISH}|(?<![{_CHINESE}])[{_CHINESE}]++)"
    rf"(?:{_BLANK}?(?P<scale>{'|'.join(_SCALES)})(?![a-z]))?"
    r"(?:[.,][-–—](?!\d))?"
    rf"(?:{_BLANK}?(?P<after>{_CURRENCY_AFTER}))?",
    re.I,
)


@dataclass(frozen=True)
class Amount:
    """A number of a sentence, from `start` to `end` with the currency beside it, if any.

    `currencies` are the ISO codes that the sign may stand for ("$" is the sign of several), empty for a bare number.
    """

    value: float
    start: int
    end: int
    currencies: frozenset[str] = frozenset()

    @property
    def bare(self) -> bool:
        """Whether no currency stands beside the number."""
        return not self.currencies


def amounts_of(sentence: str) -> Iterator[Amount]:
    """The amounts of a sentence, from left to right; a number whose separators make no sense is none.

    >>> [(a.value, sorted(a.currencies)) for a in amounts_of("from twenty-five to 1 200 €, or 1.5k")]
    [(25.0, []), (1200.0, ['EUR']), (1500.0, [])]
    """
    for match in _AMOUNT.finditer(sentence):
        value = number_of(match["number"])
        if value is None:
            continue
        value *= _SCALES[match["scale"].lower()] if match["scale"] else 1
        if value <= MAX_PRICE:
            sign = match["before"] or match["after"]
            yield Amount(value, match.start(), match.end(), _currencies(sign) if sign else frozenset())


def power_of(amount: str) -> int:
    """The hundreds or thousands that an amount ends in, in words; 1 where it does not.

    >>> power_of("three hundred euros"), power_of("2k"), power_of("300")
    (100, 1000, 1)
    """
    ends = [(match.start(), _SCALES[match[0].lower()]) for match in _POWER.finditer(amount)]
    return max(ends, default=(0, 1))[1]


def number_of(text: str) -> float | None:
    """A number as shoppers write it: 12.50, 1,299, 1.299,00, forty-five, 四十五; None where it makes no sense.

    >>> number_of("1.299,00"), number_of("a hundred and twenty"), number_of("两百"), number_of("twenty thirty")
    (1299.0, 120.0, 200.0, None)
    """
    if text[0].isdecimal():
        return parse_number("".join(str(int(c)) if c.isdecimal() else "" if c.isspace() else c for c in text))
    return _chinese(text) if text[0] in _CHINESE else _english(text.lower())


def _english(text: str) -> float | None:
    total = group = 0
    smallest = 1000  # what the next word must stay under: "twenty five" is a number, "five twenty" is none
    for word in re.split(r"[ -]", text):
        if word in _POWERS and _POWERS[word] == 1000:
            total, group, smallest = (total + (group or 1) * 1000, 0, 1000) if not total else (-1, 0, 0)
        elif word in _POWERS:
            if smallest == 100 or group >= 100:
                return None
            group, smallest = (group or 1) * 100, 100
        elif word in _UNITS:
            if _UNITS[word] >= smallest:
                return None
            group, smallest = group + _UNITS[word], 10 if _UNITS[word] >= 20 else 0
    return float(total + group) if total >= 0 else None


def _chinese(text: str) -> float:
    total = group = digit = 0
    for sign in text:
        if sign in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[sign]
        elif sign == "万":
            total, group, digit = (total + (group + digit or 1)) * 10_000, 0, 0
        else:
            group, digit = group + (digit or 1) * _CHINESE_POWERS[sign], 0
    # "一百二" is short for 一百二十; after 零 the digit counts as it is.
    if digit and len(text) > 2 and text[-2] in "百千":
        digit *= _CHINESE_POWERS[text[-2]] // 10
    return float(total + group + digit)


def _currencies(sign: str) -> frozenset[str]:
    return next(frozenset(codes) for pattern, codes in _CURRENCIES.items() if re.fullmatch(pattern, sign, re.I))

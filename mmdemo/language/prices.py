"""Reads prices in sentences as filters ("20 or less", "around 40 €", "20-30"), and the order by price ("cheapest")."""

# ruff: noqa: E501 -- one pattern a line

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from mmdemo.core.messages import Message, listed, row_noun
from mmdemo.core.request import Filter, Operator, Sort
from mmdemo.language.amounts import Amount, amounts_of, power_of
from mmdemo.language.draft import Draft

Side = Literal["<", "<=", ">", ">=", "near"]  # where prices may lie, seen from an amount
BEFORE, AFTER = 56, 28  # characters beside an amount in which the words that make a price of it stand
MOST_AMOUNTS = 32  # of a sentence that are read as prices
AROUND = 0.2  # "around 40" is 40 and a fifth less or more
FEW = 10  # "more than 2 pockets": smaller numbers count things, unless they have a currency

_NOT = (
    r"(?:(?:\b(?:that|which|it|they)\s+)?\b(?:is|are|was|does|do|did|would|should|could|must|ca|wo)n['’]?t|\bnot|\bno|\bnever|\bcannot|\bwithout|[不别没])"
    r"(?:\s*\b(?:be|cost|costing|costs|go|going|any|much|priced|a|want|have|spend|pay|to))*\s*"
)
_MORE = (
    r"over|above|beyond|more(?: expensive)? than|exceed(?:ing|s)?|pricier than|dearer than|costlier than|higher than|greater than"
    r"|upwards? of|in excess of|north of|>|超过|高于|大于|贵于|多于|高过"
)
_LESS = r"under|below|beneath|less(?: expensive)? than|cheaper than|lower than|fewer than|south of|<|低于|少于|小于|便宜于|低过"
_AT_MOST = (
    r"up to|at (?:the )?most|max(?:imum|\.)?(?: price)?(?: of)?:?|within|<=|≤|(?:price|spending|budget) (?:limit|cap|ceiling)(?: of| is)?:?"
    r"|limit(?: of| is)?:?|最多|至多|顶多|最高|上限"
)
_AT_LEAST = r"at (?:the very )?least|min(?:imum|\.)?(?: price)?(?: of)?:?|(?:start|beginn?)(?:ing|s)? (?:at|from)|from|>=|≥|至少|最低|最少|起码"
_NEAR = (
    r"(?:somewhere |right )?(?:a?round|about)(?: about)?(?: the)?|roughly|approx(?:imately|\.)?|circa|ca?\.|close to|near(?:ly)?"
    r"|in the (?:region|neighbou?rhood|vicinity|area) of|more or less|give or take|plus or minus|~|±|≈|大约|大概|约|差不多|接近|将近"
)
# Words that lead to a price without saying which side of it: they leave the sentence with it.
_LEAD = (
    r"(?:(?:that|which|it) ?)?(?:is|are|['’]s|costs?|costing|priced|pric(?:e|es)(?: tag)?(?: is| of)?:?|a price|worth|sells? for|selling for|for|at|with"
    r"|(?:my |a )?budget(?: is| of)?:?|on|of|(?:i (?:want|would like|can|have|['’]d like) )?(?:to )?(?:spend(?:ing)?|pay)"
    r"|i (?:only )?have|costing|somewhere|anywhere|价格|价位|售价|预算|价钱|在|是|为|花|我只有|只有|要)"
)
_BUDGET = re.compile(r"budget|spend|pay\b|i (?:only )?have|预算|只有|花", re.I)
_BEFORE = re.compile(
    rf"(?P<lead>(?:(?<![A-Za-z]){_LEAD}(?![A-Za-z])[\s,]*){{0,4}})"
    rf"(?:(?P<sides>(?P<negated>{_NOT})?(?:(?P<more>{_MORE})|(?P<less>{_LESS})))"
    rf"|(?P<at_most>{_AT_MOST})|(?P<at_least>(?:price[ds]? )?(?:{_AT_LEAST}))|(?P<near>{_NEAR}))?\s*\Z",
    re.I,
)
_AFTER = re.compile(
    r"\s*(?:(?P<at_most>(?:,? ?(?:or|and|&) )(?:less|under|below|cheaper|lower)\b|(?:as (?:a |the )?)?max(?:imum)?\b|tops\b|at (?:the )?most\b"
    r"|limit\b|budget\b|to spend(?: on)?\b|(?:或)?(?:以下|以内|之内|之下)|封顶)"
    r"|(?P<at_least>(?:or|and|&) (?:more|above|over|higher|up(?:wards?)?|beyond)\b|\+|plus\b|up(?:wards?)?\b|(?:as (?:a |the )?)?min(?:imum)?\b"
    r"|at least\b|(?:或)?以上|往上|起步?)"
    r"|(?P<near>-?ish\b|or so\b|or thereabouts\b|more or less\b|give or take\b|mark\b|左右|上下|附近|前后))(?:的)?",
    re.I,
)
_JOINT = re.compile(r"\s*(?:to|till|until|up to|through|[-–—~～]|(?P<both>and|&|和|与)|到|至)\s*", re.I)
_BETWEEN = re.compile(
    r"(?P<lead>(?:(?:anywhere|somewhere|ranging|costing|priced|that costs?|which costs?|costs?|prices?|for|with|in|budget|my budget|is|are"
    r"|of|a|the|on|i want to spend|spend|价格|预算|价位|介于|在|从|[:：,，])\s*)*)"
    r"(?P<between>between|from|within|around|about|roughly|~)?\s*(?:the )?\Z",
    re.I,
)
_RANGE_END = re.compile(r"\s*(?:(?:price )?range\b|or so\b|之间|以内|左右)?(?:的)?", re.I)
_A_PRICE = re.compile(r"between|from|within|cost|pric|budget|spend|价|预算|介于|从", re.I)
_NO_PRICE = re.compile(
    r"(?:size|sz|ages?|aged|no\.?|number|nr\.?|model|series|type|chapter|part|尺码|[岁号码第])\s*$", re.I
)
_OF_PEOPLE = re.compile(
    r"(?:men|women|people|person|anyone|someone|those|adults|kids|children|players|ages?|aged)\s*$", re.I
)
_UNIT = re.compile(
    r"\s*(?:%|°|\"|”|x\s*\d|×|(?:cm|mm|m|km|kgs?|g|mg|oz|lbs?|ml|l|cl|litres?|liters?|inch|inches|in(?!\s+\w)|ft|feet|foot|w|watts?|v|volts?|mah|gb|tb|hz"
    r"|years?|yrs?|months?|weeks?|days?|hours?|hrs?|minutes?|mins?|pieces?|pcs|pairs?|packs?|people|persons?|players?|adults|kids|seat(?:s|er|ers)?"
    r"|degrees|stars?|pages?|litre|colours?|colors?|sizes?|times|percent)(?![a-z])"
    r"|-(?:seat|pack|piece|in|inch|person|year|month|way|ply|litre|liter|door|drawer|tier)|[岁厘毫米升个件人座码号公斤克寸年月天双把张只条支瓦层格])",
    re.I,
)
_YEARS = range(1800, 2101)

_DEAREST_WORDS = r"(?:most|highest) (?:expensive|costly|pricey|high-priced)|priciest|dearest|costliest"
_CHEAPEST_WORDS = r"(?:very )?cheapest|least (?:expensive|costly|pricey)|most (?:affordable|inexpensive|economical|budget[- ]friendly|budget)|lowest[- ](?:price|cost)[ds]?|lowest[- ]costing"
_ORDER = r"(?:,? ?(?:sort(?:ed)?|order(?:ed)?|rank(?:ed)?|show|list(?:ed)?)(?: them| it)?)?"
_TAIL = r"(?: (?:first|possible|available|you (?:have|sell|offer|stock)|of (?:your|the|all)))?"
_SORTS: dict[Sort, re.Pattern[str]] = {
    "dear": re.compile(
        rf"(?:\b(?:the |your )?(?:very )?(?:{_DEAREST_WORDS}|highest[- ](?:price|cost)[ds]?){_TAIL}\b|(?:with|at|for) the highest prices?\b"
        r"|(?:,? ?(?:sort(?:ed)?|order(?:ed)?) )?(?:by )?(?:price )?(?:from )?(?:high(?:est)? to low(?:est)?|expensive to cheap|dear to cheap"
        r"|(?:dearest|priciest|most expensive) to (?:the )?(?:cheapest|least expensive))(?: price)?\b"
        r"|(?:sort(?:ed)? |order(?:ed)? )?(?:by |in )?(?:price descending|descending price)(?: order)?\b"
        r"|(?:sort(?:ed)? |order(?:ed)? )?by price,? (?:highest|high|dearest|most expensive) first\b|\bhighest (?:price )?first\b"
        r"|(?:that )?costs? the most\b|\bas expensive as possible\b|\btop price\b"
        r"|最(?:贵|昂贵)的?|价[格位]最高的?|最高价的?|(?:按)?价格?从高到低|(?:按)?价格降序|从贵到便宜|贵的?(?:在前|优先|排前面?)|越贵越好的?)",
        re.I,
    ),
    "cheap": re.compile(
        rf"(?:\b(?:the |your )?(?:{_CHEAPEST_WORDS}){_TAIL}\b|(?:with|at|for) the (?:lowest price|least money)s?\b"
        r"|(?:,? ?(?:sort(?:ed)?|order(?:ed)?) )?(?:by )?(?:price )?(?:from )?(?:low(?:est)? to high(?:est)?|cheap to expensive"
        r"|(?:the )?cheapest to (?:the )?(?:dearest|priciest|most expensive))(?: price)?\b"
        r"|(?:sort(?:ed)? |order(?:ed)? )?(?:by |in )?(?:price ascending|ascending price)(?: order)?\b"
        r"|(?:sort(?:ed)? |order(?:ed)? )by (?:the )?price(?:,? (?:lowest|low|cheapest) first)?\b|\blowest (?:price )?first\b"
        r"|(?:that )?costs? the least\b|\bas cheap as possible\b"
        r"|最(?:便宜|实惠|省钱|低价|划算)的?|价[格位]最低的?|最低价的?|(?:按)?价格?从低到高|(?:按)?价格升序|从便宜到贵|便宜的?(?:在前|优先|排前面?)|越便宜越好的?)",
        re.I,
    ),
}
_THAN_THIS = r"(?: than (?:this|that|it)(?: one)?)?(?! than)"
_COMPARISONS: tuple[tuple[re.Pattern[str], Operator], ...] = (
    (
        re.compile(
            rf"(?:but )?(?:cheaper|less expensive){_THAN_THIS}|比这个?(?:更)?便宜(?:的|点|一点)?|(?:更便宜|便宜(?:一点|点|些))(?:的)?",
            re.I,
        ),
        "<",
    ),
    (
        re.compile(
            rf"(?:but )?(?:more expensive|dearer|pricier){_THAN_THIS}|比这个?(?:更)?贵(?:的|点|一点)?|(?:更贵|贵一点)(?:的)?",
            re.I,
        ),
        ">",
    ),
)


@dataclass(frozen=True)
class Prices:
    """What a catalogue says of prices: whether it has any, and in which currencies."""

    any: bool
    currencies: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Bounds:
    """A span of the sentence and the bounds of the price that it asks for."""

    start: int
    end: int
    bounds: tuple[tuple[Operator, float], ...]
    currencies: frozenset[str]


def read_prices(draft: Draft, prices: Prices) -> None:
    """Amounts with words that make prices of them, as filters; notes where the catalogue cannot compare them."""
    amounts = [a for a in islice(amounts_of(draft.sentence), MOST_AMOUNTS) if draft.is_free(a.start, a.end)]
    number = 0
    while number < len(amounts):
        wish = _range(draft, amounts, number)
        number += 2 if wish else 1
        wish = wish or _single(draft, amounts, number - 1)
        if wish is None:
            continue
        words = draft.sentence[wish.start : wish.end].strip()
        if not prices.any:
            draft.note(_without_prices(words))
            continue
        filters = [Filter("price", op, f"{amount:g}") for op, amount in wish.bounds]
        draft.add((wish.start, wish.end), "filter", [*filters, *_in_currency(draft, prices, wish.currencies)])


def _without_prices(words: str) -> Message:
    return Message("This catalogue has no prices, so “{words}” goes to the model as it is.", words=words)


def _in_currency(draft: Draft, prices: Prices, currencies: frozenset[str]) -> Iterable[Filter]:
    """The filter for a currency where the catalogue has several, else at most a note that nothing was converted."""
    shared = sorted(currencies & prices.currencies)
    if shared and len(prices.currencies) > 1:
        return [Filter("currency", "=", "|".join(shared))]
    if currencies and prices.currencies and not shared:
        listing = listed(sorted(prices.currencies))
        draft.note(Message("Prices here are in {currencies}; nothing was converted.", currencies=listing))
    return ()


def _range(draft: Draft, amounts: Sequence[Amount], number: int) -> _Bounds | None:
    """Two amounts as the ends of a range: "20-30 €", "between 20 and 30". Bare numbers need more to be a price."""
    if number + 1 == len(amounts):
        return None
    low, high = amounts[number], amounts[number + 1]
    if high.start - low.end > AFTER:
        return None
    joint = _JOINT.fullmatch(draft.sentence, low.end, high.start)
    if joint is None:
        return None
    window = draft.sentence[draft.free_start(low.start - BEFORE, low.start) : low.start]
    before, after = _BETWEEN.search(window), _RANGE_END.match(draft.sentence, high.end)
    lead = before[0].lstrip(" ,，:：") if before else ""
    tail = after[0] if after else ""
    if joint["both"] and not (re.search(r"between|within|介于", lead, re.I) or "之间" in tail):
        return None
    if low.bare and high.bare and not _may_be_price(draft, window, lead, (low, high), bool(tail.strip(" 的"))):
        return None
    lower, upper = sorted((low.value * _shared_power(draft.sentence, low, high), high.value))
    bounds: tuple[tuple[Operator, float], ...] = ((">=", lower), ("<=", upper))
    return _Bounds(low.start - len(lead), high.end + len(tail), bounds, low.currencies | high.currencies)


def _shared_power(sentence: str, low: Amount, high: Amount) -> int:
    """What the lower end of a range is short of: a hundred, in "between two and three hundred"; else 1."""
    power = power_of(sentence[high.start : high.end])
    return power if low.bare and power > 1 and low.value < high.value / power else 1


def _may_be_price(draft: Draft, window: str, lead: str, ends: tuple[Amount, Amount], named: bool) -> bool:
    """Whether a range of bare numbers is one of prices, and not of seats, sizes or centimetres."""
    after = ends[1].end
    if _UNIT.match(draft.sentence, after) or _NO_PRICE.search(window):
        return False
    if _A_PRICE.search(lead) or named:
        return True
    after += draft.sentence.startswith("的", after)
    token = draft.token_at(after)
    at_end = token is None or draft.sentence[after : token.start].strip() != ""
    return max(end.value for end in ends) >= FEW and (at_end or (token is not None and token.start in draft.phrases))


def _single(draft: Draft, amounts: Sequence[Amount], number: int) -> _Bounds | None:
    """One amount with a word before or after it that says on which side of it prices may lie."""
    amount = amounts[number]
    until = amounts[number + 1].start if number + 1 < len(amounts) else len(draft.sentence)
    window = draft.sentence[draft.free_start(amount.start - BEFORE, amount.start) : amount.start]
    before = _BEFORE.search(window)
    after = _AFTER.match(draft.sentence, amount.end, min(until, amount.end + AFTER))
    side = _side(before, after, amount)
    if after and not _is_said_after(after, side, before):
        after = None
    if side is None or (amount.bare and not _counts_money(draft, window, before, after, amount)):
        return None
    start = amount.start - len(before[0].lstrip()) if before else amount.start
    end = after.end() if after else amount.end
    if draft.sentence.startswith("的", end):
        end += 1
    if side == "near":
        low, high = amount.value * (1 - AROUND), amount.value * (1 + AROUND)
        return _Bounds(start, end, ((">=", low), ("<=", high)), amount.currencies)
    return _Bounds(start, end, ((side, amount.value),), amount.currencies)


def _side(before: re.Match[str] | None, after: re.Match[str] | None, amount: Amount) -> Side | None:
    """Where prices may lie by the words beside an amount; None where they do not say."""
    if before and before["sides"]:
        if before["negated"]:
            return "<=" if before["more"] else ">="
        return ">" if before["more"] else "<"
    if before and before["at_most"]:
        return "<="
    if before and before["at_least"]:
        return ">="
    if after and not after["near"]:
        return "<=" if after["at_most"] else ">="
    if after or (before and before["near"]):
        return "near"
    lead = before["lead"] if before else ""
    if _BUDGET.search(lead) or (re.search(r"\bfor\s*$", lead, re.I) and not amount.bare):
        return "<="
    return None


def _is_said_after(after: re.Match[str], side: Side | None, before: re.Match[str] | None) -> bool:
    """Whether the words after an amount belong to it: in "min 20 max 50", "max" belongs to the next."""
    if side == "near":
        return after["near"] is not None
    return not (before and (before["sides"] or before["at_most"] or (before["at_least"] and after["at_most"])))


def _counts_money(
    draft: Draft, window: str, before: re.Match[str] | None, after: re.Match[str] | None, amount: Amount
) -> bool:
    """Whether a bare number may be a price: "over 40 years", "size 40 and up" and "more than 2 pockets" are none."""
    cue_start = before.start("lead") if before else len(window)
    if _UNIT.match(draft.sentence, amount.end) or _NO_PRICE.search(window) or _OF_PEOPLE.search(window[:cue_start]):
        return False
    if _NO_PRICE.search(window[:cue_start]):
        return False
    if before and before["at_least"] and before["at_least"].lower() == "from" and amount.value in _YEARS:
        return False
    if after is None and amount.value < FEW and (token := draft.token_at(amount.end)):
        thing = draft.phrases.get(token.start)
        return not draft.vocabulary.is_part(thing.stems) if thing else draft.sentence[token.end - 1].lower() != "s"
    return True


def read_sorts(draft: Draft, prices: Prices) -> None:
    """ "The cheapest", "price high to low": the order of the answer."""
    matches = [(match, sort) for sort, pattern in _SORTS.items() for match in pattern.finditer(draft.sentence)]
    # "From cheapest to dearest" begins before "dearest".
    for match, sort in sorted(matches, key=lambda pair: pair[0].span()):
        if not draft.is_free(*match.span()):
            continue
        if prices.any:
            draft.add(match.span(), "sort", sort=sort)
        else:
            draft.note(_without_prices(match[0].strip()))


def read_comparisons(draft: Draft) -> None:
    """ "Cheaper than this", which needs the price of the anchor."""
    for pattern, op in _COMPARISONS:
        for match in pattern.finditer(draft.sentence):
            if not draft.is_free(*match.span()):
                continue
            if draft.anchor is not None and draft.anchor.price is not None:
                draft.add(match.span(), "filter", [Filter("price", op, f"{draft.anchor.price:g}")])
                continue
            draft.note(
                Message(
                    "“{words}” needs one {noun} with a price to start from (More like this).",
                    noun=row_noun(1),
                    words=match[0].strip(),
                )
            )

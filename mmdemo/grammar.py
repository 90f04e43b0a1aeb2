"""The grammar: constraints read out of English and Simplified Chinese over the catalogue's own values.

It knows nothing of pictures or vectors; what it does not understand stays in the sentence that goes to the encoder.
"""

# ruff: noqa: E501

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from mmdemo.language import Kind, Part, Reading, reading_of
from mmdemo.phrases import EN_OR, Match, Token, Vocabulary, number_of, tokens_of
from mmdemo.product import Product
from mmdemo.query import Filter
from mmdemo.say import Words, listed, noun, say

_MONEY = r"(?:€|£|\$|¥|￥|euros?|eur|dollars?|usd|pounds?|gbp|bucks|yuan|rmb|cny|quid|元|块钱?|欧元|美元|英镑|人民币)"
_NUMBER = r"(?:\d+(?:[.,'’]\d{3})*(?:[.,]\d{1,2})?|[一二两三四五六七八九十百千]+)"
_AMOUNT = rf"(?:{_MONEY}\s*)?({_NUMBER})(?![\d.,]*\d)(?:\s*{_MONEY})?"
_UNIT = r"(?!\s*(?:%|cm|mm|m\b|km|kg|g\b|ml|l\b|cl|litres?|liters?|inch|inches|in\b|\"|watts?|w\b|years?|months?|days?|hours?|pieces?|岁|厘米|毫米|公斤|升|个))"
# (pattern, the comparison of each amount); a bare range such as 20-50 counts only with money beside it.
_PRICES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (rf"(?:priced? )?(?:between|from) {_AMOUNT} (?:and|to) {_AMOUNT}{_UNIT}", (">=", "<=")),
    (rf"(?:价格)?(?:在)?{_AMOUNT}\s*(?:到|至|~)\s*{_AMOUNT}{_UNIT}\s*(?:之间|以内)?(?:的)?", (">=", "<=")),
    (rf"{_AMOUNT}\s*(?:to|-|–)\s*{_AMOUNT}(?:之间|以内)?", (">=", "<=")),
    (rf"(?:costing |priced |for )?(?:under|below|less than|cheaper than|<)\s*{_AMOUNT}{_UNIT}", ("<",)),
    (rf"(?:costing |priced |for )?(?:up to|at most|no more than|not more than|not over|max(?:imum)?(?: of)?|within|<=|≤)"
     rf"\s*{_AMOUNT}{_UNIT}", ("<=",)),
    (rf"(?:costing |priced )?(?:over|above|more than|more expensive than|>)\s*{_AMOUNT}{_UNIT}", (">",)),
    (rf"(?:costing |priced )?(?:at least|no less than|not under|min(?:imum)?(?: of)?|starting at|>=|≥)\s*{_AMOUNT}{_UNIT}",
     (">=",)),
    (rf"(?:价格)?(?:低于|少于|便宜于|小于)\s*{_AMOUNT}{_UNIT}(?:的)?", ("<",)),
    (rf"(?:价格)?(?:不超过|不高于|最多|至多)\s*{_AMOUNT}{_UNIT}(?:的)?", ("<=",)),
    (rf"(?:价格)?(?:高于|超过|大于|多于)\s*{_AMOUNT}{_UNIT}(?:的)?", (">",)),
    (rf"(?:价格)?(?:至少|不低于|不少于)\s*{_AMOUNT}{_UNIT}(?:的)?", (">=",)),
    (rf"{_AMOUNT}\s*(?:以下|以内|之内|之下)(?:的)?", ("<=",)),
    (rf"{_AMOUNT}\s*(?:以上|起)(?:的)?", (">=",)),
)  # fmt: skip
_RANGE = _PRICES[2]
_CHEAPER = (
    (r"(?:but )?(?:cheaper|less expensive)(?: than (?:this|that|it)(?: one)?)?(?! than)|比这个?(?:更)?便宜(?:的|点|一点)?|"
     r"(?:更便宜|便宜(?:一点|点|些))(?:的)?", "<"),
    (r"(?:but )?(?:more expensive|dearer|pricier)(?: than (?:this|that|it)(?: one)?)?(?! than)|比这个?(?:更)?贵(?:的|点|一点)?|"
     r"(?:更贵|贵一点)(?:的)?", ">"),
)  # fmt: skip
_NOT = re.compile(
    r"(?:\b(?:not(?: made)?(?: of| in| from| with)?|no|without|except(?: for)?|excluding|anything but"
    r"|instead of|rather than|nothing(?: made)?(?: of| in| with)?|non)\b[ \-]*(?:(?:an?|any|the)\b ?)?"
    r"|(?:不要|不想要|不是|没有|不带|不含|除了|别要|非|无|而不是)(?:任何|带|有)?)",
    re.I,
)
_FREE = re.compile(r"[ \-]free\b", re.I)
_FOR = re.compile(r"(?:\bfor (?:an? |the |my |our )?|给|适合)$", re.I)
_CUE = re.compile(
    r"\bsame\b|\bthis\b|\bmake it\b|\bversion\b|\binstead\b|\brather\b|\bhave it\b|\bhave one\b|^\W*(?:but )?(?:in|with) |"
    r"\bin .+ please\b|^is |一样|同款|换成|改成|这个|这款|这件",
    re.I,
)
_SAME = re.compile(r"\bsame (\w+)\b|(?:同样的?|相同的?|一样的?)(颜色|材质|材料|图案|花纹|品牌)", re.I)
_COLUMNS = {"颜色": "colour", "材质": "material", "材料": "material", "图案": "pattern", "花纹": "pattern", "品牌": "brand",
            "color": "colour", "print": "pattern", "fabric": "material"}  # fmt: skip
# Words that say nothing by themselves: a sentence of these and of values alone is a wish to change the photo.
_STOP = frozenset(
    "a an the in with of to please but and it one this that same i want would like do does you have can is there be made "
    "make version instead for my me show some colour color just 的 要 我 想 一 个 但 是 用 请 款 样 成 换 改 做 有 吗 它 这 和 "
    "同 给 带 种 可 以 没 能".split()
)


class Grammar:
    """Reads sentences against one catalogue."""

    def __init__(
        self, products: Sequence[Product], facets: dict[str, dict[str, int]], called: Sequence[Words] = ()
    ) -> None:
        self.words = Vocabulary(products, facets, called)
        self.priced = any(p.price is not None for p in products)
        self._currencies = {p.currency.upper() for p in products if p.price is not None and p.currency}

    def read(self, sentence: str, anchor: Product | None = None, photo: bool = False) -> Reading:
        """Understand what can be understood. `anchor` is the product that "this" means; `photo` stands for one unseen.

        Without either, wishes such as "blue" are left to the encoder, which reads them better than a filter does.
        """
        parts: list[Part] = []
        notes: list[str] = []
        self._prices(sentence, parts, notes)
        self._cheaper(sentence, anchor, parts, notes)
        tokens = tokens_of(sentence)
        self._negatives(sentence, tokens, parts)
        self._wearers(sentence, tokens, parts, notes)
        if anchor is not None or photo:
            self._edits(sentence, tokens, anchor, parts, notes)
        return reading_of(sentence, self._but_wanted(parts, sentence, tokens), notes)

    def _prices(self, sentence: str, parts: list[Part], notes: list[str]) -> None:
        for pattern, ops in _PRICES:
            for found in re.finditer(rf"(?<![A-Za-z0-9.,-])(?:{pattern})", sentence, re.I):
                if _taken(parts, found.start(), found.end()):
                    continue
                if pattern == _RANGE[0] and not _currency(found[0]):
                    continue
                if not self.priced:
                    said = found[0].strip()
                    notes.append(
                        say("This catalogue has no prices, so “{words}” goes to the model as it is.", words=said)
                    )
                    continue
                amounts = [number_of(g) for g in found.groups()]
                if len(amounts) == 2 and amounts[0] > amounts[1]:
                    amounts.reverse()
                rules = [Filter("price", op, f"{n:g}") for op, n in zip(ops, amounts, strict=True)]
                said = _currency(found[0])
                if said and said in self._currencies and len(self._currencies) > 1:
                    rules.append(Filter("currency", "=", said))
                elif said and self._currencies and said not in self._currencies:
                    here = listed(sorted(self._currencies))
                    notes.append(say("Prices here are in {currencies}; nothing was converted.", currencies=here))
                parts.append(_part(sentence, found.start(), found.end(), "filter", rules))

    def _cheaper(self, sentence: str, anchor: Product | None, parts: list[Part], notes: list[str]) -> None:
        for pattern, op in _CHEAPER:
            for found in re.finditer(pattern, sentence, re.I):
                if _taken(parts, found.start(), found.end()):
                    continue
                if anchor is None or anchor.price is None:
                    said = found[0].strip()
                    notes.append(
                        say(
                            "“{words}” needs one {noun} with a price to start from (More like this).",
                            noun=noun(1),
                            words=said,
                        )
                    )
                    continue
                rules = [Filter("price", op, f"{anchor.price:g}")]
                parts.append(_part(sentence, found.start(), found.end(), "filter", rules))

    def _negatives(self, sentence: str, tokens: list[Token], parts: list[Part]) -> None:
        for found in _NOT.finditer(sentence):
            matches = self._run(sentence, tokens, found.end())
            if not matches or _taken(parts, found.start(), matches[-1].end):
                continue
            parts.append(self._negative(sentence, found.start(), matches[-1].end, matches))
        for found in _FREE.finditer(sentence):  # "leather-free"
            before = [m for t in tokens if (m := self.words.match(tokens, t.start)) and m.end == found.start()]
            if before and not _taken(parts, before[0].start, found.end()):
                parts.append(self._negative(sentence, before[0].start, found.end(), before[:1]))

    def _run(self, sentence: str, tokens: list[Token], at: int) -> list[Match]:
        """Values from `at` on, joined by "or" and the like: "leather or suede"."""
        matches: list[Match] = []
        while (match := self.words.match(tokens, at)) is not None:
            matches.append(match)
            joined = EN_OR.match(sentence, match.end)
            if joined is None:
                break
            at = joined.end()
        return matches

    def _negative(self, sentence: str, start: int, end: int, matches: Iterable[Match]) -> Part:
        unwanted: dict[str, set[str]] = {}
        away = []
        for match in matches:
            values = self.words.values(match.phrase)
            for column, names in values.items():
                unwanted.setdefault(column, set()).update(names)
            if not values and (mentioned := self.words.mentioned(match.phrase)):
                unwanted.setdefault("text", set()).update(mentioned)
            elif not values:
                away.append(sentence[match.start : match.end])
        rules = [Filter(c, "!~" if c == "text" else "!=", "|".join(sorted(v))) for c, v in unwanted.items()]
        return _part(sentence, start, end, "not", rules, " ".join(away))

    def _wearers(self, sentence: str, tokens: list[Token], parts: list[Part], notes: list[str]) -> None:
        for token in tokens:
            match = self.words.match(tokens, token.start, wearer=True)
            if not match or _taken(parts, match.start, match.end):
                continue
            before = _FOR.search(sentence, 0, match.start)
            start = before.start() if before else match.start
            if start == match.start and sentence[start].isascii():
                continue  # "men's shoes" is for the encoder; "for men" is a condition
            values = self.words.values(match.phrase)
            if not values:
                said = sentence[start : match.end].strip()
                notes.append(
                    say(
                        "This catalogue does not say who things are for, so “{words}” goes to the model as it is.",
                        words=said,
                    )
                )
                continue
            column, names = max(values.items(), key=lambda item: len(item[1]))
            after = re.match(r"用|穿的?|的|款", sentence[match.end :])
            end = match.end + (after.end() if after else 0)
            parts.append(_part(sentence, start, end, "filter", [Filter(column, "=", "|".join(sorted(names)))]))

    def _edits(
        self, sentence: str, tokens: list[Token], anchor: Product | None, parts: list[Part], notes: list[str]
    ) -> None:
        taken = list(parts)
        found: list[Match] = []
        plain = True  # so far nothing but stop words and values
        at = 0
        for token in tokens:
            if token.start < at or _taken(taken, token.start, token.end):
                continue
            same = _SAME.match(sentence, token.start)
            if same and anchor is not None and (column := self._column(same)) and anchor.field(column):
                value = str(anchor.field(column))
                parts.append(_part(sentence, same.start(), same.end(), "edit", [Filter(column, "=", value)]))
                at = same.end()
                continue
            match = self.words.match(tokens, token.start)
            if match and self.words.describes(match.phrase) and not self._of_a_part(sentence, tokens, match):
                found.append(match)
                at = match.end
            else:
                plain = plain and token.stem in _STOP
        if not (plain or _CUE.search(sentence)):
            return
        for match in found:
            rule = self._wish(match, anchor)
            if rule is None:
                kind = anchor.shown("category").lower() if anchor is not None and anchor.category else noun(1)
                said = sentence[match.start : match.end]
                notes.append(say("No {kind} here is listed as “{words}”: the model looks for what comes nearest.",
                                 kind=kind, words=said))  # fmt: skip
            elif not any(rule in p.filters for p in parts):
                parts.append(_part(sentence, match.start, match.end, "edit", [rule]))

    def _of_a_part(self, sentence: str, tokens: list[Token], match: Match) -> bool:
        """Whether a value belongs to a word that nobody here knows: "with a wooden handle" is no wooden thing."""
        after = next((t for t in tokens if t.start >= match.end), None)
        if after is None or sentence[match.end : after.start].strip() or not sentence[after.start].isascii():
            return False
        return after.stem not in _STOP and self.words.match(tokens, after.start) is None

    def _wish(self, match: Match, anchor: Product | None) -> Filter | None:
        """The filter for a wished value: the value itself where the shelf has it, else its kinds; None for neither."""
        shelf = self.words.shelf(anchor.category if anchor is not None else "")
        for values in (self.words.values(match.phrase, exact=True), self.words.values(match.phrase)):
            counts = {
                column: sum(shelf[column][name] for name in names)
                for column, names in values.items()
                if column != "category"
            }
            column = max(counts, key=lambda c: counts[c], default="")
            if column and counts[column]:
                return Filter(column, "=", "|".join(sorted(values[column])))
        return None

    def _but_wanted(self, parts: list[Part], sentence: str, tokens: list[Token]) -> list[Part]:
        """In order; a "not" never takes away what the rest of the sentence names: "suede, not leather"."""
        wanted: dict[str, set[str]] = {}
        for token in tokens:
            outside = not any(p.kind != "edit" and p.start <= token.start < p.end for p in parts)
            if outside and (match := self.words.match(tokens, token.start)):
                for column, names in self.words.values(match.phrase, exact=True).items():
                    wanted.setdefault(column, set()).update(names)
        spared = []
        for part in parts:
            rules = []
            for rule in part.filters:
                left = [v for v in rule.value.split("|") if v not in wanted.get(rule.column, ())]
                spare = part.kind == "not" and rule.op == "!=" and left
                rules.append(replace(rule, value="|".join(left)) if spare else rule)
            spared.append(replace(part, filters=tuple(rules)))
        return sorted(spared, key=lambda p: p.start)

    def _column(self, same: re.Match[str]) -> str:
        name = (same[1] or same[2]).casefold()
        name = _COLUMNS.get(name, name)
        return name if name in self.words.columns else ""


def _part(sentence: str, start: int, end: int, kind: Kind, rules: Iterable[Filter] = (), away: str = "") -> Part:
    said = sentence[start:end]
    start += len(said) - len(said.lstrip())
    return Part(said.strip(), start, start + len(said.strip()), kind, tuple(rules), away)


def _taken(parts: Sequence[Part], start: int, end: int) -> bool:
    return any(p.start < end and start < p.end for p in parts)


def _currency(text: str) -> str:
    signs = {"EUR": "€|euros?\\b|eur\\b|欧元", "USD": "\\$|dollars?|usd|bucks|美元", "GBP": "£|pounds?|gbp|quid|英镑",
             "CNY": "yuan|rmb|cny|元|块|人民币"}  # fmt: skip
    return next((code for code, pattern in signs.items() if re.search(pattern, text, re.I)), "")

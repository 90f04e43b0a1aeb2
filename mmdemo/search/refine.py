"""What words said after an answer make of the request before: "under 50", "no, in green", "the second, but smaller".

Whoever asks keeps the request. What comes out is a request like any other, so it can be shown, sent, linked to and
refined again, and one step back is the request before. Knows nothing of pages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmdemo.core.errors import InputError
from mmdemo.core.request import Filter, Query
from mmdemo.language.function_words import says_something
from mmdemo.language.kinds import KindAsked
from mmdemo.language.reading import Part, Reading, tidy
from mmdemo.language.wishes import Wish, named_values
from mmdemo.search.recommender import Recommender

Span = tuple[int, int]

_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
_CHINESE = "一二三四五六七八九十"
_PLACE = re.compile(
    rf"(?:(?:more )?like )?(?:the )?(?:(?P<word>{'|'.join(_ORDINALS)}|last)|(?P<digits>\d{{1,2}})(?:st|nd|rd|th))"
    r"(?=\s*(?:$|[,.;:!?]|one\b|result|answer|product|item|but\b|in\b|with\b|and\b|only\b|just\b))"
    r"(?: (?:one|result|answer|product|item))?"
    r"|(?:number|no\.|nr\.?|#)\s?(?P<number>\d{1,2})\b"
    rf"|像?第(?P<chinese>[{_CHINESE}]|\d{{1,2}})[个款件把张双条只盏种]?",
    re.I,
)
# What begins a reply and asks for nothing.
_OPENING = re.compile(
    r"\s*(?:(?:no|nope|not quite|hm+|ok|okay|yes|well|actually|better|rather|instead|maybe|perhaps|sorry)\s*[,.!:;]+"
    r"|no(?= (?:in|with|under|below|over|make|rather|the)\b)"
    r"|(?:but|and|then|now|rather|actually|maybe|perhaps|only|just|please|also|or)\b"
    r"|(?:show|give) me\b|i(?: would|['’]d)? (?:want|like|prefer|need)\b|make (?:it|them|that)\b|(?:how|what) about\b"
    r"|do you have (?:it|one|them|that|some|any)?\b|is there (?:one|any)?\b|could (?:it|they) be\b|it should be\b"
    r"|(?:the )?same(?: one| thing)?(?= (?:in|with|but)\b|,)|(?:something|anything|ones?)\b(?= \w)"
    r"|不[，,]|但是?|还是|再|也|或者?|我?想?要)[\s,，.!:;]*",
    re.I,
)
_CLOSING = re.compile(
    r"[\s,，]*(?:\b(?:please|instead|thanks|thank you|though|too|also|as well|ones?|(?:is|are) (?:fine|ok))|吧|谢谢)?"
    r"[\s.!?？。！]*\Z",
    re.I,
)
_BESIDE = re.compile(r"\b(?:or|also|too|as well)\b|也|或", re.I)  # what is said is wanted beside what was
_BEFORE_VALUE = re.compile(r"(?:\b(?:in|with|of|from|made of|made from|made out of)\s+)(?:an? |the |some )?\Z", re.I)
_ARTICLE = re.compile(r"(?:an?|the|some|one)\s+", re.I)
_AFTER_NOUN = re.compile(r"(?:in|with|of|for|from|on|made|that|which|like|by|to)\b", re.I)
_LIMITS = {"<": "under", "<=": "at most", ">": "over", ">=": "at least"}
_CHEAPER = re.compile(r"\b(?:cheaper|less expensive)\b|便宜", re.I)
_COMPARED = re.compile(r"\b(?:smaller|bigger|larger|taller|shorter|wider|lighter|darker)\b|更[大小高矮宽深浅]", re.I)


def refine(recommender: Recommender, query: Query, words: str, shown: Sequence[str] = ()) -> Query:
    """The request that words after an answer ask for.

    A new value takes the place of one of the same column, a new limit that of the same sort, a new noun that of the
    old; everything else is kept. "The second one" starts from that answer, within the conditions said before.

    Parameters
    ----------
    recommender
        The catalogue and its words.
    query
        The request that was answered.
    words
        What was said then, in English or Chinese.
    shown
        The ids of the answers in order, where they are at hand; else the request is answered again to know them.

    Raises
    ------
    InputError
        Where the words speak of an answer that there is not.

    Examples
    --------
    >>> recommender = Recommender.load("index/default")  # doctest: +SKIP
    >>> refine(recommender, Query(text="a red mug under 50"), "no, in green, and not over 30").text  # doctest: +SKIP
    'mug in green, not over 30'
    """
    beside, said = bool(_BESIDE.search(words)), _plain(words)
    if place := _PLACE.match(said):
        return _from_answer(recommender, query, place, said[place.end() :], shown)
    if not said:
        return query
    if not (query.reference or query.image or query.photos):
        if _CHEAPER.search(said):
            product = recommender.product(_answer(recommender, query, 1, shown))
            if product.price is not None:
                said = _CHEAPER.sub(f"under {product.price:g}", said)
        elif _COMPARED.search(said):
            return refine(recommender, _starting_from(recommender, query, _answer(recommender, query, 1, shown)), said)
    return _Change.of(recommender, query, said).made(beside)


def _plain(words: str) -> str:
    """The words without what begins and ends a reply and asks for nothing."""
    said = words.strip()
    while (opening := _OPENING.match(said)) and opening.end():
        said = said[opening.end() :]
    return said[: closing.start()] if (closing := _CLOSING.search(said)) else said


def _answer(recommender: Recommender, query: Query, number: int, shown: Sequence[str]) -> str:
    """The id of an answer by its place, -1 for the last."""
    ids = list(shown) or [found.id for found in recommender.recommend(query)]
    if not ids or number > len(ids) or number == 0:
        raise InputError("there is no answer {n} to start from: there are {count}", n=number, count=len(ids))
    return ids[number - 1 if number > 0 else number]


def _from_answer(
    recommender: Recommender, query: Query, place: re.Match[str], rest: str, shown: Sequence[str]
) -> Query:
    if word := place["word"]:
        number = -1 if word.casefold() == "last" else _ORDINALS.index(word.casefold()) + 1
    else:
        digits = place["digits"] or place["number"] or place["chinese"]
        number = int(digits) if digits.isdecimal() else _CHINESE.index(digits) + 1
    start = _starting_from(recommender, query, _answer(recommender, query, number, shown))
    return refine(recommender, start, rest.lstrip(" ,，.;:!?")) if rest.strip(" ,，.;:!?") else start


def _starting_from(recommender: Recommender, query: Query, product_id: str) -> Query:
    """The product in place of what was asked, within the conditions that were said."""
    reading = recommender.read(query)
    conditions = [_lasting(part) for part in reading.parts if part.kind in ("filter", "not")]
    pictured = bool(recommender.product(product_id).image)
    return query.with_(
        image=None,
        box=None,
        photos=(),
        reference=product_id if pictured else "",
        like=() if pictured else (product_id,),
        text=", ".join(conditions),
        kind="",
    )


def _lasting(part: Part) -> str:
    """The words of a condition, also where "this" in them meant another product: "cheaper than this" is a number."""
    price = next((rule for rule in part.filters if rule.column == "price"), None)
    if price is None or re.search(r"\d", part.words):
        return part.words
    return _limit(price)


def _limit(price: Filter) -> str:
    return f"{_LIMITS[price.op]} {price.value}"


@dataclass(frozen=True)
class _Change:
    """One request and what is said of it: what both sentences mean, and the things that both ask for."""

    query: Query
    old: Reading
    new: Reading
    old_wishes: list[Wish]
    new_wishes: list[Wish]
    old_kind: KindAsked | None
    new_kind: KindAsked | None

    @classmethod
    def of(cls, recommender: Recommender, query: Query, said: str) -> "_Change":
        """What `said` changes about a query."""
        old, new = recommender.read(query), recommender.read(query.with_(text=said))
        words = recommender.language.grammar.words
        wishes, kinds = [], []
        for reading in (old, new):
            apart = [(p.start, p.end) for p in reading.parts if p.kind != "edit"]
            named = named_values(reading.sentence, words)
            wishes.append([w for w in named if not any(start <= w.start < end for start, end in apart)])
            kinds.append(recommender.kinds.asked(reading.sentence, apart))
        return cls(query, old, new, wishes[0], wishes[1], kinds[0], kinds[1])

    def made(self, beside: bool) -> Query:
        """The new request; `beside` what was wanted before, where a value is said to come to another."""
        wanted = {column for wish in self.new_wishes for column in wish.values}
        rules = [rule for part in self.new.parts for rule in part.filters]
        sorts = any(part.sort != "match" for part in self.new.parts)
        conditions = [p for p in self.old.parts if p.kind != "edit"]
        cuts = [(p.start, p.end) for p in conditions]
        added = self._left_of_new()
        for wish in self.old_wishes:
            if beside and wanted & wish.values.keys() and added:
                text = f"{self.old.sentence[: wish.end]} or {added}{self.old.sentence[wish.end :]}"
                return self.query.with_(text=text)
            if wanted & wish.values.keys() or any(_excludes(rule, wish) for rule in rules):
                cuts.append(self._with_preposition(wish))
        kept = [self._kept(p, rules, sorts) for p in conditions]
        said = [self.new.sentence[p.start : p.end] for p in self.new.parts if p.kind != "edit"]
        clauses = [words.strip(" ,，") for words in (_joined(self._without(cuts), added), *kept, *said)]
        text = ", ".join(filter(None, clauses))
        filters = [
            f for f in self.query.filters if not (f.op == "=" and f.column in wanted) and not _same_limit(f, rules)
        ]
        return self.query.with_(
            text=text,
            filters=tuple(filters),
            sort="match" if sorts else self.query.sort,
            kind="" if self.new_kind else self.query.kind,
        )

    def _kept(self, part: Part, rules: Sequence[Filter], sorts: bool) -> str:
        """The words of an old condition as far as it holds beside what is said now, "" where it does not."""
        if part.sort != "match":
            return "" if sorts else part.words
        held = [
            rule
            for rule in part.filters
            if not any(_excludes(rule, wish) for wish in self.new_wishes)
            and not _same_limit(rule, rules)
            and rule not in rules
        ]
        if len(held) == len(part.filters):
            return part.words
        return ", ".join(_limit(rule) for rule in held if rule.column == "price")

    def _left_of_new(self) -> str:
        """What was said beside conditions, without the noun where that takes the place of another."""
        text = self.new.text
        if self.new_kind and self.old_kind:
            for start, end in self.new_kind.spans:
                text = tidy(text.replace(self.new.sentence[start:end], " ", 1))
        text = _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text
        return text if says_something(text) else ""

    def _with_preposition(self, wish: Wish) -> Span:
        """Where a value stands, with the "in" or "with" before it and the 的 after it."""
        sentence, start, end = self.old.sentence, wish.start, wish.end
        if before := _BEFORE_VALUE.search(sentence, 0, start):
            start = before.start()
        return start, end + (sentence[end : end + 1] == "的")

    def _without(self, cuts: Sequence[Span]) -> str:
        """The old sentence without these spans, and with the new noun in place of its own."""
        sentence, edits = self.old.sentence, [(start, end, " ") for start, end in cuts]
        if self.new_kind and self.old_kind and self.old_kind.spans:
            start, end = self.new_kind.spans[0]
            edits.append((*self.old_kind.spans[0], self.new.sentence[start:end]))
        for start, end, other in sorted(edits, reverse=True):
            sentence = sentence[:start] + other + sentence[end:]
        sentence = tidy(sentence)
        return sentence if says_something(sentence) else ""


def _folded(values: Sequence[str] | set[str]) -> frozenset[str]:
    return frozenset(value.casefold() for value in values)


def _excludes(rule: Filter, wish: Wish) -> bool:
    """Whether a condition rules out what was wished for."""
    return rule.op == "!=" and bool(rule.choices & _folded(wish.values.get(rule.column, set())))


def _same_limit(rule: Filter, rules: Sequence[Filter]) -> bool:
    """Whether one of the rules limits the same column in the same direction, or names another value of it."""
    return any(rule.column == new.column and rule.op[0] == new.op[0] and rule.op[0] in "<>=" for new in rules)


def _joined(base: str, added: str) -> str:
    """A sentence with something said besides: a value before the noun, "with ..." after it."""
    if not base or not added:
        return base or added
    if _AFTER_NOUN.match(added) or len(added.split()) > 3:
        return f"{base} {added}"
    gap = "" if added[-1] > "一" else " "
    return f"{added}{gap}{_ARTICLE.sub('', base, count=1) if _ARTICLE.match(base) else base}"

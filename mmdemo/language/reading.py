"""Holds what was read out of a sentence: filters, exclusions, edits, and the text that goes to the encoder.

"A blue mug, not glass, under 40 euros" has two filters; "a blue mug" goes to the encoder. It knows nothing of how
a sentence is read: `grammar` does that, or `language_model`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmdemo.core.messages import Message, Term, column_label, joined
from mmdemo.core.request import Filter, Query, Sort
from mmdemo.language.function_words import says_something

Kind = Literal["filter", "not", "edit", "sort"]


@dataclass(frozen=True)
class Part:
    """One part of a sentence that was understood: its words, from `start` to `end`, and their effect on the query.

    Only the words of an edit stay in the sentence, since the encoder reads them too. `away` holds words that results
    should be further from, where no column has them.
    """

    words: str
    start: int
    end: int
    kind: Kind
    filters: tuple[Filter, ...] = ()
    away: str = ""
    sort: Sort = "match"

    @property
    def conditions(self) -> tuple[Filter, ...]:
        """What an answer has to meet: all but how an edit wants it to look, which is a wish."""
        return tuple(rule for rule in self.filters if rule not in self.wishes)

    @property
    def wishes(self) -> tuple[Filter, ...]:
        """How an edit wants it to look: of "the same in navy" navy comes first, the rest of the kind next."""
        return tuple(rule for rule in self.filters if self.kind == "edit" and rule.column != "price")

    @property
    def meaning(self) -> str:
        """The effect in words for a person: "price < 40", "material is not leather"."""
        if self.away:
            return Message("further from “{words}”", words=self.away)
        if self.sort != "match":
            return Message("cheapest first") if self.sort == "cheap" else Message("most expensive first")
        return joined(" and ", [_in_words(f) for f in self.filters])


@dataclass(frozen=True)
class Reading:
    """What was read out of one sentence.

    Parameters
    ----------
    sentence
        The sentence as it was read, misspelt words mended.
    text
        What goes to the encoder: the sentence without its filters, exclusions and order.
    parts
        What was understood, in the order of the sentence.
    notes
        Remarks for the person who wrote it.
    by
        The reader: "grammar", or the name of a language model.
    unread
        The code of the sentence's language, where that is not read here.

    Examples
    --------
    >>> under = Part("under 40", 7, 15, "filter", (Filter("price", "<", "40"),))
    >>> reading = reading_of("a mug, under 40", [under])
    >>> reading.text, str(under.meaning), reading.without(under)
    ('a mug', 'price < 40', 'a mug')
    """

    sentence: str
    text: str
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    by: str = "grammar"
    unread: str = ""

    @property
    def sort(self) -> Sort:
        """The order that the sentence asks for, "match" where it asks for none."""
        return next((part.sort for part in self.parts if part.sort != "match"), "match")

    def apply(self, query: Query) -> Query:
        """The query with its text, conditions, exclusions and order replaced by this reading's.

        An order that was chosen beside the sentence counts more than the sentence's own.
        """
        filters = [f for part in self.parts for f in part.conditions]
        away = [part.away for part in self.parts if part.away]
        text = self.text
        if query.with_(text=text).empty:  # nothing left to rank by: the sentence as it is, within its conditions
            text = self.sentence.strip()
        sort = self.sort if query.sort == "match" else query.sort
        return query.with_(text=text, filters=(*query.filters, *filters), away=(*query.away, *away), sort=sort)

    def without(self, part: Part) -> str:
        """The sentence with this part taken out of it."""
        return tidy(self.sentence[: part.start] + " " + self.sentence[part.end :])

    def as_dict(self) -> dict[str, object]:
        """The JSON form that the command line and the API share."""
        parts = [
            {
                "said": p.words,
                "kind": p.kind,
                "meaning": p.meaning,
                "filters": [str(f) for f in p.filters],
                "without": self.without(p),
            }
            for p in self.parts
        ]
        return {
            "understood": parts,
            "to_the_model": self.text,
            "sort": self.sort,
            "notes": list(self.notes),
            "by": self.by,
        }


def reading_of(sentence: str, parts: Sequence[Part], notes: Sequence[str] = (), by: str = "grammar") -> Reading:
    """The reading of `sentence` that these parts make: the words of all but edits leave its text."""
    ordered = sorted(parts, key=lambda p: p.start)
    text = sentence
    for part in reversed(ordered):
        if part.kind != "edit":
            text = f"{text[: part.start]} {text[part.end :]}"
    if ordered:
        text = tidy(text)
        text = text if says_something(text) else ""
    return Reading(sentence, text.strip(), tuple(ordered), tuple(notes), by)


_SIGNS = " ,，;；、:：-–—"
_GAPS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\s+", " "),
        (r"[(（] ?[)）]", ""),
        (r" [-–—:：,，](?= ?(?:[.!?。！？]|$))", ""),
        (r" ([,，.;；、?？!！。])", r"\1"),
        (r"([,，;；、])(?: ?[,，;；、])+", r"\1"),
    )
)
_AT_START = re.compile(r"(?:(?:and|but|or|please)\b|[的和且但])\s*", re.I)
_AT_END = re.compile(r"[ ,](?:and|but|or|with|in|please|for|and definitely|ideally)$", re.I)
_CLAUSE_AT_END = re.compile(r"[ ,](?:that|which)(?:['’]s| is| are)?$", re.I)


def tidy(text: str) -> str:
    """A sentence after a cut, without the commas and conjunctions that no longer join anything."""
    for pattern, replacement in _GAPS:
        text = pattern.sub(replacement, text)
    # By `strip`, since a pattern for signs before the end looks at a long run of them again and again.
    text = text.lstrip(f"{_SIGNS}.。!！").rstrip(f"{_SIGNS}(（")
    if leading := _AT_START.match(text):
        text = text[leading.end() :]
    text = _CLAUSE_AT_END.sub("", _AT_END.sub("", text).rstrip(_SIGNS))
    return text.strip(_SIGNS)


def _in_words(rule: Filter) -> str:
    values = [Term(rule.column, value) for value in rule.value.split("|")]
    value = joined(" or ", values)
    if len(values) > 4:
        value = Message("{some} or {n} others", some=joined(", ", values[:3]), n=len(values) - 3)
    signs = {
        "=": Message("is"),
        "!=": Message("is not"),
        "~": Message("mentions"),
        "!~": Message("does not mention"),
        "<=": "≤",
        ">=": "≥",
    }
    sign = signs.get(rule.op, rule.op)
    return Message("{column} {sign} {value}", column=column_label(rule.column), sign=sign, value=value)

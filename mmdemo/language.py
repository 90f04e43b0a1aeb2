"""Plain language: "a blue mug, not glass, under 40 euros" as filters, negatives, edits, and what the model reads.

What a sentence was taken to mean, whoever read it (`grammar`, or `assistant`). What nobody understood stays in the
sentence that goes to the encoder.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from mmdemo.query import Filter, Query
from mmdemo.say import named, say, word

Kind = Literal["filter", "not", "edit"]


@dataclass(frozen=True)
class Part:
    """One thing understood: the words that said it (`start` to `end` of the sentence) and what is done about it.

    A filter and a "not" leave the sentence; an edit stays in it, since the encoder reads it too. `away` are words to
    go away from where no column tells them.
    """

    said: str
    start: int
    end: int
    kind: Kind
    filters: tuple[Filter, ...] = ()
    away: str = ""

    @property
    def meaning(self) -> str:
        """What is done, for a person: "price < 40", "material is not leather"."""
        if self.away:
            return say("further from “{words}”", words=self.away)
        return say(" and ").join(_in_words(f) for f in self.filters)


@dataclass(frozen=True)
class Reading:
    """A sentence as it was understood: `text` goes to the encoder, `parts` are applied, `notes` are said aloud."""

    sentence: str
    text: str
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    by: str = "grammar"

    def apply(self, query: Query) -> Query:
        """The query with the sentence replaced by what was understood of it."""
        filters = [f for part in self.parts for f in part.filters]
        away = [part.away for part in self.parts if part.away]
        text = self.text
        if replace(query, text=text).empty:  # nothing left to rank by: the sentence as it is, within its conditions
            text = self.sentence.strip()
        return replace(query, text=text, filters=(*query.filters, *filters), away=(*query.away, *away))

    def without(self, part: Part) -> str:
        """The sentence with this part taken out of it."""
        return _tidy(self.sentence[: part.start] + " " + self.sentence[part.end :])

    def as_dict(self) -> dict[str, object]:
        """The JSON form that the command line and the API share."""
        parts = [
            {"said": p.said, "kind": p.kind, "meaning": p.meaning, "filters": [str(f) for f in p.filters],
             "without": self.without(p)}
            for p in self.parts
        ]  # fmt: skip
        return {"understood": parts, "to_the_model": self.text, "notes": list(self.notes), "by": self.by}


def reading_of(sentence: str, parts: Sequence[Part], notes: Sequence[str] = (), by: str = "grammar") -> Reading:
    """The reading that these parts make: what is no edit leaves the text that the encoder reads."""
    ordered = sorted(parts, key=lambda p: p.start)
    text = sentence
    for part in reversed(ordered):
        if part.kind != "edit":
            text = f"{text[: part.start]} {text[part.end :]}"
    return Reading(sentence, _tidy(text) if ordered else sentence.strip(), tuple(ordered), tuple(notes), by)


def _tidy(text: str) -> str:
    """What is left after a cut, without the joints that hang in the air."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([,，.;；、?？!！。])", r"\1", text)
    text = re.sub(r"([,，;；、])(?:\s*[,，;；、])+", r"\1", text)
    text = re.sub(r"^[\s,，;；、.。]+|[\s,，;；、]+$", "", text)
    text = re.sub(
        r"^(?:(?:and|but|or|please)\b|[的和且但])\s*|[\s,]+(?:and|but|or|with|in|please|for)$", "", text, flags=re.I
    )
    text = re.sub(r"[\s,]+(?:that|which) (?:is|are)$", "", text)
    return re.sub(r"^[\s,，;；、]+|[\s,，;；、]+$", "", text)


def _in_words(rule: Filter) -> str:
    values = [word(rule.column, value) for value in rule.value.split("|")]
    value = say(" or ").join(values)
    if len(values) > 4:
        value = say("{some} or {n} others", some=say(", ").join(values[:3]), n=len(values) - 3)
    signs = {"=": say("is"), "!=": say("is not"), "~": say("mentions"), "!~": say("does not mention"),
             "<=": "≤", ">=": "≥"}  # fmt: skip
    sign = signs.get(rule.op, rule.op)
    return say("{column} {sign} {value}", column=named(rule.column), sign=sign, value=value)

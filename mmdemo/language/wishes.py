"""The values of a catalogue that a text names, such as the colour and the material of "a red wool jumper".

The grammar leaves these words to the encoder, which ranks by them; here they are conditions that a product meets or
not.
"""

from dataclasses import dataclass

from mmdemo.core.request import Filter
from mmdemo.language.vocabulary import OR, Vocabulary, tokens_of


@dataclass(frozen=True)
class Wish:
    """A phrase that names values: column -> any of these, and where it stands."""

    values: dict[str, set[str]]
    start: int
    end: int


def named_values(text: str, vocabulary: Vocabulary) -> list[Wish]:
    """What each phrase of a text means, kinds of things aside; what "or" joins is one wish.

    The longest phrase counts: "light blue" is no "blue".
    """
    tokens, named, at = tokens_of(text), list[Wish](), 0
    while at < len(tokens):
        match = vocabulary.match(tokens, at)
        values = {c: v for c, v in vocabulary.values(match.stems).items() if c != "category"} if match else {}
        if match and values:
            if named and OR.fullmatch(text, named[-1].end, match.start):
                before = named.pop()
                either = {c: values.get(c, set()) | before.values.get(c, set()) for c in values | before.values}
                named.append(Wish(either, before.start, match.end))
            else:
                named.append(Wish(values, match.start, match.end))
        at += len(match.stems) if match else 1
    return named


def wishes(text: str, vocabulary: Vocabulary) -> tuple[Filter, ...]:
    """The same as conditions; of a word that several columns have (walnut: a colour and a wood), the one with most
    values."""
    best = [max(wish.values.items(), key=lambda item: len(item[1])) for wish in named_values(text, vocabulary)]
    return tuple(dict.fromkeys(Filter(column, "=", "|".join(sorted(some))) for column, some in best))

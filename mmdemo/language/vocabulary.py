"""The words by which a catalogue's values can be said, and where they occur in a sentence."""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice, product

from mmdemo.catalog.product import SILENT, Product
from mmdemo.core.messages import Words
from mmdemo.language import lexicon as words
from mmdemo.language.stemming import stem

Phrase = tuple[str, ...]  # stems: ("light", "blue"), ("浅", "蓝", "色")
MOST_VALUES = 400  # a column with more is no vocabulary
OR = re.compile(r"\s*(?:\bor\b|\bnor\b|/|、|或者?)\s*(?:an? |any |the )?", re.I)
_SHADES = (
    "dark light pale deep bright sky navy olive mint painted stainless solid polished brushed 深 浅 淡 天 暗".split()
)
_WORD = re.compile(r"[^\W_一-鿿]+(?:['’][a-z]+)?|[一-鿿]", re.I)
_CHINESE = re.compile("[一-鿿]")


@dataclass(frozen=True)
class Token:
    """A word, or one Chinese character, and where it stands."""

    stem: str
    start: int
    end: int


@dataclass(frozen=True)
class Match:
    """A known phrase in a sentence."""

    stems: Phrase
    start: int
    end: int


class Vocabulary:
    """Phrases -> column -> values, out of the catalogue's facets and the shared words of shops.

    `called` is what the values are called in other languages.
    """

    def __init__(
        self, products: Sequence[Product], facets: dict[str, dict[str, int]], called: Sequence[Words] = ()
    ) -> None:
        self.columns = {c: v for c, v in facets.items() if len(v) <= MOST_VALUES and c not in SILENT}
        self._exact: dict[Phrase, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._kinds: dict[Phrase, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for column, values in self.columns.items():
            plain = {v for v in values if phrase_of(v) in _names_of("plain")}
            for value in values:
                self._learn(column, value)
                if column == "pattern" and plain and value not in plain:
                    for word in ("pattern", "patterned", "print", "图案", "花纹"):
                        self._kinds[phrase_of(word)][column].add(value)
        for language in called:
            for column, names in language.items():
                for value, name in names.items():
                    if value in self.columns.get(column, ()):
                        self._exact[phrase_of(name)][column].add(value)
        self._products = products
        self._wearers = {n for group in words.table(words.WEARERS) for n in _phrases(group)}
        looks = [g for t in (words.COLOURS, words.MATERIALS, words.PATTERNS) for g in words.table(t)]
        self._looks = {n for group in looks for n in _phrases(group)}
        self._general = {n for group in _groups() for n in group}
        self._parts = {n for group in words.table(words.PARTS) for n in _phrases(group)}
        self._vegan = {n for group in words.table(words.VEGAN) for n in _phrases(group)}
        self._shelves: dict[str, dict[str, Counter[str]]] = {}
        self._longest = max(map(len, (*self._exact, *self._kinds, *self._general)), default=1)

    def _learn(self, column: str, value: str) -> None:
        if value.casefold() in ("true", "yes", "false", "no"):
            if value.casefold() in ("true", "yes"):
                for name in _names_of(column.replace("_", " ")):
                    self._exact[name][column].add(value)
            return
        names = _names_of(value)
        for name in names:
            self._exact[name][column].add(value)
            # "light blue" is a kind of blue, and so is navy, which is also called dark blue.
            for cut in range(1, len(name)):
                if all(word in _shades() for word in name[:cut]):
                    for other in _names_of_phrase(name[cut:]):
                        self._kinds[other][column].add(value)
        for general, special in _taxonomy():
            if names & special and column != "colour":  # walnut, the colour, is no wood
                for name in general:
                    self._kinds[name][column].add(value)

    def values(self, phrase: Phrase, exact: bool = False) -> dict[str, set[str]]:
        """Column -> the catalogue's values that a phrase means: by that name alone, or with their kinds."""
        by_column: dict[str, set[str]] = {c: set(v) for c, v in self._exact.get(phrase, {}).items()}
        if not exact:
            for column, values in self._kinds.get(phrase, {}).items():
                by_column.setdefault(column, set()).update(values)
        return by_column

    def named(self, text: str) -> list[tuple[Match, dict[str, set[str]]]]:
        """The phrases of a text that speak of the catalogue's values: each with them, by column."""
        tokens, rest = tokens_of(text), 0
        named: list[tuple[Match, dict[str, set[str]]]] = []
        for first, token in enumerate(tokens):
            match = self.match(tokens, first) if token.start >= rest else None
            if match is not None:
                rest = match.end
                if values := self.values(match.stems):
                    named.append((match, values))
        return named

    def describes(self, phrase: Phrase) -> bool:
        """Whether a phrase tells how a thing is, rather than what it is."""
        return phrase in self._looks or any(column != "category" for column in self.values(phrase))

    def is_part(self, phrase: Phrase) -> bool:
        """Whether a phrase names a part of a thing: a handle, sleeves."""
        return phrase in self._parts

    def implied_exclusion(self, phrase: Phrase) -> Phrase:
        """What a phrase leaves out by itself ("vegan": animal products), empty for every other phrase."""
        return _ANIMAL_PRODUCTS if phrase in self._vegan else ()

    def is_distinctive(self, phrase: Phrase, columns: Collection[str]) -> bool:
        """Whether a phrase can mean nothing but a value of these columns: no other column has it, the lexicon does not
        know it, and the texts of no other products mention it."""
        of_columns = {c: v for c, v in self.values(phrase).items() if c in columns}
        if len(of_columns) < len(self.values(phrase)) or phrase in self._general:
            return False
        if len(phrase) > 1:
            return True
        having = sum(self.columns[column][value] for column, values in of_columns.items() for value in values)
        return self._mentions[phrase[0]] <= having

    def mentioned(self, phrase: Phrase) -> list[str]:
        """The words by which product texts say a general word (stripes, striped), where no column has it as a value."""
        forms = [[sorted(self._forms.get(stem, ())) for stem in name] for name in _names_of_phrase(phrase)]
        return sorted({" ".join(some) for name in forms for some in islice(product(*name), 20)})

    def writes(self, word: str) -> bool:
        """Whether product texts have this very form of a word."""
        return word.casefold() in self._forms.get(stem(word.casefold()), ())

    def shelf(self, category: str) -> dict[str, Counter[str]]:
        """Column -> how many products of a category ("" for all) have each value."""
        if category not in self._shelves:
            counts: dict[str, Counter[str]] = {column: Counter() for column in self.columns}
            for p in self._products:
                if not category or p.category == category:
                    for column, counter in counts.items():
                        counter.update(p.values(column))
            self._shelves[category] = counts
        return self._shelves[category]

    @property
    def _forms(self) -> dict[str, set[str]]:
        return self._words_of_texts[0]

    @property
    def _mentions(self) -> Counter[str]:
        return self._words_of_texts[1]

    @cached_property
    def _words_of_texts(self) -> tuple[dict[str, set[str]], Counter[str]]:
        """Stem -> the forms in which product texts have it, and stem -> in how many products' texts it stands."""
        forms: dict[str, set[str]] = defaultdict(set)
        mentions: Counter[str] = Counter()
        for p in self._products:
            text_words = {match[0].casefold() for match in _WORD.finditer(p.text)}
            for word in text_words:
                forms[stem(word)].add(word)
            mentions.update({stem(word) for word in text_words})
        return forms, mentions

    def pieces(self, text: str) -> list[tuple[int, int]]:
        """Where the words of a text stand: what is written between spaces, Chinese split at every phrase known here.

        Characters between two known phrases stand together; punctuation alone is no word.
        """
        tokens, spans = tokens_of(text), list[tuple[int, int]]()
        first = 0
        for word in re.finditer(r"\S+", text):
            last = bisect_left(tokens, word.end(), lo=first, key=lambda token: token.start)
            if any(_CHINESE.match(token.stem) for token in tokens[first:last]):
                rest = word.start()
                for at in range(first, last):
                    inside = tokens[at : min(last, at + self._longest)]
                    match = self.match(inside, 0) if tokens[at].start >= rest else None
                    if match is not None:
                        spans += [_trimmed(text, rest, match.start), (match.start, match.end)]
                        rest = match.end
                spans.append(_trimmed(text, rest, word.end()))
            else:
                spans.append(word.span())
            first = last
        return [span for span in spans if re.search(r"\w", text[slice(*span)])]

    def has(self, phrase: Phrase) -> bool:
        """Whether a phrase is known: a name of a value, or a word of shops."""
        return phrase in self._exact or phrase in self._kinds or phrase in self._general

    def match(self, tokens: Sequence[Token], first: int, wearer: bool = False) -> Match | None:
        """The longest known phrase that begins with token `first`; with `wearer`, only who a thing is for."""
        stems = tuple(token.stem for token in tokens[first : first + self._longest])
        for length in range(len(stems), 0, -1):
            phrase = stems[:length]
            if phrase in self._wearers if wearer else self.has(phrase):
                return Match(phrase, tokens[first].start, tokens[first + length - 1].end)
        return None


def tokens_of(sentence: str) -> list[Token]:
    """Words and single Chinese characters, with their places."""
    return [Token(stem(m[0]), m.start(), m.end()) for m in _WORD.finditer(sentence)]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the punctuation at its ends."""
    inside = re.search(r"\w(?:.*\w)?", text[start:end])
    return (start + inside.start(), start + inside.end()) if inside else (start, start)


def _stems(text: str) -> Iterator[str]:
    return (t.stem for t in tokens_of(text))


def phrase_of(name: str) -> Phrase:
    """A name as stems."""
    return tuple(_stems(name))


def _phrases(group: tuple[list[str], list[str]]) -> set[Phrase]:
    return {phrase_of(name) for names in group for name in names if name}


_ANIMAL_PRODUCTS = phrase_of("animal products")


@cache
def _shades() -> frozenset[str]:
    return frozenset(map(stem, _SHADES))


@cache
def _groups() -> list[set[Phrase]]:
    """Sets of phrases that mean the same."""
    groups = [
        _phrases(group)
        for lines in (
            words.COLOURS,
            words.MATERIALS,
            words.PATTERNS,
            words.PRODUCTS,
            words.WEARERS,
            words.PARTS,
            words.ANIMAL,
            words.VEGAN,
        )
        for group in words.table(lines)
    ]
    for names, chinese in words.table(words.ALSO):
        synonyms = next(g for g in groups if phrase_of(names[0]) in g)
        synonyms |= _phrases((names, chinese))
    return groups


@cache
def _names_of(value: str) -> frozenset[Phrase]:
    return _names_of_phrase(phrase_of(value))


@cache
def _names_of_phrase(phrase: Phrase) -> frozenset[Phrase]:
    """Everything that a phrase is also called, itself included."""
    same = [g for g in _groups() if phrase in g]
    return frozenset({phrase, *(n for g in same for n in g)} if phrase else ())


@cache
def _taxonomy() -> list[tuple[frozenset[Phrase], frozenset[Phrase]]]:
    """(names of a general word, names of what it covers)."""
    rows = []
    for row in words.KINDS.replace("\n", ";").split(";"):
        if row.strip():
            general, special = row.strip().split("=")
            rows.append((_names_of(general), frozenset(n for s in special.split("|") for n in _names_of(s))))
    return rows

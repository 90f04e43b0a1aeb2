"""The words by which a catalogue's values can be said, and where they occur in a sentence."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice, product

from mmdemo import words
from mmdemo.product import SILENT, Product
from mmdemo.say import Words

Phrase = tuple[str, ...]  # stems: ("light", "blue"), ("浅", "蓝", "色")
MOST_VALUES = 400  # a column with more is no vocabulary
EN_OR = re.compile(r"\s*(?:\bor\b|\bnor\b|/|、|或者?)\s*(?:an? |any |the )?", re.I)
_SHADES = (
    "dark light pale deep bright sky navy olive mint painted stainless solid polished brushed 深 浅 淡 天 暗".split()
)
_WORD = re.compile(r"[^\W_一-鿿]+(?:['’][a-z]+)?|[一-鿿]", re.I)
_CHINESE = re.compile("[一-鿿]")
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2}


@dataclass(frozen=True)
class Token:
    """A word, or one Chinese character, and where it stands."""

    stem: str
    start: int
    end: int


@dataclass(frozen=True)
class Match:
    """A known phrase in a sentence."""

    phrase: Phrase
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
        found: dict[str, set[str]] = {c: set(v) for c, v in self._exact.get(phrase, {}).items()}
        if not exact:
            for column, values in self._kinds.get(phrase, {}).items():
                found.setdefault(column, set()).update(values)
        return found

    def describes(self, phrase: Phrase) -> bool:
        """Whether a phrase tells how a thing is, rather than what it is."""
        return phrase in self._looks or any(column != "category" for column in self.values(phrase))

    def mentioned(self, phrase: Phrase) -> list[str]:
        """The words by which product texts say a general word (stripes, striped), where no column has it as a value."""
        forms = [[sorted(self._forms.get(stem, ())) for stem in name] for name in _names_of_phrase(phrase)]
        return sorted({" ".join(some) for name in forms for some in islice(product(*name), 20)})

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

    @cached_property
    def _forms(self) -> dict[str, set[str]]:
        forms: dict[str, set[str]] = defaultdict(set)
        for p in self._products:
            for found in _WORD.finditer(p.text):
                forms[stem(found[0])].add(found[0].casefold())
        return forms

    def pieces(self, text: str) -> list[tuple[int, int]]:
        """Where the words of a text stand: what is written between spaces, Chinese split at every phrase known here.

        Characters between two known phrases stand together; punctuation alone is no word.
        """
        tokens, found = tokens_of(text), list[tuple[int, int]]()
        for word in re.finditer(r"\S+", text):
            inside = [t for t in tokens if word.start() <= t.start and t.end <= word.end()]
            if not any(_CHINESE.match(t.stem) for t in inside):
                found.append(word.span())
                continue
            at, rest = word.start(), word.start()
            while at < word.end():
                match = self.match(inside, at)
                if match is None:
                    at += 1
                    continue
                found += [_trimmed(text, rest, match.start), (match.start, match.end)]
                at = rest = match.end
            found.append(_trimmed(text, rest, word.end()))
        return [span for span in found if re.search(r"\w", text[slice(*span)])]

    def match(self, tokens: Sequence[Token], at: int, wearer: bool = False) -> Match | None:
        """The longest known phrase that begins at character `at`; with `wearer`, only who a thing is for."""
        first = next((i for i, t in enumerate(tokens) if t.start == at), None)
        if first is None:
            return None
        for length in range(min(self._longest, len(tokens) - first), 0, -1):
            some = tokens[first : first + length]
            phrase = tuple(t.stem for t in some)
            if wearer:
                known = phrase in self._wearers
            else:
                known = phrase in self._exact or phrase in self._kinds or phrase in self._general
            if known:
                return Match(phrase, some[0].start, some[-1].end)
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


@cache
def stem(word: str) -> str:
    """striped, stripes, stripe -> strip; children's -> children. Light on purpose: linen must not become lin."""
    word = re.sub(r"['’]s?$", "", word.casefold())
    if not word.isascii() or len(word) < 4:
        return word
    for ending in ("es", "ed", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] in "bdgmnpt" else word


def phrase_of(name: str) -> Phrase:
    """A name as stems."""
    return tuple(_stems(name))


def number_of(text: str) -> float:
    """12.50, 1,299, 1.299,00 or 四十 as a number."""
    if not text[0].isdigit():
        return float(_chinese(text))
    tail = re.search(r"[.,](\d{1,2})$", text)
    whole = text[: tail.start()] if tail else text
    return float(re.sub(r"\D", "", whole) + (f".{tail[1]}" if tail else ""))


def _chinese(text: str) -> int:
    total, digit = 0, 0
    for sign in text:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        else:
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[sign]
            digit = 0
    return total + digit


def _phrases(group: tuple[list[str], list[str]]) -> set[Phrase]:
    return {phrase_of(name) for names in group for name in names if name}


@cache
def _shades() -> frozenset[str]:
    return frozenset(map(stem, _SHADES))


@cache
def _groups() -> list[set[Phrase]]:
    """Sets of phrases that mean the same."""
    groups = [
        _phrases(group)
        for lines in (words.COLOURS, words.MATERIALS, words.PATTERNS, words.PRODUCTS, words.WEARERS)
        for group in words.table(lines)
    ]
    for names, chinese in words.table(words.ALSO):
        home = next(g for g in groups if phrase_of(names[0]) in g)
        home |= _phrases((names, chinese))
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

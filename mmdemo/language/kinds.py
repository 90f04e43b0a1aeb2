"""The kind of thing that a sentence asks for, by its noun, and the kinds that each product of a catalogue is of.

Nouns come from `nouns.txt`, a tree of shopping nouns in English and Chinese, and from the catalogue's own categories;
both are matched against categories and titles, so that any catalogue profits. It knows nothing of photos or scores.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdemo.catalog.product import Product
from mmdemo.core.messages import Words
from mmdemo.language import lexicon
from mmdemo.language.stemming import singular

Mask = NDArray[np.bool_]
Word = tuple[str, int, int]  # lower case, and where it stands

_WORD = re.compile(r"[^\W_一-鿿]+(?:['’][a-z]+)?|[一-鿿]", re.I)
_LONGEST = 6  # words, or Chinese characters, of a noun
# Where a noun phrase ends. After those of the second set comes no thing that is asked for: "a lamp for the desk".
_CLAUSE = frozenset(
    "but as i we you is are isn't aren't was were has have can could will would please need needs needed".split()
)
_OWNED, _TOLD = frozenset("my our his her their your".split()), frozenset("is are was were has have needs need".split())
_ASIDE = frozenset(
    "with without for in of on off from under over below above between to than not no non except instead rather by at "
    "near next behind around about size sized that which who whose where when made like matching goes going per inside "
    "into less more cheaper and/or".split()
)
_SEARCHES = frozenset("looking look search searching shopping shop hunting searched".split())  # ... for a lamp
_COUNTED = frozenset(
    "set pair piece pieces kind type sort collection couple selection lot bunch".split()
)  # ... of bowls
_NOT_BEFORE = frozenset("something anything nothing very too so more really".split())  # "something light" is no lamp
_JOINS = frozenset("and or & 和 或 与 及 跟".split())
_SIGN = re.compile(r"[,.;:!?()，。；：！？（）\n]|(?<=\s)[-–—](?=\s)")


@dataclass(frozen=True)
class Kind:
    """A kind of thing: its name, the kind above it, and its words.

    A group is a heading over kinds that do not stand in for each other: no plate for a jug, though both are crockery.
    """

    name: str
    above: str
    group: bool
    words: tuple[str, ...]


@dataclass(frozen=True)
class Noun:
    """Where a noun stands in a sentence, and the kinds that it may mean."""

    start: int
    end: int
    kinds: frozenset[str]


@dataclass(frozen=True, eq=False)
class KindAsked:
    """The kind that is asked for, over one catalogue.

    Parameters
    ----------
    words
        What it was called, for people.
    kinds
        The names of the kinds.
    rows
        Which products (n,) are of it.
    near
        Which others are of the next wider kind: other chairs, for an armchair.
    wider
        What that kind is called, "" where there is none.
    spans
        Where the words stand in the sentence.
    """

    words: str
    kinds: frozenset[str]
    rows: Mask
    near: Mask
    wider: str = ""
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def sold(self) -> bool:
        """Whether the catalogue has anything of the kind, or of the next wider one."""
        return bool(self.rows.any() or self.near.any())


class Kinds:
    """The kinds of one catalogue.

    Parameters
    ----------
    products
        The catalogue.
    called
        What its categories are called in other languages.

    Examples
    --------
    >>> hoodie = Product("1", "", "Grey hoodie", category="Sweater")
    >>> shop = Kinds([hoodie, Product("2", "", "Oak stool", category="Stool")])
    >>> [(shop.asked(words).words, shop.asked(words).rows.tolist()) for words in ("a warm jumper", "round mirror")]
    [('jumper', [True, False]), ('mirror', [False, False])]
    >>> sorted(shop.of(0))
    ['Sweater', 'clothing', 'hoodie', 'sweater', 'sweatshirt']
    """

    def __init__(self, products: Sequence[Product], called: Sequence[Words] = ()) -> None:
        self._products = products
        self._own: dict[tuple[str, ...], set[str]] = defaultdict(set)  # a category's own names -> its kinds
        names: dict[str, list[str]] = {c: [c] for p in products if (c := p.category)}
        for language in called:
            for category, name in language.get("category", {}).items():
                if category in names:
                    names[category].append(name)
        self._of_category: dict[str, frozenset[str]] = {"": frozenset()}
        for category, calls in names.items():
            kinds = frozenset(k for noun in _heads(category, {}) for k in noun.kinds) or frozenset({category})
            self._of_category[category] = kinds
            for name in calls:
                self._own[phrase_of(name)] |= {category}
        self._kinds = [self._of_product(p) for p in products]
        self._rows: dict[str, list[int]] = defaultdict(list)
        for row, kinds in enumerate(self._kinds):
            for kind in kinds:
                self._rows[kind].append(row)

    def of(self, row: int) -> frozenset[str]:
        """Every kind that a product is of, the wider ones and its category included."""
        return self._kinds[row]

    def rows(self, kinds: Iterable[str]) -> Mask:
        """Which products are of any of these kinds."""
        mask = np.zeros(len(self._products), bool)
        for kind in kinds:
            mask[self._rows.get(kind, [])] = True
        return mask

    def asked(self, sentence: str, apart: Collection[tuple[int, int]] = ()) -> KindAsked | None:
        """The kind that a sentence asks for; None where it names none.

        Parameters
        ----------
        sentence
            English or Chinese.
        apart
            Spans of the sentence that are understood otherwise, such as exclusions.
        """
        nouns = _heads(sentence, self._own, apart)
        if not nouns:
            return None
        mask = np.zeros(len(self._products), bool)
        near, kinds, above = mask.copy(), set[str](), list[str]()
        for noun in nouns:
            sold = [kind for kind in noun.kinds if kind in self._rows]
            by_noun = [kind for kind in sold if kind in tree()] or sold
            kinds |= set(by_noun or noun.kinds)
            mask |= self.rows(by_noun)
            near |= self.rows(sold)  # what a category of that name holds besides
            above += [wider for kind in sold or noun.kinds if (wider := self._wider(kind))]
        near |= self.rows(above)
        spans = tuple((noun.start, noun.end) for noun in nouns)
        words = " / ".join(sentence[start:end].lower() for start, end in spans)
        chinese = words > "一"
        wider = next((w for kind in above for w in tree()[kind].words if (w > "一") == chinese), "")
        return KindAsked(words, frozenset(kinds), mask, near & ~mask, wider, spans)

    def beside(self, sentence: str, apart: Collection[tuple[int, int]] = ()) -> Mask:
        """Products of the kinds that a sentence names, but does not ask for: sofas, in "something for the sofa"."""
        phrases = _noun_phrases(sentence, apart, beside=True)
        nouns = [item for phrase in phrases for item in _matched(phrase, self._own) if isinstance(item, Noun)]
        return self.rows(kind for noun in nouns for kind in noun.kinds)

    def named(self, name: str) -> KindAsked | None:
        """The kind of this name: a category, or any noun; None for words that name none."""
        return self.of_category(name) if name and name in self._of_category else self.asked(name)

    def of_category(self, category: str) -> KindAsked:
        """A category of the catalogue as a kind."""
        rows = self.rows([category])
        near = self.rows(wider for kind in self._of_category[category] if (wider := self._wider(kind)))
        return KindAsked(category, frozenset({category}), rows, near & ~rows)

    def _wider(self, kind: str) -> str:
        """The next wider kind that is sold, "" where only a group is above."""
        while kind in tree() and (above := tree()[kind].above) and not tree()[above].group:
            if above in self._rows:
                return above
            kind = above
        return ""

    def _of_product(self, product: Product) -> frozenset[str]:
        """Kinds by category, and those by the title that agree with it."""
        category = self._of_category[product.category]
        by_title = {k for noun in _heads(product.title, {}) for k in noun.kinds}
        if any(kind in tree() for kind in category):
            by_title = {kind for kind in by_title if any(_agree(kind, other) for other in category)}
            # An armchair on the shelf of sofas is an armchair.
            if by_title and not any(_covers(kind, other) for kind in by_title for other in category):
                category = frozenset()
        named = {product.category} if product.category else set()
        return frozenset(named.union(*(_line(kind) for kind in {*category, *by_title})))


@cache
def tree() -> dict[str, Kind]:
    """Every kind of `nouns.txt` by its name, groups and all."""
    kinds: dict[str, Kind] = {}
    path: list[str] = []
    for line in (Path(__file__).parent / "nouns.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        depth = (len(line) - len(line.lstrip())) // 2
        english, chinese = line.strip().lstrip("*").split(" = ")
        words = (*english.split("|"), *chinese.split("/"))
        path = path[:depth]
        kinds[words[0]] = Kind(words[0], path[-1] if path else "", line.strip().startswith("*"), words)
        path.append(words[0])
    return kinds


@cache
def _phrases() -> dict[tuple[str, ...], frozenset[str]]:
    """Nouns, as words in the singular -> the kinds that they may mean."""
    phrases: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for kind in tree().values():
        for words in kind.words:
            phrases[phrase_of(words)].add(kind.name)
    return {phrase: frozenset(kinds) for phrase, kinds in phrases.items()}


@cache
def _inside() -> frozenset[tuple[str, str]]:
    """The words of nouns where a noun phrase would end, each with the word before it: (chest, of)."""
    pairs = (pair for phrase in _phrases() for pair in pairwise(phrase))
    return frozenset((before, word) for before, word in pairs if word in _ASIDE | _CLAUSE)


@cache
def _looks() -> frozenset[tuple[str, ...]]:
    """Words that tell how a thing is: colours, materials, patterns."""
    tables = (lexicon.COLOURS, lexicon.MATERIALS, lexicon.PATTERNS)
    return frozenset(phrase_of(n) for t in tables for group in lexicon.table(t) for names in group for n in names)


@lru_cache(8192)  # changes of one sentence, which an explanation tries, say the same words
def phrase_of(name: str) -> tuple[str, ...]:
    """The words of a name in lower case, the last in the singular."""
    words = [word for word, _, _ in words_of(name)]
    return (*words[:-1], singular(words[-1])) if words else ()


def words_of(sentence: str) -> Iterator[Word]:
    """The words of a sentence, Chinese ones by character."""
    return ((m[0].casefold().replace("’", "'"), m.start(), m.end()) for m in _WORD.finditer(sentence))


@lru_cache(8192)
def _singulars(word: str) -> tuple[str, ...]:
    """What a word may be in the singular: itself, "hoodie", "body" of "bodies", "scarf" of "scarves"."""
    forms = [word, singular(word)]
    if word.endswith("ies"):
        forms.append(word[:-3] + "y")
    if word.endswith("ves"):
        forms += [word[:-3] + "f", word[:-3] + "fe"]
    return tuple(dict.fromkeys(forms))


@cache
def _line(kind: str) -> frozenset[str]:
    """A kind and all above it."""
    names = [kind]
    while names[-1] in tree() and (above := tree()[names[-1]].above):
        names.append(above)
    return frozenset(names)


@cache
def _agree(kind: str, category: str) -> bool:
    """Whether a product of this category may be of this kind: one covers the other, or both are below the same thing
    that is more than a department."""
    shared = _line(kind) & _line(category)
    return bool({kind, category} & shared) or any(tree()[name].above or not tree()[name].group for name in shared)


@cache
def _covers(kind: str, other: str) -> bool:
    """Whether one of two kinds is the other, or above it."""
    return kind in _line(other) or other in _line(kind)


def _heads(sentence: str, own: dict[tuple[str, ...], set[str]], apart: Collection[tuple[int, int]] = ()) -> list[Noun]:
    """The nouns that say what is asked for: the last of the first noun phrase that has any, and those joined to it."""
    for phrase in _noun_phrases(sentence, apart):
        nouns = [item for item in _matched(phrase, own) if isinstance(item, Noun) or item in _JOINS]
        while nouns and not isinstance(nouns[-1], Noun):
            nouns.pop()
        heads: list[Noun] = []
        while nouns and isinstance(last := nouns.pop(), Noun):
            heads.insert(0, last)
            if not nouns or isinstance(nouns[-1], Noun):
                break
            nouns.pop()  # the word that joins
        if heads:
            return heads
    return []


def _noun_phrases(sentence: str, apart: Collection[tuple[int, int]], beside: bool = False) -> Iterator[list[Word]]:
    """The parts of a sentence in which what is asked for may be named, each as its words; with `beside`, the others."""
    phrase: list[Word] = []
    aside, end, last = False, 0, ""
    for word in words_of(sentence):
        name, start, stop = word
        if any(start < b and a < stop for a, b in apart):
            continue
        sign = _SIGN.search(sentence, end, start) is not None
        # "carry-on luggage", "chest of drawers"
        compound = "-" in (sentence[start - 1 : start], sentence[stop : stop + 1]) or (last, name) in _inside()
        ends = name in _CLAUSE and not compound
        turns = name in _ASIDE and not compound
        if sign or ends or turns:
            told = bool(phrase) and name in _TOLD and phrase[0][0] in _OWNED  # "my sofa is grey": no sofa is asked for
            if phrase and (aside or told) == beside:
                yield phrase
            phrase, aside = [], aside and not sign
        if ends or turns:
            carries_on = (name == "for" and last in _SEARCHES) or (name == "of" and last in _COUNTED)
            aside = turns and not carries_on
        else:
            phrase.append(word)
        last, end = name, stop
    if phrase and aside == beside:
        yield phrase


def _matched(phrase: Sequence[Word], own: dict[tuple[str, ...], set[str]]) -> list[Noun | str]:
    """The words of a noun phrase with its nouns, longest first, in their place; of words that tell how a thing is
    (glass), only one that stands alone is a noun."""
    found: list[Noun | str] = []
    looks: list[Noun] = []
    at = 0
    while at < len(phrase):
        for length in range(min(_LONGEST, len(phrase) - at), 0, -1):
            words = phrase[at : at + length]
            kinds, look = _meant([word for word, _, _ in words], own)
            if kinds and (at == 0 or phrase[at - 1][0] not in _NOT_BEFORE):
                (looks if look else found).append(Noun(words[0][1], words[-1][2], kinds))
            elif not look:
                continue
            at += length
            break
        else:
            found.append(phrase[at][0])
            at += 1
    return found if any(isinstance(item, Noun) for item in found) else [*found, *looks]


def _meant(words: Sequence[str], own: dict[tuple[str, ...], set[str]]) -> tuple[frozenset[str], bool]:
    """The kinds that a phrase may mean, and whether it is a word for how a thing is."""
    kinds, look = frozenset[str](), False
    for last in _singulars(words[-1]):
        phrase = (*words[:-1], last)
        kinds = kinds or _phrases().get(phrase, frozenset()) | own.get(phrase, set())
        look = look or phrase in _looks()
    return kinds, look

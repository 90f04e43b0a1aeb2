"""Mends misspelt words of a shopper's sentence: those that no dictionary has, and that are one slip away from a word of
the shop. It knows nothing of what the words mean.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import chain

from spellchecker import SpellChecker

from mmdemo.catalog.product import Product
from mmdemo.language import lexicon
from mmdemo.language.function_words import FUNCTION_WORDS
from mmdemo.language.kinds import tree
from mmdemo.language.stemming import singular

SHORTEST = 4  # letters of a word that is mended; shorter ones are one slip from too many others
_WORD = re.compile(r"[^\W\d_一-鿿]+(?:['’][a-z]+)?", re.I)  # Chinese is read by its characters
_ENGLISH = re.compile(r"[a-z]+", re.I)


class Spelling:
    """The words of one shop.

    Parameters
    ----------
    products
        The catalogue, whose texts are spelt rightly: names of brands, of models and of materials.

    Examples
    --------
    >>> spelling = Spelling([Product("1", "", "Blue candle by Lumen")])
    >>> spelling.mend("a blue candel by lumen")
    ('a blue candle by lumen', {'candel': 'candle'})
    """

    def __init__(self, products: Iterable[Product]) -> None:
        self._uses = Counter(chain.from_iterable(set(_words(p.text)) for p in products))
        self._meant = lru_cache(4096)(self._likeliest)  # each costs hundreds of look-ups
        self._uses.update({word for word in _shop_words() if word not in self._uses})

    def mend(self, sentence: str) -> tuple[str, dict[str, str]]:
        """A sentence with its misspelt words mended.

        A sentence with letters that English has not, or most of whose unknown words are like none of the shop's, is in
        another language, and is left as it is.

        Parameters
        ----------
        sentence
            In any language; only words of the letters a to z are mended.

        Returns
        -------
        tuple of (str, dict of str to str)
            The sentence, and each word that was changed with what it was taken for.
        """
        words = _words(sentence)
        unknown = {word for word in words if not self._knows(word)}
        mended = {word: meant for word in unknown if (meant := self._meant(word))}
        if 2 * len(mended) < len(unknown) or not all(word.isascii() for word in words):
            return sentence, {}
        return _WORD.sub(lambda match: mended.get(match[0].casefold(), match[0]), sentence), mended

    def unknown(self, sentence: str) -> tuple[int, int]:
        """How many words of a sentence neither the dictionary nor the shop has, and how many words it has in all."""
        words = _words(sentence)
        return sum(not self._knows(word) for word in words), len(words)

    def ordinary(self, word: str) -> bool:
        """Whether a dictionary or every shop has a word, so that it is no name by itself."""
        return self.in_every_shop(word) or any(form in _dictionary() for form in (word, singular(word)))

    def in_every_shop(self, word: str) -> bool:
        """Whether a word says what a thing is or looks like in any shop, or nothing of a thing."""
        return any(form in FUNCTION_WORDS or form in _shop_words() for form in (word, singular(word)))

    def _knows(self, word: str) -> bool:
        forms = (word, singular(word), word.removesuffix("'s").removesuffix("’s"))
        return any(form in self._uses or form in FUNCTION_WORDS or form in _dictionary() for form in forms)

    def _likeliest(self, word: str) -> str:
        """The likeliest word of the shop that is one letter more, less, other or swapped; "" for none."""
        if len(word) < SHORTEST or not _ENGLISH.fullmatch(word):
            return ""
        uses = {near: self._uses[near] or self._uses[singular(near)] for near in _dictionary().edit_distance_1(word)}
        return max(
            (near for near in uses if uses[near]), key=lambda near: (near in self._uses, uses[near], near), default=""
        )


def _words(text: str) -> list[str]:
    return [match[0].casefold() for match in _WORD.finditer(text)]


@cache
def _dictionary() -> SpellChecker:
    return SpellChecker(language="en", distance=1)


@cache
def _shop_words() -> frozenset[str]:
    """What shops call things, colours, materials and patterns, whether this one sells them or not."""
    tables = (lexicon.COLOURS, lexicon.MATERIALS, lexicon.PATTERNS)
    looks = (name for t in tables for group in lexicon.table(t) for names in group for name in names)
    kinds = (name for kind in tree().values() for name in kind.words)
    return frozenset(word for name in chain(looks, kinds) for word in _words(name))

"""Finds products by what they are called: titles, brands, ids and codes, as n-grams of letters weighted by rarity.

A name says nothing to an encoder that never saw it. Knows nothing of what words mean, nor of other parts of a score.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from mmdemo.catalog.product import Product, is_id
from mmdemo.core.vectors import Array
from mmdemo.language.columns import BRANDS
from mmdemo.language.spelling import Spelling

CODES = frozenset("ean gtin upc asin isbn mpn sku model".split())
SAME = 0.999  # cosine from which on two names are the same, up to case, accents, signs and the order of words
# Cosines from which on a sentence may hold a name: with a word of the names that no dictionary has; with another one
# that no dictionary has, or that few names have; and in Chinese or Japanese, for which there is no dictionary here.
KNOWN, LIKE, SIGNS = 0.3, 0.5, 0.6
RARE = 3  # names that have a word, so that it may stand for them
NUMBER = 4  # digits from which on a number is more likely a code than an amount or a size
GRAMS = (3, 4)  # letters of an n-gram, the signs for the word's beginning and end among them
GRAM_WEIGHT = 0.35  # of an n-gram beside a whole word
LONGEST = 32  # letters of a word that are read
MOST_WORDS = 64  # of a sentence that are read
STEP = 4096  # names whose lengths are computed at a time
_CJK = "\u3040-\u30ff\u3400-\u9fff"
_SIGN = re.compile(f"[{_CJK}]")
_WORD = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")


@dataclass(frozen=True, eq=False)
class Named:
    """What a query's name brings to a score, which is the mean of two cosines, that of the name by its `weight`.

    Parameters
    ----------
    cosines
        How near each product (n,) is by its names.
    weight
        Of the name in the score, from 0 to 1.
    """

    cosines: Array
    weight: float

    @property
    def exactly(self) -> NDArray[np.bool_]:
        """Which products (n,) are called just so."""
        return self.cosines >= SAME

    def mixed(self, scores: Array, rows: NDArray[np.int64] | slice = slice(None)) -> Array:
        """The scores of the products at `rows`, whose other cosines are given."""
        return ((1 - self.weight) * scores + self.weight * self.cosines[rows]).astype(np.float32)

    def unmixed(self, scores: Array, rows: NDArray[np.int64]) -> Array:
        """The other cosines of the products at `rows`, of which `mixed` made these scores."""
        return ((scores - self.weight * self.cosines[rows]) / (1 - self.weight)).astype(np.float32)


class Names:
    """The names of a catalogue's products.

    A name is the sum of its words, a word the sum of itself and its n-grams, each weighted by how few names have it
    (inverse document frequency, Spärck Jones 1972). Chinese and Japanese are read by characters and pairs of them.

    Parameters
    ----------
    products
        The catalogue.

    Examples
    --------
    >>> names = Names([Product("k-1", "", "Kivik sofa"), Product("k-2", "", "Sofa bed")])
    >>> (names.cosines("KIVIK Sofa") >= SAME).tolist(), names.cosines("kivk").argmax().item()
    ([True, False], 0)
    """

    def __init__(self, products: Iterable[Product]) -> None:
        per_product = [[words(name) for name in names_of(product)] for product in products]
        self._starts = np.cumsum([0, *map(len, per_product)])[:-1]
        self._names, self._vocabulary = _incidence(name for names in per_product for name in names)
        spelt, self._parts = _incidence(map(parts_of, self._vocabulary))
        used = self._used = np.bincount(self._names.indices, minlength=len(self._vocabulary))
        self._most = self._names.shape[0]
        self._weights = np.array([_weight(part) for part in self._parts], np.float32)
        self._weights *= np.log1p(self._most / np.maximum(spelt.T @ used, 1)).astype(np.float32)
        self._words = spelt.multiply(self._weights).tocsr()
        steps = range(0, self._most, STEP)
        lengths = [_lengths(self._names[at : at + STEP] @ self._words) for at in steps]
        self._lengths = np.concatenate([np.zeros(0, np.float32), *lengths])

    def cosines(self, text: str) -> Array:
        """How near each product (n,) is to a text by the nearest of its names: cosines from 0 to 1."""
        asked, length = self._vector(text)
        by_name = self._names @ (self._words @ asked) / np.maximum(self._lengths * length, 1e-9)
        return np.maximum.reduceat(by_name, self._starts).astype(np.float32)

    def _vector(self, text: str) -> tuple[Array, float]:
        """The known parts of a text, and the length of all of it."""
        vector, unknown = np.zeros(len(self._parts), np.float32), 0.0
        for part in (part for word in words(text)[:MOST_WORDS] for part in parts_of(word)):
            if (at := self._parts.get(part)) is not None:
                vector[at] += self._weights[at]
            else:
                unknown += (_weight(part) * float(np.log1p(self._most))) ** 2
        return vector, float(np.sqrt(vector @ vector + unknown))

    def called(self, text: str, spelling: Spelling) -> Array | None:
        """The cosines of a text that holds a name; None for one that describes something."""
        cosines, said = self.cosines(text), words(text)[:MOST_WORDS]
        odd = [word for word in said if _may_name(word) and not spelling.ordinary(word)]
        least = SIGNS if any(map(_SIGN.match, said)) else SAME
        if any(word in self._vocabulary for word in odd):
            least = KNOWN
        elif odd or any(self._is_rare(word) and not spelling.in_every_shop(word) for word in said):
            least = LIKE
        return cosines if cosines.max(initial=0.0) >= least else None

    def _is_rare(self, word: str) -> bool:
        """Whether only few names have a word."""
        return _may_name(word) and word in self._vocabulary and self._used[self._vocabulary[word]] <= RARE

    def between(self, text: str, names: Sequence[str]) -> float:
        """The cosine of a text with the nearest of some names, which need be no product's."""
        asked, length = self._vector(text)
        others = [self._vector(name) for name in names]
        return max((float(asked @ other) / max(length * by, 1e-9) for other, by in others), default=0.0)


def names_of(product: Product) -> list[str]:
    """What a product is called, in every language that its catalogue has it in."""
    columns = product.attributes.items()
    codes = [value for name, value in columns if value and (name in BRANDS or name in CODES or is_id(name))]
    titles = [title for name, title in product.translated.items() if name.startswith("title_")]
    return [name for name in (product.title, product.id, *titles, *codes) if name]


def words(text: str) -> list[str]:
    """The words of a text without case and accents; Chinese and Japanese as characters and pairs of them."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    found: list[str] = []
    for run in _WORD.findall("".join(sign for sign in plain if not unicodedata.combining(sign))):
        if _SIGN.match(run):
            found += [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
        else:
            found.append(run[:LONGEST])
    return found


def _may_name(word: str) -> bool:
    """Whether a word is no sign, no short number, and no abbreviation such as a size."""
    if _SIGN.match(word):
        return False
    return len(word) >= NUMBER if word.isdigit() else len(word) >= 3 or not word.isalpha()


def parts_of(word: str) -> list[str]:
    """A word itself, between signs for its beginning and its end, and the n-grams of that."""
    if _SIGN.match(word):
        return [word]
    signed = f"<{word}>"
    grams = (signed[at : at + size] for size in GRAMS for at in range(len(signed) - size + 1))
    return list(dict.fromkeys([signed, *grams]))


def _weight(part: str) -> float:
    whole = _SIGN.match(part) or (part.startswith("<") and part.endswith(">"))
    return 1.0 if whole else GRAM_WEIGHT


def _incidence(rows: Iterable[Sequence[str]]) -> tuple[csr_matrix, dict[str, int]]:
    """How often each row has each item, and the column of each item."""
    numbers: dict[str, int] = {}
    columns, ends = [], [0]
    for row in rows:
        columns += [numbers.setdefault(item, len(numbers)) for item in row]
        ends.append(len(columns))
    counts = csr_matrix((np.ones(len(columns), np.float32), columns, ends), (len(ends) - 1, len(numbers)))
    counts.sum_duplicates()
    return counts, numbers


def _lengths(rows: csr_matrix) -> Array:
    return np.sqrt(np.asarray(rows.multiply(rows).sum(1))).ravel().astype(np.float32)

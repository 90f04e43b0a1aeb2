"""What a sentence is for, where it names no kind of thing (rain, a wedding, a gift), and what one looks for then.

Situations come from `situations.txt`, in English and Chinese. They say what is likely, not what was asked for.
"""

from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

from mmdemo.language.kinds import Kinds, Mask, phrase_of, words_of

RANKS = "~*"  # what a line of the second and of the third rank begins with; occasions and people are of the first
_LONGEST = 5  # words, or Chinese characters, of a situation


def likely_kinds(kinds: Kinds, sentence: str, apart: Collection[tuple[int, int]] = ()) -> Mask | None:
    """Which products are of the kinds that people look for in the situations that a sentence names.

    Occasions and people count before places ("a garden wedding"), and both before gifts. Of several such situations
    those kinds count that all of them share; where they share none, those of the situation that fewest go with.

    Parameters
    ----------
    kinds
        The kinds of the catalogue.
    sentence
        English or Chinese.
    apart
        Spans of the sentence that are understood otherwise, such as exclusions.

    Returns
    -------
    Mask or None
        Of the products (n,); None where the sentence names no situation, or nothing that goes with it is sold.

    Examples
    --------
    >>> from mmdemo.catalog.product import Product
    >>> shop = Kinds([Product("1", "", "Dome umbrella", category="Umbrella"), Product("2", "", "Oak stool")])
    >>> likely_kinds(shop, "rainy day in the city").tolist()
    [True, False]
    """
    named: list[tuple[int, frozenset[str]]] = [
        (rank, sold) for names, rank in _named(sentence, apart) if (sold := _sold(kinds, names))
    ]
    if not named:
        return None
    first = min(rank for rank, _ in named)
    special: list[frozenset[str]] = [sold for rank, sold in named if rank == first]
    fewest: frozenset[str] = min(special, key=len)
    return kinds.rows(frozenset.intersection(*special) or fewest)


def _sold(kinds: Kinds, names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if kinds.rows([name]).any())


def _named(sentence: str, apart: Collection[tuple[int, int]]) -> Iterator[tuple[tuple[str, ...], int]]:
    """The kinds of each situation that is named, longest words first, and its rank."""
    words = [word for word in words_of(sentence) if not any(word[1] < b and a < word[2] for a, b in apart)]
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST, len(words) - at), 0, -1):
            phrase = phrase_of(sentence[words[at][1] : words[at + length - 1][2]])
            if phrase in _situations():
                yield _situations()[phrase]
                at += length - 1
                break
        at += 1


@cache
def _situations() -> dict[tuple[str, ...], tuple[tuple[str, ...], int]]:
    """Words, the last in the singular -> the kinds that one looks for, and the rank of the situation."""
    situations: dict[tuple[str, ...], tuple[tuple[str, ...], int]] = {}
    for line in (Path(__file__).parent / "situations.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        words, kinds = line.lstrip(RANKS).split(":")
        english, chinese = words.split(" = ")
        names = tuple(name.strip() for name in kinds.split(",") if name.strip())
        for phrase in (*english.split("|"), *chinese.strip().split("/")):
            situations[phrase_of(phrase)] = names, RANKS.find(line[0]) + 1
    return situations

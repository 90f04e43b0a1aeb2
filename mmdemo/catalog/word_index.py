"""Finds phrases in many texts by an inverted index: where each word stands, so that a filter reads no text again.

It knows nothing of products or filters.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"[A-Za-z0-9]+|[^\sA-Za-z0-9]")
_NOWHERE = np.empty(0, np.int64)


class WordIndex:
    """Positions of words in a sequence of texts.

    A word is a run of Latin letters and digits; every other sign but blanks stands for itself, so that Chinese is found
    within its sentences. Case and the kind of blank do not count.

    Examples
    --------
    >>> index = WordIndex(["A stoneware mug", "Mugs of stone", "白色马克杯"])
    >>> [index.having([phrase]).tolist() for phrase in ("mug", "stoneware  MUG", "stone", "马克杯")]
    [[True, False, False], [True, False, False], [False, True, False], [False, False, True]]
    """

    def __init__(self, texts: Iterable[str]) -> None:
        positions: dict[str, list[int]] = defaultdict(list)
        ends: list[int] = []
        at = 0
        for text in texts:
            for word in _words(text):
                positions[word].append(at)
                at += 1
            at += 1  # a gap, so that no phrase goes from one text into the next
            ends.append(at)
        self._positions = {word: np.array(places, np.int64) for word, places in positions.items()}
        self._ends = np.array(ends, np.int64)

    def having(self, phrases: Iterable[str]) -> NDArray[np.bool_]:
        """Which texts (n,) have any of these phrases, as whole words in this order."""
        mask = np.zeros(len(self._ends), bool)
        for phrase in phrases:
            mask[np.searchsorted(self._ends, self._starts(_words(phrase)), side="right")] = True
        return mask

    def _starts(self, words: list[str]) -> NDArray[np.int64]:
        """Where a phrase begins, found from its rarest word."""
        places = [self._positions.get(word, _NOWHERE) for word in words]
        if not places:
            return _NOWHERE
        rarest = min(range(len(places)), key=lambda n: len(places[n]))
        starts = places[rarest] - rarest
        for offset, others in enumerate(places):
            if not len(starts):
                break
            if offset != rarest:
                nearest = np.searchsorted(others, starts + offset)
                nearest[nearest == len(others)] = 0
                starts = starts[others[nearest] == starts + offset]
        return starts


def _words(text: str) -> list[str]:
    return _TOKEN.findall(text.casefold())

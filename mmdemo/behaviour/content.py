"""What products are by themselves: the embeddings of picture and text, the words of the text, and what it states.

The encoder's text tower knows what things look like; words tell apart what looks alike. "Min players: 3" is a
statement, and its number is one: near numbers are alike, so each is read off a few hats over the catalogue's numbers.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Self

import numpy as np

from mmdemo.behaviour.model import Floats, State
from mmdemo.core.vectors import Array

WIDTH = 200  # numbers of a row
LEAST = 3  # products that a word, a statement or a numbered property stands in
HATS = 9  # of a numbered property, over its quantiles
IMAGE, NUMBERS = 0.5, 2.0  # weights beside 1 for text, words and statements; chosen by validation on board games
WORD = re.compile(r"[^\W\d_][\w'-]+")
SENTENCE = re.compile(r"\.(?:\s+|$)")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


class Content:
    """Turns embeddings and texts into rows, by what they were like in the catalogue that it was fitted on.

    Examples
    --------
    >>> content = Content().fit(np.eye(4), np.eye(4), ["red mug", "red cup", "red pan", "blue pan"])
    >>> content.rows(np.eye(4), np.eye(4), ["red mug", "", "", ""]).shape
    (4, 3)
    """

    def fit(self, image: Array, text: Array, texts: Sequence[str]) -> Self:
        """Learn means, words, statements and main directions from the embeddings and texts of n products."""
        self.words, self.statements = (_rarity(map(said, texts)) for said in (_words, _statements))
        stated: dict[str, list[float]] = {}
        for said in map(_numbers, texts):
            for name, number in said.items():
                stated.setdefault(name, []).append(number)
        knots = {n: np.unique(np.quantile(x, np.linspace(0, 1, HATS))).tolist() for n, x in stated.items()}
        self.knots = {n: at for n, at in sorted(knots.items()) if len(stated[n]) >= LEAST and len(at) > 1}
        self.image_mean, self.text_mean = image.mean(0), text.mean(0)
        self.mean, self.directions = np.zeros(1), np.zeros((1, 0))
        features = self._features(image, text, texts)
        self.mean = features.mean(0)
        _, spread, directions = np.linalg.svd(features - self.mean, full_matrices=False)
        kept = spread[:WIDTH] > 1e-6 * max(spread[0], 1e-9)
        self.directions = directions[:WIDTH][kept]
        return self

    def rows(self, image: Array, text: Array, texts: Sequence[str]) -> Floats:
        """The rows (m, at most WIDTH) of products."""
        return (self._features(image, text, texts) - self.mean) @ self.directions.T

    def _features(self, image: Array, text: Array, texts: Sequence[str]) -> Floats:
        shown = image.any(1, keepdims=True)
        counted = (_counted(texts, _words, self.words), _counted(texts, _statements, self.statements))
        blocks = [_unit(b) for b in ((image - self.image_mean) * shown, text - self.text_mean, *counted)]
        return np.hstack([IMAGE * blocks[0], *blocks[1:], NUMBERS * self._hats(texts)])

    def _hats(self, texts: Sequence[str]) -> Floats:
        """For each numbered property how near a product's number is to each of its knots, zero where it has none."""
        stated = list(map(_numbers, texts))
        hats = [np.zeros((len(texts), 0))]
        for name, at in self.knots.items():
            near = np.zeros((len(texts), len(at)))
            for row, said in enumerate(stated):
                if name in said:
                    near[row] = [np.interp(said[name], at, one) for one in np.eye(len(at))]
            hats.append(near)
        return np.hstack(hats)

    def state(self) -> State:
        """What `restore` needs: numbers and words of the catalogue."""
        learnt = json.dumps([self.words, self.statements, self.knots]).encode()
        names = "image_mean", "text_mean", "mean", "directions"
        arrays = {name: getattr(self, name).astype(np.float32) for name in names}
        return {"learnt": np.frombuffer(learnt, np.uint8), **arrays}

    def restore(self, state: State) -> Self:
        """The fitted content that `state` was taken from."""
        self.words, self.statements, self.knots = json.loads(state["learnt"].tobytes())
        self.image_mean, self.text_mean = state["image_mean"], state["text_mean"]
        self.mean, self.directions = state["mean"], state["directions"]
        return self


def _unit(block: Floats) -> Floats:
    return block / np.maximum(np.linalg.norm(block, axis=1, keepdims=True), 1e-9)


def _rarity(said: Iterable[Iterable[str]]) -> dict[str, float]:
    """What stands in LEAST products or more, each with the logarithm of how rare it is."""
    texts = [set(some) for some in said]
    stands_in = Counter(word for some in texts for word in some)
    return {word: float(np.log(len(texts) / n)) for word, n in sorted(stands_in.items()) if n >= LEAST}


def _counted(texts: Sequence[str], said: Callable[[str], list[str]], rarity: dict[str, float]) -> Floats:
    place = {word: at for at, word in enumerate(rarity)}
    counted = np.zeros((len(texts), len(rarity)))
    for row, some in enumerate(map(said, texts)):
        for word in some:
            if word in rarity:
                counted[row, place[word]] = rarity[word]
    return counted


def _words(text: str) -> list[str]:
    return WORD.findall(text.casefold())


def _pairs(text: str) -> list[tuple[str, str]]:
    """Name and value of every sentence that is one: "Min players: 3."."""
    parts = (sentence.partition(": ") for sentence in SENTENCE.split(text.casefold()))
    return [(name, value.strip()) for name, colon, value in parts if colon]


def _statements(text: str) -> list[str]:
    """What a text states, one value at a time: "mechanics: dice rolling"."""
    return [f"{name}: {item.strip()}" for name, value in _pairs(text) for item in value.split(",")]


def _numbers(text: str) -> dict[str, float]:
    """The properties whose value is a number."""
    return {name: float(value) for name, value in _pairs(text) if NUMBER.fullmatch(value)}

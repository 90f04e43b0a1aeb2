"""One sentence while it is being read: its words, what was understood of it so far, and what is still free."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from mmdemo.catalog.product import Product
from mmdemo.core.request import Filter, Sort
from mmdemo.language.reading import Kind, Part
from mmdemo.language.vocabulary import OR, Match, Token, Vocabulary, tokens_of


class Draft:
    """A sentence, its tokens, the known phrase that begins at each, and the parts that were understood.

    Every reader of one kind of wish (`prices`, `negations`, `columns`, `edits`) adds parts to it. A reader looks at
    text of bounded length beside what it reads, so that the cost grows with the length of the sentence.
    """

    def __init__(self, sentence: str, vocabulary: Vocabulary, anchor: Product | None = None) -> None:
        self.sentence = sentence
        self.vocabulary = vocabulary
        self.anchor = anchor
        self.tokens = tokens_of(sentence)
        phrases = (vocabulary.match(self.tokens, first) for first in range(len(self.tokens)))
        self.phrases = {phrase.start: phrase for phrase in phrases if phrase}
        self.parts: list[Part] = []
        self.notes: list[str] = []
        self._claimed = bytearray(len(sentence))  # 1 for each character that a part other than an edit covers

    def is_free(self, start: int, end: int) -> bool:
        """Whether no condition or exclusion covers any of these characters."""
        return 1 not in self._claimed[start:end]

    def free_start(self, start: int, end: int) -> int:
        """Where the free characters before `end` begin, not before `start`."""
        return max(start, self._claimed.rfind(1, max(start, 0), end) + 1)

    def add(
        self, span: tuple[int, int], kind: Kind, filters: Iterable[Filter] = (), away: str = "", sort: Sort = "match"
    ) -> None:
        """Note what these characters mean. Edits claim none: they stay in the sentence that the encoder reads."""
        words = self.sentence[slice(*span)]
        start = span[0] + len(words) - len(words.lstrip())
        part = Part(words.strip(), start, start + len(words.strip()), kind, tuple(filters), away, sort)
        self.parts.append(part)
        if kind != "edit":
            self._claimed[part.start : part.end] = b"\1" * (part.end - part.start)

    def note(self, note: str) -> None:
        """A remark for the person who wrote the sentence, once."""
        if note not in self.notes:
            self.notes.append(note)

    def phrases_from(self, at: int) -> list[Match]:
        """Known phrases from character `at` on, joined by "or" and the like: "leather or suede"."""
        phrases: list[Match] = []
        while phrase := self.phrases.get(at):
            phrases.append(phrase)
            joint = OR.match(self.sentence, phrase.end)
            if joint is None:
                break
            at = joint.end()
        return phrases

    def free_phrases(self) -> Iterator[Match]:
        """The known phrases that no part covers, from left to right, none inside another."""
        at = 0
        for start, phrase in self.phrases.items():
            if start >= at and self.is_free(start, phrase.end):
                yield phrase
                at = phrase.end

    def token_at(self, at: int) -> Token | None:
        """The first word at or after a character, None at the end."""
        number = bisect_left(self.tokens, at, key=lambda token: token.start)
        return self.tokens[number] if number < len(self.tokens) else None

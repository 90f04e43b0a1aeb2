"""Reads what is unwanted: "not leather", "without arms", "vegan", "rather navy than white" leaves out white."""

# ruff: noqa: E501 -- one pattern a line

import re
from collections.abc import Iterable
from itertools import pairwise

from mmdemo.core.request import Filter
from mmdemo.language.draft import Draft
from mmdemo.language.function_words import FUNCTION_WORDS
from mmdemo.language.vocabulary import Match

BESIDE = 40  # characters before a word in which what decides its meaning stands

_AUXILIARY = r"(?:is|are|was|were|does|do|did|has|have|had|would|should|could|must|can|need|ca|wo|ai)(?: ?n['’]?t| not)|cannot|never|not"
_VERBS = (
    r"(?:\s+(?:be|been|have|having|want|wanting|like|need|contain|containing|include|including|come|get|got|use|using|made|stand|wear|show me|really|want to see"
    r"|actually|ideally|necessarily|interested))*"
)
_PREPOSITIONS = r"(?:\s+(?:of|in|from|with|by|on|a fan of))?"
# Before what is unwanted. `absent` is said of something that a thing would have, so that an unknown word is taken too.
_ENGLISH = (
    r"(?:\b(?:that|which|who|it|i)\s+)?\b(?:"
    rf"(?P<absent>(?:{_AUXILIARY})\s+(?:have|has|got|get|contain|include)(?:\s+any)?|hasn['’]?t(?: got)?|without(?: having)?|w/o|with no|sans|minus|lack(?:s|ing)?"
    r"|free (?:of|from)|with zero|having no|has no|have no|contain(?:s|ing)? no|comes? without)"
    rf"|(?:{_AUXILIARY}){_VERBS}{_PREPOSITIONS}"
    r"|no|except(?: for| in| with)?|excluding|exclude|avoid(?:ing)?|skip(?:ping)?|leav(?:e|ing) (?:out|off)|leave|(?:hate|dislike|detest|loathe)s?"
    r"|remov(?:e|ing)|get rid of|ditch|lose|any(?:thing|one)? (?:but|except|besides)(?: in| with)?|everything (?:but|except)|instead of|in place of|rather than|as opposed to|other than|zero|hold"
    r"|neither|nothing(?: made)?(?: of| in| with| from)?|non"
    r")\b[ \-]*(?:(?:an?|any|the|those|these|that|my|such|too)\b ?)*"
)
# These turn a word away only where the sentence compares: "I prefer navy to white", "less red, more blue".
_COMPARED = r"\b(?P<compared>than|over|to|less|too|and less)\b (?:(?:an?|any|the|those|these|that)\b ?)?"
_CHINESE = (
    r"(?:别给我|不给我|别给|别拿|不想要|不想|不要|不是|(?<!有)没有|(?<!有)没|不带|不含|不能|不用|不爱|不喜欢|不可以?|不应该?|不该|除了|除|别要|别带|别|非|(?<!有)无|而不是|也不要|讨厌|拒绝|避免|去掉|去除|免|少了|比起|与其)"
    r"(?:任何|带|有|要|用|是|含|再|选|穿)*"
)
_BEFORE = re.compile(
    rf"{_ENGLISH}|{_CHINESE}|{_COMPARED}|\bany (?:\w+ ){{1,2}}(?P<but>but|except)\b (?:(?:an?|any|the)\b ?)?", re.I
)
_COMPARES = {
    "than": r"\b(?:rather|prefer|sooner|better|nicer|instead|like|more)\b",
    "over": r"\b(?:prefer|go for|choose|chose|pick|take|want|rather)\b",
    "to": r"\bprefer\b",
    "less": r"",
    "and less": r"",
    "too": r"",
}
_AFTER = re.compile(
    r"[ \-]free\b|,? ?(?:is|are) (?:out|off the table|a no|a no-go)\b"
    r"|,? ?(?:(?:is|are|was|were)(?: not|n['’]?t)|not) (?:wanted|needed|for me|an option|really|my \w+|what i \w+|to my \w+)(?: thing)?|除外|以外|之外|(?:的)?就?算了|免谈",
    re.I,
)
_TRAILING = re.compile(r"\s+(?:ones?|at all|off|out|please)\b|以外的?|之外的?|外的?|的", re.I)
# From an old value to a new one: what stands before the old, and between the two.
_SWAP = re.compile(
    r"(?:\b(?:swap|replace|change|turn|switch|exchange|trade|from|convert)\b[^.,;!?]{0,16}|[把从将])\Z", re.I
)
_SWAPPED = re.compile(r"\s*(?:for|with|to|into|by|in favou?r of|而?(?:到|成|变成))\s*(?:an? |the )?", re.I)
_ARROW = re.compile(r"\s*(?:[-=]+>|→|(?:的)?(?:换成|改成|换为|改为|变成|换|改))\s*")
_IMPLIED_LEAD = re.compile(
    r"(?:(?:(?:that|which|it) )?(?:is|are|['’]s)\s+|(?:suitable |fit |good |ok )?for (?:an? )?|(?:made )?(?:of|from|in|with) (?:an? )?|100\s?%\s+|fully |all |strictly |i['’]?m (?:an? )?)*\Z",
    re.I,
)
_IMPLIED_TAIL = re.compile(r"[ \-]?(?:friendly|materials?|ones?)\b|主义者?(?:用|穿)?的?|材料的?|材质的?|的", re.I)
_UNKNOWN = re.compile(r"[a-z][a-z\-]{2,}", re.I)
# Words that name no part of a thing: "without a doubt", "no less than".
_NO_PART = frozenset(
    "doubt question matter problem idea way thanks need more less longer one other all it being having in on with for and or any "
    "frills fuss hurry rush worries nonsense kidding".split()
)


def read_exclusions(draft: Draft) -> None:
    """What is unwanted, by value where a column has one, else by the words of product texts, else for the encoder."""
    _read_implied(draft)
    _read_swaps(draft)
    for match in _BEFORE.finditer(draft.sentence):
        if match["compared"] and not _compares(draft, match):
            continue
        start = match.start("but") if match["but"] else match.start()
        phrases = draft.phrases_from(match.end())
        if match["compared"]:
            phrases = [phrase for phrase in phrases if draft.vocabulary.describes(phrase.stems)]
        if phrases and _goes_on(draft, phrases[-1]):
            phrases = []
        if phrases and draft.is_free(start, phrases[-1].end):
            end = phrases[-1].end
            tail = _TRAILING.match(draft.sentence, end)
            exclude(draft, (start, tail.end() if tail else end), phrases, of_parts=match["absent"] is not None)
        elif match["absent"] and not phrases:
            _exclude_unknown(draft, match)
    by_end: dict[int, Match] = {}
    for phrase in draft.phrases.values():
        by_end.setdefault(phrase.end, phrase)
    for match in _AFTER.finditer(draft.sentence):
        before = by_end.get(match.start())
        if before and draft.is_free(before.start, match.end()):
            exclude(draft, (before.start, match.end()), [before])


def exclude(draft: Draft, span: tuple[int, int], phrases: Iterable[Match], of_parts: bool = False) -> None:
    """Note that nothing with these phrases is wanted; the span leaves the sentence.

    With `of_parts` what is unwanted is a part of a thing: "a dress with no belt" may be of any category.
    """
    unwanted: dict[str, set[str]] = {}
    away = []
    for phrase in phrases:
        values = draft.vocabulary.values(phrase.stems)
        if of_parts and "category" in values:
            values = {column: names for column, names in values.items() if column != "category"}
        for column, names in values.items():
            unwanted.setdefault(column, set()).update(names)
        mentioned = () if values or _is_compound(draft, phrase) else draft.vocabulary.mentioned(phrase.stems)
        if mentioned:
            unwanted.setdefault("text", set()).update(mentioned)
        elif not values:
            away.append(draft.sentence[phrase.start : phrase.end])
    filters = [Filter(c, "!~" if c == "text" else "!=", "|".join(sorted(v))) for c, v in unwanted.items()]
    draft.add(span, "not", filters, " ".join(away))


def _read_implied(draft: Draft) -> None:
    """Words that leave out by themselves, such as "vegan", unless a column of the catalogue has them as a value."""
    for phrase in list(draft.phrases.values()):
        unwanted = draft.vocabulary.implied_exclusion(phrase.stems)
        if not unwanted or not draft.is_free(phrase.start, phrase.end):
            continue
        window_start = draft.free_start(phrase.start - BESIDE, phrase.start)
        lead = _IMPLIED_LEAD.search(draft.sentence[window_start : phrase.start])
        start = phrase.start - len(lead[0].lstrip()) if lead else phrase.start
        tail = _IMPLIED_TAIL.match(draft.sentence, phrase.end)
        end = tail.end() if tail else phrase.end
        if values := draft.vocabulary.values(phrase.stems):
            filters = [Filter(column, "=", "|".join(sorted(names))) for column, names in values.items()]
            draft.add((start, end), "filter", filters[:1])
        else:
            exclude(draft, (start, end), [Match(unwanted, phrase.start, phrase.end)])


def _read_swaps(draft: Draft) -> None:
    """ "Swap the white for navy", "white -> navy": the first of two values of one column is the old one."""
    phrases = [phrase for phrase in draft.free_phrases() if draft.vocabulary.describes(phrase.stems)]
    for old, new in pairwise(phrases):
        if new.start - old.end > BESIDE or not draft.is_free(old.start, old.end):
            continue
        window = draft.sentence[draft.free_start(old.start - BESIDE, old.start) : old.start]
        verb = _SWAP.search(window)
        swapped = verb and _SWAPPED.fullmatch(draft.sentence, old.end, new.start)
        if swapped or _ARROW.fullmatch(draft.sentence, old.end, new.start):
            shared = draft.vocabulary.values(old.stems).keys() & draft.vocabulary.values(new.stems).keys()
            if shared:
                start = old.start - len(verb[0]) if verb else old.start
                exclude(draft, (start, old.end), [old])


def _is_compound(draft: Draft, phrase: Match) -> bool:
    """Whether it is several words that are no phrase of the vocabulary: texts may have each of them, but not all."""
    return len(phrase.stems) > 1 and not draft.vocabulary.has(phrase.stems)


def _goes_on(draft: Draft, phrase: Match) -> bool:
    """Whether a phrase is but the first half of what is unwanted: "no top buckle", "no red logo"."""
    after = draft.token_at(phrase.end)
    if after is None or draft.sentence[phrase.end : after.start] != " ":
        return False
    if thing := draft.phrases.get(after.start):
        return draft.vocabulary.is_part(thing.stems)
    is_noun = not draft.vocabulary.describes(phrase.stems)
    sign = draft.sentence[after.start]
    return is_noun and sign.isascii() and sign.isalpha() and after.stem not in FUNCTION_WORDS


def _compares(draft: Draft, match: re.Match[str]) -> bool:
    """Whether "than", "over" and the like compare two values here."""
    before = draft.sentence[max(0, match.start() - BESIDE) : match.start()]
    return re.search(_COMPARES[match["compared"].lower()], before, re.I) is not None


def _exclude_unknown(draft: Draft, match: re.Match[str]) -> None:
    """ "Without arms": words that no column has and no lexicon knows, by the texts that mention them."""
    word = _UNKNOWN.match(draft.sentence, match.end())
    if word is None or word[0].lower() in _NO_PART or not draft.is_free(match.start(), word.end()):
        return
    if word[0].lower().endswith("ing") and not draft.vocabulary.writes(word[0]):
        return  # something that is not to happen, and no part of a thing: "without waking anybody"
    phrase = draft.phrases.get(word.start())
    last = draft.token_at(phrase.end) if phrase else draft.token_at(word.start())  # "top" of "no top buckle" is known
    if last is not None and (phrase or last.start == word.start()):
        stems = (*(phrase.stems if phrase else ()), last.stem)
        exclude(draft, (match.start(), last.end), [Match(stems, word.start(), last.end)])

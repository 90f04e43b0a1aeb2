"""Reads how an answer should differ from the product or photo that a query starts from: "the same in blue"."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from mmdemo.catalog.product import Product
from mmdemo.core.messages import Message, row_noun
from mmdemo.core.request import Filter
from mmdemo.language.draft import Draft
from mmdemo.language.function_words import FUNCTION_WORDS, WORDS_OF_WISHES
from mmdemo.language.negations import exclude
from mmdemo.language.vocabulary import Match

_CUE = re.compile(
    r"\bsame\b|\bthis\b|\bmake it\b|\bversion\b|\binstead\b|\brather\b|\bhave it\b|\bhave one\b"
    r"|^\W*(?:but )?(?:in|with) |\A(?>.*?\bin ).+ please\b|^is |\blove it\b|一样|同款|换成|改成|这个|这款|这件",
    re.I | re.S,
)
_TOGETHER = re.compile(r"[ ,]*(?:\band\b|\bwith\b|&|\+|和|配|加)[ ,]*(?:an? |some )?", re.I)
_SAME = re.compile(r"\bsame (\w+)\b|(?:同样的?|相同的?|一样的?)(颜色|材质|材料|图案|花纹|品牌)", re.I)
_COLUMNS = {
    "颜色": "colour",
    "材质": "material",
    "材料": "material",
    "图案": "pattern",
    "花纹": "pattern",
    "品牌": "brand",
    "color": "colour",
    "print": "pattern",
    "fabric": "material",
}


def read_edits(draft: Draft) -> None:
    """Wishes for values that the product to start from does not have, as filters whose words stay in the sentence."""
    wishes, plain = _wishes(draft)
    rules = {wish.stems: wished_filter(draft, wish) for wish in wishes}
    compared = {rule.column for part in draft.parts if part.kind == "not" for rule in part.filters}
    if not (plain or _CUE.search(draft.sentence) or any(rule and rule.column in compared for rule in rules.values())):
        return
    wanted = [(wish, rule) for wish in wishes if (rule := rules[wish.stems]) is not None]
    for wish in wishes:
        if rules[wish.stems] is None:
            _note_missing(draft, wish)
    old = _old_values(draft, wanted)
    values: dict[str, dict[str, None]] = defaultdict(dict)  # by column; two that are new: either will do
    for wish, rule in wanted:
        if wish in old:
            exclude(draft, (wish.start, wish.end), [wish])
        else:
            values[rule.column] |= dict.fromkeys(rule.value.split("|"))
    for wish, rule in wanted:
        if wish not in old and (names := values.pop(rule.column, None)):
            draft.add((wish.start, wish.end), "edit", [Filter(rule.column, "=", "|".join(names))])


def _wishes(draft: Draft) -> tuple[list[Match], bool]:
    """The values that a sentence names, and whether it has nothing but them and stop words."""
    wishes: list[Match] = []
    plain = True
    at = 0
    for token in draft.tokens:
        if token.start < at or not draft.is_free(token.start, token.end):
            continue
        if (same := _SAME.match(draft.sentence, token.start)) and (rule := _same(draft, same)):
            draft.add(same.span(), "edit", [rule])
            at = same.end()
            continue
        match = draft.phrases.get(token.start)
        if match and draft.vocabulary.describes(match.stems) and not _of_a_part(draft, match):
            wishes.append(match)
            at = match.end
        else:
            plain = plain and token.stem in WORDS_OF_WISHES
    return wishes, plain


def _old_values(draft: Draft, wanted: Sequence[tuple[Match, Filter]]) -> set[Match]:
    """Of two values of one column, the one that the product to start from already has: "this is white, I need navy".

    Values that a sentence names together ("white with navy") are both wanted.
    """
    if draft.anchor is None:
        return set()
    by_column: dict[str, list[tuple[Match, Filter]]] = defaultdict(list)
    for wish, rule in wanted:
        by_column[rule.column].append((wish, rule))
    old = set()
    for column, wishes in by_column.items():
        has = {value.casefold() for value in draft.anchor.values(column)}
        own = {wish for wish, rule in wishes if has & rule.choices}
        together = {
            wish
            for pair in pairwise(wish for wish, _ in wishes)
            if _TOGETHER.fullmatch(draft.sentence, pair[0].end, pair[1].start)
            for wish in pair
        }
        if len(own) < len(wishes):
            old |= own - together
    return old


def _same(draft: Draft, same: re.Match[str]) -> Filter | None:
    """The filter for "same colour": what the anchor has; None where neither it nor the catalogue says."""
    name = (same[1] or same[2]).casefold()
    column = _COLUMNS.get(name, name)
    value = draft.anchor.field(column) if draft.anchor is not None and column in draft.vocabulary.columns else None
    return Filter(column, "=", str(value)) if value else None


def _of_a_part(draft: Draft, match: Match) -> bool:
    """Whether a value belongs to a part of a thing, or to a word that nobody here knows: "with a wooden handle" is no
    wooden thing."""
    after = draft.token_at(match.end)
    if after is None or draft.sentence[match.end : after.start].strip() or not draft.sentence[after.start].isascii():
        return False
    phrase = draft.phrases.get(after.start)
    return draft.vocabulary.is_part(phrase.stems) if phrase else after.stem not in FUNCTION_WORDS


def wished_filter(draft: Draft, match: Match) -> Filter | None:
    """The filter for a wished value: the value itself where the category has it, else its kinds; None for neither."""
    anchor: Product | None = draft.anchor
    shelf = draft.vocabulary.shelf(anchor.category if anchor is not None else "")
    for values in (draft.vocabulary.values(match.stems, exact=True), draft.vocabulary.values(match.stems)):
        counts = {
            column: sum(shelf[column][name] for name in names)
            for column, names in values.items()
            if column != "category"
        }
        column = max(counts, key=lambda c: counts[c], default="")
        if column and counts[column]:
            return Filter(column, "=", "|".join(sorted(values[column])))
    return None


def _note_missing(draft: Draft, wish: Match) -> None:
    anchor = draft.anchor
    kind = anchor.shown("category") if anchor is not None and anchor.category else row_noun(1)
    draft.note(
        Message(
            "No {kind:lower} here is listed as “{words}”: the model looks for what comes nearest.",
            kind=kind,
            words=draft.sentence[wish.start : wish.end],
        )
    )

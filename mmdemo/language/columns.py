"""Reads conditions on what a column says of a product as a whole: its brand, its size, who it is for."""

# ruff: noqa: E501 -- one pattern a line

import re

from mmdemo.core.messages import Message, column_label, joined
from mmdemo.core.request import Filter
from mmdemo.language.draft import Draft

BRANDS = frozenset("brand brands vendor manufacturer maker label designer publisher 品牌".split())
SIZES = re.compile(r"(?:^|_)sizes?(?:_|$)|^(?:尺码|尺寸|taille|talla|größe)$")
BESIDE = 48  # characters before a name in which the words that lead to it stand
_MOST_SHOWN = 8  # sizes that a note names

_SUPERLATIVE = re.compile(
    r"\b(?:biggest|largest|smallest|tallest|longest|shortest|widest|heaviest|lightest|newest|latest|(?:most|least) popular"
    r"|best[- ](?:selling|rated)|top[- ]rated)\b|最(?:大|小|高|长|短|宽|重|轻|新|热门|畅销)",
    re.I,
)
_FOR = re.compile(r"(?:\bfor (?:an? |the |my |our )?|给|适合)$", re.I)
_FOR_LENGTH = 10  # characters before who a thing is for, in which the longest "for the " stands
_WORN = re.compile(r"用|穿的?|的|款")

_BRAND_LEAD = re.compile(
    r"(?:(?<![a-z])(?:made |manufactured |produced |designed |sold |created )?(?:by|from|of|with|in)(?: the)?(?: (?:brand|label|maker|company|house))?:? ?"
    r"|(?<![a-z])(?:only|genuine|original|my favou?rite brand is|(?:of )?(?:the )?brand(?: is|:)?|label:?|(?:does|do|i love|i like)) ?"
    r"|(?:只要|来自|想要|有|品牌[是:：]?) ?)\Z",
    re.I,
)
_BRAND_TAIL = re.compile(
    r"(?:['’]s?)?(?: (?:brand(?:ed)?|label|range|collection|line|only|makes?|products?)\b)*(?:牌|品牌)?(?:出|生产|家)?的?",
    re.I,
)
_SIZE_VALUE = r"(?:(?:eu|eur|us|uk|european|no\.?|number|#)\s*)?(?P<{name}>\d{{1,3}}(?:[.,]5|½)?|x{{0,4}}[sl]|m|small|medium|large|extra large|one size)(?![\w.]|['’])"
_SIZE = re.compile(
    r"(?:(?:\b(?:in|of|for|with|my|a|an|i['’]?m|i am|i wear|i take|i need|wear|take|need|available in|that comes? in|which comes? in|someone with|is|only)\s+){0,4}"
    r"(?:(?:eu|us|uk|european|shoe|dress|clothing)\s+)?(?:\bsize[sd]?|\bsz\.?)(?:\s+(?:is|number|no\.?))?\s*[:=(]?\s*"
    + _SIZE_VALUE.format(name="named")
    + r"\)?|\b(?:european|eu)\s+(?P<eu>\d{2})(?!\d)"
    r"|(?:我)?(?:穿|要|有)?(?:尺码|尺寸|大小)(?:是|为|[:：])?\s*(?P<zh>\d{1,3}(?:\.5)?|x{0,4}[sl]|m)码?的?"
    r"|(?:我)?(?:穿|要|有)?(?P<ma>\d{1,3}(?:\.5)?|(?<![a-z])(?:x{0,4}[sl]|m))(?:码|号|尺码)的?)",
    re.I,
)
# A size without the word "size", where the catalogue has that very size.
_BARE_SIZE = re.compile(
    r"\b(?:come in|in an?|in|take an?|am an?|i['’]m an?|wear an?|need an?)\s+"
    + _SIZE_VALUE.format(name="bare")
    + r"(?!\s*[€$£%])",
    re.I,
)
_LETTERS = {"small": "s", "medium": "m", "large": "l", "extra large": "xl"}


def read_wearers(draft: Draft) -> None:
    """Who a thing is for: "for men", 儿童用的."""
    words = draft.vocabulary
    for first in range(len(draft.tokens)):
        match = words.match(draft.tokens, first, wearer=True)
        if not match or not draft.is_free(match.start, match.end):
            continue
        before = _FOR.search(draft.sentence, max(0, match.start - _FOR_LENGTH), match.start)
        start = before.start() if before else match.start
        if start == match.start and draft.sentence[start].isascii():
            continue  # "men's shoes" is for the encoder; "for men" is a condition
        values = words.values(match.stems)
        if not values:
            draft.note(
                Message(
                    "This catalogue does not say who things are for, so “{words}” goes to the model as it is.",
                    words=draft.sentence[start : match.end].strip(),
                )
            )
            continue
        column, names = max(values.items(), key=lambda item: len(item[1]))
        after = _WORN.match(draft.sentence, match.end)
        end = after.end() if after else match.end
        draft.add((start, end), "filter", [Filter(column, "=", "|".join(sorted(names)))])


def read_brands(draft: Draft) -> None:
    """ "By Striden", "Striden boots": a brand of the catalogue, by its name or by a word that leads to it."""
    columns = [column for column in draft.vocabulary.columns if column in BRANDS]
    if not columns:
        return
    for phrase in list(draft.free_phrases()):
        brands = {c: v for c, v in draft.vocabulary.values(phrase.stems, exact=True).items() if c in columns}
        if not brands or not draft.is_free(phrase.start, phrase.end):
            continue
        window = draft.sentence[draft.free_start(phrase.start - BESIDE, phrase.start) : phrase.start]
        lead, tail = _BRAND_LEAD.search(window), _BRAND_TAIL.match(draft.sentence, phrase.end)
        if not (lead or (tail and tail[0]) or draft.vocabulary.is_distinctive(phrase.stems, columns)):
            continue
        start = phrase.start - len(lead[0].lstrip()) if lead else phrase.start
        column, names = next(iter(brands.items()))
        draft.add((start, tail.end() if tail else phrase.end), "filter", [Filter(column, "=", "|".join(sorted(names)))])


def read_sizes(draft: Draft) -> None:
    """ "Size 38", 38码: a size that the catalogue lists, else a note."""
    columns = {c: list(v) for c, v in draft.vocabulary.columns.items() if SIZES.search(c)}
    sizes: dict[str, dict[str, list[str]]] = {column: {} for column in columns}
    for column, values in columns.items():
        for value in values:
            sizes[column].setdefault(_size(value), []).append(value)
    for pattern in (_SIZE, _BARE_SIZE):
        for match in pattern.finditer(draft.sentence):
            name = next(value for value in match.groupdict().values() if value)
            filters = [
                Filter(c, "=", "|".join(known[_size(name)])) for c, known in sizes.items() if _size(name) in known
            ]
            if not draft.is_free(*match.span()) or (pattern is _BARE_SIZE and not filters):
                continue
            if filters:
                draft.add(match.span(), "filter", filters[:1])
            else:
                _note_size(draft, match[0].strip(), columns)


def note_superlatives(draft: Draft) -> None:
    """ "The biggest", 最大的: an order by what no column says, which is told, since the answers are not in it."""
    for match in _SUPERLATIVE.finditer(draft.sentence):
        if draft.is_free(*match.span()):
            note = Message("“{words}” puts nothing in order here; it goes to the model as it is.", words=match[0])
            draft.note(note)


def _note_size(draft: Draft, words: str, columns: dict[str, list[str]]) -> None:
    if not columns:
        draft.note(Message("This catalogue does not list sizes, so “{words}” goes to the model as it is.", words=words))
        return
    column, values = next(iter(columns.items()))
    draft.note(
        Message(
            "“{words}” is no value of {column} here, so it goes to the model as it is; there are {values}.",
            words=words,
            column=column_label(column),
            values=joined(", ", values[:_MOST_SHOWN]),
        )
    )


def _size(name: str) -> str:
    """A size as one spelling: "EU 38" and "38", "Medium" and "M"."""
    plain = re.sub(
        r"^(?:eur?|us|uk)\s*|\s*(?:eur?|us|uk)$|\s", "", name.casefold().replace("½", ".5").replace(",", ".")
    )
    return _LETTERS.get(name.casefold().strip(), plain)

"""Reads conditions, exclusions and edits out of English and Chinese sentences, over the catalogue's own values.

It knows nothing of pictures or vectors; what it does not understand stays in the sentence that goes to the encoder.
"""

from collections.abc import Sequence
from dataclasses import replace

from mmdemo.catalog.product import Product
from mmdemo.core.messages import Words
from mmdemo.language.columns import note_superlatives, read_brands, read_sizes, read_wearers
from mmdemo.language.draft import Draft
from mmdemo.language.edits import read_edits
from mmdemo.language.negations import read_exclusions
from mmdemo.language.prices import Prices, read_comparisons, read_prices, read_sorts
from mmdemo.language.reading import Part, Reading, reading_of
from mmdemo.language.vocabulary import Vocabulary


class Grammar:
    """Reads sentences against one catalogue.

    Parameters
    ----------
    products : sequence of Product
        The catalogue; its texts say which words are mentioned, its prices whether prices can be compared.
    facets : dict of str to dict of str to int
        Column -> value -> number of products: the values that sentences may name.
    translations : sequence of Words
        What the values are called in other languages.

    Examples
    --------
    >>> from mmdemo.catalog.product import facets
    >>> colours = ["red", "blue"] * 2
    >>> mugs = [Product(str(n), "", "Mug", price=9, attributes={"colour": c}) for n, c in enumerate(colours)]
    >>> reading = Grammar(mugs, facets(mugs)).read("the cheapest mug under 10, not red")
    >>> reading.text, reading.sort, [str(rule) for part in reading.parts for rule in part.filters]
    ('mug', 'cheap', ['price<10', 'colour!=red'])
    """

    def __init__(
        self, products: Sequence[Product], facets: dict[str, dict[str, int]], translations: Sequence[Words] = ()
    ) -> None:
        self.words = Vocabulary(products, facets, translations)
        priced = [p for p in products if p.price is not None]
        self.prices = Prices(bool(priced), frozenset(p.currency.upper() for p in priced if p.currency))

    def read(self, sentence: str, anchor: Product | None = None, photo: bool = False) -> Reading:
        """Understand what can be understood; the cost grows with the length of the sentence, not with its square.

        Parameters
        ----------
        sentence : str
            English or Chinese, or both.
        anchor : Product, optional
            The product that "this" means.
        photo : bool
            Whether a photo of something unknown is shown. Without a photo or an anchor, wishes such as "blue" are left
            to the encoder, which reads them better than a filter does.

        Returns
        -------
        Reading
            Conditions, exclusions and edits, what is left for the encoder, and notes on what could not be done.
        """
        draft = Draft(sentence, self.words, anchor)
        read_sizes(draft)
        read_prices(draft, self.prices)
        read_sorts(draft, self.prices)
        read_comparisons(draft)
        read_exclusions(draft)
        read_brands(draft)
        read_wearers(draft)
        if anchor is not None or photo:
            read_edits(draft)
        note_superlatives(draft)
        return reading_of(sentence, _without_wanted(draft), draft.notes)


def _without_wanted(draft: Draft) -> list[Part]:
    """The parts in order; an exclusion never takes away what the rest names: "suede, not leather"."""
    wanted: dict[str, set[str]] = {}
    for phrase in draft.phrases.values():
        if draft.is_free(phrase.start, phrase.start + 1):
            for column, names in draft.vocabulary.values(phrase.stems, exact=True).items():
                wanted.setdefault(column, set()).update(names)
    parts = []
    for part in draft.parts:
        filters = []
        for rule in part.filters:
            left = [v for v in rule.value.split("|") if v not in wanted.get(rule.column, ())]
            spare = part.kind == "not" and rule.op == "!=" and left
            filters.append(rule.with_(value="|".join(left)) if spare else rule)
        parts.append(replace(part, filters=tuple(filters)))
    return sorted(parts, key=lambda p: p.start)

"""The first page: queries to begin with, each tried before it is offered."""

from __future__ import annotations

from functools import partial

from PIL import ImageStat

from mmdemo.catalog import imaging
from mmdemo.catalog.starting_queries import StartingQuery
from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.search.in_catalogue import nothing_matches
from mmdemo.search.recommender import Recommender
from mmdemo.serve import pictures
from mmdemo.serve.translation import noun, translate, word
from mmdemo.serve.uploads import SIDE
from mmdemo.ui import cards
from mmdemo.ui.starting_queries import choose, from_products, given

KINDS = 6  # that the first page names
ROW = 4  # results in the first row of a wide screen


class Welcome:
    """The queries that the first page of one catalogue offers."""

    def __init__(self, recommender: Recommender) -> None:
        self._first: dict[StartingQuery, str] = {}  # the id of each query's first answer
        self._starts = self._pick(recommender)

    def start(self, number: str) -> StartingQuery:
        """The query of this number, an empty one for a number that is none."""
        known = number.isdecimal() and int(number) < len(self._starts)
        return self._starts[int(number)] if known else StartingQuery()

    def example(self, recommender: Recommender) -> Query | None:
        """The first query whose photo and words both go to the encoder, or whatever there is; None for nothing."""
        asked = [self._query(start) for start in self._starts]
        both = [q for q in asked if (q.image or q.reference) and q.text and recommender.read(q).text]
        return next(iter([*both, *asked]), None)

    def _query(self, start: StartingQuery, k: int = 12) -> Query:
        photo = imaging.decode(start.image, max_side=SIDE) if start.image else None
        return Query(image=photo, text=start.text, reference=start.reference, k=k)

    def _pick(self, recommender: Recommender) -> list[StartingQuery]:
        index = recommender.index
        own = given(index.starting_queries, {product.id for product in index.products})
        own.sort(key=_brightness, reverse=True)  # a first page of dark photos invites nobody
        with_picture, sentences = choose(own, from_products(index.products), partial(self._answers, recommender))
        return [*with_picture, *sentences]

    def _answers(self, recommender: Recommender, start: StartingQuery) -> int:
        """How well a query is answered, for what is offered as a first click should work: 2 where a right product comes
        first and beyond doubt, 1 where one is in the first row, else 0."""
        try:
            query = self._query(start, ROW)
            found = recommender.recommend(query)
        except InputError:
            return 0
        self._first[start] = found[0].id if found else ""
        right = [not start.targets or one.id in start.targets for one in found]
        return 0 if not any(right) or nothing_matches(query, found) else 1 + right[0]

    def page(self, recommender: Recommender, passing: int | None = None, link: str = "") -> str:
        """The first page as HTML; with filters set already, how many products are `passing` them, and their link."""
        shown = []
        for number, start in enumerate(self._starts):
            picture = ""
            if start.image:
                picture = f"{pictures.STARTS}/{number}"
            elif start.reference:
                if not recommender.index.holds(start.reference):  # it has left the catalogue since
                    continue
                picture = pictures.picture(recommender.product(start.reference))
            first = self._first.get(start, "")
            found = cards.tile(recommender.product(first)) if recommender.index.holds(first) else None
            shown.append(
                {"number": number, "text": start.text, "picture": picture, "title": start.text, "found": found}
            )
        return cards.render(
            "welcome",
            passing=passing,
            link=link,
            contents=_contents(recommender),
            photos=[item for item in shown if item["picture"]],
            sentences=[item for item in shown if not item["picture"]],
        )

    @property
    def pictures(self) -> dict[str, bytes]:
        """Number of a starting query -> its picture as a WebP file."""
        return {str(number): start.image for number, start in enumerate(self._starts) if start.image}


def _brightness(start: StartingQuery) -> float:
    """The mean grey of a query's photo, 0 to 255; 0 for a query without one."""
    return ImageStat.Stat(imaging.decode(start.image, max_side=64).convert("L")).mean[0] if start.image else 0.0


def _contents(recommender: Recommender) -> str:
    """What the catalogue has, in one sentence: how many products, and the kinds that it has most of."""
    products = recommender.index.products
    amount = translate("{n} {noun}", n=f"{len(products):,}", noun=noun(len(products)))
    kinds = list(recommender.index.facets.get("category", {}))
    if len(kinds) < 2:
        return amount
    first = translate(", ").join(word("category", kind) for kind in kinds[:KINDS])
    if len(kinds) > KINDS:
        return translate("{amount}: {kinds:lower} and more", amount=amount, kinds=first)
    return translate("{amount}: {kinds:lower}", amount=amount, kinds=first)

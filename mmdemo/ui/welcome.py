"""The first page: queries to begin with, each tried before it is offered."""

from __future__ import annotations

from pathlib import Path

from mmdemo import imaging
from mmdemo.errors import InputError
from mmdemo.query import Query
from mmdemo.recommender import Recommender
from mmdemo.ui import answer, cards, starts, theme
from mmdemo.ui.uploads import SIDE

ROW = 4  # results in the first row of a wide screen


class Welcome:
    """The queries to begin with on one catalogue."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._first: dict[starts.Start, str] = {}  # the id of each query's first answer
        self._starts = self._pick()

    def start(self, number: str) -> starts.Start:
        """The query of this number, an empty one for a number that is none."""
        known = number.isdecimal() and int(number) < len(self._starts)
        return self._starts[int(number)] if known else starts.Start()

    def example(self) -> Query | None:
        """The first query whose photo and words both go to the encoder, or whatever there is; None for nothing."""
        asked = [self._query(start) for start in self._starts]
        both = [q for q in asked if (q.image or q.reference) and q.text and self._recommender.read(q).text]
        return next(iter([*both, *asked]), None)

    def _query(self, start: starts.Start, k: int = 12) -> Query:
        photo = None if start.image is None else imaging.decode(start.image, max_side=SIDE)
        return Query(image=photo, text=start.text, reference=start.reference, k=k)

    def _pick(self) -> list[starts.Start]:
        products = self._recommender.index.products
        known = {item.id for item in products}
        folder = theme.ASSETS.parent / "catalog"
        photos, said = starts.choose(starts.given(folder, known), starts.from_products(products), self._answers)
        return [*photos, *said]

    def _answers(self, start: starts.Start) -> int:
        """How well a query is answered, for what is offered as a first click should work: 2 where a right product comes
        first and beyond doubt, 1 where one is in the first row, else 0."""
        try:
            query = self._query(start, ROW)
            found = self._recommender.recommend(query)
        except InputError:
            return 0
        self._first[start] = found[0].id if found else ""
        right = [not start.targets or one.id in start.targets for one in found]
        return 0 if not any(right) or answer.doubt(query, found) else 1 + right[0]

    def page(self, passing: int | None = None, link: str = "") -> str:
        """The first page as HTML; with filters set already, how many products are `passing` them, and their link."""
        shown = []
        for number, start in enumerate(self._starts):
            picture = ""
            if start.image is not None:
                picture = f"{cards.STARTS}/{number}"
            elif start.reference:
                picture = cards.picture(self._recommender.product(start.reference))
            first = self._first.get(start, "")
            found = cards.tile(self._recommender.product(first)) if self._recommender.index.holds(first) else None
            shown.append(
                {"number": number, "text": start.text, "picture": picture, "title": start.text, "found": found}
            )
        return cards.render(
            "welcome",
            passing=passing,
            link=link,
            photos=[item for item in shown if item["picture"]],
            sentences=[item for item in shown if not item["picture"]],
        )

    @property
    def pictures(self) -> dict[str, Path]:
        """Number -> file, for the pictures of the queries to begin with."""
        return {str(number): start.image for number, start in enumerate(self._starts) if start.image is not None}

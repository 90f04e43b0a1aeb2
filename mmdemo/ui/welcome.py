"""The first page: queries to begin with, each tried before it is offered."""

from __future__ import annotations

from pathlib import Path

from mmdemo import imaging
from mmdemo.errors import InputError
from mmdemo.query import Query
from mmdemo.recommender import Recommender
from mmdemo.ui import cards, starts, theme
from mmdemo.ui.uploads import SIDE

ROW = 4  # results in the first row of a wide screen


class Welcome:
    """The queries to begin with on one catalogue."""

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender
        self._starts = self._pick()

    def start(self, number: str) -> starts.Start:
        """The query of this number, an empty one for a number that is none."""
        known = number.isdecimal() and int(number) < len(self._starts)
        return self._starts[int(number)] if known else starts.Start()

    def _pick(self) -> list[starts.Start]:
        products = self._recommender.index.products
        known = {item.id for item in products}
        folder = theme.ASSETS.parent / "catalog"
        photos, said = starts.choose(starts.given(folder, known), starts.from_products(products), self._answers)
        return [*photos, *said]

    def _answers(self, start: starts.Start) -> bool:
        """Whether a right product is in the first row: what is offered as a first click should work."""
        if not start.targets:
            return True
        try:
            photo = None if start.image is None else imaging.decode(start.image, max_side=SIDE)
            query = Query(image=photo, text=start.text, reference=start.reference, k=ROW)
            return any(found.id in start.targets for found in self._recommender.recommend(query))
        except InputError:
            return False

    def page(self, passing: int | None = None, link: str = "") -> str:
        """The first page as HTML; with filters set already, how many products are `passing` them, and their link."""
        shown = []
        for number, start in enumerate(self._starts):
            picture = ""
            if start.image is not None:
                picture = f"{cards.STARTS}/{number}"
            elif start.reference:
                picture = cards.picture(self._recommender.product(start.reference))
            shown.append({"number": number, "text": start.text, "picture": picture, "title": start.text})
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

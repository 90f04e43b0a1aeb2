"""The trail of a visit: every answered search is a step, and a click goes back to it."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Any

from mmdemo.recommender import Recommender
from mmdemo.say import word
from mmdemo.ui import cards
from mmdemo.ui.search import Search

LONGEST = 12  # steps; older ones are forgotten
MOST_TOLD = 16  # tastes that an answer still on its way may have been asked with


@dataclass(frozen=True)
class Trail:
    """Searches in the order in which they were made, and the one that is shown."""

    steps: tuple[Search, ...] = ()
    at: int = -1

    def to(self, search: Search) -> Trail:
        """The trail once this search is answered: a known step is shown again, a new one comes last."""
        if search.empty:
            return Trail(self.steps, -1)
        known = [step.what for step in self.steps]
        if search.what in known:
            at = known.index(search.what)
            return Trail((*self.steps[:at], search, *self.steps[at + 1 :]), at)
        steps = (*self.steps, search)[-LONGEST:]
        return Trail(steps, len(steps) - 1)

    def step(self, number: object) -> Search | None:
        """The search at this place, None where there is none."""
        known = isinstance(number, str) and number.isdecimal() and int(number) < len(self.steps)
        return self.steps[int(number)] if known else None  # type: ignore[call-overload]


class Visit:
    """What the server knows of one open page, changed in place by whoever has its `turn`.

    Two quick clicks are sent at once, and the second cannot carry what the first one will be answered: it is read here.
    """

    def __init__(self) -> None:
        self.turn, self.trail = Lock(), Trail()
        self.shown = Search()  # what the page was last answered, an empty search too
        self._told: list[Any] = []  # tastes in the browser's form: what it sent, and what it was told since

    def __deepcopy__(self, memo: object) -> Visit:
        return Visit()  # Gradio copies the first value of a state for every page that opens

    def taste(self, sent: Any) -> Any:
        """The taste of now, for a request that carries `sent`: what was told last, where the request may be older."""
        if sent not in self._told:
            self._told = [sent]
        return self._told[-1]

    def clicked(self, kept: Any) -> None:
        """Keep what the browser is about to be told."""
        self._told = [*self._told[-MOST_TOLD:], kept]


def draw(trail: Trail, recommender: Recommender) -> str:
    """The row of crumbs as HTML; empty before the first answer."""
    steps = []
    for number, search in enumerate(trail.steps):
        start = search.reference if search.reference and recommender.index.holds(search.reference) else ""
        product = recommender.product(start) if start else None
        steps.append(
            {
                "number": number,
                "current": number == trail.at,
                "photos": bool(search.photo) + len(search.blend),
                "title": product.shown("title") if product else "",
                "picture": cards.picture(product) if product else "",
                "text": search.text.strip(),
                "taste": search.by_taste,
                "filters": [word(column, value) for column, values in search.facets for value in values],
                "low": search.low,
                "high": search.high,
            }
        )
    return cards.render("trail", steps=steps)

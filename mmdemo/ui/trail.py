"""The trail of a visit: every answered search is a step, and a click goes back to it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from gradio.utils import get_upload_folder

from mmdemo.core.errors import InputError
from mmdemo.search.recommender import Recommender
from mmdemo.serve import uploads
from mmdemo.serve.pictures import picture, small
from mmdemo.serve.translation import translate, word
from mmdemo.ui import cards
from mmdemo.ui.search_state import Photo, SearchState

PICTURES = 3  # photos that a step shows
LONGEST = 12  # steps; older ones are forgotten
MOST_TOLD = 16  # tastes that an answer still on its way may have been asked with


@dataclass(frozen=True)
class Trail:
    """Searches in the order in which they were made, and the one that is shown."""

    steps: tuple[SearchState, ...] = ()
    at: int = -1

    def to(self, search: SearchState) -> Trail:
        """The trail once this search is answered: a known step is shown again, a new one comes last."""
        if search.empty:
            return Trail(self.steps, -1)
        known = [step.what for step in self.steps]
        if search.what in known:
            at = known.index(search.what)
            return Trail((*self.steps[:at], search, *self.steps[at + 1 :]), at)
        steps = (*self.steps, search)[-LONGEST:]
        return Trail(steps, len(steps) - 1)

    def step(self, number: object) -> SearchState | None:
        """The search at this place, None where there is none."""
        known = isinstance(number, str) and number.isdecimal() and int(number) < len(self.steps)
        return self.steps[int(number)] if known else None  # type: ignore[call-overload]


class Visit:
    """What the server knows of one open page, changed in place by whoever has its `turn`.

    Two quick clicks are sent at once, and the second cannot carry what the first one will be answered: it is read here.
    """

    def __init__(self) -> None:
        self.turn, self.trail = Lock(), Trail()
        self.shown = SearchState()  # what the page was last answered, an empty search too
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


@lru_cache(maxsize=512)
def _small(photo: Photo) -> str:
    return small(uploads.read(photo.path, Path(get_upload_folder())))


def _pictures(search: SearchState) -> list[str]:
    """The photos of a step, small; one that is kept no longer and was not drawn before is left out."""
    drawn = []
    for photo in [*([search.photo] if search.photo else []), *search.blend][:PICTURES]:
        with suppress(InputError):
            drawn.append(_small(photo))
    return drawn


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
                "title": translate(product.shown("title")) if product else "",
                "pictures": _pictures(search) or ([picture(product)] if product else []),
                "text": search.text.strip(),
                "taste": search.by_taste,
                "history": bool(search.history),
                "filters": [word(column, value) for column, values in search.facets for value in values],
                "low": search.low,
                "high": search.high,
            }
        )
    return cards.render("trail", steps=steps)

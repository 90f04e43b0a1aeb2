"""A recommender that follows its index: when another process makes a new version live, it is answered from next.

Every call is answered by one version from beginning to end. A version that cannot be opened changes nothing.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

from mmdemo.errors import InputError
from mmdemo.index import ProductIndex, live_version
from mmdemo.recommender import Recommender

log = logging.getLogger(__name__)
_pinned: ContextVar[Recommender | None] = ContextVar("pinned", default=None)


class Live:
    """Stands in for the recommender of whatever version is live; `open_live` makes one."""

    def __init__(self, path: Path, every: float = 1.0) -> None:
        self._path = path
        self._now = Recommender.load(path)
        self._seen = self._now.index.folder
        self._ended = threading.Event()
        threading.Thread(target=self._follow, args=(every,), name="follow the index", daemon=True).start()

    def __getattr__(self, name: str) -> Any:
        return getattr(_pinned.get() or self._now, name)

    def _follow(self, every: float) -> None:
        while not self._ended.wait(every):
            self.look()

    def look(self) -> None:
        """Open what is live now, if that is another version than the last one looked at."""
        version = live_version(self._path)
        if version is None or version == self._seen:
            return
        self._seen = version
        try:
            fresh = ProductIndex.load(self._path)
            if fresh.manifest["encoder"] == self._now.index.manifest["encoder"]:
                successor = self._now.on(fresh)
            else:
                successor = Recommender.load(self._path)
            _ = (
                successor.index.facets,
                successor.index.standing(fresh.vectors[0], fresh.vectors[:1, 0]),
            )  # now, not later
        except InputError as error:
            log.warning("the new version cannot be opened, so the old one goes on answering: %s", error)
        except Exception:
            log.exception("the new version cannot be opened, so the old one goes on answering")
        else:
            self._now = successor

    @contextmanager
    def _pin(self) -> Iterator[None]:
        token = _pinned.set(self._now)
        try:
            yield
        finally:
            _pinned.reset(token)


def open_live(path: Path | str) -> Recommender:
    """The recommender of the index at `path`, and of every version that takes its place from then on."""
    return cast(Recommender, Live(Path(path)))


def one_version(recommender: Recommender) -> Any:
    """A context in which all that is asked of this recommender is answered by the same version."""
    return cast(Any, recommender)._pin() if isinstance(recommender, Live) else nullcontext()

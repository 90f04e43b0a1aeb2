"""A recommender that follows its index: when another process makes a new version live, it is answered from next.

Every call is answered by one version from beginning to end. A version that cannot be opened changes nothing.
"""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast

from mmdemo.errors import InputError
from mmdemo.home import at_home
from mmdemo.index import ProductIndex, live_version
from mmdemo.recommender import Recommender

log = logging.getLogger(__name__)
_pinned: ContextVar[Recommender | None] = ContextVar("pinned", default=None)


class Live:
    """Stands in for the recommender of whatever version is live; `open_live` makes one."""

    def __init__(self, path: Path, every: float = 1.0, beside: Iterable[Recommender] = ()) -> None:
        self._path = path = at_home(path)
        self._now = _open(path, beside)
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
            successor = _open(self._path, [self._now])
            index = successor.index
            _ = index.facets, index.standing(index.vectors[0], index.vectors[:1, 0])  # now, not later
        except InputError as error:
            log.warning("the new version cannot be opened, so the old one goes on answering: %s", error)
        except Exception:
            log.exception("the new version cannot be opened, so the old one goes on answering")
        else:
            self._now = successor

    def end(self) -> None:
        """Follow the index no longer; the version that is open goes on answering."""
        self._ended.set()

    @contextmanager
    def _pin(self) -> Iterator[None]:
        token = _pinned.set(self._now)
        try:
            yield
        finally:
            _pinned.reset(token)


def open_live(path: Path | str, beside: Iterable[Recommender] = ()) -> Recommender:
    """The recommender of the index at `path`, and of every version that takes its place from then on.

    An encoder that one of the recommenders `beside` it has open already is shared with it, not loaded again.
    """
    return cast(Recommender, Live(Path(path), beside=beside))


def close_live(recommender: Recommender) -> None:
    """Let go of a recommender that nobody will ask any more."""
    if isinstance(recommender, Live):
        recommender.end()


def _open(path: Path, beside: Iterable[Recommender]) -> Recommender:
    if others := list(beside):
        index = ProductIndex.load(path)
        for other in others:
            if _weights(other.index) == _weights(index):
                return other.on(index)
    return Recommender.load(path)


def _weights(index: ProductIndex) -> tuple[object, ...]:
    made_by = index.manifest["encoder"]
    return made_by.get("weights_sha256"), made_by.get("preprocess")


def one_version(recommender: Recommender) -> Any:
    """A context in which all that is asked of this recommender is answered by the same version."""
    return cast(Any, recommender)._pin() if isinstance(recommender, Live) else nullcontext()

"""An index that is followed: when another process makes a new version live, requests are answered from that one.

A request takes `live.current()` on its first line and asks that recommender to its last, so one version of the index
answers it. A version that cannot be opened changes nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from mmdemo.core.errors import InputError
from mmdemo.core.paths import at_home
from mmdemo.index.product_index import ProductIndex, live_version
from mmdemo.search.recommender import Recommender

log = logging.getLogger(__name__)


class Live:
    """The recommender of the version that is live now: the given one, until `reload` opens a later one."""

    def __init__(self, recommender: Recommender) -> None:
        self._current = recommender
        self._path: Path | None = None
        self._last_tried = recommender.index.folder
        self._closed = threading.Event()

    @classmethod
    def open(cls, path: Path | str, every: float = 1.0, beside: Iterable[Live] = ()) -> Self:
        """Open the index at `path`, and look every so many seconds for a version that takes its place.

        An encoder that one of the indexes `beside` it has open already is shared with it, not loaded again.
        """
        folder = at_home(path)
        live = cls(_open(folder, [other.current() for other in beside]))
        live._path = folder
        threading.Thread(target=live._follow, args=(every,), name="follow the index", daemon=True).start()
        return live

    def current(self) -> Recommender:
        """The recommender of the version that is live now; it stays at this version."""
        return self._current

    def reload(self) -> None:
        """Open the version that is live now, unless it is the last one that was tried."""
        version = None if self._path is None else live_version(self._path)
        if self._path is None or version is None or version == self._last_tried:
            return
        self._last_tried = version
        try:
            successor = _open(self._path, [self._current])
            index = successor.index
            _ = index.facets, index.z_scores(index.vectors[0], index.vectors[:1, 0])  # now, not at the first request
        except InputError as error:
            log.warning("the new version cannot be opened, so the old one goes on answering: %s", error)
        except Exception:
            log.exception("the new version cannot be opened, so the old one goes on answering")
        else:
            self._current = successor

    def close(self) -> None:
        """Follow the index no longer; the version that is open goes on answering."""
        self._closed.set()

    def _follow(self, every: float) -> None:
        while not self._closed.wait(every):
            self.reload()


def _open(path: Path, beside: Iterable[Recommender]) -> Recommender:
    if others := list(beside):
        index = ProductIndex.load(path)
        for other in others:
            if _weights(other.index) == _weights(index):
                return other.on(index)
    return Recommender.load(path)


def _weights(index: ProductIndex) -> tuple[str, str]:
    encoder = index.manifest.encoder
    return encoder.weights_sha256, encoder.preprocess

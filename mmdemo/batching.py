"""Calls that come while another is worked on are answered together: one pass of the encoder for all that wait.

There is no thread: whoever finds nobody at work takes what waits, its own call among it. Alone, a call costs what it
did before.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from mmdemo.errors import InputError
from mmdemo.vectors import Array

Item = TypeVar("Item")


class Busy(InputError):
    """More is asked for at once than can be answered in time."""


class _Call(Generic[Item]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.row: Array | None = None
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.row is not None or self.error is not None


class Batcher(Generic[Item]):
    """Gathers single items for `work`, which turns n of them into n rows.

    At most `most` go into one pass and `waiting` may wait, none of them longer than `patience` seconds; beyond, Busy.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Array], most: int = 16, waiting: int = 64, patience: float = 20
    ) -> None:
        self._work, self._most, self._waiting, self._patience = work, most, waiting, patience
        self._calls: deque[_Call[Item]] = deque()
        self._gathering, self._working = threading.Lock(), threading.Lock()

    def __call__(self, item: Item) -> Array:
        """The row (1, width) of one item. Raises what `work` raises for this item alone, and Busy."""
        call = _Call(item)
        with self._gathering:
            if len(self._calls) >= self._waiting:
                raise Busy("the server is busy; try again in a few seconds")
            self._calls.append(call)
        while not call.done:
            if not self._working.acquire(timeout=self._patience):
                with self._gathering:
                    if call in self._calls:
                        self._calls.remove(call)
                raise Busy("the server is busy; try again in a few seconds")
            try:
                if not call.done:
                    self._pass()
            finally:
                self._working.release()
        if call.error is not None:
            raise call.error
        assert call.row is not None
        return call.row

    def _pass(self) -> None:
        with self._gathering:
            taken = [self._calls.popleft() for _ in range(min(self._most, len(self._calls)))]
        try:
            rows = self._work([call.item for call in taken])
            for call, row in zip(taken, rows, strict=True):
                call.row = np.array(row[None])
        except Exception as error:
            if len(taken) == 1:
                taken[0].error = error
                return
            for call in taken:  # one of them is at fault: each for itself
                try:
                    call.row = self._work([call.item])
                except Exception as own:
                    call.error = own

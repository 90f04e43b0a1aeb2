"""The encoder's rows for many who ask at once: none is made twice, and those that are new are made together.

Calls that come while others are worked on are answered in one pass of the encoder for all that wait. There is no
thread: whoever finds a pass free takes what waits, its own call among it. Alone, a call costs what it did before.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from mmdemo.errors import InputError
from mmdemo.vectors import Array

Item = TypeVar("Item")
PASSES = 2  # of the encoder beside each other, each on half of the cores (`share_cores`)


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

    `at_once` passes run beside each other. At most `most` items go into one and `waiting` may wait, none of them longer
    than `patience` seconds; beyond, Busy.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Array], most: int = 16, waiting: int = 64, patience: float = 20,
        at_once: int = 1,
    ) -> None:  # fmt: skip
        self._work, self._most, self._waiting, self._patience = work, most, waiting, patience
        self._calls: deque[_Call[Item]] = deque()
        self._change, self._free = threading.Condition(), at_once

    def __call__(self, item: Item) -> Array:
        """The row (1, width) of one item. Raises what `work` raises for this item alone, and Busy."""
        call = _Call(item)
        with self._change:
            if len(self._calls) >= self._waiting:
                raise Busy("the server is busy; try again in a few seconds")
            self._calls.append(call)
            until = time.monotonic() + self._patience
            while not call.done:
                if self._free and call in self._calls:
                    self._pass()
                elif not self._change.wait(until - time.monotonic()) and not call.done:
                    if call in self._calls:
                        self._calls.remove(call)
                    raise Busy("the server is busy; try again in a few seconds")
        if call.error is not None:
            raise call.error
        assert call.row is not None
        return call.row

    def _pass(self) -> None:
        """Answer the first that wait; held by whoever calls, `_change` is let go meanwhile."""
        taken = [self._calls.popleft() for _ in range(min(self._most, len(self._calls)))]
        self._free -= 1
        self._change.release()
        try:
            self._answer(taken)
        finally:
            self._change.acquire()
            self._free += 1
            self._change.notify_all()

    def _answer(self, taken: Sequence[_Call[Item]]) -> None:
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


class Rows(Generic[Item]):
    """Rows of items, of which the `most` that were asked for last are remembered.

    What is new is prepared by whoever asks, so beside the encoder, then worked on in a pass with what others ask.
    `key` tells items apart.
    """

    def __init__(
        self, prepare: Callable[[Item], Any], work: Callable[[Sequence[Any]], Array], most: int,
        key: Callable[[Item], Hashable],
    ) -> None:  # fmt: skip
        self._prepare, self._work, self._most, self._key = prepare, work, most, key
        self._one = Batcher[Any](work, at_once=PASSES)
        self._known: OrderedDict[Hashable, tuple[Item, Array]] = OrderedDict()  # items too: a key may be an address
        self._remembering = threading.Lock()

    def __call__(self, items: Sequence[Item]) -> Array:
        """The row of each of some items, (n, width)."""
        named = {self._key(item): item for item in items}
        with self._remembering:
            rows = {key: self._known[key][1] for key in named if key in self._known}
        fresh = {key: self._prepare(item) for key, item in named.items() if key not in rows}
        if fresh:
            given = list(fresh.values())
            rows |= zip(fresh, self._one(given[0]) if len(given) == 1 else self._work(given), strict=True)
        with self._remembering:
            for key, item in named.items():
                self._known[key] = item, rows[key]
                self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return np.stack([rows[self._key(item)] for item in items])

"""Batch the encoder calls of simultaneous users and remember recent embeddings.

Calls that arrive while the encoder is busy are answered together by its next batch. There is no worker thread: the
first caller to find a free slot runs the batch for all waiting callers. A single caller pays nothing for this.
It knows nothing of pictures or texts: items go in, rows of numbers come out.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from cachetools import LRUCache

from mmdemo.core.errors import InputError
from mmdemo.core.vectors import Array

Item = TypeVar("Item")
CONCURRENT_BATCHES = 2  # of the encoder, each on half of the cores (`bootstrap`)


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
    """Answers single calls from several threads in batches.

    Parameters
    ----------
    encode
        Turns n items into rows (n, width).
    max_batch
        The most items in a batch.
    max_waiting
        The most calls that may wait; a further one raises `Busy` at once.
    timeout
        Seconds that a call may wait before it raises `Busy`.
    slots
        The most batches that run at the same time.

    Examples
    --------
    >>> squares = Batcher(lambda numbers: np.array([[n * n] for n in numbers], np.float32))
    >>> squares(3)
    array([[9.]], dtype=float32)
    """

    def __init__(
        self,
        encode: Callable[[Sequence[Item]], Array],
        max_batch: int = 16,
        max_waiting: int = 64,
        timeout: float = 20,
        slots: int = 1,
    ) -> None:
        self._encode, self._max_batch, self._max_waiting, self._timeout = encode, max_batch, max_waiting, timeout
        self._waiting: deque[_Call[Item]] = deque()
        self._changed, self._free_slots = threading.Condition(), slots

    def __call__(self, item: Item) -> Array:
        """The row (1, width) of one item. Raises what `encode` raises for this item alone, and `Busy`."""
        call = _Call(item)
        with self._changed:
            if len(self._waiting) >= self._max_waiting:
                raise Busy("the server is busy; try again in a few seconds")
            self._waiting.append(call)
            deadline = time.monotonic() + self._timeout
            while not call.done:
                if self._free_slots and call in self._waiting:
                    self._run_batch()
                elif not self._changed.wait(deadline - time.monotonic()) and not call.done:
                    if call in self._waiting:
                        self._waiting.remove(call)
                    raise Busy("the server is busy; try again in a few seconds")
        if call.error is not None:
            raise call.error
        assert call.row is not None
        return call.row

    def _run_batch(self) -> None:
        """Answer the calls that have waited longest. The caller holds `_changed`, which is released meanwhile."""
        batch = [self._waiting.popleft() for _ in range(min(self._max_batch, len(self._waiting)))]
        self._free_slots -= 1
        self._changed.release()
        try:
            self._answer(batch)
        finally:
            self._changed.acquire()
            self._free_slots += 1
            self._changed.notify_all()

    def _answer(self, batch: Sequence[_Call[Item]]) -> None:
        try:
            rows = self._encode([call.item for call in batch])
            for call, row in zip(batch, rows, strict=True):
                call.row = np.array(row[None])
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for call in batch:  # one of them is at fault, so each is encoded alone
                try:
                    call.row = self._encode([call.item])
                except Exception as item_error:
                    call.error = item_error


class EmbeddingCache(Generic[Item]):
    """Embeddings of items, of which the most recently used are kept.

    A new item is prepared in the caller's thread, while the encoder may be busy with others, and then encoded in a
    batch with the items of other callers.

    Parameters
    ----------
    prepare
        What can be done to one item before the encoder's turn.
    encode
        Turns n prepared items into embeddings (n, width).
    capacity
        How many embeddings are kept.
    key
        Identifies an item; items with the same key are the same.

    Examples
    --------
    >>> lengths = EmbeddingCache(str.strip, lambda texts: np.array([[len(t)] for t in texts], np.float32), 10, key=str)
    >>> lengths(["mug ", "tray", "mug "])
    array([[3.],
           [4.],
           [3.]], dtype=float32)
    """

    def __init__(
        self,
        prepare: Callable[[Item], Any],
        encode: Callable[[Sequence[Any]], Array],
        capacity: int,
        key: Callable[[Item], Hashable],
    ) -> None:
        self._prepare, self._encode, self._key = prepare, encode, key
        self._encode_one = Batcher[Any](encode, slots=CONCURRENT_BATCHES)
        self._cache: LRUCache[Hashable, tuple[Item, Array]] = LRUCache(capacity)  # with items: a key may be an id()
        self._lock = threading.Lock()

    def __call__(self, items: Sequence[Item]) -> Array:
        """The embeddings (n, width) of n items."""
        by_key = {self._key(item): item for item in items}
        with self._lock:
            rows = {key: self._cache[key][1] for key in by_key if key in self._cache}
        fresh = {key: self._prepare(item) for key, item in by_key.items() if key not in rows}
        if fresh:
            prepared = list(fresh.values())
            rows |= zip(
                fresh, self._encode_one(prepared[0]) if len(prepared) == 1 else self._encode(prepared), strict=True
            )
        with self._lock:
            for key, item in by_key.items():
                self._cache[key] = item, rows[key]
        return np.stack([rows[self._key(item)] for item in items])

"""The connections of the server: how many there may be, and how long one may say nothing or read nothing.

Knows neither addresses nor pages; `gate` judges what a whole request asks for.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from contextlib import suppress
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD = 10.0  # seconds in which the head of a request is there, counted from the connection or from its first byte
UNREAD = 20.0  # seconds after which a connection is given up that reads nothing of what waits for it
MOST = 4000  # connections at once, where the system has handles for them
OWN = 256  # handles left to files, to children and to what has just been accepted


def most() -> int:
    """How many connections are held at once, after the process was given all the handles that it may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return MOST if soft == resource.RLIM_INFINITY else max(16, min(MOST, soft - OWN))


class Connection(H11Protocol):
    """One connection, given up where it holds a place without a use.

    Uvicorn keeps one that says nothing, half a head, or reads nothing, for as long as the other side likes, and where
    the handles are used up nobody is answered.
    """

    most = MOST

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.began = self.loop.time()
        self._head: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= self.most:
            self._make_room()
        super().connection_made(transport)
        self._wait_for_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._head is None and not self.answering:
            self._wait_for_a_head()
        super().data_received(data)
        if self.answering and self._head is not None:
            self._head.cancel()
            self._head = None

    def handle_events(self) -> None:
        if self.flow.write_paused:  # nothing more is made for whoever has not read what was
            self.flow.pause_reading()
            return
        super().handle_events()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_again()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        if not self.answering and not self.transport.is_closing():
            self.flow.resume_reading()
            self.handle_events()

    @property
    def address(self) -> str:
        """Where it comes from, as the network has it: a proxy's is the proxy's own."""
        return self.client[0] if self.client else ""

    @property
    def answering(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_a_head(self) -> None:
        self._head = self.loop.call_later(HEAD, self._give_up_on_a_head)

    def _give_up_on_a_head(self) -> None:
        self._head = None
        if not self.answering:
            self.transport.abort()

    def _look_again(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(UNREAD, self._give_up_unread, left)

    def _give_up_unread(self, before: int) -> None:
        if self.transport.get_write_buffer_size() < before:
            self._look_again()
        else:
            self.transport.abort()

    def _make_room(self) -> None:
        """Give one connection up: an idle one before one that is answered, of whoever has the most, the oldest."""
        others = [other for other in self.connections if isinstance(other, Connection)]
        held = Counter(other.address for other in others)
        last = min(others, key=lambda other: (other.answering, -held[other.address], other.began))
        self.connections.discard(last)
        last.transport.abort()

"""Locks between processes on an index folder; the system drops them when a process ends, however it ends.

Writers exclude each other. A reader holds the version that it has open, so that no writer deletes it meanwhile.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmdemo.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: no locks, so one writer at a time is up to whoever starts them
    fcntl = None  # type: ignore[assignment]

_held = threading.local()


@contextmanager
def writing(folder: Path, wait: float = 30) -> Iterator[None]:
    """Hold the one right to change this folder; within it, it may be asked for again.

    Raises InputError where another program holds it for longer than `wait` seconds.
    """
    key = str(folder.resolve())
    held: set[str] = _held.__dict__.setdefault("keys", set())
    if key in held or fcntl is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise InputError(
                        f"another program is writing to '{folder}'; wait until it has ended, then try again"
                    ) from None
                time.sleep(0.05)
        held.add(key)
        try:
            yield
        finally:
            held.discard(key)


class Hold:
    """A shared lock on a file for as long as this object lives; on nothing where the file is gone."""

    def __init__(self, file: Path) -> None:
        self._handle = -1
        try:
            self._handle = os.open(file, os.O_RDONLY)
            if fcntl is not None:
                fcntl.flock(self._handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            pass  # being deleted: whoever opens it will notice

    def __del__(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)


def is_held(file: Path) -> bool:
    """Whether anybody holds the file."""
    try:
        with file.open("rb") as stream:
            if fcntl is not None:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False

"""Locks between processes on an index folder; the system drops them when a process ends, however it ends.

Writers exclude each other. A reader holds the version that it has open, so that no writer deletes it meanwhile: a
shared lock, which filelock does not have, and therefore an own one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mmdemo.core.errors import InputError

try:
    import fcntl
except ImportError:  # Windows, where a version that is open cannot be deleted anyway
    fcntl = None  # type: ignore[assignment]


@contextmanager
def writing(folder: Path, wait: float = 30) -> Iterator[None]:
    """Hold the one right to change this folder; the thread that holds it may ask for it again.

    Raises InputError where another program or thread holds it for longer than `wait` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.resolve() / ".lock", is_singleton=True)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        raise InputError(
            "another program is writing to '{folder}'; wait until it has ended, then try again", folder=folder
        ) from None
    try:
        yield
    finally:
        lock.release()


class Hold:
    """A shared lock on a file for as long as this object lives; on nothing where the file is gone."""

    def __init__(self, file: Path) -> None:
        self._handle = -1
        try:
            self._handle = os.open(file, os.O_RDONLY)
            if fcntl is not None:
                fcntl.flock(self._handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            pass  # it is being deleted, which the reader notices as it opens the files

    def __del__(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)


def is_held(file: Path) -> bool:
    """Whether any process holds the file."""
    try:
        with file.open("rb") as stream:
            if fcntl is not None:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False

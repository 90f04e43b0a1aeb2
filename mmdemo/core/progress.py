"""How long work reports its progress: a callback that is told how much of what is done."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]  # done, total, what is being done


def silent(done: int, total: int, what: str) -> None:
    """A progress callback that reports nothing."""

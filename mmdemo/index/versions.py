"""Keeps the versions of an index: one is live, the file `current` names it, and a new one replaces it whole."""

import os
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from mmdemo.index.locks import is_held

# Only folders with such a name are ever deleted: `out` may hold other things, the catalogue itself among them.
VERSION = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}|\.\d{8}-\d{6}-[0-9a-f]{6}\.part")
POINTER = re.compile(r"\.current-[0-9a-f]{6}")  # one that was written and never became `current`


def live_version(path: Path) -> Path | None:
    """The folder of the version that is live, None where there is none."""
    try:
        version = (path / "current").read_text(encoding="utf-8").strip()
        safe = version and Path(version).name == version and not version.startswith(".")
        return path / version if safe and (path / version).is_dir() else None
    except (OSError, ValueError):  # no text, or too long for a name
        return None


def begin_version(out: Path) -> tuple[str, Path]:
    """The name of a new version and the folder in which it is written."""
    version = time.strftime("%Y%m%d-%H%M%S-") + uuid.uuid4().hex[:6]
    folder = out / f".{version}.part"
    folder.mkdir(parents=True)
    return version, folder


def publish(out: Path, version: str, folder: Path, delete: Callable[[Path], None]) -> None:
    """Flush a written version to the disk, make it the live one, and `delete` old ones.

    The version before it stays, and so do those that a process has open; older and unfinished ones are deleted.
    """
    for written in (*folder.rglob("*"), folder):
        _fsync(written)
    final = out / version
    folder.replace(final)
    _fsync(out)
    pointer = out / f".current-{uuid.uuid4().hex[:6]}"
    pointer.write_text(version + "\n")
    _fsync(pointer)
    before = live_version(out)
    pointer.replace(out / "current")
    _fsync(out)
    for old in out.iterdir():
        if POINTER.fullmatch(old.name):
            old.unlink(missing_ok=True)
        elif VERSION.fullmatch(old.name) and old.is_dir() and old not in (final, before):
            if not is_held(old / "manifest.json"):
                delete(old)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Versions of an index folder: one is live, `current` names it, and a new one takes its place whole or not at all."""

import os
import re
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from mmdemo.locks import is_held

# Only folders with such a name are ever deleted: `out` may hold other things, the catalogue itself among them.
VERSION = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}|\.\d{8}-\d{6}-[0-9a-f]{6}\.part")
POINTER = re.compile(r"\.current-[0-9a-f]{6}")  # one that was cut short before it took its place


def live_version(path: Path) -> Path | None:
    """The folder of the version that is live, None where there is none."""
    try:
        version = (path / "current").read_text(encoding="utf-8").strip()
        safe = version and Path(version).name == version and not version.startswith(".")
        return path / version if safe and (path / version).is_dir() else None
    except (OSError, ValueError):  # no text, or too long for a name
        return None


def begun(out: Path) -> tuple[str, Path]:
    """The name of a new version and the folder, with room for thumbnails, in which it is written."""
    version = time.strftime("%Y%m%d-%H%M%S-") + uuid.uuid4().hex[:6]
    folder = out / f".{version}.part"
    (folder / "thumbs").mkdir(parents=True)
    return version, folder


def publish(out: Path, version: str, folder: Path, forget: Callable[[Path], None]) -> None:
    """Make a version that is written the live one, on the disk too, and `forget` what else a version's folder holds.

    One version back stays, and what somebody has open; what else is older, or was cut short, goes.
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
                forget(old)


def hard_link(source: Path, target: Path) -> None:
    """The same file under another name, a copy where the system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

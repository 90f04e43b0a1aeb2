"""Pictures that visitors send: drawn anew on arrival, so that only pixels are kept, and deleted an hour after use.

What is no picture is not kept at all: its file then holds the sentence that says why.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from PIL import Image

from mmdemo import imaging
from mmdemo.errors import InputError
from mmdemo.say import say

SIDE = 512  # pixels of the longer side that are kept; as in the command line, so that both give the same answer
KEPT = 60 * 60  # seconds since the last use
PREFIX = "mmdemo-uploads-"
_REFUSED = b"mmdemo refused this picture: "
_drawing = threading.Lock()


def make_folder() -> Path:
    """A private folder for this process's uploads, gone with it; those of processes that were killed go now."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not _alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")).resolve()
    atexit.register(remove, folder)
    return folder


def remove(folder: Path) -> None:
    """Delete the folder and everything in it, if it is this process's own and not one that it was forked from."""
    if folder.name.startswith(f"{PREFIX}{os.getpid()}-"):
        shutil.rmtree(folder, ignore_errors=True)


def draw_anew(path: str) -> str:
    """Replace an upload by its pixels (PNG, at most `SIDE`), or by the reason why not; returns the new path.

    Gradio gives the same file sent twice the same path, so two visitors who send it at once get the same picture.
    """
    source = Path(path)
    target = source.with_name(f"{hashlib.sha256(source.name.encode()).hexdigest()[:16]}.png")
    with _drawing:
        if not source.exists() and target.exists():
            return str(target)
        half_done = target.with_suffix(".part")
        try:
            imaging.decode(source, max_side=SIDE).save(half_done, "PNG", compress_level=1)
        except InputError as error:
            half_done.write_bytes(_REFUSED + str(error).encode())
        finally:
            source.unlink(missing_ok=True)
        half_done.replace(target)
    return str(target)


def place(source: Path, folder: Path) -> str:
    """A picture of our own among the uploads, as if a visitor had sent it; returns where it lies."""
    target = folder / f"own-{hashlib.sha256(str(source).encode()).hexdigest()[:16]}.png"
    with _drawing:
        if not target.exists():
            half_done = target.with_suffix(".part")
            imaging.decode(source, max_side=SIDE).save(half_done, "PNG", compress_level=1)
            half_done.replace(target)
    return str(target)


def read(path: str, folder: Path) -> Image.Image:
    """The picture of an upload; InputError for a refused one and for any other file of this machine."""
    try:
        file = Path(path).resolve()
        if not file.is_relative_to(folder):
            raise FileNotFoundError
        os.utime(file)
        with file.open("rb") as stream:
            head = stream.read(1000)
    except (OSError, ValueError):
        raise InputError(
            say(
                "the picture was not uploaded to this server, or longer ago than it is kept; upload it and send what "
                "the upload returned"
            )
        ) from None
    if head.startswith(_REFUSED):
        raise InputError(head.removeprefix(_REFUSED).decode(errors="replace"))
    return imaging.decode(file, max_side=SIDE)


def sweep(folder: Path, kept: float = KEPT) -> None:
    """Delete what was not used for so many seconds."""
    for file in list(folder.rglob("*")):
        with contextlib.suppress(OSError):
            if file.is_file() and time.time() - file.lstat().st_mtime > kept:
                file.unlink()
            elif file.is_dir():
                file.rmdir()  # only where it is empty


def sweep_often(folder: Path, every: float = 60) -> threading.Event:
    """Sweep in the background until the returned event is set."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(every):
            sweep(folder)

    threading.Thread(target=work, name="sweep uploads", daemon=True).start()
    return ended


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # of another user
    return True

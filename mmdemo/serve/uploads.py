"""Pictures that visitors send: drawn anew on arrival, so that only pixels are kept, and deleted an hour after use.

What is no picture is not kept at all: its file then holds the sentence that says why.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import threading
import time
from pathlib import Path

from PIL import Image

from mmdemo.catalog import imaging
from mmdemo.core.errors import InputError
from mmdemo.core.messages import as_json, from_json

SIDE = 512  # pixels of the longer side that are kept; as in the command line, so that both give the same answer
KEPT = 60 * 60  # seconds since the last use
_KEY = re.compile("[0-9a-f]{32}")
_REFUSED = b"mmdemo refused this picture: "
_drawing = threading.Lock()


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
            half_done.write_bytes(_REFUSED + json.dumps(as_json(error.message)).encode())
        finally:
            source.unlink(missing_ok=True)
        half_done.replace(target)
    return str(target)


def place(picture: bytes, folder: Path) -> str:
    """Put an encoded picture of our own among the uploads, as if a visitor had sent it; returns where it lies."""
    target = folder / f"own-{hashlib.sha256(picture).hexdigest()[:16]}.png"
    with _drawing:
        if not target.exists():
            half_done = target.with_suffix(".part")
            imaging.decode(picture, max_side=SIDE).save(half_done, "PNG", compress_level=1)
            half_done.replace(target)
    return str(target)


def keep(path: str, key: str, folder: Path) -> None:
    """Make an upload findable by this key, the beginning of its hash, for as long as it is kept."""
    if _KEY.fullmatch(key):
        with contextlib.suppress(FileExistsError):
            os.link(path, folder / f"{key}.png")


def find(key: str, folder: Path) -> str:
    """Where the upload with this key lies; "" where it is kept no longer, and for what is no key."""
    file = folder / f"{key}.png"
    return str(file) if _KEY.fullmatch(key) and file.is_file() else ""


def read(path: str, folder: Path) -> Image.Image:
    """The picture of an upload; InputError for a refused one and for any other file of this machine."""
    try:
        file = Path(path).resolve()
        if not file.is_relative_to(folder):
            raise FileNotFoundError
        os.utime(file)
        with file.open("rb") as stream:
            head = stream.read(4000)
    except (OSError, ValueError):
        raise InputError(
            "the picture was not uploaded to this server, or longer ago than it is kept; upload it and send what "
            "the upload returned"
        ) from None
    if head.startswith(_REFUSED):
        raise InputError(from_json(json.loads(head.removeprefix(_REFUSED))))
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

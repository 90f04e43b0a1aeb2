"""The private temporary folder in which one process keeps its visitors' uploads, deleted when the process ends."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "mmdemo-uploads-"


def make_folder() -> Path:
    """A private folder for this process's uploads, gone with it; those of processes that were killed go now."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not _is_alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")).resolve()
    atexit.register(remove, folder)
    return folder


def remove(folder: Path) -> None:
    """Delete the folder and everything in it, if it is this process's own and not one that it was forked from."""
    if folder.name.startswith(f"{PREFIX}{os.getpid()}-"):
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # of another user
    return True

"""Unpack a ZIP that a stranger made. Knows nothing of catalogues."""

import lzma
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from mmdemo.errors import InputError
from mmdemo.say import say

MAX_FILES = 100_000  # and as many folders, each of which takes room on a disk though it holds nothing
DEEPEST = 20  # folders within folders
MAX_TOTAL = 8 * 1024**3
MAX_RATIO = 100
SMALL = 16 * 1024 * 1024  # below this the ratio does no harm: a short table of like rows packs very well

_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,  # a name of no letters
    struct.error,
)


def extract(path: Path, into: Path, most: int | None = None) -> Path:
    """Unpack `path` into the new or empty folder `into` and return the folder with the content.

    That is `into` itself or, where the ZIP holds a single folder, that folder. When it raises InputError, also for
    more than `most` bytes (MAX_TOTAL), nothing is left behind in `into`.
    """
    most = MAX_TOTAL if most is None else most
    into.mkdir(parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise InputError(
            say("The folder '{folder}' to unpack '{name}' into is not empty.", folder=into.name, name=path.name)
        )
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, path.name, most)
            left = most
            for name, info in members.items():
                left -= _unpack(archive, info, into / name, left, most, path.name)
    except InputError:
        _empty(into)
        raise
    except _ZIP_ERRORS as error:
        _empty(into)
        reason = error.strerror if isinstance(error, OSError) else str(error)[:100]
        raise InputError(
            say("'{name}' is not a ZIP file that can be unpacked ({reason}).", name=path.name, reason=reason)
        ) from error
    entries = list(into.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else into


def _check_directory(path: Path) -> None:
    """Refuse a list of contents so long that reading it alone would take gigabytes."""
    with open(path, "rb") as stream:
        end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
    if end and end[5] > MAX_FILES * 400:  # the size of the list; a name and its sizes take some hundred bytes
        raise InputError(
            say(
                "'{name}' holds more than {most:,} files; at most {most:,} are unpacked.",
                name=path.name,
                most=MAX_FILES,
            )
        )


def _members(archive: zipfile.ZipFile, zip_name: str, most: int) -> dict[str, zipfile.ZipInfo]:
    """Every file worth unpacking by its safe name; refuses the whole ZIP if any name or size is not safe."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MAX_FILES:
        raise InputError(
            say(
                "'{name}' holds {n:,} files; at most {most:,} are unpacked.",
                name=zip_name,
                n=len(infos),
                most=MAX_FILES,
            )
        )
    total = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if total > most:
        raise InputError(
            say(
                "'{name}' unpacks to {n:,} MB; at most {most:,} MB are read.",
                name=zip_name,
                n=total >> 20,
                most=most >> 20,
            )
        )
    if total > SMALL and total > MAX_RATIO * max(packed, 1):
        raise InputError(
            say("'{name}' unpacks to over {n} times its size, as no real catalogue does.", name=zip_name, n=MAX_RATIO)
        )
    members: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    folders: set[str] = set()
    for info in infos:
        name = info.filename.replace("\\", "/")
        parts = PurePosixPath(name).parts
        shown = _shown(name)
        if not parts or name.startswith("/") or ".." in parts or ":" in parts[0] or "\0" in info.orig_filename:
            raise InputError(
                say(
                    "'{name}' holds '{shown}', a path that leaves its folder; pack it again.",
                    name=zip_name,
                    shown=shown,
                )
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            raise InputError(
                say("'{name}' holds the link '{shown}'; pack the file itself.", name=zip_name, shown=shown)
            )
        if info.flag_bits & 1:
            raise InputError(say("'{name}' is locked with a password; pack it without one.", name=zip_name))
        if len(parts) > DEEPEST:
            raise InputError(
                say(
                    "'{name}' holds more than {n} folders within each other; pack it flatter.", name=zip_name, n=DEEPEST
                )
            )
        if any(part.startswith(".") or part == "__MACOSX" for part in parts):
            continue  # what file managers leave behind
        if name.lower().endswith(".zip"):
            raise InputError(
                say("'{name}' holds another ZIP, '{shown}'; pack its content instead.", name=zip_name, shown=shown)
            )
        safe = "/".join(parts)
        alike = unicodedata.normalize("NFC", safe).casefold()  # one file on many systems
        if alike in seen:
            raise InputError(say("'{name}' holds '{shown}' twice.", name=zip_name, shown=shown))
        seen.add(alike)
        folders.update("/".join(parts[:n]) for n in range(1, len(parts)))
        if len(folders) > MAX_FILES:
            raise InputError(
                say("'{name}' holds more than {most:,} folders; pack it flatter.", name=zip_name, most=MAX_FILES)
            )
        members[safe] = info
    if not members:
        raise InputError(say("'{name}' is empty.", name=zip_name))
    return members


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:80])


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int, most: int, zip_name: str) -> int:
    """Write one file and return its size, counted while writing: headers may lie."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(info) as source, open(target, "xb") as sink:
        while block := source.read(1 << 20):
            size += len(block)
            if size > left:
                raise InputError(say("'{name}' unpacks to more than {most:,} MB.", name=zip_name, most=most >> 20))
            sink.write(block)
    return size


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)

"""Unpacks a ZIP from an unknown source, after checks of its paths, sizes and packing ratio.

It knows nothing of catalogues.
"""

import lzma
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from mmdemo.core.errors import InputError

MAX_FILES = 100_000  # and as many folders, since an empty folder takes room on the disk as well
DEEPEST = 20  # levels of folders
MAX_TOTAL = 8 * 1024**3  # unpacked bytes
MAX_RATIO = 100  # unpacked to packed bytes
SMALL = 16 * 1024 * 1024  # unpacked bytes up to which the ratio is not checked: tables of similar rows pack very well

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
    LookupError,  # a file whose name is empty
    struct.error,
)


def extract(path: Path, into: Path, most: int | None = None) -> Path:
    """Unpack `path` into the new or empty folder `into` and return the folder with the content.

    That is `into` itself or, where the ZIP holds a single folder, that folder. InputError for a ZIP that is damaged,
    unsafe or larger than `most` bytes (MAX_TOTAL); then `into` is left empty.
    """
    most = MAX_TOTAL if most is None else most
    into.mkdir(parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise InputError(
            "The folder '{folder}' to unpack '{name}' into is not empty.", folder=into.name, name=path.name
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
            "'{name}' is not a ZIP file that can be unpacked ({reason}).", name=path.name, reason=reason
        ) from error
    entries = list(into.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else into


def _check_directory(path: Path) -> None:
    """Refuse a list of contents so long that reading it alone would take gigabytes of memory."""
    with open(path, "rb") as stream:
        end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
    if end and end[5] > MAX_FILES * 400:  # size of the list in bytes; an entry takes a few hundred at most
        raise InputError(
            "'{name}' holds more than {most:,} files; at most {most:,} are unpacked.",
            name=path.name,
            most=MAX_FILES,
        )


def _members(archive: zipfile.ZipFile, zip_name: str, most: int) -> dict[str, zipfile.ZipInfo]:
    """The files to unpack by their safe paths; InputError for the whole ZIP where one path or size is not safe."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    _check_sizes(infos, zip_name, most)
    members: dict[str, zipfile.ZipInfo] = {}
    comparable_paths: set[str] = set()
    folders: set[str] = set()
    for info in infos:
        path = info.filename.replace("\\", "/")
        parts = PurePosixPath(path).parts
        _check_member(info, path, zip_name)
        if any(part.startswith(".") or part == "__MACOSX" for part in parts):
            continue  # hidden files that file managers leave behind
        if path.lower().endswith(".zip"):
            raise InputError(
                "'{name}' holds another ZIP, '{shown}'; pack its content instead.",
                name=zip_name,
                shown=_printable(path),
            )
        safe_path = "/".join(parts)
        comparable = unicodedata.normalize("NFC", safe_path).casefold()  # many file systems take these for one file
        if comparable in comparable_paths:
            raise InputError("'{name}' holds '{shown}' twice.", name=zip_name, shown=_printable(path))
        comparable_paths.add(comparable)
        folders.update("/".join(parts[:n]) for n in range(1, len(parts)))
        if len(folders) > MAX_FILES:
            raise InputError(
                "'{name}' holds more than {most:,} folders; pack it flatter.", name=zip_name, most=MAX_FILES
            )
        members[safe_path] = info
    if not members:
        raise InputError("'{name}' is empty.", name=zip_name)
    return members


def _check_sizes(infos: list[zipfile.ZipInfo], zip_name: str, most: int) -> None:
    """Refuse a ZIP of too many files, of more than `most` bytes, or packed too well to be a catalogue."""
    if len(infos) > MAX_FILES:
        raise InputError(
            "'{name}' holds {n:,} files; at most {most:,} are unpacked.",
            name=zip_name,
            n=len(infos),
            most=MAX_FILES,
        )
    total = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if total > most:
        raise InputError(
            "'{name}' unpacks to {n:,} MB; at most {most:,} MB are read.",
            name=zip_name,
            n=total >> 20,
            most=most >> 20,
        )
    if total > SMALL and total > MAX_RATIO * max(packed, 1):
        raise InputError(
            "'{name}' unpacks to over {n} times its size, as no real catalogue does.", name=zip_name, n=MAX_RATIO
        )


def _check_member(info: zipfile.ZipInfo, path: str, zip_name: str) -> None:
    """Refuse a member whose path leaves its folder or lies too deep, a link, and one with a password."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or ":" in parts[0] or "\0" in info.orig_filename:
        raise InputError(
            "'{name}' holds '{shown}', a path that leaves its folder; pack it again.",
            name=zip_name,
            shown=_printable(path),
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise InputError(
            "'{name}' holds the link '{shown}'; pack the file itself.", name=zip_name, shown=_printable(path)
        )
    if info.flag_bits & 1:
        raise InputError("'{name}' is locked with a password; pack it without one.", name=zip_name)
    if len(parts) > DEEPEST:
        raise InputError(
            "'{name}' holds more than {n} folders within each other; pack it flatter.", name=zip_name, n=DEEPEST
        )


def _printable(path: str) -> str:
    """The first 80 characters of a path, for a message."""
    return "".join(c if c.isprintable() else "?" for c in path[:80])


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, left: int, most: int, zip_name: str) -> int:
    """Write one file and return its size, counted while writing, since the size in the header may be wrong."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(info) as source, open(target, "xb") as sink:
        while block := source.read(1 << 20):
            size += len(block)
            if size > left:
                raise InputError("'{name}' unpacks to more than {most:,} MB.", name=zip_name, most=most >> 20)
            sink.write(block)
    return size


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)

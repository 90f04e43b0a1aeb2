"""Finds the picture files of a table under one folder, or among those that were fetched from web addresses.

It opens nothing outside that folder, fetches nothing itself, and knows nothing of products.
"""

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from mmdemo.catalog import imaging
from mmdemo.catalog.web_pictures import WebPictures, is_address
from mmdemo.core.errors import InputError
from mmdemo.core.messages import N_, Message

FILMS = (".mov", ".mp4")  # that phones write beside a Live Photo's picture


class AddressNotFetched(InputError):
    """A picture is a web address, and none is fetched: `PictureFolder.remarks` says so once for all of them."""


class PictureFolder:
    """Finds pictures by the paths that a table has, and those at web addresses by `web`, None where none is fetched."""

    def __init__(self, root: Path, web: WebPictures | None = None) -> None:
        self.root, self.web = root, web
        self.addresses: list[str] = []  # of pictures that are not beside the table
        self._folders: set[str] = set()  # below the root, with a picture of the table
        self._real_root = os.path.realpath(root).rstrip(os.sep) + os.sep
        self.loosely: dict[str, str] = {}  # cell of the table -> file whose path is not quite that
        self._comparable_paths: dict[str, str] | None = None
        self._names: dict[str, list[str]] = {}  # comparable name, with its suffix and without -> files

    def all(self) -> list[str]:
        """Every file below the root that is not hidden, as sorted POSIX paths; linked folders are not entered."""
        files = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
            inside = Path(folder).relative_to(self.root)
            files += [(inside / name).as_posix() for name in sorted(names) if not name.startswith(".")]
        return files

    def check(self, cell: str) -> str:
        """The POSIX path, below the root, of a picture with a good header; raises InputError with the reason.

        The pixels are not decoded yet, so a picture that passes here may still be incomplete.
        """
        downloaded = self._downloaded(cell)
        if downloaded is None and is_address(cell):
            return self._fetched(cell)
        if downloaded is None and re.match(r"[a-z][a-z0-9+.\-]+:", cell, re.I):
            raise InputError("a picture is a file beside the table; such an address is never fetched")
        path = PurePosixPath(downloaded or cell.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[a-z]:", cell, re.I):
            file = self._named(path.name, cell)  # a path of the machine that the table comes from
            if file is None:
                raise InputError("the picture lies outside the catalogue's folder; give a path inside it")
        else:
            file = self._find(path, cell)
        if file is None:
            raise InputError("there is no picture '{path}' in the catalogue's folder", path=cell[:80])
        target = os.path.join(self.root, file)
        if not os.path.realpath(target).startswith(self._real_root):
            raise InputError("the picture is a link that leaves the catalogue's folder; put the file itself there")
        imaging.probe(target)
        self._folders.add(os.path.dirname(file))
        return file

    def is_elsewhere(self, cell: str) -> bool:
        """Whether a cell is the web address of a picture that is not beside the table."""
        return is_address(cell) and self._downloaded(cell) is None

    def _fetched(self, address: str) -> str:
        self.addresses.append(address)
        if self.web is None:
            raise AddressNotFetched(N_("the picture is a web address, which is fetched only with --fetch-images"))
        if address in self.web.failures:
            raise InputError(self.web.failures[address])
        return address

    def of_id(self, product_id: str) -> str | None:
        """The only picture that is called by a product's id; None where there are none or several."""
        return self._named(product_id, product_id) if "/" not in product_id else None

    def are_called_by(self, ids: Iterable[str]) -> bool:
        """Whether half of these ids at least are names of pictures."""
        self._list()
        found = [bool(self._names.get(_comparable(product_id.strip()))) for product_id in ids]
        return bool(found) and 2 * sum(found) >= len(found)

    def remarks(self) -> list[Message]:
        """How pictures were found, in sentences about all of them."""
        remarks = []
        if self.loosely:
            cell, file = next(iter(self.loosely.items()))
            remarks.append(
                Message(
                    "{n:,} pictures were found by names that are not quite the table's, such as '{file}' for '{cell}'",
                    n=len(self.loosely),
                    file=file[:80],
                    cell=cell[:80],
                )
            )
        if films := self._films():
            remarks.append(
                Message(
                    "films beside pictures are left out ({n:,}, such as '{file}'): of a Live Photo the picture is read",
                    n=len(films),
                    file=films[0][:80],
                )
            )
        if self.addresses:
            values = {"n": len(set(self.addresses)), "address": self.addresses[0][:80]}
            if self.web is None:
                remarks.append(
                    Message(
                        "{n:,} pictures are web addresses, such as {address}; fetch them with --fetch-images, or put "
                        "the files beside the table",
                        **values,
                    )
                )
            elif self.web.folder is None:
                remarks.append(
                    Message(
                        "{n:,} pictures are web addresses, such as {address}; they are fetched when the index is built",
                        **values,
                    )
                )
            elif self.web.failures:
                remarks.append(
                    Message(
                        "{failed:,} of {n:,} pictures could not be fetched; {file} lists them with the reasons",
                        failed=len(self.web.failures),
                        file=self.web.list_of_failures,
                        **values,
                    )
                )
        return remarks

    def _films(self) -> list[str]:
        """The names of the films in the folders of the pictures that were found."""
        beside = (name for folder in self._folders for name in os.listdir(os.path.join(self.root, folder)))
        return sorted(name for name in beside if name.lower().endswith(FILMS) and not name.startswith("."))

    def _downloaded(self, cell: str) -> str | None:
        """The file beside the table that has the name at the end of a web address; None where there is none."""
        if not re.match(r"https?:", cell, re.I):
            return None
        try:
            name = PurePosixPath(unquote(urlsplit(cell).path)).name
        except ValueError:
            return None
        return self._named(name, cell) if name else None

    def _find(self, path: PurePosixPath, cell: str) -> str | None:
        for candidate in (path, PurePosixPath("images") / path):
            if os.path.isfile(os.path.join(self.root, candidate)):
                return candidate.as_posix()
        # IMG_1.JPG for img_1.jpg, or another encoding of é: tables of systems that ignore the difference.
        self._list()
        assert self._comparable_paths is not None
        for written in (path.as_posix(), unquote(path.as_posix())):  # %20
            if file := self._comparable_paths.get(_comparable(written)):
                self.loosely[cell] = file
                return file
        return self._named(PurePosixPath(unquote(path.as_posix())).name, cell)

    def _named(self, name: str, cell: str) -> str | None:
        """The only file of this name in any folder, .jpg equal to .jpeg, or the only picture of this name without its
        suffix; None where there are none or several."""
        self._list()
        files = self._names.get(_with_jpg(_comparable(name)), [])
        if len(files) != 1:
            return None
        self.loosely[cell] = files[0]
        return files[0]

    def _list(self) -> None:
        if self._comparable_paths is None:
            self._comparable_paths = {}
            for file in self.all():
                self._comparable_paths[_comparable(file)] = file
                path = PurePosixPath(file)
                self._names.setdefault(_with_jpg(_comparable(path.name)), []).append(file)
                if path.suffix.lower() in imaging.SUFFIXES:
                    self._names.setdefault(_comparable(path.stem), []).append(file)


def _comparable(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _with_jpg(name: str) -> str:
    return re.sub(r"\.jpe?g$|\.jpe$", ".jpg", name)

"""The picture files under one folder; nothing outside it is ever opened, and no address is ever fetched."""

import os
import re
import unicodedata
from pathlib import Path, PurePosixPath

from mmdemo import imaging
from mmdemo.errors import InputError
from mmdemo.say import say


class PictureFolder:
    """Looks pictures up by the paths that tables give."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = os.path.realpath(root).rstrip(os.sep) + os.sep
        self._alike: dict[str, str] | None = None

    def all(self) -> list[str]:
        """Every file below the root that is not hidden, as sorted POSIX paths; linked folders are not entered."""
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
            inside = Path(folder).relative_to(self.root)
            found += [(inside / name).as_posix() for name in sorted(names) if not name.startswith(".")]
        return found

    def check(self, cell: str) -> str:
        """The POSIX path, below the root, of a picture with a good header; raises InputError with the reason.

        The pixels are not decoded yet, so a picture that passes here may still turn out to be cut short.
        """
        if re.match(r"[a-z][a-z0-9+.\-]+:", cell, re.I):
            raise InputError(
                say("a picture is a file beside the table; addresses are never fetched, download it first")
            )
        path = PurePosixPath(cell.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[a-z]:", cell, re.I):
            raise InputError(say("the picture lies outside the catalogue's folder; give a path inside it"))
        found = self._find(path)
        if found is None:
            raise InputError(say("there is no picture '{path}' in the catalogue's folder", path=cell[:80]))
        target = os.path.join(self.root, found)
        if not os.path.realpath(target).startswith(self._real_root):
            raise InputError(say("the picture is a link that leaves the catalogue's folder; put the file itself there"))
        imaging.probe(target)
        return found

    def _find(self, path: PurePosixPath) -> str | None:
        for candidate in (path, PurePosixPath("images") / path):
            if os.path.isfile(os.path.join(self.root, candidate)):
                return candidate.as_posix()
        # IMG_1.JPG for img_1.jpg, or another spelling of é: the table may come from a system that sees no difference.
        if self._alike is None:
            self._alike = {_alike(name): name for name in self.all()}
        return self._alike.get(_alike(path.as_posix()))


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()

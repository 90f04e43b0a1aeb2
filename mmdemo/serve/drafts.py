"""Visitors' own catalogues on their way to an index: what they sent, what was understood of it, and the one build.

    FOLDER/.yours/DRAFT/files/    what was sent; gone when its index is whole, or an hour after it was last touched
    FOLDER/NAME/                  the index, beside the others

Both steps run in processes of their own (`mmdemo.serve.jobs`): queries stay quick, and to cancel is to end a process.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mmdemo.catalog.archive import DEEPEST
from mmdemo.catalog.web_pictures import FOLDER as FETCHED
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message
from mmdemo.core.paths import resolve_spec
from mmdemo.index.manifest import said_of_columns
from mmdemo.index.product_index import WORK, ProductIndex, live_version
from mmdemo.serve import jobs

FOLDER = ".yours"
LARGEST = 2 << 30  # bytes of all files of one catalogue, kept on disk as they arrive
MOST_FILES = 60_000  # 20,000 products with a few pictures each
MOST_DRAFTS = 8
LONGEST = 500  # characters of a file's path
KEPT = 60 * 60  # seconds that a draft is kept when nobody touches it; one whose build was stopped stays
PATIENCE = 300  # seconds that reading a catalogue may take
RESERVED = ("default",)
OWNER = "owner"  # in an index's folder: the hash of the draft it was built of, whose visitor alone is shown it
LEFT_BY_BUILDS = (WORK, FETCHED)  # in the folder of an index that is not whole
_DRAFT = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"\w[\w-]{0,39}")


@dataclass(frozen=True)
class Building:
    """A build that runs, or that was stopped and can go on."""

    draft: str
    name: str
    running: bool
    stage: str = "reading"
    done: int = 0
    total: int = 0
    error: str = ""


class Taken(InputError):
    """There is a catalogue of this name already; the visitor may ask for it to be replaced or updated."""


class Drafts:
    """The drafts beside an index folder. `built` is told the name of every index that became whole."""

    def __init__(
        self, folder: Path, encoder: str, kept_names: tuple[str, ...] = RESERVED, fetch_images: bool = False
    ) -> None:
        self.folder, self._encoder, self._kept = folder, encoder, kept_names
        self._options = (jobs.FETCH_IMAGES,) if fetch_images else ()
        self.built: Callable[[str], None] = lambda name: None
        self._home = folder / FOLDER
        self._lock, self._reading = threading.RLock(), threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._running, self._name = "", ""  # the draft that is being built, and the name of its index
        self._arrived: dict[str, list[int]] = {}  # draft that came to this process -> files and bytes of it so far
        self._finished: dict[str, str] = {}  # draft -> name of its index
        self._changes: dict[str, Message] = {}  # draft -> what the update by it changed
        self._sweep()

    @classmethod
    def beside(cls, opened: ProductIndex, fetch_images: bool = False) -> Drafts:
        """Drafts that become siblings of an open index, by the encoder that made it; it stays as it is itself."""
        folder = opened.folder.parent.resolve()
        encoder = resolve_spec(opened.manifest.encoder.spec)
        return cls(folder.parent, encoder, (*RESERVED, folder.name), fetch_images)

    # What a visitor sends

    def path(self, draft: str) -> Path:
        """The folder of a draft. Raises InputError for what is no draft's name."""
        if not _DRAFT.fullmatch(draft):
            raise InputError("This is not a catalogue that was sent here; drop its files again.")
        return self._home / draft

    async def receive(self, draft: str, name: str, pieces: AsyncIterator[bytes]) -> None:
        """Keep one file of a draft. Raises InputError for one that cannot be taken."""
        folder, parts = self.path(draft), PurePosixPath(name.replace("\\", "/")).parts
        too_long = len(name) > LONGEST or len(parts) > DEEPEST
        if not parts or name.startswith("/") or ".." in parts or "\0" in name or too_long:
            raise InputError("A file has a name that cannot be used here; give it another.")
        if any(part.startswith(".") for part in parts):
            return  # what file managers leave behind
        target = folder.joinpath(jobs.FILES, *parts)
        with self._lock:
            if not folder.exists():
                self._sweep()
                if self._home.exists() and sum(1 for _ in self._home.iterdir()) >= MOST_DRAFTS:
                    raise InputError("Too many catalogues are being prepared here; try again in an hour.")
            if (folder / jobs.UNDERSTOOD).exists() or (folder / jobs.JOB).exists():
                raise InputError("This catalogue has been read already; drop all its files again.")
            if draft not in self._arrived:
                sent = [path.stat().st_size for path in (folder / jobs.FILES).rglob("*") if path.is_file()]
                self._arrived[draft] = [len(sent), sum(sent)]
        # Counted as they arrive: several files of a draft come at once, and one may come again and again.
        arrived = self._arrived[draft]
        arrived[0] += 1
        if arrived[0] > MOST_FILES:
            raise InputError("These are more than {n:,} files; at most {n:,} are taken.", n=MOST_FILES)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                async for piece in pieces:
                    arrived[1] += len(piece)
                    if arrived[1] > LARGEST:
                        raise InputError(
                            "These files are too large together; at most {n} MB are taken.", n=LARGEST >> 20
                        )
                    file.write(piece)
        except OSError as error:
            raise InputError("A file could not be kept ({reason}).", reason=error.strerror) from error

    def check(self, draft: str, own: Iterable[str] = ()) -> dict[str, Any]:
        """What was understood of a draft's files. Raises InputError, the draft gone, where nothing can be used.

        What the visitor said of the columns of `own` earlier drafts, which became indexes, is used again.
        """
        folder = self.path(draft)
        with self._reading:  # checked under the lock, so that two requests do not read the same draft twice
            if not (understood := jobs.read(folder / jobs.UNDERSTOOD)):
                if not folder.is_dir():
                    raise InputError("There are no files; drop a table and its pictures, or a ZIP of both.")
                jobs.write(folder / jobs.REMEMBERED, {"mappings": self._mappings({owner(one) for one in own if one})})
                understood = self._checked(folder)
        if "error" in understood:
            self.discard(draft)
            raise InputError(understood["error"])
        return understood

    def choose(self, draft: str, mapping: Mapping[str, str]) -> dict[str, Any]:
        """What was understood once a visitor has said which column is which."""
        folder = self.path(draft)
        with self._reading:
            if "question" not in jobs.read(folder / jobs.UNDERSTOOD):
                raise InputError("This catalogue is no longer here; drop its files again.")
            jobs.write(folder / jobs.MAPPING, dict(mapping))
            return self._checked(folder)

    def _mappings(self, owners: set[str]) -> list[dict[str, str]]:
        """What these visitors said of the columns of the tables that became the indexes here."""
        folders = [folder for folder in self.folder.iterdir() if owners and owner_of(folder) in owners]
        return [mapping for folder in folders if (mapping := said_of_columns(folder))]

    def _checked(self, folder: Path) -> dict[str, Any]:
        """What a process of its own understands of a draft."""
        process = _spawn("check", folder, *self._options)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        process.kill()
        return jobs.read(folder / jobs.UNDERSTOOD) or {
            "error": Message("The files could not be read; the log says more.")
        }

    def understood(self, draft: str) -> dict[str, Any]:
        """What `check` said, {} for a draft that is not there or not read."""
        return jobs.read(self.path(draft) / jobs.UNDERSTOOD) if _DRAFT.fullmatch(draft) else {}

    def discard(self, draft: str) -> None:
        """Throw a draft away, and what a stopped build of it left."""
        with self._lock:
            if draft == self._running:
                raise InputError("This catalogue is being built; stop that first.")
            self._arrived.pop(draft, None)
            job = jobs.read(self.path(draft) / jobs.JOB)
            shutil.rmtree(self.path(draft), ignore_errors=True)
            if job:
                self._clear(self.folder / job["name"])

    @staticmethod
    def _clear(out: Path) -> None:
        """Take a stopped build's shards away, and the folder if they were all that it held."""
        for left in LEFT_BY_BUILDS:
            shutil.rmtree(out / left, ignore_errors=True)
        if live_version(out) is None:
            with contextlib.suppress(OSError):
                (out / ".lock").unlink(missing_ok=True)
                out.rmdir()

    # The one build

    def start(self, draft: str, name: str, replace: bool = False, update: bool = False) -> None:
        """Begin to build a draft's index under a name, or to update the index of that name with it.

        Raises InputError: one at a time, and not under any name; Taken without `replace` or `update` of what is there.
        """
        with self._lock:
            self._free()
            if "products" not in self.understood(draft):
                raise InputError("This catalogue is no longer here; drop its files again.")
            name = self._named(name)
            exists = live_version(self.folder / name) is not None
            if exists and not (replace or update):
                raise Taken(
                    "There is a catalogue “{name}” already. Update it with these products, replace it, or choose "
                    "another name.",
                    name=name,
                )
            spec = {"name": name, "out": str(self.folder / name), "encoder": self._encoder, "update": exists and update}
            jobs.write(self.path(draft) / jobs.JOB, spec)
            self._begin(draft)

    def resume(self, draft: str) -> None:
        """Go on with a build that was stopped."""
        with self._lock:
            self._free()
            if not jobs.read(self.path(draft) / jobs.JOB):
                raise InputError("This build is no longer here; drop the files again.")
            self._begin(draft)

    def cancel(self, draft: str) -> None:
        """Stop the build of a draft; it can go on later from what it has encoded."""
        with self._lock:
            process = self._process if draft == self._running else None
        if process is not None:
            process.kill()
            process.wait()
            self._done(process)

    def close(self) -> None:
        """Stop the running build, which a later start can resume, and delete drafts that were never built."""
        self.cancel(self._running)
        for draft in self._arrived:
            if not (self.path(draft) / jobs.JOB).exists():
                shutil.rmtree(self.path(draft), ignore_errors=True)

    def builds(self) -> list[Building]:
        """The build that runs, then those that were stopped, the newest first."""
        builds = []
        for folder in self._home.iterdir() if self._home.is_dir() else ():
            if job := jobs.read(folder / jobs.JOB):
                progress = jobs.read(folder / jobs.PROGRESS)
                running = folder.name == self._running
                numbers = int(progress.get("done", 0)), int(progress.get("total", 0))
                stage, error = progress.get("stage", jobs.STAGES[0]), progress.get("error", "")
                builds.append(Building(folder.name, job["name"], running, stage, *numbers, error))
        return sorted(builds, key=lambda one: not one.running)

    def finished(self, draft: str) -> str:
        """The name of the index that a draft has become, "" if it has not."""
        return self._finished.get(draft, "")

    def changes(self, draft: str) -> Message | None:
        """What the update by a draft changed, None where it was none."""
        return self._changes.get(draft)

    def _free(self) -> None:
        if self._running:
            raise InputError(
                "“{name}” is being built now, and one is built at a time. Try again when it is done.",
                name=self._name,
            )

    def _named(self, name: str) -> str:
        """The folder's name that was chosen. Raises InputError for one that cannot be had."""
        name = re.sub(r"\s+", "-", unicodedata.normalize("NFC", name).strip())
        if not _NAME.fullmatch(name):
            raise InputError("Give it a name of 1 to 40 letters, digits and hyphens.")
        if name.casefold() in [kept.casefold() for kept in self._kept]:
            raise InputError("The catalogue “{name}” stays as it is; choose another name.", name=name)
        alike = (path.name for path in self.folder.iterdir() if path.name.casefold() == name.casefold())
        name = next(alike, name)
        folder = self.folder / name
        if folder.exists() and live_version(folder) is None:
            if not folder.is_dir() or not {path.name for path in folder.iterdir()} <= {*LEFT_BY_BUILDS, ".lock"}:
                raise InputError("The name “{name}” is taken by something else; choose another.", name=name)
        return name

    def _begin(self, draft: str) -> None:
        folder = self.path(draft)
        (folder / jobs.PROGRESS).unlink(missing_ok=True)
        self._name = jobs.read(folder / jobs.JOB)["name"]
        self._process, self._running = process, draft = _spawn("build", folder, *self._options), draft
        threading.Thread(target=self._wait, args=(process,), daemon=True).start()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._done(process)

    def _done(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            if process is not self._process:
                return
            draft, name = self._running, self._name
            if process.returncode == 0:  # in this order, so that a request in between finds it running or finished
                changes = jobs.read(self._home / draft / jobs.CHANGES)
                if changes:
                    self._changes[draft] = changes["message"]
                self._finished[draft] = name
                if not changes:  # an update leaves it to whose it is
                    (self.folder / name / OWNER).write_text(owner(draft), encoding="ascii")
                shutil.rmtree(self._home / draft, ignore_errors=True)
            self._process, self._running = None, ""
        if process.returncode == 0:
            self.built(name)

    def _sweep(self) -> None:
        """Delete drafts that nobody has touched for an hour and that are not on their way to an index."""
        for folder in self._home.iterdir() if self._home.is_dir() else ():
            with contextlib.suppress(OSError):
                if not (folder / jobs.JOB).exists() and time.time() - _touched(folder) > KEPT:
                    shutil.rmtree(folder, ignore_errors=True)


def owner(draft: str) -> str:
    """What an index says of the draft it was built of, which nobody can guess it from."""
    return hashlib.sha256(draft.encode()).hexdigest()


def owner_of(folder: Path) -> str:
    """The hash of the draft that an index was built of, "" for one that is everybody's."""
    try:
        return (folder / OWNER).read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _touched(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))


def _spawn(what: str, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    # Its input stays open as long as this process lives; the job ends when it closes, and by no key of the terminal.
    command = [sys.executable, "-m", "mmdemo.serve.jobs", what, str(folder), *options]
    home = Path(__file__).resolve().parents[2]
    return subprocess.Popen(command, cwd=home, stdin=subprocess.PIPE, start_new_session=True)

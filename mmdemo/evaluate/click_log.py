"""A log of what was shown at which place with which chance, and of what was clicked, as the page writes it.

The shop's owner asks for it (`--log FILE`), it stays in that file, and nobody is in it: no visitor, no address, no
time, no sentence and no photo, but the embeddings of both, by which another head can be asked the same.

So that another order can be judged, one answer in ten is shown in a random order of its first places, which gives every
product a known chance of every place.
"""

import base64
import json
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message
from mmdemo.core.vectors import Array
from mmdemo.fusion.prepared_query import PreparedQuery
from mmdemo.index.manifest import Manifest
from mmdemo.search.recommendation import Recommendation

FORMAT = 1
SHARE = 0.1  # of answers whose first places are shuffled
PLACES = 8  # that are shuffled, and logged
REMEMBERED = 10_000  # answers that may still be clicked


def chance_of_place(rank: int, place: int, places: int, share: float = SHARE) -> float:
    """How likely what ranks at `rank` (from 0) of so many is shown at `place`.

    >>> [round(chance_of_place(0, place, 4), 3) for place in range(4)]
    [0.925, 0.025, 0.025, 0.025]
    """
    return (1 - share) * (rank == place) + share / places


@dataclass(frozen=True, eq=False)
class LoggedAnswer:
    """One answer as it was shown: the query's embeddings (width,), None where it had no photo or no words, and its
    weight; the ids in their order, the `chance` of each to stand where it stood, and which were clicked."""

    image: Array | None
    text: Array | None
    weight: float
    ids: tuple[str, ...]
    chance: tuple[float, ...]
    clicked: frozenset[str] = frozenset()


class ClickLog:
    """Writes the log. Several threads may write.

    Parameters
    ----------
    path
        The file; one that is there is gone on with.
    manifest
        Of the index whose answers are logged.

    Raises
    ------
    InputError
        Where the file cannot be written, or holds anything but a log of this catalogue and encoder.
    """

    def __init__(self, path: Path, manifest: Manifest, seed: int | None = None) -> None:
        self._path, self._lock, self._rng = path, Lock(), np.random.default_rng(seed)
        self._open: OrderedDict[str, set[str]] = OrderedDict()  # answer -> ids that were not clicked yet
        about = header(manifest)
        try:
            if path.exists() and path.stat().st_size:
                with path.open(encoding="utf-8") as file:
                    if _json(file.readline()) != about:
                        raise InputError(
                            "'{name}' holds something else than a log of this catalogue; choose another file",
                            name=path.name,
                        )
            else:
                self._write(about)
        except OSError as error:
            raise InputError(
                "the log '{name}' cannot be written ({reason})", name=path.name, reason=error.strerror
            ) from error

    def shown(self, prepared: PreparedQuery, found: Sequence[Recommendation]) -> tuple[list[Recommendation], str]:
        """The answer in the order that it is to be shown in, and its name for clicks; "" where it is not logged.

        What is in order of price, and what no embedding asked for, is shown as it is.
        """
        first = [r for r in found if r.tier is found[0].tier][:PLACES]
        asked = prepared.image is not None or prepared.text is not None
        if len(first) < 2 or not asked or prepared.query.sort != "match":
            return list(found), ""
        with self._lock:
            order = np.arange(len(first))
            if self._rng.random() < SHARE:
                order = self._rng.permutation(len(first))
        shuffled = [first[rank] for rank in order]
        answer = secrets.token_hex(8)
        self._write(
            {
                "answer": answer,
                "image": _packed(prepared.image),
                "text": _packed(prepared.text),
                "weight": prepared.query.weight,
                "ids": [r.id for r in shuffled],
                "chance": [chance_of_place(int(rank), place, len(first)) for place, rank in enumerate(order)],
            }
        )
        with self._lock:
            self._open[answer] = {r.id for r in first}
            while len(self._open) > REMEMBERED:
                self._open.popitem(last=False)
        answers = [replace(r, rank=place + 1) for place, r in enumerate((*shuffled, *found[len(first) :]))]
        return answers, answer

    def clicked(self, answer: str, product_id: str) -> None:
        """Log that a product of an answer was clicked; once, and nothing for one that was not shown there."""
        with self._lock:
            waiting = self._open.get(answer, set())
            if product_id not in waiting:
                return
            waiting.discard(product_id)
        self._write({"click": answer, "id": product_id})

    def _write(self, line: dict[str, Any]) -> None:
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def header(manifest: Manifest) -> dict[str, Any]:
    """The first line of a log: what its embeddings and ids belong to."""
    encoder = manifest.encoder.weights_sha256
    return {"log": FORMAT, "catalogue": manifest.catalogue_sha256, "encoder": encoder, "share": SHARE}


def read_log(path: Path, manifest: Manifest) -> list[LoggedAnswer]:
    """The answers of a log, each with its clicks.

    A log of an older version of the catalogue is read too: products that left are not asked for. A last line that was
    cut short is left out.

    Raises
    ------
    InputError
        Where it is no log, or one of another encoder.
    """
    try:
        lines = [line for line in map(_json, path.read_text(encoding="utf-8").splitlines()) if line]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "the log '{name}' cannot be read ({reason})", name=path.name, reason=str(error)[:80]
        ) from error
    if not lines or lines[0].get("log") != FORMAT:
        raise InputError("'{name}' is no log of `serve --log`", name=path.name)
    if lines[0].get("encoder") != manifest.encoder.weights_sha256:
        raise InputError("'{name}' was logged with another encoder than that of this index", name=path.name)
    clicks: dict[str, set[str]] = {}
    for line in lines:
        if "click" in line:
            clicks.setdefault(line["click"], set()).add(line.get("id", ""))
    try:
        return [
            LoggedAnswer(
                _unpacked(line["image"]),
                _unpacked(line["text"]),
                float(line["weight"]),
                tuple(line["ids"]),
                tuple(map(float, line["chance"])),
                frozenset(clicks.get(line["answer"], ())),
            )
            for line in lines
            if "answer" in line
        ]
    except (KeyError, TypeError, ValueError) as error:
        reason = Message("a line is not as it was written")
        raise InputError("the log '{name}' cannot be read ({reason})", name=path.name, reason=reason) from error


def _json(line: str) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _packed(rows: Array | None) -> str | None:
    return None if rows is None else base64.b64encode(rows[0].astype("<f2").tobytes()).decode()


def _unpacked(packed: str | None) -> Array | None:
    return None if packed is None else np.frombuffer(base64.b64decode(packed), "<f2").astype(np.float32)

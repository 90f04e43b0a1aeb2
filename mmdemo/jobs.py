"""What is done to a visitor's catalogue, in a process of its own: `check` reads it, `build` makes its index.

    python -m mmdemo.jobs check DRAFT en    DRAFT/files/ -> DRAFT/understood.json, its sentences in that language
    python -m mmdemo.jobs build DRAFT en    DRAFT/job.json -> the index that it names

How far a build is stands in DRAFT/progress.json. The process ends with the one that started it: when its standard
input closes. Knows nothing of visitors.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import sys
import threading
import time
from dataclasses import astuple
from pathlib import Path
from typing import Any

from mmdemo import archive, aside, imaging
from mmdemo.catalog import Catalog
from mmdemo.errors import InputError
from mmdemo.product import KNOWN, Product, is_aside
from mmdemo.say import say, speaking
from mmdemo.table import SUFFIXES

FILES, UNPACKED = "files", "unpacked"
UNDERSTOOD, JOB, PROGRESS = "understood.json", "job.json", "progress.json"
STAGES = ("reading", "encoding", "learning", "measuring", "saving")
MOST_PRODUCTS = 5000
MOST_AT_FAULT = 20_000  # rows that are refused or noted
ROWS, SIDE = 8, 120  # rows of the preview, and pixels of their pictures
VALUES = 6  # of a facet that are shown
MEMORY = 1_000_000_000  # bytes that reading may take beyond what Python itself does: no file's word is taken for it
MOST_UNPACKED = 1 << 30  # bytes that come out of a ZIP
OFTEN = 0.2  # seconds between two notes of the progress


def check(draft: Path) -> dict[str, Any]:
    """Read the files of a draft and write down what was understood; {"error"} is why nothing was."""
    try:
        root, name = _gather(draft)
        catalog = Catalog.read(root)
        if len(catalog.refused) + len(catalog.warnings) > MOST_AT_FAULT:  # the server would read each, again and again
            raise InputError(
                say("More than {n:,} rows of this table are at fault; first, {first}.", n=MOST_AT_FAULT,
                    first=(catalog.refused or catalog.warnings)[0])
            )  # fmt: skip
        said = understood(catalog)
        if said["products"] > MOST_PRODUCTS:
            raise InputError(
                say(
                    "These are {n:,} products; at most {most:,} are taken here. For more, use the command line: "
                    "python -m mmdemo build.",
                    n=said["products"], most=MOST_PRODUCTS,
                )
            )  # fmt: skip
        said |= {"root": str(root.relative_to(draft)), "name": name}
    except InputError as error:
        said = {"error": str(error)}
    except MemoryError:
        said = {"error": say("These files take more memory than a catalogue is given; leave some out.")}
    write(draft / UNDERSTOOD, said)
    return said


def _gather(draft: Path) -> tuple[Path, str]:
    """The catalogue in what was sent, a ZIP unpacked and the files beside it put to its own; and what to call it."""
    files = draft / FILES
    sent = sorted(path for path in files.rglob("*") if path.is_file()) if files.is_dir() else []
    zips = [path for path in sent if path.suffix.lower() == ".zip"]
    if not sent:
        raise InputError(say("There are no files; drop a table and its pictures, or a ZIP of both."))
    if len(zips) > 1:
        raise InputError(
            say("These are {n} ZIP files; a catalogue is one, so drop the one that you mean.", n=len(zips))
        )
    if zips:
        root = archive.extract(zips[0], draft / UNPACKED, MOST_UNPACKED)
        zips[0].unlink()
        beside = [path.relative_to(files) for path in sent if path != zips[0]]
        return _put_beside(beside, files, root, draft / UNPACKED), zips[0].stem
    inside = list(files.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        return inside[0], inside[0].name
    tables = [path for path in sent if path.suffix.lower() in SUFFIXES]
    return files, tables[0].stem if len(tables) == 1 else ""


def _put_beside(names: list[Path], files: Path, inner: Path, outer: Path) -> Path:
    """Move files to where a ZIP was unpacked; returns the folder from which a table among them finds its pictures.

    A ZIP of one folder was opened up, but a table may name its pictures with that folder or without.
    """
    at = files
    for root in (inner, outer):
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (at / name).replace(root / name)
        at = root
        if not names or root == outer or _reads(root):
            break
    return at


def _reads(root: Path) -> bool:
    try:
        return bool(Catalog.read(root).products)
    except InputError:
        return False


def understood(catalog: Catalog) -> dict[str, Any]:
    """What was read of a catalogue, as JSON: columns, counts, prices, facets, the first rows, and every refusal."""
    products = catalog.products
    prices = [p.price for p in products if p.price is not None]
    return {
        "products": len(products),
        "pictured": sum(bool(p.image) for p in products),
        "columns": _columns(catalog),
        "prices": {"count": len(prices), "low": min(prices), "high": max(prices)} if prices else None,
        "currencies": sorted({p.currency for p in products if p.currency}),
        "facets": [
            {"name": name, "values": list(values.items())[:VALUES], "more": max(0, len(values) - VALUES)}
            for name, values in catalog.facets.items()
        ],
        "rows": [_row(catalog, product) for product in products[:ROWS]],
        "refused": [astuple(refusal) for refusal in catalog.refused],
        "noted": [astuple(refusal) for refusal in catalog.warnings],
    }


def _columns(catalog: Catalog) -> list[dict[str, Any]]:
    """What every column is taken for, and how many rows fill it."""
    used = [name for name in KNOWN if any(_cell(product, name) for product in catalog)]
    found = []
    for heading, name in (catalog.columns or dict(zip(used, used, strict=True))).items():
        kind = "known" if name in KNOWN else "facet" if name in catalog.facets else "property"
        kind = "aside" if not name or is_aside(name) else kind
        filled = sum(bool(_cell(product, name)) for product in catalog)
        found.append({"heading": heading.strip(), "name": name, "kind": kind, "filled": filled})
    return found


def _cell(product: Product, name: str) -> Any:
    value = product.attributes.get(name, "") if name not in KNOWN else getattr(product, name, "")
    return "" if value is None else str(value)


def _row(catalog: Catalog, product: Product) -> dict[str, Any]:
    picture, path = "", catalog.image_path(product)
    if path is not None:
        with contextlib.suppress(InputError):  # the build says why
            file = io.BytesIO()
            imaging.decode(path, max_side=SIDE).save(file, "WEBP", quality=80)
            picture = "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
    names = ("id", "title", "category", "price", "currency")
    return {name: getattr(product, name) for name in names} | {"picture": picture, "pictured": bool(path)}


def build(draft: Path) -> None:
    """Build the index that DRAFT/job.json asks for; what stopped it stands in the progress."""
    from mmdemo import build as building  # late: `check` needs neither torch nor FAISS
    from mmdemo.encoder import Encoder

    job, notes = read(draft / JOB), Notes(draft / PROGRESS)
    try:
        notes("reading", 0, 0)
        catalog = Catalog.read(draft / read(draft / UNDERSTOOD)["root"])
        building.build(
            catalog, Encoder.load(job["encoder"]), Path(job["out"]), resume=True,
            progress=lambda done, total, what: notes(stage(what), done, total),
        )  # fmt: skip
    except InputError as error:
        write(draft / PROGRESS, {"error": str(error)})
        sys.exit(1)


def stage(what: str) -> str:
    """The stage that a visitor is told, of what a build says it does."""
    if what.startswith("fitting"):
        return "learning"
    return {"encoding products": "encoding", "saving": "saving"}.get(what, "measuring")


class Notes:
    """How far a build is, written down for whoever asks, but not too often."""

    def __init__(self, path: Path) -> None:
        self._path, self._last, self._stage = path, 0.0, ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage == self._stage and time.monotonic() - self._last < OFTEN:
            return
        self._stage, self._last = stage, time.monotonic()
        write(self._path, {"stage": stage, "done": done, "total": total})


def read(path: Path) -> dict[str, Any]:
    """A JSON file of a draft, {} where there is none."""
    with contextlib.suppress(OSError, ValueError):
        said = json.loads(path.read_text(encoding="utf-8"))
        return said if isinstance(said, dict) else {}
    return {}


def write(path: Path, said: dict[str, Any]) -> None:
    """Write a JSON file so that a reader finds the old or the new one, whole."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(said), encoding="utf-8")
    part.replace(path)


def _end_with_parent() -> None:
    while os.read(0, 1):  # not sys.stdin, whose lock would be in the way of an ordinary end
        pass
    os._exit(1)


def main(what: str, draft: str, spoken: str) -> None:
    """The process: `check` or `build`, until it is done or the one that started it has ended."""
    if hasattr(os, "nice"):
        os.nice(10)  # visitors' queries come first
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if what == "check":
        aside.limit_memory(MEMORY)
    with speaking(spoken):
        {"check": check, "build": build}[what](Path(draft))


if __name__ == "__main__":
    main(*sys.argv[1:])

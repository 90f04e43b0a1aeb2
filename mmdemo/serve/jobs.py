"""What is done to a visitor's catalogue, in a process of its own: `check` reads it, `build` makes or updates its index.

    python -m mmdemo.serve.jobs check DRAFT    DRAFT/files/ -> DRAFT/understood.json
    python -m mmdemo.serve.jobs build DRAFT    DRAFT/job.json -> the index that it names, and DRAFT/changes.json
                                               where that is one that it updates

With --fetch-images a build fetches the pictures that are web addresses. How far it is stands in DRAFT/progress.json.
The process ends with the one that started it: when its standard input closes. Knows nothing of visitors.
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
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from mmdemo.catalog import archive, imaging
from mmdemo.catalog import decoder_process as aside
from mmdemo.catalog.catalog import EVENTS, Catalog
from mmdemo.catalog.columns import UnclearColumns
from mmdemo.catalog.formats import SUFFIXES
from mmdemo.catalog.product import KNOWN, Product, is_aside
from mmdemo.catalog.web_pictures import FOLDER, WebPictures
from mmdemo.core.errors import InputError
from mmdemo.core.messages import Message, as_json, from_json

FILES, UNPACKED = "files", "unpacked"
UNDERSTOOD, JOB, PROGRESS, CHANGES = "understood.json", "job.json", "progress.json", "changes.json"
MAPPING = "columns.json"  # which column a visitor said is which
REMEMBERED = "remembered.json"  # what the same visitor said of earlier tables
STAGES = ("reading", "encoding", "learning", "measuring", "saving")
MOST_PRODUCTS = 20_000
MOST_AT_FAULT = 20_000  # rows that are refused or noted
ROWS, SIDE = 8, 120  # rows of the preview, and pixels of their pictures
VALUES = 6  # of a facet that are shown
MEMORY = 1_000_000_000  # bytes that reading may take beyond what Python itself does: no file's word is taken for it
MOST_UNPACKED = 3 << 30  # bytes that come out of a ZIP
LEARNING = ("reading what people did", "tuning models of behaviour", "learning from behaviour")
MOST_FETCHED = 4 << 30  # bytes of the pictures that are fetched
FETCH_IMAGES = "--fetch-images"
OFTEN = 0.2  # seconds between two notes of the progress


def check(draft: Path, fetch_images: bool = False) -> dict[str, Any]:
    """Read the files of a draft and write down what was understood.

    {"error"} is why nothing was; {"question"} is to be answered first, and "fault" is what was wrong with an answer.
    """
    before = read(draft / UNDERSTOOD)
    place: dict[str, str] = {}
    try:
        root, name = (draft / before["root"], before["name"]) if "root" in before else _gather(draft)
        place = {"root": str(root.relative_to(draft)), "name": name}
        catalog = _catalog(draft, root, WebPictures(None) if fetch_images else None)
        if len(catalog.refused) + len(catalog.warnings) > MOST_AT_FAULT:  # the server would read each, again and again
            raise InputError(
                "More than {n:,} rows of this table are at fault; first, {first}.",
                n=MOST_AT_FAULT,
                first=(catalog.refused or catalog.warnings)[0],
            )
        summary = understood(catalog)
        if summary["products"] > MOST_PRODUCTS:
            raise InputError(
                "These are {n:,} products; at most {most:,} are taken here. For more, use the command line: "
                "python -m mmdemo build.",
                n=summary["products"],
                most=MOST_PRODUCTS,
            )
        summary |= place
    except UnclearColumns as unclear:
        summary = {"question": asdict(unclear.question), **place}
    except InputError as error:
        summary = {**before, "fault": error.message} if "question" in before else {"error": error.message}
    except MemoryError:
        summary = {"error": Message("These files take more memory than a catalogue is given; leave some out.")}
    write(draft / UNDERSTOOD, summary)
    return summary


def _catalog(draft: Path, root: Path, web: WebPictures | None) -> Catalog:
    """The catalogue of a draft by what its visitor said of the columns, of this table or of an earlier one like it."""
    said = read(draft / MAPPING)
    try:
        return Catalog.read(root, mapping=said, web=web)
    except UnclearColumns:
        for remembered in [] if said else read(draft / REMEMBERED).get("mappings", []):
            with contextlib.suppress(UnclearColumns):
                catalog = Catalog.read(root, remembered=remembered, web=web)
                write(draft / MAPPING, catalog.mapping)
                return catalog
        raise


def _gather(draft: Path) -> tuple[Path, str]:
    """The catalogue folder among the files sent, with a ZIP unpacked and its neighbours moved into it; and its name."""
    files = draft / FILES
    sent = sorted(path for path in files.rglob("*") if path.is_file()) if files.is_dir() else []
    zips = [path for path in sent if path.suffix.lower() == ".zip"]
    if not sent:
        raise InputError("There are no files; drop a table and its pictures, or a ZIP of both.")
    if len(zips) > 1:
        raise InputError("These are {n} ZIP files; a catalogue is one, so drop the one that you mean.", n=len(zips))
    if zips:
        root = archive.extract(zips[0], draft / UNPACKED, MOST_UNPACKED)
        zips[0].unlink()
        beside = [path.relative_to(files) for path in sent if path != zips[0]]
        return _put_beside(beside, files, root, draft / UNPACKED), zips[0].stem
    inside = list(files.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        return inside[0], inside[0].name
    tables = [path for path in sent if path.suffix.lower() in SUFFIXES and not EVENTS.fullmatch(path.name)]
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
    except UnclearColumns:
        return True
    except InputError:
        return False


def understood(catalog: Catalog) -> dict[str, Any]:
    """What was read of a catalogue, as JSON: columns, counts, prices, facets, the first rows, and every refusal."""
    products = catalog.products
    prices, parents = [p.price for p in products if p.price is not None], [p.parent for p in products]
    return {
        "products": len(products),
        "pictured": sum(bool(p.image) for p in products),
        "several": len(catalog.views),
        "variants": {"count": sum(map(bool, parents)), "products": len({*parents} - {""})},
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
        "behaviour": None if catalog.events is None else _behaviour(catalog, catalog.events),
    }


def _behaviour(catalog: Catalog, path: Path) -> dict[str, Any]:
    """How much the file of events says, and what is to be known of it; nobody's name leaves it."""
    from mmdemo.behaviour.events import read_events, rows_of_events  # late: most catalogues do without its libraries

    try:
        events, notes = read_events(path, rows_of_events(catalog))
    except InputError as error:
        return {"events": 0, "notes": [error.message]}
    touched = int((events.counts > 0).sum())
    return {"events": len(events), "people": events.people, "products": touched, "notes": notes}


def _columns(catalog: Catalog) -> list[dict[str, Any]]:
    """What every column is taken for, and how many rows fill it."""
    used = [name for name in KNOWN if any(_cell(product, name) for product in catalog)]
    columns = []
    for heading, name in (catalog.columns or dict(zip(used, used, strict=True))).items():
        kind = "known" if name in KNOWN else "facet" if name in catalog.facets else "property"
        kind = "views" if name == "views" else "aside" if not name or is_aside(name) else kind
        filled = len(catalog.views) if kind == "views" else sum(bool(_cell(product, name)) for product in catalog)
        columns.append({"heading": heading.strip(), "name": name, "kind": kind, "filled": filled})
    return columns


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


def build(draft: Path, fetch_images: bool = False) -> None:
    """Build or update the index that DRAFT/job.json asks for; what stopped it stands in the progress."""
    from mmdemo.encode.encoder import Encoder
    from mmdemo.pipeline import build as building  # late: `check` needs neither torch nor FAISS
    from mmdemo.pipeline.update import update
    from mmdemo.search.recommender import Recommender

    job, notes = read(draft / JOB), Notes(draft / PROGRESS)
    try:
        notes("reading", 0, 0)
        out = Path(job["out"])

        def progress(done: int, total: int, what: str) -> None:
            notes(stage(what), done, total)

        web = WebPictures(out / FOLDER, progress=progress, most=MOST_FETCHED) if fetch_images else None
        root = draft / read(draft / UNDERSTOOD)["root"]
        catalog = Catalog.read(root, mapping=read(draft / MAPPING), web=web)
        if job.get("update"):  # by the encoder that made it, which need not be the one that makes new indexes here
            _, changes = update(out, catalog, Recommender.load(out).encoder, progress=progress)
            write(draft / CHANGES, {"message": changes.message})
        else:
            building.build(catalog, Encoder.load(job["encoder"]), out, resume=True, progress=progress)
    except InputError as error:
        write(draft / PROGRESS, {"error": error.message})
        sys.exit(1)


def stage(what: str) -> str:
    """The stage that a visitor is told, of what a build says it does."""
    if what.startswith("fitting") or what in LEARNING:
        return "learning"
    names = {"fetching pictures": "reading", "encoding products": "encoding", "saving": "saving"}
    return names.get(what, "measuring")


class Notes:
    """Writes the progress of a build to a file that the server reads, at most every OFTEN seconds."""

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
        content = from_json(json.loads(path.read_text(encoding="utf-8")))
        return content if isinstance(content, dict) else {}
    return {}


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file so that a reader finds the old or the new one, whole."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(as_json(content)), encoding="utf-8")
    part.replace(path)


def _end_with_parent() -> None:
    while os.read(0, 1):  # not sys.stdin, whose lock would be in the way of an ordinary end
        pass
    os._exit(1)


def main(what: str, draft: str, *options: str) -> None:
    """The process: `check` or `build`, until it is done or the one that started it has ended."""
    if hasattr(os, "nice"):
        os.nice(10)  # visitors' queries come first
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if what == "check":
        aside.limit_memory(MEMORY)
    {"check": check, "build": build}[what](Path(draft), FETCH_IMAGES in options)


if __name__ == "__main__":
    main(*sys.argv[1:])

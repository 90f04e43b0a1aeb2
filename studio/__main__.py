"""Command line: render the pictures, write the tables, lay out contact sheets."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from . import catalogue, jobs, tables
from .check import faults
from .sheets import write_sheets
from .shots import KINDS, Shot, all_shots

FOLDERS = {"shop": "images", "second": "views", "phone": "queries", "extra": "images"}


def _bar(steps: Iterable[tuple[str, str]], total: int, label: str) -> Iterable[tuple[str, str]]:
    try:
        from tqdm import tqdm
    except ImportError:
        return steps
    return tqdm(steps, total=total, desc=label, unit="picture")


def up_to_date(shot: Shot, folder: Path, entries: dict[str, dict]) -> bool:
    """Whether the picture exists and was made by the recipe of today."""
    known = entries.get(shot.name)
    if not (folder / f"{shot.name}.webp").exists():
        return False
    if known and shot.kind == "shop":
        return catalogue.is_current(shot.product, known["spec"])
    # Extra views and photos older than their manifest are taken as they are, those with another recipe are not.
    return known["spec"] == shot.spec if known else shot.kind in ("phone", "extra")


def render(kind: str, out: Path, keys: list[str] | None, processes: int, resume: bool) -> int:
    """Render what is missing or out of date, noting each picture in the manifest on the way; returns how many."""
    folder, manifest = out / FOLDERS[kind], catalogue.read_manifest(out)
    entries = manifest[catalogue.SECTIONS[kind]]
    shots = [s for s in all_shots(kind, catalogue.products()) if not keys or s.product.family.key in keys]
    todo = [s for s in shots if not (resume and up_to_date(s, folder, entries))]
    print(f"{kind}: {len(shots) - len(todo)} pictures are up to date, {len(todo)} to render")
    by_name, start, noted = {s.name: s for s in todo}, time.time(), time.time()
    try:
        for name, geometry in _bar(jobs.run(todo, folder, processes), len(todo), kind):
            shot = by_name[name]
            seed = shot.product.family.seed(shot.product.index)
            entries[name] = {"spec": shot.spec, "geometry": geometry, "seed": seed}
            if time.time() - noted > 5:
                catalogue.write_manifest(out, manifest)
                noted = time.time()
    finally:
        if todo:
            catalogue.write_manifest(out, manifest)
    if todo:
        print(f"{kind}: {(time.time() - start) / len(todo):.1f} s a picture")
    return len(todo)


def check(out: Path) -> int:
    """Look at every shop picture and name those that are wrong; returns how many."""
    wrong = 0
    for p in catalogue.products():
        path = out / "images" / f"{p.id}.webp"
        if path.exists():
            with Image.open(path) as im:
                found = faults(np.asarray(im.convert("RGB")), p)
            wrong += bool(found)
            if found:
                print(f"{p.id}: {', '.join(found)}")
    return wrong


def main() -> None:
    """Parse the arguments and do the work."""
    parser = argparse.ArgumentParser(prog="python -m studio", description=__doc__)
    sub = parser.add_subparsers(dest="command", required=True)
    r = sub.add_parser("render", help="render pictures that are missing or out of date, then write the tables")
    t = sub.add_parser("tables", help="write the tables only")
    s = sub.add_parser("sheets", help="lay out contact sheets of what is rendered")
    c = sub.add_parser("check", help="look for blank, cut-off and wrongly coloured shop pictures")
    for p in (r, t, s, c):
        p.add_argument("--out", type=Path, default=Path("assets/catalog"), help="folder of the catalogue")
    r.add_argument("--family", nargs="+", metavar="NAME", help="only these families")
    r.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one for each core")
    r.add_argument(
        "--views",
        nargs="+",
        choices=KINDS,
        default=["shop", "second", "phone"],
        help="shop pictures, second views, phone photos, extra training views (default: the first three)",
    )
    r.add_argument(
        "--extra-out",
        type=Path,
        default=Path(tempfile.gettempdir()) / "studio-extra",
        help="folder of the extra views; they are no part of the catalogue",
    )
    r.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="skip pictures whose recipe has not changed",
    )
    s.add_argument("--docs", type=Path, default=Path("docs/catalogue"))
    a = parser.parse_args()
    catalogue.products(a.family if a.command == "render" else None)  # a wrong name is told before the work begins
    if a.command == "check":
        raise SystemExit(bool(check(a.out)))
    if a.command == "sheets":
        write_sheets(catalogue.products(), a.out, a.docs)
        return
    if a.command == "render":
        for kind in a.views:
            render(kind, a.extra_out if kind == "extra" else a.out, a.family, a.processes, a.resume)
            if kind == "extra":
                tables.write_view_queries(a.extra_out)
            else:  # after each kind: what is there can be used
                print(f"{tables.write_tables(a.out)} products in {a.out}")
    else:
        print(f"{tables.write_tables(a.out)} products in {a.out}")


if __name__ == "__main__":
    main()

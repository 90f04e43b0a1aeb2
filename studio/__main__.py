"""Command line: render the pictures, write the tables, lay out contact sheets."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from . import catalogue, jobs
from .sheets import write_sheets


def _bar(steps: Iterable[tuple[str, str]], total: int, label: str) -> Iterable[tuple[str, str]]:
    try:
        from tqdm import tqdm
    except ImportError:
        return steps
    return tqdm(steps, total=total, desc=label, unit="picture")


def render_shop(out: Path, keys: list[str] | None, processes: int, resume: bool) -> None:
    """Render what is missing or out of date, and keep the manifest up to date on the way."""
    items = catalogue.products(keys)
    pictures = catalogue.read_manifest(out)
    images = out / "images"
    todo = [
        p
        for p in items
        if not (
            resume
            and (images / f"{p.id}.webp").exists()
            and pictures.get(p.id, {}).get("spec") == catalogue.shop_spec(p)
        )
    ]
    print(f"{len(items) - len(todo)} pictures are up to date, {len(todo)} to render")
    by_id = {p.id: p for p in items}
    start = time.time()
    for name, geometry in _bar(jobs.run("shop", todo, images, processes), len(todo), "shop"):
        item = by_id[name]
        pictures[name] = {
            "spec": catalogue.shop_spec(item),
            "geometry": geometry,
            "seed": item.family.seed(item.index),
        }
        catalogue.write_manifest(out, pictures)
    if todo:
        print(f"{(time.time() - start) / len(todo):.1f} s a picture")


def render_extra(out: Path, folder: Path, keys: list[str] | None, processes: int, resume: bool) -> None:
    """Render one more view of each product for training and evaluation."""
    items = catalogue.products(keys)
    images = folder / "images"
    todo = [p for p in items if not (resume and (images / f"{p.id}.webp").exists())]
    for _ in _bar(jobs.run("extra", todo, images, processes), len(todo), "extra"):
        pass
    done = [p for p in catalogue.products() if (images / f"{p.id}.webp").exists()]
    data = [{"query_id": f"v-{p.id}", "image": f"images/{p.id}.webp", "product_id": p.id} for p in done]
    catalogue.write_csv(folder / "queries.csv", ("query_id", "image", "product_id"), data)


def render_phone(out: Path, processes: int, resume: bool) -> None:
    """Render the example query photos and write queries.csv."""
    by_id = {p.id: p for p in catalogue.products()}
    chosen = [(by_id[name], text) for name, text in jobs.PHONE_QUERIES]
    folder = out / "queries"
    todo = [p for p, _ in chosen if not (resume and (folder / f"{p.id}.webp").exists())]
    for _ in _bar(jobs.run("phone", todo, folder, processes), len(todo), "phone"):
        pass
    composed = {
        (q["reference_id"], q["new"]): q["target_ids"] for q in catalogue.composed_queries(list(by_id.values()))
    }
    data = []
    for i, (p, text) in enumerate(chosen):
        target = next((ids for (ref, new), ids in composed.items() if ref == p.id and text.endswith(new)), p.id)
        data.append(
            {
                "query_id": f"q{i + 1:02d}",
                "image": f"queries/{p.id}.webp",
                "text": text,
                "reference_id": p.id,
                "product_id": target if text else p.id,
            }
        )
    catalogue.write_csv(out / "queries.csv", ("query_id", "image", "text", "reference_id", "product_id"), data)


def main() -> None:
    """Parse the arguments and do the work."""
    parser = argparse.ArgumentParser(prog="python -m studio", description=__doc__)
    sub = parser.add_subparsers(dest="command", required=True)
    r = sub.add_parser("render", help="render pictures, then write the tables")
    t = sub.add_parser("tables", help="write products.csv and composed_queries.csv only")
    s = sub.add_parser("sheets", help="lay out contact sheets of what is rendered")
    for p in (r, t, s):
        p.add_argument("--out", type=Path, default=Path("assets/catalog"), help="folder of the catalogue")
    r.add_argument("--family", nargs="+", metavar="NAME", help="only these families")
    r.add_argument("--processes", type=int, default=2)
    r.add_argument("--views", choices=("shop", "extra", "phone", "all"), default="shop")
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
    if a.command == "sheets":
        write_sheets(catalogue.products(), a.out / "images", a.docs)
        return
    if a.command == "render":
        if a.views in ("shop", "all"):
            render_shop(a.out, a.family, a.processes, a.resume)
        if a.views in ("phone", "all"):
            render_phone(a.out, a.processes, a.resume)
        if a.views in ("extra", "all"):
            render_extra(a.out, a.extra_out, a.family, a.processes, a.resume)
    print(f"{catalogue.write_tables(a.out)} products in {a.out}")


if __name__ == "__main__":
    main()

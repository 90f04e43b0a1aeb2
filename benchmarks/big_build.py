"""How long a large table takes to build, in how much memory, and whether kill -9 at random moments changes the index.

    python -m benchmarks.big_build [--rows 20000] [--kill 5] [--seed 0] [--folder FOLDER]

The table has the built-in catalogue's products over and over, each picture cut and lit a little differently. With
--kill a second build is killed so many times, goes on with --resume, and its index is compared with the undisturbed
one. Prints one JSON document. A table that FOLDER has from an earlier run is used again.
"""

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import ImageEnhance

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.catalog.product import Product
from mmdemo.core.paths import resolve_spec
from mmdemo.index.product_index import ProductIndex

SIDE = 400  # pixels, the longer side of a picture, about as in shops' exports
CUT, LIGHT = 0.08, 0.15  # at most of each side, and of the brightness


def write_table(folder: Path, rows: int, seed: int) -> Path:
    """A catalogue folder of so many rows; what lies there already from the same call is kept."""
    shop = folder / f"shop-{rows}-{seed}"
    table = shop / "catalog.csv"
    if table.exists():
        return shop
    (shop / "images").mkdir(parents=True, exist_ok=True)
    catalog = Catalog.read(resolve_spec("assets/catalog"))
    columns = list(dict.fromkeys(name for product in catalog for name in product.attributes))

    def write_picture(number: int) -> None:
        draw, product = random.Random(f"{seed}-{number}"), catalog.products[number % len(catalog)]
        source = catalog.image_path(product)
        if source is None:
            return
        picture = decode(source, max_side=SIDE)
        left, top, right, bottom = (CUT * draw.random() for _ in range(4))
        width, height = picture.size
        picture = picture.crop((left * width, top * height, (1 - right) * width, (1 - bottom) * height))  # type: ignore[arg-type]
        light = ImageEnhance.Brightness(picture).enhance(1 + LIGHT * draw.uniform(-1, 1))
        light.save(shop / "images" / f"{number}.jpg", quality=88)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(write_picture, range(rows)):
            pass
    part = table.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "title", "description", "category", "price", "currency", "parent", *columns])
        for number in range(rows):
            product = catalog.products[number % len(catalog)]
            writer.writerow(_row(product, number, number // len(catalog), columns))
    part.replace(table)
    return shop


def _row(product: Product, number: int, copy: int, columns: list[str]) -> list[object]:
    image = f"images/{number}.jpg" if product.image else ""
    price = None if product.price is None else round(product.price + copy % 7, 2)
    known = [product.title, product.description, product.category, price, product.currency]
    parent = f"{product.parent}-{copy}" if product.parent else ""
    return [f"{product.id}-{copy}", image, *known, parent, *(product.attributes.get(name, "") for name in columns)]


def build(shop: Path, out: Path, resume: bool = False, killed_after: float | None = None) -> tuple[float, float, bool]:
    """Build an index in a process of its own: seconds, peak resident memory in MB, and whether it came to its end."""
    command = [sys.executable, "-m", "mmdemo", "build", str(shop), "--out", str(out), *(["--resume"] if resume else [])]
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    timer = threading.Timer(killed_after or 0, os.killpg, (process.pid, signal.SIGKILL))
    if killed_after is not None:
        timer.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()  # a build does not outlive the measurement
        raise
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, -signal.SIGKILL) or (process.returncode and killed_after is None):
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - began, used.ru_maxrss / 1024, process.returncode == 0


def disturbed(shop: Path, out: Path, kills: int, seconds: float, draw: random.Random) -> list[float]:
    """Build an index, killed at so many random moments of what an undisturbed build takes; the seconds of each run."""
    runs: list[float] = []
    for _ in range(kills):
        took, _, finished = build(shop, out, bool(runs), draw.uniform(0, seconds) * (1 if not runs else 0.5))
        runs.append(took)
        if finished:
            return runs
    return [*runs, build(shop, out, resume=True)[0]]


def difference(one: Path, other: Path) -> dict[str, object]:
    """What differs between two indexes: products, pictures, numbers at most, files."""
    a, b = ProductIndex.load(one), ProductIndex.load(other)
    same = [p.row() for p in a.products] == [p.row() for p in b.products]
    pairs = {"image": (a.image, b.image), "text": (a.text, b.text), "vectors": (a.vectors, b.vectors)}
    weights, others = a.head.state_dict(), b.head.state_dict()
    pairs |= {f"head {name}": (weights[name].numpy(), others[name].numpy()) for name in weights.keys() & others.keys()}
    moved = {name: float(np.abs(x - y).max()) if x.shape == y.shape else None for name, (x, y) in pairs.items()}
    # The report holds times, and the header of a file of weights names what it holds in any order.
    files = {name: b.manifest.files.get(name) == sha for name, sha in a.manifest.files.items()}
    pictures = sum(a.thumbnail(p.id) != b.thumbnail(p.id) for p in a.products) if same else None
    return {
        "same products in the same order": same,
        "pictures that differ": pictures,
        "same weights of the head": weights.keys() == others.keys(),
        "numbers that differ, and by how much": {name: by for name, by in moved.items() if by != 0},
        "files that differ": sorted(name for name, equal in files.items() if not equal),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="a large build: minutes, memory, and kill -9")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--kill", type=int, default=0, metavar="TIMES")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "mmdemo-big-build")
    asked = parser.parse_args()
    shop = write_table(asked.folder, asked.rows, asked.seed)
    whole = asked.folder / f"index-{asked.rows}"
    seconds, memory, _ = build(shop, whole)
    index = ProductIndex.load(whole)
    found: dict[str, object] = {
        "rows": asked.rows,
        "products": len(index),
        "minutes": round(seconds / 60, 2),
        "seconds by stage": index.report.get("seconds"),
        "peak MB": round(memory),
        "index MB": round(sum(f.stat().st_size for f in whole.rglob("*") if f.is_file()) / 1e6),
        "load of the machine": os.getloadavg(),
    }
    if asked.kill:
        other = asked.folder / f"killed-{asked.rows}-{time.strftime('%H%M%S')}"
        runs = disturbed(shop, other, asked.kill, seconds, random.Random(asked.seed))
        found["killed"] = {"seconds of each run": [round(run, 1) for run in runs], **difference(whole, other)}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

"""What an index of many products takes: disk, memory, the time to open it and to search it.

    python -m benchmarks.scale [--sizes 10000 100000] [--index index/default] [--folder /tmp]

Products are those of an index, many times over, their rows moved a little so that neighbours exist; without pictures.
Each size is opened in a process of its own. Prints one JSON document; docs/scale.md says where its figures came from.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmdemo.core.vectors import Array, normalize
from mmdemo.index.contents import Contents
from mmdemo.index.product_index import ProductIndex

NOISE = 0.3  # how far a row is moved, as a share of its length


def grown(index: ProductIndex, n: int, rng: np.random.Generator) -> ProductIndex:
    """An index of n products: those of this one, over and over, their rows moved."""
    rows = np.arange(n) % len(index)

    def moved(x: Array) -> Array:
        many = np.empty((n, x.shape[1]), np.float32)
        for start in range(0, n, 10_000):
            some = x[rows[start : start + 10_000]]
            away = rng.standard_normal(some.shape, np.float32)
            length = np.linalg.norm(some, axis=1, keepdims=True)
            many[start : start + 10_000] = normalize(some + NOISE * length * normalize(away)) * length
        return many

    products = [replace(index.products[r], id=f"{index.products[r].id}-{i}") for i, r in enumerate(rows)]
    return ProductIndex(Contents(products, moved(index.image), moved(index.text), index.head, index.manifest))


def memory() -> dict[str, float]:
    """Resident memory of this process in MB: its own, and pages of mapped files, which the system may take back."""
    status = Path("/proc/self/status").read_text()
    return {kind: int(re.search(rf"{kind}:\s+(\d+)", status)[1]) / 1000 for kind in ("RssAnon", "RssFile")}  # type: ignore[index]


def opened(path: Path) -> dict[str, object]:
    """Figures of one index, in the process that opens it."""
    before, began = memory(), time.perf_counter()
    index = ProductIndex.load(path)
    seconds = time.perf_counter() - began
    queries = normalize(index.vectors[:: max(1, len(index) // 100)][:100] + 0.02)
    times = []
    for query in queries:
        began = time.perf_counter()
        index.search(query, 10)
        times.append(time.perf_counter() - began)
    after = memory()
    return {
        "open seconds": seconds,
        "search ms, median of 100": 1000 * float(np.median(times)),
        "MB of memory": after["RssAnon"] - before["RssAnon"],
        "MB of mapped files in memory": after["RssFile"],
        "store": index.manifest.store,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="what an index of many products takes")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--index", default="index/default")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.open:
        print(json.dumps(opened(asked.open)))
        return
    source, found = ProductIndex.load(asked.index), {}
    for n in asked.sizes:
        out = asked.folder / f"mmdemo-scale-{n}"
        began = time.perf_counter()
        version = grown(source, n, np.random.default_rng(0)).save(out).folder
        seconds = time.perf_counter() - began
        sizes = {p.name: p.stat().st_size / 1e6 for p in version.iterdir() if p.is_file()}
        command = [sys.executable, "-m", "benchmarks.scale", "--open", str(out)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found[str(n)] = {"save seconds": seconds, "disk MB": sizes, **json.loads(said)}
        shutil.rmtree(out)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

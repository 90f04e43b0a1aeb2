"""python -m benchmarks.index_size [--sizes N ...] [--kinds K ...] [--catalogues FOLDER ...] [--out FOLDER].

How an index should grow: recall@10, milliseconds, build, bytes and load of exact search (the peer), of inverted lists
with bytes (SQ8) and with product codes (PQ64), with and without exact scores for the candidates, of an HNSW graph over
bytes, and of `FaissStore` as it ships, filters, adding and removing included. Vectors are pictures of the catalogues
that the encoder made rows of, moved as real neighbours differ; queries are such pictures again, and real titles.

Milliseconds are of one core: the processor time of single queries, median, and beside it the time on the wall, which a
busy machine lengthens. Each size is added to index_size.json in --out as soon as it is measured; --work keeps the rows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from mmdemo.core.vectors import Array, normalize
from mmdemo.index import store as stores
from mmdemo.index.exact import nearest
from mmdemo.index.store import FaissStore

HOME = Path(__file__).resolve().parent.parent
K, QUERIES, NEAR = 10, 100, 32
PROBES, REFINES, EFS = (16, 32, 64, 128), (1, 4), (32, 64, 128, 256)
SHARES = (1.0, 0.1, 0.01, 0.001)
KINDS = ("ivf-sq8", "ivf-pq64", "hnsw-sq8")


def rows_of(catalogues: list[Path], keep: Path) -> tuple[Array, Array, np.ndarray]:
    """Unit rows of every distinct picture and of every distinct title, as the shipped encoder sees them, and each
    picture's nearest others."""
    if not keep.exists():
        from mmdemo.catalog.catalog import Catalog  # here, so that a process that only opens a store holds nothing else
        from mmdemo.catalog.imaging import decode
        from mmdemo.encode.embeddings import single_view_embeddings, text_embeddings
        from mmdemo.encode.encoder import Encoder

        encoder, images, texts = Encoder.load(HOME / "assets" / "encoder"), [], []
        for products, path in ((c.products, c.image_path) for c in map(Catalog.read, catalogues)):
            for start in range(0, len(products), 64):
                some = [p for p in products[start : start + 64] if path(p) is not None]
                images.append(
                    single_view_embeddings(encoder, [decode(path(p), max_side=224) for p in some])[:, : encoder.dim]
                )
                texts.append(text_embeddings(encoder, [p.title for p in some])[:, : encoder.dim])
        image, text = (np.unique(np.vstack(rows), axis=0) for rows in (images, texts))
        np.savez(keep, image=image, text=text, near=neighbours(image))
    with np.load(keep) as kept:
        return kept["image"], kept["text"], kept["near"]


def neighbours(rows: Array) -> np.ndarray:
    """The NEAR nearest (n, NEAR) of each row, itself among them."""
    return np.vstack([np.argpartition(-(s @ rows.T), NEAR, axis=1)[:, :NEAR] for s in np.array_split(rows, 16)])


def perturbed(rows: Array, near: np.ndarray, n: int, seed: int) -> Array:
    """New unit rows (n, d): a real one, moved by a part of the difference of two of its neighbours and by noise."""
    rng, out = np.random.default_rng(seed), np.empty((n, rows.shape[1]), np.float32)
    for start in range(0, n, 50_000):
        size = min(50_000, n - start)
        at = rng.integers(len(rows), size=size)
        a, b = (near[at, rng.integers(NEAR, size=size)] for _ in range(2))
        part = rng.uniform(0.2, 0.8, size=(size, 1)).astype(np.float32)
        noise = 0.15 / rows.shape[1] ** 0.5 * rng.standard_normal((size, rows.shape[1])).astype(np.float32)
        out[start : start + size] = normalize(rows[at] + part * (rows[a] - rows[b]) + noise)
    return out


def timed(
    search: Callable[[Array], np.ndarray],
    queries: dict[str, Array],
    true: dict[str, Array],
    vectors: Array,
    allowed: np.ndarray | None = None,
) -> dict[str, Any]:
    """Recall@10 of each kind of query, counted by exact scores, and the median of single searches."""
    recalls: dict[str, Any] = {}
    cpu, wall = [], []
    for kind, rows in queries.items():
        hits = 0
        for query, least in zip(rows, true[kind][:, K - 1], strict=False):
            begun, clock = time.process_time(), time.perf_counter()
            ids = search(query[None])[:K]
            cpu.append(time.process_time() - begun)
            wall.append(time.perf_counter() - clock)
            hits += int((vectors[ids[ids >= 0]] @ query >= least - 1e-6).sum())
        recalls[kind] = round(hits / K / len(rows), 4)
    return {**recalls, "ms": _ms(cpu), "wall_ms": _ms(wall)}


def _ms(seconds: list[float]) -> dict[str, float]:
    low, middle, high = (round(float(ms), 3) for ms in np.percentile(seconds, [25, 50, 75]) * 1000)
    return {"p25": low, "p50": middle, "p75": high}


def measure(
    n: int, image: Array, text: Array, neighbours_of: np.ndarray, kinds: list[str], work: Path
) -> dict[str, Any]:
    """Exact search and these kinds at one size."""
    vectors = perturbed(image, neighbours_of, n, 1)
    titles = text[np.random.default_rng(5).permutation(len(text))[:QUERIES]]
    queries = {"image": perturbed(image, neighbours_of, QUERIES, 2), "text": titles}
    chunks = [(np.arange(s, min(n, s + 16_384)), vectors[s : s + 16_384]) for s in range(0, n, 16_384)]
    true = {kind: nearest(rows, 100, chunks)[0] for kind, rows in queries.items()}
    curves: list[dict[str, Any]] = []

    def curve(kind: str, size: float, build: float, search: Callable[[Array], np.ndarray], **setting: int) -> None:
        curves.append(
            {
                "kind": kind,
                "MB": round(size / 1e6, 1),
                "build_s": round(build, 1),
                **setting,
                **timed(search, queries, true, vectors),
            }
        )
        print(n, curves[-1], flush=True)

    def refined(index: Any, refine: int) -> Callable[[Array], np.ndarray]:
        def search(query: Array) -> np.ndarray:
            ids = index.search(query, K * refine)[1][0]
            ids = ids[ids >= 0]
            return ids if refine == 1 else nearest(query, K, [(ids, vectors[ids])])[1][0]

        return search

    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    everything, queries = queries, {kind: rows[: max(10, 3_000_000 // n)] for kind, rows in queries.items()}
    curve("exact", vectors.nbytes, 0.0, refined(flat, 1))
    queries = everything
    del flat
    begun = time.process_time()
    store = FaissStore(vectors.shape[1], exact=0)
    store.add(np.arange(n), vectors)
    build = time.process_time() - begun
    path = work / f"{n}.faiss"
    store.save(path)
    lists: Any = store._index
    for probes in PROBES if "ivf-sq8" in kinds else ():
        lists.nprobe = probes
        for refine in REFINES:
            curve("ivf-sq8", path.stat().st_size, build, refined(lists, refine), probes=probes, refine=refine)
    if "ivf-pq64" in kinds:
        begun = time.process_time()
        product = faiss.IndexIVFPQ(lists.quantizer, vectors.shape[1], lists.nlist, 64, 8, faiss.METRIC_INNER_PRODUCT)
        product.train(vectors[np.sort(np.random.default_rng(0).permutation(n)[:20_000])])
        product.add(vectors)
        taken = time.process_time() - begun
        for probes in PROBES:
            product.nprobe = probes
            for refine in REFINES:
                curve("ivf-pq64", 72 * n, build + taken, refined(product, refine), probes=probes, refine=refine)
    if "hnsw-sq8" in kinds:
        begun = time.process_time()
        kind, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        graph: Any = faiss.IndexHNSWSQ(vectors.shape[1], kind, 16, metric)
        graph.hnsw.efConstruction = 100
        graph.train(vectors)
        graph.add(vectors)
        taken, size = time.process_time() - begun, faiss.serialize_index(graph).nbytes
        for ef in EFS:
            graph.hnsw.efSearch = ef
            for refine in REFINES:
                curve("hnsw-sq8", size, taken, refined(graph, refine), ef=ef, refine=refine)
    figures = {"curves": curves, "shipped": shipped(store, vectors, queries, true, path, build)}
    print(n, figures["shipped"], flush=True)
    return figures


def shipped(
    store: FaissStore, vectors: Array, queries: dict[str, Array], true: dict[str, Array], path: Path, build: float
) -> dict[str, Any]:
    """The store as it ships, past the rule's size or not: what it says of itself, and what its promises cost."""
    n = len(store)
    figures: dict[str, Any] = {**store.describe(), "build_s": round(build, 1)}
    figures["file_MB"] = {p.name: round(p.stat().st_size / 1e6, 1) for p in sorted(path.parent.glob(f"{n}.faiss*"))}
    np.savez(path.with_suffix(".npz"), **queries)  # type: ignore[arg-type]
    command = [sys.executable, "-m", "benchmarks.index_size", "--open", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HOME)
    figures["fresh_process"] = json.loads(done.stdout)
    store = FaissStore.load(path)
    figures["stated_recall"] = {kind: round(store.recall(rows, K), 4) for kind, rows in queries.items()}
    figures["filters"] = {}
    for share in SHARES:
        allowed = np.sort(np.random.default_rng(7).permutation(n)[: max(1, int(n * share))])
        among = {kind: nearest(rows, K, [(allowed, vectors[allowed])])[0] for kind, rows in queries.items()}
        figures["filters"][str(share)] = timed(
            lambda q, allowed=allowed: store.search(q, K, allowed)[1][0],
            queries,
            among,
            vectors,  # type: ignore[misc]
        )
    begun = time.perf_counter()
    new_vectors = perturbed(vectors[:2000], neighbours(vectors[:2000]), 1000, 11)
    store.add(n + np.arange(1000), new_vectors)
    figures["add_1000_s"] = round(time.perf_counter() - begun, 2)
    begun = time.perf_counter()
    store.remove(np.arange(0, n, max(1, n // 1000)))
    figures["remove_1000_s"] = round(time.perf_counter() - begun, 2)
    begun = time.perf_counter()
    store.save(path.with_name("again.faiss"))
    figures["save_s"] = round(time.perf_counter() - begun, 2)
    again = FaissStore.load(path.with_name("again.faiss"))
    finds_removed = np.isin(np.arange(0, n, max(1, n // 1000)), again.search(vectors[:: max(1, n // 1000)], K)[1]).any()
    finds_added = (again.search(new_vectors, 1)[1][:, 0] == n + np.arange(1000)).mean()
    return {**figures, "removed_found": bool(finds_removed), "added_found": float(finds_added)}


def open_one(path: Path) -> None:
    """In a process of its own: load, search, and what is resident then."""
    with np.load(path.with_suffix(".npz")) as kept:
        queries = np.vstack([kept["image"], kept["text"]])
    before, begun = _resident(), time.perf_counter()
    store = FaissStore.load(path)
    load, cpu, wall = time.perf_counter() - begun, [], []
    for query in np.vstack([queries, queries[::-1]]):
        clock, at = time.process_time(), time.perf_counter()
        store.search(query[None], K)
        cpu.append(time.process_time() - clock)
        wall.append(time.perf_counter() - at)
    figures = {
        "load_s": round(load, 3),
        "queries": len(cpu),
        "resident_MB": _resident(),
        "before_MB": before,
        "ms": _ms(cpu),
        "wall_ms": _ms(wall),
    }
    print(json.dumps(figures))


def _resident() -> float:
    status = Path("/proc/self/status").read_text()
    return round(int(status.split("VmRSS:")[1].split()[0]) / 1000, 1)


def draw(found: dict[str, Any], out: Path) -> None:
    """Recall against milliseconds and against megabytes, of the largest size at which most kinds were measured."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    n = max(found, key=lambda size: (len({c["kind"] for c in found[size]["curves"]}), int(size)))
    figure, axes = pyplot.subplots(2, 2, figsize=(10, 7), sharey=True)
    for row, kind in enumerate(("image", "text")):
        for column, unit in enumerate(("ms", "MB")):
            axis = axes[row][column]
            named: dict[str, list[tuple[float, float]]] = {}
            for c in found[n]["curves"]:
                name = c["kind"] + ("" if c.get("refine", 1) == 1 else f", {c['refine']}k candidates rescored")
                named.setdefault(name, []).append((c["ms"]["p50"] if unit == "ms" else c["MB"], c[kind]))
            for name, points in named.items():
                axis.plot(*zip(*points, strict=True), marker="o", markersize=3, linewidth=1, label=name)
            axis.set_xscale("log")
            axis.set_xlabel("milliseconds a query, one core, p50" if unit == "ms" else "megabytes of codes")
            axis.set_ylabel(f"recall@10, {kind} to image")
            axis.set_ylim(0.6, 1.01)
            axis.grid(alpha=0.3)
    axes[0][0].legend(fontsize=6)
    figure.suptitle(f"{int(n):,} vectors of 256 numbers")
    figure.tight_layout()
    figure.savefig(out / "index_size.png", dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--catalogues", type=Path, nargs="+", default=[HOME / "assets" / "catalog"])
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS), help="measured beside exact search")
    parser.add_argument("--work", type=Path, help="keeps rows and stores; otherwise a folder that goes afterwards")
    parser.add_argument("--out", type=Path, default=HOME / "docs" / "performance")
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.open:
        return open_one(given.open)
    given.out.mkdir(parents=True, exist_ok=True)
    kept = given.out / "index_size.json"
    with tempfile.TemporaryDirectory() as aside:
        work = given.work or Path(aside)
        work.mkdir(parents=True, exist_ok=True)
        image, text, near = rows_of(given.catalogues, work / "rows.npz")
        for n in given.sizes:
            one = measure(n, image, text, near, given.kinds, work)
            found = json.loads(kept.read_text())["sizes"] if kept.exists() else {}
            found[str(n)] = one
            rule = {name: getattr(stores, name) for name in ("EXACT", "PROBES", "REFINE", "FEW")}
            machine = {"cores": os.cpu_count(), "faiss": faiss.__version__, "pictures": len(image), "titles": len(text)}
            said = {"rule": rule, "machine": machine, "sizes": dict(sorted(found.items(), key=lambda s: int(s[0])))}
            kept.write_text(json.dumps(said, indent=1) + "\n")
    draw(found, given.out)


if __name__ == "__main__":
    main()

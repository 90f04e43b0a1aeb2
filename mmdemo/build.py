"""From a catalogue to an index: encode, fit, fuse, measure, save."""

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from mmdemo.catalog import Catalog, Refusal
from mmdemo.embed import Progress, cropped, embed, image_rows, silent, text_rows
from mmdemo.encoder import Encoder
from mmdemo.errors import InputError
from mmdemo.evaluation import Queries, evaluate, read_queries
from mmdemo.fit import fit
from mmdemo.imaging import decode
from mmdemo.index import WORK, ProductIndex, encoder_spec
from mmdemo.lessons import partial_texts
from mmdemo.locks import writing
from mmdemo.report import PLOT, as_markdown, plot

SAMPLE = 200  # products per task of the report


def build(
    catalog: Catalog, encoder: Encoder, out: Path, *, resume: bool = False, seed: int = 0, progress: Progress = silent
) -> tuple[ProductIndex, list[Refusal]]:
    """Build and save the index of a catalogue; returns it with the pictures that did not decode.

    An interrupted build leaves its shards in `out`; with `resume` the next one goes on from them. Whatever index was
    live in `out` stays so until the new one is whole. Raises InputError while another program writes there.
    """
    with writing(out):
        return _build(catalog, encoder, out, resume, seed, progress)


def _build(
    catalog: Catalog, encoder: Encoder, out: Path, resume: bool, seed: int, progress: Progress
) -> tuple[ProductIndex, list[Refusal]]:
    started = time.perf_counter()
    work = out / WORK
    done = embed(catalog, encoder, work, resume=resume, progress=progress)
    encoded = time.perf_counter()
    fitted = fit(
        done.products, done.image, done.text, lambda texts: text_rows(encoder, texts), encoder.dim, view=done.view,
        seed=seed, progress=progress,
    )  # fmt: skip
    manifest: dict[str, Any] = {
        "name": out.resolve().name,
        "encoder": {"spec": encoder_spec(encoder.spec), "name": encoder.name, "weights_sha256": encoder.weights_hash,
                    "preprocess": str(encoder.preprocess)},
        "catalogue_sha256": catalog.digest(),
        "calibration": fitted.calibration.curves,
        "floors": fitted.calibration.floors,
        "held_out": fitted.held_out,
    }  # fmt: skip
    report = {
        "fit": {"head": fitted.head.name, "note": fitted.note, "validation": fitted.scores, "seconds": fitted.seconds},
        "refused": [vars(r) for r in (*catalog.refused, *done.refused)],
        "seconds": {"encode": encoded - started, "fit": fitted.seconds},
    }
    index = ProductIndex(done.products, done.image, done.text, fitted.head, manifest, report, work)
    report["tasks"] = measure(index, catalog, encoder, progress)
    pages = {"report.md": as_markdown(manifest["name"], report).encode(), PLOT: plot(report)}
    index = index.save(out, pages=pages)
    shutil.rmtree(work, ignore_errors=True)
    return index, done.refused


def add(index_dir: Path, catalog: Catalog, encoder: Encoder, progress: Progress = silent) -> ProductIndex:
    """Encode a catalogue's products into an existing index, its head unchanged, and save."""
    with writing(index_dir):
        index = ProductIndex.load(index_dir)
        work = index_dir / ".adding"  # not WORK: an interrupted build may wait there to be resumed
        done = embed(catalog, encoder, work, progress=progress)
        grown = index.add(done.products, done.image, done.text, work / "thumbs").save(index_dir)
        shutil.rmtree(work, ignore_errors=True)
    return grown


def remove(index_dir: Path, ids: list[str]) -> ProductIndex:
    """Take products out of an index and save."""
    with writing(index_dir):
        return ProductIndex.load(index_dir).remove(ids).save(index_dir)


def measure(
    index: ProductIndex, catalog: Catalog, encoder: Encoder, progress: Progress = silent
) -> dict[str, dict[str, Any]]:
    """The report's tasks, on products that the head never saw where there are enough of them.

    photo: the product's own picture, cropped and recompressed; words: half of its title's words; photo and words:
    both. Then whatever query files lie beside the catalogue.
    """
    held_out = set(index.manifest["held_out"])
    rows = [i for i, p in enumerate(index.products) if p.id in held_out]
    rows = rows if len(rows) >= 5 else list(range(len(index)))
    rng = np.random.default_rng(0)
    rows = sorted(rng.permutation(rows)[:SAMPLE].tolist())
    pictured = [r for r in rows if index.image[r].any()]
    words = text_rows(encoder, [partial_texts(index.products[r], rng)[2] for r in rows])
    nothing = np.full(len(rows), -1)
    tasks = {
        "words": Queries(np.zeros((len(rows), index.image.shape[1]), np.float32), words, 0 * words, nothing,
                         [np.array([r]) for r in rows]),
    }  # fmt: skip
    if pictured:
        source = {p.id: catalog.image_path(p) for p in catalog}
        crops = [cropped(decode(source[index.products[r].id], max_side=512), rng) for r in pictured]  # type: ignore[arg-type]
        image = image_rows(encoder, crops)
        keep = np.isin(rows, pictured)
        targets = [np.array([r]) for r in pictured]
        said = words[keep]
        tasks["photo"] = Queries(image, 0 * said, 0 * said, nothing[keep], targets)
        tasks["photo and words"] = Queries(image, said, 0 * said, nothing[keep], targets)
    results = {name: evaluate(index, q) for name, q in tasks.items()}
    for name, file in (("other photos", "queries.csv"), ("edits", "composed_queries.csv")):
        path = catalog.root / file
        if path.is_file():
            try:
                results[name] = evaluate(index, read_queries(path, index, encoder, progress)[0])
            except InputError as e:
                results[name] = {"note": str(e)}
    return results


def summary(index: ProductIndex) -> str:
    """The report in a few lines for a terminal."""
    lines = [index.report["fit"]["note"]]
    for name, result in index.report["tasks"].items():
        if "rankers" not in result:
            lines.append(f"{name}: {result['note']}")
            continue
        part = result["unseen"] or result
        cells = [
            f"{r} {m['recall@1']['value']:.2f}/{m['recall@10']['value']:.2f}" if m else f"{r} –"
            for r, m in part["rankers"].items()
        ]
        lines.append(f"{name} ({part['queries']} queries), recall@1/@10: " + ", ".join(cells))
    return "\n".join(lines)

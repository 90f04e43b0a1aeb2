"""From a catalogue to an index: encode, fit, fuse, measure, save."""

import copy
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mmdemo import simulate
from mmdemo.catalog import Catalog, Refusal
from mmdemo.embed import Embedded, Progress, cropped, embed, silent, text_rows
from mmdemo.encoder import Encoder
from mmdemo.errors import InputError
from mmdemo.evaluation import Queries, interval, paired
from mmdemo.fit import fit
from mmdemo.general import general_head
from mmdemo.home import encoder_spec, resolve_spec
from mmdemo.imaging import decode
from mmdemo.index import WORK, ProductIndex
from mmdemo.lessons import HALF, partial_texts, split_of
from mmdemo.locks import writing
from mmdemo.query import Query
from mmdemo.recommender import Recommender
from mmdemo.related import Related, learn, moved, ndcg
from mmdemo.report import as_markdown, plots
from mmdemo.say import say
from mmdemo.strangers import built_in, strangers
from mmdemo.tasks import held_out_rows, measure, tasks
from mmdemo.tuning import Setting
from mmdemo.why import faithfulness

MAPS = 24  # heat maps that the report checks: one for every 40 products, so that a small build stays short
Elsewhere = Callable[[Catalog, Path], None]


def build(
    catalog: Catalog, encoder: Encoder, out: Path, *, resume: bool = False, seed: int = 0, progress: Progress = silent,
    others: Catalog | None = None, store: str = "faiss",
    elsewhere: Elsewhere | None = None,
) -> tuple[ProductIndex, list[Refusal]]:  # fmt: skip
    """Build and save the index of a catalogue; returns it with the pictures that did not decode.

    `others` is a catalogue of things that this one does not sell, on which "nothing matches" is tried; the built-in
    one by default. `store` is "faiss" or "milvus:URI", where the fused vectors then live; `elsewhere` may
    encode on other machines (many.py).

    An interrupted build leaves its shards in `out`; with `resume` the next one goes on from them. Whatever index was
    live in `out` stays so until the new one is whole. Raises InputError while another program writes there.
    """
    where = store_of(store)
    with writing(out):
        work, started = out / WORK, time.perf_counter()
        done = embed(catalog, encoder, work, resume=resume, progress=progress, elsewhere=elsewhere)
        seconds = time.perf_counter() - started
        index = _fitted(catalog, encoder, done, out, seed, progress)
        index.manifest["store"], index.report["seconds"]["encode"] = where, seconds
        _measure(index, catalog, encoder.at(), others, progress)

        def pages(report: dict[str, Any]) -> dict[str, bytes]:
            return {"report.md": as_markdown(index.manifest["name"], report).encode(), **plots(report)}

        progress(0, 1, "saving")
        saved = index.save(out, pages=pages)
        progress(1, 1, "saving")
        shutil.rmtree(work, ignore_errors=True)
    return saved, done.refused


def _fitted(
    catalog: Catalog, encoder: Encoder, done: Embedded, out: Path, seed: int, progress: Progress
) -> ProductIndex:
    """The index, not yet measured or saved, of what was encoded into `out`: a head learnt, and a map of its links."""
    fitted = fit(
        done.products, done.image, done.text, lambda texts: text_rows(encoder, texts), encoder.dim, view=done.view,
        seed=seed, progress=progress, start=general_head(encoder),
    )  # fmt: skip
    manifest: dict[str, Any] = {
        "name": out.resolve().name,
        "encoder": {"spec": encoder_spec(encoder.spec), "name": encoder.name, "weights_sha256": encoder.weights_hash,
                    "preprocess": str(encoder.preprocess)},
        "catalogue_sha256": catalog.digest(),
        "noun": list(catalog.about.noun),
        "notice": catalog.about.notice,
        "words": catalog.words,
        "calibration": fitted.calibration.curves,
        "floors": fitted.calibration.floors,
        "held_out": fitted.held_out,
    }  # fmt: skip
    report: dict[str, Any] = {
        "fit": {"head": fitted.head.name, "note": fitted.note, "validation": fitted.scores, "seconds": fitted.seconds},
        "refused": [vars(r) for r in (*catalog.refused, *done.refused)],
        "seconds": {"fit": fitted.seconds},
        "embedding": vars(done.setting),
    }
    index = ProductIndex(
        done.products, done.image, done.text, fitted.head, manifest, report, out / WORK, links=catalog.links
    )
    if (links := learn_links(index, seed)) is not None:
        index.related, report["related"] = links
    return index


def _measure(
    index: ProductIndex, catalog: Catalog, encoder: Encoder, others: Catalog | None, progress: Progress
) -> None:
    """Write how good the index is, and what it costs, into its report."""
    progress(0, 1, "measuring")
    report, thumbs = index.report, index.folder / "thumbs"
    asked = tasks(index, catalog, encoder, progress)
    report["tasks"] = measure(index, asked)
    report["products"] = len(index)
    report["strangers"] = _nothing_matches(index, encoder, others or built_in(index), asked)
    report["maps"] = _maps(index, encoder, catalog, thumbs)
    progress(0, 1, "learning tastes")
    if (taste := simulate.report(index)) is not None:
        report["taste"] = taste
    report["cost"] = {
        "training seconds": report["seconds"]["fit"],
        "query milliseconds": query_milliseconds(index, encoder, catalog),
        "index megabytes": _index_megabytes(index, thumbs),
        "encoder megabytes": _encoder_megabytes(encoder),
    }


def store_of(store: str) -> dict[str, Any]:
    """Where vectors are to be kept, as a manifest begins to say it; InputError for no such place or no answer there."""
    if store == "faiss":
        return {}
    if not store.startswith("milvus:"):
        raise InputError(f"there is no store '{store}': expected faiss, milvus:http://host:19530 or milvus:file.db")
    from mmdemo.milvus import connect, place

    connect(place(store))  # now, not after hours of encoding
    return {"kind": "milvus", "uri": place(store)}


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


def _nothing_matches(
    index: ProductIndex, encoder: Encoder, others: Catalog | None, asked: dict[str, Queries | InputError]
) -> dict[str, Any]:
    """The report's figures on strangers, or a note that says why there are none."""
    if others is None:
        note = say("not measured: it takes a catalogue of other things; build with --strangers CATALOG")
        return {"note": note}
    photos = [q for name in ("photo", "other views") if isinstance(q := asked.get(name), Queries)]
    halves = [q for name in ("words",) if isinstance(q := asked.get(name), Queries)]
    try:
        return strangers(index, encoder, others, {"photo": photos, "half a title": halves})
    except InputError as e:
        return {"note": str(e)}


def _maps(index: ProductIndex, encoder: Encoder, catalog: Catalog, thumbs: Path) -> dict[str, Any]:
    """How far heat maps may be believed here, over cropped photos and half titles of products never trained on."""
    rng = np.random.default_rng(0)
    source = {p.id: catalog.image_path(p) for p in catalog}
    rows = [r for r in held_out_rows(index) if source[index.products[r].id] is not None and index.image[r].any()]
    rows = rng.permutation(rows)[: min(MAPS, len(index) // 40)].tolist()
    queries = []
    for product in (index.products[r] for r in rows):
        photo = cropped(decode(source[product.id], max_side=512), rng)  # type: ignore[arg-type]
        queries.append(Query(photo, partial_texts(product, rng)[HALF]))
    pictured = copy.copy(index)  # its thumbnails are listed in no manifest yet
    pictured.manifest = index.manifest | {"files": {f"thumbs/{p.name}": "" for p in thumbs.iterdir()}}
    return faithfulness(Recommender(pictured, encoder), queries, len(queries))


def learn_links(index: ProductIndex, seed: int = 0) -> tuple[Related | None, dict[str, Any]] | None:
    """A map learnt from the catalogue's links, and nDCG@10 on the links of unseen products with and without it.

    None without links; no map where it would not help the validation products.
    """
    if not index.links:
        return None
    pairs = np.array([(index.row(link.id), index.row(link.other_id)) for link in index.links], np.int64)
    named = [p.parent or p.group or p.id for p in index.products]
    group = np.unique(np.array(named, dtype=object).astype(str), return_inverse=True)[1]
    split = np.array([split_of(p) for p in index.products])
    found = learn(index.vectors, pairs, group, split == "train", split == "valid", seed)
    both = np.vstack([pairs, pairs[:, ::-1]])
    asked = both[split[both[:, 0]] == "test"]
    if not len(asked):
        return found, {"queries": 0}
    learnt, alike = (ndcg(moved(m, index.vectors), index.vectors, asked, group) for m in (found, None))
    return found, {"queries": len(alike), "learnt": interval(learnt), "alike": interval(alike),
                   "paired": paired(learnt, alike)}  # fmt: skip


def query_milliseconds(index: ProductIndex, encoder: Encoder, catalog: Catalog, most: int = 10) -> float:
    """The median time of a whole answer to a photo and words on one core, asked one after another."""
    recommender = Recommender(index, encoder)
    pictured = [p for p in catalog if index.holds(p.id) and catalog.image_path(p) is not None]
    step = max(1, len(pictured) // most)
    times = []
    with Setting(threads=1).threads_set():  # several wait for each other, and how they wait is up to the process
        for p in [*pictured[:1], *pictured[::step][:most]]:
            query = Query(image=decode(catalog.image_path(p), max_side=512), text=p.title)  # type: ignore[arg-type]
            started = time.perf_counter()
            recommender.recommend(query)
            times.append(time.perf_counter() - started)
    return 1000 * float(np.median(times[1:])) if len(times) > 1 else 0.0  # the first one warms up


def _megabytes(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6


def _encoder_megabytes(encoder: Encoder) -> float:
    folder = Path(resolve_spec(encoder.spec))
    if folder.is_dir():
        return _megabytes(folder)
    weights = encoder.model.parameters() if hasattr(encoder, "model") else ()
    return sum(w.numel() * w.element_size() for w in weights) / 1e6


def _index_megabytes(index: ProductIndex, thumbs: Path) -> float:
    """What the folder will take: everything but the report itself, which is yet to be written."""
    rows = sum(len(json.dumps(p.row(), ensure_ascii=False).encode()) + 1 for p in index.products)
    vectors = index.image.nbytes + index.text.nbytes + index.vectors.nbytes + 8 * len(index)
    head = sum(w.numel() * w.element_size() for w in index.head.parameters())
    return _megabytes(thumbs) + (rows + vectors + head) / 1e6


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

"""From a catalogue to an index: encode, fit, fuse, measure, save."""

import gzip
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmdemo.catalog.catalog import Catalog, Refusal
from mmdemo.catalog.imaging import decode
from mmdemo.catalog.starting_queries import read_starting_queries
from mmdemo.core.errors import InputError
from mmdemo.core.holdout import Holdout, TrainingRecord
from mmdemo.core.messages import Message
from mmdemo.core.metrics import bootstrap_interval, paired_randomisation_test
from mmdemo.core.paths import encoder_spec, resolve_spec
from mmdemo.core.progress import Progress, silent
from mmdemo.core.request import Query
from mmdemo.encode.embed import EncodedCatalog, ShardWriter, embed
from mmdemo.encode.embeddings import random_crop
from mmdemo.encode.encoder import Encoder
from mmdemo.encode.further_pictures import FurtherPictures
from mmdemo.encode.tuning import Setting
from mmdemo.evaluate.faithfulness import faithfulness
from mmdemo.evaluate.out_of_catalogue import built_in, measure_rejections
from mmdemo.evaluate.plots import plots
from mmdemo.evaluate.queries import Queries
from mmdemo.evaluate.report import (
    Cost,
    Evaluation,
    Fit,
    LinkFigures,
    MapCheck,
    OutOfCatalogue,
    Picture,
    RefusedRow,
    Report,
    Seconds,
    Split,
)
from mmdemo.evaluate.report_page import accepted, as_markdown, learnt_from
from mmdemo.evaluate.tasks import held_out_rows, measure, tasks
from mmdemo.fusion.fit import fit
from mmdemo.fusion.heads import LEARNT, round_head
from mmdemo.fusion.pretrained_head import pretrained_head
from mmdemo.fusion.related import Related, apply_map, fit_related, ndcg_of_links
from mmdemo.fusion.train import TrainingOptions
from mmdemo.fusion.training_tasks import HALF, partial_texts
from mmdemo.index.compact import SMALL, rounded
from mmdemo.index.contents import Contents
from mmdemo.index.locks import writing
from mmdemo.index.manifest import EncoderRecord, Manifest
from mmdemo.index.product_index import WORK, ProductIndex
from mmdemo.pipeline.calibrate import word_curve
from mmdemo.pipeline.learn_behaviour import learn_behaviour
from mmdemo.pipeline.name_weight import name_weight
from mmdemo.search.recommender import Recommender

MAPS = 24  # heat maps that the report checks: one for every 40 products, so that a small build stays short


@dataclass(frozen=True)
class BuildOptions:
    """How an index is built.

    Attributes
    ----------
    store
        "faiss" or "milvus:URI": where the fused vectors then live.
    others
        A catalogue of things that this one does not sell, on which "nothing matches" is tried (None: the built-in one).
    seed
        Of all that is drawn while heads are trained.
    compare_heads
        Train every kind of head, and not only the one that goes on from the encoder's pretrained head.
    """

    store: str = "faiss"
    others: Catalog | None = None
    seed: int = 0
    compare_heads: bool = False


def build(
    catalog: Catalog,
    encoder: Encoder,
    out: Path,
    options: BuildOptions = BuildOptions(),
    *,
    resume: bool = False,
    progress: Progress = silent,
    shard_writer: ShardWriter | None = None,
) -> tuple[ProductIndex, list[Refusal]]:
    """Build and save the index of a catalogue.

    Parameters
    ----------
    catalog, encoder, out
        What to index, by which embeddings, into which folder. An index that is live there stays so until the new one
        is whole.
    options
        How the index is built.
    resume
        Go on from the shards that an interrupted build left in `out`.
    progress
        Called with (done, total, what).
    shard_writer
        May encode on other machines (encode.ray_data).

    Returns
    -------
    tuple[ProductIndex, list[Refusal]]
        The saved index, and the pictures that did not decode.

    Raises
    ------
    InputError
        While another program writes to `out`, or for a store that is unknown or does not answer.
    """
    where, encoder = store_of(options.store), encoder.for_inference()
    with writing(out):
        work, started = out / WORK, time.perf_counter()
        done = encoded(embed(catalog, encoder, work, resume=resume, progress=progress, shard_writer=shard_writer))
        encoding_seconds = time.perf_counter() - started
        index, report = _fitted(catalog, encoder, done, out, options, progress)
        index.manifest = index.manifest.updated(store=where)
        report = report.with_(seconds=Seconds(fit=report.fit.seconds, encode=encoding_seconds))
        report = _measure(index, report, catalog, encoder, options.others, progress)
        index.report = report.as_dict()

        progress(0, 1, "saving")
        saved = index.save(out, pages=lambda saved: _pages(index, saved))
        progress(1, 1, "saving")
        shutil.rmtree(work, ignore_errors=True)
    return saved, done.refused


def measure_again(
    index_dir: Path, catalog: Catalog, encoder: Encoder, others: Catalog | None = None, progress: Progress = silent
) -> ProductIndex:
    """Make the report of an index anew, as a build does, and save it as a new version; nothing else changes.

    Parameters
    ----------
    index_dir
        The index folder.
    catalog, encoder
        What it was built from.
    others
        As in `BuildOptions`.
    progress
        Called with (done, total, what).

    Returns
    -------
    ProductIndex
        The saved index.

    Raises
    ------
    InputError
        Where the index was built from another catalogue, or that has changed since.
    """
    with writing(index_dir):
        index = ProductIndex.load(index_dir)
        if index.manifest.catalogue_sha256 != catalog.digest():
            raise InputError(
                "the index '{index}' was built from another catalogue than '{catalog}', or that has changed since; "
                "build it again: python -m mmdemo build {catalog} --out {index}",
                index=index_dir,
                catalog=catalog.root,
            )
        report = Report.read(index.report)
        index.report = _measure(index, report, catalog, encoder.for_inference(), others, progress).as_dict()
        return index.save(index_dir, pages=lambda saved: _pages(index, saved))


def _pages(index: ProductIndex, saved: dict[str, Any]) -> dict[str, bytes]:
    """The report as pages for people."""
    report = Report.read(saved)
    return {"report.md": as_markdown(index.manifest.name, report).encode(), **plots(report)}


def encoded(done: EncodedCatalog) -> EncodedCatalog:
    """What was encoded; raises InputError where that is nothing."""
    if not done.products:
        raise InputError(
            "no product of the catalogue could be encoded; see the refused rows above and mend the pictures"
        )
    return done


def _fitted(
    catalog: Catalog, encoder: Encoder, done: EncodedCatalog, out: Path, options: BuildOptions, progress: Progress
) -> tuple[ProductIndex, Report]:
    """The index of what was encoded into `out`, a head and a map of its links learnt, not yet measured or saved; and
    what its report says of the fit."""
    digest, record = catalog.digest(), TrainingRecord.read(encoder.spec)
    holdout = split if (split := record.of(digest)).applies_to(done.products) else Holdout()
    seed, start = options.seed, pretrained_head(encoder)
    fitted = fit(
        done,
        encoder,
        heads=LEARNT if start is None or options.compare_heads else (start.name,),
        options=TrainingOptions(seed=seed),
        start=start,
        holdout=holdout,
        progress=progress,
    )
    note = record.misfit(done.products, fitted.held_out, digest)
    manifest = Manifest(
        name=out.resolve().name,
        encoder=EncoderRecord(
            spec=encoder_spec(encoder.spec),
            name=encoder.name,
            weights_sha256=encoder.weights_hash,
            preprocess=str(encoder.preprocess),
        ),
        catalogue_sha256=digest,
        **vars(catalog.about),
        words=catalog.words,
        columns=catalog.mapping,
        calibration=fitted.calibration.curves,
        floors=fitted.calibration.thresholds,
        held_out=[] if note else fitted.held_out,
    )
    report = Report(
        fit=Fit(head=fitted.head.name, note=fitted.note, validation=fitted.scores, seconds=fitted.seconds),
        refused=[RefusedRow(**vars(r)) for r in (*catalog.refused, *done.refused)],
        embedding=vars(done.setting),
        split=Split(columns=list(holdout.columns), note=note),
    )
    index = ProductIndex(
        Contents(
            done.products,
            rounded(done.image),
            rounded(done.text),
            round_head(fitted.head),
            manifest,
            {},
            out / WORK,
            done.thumbnails,
            catalog.links,
            starting_queries=read_starting_queries(catalog.root, {p.id for p in done.products}),
            picture_hashes=done.picture_hashes,
            further=FurtherPictures(done.further.rows, rounded(done.further.image)),
        )
    )
    index.manifest = index.manifest.updated(
        word_curve=word_curve(index, encoder, seed), name_weight=name_weight(index, encoder, seed)
    )
    return index, _learn_beside(index, report, catalog, holdout, seed, progress)


def _learn_beside(
    index: ProductIndex, report: Report, catalog: Catalog, holdout: Holdout, seed: int, progress: Progress
) -> Report:
    """Let the index learn from links and from what people did, and return its report with what it learnt."""
    if (links := learn_links(index, seed, holdout)) is not None:
        index.related, figures = links
        report = report.with_(related=figures)
    if catalog.events is not None:
        index.behaviour, learnt = learn_behaviour(index, catalog.events, seed, progress)
        report = report.with_(behaviour=learnt)
    return report


def _measure(
    index: ProductIndex,
    report: Report,
    catalog: Catalog,
    encoder: Encoder,
    others: Catalog | None,
    progress: Progress,
) -> Report:
    """The report with how good the index is, and what it costs."""
    progress(0, 1, "measuring")
    asked = tasks(index, catalog, encoder, progress)
    report = report.with_(
        tasks=measure(index, asked, encoder),
        products=len(index),
        out_of_catalogue=_rejections(index, encoder, others or built_in(index), asked),
        maps=_maps(index, encoder, catalog),
    )
    cost = Cost(
        training_seconds=report.fit.seconds,
        query_milliseconds=query_milliseconds(index, encoder, catalog),
        index_megabytes=_index_megabytes(index),
        encoder_megabytes=_encoder_megabytes(encoder),
    )
    return report.with_(cost=cost)


def store_of(store: str) -> dict[str, Any]:
    """Where vectors are to be kept, as a manifest begins to say it; InputError for no such place or no answer there."""
    if store == "faiss":
        return {}
    if not store.startswith("milvus:"):
        raise InputError(
            "there is no store '{store}': expected faiss, milvus:http://host:19530 or milvus:file.db", store=store
        )
    from mmdemo.index.milvus import connect, place

    connect(place(store))  # now, not after hours of encoding
    return {"kind": "milvus", "uri": place(store)}


def add(index_dir: Path, catalog: Catalog, encoder: Encoder, progress: Progress = silent) -> ProductIndex:
    """Encode a catalogue's products into an existing index, its head unchanged, and save."""
    with writing(index_dir):
        index = ProductIndex.load(index_dir)
        work = index_dir / ".adding"  # not WORK: an interrupted build may wait there to be resumed
        done = encoded(embed(catalog, encoder, work, progress=progress))
        grown = index.add(
            done.products, done.image, done.text, done.thumbnails, done.picture_hashes, done.further
        ).save(index_dir)
        shutil.rmtree(work, ignore_errors=True)
    return grown


def remove(index_dir: Path, ids: list[str]) -> ProductIndex:
    """Take products out of an index and save."""
    with writing(index_dir):
        return ProductIndex.load(index_dir).remove(ids).save(index_dir)


def _rejections(
    index: ProductIndex, encoder: Encoder, others: Catalog | None, asked: dict[str, Queries | InputError]
) -> OutOfCatalogue:
    """The report's figures on things that are not sold, or a note that says why there are none."""
    if others is None:
        note = Message("not measured: it takes a catalogue of other things; build with --strangers CATALOG")
        return OutOfCatalogue(note=note)
    photos = [q for name in ("photo", "other views") if isinstance(q := asked.get(name), Queries)]
    halves = [q for name in ("words",) if isinstance(q := asked.get(name), Queries)]
    try:
        return measure_rejections(Recommender(index, encoder), others, {"photo": photos, "half a title": halves})
    except InputError as e:
        return OutOfCatalogue(note=e.message)


def _maps(index: ProductIndex, encoder: Encoder, catalog: Catalog) -> dict[Picture, MapCheck]:
    """How far heat maps may be believed here, over cropped photos and half titles of products never trained on."""
    rng = np.random.default_rng(0)
    source = {p.id: catalog.image_path(p) for p in catalog}
    rows = [r for r in held_out_rows(index) if source[index.products[r].id] is not None and index.image[r].any()]
    rows = rng.permutation(rows)[: min(MAPS, len(index) // 40)].tolist()
    queries = []
    for product in (index.products[r] for r in rows):
        photo = random_crop(decode(source[product.id], max_side=512), rng)  # type: ignore[arg-type]
        queries.append(Query(image=photo, text=partial_texts(product, rng)[HALF]))
    return faithfulness(Recommender(index, encoder), queries, len(queries))


def learn_links(
    index: ProductIndex,
    seed: int = 0,
    holdout: Holdout = Holdout(),  # noqa: B008
) -> tuple[Related | None, LinkFigures] | None:
    """A map learnt from the catalogue's links, and nDCG@10 on the links of unseen products with and without it.

    None without links; no map where it would not help the validation products.
    """
    if not index.links:
        return None
    pairs = np.array([(index.row(link.id), index.row(link.other_id)) for link in index.links], np.int64)
    families = [p.parent or p.group or p.id for p in index.products]
    group = np.unique(np.array(families, dtype=object).astype(str), return_inverse=True)[1]
    split = np.array([holdout.split_of(p) for p in index.products])
    link_map = fit_related(index.vectors, pairs, group, split == "train", split == "valid", seed)
    both = np.vstack([pairs, pairs[:, ::-1]])
    test_pairs = both[split[both[:, 0]] == "test"]
    if not len(test_pairs):
        return link_map, LinkFigures(queries=0)
    learnt, alike = (
        ndcg_of_links(apply_map(m, index.vectors), index.vectors, test_pairs, group) for m in (link_map, None)
    )
    return link_map, LinkFigures(
        queries=len(alike),
        learnt=bootstrap_interval(learnt),
        alike=bootstrap_interval(alike),
        paired=paired_randomisation_test(learnt, alike),
    )


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


def _index_megabytes(index: ProductIndex) -> float:
    """What the folder will take: everything but the report itself, which is yet to be written."""
    small = len(index) <= SMALL
    rows = gzip.compress("".join(json.dumps(p.row(), ensure_ascii=False) + "\n" for p in index.products).encode())
    vectors = (index.image.nbytes + index.text.nbytes + index.further.image.nbytes) / (2 if small else 1)
    fused = 0 if small else index.vectors.nbytes + 8 * len(index)
    head = sum(2 * w.numel() for w in index.head.parameters())
    kept = index.thumbnails.nbytes + index.picture_hashes.nbytes
    behaviour = index.behaviour.megabytes if index.behaviour else 0.0
    return (kept + len(rows) + vectors + fused + head) / 1e6 + behaviour


def summary(index: ProductIndex) -> str:
    """The report in a few lines for a terminal."""
    report = Report.read(index.report)
    lines = [report.fit.note]
    if report.split.note:
        lines.append(report.split.note)
    if sentence := accepted(report.relevance):
        lines.append(sentence)
    if learnt := report.behaviour:
        lines += [*([learnt_from(learnt)] if learnt.events else []), *learnt.notes]
    for name, task in report.tasks.items():
        if not isinstance(task, Evaluation):
            lines.append(f"{name}: {task.note}")
            continue
        figures = task.evidence
        cells = [
            f"{ranker} {m['recall@1'].value:.2f}/{m['recall@10'].value:.2f}" if m else f"{ranker} –"
            for ranker, m in figures.rankers.items()
        ]
        lines.append(f"{name} ({figures.queries} queries), recall@1/@10: " + ", ".join(cells))
    return "\n".join(lines)

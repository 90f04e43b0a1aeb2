"""python -m mmdemo align | build | evaluate | judge | search | update | add | remove | export | serve | replay

Exit codes: 0 done; 1 the input is at fault (one sentence on standard error); 2 wrong usage. Only results go to
standard output; progress and remarks go to standard error. Heavy imports wait until a command needs them.
"""

import errno
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmdemo.core.errors import InputError
from mmdemo.core.request import Query

if TYPE_CHECKING:
    from mmdemo.language.reading import Reading
    from mmdemo.search.recommendation import Recommendation
    from mmdemo.search.recommender import Recommender
    from mmdemo.search.unmet import Unmet

ENCODER = "assets/encoder"
BUILT_IN = Path("index/default")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)  # the disk's faults, not the program's
app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, help=__doc__
)
Index = Annotated[Path, typer.Argument(metavar="INDEX", help="An index folder made by `build`.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Map = Annotated[
    list[str],
    typer.Option(
        "--map",
        metavar="COLUMN=HEADING",
        help="Which column is which, where the headings do not say: title=Productname, or image= for none. May be "
        "repeated; kept with the index.",
    ),
]
FetchImages = Annotated[
    bool,
    typer.Option(
        "--fetch-images",
        help="Fetch pictures that are web addresses, from public hosts; they are kept in the index's folder.",
    ),
]
Strangers = Annotated[
    Path | None, typer.Option(metavar="CATALOG", help="Things not sold here, to try 'nothing matches' on.")
]


def main(arguments: list[str] | None = None) -> None:
    """The command line; faults of the input end in one sentence and exit code 1."""
    try:
        app(arguments)
    except InputError as e:
        print(f"error: {e}", file=sys.stderr)
        sys.exit(1)
    except OSError as e:
        if e.errno not in NO_ROOM:
            raise
        place = f" ({e.filename})" if e.filename else ""
        print(f"error: {e.strerror}{place}; nothing that was there before has changed", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped; nothing that was there before has changed (build goes on with --resume)", file=sys.stderr)
        sys.exit(130)


class Bars:
    """Progress callback that draws one bar for each stage of the work."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._what = ""

    def __call__(self, done: int, total: int, what: str) -> None:
        from tqdm import tqdm

        if what != self._what:
            self.close()
            # What an interrupted run has done counts as done, and not as done in no time.
            self._bar = tqdm(total=total, initial=done, desc=what, file=sys.stderr, dynamic_ncols=True)
            self._what = what
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _repeatable(name: str) -> str:
    return f"{Query.help(name)} May be repeated."


def _read_catalog(
    path: Path,
    map_: Sequence[str] = (),
    remembered: Mapping[str, str] | None = None,
    fetch_into: Path | None = None,
) -> Any:
    from mmdemo.catalog.catalog import Catalog
    from mmdemo.catalog.columns import parse_mapping
    from mmdemo.catalog.web_pictures import FOLDER, WebPictures

    bars = Bars()
    web = None if fetch_into is None else WebPictures(fetch_into / FOLDER, progress=bars)
    catalog = Catalog.read(path, mapping=parse_mapping(map_), remembered=remembered, web=web)
    bars.close()
    for kind, notes in (("refused", catalog.refused), ("note", catalog.warnings)):
        for note in notes[:20]:
            _say(f"{kind}: {note}")
        if len(notes) > 20:
            _say(f"{kind}: and {len(notes) - 20} more")
    _say(f"{len(catalog)} products read, {len(catalog.refused)} rows refused")
    return catalog


@app.command()
def build(
    catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="A folder, a CSV, TSV or Parquet file, or a ZIP.")],
    out: Annotated[Path, typer.Option(help="The index folder to write.")],
    encoder: Annotated[str, typer.Option(help="A model folder, NAME/TAG of open_clip, or hf-hub:org/name.")] = ENCODER,
    store: Annotated[
        str, typer.Option(help="Where the vectors live: faiss, or milvus:URI (or milvus:FILE.db).")
    ] = "faiss",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from an interrupted build.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 0,
    compare_heads: Annotated[
        bool, typer.Option("--compare-heads", help="Train every kind of head, for the report; three times the fit.")
    ] = False,
    strangers: Strangers = None,
    map_: Map = [],
    fetch_images: FetchImages = False,
    ray: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Encode on a Ray cluster: host:6379, auto, or local for this machine."),
    ] = "",
) -> None:
    """Read a catalogue, encode it, fit the fusion head, and save the index with its report."""
    from mmdemo.index.manifest import said_of_columns

    # Before PyTorch is imported: a table that cannot be used is told at once.
    products = _read_catalog(catalog, map_, said_of_columns(out), out if fetch_images else None)
    others = _read_catalog(strangers) if strangers else None

    from mmdemo.core.paths import resolve_spec
    from mmdemo.encode.encoder import Encoder
    from mmdemo.pipeline.build import BuildOptions, summary
    from mmdemo.pipeline.build import build as build_index

    spec = resolve_spec(encoder)
    shard_writer = None
    if ray:
        from mmdemo.encode.ray_data import ray_shard_writer

        shard_writer = ray_shard_writer(ray, partial(Encoder.load, spec))
    bars = Bars()
    index, refused = build_index(
        products,
        Encoder.load(spec),
        out,
        BuildOptions(store=store, others=others, seed=seed, compare_heads=compare_heads),
        resume=resume,
        progress=bars,
        shard_writer=shard_writer,
    )
    bars.close()
    for r in refused[:20]:
        _say(f"refused: {r}")
    print(summary(index))
    print(f"{len(index)} {index.manifest.noun[len(index) != 1]} in {out}; open them: python app.py --index {out}")


@app.command()
def search(
    index: Index,
    image: Annotated[Path | None, typer.Option(help=Query.help("image"))] = None,
    text: Annotated[str, typer.Option(help=Query.help("text"))] = "",
    like: Annotated[list[str], typer.Option(help=_repeatable("like"))] = [],
    unlike: Annotated[list[str], typer.Option(help=_repeatable("unlike"))] = [],
    k: Annotated[int, typer.Option("-k", help=Query.help("k"))] = 10,
    filter: Annotated[list[str], typer.Option(help=_repeatable("filters"))] = [],
    weight: Annotated[float, typer.Option(help=Query.help("weight"))] = 0.5,
    reference: Annotated[str, typer.Option(help=Query.help("reference"))] = "",
    and_image: Annotated[list[Path], typer.Option(help=_repeatable("photos"))] = [],
    not_image: Annotated[list[Path], typer.Option(help=_repeatable("unlike_photos"))] = [],
    diversity: Annotated[float, typer.Option(help=Query.help("diversity"))] = 0.0,
    fold: Annotated[bool, typer.Option("--fold", help=Query.help("fold"))] = False,
    kind: Annotated[str, typer.Option(help=Query.help("kind"))] = "",
    sort: Annotated[str, typer.Option(help=Query.help("sort"))] = "match",
    box: Annotated[str | None, typer.Option(help=Query.help("box"), metavar="L,T,R,B")] = None,
    history: Annotated[list[str], typer.Option(help=_repeatable("history"))] = [],
    json_: Json = False,
) -> None:
    """Recommend products for a photo, a sentence ("a mug under 20, not glass"), or both."""
    from mmdemo.catalog.imaging import decode
    from mmdemo.search.recommender import Recommender

    values: dict[str, Any] = {
        "text": text,
        "k": k,
        "weight": weight,
        "filters": filter,
        "like": like,
        "unlike": unlike,
        "reference": reference,
        "diversity": diversity,
        "fold": fold,
        "kind": kind,
        "sort": sort,
        "box": box,
        "history": history,
    }
    picture = decode(image, max_side=512) if image is not None else None
    photos, unlike_photos = (tuple(decode(file, max_side=512) for file in files) for files in (and_image, not_image))
    query = Query(image=picture, photos=photos, unlike_photos=unlike_photos, **values)
    recommender = Recommender.load(index)
    prepared = recommender.prepare(query)
    results, reading, unmet = recommender.recommend(prepared), prepared.reading, recommender.unmet(prepared)
    notice = recommender.index.manifest.notice
    if not json_:
        _print_notes(recommender, query, unmet)
        _print_results(results, reading, notice)
        return
    files = {"and_image": [str(file) for file in and_image], "not_image": [str(file) for file in not_image]}
    arguments = {"image": str(image) if image else None} | values | files | {"read": reading.as_dict()}
    answer = {
        "results": [r.as_dict() for r in results],
        "kind": prepared.tiers.as_dict(),
        "unmet": [wish.as_dict() for wish in unmet],
        "regions": [] if picture is None else [r.as_dict() for r in recommender.regions(picture)],
        "query": arguments | {"box": prepared.given.box},
    } | ({"notice": notice} if notice else {})
    print(json.dumps(answer, ensure_ascii=False))


def _print_notes(recommender: "Recommender", query: Query, unmet: "list[Unmet]") -> None:
    """What nothing meets, and what is marked on the photo with the option that asks for it, to standard error."""
    for wish in unmet:
        _say(f"note: {wish.sentence}")
    for region in recommender.regions(query.image) if query.image is not None else []:
        box = ",".join(f"{edge:.3g}" for edge in region.box)
        _say(f"on the photo: {region.kind} ({region.certainty:.0%}), --box {box}")


def _print_results(results: "list[Recommendation]", reading: "Reading", notice: str) -> None:
    """One line for each result; how the query was understood goes to standard error."""
    if notice:
        _say(f"note: {notice}")
    for part in reading.parts:
        _say(f"understood: {part.words} ({part.meaning})")
    for note in reading.notes:
        _say(f"note: {note}")
    for r in results:
        price = f"{r.product.price:.2f} {r.product.currency}" if r.product.price is not None else ""
        print(f"{r.rank:3d}  {r.score:.3f}  {r.match:4.0%}  {r.id}  {r.title}  {price}")
    if not results:
        _say("nothing passes these filters")


@app.command()
def evaluate(
    index: Index,
    queries: Annotated[
        Path | None, typer.Option(help="CSV: query_id,image,text,reference_id,product_id|target_ids.")
    ] = None,
    strangers: Strangers = None,
    judgements: Annotated[
        Path | None, typer.Option(help="Grades that `judge` kept of the same queries: measure by what people think.")
    ] = None,
    json_: Json = False,
) -> None:
    """Measure the head beside image only, text only and the mean; without --queries, print the index's own report."""
    from mmdemo.core.holdout import TrainingRecord
    from mmdemo.evaluate.evaluation import as_text
    from mmdemo.evaluate.evaluation import evaluate as measure
    from mmdemo.evaluate.queries import read_queries
    from mmdemo.pipeline.build import summary
    from mmdemo.search.recommender import Recommender

    if strangers is not None:
        _try_strangers(index, strangers, json_)
        return
    if judgements is not None:
        _by_judgements(index, queries, judgements, json_)
        return
    if queries is None:
        from mmdemo.index.product_index import ProductIndex

        opened = ProductIndex.load(index)
        made, record = opened.manifest, TrainingRecord.read(opened.manifest.encoder.spec)
        if note := record.misfit(opened.products, made.held_out, made.catalogue_sha256):
            _say(f"note: {note}")
        print(json.dumps(opened.report, ensure_ascii=False) if json_ else summary(opened))
        return
    recommender = Recommender.load(index)
    bars = Bars()
    asked, skipped = read_queries(queries, recommender.index, recommender.encoder, bars)
    bars.close()
    for s in skipped[:10]:
        _say(f"skipped: {s}")
    if len(skipped) > 10:
        _say(f"skipped: and {len(skipped) - 10} more")
    evaluation = measure(recommender.index, asked, recommender.encoder)
    print(json.dumps(evaluation.as_dict()) if json_ else as_text(evaluation))


@app.command()
def judge(
    index: Index,
    queries: Annotated[
        Path | None, typer.Option(help="CSV: query_id,image,text,reference_id,product_id|target_ids.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the grades are kept; a judge goes on from there.")] = Path(
        "judgements.csv"
    ),
    judge: Annotated[str, typer.Option(help="The name of the judge.")] = "judge",
    port: Annotated[
        int | None, typer.Option(help="Port (default: 7860, or the next free one).", min=1, max=65535)
    ] = None,
) -> None:
    """Grade answers by key on a local page, not knowing which ranker gave them: E, S, C or I (exact to irrelevant)."""
    from mmdemo.core.bootstrap import bootstrap

    bootstrap()
    from mmdemo.evaluate.judgements import JudgementFile, JudgingSession
    from mmdemo.ui.judging import serve_judging
    from mmdemo.ui.server import free_port

    file = JudgementFile(out)
    asked, matrices, opened = _ranked(index, queries)
    session = JudgingSession(opened, asked, matrices, file, judge)
    serve_judging(session, "127.0.0.1", free_port("127.0.0.1", port))


def _ranked(index: Path, queries: Path | None) -> tuple[Any, Any, Any]:
    """Queries of a file, or sentences drawn from the catalogue, with the scores of every ranker, and the index."""
    from mmdemo.evaluate.judgements import ranked_answers
    from mmdemo.evaluate.queries import read_queries
    from mmdemo.search.recommender import Recommender

    recommender = Recommender.load(index)
    opened, encoder, asked = recommender.index, recommender.encoder, None
    if queries is not None:
        asked, skipped = read_queries(queries, opened, encoder)
        for s in skipped[:10]:
            _say(f"skipped: {s}")
    return *ranked_answers(opened, encoder, asked), opened


def _by_judgements(index: Path, queries: Path | None, path: Path, json_: bool) -> None:
    """Print the graded figures of every ranker by what people think, and how far each judge agrees with the rule."""
    from dataclasses import asdict

    from mmdemo.evaluate.judgements import JudgementFile, JudgingSession, judged_figures

    file = JudgementFile(path)
    asked, matrices, opened = _ranked(index, queries)
    figures = judged_figures(opened, asked, matrices, file.judgements)
    if not figures:
        raise InputError(
            "no judgement of '{name}' finds an exact answer to these queries; give the --queries that were judged",
            name=path.name,
        )
    judges = sorted({j.judge for j in file.judgements})
    agreements = {name: JudgingSession(opened, asked, matrices, file, name).agreement() for name in judges}
    if json_:
        rankers = {r: {m: asdict(v) for m, v in of.items()} if of else None for r, of in figures.items()}
        print(json.dumps({"judged": rankers, "agreement": {name: asdict(a) for name, a in agreements.items()}}))
        return
    for ranker, metrics in figures.items():
        if metrics:
            cells = [f"{name} {v.value:.3f} [{v.low:.3f}, {v.high:.3f}]" for name, v in metrics.items()]
            print(ranker.ljust(8) + "  ".join(cells))
    for name, agreement in agreements.items():
        print(f"{name}: {agreement}")


def _try_strangers(index: Path, catalog: Path, json_: bool) -> None:
    import numpy as np

    from mmdemo.evaluate.out_of_catalogue import measure_rejections
    from mmdemo.evaluate.report_page import about_rejections
    from mmdemo.evaluate.tasks import own_tasks
    from mmdemo.search.recommender import Recommender

    others = _read_catalog(catalog)
    opened = Recommender.load(index)
    own = own_tasks(opened.index, opened.index.thumbnail, opened.encoder, np.random.default_rng(0))
    asked = {"photo": [own["photo"]] if "photo" in own else [], "half a title": [own["words"]]}
    figures = measure_rejections(opened, others, asked)
    print(json.dumps(figures.as_dict(), ensure_ascii=False) if json_ else "\n".join(about_rejections(figures)))


@app.command()
def calibrate(
    index: Index,
    report: Annotated[
        Path | None, typer.Option(metavar="CATALOG", help="Also make the report anew, from the index's catalogue.")
    ] = None,
    strangers: Strangers = None,
) -> None:
    """Calibrate an index that was built before: how certain its answers to words are."""
    from mmdemo.catalog.catalog import Catalog
    from mmdemo.core.bootstrap import bootstrap
    from mmdemo.core.paths import resolve_spec
    from mmdemo.encode.encoder import Encoder
    from mmdemo.index.product_index import ProductIndex
    from mmdemo.pipeline.build import measure_again
    from mmdemo.pipeline.calibrate import calibrate as calibrate_index

    bootstrap()
    encoder = Encoder.load(resolve_spec(ProductIndex.load(index).manifest.encoder.spec))
    curve = calibrate_index(index, encoder).manifest.word_curve
    print("calibrated" if curve else "not calibrated: the catalogue has too few kinds or texts")
    if report is not None:
        bars = Bars()
        measure_again(index, Catalog.read(report), encoder, _read_catalog(strangers) if strangers else None, bars)
        bars.close()
        print("the report is new")


@app.command()
def update(
    index: Index,
    export: Annotated[Path, typer.Argument(metavar="EXPORT", help="The shop's whole catalogue as it is now.")],
    shrink: Annotated[
        bool, typer.Option("--shrink", help="Also when more than half of the products are to be removed.")
    ] = False,
    map_: Map = [],
    fetch_images: FetchImages = False,
) -> None:
    """Bring an index in step with a shop's export: add, change and remove products; the head stays as it is."""
    from mmdemo.pipeline.update import update as update_index
    from mmdemo.search.recommender import Recommender

    recommender = Recommender.load(index)
    remembered = recommender.index.manifest.columns
    catalog = _read_catalog(export, map_, remembered, index if fetch_images else None)
    bars = Bars()
    updated, changes = update_index(index, catalog, recommender.encoder, shrink=shrink, progress=bars)
    bars.close()
    for r in changes.refused[:20]:
        _say(f"refused: {r}")
    print(changes.message)
    print(f"{len(updated)} {updated.manifest.noun[len(updated) != 1]} in {index}")


@app.command()
def add(
    index: Index,
    catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="Products to add.")],
    map_: Map = [],
    fetch_images: FetchImages = False,
) -> None:
    """Add a catalogue's products to an index; the head stays as it is."""
    from mmdemo.pipeline.build import add as add_products
    from mmdemo.search.recommender import Recommender

    recommender = Recommender.load(index)
    remembered = recommender.index.manifest.columns
    products = _read_catalog(catalog, map_, remembered, index if fetch_images else None)
    bars = Bars()
    grown = add_products(index, products, recommender.encoder, bars)
    bars.close()
    print(f"{len(grown)} products in {index}")


@app.command()
def remove(index: Index, ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of products.")]) -> None:
    """Take products out of an index."""
    from mmdemo.pipeline.build import remove as remove_products

    print(f"{len(remove_products(index, ids))} products in {index}")


@app.command()
def export(
    index: Index,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write: .csv or .parquet.")],
    embeddings: Annotated[
        bool | None,
        typer.Option("--embeddings/--no-embeddings", help="Vectors beside each product (default: in .parquet)."),
    ] = None,
) -> None:
    """Write an index's whole catalogue, with its embeddings, into a CSV or Parquet file for use elsewhere."""
    from mmdemo.index.product_index import ProductIndex
    from mmdemo.pipeline.export import export as export_index

    opened = ProductIndex.load(index)
    bars = Bars()
    columns = export_index(opened, out, embeddings=embeddings, progress=bars)
    bars.close()
    print(f"{len(opened)} {opened.manifest.noun[len(opened) != 1]} in {out}: {', '.join(columns)}")


@app.command()
def align(
    catalogs: Annotated[list[Path], typer.Argument(metavar="CATALOG...", help="Catalogues to learn from.")],
    out: Annotated[Path, typer.Option(help="The encoder folder to write.")],
    start: Annotated[str | None, typer.Option("--from", help="An encoder to start from; none: from scratch.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the photos (default 10).", min=0.01)] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this long instead.", min=0.01)] = None,
    split_by: Annotated[
        str | None, typer.Option(help="Column whose values must not be split over train and test.")
    ] = None,
    check: Annotated[
        Path | None, typer.Option(help="A catalogue to measure forgetting on (default: the built-in one).")
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--lr", help="Peak learning rate; large pretrained models want some 1e-5.", min=1e-8)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from an interrupted run.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the training.")] = 0,
) -> None:
    """Train or fine-tune the encoder on catalogues, and say what it learnt and what it forgot."""
    if epochs and minutes:
        raise typer.BadParameter("give --epochs or --minutes, not both")
    from mmdemo.core.paths import resolve_spec
    from mmdemo.finetune.align import AlignmentOptions
    from mmdemo.finetune.align import align as train
    from mmdemo.finetune.weight_interpolation import as_text

    options = AlignmentOptions(
        epochs=epochs, minutes=minutes, seed=seed, resume=resume, split_by=split_by, check=check, lr=rate
    )
    figures = train(catalogs, out, resolve_spec(start) if start else None, options)
    print(as_text(figures["table"]))
    print(f"{figures['steps']} steps in {figures['minutes']} minutes. {figures['why']}".strip())
    print(f"use it: python -m mmdemo build CATALOG --out INDEX --encoder {out}")


@app.command()
def serve(
    index: Annotated[Path | None, typer.Argument(metavar="INDEX", help="An index folder; none: the built-in.")] = None,
    same: Annotated[Path | None, typer.Option("--index", metavar="INDEX", help="The same, as an option.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on (0.0.0.0: every network).")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port (default: 7860, or the next free one).", min=1, max=65535)
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="For strangers: limits, no camera.")] = False,
    mcp: Annotated[bool, typer.Option("--mcp", help="Serve agents too: the same functions as MCP tools.")] = False,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep what is shown and clicked, without names, for `replay`; the page says so."
        ),
    ] = None,
    fetch_images: Annotated[
        bool,
        typer.Option("--fetch-images", help="Fetch pictures that visitors' catalogues have as addresses."),
    ] = False,
    share_catalogues: Annotated[
        bool, typer.Option("--share-catalogues", help="Show catalogues that visitors built to everybody.")
    ] = False,
) -> None:
    """Open the app on an index; `python app.py` is the same. MMDEMO_PASSWORD asks visitors for it."""
    if index and same:
        raise typer.BadParameter("give INDEX or --index, not both")
    if public and fetch_images:
        raise typer.BadParameter("--fetch-images is for people you know, so not with --public")
    import os

    from mmdemo.core.bootstrap import bootstrap

    bootstrap()
    from mmdemo.ui.server import ServeOptions
    from mmdemo.ui.server import serve as serve_pages

    password = os.environ.get("MMDEMO_PASSWORD", "")
    options = ServeOptions(public, password, mcp, log, fetch_images, share_catalogues)
    serve_pages(index or same or BUILT_IN, host, port, options)


@app.command()
def replay(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="What `serve --log` kept.")],
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="The index whose head and baselines are tried on it.")],
    json_: Json = False,
) -> None:
    """Estimate what another ranker would have earned in clicks, or say that the log is too small to tell."""
    from dataclasses import asdict

    from mmdemo.evaluate.click_log import read_log
    from mmdemo.evaluate.replay import as_text
    from mmdemo.evaluate.replay import replay as try_again
    from mmdemo.index.product_index import ProductIndex

    opened = ProductIndex.load(index)
    shown, rankers = try_again(opened, read_log(log, opened.manifest))
    if json_:
        rows = {name: asdict(r) | {"tells": r.tells} for name, r in rankers.items()}
        print(json.dumps({"shown": asdict(shown), "rankers": rows}))
    else:
        print(as_text(shown, rankers))

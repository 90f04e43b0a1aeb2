"""python -m mmdemo align | build | evaluate | search | add | remove | serve

Exit codes: 0 done; 1 the input is at fault (one sentence on standard error); 2 wrong usage. Only results go to
standard output; progress and remarks go to standard error. Heavy imports wait until a command needs them.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from mmdemo.errors import InputError

ENCODER = "assets/encoder"
BUILT_IN = Path("index/default")
app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
Index = Annotated[Path, typer.Argument(metavar="INDEX", help="An index folder made by `build`.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Strangers = Annotated[
    Path | None, typer.Option(metavar="CATALOG", help="Things not sold here, to try 'nothing matches' on.")
]


def main() -> None:
    """The command line; faults of the input end in one sentence and exit code 1."""
    try:
        app()
    except InputError as e:
        print(f"error: {e}", file=sys.stderr)
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


def _read_catalog(path: Path) -> Any:
    from mmdemo.catalog import Catalog

    catalog = Catalog.read(path)
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
    strangers: Strangers = None,
    ray: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Encode on a Ray cluster: host:6379, auto, or local for this machine."),
    ] = "",
) -> None:
    """Read a catalogue, encode it, fit the fusion head, and save the index with its report."""
    from mmdemo.build import build as build_index
    from mmdemo.build import summary
    from mmdemo.encoder import Encoder
    from mmdemo.home import resolve_spec

    spec = resolve_spec(encoder)
    elsewhere = None
    if ray:
        from mmdemo.many import spread

        elsewhere = spread(ray, partial(Encoder.load, spec))
    products = _read_catalog(catalog)
    others = _read_catalog(strangers) if strangers else None
    bars = Bars()
    index, refused = build_index(
        products,
        Encoder.load(resolve_spec(encoder)),
        out,
        resume=resume,
        seed=seed,
        progress=bars,
        others=others,
        store=store,
        elsewhere=elsewhere,
    )
    bars.close()
    for r in refused[:20]:
        _say(f"refused: {r}")
    print(summary(index))
    print(f"{len(index)} {index.manifest['noun'][len(index) != 1]} in {out}; open them: python app.py --index {out}")


@app.command()
def search(
    index: Index,
    image: Annotated[Path | None, typer.Option(help="A photo.")] = None,
    text: Annotated[str, typer.Option(help="A sentence.")] = "",
    like: Annotated[list[str], typer.Option(help="Id of a product to go towards; may be repeated.")] = [],  # noqa: B006
    unlike: Annotated[list[str], typer.Option(help="Id of a product to go away from.")] = [],  # noqa: B006
    k: Annotated[int, typer.Option("-k", help="How many results.")] = 10,
    filter: Annotated[list[str], typer.Option(help="A condition such as 'price<40'; may be repeated.")] = [],  # noqa: B006
    weight: Annotated[float, typer.Option(help="Photo (1) against words (0).")] = 0.5,
    reference: Annotated[str, typer.Option(help="Id of a product used as the photo.")] = "",
    and_image: Annotated[list[Path], typer.Option(help="Another photo, blended with the first.")] = [],  # noqa: B006
    not_image: Annotated[list[Path], typer.Option(help="A photo to go away from.")] = [],  # noqa: B006
    diversity: Annotated[float, typer.Option(help="0: the nearest; up to 1: the most varied.")] = 0.0,
    fold: Annotated[bool, typer.Option("--fold", help="Show variants of one product as one.")] = False,
    json_: Json = False,
) -> None:
    """Recommend products for a photo, a sentence ("a mug under 20, not glass"), or both."""
    from mmdemo.imaging import decode
    from mmdemo.query import Filter, Query
    from mmdemo.recommender import Recommender

    filters = tuple(Filter.parse(f) for f in filter)
    picture = decode(image, max_side=512) if image is not None else None
    blend, avoid = (tuple(decode(file, max_side=512) for file in files) for files in (and_image, not_image))
    query = Query(picture, text, k, weight, filters, tuple(like), tuple(unlike), reference, diversity,
                  photos=blend, unlike_photos=avoid, fold=fold)  # fmt: skip
    recommender = Recommender.load(index)
    results = recommender.recommend(query)
    reading, notice = recommender.read(query), recommender.index.manifest.get("notice")
    if json_:
        asked = {"image": str(image) if image else None, "text": text, "k": k, "weight": weight, "filters": filter,
                 "like": like, "unlike": unlike, "reference": reference, "diversity": diversity, "fold": fold,
                 "and_image": [str(f) for f in and_image], "not_image": [str(f) for f in not_image],
                 "read": reading.as_dict()}  # fmt: skip
        said = {"notice": notice} if notice else {}
        print(json.dumps({"results": [r.as_dict() for r in results], "query": asked, **said}, ensure_ascii=False))
        return
    if notice:
        _say(f"note: {notice}")
    for part in reading.parts:
        _say(f"understood: {part.said} ({part.meaning})")
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
    json_: Json = False,
) -> None:
    """Measure the head beside image only, text only and the mean; without --queries, print the index's own report."""
    from mmdemo.build import summary
    from mmdemo.evaluation import as_text, read_queries
    from mmdemo.evaluation import evaluate as measure
    from mmdemo.recommender import Recommender

    if strangers is not None:
        _try_strangers(index, strangers, json_)
        return
    if queries is None:
        from mmdemo.index import ProductIndex

        opened = ProductIndex.load(index)
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
    result = measure(recommender.index, asked)
    print(json.dumps(result) if json_ else as_text(result), end="\n" if json_ else "")


def _try_strangers(index: Path, catalog: Path, json_: bool) -> None:
    import numpy as np

    from mmdemo.recommender import Recommender
    from mmdemo.report import about_strangers
    from mmdemo.strangers import strangers
    from mmdemo.tasks import own_tasks

    others = _read_catalog(catalog)
    opened = Recommender.load(index)
    own = own_tasks(opened.index, opened.index.thumbnail, opened.encoder, np.random.default_rng(0))
    asked = {"photo": [own["photo"]] if "photo" in own else [], "half a title": [own["words"]]}
    found = strangers(opened.index, opened.encoder, others, asked)
    print(json.dumps(found, ensure_ascii=False) if json_ else "\n".join(about_strangers(found)))


@app.command()
def add(index: Index, catalog: Annotated[Path, typer.Argument(metavar="CATALOG", help="Products to add.")]) -> None:
    """Add a catalogue's products to an index; the head stays as it is."""
    from mmdemo.build import add as add_products
    from mmdemo.recommender import Recommender

    recommender = Recommender.load(index)
    bars = Bars()
    grown = add_products(index, _read_catalog(catalog), recommender.encoder, bars)
    bars.close()
    print(f"{len(grown)} products in {index}")


@app.command()
def remove(index: Index, ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of products.")]) -> None:
    """Take products out of an index."""
    from mmdemo.build import remove as remove_products

    print(f"{len(remove_products(index, ids))} products in {index}")


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
    from mmdemo.align import align as train
    from mmdemo.home import resolve_spec
    from mmdemo.retention import as_text

    figures = train(
        catalogs, out, resolve_spec(start) if start else None, epochs=epochs, minutes=minutes, seed=seed,
        resume=resume, split_by=split_by, check=check, lr=rate,
    )  # fmt: skip
    print(as_text(figures["table"]))
    print(f"{figures['steps']} steps in {figures['minutes']} minutes. {figures['why']}".strip())
    print(f"use it: python -m mmdemo build CATALOG --out INDEX --encoder {out}")


@app.command()
def serve(
    index: Annotated[Path, typer.Argument(metavar="INDEX", help="An index folder; none: the built-in.")] = BUILT_IN,
    host: Annotated[str, typer.Option(help="Address to listen on (0.0.0.0: every network).")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port (default: 7860, or the next free one).", min=1, max=65535)
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="For strangers: limits, no camera.")] = False,
    mcp: Annotated[bool, typer.Option("--mcp", help="Serve agents too: the same functions as MCP tools.")] = False,
) -> None:
    """Open the app on an index, as `python app.py --index INDEX` does; MMDEMO_PASSWORD asks visitors for it."""
    import os

    from mmdemo.home import share_cores

    share_cores()
    from mmdemo.live import open_live
    from mmdemo.ui import serve as open_app

    password = os.environ.get("MMDEMO_PASSWORD", "")
    open_app(open_live(index), host, port, public=public, password=password, mcp=mcp)

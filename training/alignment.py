"""What `fit` aligns by itself on catalogues that an encoder never saw: pictures found by words they do not carry.

    python training/alignment.py without assets/catalog --out FOLDER        the default catalogue but for its furniture
    python training/alignment.py measure --encoder ENCODER --full ENCODER --data DATA --catalog assets/catalog

`fit` learns on four fifths of a catalogue; the other fifth are rows that come later, with a picture and no words. Their
titles must find them among each other (among all rows, where there are fewer than a hundred). ENCODER was trained
without those kinds (`listen.py --leave-out`), `--full` with them.
"""

import argparse
import csv
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.core.holdout import Holdout
from mmdemo.core.metrics import recall_at
from mmdemo.core.vectors import Array
from mmdemo.encode.embed import EncodedCatalog, embed
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.fusion.fit import fit
from training.measure import same

KINDS = ("grocery", "caltech_objects", "shop_samples")
FURNITURE = {"Sofa", "Chair", "Stool", "Table", "Table lamp", "Pendant lamp", "Storage", "Wall clock"}


def without(catalog: Path, out: Path) -> None:
    """The catalogue but for its furniture, with its second views as `queries.csv`."""
    source = Catalog.read(catalog)
    out.mkdir(parents=True, exist_ok=True)
    kept = {p.id for p in source.products if p.category not in FURNITURE}
    with open(catalog / "products.csv", encoding="utf-8-sig", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["id"] in kept]
    for name, fields, some in (
        ("products.csv", list(rows[0]), rows),
        (
            "queries.csv",
            ["query_id", "image", "product_id"],
            [{"query_id": f"v-{r['id']}", "image": r["views"], "product_id": r["id"]} for r in rows if r["views"]],
        ),
    ):
        with open(out / name, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fields)
            writer.writeheader(), writer.writerows(some)
    for row in rows:
        for name in filter(None, (row["image"], row["views"])):
            (out / name).parent.mkdir(exist_ok=True)
            shutil.copy(catalog / name, out / name)


@dataclass
class Kind:
    """One catalogue: its rows as encoded, which of them come later, and who may answer."""

    products: list[Product]
    image: Array
    augmented: Array
    text: Array
    asked: np.ndarray
    shelf: np.ndarray

    @classmethod
    def of(cls, products: list[Product], image: Array, augmented: Array, text: Array) -> "Kind":
        later = np.flatnonzero([Holdout().held_out(p) for p in products])
        return cls(products, image, augmented, text, later, later if len(later) >= 100 else np.arange(len(products)))

    def recall(self, scores: Array) -> float:
        """Recall@10 of titles (asked, shelf)."""
        titles = [p.title for p in self.products]
        return recall_at(scores, same([titles[i] for i in self.asked], [titles[i] for i in self.shelf]), 10)


def measure(kind: Kind, encoder: Encoder, learn: bool) -> dict[str, float]:
    """Recall@10 by the encoder alone and, with `learn`, by the head that `fit` makes of the other four fifths."""
    titles = text_embeddings(encoder, [kind.products[i].title for i in kind.asked])
    seen = kind.image[kind.shelf]
    figures = {"encoder": kind.recall(titles[:, : encoder.dim] @ seen[:, : encoder.dim].T)}
    if learn:
        rest = np.setdiff1d(np.arange(len(kind.products)), kind.asked)
        # Under their own names none of these rows would fall into the parts that `fit` keeps aside, and so be judged.
        own = [
            replace(p, id=f"fit/{p.id}", parent=p.parent and f"fit/{p.parent}", group=p.group and f"fit/{p.group}")
            for p in (kind.products[i] for i in rest)
        ]
        fitted = fit(EncodedCatalog(own, kind.image[rest], kind.augmented[rest], kind.text[rest]), encoder)
        shown = fitted.head.product_parts(image=seen, text=np.zeros((len(seen), titles.shape[1]), np.float32)).sum(1)
        figures |= {"fit": kind.recall(fitted.head.fuse(text=titles) @ shown.T), "seconds": round(fitted.seconds, 1)}
        figures |= {"head": fitted.head.name, "why": fitted.note}  # type: ignore[dict-item]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("without")
    one.add_argument("catalog", type=Path)
    one.add_argument("--out", type=Path, required=True)
    two = commands.add_parser("measure")
    two.add_argument("--encoder", required=True)
    two.add_argument("--full", required=True)
    two.add_argument("--data", type=Path, required=True)
    two.add_argument("--catalog", type=Path, required=True)
    two.add_argument("--kinds", nargs="*", default=[*KINDS, "furniture"], help="which to measure")
    args = parser.parse_args()
    if args.command == "without":
        return without(args.catalog, args.out)
    for path in (*(args.data / name for name in KINDS), args.catalog):
        name = "furniture" if path == args.catalog else path.name
        if name not in args.kinds:
            continue
        lines = {}
        for label, spec in (("never saw it", args.encoder), ("saw it", args.full)):
            encoder, catalog = Encoder.load(spec).for_inference(), Catalog.read(path)
            if path == args.catalog:
                catalog.products = [p for p in catalog.products if p.category in FURNITURE]
            with tempfile.TemporaryDirectory() as work:
                d = embed(catalog, encoder, Path(work))
            kind = Kind.of(d.products, d.image, d.augmented, d.text)
            lines[label] = measure(kind, encoder, True)
        print(json.dumps({"kind": name, "titles": len(kind.asked), "among": len(kind.shelf), **lines}), flush=True)
    return None


if __name__ == "__main__":
    main()

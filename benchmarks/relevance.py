"""How far the answers of an index and their `match` may be believed, asked with strangers' photos and with words.

python -m benchmarks.relevance INDEX FOLDER [FOLDER ...] [--cache FILE] [--json]

Each FOLDER is a catalogue of photos that people took, with a label as its category. `relevance_labels.csv` says which
of the index's kinds a label stands for, nothing where the index does not sell such things; photos of other labels are
left out. `relevance_sentences.csv` has words with the kinds that they ask for. Only photos that no encoder of this
project was trained on are asked with (`core/holdout.py`, by sender where there is one). The `fit` part of them may
serve to choose and to fit what is measured on the `measure` part; labels of things (not of clothes) that are not sold
are in one part only. Every group is asked again with photos turned, dimmed and badly compressed.

For each group: the share of first answers of the right kind, of the first eight (P@8), of queries told that nothing
matches, and the expected calibration error of `match` over these eight.
"""

import argparse
import csv
import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance

from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.catalog.imaging import decode
from mmdemo.core.holdout import Holdout
from mmdemo.core.metrics import expected_calibration_error
from mmdemo.core.request import Query
from mmdemo.encode.encoder import Encoder
from mmdemo.search.in_catalogue import nothing_matches
from mmdemo.search.recommender import Recommender

HERE = Path(__file__).resolve().parent
LABELS, SENTENCES = HERE / "relevance_labels.csv", HERE / "relevance_sentences.csv"
ANSWERS = 8
MOST = 160  # photos of a group as they are
DISTORTED = 40  # and of one distorted
LABELLED = 12  # photos of one label, so that no large folder outweighs the others
WORN = "clothing"  # the folder that is a group of its own


@dataclass(frozen=True)
class Asked:
    """One query: the group that it counts in, the kinds that are right (none: not sold), and how it is asked."""

    group: str
    kinds: frozenset[str]
    query: Callable[[], Query]


class RememberedEncoder(Encoder):
    """An encoder whose embeddings of pictures are kept in a file."""

    def __init__(self, encoder: Encoder, file: Path | None) -> None:
        self.__dict__.update(encoder.__dict__)
        self._file, self._rows = file, dict[str, np.ndarray]()
        if file is not None and file.is_file():
            self._rows = dict(np.load(file))

    def encode_image_with_features(self, images: Sequence[Image.Image | torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
        """As the encoder does, each picture once."""
        prepared = [x if isinstance(x, torch.Tensor) else self.pixels(x) for x in images]
        keys = [self.weights_hash[:8] + hashlib.sha1(p.numpy().tobytes()).hexdigest() for p in prepared]
        new = [i for i, key in enumerate(keys) if key not in self._rows]
        if new:
            features, vectors = super().encode_image_with_features([prepared[i] for i in new])
            self._rows |= {keys[i]: np.r_[f, v] for i, f, v in zip(new, features, vectors, strict=True)}
        rows = np.stack([self._rows[key] for key in keys])
        return rows[:, : -self.dim], rows[:, -self.dim :]

    def save(self) -> None:
        """Write what is remembered."""
        if self._file is not None:
            np.savez(self._file, allow_pickle=False, **self._rows)


def labels_of(file: Path) -> dict[str, frozenset[str]]:
    """The kinds that each label stands for."""
    return {row["label"]: _kinds(row["kinds"]) for row in _rows(file)}


def part_of(value: str) -> str:
    """`fit` or `measure`, by a hash."""
    return "fit" if zlib.crc32(value.encode()) % 2 else "measure"


def turned(photo: Image.Image) -> Image.Image:
    """As from a phone whose orientation was lost."""
    return photo.rotate(90, expand=True)


def dimmed(photo: Image.Image) -> Image.Image:
    """As in the evening: a third of the light, with the noise of a small sensor."""
    dark = np.asarray(ImageEnhance.Brightness(photo.convert("RGB")).enhance(0.35), np.float32)
    noise = np.random.default_rng(0).normal(0, 8, dark.shape)
    return Image.fromarray((dark + noise).clip(0, 255).astype(np.uint8))


def compressed(photo: Image.Image) -> Image.Image:
    """As sent twice by a messenger: half of the size, JPEG of quality 15."""
    stream = io.BytesIO()
    photo.convert("RGB").resize((max(1, photo.width // 2), max(1, photo.height // 2))).save(stream, "JPEG", quality=15)
    return decode(stream.getvalue())


DISTORTIONS = {"turned": turned, "dimmed": dimmed, "compressed": compressed}


def photos(folder: Path, labels: dict[str, frozenset[str]], part: str) -> Iterator[tuple[Path, frozenset[str]]]:
    """Photos of one part and what they show, at most LABELLED of a label and few of a sender."""
    catalog = Catalog.read(folder)
    split = "valid" if part == "fit" else "test"
    held_out = [p for p in catalog if Holdout().split_of(p) == split and p.category in labels]
    most = 4 * LABELLED if folder.name == WORN else LABELLED
    per_label, per_sender = Counter[str](), Counter[tuple[str, str]]()
    for path, product in sorted(_files(catalog, held_out), key=lambda one: zlib.crc32(one[0].name.encode())):
        label, sender = product.category, str(product.field("sender_id") or path)
        kinds = labels[label]
        other_part = not kinds and folder.name != WORN and part_of(label) != part
        if other_part or per_label[label] == most or per_sender[label, sender] == 6:
            continue
        per_label[label] += 1
        per_sender[label, sender] += 1
        yield path, kinds


def _files(catalog: Catalog, products: Sequence[Product]) -> list[tuple[Path, Product]]:
    """The photos of these products in the catalogue's query file, else their own."""
    by_id = {p.id: p for p in products}
    if (queries := catalog.root / "queries.csv").is_file():
        rows = _rows(queries)
        return [(catalog.root / r["image"], by_id[r["product_id"]]) for r in rows if r["product_id"] in by_id]
    return [(path, p) for p in products if (path := catalog.image_path(p))]


def photo_queries(folders: Iterable[Path], labels: dict[str, frozenset[str]], part: str) -> list[Asked]:
    """Photos of clothes and of other things, of kinds that are sold and not, as they are and distorted."""
    groups = dict[str, list[tuple[Path, frozenset[str]]]]()
    for folder in folders:
        for path, kinds in photos(folder, labels, part):
            what = "clothes" if folder.name == WORN else "things"
            groups.setdefault(f"{what}, {'sold' if kinds else 'not sold'}", []).append((path, kinds))
    asked = []
    for group, files in groups.items():
        drawn = [files[i] for i in np.random.default_rng(0).permutation(len(files))[:MOST]]
        asked += [Asked(group, kinds, partial(_photo_query, path)) for path, kinds in drawn]
        for name, distort in DISTORTIONS.items():
            for path, kinds in drawn[:DISTORTED]:
                asked.append(Asked(f"{group}, {name}", kinds, partial(_photo_query, path, distort)))
    return asked


def _photo_query(path: Path, distort: Callable[[Image.Image], Image.Image] | None = None) -> Query:
    photo = decode(path, max_side=512)
    return Query(image=photo if distort is None else distort(photo), k=ANSWERS)


def sentence_queries(file: Path, part: str) -> list[Asked]:
    """The sentences of one part."""
    return [
        Asked(row["group"], _kinds(row["kinds"]), partial(Query, text=row["text"], k=ANSWERS))
        for row in _rows(file)
        if part_of(row["text"]) == part
    ]


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _kinds(cell: str) -> frozenset[str]:
    return frozenset(filter(None, cell.split("|")))


def measure(recommender: Recommender, asked: Sequence[Asked]) -> dict[str, dict[str, float]]:
    """The figures of each group."""
    groups = dict[str, list[tuple[bool, list[bool], list[float]]]]()
    for one in asked:
        query = one.query()
        answers = recommender.recommend(query)
        right = [a.product.category in one.kinds for a in answers]
        chances = [a.match for a in answers]
        groups.setdefault(one.group, []).append((nothing_matches(query, answers), right, chances))
    return {group: _figures(rows) for group, rows in groups.items()}


def _figures(rows: Sequence[tuple[bool, list[bool], list[float]]]) -> dict[str, float]:
    right = np.array([r for _, answers, _ in rows for r in answers], bool)
    chances = np.array([c for _, _, answers in rows for c in answers])
    return {
        "queries": len(rows),
        "first": float(np.mean([answers[0] if answers else False for _, answers, _ in rows])),
        "p@8": float(np.mean([sum(answers) / ANSWERS for _, answers, _ in rows])),
        "told": float(np.mean([told for told, _, _ in rows])),
        "match": float(chances.mean()) if len(chances) else 0.0,
        "ece": expected_calibration_error(chances, right),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("folders", type=Path, nargs="*", help="catalogues of labelled photos")
    parser.add_argument("--labels", type=Path, default=LABELS, help="label, and the index's kinds that it stands for")
    parser.add_argument("--sentences", type=Path, default=SENTENCES, help="group, text, and the kinds that it asks for")
    parser.add_argument("--part", choices=("fit", "measure"), default="measure")
    parser.add_argument("--cache", type=Path, help="a file (.npz) where embeddings of photos are kept")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    recommender = Recommender.load(args.index)
    encoder = RememberedEncoder(recommender.encoder, args.cache)
    queries = [
        *photo_queries(args.folders, labels_of(args.labels), args.part),
        *sentence_queries(args.sentences, args.part),
    ]
    try:
        figures = measure(Recommender(recommender.index, encoder), queries)
    finally:
        encoder.save()
    if args.json:
        print(json.dumps(figures, indent=1))
        return
    names = ("queries", "first", "p@8", "told", "match", "ece")
    print(f"{'':32s}" + "".join(f"{name:>9s}" for name in names))
    for group, row in figures.items():
        print(f"{group:32s}{row['queries']:9.0f}" + "".join(f"{row[name]:9.3f}" for name in names[1:]))


if __name__ == "__main__":
    main()

"""How good an encoder is: one table, on products, senders and photos that it was not trained on.

    python training/measure.py --encoder assets/encoder --data DATA [--catalog CATALOG] [--views FOLDER] [--json FILE]

Beside each figure: chance, and for questions asked with a picture also a colour histogram (8 x 8 x 8 bins of RGB,
white left out) and raw pixels (16 x 16, mean taken off). CATALOG is the default catalogue, whose `queries.csv` was not
trained on; `--views` names the folder with further views of it that was, but for those kept aside.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mmdemo.augment import square
from mmdemo.catalog import Catalog, Product
from mmdemo.encoder import Encoder
from mmdemo.imaging import decode
from mmdemo.shelf import held_out, other_photos, singular

Ranker = Callable[[Sequence[Image.Image]], np.ndarray]


def histogram(images: Sequence[Image.Image]) -> np.ndarray:
    """Unit rows: the square roots of colour shares, near-white pixels left out."""
    rows = []
    for image in images:
        pixels = square(image, 64).reshape(-1, 3)
        coloured = pixels[pixels.min(1) < 240]
        bins = (coloured if len(coloured) else pixels) // 32
        counts = np.bincount(bins[:, 0] * 64 + bins[:, 1] * 8 + bins[:, 2], minlength=512)
        rows.append(np.sqrt(counts / counts.sum()))
    return np.array(rows, np.float32)


def raw_pixels(images: Sequence[Image.Image]) -> np.ndarray:
    """Unit rows of 16 x 16 pixels."""
    rows = np.array([square(image, 16).ravel() for image in images], np.float32)
    rows -= rows.mean(1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def in_batches(encode: Callable, items: Sequence, label: str) -> np.ndarray:
    parts = [encode(items[at : at + 128]) for at in tqdm(range(0, len(items), 128), desc=label, leave=False)]
    return np.vstack(parts)


def pictures(paths: Sequence[Path]) -> list[Image.Image]:
    return [decode(path, max_side=256) for path in tqdm(paths, desc="pictures", leave=False)]


def found(scores: np.ndarray, right: np.ndarray, k: int) -> float:
    """Recall@k: the share of queries (rows) with a right answer among the first k; queries without one do not count."""
    asked = right.any(1)
    best = np.argsort(-scores[asked], axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(right[asked], best, 1).any(1).mean())


def share(scores: np.ndarray, right: np.ndarray, k: int) -> float:
    """Precision@k: the mean share of right answers among the first k."""
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float(np.take_along_axis(right, best, 1).mean())


def luck(right: np.ndarray, k: int) -> float:
    """Recall@k of a random order, by drawing without replacement."""
    asked, n = right[right.any(1)].sum(1), right.shape[1]
    miss = np.ones(len(asked))
    for i in range(min(k, n)):
        miss *= np.clip((n - asked - i) / (n - i), 0, 1)
    return float(1 - miss.mean())


class Table:
    """Rows of the report."""

    def __init__(self, encoder: Encoder):
        self.encoder, self.rows = encoder, []
        self.rankers: dict[str, Ranker] = {
            "encoder": encoder.encode_image,
            "histogram": histogram,
            "pixels": raw_pixels,
        }

    def add(self, name: str, queries: int, answers: int, chance: float, **figures: float) -> None:
        self.rows.append({"task": name, "queries": queries, "answers": answers, "chance": chance, **figures})
        print(f"{name}: {figures} (chance {chance:.3f}, {queries} queries, {answers} answers)", flush=True)

    def by_picture(
        self, name: str, ask: list[Image.Image], shelf: list[Image.Image], right: np.ndarray, k: int, measure=found
    ) -> None:
        """Ask with pictures for pictures; `right` is bool (ask, shelf). A picture does not find itself."""
        figures = {}
        for label, rank in self.rankers.items():
            a, b = in_batches(rank, ask, label), in_batches(rank, shelf, label)
            scores = a @ b.T
            if ask is shelf:
                np.fill_diagonal(scores, -np.inf)
            figures[label] = measure(scores, right, k)
        chance = luck(right, k) if measure is found else float(right.mean())
        self.add(name, len(ask), len(shelf), chance, **figures)


def kept(catalog: Catalog) -> list[Product]:
    return [product for product in catalog.products if held_out(product) and catalog.image_path(product)]


def fashion(table: Table, catalog: Catalog) -> None:
    products = kept(catalog)
    shelf = pictures([catalog.image_path(p) for p in products])
    seen = in_batches(table.encoder.encode_image, shelf, "encoder")
    group = np.array([p.group or p.id for p in products])
    category, colour = (np.array([str(p.field(name)) for p in products]) for name in ("category", "colour"))
    titles = in_batches(table.encoder.encode_text, [p.title for p in products], "texts")
    right = group[:, None] == group[None]
    table.add(
        "fashion: title -> picture, recall@10",
        len(products),
        len(products),
        luck(right, 10),
        encoder=found(titles @ seen.T, right, 10),
    )
    pairs = sorted({pair for pair in zip(colour, category, strict=True)})
    pairs = [pair for pair in pairs if ((colour == pair[0]) & (category == pair[1])).sum() >= 3]
    said = table.encoder.encode_text([f"{c.lower()} {singular(n)}" for c, n in pairs])
    for label, values, wanted in (("colour", colour, 0), ("category", category, 1)):
        right = np.array([pair[wanted] for pair in pairs])[:, None] == values[None]
        table.add(
            f'fashion: "blue shirt" -> {label}, precision@10',
            len(pairs),
            len(products),
            float(right.mean()),
            encoder=share(said @ seen.T, right, 10),
        )
    right = (category[:, None] == category[None]) & (group[:, None] != group[None])
    table.by_picture("fashion: picture -> same category, precision@10", shelf, shelf, right, 10, share)


def clothing(table: Table, catalog: Catalog) -> None:
    products = [p for p in kept(catalog) if p.category != "Other"]
    labels = sorted({p.category for p in products})
    said = table.encoder.encode_text([label.lower() for label in labels])
    seen = in_batches(table.encoder.encode_image, pictures([catalog.image_path(p) for p in products]), "encoder")
    right = np.array([p.category for p in products])[:, None] == np.array(labels)[None]
    table.add(
        "clothing: home photo -> label (zero-shot), accuracy",
        len(products),
        len(labels),
        1 / len(labels),
        encoder=found(seen @ said.T, right, 1),
    )


def photos(table: Table, catalog: Catalog, name: str, k: int, trained_on: bool = True) -> None:
    """Another photo -> its product among all rows, for products kept aside and for photos kept aside of the others.

    `trained_on`: the photos of `queries.csv` were trained on, but for the fifth that is kept aside.
    """
    products = [p for p in catalog.products if catalog.image_path(p)]
    by_id = {p.id: p for p in products}
    shelf = pictures([catalog.image_path(p) for p in products])
    ids = np.array([p.id for p in products])
    views = [(path, by_id[i], aside) for path, i, aside in other_photos(catalog.root) if i in by_id]
    for label, chosen in (
        ("products not trained on", [v for v in views if held_out(v[1])]),
        ("photos not trained on", [v for v in views if not held_out(v[1]) and (v[2] or not trained_on)]),
    ):
        if chosen:
            right = np.array([p.id for _, p, _ in chosen])[:, None] == ids[None]
            table.by_picture(
                f"{name} -> product, recall@{k} ({label})", pictures([path for path, _, _ in chosen]), shelf, right, k
            )


def own(table: Table, catalog: Catalog, name: str, seed: int = 0) -> None:
    """A crop (60-90% of the area) of the product's own picture, as JPEG of quality 40 -> the product first."""
    rng = np.random.default_rng(seed)
    products = [p for p in catalog.products if catalog.image_path(p)]
    shelf = pictures([catalog.image_path(p) for p in products])
    cropped = []
    for image in shelf:
        side = np.sqrt(rng.uniform(0.6, 0.9))
        wide, high = round(image.width * side), round(image.height * side)
        left, top = rng.integers(image.width - wide + 1), rng.integers(image.height - high + 1)
        memory = io.BytesIO()
        image.crop((left, top, left + wide, top + high)).save(memory, "JPEG", quality=40)
        cropped.append(decode(memory.getvalue()))
    table.by_picture(
        f"{name}: own picture cropped, JPEG 40, recall@1", cropped, shelf, np.eye(len(products), dtype=bool), 1
    )


def words(table: Table, catalog: Catalog, name: str) -> None:
    """Title -> product among all rows, for the products kept aside and for those trained on."""
    products = [p for p in catalog.products if catalog.image_path(p)]
    seen = in_batches(table.encoder.encode_image, pictures([catalog.image_path(p) for p in products]), "encoder")
    for label, chosen in (
        ("products not trained on", [p for p in products if held_out(p)]),
        ("products trained on", [p for p in products if not held_out(p)]),
    ):
        if not chosen:
            continue
        right = np.array([p.title for p in chosen])[:, None] == np.array([p.title for p in products])[None]
        scores = in_batches(table.encoder.encode_text, [p.title for p in chosen], "texts") @ seen.T
        for k in (1, 10):
            table.add(
                f"{name}: title -> product, recall@{k} ({label})",
                len(chosen),
                len(products),
                luck(right, k),
                encoder=found(scores, right, k),
            )


def speed(encoder: Encoder) -> dict[str, float]:
    """Milliseconds of processor time for one picture and one sentence on one core, median of 30."""
    import torch

    torch.set_num_threads(1)
    image, times = Image.new("RGB", (224, 224), "white"), {"image": [], "text": []}
    for _ in range(33):
        for name, work in (
            ("image", lambda: encoder.encode_image([image])),
            ("text", lambda: encoder.encode_text(["a red striped mug for the office"])),
        ):
            at = time.process_time()
            work()
            times[name].append(1000 * (time.process_time() - at))
    return {name: float(np.median(values[3:])) for name, values in times.items()}


def markdown(rows: list[dict]) -> str:
    """Figures cut off, not rounded, after the third digit."""
    cut = lambda value: f"{np.floor(value * 1000) / 1000:.3f}" if value is not None else ""  # noqa: E731
    lines = ["| task | queries / answers | encoder | chance | histogram | pixels |", "|---|---|---|---|---|---|"]
    for r in rows:
        cells = [cut(r.get(name)) for name in ("encoder", "chance", "histogram", "pixels")]
        lines.append(f"| {r['task']} | {r['queries']} / {r['answers']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--catalog", type=Path)
    parser.add_argument("--views", type=Path, help="the default catalogue with further views of its products")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    table = Table(Encoder.load(args.encoder))
    fashion(table, Catalog.read(args.data / "fashion"))
    clothing(table, Catalog.read(args.data / "clothing"))
    photos(table, Catalog.read(args.data / "grocery"), "grocery: phone photo", 5)
    sportswear = Catalog.read(args.data / "sportswear")
    photos(table, sportswear, "sportswear: other view", 1)
    own(table, sportswear, "sportswear")
    if args.catalog:
        catalog = Catalog.read(args.catalog)
        photos(table, catalog, "default catalogue: photo of queries.csv", 1, trained_on=False)
        words(table, catalog, "default catalogue")
        own(table, catalog, "default catalogue")
    if args.views:
        photos(table, Catalog.read(args.views), "default catalogue: other view", 1)
    times = speed(table.encoder)
    print(markdown(table.rows), f"\n\none core: {times['image']:.1f} ms a picture, {times['text']:.1f} ms a sentence")
    if args.json:
        args.json.write_text(json.dumps({"rows": table.rows, "milliseconds": times}, indent=1) + "\n")


if __name__ == "__main__":
    main()

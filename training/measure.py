"""How good an encoder is: one table, on products, senders and photos that it was not trained on.

    python training/measure.py --encoder ENCODER [--before OLDER] --data DATA [--catalog CATALOG] [--views FOLDER]
        [--teacher FOLDER] [--markdown FILE] [--json FILE]

Beside each figure: chance, and for questions asked with a picture also a colour histogram (8 x 8 x 8 bins of RGB,
white left out) and raw pixels (16 x 16, mean taken off). `--before` puts another encoder's figures beside them.
CATALOG is the default catalogue, whose `queries.csv` was not trained on; `--views` names a folder whose `queries.csv`
has further views of it that were, but for those kept aside. `--teacher` (a BERT-like sentence encoder; needs
`transformers`) puts the teacher's figures beside those of texts alone. What is asked in words is in `sayings.py`.
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

from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.catalog.imaging import decode
from mmdemo.core.holdout import Holdout
from mmdemo.core.metrics import capped_recall_at, chance_recall_at, precision_at, recall_at
from mmdemo.encode.encoder import Encoder
from mmdemo.finetune.augment import square
from mmdemo.finetune.dataset import other_photos
from mmdemo.language.stemming import singular
from training import phone, sayings

Embed = Callable[[Sequence], np.ndarray]
SIDE = 256  # pixels, longer side of the pictures that are asked with

# What a fashion shop calls the things that people photograph at home; what it does not sell (bodies, blazers) is left
# out, and so is `Other`.
KINDS = {
    "T-Shirt": ["Tshirts"],
    "Polo": ["Tshirts"],
    "Longsleeve": ["Tshirts", "Tops", "Sweaters", "Sweatshirts"],
    "Shirt": ["Shirts"],
    "Blouse": ["Tops", "Shirts", "Tunics"],
    "Top": ["Tops", "Tshirts"],
    "Hoodie": ["Sweatshirts"],
    "Outwear": ["Jackets"],
    "Undershirt": ["Innerwear Vests"],
    "Dress": ["Dresses"],
    "Skirt": ["Skirts"],
    "Pants": ["Trousers", "Jeans", "Track Pants", "Leggings", "Capris", "Lounge Pants", "Tights", "Churidar"],
    "Shorts": ["Shorts", "Lounge Shorts"],
    "Hat": ["Caps", "Hat"],
    "Shoes": [
        "Casual Shoes",
        "Sports Shoes",
        "Formal Shoes",
        "Heels",
        "Flats",
        "Sandals",
        "Flip Flops",
        "Sports Sandals",
    ],
}


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


def pictures(paths: Sequence[Path]) -> list[Image.Image]:
    return [decode(path, max_side=SIDE) for path in tqdm(paths, desc="pictures", leave=False)]


class Table:
    """Rows of the report, and the encoders that it compares: "encoder" and, where there is an older one, "before"."""

    def __init__(self, encoders: dict[str, Encoder], teacher: Embed | None = None):
        self.encoders, self.rows = encoders, []
        self.sights: dict[str, Embed] = {name: encoder.encode_image for name, encoder in encoders.items()}
        self.sights |= {"histogram": histogram, "pixels": raw_pixels}
        self.voices: dict[str, Embed] = {name: encoder.encode_text for name, encoder in encoders.items()}
        self.readers = self.voices | ({"teacher": teacher} if teacher else {})
        self._known: dict[tuple[str, int], tuple[Sequence, np.ndarray]] = {}

    def embed(self, by: dict[str, Embed], name: str, items: Sequence) -> np.ndarray:
        """Rows of `items` by `by[name]`; the same list object is embedded once."""
        key = (name, id(items))
        if key not in self._known:
            label = f"{name}: {len(items)}"
            steps = tqdm(range(0, len(items), 128), desc=label, leave=False)
            self._known[key] = items, np.vstack([by[name](items[at : at + 128]) for at in steps])
        return self._known[key][1]

    def add(self, task: str, right: np.ndarray, k: int, measure: Callable, scores: dict[str, np.ndarray]) -> None:
        """One row: `measure` (recall_at or precision_at) at k of each ranker's scores (queries, answers)."""
        chance = chance_recall_at(right, k) if measure is recall_at else float(right.mean())
        figures = {name: measure(score, right, k) for name, score in scores.items()}
        self.put(task, *right.shape, chance, **figures)

    def put(self, task: str, queries: int, answers: int, chance: float, **figures: float) -> None:
        self.rows.append({"task": task, "queries": queries, "answers": answers, "chance": chance, **figures})
        print(f"{task}: {figures} (chance {chance:.3f}, {queries} queries, {answers} answers)", flush=True)

    def by_picture(
        self, task: str, ask: list, shelf: list, right: np.ndarray, k: int, measure: Callable = recall_at
    ) -> None:
        """Ask with pictures for pictures; `right` is bool (ask, shelf). A picture does not find itself."""
        scores = {
            name: self.embed(self.sights, name, ask) @ self.embed(self.sights, name, shelf).T for name in self.sights
        }
        for score in scores.values() if ask is shelf else ():
            np.fill_diagonal(score, -np.inf)
        self.add(task, right, k, measure, scores)

    def by_words(self, ask: list[str], shelf: list) -> dict[str, np.ndarray]:
        """Scores (ask, shelf) of sentences for pictures."""
        return {
            name: self.embed(self.voices, name, ask) @ self.embed(self.sights, name, shelf).T for name in self.encoders
        }


def aside(catalog: Catalog) -> list[Product]:
    return [product for product in catalog.products if Holdout().held_out(product) and catalog.image_path(product)]


def same(some: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """bool (some, others): equal."""
    return np.array(some, object)[:, None] == np.array(others, object)[None]


def fashion(table: Table, catalog: Catalog, homes: Catalog) -> None:
    """Titles, phrases and pictures of a fashion shop; then photos that people took of their clothes at home."""
    products = aside(catalog)
    shelf = pictures([catalog.image_path(p) for p in products])
    group = same([p.group or p.id for p in products], [p.group or p.id for p in products])
    category, colour = ([str(p.field(name)) for p in products] for name in ("category", "colour"))
    scores = table.by_words([p.title for p in products], shelf)
    table.add("fashion: title -> picture, recall@10", group, 10, recall_at, scores)
    pairs = sorted(set(zip(colour, category, strict=True)))
    pairs = [pair for pair in pairs if sum(other == pair for other in zip(colour, category, strict=True)) >= 3]
    scores = table.by_words([f"{c.lower()} {singular(n)}" for c, n in pairs], shelf)
    for label, values, at in (("colour", colour, 0), ("category", category, 1)):
        right = same([pair[at] for pair in pairs], values)
        table.add(f'fashion: "blue shirt" -> {label}, precision@10', right, 10, precision_at, scores)
    right = same(pairs, list(zip(colour, category, strict=True))).all(-1)
    table.add('fashion: "blue shirt" -> both, of the ten that there may be', right, 10, capped_recall_at, scores)
    right = same(category, category) & ~group
    table.by_picture("fashion: picture -> same category, precision@10", shelf, shelf, right, 10, precision_at)

    photographed = [p for p in aside(homes) if p.category != "Other"]
    photos = pictures([homes.image_path(p) for p in photographed])
    labels = sorted({p.category for p in photographed})
    scores = {name: score.T for name, score in table.by_words([label.lower() for label in labels], photos).items()}
    right = same([p.category for p in photographed], labels)
    table.add("clothing: home photo -> label (zero-shot), accuracy", right, 1, recall_at, scores)
    # only kinds of which the shop has ten, so that ten right answers are possible
    sold = {kind for kind, names in KINDS.items() if sum(name in names for name in category) >= 10}
    chosen = [i for i, p in enumerate(photographed) if p.category in sold]
    right = np.array([[name in KINDS[photographed[i].category] for name in category] for i in chosen])
    table.by_picture(
        "clothing: home photo -> fashion of the right kind, precision@10",
        [photos[i] for i in chosen],
        shelf,
        right,
        10,
        precision_at,
    )


class Shop:
    """A catalogue's products that have a picture, decoded once."""

    def __init__(self, path: Path, name: str):
        self.name, self.catalog = name, Catalog.read(path)
        self.products = [p for p in self.catalog.products if self.catalog.image_path(p)]
        self.shelf = pictures([self.catalog.image_path(p) for p in self.products])  # type: ignore[misc]
        self.ids = [p.id for p in self.products]

    def halves(self) -> list[tuple[str, list[int]]]:
        """Rows that were kept aside and rows that were trained on, each with its label."""
        kept = [Holdout().held_out(p) for p in self.products]
        return [
            ("products not trained on", [i for i, k in enumerate(kept) if k]),
            ("products trained on", [i for i, k in enumerate(kept) if not k]),
        ]


def photos(table: Table, shop: Shop, task: str, k: int, root: Path | None = None, trained_on: bool = True) -> None:
    """Another photo -> its product among all rows, for products kept aside and for photos kept aside of the others.

    The photos are those of `queries.csv` in `root` (default: beside the catalogue). `trained_on`: they were trained on,
    but for the fifth that is kept aside.
    """
    by_id = dict(zip(shop.ids, shop.products, strict=True))
    views = [(path, i, kept) for path, i, kept in other_photos(root or shop.catalog.root) if i in by_id]
    for label, chosen in (
        ("products not trained on", [v for v in views if Holdout().held_out(by_id[v[1]])]),
        (
            "photos not trained on",
            [v for v in views if not Holdout().held_out(by_id[v[1]]) and (v[2] or not trained_on)],
        ),
    ):
        if chosen:
            right = same([i for _, i, _ in chosen], shop.ids)
            ask = pictures([path for path, _, _ in chosen])
            table.by_picture(f"{shop.name}: {task} -> product, recall@{k} ({label})", ask, shop.shelf, right, k)


def own(table: Table, shop: Shop, seed: int = 0) -> None:
    """A crop (60-90% of the area) of the product's own picture, as JPEG of quality 40 -> the product first."""
    rng, cropped = np.random.default_rng(seed), []
    for image in shop.shelf:
        side = np.sqrt(rng.uniform(0.6, 0.9))
        wide, high = round(image.width * side), round(image.height * side)
        left, top = rng.integers(image.width - wide + 1), rng.integers(image.height - high + 1)
        memory = io.BytesIO()
        image.crop((left, top, left + wide, top + high)).save(memory, "JPEG", quality=40)
        cropped.append(decode(memory.getvalue()))
    right = same(shop.ids, shop.ids)
    table.by_picture(f"{shop.name}: own picture cropped, JPEG 40, recall@1", cropped, shop.shelf, right, 1)


def phones(table: Table, shop: Shop, scenes: Catalog) -> None:
    """The product cut out and photographed in a room (`phone.py`) -> the product among all rows."""
    ask = phone.composites(shop.shelf, phone.rooms(scenes))
    for label, half in shop.halves():
        if rows := [i for i in half if ask[i] is not None]:
            right = same([shop.ids[i] for i in rows], shop.ids)
            chosen = [ask[i] for i in rows]
            table.by_picture(f"{shop.name}: phone-like -> product, recall@5 ({label})", chosen, shop.shelf, right, 5)


def titles(table: Table, shop: Shop) -> None:
    """Title -> product among all rows, for the products kept aside and for those trained on."""
    for label, rows in shop.halves():
        if rows:
            said = [shop.products[i].title for i in rows]
            right, scores = same(said, [p.title for p in shop.products]), table.by_words(said, shop.shelf)
            for k in (1, 10):
                table.add(f"{shop.name}: title -> product, recall@{k} ({label})", right, k, recall_at, scores)


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


def markdown(rows: list[dict], times: dict[str, dict[str, float]]) -> str:
    """The table and the speeds. Figures are cut off, not rounded, after the third digit."""
    cut = lambda value: f"{np.floor(value * 1000) / 1000:.3f}" if value is not None else ""  # noqa: E731
    order = ["encoder", "before", "teacher", "chance", "histogram", "pixels"]
    columns = [name for name in order if any(name in row for row in rows)]
    lines = [f"| task | queries / answers | {' | '.join(columns)} |", "|---|---|" + "---|" * len(columns)]
    for r in rows:
        lines.append(
            f"| {r['task']} | {r['queries']} / {r['answers']} | {' | '.join(cut(r.get(c)) for c in columns)} |"
        )
    lines.append("")
    for name, ms in times.items():
        lines.append(
            f"Processor time on one core ({name}): {ms['image']:.1f} ms a picture, {ms['text']:.1f} ms a sentence."
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--before", help="an encoder to compare with")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--catalog", type=Path)
    parser.add_argument("--views", type=Path, help="a folder whose queries.csv has further views of the catalogue")
    parser.add_argument("--teacher", type=Path, help="the sentence encoder that the text tower was taught by")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    encoders = {"encoder": Encoder.load(args.encoder).for_inference()}
    encoders |= {"before": Encoder.load(args.before).for_inference()} if args.before else {}
    table = Table(encoders, sayings.reader(args.teacher) if args.teacher else None)
    fashion(table, Catalog.read(args.data / "fashion"), Catalog.read(args.data / "clothing"))
    photos(table, Shop(args.data / "grocery", "grocery"), "phone photo", 5)
    sportswear = Shop(args.data / "sportswear", "sportswear")
    photos(table, sportswear, "other view", 1)
    own(table, sportswear)
    shops = [args.data / name for name in ("sportswear", "grocery", "shop_samples")]
    if args.catalog:
        shop = Shop(args.catalog, "default catalogue")
        photos(table, shop, "photo of queries.csv", 1, trained_on=False)
        if args.views:
            photos(table, shop, "other view", 1, root=args.views)
        own(table, shop)
        phones(table, shop, Catalog.read(args.data / "backgrounds"))
        titles(table, shop)
        sayings.chinese_queries(table, shop.products, shop.shelf)
        shops.append(args.catalog)
    sayings.descriptions(table, [Catalog.read(path) for path in shops])
    sayings.translations(table)
    times = {name: speed(encoder) for name, encoder in encoders.items()}
    report = markdown(table.rows, times)
    print(report)
    if args.markdown:
        args.markdown.write_text(report, encoding="utf-8")
    if args.json:
        args.json.write_text(json.dumps({"rows": table.rows, "milliseconds": times}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""All that a run of `scale.py` needs in a few files: small pictures, texts as token numbers, and what fits what.

    python training/pack.py --data DATA --also VIEWS --edits DATA/edit_texts/edits.csv --start ENCODER --out PACK

Made where the catalogues are, read where the GPU is: nothing is fetched or parsed there.
"""

import argparse
import io
import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.holdout import Holdout
from mmdemo.encode.encoder import Encoder
from mmdemo.finetune.augment import cache
from mmdemo.finetune.dataset import TrainingDataset, code, facts, phrase, worn
from mmdemo.language.stemming import singular
from training import sayings, words
from training.language import corpus
from training.measure import KINDS, same
from training.ship import WEIGHTS

SIDE, QUALITY, PART = 192, 82, 24_000_000  # pixels, of WebP, bytes a file
SAID, LONGEST = 20, 4  # phrases of a product; captions
SLOTS = ("noun", "colour", "pattern", "material", "gender")


def webp(pixels: np.ndarray) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(pixels).save(memory, "WEBP", quality=QUALITY, method=4)
    return memory.getvalue()


class Texts:
    """Texts by number."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.known.setdefault(text, len(self.known))


def chinese() -> dict[str, list[str]]:
    """The Chinese words for what a code stands for."""
    tables = {
        "colour": words.COLOURS,
        "pattern": words.PATTERNS,
        "material": words.MATERIALS,
        "noun": words.PRODUCTS,
        "gender": words.PEOPLE,
    }
    return {code((slot, word)): zh for slot, lines in tables.items() for en, zh in words.table(lines) for word in en}


def spoken(dataset: TrainingDataset, number: Texts) -> dict[str, np.ndarray]:
    """Captions and phrases of each product: text numbers, and the codes that a phrase asks for (-1: none)."""
    rng, names, zh = np.random.default_rng(0), Texts(), chinese()
    count = len(dataset.products)
    own, part = np.full((count, LONGEST), -1), np.full((count, LONGEST, 3), -1)
    said, asked = np.full((count, SAID), -1), np.full((count, SAID, 6), -1)
    has = np.full((count, 12), -1)
    for row, product in enumerate(tqdm(dataset.products, desc="texts")):
        for i, text in enumerate(dataset.captions[row][:LONGEST]):
            own[row, i] = number(text)
            part[row, i] = [number(worn(text, rng)) for _ in range(3)]
        true = [names(c) for c in sorted(dataset.codes[row])][: has.shape[1]]
        has[row, : len(true)] = true
        for i in range(SAID):
            text, codes = phrase(product, rng)
            if not codes or len(codes) > 6:
                continue
            if i % 4 == 3 and all(c in zh for c in codes):
                text = "".join(str(rng.choice(zh[c])) for c in codes)
            said[row, i] = number(text)
            asked[row, i, : len(codes)] = [names(c) for c in codes]
    labels = np.full((count, len(SLOTS)), -1)
    for s, slot in enumerate(SLOTS):
        of = Texts()
        for row, product in enumerate(dataset.products):
            if first := next((code(f) for f in facts(product) if f[0] == slot), None):
                labels[row, s] = of(first)
    return {
        "own": own,
        "part": part,
        "said": said,
        "asked": asked,
        "has": has,
        "labels": labels,
        "codes": np.array(len(names.known)),
    }


def kinds(dataset: TrainingDataset) -> np.ndarray:
    """bool (products, kinds): which of the things that people photograph at home a product of these shops is."""
    is_kind = np.zeros((len(dataset.products), len(KINDS)), bool)
    for row, product in enumerate(dataset.products):
        for i, (kind, sold) in enumerate(KINDS.items()):
            is_kind[row, i] = product.category == kind if product.field("sender_id") else product.category in sold
    return is_kind


def tasks(dataset: TrainingDataset, number: Texts, shop_of: np.ndarray, names: list[str]) -> list[dict]:
    """What a glance at the encoder asks; the table that counts is `measure.py`'s."""
    tasks_made: list[dict] = []
    products = np.array(dataset.products, object)
    main = np.unique(dataset.owner, return_index=True)[1]
    apart = np.array([Holdout().held_out(p) for p in dataset.products])
    of = lambda name: np.flatnonzero(shop_of == names.index(name))  # noqa: E731

    def put(name: str, ask: str, ids, shelf_ids, right: np.ndarray, k: int, measure: str) -> None:
        tasks_made.append(
            {
                "name": name,
                "ask": ask,
                "ids": [int(i) for i in ids],
                "shelf": [int(i) for i in shelf_ids],
                "right": np.packbits(right, axis=1),
                "k": k,
                "measure": measure,
            }
        )

    rows = of("fashion")[apart[of("fashion")]]
    held_out = products[rows]
    group, category = [p.group or p.id for p in held_out], [p.category for p in held_out]
    colour = [str(p.field("colour")) for p in held_out]
    put("fashion title", "text", [number(p.title) for p in held_out], main[rows], same(group, group), 10, "recall")
    pairs = sorted(set(zip(colour, category, strict=True)))
    pairs = [p for p in pairs if sum(o == p for o in zip(colour, category, strict=True)) >= 3]
    sentences = [number(f"{c.lower()} {singular(n)}") for c, n in pairs]
    put("colour", "text", sentences, main[rows], same([p[0] for p in pairs], colour), 10, "precision")
    put("category", "text", sentences, main[rows], same([p[1] for p in pairs], category), 10, "precision")
    put(
        "same category",
        "photo",
        main[rows],
        main[rows],
        same(category, category) & ~same(group, group),
        10,
        "precision",
    )
    homes = of("clothing")
    homes = homes[apart[homes] & np.array([products[i].category != "Other" for i in homes])]
    labels = sorted({products[i].category for i in homes})
    # the answers are pictures elsewhere; here the photos answer the labels, so the figure is another one
    right = same(labels, [products[i].category for i in homes])
    put("home label", "text", [number(x.lower()) for x in labels], main[homes], right, 1, "columns")
    sold = {kind for kind, cats in KINDS.items() if sum(c in cats for c in category) >= 10}
    chosen = [i for i in homes if products[i].category in sold]
    right = np.array([[c in KINDS[products[i].category] for c in category] for i in chosen])
    put("home kind", "photo", main[chosen], main[rows], right, 10, "precision")
    default = names[-1]
    for name, k in (("grocery", 5), ("sportswear", 1), (default, 1)):
        mine = of(name)
        views = np.setdiff1d(np.flatnonzero(dataset.shop == names.index(name)), main)
        for label, picks in (
            ("unseen", views[apart[dataset.owner[views]]]),
            ("new photo", views[dataset.aside[views] & ~apart[dataset.owner[views]]]),
        ):
            right = same(dataset.owner[picks].tolist(), mine.tolist())
            put(f"{name} {label}", "photo", picks, main[mine], right, k, "recall")
    mine = of(default)
    title = [p.title for p in products[mine]]
    for label, picks in (("unseen", np.flatnonzero(apart[mine])), ("seen", np.flatnonzero(~apart[mine]))):
        right = same([title[i] for i in picks], title)
        for k in (1, 10):
            put(f"title {label} @{k}", "text", [number(title[i]) for i in picks], main[mine], right, k, "recall")
    queries = sayings.spoken(list(products[mine]))
    right = same([q[2] for q in queries], [p.category for p in products[mine]])
    for i, label in enumerate(("English", "Chinese")):
        put(f"{label} phrase", "text", [number(q[i]) for q in queries], main[mine], right, 10, "precision")
    told = [(p, s) for p, s in zip(products, shop_of, strict=True) if p.description and Holdout().held_out(p)]
    shops = sorted({s for _, s in told} - {names.index(default)})
    for s in shops:
        asked = sorted({p.title for p, at in told if at == s})
        answers = sorted({p.description for p in products[shop_of == s] if p.description})
        if len(asked) > 20:
            fits = {(p.title, p.description) for p, at in told if at == s}
            right = np.array([[(title, answer) in fits for answer in answers] for title in asked])
            put(f"text {names[s]}", "texts", [*map(number, asked)], [*map(number, answers)], right, 10, "recall")
    return tasks_made


def token_rows(tokenizer: Callable, texts: list[str], name: str) -> dict[str, np.ndarray]:
    """The token numbers of all texts one after the other, and how many each has."""
    parts = [tokenizer(texts[at : at + 2048]).numpy() for at in tqdm(range(0, len(texts), 2048), desc=name)]
    rows = np.concatenate(parts).astype(np.uint16)
    ends = rows.argmax(1) + 1  # the end mark has the highest number
    return {name: rows[np.arange(rows.shape[1])[None] < ends[:, None]], f"{name}_lengths": ends.astype(np.uint8)}


def write(
    out: Path,
    dataset: TrainingDataset,
    shops: list[str],
    rooms: np.ndarray,
    tokenizer: Callable,
    pairs: list[tuple[str, str]],
    ask: Callable[[TrainingDataset, Texts, np.ndarray, list[str]], list[dict]] = tasks,
) -> None:
    """The files of a pack: `shops` are the dataset's catalogues by name, `pairs` what student and teacher read."""
    out.mkdir(parents=True, exist_ok=True)
    shop_of = np.zeros(len(dataset.products), int)
    shop_of[dataset.owner] = dataset.shop
    number = Texts()
    arrays = spoken(dataset, number) | {"kinds": kinds(dataset)}
    asked = ask(dataset, number, shop_of, shops)
    arrays |= token_rows(tokenizer, list(number.known), "texts")
    arrays |= token_rows(tokenizer, [mine for mine, _ in pairs], "mine")
    arrays |= token_rows(tokenizer, [theirs for _, theirs in pairs], "theirs")
    arrays |= {name: getattr(dataset, name) for name in ("owner", "aside", "shop", "identity", "variant")}
    arrays |= {f"right{i}": task.pop("right") for i, task in enumerate(asked)}
    offsets, file, kept = [], 0, bytearray()
    count = len(rooms) + len(dataset.pixels)
    with ThreadPoolExecutor(2) as pool:
        for at in tqdm(range(0, count, 512), desc="pictures"):
            part = range(at, min(at + 512, count))
            pictures = [rooms[i] if i < len(rooms) else dataset.pixels[[i - len(rooms)]][0] for i in part]
            for blob in pool.map(webp, pictures):
                offsets.append((file, len(kept), len(blob)))
                kept += blob
            if len(kept) > PART or part.stop == count:
                (out / f"photos-{file}.bin").write_bytes(kept)
                file, kept = file + 1, bytearray()
    np.savez_compressed(out / "pack.npz", offsets=np.array(offsets), rooms=len(rooms), **arrays)
    (out / "tasks.json").write_text(json.dumps({"shops": shops, "tasks": asked}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--also", type=Path, required=True, help="the default catalogue with its views as queries.csv")
    parser.add_argument("--edits", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True, help="encoder folder whose tokeniser reads the texts")
    parser.add_argument("--work", type=Path, required=True, help="decoded photos")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    shops = [*WEIGHTS, "default"]
    dataset = TrainingDataset(
        [*(args.data / n for n in WEIGHTS), args.also], args.work, SIDE, [1.0] * len(shops), Holdout()
    )
    scenes = Catalog.read(args.data / "backgrounds")
    places = [path for p in scenes.products if (path := scenes.image_path(p))]
    rooms = cache(places, args.work / f"backgrounds-{SIDE}-{len(places)}.npy", SIDE)
    pairs = corpus([*(args.data / n for n in WEIGHTS), args.also], args.edits)[0]
    write(args.out, dataset, shops, rooms, Encoder.load(args.start).tokenizer, pairs)


if __name__ == "__main__":
    main()

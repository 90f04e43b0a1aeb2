"""What catalogues teach: which photo shows which product, and which words are true of it.

Knows nothing of models. Products that are held out belong to the dataset as well: an encoder is measured on them.
"""

import html
import re
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.catalog.query_file import query_rows
from mmdemo.core.errors import InputError
from mmdemo.core.holdout import Holdout
from mmdemo.finetune.augment import Photos, cache
from mmdemo.language.stemming import singular

# What shops call the columns that make a phrase, in the order in which people say them; the noun comes last.
SPOKEN = [("gender", "department"), ("colour", "color"), ("pattern",), ("material",)]
WHOSE = {"men": "men's", "women": "women's", "boys": "boys'", "girls": "girls'", "kids": "kids'"}
FEWEST = 20  # products: fewer teach an encoder nothing that holds for the next product


def variant(product: Product) -> str:
    """What sizes of one thing share: one parent, all facts alike (striped and plain ones differ); else its own id."""
    return f"{product.parent}/{facts(product)}" if product.parent else f"#{product.id}"


def facts(product: Product) -> list[tuple[str, str]]:
    """[(slot, word)] that people would say of a product: whose, colour, pattern, material and what it is."""
    facts_of_product = []
    for names in SPOKEN:
        value = next((str(v) for name in names if (v := product.field(name))), "")
        for word in html.unescape(value).split(","):
            if word := re.sub(r"[^\w\s'-]", "", word).strip().lower():
                facts_of_product.append((names[0], WHOSE.get(word, word)))
    if product.category:
        facts_of_product.append(("noun", html.unescape(product.category).strip()))
    return facts_of_product


def code(fact: tuple[str, str]) -> str:
    """One spelling for what different shops write differently ("T-Shirt", "Tshirts")."""
    return fact[0] + ":" + re.sub(r"[\W_]", "", singular(fact[1])).replace("grey", "gray")


def phrase(product: Product, rng: np.random.Generator) -> tuple[str, list[str]]:
    """A few of a product's facts as people say them, and their codes: "women's blue jeans"; ("", []) without facts."""
    all_facts = facts(product)
    slots = {
        slot: [fact for fact in all_facts if fact[0] == slot] for slot in dict.fromkeys(slot for slot, _ in all_facts)
    }
    odds = {"gender": 0.25, "colour": 0.6, "pattern": 0.4, "material": 0.4, "noun": 0.9}
    used = [slot for slot in slots if rng.random() < odds[slot]] or list(slots)[-1:]
    picked = [slots[slot][rng.integers(len(slots[slot]))] for slot in used]
    words = []
    for slot, word in picked:
        if slot == "noun":  # "Hoodies & Sweatshirts": one of the two
            parts = re.split(r"\s*[&/,]\s*|\s+and\s+", word)
            word = parts[rng.integers(len(parts))].lower()
            word = singular(word) if rng.random() < 0.6 else word
        words.append(word)
    return " ".join(words), [code(fact) for fact in picked]


def captions(product: Product) -> list[str]:
    """What may stand for a product as a whole: title, description, its first sentence, all of its text."""
    first = re.split(r"(?<=[.!?])\s", product.description.strip(), maxsplit=1)[0]
    return list(
        dict.fromkeys(text for text in (product.title, product.text, product.description, first) if text.strip())
    )


class TrainingDataset:
    """Everything training reads of the catalogues: products, their photos, and which text fits which product."""

    def __init__(
        self, catalogs: Sequence[Path | str], work: Path, side: int, weights: Sequence[float], holdout: Holdout
    ):
        self.holdout = holdout
        self.products: list[Product] = []
        self.digests: list[str] = []  # of the catalogues
        photos: list[tuple[Path, int, float, bool]] = []  # picture, product, weight, kept aside
        parts, identity, variants, sizes = [], [], [], []
        for number, (path, heavy) in enumerate(zip(catalogs, weights, strict=True)):
            catalog = Catalog.read(path)
            self.digests.append(catalog.digest())
            base, first, at = len(self.products), len(photos), {}
            for product in catalog.products:
                picture = catalog.image_path(product)
                if picture is None or not captions(product):
                    continue
                at[product.id] = len(self.products)
                kept = holdout.held_out(product)
                photos.append((picture, at[product.id], heavy, kept))
                identity.append(f"{number}/{product.group or product.id}")
                variants.append(f"{number}/{variant(product)}")
                self.products.append(product)
            for picture, product_id, kept in other_photos(catalog.root):
                if product_id in at:
                    kept = kept or holdout.held_out(self.products[at[product_id]])
                    photos.append((picture, at[product_id], heavy, kept))
            sizes.append(len(photos) - first)
            if paths := [photo[0] for photo in photos[first:]]:
                key = zlib.crc32("\n".join(f"{p} {p.stat().st_size}" for p in paths).encode())
                parts.append(cache(paths, work / f"photos-{side}-{key:08x}.npy", side))
            tqdm.write(f"{path}: {len(self.products) - base} products, {len(paths)} photos", file=sys.stderr)
        if not photos:
            raise InputError("nothing to train on: expected catalogues with pictures, found none")
        self.shop = np.repeat(np.arange(len(sizes)), sizes)  # which catalogue a photo is of
        self.owner, self.aside = np.array([photo[1] for photo in photos]), np.array([photo[3] for photo in photos])
        self.odds = np.where(self.aside, 0.0, [photo[2] for photo in photos])
        if not self.odds.sum():
            raise InputError("nothing to train on: every product is kept aside for measuring; add more products")
        if (enough := len({photo[1] for photo in photos if not photo[3]})) < FEWEST:
            raise InputError(
                "too little to learn from: expected at least {fewest} products with picture and text to train "
                "on, found {enough} (a fifth is kept aside); add products, or `build` an index with an encoder "
                "as it is",
                fewest=FEWEST,
                enough=enough,
            )
        self.photos_of: dict[int, list[int]] = {}
        for photo in np.flatnonzero(~self.aside).tolist():
            self.photos_of.setdefault(int(self.owner[photo]), []).append(photo)
        self.pixels = Photos(parts)
        self.identity = np.unique(identity, return_inverse=True)[1]
        self.variant = np.unique(variants, return_inverse=True)[1]
        self.captions = [captions(product) for product in self.products]
        self.codes = [{code(fact) for fact in facts(product)} for product in self.products]

    def draw(self, batch: int, rng: np.random.Generator) -> np.ndarray:
        """The photos of one batch, half or more from one shop: that is where a search must tell things apart."""
        odds, shops = self.odds.copy(), np.bincount(self.shop, self.odds)
        if np.count_nonzero(shops) > 1:
            one = rng.choice(len(shops), p=np.sqrt(shops) / np.sqrt(shops).sum())  # the root: small shops count too
            odds[self.shop == one] *= max(1.0, (shops.sum() - shops[one]) / shops[one])
        return rng.choice(len(odds), batch, replace=False, p=odds / odds.sum())

    def same(self, a: np.ndarray, b: np.ndarray) -> torch.Tensor:
        """bool (a, b): the same product, a near-copy, or the same variant under another id."""
        a, b = a[:, None], b[None]
        return torch.from_numpy((self.identity[a] == self.identity[b]) | (self.variant[a] == self.variant[b]))

    def fits(self, texts: Sequence[str], rows: np.ndarray) -> torch.Tensor:
        """bool (texts, rows): the text is one of the row's own captions, word for word."""
        return torch.tensor([[text in self.captions[row] for row in rows] for text in texts])


def other_photos(root: Path) -> list[tuple[Path, str, bool]]:
    """(picture, product id, kept aside) of `queries.csv` beside a catalogue; a fifth of the photos are kept aside."""
    if not (root / "queries.csv").is_file():
        return []
    rows = [row for row in query_rows(root / "queries.csv") if row.get("image") and row.get("product_id")]
    photos = [(root / row["image"], row["product_id"], zlib.crc32(row["query_id"].encode()) % 5 == 0) for row in rows]
    return [row for row in photos if row[0].is_file()]


def worn(text: str, rng: np.random.Generator) -> str:
    """A caption with some words left out, now and then: people do not type whole titles."""
    words = text.split()
    if len(words) < 3 or rng.random() > 0.3:
        return text
    return " ".join(word for word in words if rng.random() > 0.25) or text

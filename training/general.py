"""The general head that ships with an encoder: one head for several shops, from which `fit` starts on any catalogue.

    python training/general.py CATALOG... --encoder ENCODER --work FOLDER [--steps 1200]

It is written beside the encoder's weights, whose hash it names, and is trained as `fit` trains: on products, parents
and groups of the training split only.
"""

import argparse
import sys
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from tqdm import tqdm

from mmdemo.catalog import Catalog
from mmdemo.cli import Bars
from mmdemo.edits import Edit, mine_edits
from mmdemo.embed import Embedded, embed, text_rows
from mmdemo.encoder import Encoder
from mmdemo.fit import train
from mmdemo.fusion import HEADS, Mean
from mmdemo.general import GENERAL, save_general
from mmdemo.lessons import WORDLESS, EncodeText, Lessons, questions, split_of
from mmdemo.settle import settle
from mmdemo.validation import floors, judge, means

SHARES = {"edit": 0.5, "both": 0.125, "image": 0.125, "text": 0.125, WORDLESS: 0.125}
RATE, DECAY = 2e-3, 1.0  # further from the start than on one small shop


def together(shops: Sequence[Embedded], encode: EncodeText, rng: np.random.Generator, dim: int) -> Lessons:
    """Lessons of several shops, each product in the part that its own shop puts it in: what a report calls unseen, the
    general head has not seen either."""
    products, edits = [], list[Edit]()
    for number, shop in enumerate(shops):
        first = len(products)
        mined = mine_edits(shop.products, shop.image, rng)
        edits += [Edit(e.reference + first, e.text, e.targets + first) for e in mined]
        # Ids and parents of one shop mean nothing in another.
        named = lambda name, number=number: f"{number}/{name}" if name else ""  # noqa: E731
        products += [replace(p, id=named(p.id), parent=named(p.parent), group=named(p.group)) for p in shop.products]
    image, text, view = (np.vstack([getattr(shop, rows) for shop in shops]) for rows in ("image", "text", "view"))
    data = Lessons(products, image, text, view, encode, rng, edits, dim)
    data.split = np.array([split_of(p) for shop in shops for p in shop.products])  # by its own name, not the new one
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalogs", nargs="+", type=Path)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--head", default="attention")
    parser.add_argument("--out", type=Path, help="default: beside the encoder's weights")
    parser.add_argument(
        "--work", type=Path, required=True, help="where what is encoded is kept; an interrupted run goes on"
    )
    args = parser.parse_args()
    encoder, rng = Encoder.load(args.encoder).at(), np.random.default_rng(0)
    shops = []
    for path in args.catalogs:
        bars = Bars()
        shops.append(embed(Catalog.read(path), encoder, args.work / path.name, resume=True, progress=bars))
        bars.close()
    data = together(shops, lambda said: text_rows(encoder, said), rng, encoder.dim)
    valid = questions(data, "valid", 500, np.random.default_rng(1))
    width = (data.image.shape[1], data.text.shape[1])
    mean = Mean(encoder.dim, *width).eval()
    torch.manual_seed(0)
    bar = tqdm(total=args.steps, desc="general head")
    floor = floors(data, valid, mean)
    head: Any = HEADS[args.head](encoder.dim, *width)
    train(head, data, SHARES, valid, args.steps, 0, floor, lambda n: bar.update(n) and None, RATE, DECAY)
    bar.close()
    settled = deepcopy(head)  # what it asks with a photo or words alone, every shop settles for itself
    figures = means(settle(settled, data, valid, floor))
    head.belief.copy_(settled.belief)  # for shops that cannot set it
    save_general(head, args.out or args.encoder / GENERAL, encoder)
    print({name: {k: round(v, 3) for k, v in f.items()} for name, f in
           (("mean", judge(mean, data, valid)), ("general", figures))})  # fmt: skip


if __name__ == "__main__":
    main()

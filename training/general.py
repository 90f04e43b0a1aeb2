"""Train the pretrained head that ships with an encoder: one head for several shops, from which `fit` starts anywhere.

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

from mmdemo.catalog.catalog import Catalog
from mmdemo.cli import Bars
from mmdemo.core.holdout import Holdout
from mmdemo.encode.embed import EncodedCatalog, embed
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.fusion.block_weights import tune_block_weights
from mmdemo.fusion.composed_queries import ComposedQuery, mine_composed_queries
from mmdemo.fusion.heads import HEADS, Mean
from mmdemo.fusion.pretrained_head import PRETRAINED, save_pretrained
from mmdemo.fusion.select import Validation, evaluate_head, mean_by_task
from mmdemo.fusion.train import TrainingOptions, train
from mmdemo.fusion.training_tasks import TEXT_TO_IMAGE, EncodeText, TrainingTasks, evaluation_queries

SHARES = {"edit": 0.5, "both": 0.125, "image": 0.125, "text": 0.125, TEXT_TO_IMAGE: 0.125}
LEARNING_RATE, WEIGHT_DECAY = 2e-3, 1.0  # further from the start than on one small shop


def together(shops: Sequence[EncodedCatalog], encode: EncodeText, rng: np.random.Generator, dim: int) -> TrainingTasks:
    """Training tasks of several shops, each product in the split of its own shop: what a report calls unseen, the
    pretrained head has not seen either."""
    products, composed = [], list[ComposedQuery]()
    for number, shop in enumerate(shops):
        first = len(products)
        mined = mine_composed_queries(shop.products, shop.image, rng)
        composed += [ComposedQuery(c.reference + first, c.text, c.targets + first) for c in mined]
        # Ids and parents of one shop mean nothing in another.
        named = lambda name, number=number: f"{number}/{name}" if name else ""  # noqa: E731
        products += [replace(p, id=named(p.id), parent=named(p.parent), group=named(p.group)) for p in shop.products]
    image, augmented, text = (np.vstack([getattr(shop, n) for shop in shops]) for n in ("image", "augmented", "text"))
    tasks = TrainingTasks(EncodedCatalog(products, image, augmented, text), encode, dim, rng, composed)
    tasks.split = np.array(
        [Holdout().split_of(p) for shop in shops for p in shop.products]
    )  # by its own name, not the new one
    return tasks


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
    encoder, rng = Encoder.load(args.encoder).for_inference(), np.random.default_rng(0)
    shops = []
    for path in args.catalogs:
        bars = Bars()
        shops.append(embed(Catalog.read(path), encoder, args.work / path.name, resume=True, progress=bars))
        bars.close()
    tasks = together(shops, lambda texts: text_embeddings(encoder, texts), rng, encoder.dim)
    queries = evaluation_queries(tasks, "valid", 500, np.random.default_rng(1))
    width = (tasks.image.shape[1], tasks.text.shape[1])
    mean = Mean(encoder.dim, *width).eval()
    torch.manual_seed(0)
    bar = tqdm(total=args.steps, desc="pretrained head")
    validation = Validation.against(mean, tasks, queries)
    head: Any = HEADS[args.head](encoder.dim, *width)
    options = TrainingOptions(args.steps, 0, LEARNING_RATE, WEIGHT_DECAY)
    train(head, validation, SHARES, options, lambda n: bar.update(n) and None)
    bar.close()
    tuned = deepcopy(head)  # every shop tunes for itself what a photo or words alone ask for
    figures = mean_by_task(tune_block_weights(tuned, validation))
    head.photo_gate.copy_(tuned.photo_gate)  # for shops that cannot fit it
    save_pretrained(head, args.out or args.encoder / PRETRAINED, encoder)
    print(
        {
            name: {k: round(v, 3) for k, v in f.items()}
            for name, f in (("mean", evaluate_head(mean, tasks, queries)), ("pretrained", figures))
        }
    )


if __name__ == "__main__":
    main()

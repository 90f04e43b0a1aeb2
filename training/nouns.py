"""Train the classifier of nouns that ships with an encoder: what a photo shows, sold by a shop or not.

    python training/nouns.py FOLDER... --encoder ENCODER --index INDEX [--cache FILE] [--steps 400] [--versions 1]

Each FOLDER is a catalogue of photos whose category is the noun. It learns from the training split alone; the curve from
its probabilities to the chance that a kind is right is fitted on photos of the validation split, asked of INDEX as
`benchmarks/relevance.py` asks them. What it knows is written into the encoder's folder.
"""

import argparse
import io
import sys
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from benchmarks.relevance import LABELS, WORN, RememberedEncoder, labels_of, photo_queries
from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.core.holdout import Holdout
from mmdemo.core.vectors import Array
from mmdemo.encode.embeddings import photo_embeddings, single_view_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.encode.nouns import NounClassifier
from mmdemo.fusion.calibration import logistic
from mmdemo.language.kinds import Kinds
from mmdemo.search.photo_kinds import PhotoKinds
from mmdemo.search.recommender import Recommender

MOST = {WORN: 70}  # photos of a noun in the folder where senders differ most
MOST_OF_OTHERS = 14
# Labels that a shop calls otherwise; those of the first line say too little.
SKIPPED = frozenset("other decor electronics home not sure skip".split())
SHOP_NOUNS = dict(
    pair.split("=")
    for pair in (
        "sombrero hat=hat;cowboy hat=hat;cowboy boot=boots;plate of food=plate;prayer rug=rug;soup bowl=bowl;"
        "mixing bowl=bowl;analog clock=wall clock;digital clock=clock;coffee mug=mug;couch=sofa;longsleeve=t-shirt;"
        "pants=trousers;water jug=jug;digital watch=watch;beer glass=drinking glass;"
        "goblet=drinking glass;body=bodysuit;outwear=jacket;china cabinet=cabinet;plant pot=planter;"
        "potted plant=houseplant;shopping basket=basket;jigsaw puzzle=puzzle;storage chest=chest of drawers;"
        "glass bottle or jar=glass jar;plastic bottle or container=plastic bottle;"
        "clog (shoe)=clogs;sombrero=hat;pop bottle=soda bottle;sunglasseses=sunglasses"
    ).split(";")
)
TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
BATCH, RATE, DECAY, SMOOTHING = 256, 2e-3, 1e-3, 0.05


def worse(photo: Image.Image, random: np.random.Generator) -> Image.Image:
    """A photo as people also take and send it: turned, in little light, compressed, or several of these."""
    photo = photo.convert("RGB")
    if random.random() < 0.5:
        photo = photo.transpose(TURNS[random.integers(len(TURNS))])
    if random.random() < 0.5:
        dark = np.asarray(photo, np.float32) * random.uniform(0.25, 0.8)
        noise = random.normal(0, random.uniform(2, 10), dark.shape)
        photo = Image.fromarray((dark + noise).clip(0, 255).astype(np.uint8))
    if random.random() < 0.5:
        share, stream = random.uniform(0.35, 1), io.BytesIO()
        size = (max(1, round(photo.width * share)), max(1, round(photo.height * share)))
        photo.resize(size).save(stream, "JPEG", quality=int(random.integers(8, 60)))
        photo = decode(stream.getvalue())
    return photo


def examples(folders: list[Path], encoder: Encoder, versions: int) -> tuple[Array, list[str]]:
    """Embeddings (n, width) of photos of the training split, and what they show: each as it is, and worse."""
    rows, nouns = list[Array](), list[str]()
    random = np.random.default_rng(0)
    for folder in folders:
        catalog, counts, chosen = Catalog.read(folder), Counter[str](), []
        for product in sorted(catalog, key=lambda p: zlib.crc32(p.id.encode())):
            most = MOST.get(folder.name, MOST_OF_OTHERS)
            if Holdout().held_out(product) or counts[product.category] == most or not catalog.image_path(product):
                continue
            counts[product.category] += 1
            chosen.append(product)
        for at in range(0, len(chosen), 64):
            files = [path for p in chosen[at : at + 64] if (path := catalog.image_path(p))]
            photos = [decode(path, max_side=512) for path in files]
            for version in range(versions):
                taken = photos if version == 0 else [worse(photo, random) for photo in photos]
                rows.append(single_view_embeddings(encoder, taken))
                nouns += [p.category.casefold() for p in chosen[at : at + 64]]
        print(f"{folder.name}: {len(chosen)} photos", flush=True)
    return np.vstack(rows), nouns


def train(rows: Array, shown: list[str], steps: int) -> NounClassifier:
    """Softmax regression on standardised embeddings, rare nouns counting a little more."""
    kept = np.array([noun not in SKIPPED for noun in shown])
    rows, shown = rows[kept], [SHOP_NOUNS.get(noun, noun) for noun in shown if noun not in SKIPPED]
    nouns = sorted(set(shown))
    target = torch.tensor([nouns.index(noun) for noun in shown])
    mean, spread = rows.mean(0), rows.std(0) + 1e-6
    x = torch.from_numpy((rows - mean) / spread)
    counts = np.bincount(target.numpy())
    share = torch.tensor(counts**-0.5, dtype=torch.float32)[target]
    share = share / share.mean()
    torch.manual_seed(0)
    weights, bias = (torch.zeros(*shape, requires_grad=True) for shape in ((x.shape[1], len(nouns)), (len(nouns),)))
    optimizer = torch.optim.Adam([weights, bias], lr=RATE)
    for _ in range(steps):
        some = torch.randint(0, len(x), (BATCH,))
        losses = F.cross_entropy(x[some] @ weights + bias, target[some], reduction="none", label_smoothing=SMOOTHING)
        loss = (losses * share[some]).mean() + DECAY * (weights**2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    w = weights.detach().numpy() / spread[:, None]
    return NounClassifier(tuple(nouns), w, bias.detach().numpy() - mean @ w, (1.0, 0.0, 0.0))


def fit_curve(
    classifier: NounClassifier, folders: list[Path], recommender: Recommender, encoder: Encoder
) -> tuple[float, float, float]:
    """The curve from a photo's features of a kind to the chance that it is right."""
    index = recommender.index
    kinds = PhotoKinds(index, Kinds(index.products, list(index.manifest.words.values())), classifier)
    features, right = list[NDArray[np.float64]](), list[NDArray[np.bool_]]()
    for asked in photo_queries(folders, labels_of(LABELS), "fit"):
        image = asked.query().image
        assert image is not None
        features.append(kinds.features(photo_embeddings(encoder, [image])))
        right.append(np.array([category in asked.kinds for category in kinds.categories]))
    slopes, constant = logistic(np.vstack(features), np.concatenate(right))
    return float(slopes[0]), float(slopes[1]), constant


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="catalogues of photos")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of the encoder, where the result goes")
    parser.add_argument("--index", type=Path, required=True, help="an index made with it, for the curve")
    parser.add_argument("--cache", type=Path, help="a file (.npz) that keeps embeddings of photos for the curve")
    parser.add_argument("--rows", type=Path, help="a file (.npz) that keeps embeddings for training")
    parser.add_argument("--versions", type=int, default=1, help="of each photo: as it is, and worse ones (default 1)")
    parser.add_argument("--steps", type=int, default=400)
    args = parser.parse_args()
    recommender = Recommender.load(args.index)
    if args.rows and args.rows.is_file():
        kept = np.load(args.rows)
        rows, shown = kept["rows"], kept["shown"].tolist()
    else:
        rows, shown = examples(args.folders, recommender.encoder, args.versions)
        if args.rows:
            np.savez(args.rows, rows=rows, shown=shown)
    classifier = train(rows, shown, args.steps)
    encoder = RememberedEncoder(recommender.encoder, args.cache)
    try:
        curve = fit_curve(classifier, args.folders, recommender, encoder)
    finally:
        encoder.save()
    print(f"{len(rows)} photos, {len(classifier.nouns)} nouns, curve {curve}")
    replace(classifier, curve=curve).save(args.encoder)


if __name__ == "__main__":
    main()

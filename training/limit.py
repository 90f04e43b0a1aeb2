"""How far "blue shirt" can get on the fashion shop: the labels themselves, and a linear probe that was taught them.

    python training/limit.py --encoder ENCODER --data DATA

Asked for a colour and a kind at once, ten answers cannot all have both where the shop has three such things. So the two
precisions have a joint ceiling, which the labels reach whichever of them comes first. The probe (logistic regression on
the image tower's pooled features, with and without a colour histogram beside them) says what the pictures tell of it.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from torch.nn import functional as F
from tqdm import tqdm

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.holdout import Holdout
from mmdemo.core.metrics import precision_at
from mmdemo.encode.encoder import Encoder
from mmdemo.language.stemming import singular
from training.measure import histogram, pictures, same

COUNTS = (0.5, 1.0, 2.0)  # how much colour counts beside kind


def probe(rows: np.ndarray, labels: np.ndarray, learn: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names of the labels, and log-probabilities (rows, names) by a logistic regression on the rows to `learn` from."""
    names = sorted(set(labels[learn]))
    true = torch.tensor([names.index(label) for label in labels[learn]])
    x = torch.from_numpy(rows)
    linear = torch.nn.Linear(rows.shape[1], len(names))
    torch.nn.init.zeros_(linear.weight)
    optimizer = torch.optim.LBFGS(linear.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(linear(x[learn]), true) + 3e-4 * linear.weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    with torch.inference_mode():
        return names, F.log_softmax(linear(x), dim=1).numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    encoder, catalog = Encoder.load(args.encoder).for_inference(), Catalog.read(args.data / "fashion")
    products = [p for p in catalog.products if catalog.image_path(p)]
    shots = pictures([catalog.image_path(p) for p in products])
    parts = [
        encoder.encode_image_with_features(shots[at : at + 64])
        for at in tqdm(range(0, len(shots), 64), desc="pictures")
    ]
    pooled, joint = (np.concatenate(some).astype(np.float32) for some in zip(*parts, strict=True))
    aside = np.array([Holdout().held_out(p) for p in products])
    colour, kind = (np.array([str(p.field(name)) for p in products]) for name in ("colour", "category"))
    sold = list(zip(colour[aside], kind[aside], strict=True))
    pairs = sorted({pair for pair in sold if sold.count(pair) >= 3})
    right = [same([pair[i] for pair in pairs], values[aside]) for i, values in enumerate((colour, kind))]

    def show(name: str, scores: np.ndarray) -> None:
        reached = [precision_at(scores, some, 10) for some in right]
        print(f"{name:52} colour {reached[0]:.3f}  kind {reached[1]:.3f}  sum {sum(reached):.3f}")

    for name, order in (("labels, colour first", (2, 1)), ("labels, kind first", (1, 2))):
        show(name, sum(weight * some for weight, some in zip(order, right, strict=True)).astype(np.float32))
    said = encoder.encode_text([f"{c.lower()} {singular(k)}" for c, k in pairs])
    show("the encoder, which was not told which is which", said @ joint[aside].T)
    spread = (pooled - pooled[~aside].mean(0)) / (pooled[~aside].std(0) + 1e-3) / 10
    colours = 3 * histogram(shots)
    for name, rows in (("pooled features", spread), ("histogram", colours), ("both", np.hstack([spread, colours]))):
        guesses = [probe(rows, values, ~aside) for values in (colour, kind)]
        for values, (names, guess) in zip((colour, kind), guesses, strict=True):
            print(f"probe of {name}: accuracy {np.mean(np.array(names)[guess[aside].argmax(1)] == values[aside]):.3f}")
        columns = [
            np.stack([guess[aside][:, names.index(pair[i])] for pair in pairs])
            for i, (names, guess) in enumerate(guesses)
        ]
        for weight in COUNTS:
            show(f"probe of {name}, colour counts {weight:g}", weight * columns[0] + columns[1])


if __name__ == "__main__":
    main()

"""What goes with what, learnt from links: a map from a product's vector to where the things that go with it lie.

Things that go together need not look alike (McAuley et al. 2015): a sofa and its lamp are no neighbours in the fused
space. So the map is learnt beside the head, which stays as it is, and starts as "what is alike goes together". Knows
nothing of products: rows of numbers and pairs of rows go in.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from mmdemo.vectors import Array

STORED = "related.safetensors"  # its name in an index
RANK = 32  # dimensions in which the map may differ from the identity
STEPS, BATCH, SHELF = 200, 256, 2048  # the shelf: products among which the right ones have to be found in a step
ASKED = 500  # validation products, at most
FEWEST = 30  # pairs: fewer teach nothing that holds for the next product
STEPS_BETWEEN = 25  # two looks at the validation pairs


class Related(nn.Module):
    """v -> unit(v + U V v), the identity at the start."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, RANK, bias=False)
        self.up = nn.Linear(RANK, width, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Unit vectors (n, width) -> unit vectors (n, width)."""
        return F.normalize(x + self.up(self.down(x)), dim=-1)


def learn(
    vectors: Array, pairs: NDArray[np.int64], group: NDArray[np.int64], train: NDArray[np.bool_],
    valid: NDArray[np.bool_], seed: int = 0,
) -> Related | None:  # fmt: skip
    """The map that validation likes best, or None where it likes the identity best or there is too little to learn.

    `vectors` (n, width) are fused, `pairs` (m, 2) rows that go together in either direction, `group` (n,) numbers what
    is one thing (variants): those are left out of each other's answers. A pair is trained on when both of its ends are
    in `train` (n,), and judged on when one is in `valid` (n,). Deterministic for a seed.
    """
    from mmdemo.fit import loss_of  # who opens a map does not need what trains it

    both = np.vstack([pairs, pairs[:, ::-1]])
    taught = both[train[both].all(1)]
    judges = np.unique(both[valid[both[:, 0]], 0])
    asked = both[np.isin(both[:, 0], np.random.default_rng(seed).permutation(judges)[:ASKED])]
    if len(taught) < FEWEST or not len(asked):
        return None
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(vectors)
    starts, trained = np.unique(taught[:, 0]), np.flatnonzero(train)
    model = Related(vectors.shape[1])
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.5)
    best, best_state = float(ndcg(vectors, vectors, asked, group).mean()), None
    for step in range(STEPS):
        rows = rng.choice(starts, min(BATCH, len(starts)), replace=False)
        shelf = trained
        if len(trained) > SHELF:
            shelf = np.union1d(rng.choice(trained, SHELF, replace=False), taught[np.isin(taught[:, 0], rows), 1])
        scores = 16 * model(x[rows]) @ x[shelf].T
        own = torch.from_numpy(group[rows][:, None] == group[shelf][None])
        mask = torch.from_numpy(linked(rows, shelf, taught).astype(np.float32))
        loss = loss_of(scores.masked_fill(own, -1e4), mask)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % STEPS_BETWEEN == 0:
            figure = float(ndcg(moved(model, vectors), vectors, asked, group).mean())
            if figure > best:
                best, best_state = figure, {k: v.clone() for k, v in model.state_dict().items()}
    if best_state is None:
        return None
    model.load_state_dict(best_state)
    return model.eval()


@torch.inference_mode()
def moved(model: Related | None, vectors: Array) -> Array:
    """Where what goes with each product lies, (n, width); the vectors themselves without a map."""
    return vectors if model is None else model(torch.from_numpy(vectors)).numpy()


def linked(rows: NDArray[np.int64], others: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool (rows, others): which of the others some pair joins to a row."""
    n = 1 + int(max(rows.max(), others.max(), pairs.max()))
    return np.isin(rows[:, None] * n + others[None], pairs[:, 0] * n + pairs[:, 1])


def ndcg(
    queries: Array, vectors: Array, pairs: NDArray[np.int64], group: NDArray[np.int64], k: int = 10
) -> NDArray[np.float64]:
    """nDCG@k for every row that is first in some pair, its own group left out of the answer."""
    figures, everything = [], np.arange(len(vectors))
    for rows in np.array_split(np.unique(pairs[:, 0]), 1 + len(pairs) // 1024):
        if not len(rows):
            continue
        right = linked(rows, everything, pairs)
        scores = queries[rows] @ vectors.T
        scores[group[rows][:, None] == group[None]] = -np.inf
        top = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        gain = 1 / np.log2(np.arange(2, top.shape[1] + 2))
        found = (np.take_along_axis(right, top, 1) * gain).sum(1)
        figures.append(found / np.cumsum(gain)[np.minimum(right.sum(1), len(gain)) - 1])
    return np.concatenate(figures)


def save_related(model: Related, path: Path) -> None:
    """Write the map as a safetensors file."""
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, path)


def load_related(path: Path, width: int) -> Related:
    """The map that `save_related` wrote for vectors of this width; ValueError for anything else."""
    model = Related(width)
    try:
        model.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise ValueError(f"{path.name} is no map of links for vectors of {width} numbers") from error
    return model.eval()

"""Learn from links what goes with what: a map from a product's vector to where the products that go with it lie.

Things that go together need not look alike (McAuley et al. 2015): a sofa and its lamp are no neighbours in the fused
space. So the map is learnt beside the head, which stays as it is, and starts as "what is alike goes together". It knows
nothing of products: rows of numbers and pairs of rows go in.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional as F

from mmdemo.core.metrics import ndcg_at
from mmdemo.core.vectors import Array
from mmdemo.fusion.losses import info_nce

STORED = "related.safetensors"  # its name in an index
RANK = 32  # dimensions in which the map may differ from the identity
STEPS, BATCH = 200, 256
CANDIDATES = 2048  # products among which the right ones have to be found in a step
MAX_JUDGED = 500  # validation products
MIN_PAIRS = 30  # fewer teach nothing that holds for the next product
VALIDATE_EVERY = 25  # steps
SCALE = 16  # of the cosines in the loss


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


def fit_related(
    vectors: Array,
    pairs: NDArray[np.int64],
    group: NDArray[np.int64],
    train: NDArray[np.bool_],
    valid: NDArray[np.bool_],
    seed: int = 0,
) -> Related | None:
    """Learn the map from links; deterministic for a seed.

    Parameters
    ----------
    vectors
        Fused products (n, width).
    pairs
        Rows (m, 2) that go together, in either direction.
    group
        (n,) the same number for variants of one thing, which are left out of each other's answers.
    train, valid
        bool (n,). A pair is trained on where both of its ends are in `train`, and judged on where one is in `valid`.

    Returns
    -------
    Related or None
        The best map by validation; None where the identity is best, or where there is too little to learn from.
    """
    both = np.vstack([pairs, pairs[:, ::-1]])
    taught = both[train[both].all(1)]
    judged = np.unique(both[valid[both[:, 0]], 0])
    judged_pairs = both[np.isin(both[:, 0], np.random.default_rng(seed).permutation(judged)[:MAX_JUDGED])]
    if len(taught) < MIN_PAIRS or not len(judged_pairs):
        return None
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Related(vectors.shape[1])
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.5)
    best, best_state = float(ndcg_of_links(vectors, vectors, judged_pairs, group).mean()), None
    for step in range(STEPS):
        loss = _loss(model, vectors, taught, group, np.flatnonzero(train), rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % VALIDATE_EVERY == 0:
            figure = float(ndcg_of_links(apply_map(model, vectors), vectors, judged_pairs, group).mean())
            if figure > best:
                best, best_state = figure, {k: v.clone() for k, v in model.state_dict().items()}
    if best_state is None:
        return None
    model.load_state_dict(best_state)
    return model.eval()


def _loss(
    model: Related,
    vectors: Array,
    taught: NDArray[np.int64],
    group: NDArray[np.int64],
    trained: NDArray[np.int64],
    rng: np.random.Generator,
) -> torch.Tensor:
    """InfoNCE of a random batch of linked products, among candidates from the trained ones."""
    x, starts = torch.from_numpy(vectors), np.unique(taught[:, 0])
    rows = rng.choice(starts, min(BATCH, len(starts)), replace=False)
    candidates = trained
    if len(trained) > CANDIDATES:
        partners = taught[np.isin(taught[:, 0], rows), 1]
        candidates = np.union1d(rng.choice(trained, CANDIDATES, replace=False), partners)
    scores = SCALE * model(x[rows]) @ x[candidates].T
    same_group = torch.from_numpy(group[rows][:, None] == group[candidates][None])
    positives = torch.from_numpy(linked_pairs(rows, candidates, taught).astype(np.float32))
    return info_nce(scores.masked_fill(same_group, -1e4), positives)


@torch.inference_mode()
def apply_map(model: Related | None, vectors: Array) -> Array:
    """Where what goes with each product lies, (n, width); the vectors themselves without a map."""
    return vectors if model is None else model(torch.from_numpy(vectors)).numpy()


def linked_pairs(rows: NDArray[np.int64], others: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool (rows, others): which of the others a pair joins to a row.

    >>> linked_pairs(np.array([0]), np.array([1, 3]), pairs=np.array([[0, 3]]))
    array([[False,  True]])
    """
    n = 1 + int(max(rows.max(), others.max(), pairs.max()))
    return np.isin(rows[:, None] * n + others[None], pairs[:, 0] * n + pairs[:, 1])


def ndcg_of_links(
    queries: Array, vectors: Array, pairs: NDArray[np.int64], group: NDArray[np.int64], k: int = 10
) -> NDArray[np.float64]:
    """nDCG@k for every row that is first in some pair, its own group left out of the answer."""
    figures, everything = [], np.arange(len(vectors))
    for rows in np.array_split(np.unique(pairs[:, 0]), 1 + len(pairs) // 1024):
        if not len(rows):
            continue
        positives = linked_pairs(rows, everything, pairs)
        scores = queries[rows] @ vectors.T
        scores[group[rows][:, None] == group[None]] = -np.inf
        figures.append(ndcg_at(scores, positives, k))
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

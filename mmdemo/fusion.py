"""Fusion heads: one vector out of a picture's and a text's, and the exact share of each in it.

A head knows nothing of products, pictures or words. It takes rows of numbers: a modality's row is the encoder's
unit embedding (`dim` numbers) followed by whatever pooled features the tower offers; a row of zeros is a missing
modality. It returns three parts (image, text, interaction) whose sum has length one, so every score splits exactly.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mmdemo.errors import InputError
from mmdemo.vectors import Array

IMAGE, TEXT, INTERACTION = 0, 1, 2


def _unit(x: Tensor) -> Tensor:
    return F.normalize(x, dim=-1)


class Adapter(nn.Module):
    """A residual bottleneck on one modality, the identity at the start (CLIP-Adapter, Gao et al. 2021)."""

    def __init__(self, dim: int, width: int, hidden: int = 128) -> None:
        super().__init__()
        self.dim = dim
        self.down = nn.Linear(width, hidden)
        self.up = nn.Linear(hidden, dim, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) -> (n, dim) unit rows; a zero row stays zero."""
        moved = _unit(x[:, : self.dim] + self.up(F.gelu(self.down(x))))
        return moved * (x != 0).any(dim=1, keepdim=True)


class FusionHead(nn.Module):
    """What every head promises. Subclasses write `_combine`."""

    name = "abstract"
    adapted = True

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__()
        self.dim, self.image_width, self.text_width = dim, image_width or dim, text_width or dim
        if self.adapted:
            self.image_adapter = Adapter(dim, self.image_width)
            self.text_adapter = Adapter(dim, self.text_width)

    def align(self, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Both modalities in this shop's shared space: unit rows (n, dim), zero where missing."""
        if self.adapted:
            return self.image_adapter(image), self.text_adapter(text)
        return image[:, : self.dim], text[:, : self.dim]

    def forward(self, image: Tensor, text: Tensor) -> Tensor:
        """(n, image_width), (n, text_width) -> parts (n, 3, dim) that sum to a unit vector."""
        i, t = self.align(image, text)
        both = ((i != 0).any(1) & (t != 0).any(1)).unsqueeze(1)
        parts = torch.stack(self._combine(i, t, both), dim=1)
        return parts / parts.sum(1).norm(dim=1).clamp_min(1e-12)[:, None, None]

    def _combine(self, i: Tensor, t: Tensor, both: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        raise NotImplementedError

    @torch.inference_mode()
    def parts(self, *, image: Array | None = None, text: Array | None = None, weight: float = 0.5) -> Array:
        """(n, 3, dim) float32, summing to unit vectors; either modality may be None or hold zero rows.

        `weight` slides from the text alone (0) through the head's own mixture (0.5) to the image alone (1). Raises
        ValueError when a row has neither modality.
        """
        if image is None and text is None:
            raise ValueError("a fused vector needs an image, a text, or both")
        n = len(image) if image is not None else len(text)  # type: ignore[arg-type]
        i = torch.from_numpy(image) if image is not None else torch.zeros(n, self.image_width)
        t = torch.from_numpy(text) if text is not None else torch.zeros(n, self.text_width)
        has_image, has_text = (i != 0).any(1), (t != 0).any(1)
        if not bool((has_image | has_text).all()):
            raise ValueError("a row has neither image nor text, so there is nothing to fuse")
        fused = self(i, t)
        if weight == 0.5 or image is None or text is None:
            return fused.numpy()
        alone = self(i, torch.zeros_like(t)) if weight > 0.5 else self(torch.zeros_like(i), t)
        lean = abs(weight - 0.5) * 2
        mixed = (1 - lean) * fused + lean * alone
        mixed = mixed / mixed.sum(1).norm(dim=1).clamp_min(1e-12)[:, None, None]
        both = (has_image & has_text)[:, None, None]
        return torch.where(both, mixed, fused).numpy()

    def fuse(self, *, image: Array | None = None, text: Array | None = None, weight: float = 0.5) -> Array:
        """(n, dim) unit float32: the sum of `parts`."""
        return self.parts(image=image, text=text, weight=weight).sum(axis=1)


class Mean(FusionHead):
    """The baseline: the mean of both unit vectors, nothing learnt."""

    name = "mean"
    adapted = False

    def _combine(self, i: Tensor, t: Tensor, both: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return i, t, torch.zeros_like(i)


class Concat(FusionHead):
    """F = I + T + V act(W [I; T]): concatenation; the joint term is the interaction."""

    name = "concat"

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__(dim, image_width, text_width)
        self.joint = nn.Sequential(nn.Linear(2 * dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim, bias=False))
        nn.init.zeros_(self.joint[2].weight)  # type: ignore[arg-type]

    def _combine(self, i: Tensor, t: Tensor, both: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return i, t, self.joint(torch.cat([i, t], 1)) * both


class Weighted(FusionHead):
    """A gate for every dimension, read from both vectors: F = g I + (1 - g) T (Arevalo et al. 2017)."""

    name = "weighted"

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__(dim, image_width, text_width)
        self.gate = nn.Sequential(nn.Linear(2 * dim, dim), nn.GELU(), nn.Linear(dim, dim))
        nn.init.zeros_(self.gate[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.gate[2].bias)  # type: ignore[arg-type]

    def _combine(self, i: Tensor, t: Tensor, both: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        g = torch.where(both, torch.sigmoid(self.gate(torch.cat([i, t], 1))), torch.full_like(i, 0.5))
        return 2 * g * i, 2 * (1 - g) * t, torch.zeros_like(i)


class Attention(FusionHead):
    """Self-attention over the two modality tokens; what one token takes from the other is the interaction."""

    name = "attention"

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None, heads: int = 4) -> None:
        super().__init__(dim, image_width, text_width)
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.kind = nn.Parameter(torch.randn(2, dim) * 0.02)  # which modality a token is
        self.out = nn.Linear(dim, dim, bias=False)
        self.joint = nn.Sequential(nn.Linear(2 * dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim, bias=False))
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.joint[2].weight)  # type: ignore[arg-type]

    def _combine(self, i: Tensor, t: Tensor, both: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        n, d = i.shape
        tokens = torch.stack([i, t], 1)
        q, k, v = (
            f(x).view(n, 2, self.heads, d // self.heads).transpose(1, 2)
            for f, x in ((self.query, tokens + self.kind), (self.key, tokens + self.kind), (self.value, tokens))
        )
        a = torch.softmax(q @ k.transpose(2, 3) / (d // self.heads) ** 0.5, dim=-1)  # (n, heads, to, from)

        def flow(to: int, source: int) -> Tensor:
            return self.out((a[:, :, to, source, None] * v[:, :, source]).reshape(n, d))

        own_image, own_text = torch.where(both, flow(0, 0), 0 * i), torch.where(both, flow(1, 1), 0 * t)
        joint = flow(0, 1) + flow(1, 0) + self.joint(torch.cat([i, t], 1))
        return i + own_image, t + own_text, joint * both


HEADS: dict[str, type[FusionHead]] = {h.name: h for h in (Mean, Concat, Weighted, Attention)}


def save_head(head: FusionHead, path: Path) -> None:
    """Write weights and shape as one safetensors file."""
    meta = {"head": head.name, "dim": head.dim, "image_width": head.image_width, "text_width": head.text_width}
    state = {k: v.contiguous() for k, v in head.state_dict().items()} or {"none": torch.zeros(1)}
    save_file(state, path, metadata={k: str(v) for k, v in meta.items()})


def load_head(path: Path) -> FusionHead:
    """The head that `save_head` wrote. Raises InputError when the file is not one."""
    try:
        with safe_open(path, "pt") as f:
            meta, state = f.metadata() or {}, {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118
        head = HEADS[meta["head"]](int(meta["dim"]), int(meta["image_width"]), int(meta["text_width"]))
        state.pop("none", None)
        head.load_state_dict(state)
    except Exception as e:
        raise InputError(
            f"{path.name} is not a fusion head written by this program ({e}); build the index again"
        ) from e
    return head.eval()


def cosine(a: Array, b: Array) -> NDArray[np.float32]:
    """Scores (len(a), len(b)) between unit rows."""
    return a @ b.T

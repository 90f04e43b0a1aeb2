"""Keep a text tower near a sentence encoder, so that what it learns from one shop does not cost it the language."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from mmdemo.encode.encoder import mixed_precision
from mmdemo.encode.towers import Model, text_tower

SAMPLE = 4096  # texts that the map is first fitted to


def forgotten(mine: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
    """1 - cosine of unit rows (n, d) with a teacher's, plus the squared difference of the two similarity matrices."""
    return (1 - (mine * theirs).sum(1)).mean() + 10 * ((mine @ mine.T - theirs @ theirs.T) ** 2).mean()


class Distillation(torch.nn.Module):
    """A linear map of the tower's pooled features must hit the teacher's vectors; the map is training-only.

    It starts as the least-squares fit to a sample, so that a tower which knows its teacher is not pushed off it.
    """

    def __init__(self, texts: Sequence[str], vectors: np.ndarray, model: Model, tokenizer: Callable, seed: int = 0):
        super().__init__()
        self.vectors, self.seed, self.calls = torch.from_numpy(np.asarray(vectors, np.float16)), seed, 0
        self.tokens = torch.cat([tokenizer(list(texts[at : at + 4096])).int() for at in range(0, len(texts), 4096)])
        sample = np.random.default_rng(seed).permutation(len(self.tokens))[:SAMPLE]
        with torch.inference_mode():
            model.eval()
            groups = np.array_split(sample, max(1, len(sample) // 256))
            parts = [text_tower(model, self.tokens[group].long())[0].float() for group in groups]
            fitted = torch.linalg.lstsq(torch.cat(parts), self.vectors[sample].float(), driver="gelsd").solution
        self.map = torch.nn.Linear(fitted.shape[0], fitted.shape[1], bias=False)
        with torch.no_grad():
            self.map.weight.copy_(fitted.T)

    def loss(self, model: Model, batch: int, step: int | None = None) -> torch.Tensor:
        """What was `forgotten`, on a random batch."""
        self.calls += 1
        rng = np.random.default_rng([self.seed, self.calls if step is None else step])
        picks = torch.from_numpy(rng.choice(len(self.tokens), min(batch, len(self.tokens)), replace=False))
        device = self.map.weight.device
        with mixed_precision(device), sdpa_kernel(SDPBackend.MATH):
            pooled = text_tower(model, self.tokens[picks].long().to(device))[0]
        mine = F.normalize(self.map(pooled.float()), dim=-1)
        theirs = F.normalize(self.vectors[picks].to(device).float(), dim=-1)
        return forgotten(mine, theirs)

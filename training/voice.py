"""A teacher's vectors in place of the text tower, so that an image tower can train while no text tower runs.

The teacher's vector v of a text becomes P v, with P trained beside the image tower. A text tower distilled by
`language.py` says M x for its pooled features x, which is nearly v; so P M is its projection, and both towers meet.
"""

from collections.abc import Sequence

import numpy as np
import torch

from mmdemo.encode.encoder import Encoder


class Voice(torch.nn.Module):
    """Texts -> rows of the joint space, for the texts of a table."""

    def __init__(self, texts: Sequence[str], vectors: np.ndarray, dim: int):
        super().__init__()
        self.row = {text: i for i, text in enumerate(texts)}
        self.vectors = torch.from_numpy(np.asarray(vectors, np.float16))
        self.project = torch.nn.Linear(self.vectors.shape[1], dim, bias=False)

    def __contains__(self, text: str) -> bool:
        return text in self.row

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        return self.project(self.vectors[[self.row[text] for text in texts]].to(self.project.weight.device).float())

    def speak_like(self, encoder: Encoder, count: int = 20_000) -> None:
        """Start P where it says what `encoder` says of the first `count` texts (least squares), to go on from there."""
        texts = list(self.row)[:count]
        theirs = torch.from_numpy(encoder.encode_text(texts))
        mine = self.vectors[: len(texts)].float()
        with torch.no_grad():
            self.project.weight.copy_(torch.linalg.lstsq(mine, theirs, driver="gelsd").solution.T)


def join(model: torch.nn.Module, project: torch.Tensor, distilled: torch.Tensor) -> None:
    """Set the projection of `model`'s text tower to P M."""
    with torch.no_grad():
        model.text_projection.copy_((project @ distilled).T)

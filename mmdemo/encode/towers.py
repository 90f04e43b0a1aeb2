"""The two towers of an open_clip model as plain functions: tensors in, pooled features and embeddings out.

It knows nothing of pictures, sentences and files.
"""

import copy
from typing import Any

import numpy as np
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mmdemo.encode.torchvision_shim import import_open_clip

Model = Any  # one of open_clip's classes, which share attribute names but no type
Pair = tuple[torch.Tensor, torch.Tensor]  # pooled features and embeddings
ROWS = 64  # of similar length that a text tower takes at once


def text_tower(model: Model, tokens: torch.Tensor) -> Pair:
    """(pooled features, embedding) of token rows; the embedding stands for both where the features are hidden.

    A causal tower pools at the end-of-text token and cannot see the padding after it, so the padding is cut off first:
    the same result, several times faster on short sentences.
    """
    if not cuts_padding(model):
        embedding = model.encode_text(tokens)
        return embedding, embedding
    order = tokens.argmax(dim=-1).argsort()  # sorted by length, so that one long text does not make every row long
    parts = [causal_tower(model, without_padding(tokens[rows])) for rows in order.split(ROWS)]
    back = order.argsort()
    return torch.cat([pooled for pooled, _ in parts])[back], torch.cat([embedding for _, embedding in parts])[back]


def cuts_padding(model: Model) -> bool:
    """Whether the text tower is causal, so that `causal_tower` may take its tokens `without_padding`."""
    causal = isinstance(model, import_open_clip().CLIP) and model.attn_mask is not None
    return causal and model.text_pool_type == "argmax" and model.text_projection is not None


def without_padding(tokens: torch.Tensor) -> torch.Tensor:
    """Token rows up to the end of the longest of them: the end-of-text token has the highest id."""
    return tokens[:, : int(tokens.argmax(dim=-1).max()) + 1]


def causal_tower(model: Model, tokens: torch.Tensor) -> Pair:
    """`text_tower` of a model that `cuts_padding`, for rows of any length."""
    length = tokens.shape[1]
    words = model.token_embedding(tokens) + model.positional_embedding[:length]
    seen = model.ln_final(model.transformer(words, attn_mask=model.attn_mask[:length, :length]))
    pooled = seen[torch.arange(tokens.shape[0]), tokens.argmax(dim=-1)]
    project = model.text_projection
    return pooled, project(pooled) if isinstance(project, torch.nn.Linear) else pooled @ project


def image_tower(model: Model, pixels: torch.Tensor) -> Pair:
    """(pooled features, embedding) of prepared pictures; the embedding stands for both where features are hidden."""
    visual = model.visual
    if hasattr(visual, "trunk") and hasattr(visual, "head"):
        pooled = visual.trunk(pixels)
        embedding = visual.head(pooled)
        return (
            pooled if pooled.ndim == 2 else embedding
        ), embedding  # with an attention pool in the head nothing is pooled yet
    if isinstance(visual, import_open_clip().transformer.VisionTransformer) and visual.proj is not None:
        pooled, _ = visual._pool(visual.transformer(visual._embeds(pixels)))
        return pooled, pooled @ visual.proj
    embedding = model.encode_image(pixels)
    return embedding, embedding


def fold_batch_norms(visual: Model, side: int = 64) -> Model:
    """An image tower with its batch normalisations folded into the convolutions before them: same features, faster.

    The tower is changed in place. Where it applies its layers in another order than it lists them, which a comparison
    on noise shows, an unchanged copy is returned.
    """
    if not any(isinstance(m, torch.nn.BatchNorm2d) for m in visual.modules()):
        return visual
    original = copy.deepcopy(visual)
    for parent in list(visual.modules()):
        before, convolution = "", None
        for name, child in list(parent.named_children()):
            if isinstance(child, torch.nn.BatchNorm2d) and convolution is not None:
                setattr(parent, before, fuse_conv_bn_eval(convolution, child))
                setattr(
                    parent, name, getattr(child, "act", torch.nn.Identity())
                )  # timm's batch norms include the activation
            before, convolution = name, child if isinstance(child, torch.nn.Conv2d) else None
    size = np.broadcast_to(getattr(visual, "image_size", None) or side, 2).tolist()
    noise = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        same = torch.allclose(visual(noise), original(noise), rtol=1e-3, atol=1e-4)
    return visual if same else original

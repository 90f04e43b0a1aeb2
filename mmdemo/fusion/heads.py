"""Fuse a picture's and a text's embeddings into one vector, with the exact share of each in it.

A head knows nothing of products, pictures or words. It takes rows of numbers: a modality's row is the encoder's unit
embedding (`dim` numbers) followed by the tower's pooled features where they are shown; a row of zeros is a missing
modality. It returns three parts (image, text, interaction) whose sum has length one, so every score splits exactly.
"""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mmdemo.core.errors import InputError
from mmdemo.core.vectors import Array

# What `freeze_mixing` freezes beside a head's own parameters
MIXING = ("both_weights", "agreement_weights", "reference_weights", "reference_scale", "reference_to_text.weight")
# Parameters under the names that heads were saved with before
RENAMED = {
    "belief": "photo_gate",
    "of_product": "product_weights",
    "of_image": "image_weights",
    "of_text": "text_weights",
    "of_both": "both_weights",
    "of_agreement": "agreement_weights",
    "of_wish": "reference_weights",
    "of_origin": "reference_scale",
    "origin_to_text.weight": "reference_to_text.weight",
}
Parts = tuple[Tensor, Tensor, Tensor]  # image, text, interaction: each (n, width)


def _unit(x: Tensor) -> Tensor:
    return F.normalize(x, dim=-1)


class Adapter(nn.Module):
    """A residual bottleneck on one modality, initialised as the identity (CLIP-Adapter, Gao et al. 2021)."""

    def __init__(self, dim: int, width: int, hidden: int = 64) -> None:
        super().__init__()
        self.dim = dim
        self.down = nn.Linear(width, hidden)
        self.up = nn.Linear(hidden, dim, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) -> (n, dim) unit rows; a zero row stays zero."""
        adapted = _unit(x[:, : self.dim] + self.up(F.gelu(self.down(x))))
        return adapted * _is_present(x)


class FusionHead(nn.Module):
    """The contract of every head: queries and products become unit vectors of one space, as sums of three parts.

    Subclasses write `_query` and `_product`.

    Parameters
    ----------
    dim
        Dimension of the encoder's shared space.
    image_width, text_width
        Numbers in a row of each modality, `dim` where the towers hide their features.

    Attributes
    ----------
    width : int
        Dimension of the fused space.

    Examples
    --------
    >>> import numpy as np
    >>> image, text = np.eye(2, 4, dtype=np.float32), np.eye(2, 4, k=1, dtype=np.float32)
    >>> head = Mean(dim=4)
    >>> scores = head.fuse(image=image, text=text) @ head.product_parts(image=image, text=text).sum(axis=1).T
    >>> scores.round(3)
    array([[1. , 0.5],
           [0.5, 1. ]], dtype=float32)
    """

    name = "abstract"
    blocks = 1  # of `dim` numbers in a fused vector

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__()
        self.dim, self.image_width, self.text_width = dim, image_width or dim, text_width or dim
        self.width = self.blocks * dim

    def forward(
        self, image: Tensor, text: Tensor, reference_text: Tensor | None = None, expansion: Tensor | None = None
    ) -> Tensor:
        """Queries (n, image_width), (n, text_width) -> parts (n, 3, width) that sum to unit vectors.

        `reference_text` (n, text_width) is the text of the product whose picture `image` is, where a query starts from
        one; `expansion` the texts of the products that look like a photo which comes with words
        (`query_expansion`). Only trained heads use them.
        """
        return _normalised(
            self._query(image, text, torch.zeros_like(text) if reference_text is None else reference_text)
        )

    def products(self, image: Tensor, text: Tensor) -> Tensor:
        """Products, in the same shapes as queries -> parts (n, 3, width) that sum to unit vectors."""
        return _normalised(self._product(image, text))

    def _query(self, image: Tensor, text: Tensor, reference_text: Tensor) -> Parts:
        raise NotImplementedError

    def _product(self, image: Tensor, text: Tensor) -> Parts:
        raise NotImplementedError

    @torch.inference_mode()
    def parts(
        self,
        *,
        image: Array | None = None,
        text: Array | None = None,
        reference_text: Array | None = None,
        expansion: Array | None = None,
        weight: float = 0.5,
    ) -> Array:
        """The three parts (n, 3, width) of queries, float32, which sum to unit vectors.

        Parameters
        ----------
        image, text
            Rows (n, image_width) and (n, text_width); either may be None or hold zero rows.
        reference_text, expansion
            As in `forward`; they count to the image part, which is what the query starts from.
        weight
            From the text alone (0) through the head's own mixture (0.5) to the image alone (1).

        Raises
        ------
        ValueError
            Where a row has neither modality.
        """
        i, t = self._rows(image, text)
        o = torch.zeros_like(t) if reference_text is None else torch.from_numpy(reference_text)
        fused = self(i, t, o, None if expansion is None else torch.from_numpy(expansion))
        if weight == 0.5 or image is None or text is None:
            return fused.numpy()
        alone = self(i, torch.zeros_like(t), o) if weight > 0.5 else self(torch.zeros_like(i), t)
        slide = abs(weight - 0.5) * 2
        mixed = _normalised(tuple(((1 - slide) * fused + slide * alone).unbind(1)))
        both = (_is_present(i) & _is_present(t))[:, :, None]
        return torch.where(both, mixed, fused).numpy()

    def fuse(
        self,
        *,
        image: Array | None = None,
        text: Array | None = None,
        reference_text: Array | None = None,
        expansion: Array | None = None,
        weight: float = 0.5,
    ) -> Array:
        """Queries -> (n, width) unit float32: the sum of `parts`."""
        return self.parts(
            image=image, text=text, reference_text=reference_text, expansion=expansion, weight=weight
        ).sum(axis=1)

    @torch.inference_mode()
    def product_parts(self, *, image: Array, text: Array) -> Array:
        """Products -> (n, 3, width) float32, summing to unit vectors; zero rows are missing modalities."""
        return self.products(*self._rows(image, text)).numpy()

    def _rows(self, image: Array | None, text: Array | None) -> tuple[Tensor, Tensor]:
        if image is None and text is None:
            raise ValueError("a fused vector needs an image, a text, or both")
        n = len(image) if image is not None else len(text)  # type: ignore[arg-type]
        i = torch.from_numpy(image) if image is not None else torch.zeros(n, self.image_width)
        t = torch.from_numpy(text) if text is not None else torch.zeros(n, self.text_width)
        if not bool((_is_present(i) | _is_present(t)).all()):
            raise ValueError("a row has neither image nor text, so there is nothing to fuse")
        return i, t


class Mean(FusionHead):
    """The baseline: the mean of both unit vectors, nothing learnt."""

    name = "mean"

    def _product(self, image: Tensor, text: Tensor) -> Parts:
        i, t = image[:, : self.dim], text[:, : self.dim]
        return i, t, torch.zeros_like(i)

    def _query(self, image: Tensor, text: Tensor, reference_text: Tensor) -> Parts:
        return self._product(image, text)  # untrained, a reference's text makes composed queries worse


class Trained(FusionHead):
    """What the trained heads share: adapters, and a fused space of three blocks.

    A product is [a I, b (I + T) / |I + T|, c T]: its picture by itself, so that its text does not blur it, the mixture
    of both, and its text by itself. A query fills the blocks with what it has. Untrained, a photo alone asks for
    pictures, words alone for texts, and both for mixtures, where the mean starts from. Subclasses differ in how a query
    with both modalities fills the blocks.
    """

    blocks = 3
    photo_gate: Tensor

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__(dim, image_width, text_width)
        self.image_adapter = Adapter(dim, self.image_width)
        self.text_adapter = Adapter(dim, self.text_width)
        # What maps a query's modality to a block of another one; the space is shared, so zero is a good start.
        self.image_to_mixture, self.image_to_text, self.text_to_mixture, self.text_to_image, self.reference_to_text = (
            nn.Linear(dim, dim, bias=False) for _ in range(5)
        )
        for m in self.children():
            if isinstance(m, nn.Linear):
                nn.init.zeros_(m.weight)
        # Log-weights of the blocks: in a product, and in a query with a photo, a text, or both.
        self.product_weights = nn.Parameter(torch.zeros(3))
        self.image_weights = nn.Parameter(torch.tensor([0.0, -3.0, -4.0]))
        self.text_weights = nn.Parameter(torch.tensor([-4.0, -2.0, 0.0]))
        self.both_weights = nn.Parameter(torch.tensor([-2.0, 0.0, -3.0]))
        # What the agreement of photo and words adds to them: with a high one the words describe the photo, with a low
        # one they ask for a change.
        self.agreement_weights = nn.Parameter(torch.zeros(3))
        self.reference_weights = nn.Parameter(torch.zeros(3))  # what a known text of the photo's product adds
        self.reference_scale = nn.Parameter(torch.zeros(()))  # log-weight of that text beside the photo
        # Slope and offset of the log-odds, by agreement, that the words describe an uploaded photo, and how far such a
        # photo decides by itself. Not trained but fitted on validation queries (`block_weights.fit_photo_gate`).
        self.register_buffer("photo_gate", torch.zeros(3))

    def forward(
        self, image: Tensor, text: Tensor, reference_text: Tensor | None = None, expansion: Tensor | None = None
    ) -> Tensor:
        """As in `FusionHead`. An uploaded photo starts from its expansion, and where its words describe it, the gate
        moves the query towards that of the photo alone."""
        nothing = torch.zeros_like(text)
        reference_text = nothing if reference_text is None else reference_text
        uploaded = _is_present(image) & _is_present(text) & ~_is_present(reference_text)
        fused = super().forward(
            image, text, reference_text if expansion is None else torch.where(uploaded, expansion, reference_text)
        )
        slope, offset, strength = self.photo_gate
        if not strength or not uploaded.any():
            return fused
        i, t = self.align(image, text)
        share = strength * uploaded * torch.sigmoid(slope * (i * t).sum(1, keepdim=True) + offset)
        alone = super().forward(image, nothing, nothing)
        return _normalised(((1 - share[:, :, None]) * fused + share[:, :, None] * alone).unbind(1))

    def align(self, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Both modalities adapted to this shop: unit rows (n, dim), zero where missing."""
        return self.image_adapter(image), self.text_adapter(text)

    def _product(self, image: Tensor, text: Tensor) -> Parts:
        i, t = self.align(image, text)
        a, b, c = torch.softmax(self.product_weights, 0).sqrt()
        length = (i + t).norm(dim=1, keepdim=True).clamp_min(1e-6)
        # A missing modality is replaced by the other one, mapped to it, so that a gap is no advantage.
        as_image = torch.where(_is_present(i), 0 * t, _unit(t + self.text_to_image(t)))
        as_text = torch.where(_is_present(t), 0 * i, _unit(i + self.image_to_text(i)))
        image_part = torch.cat([a * i, b * i / length, c * as_text], 1)
        text_part = torch.cat([a * as_image, b * t / length, c * t], 1)
        return image_part, text_part, torch.zeros_like(image_part)

    def _query(self, image: Tensor, text: Tensor, reference_text: Tensor) -> Parts:
        i, t = self.align(image, text)
        o = self.text_adapter(reference_text)
        has_reference = _is_present(o)
        start = _unit(i + self.reference_scale.exp() * o)  # i itself without a reference's text
        as_text = torch.where(
            has_reference, _unit(o + self.reference_to_text(o)), _unit(start + self.image_to_text(start))
        )
        # (n, block, dim): what each modality asks of pictures, mixtures and texts
        images = torch.stack([i, _unit(start + self.image_to_mixture(start)), as_text], 1)
        texts = torch.stack([_unit(t + self.text_to_image(t)), _unit(t + self.text_to_mixture(t)), t], 1)
        both = (_is_present(i) & _is_present(t))[:, :, None]
        share_image, share_text, joint = self._mix(start, t, o)
        mixed = (share_image * images, share_text * texts, joint)
        alone = (self.image_weights.exp()[:, None] * images, self.text_weights.exp()[:, None] * texts, 0 * images)
        agreement = (start * t).sum(1, keepdim=True)
        both_weights = (
            self.both_weights + self.agreement_weights * agreement + self.reference_weights * has_reference
        ).exp()[:, :, None]
        parts = (torch.where(both, both_weights * m, one) for m, one in zip(mixed, alone, strict=True))
        return tuple(p.flatten(1) for p in parts)  # type: ignore[return-value]

    def freeze_mixing(self) -> None:
        """Exclude from training how photo and words are mixed; adapters and blocks go on."""
        shared = set(dict(Trained(self.dim, self.image_width, self.text_width).named_parameters()))
        for name, parameter in self.named_parameters():
            if name not in shared or name in MIXING:
                parameter.requires_grad_(False)

    def _mix(self, i: Tensor, t: Tensor, o: Tensor) -> Parts:
        """For queries with both: the shares of photo and text in each block, and a joint term, (n or 1, 3, dim or 1).

        `o` is the text of the photo's product, zero where unknown: it tells which of two named values is the old one.
        """
        raise NotImplementedError


class Concat(Trained):
    """F = [I; T] + V act(W [I; T; O]): concatenation; the joint term is the interaction."""

    name = "concat"

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__(dim, image_width, text_width)
        self.joint = _joint_network(dim, self.blocks)
        self.share = nn.Parameter(torch.zeros(2, self.blocks))  # log-weights (modality, block)

    def _mix(self, i: Tensor, t: Tensor, o: Tensor) -> Parts:
        image, text = self.share.exp()
        joint = self.joint(torch.cat([i, t, o], 1)).unflatten(1, (self.blocks, self.dim))
        return image[None, :, None], text[None, :, None], joint


class Weighted(Trained):
    """A gate for every dimension of every block, read from all vectors: g I + (1 - g) T (Arevalo et al. 2017)."""

    name = "weighted"

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__(dim, image_width, text_width)
        self.gate = _joint_network(dim, self.blocks)

    def _mix(self, i: Tensor, t: Tensor, o: Tensor) -> Parts:
        g = torch.sigmoid(self.gate(torch.cat([i, t, o], 1))).unflatten(1, (self.blocks, self.dim))
        return 2 * g, 2 * (1 - g), torch.zeros_like(g)


class Attention(Trained):
    """Attention over the two modality tokens fills the blocks; a joint term adds their interaction."""

    name = "attention"

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None, heads: int = 4) -> None:
        super().__init__(dim, image_width, text_width)
        self.heads = heads
        self.queries = nn.Parameter(torch.zeros(self.blocks, dim))  # one for each block
        self.key = nn.Linear(dim, dim, bias=False)
        self.joint = _joint_network(dim, self.blocks)

    def _mix(self, i: Tensor, t: Tensor, o: Tensor) -> Parts:
        d = self.dim
        keys = self.key(torch.stack([i, t], 1)).unflatten(2, (self.heads, -1))  # (n, from, heads, d / heads)
        queries = self.queries.unflatten(1, (self.heads, -1))  # (block, heads, d / heads)
        a = 2 * torch.softmax(torch.einsum("bhe,nshe->nsbh", queries, keys), dim=1)  # over the two tokens
        share = a.repeat_interleave(d // self.heads, dim=3)  # (n, from, block, d)
        return share[:, 0], share[:, 1], self.joint(torch.cat([i, t, o], 1)).unflatten(1, (self.blocks, d))


def _is_present(x: Tensor) -> Tensor:
    """(n, 1): which rows carry the modality."""
    return (x != 0).any(dim=1, keepdim=True)


def _normalised(parts: Parts) -> Tensor:
    """Three parts (n, width) as (n, 3, width), scaled so that their sum has length one."""
    stacked = torch.stack(parts, dim=1)
    return stacked / stacked.sum(1).norm(dim=1).clamp_min(1e-12)[:, None, None]


def _joint_network(dim: int, blocks: int) -> nn.Sequential:
    """From photo, words and the text of the photo's product to every block, zero at the start."""
    hidden = 3 * dim // 4
    net = nn.Sequential(nn.Linear(3 * dim, hidden), nn.GELU(), nn.Linear(hidden, blocks * dim, bias=False))
    nn.init.zeros_(net[2].weight)  # type: ignore[arg-type]
    return net


HEADS: dict[str, type[FusionHead]] = {h.name: h for h in (Mean, Concat, Weighted, Attention)}
LEARNT = tuple(name for name in HEADS if name != Mean.name)  # the heads that there is something to train of


def round_head(head: FusionHead) -> FusionHead:
    """The head itself, its weights rounded to half precision, in which `save_head` then writes them."""
    for weight in head.parameters():
        weight.data = weight.data.half().float()
    return head


def _narrowed(weight: Tensor) -> Tensor:
    """The weight in half precision where that loses no digit."""
    half = weight.half()
    return half.contiguous() if torch.equal(half.float(), weight) else weight.contiguous()


def save_head(head: FusionHead, path: Path, **metadata: str) -> None:
    """Write a head's weights and shape as one safetensors file, with further metadata."""
    meta = {"head": head.name, "dim": head.dim, "image_width": head.image_width, "text_width": head.text_width}
    state = {k: _narrowed(v) for k, v in head.state_dict().items()} or {"none": torch.zeros(1)}
    save_file(state, path, metadata={k: str(v) for k, v in (meta | metadata).items()})


def load_head(path: Path) -> FusionHead:
    """The head that `save_head` wrote. Raises InputError when the file is not one."""
    try:
        with safe_open(path, "pt") as f:
            meta, state = f.metadata() or {}, {k: f.get_tensor(k) for k in f.keys()}
        head = HEADS[meta["head"]](int(meta["dim"]), int(meta["image_width"]), int(meta["text_width"]))
        state.pop("none", None)
        head.load_state_dict({RENAMED.get(k, k): v for k, v in state.items()})
    except Exception as e:
        raise InputError(
            "{name} is not a fusion head written by this program ({reason}); build the index again",
            name=path.name,
            reason=e,
        ) from e
    return head.eval()

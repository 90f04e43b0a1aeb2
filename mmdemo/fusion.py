"""Fusion heads: one vector out of a picture's and a text's, and the exact share of each in it.

A head knows nothing of products, pictures or words. It takes rows of numbers: a modality's row is the encoder's
unit embedding (`dim` numbers) followed by whatever pooled features the tower offers; a row of zeros is a missing
modality. It returns three parts (image, text, interaction) whose sum has length one, so every score splits exactly.
"""

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mmdemo.errors import InputError
from mmdemo.vectors import Array

KEPT = ("of_both", "of_agreement", "of_wish", "of_origin", "origin_to_text.weight")  # what `keep_mixing` keeps
Parts = tuple[Tensor, Tensor, Tensor]  # image, text, interaction: each (n, width)


def _unit(x: Tensor) -> Tensor:
    return F.normalize(x, dim=-1)


class Adapter(nn.Module):
    """A residual bottleneck on one modality, the identity at the start (CLIP-Adapter, Gao et al. 2021)."""

    def __init__(self, dim: int, width: int, hidden: int = 64) -> None:
        super().__init__()
        self.dim = dim
        self.down = nn.Linear(width, hidden)
        self.up = nn.Linear(hidden, dim, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(n, width) -> (n, dim) unit rows; a zero row stays zero."""
        moved = _unit(x[:, : self.dim] + self.up(F.gelu(self.down(x))))
        return moved * _there(x)


class FusionHead(nn.Module):
    """What every head promises: a query and a product become unit vectors of one space, as sums of three parts.

    `width` is that space's dimension. Subclasses write `_query` and `_product`.
    """

    name = "abstract"
    blocks = 1  # how many vectors of `dim` numbers a fused vector is made of

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__()
        self.dim, self.image_width, self.text_width = dim, image_width or dim, text_width or dim
        self.width = self.blocks * dim

    def forward(self, image: Tensor, text: Tensor, origin: Tensor | None = None, guess: Tensor | None = None) -> Tensor:
        """Queries (n, image_width), (n, text_width) -> parts (n, 3, width) that sum to unit vectors.

        `origin` (n, text_width) is the text of the product whose picture `image` is, where a query starts from one;
        `guess` what the shop would call the thing on a photo that comes with words, which only trained heads use.
        """
        return _whole(self._query(image, text, torch.zeros_like(text) if origin is None else origin))

    def products(self, image: Tensor, text: Tensor) -> Tensor:
        """Products, in the same shapes as queries -> parts (n, 3, width) that sum to unit vectors."""
        return _whole(self._product(image, text))

    def _query(self, image: Tensor, text: Tensor, origin: Tensor) -> Parts:
        raise NotImplementedError

    def _product(self, image: Tensor, text: Tensor) -> Parts:
        raise NotImplementedError

    @torch.inference_mode()
    def parts(
        self, *, image: Array | None = None, text: Array | None = None, origin: Array | None = None,
        guess: Array | None = None, weight: float = 0.5,
    ) -> Array:  # fmt: skip
        """Queries -> (n, 3, width) float32, summing to unit vectors; either modality may be None or hold zero rows.

        `origin` and `guess` are as in `forward`: they count to the image part, what the query starts from. `weight`
        slides from the text alone (0) through the head's own mixture (0.5) to the image alone (1). Raises ValueError
        when a row has neither modality.
        """
        i, t = self._given(image, text)
        o = torch.zeros_like(t) if origin is None else torch.from_numpy(origin)
        fused = self(i, t, o, None if guess is None else torch.from_numpy(guess))
        if weight == 0.5 or image is None or text is None:
            return fused.numpy()
        alone = self(i, torch.zeros_like(t), o) if weight > 0.5 else self(torch.zeros_like(i), t)
        lean = abs(weight - 0.5) * 2
        mixed = _whole(tuple(((1 - lean) * fused + lean * alone).unbind(1)))
        both = (_there(i) & _there(t))[:, :, None]
        return torch.where(both, mixed, fused).numpy()

    def fuse(
        self, *, image: Array | None = None, text: Array | None = None, origin: Array | None = None,
        guess: Array | None = None, weight: float = 0.5,
    ) -> Array:  # fmt: skip
        """Queries -> (n, width) unit float32: the sum of `parts`."""
        return self.parts(image=image, text=text, origin=origin, guess=guess, weight=weight).sum(axis=1)

    @torch.inference_mode()
    def product_parts(self, *, image: Array, text: Array) -> Array:
        """Products -> (n, 3, width) float32, summing to unit vectors; zero rows are missing modalities."""
        return self.products(*self._given(image, text)).numpy()

    def _given(self, image: Array | None, text: Array | None) -> tuple[Tensor, Tensor]:
        if image is None and text is None:
            raise ValueError("a fused vector needs an image, a text, or both")
        n = len(image) if image is not None else len(text)  # type: ignore[arg-type]
        i = torch.from_numpy(image) if image is not None else torch.zeros(n, self.image_width)
        t = torch.from_numpy(text) if text is not None else torch.zeros(n, self.text_width)
        if not bool((_there(i) | _there(t)).all()):
            raise ValueError("a row has neither image nor text, so there is nothing to fuse")
        return i, t


class Mean(FusionHead):
    """The baseline: the mean of both unit vectors, nothing learnt."""

    name = "mean"

    def _product(self, image: Tensor, text: Tensor) -> Parts:
        i, t = image[:, : self.dim], text[:, : self.dim]
        return i, t, torch.zeros_like(i)

    def _query(self, image: Tensor, text: Tensor, origin: Tensor) -> Parts:
        return self._product(image, text)  # the mean with the origin's text, untrained, answers edits worse


class Trained(FusionHead):
    """What the trained heads share: adapters, and a fused space of three blocks.

    A product is [a I, b (I + T) / |I + T|, c T]: its picture by itself, so that its text does not blur it, the mixture
    of both, and its text by itself. A query fills the blocks with whatever it has. Untrained, a photo alone asks of
    pictures, words alone of texts, and both of mixtures, which is where the mean starts from. Heads differ in how a
    query with both fills the blocks.
    """

    blocks = 3
    belief: Tensor

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__(dim, image_width, text_width)
        self.image_adapter = Adapter(dim, self.image_width)
        self.text_adapter = Adapter(dim, self.text_width)
        # What a query's modality has to become to meet a block; the space is shared, so zero is a good start.
        self.image_to_mixture, self.image_to_text, self.text_to_mixture, self.text_to_image, self.origin_to_text = (
            nn.Linear(dim, dim, bias=False) for _ in range(5)
        )
        for m in self.children():
            if isinstance(m, nn.Linear):
                nn.init.zeros_(m.weight)
        # Log-weights of the blocks: in a product, and in a query with a photo, a text, or both.
        self.of_product = nn.Parameter(torch.zeros(3))
        self.of_image = nn.Parameter(torch.tensor([0.0, -3.0, -4.0]))
        self.of_text = nn.Parameter(torch.tensor([-4.0, -2.0, 0.0]))
        self.of_both = nn.Parameter(torch.tensor([-2.0, 0.0, -3.0]))
        # What agreement adds to them: words that say what the photo shows describe it, words that do not want a change.
        self.of_agreement = nn.Parameter(torch.zeros(3))
        self.of_wish = nn.Parameter(torch.zeros(3))  # and that the text of the photo's product is known
        self.of_origin = nn.Parameter(torch.zeros(()))  # log-weight of that text beside the photo
        # What agreement says of an uploaded photo's words: slope and offset of the log-odds that they describe it, and
        # how far the photo is then believed by itself. Not trained but set on validation (`settle.believe`).
        self.register_buffer("belief", torch.zeros(3))

    def forward(self, image: Tensor, text: Tensor, origin: Tensor | None = None, guess: Tensor | None = None) -> Tensor:
        """As in `FusionHead`; an uploaded photo starts from what the shop would call it, and asks more as it would
        alone where its words describe it."""
        nothing = torch.zeros_like(text)
        origin = nothing if origin is None else origin
        uploaded = _there(image) & _there(text) & ~_there(origin)
        fused = super().forward(image, text, origin if guess is None else torch.where(uploaded, guess, origin))
        slope, offset, strength = self.belief
        if not strength:
            return fused
        i, t = self.align(image, text)
        share = strength * uploaded * torch.sigmoid(slope * (i * t).sum(1, keepdim=True) + offset)
        alone = super().forward(image, nothing, nothing)
        return _whole(((1 - share[:, :, None]) * fused + share[:, :, None] * alone).unbind(1))

    def align(self, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Both modalities adapted to this shop: unit rows (n, dim), zero where missing."""
        return self.image_adapter(image), self.text_adapter(text)

    def _product(self, image: Tensor, text: Tensor) -> Parts:
        i, t = self.align(image, text)
        a, b, c = torch.softmax(self.of_product, 0).sqrt()
        length = (i + t).norm(dim=1, keepdim=True).clamp_min(1e-6)
        # What a product lacks is stood in for by what it has, translated: no one gains by a gap.
        as_image = torch.where(_there(i), 0 * t, _unit(t + self.text_to_image(t)))
        as_text = torch.where(_there(t), 0 * i, _unit(i + self.image_to_text(i)))
        image_part = torch.cat([a * i, b * i / length, c * as_text], 1)
        text_part = torch.cat([a * as_image, b * t / length, c * t], 1)
        return image_part, text_part, torch.zeros_like(image_part)

    def _query(self, image: Tensor, text: Tensor, origin: Tensor) -> Parts:
        i, t = self.align(image, text)
        o = self.text_adapter(origin)
        known = _there(o)
        start = _unit(i + self.of_origin.exp() * o)  # i itself where there is no origin
        # What the photo would be called; where its product is known, that is known.
        called = torch.where(known, _unit(o + self.origin_to_text(o)), _unit(start + self.image_to_text(start)))
        # (n, block, dim): what each modality asks of pictures, of mixtures and of texts
        images = torch.stack([i, _unit(start + self.image_to_mixture(start)), called], 1)
        texts = torch.stack([_unit(t + self.text_to_image(t)), _unit(t + self.text_to_mixture(t)), t], 1)
        both = (_there(i) & _there(t))[:, :, None]
        share_image, share_text, joint = self._mix(start, t, o)
        mixed = (share_image * images, share_text * texts, joint)
        alone = (self.of_image.exp()[:, None] * images, self.of_text.exp()[:, None] * texts, 0 * images)
        agreement = (start * t).sum(1, keepdim=True)
        of_both = (self.of_both + self.of_agreement * agreement + self.of_wish * known).exp()[:, :, None]
        parts = (torch.where(both, of_both * m, one) for m, one in zip(mixed, alone, strict=True))
        return tuple(p.flatten(1) for p in parts)  # type: ignore[return-value]

    def keep_mixing(self) -> None:
        """From now on training moves the adapters and the blocks, not how photo and words are mixed."""
        shared = set(dict(Trained(self.dim, self.image_width, self.text_width).named_parameters()))
        for name, parameter in self.named_parameters():
            if name not in shared or name in KEPT:
                parameter.requires_grad_(False)

    def _mix(self, i: Tensor, t: Tensor, o: Tensor) -> Parts:
        """For queries with both: what photo and text get of each block, and a joint term, (n or 1, 3, dim or 1).

        `o` is the text of the photo's product, zero where unknown: it tells which of two values in a wish is the old.
        """
        raise NotImplementedError


class Concat(Trained):
    """F = [I; T] + V act(W [I; T; O]): concatenation; the joint term is the interaction."""

    name = "concat"

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None) -> None:
        super().__init__(dim, image_width, text_width)
        self.joint = _joint(dim, self.blocks)
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
        self.gate = _joint(dim, self.blocks)

    def _mix(self, i: Tensor, t: Tensor, o: Tensor) -> Parts:
        g = torch.sigmoid(self.gate(torch.cat([i, t, o], 1))).unflatten(1, (self.blocks, self.dim))
        return 2 * g, 2 * (1 - g), torch.zeros_like(g)


class Attention(Trained):
    """Attention over the two modality tokens fills the blocks; a joint term adds what neither holds alone."""

    name = "attention"

    def __init__(self, dim: int, image_width: int | None = None, text_width: int | None = None, heads: int = 4) -> None:
        super().__init__(dim, image_width, text_width)
        self.heads = heads
        self.queries = nn.Parameter(torch.zeros(self.blocks, dim))  # one for each block
        self.key = nn.Linear(dim, dim, bias=False)
        self.joint = _joint(dim, self.blocks)

    def _mix(self, i: Tensor, t: Tensor, o: Tensor) -> Parts:
        d = self.dim
        keys = self.key(torch.stack([i, t], 1)).unflatten(2, (self.heads, -1))  # (n, from, heads, d / heads)
        queries = self.queries.unflatten(1, (self.heads, -1))  # (block, heads, d / heads)
        a = 2 * torch.softmax(torch.einsum("bhe,nshe->nsbh", queries, keys), dim=1)  # over the two tokens
        share = a.repeat_interleave(d // self.heads, dim=3)  # (n, from, block, d)
        return share[:, 0], share[:, 1], self.joint(torch.cat([i, t, o], 1)).unflatten(1, (self.blocks, d))


def _there(x: Tensor) -> Tensor:
    """(n, 1): which rows carry the modality."""
    return (x != 0).any(dim=1, keepdim=True)


def _whole(parts: Parts) -> Tensor:
    """Three parts (n, width) as (n, 3, width), scaled so that their sum has length one."""
    stacked = torch.stack(parts, dim=1)
    return stacked / stacked.sum(1).norm(dim=1).clamp_min(1e-12)[:, None, None]


def _joint(dim: int, blocks: int) -> nn.Sequential:
    """Photo, words and the text of the photo's product to every block, silent at the start."""
    hidden = 3 * dim // 4
    net = nn.Sequential(nn.Linear(3 * dim, hidden), nn.GELU(), nn.Linear(hidden, blocks * dim, bias=False))
    nn.init.zeros_(net[2].weight)  # type: ignore[arg-type]
    return net


HEADS: dict[str, type[FusionHead]] = {h.name: h for h in (Mean, Concat, Weighted, Attention)}


def save_head(head: FusionHead, path: Path, **more: str) -> None:
    """Write weights and shape as one safetensors file; `more` is noted in its metadata."""
    meta = {"head": head.name, "dim": head.dim, "image_width": head.image_width, "text_width": head.text_width}
    state = {k: v.contiguous() for k, v in head.state_dict().items()} or {"none": torch.zeros(1)}
    save_file(state, path, metadata={k: str(v) for k, v in (meta | more).items()})


def load_head(path: Path) -> FusionHead:
    """The head that `save_head` wrote. Raises InputError when the file is not one."""
    try:
        with safe_open(path, "pt") as f:
            meta, state = f.metadata() or {}, {k: f.get_tensor(k) for k in f.keys()}
        head = HEADS[meta["head"]](int(meta["dim"]), int(meta["image_width"]), int(meta["text_width"]))
        state.pop("none", None)
        head.load_state_dict(state)
    except Exception as e:
        raise InputError(
            f"{path.name} is not a fusion head written by this program ({e}); build the index again"
        ) from e
    return head.eval()

"""Encoder: any open_clip model as unit image and text vectors of one shared space.

Knows nothing of catalogues, indexes or training. A model is named by a spec: a folder in the open_clip layout
(`open_clip_config.json` + weights), `ViT-B-32/laion2b_s34b_b79k` (name/pretrained tag), or `hf-hub:org/name`.
"""

import copy
import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

# isort: off
from mmdemo import torchvision_shim  # noqa: F401  (before anything that imports torchvision)
import open_clip
from open_clip.factory import _find_checkpoint_in_dir

# isort: on
import numpy as np
import torch
from PIL import Image
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mmdemo.errors import InputError
from mmdemo.home import at_home
from mmdemo.vectors import normalize

Model = Any  # one of open_clip's classes: what they share goes by name, not by type
BATCH = 32  # pictures or sentences per forward pass: past this two cores gain nothing
ON_GPU = 128  # and per pass of a GPU, which 32 leave idle most of the time
CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"


def mixed_precision(device: str | torch.device = "cpu") -> AbstractContextManager:
    """bfloat16 where the processor multiplies it in hardware; float32 elsewhere, where emulating it costs tenfold."""
    kind = torch.device(device).type
    fast = kind != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=fast)


def text_tower(model: Model, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(pooled features, embedding) of token rows; the embedding stands for both where the features are hidden.

    A causal tower that reads its answer at the end mark cannot see the padding behind it, so the padding is cut
    off first: the same result, several times faster on short sentences.
    """
    causal = isinstance(model, open_clip.CLIP) and model.attn_mask is not None and model.text_pool_type == "argmax"
    if not causal or model.text_projection is None:
        embedding = model.encode_text(tokens)
        return embedding, embedding
    ends = tokens.argmax(dim=-1)  # the end mark has the highest id
    words = model.token_embedding(tokens) + model.positional_embedding
    order = ends.argsort()  # neighbours of like length, so that one long text does not make every row long
    pooled = torch.cat([_causal(model, words[rows], ends[rows]) for rows in order.split(64)])[order.argsort()]
    project = model.text_projection
    return pooled, project(pooled) if isinstance(project, torch.nn.Linear) else pooled @ project


def _causal(model: Model, words: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    length = int(ends.max()) + 1
    x = model.transformer(words[:, :length], attn_mask=model.attn_mask[:length, :length])
    return model.ln_final(x)[torch.arange(len(x)), ends]


def image_tower(model: Model, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(pooled features, embedding) of prepared pictures; the embedding stands for both where features are hidden."""
    visual = model.visual
    if hasattr(visual, "trunk") and hasattr(visual, "head"):
        pooled = visual.trunk(pixels)
        embedding = visual.head(pooled)
        return (pooled if pooled.ndim == 2 else embedding), embedding  # an attention pool in the head: not pooled yet
    if isinstance(visual, open_clip.transformer.VisionTransformer) and visual.proj is not None:
        pooled, _ = visual._pool(visual.transformer(visual._embeds(pixels)))
        return pooled, pooled @ visual.proj
    embedding = model.encode_image(pixels)
    return embedding, embedding


def folded(visual: Model, side: int = 64) -> Model:
    """An image tower whose batch normalisations are part of the convolutions before them: same features, fewer steps.

    Changed in place. Where a tower applies them in another order than it lists them, it comes back as it was.
    """
    if not any(isinstance(m, torch.nn.BatchNorm2d) for m in visual.modules()):
        return visual
    plain = copy.deepcopy(visual)
    for parent in list(visual.modules()):
        before, convolution = "", None
        for name, child in list(parent.named_children()):
            if isinstance(child, torch.nn.BatchNorm2d) and convolution is not None:
                setattr(parent, before, fuse_conv_bn_eval(convolution, child))
                setattr(parent, name, getattr(child, "act", torch.nn.Identity()))  # timm's hold what follows them
            before, convolution = name, child if isinstance(child, torch.nn.Conv2d) else None
    size = np.broadcast_to(getattr(visual, "image_size", None) or side, 2).tolist()
    noise = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        alike = torch.allclose(visual(noise), plain(noise), rtol=1e-3, atol=1e-4)
    return visual if alike else plain


class Encoder:
    """A loaded model. Attributes: spec, name, dim, weights_hash (sha256 hex of the weights).

    It works in float32 on the CPU; `at` gives one for use alone: faster, elsewhere, or in another precision.
    """

    _where: torch.Tensor | None = None  # pictures are moved to this one's device and precision

    def __init__(
        self, model: Model, preprocess: Callable, tokenizer: Callable, spec: str, name: str, weights_hash: str
    ):
        self.model, self.preprocess, self.tokenizer = model.eval(), preprocess, tokenizer
        self.spec, self.name, self.weights_hash = spec, name, weights_hash
        with torch.inference_mode():
            self.dim = int(text_tower(self.model, self.tokenizer(["a"]))[1].shape[-1])

    @classmethod
    def load(cls, spec: str | Path) -> "Encoder":
        """The encoder named by `spec`; InputError (expected, found, what to do) where it cannot be had."""
        spec = str(spec)
        folder = at_home(spec.removeprefix("local-dir:"))
        if spec.strip() and folder.is_dir():
            return cls._load_folder(folder, spec)
        name, _, tag = spec.partition("/")
        if spec.startswith("hf-hub:"):
            return cls._load_remote(spec, None, spec)
        if name in open_clip.list_models() and tag:
            if tag not in open_clip.list_pretrained_tags_by_model(name):
                known = ", ".join(open_clip.list_pretrained_tags_by_model(name)) or "none"
                raise InputError(f"encoder {spec!r}: {name} has no weights called {tag!r}; choose one of: {known}")
            return cls._load_remote(name, tag, spec)
        raise InputError(
            f"encoder {spec!r} not found: expected a model folder, NAME/TAG of open_clip such as "
            "ViT-B-32/laion2b_s34b_b79k, or hf-hub:org/name; the shipped encoder is assets/encoder"
        )

    @classmethod
    def _load_folder(cls, folder: Path, spec: str) -> "Encoder":
        try:
            config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            config["model_cfg"]["embed_dim"], config["model_cfg"]["text_cfg"]
        except FileNotFoundError:
            found = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "an empty folder"
            raise InputError(
                f"encoder folder {folder}: expected {CONFIG} and {WEIGHTS}, found {found}; "
                "point to a folder in the open_clip layout, such as assets/encoder"
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise InputError(
                f"encoder folder {folder}: expected {CONFIG} with a 'model_cfg', found a file that cannot be used "
                f"({type(error).__name__}: {error}); copy the folder again"
            ) from None
        weights = _find_checkpoint_in_dir(folder)  # the very file that open_clip loads, where there are several
        if (
            weights is None or Path(weights).suffix != ".safetensors"
        ):  # other formats are pickles: they may run anything
            raise InputError(
                f"encoder folder {folder}: expected weights as safetensors ({WEIGHTS}), found none; copy the folder "
                "again, or save its weights with safetensors"
            )
        try:
            model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
            tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
        except ImportError as error:
            raise InputError(missing(spec, error)) from error
        except Exception as error:  # open_clip, safetensors and torch each raise kinds of their own
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"encoder folder {folder}: expected weights that fit {CONFIG}, but loading {Path(weights).name} failed "
                f"({reason}); copy the folder again"
            ) from error
        name = config.get("name") or folder.resolve().name
        return cls(model, preprocess, tokenizer, spec, name, hashlib.sha256(Path(weights).read_bytes()).hexdigest())

    @classmethod
    def _load_remote(cls, name: str, tag: str | None, spec: str) -> "Encoder":
        try:
            model, preprocess = open_clip.create_model_from_pretrained(name, pretrained=tag)
            tokenizer = open_clip.get_tokenizer(name)
        except ImportError as error:
            raise InputError(missing(spec, error)) from error
        except Exception as error:  # the hub's client raises many kinds, for the network and for unknown names alike
            reason = " ".join(str(error).split())[:160]
            raise InputError(
                f"encoder {spec!r} could not be fetched ({reason}); with no network, use --encoder assets/encoder "
                "or copy the model folder here and name that folder"
            ) from error
        return cls(model, preprocess, tokenizer, spec, spec.removeprefix("hf-hub:"), state_hash(model))

    def encode_image(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Unit vectors, float32 (n, dim), of RGB pictures."""
        return normalize(self._images(images)[1])

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 (n, dim), of sentences; words past the model's context are cut off."""
        return normalize(self._texts(texts)[1])

    def image_features(self, images: Sequence[Image.Image]) -> np.ndarray:
        """What the image tower pools before its projection, float32 (n, width), not normalised."""
        return self._images(images)[0]

    def text_features(self, texts: Sequence[str]) -> np.ndarray:
        """What the text tower pools before its projection, float32 (n, width), not normalised."""
        return self._texts(texts)[0]

    def image_both(self, images: Sequence[Image.Image | torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
        """(features, unit vectors) in one pass, of pictures or of what `pixels` made of them."""
        features, vectors = self._images(images)
        return features, normalize(vectors)

    def text_both(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """(features, unit vectors) in one pass."""
        features, vectors = self._texts(texts)
        return features, normalize(vectors)

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """A picture at the image tower's size, (3, side, side), for `image_both`; safe to call from many threads.

        Levels stay bytes until a batch is whole: a quarter of the memory, and no thread of PyTorch's at work here.
        """
        prepare, levels = self._steps
        made: Any = prepare(image.convert("RGB"))
        return torch.from_numpy(np.array(made)).permute(2, 0, 1) if levels else made

    @cached_property
    def _steps(self) -> tuple[Callable, Callable | None]:
        """The preprocessing cut in two, where it is what open_clip makes: to the size wanted, and to levels."""
        steps = getattr(self.preprocess, "transforms", [])
        if [type(step).__name__ for step in steps[-2:]] != ["MaybeToTensor", "Normalize"]:
            return self.preprocess, None

        def sized(image: Image.Image) -> Image.Image:
            for step in steps[:-2]:
                image = step(image)
            return image

        return sized, steps[-1]

    def at(self, precision: torch.dtype = torch.float32, device: str = "cpu") -> "Encoder":
        """The same encoder for use: its image tower copied, folded, at this precision and device; texts as before."""
        twin, model = copy.copy(self), copy.copy(self.model)
        model._modules = dict(model._modules)  # or the copy would change the original's tower
        visual = folded(copy.deepcopy(self.model.visual).eval())
        model.visual = visual.to(device, precision, memory_format=torch.channels_last)
        twin.model, twin._where = model, torch.empty(0, dtype=precision, device=device)
        return twin

    @property
    def batch(self) -> int:
        """Pictures per pass where this encoder is."""
        return BATCH if self._where is None or self._where.device.type == "cpu" else ON_GPU

    def _images(self, images: Sequence[Image.Image | torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
        return self._batched(images, self._prepared, image_tower)

    def _prepared(self, images: Sequence[Image.Image | torch.Tensor]) -> torch.Tensor:
        pixels = torch.stack([x if isinstance(x, torch.Tensor) else self.pixels(x) for x in images])
        if self._where is not None:
            pixels = pixels.to(self._where.device)  # as bytes, a quarter of what levels weigh
        if (levels := self._steps[1]) is not None:
            pixels = levels(pixels.to(torch.float32).div_(255))
        return pixels if self._where is None else pixels.to(self._where).contiguous(memory_format=torch.channels_last)

    def _texts(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        _no_single(texts)
        # Neighbours of like length, so that one long text does not make its whole batch long.
        order = np.argsort([len(text) for text in texts], kind="stable")
        features, vectors = self._batched([texts[i] for i in order], lambda some: self.tokenizer(some), text_tower)
        back = np.argsort(order)
        return features[back], vectors[back]

    @torch.inference_mode()
    def _batched(self, items: Sequence, prepare: Callable, tower: Callable) -> tuple[np.ndarray, np.ndarray]:
        _no_single(items)
        if not len(items):
            return np.zeros((0, self.dim), np.float32), np.zeros((0, self.dim), np.float32)
        step = self.batch
        parts = [tower(self.model, prepare(items[at : at + step])) for at in range(0, len(items), step)]
        features, vectors = (torch.cat([part[i].float().cpu() for part in parts]).numpy() for i in (0, 1))
        return features, vectors


def _no_single(items: object) -> None:
    if isinstance(items, (str, Image.Image)):
        raise TypeError("expected a list of pictures or sentences, got a single one")


def missing(spec: str, error: ImportError) -> str:
    """What to say where a model's tokeniser (SigLIP, Hugging Face text towers) wants a package of its own."""
    package = error.name or "transformers"
    return f"encoder {spec!r} needs the package {package!r}, which is not installed; run: pip install {package}"


def state_hash(model: Model) -> str:
    """sha256 hex over the model's weights, by name."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(
            value.detach().contiguous().view(torch.uint8).numpy().tobytes() if value.ndim else str(value).encode()
        )
    return digest.hexdigest()

"""Load any open_clip model as an encoder of pictures and sentences into one shared space.

It knows nothing of catalogues, indexes or training. A model is named by a spec: a folder in the open_clip layout
(`open_clip_config.json` + weights), `ViT-B-32/laion2b_s34b_b79k` (name/pretrained tag), or `hf-hub:org/name`.
"""

import copy
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from mmdemo.core.errors import InputError
from mmdemo.core.paths import at_home
from mmdemo.core.vectors import normalize
from mmdemo.encode import runtime
from mmdemo.encode.torchvision_shim import import_open_clip
from mmdemo.encode.towers import (
    Model,
    Pair,
    causal_tower,
    cuts_padding,
    fold_batch_norms,
    image_tower,
    text_tower,
    without_padding,
)

BATCH = 32  # pictures or sentences in a forward pass: more is no faster on two cores
GPU_BATCH = 128  # in a pass of a GPU, which 32 leave idle most of the time
CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"


def mixed_precision(device: str | torch.device = "cpu") -> AbstractContextManager:
    """bfloat16 where the processor multiplies it in hardware; float32 elsewhere, where emulating it costs tenfold."""
    kind = torch.device(device).type
    fast = kind != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.autocast(kind, dtype=torch.bfloat16, enabled=fast)


class Encoder:
    """An open_clip model that embeds pictures and sentences in one space.

    It runs by PyTorch, in float32 on the CPU; `for_inference` gives a faster copy, which may have another precision or
    device, and runs by OpenVINO where the towers are exported.

    Attributes
    ----------
    dim : int
        Length of an embedding.
    spec, name : str
        How the encoder was asked for, and what it is called.
    weights_hash : str
        SHA-256 of the weights, hexadecimal: an index opens only with the encoder that made it.

    References
    ----------
    Contrastive pre-training of both towers: CLIP (Radford et al. 2021).

    Examples
    --------
    >>> encoder = Encoder.load("assets/encoder")  # doctest: +SKIP
    >>> encoder.encode_text(["a red mug", "a lamp"]).shape  # doctest: +SKIP
    (2, 256)
    """

    _target: torch.Tensor | None = None  # pictures are moved to this tensor's device and precision
    _folder: Path | None = None  # that of the weights, where they lie in one
    _exports: Path | None = None  # of a copy for use alone: `exports`
    _compiled: Mapping[str, runtime.Compiled] = {}  # the towers that OpenVINO runs

    def __init__(
        self, model: Model, preprocess: Callable, tokenizer: Callable, spec: str, name: str, weights_hash: str
    ):
        self.model, self.preprocess, self.tokenizer = model.eval(), preprocess, tokenizer
        self.spec, self.name, self.weights_hash = spec, name, weights_hash
        with torch.inference_mode():
            self.dim = int(text_tower(self.model, self.tokenizer(["a"]))[1].shape[-1])
        self._changes = _changes(self.model)

    @classmethod
    def load(cls, spec: str | Path) -> "Encoder":
        """The encoder that a spec names.

        Parameters
        ----------
        spec
            A model folder in the open_clip layout, NAME/TAG of open_clip, or `hf-hub:org/name`.

        Returns
        -------
        Encoder
            In float32 on the CPU.

        Raises
        ------
        InputError
            What was expected, what was found and what to do, where the encoder cannot be loaded.

        Examples
        --------
        >>> encoder = Encoder.load("assets/encoder")  # doctest: +SKIP
        >>> encoder.dim  # doctest: +SKIP
        256
        """
        spec = str(spec)
        folder = at_home(spec.removeprefix("local-dir:"))
        if spec.strip() and folder.is_dir():
            return cls._load_folder(folder, spec)
        name, _, tag = spec.partition("/")
        if spec.startswith("hf-hub:"):
            return cls._load_remote(spec, None, spec)
        open_clip = import_open_clip()
        if name in open_clip.list_models() and tag:
            if tag not in open_clip.list_pretrained_tags_by_model(name):
                known = ", ".join(open_clip.list_pretrained_tags_by_model(name)) or "none"
                raise InputError(
                    "encoder {spec}: {name} has no weights called {tag}; choose one of: {known}",
                    spec=repr(spec),
                    name=name,
                    tag=repr(tag),
                    known=known,
                )
            return cls._load_remote(name, tag, spec)
        raise InputError(
            "encoder {spec} not found: expected a model folder, NAME/TAG of open_clip such as "
            "ViT-B-32/laion2b_s34b_b79k, or hf-hub:org/name; the shipped encoder is assets/encoder",
            spec=repr(spec),
        )

    @classmethod
    def _load_folder(cls, folder: Path, spec: str) -> "Encoder":
        try:
            config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            config["model_cfg"]["embed_dim"], config["model_cfg"]["text_cfg"]
        except FileNotFoundError:
            found = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "an empty folder"
            raise InputError(
                "encoder folder {folder}: expected {config} and {weights}, found {found}; point to a folder in "
                "the open_clip layout, such as assets/encoder",
                folder=folder,
                config=CONFIG,
                weights=WEIGHTS,
                found=found,
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise InputError(
                "encoder folder {folder}: expected {config} with a 'model_cfg', found a file that cannot be used "
                "({name}: {reason}); copy the folder again",
                folder=folder,
                config=CONFIG,
                name=type(error).__name__,
                reason=error,
            ) from None
        open_clip = import_open_clip()
        weights = open_clip.factory._find_checkpoint_in_dir(folder)  # the file that open_clip loads, of several
        if weights is None or Path(weights).suffix != ".safetensors":  # other formats are pickles, which may run code
            raise InputError(
                "encoder folder {folder}: expected weights as safetensors ({weights}), found none; copy the "
                "folder again, or save its weights with safetensors",
                folder=folder,
                weights=WEIGHTS,
            )
        try:
            model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
            tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
        except ImportError as error:
            raise InputError(missing_package(spec, error)) from error
        except Exception as error:  # open_clip, safetensors and torch each raise their own types
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                "encoder folder {folder}: expected weights that fit {config}, but loading {name} failed "
                "({reason}); copy the folder again",
                folder=folder,
                config=CONFIG,
                name=Path(weights).name,
                reason=reason,
            ) from error
        name = config.get("name") or folder.resolve().name
        digest = hashlib.sha256(Path(weights).read_bytes()).hexdigest()
        encoder = cls(model, preprocess, tokenizer, spec, name, digest)
        encoder._folder = folder
        return encoder

    @classmethod
    def _load_remote(cls, name: str, tag: str | None, spec: str) -> "Encoder":
        open_clip = import_open_clip()
        try:
            model, preprocess = open_clip.create_model_from_pretrained(name, pretrained=tag)
            tokenizer = open_clip.get_tokenizer(name)
        except ImportError as error:
            raise InputError(missing_package(spec, error)) from error
        except Exception as error:  # the hub's client raises many types, for the network and for unknown names alike
            reason = " ".join(str(error).split())[:160]
            raise InputError(
                "encoder {spec} could not be fetched ({reason}); with no network, use --encoder assets/encoder "
                "or copy the model folder here and name that folder",
                spec=repr(spec),
                reason=reason,
            ) from error
        return cls(model, preprocess, tokenizer, spec, spec.removeprefix("hf-hub:"), state_hash(model))

    def encode_image(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Unit vectors, float32 (n, dim), of n RGB pictures of any size."""
        return normalize(self._images(images)[1])

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 (n, dim), of n sentences; words beyond the model's context length are cut off."""
        return normalize(self._texts(texts)[1])

    def image_features(self, images: Sequence[Image.Image]) -> np.ndarray:
        """The image tower's pooled features before its projection, float32 (n, width), not normalised."""
        return self._images(images)[0]

    def text_features(self, texts: Sequence[str]) -> np.ndarray:
        """The text tower's pooled features before its projection, float32 (n, width), not normalised."""
        return self._texts(texts)[0]

    def encode_image_with_features(self, images: Sequence[Image.Image | torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
        """(features, unit vectors) in one pass, of pictures or of what `pixels` returned for them."""
        features, vectors = self._images(images)
        return features, normalize(vectors)

    def encode_text_with_features(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """(features, unit vectors) in one pass."""
        features, vectors = self._texts(texts)
        return features, normalize(vectors)

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """A picture at the image tower's size, (3, side, side), ready to be encoded; may be called from many threads.

        Levels stay bytes until a batch is complete: a quarter of the memory, and PyTorch's threads are not used here.
        """
        prepare, levels = self._steps
        prepared: Any = prepare(image.convert("RGB"))
        return torch.from_numpy(np.array(prepared)).permute(2, 0, 1) if levels else prepared

    @cached_property
    def _steps(self) -> tuple[Callable, Callable | None]:
        """The preprocessing in two steps where it is open_clip's own: to the tower's size, and to normalised levels."""
        steps = getattr(self.preprocess, "transforms", [])
        if [type(step).__name__ for step in steps[-2:]] != ["MaybeToTensor", "Normalize"]:
            return self.preprocess, None

        def resize(image: Image.Image) -> Image.Image:
            for step in steps[:-2]:
                image = step(image)
            return image

        return resize, steps[-1]

    def for_inference(
        self, precision: torch.dtype = torch.float32, device: str = "cpu", engine: str = "", threads: int = 0
    ) -> "Encoder":
        """A copy for use alone, in this precision and on this device; texts stay in float32.

        It runs by the `engine` "torch" (pictures by a tower whose normalisations are folded), or by "openvino" where
        the towers are exported; of an unnamed engine each tower has the one that was measured to be faster. `threads`
        are those of a pass of OpenVINO's, 0 as many as PyTorch has.
        """
        if self._target is not None and self._target.dtype == precision and self._target.device.type == device:
            if not engine and not threads:
                return self
        twin, model = copy.copy(self), copy.copy(self.model)
        twin._exports = self.exports if device == "cpu" else None
        twin._target, twin._compiled = torch.empty(0, dtype=precision, device=device), {}
        if engine == "openvino" or (not engine and precision == torch.float32):
            twin.use_exports("bf16" if precision == torch.bfloat16 else "f32", bool(engine), threads)
        if "image" not in twin._compiled:
            model._modules = dict(model._modules)  # so that the original keeps its own tower
            visual = fold_batch_norms(copy.deepcopy(self.model.visual).eval())
            model.visual = visual.to(device, precision, memory_format=torch.channels_last)
            twin.model = model
        return twin

    @property
    def exports(self) -> Path | None:
        """Where the exported towers are kept; None where no export would hold: weights changed since they were read, a
        GPU, no OpenVINO."""
        if self._target is not None:  # a copy for use alone knows it from the original
            return self._exports
        if not runtime.version() or torch.cuda.is_available() or self._changes != _changes(self.model):
            return None
        return runtime.folder_of(self.weights_hash, self._folder)

    def use_exports(self, precision: str = "f32", slower_too: bool = False, threads: int = 0) -> None:
        """Run those towers by OpenVINO that are exported and, unless `slower_too`, were measured to be faster by it."""
        folder = self.exports
        found = runtime.found_in(folder) if folder is not None else None
        if folder is not None and found is not None:
            self._compiled = {
                name: runtime.Compiled(folder / f"{name}.xml", threads, precision if name == "image" else "f32")
                for name, tower in found.items()
                if tower.pays or (slower_too and not tower.fault)
            }

    @property
    def exported(self) -> bool:
        """Whether the towers are exported, or cannot be: then `export` has nothing to do."""
        return self.exports is None or runtime.found_in(self.exports) is not None

    def export(self) -> None:
        """Export both towers for OpenVINO where that was not done yet (some seconds); `for_inference` then uses them
        where they give the same vectors sooner."""
        folder = self.exports
        if folder is None or runtime.found_in(folder) is not None:
            return
        model, noise = self.model, np.random.default_rng(0).integers(0, 256, (6, 96, 128, 3), np.uint8)
        pictures = [self._prepared([Image.fromarray(x) for x in some]) for some in np.split(noise, (2, 3))]
        texts = [["a red mug", "a longer sentence about a yellow tray"], ["a mug"] * 3, ["a blue vase of glass"]]
        text = causal_tower if cuts_padding(model) else text_tower
        runtime.export(
            folder,
            {
                "image": _task(image_tower, model, pictures),
                "text": _task(text, model, [self._tokens(some) for some in texts]),
            },
        )
        if self._target is not None:
            self.use_exports()

    @property
    def batch(self) -> int:
        """Pictures in a forward pass on this encoder's device."""
        return BATCH if self._target is None or self._target.device.type == "cpu" else GPU_BATCH

    def _images(self, images: Sequence[Image.Image | torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
        return self._batched(images, self._prepared, "image", image_tower)

    def _prepared(self, images: Sequence[Image.Image | torch.Tensor]) -> torch.Tensor:
        pixels = torch.stack([x if isinstance(x, torch.Tensor) else self.pixels(x) for x in images])
        if self._target is not None:
            pixels = pixels.to(self._target.device)  # as bytes: a quarter of the size of levels
        if (levels := self._steps[1]) is not None:
            pixels = levels(pixels.to(torch.float32).div_(255))
        if self._target is None or "image" in self._compiled:
            return pixels
        return pixels.to(self._target).contiguous(memory_format=torch.channels_last)

    def _texts(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        _no_single(texts)
        # Sorted by length, so that one long text does not make its whole batch long.
        order = np.argsort([len(text) for text in texts], kind="stable")
        features, vectors = self._batched([texts[i] for i in order], self._tokens, "text", text_tower)
        back = np.argsort(order)
        return features[back], vectors[back]

    def _tokens(self, texts: Sequence[str]) -> torch.Tensor:
        tokens = self.tokenizer(texts)
        return without_padding(tokens) if cuts_padding(self.model) else tokens

    @torch.inference_mode()
    def _batched(
        self, items: Sequence, prepare: Callable, name: str, tower: Callable[[Model, torch.Tensor], Pair]
    ) -> tuple[np.ndarray, np.ndarray]:
        _no_single(items)
        if not len(items):
            return np.zeros((0, self.dim), np.float32), np.zeros((0, self.dim), np.float32)
        step, compiled = self.batch, self._compiled.get(name)
        if compiled is not None and compiled.usable:
            parts = compiled.spread(prepare, items, step)
        else:
            parts = [tower(self.model, prepare(items[at : at + step])) for at in range(0, len(items), step)]
        features, vectors = (torch.cat([part[i].float().cpu() for part in parts]).numpy() for i in (0, 1))
        return features, vectors


class _Traceable(torch.nn.Module):
    """A tower as a module, which is what a trace is made of."""

    def __init__(self, tower: Callable[[Model, torch.Tensor], Pair], model: Model) -> None:
        super().__init__()
        self.tower, self.model = tower, model

    def forward(self, inputs: torch.Tensor) -> Pair:
        return self.tower(self.model, inputs)


def _task(tower: Callable[[Model, torch.Tensor], Pair], model: Model, inputs: Sequence[torch.Tensor]) -> runtime.Task:
    return runtime.Task(partial(tower, model), _Traceable(tower, model), inputs)


def _changes(model: Model) -> int:
    """How often the weights were written to in place, as training does."""
    return sum(tensor._version for tensor in (*model.parameters(), *model.buffers()))


def _no_single(items: object) -> None:
    if isinstance(items, (str, Image.Image)):
        raise TypeError("expected a list of pictures or sentences, got a single one")


def missing_package(spec: str, error: ImportError) -> str:
    """The message for a model whose tokeniser (SigLIP, Hugging Face text towers) needs a package of its own."""
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

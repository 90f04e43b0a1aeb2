"""A model as a folder in the open_clip layout: a new one, one opened for training, one written. Knows no training."""

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path

from safetensors.torch import save_file

from mmdemo.core.paths import at_home
from mmdemo.encode.encoder import CONFIG, WEIGHTS, Encoder
from mmdemo.encode.torchvision_shim import import_open_clip
from mmdemo.encode.towers import Model

# Small enough to publish beside the code and to answer in milliseconds on one core. The tokeniser is CLIP's
# byte-level BPE, so no character is unknown to it. White padding, because shops photograph on white.
DEFAULT = {
    "model_cfg": {
        "embed_dim": 256,
        "vision_cfg": {
            "timm_model_name": "tf_efficientnet_lite0",
            "timm_pool": "avg",
            "timm_proj": "linear",
            "image_size": 160,
        },
        "text_cfg": {"context_length": 64, "vocab_size": 49408, "width": 224, "heads": 7, "layers": 4},
    },
    "preprocess_cfg": {
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "resize_mode": "longest",
        "fill_color": 255,
    },
}


def new_model(config: dict | None = None) -> tuple[Model, dict]:
    """(untrained model, its config) in open_clip's own classes."""
    config = copy.deepcopy(config or DEFAULT)
    return import_open_clip().CLIP(**config["model_cfg"]), config


def open_model(start: str | Path | None) -> tuple[Model, dict, Callable]:
    """(model, config, tokenizer) to train on: an encoder spec, or None for a new one of the default shape."""
    if start is None:
        model, config = new_model()
        length = config["model_cfg"]["text_cfg"]["context_length"]
        return model, config, import_open_clip().get_tokenizer("ViT-B-32", context_length=length)
    encoder = Encoder.load(start)
    name = str(start)
    if (at_home(name) / CONFIG).is_file():
        config = json.loads((at_home(name) / CONFIG).read_text(encoding="utf-8"))
    else:
        architecture = name if "hf-hub:" in name else name.split("/")[0]
        config = {"model_cfg": import_open_clip().get_model_config(architecture)}
        config["preprocess_cfg"] = dict(encoder.model.visual.preprocess_cfg)
    return encoder.model, config, encoder.tokenizer


def export(model: Model, config: dict, folder: Path, notes: str = "") -> None:
    """Write the open_clip folder (float16 weights, which open_clip loads as float32); each file is replaced at once."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {k: (v.half() if v.is_floating_point() else v).contiguous().clone() for k, v in model.state_dict().items()}
    files = {
        WEIGHTS: lambda path: save_file(half, path),
        CONFIG: lambda path: path.write_text(json.dumps(config, indent=2) + "\n"),
    }
    if notes:
        files["README.md"] = lambda path: path.write_text(notes, encoding="utf-8")
    for name, write in files.items():
        write(folder / f".{name}.part")
        (folder / f".{name}.part").chmod(0o644)
        os.replace(folder / f".{name}.part", folder / name)

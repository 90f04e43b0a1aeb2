import json

import pytest
import torch

from mmdemo.build import build
from mmdemo.catalog import Catalog
from mmdemo.recommender import Recommender
from tests.toys import ToyEncoder, toy_catalogue

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    return toy_catalogue(tmp_path_factory.mktemp("toys") / "shop")


@pytest.fixture(scope="session")
def toy_index(toy_folder, tmp_path_factory):
    """A saved index of the toy shop; tests that change one copy it first."""
    out = tmp_path_factory.mktemp("toy-index") / "index"
    build(Catalog.read(toy_folder), ToyEncoder(), out)
    return out


@pytest.fixture(scope="session")
def toy_recommender(toy_index):
    from mmdemo.index import ProductIndex

    return Recommender(ProductIndex.load(toy_index), ToyEncoder())


@pytest.fixture(scope="session")
def trained_recommender(toy_recommender):
    """The toy shop with a head that has adapters and blocks, as they are before training."""
    from pathlib import Path

    from mmdemo.fusion import HEADS
    from mmdemo.index import ProductIndex

    toy = toy_recommender.index
    head = HEADS["concat"](toy.head.dim, toy.image.shape[1], toy.text.shape[1]).eval()
    shop = ProductIndex(toy.products, toy.image, toy.text, head, toy.manifest, toy.report, Path("nowhere"))
    return toy_recommender.on(shop)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A real open_clip model folder with random weights, small enough to build an index in a second."""
    import open_clip
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("model") / "tiny"
    folder.mkdir()
    cfg = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 64, "layers": 1, "head_width": 32},
        "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    torch.manual_seed(0)
    model = open_clip.CLIP(**cfg)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    preprocess = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
    config = {"model_cfg": cfg, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    return folder

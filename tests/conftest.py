import json

import pytest
import torch

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.bootstrap import bootstrap
from mmdemo.encode.embed import embed
from mmdemo.encode.torchvision_shim import import_open_clip
from mmdemo.finetune.model_folder import export, new_model
from mmdemo.search.recommender import Recommender
from tests.toys import ToyEncoder, quick_build, toy_catalogue, write_events

torch.set_num_threads(1)
bootstrap()
import_open_clip()  # before the test modules that import open_clip themselves


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    return toy_catalogue(tmp_path_factory.mktemp("toys") / "shop")


@pytest.fixture(scope="session")
def encoded_shop(tmp_path_factory):
    """A toy shop of 144 products, encoded."""
    folder = toy_catalogue(tmp_path_factory.mktemp("encoded") / "shop", copies=12)
    return embed(Catalog.read(folder), ToyEncoder(), tmp_path_factory.mktemp("work") / "work")


@pytest.fixture(scope="session")
def toy_index(toy_folder, tmp_path_factory):
    """A saved index of the toy shop; tests that change one copy it first."""
    out = tmp_path_factory.mktemp("toy-index") / "index"
    quick_build(Catalog.read(toy_folder), ToyEncoder(), out)
    return out


@pytest.fixture(scope="session")
def eventful_shop(tmp_path_factory):
    """A toy shop with events beside it: its folder, the names of its people, and its index folder."""
    folder = toy_catalogue(tmp_path_factory.mktemp("events") / "shop", copies=1)
    names = write_events(folder / "events.csv")
    out = folder.parent / "index"
    quick_build(Catalog.read(folder), ToyEncoder(), out)
    return folder, names, out


@pytest.fixture(scope="session")
def toy_recommender(toy_index):
    from mmdemo.index.product_index import ProductIndex

    return Recommender(ProductIndex.load(toy_index), ToyEncoder())


@pytest.fixture(scope="session")
def trained_recommender(toy_recommender):
    """The toy shop with a head that has adapters and blocks, as they are before training."""
    from pathlib import Path

    from mmdemo.fusion.heads import HEADS
    from mmdemo.index.contents import Contents
    from mmdemo.index.product_index import ProductIndex

    toy = toy_recommender.index
    head = HEADS["concat"](toy.head.dim, toy.image.shape[1], toy.text.shape[1]).eval()
    shop = ProductIndex(Contents(toy.products, toy.image, toy.text, head, toy.manifest, toy.report, Path("nowhere")))
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


@pytest.fixture(scope="session")
def convolutional(tmp_path_factory):
    """The shape of the shipped encoder, tiny and untrained, in float16."""
    folder = tmp_path_factory.mktemp("encoder") / "conv"
    torch.manual_seed(0)
    model, config = new_model(
        {
            "model_cfg": {
                "embed_dim": 24,
                "vision_cfg": {"timm_model_name": "regnetx_002", "timm_proj": "linear", "image_size": 48},
                "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
            },
            "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3, "resize_mode": "longest", "fill_color": 255},
        }
    )
    export(model, config, folder)
    return folder

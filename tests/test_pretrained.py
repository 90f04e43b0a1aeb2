"""The models that people with a network bring: every tower that open_clip builds, as folders and as hub repositories.

The weights are random and the sizes tiny; the code that reads them is open_clip's own. Text towers of Hugging Face
models are left out: their tokenisers come from the network alone.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from open_clip import factory, pretrained
from safetensors.torch import load_file, save_file

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.encode.embeddings import photo_embeddings
from mmdemo.encode.encoder import CONFIG, WEIGHTS, Encoder
from mmdemo.evaluate.evaluation import evaluate
from mmdemo.evaluate.queries import read_queries
from mmdemo.finetune import align as align_module
from mmdemo.finetune.align import AlignmentOptions, align
from mmdemo.search.recommender import Recommender
from tests.toys import COLOURS, picture, quick_build, toy_catalogue

TEXTS = ["a red mug", "mug", "a much longer sentence about a yellow tray, with words and words", "红色杯子"]
VISION = {"image_size": 32, "patch_size": 8, "width": 64, "layers": 1, "head_width": 32}
TEXT = {"context_length": 24, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
KINDS = {
    # OpenAI's CLIP
    "vit": {"embed_dim": 32, "quick_gelu": True, "vision_cfg": VISION, "text_cfg": TEXT},
    "resnet": {
        "embed_dim": 32,
        "text_cfg": TEXT,
        "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "patch_size": None, "head_width": 32},
    },
    # as hf-hub:timm/ViT-B-16-SigLIP, but for the tokeniser, which needs a package and a network
    "siglip": {
        "embed_dim": 96,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {"image_size": 160, "timm_model_name": "test_vit3", "timm_pool": "map", "timm_proj": "none"},
        "text_cfg": {
            **TEXT,
            "width": 96,
            "no_causal_mask": True,
            "proj_bias": True,
            "pool_type": "last",
            "norm_kwargs": {"eps": 1e-6},
            "tokenizer_kwargs": {"clean": "canonicalize"},
        },
    },
    "custom text": {
        "embed_dim": 32,
        "custom_text": True,
        "vision_cfg": {**VISION, "attentional_pool": True, "attn_pooler_heads": 2},
        "text_cfg": {**TEXT, "embed_cls": True, "layers": 2, "ls_init_value": 0.1},
    },
    "coca": {
        "embed_dim": 32,
        "custom_text": True,
        "vision_cfg": {**VISION, "attentional_pool": True, "attn_pooler_heads": 2, "output_tokens": True},
        "text_cfg": {**TEXT, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {
            "context_length": 24,
            "vocab_size": 49408,
            "width": 32,
            "heads": 2,
            "layers": 1,
            "attn_pooler_heads": 2,
        },
    },
    "attention pool": {
        "embed_dim": 128,
        "text_cfg": TEXT,
        "vision_cfg": {
            "image_size": 160,
            "timm_model_name": "test_efficientnet",
            "timm_pool": "abs_attn",
            "timm_proj": "",
        },
    },
}
# where the towers show what they pool before the projection: (module of the picture tower, of the text tower)
SHOWN = {"vit": ("visual.ln_post", "ln_final"), "siglip": ("visual.trunk", None)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A function: the folder of a kind, in the layout that the hub has."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            torch.manual_seed(0)
            made[kind] = tmp_path_factory.mktemp("hub") / kind.replace(" ", "-")
            made[kind].mkdir()
            preprocess = {"mean": [0.5] * 3, "std": [0.25] * 3, "interpolation": "bicubic", "resize_mode": "squash"}
            config = {"model_cfg": KINDS[kind], "preprocess_cfg": preprocess}
            (made[kind] / CONFIG).write_text(json.dumps(config))
            model = open_clip.create_model(f"local-dir:{made[kind]}")
            save_file({k: v.contiguous().clone() for k, v in model.state_dict().items()}, made[kind] / WEIGHTS)
        return made[kind]

    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return toy_catalogue(tmp_path_factory.mktemp("shop") / "toys")


@pytest.fixture
def hub(folders, monkeypatch):
    """The hub with the kinds as repositories org/KIND; returns what was asked of it."""
    asked = []

    def download(repo_id, filename, revision=None, cache_dir=None):
        asked.append((repo_id, filename))
        path = folders(repo_id.removeprefix("org/")) / filename
        if not path.is_file():
            raise FileNotFoundError(f"404: {repo_id} has no {filename}")
        return str(path)

    monkeypatch.setattr(pretrained, "hf_hub_download", download)
    monkeypatch.setattr(align_module, "BUILT_IN", Path("none"))
    return asked


def described(encoder: Encoder) -> str:
    """The preprocessing in words, lists and tuples alike."""
    return str(encoder.preprocess).replace("[", "(").replace("]", ")")


def pictures():
    return [picture("mug", colour, size=40 + 10 * i) for i, colour in enumerate(COLOURS)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_tower_gives_what_open_clip_gives(kind, folders):
    encoder = Encoder.load(folders(kind))
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folders(kind)}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folders(kind)}")
    with torch.inference_mode():
        texts = model.eval().encode_text(tokenizer(TEXTS), normalize=True).numpy()
        images = model.encode_image(torch.stack([preprocess(p) for p in pictures()]), normalize=True).numpy()
    for mine, theirs, one in (
        (encoder.encode_image(pictures()), images, lambda i: encoder.encode_image([pictures()[i]])),
        (encoder.encode_text(TEXTS), texts, lambda i: encoder.encode_text([TEXTS[i]])),
    ):
        assert mine.dtype == np.float32 and mine.shape == (len(theirs), encoder.dim)
        assert encoder.dim == KINDS[kind]["embed_dim"]
        np.testing.assert_allclose(np.linalg.norm(mine, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(mine, theirs, atol=2e-5)
        np.testing.assert_allclose(mine, np.vstack([one(i) for i in range(len(mine))]), atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_pooled_features_are_what_the_tower_pools_or_else_the_embedding(kind, folders):
    encoder = Encoder.load(folders(kind))
    found, hooks = {}, []
    image_module, text_module = SHOWN.get(kind, (None, None))
    for name in filter(None, (image_module, text_module)):
        keep = lambda _, __, output, name=name: found.__setitem__(name, output)  # noqa: E731
        hooks.append(encoder.model.get_submodule(name).register_forward_hook(keep))
    seen, vectors = encoder.encode_image_with_features(pictures())
    if image_module:
        hooked = found[image_module].numpy()
        np.testing.assert_allclose(seen, hooked if hooked.ndim == 2 else hooked[:, 0], atol=1e-5)
    elif kind not in ("custom text", "coca"):  # those show theirs: their projection leads to the embedding
        np.testing.assert_allclose(seen / np.linalg.norm(seen, axis=1, keepdims=True), vectors, atol=1e-5)
    else:
        led = seen @ encoder.model.visual.proj.detach().numpy()
        np.testing.assert_allclose(led / np.linalg.norm(led, axis=1, keepdims=True), vectors, atol=1e-5)
    said, vectors = encoder.encode_text_with_features(TEXTS[:1])
    if text_module:
        ends = encoder.tokenizer(TEXTS[:1]).argmax(1)
        np.testing.assert_allclose(said, found[text_module][[0], ends].numpy(), atol=1e-5)
    elif not hasattr(encoder.model, "text_projection"):
        np.testing.assert_allclose(said / np.linalg.norm(said), vectors, atol=1e-5)
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("kind", KINDS)
def test_a_hub_model_builds_searches_and_evaluates_offline(kind, hub, shop, tmp_path):
    spec = f"hf-hub:org/{kind}"
    encoder, catalog = Encoder.load(spec), Catalog.read(shop)
    assert (f"org/{kind}", CONFIG) in hub and any(name.endswith(".safetensors") for _, name in hub)
    index, refused = quick_build(catalog, encoder, tmp_path / "index")
    assert len(index) == 48 and not refused
    assert index.manifest.encoder.spec == spec and index.manifest.encoder.name == f"org/{kind}"
    recommender = Recommender.load(tmp_path / "index")  # fetches by the manifest's name
    product = index.products[5]
    own = picture(*product.id.split("-")[::2], scale=0.5 + 0.08 * int(product.id.split("-")[1]))
    results = recommender.recommend(Query(image=own, k=48, kind="any"))  # by score alone
    query = index.head.fuse(image=photo_embeddings(encoder, [own]), text=np.zeros((1, index.text.shape[1]), np.float32))
    expected = (query @ index.vectors.T)[0]
    assert [r.id for r in results[:3]] == [index.products[i].id for i in np.argsort(-expected, kind="stable")[:3]]
    np.testing.assert_allclose([r.score for r in results], np.sort(expected)[::-1], atol=1e-4)
    assert recommender.recommend(Query(text="blue tray", k=3))
    own.save(tmp_path / "photo.png")
    (tmp_path / "queries.csv").write_text(f"query_id,image,text,product_id\nq,photo.png,,{product.id}\n")
    asked, skipped = read_queries(tmp_path / "queries.csv", index, encoder)
    assert not skipped and evaluate(index, asked).rankers["image"]["recall@10"].value in (0.0, 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hub_model_is_fine_tuned_into_a_folder_that_reads_alike(kind, hub, shop, tmp_path):
    spec = f"hf-hub:org/{kind}"
    figures = align(
        [shop], tmp_path / "out", spec, AlignmentOptions(epochs=0.01, batch=8, lr=0.5, split_by="id", save_minutes=9)
    )
    assert figures["steps"] == 1 and {row[1] for row in figures["table"]} and figures["share"] >= 0
    first, tuned = Encoder.load(spec), Encoder.load(tmp_path / "out")
    assert described(first) == described(tuned) and first.dim == tuned.dim
    assert type(first.model) is type(tuned.model)
    one, two = first.model.state_dict(), tuned.model.state_dict()
    assert one.keys() == two.keys() and ("logit_bias" in one) == (kind == "siglip")
    changed = any(not torch.allclose(one[name], two[name], atol=1e-3) for name in one)
    assert changed == (figures["share"] > 0)


def test_a_name_and_tag_go_through_open_clip_to_the_weights(hub, shop, tmp_path, monkeypatch):
    (tmp_path / "Tiny-32.json").write_text(json.dumps(KINDS["vit"]))
    monkeypatch.setattr(factory, "_MODEL_CONFIGS", dict(factory._MODEL_CONFIGS))
    monkeypatch.setattr(factory, "_MODEL_CONFIG_PATHS", [*factory._MODEL_CONFIG_PATHS])
    open_clip.add_model_config(tmp_path)
    tag = {"hf_hub": "org/vit/", "quick_gelu": True, "mean": (0.4, 0.4, 0.4), "std": (0.3, 0.3, 0.3)}
    monkeypatch.setitem(pretrained._PRETRAINED, "Tiny-32", {"made_up": tag})
    encoder = Encoder.load("Tiny-32/made_up")
    assert encoder.name == "Tiny-32/made_up" and "0.4" in str(encoder.preprocess) and hub
    with pytest.raises(InputError, match="no weights called 'other'; choose one of: made_up"):
        Encoder.load("Tiny-32/other")
    align(
        [shop],
        tmp_path / "out",
        "Tiny-32/made_up",
        AlignmentOptions(epochs=0.01, batch=8, split_by="id", save_minutes=9),
    )
    tuned = Encoder.load(tmp_path / "out")
    assert described(tuned) == described(encoder)
    assert isinstance(tuned.model.transformer.resblocks[0].mlp.gelu, open_clip.transformer.QuickGELU)


def test_an_index_refuses_a_hub_model_whose_weights_have_changed(hub, folders, shop, tmp_path, monkeypatch):
    quick_build(Catalog.read(shop), Encoder.load("hf-hub:org/vit"), tmp_path / "index")
    shutil.copytree(folders("vit"), tmp_path / "newer")
    weights = load_file(tmp_path / "newer" / WEIGHTS)
    weights["logit_scale"] += 1
    save_file(weights, tmp_path / "newer" / WEIGHTS)
    monkeypatch.setattr(
        pretrained, "hf_hub_download", lambda repo_id, filename, **_: str(tmp_path / "newer" / filename)
    )
    with pytest.raises(InputError, match=r"other weights of the encoder 'hf-hub:org/vit'.*build it again"):
        Recommender.load(tmp_path / "index")


def test_of_several_weight_files_the_hash_is_of_the_one_that_is_loaded(folders, tmp_path):
    both = tmp_path / "both"
    shutil.copytree(folders("vit"), both)
    (both / "a.safetensors").write_bytes(b"not weights")
    (both / WEIGHTS).rename(both / "open_clip_pytorch_model.safetensors")
    assert Encoder.load(both).weights_hash == Encoder.load(folders("vit")).weights_hash


@pytest.mark.parametrize("road", ["folder", "hub"])
def test_a_tokeniser_that_needs_a_package_says_which(road, folders, tmp_path, monkeypatch):
    shutil.copytree(folders("vit"), tmp_path / "needy")
    config = json.loads((tmp_path / "needy" / CONFIG).read_text())
    config["model_cfg"]["text_cfg"] = {**TEXT, "hf_tokenizer_name": "org/words"}
    (tmp_path / "needy" / CONFIG).write_text(json.dumps(config))
    monkeypatch.setitem(sys.modules, "transformers", None)  # as where it is not installed
    monkeypatch.setattr(
        pretrained, "hf_hub_download", lambda repo_id, filename, **_: str(tmp_path / "needy" / filename)
    )
    with pytest.raises(InputError, match=r"needs the package 'transformers'.*pip install transformers"):
        Encoder.load(tmp_path / "needy" if road == "folder" else "hf-hub:org/needy")

import json
import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch

from mmdemo.core.errors import InputError
from mmdemo.encode import encoder as encoder_module
from mmdemo.encode.encoder import CONFIG, WEIGHTS, Encoder, mixed_precision, normalize
from mmdemo.encode.towers import fold_batch_norms, text_tower
from tests.toys import COLOURS, picture

SHIPPED = Path(__file__).parent.parent / "assets" / "encoder"
TEXTS = ["a red mug", "mug", "a much longer sentence about a yellow tray, with words and words and words", "红色杯子"]


@pytest.fixture(params=["transformer", "convolutional"])
def folder(request):
    return request.getfixturevalue("tiny_model" if request.param == "transformer" else "convolutional")


@pytest.fixture
def pictures():
    return [picture("mug", colour, size=40 + 10 * i) for i, colour in enumerate(COLOURS)]


def test_vectors_are_unit_float32(folder, pictures):
    encoder = Encoder.load(folder)
    for vectors, count in ((encoder.encode_image(pictures), len(pictures)), (encoder.encode_text(TEXTS), len(TEXTS))):
        assert vectors.shape == (count, encoder.dim) and vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_batch_equals_single(folder, pictures, monkeypatch):
    encoder = Encoder.load(folder)
    images, texts = encoder.encode_image(pictures), encoder.encode_text(TEXTS)
    np.testing.assert_allclose(images, np.vstack([encoder.encode_image([p]) for p in pictures]), atol=1e-5)
    np.testing.assert_allclose(texts, np.vstack([encoder.encode_text([t]) for t in TEXTS]), atol=1e-5)
    monkeypatch.setattr(encoder_module, "BATCH", 2)
    np.testing.assert_allclose(images, encoder.encode_image(pictures), atol=1e-5)
    assert encoder.for_inference().batch == encoder.batch == 2 < encoder.for_inference(device="meta").batch, (
        "elsewhere passes are larger"
    )


def test_same_answer_as_open_clip(folder, pictures):
    """What open_clip says of the same folder, without any of our short cuts."""
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    with torch.inference_mode():
        texts = model.eval().encode_text(tokenizer(TEXTS), normalize=True).numpy()
        images = model.encode_image(torch.stack([preprocess(p) for p in pictures]), normalize=True).numpy()
    encoder = Encoder.load(folder)
    np.testing.assert_allclose(encoder.encode_text(TEXTS), texts, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_image(pictures), images, atol=1e-5)
    assert all(p.dtype == torch.float32 for p in encoder.model.parameters())


def test_a_prepared_picture_is_bytes_and_becomes_what_open_clip_makes_of_it(folder, pictures):
    encoder = Encoder.load(folder)
    assert encoder.pixels(pictures[0]).dtype == torch.uint8
    apart = torch.stack([encoder.preprocess(p) for p in pictures])
    assert torch.equal(encoder._prepared(pictures), apart)


def test_features_lead_to_the_embedding(folder, pictures):
    encoder = Encoder.load(folder)
    model = encoder.model
    features, vectors = encoder.encode_text_with_features(TEXTS)
    assert features.shape == (len(TEXTS), 32)
    np.testing.assert_allclose(normalize(features @ model.text_projection.detach().numpy()), vectors, atol=1e-5)
    features, vectors = encoder.encode_image_with_features(pictures)
    project = model.visual.proj.T if hasattr(model.visual, "proj") else model.visual.head.proj.weight
    assert features.shape == (len(pictures), project.shape[1]) and features.shape[1] != encoder.dim
    np.testing.assert_allclose(normalize(features @ project.detach().numpy().T), vectors, atol=1e-5)
    np.testing.assert_array_equal(encoder.image_features(pictures), features)


def test_hidden_features_fall_back_to_the_embedding(tiny_model):
    encoder = Encoder.load(tiny_model)
    encoder.model.text_pool_type = "last"  # not a tower whose padding may be cut off
    with torch.inference_mode():
        pooled, embedding = text_tower(encoder.model, encoder.tokenizer(TEXTS))
    assert torch.equal(pooled, embedding) and embedding.shape == (len(TEXTS), encoder.dim)


def test_for_use_it_is_folded_and_answers_the_same(convolutional, pictures):
    encoder = Encoder.load(convolutional)
    torch.manual_seed(1)
    for norm in (m for m in encoder.model.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.running_mean.normal_(), norm.running_var.uniform_(0.5, 2), norm.weight.data.uniform_(0.5, 2)
    twin = encoder.for_inference()
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in twin.model.visual.modules())
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in encoder.model.visual.modules())
    for mine, theirs in zip(
        twin.encode_image_with_features(pictures), encoder.encode_image_with_features(pictures), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-5)


def test_a_tower_that_lists_its_layers_in_another_order_than_it_runs_them_stays_as_it_is():
    class Crossed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm, self.second = (
                torch.nn.Conv2d(3, 4, 3),
                torch.nn.BatchNorm2d(4),
                torch.nn.Conv2d(4, 4, 3),
            )
            self.norm.running_mean.fill_(0.5), self.norm.running_var.fill_(2.0)

        def forward(self, x):
            return self.norm(self.second(self.first(x)))

    tower, x = Crossed().eval(), torch.rand(1, 3, 32, 32)
    before = tower(x)
    torch.testing.assert_close(fold_batch_norms(tower)(x), before)


def test_empty_list_and_lone_item(tiny_model):
    encoder = Encoder.load(tiny_model)
    assert encoder.encode_text([]).shape == (0, encoder.dim)
    with pytest.raises(TypeError, match="list"):
        encoder.encode_text("a lone string")


def test_hash_is_that_of_the_weights(tiny_model, tmp_path):
    shutil.copytree(tiny_model, tmp_path / "copy")
    one, two = Encoder.load(tiny_model), Encoder.load(tmp_path / "copy")
    assert one.weights_hash == two.weights_hash and len(one.weights_hash) == 64
    assert one.weights_hash == __import__("hashlib").sha256((tiny_model / WEIGHTS).read_bytes()).hexdigest()


def test_normalize():
    np.testing.assert_allclose(normalize([[3, 4], [0, 2]]), [[0.6, 0.8], [0, 1]])
    for bad in ([[1, 0], [0, 0]], [[np.nan, 1]], [[np.inf, 1]]):
        with pytest.raises(ValueError):
            normalize(bad)


@pytest.mark.parametrize("spec", ["no/such/folder", "nonsense", "ViT-B-32", "hf-hub", ""])
def test_unknown_spec_says_what_was_expected(spec):
    with pytest.raises(InputError, match=r"expected a model folder.*assets/encoder"):
        Encoder.load(spec)


def test_unknown_weights_name_those_there_are():
    with pytest.raises(InputError, match=r"no weights called 'nope'.*laion2b_s34b_b79k"):
        Encoder.load("ViT-B-32/nope")


@pytest.mark.parametrize("spec", ["hf-hub:someone/something", "ViT-B-32/laion2b_s34b_b79k"])
def test_no_network_says_what_to_do(spec, monkeypatch):
    def unreachable(*_, **__):
        raise OSError("Cannot reach the hub.\n  Try again.")

    monkeypatch.setattr(open_clip, "create_model_from_pretrained", unreachable)
    with pytest.raises(InputError, match=r"could not be fetched \(Cannot reach the hub. Try again.\).*assets/encoder"):
        Encoder.load(spec)


def break_folder(how: str, folder: Path) -> None:
    if how == "no config":
        (folder / CONFIG).unlink()
    elif how == "no weights":
        (folder / WEIGHTS).unlink()
    elif how == "cut short":
        (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:1000])
    elif how == "not json":
        (folder / CONFIG).write_text("{")
    elif how == "other keys":
        (folder / CONFIG).write_text("{}")
    elif how == "other shape":
        config = json.loads((folder / CONFIG).read_text())
        config["model_cfg"]["embed_dim"] = 48
        (folder / CONFIG).write_text(json.dumps(config))


@pytest.mark.parametrize("how", ["no config", "no weights", "cut short", "not json", "other keys", "other shape"])
def test_broken_folder_is_refused_in_one_sentence(how, tiny_model, tmp_path):
    shutil.copytree(tiny_model, tmp_path / "broken")
    break_folder(how, tmp_path / "broken")
    with pytest.raises(InputError, match=r"encoder folder .*expected.*(found|failed)") as error:
        Encoder.load(tmp_path / "broken")
    assert "\n" not in str(error.value) and len(str(error.value)) < 600


@pytest.mark.skipif(not (SHIPPED / WEIGHTS).exists(), reason="the encoder is not in this copy")
def test_shipped_encoder():
    assert sum(f.stat().st_size for f in SHIPPED.iterdir()) < 40e6
    encoder = Encoder.load(SHIPPED)
    assert encoder.model.visual.image_size[0] <= 160
    # colours are the least that it must know
    seen, said = encoder.encode_image([picture("mug", c) for c in COLOURS]), encoder.encode_text(list(COLOURS))
    assert (said @ seen.T).argmax(1).tolist() == list(range(len(COLOURS)))


def test_bfloat16_is_used_only_where_the_processor_has_it(monkeypatch):
    for avx, amx, fast in ((False, False, False), (True, False, True), (False, True, True)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda avx=avx: avx)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        with mixed_precision("cpu"):
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == (torch.bfloat16 if fast else torch.float32)

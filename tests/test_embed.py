"""A catalogue becomes embeddings: the same ones however far ahead pictures are read, interrupted or not."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.encode import embed as embedding
from mmdemo.encode import tuning
from mmdemo.encode.embed import embed, prefetch
from mmdemo.encode.embeddings import photo_embeddings, product_embeddings, random_crop, text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.encode.tuning import Setting, measure, sample
from tests.toys import ToyEncoder, toy_catalogue


@pytest.fixture(scope="module")
def encoder(tiny_model):
    return Encoder.load(tiny_model)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Twelve products, the fifth with a damaged picture."""
    folder = toy_catalogue(tmp_path_factory.mktemp("embed") / "shop", copies=1)
    catalog = Catalog.read(folder)
    catalog.image_path(catalog.products[4]).write_bytes(b"no picture")
    return catalog


@pytest.mark.parametrize("kind", ["toy", "real"])
def test_rows_equal_those_made_one_step_after_the_other(shop, tmp_path, kind, encoder):
    encoder = ToyEncoder() if kind == "toy" else encoder
    made = embed(shop, encoder, tmp_path / "work")
    good = [p for n, p in enumerate(shop.products) if n != 4]
    pictures = [decode(shop.image_path(p), max_side=512) for p in good]
    rng = np.random.default_rng(len(shop.products))
    assert made.products == good and [r.id for r in made.refused] == [shop.products[4].id]
    np.testing.assert_allclose(made.image, product_embeddings(encoder, pictures), atol=1e-6)
    np.testing.assert_allclose(
        made.augmented, photo_embeddings(encoder, [random_crop(p, rng) for p in pictures]), atol=1e-6
    )
    np.testing.assert_allclose(made.text, text_embeddings(encoder, [p.text for p in good]), atol=1e-6)


def test_an_interrupted_build_that_goes_on_has_the_very_same_rows(shop, tmp_path, encoder, monkeypatch):
    monkeypatch.setattr(embedding, "SHARD", 4)
    monkeypatch.setattr(tuning, "MIN_PRODUCTS", 1)
    whole = embed(shop, encoder, tmp_path / "whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    (tmp_path / "cut" / "000000004.safetensors").unlink()
    measured = json.loads((tmp_path / "whole" / "setting.json").read_text())
    monkeypatch.setattr(tuning, "measure", lambda *_: pytest.fail("the setting was written down"))
    again = embed(shop, encoder, tmp_path / "cut", resume=True)
    assert again.setting == whole.setting == Setting(**measured) and whole.setting.measured
    for name in ("image", "augmented", "text"):
        np.testing.assert_array_equal(getattr(again, name), getattr(whole, name))


def test_progress_begins_at_none_of_all_and_moves_with_every_pass_of_the_encoder(shop, tmp_path, encoder, monkeypatch):
    monkeypatch.setattr(embedding, "SHARD", 8)
    told = []
    embed(shop, encoder, tmp_path / "work", progress=lambda *said: told.append(said))
    done = [said[0] for said in told]
    # Nine looks at each product, 32 of them in a pass; the fifth has a damaged picture and takes no look.
    assert done == [0, 3, 8, 8, 11, 12, 12] and {said[1:] for said in told} == {(12, "encoding products")}


def test_progress_of_an_interrupted_build_begins_where_it_stopped(shop, tmp_path, encoder, monkeypatch):
    monkeypatch.setattr(embedding, "SHARD", 4)
    embed(shop, encoder, tmp_path / "work")
    (tmp_path / "work" / "000000008.safetensors").unlink()
    told = []
    embed(shop, encoder, tmp_path / "work", resume=True, progress=lambda *said: told.append(said[0]))
    assert told[0] == 8 and told == sorted(told) and told[-1] == 12


def test_a_small_catalogue_is_not_measured_for(shop, tmp_path, encoder):
    assert embed(shop, encoder, tmp_path / "work").setting == Setting()


def test_no_more_is_read_ahead_than_may_be_and_order_is_kept():
    begun, most = [], []
    lock = threading.Lock()

    def work(n):
        with lock:
            begun.append(n)
        return n

    with ThreadPoolExecutor(4) as pool:
        for n, got in enumerate(prefetch(pool, work, range(100))):
            assert got == n
            most.append(len(begun) - n)
    assert max(most) <= embedding.PREFETCH + 1


def test_an_encoder_in_another_precision_is_near_and_leaves_the_first_as_it_was(shop, encoder):
    pixels = sample(encoder, shop)
    before = encoder.encode_image_with_features(pixels)
    low = encoder.for_inference(torch.bfloat16).encode_image_with_features(pixels)
    after = encoder.encode_image_with_features(pixels)
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (
        low[1].dtype == np.float32
        and (low[1] * before[1]).sum(1).min() > 0.999
        and not np.array_equal(low[1], before[1])
    )


def test_pictures_made_ready_apart_give_the_same_vectors(shop, encoder):
    pictures = [decode(shop.image_path(p), max_side=512) for p in shop.products[:3]]
    apart = torch.stack([encoder.preprocess(p) for p in pictures])
    np.testing.assert_array_equal(encoder._prepared(pictures).numpy(), apart.numpy())
    np.testing.assert_array_equal(
        encoder.encode_image_with_features([encoder.pixels(p) for p in pictures])[1], encoder.encode_image(pictures)
    )


class Coarse:
    """An encoder whose bfloat16 is quick and `off` by so much."""

    def __init__(self, off: float = 0.0, slow: float = 0.0) -> None:
        self.off, self.slow = off, slow

    def for_inference(self, precision, *_):
        return Coarse(self.off if precision == torch.bfloat16 else 0.0)

    def encode_image_with_features(self, pixels):
        threading.Event().wait(self.slow)
        return None, np.array([[np.sqrt(1 - self.off**2), self.off]], np.float32)


@pytest.mark.parametrize(("off", "precision"), [(0.01, "bfloat16"), (0.2, "float32")])
def test_the_quicker_precision_is_taken_only_where_its_vectors_are_alike(off, precision):
    slow = Coarse(off, slow=0.02)
    slow.off = 0.0
    slow.for_inference = lambda kind, *_: Coarse(off) if kind == torch.bfloat16 else slow
    found = measure(slow, [None])
    assert found.precision == precision and len(found.measured) >= 2

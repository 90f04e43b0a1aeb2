"""The pretrained head: what one shop's variants teach is of use in a shop that shows none."""

from dataclasses import replace

import numpy as np
import pytest

from mmdemo.catalog.catalog import Product
from mmdemo.core.errors import InputError
from mmdemo.core.holdout import Holdout
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.fusion.fit import fit
from mmdemo.fusion.heads import Mean
from mmdemo.fusion.pretrained_head import PRETRAINED, pretrained_head, save_pretrained
from mmdemo.fusion.select import evaluate_head
from mmdemo.fusion.train import TrainingOptions
from mmdemo.fusion.training_tasks import TrainingTasks, evaluation_queries
from tests.toys import ToyEncoder
from training.general import together


def encode_text(texts):
    return text_embeddings(ToyEncoder(), texts)


def without_crops(shop, products=None):
    """The shop whose pictures are their own augmentation, and with other products for the same pictures."""
    return replace(shop, products=products or shop.products, augmented=shop.image)


@pytest.fixture(scope="module")
def pretrained(encoded_shop):
    return fit(without_crops(encoded_shop), ToyEncoder(), heads=("attention",), options=TrainingOptions(steps=120)).head


def test_a_catalogue_without_attributes_understands_composed_queries_that_another_one_taught(encoded_shop, pretrained):
    """The same pictures without columns and parents: nothing here says what "in blue" means."""
    plain = [Product(p.id, p.image, p.title) for p in encoded_shop.products]
    got = fit(without_crops(encoded_shop, plain), ToyEncoder(), options=TrainingOptions(steps=60), start=pretrained)
    assert set(got.scores) == {"mean", "attention"} and "edit" not in got.scores["mean"]
    tasks = TrainingTasks(without_crops(encoded_shop), encode_text, ToyEncoder.dim, np.random.default_rng(0))
    queries = [q for q in evaluation_queries(tasks, "valid", 200, np.random.default_rng(1)) if q.task == "edit"]
    mean = Mean(ToyEncoder.dim, encoded_shop.image.shape[1], encoded_shop.text.shape[1])
    assert evaluate_head(got.head, tasks, queries)["edit"] > 1.3 * evaluate_head(mean, tasks, queries)["edit"]


def test_how_photo_and_words_are_mixed_stays_as_it_was_where_no_edits_are_shown(encoded_shop, pretrained):
    plain = [Product(p.id, p.image, p.title) for p in encoded_shop.products]
    got = fit(
        without_crops(encoded_shop, plain), ToyEncoder(), options=TrainingOptions(steps=60), start=pretrained
    ).head
    if got.name != "mean":
        before, after = pretrained.state_dict(), got.state_dict()
        mixing = [name for name in before if name.startswith(("joint", "key", "queries", "both_weights"))]
        assert mixing and all((before[name] == after[name]).all() for name in mixing)


def test_a_pretrained_head_never_sees_what_a_report_of_one_of_its_shops_calls_unseen(encoded_shop):
    tasks = together([encoded_shop, encoded_shop], encode_text, np.random.default_rng(0), ToyEncoder.dim)
    own = [Holdout().split_of(p) for p in encoded_shop.products]
    assert tasks.split.tolist() == 2 * own and {"train", "valid", "test"} == set(own)
    assert len({p.id for p in tasks.products}) == tasks.n  # and the second shop's products are others than the first's


def test_a_pretrained_head_serves_only_the_encoder_that_it_was_made_for(pretrained, tmp_path):
    encoder = ToyEncoder()
    encoder.spec = str(tmp_path)
    assert pretrained_head(encoder) is None
    save_pretrained(pretrained, tmp_path / PRETRAINED, encoder)
    found = pretrained_head(encoder)
    assert found.name == "attention"
    assert all(
        (a == b).all() for a, b in zip(found.state_dict().values(), pretrained.state_dict().values(), strict=True)
    )
    encoder.weights_hash = "of other weights"
    assert pretrained_head(encoder) is None
    (tmp_path / PRETRAINED).write_bytes(b"no head")
    with pytest.raises(InputError, match="not a fusion head"):
        pretrained_head(encoder)

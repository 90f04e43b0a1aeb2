"""The general head: what one shop's variants teach is of use in a shop that shows none."""

import numpy as np
import pytest

from mmdemo.catalog import Catalog, Product
from mmdemo.embed import embed, text_rows
from mmdemo.errors import InputError
from mmdemo.fit import fit
from mmdemo.fusion import Mean
from mmdemo.general import GENERAL, general_head, save_general
from mmdemo.lessons import Lessons, questions, split_of
from mmdemo.validation import judge
from tests.toys import ToyEncoder, toy_catalogue
from training.general import together


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = toy_catalogue(tmp_path_factory.mktemp("general") / "shop", copies=12)
    return embed(Catalog.read(folder), ToyEncoder(), tmp_path_factory.mktemp("work") / "work")


def said(texts):
    return text_rows(ToyEncoder(), texts)


@pytest.fixture(scope="module")
def general(shop):
    return fit(shop.products, shop.image, shop.text, said, ToyEncoder.dim, steps=120, heads=("attention",)).head


def test_a_catalogue_without_attributes_understands_edits_that_another_one_taught(shop, general):
    """The same pictures without columns and parents: nothing here says what "in blue" means."""
    plain = [Product(p.id, p.image, p.title) for p in shop.products]
    got = fit(plain, shop.image, shop.text, said, ToyEncoder.dim, steps=60, start=general)
    assert set(got.scores) == {"mean", "attention"} and "edit" not in got.scores["mean"]
    data = Lessons(shop.products, shop.image, shop.text, None, said, np.random.default_rng(0))
    edits = [q for q in questions(data, "valid", 200, np.random.default_rng(1)) if q.task == "edit"]
    mean = Mean(ToyEncoder.dim, shop.image.shape[1], shop.text.shape[1])
    assert judge(got.head, data, edits)["edit"] > 1.3 * judge(mean, data, edits)["edit"]


def test_how_photo_and_words_are_mixed_stays_as_it_was_where_no_edits_are_shown(shop, general):
    plain = [Product(p.id, p.image, p.title) for p in shop.products]
    got = fit(plain, shop.image, shop.text, said, ToyEncoder.dim, steps=60, start=general).head
    if got.name != "mean":
        before, after = general.state_dict(), got.state_dict()
        mixing = [name for name in before if name.startswith(("joint", "key", "queries", "of_both"))]
        assert mixing and all((before[name] == after[name]).all() for name in mixing)


def test_a_general_head_never_sees_what_a_report_of_one_of_its_shops_calls_unseen(shop):
    data = together([shop, shop], said, np.random.default_rng(0), ToyEncoder.dim)
    own = [split_of(p) for p in shop.products]
    assert data.split.tolist() == 2 * own and {"train", "valid", "test"} == set(own)
    assert len({p.id for p in data.products}) == data.n  # and the second shop's products are others than the first's


def test_a_general_head_serves_only_the_encoder_that_it_was_made_for(general, tmp_path):
    encoder = ToyEncoder()
    encoder.spec = str(tmp_path)
    assert general_head(encoder) is None
    save_general(general, tmp_path / GENERAL, encoder)
    found = general_head(encoder)
    assert found.name == "attention"
    assert all((a == b).all() for a, b in zip(found.state_dict().values(), general.state_dict().values(), strict=True))
    encoder.weights_hash = "of other weights"
    assert general_head(encoder) is None
    (tmp_path / GENERAL).write_bytes(b"no head")
    with pytest.raises(InputError, match="not a fusion head"):
        general_head(encoder)

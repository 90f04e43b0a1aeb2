"""Fitting on a toy shop: what is learnt, what is refused, and that a seed decides everything."""

from dataclasses import replace

import numpy as np
import pytest

from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.core.holdout import Holdout
from mmdemo.core.vectors import normalize
from mmdemo.encode.embed import EncodedCatalog
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.fusion.fit import fit
from mmdemo.fusion.heads import HEADS, Mean
from mmdemo.fusion.select import evaluate_head
from mmdemo.fusion.train import TrainingOptions
from mmdemo.fusion.training_tasks import TEXT_TO_IMAGE, TrainingTasks, evaluation_queries
from mmdemo.pipeline import build as building
from tests.toys import ToyEncoder


def run(shop, heads=("concat", "weighted", "attention"), start=None, **options):
    return fit(
        replace(shop, augmented=shop.image), ToyEncoder(), heads=heads, options=TrainingOptions(**options), start=start
    )


@pytest.fixture(scope="module")
def fitted(encoded_shop):
    return run(encoded_shop, steps=60)


def test_the_chosen_head_is_never_worse_than_the_mean_on_validation(fitted):
    assert fitted.scores[fitted.head.name]["all"] >= fitted.scores["mean"]["all"]
    assert set(fitted.scores) == {"mean", "concat", "weighted", "attention"}


def test_words_find_products_that_carry_none_far_better_after_fitting(encoded_shop):
    """The other products teach what this shop's pictures and words have to do with each other."""
    encoder = ToyEncoder()
    apart = np.random.default_rng(3).normal(size=(encoder.dim, encoder.dim)).astype(np.float32)
    image, augmented = (
        normalize(rows[:, : encoder.dim] @ apart) for rows in (encoded_shop.image, encoded_shop.augmented)
    )  # no shared space now
    text = encoded_shop.text[:, : encoder.dim].copy()
    catalog = replace(encoded_shop, image=image, augmented=augmented, text=text)
    fitted = fit(catalog, encoder, heads=("weighted",), options=TrainingOptions(steps=150))
    tasks = TrainingTasks(catalog, lambda t: text_embeddings(encoder, t), encoder.dim, np.random.default_rng(0))
    unseen = [q for q in evaluation_queries(tasks, "test", 100, np.random.default_rng(0)) if q.task == TEXT_TO_IMAGE]
    before = evaluate_head(Mean(encoder.dim, *[encoder.dim] * 2), tasks, unseen)[TEXT_TO_IMAGE]
    assert evaluate_head(fitted.head, tasks, unseen)[TEXT_TO_IMAGE] > 2 * before
    bare = fitted.head.product_parts(image=image, text=0 * text)
    scores = fitted.head.fuse(text=text_embeddings(encoder, ["red mug"])) @ bare.sum(1).T
    assert encoded_shop.products[int(scores.argmax())].category == "Mug"


def test_of_heads_that_validation_hardly_tells_apart_the_one_that_knew_something_before_is_kept(encoded_shop):
    kinds, width = ("concat", "weighted"), (encoded_shop.image.shape[1], encoded_shop.text.shape[1])
    starts = {name: HEADS[name](ToyEncoder.dim, *width) for name in kinds}
    kept = {name: run(encoded_shop, steps=2, heads=kinds, start=start).head.name for name, start in starts.items()}
    assert kept == {name: name for name in kinds}
    fitted = run(encoded_shop, steps=2, heads=kinds)
    assert fitted.scores[fitted.head.name]["all"] == max(fitted.scores[name]["all"] for name in kinds)


def test_the_same_seed_gives_the_same_head(encoded_shop):
    a, b = (run(encoded_shop, steps=12, heads=("concat",), seed=4) for _ in range(2))
    assert a.scores == b.scores
    rows = {"image": encoded_shop.image, "text": encoded_shop.text}
    assert np.array_equal(a.head.fuse(**rows), b.head.fuse(**rows))


def test_held_out_products_are_named(encoded_shop, fitted):
    assert set(fitted.held_out) == {p.id for p in encoded_shop.products if Holdout().split_of(p) == "test"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p, i, t: (p[:12], i[:12], t[:12]), "at least 40 products"),
        (lambda p, i, t: (p, 0 * i, t), "no product has a picture"),
        (lambda p, i, t: (p, i, 0 * t), "no product has a text"),
        (lambda p, i, t: (p, np.repeat(i[:1], len(i), 0), t), "all pictures are the same"),
    ],
    ids=["twelve products", "no pictures", "no texts", "one picture"],
)
def test_a_catalogue_that_teaches_nothing_falls_back_to_the_mean_and_says_why(encoded_shop, change, reason):
    products, image, text = change(encoded_shop.products, encoded_shop.image, encoded_shop.text)
    fitted = fit(EncodedCatalog(products, image, image, text), ToyEncoder(), options=TrainingOptions(steps=5))
    assert fitted.head.name == "mean" and reason in fitted.note


def test_a_catalogue_without_attributes_or_categories_trains(encoded_shop):
    plain = [Product(p.id, p.image, p.title) for p in encoded_shop.products]
    fitted = run(replace(encoded_shop, products=plain), steps=20)
    assert fitted.scores[fitted.head.name]["all"] >= fitted.scores["mean"]["all"]
    assert "edit" not in fitted.scores["mean"]


@pytest.mark.parametrize(("compare", "pretrained"), [(False, True), (True, True), (False, False)])
def test_a_build_trains_the_head_that_goes_on_from_the_pretrained_one_and_others_where_they_are_to_be_compared(
    toy_folder, tmp_path, monkeypatch, compare, pretrained
):
    class Told(Exception):
        pass

    def fit_told(*_, heads, start, **__):
        raise Told(heads, start)

    start = HEADS["attention"](ToyEncoder.dim, ToyEncoder.dim, ToyEncoder.dim) if pretrained else None
    monkeypatch.setattr(building, "fit", fit_told)
    monkeypatch.setattr(building, "pretrained_head", lambda encoder: start)
    with pytest.raises(Told) as told:
        building.build(
            Catalog.read(toy_folder), ToyEncoder(), tmp_path / "out", building.BuildOptions(compare_heads=compare)
        )
    expected = ("attention",) if pretrained and not compare else ("concat", "weighted", "attention")
    assert told.value.args == (expected, start)

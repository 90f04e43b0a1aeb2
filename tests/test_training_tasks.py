"""What a catalogue asks in training and validation, of which products, with which right answers."""

import numpy as np

from mmdemo.catalog.catalog import Product
from mmdemo.core.holdout import Holdout
from mmdemo.encode.embeddings import text_embeddings
from mmdemo.fusion.composed_queries import ComposedQuery
from mmdemo.fusion.heads import Mean
from mmdemo.fusion.select import ranks_by_task
from mmdemo.fusion.training_tasks import (
    HALF,
    TEXT_TO_IMAGE,
    TrainingTasks,
    evaluation_queries,
    title_positives,
)
from tests.toys import ToyEncoder


def test_half_a_title_is_answered_by_every_product_that_carries_its_words():
    titles = ["Red mug", "red striped Mug", "Blue mug", ""]
    products = [Product(str(i), "", title) for i, title in enumerate(titles)]
    found = title_positives(products, ["mug", "red mug", "Blue", ""], [0, 0, 2, 3])
    assert [list(rows) for rows in found] == [[0, 1, 2], [0, 1], [2], [3]]


def test_a_composed_query_is_learnt_from_only_where_its_answer_is_of_the_same_split(encoded_shop):
    encoder = ToyEncoder()
    rows = {
        s: [i for i, p in enumerate(encoded_shop.products) if Holdout().split_of(p) == s] for s in ("train", "test")
    }
    composed = [ComposedQuery(rows["train"][0], "in blue", np.array(rows[s][1:3])) for s in ("test", "train")]
    encode = lambda t: text_embeddings(encoder, t)  # noqa: E731
    tasks = TrainingTasks(encoded_shop, encode, encoder.dim, np.random.default_rng(0), composed)
    assert list(tasks.eligible("edit", "train")) == [1] and list(tasks.eligible("edit", "test")) == []
    assert list(tasks.eligible("edit", "train", as_reported=True)) == [0, 1], "a page is asked for any product"


def test_a_head_is_judged_by_every_text_of_every_product_kept_aside(encoded_shop):
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    tasks = TrainingTasks(encoded_shop, lambda t: text_embeddings(encoder, t), encoder.dim, rng)
    queries = {q.task: q for q in evaluation_queries(tasks, "valid", 400, rng)}
    rows = np.flatnonzero(tasks.split == "valid")
    each = sorted(map(tuple, tasks.text_vectors[tasks.partial[rows].ravel()].tolist()))
    for task in ("text", "both", TEXT_TO_IMAGE):
        assert sorted(map(tuple, queries[task].text.tolist())) == each, task
    assert len(queries["image"].image) == len(rows)
    ranks = ranks_by_task(
        Mean(encoder.dim, encoded_shop.image.shape[1], encoded_shop.text.shape[1]), tasks, [*queries.values()]
    )
    assert all(len(ranks[task]) == len(rows) for task in queries if task != "edit"), "one figure for each product"
    limited = {q.task: q for q in evaluation_queries(tasks, "valid", 9, rng)}
    assert all(len(q.image) <= 9 for q in limited.values())


def test_the_probability_is_learnt_from_halves_of_titles_and_composed_queries_as_reported(
    encoded_shop,
):
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    tasks = TrainingTasks(encoded_shop, lambda t: text_embeddings(encoder, t), encoder.dim, rng)
    queries = {q.task: q for q in evaluation_queries(tasks, "valid", 50, rng, as_reported=True)}
    halves = tasks.text_vectors[np.unique(tasks.partial[:, HALF])].numpy()
    for task in ("text", "both"):
        assert all((halves == row).all(1).any() for row in queries[task].text.numpy()), task
    composed = queries["edit"]
    np.testing.assert_array_equal(composed.reference_text.numpy(), encoded_shop.text[composed.reference])


def test_variants_of_a_parent_are_never_split_between_training_and_test(encoded_shop):
    splits = {}
    for p in encoded_shop.products:
        assert splits.setdefault(p.parent, Holdout().split_of(p)) == Holdout().split_of(p)
    assert set(splits.values()) == {"train", "valid", "test"}

"""Block weights and the photo gate, tuned on a toy shop after training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmdemo.encode.embeddings import text_embeddings
from mmdemo.fusion.block_weights import fit_photo_gate, tune_block_weights
from mmdemo.fusion.heads import HEADS, Mean
from mmdemo.fusion.select import Validation, evaluate_head, mean_by_task
from mmdemo.fusion.training_tasks import TrainingTasks, evaluation_queries
from tests.toys import ToyEncoder


def test_a_photo_decides_where_its_words_only_describe_it_and_that_is_worth_what_wishes_lose(encoded_shop):
    """Photos that are known for sure beside words that are not: to follow those costs."""
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    tasks = TrainingTasks(encoded_shop, lambda t: text_embeddings(encoder, t), encoder.dim, rng)
    queries = {q.task: q for q in evaluation_queries(tasks, "valid", 400, rng)}
    width = (encoded_shop.image.shape[1], encoded_shop.text.shape[1])
    head, mean = (HEADS[name](encoder.dim, *width).eval() for name in ("concat", "mean"))
    validation = Validation.against(mean, tasks, [*queries.values()])
    queries["both"].image[:] = tasks.image[queries["both"].wanted]  # the very pictures
    before = evaluate_head(head, tasks, validation.queries)
    after = mean_by_task(fit_photo_gate(head, validation))
    assert head.photo_gate[0] > 0 and head.photo_gate[2] > 0 and after["both"] > before["both"] + 0.1
    assert before["edit"] - after["edit"] < after["both"] - before["both"]
    assert evaluate_head(head, tasks, [queries["both"], queries["edit"]]) == pytest.approx(after)
    before_gate = head.photo_gate.clone()
    fit_photo_gate(head, replace(validation, queries=[queries["both"]]))
    assert (head.photo_gate == before_gate).all(), "no wishes to tell descriptions from"


def test_a_photo_and_words_alone_ask_other_blocks_no_more_than_products_kept_aside_are_found_by_it(encoded_shop):
    """Pictures that say nothing of the words: who asks them too finds less."""
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    for name, own_block in (("text_weights", 2), ("image_weights", 0)):
        image, text = encoded_shop.image, encoded_shop.text
        if own_block:
            image = rng.permutation(image)
        else:
            text = rng.permutation(text)
        catalog = replace(encoded_shop, image=image, text=text, augmented=image)
        tasks = TrainingTasks(catalog, lambda t: text_embeddings(encoder, t), encoder.dim, np.random.default_rng(0))
        queries = evaluation_queries(tasks, "valid", 400, np.random.default_rng(0))
        queries = [q for q in queries if q.task in ("image", "text")]
        head = HEADS["concat"](encoder.dim, image.shape[1], text.shape[1]).eval()
        getattr(head, name).data.zero_()  # all blocks alike
        validation = Validation.against(Mean(encoder.dim, image.shape[1], text.shape[1]), tasks, queries)
        before, task = evaluate_head(head, tasks, queries), "text" if own_block else "image"
        tune_block_weights(head, validation)
        weights = getattr(head, name).exp()
        assert weights[own_block] == 1 and all(w < 0.3 for i, w in enumerate(weights) if i != own_block)
        assert evaluate_head(head, tasks, queries)[task] > before[task]


def test_words_go_on_asking_pictures_where_that_finds_more(encoded_shop):
    encoder = ToyEncoder()
    text = np.random.default_rng(1).permutation(encoded_shop.text)  # texts that say nothing of their products
    catalog = replace(encoded_shop, text=text, augmented=encoded_shop.image)
    tasks = TrainingTasks(catalog, lambda t: text_embeddings(encoder, t), encoder.dim, np.random.default_rng(0))
    queries = [q for q in evaluation_queries(tasks, "valid", 400, np.random.default_rng(0)) if q.task == "text"]
    head = HEADS["concat"](encoder.dim, encoded_shop.image.shape[1], text.shape[1]).eval()
    head.text_weights.data.copy_(torch.tensor([0.0, -3.0, 0.0]))
    mean = Mean(encoder.dim, encoded_shop.image.shape[1], text.shape[1])
    tune_block_weights(head, Validation.against(mean, tasks, queries))
    assert head.text_weights[0].exp() > 0.6

"""Training one head, and its loss."""

import numpy as np
import pytest
import torch

from mmdemo.encode.embeddings import text_embeddings
from mmdemo.fusion.heads import HEADS, Mean
from mmdemo.fusion.losses import info_nce
from mmdemo.fusion.select import Validation, evaluate_head
from mmdemo.fusion.train import TrainingOptions, train
from mmdemo.fusion.training_tasks import TrainingTasks, evaluation_queries
from tests.toys import ToyEncoder


def test_composed_queries_are_learnt_and_answered_far_better_than_by_the_mean(encoded_shop):
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    tasks = TrainingTasks(encoded_shop, lambda t: text_embeddings(encoder, t), encoder.dim, rng)
    queries = [q for q in evaluation_queries(tasks, "valid", 200, rng) if q.task == "edit"]
    width = (encoded_shop.image.shape[1], encoded_shop.text.shape[1])
    mean = Mean(encoder.dim, *width)
    head = HEADS["concat"](encoder.dim, *width)
    untrained = evaluate_head(head, tasks, queries)["edit"]
    train(head, Validation.against(mean, tasks, queries), {"edit": 1.0}, TrainingOptions(steps=200, seed=0))
    assert (
        evaluate_head(head, tasks, queries)["edit"]
        > 1.25 * untrained
        > 1.25 * evaluate_head(mean, tasks, queries)["edit"]
    )


def test_the_loss_is_the_mean_log_probability_of_the_positives():
    scores = torch.tensor([[2.0, 1.0, 0.0]])
    right = torch.tensor([[1.0, 1.0, 0.0]])
    p = torch.softmax(scores, 1)
    assert float(info_nce(scores, right)) == pytest.approx(-float((p[0, 0].log() + p[0, 1].log()) / 2), abs=1e-6)

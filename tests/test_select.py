"""Which head is selected: the simplest one that validation queries cannot tell from the best."""

import numpy as np
import pytest

from mmdemo.encode.embeddings import text_embeddings
from mmdemo.fusion.heads import Mean
from mmdemo.fusion.select import (
    baselines,
    evaluate_head,
    mean_by_task,
    objective,
    one_standard_error_rule,
    standard_error,
)
from mmdemo.fusion.training_tasks import TrainingTasks, evaluation_queries
from tests.toys import ToyEncoder

BASELINE = {"image": 0.5, "edit": 0.5}


def ranks(image, edit):
    return {"image": np.array(image, float), "edit": np.array(edit, float)}


def test_a_task_below_its_baseline_costs_double():
    figures = mean_by_task(ranks([1.0, 0.5], [0.25, 0.5]))
    assert figures == pytest.approx({"image": 0.75, "edit": 0.375, "all": 0.5625})
    assert objective(figures, BASELINE) == pytest.approx((0.75 + 0.375 - 0.125) / 2)


def test_it_is_the_standard_error_of_the_difference_over_the_same_queries():
    a, b = ranks([1, 1, 1, 1], [1, 1, 0.5, 0.5]), ranks([0.5, 1, 1, 1], [0.5, 1, 0.5, 0.5])
    by_task = [np.var([0.5, 0, 0, 0], ddof=1) / 4] * 2
    assert standard_error(a, b, BASELINE) == pytest.approx(np.sqrt(sum(by_task)) / 2)
    below = {"image": 0.9, "edit": 0.5}  # where a point lost counts double, so does what is not known of it
    assert standard_error(a, b, below) == pytest.approx(np.sqrt(4 * by_task[0] + by_task[1]) / 2)
    assert standard_error(a, a, BASELINE) == 0


def test_the_luck_of_one_query_moves_nothing_and_many_do():
    start, lucky = ranks([1] * 9, [0.5] * 9), ranks([1] * 9, [1.0] + [0.5] * 8)
    assert one_standard_error_rule([start, lucky, lucky], BASELINE) == 0
    good = ranks([1] * 9, [1.0] * 7 + [0.5] * 2)
    assert one_standard_error_rule([start, lucky, good, good], BASELINE) == 2
    assert one_standard_error_rule([good, start], BASELINE) == 0


def test_a_task_s_baseline_is_the_best_answer_that_needs_no_training(encoded_shop):
    """Falling below it is punished: a fused photo must not find less than the photo by itself."""
    encoder = ToyEncoder()
    rng = np.random.default_rng(0)
    tasks = TrainingTasks(encoded_shop, lambda t: text_embeddings(encoder, t), encoder.dim, rng)
    queries = evaluation_queries(tasks, "valid", 50, rng)
    mean = Mean(encoder.dim, encoded_shop.image.shape[1], encoded_shop.text.shape[1])
    baseline, by_mean = baselines(mean, tasks, queries), evaluate_head(mean, tasks, queries)
    q = next(q for q in queries if q.task == "both")
    rows = []
    for one, stored in ((q.image, encoded_shop.image), (q.text, encoded_shop.text)):
        scores = one.numpy()[:, : encoder.dim] @ stored[:, : encoder.dim].T
        best = np.array([scores[i][q.positives[i]].max() for i in range(len(scores))])
        wrong = [(scores[i][~q.positives[i]] >= best[i]).sum() for i in range(len(scores))]
        ranks = 1 / (1 + np.array(wrong))
        rows.append(np.mean([ranks[q.wanted == product].mean() for product in set(q.wanted)]))
    # Toys that look the same differ by rounding alone, and which comes first is luck.
    assert (
        baseline["both"] == pytest.approx(max(*rows, by_mean["both"]), abs=2e-3) and baseline["both"] > by_mean["both"]
    )
    assert all(baseline[q.task] >= by_mean[q.task] for q in queries) and set(baseline) == {q.task for q in queries}

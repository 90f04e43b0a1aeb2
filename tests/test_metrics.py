"""Every metric against hand-computed answers, brute force and ir-measures."""

import numpy as np
import pytest

from mmdemo.core.metrics import (
    Interval,
    ReliabilityBin,
    bootstrap_interval,
    capped_recall_at,
    chance_recall_at,
    expected_calibration_error,
    list_statistics,
    mean_reciprocal_rank,
    ndcg_at,
    paired_randomisation_test,
    precision_at,
    ranking_metrics,
    recall_at,
    reciprocal_ranks,
    reliability_curve,
)


def test_metrics_equal_the_hand_computed_ones():
    scores = np.array([[0.9, 0.8, 0.7, 0.1], [0.2, 0.9, 0.5, 0.4]], np.float32)
    values = ranking_metrics(scores, [np.array([0]), np.array([2, 0])])
    assert values["recall@1"].tolist() == [1, 0]
    assert values["recall@5"].tolist() == [1, 1]
    assert values["mrr"].tolist() == [1, 0.5]
    ideal = 1 + 1 / np.log2(3)
    assert values["ndcg@10"] == pytest.approx([1, (1 / np.log2(3) + 1 / np.log2(5)) / ideal])


def test_metrics_on_rankings_whose_answers_are_known():
    scores = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.2, 0.3, 0.1]])
    right = np.array([[0, 1, 0], [1, 0, 1], [0, 0, 0]], bool)  # second, first, nowhere: the last does not count
    assert recall_at(scores, right, 1) == 0.5 and recall_at(scores, right, 2) == 1.0
    assert mean_reciprocal_rank(scores, right) == pytest.approx((1 / 2 + 1) / 2)
    assert precision_at(scores[:2], right[:2], 2) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert chance_recall_at(np.eye(20, dtype=bool), 10) == pytest.approx(0.5)
    rng = np.random.default_rng(0)
    many = rng.random((1, 12)) < 0.3
    drawn = np.mean([many[0, rng.permutation(12)[:3]].any() for _ in range(20_000)])
    assert chance_recall_at(many, 3) == pytest.approx(drawn, abs=0.02)


def test_the_interval_covers_the_mean_and_narrows_with_more_queries():
    rng = np.random.default_rng(0)
    few, many = bootstrap_interval(rng.random(30).round()), bootstrap_interval(rng.random(3000).round())
    assert few.low <= few.value <= few.high
    assert many.high - many.low < (few.high - few.low) / 4
    assert bootstrap_interval(np.ones(10)) == Interval(1.0, 1.0, 1.0)


def test_the_paired_test_knows_a_difference_from_none():
    rng = np.random.default_rng(0)
    a = rng.random(200)
    better = paired_randomisation_test(a + 0.1, a)
    assert better.p < 0.001 and better.value == pytest.approx(0.1)
    assert paired_randomisation_test(a, a).p == 1 and paired_randomisation_test(a, rng.permutation(a)).p > 0.01


def test_lists_are_measured_against_known_answers():
    vectors = np.eye(20, dtype=np.float32)[np.repeat(np.arange(10), 2)]  # ten pairs of twins
    same = np.tile(np.arange(20, 0, -1, dtype=np.float32), (4, 1))
    statistics = list_statistics(same, vectors, k=2)  # every query shows the first pair
    assert statistics.diversity == pytest.approx(0) and statistics.coverage == pytest.approx(0.1)
    assert statistics.top_tenth == pytest.approx(1)
    spread = list_statistics(
        np.eye(20, dtype=np.float32)[::2] + np.roll(np.eye(20, dtype=np.float32), 2, 1)[::2], vectors, k=2
    )
    assert spread.diversity == pytest.approx(1) and spread.coverage == pytest.approx(0.5)
    assert spread.top_tenth == pytest.approx(0.2)


def test_calibration_error_is_the_gap_between_the_stated_and_the_real_share():
    right = np.array([True] * 8 + [False] * 2)
    assert expected_calibration_error(np.full(10, 0.8), right) == pytest.approx(0, abs=1e-6)
    assert expected_calibration_error(np.full(10, 0.3), right) == pytest.approx(0.5, abs=1e-6)


def test_the_reliability_curve_holds_the_stated_and_the_real_share_of_every_bin():
    match = np.array([0.05, 0.15, 0.15, 0.95, 0.85, 1.0])
    right = np.array([False, False, True, True, True, True])
    assert reliability_curve(match, right) == [
        ReliabilityBin(pytest.approx(0.05), 0, 1),
        ReliabilityBin(pytest.approx(0.15), 0.5, 2),
        ReliabilityBin(pytest.approx(0.85), 1, 1),
        ReliabilityBin(pytest.approx(0.975), 1, 2),
    ]
    assert expected_calibration_error(match, right) == pytest.approx((0.05 + 0.7 + 0.15 + 0.05) / 6)


def test_every_metric_equals_brute_force():
    rng = np.random.default_rng(0)
    scores, relevant = rng.random((30, 40)).astype(np.float32), rng.random((30, 40)) < 0.1
    relevant[:, 0] = True
    ranked = [[bool(relevant[q, a]) for a in sorted(range(40), key=lambda a: -scores[q, a])] for q in range(30)]
    first = [row.index(True) for row in ranked]
    assert reciprocal_ranks(scores, relevant) == pytest.approx([1 / (1 + f) for f in first])
    assert mean_reciprocal_rank(scores, relevant) == pytest.approx(np.mean([1 / (1 + f) for f in first]))
    assert recall_at(scores, relevant, 5) == pytest.approx(np.mean([f < 5 for f in first]))
    assert precision_at(scores, relevant, 5) == pytest.approx(np.mean([sum(row[:5]) / 5 for row in ranked]))
    capped = np.mean([sum(row[:5]) / min(5, sum(row)) for row in ranked])
    assert capped_recall_at(scores, relevant, 5) == pytest.approx(capped)


def test_ir_measures_gives_the_same_figures():
    rng = np.random.default_rng(1)
    scores, relevant = rng.random((30, 40)).astype(np.float32), rng.random((30, 40)) < 0.1
    relevant[:, 0] = True
    by_library = ranking_metrics(scores, [np.flatnonzero(row) for row in relevant])
    assert by_library["ndcg@10"] == pytest.approx(ndcg_at(scores, relevant, 10))
    assert by_library["mrr"] == pytest.approx(reciprocal_ranks(scores, relevant))
    for k in (1, 5, 10):
        assert by_library[f"recall@{k}"].mean() == pytest.approx(recall_at(scores, relevant, k))


def test_a_tie_with_a_wrong_answer_counts_as_lost():
    assert reciprocal_ranks(np.array([[1.0, 1.0, 0.0]]), np.array([[True, False, False]])).tolist() == [0.5]

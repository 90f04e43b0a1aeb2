"""From scores to probabilities: stated ones are right as often as they say, and never fall for a better score."""

import numpy as np
import pytest

from mmdemo.core.metrics import expected_calibration_error
from mmdemo.fusion.calibration import calibrate, z_scores


def one_answer_each(rng, count=600, products=60, answered=1.0):
    """Scores (count, products) of queries for one product each, which stands out where it is there at all."""
    scores = rng.normal(0.2, 0.1, (count, products)).astype(np.float32)
    right = np.zeros(scores.shape, bool)
    there = np.flatnonzero(rng.random(count) < answered)
    right[there, rng.integers(products, size=len(there))] = True
    scores[right] += rng.uniform(0.1, 0.4, len(there)).astype(np.float32)
    return scores, right


def probabilities_of(calibration, kind, scores, top=10):
    z = z_scores(scores)
    return np.stack([calibration.probability(kind, np.sort(row)[::-1][:top], row) for row in z])


def test_calibrated_probabilities_are_close_to_the_share_of_right_answers():
    rng = np.random.default_rng(0)
    calibration = calibrate({"image": one_answer_each(rng)})
    scores, right = one_answer_each(rng, answered=0.95)
    probability, was = (
        probabilities_of(calibration, "image", scores),
        np.take_along_axis(right, np.argsort(-scores, 1)[:, :10], 1),
    )
    assert expected_calibration_error(probability.ravel(), was.ravel()) < 0.03
    assert probability[:, 0].mean() == pytest.approx(was[:, 0].mean(), abs=0.05)


def test_an_answer_that_stands_alone_is_likelier_than_one_in_a_crowd():
    calibration = calibrate({"image": one_answer_each(np.random.default_rng(0))})
    first, crowd = np.array([4.0]), np.array([4.0] + 40 * [3.9])
    # As when a condition leaves the others out.
    assert calibration.probability("image", first, first)[0] > 0.2 + calibration.probability("image", first, crowd)[0]


def crowds(rng):
    """Scores (300, 150) of queries by words: one or many stand out far, all of them right, and some wrong ones less."""
    scores, right = rng.normal(0, 0.2, (300, 150)), np.zeros((300, 150), bool)
    for row, (first, many) in enumerate(zip(rng.uniform(4, 9, 300), rng.choice([1, 30], 300), strict=True)):
        scores[row, : many + 10] += first - np.r_[np.zeros(many), np.full(10, 1.5)]
        right[row, :many] = True
    return scores, right


def test_where_all_that_stand_out_are_right_a_crowd_does_not_count_against_them():
    calibration = calibrate({"text": crowds(np.random.default_rng(0))})
    scores, right = crowds(np.random.default_rng(1))
    probability, was = (
        probabilities_of(calibration, "text", scores),
        np.take_along_axis(right, np.argsort(-scores, 1)[:, :10], 1),
    )
    many = right.sum(1) > 1
    assert probability[many].mean() > 0.9 and probability[~many, 0].mean() > 0.9  # in a crowd and alone
    assert probability[~many, 1:].mean() < 0.1  # what lies behind is not
    assert expected_calibration_error(probability.ravel(), was.ravel()) < 0.05


def test_fewer_rivals_and_a_better_score_never_make_an_answer_less_likely():
    rng = np.random.default_rng(0)
    for answers in (one_answer_each(rng), crowds(rng)):
        calibration, z = calibrate({"text": answers}), np.sort(rng.normal(1, 1, 60))[::-1]
        fewer = [calibration.probability("text", z[:1], z[:n])[0] for n in (60, 20, 5, 1)]
        assert (np.diff(fewer) >= 0).all()
        higher = [calibration.probability("text", z[:1] + up, np.r_[z[0] + up, z[1:]])[0] for up in (0, 0.3, 1, 3)]
        assert (np.diff(higher) >= 0).all()


def test_a_match_is_there_without_answers_and_without_rivals():
    calibration, none = calibrate({"image": one_answer_each(np.random.default_rng(0))}), np.zeros(0, np.float32)
    assert len(calibration.probability("image", none, none)) == 0
    assert 0 < calibration.probability("image", np.array([2.0]), none)[0] < 1


def test_of_two_that_stand_alone_the_one_that_stands_out_further_is_likelier():
    calibration = calibrate({"image": one_answer_each(np.random.default_rng(0))})
    far, near = np.array([5.0]), np.array([1.5])
    assert calibration.probability("image", far, far) > calibration.probability("image", near, near)


def test_a_dim_query_whose_answer_stands_out_matches_like_a_bright_one():
    bright = np.array([[0.9, 0.3, 0.1, 0.2]], np.float32)
    np.testing.assert_allclose(z_scores(bright), z_scores(bright / 3), atol=1e-5)

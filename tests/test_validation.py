"""Which head is kept: never further from its start than the validation questions can tell."""

import numpy as np
import pytest

from mmdemo.validation import doubt, least_moved, means, merit

FLOOR = {"image": 0.5, "edit": 0.5}


def ranks(image, edit):
    return {"image": np.array(image, float), "edit": np.array(edit, float)}


def test_a_task_below_its_floor_costs_double():
    found = means(ranks([1.0, 0.5], [0.25, 0.5]))
    assert found == pytest.approx({"image": 0.75, "edit": 0.375, "all": 0.5625})
    assert merit(found, FLOOR) == pytest.approx((0.75 + 0.375 - 0.125) / 2)


def test_the_doubt_is_a_standard_error_of_the_difference_over_the_same_questions():
    a, b = ranks([1, 1, 1, 1], [1, 1, 0.5, 0.5]), ranks([0.5, 1, 1, 1], [0.5, 1, 0.5, 0.5])
    by_task = [np.var([0.5, 0, 0, 0], ddof=1) / 4] * 2
    assert doubt(a, b, FLOOR) == pytest.approx(np.sqrt(sum(by_task)) / 2)
    below = {"image": 0.9, "edit": 0.5}  # where a point lost counts double, so does what is not known of it
    assert doubt(a, b, below) == pytest.approx(np.sqrt(4 * by_task[0] + by_task[1]) / 2)
    assert doubt(a, a, FLOOR) == 0


def test_the_luck_of_one_question_moves_nothing_and_many_do():
    start, lucky = ranks([1] * 9, [0.5] * 9), ranks([1] * 9, [1.0] + [0.5] * 8)
    assert least_moved([start, lucky, lucky], FLOOR) == 0
    good = ranks([1] * 9, [1.0] * 7 + [0.5] * 2)
    assert least_moved([start, lucky, good, good], FLOOR) == 2
    assert least_moved([good, start], FLOOR) == 0

"""What every model of behaviour must do, on a small shop with two kinds of people whose right answers are clear."""

import numpy as np
import pytest

from mmdemo.behaviour.events import Events, histories
from mmdemo.behaviour.model import BehaviourModel

PRODUCTS = 7  # 0 to 2 are liked by one half of the people, 3 to 5 by the other half, 6 by nobody
CONTENT = np.eye(2)[[0, 0, 0, 1, 1, 1, 1]] + 0.01 * np.eye(7, 2)


def two_kinds(people: int = 20) -> Events:
    """Everybody likes two of the three products of their kind, in turn, one a day."""
    person, product = [], []
    for i in range(people):
        for j in range(2):
            person.append(i)
            product.append(3 * (i % 2) + (i // 2 + j) % 3)
    return Events(np.array(person), np.array(product), 86_400.0 * np.arange(len(person)), people, PRODUCTS)


class BehaviourContract:
    """Subclasses say which model; `personal` where a history matters to it."""

    personal = True

    def model(self) -> BehaviourModel:
        raise NotImplementedError

    @pytest.fixture
    def fitted(self) -> BehaviourModel:
        return self.model().fit(two_kinds())

    def test_products_that_the_same_people_liked_come_first(self, fitted):
        scores = fitted.score(histories([[0], [4]], PRODUCTS))
        if self.personal:
            assert scores[0, [1, 2]].min() > scores[0, [3, 4, 5]].max()
            assert scores[1, [3, 5]].min() > scores[1, [0, 1, 2]].max()
        else:
            assert (scores[0] == scores[1]).all() and scores[0, :6].min() > scores[0, 6]

    def test_many_histories_at_once_give_what_each_gives_alone(self, fitted):
        rows = [[0, 1], [], [5], [6, 2]]
        together = fitted.score(histories(rows, PRODUCTS))
        alone = np.vstack([fitted.score(histories([some], PRODUCTS)) for some in rows])
        assert together.dtype == np.float32 and together.shape == (4, PRODUCTS)
        np.testing.assert_allclose(together, alone, atol=1e-5)

    def test_the_shares_of_a_history_sum_to_the_score(self, fitted):
        history = np.array([0, 1, 4])
        scores = fitted.score(histories([history.tolist()], PRODUCTS))[0]
        for product in range(PRODUCTS):
            shares = fitted.explain(history, product)
            assert shares.history.shape == (3,) and shares.score == pytest.approx(scores[product], abs=1e-4)

    def test_people_may_be_counted_in_any_order(self, fitted):
        events = two_kinds()
        other = Events(events.people - 1 - events.person, events.product, events.time, events.people, PRODUCTS)
        seen = histories([[0], [4, 5]], PRODUCTS)
        np.testing.assert_allclose(self.model().fit(other).score(seen), fitted.score(seen), atol=2e-3)

    def test_what_is_kept_has_no_axis_of_people_and_gives_the_same_scores(self, fitted):
        state, seen = fitted.state(), histories([[0, 2]], PRODUCTS)
        assert all(20 not in array.shape for array in state.values())
        np.testing.assert_allclose(self.model().restore(state).score(seen), fitted.score(seen), atol=1e-5)

    def test_products_may_move_leave_and_come(self, fitted):
        rows = np.array([2, 0, -1, 4])
        moved = fitted.aligned(rows, CONTENT[[2, 0, 6, 4]])
        before = fitted.score(histories([[0]], PRODUCTS))[0]
        after = moved.score(histories([[1]], 4))[0]
        assert len(after) == 4 and (after[0] > after[3]) == (before[2] > before[4])
        assert np.isfinite(after).all()

import numpy as np
import pytest

from mmdemo.core.vectors import normalize
from mmdemo.explain.projection import place, principal, project


def crowds(count: int = 6, each: int = 20, dim: int = 24, spread: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows in `count` groups, and the group of each row."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(count, dim))
    group = np.repeat(np.arange(count), each)
    rows = centres[group] + spread * rng.normal(size=(count * each, dim))
    return normalize(rows.astype(np.float32)), group


def nearest(points: np.ndarray, row: int) -> int:
    apart = ((points - points[row]) ** 2).sum(1)
    apart[row] = np.inf
    return int(apart.argmin())


def test_what_is_alike_lies_together() -> None:
    rows, group = crowds()
    points = project(rows)
    assert points.shape == (len(rows), 2) and points.dtype == np.float32
    right = [group[nearest(points, row)] == group[row] for row in range(len(rows))]
    assert np.mean(right) >= 0.98


def test_neighbours_are_kept_better_than_by_principal_components() -> None:
    rows, _ = crowds(count=12, each=12, spread=0.5)
    cosines = rows @ rows.T - 2 * np.eye(len(rows))
    true = cosines.argmax(1)

    def kept(points: np.ndarray) -> float:
        apart = ((points[:, None] - points[None]) ** 2).sum(2) + 9e9 * np.eye(len(points))
        return float(np.mean([t in near for t, near in zip(true, apart.argsort(1)[:, :10], strict=True)]))

    assert kept(project(rows)) > kept(principal(rows)) + 0.2


def test_two_runs_give_the_same_plane() -> None:
    rows, _ = crowds(count=8, each=30)  # more than the sample that pushes, so chance is in play
    assert np.array_equal(project(rows), project(rows.copy()))


def test_the_plane_fills_a_square_from_minus_one_to_one() -> None:
    points = project(crowds()[0])
    low, high = points.min(0), points.max(0)
    assert (high - low).max() == pytest.approx(2, abs=1e-5)
    assert low + high == pytest.approx(np.zeros(2), abs=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_a_handful_of_products_has_a_plane_too(count: int) -> None:
    points = project(crowds(count=1, each=count)[0])
    assert points.shape == (count, 2) and np.isfinite(points).all() and abs(points).max() <= 1 + 1e-6


def test_copies_of_one_product_do_no_harm() -> None:
    rows = np.repeat(crowds(count=1, each=1)[0], 40, axis=0)
    assert np.isfinite(project(rows)).all()


def test_a_known_product_is_placed_beside_itself_and_a_stranger_among_its_crowd() -> None:
    rows, group = crowds()
    points = project(rows)
    spot = place(rows, points, rows[0])
    assert group[((points - spot) ** 2).sum(1).argmin()] == group[0]
    between = normalize((rows[group == 2].mean(0))[None])[0]
    spot = place(rows, points, between)
    crowd = points[group == 2]
    assert (spot >= crowd.min(0) - 1e-6).all() and (spot <= crowd.max(0) + 1e-6).all()

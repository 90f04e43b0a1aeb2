"""What every vector store promises; scores and ids are compared with brute force.

A test file takes the lot by `from tests.store_contract import *` and gives a fixture `store`: one that is empty and
takes rows of DIM numbers. `full` has 300 in it.
"""

import json

import numpy as np
import pytest

from mmdemo.core.vectors import normalize

DIM = 24
IDS = np.arange(300) * 7 + 3


def unit(n: int, seed: int = 0) -> np.ndarray:
    return normalize(np.random.default_rng(seed).standard_normal((n, DIM)))


def brute(vectors, k, allowed=None):
    base = unit(300)
    keep = np.ones(300, bool) if allowed is None else np.isin(IDS, allowed)
    scores = vectors @ base[keep].T
    order = np.argsort(-scores, 1)[:, :k]
    return np.take_along_axis(scores, order, 1), IDS[keep][order]


@pytest.fixture
def full(store):
    store.add(IDS, unit(300))
    return store


def test_search_gives_the_ids_and_scores_of_brute_force(full):
    q = unit(9, seed=1)
    scores, ids = full.search(q, 10)
    want_scores, want_ids = brute(q, 10)
    assert (ids == want_ids).all()
    np.testing.assert_allclose(scores, want_scores, atol=1e-5)


@pytest.mark.parametrize("n", [1, 3, 12, 150])
def test_a_filter_returns_k_of_the_allowed_while_k_exist(full, n):
    q = unit(5, seed=2)
    allowed = np.random.default_rng(n).permutation(IDS)[:n]
    scores, ids = full.search(q, min(10, n), allowed)
    want_scores, want_ids = brute(q, min(10, n), allowed)
    assert (ids == want_ids).all()
    np.testing.assert_allclose(scores, want_scores, atol=1e-5)


def test_a_short_answer_is_padded_with_minus_one_and_minus_infinity(full):
    scores, ids = full.search(unit(1, seed=3), 5, np.array([3, 10]))
    assert sorted(ids[0, :2]) == [3, 10] and (ids[0, 2:] == -1).all()
    assert np.isneginf(scores[0, 2:]).all()
    _, ids = full.search(unit(1), 3, np.array([], np.int64))
    assert (ids == -1).all()


def test_a_filter_may_name_ids_that_are_not_there(full):
    _, ids = full.search(unit(1, seed=3), 3, np.array([10, 4, 999_999, 3]))
    assert sorted(ids[0]) == [-1, 3, 10]


def test_a_stored_vector_finds_itself_with_score_one(full):
    scores, ids = full.search(unit(300)[42:43], 1)
    assert ids[0, 0] == 42 * 7 + 3 and scores[0, 0] == pytest.approx(1, abs=1e-5)


def test_batch_equals_single(full):
    q = unit(6, seed=4)
    scores, ids = full.search(q, 4)
    for i in range(6):
        one_scores, one_ids = full.search(q[i : i + 1], 4)
        assert (one_ids[0] == ids[i]).all()
        np.testing.assert_allclose(one_scores[0], scores[i], atol=1e-6)


def test_as_many_as_there_are_come_when_all_are_asked_for(full):
    scores, ids = full.search(unit(1, seed=6), 300)
    assert sorted(ids[0]) == sorted(IDS) and (np.diff(scores[0]) <= 0).all()


def test_removed_products_are_gone_and_the_rest_stays(full):
    assert full.remove(np.array([3, 10, 999_999])) == 2
    assert len(full) == 298
    _, ids = full.search(unit(300)[:1], 298)
    assert 3 not in ids and 10 not in ids
    full.add(np.array([3]), unit(300)[:1])
    assert full.search(unit(300)[:1], 1)[1][0, 0] == 3


def test_a_store_that_was_emptied_takes_new_vectors(full):
    assert full.remove(IDS) == 300 and len(full) == 0
    full.add(np.array([5]), unit(1))
    assert full.search(unit(1), 2)[1].tolist() == [[5, -1]]


def test_a_known_id_is_refused(full):
    with pytest.raises(ValueError, match="stored already"):
        full.add(np.array([3]), unit(1))
    with pytest.raises(ValueError, match="stored already"):
        full.add(np.array([5, 5]), unit(2))
    assert len(full) == 300


def test_a_vector_that_is_not_unit_or_of_another_size_is_refused(store):
    with pytest.raises(ValueError, match="length one"):
        store.add(np.array([1]), 2 * unit(1))
    with pytest.raises(ValueError, match="expected 1 rows of 24 numbers"):
        store.add(np.array([1]), unit(1)[:, :5])


def test_the_stored_vectors_come_back_as_they_were(full):
    np.testing.assert_allclose(full.vectors(IDS[[7, 0, 299, 8]]), unit(300)[[7, 0, 299, 8]], atol=1e-6)
    assert full.vectors(np.array([], np.int64)).shape == (0, DIM)
    with pytest.raises(KeyError):
        full.vectors(np.array([3, 4]))


def test_recall_is_what_brute_force_counts(full):
    q = unit(20, seed=8)
    found, (_, want) = full.search(q, 10)[1], brute(q, 10)
    assert full.recall(q) == pytest.approx(np.mean([np.isin(w, f).mean() for w, f in zip(want, found, strict=True)]))


def test_a_store_describes_itself_for_a_manifest(full):
    assert json.loads(json.dumps(full.describe()))["kind"]


def test_save_and_load_keep_every_answer(full, tmp_path):
    q = unit(5, seed=5)
    before = full.search(q, 7)
    full.save(tmp_path / "file")
    again = type(full).load(tmp_path / "file")
    assert len(again) == 300
    after = again.search(q, 7)
    assert (before[1] == after[1]).all()
    np.testing.assert_allclose(before[0], after[0], atol=1e-6)
    assert again.remove(np.array([3])) == 1


def test_a_loaded_store_is_added_to_and_removed_from_and_saved_again(full, tmp_path):
    full.save(tmp_path / "file")
    again = type(full).load(tmp_path / "file")
    again.add(np.array([5, 1]), unit(2, seed=9))
    assert again.remove(np.array([10, 3])) == 2
    for store in (again, None):
        if store is None:
            again.save(tmp_path / "file")
            store = type(full).load(tmp_path / "file")
        assert len(store) == 300
        assert store.search(unit(2, seed=9), 1)[1].tolist() == [[5], [1]]
        assert not np.isin([3, 10], store.search(unit(300)[:2], 300)[1]).any()
        np.testing.assert_allclose(store.vectors(np.array([1, 17])), [unit(2, seed=9)[1], unit(300)[2]], atol=1e-6)

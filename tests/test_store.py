"""One contract for every vector store; scores and ids are compared with brute force."""

import numpy as np
import pytest

from mmdemo.errors import InputError
from mmdemo.store import FaissStore, NumpyStore
from mmdemo.vectors import normalize

DIM = 24


def unit(n: int, seed: int = 0) -> np.ndarray:
    return normalize(np.random.default_rng(seed).standard_normal((n, DIM)))


@pytest.fixture(params=[NumpyStore, FaissStore])
def store(request):
    return request.param(DIM)


@pytest.fixture
def full(store):
    store.add(np.arange(300) * 7 + 3, unit(300))
    return store


def brute(vectors, k, allowed=None):
    ids, base = np.arange(300) * 7 + 3, unit(300)
    keep = np.ones(300, bool) if allowed is None else np.isin(ids, allowed)
    scores = vectors @ base[keep].T
    order = np.argsort(-scores, 1)[:, :k]
    return np.take_along_axis(scores, order, 1), ids[keep][order]


def test_search_gives_the_ids_and_scores_of_brute_force(full):
    q = unit(9, seed=1)
    scores, ids = full.search(q, 10)
    want_scores, want_ids = brute(q, 10)
    assert (ids == want_ids).all()
    np.testing.assert_allclose(scores, want_scores, atol=1e-5)


@pytest.mark.parametrize("n", [1, 3, 12, 150])
def test_a_filter_returns_k_of_the_allowed_while_k_exist(full, n):
    q = unit(5, seed=2)
    allowed = np.random.default_rng(n).permutation(np.arange(300) * 7 + 3)[:n]
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


def test_removed_products_are_gone_and_the_rest_stays(full):
    assert full.remove(np.array([3, 10, 999_999])) == 2
    assert len(full) == 298
    _, ids = full.search(unit(300)[:1], 298)
    assert 3 not in ids and 10 not in ids
    full.add(np.array([3]), unit(300)[:1])
    assert full.search(unit(300)[:1], 1)[1][0, 0] == 3


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


def test_save_and_load_keep_every_answer(full, tmp_path):
    q = unit(5, seed=5)
    before = full.search(q, 7)
    full.save(tmp_path / "file")
    again = type(full).load(tmp_path / "file")
    assert len(again) == 300
    after = again.search(q, 7)
    assert (before[1] == after[1]).all() and np.array_equal(before[0], after[0])
    assert again.remove(np.array([3])) == 1


def test_a_file_that_is_no_faiss_index_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "index.faiss").write_bytes(b"not an index at all")
    with pytest.raises(InputError, match="build the index again"):
        FaissStore.load(tmp_path / "index.faiss")


def test_a_search_leaves_the_number_of_threads_as_it_was(full):
    """FAISS and torch share it, and an encoder's sums differ in the last digit with it."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        full.search(unit(1), 1)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)

"""The stores in this process keep the contract; what FAISS does past the size up to which it is exact."""

import subprocess
import sys

import faiss
import numpy as np
import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.request import Filter, Query
from mmdemo.core.vectors import normalize
from mmdemo.index.exact import sampled
from mmdemo.index.store import BESIDE, FaissStore, NumpyStore
from tests.store_contract import *  # noqa: F403
from tests.store_contract import DIM, IDS, unit

KINDS = {"numpy": NumpyStore, "exact": FaissStore, "lists": lambda dim: FaissStore(dim, exact=50)}


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def store(request):
    return request.param(DIM)


@pytest.fixture(scope="module")
def crowd():
    """Six thousand vectors around two hundred, and queries like them."""
    rng = np.random.default_rng(1)
    centres = normalize(rng.standard_normal((200, DIM)))
    vectors = normalize(centres[rng.integers(200, size=6000)] + 0.12 * rng.standard_normal((6000, DIM)))
    return vectors, sampled(vectors, 50, seed=2)


@pytest.fixture(scope="module")
def lists(crowd):
    """They in inverted lists."""
    store = FaissStore(DIM, exact=0)
    store.add(np.arange(6000), crowd[0])
    return store


def found(store, queries, k, allowed=None):
    """The share of the true k nearest of those allowed that the store gives back."""
    vectors = store.vectors(np.arange(6000) if allowed is None else allowed)
    names = np.arange(6000) if allowed is None else allowed
    k = min(k, len(names))
    want = names[np.argsort(-(queries @ vectors.T), axis=1)[:, :k]]
    return np.mean([np.isin(w, f).mean() for w, f in zip(want, store.search(queries, k, allowed)[1], strict=True)])


def test_few_vectors_are_exact_and_in_one_file_as_ever(full, tmp_path):
    full.save(tmp_path / "index.faiss")
    if isinstance(full, FaissStore) and full.exact > 300:
        assert [p.name for p in tmp_path.iterdir()] == ["index.faiss"] and full.describe()["kind"] == "exact"
        plain = faiss.IndexIDMap2(faiss.IndexFlatIP(DIM))
        plain.add_with_ids(unit(300), IDS)
        faiss.write_index(plain, str(tmp_path / "before"))
        assert (tmp_path / "before").read_bytes() == (tmp_path / "index.faiss").read_bytes()


def test_more_vectors_than_are_compared_one_by_one_go_into_lists():
    store = FaissStore(DIM, exact=250)
    store.add(IDS[:200], unit(300)[:200])
    assert store.describe()["kind"] == "exact"
    store.add(IDS[200:], unit(300)[200:])
    assert store.describe()["kind"] == "ivf-sq8" and len(store) == 300
    assert store.search(unit(300), 1)[1][:, 0].tolist() == IDS.tolist()


@pytest.mark.parametrize("probes", [1, 4, 64])
def test_the_recall_that_lists_state_is_what_brute_force_counts(lists, crowd, monkeypatch, probes):
    monkeypatch.setattr("mmdemo.index.store.PROBES", probes)
    stated = lists.recall(crowd[1])
    assert stated == pytest.approx(found(lists, crowd[1], 10))
    assert stated < 0.9 if probes == 1 else stated >= 0.98 if probes == 64 else True


@pytest.mark.parametrize("share", [1.0, 0.1, 0.01, 0.001])
@pytest.mark.parametrize("few", [2, 100])
def test_filters_find_the_nearest_of_the_allowed_however_few_they_are(lists, crowd, monkeypatch, share, few):
    monkeypatch.setattr("mmdemo.index.store.FEW", few)
    allowed = np.sort(np.random.default_rng(3).permutation(6000)[: int(6000 * share)])
    assert found(lists, crowd[1], 10, allowed) >= 0.98


def test_scores_of_lists_are_exact(lists, crowd):
    scores, ids = lists.search(crowd[1], 5)
    np.testing.assert_allclose(scores, np.einsum("qd,qkd->qk", crowd[1], crowd[0][ids]), atol=1e-6)


def test_lists_that_do_not_hold_enough_are_not_the_end(lists, crowd, monkeypatch):
    monkeypatch.setattr("mmdemo.index.store.PROBES", 1)
    _, ids = lists.search(crowd[1][:3], 2000)
    assert (ids >= 0).all() and all(len(set(row)) == 2000 for row in ids.tolist())
    assert found(lists, crowd[1][:3], 2000) == 1


def test_ids_may_be_large(crowd):
    store = FaissStore(DIM, exact=0)
    far = np.arange(6000) + 10**15
    store.add(far, crowd[0])
    assert (store.search(crowd[0][:9], 1, far[:5000])[1][:, 0] == far[:9]).all()


def test_what_was_removed_from_lists_is_in_no_file(tmp_path):
    store = FaissStore(DIM, exact=0)
    store.add(IDS, unit(300))
    store.save(tmp_path / "index.faiss")
    secret = unit(300)[5].tobytes()
    assert secret in (tmp_path / f"index.faiss{BESIDE}").read_bytes()
    store = FaissStore.load(tmp_path / "index.faiss")
    store.remove(IDS[5:6])
    store.save(tmp_path / "index.faiss")
    for file in tmp_path.iterdir():
        assert secret not in file.read_bytes() and int(IDS[5]).to_bytes(8, "little") not in file.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["index.faiss", f"index.faiss{BESIDE}"]


def test_a_file_that_is_no_faiss_index_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "index.faiss").write_bytes(b"not an index at all")
    with pytest.raises(InputError, match="build the index again"):
        FaissStore.load(tmp_path / "index.faiss")


def test_an_index_of_another_kind_is_refused_in_a_sentence(tmp_path):
    faiss.write_index(faiss.IndexHNSWFlat(DIM, 4), str(tmp_path / "index.faiss"))
    with pytest.raises(InputError, match="of another kind"):
        FaissStore.load(tmp_path / "index.faiss")


LYING = """
import sys
from pathlib import Path
from mmdemo.catalog import decoder_process as aside
from mmdemo.core.errors import InputError
from mmdemo.index.store import FaissStore

aside.limit_memory(200_000_000)
path = Path(sys.argv[1])
good, refused = path.read_bytes(), 0
for at in map(int, sys.argv[2:]):
    path.write_bytes(good[:at] + (2**28).to_bytes(8, "little") + good[at + 8 :])
    try:
        FaissStore.load(path)
    except InputError as error:
        assert type(error.__cause__) is not MemoryError, at
        refused += 1
print(refused)
"""


@pytest.mark.parametrize("exact", [None, 0])
def test_counts_that_lie_take_no_more_memory_than_the_file_is_long(tmp_path, exact):
    """A file that somebody crafted, its hashes made to match."""
    store = FaissStore(DIM, exact=exact)
    store.add(IDS, unit(300))
    store.save(tmp_path / "index.faiss")
    made = (tmp_path / "index.faiss").read_bytes()
    lists, ids = made.find(b"ilar"), len(made) - 8 * len(IDS)
    places = [*range(4, 150), *(range(lists - 60, lists + 60) if exact == 0 else range(ids - 12, ids))]
    command = [sys.executable, "-c", LYING, str(tmp_path / "index.faiss"), *map(str, places)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0 and int(said.stdout) > 50, said.stderr[-2000:]


def test_lists_in_a_file_that_no_hash_vouches_for_are_refused(tmp_path):
    store = FaissStore(DIM, exact=0)
    store.add(IDS, unit(300))
    other = faiss.OnDiskInvertedLists(store._index.nlist, store._index.code_size, str(tmp_path / "other"))
    other.merge_from_1(store._index.invlists)
    store._index.replace_invlists(other, False)
    store.save(tmp_path / "index.faiss")
    with pytest.raises(InputError, match="of another kind"):
        FaissStore.load(tmp_path / "index.faiss")


@pytest.mark.parametrize("harm", ["gone", "cut", "empty", "of others", "of another width"])
def test_lists_without_their_exact_vectors_are_refused_in_a_sentence(tmp_path, harm):
    store = FaissStore(DIM, exact=0)
    store.add(IDS, unit(300))
    store.save(tmp_path / "index.faiss")
    beside = tmp_path / f"index.faiss{BESIDE}"
    if harm == "gone":
        beside.unlink()
    elif harm == "cut":
        beside.write_bytes(beside.read_bytes()[:-100])
    elif harm == "empty":
        beside.write_bytes(b"")
    else:
        np.save(beside, unit(299) if harm == "of others" else np.zeros((300, DIM + 1), np.float32))
    with pytest.raises(InputError, match=r"index\.faiss\.vectors\.npy .*build the index again") as refused:
        FaissStore.load(tmp_path / "index.faiss")
    assert "\n" not in str(refused.value)


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


def test_an_index_past_that_size_saves_loads_and_answers_like_an_exact_one(toy_recommender, tmp_path, monkeypatch):
    index = toy_recommender.index
    monkeypatch.setattr("mmdemo.index.store.EXACT", 0)
    grown = toy_recommender.on(type(index)(index.contents()).save(tmp_path / "index"))
    assert grown.index.store.describe()["kind"] == "ivf-sq8"
    assert f"index.faiss{BESIDE}" in grown.index.manifest.files
    for query in (
        Query(text="blue mug", k=5),
        Query(text="tray", k=48, filters=(Filter.parse("colour=Red"),)),
        Query(like=("mug-0-red",), k=7, fold=True, diversity=0.3),
    ):
        exact, lists = toy_recommender.recommend(query), grown.recommend(query)
        assert [r.score for r in lists] == pytest.approx([r.score for r in exact], abs=1e-6)
        assert {r.id for r in lists} == {r.id for r in exact}
    (grown.index.folder / f"index.faiss{BESIDE}").unlink()
    with pytest.raises(InputError, match=r"build it again"):
        type(index).load(tmp_path / "index")

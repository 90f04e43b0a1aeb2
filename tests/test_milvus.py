"""The vectors in Milvus: the contract of every store, and an index on top of it, in a local file and on a real server.

The server is that of the package `milvus`, started here in a folder of its own and stopped at the end.
"""

import json
import os
import shutil
import socket
import sys
import time

import numpy as np
import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.core.vectors import normalize
from mmdemo.index.backends import MILVUS
from mmdemo.index.milvus import MilvusStore, connect, place
from mmdemo.index.product_index import ProductIndex
from mmdemo.pipeline.build import BuildOptions, add, build, remove
from tests.store_contract import *  # noqa: F403
from tests.store_contract import DIM, IDS, brute, unit
from tests.toys import ToyEncoder

TOKEN = "root:Milvus"  # what a server asks for until somebody changes it


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    milvus = pytest.importorskip("milvus", reason="pip install -r requirements-milvus.txt brings the Milvus server")
    folder = tmp_path_factory.mktemp("milvus")
    config = milvus.MilvusServerConfig(data_dir=str(folder))
    config.set("authorization_enabled", True)
    running = milvus.MilvusServer(config)
    os.environ["MILVUS_TOKEN"] = TOKEN
    running.start()
    try:
        yield f"http://127.0.0.1:{running.listen_port}"
    finally:
        running.stop()
        del os.environ["MILVUS_TOKEN"]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module", params=["a file", "a server"])
def uri(request, tmp_path_factory):
    pytest.importorskip("pymilvus", reason="pip install -r requirements-milvus.txt brings the client")
    if request.param == "a server":
        return request.getfixturevalue("server")
    pytest.importorskip("milvus_lite", reason="pip install -r requirements-milvus.txt brings Milvus Lite")
    return str(tmp_path_factory.mktemp("lite") / "vectors.db")


@pytest.fixture
def store(uri):
    """Empty; a server takes seconds to make a collection, so all tests share one."""
    shared = MilvusStore(DIM, uri, "contract")
    shared.remove(np.hstack([np.empty(0, np.int64), *(ids for ids, _ in shared._everything())]))
    return shared


def in_milvus(toy_index, uri, out):
    """A copy of the toy index whose vectors live in Milvus."""
    index = ProductIndex.load(shutil.copytree(toy_index, out.parent / "faiss"))
    index.manifest = index.manifest.updated(store={"kind": "milvus", "uri": uri})
    return index.save(out)


def versions(out):
    return [p for p in out.iterdir() if (p / MILVUS).exists()]


def named(out):
    return {json.loads((v / MILVUS).read_text())["collection"] for v in versions(out)}


def there(uri, out):
    return {name for name in connect(uri).list_collections() if f"_{out.name}_" in name}


def test_a_server_searches_by_its_own_index_and_finds_the_nearest(server, tmp_path):
    """Enough vectors that a server builds one: less effort, or its makeshift index before that, finds two thirds."""
    rows = normalize(np.random.default_rng(0).standard_normal((2000, 64)))
    queries = normalize(np.random.default_rng(1).standard_normal((50, 64)))
    store = MilvusStore(64, server, "crowd")
    store.add(np.arange(2000), rows)
    store.save(tmp_path / "crowd")
    assert store.recall(queries) >= 0.98
    want = np.argsort(-queries @ rows.T, axis=1)[:, :10]
    assert np.mean([np.isin(w, f).mean() for w, f in zip(want, store.search(queries, 10)[1], strict=True)]) >= 0.98


def test_a_long_filter_returns_the_nearest_of_the_allowed(full, monkeypatch):
    monkeypatch.setattr("mmdemo.index.milvus.FEW", 20)
    q = unit(5, seed=2)
    for allowed in (IDS[::2], IDS[-30:]):
        scores, ids = full.search(q, 10, allowed)
        want_scores, want_ids = brute(q, 10, allowed)
        assert (ids == want_ids).all()
        np.testing.assert_allclose(scores, want_scores, atol=1e-5)


def test_an_index_answers_as_with_faiss_and_follows_additions_and_removals(toy_index, uri, tmp_path):
    out = tmp_path / f"shop{time.monotonic_ns()}"
    index, plain = in_milvus(toy_index, uri, out), ProductIndex.load(toy_index)
    for row in (0, 17):
        allowed = np.arange(5, 40)
        for given in (None, allowed):
            scores, rows = index.search(plain.vectors[row], 8, given)
            want_scores, want_rows = plain.search(plain.vectors[row], 8, given)
            assert set(rows) == set(want_rows)
            np.testing.assert_allclose(scores, want_scores, atol=1e-5)
    assert index.manifest.store["kind"] == "milvus" and index.manifest.store["recall@10"] == 1
    assert TOKEN not in (index.folder / "manifest.json").read_text() + (index.folder / MILVUS).read_text()
    smaller = remove(out, ["mug-0-red"])
    assert len(smaller) == 47 and len(smaller.store) == 47
    (tmp_path / "more.csv").write_text("id,image,title\nnew,,A blue tray\n")
    grown = add(out, Catalog.read(tmp_path / "more.csv"), ToyEncoder())
    assert grown.products[grown.search(grown.vectors[47], 1)[1][0]].id == "new"
    del index, smaller  # what is open stays
    assert len(remove(out, ["mug-0-blue"])) == 47
    assert len(versions(out)) == 2 and there(uri, out) == named(out), "a version's collection goes with its folder"


def test_a_save_that_is_cut_short_leaves_the_old_index_and_no_collection(toy_index, uri, tmp_path, monkeypatch):
    out = tmp_path / f"cut{time.monotonic_ns()}"
    index = in_milvus(toy_index, uri, out)
    whole = MilvusStore.save

    def cut(self, path):
        whole(self, path)
        if self._there:
            raise OSError("killed")

    monkeypatch.setattr(MilvusStore, "save", cut)
    with pytest.raises(OSError, match="killed"):
        index.remove(["mug-0-red"]).save(out)
    monkeypatch.undo()
    assert len(there(uri, out)) == 2 and len(ProductIndex.load(out)) == 48
    assert len(remove(out, ["mug-0-red"])) == 47
    assert there(uri, out) == named(out) and not list(out.glob(".*.part"))


def test_vectors_that_are_not_those_of_the_rows_are_refused_with_the_mending_command(toy_index, uri, tmp_path):
    out = tmp_path / f"bad{time.monotonic_ns()}"
    index = in_milvus(toy_index, uri, out)
    store = index.store
    rows = np.arange(48)
    store.remove(rows)
    store.add(rows, np.roll(index.vectors, 1, axis=0))
    with pytest.raises(InputError, match=r"order of its rows.*python -m mmdemo build"):
        ProductIndex.load(out)
    store.remove(rows[:1])
    with pytest.raises(InputError, match=r"do not fit together.*python -m mmdemo build"):
        ProductIndex.load(out)
    store.drop()
    with pytest.raises(InputError, match=r"no longer where it kept them.*python -m mmdemo build"):
        ProductIndex.load(out)


def test_a_copied_folder_leaves_the_collection_to_the_one_it_was_copied_from(toy_index, uri, tmp_path):
    out = tmp_path / f"first{time.monotonic_ns()}"
    in_milvus(toy_index, uri, out)
    copy = shutil.copytree(out, tmp_path / f"second{time.monotonic_ns()}")
    for gone in ("mug-0-red", "mug-0-blue", "mug-0-green"):
        remove(copy, [gone])
    assert len(ProductIndex.load(out)) == 48 and len(ProductIndex.load(copy)) == 45


def test_a_catalogue_is_built_into_a_file(tmp_path):
    pytest.importorskip("milvus_lite", reason="pip install -r requirements-milvus.txt brings Milvus Lite")
    (tmp_path / "catalog.csv").write_text("id,image,title\na,,A red mug\nb,,A blue tray\n")
    catalog = Catalog.read(tmp_path / "catalog.csv")
    index, _ = build(catalog, ToyEncoder(), tmp_path / "out", BuildOptions(store=f"milvus:{tmp_path / 'v.db'}"))
    assert index.search(index.vectors[1], 1)[1].tolist() == [1]
    assert "milvus" in (index.folder / "report.md").read_text()


def test_a_wrong_password_is_a_sentence(server, monkeypatch):
    monkeypatch.setenv("MILVUS_TOKEN", "root:nonsense")
    with pytest.raises(InputError, match="MILVUS_TOKEN"):
        MilvusStore(DIM, server, "contract")


def test_a_server_that_is_not_there_is_a_sentence_at_once():
    pytest.importorskip("pymilvus", reason="pip install -r requirements-milvus.txt brings the client")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(InputError, match=f"no answer from Milvus at http://127.0.0.1:{port}"):
        MilvusStore(DIM, f"http://127.0.0.1:{port}", "any")
    assert time.monotonic() - began < 30


def test_without_the_package_the_requirements_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(InputError, match=r"pip install -r requirements-milvus\.txt"):
        MilvusStore(DIM, "http://127.0.0.1:19530", "any")


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("milvus:", "expected milvus:http"),
        ("milvus:ftp://host", "expected milvus:http"),
        ("milvus:http://me:secret@host:19530", "MILVUS_TOKEN"),
    ],
)
def test_a_place_that_is_none_is_refused_and_a_password_stays_out_of_the_index(store, said):
    with pytest.raises(InputError, match=said) as caught:
        place(store)
    assert "secret" not in str(caught.value)

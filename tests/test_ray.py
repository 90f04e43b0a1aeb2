"""A catalogue encoded by two workers of a local Ray: the same rows as in one process, and what is there is kept."""

import sys

import numpy as np
import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.encode.embed import embed
from mmdemo.encode.ray_data import ray_shard_writer
from tests.toys import ToyEncoder, toy_catalogue


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray", reason="pip install -r requirements-ray.txt brings Ray")
    ray_shard_writer("local", ToyEncoder)  # before Ray starts, so that it reports nothing to anybody
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield
    ray.shutdown()


@pytest.fixture
def catalog(tmp_path, monkeypatch):
    monkeypatch.setattr("mmdemo.encode.embed.SHARD", 10)
    folder = toy_catalogue(tmp_path / "shop", copies=3)
    broken = folder / "images" / "tray-0-blue.png"
    broken.write_bytes(broken.read_bytes()[:60])
    return Catalog.read(folder)


def test_two_workers_give_the_rows_of_one_process_to_the_last_bit(cluster, catalog, tmp_path):
    alone = embed(catalog, ToyEncoder(), tmp_path / "alone")
    many = embed(catalog, ToyEncoder(), tmp_path / "many", shard_writer=ray_shard_writer("local", ToyEncoder))
    for name in ("image", "augmented", "text"):
        assert np.array_equal(getattr(many, name), getattr(alone, name)), name
    assert [p.id for p in many.products] == [p.id for p in alone.products]
    assert [r.id for r in many.refused] == [r.id for r in alone.refused] == ["tray-0-blue"]
    rows = range(len(alone.products))
    assert [many.thumbnails.read(row) for row in rows] == [alone.thumbnails.read(row) for row in rows]
    assert all(alone.thumbnails.read(row) for row in rows)


def test_shards_that_are_there_are_not_made_again(cluster, catalog, tmp_path):
    work = tmp_path / "work"
    whole = embed(catalog, ToyEncoder(), work)
    (work / "000000010.safetensors").unlink()
    kept = {p: p.stat().st_mtime_ns for p in work.glob("*.safetensors")}
    again = embed(catalog, ToyEncoder(), work, resume=True, shard_writer=ray_shard_writer("local", ToyEncoder))
    assert np.array_equal(again.image, whole.image)
    assert all(p.stat().st_mtime_ns == when for p, when in kept.items()) and len(kept) == 3


def test_without_the_package_the_requirements_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install -r requirements-ray\.txt"):
        ray_shard_writer("local", ToyEncoder)

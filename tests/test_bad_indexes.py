"""Indexes that are not whole, or not what they say, are refused with the mending command; nothing in them is run."""

import json
import re
import shutil
from pathlib import Path

import faiss
import numpy as np
import pytest

from mmdemo.core.errors import InputError
from mmdemo.encode.encoder import Encoder
from mmdemo.index.product_index import ProductIndex
from tests.bad_indexes import corpus, manifest

BAD = corpus()


def test_there_are_more_than_sixty():
    assert len(BAD) >= 60


@pytest.mark.parametrize("name", BAD)
def test_a_bad_index_is_refused_with_the_mending_command(toy_index, tmp_path, name):
    index = tmp_path / "index"
    shutil.copytree(toy_index, index)
    BAD[name](index / (index / "current").read_text().strip())
    with pytest.raises(InputError) as caught:
        ProductIndex.load(index)
    message = str(caught.value)
    assert "again" in message and len(message) < 700, message


@pytest.mark.parametrize("named", [b"", b"..", b"/etc", b"\0", b"\xff\xfe", b"x" * 10_000, b".lock", b"nothing\nhere"])
def test_a_folder_that_names_no_version_is_no_index(tmp_path, named):
    (tmp_path / "current").write_bytes(named)
    with pytest.raises(InputError, match="is not an index"):
        ProductIndex.load(tmp_path)


def test_faiss_is_given_no_file_before_every_hash_matches(toy_index, tmp_path, monkeypatch):
    index = tmp_path / "index"
    shutil.copytree(toy_index, index)
    live = index / (index / "current").read_text().strip()
    last = live / "vectors.safetensors"  # by name
    last.write_bytes(last.read_bytes() + b"x")
    given = []
    monkeypatch.setattr(faiss, "read_index", lambda path, *flags: given.append(path))
    with pytest.raises(InputError, match=last.name):
        ProductIndex.load(index)
    assert not given


@pytest.mark.parametrize("name", ["index.milvus", "index.faiss.vectors.npy"])
def test_vectors_that_the_manifest_does_not_list_are_not_read(toy_index, tmp_path, name):
    """No hash vouches for them: the one could name any server, the other hold any numbers."""
    index = tmp_path / "index"
    shutil.copytree(toy_index, index)
    opened = ProductIndex.load(index)
    with (opened.folder / name).open("wb") as file:
        np.save(file, opened.vectors[::-1])
    with pytest.raises(InputError, match=rf"{name}, which its manifest does not list; build it again"):
        ProductIndex.load(index)


@pytest.mark.parametrize("name", ["thumbnails.bin", "thumbnails.npy"])
def test_pictures_that_the_manifest_does_not_list_are_not_shown(toy_index, tmp_path, name):
    index = tmp_path / "index"
    shutil.copytree(toy_index, index)
    folder = ProductIndex.load(index).folder
    files = json.loads((folder / "manifest.json").read_text())["files"]
    del files[name]
    manifest(folder, files=files)
    with pytest.raises(InputError, match=rf"does not list {name}; build it again"):
        ProductIndex.load(index)


def test_nothing_in_the_program_unpickles():
    """`np.load` reads plain arrays unless told otherwise, `torch.load` with weights_only nothing but numbers."""
    ways = re.compile(
        r"import (?:pickle|joblib|dill|marshal|shelve)|allow_pickle|(?<![.\w])(?:eval|exec)\("
        r"|torch\.load\((?!.*weights_only=True)"
    )
    home = Path(__file__).resolve().parents[1]
    for module in (*(home / "mmdemo").rglob("*.py"), home / "app.py"):
        assert not ways.findall(module.read_text(encoding="utf-8")), module.name


def test_an_encoder_with_pickled_weights_is_refused(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    (folder / "open_clip_model.safetensors").rename(folder / "open_clip_pytorch_model.bin")
    with pytest.raises(InputError, match="safetensors"):
        Encoder.load(folder)

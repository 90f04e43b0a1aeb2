"""Catalogues that nobody should send are refused in one sentence, and what was there before stays."""

import json
import shutil
import tracemalloc
from pathlib import Path

import pytest

from mmdemo.catalog import imaging
from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.index.product_index import ProductIndex
from mmdemo.pipeline import build as building
from tests.bad_catalogues import GOOD, HEAD, READ, REFUSED, picture, table
from tests.toys import ToyEncoder

pytestmark = pytest.mark.filterwarnings("ignore:Duplicate name")


def test_there_are_more_than_forty():
    assert len(REFUSED) >= 40


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_sentence_that_names_what_is_wrong(tmp_path, name):
    (tmp_path / "shop").mkdir()
    path = REFUSED[name](tmp_path / "shop")
    with pytest.raises(InputError) as caught:
        Catalog.read(path, extract_to=tmp_path / "unpacked")
    message = str(caught.value)
    assert not list(tmp_path.rglob("evil*")) and not Path("/tmp/mmdemo-evil.png").exists(), "unpacked elsewhere"
    assert "\n" not in message and len(message) < 700 and "Traceback" not in message
    assert "root:" not in message, "what lies outside is not shown"


def test_links_of_another_sort_are_a_short_note(tmp_path):
    folder = table(GOOD)(tmp_path)
    (folder / "links.csv").write_text("id,\u202e" + "o" * 50_000 + "\na,b\n", encoding="utf-8")
    [note] = [str(warning) for warning in Catalog.read(folder).warnings]
    assert "other_id" in note and len(note) < 300 and "\u202e" not in note


BOMBS = ["parquet: one text a million times", "parquet: rows of two megabytes", "zip: a bomb", "zip: bombs in pieces"]


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_less_than_400_mb(tmp_path, name):
    path = REFUSED[name](tmp_path)
    tracemalloc.start()
    with pytest.raises(InputError):
        Catalog.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000_000, peak


@pytest.mark.parametrize("name", READ)
def test_it_is_read_and_does_no_harm(tmp_path, name):
    fill, ids = READ[name]
    (tmp_path / "shop").mkdir()
    catalog = Catalog.read(fill(tmp_path / "shop"))
    assert [product.id for product in catalog] == ids
    for product in catalog:
        json.dumps([product.id, product.title, product.image], ensure_ascii=False).encode()
        assert not any(c in product.title for c in "\u202e\n\0")
        assert product.price is None or 0 <= product.price < 1e12
    for refusal in catalog.refused:
        str(refusal).encode()
        assert refusal.column and refusal.reason, "row, column and reason"
    index, _ = building.build(catalog, ToyEncoder(), tmp_path / "index")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["index", "shop"], "no id leaves the index's folder"
    assert [p.id for p in ProductIndex.load(tmp_path / "index").products] == ids and len(index) == len(ids)


def test_links_that_are_a_link_out_are_not_read(tmp_path):
    (tmp_path / "secret.csv").write_text("secret words,of others\n")
    (tmp_path / "shop").mkdir()
    folder = table(GOOD)(tmp_path / "shop")
    (folder / "links.csv").symlink_to(tmp_path / "secret.csv")
    catalog = Catalog.read(folder / "catalog.csv")
    assert not catalog.links and "secret" not in str([str(note) for note in catalog.warnings])


@pytest.mark.parametrize("name", ["zip: a path upwards", "a link out", "a web page", "parquet: cut"])
def test_after_a_refusal_the_old_index_answers_as_before(toy_index, tmp_path, name):
    index = tmp_path / "index"
    shutil.copytree(toy_index, index)
    before = ProductIndex.load(index)
    scores, rows = before.search(before.vectors[3], 10)
    (tmp_path / "shop").mkdir()
    with pytest.raises(InputError):
        building.add(index, Catalog.read(REFUSED[name](tmp_path / "shop")), ToyEncoder())
    after = ProductIndex.load(index)
    again, same = after.search(after.vectors[3], 10)
    assert (rows == same).all() and (scores == again).all() and after.folder == before.folder


@pytest.mark.parametrize("work", ["build", "add"])
def test_so_it_does_after_a_refusal_in_the_middle_of_the_work(toy_index, tmp_path, work):
    """Its header is good, so the picture is refused only when it is encoded."""
    index = shutil.copytree(toy_index, tmp_path / "index")
    folder = table(HEAD + "a,a.png,A,1\n")(tmp_path)
    (folder / "a.png").write_bytes(picture()[:45])
    before = ProductIndex.load(index)
    with pytest.raises(InputError, match="no product"):
        if work == "build":
            building.build(Catalog.read(folder), ToyEncoder(), index)
        else:
            building.add(index, Catalog.read(folder), ToyEncoder())
    after = ProductIndex.load(index)
    assert after.folder == before.folder and (after.vectors == before.vectors).all()


def test_no_address_is_ever_fetched(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("socket.socket.connect", lambda *given: asked.append(given))
    monkeypatch.setattr("socket.getaddrinfo", lambda *given, **more: asked.append(given))
    for name in ("the metadata address of a cloud", "an address of this machine", "a file address"):
        (tmp_path / name).mkdir()
        with pytest.raises(InputError, match=r"never fetched|--fetch-images"):
            Catalog.read(REFUSED[name](tmp_path / name))
    with pytest.raises(InputError):
        imaging.decode("http://127.0.0.1:1/a.png")
    assert not asked

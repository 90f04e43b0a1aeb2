"""Rebuilding while people search: no query fails, and no answer mixes two versions."""

import shutil
import threading

import pytest

from mmdemo import build as building
from mmdemo.errors import InputError
from mmdemo.index import ProductIndex
from mmdemo.live import Live, one_version
from mmdemo.locks import writing
from mmdemo.query import Query
from tests.toys import ToyEncoder


@pytest.fixture
def shop(toy_index, tmp_path, monkeypatch):
    monkeypatch.setattr("mmdemo.recommender.Encoder.load", lambda spec: ToyEncoder())
    return shutil.copytree(toy_index, tmp_path / "index")


def ids(recommender) -> list[str]:
    return [found.id for found in recommender.recommend(Query(text="red mug", k=100))]


def test_a_new_version_is_answered_from_without_a_restart(shop):
    live = Live(shop, every=0.02)
    assert len(ids(live)) == 48
    building.remove(shop, ["mug-0-red"])
    for _ in range(500):
        if len(ids(live)) == 47:
            break
        threading.Event().wait(0.01)
    assert "mug-0-red" not in ids(live) and len(ids(live)) == 47


def test_no_query_fails_and_no_answer_mixes_versions_while_the_index_changes(shop):
    live = Live(shop, every=3600)
    gone = ["mug-0-red", "mug-0-blue", "tray-1-green", "tray-2-black", "mug-3-purple"]
    whole = [p.id for p in ProductIndex.load(shop).products]
    versions = {frozenset(whole) - frozenset(gone[:n]) for n in range(len(gone) + 1)}
    answers, faults, ended = [], [], threading.Event()

    def visit() -> None:
        while not ended.is_set():
            try:
                with one_version(live):
                    one, two = ids(live), ids(live)
                    details = [live.product(one[0]).id, live.index.products[live.index.row(one[-1])].id]
                answers.append((one, two, details))
            except Exception as error:
                faults.append(error)

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for product in gone:
        building.remove(shop, [product])
        live.look()
        seen = len(answers)
        while len(answers) < seen + 8:
            ended.wait(0.005)
    ended.set()
    for visitor in visitors:
        visitor.join()
    assert not faults
    assert all(one == two and frozenset(one) in versions for one, two, _ in answers)
    assert {len(one) for one, _, _ in answers} >= {48 - n for n in range(1, 6)}


def test_a_version_that_cannot_be_opened_changes_nothing(shop, caplog):
    live = Live(shop, every=3600)
    before = ids(live)
    good = (shop / "current").read_text().strip()
    shutil.copytree(shop / good, shop / "broken")
    (shop / "broken" / "rows.jsonl").write_text("{}")
    (shop / "current").write_text("broken")
    live.look()
    assert ids(live) == before and "goes on answering" in caplog.text
    (shop / "current").write_text("nothing-here")
    live.look()
    assert ids(live) == before


def test_a_version_that_is_open_is_not_deleted_by_those_after_it(shop):
    opened = ProductIndex.load(shop)
    for product in ("mug-0-red", "mug-0-blue", "mug-0-green"):
        building.remove(shop, [product])
    assert opened.thumbnail("mug-0-red").is_file()
    folder = opened.folder
    del opened
    building.remove(shop, ["mug-0-black"])
    assert not folder.exists()


def test_a_reader_who_comes_as_its_version_is_replaced_reads_the_new_one(shop, monkeypatch):
    from mmdemo import verify

    read, times = verify.read, []

    def replaced_meanwhile(path, folder):
        times.append(folder)
        if len(times) == 1:
            monkeypatch.setattr(verify, "read", read)
            building.remove(shop, ["mug-0-red"])
            shutil.rmtree(folder)
        return read(path, folder)

    monkeypatch.setattr(verify, "read", replaced_meanwhile)
    assert len(ProductIndex.load(shop)) == 47


def test_two_writers_wait_for_each_other_and_lose_nothing(shop):
    gone = ["mug-0-red", "mug-0-blue", "tray-1-green", "tray-2-black"]
    writers = [threading.Thread(target=building.remove, args=(shop, [product])) for product in gone]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(ProductIndex.load(shop)) == 44


def test_a_writer_who_waits_too_long_is_told_so(shop):
    held, told = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(shop):
            held.set()
            told.wait(10)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(10)
    with pytest.raises(InputError, match="another program is writing"), writing(shop, wait=0.1):
        pass
    told.set()
    other.join()

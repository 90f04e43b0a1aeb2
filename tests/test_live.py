"""Rebuilding while people search: no query fails, and no answer mixes two versions."""

import shutil
import threading
from types import SimpleNamespace

import gradio as gr
import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.index.locks import writing
from mmdemo.index.product_index import ProductIndex
from mmdemo.pipeline import build as building
from mmdemo.search.live import Live
from mmdemo.ui.product_dialog import ProductDialog
from tests.toys import ToyEncoder


@pytest.fixture
def shop(toy_index, tmp_path, monkeypatch):
    monkeypatch.setattr("mmdemo.search.recommender.Encoder.load", lambda spec: ToyEncoder())
    return shutil.copytree(toy_index, tmp_path / "index")


def ids(live: Live) -> list[str]:
    return [found.id for found in live.current().recommend(Query(text="red mug", k=100))]


def test_a_new_version_is_answered_from_without_a_restart(shop):
    live = Live.open(shop, every=0.02)
    assert len(ids(live)) == 48
    building.remove(shop, ["mug-0-red"])
    for _ in range(500):
        if len(ids(live)) == 47:
            break
        threading.Event().wait(0.01)
    assert "mug-0-red" not in ids(live) and len(ids(live)) == 47


def test_no_query_fails_and_no_answer_mixes_versions_while_the_index_changes(shop):
    live = Live.open(shop, every=3600)
    gone = ["mug-0-red", "mug-0-blue", "tray-1-green", "tray-2-black", "mug-3-purple"]
    whole = [p.id for p in ProductIndex.load(shop).products]
    versions = {frozenset(whole) - frozenset(gone[:n]) for n in range(len(gone) + 1)}
    answers, faults, ended = [], [], threading.Event()

    def visit() -> None:
        while not ended.is_set():
            try:
                snapshot = live.current()
                one, two = ([r.id for r in snapshot.recommend(Query(text="red mug", k=100))] for _ in range(2))
                details = [snapshot.product(one[0]).id, snapshot.index.products[snapshot.index.row(one[-1])].id]
                answers.append((one, two, details))
            except Exception as error:
                faults.append(error)

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for product in gone:
        building.remove(shop, [product])
        live.reload()
        seen = len(answers)
        while len(answers) < seen + 8:
            ended.wait(0.005)
    ended.set()
    for visitor in visitors:
        visitor.join()
    assert not faults
    assert all(one == two and frozenset(one) in versions for one, two, _ in answers)
    assert {len(one) for one, _, _ in answers} >= {48 - n for n in range(1, 6)}


def test_a_snapshot_of_one_catalogue_does_not_answer_for_another(shop, tmp_path):
    other = shutil.copytree(shop, tmp_path / "other")
    building.remove(other, ["mug-0-red"])
    one, two = Live.open(shop, every=3600), Live.open(other, every=3600)
    held = one.current()
    assert len(ids(one)) == 48 and len(ids(two)) == 47
    building.remove(shop, ["mug-0-blue", "mug-0-black"])
    one.reload()
    assert two.current().index.folder.parent == other and len(ids(two)) == 47
    assert len(held.index) == 48 and len(ids(one)) == 46


def test_an_explanation_that_outlives_its_version_is_of_one_version_and_a_product_that_is_gone_is_a_sentence(shop):
    live = Live.open(shop, every=3600)
    with gr.Blocks():
        dialog = ProductDialog(live)
    click, query = SimpleNamespace(_data={"id": "mug-0-red"}), Query(text="red mug")
    _, opened = dialog._open(click, query)
    building.remove(shop, ["mug-0-red"])
    live.reload()
    page = dialog._reasons(opened, whole=True)
    assert opened.why.index is opened.recommender.index
    title = opened.recommender.product("mug-0-red").title
    assert title in page and f"{opened.why.score:.2f}" in page
    gone, opened = dialog._open(click, query)
    assert 'role="alert"' in gone and "no product &#39;mug-0-red&#39;" in gone and opened.why is None
    page, _ = dialog._open(SimpleNamespace(_data={"id": "mug-0-blue"}), query)
    assert 'data-id="mug-0-red"' not in page


def test_a_version_that_cannot_be_opened_changes_nothing(shop, caplog):
    live = Live.open(shop, every=3600)
    before = ids(live)
    good = (shop / "current").read_text().strip()
    shutil.copytree(shop / good, shop / "broken")
    (shop / "broken" / "rows.jsonl.gz").write_text("{}")
    (shop / "current").write_text("broken")
    live.reload()
    assert ids(live) == before and "goes on answering" in caplog.text
    (shop / "current").write_text("nothing-here")
    live.reload()
    assert ids(live) == before


def test_a_version_that_is_open_is_not_deleted_by_those_after_it(shop):
    opened = ProductIndex.load(shop)
    for product in ("mug-0-red", "mug-0-blue", "mug-0-green"):
        building.remove(shop, [product])
    assert opened.thumbnail("mug-0-red")
    folder = opened.folder
    del opened
    building.remove(shop, ["mug-0-black"])
    assert not folder.exists()


def test_a_reader_who_comes_as_its_version_is_replaced_reads_the_new_one(shop, monkeypatch):
    from mmdemo.index import verify

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

""" "Nothing here matches": what the shop does not sell is told from what it does."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mmdemo.calibration import Calibration
from mmdemo.catalog import Catalog
from mmdemo.errors import InputError
from mmdemo.index import ProductIndex
from mmdemo.strangers import strangers, turned_away
from mmdemo.tasks import held_out_rows, own_tasks
from tests.toys import ToyEncoder


@pytest.fixture(scope="module")
def index(toy_index):
    return ProductIndex.load(toy_index)


@pytest.fixture(scope="module")
def own(index):
    made = own_tasks(index, index.thumbnail, ToyEncoder(), np.random.default_rng(0))
    return {"photo": [made["photo"]], "half a title": [made["words"]]}


def catalogue(folder, rows):
    folder.mkdir()
    with (folder / "catalog.csv").open("w", newline="") as f:
        table = csv.writer(f)
        table.writerow(["id", "image", "title", "category"])
        for i, (title, category) in enumerate(rows):
            Image.new("RGB", (64, 64), "white").save(folder / f"{i}.png")
            table.writerow([f"other-{i}", f"{i}.png", title, category])
    return Catalog.read(folder)


def test_blank_pictures_are_strangers_and_the_shops_own_are_not(index, own, tmp_path):
    others = catalogue(tmp_path / "others", [(f"Accordion {i}", "Accordion") for i in range(5)])
    found = strangers(index, ToyEncoder(), others, own)
    assert found["catalogue"] == "others" and found["photo"]["strangers"] == 5
    assert found["photo"]["own"] == len(own["photo"][0])
    assert found["photo"]["turned away"]["value"] == 1 and found["photo"]["mistaken"]["value"] < 0.2
    assert found["photo"]["examples"] == []


def test_strangers_and_the_shops_own_are_asked_in_the_same_kinds_of_words(index, own, tmp_path):
    others = catalogue(tmp_path / "others", [("Grand accordion with keys", "Accordion")] * 3)
    found = strangers(index, ToyEncoder(), others, own)
    assert {kind for kind in found if kind != "catalogue"} == {"photo", "title", "half a title"}
    assert found["title"]["own"] == len(held_out_rows(index)) and found["half a title"]["own"] == len(
        own["half a title"][0]
    )
    assert found["title"]["mistaken"]["value"] == 0


def test_strangers_that_were_believed_come_with_what_they_were_answered(index, own, tmp_path, monkeypatch):
    calibration = Calibration({"image": (0.0, 0.0, 0.0, 3.0), "text": (0.0, 0.0, 0.0, 3.0)}, {})  # believes everything
    monkeypatch.setattr(ProductIndex, "calibration", property(lambda self: calibration))
    others = catalogue(tmp_path / "others", [("Accordion", "Accordion"), ("Zither", "Zither")])
    found = strangers(index, ToyEncoder(), others, own)
    assert found["photo"]["turned away"]["value"] == 0 == found["photo"]["mistaken"]["value"]
    believed = found["photo"]["examples"]
    assert {e["title"] for e in believed} == {"Accordion", "Zither"}
    assert all(e["match"] == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3) for e in believed)
    assert all(index.holds(i) for e in believed for i in e["answers"])


def test_what_falls_below_the_floor_is_turned_away(index, own, monkeypatch):
    q = own["photo"][0]
    for calibration, away in (
        (Calibration({"image": (0.0, 0.0, 0.0, 3.0)}, {"image": 2.0}), True),  # no cosine is that near
        (Calibration({"image": (0.0, 0.0, 0.0, 3.0)}, {"image": -1.0}), False),
    ):
        monkeypatch.setattr(ProductIndex, "calibration", property(lambda self, c=calibration: c))
        assert (turned_away(index, q) == away).all()


def test_a_catalogue_of_the_same_kinds_of_things_has_no_strangers(index, own, toy_folder, tmp_path):
    others = catalogue(tmp_path / "others", [("Large mug", "Mug"), ("Oak tray", "Tray")])
    with pytest.raises(InputError, match="no strangers for this shop: expected products of kinds"):
        strangers(index, ToyEncoder(), others, own)
    with pytest.raises(InputError, match="no strangers"):
        strangers(index, ToyEncoder(), Catalog.read(toy_folder), own)


def test_photos_of_a_query_file_are_asked_first(index, own, tmp_path, monkeypatch):
    others = catalogue(tmp_path / "others", [("Accordion", "Accordion"), ("Zither", "Zither")])
    shutil.copy(tmp_path / "others" / "1.png", tmp_path / "others" / "phone.png")
    (tmp_path / "others" / "queries.csv").write_text("query_id,image,product_id\n1,phone.png,other-1\n2,none.png,x\n")
    found = strangers(index, ToyEncoder(), replace(others), own)
    assert found["photo"]["strangers"] == 3  # two pictures of products, and one photo

""" "Nothing here matches": what the shop does not sell is told from what it does."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.evaluate.out_of_catalogue import answered, measure_rejections
from mmdemo.evaluate.queries import Queries
from mmdemo.evaluate.tasks import held_out_rows, own_tasks
from mmdemo.search.in_catalogue import nothing_matches
from mmdemo.search.match import Match
from mmdemo.search.recommender import Recommender
from tests.toys import ToyEncoder, picture


@pytest.fixture(scope="module")
def index(toy_recommender):
    return toy_recommender.index


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


def test_blank_pictures_are_strangers_and_the_shops_own_are_not(toy_recommender, index, own, tmp_path):
    others = catalogue(tmp_path / "others", [(f"Accordion {i}", "Accordion") for i in range(5)])
    figures = measure_rejections(toy_recommender, others, own)
    assert figures.catalogue == "others" and figures.photo.strangers == 5
    assert figures.photo.own == len(own["photo"][0])
    assert figures.photo.turned_away.value == 1 and figures.photo.mistaken.value < 0.2
    assert figures.photo.examples == []


def test_strangers_and_the_shops_own_are_asked_in_the_same_kinds_of_words(toy_recommender, index, own, tmp_path):
    others = catalogue(tmp_path / "others", [("Grand accordion with keys", "Accordion")] * 3)
    figures = measure_rejections(toy_recommender, others, own)
    assert set(figures.by_query) == {"photo", "title", "half a title"}
    assert figures.title.own == len(held_out_rows(index)) and figures.half_a_title.own == len(own["half a title"][0])
    assert figures.title.mistaken.value == 0


def test_strangers_that_were_believed_come_with_what_they_were_answered(toy_recommender, own, tmp_path, monkeypatch):
    def believing(self, prepared, scores, rows):
        return Match(np.full(len(rows), 0.95, np.float32), np.ones(len(rows), bool), [None] * len(rows))

    monkeypatch.setattr(Recommender, "match", believing)
    others = catalogue(tmp_path / "others", [("Accordion", "Accordion"), ("Zither", "Zither")])
    figures = measure_rejections(toy_recommender, others, own)
    assert figures.photo.turned_away.value == 0 == figures.photo.mistaken.value
    believed = figures.photo.examples
    assert {e.title for e in believed} == {"Accordion", "Zither"}
    assert all(e.match == pytest.approx(0.95) for e in believed)
    assert all(toy_recommender.index.holds(i) for e in believed for i in e.answers)


def test_it_is_told_by_the_rule_of_the_page(toy_recommender):
    said = ["red mug", "leather jacket", "asdfgh", "round mirror"]
    photos = [picture("mug", "red"), Image.new("RGB", (64, 64), "white")]
    queries = [Query(text=text, k=5) for text in said] + [Query(image=photo, k=5) for photo in photos]
    rows = np.vstack(
        [np.zeros((4, toy_recommender.index.image.shape[1]), np.float32), ToyEncoder().encode_image(photos)]
    )
    q = Queries(rows, 0 * rows, 0 * rows, np.full(6, -1), [np.empty(0, np.int64)] * 6, [*said, "", ""])
    away, answers = answered(toy_recommender, q)
    page = [toy_recommender.recommend(query) for query in queries]
    assert away.tolist() == [nothing_matches(query, some) for query, some in zip(queries, page, strict=True)]
    assert [[r.id for r in some] for some in answers[:4]] == [[r.id for r in some] for some in page[:4]]
    assert away.tolist() == [False, True, True, True, False, True]


def test_a_catalogue_of_the_same_kinds_of_things_has_no_strangers(toy_recommender, index, own, toy_folder, tmp_path):
    others = catalogue(tmp_path / "others", [("Large mug", "Mug"), ("Oak tray", "Tray")])
    with pytest.raises(InputError, match="no strangers for this shop: expected products of kinds"):
        measure_rejections(toy_recommender, others, own)
    with pytest.raises(InputError, match="no strangers"):
        measure_rejections(toy_recommender, Catalog.read(toy_folder), own)


def test_photos_of_a_query_file_are_asked_first(toy_recommender, index, own, tmp_path, monkeypatch):
    others = catalogue(tmp_path / "others", [("Accordion", "Accordion"), ("Zither", "Zither")])
    shutil.copy(tmp_path / "others" / "1.png", tmp_path / "others" / "phone.png")
    (tmp_path / "others" / "queries.csv").write_text("query_id,image,product_id\n1,phone.png,other-1\n2,none.png,x\n")
    figures = measure_rejections(toy_recommender, replace(others), own)
    assert figures.photo.strangers == 3  # two pictures of products, and one photo

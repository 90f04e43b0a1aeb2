"""The tasks of a report: what is asked of a catalogue, with which right answers, and of whom."""

import csv
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.evaluate.evaluation import score_matrices
from mmdemo.evaluate.queries import Queries
from mmdemo.evaluate.tasks import copies, described, held_out_rows, measure, tasks
from mmdemo.index.product_index import ProductIndex
from tests.toys import ToyEncoder, picture, toy_catalogue


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The toy shop with links and another view of every mug."""
    folder = toy_catalogue(tmp_path_factory.mktemp("tasks") / "shop")
    with (folder / "products.csv").open(encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    (folder / "views").mkdir()
    for row in rows:
        row["views"] = ""
        if row["category"] == "Mug":
            row["views"] = f"views/{row['id']}.png"
            picture("mug", row["colour"].lower(), scale=0.6).save(folder / row["views"])
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as f:
        table = csv.DictWriter(f, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    (folder / "links.csv").write_text(
        "id,other_id,kind\nmug-0-red,tray-0-red,set\nmug-0-red,tray-1-red,set\nmug-0-blue,tray-0-blue,set\n"
    )
    return folder


@pytest.fixture(scope="module")
def catalog(shop):
    return Catalog.read(shop)


@pytest.fixture(scope="module")
def index(catalog, toy_index):
    """The toy index, as if it had been built with these links."""
    plain = ProductIndex.load(toy_index)
    return ProductIndex(replace(plain.contents(), links=catalog.links))


@pytest.fixture(scope="module")
def asked(index, catalog):
    return tasks(index, catalog, ToyEncoder())


def test_a_catalogue_with_everything_asks_every_task(asked):
    pictured = {"photo", "photo and words", "other views", "other views and words"}
    assert set(asked) == pictured | {"words", "sentences", "names", "names with a slip", "similar", "edits", "links"}


def test_queries_of_products_ask_for_held_out_products_alone(asked, index):
    rows = set(held_out_rows(index))
    for name in ("photo", "photo and words", "other views"):
        assert asked[name].targets and all(set(t) <= rows for t in asked[name].targets), name
    assert asked["words"].targets and all(set(t) & rows for t in asked["words"].targets)
    assert set(asked["edits"].reference) <= rows


def test_a_photo_is_answered_by_its_product_and_by_near_copies_of_it(index):
    products = [
        replace(p, group="twins") if i in (2, 5) else replace(p, group="") for i, p in enumerate(index.products)
    ]
    grouped = copy(index)
    grouped.products = products
    assert [list(t) for t in copies(grouped, [2, 3, 5])] == [[2, 5], [3], [2, 5]]


def test_another_view_is_asked_with_half_of_its_title_as_well(asked, index):
    alone, both = asked["other views"], asked["other views and words"]
    np.testing.assert_array_equal(both.image, alone.image)
    assert not alone.text.any() and both.text.any(1).all() and len(both) == len(alone)
    for said, targets in zip(both.said, both.targets, strict=True):
        assert set(said.split()) <= set(index.products[targets[0]].title.split())


def test_a_photo_with_a_wish_is_described_as_what_it_shows_where_that_is_known(index):
    n = 12
    text = np.zeros((n, index.text.shape[1]), np.float32)
    text[::2] = index.text[:n:2]  # every other photo comes with a wish,
    reference = np.array([-1, -1, 0, -1] * 3)  # of which half say what the photo shows
    photos = Queries(index.image[:n], text, 0 * text, reference, [np.array([i]) for i in range(n)])
    made = described(index, ToyEncoder(), photos, np.random.default_rng(0))
    shown = [i if i % 2 else 0 for i in range(n) if i % 4 != 0]
    assert [list(t) for t in made.targets] == [[i] for i in shown] and (made.reference == -1).all()
    for said, row in zip(made.said, shown, strict=True):
        assert set(said.split()) <= set(index.products[row].title.split())
    products_of_the_shop = replace(photos, origin=index.text[:n])
    assert described(index, ToyEncoder(), products_of_the_shop, np.random.default_rng(0)) is None
    assert described(index, ToyEncoder(), photos.subset(np.arange(n) < 4), np.random.default_rng(0)) is None


def test_every_product_whose_title_has_the_words_is_a_right_answer_to_them(asked, index):
    titles = [p.title.casefold().split() for p in index.products]
    for said, targets in zip(asked["words"].said, asked["words"].targets, strict=True):
        words = said.casefold().split()
        assert list(targets) == [i for i, title in enumerate(titles) if all(word in title for word in words)]
    assert any(len(targets) > 1 for targets in asked["words"].targets)


def test_an_edit_knows_its_reference_its_words_and_its_right_answers(asked, index):
    q = asked["edits"]
    for i in range(len(q)):
        reference = index.products[q.reference[i]]
        assert q.shows[i] == reference.id and q.said[i]
        for target in q.targets[i]:
            right = index.products[target]
            assert right.parent == reference.parent and right.attributes["colour"].lower() in q.said[i].lower()


def test_a_link_holds_both_ways_and_ranks_as_similar_products_do(asked, index):
    q = asked["links"]
    rights = {q.shows[i]: {index.products[t].id for t in q.targets[i]} for i in range(len(q))}
    assert rights == {
        "mug-0-red": {"tray-0-red", "tray-1-red"},
        "tray-0-red": {"mug-0-red"},
        "tray-1-red": {"mug-0-red"},
        "mug-0-blue": {"tray-0-blue"},
        "tray-0-blue": {"mug-0-blue"},
    }
    scores = score_matrices(index, q)
    row = q.shows.index("mug-0-blue")
    expected = index.vectors @ index.vectors[index.row("mug-0-blue")]
    kept = np.arange(len(index)) != index.row("mug-0-blue")
    np.testing.assert_allclose(scores["head"][row][kept], expected[kept], atol=1e-5)
    assert all(scores[name] is not None for name in ("image", "text", "mean"))


def test_other_views_are_asked_with_their_own_picture(asked, index):
    q = asked["other views"]
    assert q.shows == [index.products[t[0]].id for t in q.targets]
    assert {index.products[t[0]].category for t in q.targets} == {"Mug"}


def test_a_query_file_that_fits_nothing_is_a_note_and_the_rest_is_measured(index, shop, tmp_path):
    import shutil

    folder = tmp_path / "shop"
    shutil.copytree(shop, folder)
    (folder / "queries.csv").write_text("query_id,text,product_id\n1,red,unknown\n")
    asked = tasks(index, Catalog.read(folder), ToyEncoder())
    assert isinstance(asked["other photos"], InputError) and isinstance(asked["photo"], Queries)
    report = measure(index, {name: asked[name] for name in ("other photos", "photo")})
    assert "none of the 1 queries" in report["other photos"].note and report["photo"].queries > 0

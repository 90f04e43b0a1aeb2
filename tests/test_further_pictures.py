"""A product with several pictures is found by any of them, and its answer is explained by the one that found it."""

import csv
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.encode.embed import embed
from mmdemo.encode.embeddings import single_view_embeddings
from mmdemo.encode.further_pictures import FurtherPictures
from mmdemo.explain.explanation import Explanation
from mmdemo.index.compact import rounded
from mmdemo.index.contents import Contents
from mmdemo.index.product_index import ProductIndex
from mmdemo.pipeline.build import add, remove
from mmdemo.pipeline.update import update
from mmdemo.search.recommender import Recommender
from tests.bad_indexes import rehash
from tests.toys import ToyEncoder, picture, toy_catalogue

BACK = {"mug-0-red": ("tray", "purple"), "tray-0-blue": ("mug", "purple")}  # what their backs look like


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The toy shop without its purple things, two products with a purple back and a third picture of the front."""
    folder = toy_catalogue(tmp_path_factory.mktemp("further") / "shop", copies=1)
    with (folder / "products.csv").open(encoding="utf-8") as file:
        rows = [{**row, "views": ""} for row in csv.DictReader(file) if row["colour"] != "Purple"]
    for row in rows:
        if row["id"] in BACK:
            row["views"] = f"images/{row['id']}-back.png|images/{row['id']}-near.png"
            picture(*BACK[row["id"]]).save(folder / "images" / f"{row['id']}-back.png")
            picture(*row["id"].split("-")[::2], scale=0.9).save(folder / "images" / f"{row['id']}-near.png")
    _write(folder, rows)
    return folder


def _write(folder, rows) -> None:
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


@pytest.fixture(scope="module")
def built(shop, toy_index, tmp_path_factory):
    """The shop's index, with the head of the toy shop's."""
    folder, toy = tmp_path_factory.mktemp("further"), ProductIndex.load(toy_index)
    made = embed(Catalog.read(shop), ToyEncoder(), folder / "work")
    rows = made.products, rounded(made.image), rounded(made.text), toy.head, toy.manifest
    pictures = {"thumbnails": made.thumbnails, "picture_hashes": made.picture_hashes, "further": made.further}
    ProductIndex(Contents(*rows, **pictures)).save(folder / "index")
    return folder / "index"


@pytest.fixture(scope="module")
def recommender(built):
    return Recommender(ProductIndex.load(built), ToyEncoder())


def _back(product_id: str) -> Query:
    return Query(image=picture(*BACK[product_id], scale=0.65), k=3)


def test_further_pictures_are_encoded_in_their_order_and_products_without_a_picture_have_none(shop, tmp_path):
    catalog = Catalog.read(shop)
    made = embed(catalog, ToyEncoder(), tmp_path / "work")
    files = [file for p in catalog for file in catalog.views.get(p.id, ())]
    rows = [row for row, p in enumerate(catalog) for _ in catalog.views.get(p.id, ())]
    assert len(files) == 4 and made.further.rows.tolist() == rows
    expected = single_view_embeddings(ToyEncoder(), [decode(shop / file, max_side=512) for file in files])
    np.testing.assert_allclose(made.further.image, expected, atol=1e-6)


@pytest.mark.parametrize("product_id", BACK)
def test_a_product_is_found_by_a_photo_of_its_back_whatever_searches(recommender, product_id):
    query = _back(product_id)
    first = recommender.recommend(query)[0]
    assert first.id == product_id and recommender.rank(query, product_id) == 1
    index, photo = recommender.index, recommender.prepare(query).image
    rows = np.arange(len(index))
    assert index.cosines(photo, rows).argmax() == index.row(product_id)
    assert (index.image[:, : index.head.dim] @ photo[0, : index.head.dim]).argmax() != index.row(product_id)
    assert index.row(product_id) in index.neighbours(photo)[0]


@pytest.mark.parametrize("product_id", BACK)
def test_the_score_splits_and_the_map_shows_the_picture_that_found_it(recommender, product_id):
    answers = recommender.recommend(_back(product_id))
    for answer in answers:
        assert sum(answer.parts.values()) == pytest.approx(answer.score, abs=1e-5)
    explained = Explanation(recommender, _back(product_id), product_id)
    assert explained.score == pytest.approx(answers[0].score, abs=1e-5)
    shown = np.asarray(explained.product_map.picture.convert("RGB")).reshape(-1, 3)
    purple = (abs(shown.astype(int) - (130, 40, 160)).max(1) < 30).mean()
    assert purple > 0.1, "the back is shown, not the front"


def test_search_equals_the_highest_over_all_pictures(recommender):
    index, rng = recommender.index, np.random.default_rng(1)
    vectors = np.vstack([index.vectors, index._further_vectors])
    rows = np.r_[np.arange(len(index)), index.further.rows]
    for allowed in (None, np.array([0, 3, 5, 6]), np.array([1])):
        query = vectors[rng.integers(len(vectors))] + rng.normal(size=vectors.shape[1], scale=0.1).astype(np.float32)
        best = np.full(len(index), -np.inf, np.float32)
        np.maximum.at(best, rows, vectors @ query)
        np.testing.assert_allclose(index.scores(query), best, rtol=1e-6)
        some = np.arange(len(index)) if allowed is None else allowed
        scores, found = index.search(query, 4, allowed)
        expected = some[np.argsort(-best[some], kind="stable")[:4]]
        np.testing.assert_allclose(scores, best[expected], rtol=1e-6)
        assert found.tolist() == expected.tolist()


def test_further_pictures_go_with_their_product_through_add_update_and_remove(shop, built, tmp_path):
    out, encoder = shutil.copytree(built, tmp_path / "index"), ToyEncoder()
    removed = remove(out, ["mug-0-green", "mug-0-red"])
    assert len(removed.further) == 2 and set(removed.further.rows) == {removed.row("tray-0-blue")}
    changed = shutil.copytree(shop, tmp_path / "shop")
    with (changed / "products.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["id"] != "mug-0-green"]
    rows[0] |= {"views": rows[0]["views"].split("|")[0]}
    next(row for row in rows if row["id"] == "tray-0-blue")["title"] = "Blue tray with another title"
    _write(changed, rows)
    updated, changes = update(out, Catalog.read(changed), encoder)
    assert (changes.added, changes.changed, changes.encoded) == (1, 1, 1)
    asked = Recommender(updated, encoder)
    assert len(updated.further) == 3 and all(asked.recommend(_back(i))[0].id == i for i in BACK)
    _write(changed, [{**row, "id": f"new-{row['id']}"} for row in rows if row["id"] == "tray-0-blue"])
    grown = add(out, Catalog.read(changed), encoder)
    assert grown.further.rows.tolist() == sorted([*updated.further.rows, len(updated), len(updated)])


def test_an_index_whose_further_pictures_do_not_fit_is_refused(built, tmp_path):
    good = load_file(built / (built / "current").read_text().strip() / "further.safetensors")
    faults = {
        "rows": {**good, "rows": good["rows"] + 99},
        "order": {**good, "rows": good["rows"][::-1].copy()},
        "count": {**good, "rows": good["rows"][:1]},
        "type": {**good, "rows": good["rows"].astype(np.float32)},
        "number": {**good, "image": np.full_like(good["image"], np.nan)},
    }
    for name, arrays in faults.items():
        out = shutil.copytree(built, tmp_path / name)
        version = out / (out / "current").read_text().strip()
        save_file(arrays, version / "further.safetensors")
        rehash(version)
        with pytest.raises(InputError, match=r"further.safetensors.*build it again"):
            ProductIndex.load(out)


def test_pictures_of_rows_are_taken_and_put_together():
    further = FurtherPictures(np.array([0, 2, 2]), np.eye(3, dtype=np.float32))
    both = FurtherPictures.concatenate([(further.take([2, 1, 0]), 3), (FurtherPictures(), 2), (further, 3)])
    assert both.rows.tolist() == [0, 0, 2, 5, 7, 7]
    np.testing.assert_array_equal(both.image.argmax(1), [1, 2, 0, 0, 1, 2])

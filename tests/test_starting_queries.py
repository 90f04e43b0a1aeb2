"""The queries that the first page offers."""

import shutil
import time
from dataclasses import replace
from pathlib import Path

from PIL import Image

from mmdemo.catalog import imaging
from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.catalog.starting_queries import StartingQuery, read_starting_queries
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.recommender import Recommender
from mmdemo.serve.translation import speaking
from mmdemo.ui.starting_queries import PHOTOS, SENTENCES, choose, from_products, given
from mmdemo.ui.welcome import Welcome
from tests import toys
from tests.toys import ToyEncoder, quick_build


def rows(count: int, categories: int) -> list[Product]:
    colours = ("red", "blue", "green")
    return [
        Product(
            id=f"p{n}",
            image=f"{n}.png",
            title=f"Thing {n}",
            category=f"kind {n % categories}",
            attributes={"colour": colours[n % 3]},
        )
        for n in range(count)
    ]


def test_a_catalogue_speaks_for_itself() -> None:
    photos, said = choose([], from_products(rows(300, 7)))
    assert len(photos) == PHOTOS and len(said) == SENTENCES
    assert {bool(start.text) for start in photos} == {True, False}
    assert all(start.reference for start in photos) and len({start.reference for start in photos}) == PHOTOS
    assert len({start.text for start in said}) == SENTENCES


def test_one_product_without_anything_is_enough() -> None:
    assert choose([], from_products([Product(id="a", image="", title="Lone mug")])) == (
        [],
        [StartingQuery("Lone mug")],
    )
    assert choose([], []) == ([], [])


def test_ten_thousand_products_cost_little() -> None:
    products = rows(10_000, 900)
    began = time.process_time()  # of this process alone, however busy the machine
    choose([], from_products(products))
    assert time.process_time() - began < 1


QUERIES = (
    "query_id,image,text,reference_id,product_id\n"
    "1,mine.png,in blue,p1,p2\n"
    "2,,in blue,p1,p2\n"
    "3,mine.png,,,p2\n"
    "4,,tall,,elsewhere\n"
    "5,missing.png,,,p2\n"
    "6,,round,,p1\n"
)


def test_only_queries_of_this_catalogue_are_read(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), "navy").save(tmp_path / "mine.png")
    (tmp_path / "queries.csv").write_text(QUERIES)
    in_blue, from_product, photo, sentence = read_starting_queries(tmp_path, {"p1", "p2"})
    assert (in_blue.text, in_blue.reference, in_blue.language) == ("in blue", "", "en")
    assert imaging.decode(in_blue.image).size == (8, 8) and photo.image == in_blue.image
    assert from_product == StartingQuery("in blue", reference="p1") and sentence == StartingQuery("round")
    assert (photo.text, photo.language) == ("", "")
    with_picture, sentences = choose([in_blue, from_product, photo, sentence], [])
    assert with_picture == [in_blue, photo, from_product]
    assert sentences == [sentence] and sentences[0].targets == {"p1"}
    assert read_starting_queries(tmp_path / "none", {"p1"}) == []


def test_no_picture_outside_the_catalogue_is_offered(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    (shop / "link.png").symlink_to(tmp_path / "secret.png")
    images = ("../secret.png", str(tmp_path / "secret.png"), "link.png", "\0")
    (shop / "queries.csv").write_text("image,product_id\n" + "".join(f"{image},p1\n" for image in images))
    assert read_starting_queries(shop, {"p1"}) == []


def test_each_language_is_offered_its_own_sentences(tmp_path: Path) -> None:
    (tmp_path / "composed_queries.csv").write_text("text,reference_id,target_ids\nin red,p1,p2 p3\n")
    (tmp_path / "composed_queries_zh.csv").write_text("text,reference_id,target_ids\n红色的,p1,p2\n", encoding="utf-8")
    queries = read_starting_queries(tmp_path, {"p1", "p2", "p3"})
    assert [query.text for query in given(queries, {"p1", "p2", "p3"})] == ["in red"]
    with speaking("zh"):
        assert [query.text for query in given(queries, {"p1", "p2", "p3"})] == ["红色的"]
        assert given(queries, {"p1", "p3"}) == [], "a right answer is no longer sold"


def test_a_shop_is_shown_by_its_own_queries(toy_folder: Path, tmp_path: Path) -> None:
    shop, built = tmp_path / "shop", tmp_path / "index"
    shutil.copytree(toy_folder, shop)
    toys.picture("mug", "red", scale=0.5).save(shop / "phone.jpg")
    (shop / "queries.csv").write_text(
        "query_id,image,text,reference_id,product_id\n1,phone.jpg,,,mug-0-red\n2,,mug that is red,,mug-0-red\n"
    )
    quick_build(Catalog.read(shop), ToyEncoder(), built)
    shutil.rmtree(shop)
    index = ProductIndex.load(built)
    assert {(query.text, bool(query.image)) for query in index.starting_queries} == {
        ("", True),
        ("mug that is red", False),
    }
    recommender = Recommender(index, ToyEncoder())
    assert "mug that is red" in Welcome(recommender).page(recommender)
    own = given(index.starting_queries, {product.id for product in index.products})
    assert any(query.image for query in choose(own, from_products(index.products))[0])
    rest = index.remove(["mug-1-red"]).save(built)
    assert rest.starting_queries == index.starting_queries


def test_what_is_not_answered_well_is_not_offered() -> None:
    photos, said = choose([], from_products(rows(300, 7)), lambda start: 2 * ("blue" not in start.text))
    assert photos and said and not any("blue" in start.text for start in [*photos, *said])


def test_what_is_answered_best_is_offered_before_what_is_answered_somehow() -> None:
    own = from_products(rows(300, 7))
    best = choose([], own)[1][-1].text
    grade = lambda start: 2 if start.text == best else int(bool(start.text))  # noqa: E731
    photos, said = choose(own, [], grade)
    assert said[0].text == best and len(said) == SENTENCES
    assert all(start.text for start in photos), "what is not answered at all is left out"
    photos, said = choose([], own, grade)
    assert not photos and [start.text for start in said] == [best], "what the shop did not ask is offered where right"


def test_sentences_to_begin_with_are_of_different_sorts_and_know_what_is_right() -> None:
    products = [replace(item, price=5.0 + 10 * n) for n, item in enumerate(rows(60, 5))]
    sentences = {start.text: start.targets for start in from_products(products) if not start.reference}
    under = next(text for text in sentences if " under " in text)
    kind, limit = under.split(" under ")
    assert sentences[under] == {p.id for p in products if p.category == kind and p.price <= float(limit)}
    without = next(text for text in sentences if ", not " in text)
    kind, colour = without.split(", not ")
    assert sentences[without] == {p.id for p in products if p.category == kind and p.attributes["colour"] != colour}

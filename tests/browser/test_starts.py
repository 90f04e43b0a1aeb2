"""The queries to begin with; no browser needed."""

import time
from pathlib import Path

from mmdemo.catalog import Product
from mmdemo.ui import starts
from mmdemo.ui.starts import Start


def rows(count: int, categories: int) -> list[Product]:
    colours = ("red", "blue", "green")
    return [
        Product(
            id=f"p{n}", image=f"{n}.png", title=f"Thing {n}", category=f"kind {n % categories}",
            attributes={"colour": colours[n % 3]},
        )
        for n in range(count)
    ]  # fmt: skip


def test_a_catalogue_speaks_for_itself() -> None:
    photos, said = starts.choose([], starts.from_products(rows(300, 7)))
    assert len(photos) == starts.PHOTOS and len(said) == starts.SENTENCES
    assert {bool(start.text) for start in photos} == {True, False}
    assert all(start.reference for start in photos) and len({start.reference for start in photos}) == starts.PHOTOS
    assert len({start.text for start in said}) == starts.SENTENCES


def test_one_product_without_anything_is_enough() -> None:
    assert starts.choose([], starts.from_products([Product(id="a", image="", title="Lone mug")])) == (
        [],
        [Start("Lone mug")],
    )
    assert starts.choose([], []) == ([], [])


def test_ten_thousand_products_cost_little() -> None:
    products = rows(10_000, 900)
    began = time.process_time()  # of this process alone, however busy the machine
    starts.choose([], starts.from_products(products))
    assert time.process_time() - began < 1


def test_only_queries_of_this_catalogue_are_read(tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(b"x")
    (tmp_path / "queries.csv").write_text(
        "query_id,image,text,reference_id,product_id\n"
        "1,mine.png,in blue,p1,p2\n"
        "2,,in blue,p1,p2\n"
        "3,mine.png,,,p2\n"
        "4,,tall,,elsewhere\n"
        "5,missing.png,,,p2\n"
        "6,,round,,p1\n"
    )
    found = starts.read_queries(tmp_path / "queries.csv", {"p1", "p2"})
    mine = tmp_path / "mine.png"
    assert found == [Start("in blue", mine), Start("in blue", reference="p1"), Start(image=mine), Start("round")]
    photos, said = starts.choose(found, [])
    assert photos == [Start("in blue", mine), Start(image=mine), Start("in blue", reference="p1")]
    assert said == [Start("round")] and said[0].targets == {"p1"}
    assert starts.read_queries(tmp_path / "none.csv", {"p1"}) == []


def test_what_is_not_answered_well_is_not_offered() -> None:
    photos, said = starts.choose([], starts.from_products(rows(300, 7)), lambda start: "blue" not in start.text)
    assert photos and said and not any("blue" in start.text for start in [*photos, *said])


def test_what_is_answered_best_is_offered_before_what_is_answered_somehow() -> None:
    own = starts.from_products(rows(300, 7))
    best = starts.choose([], own)[1][-1].text
    photos, said = starts.choose([], own, lambda start: 2 if start.text == best else int(bool(start.text)))
    assert said[0].text == best and len(said) == starts.SENTENCES
    assert all(start.text for start in photos), "what is not answered at all is left out"

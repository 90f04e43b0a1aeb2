"""Where no product meets all wishes: which wish, and the nearest that exists, as a query that finds it."""

import pytest

from mmdemo.core.request import Query
from mmdemo.language.tiers import Tier


@pytest.mark.parametrize(
    ("query", "sentence", "instead"),
    [
        (Query(text="tray under 5"), "No tray under €5.00: from €10.00.", {"text": "tray up to 10"}),
        (Query(text="5元以下的托盘"), "No 托盘 under €5.00: from €10.00.", {"text": "托盘 不超过10元"}),
        (Query(text="red tray over 90"), "No tray over €90.00: up to €30.00.", {"text": "red tray at least 30"}),
        (
            Query(text="tray from 60 to 90 euros"),
            "No tray from €60.00 to €90.00: the nearest costs €30.00.",
            {"text": "tray at least 30"},
        ),
        (Query(text="tray", filters=["price<5"]), "No tray under €5.00: from €10.00.", {"filters": []}),
        (Query(text="red mirror"), "No mirror here: these are other things for “red”.", {"text": "red"}),
        (Query(text="mirror"), "No mirror here.", {}),
        (Query(text="red", kind="mirror"), "No mirror here.", {}),
    ],
)
def test_a_wish_that_nothing_meets_is_said_with_the_nearest_there_is(toy_recommender, query, sentence, instead) -> None:
    (wish,) = toy_recommender.unmet(query)
    assert (wish.as_dict()["sentence"], wish.as_dict()["instead"]) == (sentence, instead)


def test_the_query_that_is_offered_instead_finds_something_of_the_kind(toy_recommender) -> None:
    query = Query(text="red tray under 5")
    (wish,) = toy_recommender.unmet(query)
    answers = toy_recommender.recommend(query.with_(**wish.instead))
    assert answers[0].tier is Tier.ASKED and answers[0].product.price == 10


@pytest.mark.parametrize(
    "query", [Query(text="red tray"), Query(text="tray under 20"), Query(text="something red under 5")]
)
def test_nothing_is_said_where_something_meets_every_wish_or_no_kind_is_asked_for(toy_recommender, query) -> None:
    assert toy_recommender.unmet(query) == []


def test_a_value_that_the_words_name_and_nothing_of_the_kind_has_is_said_with_the_nearest(toy_recommender) -> None:
    blue_mugs = [
        p.id for p in toy_recommender.index.products if p.category == "Mug" and p.attributes["colour"] == "Blue"
    ]
    shop = toy_recommender.on(toy_recommender.index.remove(blue_mugs))
    (wish,) = shop.unmet(Query(text="a blue mug"))
    assert wish.sentence.startswith("No “blue” mug here: the nearest is “")
    changed = Query(text=wish.instead["text"])
    assert "mug" in changed.text and "blue" not in changed.text and shop.unmet(changed) == []


def test_two_wishes_that_no_product_meets_together_are_said(toy_recommender):
    index = toy_recommender.index
    both = toy_recommender.unmet(toy_recommender.prepare(Query(text="red and blue mug")))
    assert [str(wish.sentence) for wish in both] == ["No mug here with both “red” and “blue”."]
    assert len(index.products) and not toy_recommender.unmet(toy_recommender.prepare(Query(text="red or blue mug")))


def test_a_situation_does_not_narrow_what_there_is(toy_recommender):
    assert toy_recommender.unmet(toy_recommender.prepare(Query(text="red mug for a rainy day"))) == []

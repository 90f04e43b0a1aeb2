"""The kind of thing that a sentence asks for, by its noun, over what a catalogue calls its products."""

import pytest

from mmdemo.catalog.product import Product
from mmdemo.language.kinds import KindAsked, Kinds, tree

ROWS = [
    ("Sweater", "Loopback hoodie, grey cotton"),
    ("Sweater", "Fisherman rib jumper in navy wool"),
    ("Sofa", "Teal velvet two-seat sofa"),
    ("Mug", "White mug with dots"),
    ("Plate", "Oval serving platter"),
    ("Drinking glass", "Ribbed tumbler"),
    ("Sneaker", "Court shoe in white leather"),
    ("Boots", "Riding boot"),
    ("Chair", "Armchair in oak"),
    ("Chair", "Spindle-back dining chair"),
    ("Vase", "Glass vase with a chair painted on it"),
    ("Krimskrams", "Loose thing"),
]
SHOP = Kinds(
    [Product(str(n), "", title, category=category) for n, (category, title) in enumerate(ROWS)],
    [{"category": {"Mug": "马克杯", "Krimskrams": "小玩意"}}],
)


def rows(asked: KindAsked | None) -> list[int]:
    assert asked is not None
    return asked.rows.nonzero()[0].tolist()


@pytest.mark.parametrize(
    ("sentence", "words", "expected"),
    [
        ("stripey jumper under 50", "jumper", [0, 1]),
        ("settee", "settee", [2]),
        ("crockery", "crockery", [3, 4, 5]),
        ("toddler shoes size 5", "shoes", [6, 7]),
        ("trainers", "trainers", [6]),
        ("two-seater 300-600 €", "two-seater", [2]),
        ("plates and mugs for the garden", "plates / mugs", [3, 4]),
        ("a set of plates", "plates", [4]),
        ("a glass vase", "vase", [10]),
        ("glass", "glass", [5]),
        ("a chair to go with my sofa", "chair", [8, 9]),
        ("I'm looking for a mug I can put on the table", "mug", [3]),
        ("the same colour but a sofa", "sofa", [2]),
        ("armchair", "armchair", [8]),
        ("krimskrams in red", "krimskrams", [11]),
        ("红色的马克杯", "马克杯", [3]),
        ("小玩意", "小玩意", [11]),
        ("放在椅子上的毛衣", "毛衣", [0, 1]),
        ("盘子和杯子", "盘子 / 杯子", [3, 4]),
    ],
)
def test_the_noun_of_a_sentence_names_the_kind(sentence: str, words: str, expected: list[int]) -> None:
    asked = SHOP.asked(sentence)
    assert asked is not None and (asked.words, rows(asked)) == (words, expected)


@pytest.mark.parametrize(
    "sentence",
    [
        "something cosy for the sofa",
        "gift for my grandmother",
        "something light",
        "红色的",
        "asdfgh",
        "in blue",
        "",
        "!?",
    ],
)
def test_a_sentence_without_a_thing_that_is_asked_for_names_no_kind(sentence: str) -> None:
    assert SHOP.asked(sentence) is None


@pytest.mark.parametrize(
    "sentence", ["leather jacket", "jewellery", "round mirror", "a dog", "red car", "镜子", "knives"]
)
def test_a_noun_of_a_kind_that_is_not_sold_is_known_for_one(sentence: str) -> None:
    asked = SHOP.asked(sentence)
    assert asked is not None and not asked.sold


def test_what_a_sentence_excludes_is_not_asked_for() -> None:
    assert rows(SHOP.asked("a sofa or a mug, no boots", [(0, 6)])) == [3]


def test_what_is_named_beside_what_is_asked_for_is_told_apart() -> None:
    assert SHOP.beside("something cosy for the sofa").nonzero()[0].tolist() == [2]
    assert not SHOP.beside("a sofa for two").any()


def test_others_of_the_next_wider_kind_are_near_and_groups_make_nothing_near() -> None:
    armchair, rocking, mug = (SHOP.asked(words) for words in ("armchair", "rocking chair", "mug"))
    assert armchair and rocking and mug
    assert armchair.near.nonzero()[0].tolist() == [9]
    assert rocking.sold and not rocking.rows.any() and rocking.near.nonzero()[0].tolist() == [8, 9]
    assert not mug.near.any()


def test_a_title_says_the_kind_where_a_category_is_wider_or_missing() -> None:
    shop = Kinds(
        [
            Product("1", "", "Blue denim jeans", category="Clothing"),
            Product("2", "", "Wrap dress with a scarf"),
            Product("3", "", "Steel pendant", category="Pendant lamp"),
        ]
    )
    assert rows(shop.asked("trousers")) == [0]
    assert rows(shop.asked("dress")) == [1]
    assert not shop.asked("scarf").sold
    assert not shop.asked("necklace").sold  # a pendant is one too, but not on the shelf of lamps
    assert {"Clothing", "clothing", "trousers", "jeans"} <= shop.of(0)


def test_a_kind_is_named_by_a_category_as_it_stands_or_by_any_noun() -> None:
    assert rows(SHOP.named("Sneaker")) == rows(SHOP.named("trainers")) == [6]
    assert SHOP.named("qwertz") is None


def test_the_tree_of_nouns_is_one_tree_whose_kinds_have_words_of_both_languages() -> None:
    assert all(kind.above in tree() or kind.above == "" for kind in tree().values())
    assert [kind.name for kind in tree().values() if not any(word[0] > "一" for word in kind.words)] == []
    assert len(tree()) > 300


def test_reading_the_noun_is_linear_in_the_length_of_the_sentence() -> None:
    assert SHOP.asked("very " * 20_000 + "red mug") is not None


@pytest.mark.parametrize(
    ("sentence", "noun"),
    [
        ("my sofa is grey, I need cushions", "cushions"),
        ("our hallway needs a rug", "rug"),
        ("a chest of drawers for the hall", "chest of drawers"),
        ("carry-on luggage", "luggage"),
    ],
)
def test_what_one_has_is_not_asked_for_and_a_noun_of_several_words_is_one(sentence, noun):
    asked = SHOP.asked(sentence)
    assert asked is not None and sentence[asked.spans[0][0] : asked.spans[0][1]] == noun

"""Names: titles, brands, ids and codes find their products, against brute force, with a slip, and in every receipt."""

from dataclasses import replace

import numpy as np
import pytest

from mmdemo.catalog.product import Product
from mmdemo.core.request import Filter, Query
from mmdemo.evaluate.name_queries import draw_names, name_queries, slip
from mmdemo.evaluate.sentences import read_sentences
from mmdemo.explain.explanation import Explanation
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.names import SAME, Names, names_of, parts_of, words
from mmdemo.language.relevance import Grade
from mmdemo.language.spelling import Spelling
from mmdemo.pipeline import name_weight as learning
from mmdemo.search.recommender import Recommender
from mmdemo.search.trace import trace
from mmdemo.ui.cards import tiles
from tests.toys import ToyEncoder, picture

SHOP = [
    Product("k-1", "", "Kivik sofa, grey", attributes={"brand": "Striden"}, translated={"title_zh": "灰色基维克沙发"}),
    Product("k-2", "", "Kivik footstool", attributes={"brand": "Striden", "ean": "4006381333931"}),
    Product("s-1", "", "Söderhamn armchair", attributes={"brand": "Maren & Co"}),
    Product("s-2", "", "Plate without a rim", attributes={"brand": "Maren & Co"}),
]
WEIGHT = 0.4


@pytest.fixture(scope="module")
def named(toy_recommender) -> Recommender:
    """The toy shop with brands and a title that the grammar would take for conditions, where names count."""
    products = [
        replace(
            p, title="Tray without blue" if p.id == "tray-0-red" else p.title, attributes=p.attributes | {"model": code}
        )
        for n, p in enumerate(toy_recommender.index.products)
        for code in [f"ZQ{n:03d}x"]
    ]
    contents = replace(toy_recommender.index.contents(), products=products)
    index = ProductIndex(replace(contents, manifest=contents.manifest.updated(name_weight=WEIGHT)))
    return Recommender(index, ToyEncoder())


def brute_force(text: str) -> list[float]:
    """The cosines of a text with the products of SHOP, by dictionaries."""
    names = [(row, name) for row, product in enumerate(SHOP) for name in names_of(product)]
    vocabulary = {word for _, name in names for word in words(name)}
    having = {word: sum(word in words(name) for _, name in names) for word in vocabulary}

    def vector(name: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for word in words(name):
            for part in parts_of(word):
                used = sum(having[other] for other in vocabulary if part in parts_of(other))
                whole = part[0] + part[-1] == "<>" or not part.isascii()
                found[part] = found.get(part, 0) + (1 if whole else 0.35) * np.log1p(len(names) / max(used, 1))
        return found

    def cosine(a: dict[str, float], b: dict[str, float]) -> float:
        dot = sum(value * b.get(part, 0.0) for part, value in a.items())
        return dot / np.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))

    asked = vector(text)
    return [max(cosine(asked, vector(name)) for at, name in names if at == row) for row in range(len(SHOP))]


@pytest.mark.parametrize(
    "text", ["Kivik sofa, grey", "kivk", "STRIDEN", "soderhamn", "灰色沙发", "4006381333931", "zebra"]
)
def test_cosines_are_those_of_brute_force(text):
    assert Names(SHOP).cosines(text).tolist() == pytest.approx(brute_force(text), abs=1e-5)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("grey KIVIK sofa", [0]),
        ("Soderhamn armchair", [2]),
        ("striden", [0, 1]),
        ("maren co", [2, 3]),
        ("K 2", [1]),
        ("4006381333931", [1]),
        ("灰色基维克沙发", [0]),
    ],
)
def test_a_name_is_the_same_whatever_its_case_accents_signs_and_order(text, rows):
    assert np.flatnonzero(Names(SHOP).cosines(text) >= SAME).tolist() == rows


@pytest.mark.parametrize(("text", "row"), [("Kivk sofa grey", 0), ("Södrehamn armchair", 2), ("灰色基维克沙", 0)])
def test_a_name_with_a_slip_is_nearest_to_its_product(text, row):
    cosines = Names(SHOP).called(text, Spelling(SHOP))
    assert cosines is not None and int(cosines.argmax()) == row and cosines.max() < SAME


@pytest.mark.parametrize(
    "text", ["a grey sofa", "something for my grandmother", "under 30", "size 38", "rotes Kleid", ""]
)
def test_what_describes_holds_no_name(text):
    assert Names(SHOP).called(text, Spelling(SHOP)) is None


def test_a_slip_changes_a_text_and_leaves_its_short_words(seed=0):
    rng = np.random.default_rng(seed)
    assert all(slip("an oak Striden", rng).startswith("an oak S") for _ in range(40))
    exact, slips = draw_names(SHOP, range(4), rng)
    assert len(exact) == 4 and all(text for text, _ in slips)
    assert all(row in right for row, (_, right) in enumerate(exact))


def test_a_name_comes_first_whatever_its_sentence_would_mean(named):
    first = named.recommend(Query(text="Tray without blue", k=3))[0]
    assert first.id == "tray-0-red" and first.close and first.grade is Grade.EXACT and first.match > 0.9
    assert named.recommend(Query(text="ZQ005X", k=1))[0].id == named.index.products[5].id
    assert named.recommend(Query(text="zq-017x", k=1))[0].id != ""
    filtered = named.recommend(Query(text="Tray without blue", filters=(Filter("category", "=", "Mug"),), k=3))
    assert all(r.product.category == "Mug" for r in filtered)


@pytest.mark.parametrize(
    "query",
    [
        Query(text="ZQ005x", k=48),
        Query(text="a red tray ZQ030x", k=48, diversity=0.0),
        Query(image=picture("mug", "green"), text="ZQ030x", k=48),
    ],
    ids=["a code", "a code and words", "a code and a photo"],
)
def test_scores_are_those_of_brute_force_and_split_exactly(named, query):
    prepared = named.prepare(query)
    cosines = named.index.names.cosines(query.text)
    scores = (1 - WEIGHT) * (named.index.vectors @ prepared.vector) + WEIGHT * cosines
    answers = named.recommend(prepared)
    assert len(answers) == 48
    for r in answers:
        row = named.index.row(r.id)
        assert r.score == pytest.approx(scores[row], abs=1e-5) and -1 <= r.score <= 1
        assert set(r.parts) == {"image", "text", "interaction", "name"}
        assert sum(r.parts.values()) == pytest.approx(r.score, abs=1e-5)
        assert named.rank(prepared, r.id) == r.rank or np.isclose(scores, scores[row], atol=1e-5).sum() > 1
    place = prepared.tiers.places
    assert answers[0].id == named.index.products[int(np.lexsort((-scores, place))[0])].id


def test_every_surface_of_an_answer_shows_the_name(named):
    query = Query(text="ZQ005x", k=2)
    first = named.recommend(query)[0]
    why = Explanation(named, query, first.id)
    assert why.receipt == pytest.approx(first.parts, abs=1e-6) and why.score == pytest.approx(first.score, abs=1e-6)
    assert sum(effect for _, effect in why.words) > 0 and first.reason.startswith("It is called what you wrote")
    assert why.as_dict(checks=False)["parts"].keys() == first.as_dict()["parts"].keys()
    assert any(part["name"] == "name" and part["share"] for part in tiles([first])[0]["parts"])
    assert trace(named, query).norms["name"] == WEIGHT


def test_without_a_name_or_a_weight_nothing_changes(named, toy_recommender):
    for query in (Query(text="a red tray", k=5), Query(image=picture("mug", "red"), k=5)):
        assert named.prepare(query).named is None
        assert [r.as_dict()["parts"] for r in named.recommend(query)] == [
            r.as_dict()["parts"] for r in Recommender(without_weight(named), ToyEncoder()).recommend(query)
        ]
    assert Recommender(without_weight(named), ToyEncoder()).prepare(Query(text="ZQ005x")).named is None


def without_weight(recommender: Recommender) -> ProductIndex:
    contents = recommender.index.contents()
    return ProductIndex(replace(contents, manifest=contents.manifest.updated(name_weight=0.0)))


def test_the_tasks_ask_for_names_and_count_them_in(named):
    index, encoder = named.index, named.encoder
    asked = name_queries(index, encoder, range(0, 48, 3), np.random.default_rng(0))
    assert set(asked) == {"names", "names with a slip"}
    read = read_sentences(index, encoder, asked["names"])
    assert all(part is not None and part.exactly[t].all() for part, t in zip(read.named, read.targets, strict=True))


def test_the_weight_is_learnt_where_names_help(named, monkeypatch):
    monkeypatch.setattr(learning, "LEAST", 10)
    assert 0 < learning.name_weight(named.index, named.encoder) < 1
    monkeypatch.setattr(learning, "LEAST", 1000)
    assert learning.name_weight(named.index, named.encoder) == 0


def test_an_empty_catalogue_has_no_names():
    assert Names([]).cosines("mug").shape == (0,)

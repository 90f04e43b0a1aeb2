"""Why an answer is there: the receipt of every head, words, maps, their checks, and what would change it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from mmdemo.core.request import MAX_TEXT, Query
from mmdemo.core.vectors import normalize
from mmdemo.evaluate.faithfulness import faithfulness
from mmdemo.explain import occlusion as regions
from mmdemo.explain import reasons as explain
from mmdemo.explain import words
from mmdemo.explain.explanation import Explanation
from mmdemo.explain.reasons import Contrasts, Decision, Grounds, sentence
from mmdemo.fusion.heads import HEADS, Mean
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.recommender import Recommender
from mmdemo.ui.explanation import section, tinted
from stress.reasons import check, queries
from tests.toys import ToyEncoder, picture


def with_head(recommender: Recommender, head) -> Recommender:
    index = recommender.index
    same = ProductIndex(replace(index.contents(), head=head.eval(), vectors=None, report={}))
    return Recommender(same, ToyEncoder())


class Wordless(Mean):
    """A head whose text part is nought in queries."""

    def _query(self, image, text, origin):
        return image[:, : self.dim], 0 * text[:, : self.dim], torch.zeros_like(image[:, : self.dim])


# The receipt.


@pytest.mark.parametrize("name", sorted(HEADS))
def test_the_receipt_of_every_head_sums_to_the_score(toy_recommender, name):
    torch.manual_seed(1)
    head = HEADS[name](toy_recommender.index.head.dim)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    recommender = with_head(toy_recommender, head)
    for query in (
        Query(image=picture("mug", "red"), text="blue", like=("tray-0-red",), unlike=("mug-0-black",)),
        Query(image=picture("mug", "red")),
        Query(text="green tray"),
    ):
        for r in recommender.recommend(query):
            assert sum(r.parts.values()) == pytest.approx(r.score, abs=1e-5)
            assert Explanation(recommender, query, r.id).receipt == pytest.approx(r.parts, abs=1e-5)


def test_the_section_names_the_conditions_of_the_sentence_and_what_they_mean(toy_recommender):
    query = Query(text="red mug under 900 euros")
    html = section(Explanation(toy_recommender, query, toy_recommender.recommend(query)[0].id), whole=True)
    assert "<span>under 900 euros<small>" in html


def test_a_head_with_its_text_part_zeroed_shows_zero_for_text(toy_recommender):
    recommender = with_head(toy_recommender, Wordless(toy_recommender.index.head.dim))
    query = Query(image=picture("mug", "red"), text="blue")
    for r in recommender.recommend(query):
        assert r.parts["text"] == 0 and r.parts["image"] == pytest.approx(r.score, abs=1e-6)
        assert "your words" not in r.reason
    assert all(effect == pytest.approx(0, abs=1e-6) for _, effect in Explanation(recommender, query, "mug-0-red").words)


def test_the_sentence_says_which_part_decided_which_property(toy_recommender):
    recommender = with_head(toy_recommender, Mean(toy_recommender.index.head.dim))
    index = recommender.index
    row = index.row("mug-1-blue")
    # A query whose photo part points from trays to mugs, and whose words point from other colours to blue.
    shape, colour = (recommender.contrasts.lead(*of) for of in (("category", "Mug"), ("colour", "Blue")))
    parts = np.stack([shape, colour, 0 * shape])
    grounds = Grounds(parts, 0.1, index.vectors, {"category": {"Mug"}}, {("colour", "Blue"): shape})
    decisions = recommender.contrasts.decisions(row, grounds)
    assert {d.column: d.by for d in decisions} == {"category": "image", "colour": "text"}
    said = str(sentence("both", dict(zip(explain.PARTS, (0.2, 0.3, 0.2), strict=True)), decisions))
    assert said == "Your photo decided the kind (mug); your words decided the colour (blue)."


def test_words_decide_only_what_they_speak_of_and_a_photo_what_it_shows(toy_recommender):
    recommender = with_head(toy_recommender, Mean(toy_recommender.index.head.dim))
    row = recommender.index.row("mug-1-blue")
    shape, colour = (recommender.contrasts.lead(*of) for of in (("category", "Mug"), ("colour", "Blue")))
    parts, rivals = np.stack([shape, colour, 0 * shape]), recommender.index.vectors
    for shown, named in (({}, {}), ({"colour": {"Blue"}}, {("category", "Mug"): None})):
        assert recommender.contrasts.decisions(row, Grounds(parts, 0.1, rivals, shown, named)) == []


def test_what_moves_nothing_decides_nothing(toy_recommender):
    recommender = with_head(toy_recommender, Mean(toy_recommender.index.head.dim))
    row = recommender.index.row("mug-1-blue")
    colour = recommender.contrasts.lead("colour", "Blue")
    parts = np.stack([0 * colour, colour, 0 * colour])
    alone = recommender.index.vectors[[row]]  # without rivals no place can be lost
    for rivals, decided in ((recommender.index.vectors, 1), (alone, 0)):
        grounds = Grounds(parts, 0.1, rivals, {}, {("colour", "Blue"): -colour})
        assert len(recommender.contrasts.decisions(row, grounds)) == decided


@pytest.mark.parametrize("text", ["asdfgh", "something nice"])
def test_words_that_name_nothing_of_the_catalogue_give_no_reason(toy_recommender, text):
    assert [r.reason for r in toy_recommender.recommend(Query(text=text, k=3))] == ["", "", ""]


def test_without_the_words_that_a_reason_names_the_product_has_a_worse_place(toy_recommender):
    """The check of stress/reasons.py, on a few queries; toys look too much alike for its check of photos."""
    counts, wrong = check(toy_recommender, queries(toy_recommender, 12, np.random.default_rng(0)))
    assert counts["text"] >= 5 and [line for line in wrong if "by text" in line] == []


def test_what_a_property_adds_is_told_apart_from_what_comes_along_with_it():
    """Nearly all that is navy here is checked as well: words that mean checks must not be said to decide the colour."""
    from mmdemo.catalog.product import Product

    looks = [("navy", "checks")] * 8 + [("navy", "plain")] * 2 + [("red", "plain")] * 8 + [("red", "checks")] * 2
    kinds = [(c, *look) for c in ("mug", "bag") for look in looks]
    axis = {name: n for n, name in enumerate(("mug", "bag", "navy", "red", "checks", "plain"))}
    vectors = np.array([[name in kind for name in axis] for kind in kinds], np.float32)
    vectors[0] *= 0.99  # so that what is otherwise as good comes before it
    products = [
        Product(str(n), "", str(n), category=c, attributes={"colour": v, "pattern": w})
        for n, (c, v, w) in enumerate(kinds)
    ]
    values = {"category": ("mug", "bag"), "colour": ("navy", "red"), "pattern": ("checks", "plain")}
    contrasts = Contrasts(products, vectors, {column: dict.fromkeys(of, 20) for column, of in values.items()})
    navy, checks = contrasts.lead("colour", "navy"), contrasts.lead("pattern", "checks")
    assert navy[axis["navy"]] > 0.8 and navy[axis["red"]] < -0.8 and abs(navy[axis["checks"]]) < 0.1
    assert checks[axis["checks"]] > 0.8 and abs(checks[axis["navy"]]) < 0.1
    assert contrasts.lead("colour", "teal") is None
    photo, words = np.eye(6)[axis["mug"]] + np.eye(6)[axis["navy"]], np.eye(6)[axis["checks"]]
    parts, shown = np.stack([photo, words, 0 * words]), {"category": {"mug"}, "colour": {"navy"}}
    grounds = Grounds(parts, 0.5, vectors, shown, {("pattern", "checks"): photo})
    decided = contrasts.decisions(0, grounds)
    assert {d.column: d.by for d in decided} == {"category": "image", "colour": "image", "pattern": "text"}


def test_a_column_of_lists_decides_by_its_items_however_many_lists_there_are():
    from itertools import combinations

    from mmdemo.catalog.product import Product, facets

    climates = ["cold", "cool", "mild", "warm", "hot"]
    worn = [c for n in (1, 2, 3) for c in combinations(climates, n)] * 2
    products = [
        Product(str(n), "", str(n), category="top", attributes={"climate": ", ".join(c)}) for n, c in enumerate(worn)
    ]
    vectors = np.array([[name in c for name in climates] for c in worn], np.float32)
    vectors[worn.index(("cool", "warm"))] *= 0.99  # so that what is otherwise as good comes before it
    columns = facets(products)
    assert set(columns["climate"]) == set(climates) and len(set(worn)) > len(climates)
    parts = np.stack([vectors[climates.index("warm")], *np.zeros((2, 5))])
    row = worn.index(("cool", "warm"))
    grounds = Grounds(parts, 0.1, vectors, {"climate": {"warm"}})
    found = Contrasts(products, vectors, columns).decisions(row, grounds)
    assert [(d.column, d.value, d.by) for d in found] == [("climate", "warm", "image")]


def test_a_property_that_all_products_share_decides_nothing():
    from mmdemo.catalog.product import Product

    products = [Product(str(n), "", str(n), category="mug") for n in range(4)]
    contrasts = Contrasts(products, np.eye(4, dtype=np.float32), {"category": {"mug": 4}})
    grounds = Grounds(np.ones((3, 4)), 0.1, np.eye(4, dtype=np.float32), None)
    assert contrasts.decisions(0, grounds) == []


@pytest.mark.parametrize(
    ("kind", "parts", "decisions", "said"),
    [
        (
            "both",
            (0.5, 0.1, 0.0),
            [("category", "Mug", "image"), ("colour", "Navy", "text")],
            "Mostly your photo: kind (mug); your words decided the colour (navy).",
        ),
        ("both", (0.3, 0.3, 0.0), [("colour", "Navy", "text")], "Your words decided the colour (navy)."),
        ("both", (0.5, 0.1, 0.0), [], ""),
        ("text", (0.0, 0.6, 0.0), [("colour", "Navy", "text")], "Your words decided the colour (navy)."),
        ("image", (0.6, 0.0, 0.0), [], ""),
        ("like", (0.6, 0.0, 0.0), [("colour", "Navy", "image")], "Close to where you started: colour (navy)."),
    ],
)
def test_the_card_says_it_in_one_sentence(kind, parts, decisions, said):
    found = [Decision(c, v, by, 1.0) for c, v, by in decisions]
    assert sentence(kind, dict(zip(explain.PARTS, parts, strict=True)), found) == said


# Words.


def test_a_word_of_the_query_costs_what_leaving_it_out_costs(toy_recommender):
    query = Query(image=picture("mug", "red"), text="some blue tray")
    why = Explanation(toy_recommender, query, "tray-0-blue")
    effects = dict(why.words)
    assert list(effects) == ["some", "blue", "tray"]
    assert effects["some"] == pytest.approx(0, abs=1e-6) and effects["blue"] > 0.01
    shorter = Explanation(toy_recommender, query.with_(text="some tray"), "tray-0-blue")
    assert effects["blue"] == pytest.approx(why.score - shorter.score, abs=1e-5)


def test_the_only_word_is_the_whole_score(toy_recommender):
    why = Explanation(toy_recommender, Query(text="blue"), "tray-0-blue")
    assert why.words == [("blue", pytest.approx(why.score, abs=1e-6))]


def test_a_word_of_the_title_costs_what_the_product_loses_without_it(toy_recommender):
    why = Explanation(toy_recommender, Query(text="blue tray"), "tray-0-blue")
    effects = dict(why.title_words)  # "Blue tray, size 0"; the text goes on: "A tray."
    assert set(effects) == {"Blue", "tray,", "size", "0"}
    assert effects["size"] == pytest.approx(0, abs=1e-6)
    index, row = toy_recommender.index, why.row
    text = index.products[row].text.replace("Blue ", "", 1)
    parts = index.head.product_parts(image=index.image[row][None], text=ToyEncoder().encode_text([text]))
    expected = why.score - float(parts[0].sum(0) @ why.vector)
    assert effects["Blue"] == pytest.approx(expected, abs=1e-5) and expected > 0


# Regions.


def in_a_corner(colour: str, x: int, y: int) -> Image.Image:
    """A white picture with a disc pasted into one corner."""
    image = Image.new("RGB", (120, 120), "white")
    small = picture("mug", colour, size=40, scale=0.9)
    image.paste(small, (x, y))
    return image


@pytest.mark.parametrize(("x", "y"), [(0, 0), (80, 0), (0, 80), (80, 80)])
def test_an_object_pasted_into_a_corner_lights_that_corner(toy_recommender, x, y):
    why = Explanation(toy_recommender, Query(image=in_a_corner("red", x, y)), "mug-0-red")
    heat = np.array(why.query_map.heat)
    assert heat.shape == (regions.GRID, regions.GRID)
    top, left = y // 20, x // 20
    inside = heat[top : top + 2, left : left + 2]
    assert inside.min() > 0.05
    outside = heat.copy()
    outside[max(0, top - 1) : top + 3, max(0, left - 1) : left + 3] = 0
    assert np.abs(outside).max() < 1e-6
    assert why.query_check.gain > 0.2


def test_the_product_map_lights_what_the_words_ask_for():
    class Half(ToyEncoder):
        """Sees how red the left half and how blue the right half of a picture is."""

        def encode_image(self, images):
            rows = []
            for image in images:
                pixels = np.asarray(image.convert("RGB").resize((40, 40)), np.float32) / 255
                v = np.full(self.dim, 0.02, np.float32)
                v[0] = (pixels[:, :20, 0] - pixels[:, :20, 2]).mean()
                v[1] = (pixels[:, 20:, 2] - pixels[:, 20:, 0]).mean()
                rows.append(v)
            return normalize(rows)

        def encode_text(self, texts):
            v = np.full((len(texts), self.dim), 0.02, np.float32)
            v[:, 0] = ["red" in t for t in texts]
            return normalize(v)

    both = Image.new("RGB", (60, 60), (255, 0, 0))
    ImageDraw.Draw(both).rectangle([30, 0, 60, 60], fill=(0, 0, 255))

    def score(pictures):
        return Half().encode_image(pictures) @ Half().encode_text(["red"])[0]

    heat = regions.heat_map(score, both)
    assert heat[:, :2].mean() > 0 > heat[:, 4:].mean()


def test_a_map_of_noise_does_not_pass_its_check():
    rng = np.random.default_rng(0)
    photo = in_a_corner("red", 0, 0)

    def score(pictures):
        return ToyEncoder().encode_image(pictures) @ ToyEncoder().encode_image([photo])[0]

    true = regions.check(score, photo, regions.heat_map(score, photo))
    wrong = regions.check(score, photo, -regions.heat_map(score, photo))
    noise = [regions.check(score, photo, rng.random((regions.GRID, regions.GRID)), seed=n).gain for n in range(12)]
    assert true.gain > 0.2 and wrong.gain < -0.1
    assert abs(np.mean(noise)) < 0.15


def test_a_picture_that_does_not_move_the_score_has_no_check(toy_recommender):
    assert regions.check(lambda some: np.ones(len(some), np.float32), picture("mug", "red"), np.zeros((6, 6))) is None


def test_words_alone_have_no_photo_map_and_say_so(toy_recommender):
    said = toy_recommender.explain(Query(text="red mug"), "mug-0-red")
    assert said["query_map"] is None and said["product_map"]["heat"]


def test_the_report_compares_maps_with_random_order(toy_recommender):
    queries = [Query(image=in_a_corner("red", 0, 80)), Query(image=picture("tray", "blue"), text="tray")]
    report = faithfulness(toy_recommender, queries)
    assert report["query"].pairs == 2
    for figure in report["query"].gain, report["product"].deletion:
        assert figure.low <= figure.value <= figure.high
    assert report["query"].gain.value > 0


# What would change it.


@pytest.mark.parametrize(
    ("query", "product_id"),
    [
        (Query(text="some blue tray"), "tray-0-blue"),
        (Query(text="blue tray under 30"), "tray-1-blue"),
        (Query(text="some blue tray"), "mug-0-blue"),
        (Query(image=picture("mug", "red"), text="blue tray"), "tray-2-blue"),
        (Query(reference="mug-1-red", text="the same in blue"), "mug-1-blue"),
        (Query(text="some blue tray under 30", fold=True), "tray-2-blue"),
    ],
)
def test_a_change_does_what_it_says_when_it_is_run(toy_recommender, query, product_id):
    toy_recommender = with_head(toy_recommender, Mean(toy_recommender.index.head.dim))
    changes = Explanation(toy_recommender, query, product_id).changes
    assert changes or query.fold

    def place(asked: Query) -> int | None:
        answer = toy_recommender.recommend(asked.with_(k=48))
        return next((r.rank for r in answer if product_id in (r.id, *r.variants)), None)

    for change in changes:
        assert change.query.k == query.k and change.after != change.before
        for asked, expected in ((query, change.before), (change.query, change.after)):
            found = place(asked)
            answer = toy_recommender.recommend(asked.with_(k=48))
            if found is None or expected is None:
                assert found is expected
            else:  # products of one score share a rank
                assert answer[found - 1].score == pytest.approx(answer[expected - 1].score, abs=1e-5)


def test_a_word_that_holds_a_product_up_is_found(toy_recommender):
    toy_recommender = with_head(toy_recommender, Mean(toy_recommender.index.head.dim))
    changes = Explanation(toy_recommender, Query(text="some blue tray"), "tray-0-blue").changes
    assert changes and all("blue" in c.what or "tray" in c.what for c in changes)
    assert changes[-1].after is None or changes[-1].after > changes[-1].before


def test_a_condition_that_keeps_a_product_out_is_none_of_its_ranks(toy_recommender):
    why = toy_recommender.explain(Query(text="tray under 12"), "tray-3-blue")
    assert why["rank"] is None and why["changes"] == [] and why["above"] is None


def test_the_difference_to_the_product_above_is_named(toy_recommender):
    answer = toy_recommender.recommend(Query(text="blue tray", k=20))
    place = next(i for i, r in enumerate(answer) if i and r.product.attributes != answer[i - 1].product.attributes)
    why = toy_recommender.explain(Query(text="blue tray", k=20), answer[place].id)
    assert why["above"]["id"] == answer[place - 1].id
    here, above = answer[place].product.attributes["colour"], answer[place - 1].product.attributes["colour"]
    assert f"colour: {here}, above: {above}" in why["above"]["difference"]


@pytest.mark.parametrize(
    "text", ["blue tray " * 100, "tray " + "not red, " * 60, "不要红色" * 100, "blue " * 40 + "not red, " * 40]
)
def test_a_query_however_long_is_explained_by_as_many_passes_as_one_of_some_words_and_says_so(toy_recommender, text):
    toy_recommender = with_head(toy_recommender, Mean(toy_recommender.index.head.dim))
    why = Explanation(toy_recommender, Query(text=text), "tray-0-blue")
    asked = []
    why._r.rank = lambda query, product_id: asked.append(query) or len(asked)
    assert why.changes and len(why.words) <= words.MOST_WORDS and len(asked) <= 60
    assert "long query" in why.note and why.as_dict(checks=False)["note"] == why.note
    assert not Explanation(toy_recommender, Query(text="blue tray under 30"), "tray-0-blue").note


@pytest.mark.parametrize("fold", [False, True])
def test_the_rank_of_an_explanation_is_the_rank_of_the_answer(toy_recommender, fold):
    query = Query(image=picture("mug", "red"), text="blue", k=48, fold=fold, like=("tray-1-red",))
    for r in toy_recommender.recommend(query):
        assert toy_recommender.rank(query, r.id) == r.rank


def test_words_that_did_next_to_nothing_are_not_tinted():
    assert [word["tint"] for word in tinted([("scarf", 0.004), ("teal", -0.003)])] == [0, 0]
    assert [word["tint"] for word in tinted([("scarf", 0.2), ("teal", -0.1), ("in", 0.02)])] == [1, -0.5, 0]


def test_a_sentence_as_long_as_it_may_be_is_explained(toy_recommender):
    """The words of the product's colour, which are tried beside it, would make it too long."""
    text = ("blue tray " * 100)[:MAX_TEXT]
    assert Explanation(toy_recommender, Query(text=text), "tray-0-blue").as_dict(checks=False)["rank"]


def test_of_numbers_without_end_the_first_are_read_as_prices(toy_recommender):
    reading = toy_recommender.read(Query(text="1 " * 400 + "under 20"))
    assert not reading.parts and toy_recommender.read(Query(text="1 " * 20 + "under 20")).parts

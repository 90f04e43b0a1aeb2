"""Fitting on a toy shop: what is learnt, what is refused, and that a seed decides everything."""

import numpy as np
import pytest
import torch

from mmdemo.calibration import calibrate, calibration_error, standing
from mmdemo.catalog import Catalog, Product
from mmdemo.edits import Edit, mine_edits
from mmdemo.embed import embed, text_rows
from mmdemo.fit import fit, loss_of, train
from mmdemo.fusion import HEADS, Mean
from mmdemo.lessons import HALF, WORDLESS, Lessons, carriers, questions, split_of
from mmdemo.validation import answered, floors, judge
from mmdemo.vectors import normalize
from tests.toys import ToyEncoder, toy_catalogue


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = toy_catalogue(tmp_path_factory.mktemp("fit") / "shop", copies=12)
    return embed(Catalog.read(folder), ToyEncoder(), tmp_path_factory.mktemp("work") / "work")


def run(shop, **more):
    encoder = ToyEncoder()
    return fit(shop.products, shop.image, shop.text, lambda t: text_rows(encoder, t), encoder.dim, **more)


@pytest.fixture(scope="module")
def fitted(shop):
    return run(shop, steps=60)


def test_the_chosen_head_is_never_worse_than_the_mean_on_validation(fitted):
    assert fitted.scores[fitted.head.name]["all"] >= fitted.scores["mean"]["all"]
    assert set(fitted.scores) == {"mean", "concat", "weighted", "attention"}


def test_a_task_s_floor_is_the_best_answer_that_needs_no_training(shop):
    """Falling below it is punished: a fused photo must not find less than the photo by itself."""
    encoder = ToyEncoder()
    rng = np.random.default_rng(0)
    data = Lessons(shop.products, shop.image, shop.text, shop.view, lambda t: text_rows(encoder, t), rng)
    asked = questions(data, "valid", 50, rng)
    mean = Mean(encoder.dim, shop.image.shape[1], shop.text.shape[1])
    found, by_mean = floors(data, asked, mean), judge(mean, data, asked)
    q = next(q for q in asked if q.task == "both")
    rows = []
    for one, stored in ((q.image, shop.image), (q.text, shop.text)):
        scores = one.numpy()[:, : encoder.dim] @ stored[:, : encoder.dim].T
        best = np.array([scores[i][q.right[i]].max() for i in range(len(scores))])
        wrong = [(scores[i][~q.right[i]] >= best[i]).sum() for i in range(len(scores))]
        ranks = 1 / (1 + np.array(wrong))
        rows.append(np.mean([ranks[q.of == product].mean() for product in set(q.of)]))
    # Toys that look the same differ by rounding alone, and which comes first is luck.
    assert found["both"] == pytest.approx(max(*rows, by_mean["both"]), abs=2e-3) and found["both"] > by_mean["both"]
    assert all(found[q.task] >= by_mean[q.task] for q in asked) and set(found) == {q.task for q in asked}


def test_words_find_products_that_carry_none_far_better_after_fitting(shop):
    """The other products teach what this shop's pictures and words have to do with each other."""
    encoder = ToyEncoder()
    apart = np.random.default_rng(3).normal(size=(encoder.dim, encoder.dim)).astype(np.float32)
    image, view = (normalize(rows[:, : encoder.dim] @ apart) for rows in (shop.image, shop.view))  # no shared space now
    text = shop.text[:, : encoder.dim].copy()
    said = lambda texts: text_rows(encoder, texts)[:, : encoder.dim]  # noqa: E731
    got = fit(shop.products, image, text, said, encoder.dim, view=view, steps=150, heads=("weighted",))
    data = Lessons(shop.products, image, text, view, said, np.random.default_rng(0))
    unseen = [q for q in questions(data, "test", 100, np.random.default_rng(0)) if q.task == WORDLESS]
    before = judge(Mean(encoder.dim, *[encoder.dim] * 2), data, unseen)[WORDLESS]
    assert judge(got.head, data, unseen)[WORDLESS] > 2 * before
    bare = got.head.product_parts(image=image, text=0 * text)
    scores = got.head.fuse(text=said(["red mug"])) @ bare.sum(1).T
    assert shop.products[int(scores.argmax())].category == "Mug"


def test_half_a_title_is_answered_by_every_product_that_carries_its_words():
    titles = ["Red mug", "red striped Mug", "Blue mug", ""]
    products = [Product(str(i), "", title) for i, title in enumerate(titles)]
    found = carriers(products, ["mug", "red mug", "Blue", ""], [0, 0, 2, 3])
    assert [list(rows) for rows in found] == [[0, 1, 2], [0, 1], [2], [3]]


def test_an_edit_is_learnt_from_only_where_its_answer_is_of_the_same_split(shop):
    encoder = ToyEncoder()
    rows = {s: [i for i, p in enumerate(shop.products) if split_of(p) == s] for s in ("train", "test")}
    edits = [Edit(rows["train"][0], "in blue", np.array(rows[s][1:3])) for s in ("test", "train")]
    data = Lessons(shop.products, shop.image, shop.text, None, lambda t: text_rows(encoder, t),
                   np.random.default_rng(0), edits)  # fmt: skip
    assert list(data.pool("edit", "train")) == [1] and list(data.pool("edit", "test")) == []
    assert list(data.pool("edit", "train", as_reported=True)) == [0, 1], "a page is asked for any product"


def test_a_head_is_judged_by_every_text_of_every_product_kept_aside(shop):
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    data = Lessons(shop.products, shop.image, shop.text, shop.view, lambda t: text_rows(encoder, t), rng)
    asked = {q.task: q for q in questions(data, "valid", 400, rng)}
    rows = np.flatnonzero(data.split == "valid")
    each = sorted(map(tuple, data.words[data.kinds[rows].ravel()].tolist()))
    for task in ("text", "both", WORDLESS):
        assert sorted(map(tuple, asked[task].text.tolist())) == each, task
    assert len(asked["image"].image) == len(rows)
    found = answered(Mean(encoder.dim, shop.image.shape[1], shop.text.shape[1]), data, [*asked.values()])
    assert all(len(found[task]) == len(rows) for task in asked if task != "edit"), "one figure for each product"
    few = {q.task: q for q in questions(data, "valid", 9, rng)}
    assert all(len(q.image) <= 9 for q in few.values())


def test_the_match_is_learnt_from_what_a_report_asks_halves_of_titles_and_edits_of_products(shop):
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    data = Lessons(shop.products, shop.image, shop.text, shop.view, lambda t: text_rows(encoder, t), rng)
    asked = {q.task: q for q in questions(data, "valid", 50, rng, as_reported=True)}
    halves = data.words[np.unique(data.kinds[:, HALF])].numpy()
    for task in ("text", "both"):
        assert all((halves == row).all(1).any() for row in asked[task].text.numpy()), task
    edit = asked["edit"]
    np.testing.assert_array_equal(edit.origin.numpy(), shop.text[edit.reference])


def test_edits_are_learnt_and_answered_far_better_than_by_the_mean(shop):
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    data = Lessons(shop.products, shop.image, shop.text, shop.view, lambda t: text_rows(encoder, t), rng)
    asked = [q for q in questions(data, "valid", 200, rng) if q.task == "edit"]
    width = (shop.image.shape[1], shop.text.shape[1])
    mean = Mean(encoder.dim, *width)
    head = HEADS["concat"](encoder.dim, *width)
    untrained = judge(head, data, asked)["edit"]
    train(head, data, {"edit": 1.0}, asked, 200, 0, floors(data, asked, mean), lambda n: None)
    assert judge(head, data, asked)["edit"] > 1.25 * untrained > 1.25 * judge(mean, data, asked)["edit"]


def test_of_heads_that_validation_hardly_tells_apart_the_one_that_knew_something_before_is_kept(shop):
    kinds, width = ("concat", "weighted"), (shop.image.shape[1], shop.text.shape[1])
    starts = {name: HEADS[name](ToyEncoder.dim, *width) for name in kinds}
    kept = {name: run(shop, steps=2, heads=kinds, start=start).head.name for name, start in starts.items()}
    assert kept == {name: name for name in kinds}
    found = run(shop, steps=2, heads=kinds)
    assert found.scores[found.head.name]["all"] == max(found.scores[name]["all"] for name in kinds)


def test_the_same_seed_gives_the_same_head(shop):
    a, b = (run(shop, steps=12, heads=("concat",), seed=4) for _ in range(2))
    assert a.scores == b.scores
    assert np.array_equal(a.head.fuse(image=shop.image, text=shop.text), b.head.fuse(image=shop.image, text=shop.text))


def test_variants_of_a_parent_are_never_split_between_training_and_test(shop):
    splits = {}
    for p in shop.products:
        assert splits.setdefault(p.parent, split_of(p)) == split_of(p)
    assert set(splits.values()) == {"train", "valid", "test"}


def test_held_out_products_are_named(shop, fitted):
    assert set(fitted.held_out) == {p.id for p in shop.products if split_of(p) == "test"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p, i, t: (p[:12], i[:12], t[:12]), "at least 40 products"),
        (lambda p, i, t: (p, 0 * i, t), "no product has a picture"),
        (lambda p, i, t: (p, i, 0 * t), "no product has a text"),
        (lambda p, i, t: (p, np.repeat(i[:1], len(i), 0), t), "all pictures are the same"),
    ],
    ids=["twelve products", "no pictures", "no texts", "one picture"],
)
def test_a_catalogue_that_teaches_nothing_falls_back_to_the_mean_and_says_why(shop, change, reason):
    encoder = ToyEncoder()
    products, image, text = change(shop.products, shop.image, shop.text)
    got = fit(products, image, text, lambda t: text_rows(encoder, t), encoder.dim, steps=5)
    assert got.head.name == "mean" and reason in got.note


def test_a_catalogue_without_attributes_or_categories_trains(shop):
    encoder = ToyEncoder()
    plain = [Product(p.id, p.image, p.title) for p in shop.products]
    got = fit(plain, shop.image, shop.text, lambda t: text_rows(encoder, t), encoder.dim, steps=20)
    assert got.scores[got.head.name]["all"] >= got.scores["mean"]["all"]
    assert "edit" not in got.scores["mean"]


def test_edits_within_a_parent_change_one_attribute_and_keep_the_rest(shop):
    edits = mine_edits(shop.products, shop.image, np.random.default_rng(0))
    assert len(edits) > 100
    for e in edits[:200]:
        reference = shop.products[e.reference]
        for t in e.targets:
            target = shop.products[t]
            assert target.parent == reference.parent
            assert target.attributes["colour"] != reference.attributes["colour"]
            assert target.attributes["colour"].lower() in e.text


def many_kinds(count: int) -> tuple[list[Product], np.ndarray]:
    """A shop of `count` categories, four colours in each, and when each thing was sold; pictures tell all of it."""
    products, image = [], []
    for kind in range(count):
        for copy in range(8):
            colour, year = ("red", "blue", "green", "black")[copy % 4], str(2011 + copy // 4)
            products.append(Product(f"{kind}-{copy}", "x.jpg", f"{colour} thing {kind}", category=f"Kind {kind}",
                                    attributes={"colour": colour, "year": year}))  # fmt: skip
            image.append(np.concatenate([np.eye(count)[kind], np.eye(4)[copy % 4], np.eye(2)[copy // 4]]))
    return products, normalize(np.array(image, np.float32))


def test_an_edit_across_products_keeps_the_category_however_many_there_are():
    """With more categories than an attribute may have values, "in blue" once asked for any blue thing."""
    products, image = many_kinds(70)
    edits = mine_edits(products, image, np.random.default_rng(0))
    assert edits and all(products[t].category == products[e.reference].category for e in edits for t in e.targets)


def test_an_edit_neither_asks_for_nor_keeps_when_a_thing_was_sold():
    products, image = many_kinds(6)
    edits = mine_edits(products, image, np.random.default_rng(0))
    assert not any("201" in e.text for e in edits)
    assert all({products[t].attributes["year"] for t in e.targets} == {"2011", "2012"} for e in edits)


def test_the_largest_shelf_is_asked_about_as_well():
    products, image = many_kinds(1)
    many = [Product(f"{p.id}-{i}", p.image, p.title, category=p.category, attributes=p.attributes)
            for p in products for i in range(60 if p.attributes["colour"] != "blue" else 3)]  # fmt: skip
    edits = mine_edits(many, np.repeat(image[:1], len(many), 0), np.random.default_rng(0))
    assert not edits, "no picture tells these apart"
    rows = [int(p.id.split("-")[1]) for p in many]
    edits = mine_edits(many, image[rows], np.random.default_rng(0))
    assert {many[t].attributes["colour"] for e in edits for t in e.targets} == {"blue"}
    assert len(edits) == 3 * 20


def test_the_loss_is_the_mean_log_probability_of_the_positives():
    scores = torch.tensor([[2.0, 1.0, 0.0]])
    right = torch.tensor([[1.0, 1.0, 0.0]])
    p = torch.softmax(scores, 1)
    assert float(loss_of(scores, right)) == pytest.approx(-float((p[0, 0].log() + p[0, 1].log()) / 2), abs=1e-6)


def asked(rng, count=600, products=60, answered=1.0):
    """Scores (count, products) of queries for one product each, which stands out where it is there at all."""
    scores = rng.normal(0.2, 0.1, (count, products)).astype(np.float32)
    right = np.zeros(scores.shape, bool)
    there = np.flatnonzero(rng.random(count) < answered)
    right[there, rng.integers(products, size=len(there))] = True
    scores[right] += rng.uniform(0.1, 0.4, len(there)).astype(np.float32)
    return scores, right


def matches_of(curve, kind, scores, top=10):
    z = standing(scores)
    return np.stack([curve.match(kind, np.sort(row)[::-1][:top], row) for row in z])


def test_calibrated_matches_are_close_to_the_share_of_right_answers():
    rng = np.random.default_rng(0)
    curve = calibrate({"image": asked(rng)})
    scores, right = asked(rng, answered=0.95)
    match, was = matches_of(curve, "image", scores), np.take_along_axis(right, np.argsort(-scores, 1)[:, :10], 1)
    assert calibration_error(match.ravel(), was.ravel()) < 0.03
    assert match[:, 0].mean() == pytest.approx(was[:, 0].mean(), abs=0.05)


def test_an_answer_that_stands_alone_is_likelier_than_one_in_a_crowd():
    curve = calibrate({"image": asked(np.random.default_rng(0))})
    first, crowd = np.array([4.0]), np.array([4.0] + 40 * [3.9])
    # As when a condition leaves the others out.
    assert curve.match("image", first, first)[0] > 0.2 + curve.match("image", first, crowd)[0]


def crowds(rng):
    """Scores (300, 150) of queries by words: one or many stand out far, all of them right, and some wrong ones less."""
    scores, right = rng.normal(0, 0.2, (300, 150)), np.zeros((300, 150), bool)
    for row, (first, many) in enumerate(zip(rng.uniform(4, 9, 300), rng.choice([1, 30], 300), strict=True)):
        scores[row, : many + 10] += first - np.r_[np.zeros(many), np.full(10, 1.5)]
        right[row, :many] = True
    return scores, right


def test_where_all_that_stand_out_are_right_a_crowd_does_not_count_against_them():
    curve = calibrate({"text": crowds(np.random.default_rng(0))})
    scores, right = crowds(np.random.default_rng(1))
    match, was = matches_of(curve, "text", scores), np.take_along_axis(right, np.argsort(-scores, 1)[:, :10], 1)
    many = right.sum(1) > 1
    assert match[many].mean() > 0.9 and match[~many, 0].mean() > 0.9  # in a crowd and alone
    assert match[~many, 1:].mean() < 0.1  # what lies behind is not
    assert calibration_error(match.ravel(), was.ravel()) < 0.05


def test_fewer_rivals_and_a_better_score_never_make_an_answer_less_likely():
    rng = np.random.default_rng(0)
    for shelf in (asked(rng), crowds(rng)):
        curve, z = calibrate({"text": shelf}), np.sort(rng.normal(1, 1, 60))[::-1]
        fewer = [curve.match("text", z[:1], z[:n])[0] for n in (60, 20, 5, 1)]
        assert (np.diff(fewer) >= 0).all()
        higher = [curve.match("text", z[:1] + up, np.r_[z[0] + up, z[1:]])[0] for up in (0, 0.3, 1, 3)]
        assert (np.diff(higher) >= 0).all()


def test_a_match_is_there_without_answers_and_without_rivals():
    curve, none = calibrate({"image": asked(np.random.default_rng(0))}), np.zeros(0, np.float32)
    assert len(curve.match("image", none, none)) == 0
    assert 0 < curve.match("image", np.array([2.0]), none)[0] < 1


def test_of_two_that_stand_alone_the_one_that_stands_out_further_is_likelier():
    curve = calibrate({"image": asked(np.random.default_rng(0))})
    far, near = np.array([5.0]), np.array([1.5])
    assert curve.match("image", far, far) > curve.match("image", near, near)


def test_a_dim_query_whose_answer_stands_out_matches_like_a_bright_one():
    bright = np.array([[0.9, 0.3, 0.1, 0.2]], np.float32)
    np.testing.assert_allclose(standing(bright), standing(bright / 3), atol=1e-5)


def test_one_normalisation_and_it_refuses_a_zero_row():
    np.testing.assert_allclose(np.linalg.norm(normalize([[3.0, 4.0], [1.0, 0.0]]), axis=1), 1)
    with pytest.raises(ValueError, match="row 1 of 2 is zero"):
        normalize([[1.0, 0.0], [0.0, 0.0]])

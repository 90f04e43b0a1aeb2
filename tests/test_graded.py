"""Graded figures: grades of a whole catalogue, and metrics with known answers."""

from dataclasses import replace

import numpy as np
import pytest

from mmdemo.core.metrics import Interval, chance_graded_metrics, cohen_kappa, graded_metrics
from mmdemo.core.request import Filter
from mmdemo.evaluate.graded import CODES, EXACT, Grader, graded_figures
from mmdemo.evaluate.queries import Queries
from mmdemo.evaluate.report import Evaluation, Fit, GradedFigures, Report
from mmdemo.evaluate.report_page import accepted
from mmdemo.evaluate.shopper_sentences import shopper_sentences
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.relevance import GAINS, Asked, Grade, grade
from tests.toys import ToyEncoder


@pytest.fixture(scope="module")
def index(toy_index):
    return ProductIndex.load(toy_index)


def test_the_grades_of_a_catalogue_are_those_of_its_products_one_by_one(index):
    red_mug = index.products[index.row("mug-0-red")]
    for asked in (
        Asked(frozenset({"Mug"}), wishes=(Filter("colour", "=", "red"),)),
        Asked(frozenset({"Mug"}), near=frozenset({"Tray"}), wishes=(Filter("price", "<", "11"),)),
        Asked(None, wishes=(Filter("colour", "!=", "red"),)),
        Asked(frozenset(), goes_with=frozenset({"tray-0-red", "gone"})),
        Asked(reference=red_mug, wishes=(Filter("colour", "=", "blue"),)),
        Asked(frozenset({"Mug"}), pictured=True),
    ):
        codes = Grader(index).grades(asked)
        assert [CODES[code] for code in codes] == [grade(asked, p) for p in index.products], asked


def test_a_query_asks_for_what_its_right_answers_share_and_it_shows_or_names(index):
    row = index.row("mug-0-red")
    photo, text, one = index.image[[row]], index.text[[row]], [np.array([row])]
    red = (Filter("colour", "=", "Red"),)
    shown = Queries(photo, 0 * text, 0 * text, np.array([-1]), one)
    assert Grader(index).asked_of(shown, 0).wishes == red
    for sentence, wishes in (("a mug", ()), ("red mug", red), ("reddish mug", ())):
        asked = Grader(index).asked_of(Queries(0 * photo, text, 0 * text, np.array([-1]), one, [sentence]), 0)
        assert asked.kinds == {"Mug"} and asked.wishes == wishes
    every = [np.arange(len(index))]
    assert Grader(index).asked_of(Queries(0 * photo, text, 0 * text, np.array([-1]), every, ["red"]), 0) is None


def test_a_ranking_by_grade_is_perfect_and_one_the_other_way_round_is_not(index):
    row = index.row("mug-0-red")
    asked = Asked(frozenset({"Mug"}), wishes=(Filter("colour", "=", "red"),))
    codes = Grader(index).grades(asked)
    nothing, text = np.zeros((1, index.image.shape[1])), index.text[[row]]
    q = Queries(nothing, text, 0 * text, np.array([-1]), [np.flatnonzero(codes == EXACT)], ["red mug"], asked=[asked])
    best = -codes[None].astype(np.float32)
    figures = graded_figures(index, q, {"head": best, "image": None, "text": -best, "mean": best})
    assert figures.queries == 1 and figures.rankers["image"] is None
    assert {m: v.value for m, v in figures.rankers["head"].items()} == {"ndcg@10": 1, "kind@10": 1, "wishes@10": 1}
    assert all(v.value == 0 for v in figures.rankers["text"].values())
    assert 0 < figures.rankers["chance"]["kind@10"].value < 1 and "popularity" not in figures.rankers


def test_the_head_ranks_tier_by_tier_and_the_others_by_nearness_alone(index):
    row = index.row("mug-0-red")
    codes = Grader(index).grades(asked := Asked(frozenset({"Mug"}), wishes=(Filter("colour", "=", "red"),)))
    nothing, text = np.zeros((1, index.image.shape[1])), index.text[[row]]
    q = Queries(nothing, text, 0 * text, np.array([-1]), [np.flatnonzero(codes == EXACT)], ["red mug"], asked=[asked])
    worst = codes[None].astype(np.float32) / 4  # cosines that put the irrelevant first
    tiered = replace(q, tiers=[codes])
    figures = graded_figures(index, tiered, {"head": worst, "image": None, "text": worst, "mean": worst})
    assert figures.rankers["head"]["ndcg@10"].value == 1 and figures.rankers["text"]["ndcg@10"].value == 0
    assert graded_figures(index, q, {"head": worst, "mean": worst}).rankers["head"]["ndcg@10"].value == 0


def test_graded_metrics_equal_a_count_by_hand():
    scores = np.array([[0.9, 0.8, 0.7, -np.inf]])
    gains = np.array([[GAINS[g] for g in (Grade.SUBSTITUTE, Grade.EXACT, Grade.IRRELEVANT, Grade.EXACT)]])
    values = graded_metrics(scores, gains, gains >= 0.1, gains == 1)
    gained, ideal = 0.1 + 1 / np.log2(3), 1 + 1 / np.log2(3) + 0.1 / 2
    assert values["ndcg@10"][0] == pytest.approx(gained / ideal)
    assert values["kind@10"][0] == pytest.approx(2 / 3)  # three are shown, two of them of the kind
    assert values["wishes@10"][0] == pytest.approx(1 / 2)  # two could be shown, one is


def test_chance_is_the_mean_over_random_orders():
    rng = np.random.default_rng(0)
    gains = rng.choice([0.0, 0.1, 1.0], (1, 12), p=[0.5, 0.3, 0.2])
    judged = (gains, gains > 0, gains == 1)
    drawn = [graded_metrics(rng.random((1, 12)), *judged, k=3) for _ in range(4000)]
    for name, value in chance_graded_metrics(*judged, k=3).items():
        assert value[0] == pytest.approx(np.mean([d[name] for d in drawn]), abs=0.02)


def test_kappa_is_agreement_beyond_chance():
    assert cohen_kappa("EESI", "EESI") == 1 and cohen_kappa("EEEE", "EEEE") == 1 and cohen_kappa("", "") == 0
    assert cohen_kappa("EEII", "EIEI") == 0
    assert cohen_kappa("EEEEISSI", "EEESISII") == pytest.approx((0.75 - 0.375) / (1 - 0.375), abs=0.02)


def test_sentences_of_shoppers_are_right_for_all_that_meets_their_wishes(index):
    q = shopper_sentences(index, ToyEncoder(), range(len(index)), np.random.default_rng(0))
    assert len(q) > 10
    for text, asked, targets in zip(q.said, q.asked, q.targets, strict=True):
        (kind,) = asked.kinds
        assert kind.lower() in text and len(targets)
        assert {index.products[r].category for r in targets} == {kind}
        for wish in asked.wishes:
            assert wish.value in text


def a_table(kind):
    figures = {"head": {m: Interval(kind, kind, kind) for m in ("ndcg@10", "kind@10", "wishes@10")}}
    relevance = GradedFigures(queries=40, rankers=figures, paired={})
    return Evaluation(queries=40, rankers={}, relevance=relevance, unseen=None)


def test_the_first_sentence_sets_the_worst_sort_of_query_beside_the_mean():
    report = Report(fit=Fit(), tasks={"edits": a_table(0.5), "words": a_table(0.9), "photo": a_table(1.0)})
    assert [g.sort for g in report.relevance] == ["photo", "sentence", "edit"]
    assert accepted(report.relevance) == (
        "Of ten answers 8.0 are of the kind that was asked for, the mean over 3 sorts of query; the worst is "
        "a product and a wish with 5.0."
    )
    assert accepted([]) is None


def test_the_report_has_graded_figures_of_every_sort_that_the_catalogue_can_ask(index):
    relevance = {g.sort: g.figures for g in Report.read(index.report).relevance}
    assert {"photo", "sentence", "photo and words", "edit", "reference"} == set(relevance)
    for figures in relevance.values():
        for metrics in filter(None, figures.rankers.values()):
            assert all(0 <= v.low <= v.value <= v.high <= 1 for v in metrics.values())
        assert set(figures.paired) == {"ndcg@10", "kind@10", "wishes@10"}

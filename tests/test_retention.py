import numpy as np
import pytest
import torch

from mmdemo.encoder import Encoder
from mmdemo.exam import RANK, SIGHT, WORDS, Exam, alike, found, luck, reciprocal_rank, share
from mmdemo.product import Product
from mmdemo.retention import MIXES, as_text, blend, settle
from mmdemo.shelf import held_out
from tests.toys import ToyEncoder, toy_catalogue


def test_metrics_on_rankings_whose_answers_are_known():
    scores = np.array([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1], [0.2, 0.3, 0.1]])
    right = np.array([[0, 1, 0], [1, 0, 1], [0, 0, 0]], bool)  # second, first, nowhere: the last does not count
    assert found(scores, right, 1) == 0.5 and found(scores, right, 2) == 1.0
    assert reciprocal_rank(scores, right) == pytest.approx((1 / 2 + 1) / 2)
    assert share(scores[:2], right[:2], 2) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert luck(np.eye(20, dtype=bool), 10) == pytest.approx(0.5)
    rng = np.random.default_rng(0)
    many = rng.random((1, 12)) < 0.3
    drawn = np.mean([many[0, rng.permutation(12)[:3]].any() for _ in range(20_000)])
    assert luck(many, 3) == pytest.approx(drawn, abs=0.02)


def test_near_copies_sizes_and_equal_titles_are_right_answers():
    blue = {"colour": "Blue"}
    products = [
        Product("1", "", "Mug", group="G"), Product("2", "", "Other mug", group="G"), Product("3", "", "Mug"),
        Product("4", "", "Shirt S", parent="P", attributes=blue),
        Product("5", "", "Shirt M", parent="P", attributes=blue),
        Product("6", "", "Shirt", parent="P", attributes={"colour": "Red"}),
    ]  # fmt: skip
    expected = np.eye(6, dtype=bool)
    for a, b in ((0, 1), (0, 2), (3, 4)):
        expected[a, b] = expected[b, a] = True
    assert (alike(products) == expected).all()


def test_an_exam_asks_what_is_kept_aside_and_a_perfect_encoder_passes(tmp_path):
    shop = toy_catalogue(tmp_path / "shop")
    exam = Exam.of(shop, aside=True, split_by="id")
    assert exam is not None and 5 <= len(exam.titles) < 20
    marks = exam.marks(ToyEncoder())
    assert marks[WORDS] == 1.0 and marks[SIGHT] == 1.0 and marks[RANK] > exam.chance()[RANK]
    whole = Exam.of(shop, aside=False)
    assert whole is not None and len(whole.titles) == 48
    assert whole.chance()[WORDS] == pytest.approx(luck(whole.right, 10)) and whole.chance()[WORDS] < 0.3
    few = toy_catalogue(tmp_path / "few", copies=1)
    assert Exam.of(few, aside=True) is None  # two parents, too few products kept aside to tell apart
    assert sum(held_out(Product(str(i), "", "x")) for i in range(100)) < 40


def test_blend_is_linear_in_floats_and_takes_counters_from_the_end():
    start = {"w": torch.tensor([0.0, 2.0]), "n": torch.tensor(3)}
    end = {"w": torch.tensor([1.0, 4.0]), "n": torch.tensor(9)}
    for mix in MIXES:
        mixed = blend(start, end, mix)
        torch.testing.assert_close(mixed["w"], torch.tensor([mix, 2 + 2 * mix]))
        assert mixed["n"] == 9


class Scripted:
    """An exam whose marks depend on how far the weights are from the start."""

    def __init__(self, name, rank):
        self.name, self.rank, self.titles = name, rank, ["a"] * 7

    def chance(self):
        return {RANK: 0.1}

    def marks(self, encoder):
        return {RANK: self.rank[round(4 * (encoder.model.logit_scale.item() - 1))]}


def settled(tiny_model, own, others):
    encoder = Encoder.load(tiny_model)
    with torch.no_grad():
        encoder.model.logit_scale.fill_(2.0)  # the end; the start is 1
        start = {n: v.clone() for n, v in encoder.model.state_dict().items()} | {"logit_scale": torch.tensor(1.0)}
    outcome = settle(encoder, start, own, others)
    assert encoder.model.logit_scale.item() == pytest.approx(1 + outcome.share)
    return outcome


@pytest.mark.parametrize(
    ("own", "others", "share"),
    [
        ([0.5, 0.6, 0.7, 0.8, 0.9], [0.5, 0.5, 0.5, 0.5, 0.5], 1.0),  # learnt, nothing forgotten
        ([0.5, 0.7, 0.8, 0.82, 0.83], [0.5, 0.5, 0.48, 0.3, 0.1], 0.5),  # the best of both
        ([0.5, 0.4, 0.3, 0.2, 0.1], [0.5, 0.6, 0.7, 0.8, 0.9], 0.0),  # worse at its own task: the start
        ([0.5, 0.4, 0.6, 0.4, 0.4], [0.5, 0.9, 0.5, 0.9, 0.9], 0.5),  # never worse than the start on its own
    ],
)
def test_the_mix_that_keeps_most_is_kept_and_never_one_worse_than_the_start(own, others, share, tiny_model):
    outcome = settled(tiny_model, [Scripted("mine", own)], [Scripted("theirs", others)])
    assert outcome.share == share
    at = round(4 * share)
    assert outcome.table == [
        ("mine (7)", RANK, own[0], own[at], 0.1), ("theirs (7)", RANK, others[0], others[at], 0.1),
    ]  # fmt: skip
    if share == 0:
        assert "did not help" in outcome.why and "0.500" in outcome.why and "0.100" in outcome.why
    else:
        assert "theirs" in outcome.why and ("end of training" in outcome.why)


def test_without_products_kept_aside_the_mix_is_half_way_and_says_so(tiny_model):
    outcome = settled(tiny_model, [], [Scripted("theirs", [0.5, 0.5, 0.1, 0.1, 0.1])])
    assert outcome.share == 0.5 and "Too few products" in outcome.why


def test_the_table_is_markdown_with_an_empty_cell_where_there_was_no_start():
    text = as_text([("shop (9)", WORDS, None, 0.5, 0.25)])
    assert text.splitlines()[-1] == f"| shop (9) | {WORDS} |  | 0.500 | 0.250 |"

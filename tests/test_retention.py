import numpy as np
import pytest
import torch

from mmdemo.catalog.product import Product
from mmdemo.core.holdout import Holdout
from mmdemo.core.metrics import chance_recall_at
from mmdemo.encode.encoder import Encoder
from mmdemo.finetune.retrieval_eval import RANK, SIGHT, WORDS, RetrievalEval, alike
from mmdemo.finetune.weight_interpolation import MIXES, as_text, blend, interpolate
from tests.toys import ToyEncoder, toy_catalogue


def test_near_copies_sizes_and_equal_titles_are_right_answers():
    blue = {"colour": "Blue"}
    products = [
        Product("1", "", "Mug", group="G"),
        Product("2", "", "Other mug", group="G"),
        Product("3", "", "Mug"),
        Product("4", "", "Shirt S", parent="P", attributes=blue),
        Product("5", "", "Shirt M", parent="P", attributes=blue),
        Product("6", "", "Shirt", parent="P", attributes={"colour": "Red"}),
    ]
    expected = np.eye(6, dtype=bool)
    for a, b in ((0, 1), (0, 2), (3, 4)):
        expected[a, b] = expected[b, a] = True
    assert (alike(products) == expected).all()


def test_an_exam_asks_what_is_kept_aside_and_a_perfect_encoder_passes(tmp_path):
    shop = toy_catalogue(tmp_path / "shop")
    evaluation = RetrievalEval.of(shop, holdout=Holdout(("id",)))
    assert evaluation is not None and 5 <= len(evaluation.titles) < 20
    figures = evaluation.evaluate(ToyEncoder())
    assert figures[WORDS] == 1.0 and figures[SIGHT] == 1.0 and figures[RANK] > evaluation.chance()[RANK]
    whole = RetrievalEval.of(shop)
    assert whole is not None and len(whole.titles) == 48
    assert whole.chance()[WORDS] == pytest.approx(chance_recall_at(whole.right, 10)) and whole.chance()[WORDS] < 0.3
    few = toy_catalogue(tmp_path / "few", copies=1)
    assert RetrievalEval.of(few, holdout=Holdout()) is None  # two parents, too few products kept aside to tell apart
    assert sum(Holdout().held_out(Product(str(i), "", "x")) for i in range(100)) < 40


def test_blend_is_linear_in_floats_and_takes_counters_from_the_end():
    start = {"w": torch.tensor([0.0, 2.0]), "n": torch.tensor(3)}
    end = {"w": torch.tensor([1.0, 4.0]), "n": torch.tensor(9)}
    for mix in MIXES:
        mixed = blend(start, end, mix)
        torch.testing.assert_close(mixed["w"], torch.tensor([mix, 2 + 2 * mix]))
        assert mixed["n"] == 9


class Scripted:
    """An evaluation whose figures depend on how far the weights are from the start."""

    def __init__(self, name, rank):
        self.name, self.rank, self.titles = name, rank, ["a"] * 7

    def chance(self):
        return {RANK: 0.1}

    def evaluate(self, encoder):
        return {RANK: self.rank[round(4 * (encoder.model.logit_scale.item() - 1))]}


def settled(tiny_model, own, others):
    encoder = Encoder.load(tiny_model)
    with torch.no_grad():
        encoder.model.logit_scale.fill_(2.0)  # the end; the start is 1
        start = {n: v.clone() for n, v in encoder.model.state_dict().items()} | {"logit_scale": torch.tensor(1.0)}
    outcome = interpolate(encoder, start, own, others)
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
        ("mine (7)", RANK, own[0], own[at], 0.1),
        ("theirs (7)", RANK, others[0], others[at], 0.1),
    ]
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

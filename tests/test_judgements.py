"""Judging: grades are kept line by line, judges are blind and can go on, and agreement has known answers."""

import csv
import os

import numpy as np
import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.request import Filter
from mmdemo.evaluate.judgements import (
    Item,
    JudgementFile,
    JudgingSession,
    judged_figures,
    judgements_beside,
    pooled_answers,
    query_name,
    ranked_answers,
)
from mmdemo.evaluate.queries import Queries
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.relevance import Asked
from tests.toys import ToyEncoder


@pytest.fixture(scope="module")
def index(toy_index):
    return ProductIndex.load(toy_index)


@pytest.fixture(scope="module")
def asked(index):
    """Two queries with known wishes, and two rankers that disagree about them."""
    text = index.text[[index.row("mug-0-red"), index.row("tray-0-red")]]
    wishes = (Filter("colour", "=", "Red"),)
    kinds = [Asked(frozenset({kind}), wishes=wishes) for kind in ("Mug", "Tray")]
    targets = [np.array([index.row("mug-0-red")]), np.array([index.row("tray-0-red")])]
    q = Queries(0 * index.image[:2], text, 0 * text, np.array([-1, -1]), targets, ["red mug", "red tray"], asked=kinds)
    up = np.tile(np.arange(len(index), dtype=np.float32), (2, 1))
    return q, {"head": up, "image": None, "text": -up, "mean": up}


def test_every_first_answer_is_judged_once_in_an_order_that_tells_nothing(index, asked):
    q, matrices = asked
    items = pooled_answers(q, matrices, depth=3)
    n = len(index)
    assert {i.product for i in items if i.query == 0} == {0, 1, 2, n - 3, n - 2, n - 1} and len(items) == 12
    assert items == pooled_answers(q, matrices, depth=3)
    orders = [[i.product for i in items if i.query == row] for row in (0, 1)]
    assert orders[0] != orders[1] and sorted(orders[0]) == sorted(orders[1])


def test_a_grade_is_on_disk_at_once_and_the_judge_goes_on_from_there(index, asked, tmp_path):
    path = tmp_path / "judgements.csv"
    session = JudgingSession(index, *asked, JudgementFile(path), "anna")
    first = session.next
    session.grade(first, "S")
    (row,) = csv.DictReader(path.open(newline=""))
    assert row["query"] == query_name(asked[0], first.query) and row["grade"] == "S" and row["judge"] == "anna"
    assert row["product_id"] == index.products[first.product].id and row["time"].endswith("+00:00")
    again = JudgingSession(index, *asked, JudgementFile(path), "anna")
    assert again.done == 1 and again.next == session.next != first
    assert JudgingSession(index, *asked, JudgementFile(path), "ben").next == first
    for item in again.items[1:]:
        again.grade(item, "I")
    assert again.next is None and again.done == len(again.items)


def test_the_page_keeps_grades_beside_the_index_or_where_it_was_started(index, tmp_path, monkeypatch):
    assert judgements_beside(index) == index.folder.parent / "judgements.csv"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert judgements_beside(index) == tmp_path / "judgements.csv"


def test_sentences_to_judge_are_the_same_each_time(index):
    (q, matrices), (again, _) = ranked_answers(index, ToyEncoder()), ranked_answers(index, ToyEncoder())
    assert q.said == again.said and len(q) > 0 and set(matrices) == {"head", "image", "text", "mean"}


def test_agreement_with_the_rule_is_full_for_a_judge_who_follows_it_and_none_for_one_who_does_not_look(
    index, asked, tmp_path
):
    q, matrices = asked
    rule = JudgingSession(index, q, matrices, JudgementFile(tmp_path / "rule.csv"), "rule")
    blind = JudgingSession(index, q, matrices, JudgementFile(tmp_path / "blind.csv"), "blind")
    for item in rule.items:
        product = index.products[item.product]
        of_kind = product.category == ("Mug", "Tray")[item.query]
        red = product.attributes["colour"] == "Red"
        rule.grade(item, "E" if of_kind and red else "S" if of_kind else "I")
        blind.grade(item, "I")
    assert rule.agreement().raw == rule.agreement().kappa == 1 and rule.agreement().count == len(rule.items)
    assert blind.agreement().kappa == pytest.approx(0) and blind.agreement().raw < 1


def test_what_people_think_ranks_the_rankers(index, asked, tmp_path):
    q, matrices = asked
    file = JudgementFile(tmp_path / "judgements.csv")
    session = JudgingSession(index, q, matrices, file, "anna")
    best = len(index) - 1  # the head's first, the text's last
    session.grade(Item(0, best), "E")
    figures = judged_figures(index, q, matrices, file.judgements)
    assert figures["head"]["ndcg@10"].value == 1 and figures["text"]["ndcg@10"].value == 0 and figures["image"] is None
    assert judged_figures(index, q, matrices, []) == {}


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "query,product_id,grade,judge,time\nred mug,mug-0-red,X,anna,now\n"])
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "other.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=r"line 2 of 'other.csv' is no judgement"):
        JudgementFile(path)
    assert path.read_text() == content


def test_a_grade_that_is_none_is_refused(index, asked, tmp_path):
    session = JudgingSession(index, *asked, JudgementFile(tmp_path / "judgements.csv"), "anna")
    with pytest.raises(InputError, match="expected a grade of E, S, C, I, found X"):
        session.grade(session.next, "X")

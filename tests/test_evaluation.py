"""Metrics against hand-computed answers, baselines beside the head, intervals, and query files."""

import csv

import numpy as np
import pytest

from mmdemo.calibration import calibration_error, reliability
from mmdemo.errors import InputError
from mmdemo.evaluation import (
    as_text,
    evaluate,
    interval,
    lists,
    paired,
    per_query,
    read_queries,
    score_matrices,
)
from mmdemo.examples import most_shown
from mmdemo.index import ProductIndex
from tests.toys import ToyEncoder, picture


@pytest.fixture(scope="module")
def index(toy_index):
    return ProductIndex.load(toy_index)


def write(path, rows):
    with path.open("w", newline="") as f:
        table = csv.DictWriter(f, ["query_id", "image", "text", "reference_id", "product_id", "target_ids"])
        table.writeheader()
        for i, row in enumerate(rows):
            table.writerow({"query_id": i, **row})
    return path


def test_metrics_equal_the_hand_computed_ones():
    scores = np.array([[0.9, 0.8, 0.7, 0.1], [0.2, 0.9, 0.5, 0.4]], np.float32)
    values = per_query(scores, [np.array([0]), np.array([2, 0])])
    assert values["recall@1"].tolist() == [1, 0]
    assert values["recall@5"].tolist() == [1, 1]
    assert values["mrr"].tolist() == [1, 0.5]
    ideal = 1 + 1 / np.log2(3)
    assert values["ndcg@10"] == pytest.approx([1, (1 / np.log2(3) + 1 / np.log2(5)) / ideal])


def test_the_interval_covers_the_mean_and_narrows_with_more_queries():
    rng = np.random.default_rng(0)
    few, many = interval(rng.random(30).round()), interval(rng.random(3000).round())
    assert few["low"] <= few["value"] <= few["high"]
    assert many["high"] - many["low"] < (few["high"] - few["low"]) / 4
    assert interval(np.ones(10)) == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_a_ranker_that_cannot_answer_is_null_and_the_others_are_measured(index, tmp_path):
    path = write(tmp_path / "q.csv", [{"text": "red mug", "target_ids": "mug-0-red mug-1-red"}])
    queries, skipped = read_queries(path, index, ToyEncoder())
    result = evaluate(index, queries)
    assert not skipped and result["queries"] == 1
    assert result["rankers"]["image"] is None
    assert set(result["rankers"]) == {"head", "image", "text", "mean"}
    assert set(result["rankers"]["text"]) == {"recall@1", "recall@5", "recall@10", "mrr", "ndcg@10"}
    assert "cannot answer" in as_text(result)


def test_photo_queries_give_the_brute_force_ranking_of_pictures(index, tmp_path):
    picture("mug", "blue", scale=0.58).save(tmp_path / "a.png")
    path = write(tmp_path / "q.csv", [{"image": "a.png", "product_id": "mug-1-blue"}])
    queries, _ = read_queries(path, index, ToyEncoder())
    image = score_matrices(index, queries)["image"]
    np.testing.assert_allclose(image[0], index.image @ queries.image[0], atol=1e-6)
    result = evaluate(index, queries)
    assert result["rankers"]["image"]["recall@5"]["value"] == 1
    assert result["rankers"]["text"] is None


def test_a_reference_is_left_out_of_its_own_answer(index, tmp_path):
    path = write(tmp_path / "q.csv", [{"reference_id": "mug-0-red", "text": "in blue", "target_ids": "mug-0-blue"}])
    queries, _ = read_queries(path, index, ToyEncoder())
    for scores in score_matrices(index, queries).values():
        assert np.isneginf(scores[0, index.row("mug-0-red")])


def test_rows_that_do_not_fit_are_skipped_with_the_reason(index, tmp_path):
    (tmp_path / "bad.png").write_text("no picture")
    rows = [
        {"text": "red mug", "product_id": "mug-0-red"},
        {"text": "red mug", "product_id": "unknown"},
        {"image": "bad.png", "product_id": "mug-0-red"},
        {"image": "missing.png", "product_id": "mug-0-red"},
        {"product_id": "mug-0-red"},
        {"text": "x", "reference_id": "nobody", "product_id": "mug-0-red"},
    ]
    queries, skipped = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    assert len(queries) == 1 and len(skipped) == 5
    assert [s.split(":")[0] for s in skipped] == ["line 3", "line 4", "line 5", "line 6", "line 7"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "found an empty file"),
        ("query_id,text\n1,red\n", "needs a column product_id or target_ids"),
        ("query_id,text,product_id\n1,red,unknown\n", "none of the 1 queries"),
    ],
)
def test_a_query_file_that_cannot_be_used_gets_a_sentence(index, tmp_path, content, says):
    (tmp_path / "q.csv").write_text(content)
    with pytest.raises(InputError, match=says):
        read_queries(tmp_path / "q.csv", index, ToyEncoder())


def test_a_missing_query_file_gets_a_sentence(index, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_queries(tmp_path / "none.csv", index, ToyEncoder())


def test_the_report_measures_every_task_beside_the_baselines(index):
    assert {"photo", "words", "photo and words"} <= set(index.report["tasks"])
    for result in index.report["tasks"].values():
        head = result["rankers"]["head"]["recall@10"]
        assert 0 <= head["low"] <= head["value"] <= head["high"] <= 1


def test_the_unseen_table_counts_held_out_answers_alone(index, tmp_path, monkeypatch):
    held = [p.id for p in index.products if p.parent == "mug-1"]
    seen = [p.id for p in index.products if p.parent != "mug-1"]
    monkeypatch.setitem(index.manifest, "held_out", held)
    rows = [
        {"text": "mug", "target_ids": f"{held[0]} {seen[0]}"},  # half unseen
        {"text": "mug", "target_ids": seen[1]},
        {"reference_id": seen[2], "text": "in blue", "target_ids": held[1]},  # training saw the reference
        {"reference_id": held[0], "text": "in blue", "target_ids": held[1]},
    ]
    queries, _ = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    result = evaluate(index, queries)
    assert result["queries"] == 4 and result["unseen"]["queries"] == 2
    scores = score_matrices(index, queries)["head"][0]
    scores[index.row(seen[0])] = -np.inf
    rank = 1 + int((scores > scores[index.row(held[0])]).sum())
    edit = score_matrices(index, queries)["head"][3]
    edit_rank = 1 + int((edit > edit[index.row(held[1])]).sum())
    mrr = result["unseen"]["rankers"]["head"]["mrr"]["value"]
    assert mrr == pytest.approx((1 / rank + 1 / edit_rank) / 2, abs=0.02)


def test_the_paired_test_knows_a_difference_from_none():
    rng = np.random.default_rng(0)
    a = rng.random(200)
    assert paired(a + 0.1, a)["p"] < 0.001 and paired(a + 0.1, a)["value"] == pytest.approx(0.1)
    assert paired(a, a)["p"] == 1 and paired(a, rng.permutation(a))["p"] > 0.01


def test_lists_are_measured_against_known_answers():
    vectors = np.eye(20, dtype=np.float32)[np.repeat(np.arange(10), 2)]  # ten pairs of twins
    same = np.tile(np.arange(20, 0, -1, dtype=np.float32), (4, 1))
    found = lists(same, vectors, k=2)  # every query shows the first pair
    assert found["diversity"] == pytest.approx(0) and found["coverage"] == pytest.approx(0.1)
    assert found["top tenth"] == pytest.approx(1)
    spread = lists(np.eye(20, dtype=np.float32)[::2] + np.roll(np.eye(20, dtype=np.float32), 2, 1)[::2], vectors, k=2)
    assert spread["diversity"] == pytest.approx(1) and spread["coverage"] == pytest.approx(0.5)
    assert spread["top tenth"] == pytest.approx(0.2)


def test_calibration_error_is_the_gap_between_the_stated_and_the_real_share():
    right = np.array([True] * 8 + [False] * 2)
    assert calibration_error(np.full(10, 0.8), right) == pytest.approx(0, abs=1e-6)
    assert calibration_error(np.full(10, 0.3), right) == pytest.approx(0.5, abs=1e-6)


def test_an_edit_of_a_product_knows_its_text_and_an_edit_of_a_photo_does_not(index, tmp_path):
    write(tmp_path / "q.csv", [{"reference_id": "mug-0-red", "text": "in blue", "target_ids": "mug-0-blue"},
                               {"text": "blue mug", "target_ids": "mug-0-blue"}])  # fmt: skip
    queries, _ = read_queries(tmp_path / "q.csv", index, ToyEncoder())
    np.testing.assert_array_equal(queries.origin[0], index.text[index.row("mug-0-red")])
    assert not queries.origin[1].any()


def test_a_photo_of_the_very_product_that_is_asked_for_does_not_leave_it_out(index, tmp_path):
    picture("mug", "blue", scale=0.58).save(tmp_path / "a.png")
    rows = [
        {"image": "a.png", "reference_id": "mug-1-blue", "product_id": "mug-1-blue"},
        {"image": "a.png", "text": "in red", "reference_id": "mug-1-blue", "product_id": "mug-1-red"},
    ]
    queries, _ = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    assert queries.reference.tolist() == [-1, index.row("mug-1-blue")]
    assert queries.shows == ["mug-1-blue", "mug-1-blue"] and queries.said == ["", "in red"]
    assert np.isfinite(score_matrices(index, queries)["head"][0]).all()


def test_the_reliability_curve_holds_the_stated_and_the_real_share_of_every_bin():
    match = np.array([0.05, 0.15, 0.15, 0.95, 0.85, 1.0])
    right = np.array([False, False, True, True, True, True])
    assert reliability(match, right) == [
        {"stated": pytest.approx(0.05), "right": 0, "count": 1},
        {"stated": pytest.approx(0.15), "right": 0.5, "count": 2},
        {"stated": pytest.approx(0.85), "right": 1, "count": 1},
        {"stated": pytest.approx(0.975), "right": 1, "count": 2},
    ]
    assert calibration_error(match, right) == pytest.approx((0.05 + 0.7 + 0.15 + 0.05) / 6)


def test_examples_come_worst_first_with_the_rank_that_the_right_answer_got(index, tmp_path):
    rows = [
        {"text": "red mug", "product_id": "mug-0-red"},
        {"text": "red mug", "product_id": "tray-3-black"},  # nothing like it: among the last
        {"text": "green tray", "product_id": "tray-0-green"},
    ]
    queries, _ = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    part = evaluate(index, queries)
    worst = (part["unseen"] or part)["examples"]["worst"]
    scores = score_matrices(index, queries)["head"]
    expected = {
        r["product_id"]: 1 + int((s > s[index.row(r["product_id"])]).sum()) for r, s in zip(rows, scores, strict=True)
    }
    for example in worst:
        assert example["rank"] == expected[example["right"][0]]
        best = index.products[int(scores[[r["product_id"] for r in rows].index(example["right"][0])].argmax())].id
        assert example["answers"][0] == best
    assert [e["rank"] for e in worst] == sorted((e["rank"] for e in worst), reverse=True)
    best = (part["unseen"] or part)["examples"]["best"]
    assert [e["rank"] for e in best] == sorted(e["rank"] for e in best)


def test_only_the_unseen_part_has_examples_where_there_is_one(index, tmp_path, monkeypatch):
    monkeypatch.setitem(index.manifest, "held_out", ["mug-0-red"])
    rows = [{"text": "red mug", "product_id": "mug-0-red"}, {"text": "red mug", "product_id": "mug-1-red"}]
    queries, _ = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    result = evaluate(index, queries)
    assert "examples" not in result and "curve" not in result
    assert {e["right"][0] for e in result["unseen"]["examples"]["worst"]} == {"mug-0-red"}
    assert [p["diversity"] for p in result["unseen"]["curve"]] == sorted(
        p["diversity"] for p in result["unseen"]["curve"]
    )


def test_the_most_shown_products_are_those_that_most_lists_hold(index):
    scores = np.zeros((4, len(index)), np.float32)
    scores[:, 7] = 1
    scores[:2, 3] = 0.5
    scores[2:, 5] = 0.5
    scores[3, 5] = 0
    scores[3, 3] = 0.5
    found = most_shown(index, scores, k=2)
    assert found == [
        {"id": index.products[7].id, "lists": 1.0},
        {"id": index.products[3].id, "lists": 0.75},
        {"id": index.products[5].id, "lists": 0.25},
    ]

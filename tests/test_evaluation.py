"""Baselines beside the head, intervals, and query files."""

import csv

import numpy as np
import pytest

from mmdemo.catalog.imaging import decode
from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.evaluate.evaluation import as_text, evaluate, score_matrices
from mmdemo.evaluate.example_queries import most_shown
from mmdemo.evaluate.queries import read_queries
from mmdemo.evaluate.report import Report
from mmdemo.evaluate.sentences import read_sentences
from mmdemo.index.product_index import ProductIndex
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


def test_a_ranker_that_cannot_answer_is_null_and_the_others_are_measured(index, tmp_path):
    path = write(tmp_path / "q.csv", [{"text": "red mug", "target_ids": "mug-0-red mug-1-red"}])
    queries, skipped = read_queries(path, index, ToyEncoder())
    result = evaluate(index, queries)
    assert not skipped and result.queries == 1
    assert result.rankers["image"] is None
    assert set(result.rankers) == {"head", "image", "text", "mean"}
    assert set(result.rankers["text"]) == {"recall@1", "recall@5", "recall@10", "mrr", "ndcg@10"}
    assert "cannot answer" in as_text(result)


def test_photo_queries_give_the_brute_force_ranking_of_pictures(index, tmp_path):
    picture("mug", "blue", scale=0.58).save(tmp_path / "a.png")
    path = write(tmp_path / "q.csv", [{"image": "a.png", "product_id": "mug-1-blue"}])
    queries, _ = read_queries(path, index, ToyEncoder())
    assert 0 < max(decode(queries.photos[0]).size) <= 120  # for the report to show
    image = score_matrices(index, queries)["image"]
    np.testing.assert_allclose(image[0], index.image @ queries.image[0], atol=1e-6)
    result = evaluate(index, queries)
    assert result.rankers["image"]["recall@5"].value == 1
    assert result.rankers["text"] is None


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
    for figures in Report.read(index.report).measured.values():
        head = figures.rankers["head"]["recall@10"]
        assert 0 <= head.low <= head.value <= head.high <= 1


def test_the_unseen_table_counts_held_out_answers_alone(index, tmp_path, monkeypatch):
    held = [p.id for p in index.products if p.parent == "mug-1"]
    seen = [p.id for p in index.products if p.parent != "mug-1"]
    monkeypatch.setattr(index, "manifest", index.manifest.updated(held_out=held))
    rows = [
        {"text": "mug", "target_ids": f"{held[0]} {seen[0]}"},  # half unseen
        {"text": "mug", "target_ids": seen[1]},
        {"reference_id": seen[2], "text": "in blue", "target_ids": held[1]},  # training saw the reference
        {"reference_id": held[0], "text": "in blue", "target_ids": held[1]},
    ]
    queries, _ = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    result = evaluate(index, queries)
    assert result.queries == 4 and result.unseen.queries == 2
    scores = score_matrices(index, queries)["head"][0]
    scores[index.row(seen[0])] = -np.inf
    rank = 1 + int((scores > scores[index.row(held[0])]).sum())
    edit = score_matrices(index, queries)["head"][3]
    edit_rank = 1 + int((edit > edit[index.row(held[1])]).sum())
    mrr = result.unseen.rankers["head"]["mrr"].value
    assert mrr == pytest.approx((1 / rank + 1 / edit_rank) / 2, abs=0.02)


def test_an_edit_of_a_product_knows_its_text_and_an_edit_of_a_photo_does_not(index, tmp_path):
    write(
        tmp_path / "q.csv",
        [
            {"reference_id": "mug-0-red", "text": "in blue", "target_ids": "mug-0-blue"},
            {"text": "blue mug", "target_ids": "mug-0-blue"},
        ],
    )
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


def test_examples_come_worst_first_with_the_rank_that_the_right_answer_got(index, tmp_path):
    rows = [
        {"text": "red mug", "product_id": "mug-0-red"},
        {"text": "red mug", "product_id": "tray-3-black"},  # nothing like it: among the last
        {"text": "green tray", "product_id": "tray-0-green"},
    ]
    queries, _ = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    part = evaluate(index, queries)
    worst = part.evidence.examples["worst"]
    scores = score_matrices(index, queries)["head"]
    expected = {
        r["product_id"]: 1 + int((s > s[index.row(r["product_id"])]).sum()) for r, s in zip(rows, scores, strict=True)
    }
    for example in worst:
        assert example.rank == expected[example.right[0]]
        best = index.products[int(scores[[r["product_id"] for r in rows].index(example.right[0])].argmax())].id
        assert example.answers[0] == best
    assert [e.rank for e in worst] == sorted((e.rank for e in worst), reverse=True)
    best = part.evidence.examples["best"]
    assert [e.rank for e in best] == sorted(e.rank for e in best)


def test_only_the_unseen_part_has_examples_where_there_is_one(index, tmp_path, monkeypatch):
    monkeypatch.setattr(index, "manifest", index.manifest.updated(held_out=["mug-0-red"]))
    rows = [{"text": "red mug", "product_id": "mug-0-red"}, {"text": "red mug", "product_id": "mug-1-red"}]
    queries, _ = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    result = evaluate(index, queries)
    assert not result.examples and not result.curve
    assert {e.right[0] for e in result.unseen.examples["worst"]} == {"mug-0-red"}
    assert [p.diversity for p in result.unseen.curve] == sorted(p.diversity for p in result.unseen.curve)


def test_the_most_shown_products_are_those_that_most_lists_hold(index):
    scores = np.zeros((4, len(index)), np.float32)
    scores[:, 7] = 1
    scores[:2, 3] = 0.5
    scores[2:, 5] = 0.5
    scores[3, 5] = 0
    scores[3, 3] = 0.5
    assert [(often.id, often.lists) for often in most_shown(index, scores, k=2)] == [
        (index.products[7].id, 1.0),
        (index.products[3].id, 0.75),
        (index.products[5].id, 0.25),
    ]


def test_sentences_are_read_for_the_head_and_for_every_baseline_as_a_search_reads_them(
    index, toy_recommender, tmp_path
):
    rows = [
        {"text": "red mug under 12", "product_id": "mug-0-red"},
        {"text": "a tray, not red", "target_ids": "tray-0-blue"},
        {"reference_id": "mug-0-red", "text": "in blue", "target_ids": "mug-0-blue"},
    ]
    queries, _ = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    read = read_sentences(index, ToyEncoder(), queries, looks=False)
    scores = score_matrices(index, read)
    cheap = np.array([p.price is not None and p.price < 12 for p in index.products])
    for name in ("head", "text", "mean"):
        if scores[name] is not None:
            assert np.isneginf(scores[name][0, ~cheap]).all() and np.isfinite(scores[name][0, cheap]).any(), name
    for i, row in enumerate(rows):
        query = Query(text=row["text"], reference=row.get("reference_id", ""), k=10)
        answers = toy_recommender.recommend(query)
        best = np.array([scores["head"][i, index.row(a.id)] for a in answers])
        np.testing.assert_allclose(best, [a.score for a in answers], atol=1e-5)
        assert np.isfinite(scores["head"][i]).sum() >= len(answers)


def test_figures_as_deployed_stand_first_and_those_of_the_embeddings_beside_them(index, tmp_path):
    rows = [{"text": "mug under 11", "product_id": "mug-0-red"}, {"text": "red tray", "product_id": "tray-3-red"}]
    queries, _ = read_queries(write(tmp_path / "q.csv", rows), index, ToyEncoder())
    both, embeddings = evaluate(index, queries, ToyEncoder()), evaluate(index, queries)
    assert both.embeddings_only.rankers == embeddings.rankers and "embeddings_only" not in embeddings.as_dict()
    assert both.rankers["head"]["recall@1"].value > embeddings.rankers["head"]["recall@1"].value
    assert both.rankers["text"] != embeddings.rankers["text"]
    assert "without reading the sentences" in as_text(both)

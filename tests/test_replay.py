"""Other orders judged out of a log: what is written, what is not, and estimates against a simulation's truth."""

import dataclasses
import json

import numpy as np
import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.evaluate.click_log import PLACES, SHARE, ClickLog, LoggedAnswer, chance_of_place, read_log
from mmdemo.evaluate.replay import as_text, estimate, replay, weigh

LIKED, SEEN = np.array([0.1, 0.2, 0.6, 0.4]), np.array([1.0, 0.6, 0.4, 0.3])  # by product; of places
IDS = ("a", "b", "c", "d")
BETTER = ("c", "d", "b", "a")


def simulated(answers: int, seed: int) -> list[LoggedAnswer]:
    """Shoppers look at a place, and click what stands there, with chances that nobody is told."""
    rng, log = np.random.default_rng(seed), []
    for _ in range(answers):
        order = rng.permutation(4) if rng.random() < SHARE else np.arange(4)
        clicks = rng.random(4) < LIKED[order] * SEEN
        chance = tuple(chance_of_place(int(rank), place, 4) for place, rank in enumerate(order))
        shown = tuple(IDS[rank] for rank in order)
        clicked = frozenset(i for i, c in zip(shown, clicks, strict=True) if c)
        log.append(LoggedAnswer(None, None, 0.5, shown, chance, clicked))
    return log


def truth(order) -> float:
    return float((LIKED[[IDS.index(i) for i in order]] * SEEN).sum())


def test_estimates_of_another_order_meet_the_truth_of_the_simulation():
    estimates = [estimate(weigh(simulated(2500, seed), lambda _: BETTER)) for seed in range(8)]
    for name in ("ips", "snips"):
        values = np.array([getattr(e, name).value for e in estimates])
        assert values.mean() == pytest.approx(truth(BETTER), abs=3 * values.std() / len(values) ** 0.5)
        inside = [getattr(e, name).low <= truth(BETTER) <= getattr(e, name).high for e in estimates]
        assert sum(inside) >= 6
    assert all(e.tells and e.difference.value > 0 for e in estimates)


def test_snips_varies_less_than_ips():
    some = [estimate(weigh(simulated(400, seed), lambda _: BETTER)) for seed in range(12)]
    assert np.std([e.snips.value for e in some]) < np.std([e.ips.value for e in some])


def test_the_order_that_was_shown_earns_what_it_earned():
    log = simulated(2000, 0)
    told = estimate(weigh(log, lambda _: IDS))
    assert told.snips.value == pytest.approx(truth(IDS), abs=0.05)
    assert told.effective > 0.9 * len(log)


def test_a_log_too_small_to_tell_says_so():
    told = estimate(weigh(simulated(150, 0), lambda _: BETTER))
    assert not told.tells and told.effective < 100
    assert "too small a log to tell" in as_text(told.snips, {"head": told})


@pytest.fixture
def logged(tmp_path, toy_recommender):
    """A log of two answers, one with a click, written and read again."""
    index, path = toy_recommender.index, tmp_path / "clicks.jsonl"
    log = ClickLog(path, index.manifest, seed=0)
    prepared = toy_recommender.prepare(Query(text="a secret red mug", k=12))
    found = toy_recommender.recommend(prepared)
    shown, answer = log.shown(prepared, found)
    log.clicked(answer, shown[2].id)
    log.clicked(answer, shown[2].id)
    log.clicked(answer, "tray-3-black")
    log.clicked("0" * 16, shown[0].id)
    again = ClickLog(path, index.manifest, seed=1)
    again.shown(prepared, found)
    return path, shown, found, log


def test_what_was_shown_and_clicked_is_read_as_it_was_written(logged, toy_recommender):
    path, shown, _, _ = logged
    first, second = read_log(path, toy_recommender.index.manifest)
    assert first.ids == tuple(r.id for r in shown[:PLACES]) and first.clicked == {shown[2].id}
    assert not second.clicked and all(0 < chance <= 1 for chance in first.chance)
    prepared = toy_recommender.prepare(Query(text="a secret red mug"))
    np.testing.assert_allclose(first.text, prepared.text[0], atol=1e-3)


def test_nothing_that_was_said_stands_in_the_log(logged):
    text = logged[0].read_text()
    assert "secret" not in text and "time" not in text
    assert {tuple(json.loads(line)) for line in text.splitlines()[1:]} == {
        ("answer", "image", "text", "weight", "ids", "chance"),
        ("click", "id"),
    }


def test_one_answer_in_ten_is_shown_in_another_order_of_its_first_places(logged, toy_recommender):
    _, _, found, log = logged
    prepared = toy_recommender.prepare(Query(text="a secret red mug", k=12))
    orders = [[r.id for r in log.shown(prepared, found)[0]] for _ in range(300)]
    plain = [r.id for r in found]
    assert 10 < sum(order != plain for order in orders) < 60
    assert all(order[PLACES:] == plain[PLACES:] and sorted(order) == sorted(plain) for order in orders)
    assert [r.rank for r in log.shown(prepared, found)[0]] == list(range(1, len(found) + 1))


def test_an_order_by_price_is_shown_as_it_is_and_not_logged(logged, toy_recommender):
    prepared = toy_recommender.prepare(Query(text="mug", sort="cheap"))
    found = toy_recommender.recommend(prepared)
    assert logged[3].shown(prepared, found) == (found, "")


def test_a_replay_asks_the_head_and_its_baselines(logged, toy_recommender):
    index = toy_recommender.index
    shown, rankers = replay(index, read_log(logged[0], index.manifest))
    assert shown.value == 0.5 and set(rankers) == {"head", "text", "mean"}
    assert rankers["head"].answers == 2 and not rankers["head"].tells


def test_a_file_that_is_no_log_of_this_index_is_refused(logged, toy_recommender, tmp_path):
    manifest = toy_recommender.index.manifest
    (tmp_path / "letter.txt").write_text("Dear all\n")
    with pytest.raises(InputError, match="is no log"):
        read_log(tmp_path / "letter.txt", manifest)
    with pytest.raises(InputError, match="something else"):
        ClickLog(tmp_path / "letter.txt", manifest)
    other = manifest.updated(encoder=manifest.encoder.model_copy(update={"weights_sha256": "0" * 64}))
    with pytest.raises(InputError, match="another encoder"):
        read_log(logged[0], other)
    cut = logged[0].read_text()[:-30]
    (tmp_path / "cut.jsonl").write_text(cut)
    assert len(read_log(tmp_path / "cut.jsonl", manifest)) == 1
    left = [dataclasses.replace(a, ids=("gone", *a.ids[1:])) for a in read_log(logged[0], manifest)]
    with pytest.raises(InputError, match="none of the 2 logged answers"):
        replay(toy_recommender.index, left)


def test_the_page_names_an_answer_that_is_logged_and_no_other(logged, toy_recommender):
    from mmdemo.ui import answer
    from mmdemo.ui.search_state import SearchState

    search, query = SearchState(text="mug"), Query(text="mug")
    with_log = answer.page(toy_recommender, search, query, logged[3])[0]
    assert 'data-answer="' in with_log and "data-answer" not in answer.page(toy_recommender, search, query)[0]

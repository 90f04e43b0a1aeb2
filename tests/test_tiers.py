"""An answer comes in tiers: the kind that was asked for, what is near it, other things; scores order each."""

import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.language.tiers import Source, Tier
from mmdemo.serve.api import call
from mmdemo.ui.search_state import SearchState, from_link
from tests.toys import picture

MUG, TRAY = "Mug", "Tray"


def kinds(answers) -> list[str]:
    return [r.product.category for r in answers]


@pytest.mark.parametrize(
    ("query", "category", "source"),
    [
        (Query(text="red cup"), MUG, Source.WORDS),
        (Query(text="红色的托盘"), TRAY, Source.WORDS),
        (Query(image=picture("mug", "red")), MUG, Source.PHOTO),
        (Query(image=picture("mug", "red"), text="in blue"), MUG, Source.PHOTO),
        (Query(image=picture("mug", "red"), text="the same colour but a tray"), TRAY, Source.WORDS),
        (Query(reference="tray-0-red"), TRAY, Source.REFERENCE),
        (Query(reference="tray-0-red", text="in blue"), TRAY, Source.REFERENCE),
        (Query(like=("tray-0-red",)), TRAY, Source.REFERENCE),
        (Query(text="red cup", kind="tray"), TRAY, Source.REQUEST),
    ],
)
def test_the_kind_is_that_of_the_noun_else_the_photo_else_the_reference(
    toy_recommender, query, category, source
) -> None:
    prepared = toy_recommender.prepare(query.with_(k=48))
    assert prepared.tiers.kind is not None and prepared.tiers.kind.source is source
    answers = toy_recommender.recommend(prepared)
    first = [r for r in answers if r.tier is Tier.ASKED]
    assert set(kinds(first)) == {category} and len(first) >= 3
    assert category not in kinds(answers[len(first) :])


def test_tiers_order_an_answer_and_scores_order_each_tier_and_stay_sums_of_their_parts(toy_recommender) -> None:
    answers = toy_recommender.recommend(Query(text="green tray", k=48))
    places = [list(Tier).index(r.tier) for r in answers]
    assert places == sorted(places) and Tier.OTHER in {r.tier for r in answers}
    assert [r.rank for r in answers] == list(range(1, len(answers) + 1))
    for tier in Tier:
        scores = [r.score for r in answers if r.tier is tier]
        assert scores == sorted(scores, reverse=True)
    assert all(sum(r.parts.values()) == pytest.approx(r.score, abs=1e-5) for r in answers)


def test_a_kind_changes_no_score_and_every_kind_is_one_tier(toy_recommender) -> None:
    held, off = (toy_recommender.recommend(Query(text="green tray", k=48, kind=kind)) for kind in ("", "any"))
    assert {r.tier for r in off} == {Tier.ASKED} and len(off) == 48
    assert [r.score for r in off] == sorted((r.score for r in off), reverse=True)
    by_id = {r.id: r.score for r in off}
    assert all(r.score == pytest.approx(by_id[r.id], abs=1e-6) for r in held)


def test_ranks_count_tier_by_tier(toy_recommender) -> None:
    for query, of_kind in ((Query(text="green tray", k=30), 24), (Query(text="green tray", k=8, fold=True), 1)):
        answers = toy_recommender.recommend(query)
        ranks = [toy_recommender.rank(query, r.id) for r in answers]
        assert ranks[0] == 1 and all(rank <= r.rank for rank, r in zip(ranks, answers, strict=True))  # ties share one
        assert answers[of_kind].tier is Tier.OTHER and ranks[of_kind] == of_kind + 1


def test_what_is_of_the_kind_and_misses_least_of_the_sentence_comes_before_other_things(
    toy_recommender,
) -> None:
    answers = toy_recommender.recommend(Query(text="red tray under 5", k=12))
    assert {r.tier for r in answers} == {Tier.NEAR} and set(kinds(answers)) == {TRAY}
    answers = toy_recommender.recommend(Query(text="mug over 29", k=48))
    assert [r.tier for r in answers if r.product.category == MUG] == [Tier.ASKED]


def test_conditions_of_the_form_are_never_missed(toy_recommender) -> None:
    answers = toy_recommender.recommend(Query(text="tray under 5", filters=["colour=Red"], k=48))
    assert {r.product.attributes["colour"] for r in answers} == {"Red"}
    answers = toy_recommender.recommend(Query(text="tray", filters=["category=Mug"], k=48))
    assert set(kinds(answers)) == {MUG} and {r.tier for r in answers} == {Tier.OTHER}


def test_a_noun_of_a_kind_that_is_not_sold_leaves_other_things_alone(toy_recommender) -> None:
    prepared = toy_recommender.prepare(Query(text="red mirror", k=5))
    assert prepared.tiers.as_dict() == {"name": "mirror", "from": "words", "certainty": 1.0, "sold": False, "count": 0}
    answers = toy_recommender.recommend(prepared)
    assert len(answers) == 5 and {r.tier for r in answers} == {Tier.OTHER}


def test_what_a_sentence_names_beside_what_it_asks_for_comes_last(toy_recommender) -> None:
    answers = toy_recommender.recommend(Query(text="something blue to put on my tray", k=48))
    assert kinds(answers) == [MUG] * 24 + [TRAY] * 24


def test_a_kind_that_is_no_noun_is_refused_with_one_that_is(toy_recommender) -> None:
    with pytest.raises(InputError, match="'qwertz' names no kind of thing; write a noun such as 'Mug', or 'any'"):
        toy_recommender.recommend(Query(text="red", kind="qwertz"))


def test_an_order_by_price_and_variety_work_on_the_whole_kind_and_stay_in_it(toy_recommender) -> None:
    of_kind = sorted((p.price, p.id) for p in toy_recommender.index.products if p.category == TRAY)
    cheap = toy_recommender.recommend(Query(text="tray", k=5, sort="cheap"))
    assert [(r.product.price, r.id) for r in cheap] == of_kind[:5]
    dear = toy_recommender.recommend(Query(text="tray", k=5, sort="dear"))
    assert [r.product.price for r in dear] == [price for price, _ in of_kind[::-1][:5]]
    varied = toy_recommender.recommend(Query(text="red tray", k=12, diversity=0.8))
    assert set(kinds(varied)) == {TRAY} and len({r.product.attributes["colour"] for r in varied}) == 6


def test_in_order_of_price_comes_first_what_has_the_values_that_the_words_name(toy_recommender) -> None:
    answers = toy_recommender.recommend(Query(text="red tray", k=6, sort="cheap"))
    assert [r.product.attributes["colour"] for r in answers[:4]] == ["Red"] * 4
    prices = [r.product.price for r in answers]
    assert prices[:4] == sorted(prices[:4]) and prices[4:] == sorted(prices[4:]) and prices[4] < prices[3]


def test_programs_get_the_tier_of_each_answer_the_kind_and_what_nothing_meets(toy_recommender) -> None:
    answer = call(toy_recommender, "recommend", text="tray under 5", k=30)
    assert [row["tier"] for row in answer["results"]] == ["near"] * 24
    assert answer["kind"] == {"name": "tray", "from": "words", "certainty": 1.0, "sold": True, "count": 24}
    assert answer["unmet"][0]["instead"] == {"text": "tray up to 10"}
    off = call(toy_recommender, "recommend", text="tray", kind="any", sort="cheap", k=3)
    assert (
        off["kind"] is None and off["unmet"] == [] and (off["query"]["kind"], off["query"]["sort"]) == ("any", "cheap")
    )


def test_a_link_carries_the_kind_and_says_of_one_that_is_none(toy_recommender) -> None:
    search = SearchState(text="red mug", kind="any")
    assert search.link() == "q=red+mug&kind=any"
    assert from_link({"q": "red mug", "kind": "any"}, toy_recommender) == (search, [])
    found, notes = from_link({"q": "red mug", "kind": "qwertz"}, toy_recommender)
    assert found == SearchState(text="red mug") and notes == ["“qwertz” names no kind of thing."]


def test_within_a_tier_what_meets_more_of_the_wishes_comes_first_and_a_card_keeps_its_other_variants(
    toy_recommender,
) -> None:
    query = Query(text="green mug", k=48)
    answers = [r for r in toy_recommender.recommend(query) if r.tier is Tier.ASKED]
    assert {r.product.attributes["colour"] for r in answers[:4]} == {"Green"} and len(answers) == 24
    assert [r.rank for r in answers] == [toy_recommender.rank(query, r.id) for r in answers]
    card = toy_recommender.recommend(query.with_(k=1, fold=True))[0]
    assert card.product.attributes["colour"] == "Green" and len(card.variants) >= 5  # its other colours, too
    off = toy_recommender.recommend(query.with_(kind="any"))
    assert [r.score for r in off] == sorted((r.score for r in off), reverse=True)


def test_of_an_edit_what_has_the_look_comes_first_and_the_rest_of_the_kind_before_other_things(toy_recommender) -> None:
    for query in (Query(reference="tray-0-red", text="in blue"), Query(image=picture("tray", "red"), text="in blue")):
        answers = toy_recommender.recommend(query.with_(k=48))
        of_kind = [r for r in answers if r.tier is Tier.ASKED]
        assert set(kinds(of_kind)) == {TRAY} and len(of_kind) >= 23
        blue = [r.product.attributes["colour"] == "Blue" for r in of_kind]
        assert blue == sorted(blue, reverse=True) and sum(blue) == 4

"""Sentences that name no kind, but what it is for, are answered by the kinds that go with it."""

import pytest

from mmdemo.catalog.product import Product
from mmdemo.core.request import Query
from mmdemo.language.kinds import Kinds, tree
from mmdemo.language.situations import _situations, likely_kinds
from mmdemo.language.tiers import Tier

SHOP = ("Umbrella", "Boots", "Suitcase", "Backpack", "Throw", "Vase", "Mug")
KINDS = Kinds([Product(str(i), "", name, category=name) for i, name in enumerate(SHOP)])


@pytest.mark.parametrize(
    ("sentence", "likely"),
    [
        ("rainy day in the city", ["Umbrella", "Boots"]),
        ("下雨天用的", ["Umbrella", "Boots"]),
        ("back to school", ["Backpack"]),
        ("for a weekend away", ["Suitcase", "Backpack"]),
        ("a present for a coffee lover", ["Mug"]),  # what a present and coffee have in common
        ("something for the picnics", ["Backpack", "Throw"]),
    ],
)
def test_a_situation_leads_to_its_kinds(sentence, likely):
    assert [SHOP[row] for row in likely_kinds(KINDS, sentence).nonzero()[0]] == likely


@pytest.mark.parametrize("sentence", ["blue and round", "in warm colours", "", "asdfgh", "something"])
def test_other_sentences_lead_to_none(sentence):
    assert likely_kinds(KINDS, sentence) is None


def test_what_is_understood_otherwise_leads_to_none():
    assert likely_kinds(KINDS, "nothing for winter", [(0, 18)]) is None


def test_every_kind_of_a_situation_is_a_noun():
    assert {kind for kinds, _ in _situations().values() for kind in kinds} <= tree().keys()


def test_the_kinds_of_a_situation_come_first_and_hide_nothing(toy_recommender):
    answer = toy_recommender.recommend(Query(text="time for a coffee", k=100, fold=False))
    tiers = [r.tier for r in answer]
    assert {r.product.category for r in answer if r.tier is Tier.ASKED} == {"Mug"}
    assert Tier.OTHER in tiers and tiers == sorted(tiers, key=[Tier.ASKED, Tier.OTHER].index)
    assert toy_recommender.prepare(Query(text="time for a coffee")).tiers.kind is None  # nobody named a kind

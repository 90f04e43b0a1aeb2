"""A request reads its sentence, encodes and fuses once, whatever is asked of it; and one rule names its kind."""

import pytest

from mmdemo.core.request import Query, Taste
from mmdemo.search.facets import facet_counts, passing, relaxations
from mmdemo.search.recommender import Recommender
from mmdemo.ui import answer
from mmdemo.ui.search_state import SearchState
from tests.toys import picture


class Spy(Recommender):
    """A recommender that counts its readings and its fusions."""

    def __init__(self, index, encoder):
        super().__init__(index, encoder)
        self.readings, self.fused_texts = 0, list[str]()

    def read(self, query):
        self.readings += 1
        return super().read(query)

    def fused(self, query, image, text):
        self.fused_texts.append(query.text)
        return super().fused(query, image, text)


@pytest.fixture
def spy(toy_recommender):
    return Spy(toy_recommender.index, toy_recommender.encoder)


def test_a_page_with_counts_and_chips_reads_and_fuses_its_query_once(spy):
    search = SearchState(text="a red mug under 90")
    prepared = spy.prepare(search.query(spy, Taste()))
    html, counts = answer.page(spy, search, prepared)
    chips = answer.understood(spy, prepared)
    # Reasons ask other queries, which leave out some of the words; the query itself is fused once.
    whole = prepared.query.text
    assert spy.readings == 1 and spy.fused_texts[0] == whole and spy.fused_texts.count(whole) == 1
    assert all(len(text) < len(whole) for text in spy.fused_texts[1:])
    assert "mug" in html.lower() and counts and "under 90" in chips


def test_everything_takes_a_prepared_query_and_answers_as_for_the_query_itself(spy):
    query = Query(image=picture("mug", "red"), text="in blue, under 30", k=6)
    prepared = spy.prepare(query)
    assert spy.prepare(prepared) is prepared
    assert spy.recommend(prepared) == spy.recommend(query)
    assert facet_counts(spy, prepared, ["colour"]) == facet_counts(spy, query, ["colour"])
    assert passing(spy, prepared) == passing(spy, query)
    assert relaxations(spy, prepared) == relaxations(spy, query)
    first = spy.recommend(prepared)[0].id
    assert spy.rank(prepared, first) == spy.rank(query, first) == 1


def test_a_prepared_query_shows_what_every_step_works_on(spy):
    prepared = spy.prepare(Query(text="a mug under 20", taste=Taste(likes=("tray-0-red",))))
    assert prepared.given.text == "a mug under 20" and prepared.query.text == "a mug"
    assert prepared.image is None and prepared.text.shape[0] == 1 and prepared.parts.shape[0] == 4
    assert prepared.vector @ prepared.vector == pytest.approx(1, abs=1e-5)
    assert {spy.index.products[row].price < 20 for row in prepared.allowed} == {True}


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (Query(image=picture("mug", "red")), "image"),
        (Query(photos=(picture("mug", "red"),), text="blue"), "both"),
        (Query(reference="mug-0-red", text="blue"), "edit"),
        (Query(reference="mug-0-red"), "image"),
        (Query(text="blue", like=("mug-0-red",)), "text"),
        (Query(like=("mug-0-red",), text="  "), "like"),
    ],
)
def test_one_rule_names_what_a_query_starts_from(toy_recommender, query, kind):
    assert query.modality == toy_recommender.prepare(query).modality == kind

"""How certain answers are: chances of the kind that was asked for, grades where they are certain, and calibration."""

import shutil

import numpy as np
import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.encode.nouns import NounClassifier, noun_classifier
from mmdemo.index.contents import Contents
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.relevance import Grade
from mmdemo.pipeline.build import measure_again
from mmdemo.pipeline.calibrate import calibrate, word_curve
from mmdemo.search.in_catalogue import nothing_matches
from mmdemo.search.match import CERTAIN, FLOOR
from mmdemo.search.photo_kinds import PhotoKinds
from mmdemo.search.word_kinds import word_chances
from tests.toys import ToyEncoder, other_things, picture, toy_catalogue


@pytest.fixture(scope="module")
def calibrated(toy_recommender):
    """The toy shop, calibrated; its encoder has no classifier of nouns."""
    toy = toy_recommender.index
    manifest = toy.manifest.updated(word_curve=word_curve(toy, ToyEncoder()))
    shop = ProductIndex(Contents(toy.products, toy.image, toy.text, toy.head, manifest, toy.report, toy.folder))
    return toy_recommender.on(shop)


def test_of_the_kind_that_a_noun_names_all_that_meets_the_wishes_is_exact_and_the_rest_a_substitute(calibrated):
    answers = calibrated.recommend(Query(text="red mug", k=48))
    for answer in answers:
        mug, red = answer.product.category == "Mug", answer.product.attributes["colour"] == "Red"
        assert answer.grade is (Grade.EXACT if mug and red else Grade.SUBSTITUTE if mug else None)
        assert (answer.match >= CERTAIN) == mug
    assert answers[0].as_dict()["grade"] == "exact" and not nothing_matches(Query(text="red mug"), answers)


@pytest.mark.parametrize("text", ["leather jacket", "round mirror", "asdfgh"])
def test_a_kind_that_is_not_sold_and_words_that_say_nothing_are_told(calibrated, text):
    answers = calibrated.recommend(Query(text=text, k=3))
    assert nothing_matches(Query(text=text), answers)
    assert all(answer.match < FLOOR and answer.grade is None for answer in answers)


def test_words_that_name_no_kind_but_a_property_are_no_nonsense(calibrated):
    answers = calibrated.recommend(Query(text="something red", k=3))
    assert not nothing_matches(Query(text="something red"), answers)
    assert [r.grade for r in answers] == [
        Grade.EXACT if r.product.attributes["colour"] == "Red" else None for r in answers
    ]


def test_more_like_a_product_is_similar_and_never_exact(calibrated):
    answers = calibrated.recommend(Query(like=("mug-0-red",), k=48))
    assert {r.grade for r in answers if r.product.category == "Mug"} == {Grade.SUBSTITUTE}


def test_an_index_from_before_calibration_tells_no_grade_of_what_it_is_not_certain_of(toy_recommender):
    toy = toy_recommender.index
    manifest = toy.manifest.updated(word_curve=None)
    shop = ProductIndex(Contents(toy.products, toy.image, toy.text, toy.head, manifest, toy.report, toy.folder))
    for query in (Query(text="asdfgh", k=3), Query(image=picture("mug", "red"), k=3)):
        assert all(answer.grade is None for answer in toy_recommender.on(shop).recommend(query))


def test_a_sentence_is_surer_of_its_kind_than_nonsense_is_of_any(calibrated):
    index = calibrated.index
    curve = index.manifest.word_curve
    sure, unsure = (
        word_chances(index, index.head.fuse(text=ToyEncoder().encode_text([text]))[0], curve)
        for text in ("Red mug", "asdfgh")
    )
    assert sure["Mug"] > 0.8 and max(unsure.values()) < 0.3


def test_an_index_is_calibrated_in_place(toy_index, tmp_path):
    import shutil

    shutil.copytree(toy_index, tmp_path / "index")
    before = ProductIndex.load(tmp_path / "index")
    after = calibrate(tmp_path / "index", ToyEncoder())
    assert after.manifest.word_curve == pytest.approx(word_curve(before, ToyEncoder()), rel=1e-4)
    assert after.manifest.version != before.manifest.version and after.report == before.report
    assert (after.folder / "report.md").read_bytes() == (before.folder / "report.md").read_bytes()


# Photos.


def classifier(index: ProductIndex) -> NounClassifier:
    """One that knows mugs and cars by the mean of the shop's mugs, and of no trays."""
    mugs = index.image[[p.category == "Mug" for p in index.products]].mean(0)
    away = index.image.mean(0) - mugs
    return NounClassifier(("mug", "car"), np.stack([40 * mugs, 40 * away], 1), np.zeros(2), (2.0, 2.0, 0.0))


def test_a_photo_is_of_the_kind_whose_noun_the_classifier_sees(toy_recommender):
    index = toy_recommender.index
    kinds = PhotoKinds(index, toy_recommender.kinds, classifier(index))
    photo = toy_recommender.image_row(Query(image=picture("mug", "red")))
    chances = kinds.chances(photo)
    assert next(iter(chances)) == "Mug" and chances["Mug"] > 0.8 > chances["Tray"]
    assert kinds.likeliest(photo) == ("Mug", chances["Mug"])


def test_a_photo_that_looks_like_one_kind_is_not_sorted_by_another_noun_that_the_classifier_sees(toy_recommender):
    index = toy_recommender.index
    photo = toy_recommender.image_row(Query(image=picture("mug", "red")))
    made = classifier(index)
    wrong = NounClassifier(("tray", "car"), made.weights, made.bias, (0.1, 0.0, 0.0))
    kinds = PhotoKinds(index, toy_recommender.kinds, wrong)
    chances = kinds.chances(photo)
    assert next(iter(chances)) == "Tray"
    assert kinds.likeliest(photo) == ("Mug", chances["Mug"])


def test_a_classifier_is_kept_in_the_folder_of_its_encoder(toy_recommender, tmp_path):
    made = classifier(toy_recommender.index)
    made.save(tmp_path)
    width = len(made.weights)
    loaded = noun_classifier(str(tmp_path), width)
    assert loaded is not None and loaded.nouns == made.nouns and loaded.curve == made.curve
    np.testing.assert_allclose(loaded.weights, made.weights, rtol=2e-3, atol=1e-3)
    assert noun_classifier(str(tmp_path), width + 1) is None and noun_classifier(str(tmp_path / "none"), width) is None
    (tmp_path / "nouns.safetensors").write_bytes(b"no tensors")
    with pytest.raises(InputError, match="no classifier of nouns"):
        noun_classifier(str(tmp_path), width)


def test_a_report_is_made_anew_from_the_catalogue_of_the_index_and_from_no_other(toy_folder, toy_index, tmp_path):
    index = tmp_path / "index"
    shutil.copytree(toy_index, index)
    before = ProductIndex.load(index)
    again = measure_again(index, Catalog.read(toy_folder), ToyEncoder(), Catalog.read(other_things()))
    assert again.report["tasks"].keys() == before.report["tasks"].keys() and again.folder != before.folder
    assert np.array_equal(again.vectors, before.vectors)
    with pytest.raises(InputError, match="another catalogue"):
        measure_again(index, Catalog.read(toy_catalogue(tmp_path / "other", copies=1)), ToyEncoder())

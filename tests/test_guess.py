"""What a shop would call the thing on a photo: the words of its nearest products, against sums by hand."""

import numpy as np
import pytest

from mmdemo.calibration import Calibration
from mmdemo.evaluation import Queries, score_matrices
from mmdemo.guess import NEAREST, SHARP, guess, guess_among
from mmdemo.query import Query
from mmdemo.vectors import normalize
from tests.toys import picture

DIM, EXTRA = 6, 4


@pytest.fixture
def shop():
    rng = np.random.default_rng(0)
    rows = lambda n: np.hstack([normalize(rng.normal(size=(n, d)).astype(np.float32)) for d in (DIM, EXTRA)])  # noqa: E731
    return rows(40), rows(40), rows(5)  # pictures, texts, photos


def test_it_is_the_mean_of_the_ten_nearest_products_words_by_how_near_they_are(shop):
    pictures, texts, photos = shop
    near = photos[:, :DIM] @ pictures[:, :DIM].T
    for row, found in zip(near, guess_among(3 * photos, pictures, texts, DIM), strict=True):  # of any length
        ten = np.argsort(-row)[:NEAREST]
        mean = np.exp(SHARP * row[ten]) @ texts[ten]
        np.testing.assert_allclose(found[:DIM], mean[:DIM] / np.linalg.norm(mean[:DIM]), atol=1e-4)
        np.testing.assert_allclose(found[DIM:], mean[DIM:] / np.linalg.norm(mean[DIM:]), atol=1e-4)


def test_the_shop_s_own_picture_brings_its_own_words_where_nothing_else_is_near():
    pictures = texts = np.eye(DIM, dtype=np.float32)
    np.testing.assert_allclose(guess_among(pictures[2:3], pictures, texts, DIM), texts[2:3], atol=1e-5)


def test_products_without_words_lend_none_and_a_shop_without_words_or_pictures_guesses_nothing(shop):
    pictures, texts, photos = shop
    texts[::2] = 0
    spoken = guess_among(photos, pictures, texts, DIM)
    first = np.argsort(-(photos[:, :DIM] @ pictures[:, :DIM].T), axis=1)[:, :NEAREST]
    there = np.where((first % 2 == 1)[:, :, None], texts[first], 0)
    np.testing.assert_allclose(spoken, guess(photos, pictures[first], there, DIM), atol=1e-6)
    assert np.isfinite(spoken).all() and (np.abs(spoken).sum(1) > 0).all()
    assert not guess_among(photos, pictures, 0 * texts, DIM).any()
    assert not guess_among(photos, pictures[:0], texts[:0], DIM).any()
    assert guess_among(photos[:0], pictures, texts, DIM).shape == (0, DIM + EXTRA)


def test_an_index_guesses_what_looking_at_every_picture_would(trained_recommender):
    index = trained_recommender.index
    photos = trained_recommender._photos([picture("mug", "red"), picture("tray", "blue")])
    asked = np.vstack([photos, photos[:1]])
    alone = index.head.fuse(image=asked) @ index.vectors.T
    rows = np.argsort(-alone, axis=1, kind="stable")[:, :NEAREST]
    found = index.guess(asked)
    np.testing.assert_allclose(found[0], found[2], atol=1e-6)
    expected = guess(asked, index.image[rows], index.text[rows], index.head.dim)
    # Which of several that look the same come among the ten is luck; what they are called hardly differs.
    assert ((found * expected).sum(1) / (np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)) > 0.98).all()
    only = index.guess(asked, np.array([False, True, False]))
    assert not only[[0, 2]].any() and only[1].any()


def test_a_wish_far_from_its_photo_is_no_stranger_where_what_the_photo_shows_is_sold(trained_recommender, monkeypatch):
    index = trained_recommender.index
    photo = picture("mug", "red")
    row = trained_recommender._photos([photo])[:, : index.head.dim]
    near = float((row @ index.image[:, : index.head.dim].T).max())
    for floor, known in ((near - 0.01, True), (near + 0.01, False)):
        there = property(lambda _, floor=floor: Calibration({}, {"both": floor}))
        monkeypatch.setattr(type(index), "calibration", there)
        found = trained_recommender.recommend(Query(image=photo, text="a purple tray", weight=0.05, k=3))
        pictures = np.stack([index.image[index.row(r.id), : index.head.dim] for r in found])
        assert (pictures @ row[0]).max() < near - 0.01, "what is wished for looks otherwise"
        assert any(r.close for r in found) == known


def test_an_uploaded_photo_with_words_is_answered_by_the_guess_in_the_app_as_in_the_report(trained_recommender):
    index = trained_recommender.index
    photo, words = trained_recommender._photos([picture("mug", "red")]), trained_recommender.text_rows(["purple"])
    parts = trained_recommender.fused(Query(image=picture("mug", "red"), text="purple"), photo, words)
    by_hand = index.head.parts(image=photo, text=words, guess=index.guess(photo))
    np.testing.assert_allclose(parts, by_hand, atol=1e-6)
    assert np.abs(parts - index.head.parts(image=photo, text=words)).max() > 1e-3, "it changes something"
    q = Queries(photo, words, 0 * words, np.array([-1]), [np.array([0])], ["purple"], [""])
    np.testing.assert_allclose(score_matrices(index, q)["head"], parts.sum(1) @ index.vectors.T, atol=1e-5)
    of_shop = trained_recommender.fused(Query(reference=index.products[0].id, text="purple"), index.image[:1], words)
    known = index.head.parts(image=index.image[:1], text=words, origin=index.text[:1])
    np.testing.assert_allclose(of_shop, known, atol=1e-6)

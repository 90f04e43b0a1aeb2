"""Query expansion: a photo with the texts of its nearest products, against sums by hand."""

import numpy as np
import pytest

from mmdemo.core.request import WHOLE, Query
from mmdemo.core.vectors import normalize
from mmdemo.evaluate.evaluation import score_matrices
from mmdemo.evaluate.queries import Queries
from mmdemo.fusion.calibration import Calibration
from mmdemo.fusion.query_expansion import NEIGHBOURS, SHARPNESS, expand, expand_among
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
    for row, expanded in zip(near, expand_among(3 * photos, pictures, texts, DIM), strict=True):  # of any length
        ten = np.argsort(-row)[:NEIGHBOURS]
        mean = np.exp(SHARPNESS * row[ten]) @ texts[ten]
        np.testing.assert_allclose(expanded[:DIM], mean[:DIM] / np.linalg.norm(mean[:DIM]), atol=1e-4)
        np.testing.assert_allclose(expanded[DIM:], mean[DIM:] / np.linalg.norm(mean[DIM:]), atol=1e-4)


def test_the_shop_s_own_picture_brings_its_own_words_where_nothing_else_is_near():
    pictures = texts = np.eye(DIM, dtype=np.float32)
    np.testing.assert_allclose(expand_among(pictures[2:3], pictures, texts, DIM), texts[2:3], atol=1e-5)


def test_products_without_words_add_none_and_without_words_or_pictures_nothing_is_expanded(shop):
    pictures, texts, photos = shop
    texts[::2] = 0
    expanded = expand_among(photos, pictures, texts, DIM)
    first = np.argsort(-(photos[:, :DIM] @ pictures[:, :DIM].T), axis=1)[:, :NEIGHBOURS]
    there = np.where((first % 2 == 1)[:, :, None], texts[first], 0)
    np.testing.assert_allclose(expanded, expand(photos, pictures[first], there, DIM), atol=1e-6)
    assert np.isfinite(expanded).all() and (np.abs(expanded).sum(1) > 0).all()
    assert not expand_among(photos, pictures, 0 * texts, DIM).any()
    assert not expand_among(photos, pictures[:0], texts[:0], DIM).any()
    assert expand_among(photos[:0], pictures, texts, DIM).shape == (0, DIM + EXTRA)


def test_an_index_expands_a_photo_as_looking_at_every_picture_would(trained_recommender):
    index = trained_recommender.index
    photos = trained_recommender._photos([(picture("mug", "red"), WHOLE, 0), (picture("tray", "blue"), WHOLE, 0)])
    asked = np.vstack([photos, photos[:1]])
    alone = index.head.fuse(image=asked) @ index.vectors.T
    rows = np.argsort(-alone, axis=1, kind="stable")[:, :NEIGHBOURS]
    expanded = index.expansion(asked)
    np.testing.assert_allclose(expanded[0], expanded[2], atol=1e-6)
    expected = expand(asked, index.image[rows], index.text[rows], index.head.dim)
    # Which of several that look the same come among the ten is luck; what they are called hardly differs.
    assert (
        (expanded * expected).sum(1) / (np.linalg.norm(expanded, axis=1) * np.linalg.norm(expected, axis=1)) > 0.98
    ).all()
    only = index.expansion(asked, np.array([False, True, False]))
    assert not only[[0, 2]].any() and only[1].any()


def test_a_wish_far_from_its_photo_is_no_stranger_where_what_the_photo_shows_is_sold(trained_recommender, monkeypatch):
    index = trained_recommender.index
    photo = picture("mug", "red")
    row = trained_recommender._photos([(photo, WHOLE, 0)])[:, : index.head.dim]
    near = float((row @ index.image[:, : index.head.dim].T).max())
    for threshold, known in ((near - 0.01, True), (near + 0.01, False)):
        there = property(lambda _, threshold=threshold: Calibration({}, {"both": threshold}))
        monkeypatch.setattr(type(index), "calibration", there)
        found = trained_recommender.recommend(Query(image=photo, text="in purple", weight=0.05, k=3))
        pictures = np.stack([index.image[index.row(r.id), : index.head.dim] for r in found])
        assert (pictures @ row[0]).max() < near - 0.01, "what is wished for looks otherwise"
        assert any(r.close for r in found) == known


def test_an_uploaded_photo_with_words_is_answered_by_its_expansion_in_the_app_as_in_the_report(trained_recommender):
    index = trained_recommender.index
    photo = trained_recommender._photos([(picture("mug", "red"), WHOLE, 0)])
    words = trained_recommender.text_rows(["purple"])
    parts = trained_recommender.fused(Query(image=picture("mug", "red"), text="purple"), photo, words)
    by_hand = index.head.parts(image=photo, text=words, expansion=index.expansion(photo))
    np.testing.assert_allclose(parts, by_hand, atol=1e-6)
    assert np.abs(parts - index.head.parts(image=photo, text=words)).max() > 1e-3, "it changes something"
    q = Queries(photo, words, 0 * words, np.array([-1]), [np.array([0])], ["purple"], [""])
    np.testing.assert_allclose(score_matrices(index, q)["head"], parts.sum(1) @ index.vectors.T, atol=1e-5)
    of_shop = trained_recommender.fused(Query(reference=index.products[0].id, text="purple"), index.image[:1], words)
    known = index.head.parts(image=index.image[:1], text=words, reference_text=index.text[:1])
    np.testing.assert_allclose(of_shop, known, atol=1e-6)

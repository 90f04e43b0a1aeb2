import numpy as np
import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.search.trace import aligned, alignment, trace
from tests.toys import picture


def test_a_photo_and_words_go_through_every_step(toy_recommender) -> None:
    photo = picture("mug", "red")
    query = Query(image=photo, text="in blue", k=5)
    seen = trace(toy_recommender, query)
    assert list(seen.ms) == ["read", "image tower", "text tower", "fuse", "search", "arrange"]
    assert all(ms > 0 for ms in seen.ms.values())
    assert (seen.kind, seen.text, seen.words, seen.pixels) == ("both", "in blue", 2, photo.size)
    allowed = toy_recommender.index.allowed(toy_recommender.read(query).apply(query).filters)
    assert seen.searched == (len(toy_recommender.index) if allowed is None else len(allowed))


def test_its_answers_and_vector_are_those_of_the_recommender(toy_recommender) -> None:
    query = Query(image=picture("tray", "green"), text="in yellow", k=6, fold=True)
    seen = trace(toy_recommender, query)
    assert [r.id for r in seen.answers] == [r.id for r in toy_recommender.recommend(query)]
    parts, _ = toy_recommender.embed(toy_recommender.read(query).apply(query))
    assert np.allclose(seen.vector, parts.sum(0), atol=1e-6)
    assert list(seen.norms.values()) == pytest.approx(np.linalg.norm(parts, axis=1).tolist(), abs=1e-6)


def test_whose_words_an_uploaded_photo_borrows_is_named_and_nothing_is_where_none_are(trained_recommender) -> None:
    index = trained_recommender.index
    seen = trace(trained_recommender, Query(image=picture("mug", "red"), text="in blue"))
    neighbours = [index.products[row] for row in seen.neighbours]
    assert neighbours and all((p.category, p.field("colour")) == ("Mug", "Red") for p in neighbours)
    one = index.products[0].id
    for other in (Query(image=picture("mug", "red")), Query(text="blue"), Query(reference=one, text="in blue")):
        assert trace(trained_recommender, other).neighbours == []


def test_towers_work_again_though_the_recommender_remembers(toy_recommender, monkeypatch) -> None:
    query = Query(image=picture("mug", "black"), text="in purple")
    toy_recommender.recommend(query)
    passes = []
    encoder = toy_recommender.encoder
    encode_image_with_features, encode_text_with_features = (
        encoder.encode_image_with_features,
        encoder.encode_text_with_features,
    )
    monkeypatch.setattr(
        encoder,
        "encode_image_with_features",
        lambda some: passes.append("image") or encode_image_with_features(some),
        raising=False,
    )
    monkeypatch.setattr(
        encoder,
        "encode_text_with_features",
        lambda some: passes.append("text") or encode_text_with_features(some),
        raising=False,
    )
    trace(toy_recommender, query)
    assert {"image", "text"} <= set(passes)


def test_words_alone_have_no_photo_and_no_cosine(toy_recommender) -> None:
    seen = trace(toy_recommender, Query(text="blue mug"))
    assert "image tower" not in seen.ms and seen.photo is None and seen.pixels is None and seen.cosines is None
    assert list(seen.by) == ["pictures", "texts", "both"]
    index = toy_recommender.index
    for name in ("pictures", "texts"):  # words find texts and, since both lie in one space, pictures
        best = index.products[seen.by[name][0][0]]
        assert (best.field("colour"), best.category) == ("Blue", "Mug")


def test_photo_and_words_each_bring_their_own_neighbours(toy_recommender) -> None:
    seen = trace(toy_recommender, Query(image=picture("mug", "red"), text="blue tray"))
    index = toy_recommender.index
    first = {name: index.products[rows[0][0]].id for name, rows in seen.by.items()}
    assert first["photo"].startswith("mug-") and first["photo"].endswith("-red")
    assert first["words"].startswith("tray-") and first["words"].endswith("-blue")
    assert all(score <= 1.0001 for rows in seen.by.values() for _, score in rows)


def test_a_filter_narrows_what_is_searched(toy_recommender) -> None:
    index = toy_recommender.index
    seen = trace(toy_recommender, Query(text="mug under 12"))
    cheap = [p for p in index.products if p.price is not None and p.price < 12]
    assert seen.searched == len(cheap) < len(index)


def test_a_filter_holds_among_pictures_and_texts_too(toy_recommender) -> None:
    seen = trace(toy_recommender, Query(text="mug under 12"))
    prices = [toy_recommender.index.products[row].price for rows in seen.by.values() for row, _ in rows]
    assert prices and all(price < 12 for price in prices)


def test_an_empty_query_is_refused_as_by_the_recommender(toy_recommender) -> None:
    with pytest.raises(InputError, match="nothing to search by"):
        trace(toy_recommender, Query())


def test_aligned_rows_are_unit_and_zero_stays_zero(toy_recommender) -> None:
    index = toy_recommender.index
    image = index.image.copy()
    image[0] = 0
    photos, texts = aligned(index.head, image=image)
    assert texts.shape == (0, index.head.dim)
    assert np.linalg.norm(photos, axis=1) == pytest.approx([0.0] + [1.0] * (len(image) - 1), abs=1e-3)


def test_pictures_are_nearer_to_their_own_text_than_to_others(toy_recommender) -> None:
    found = alignment(toy_recommender.index)
    assert found is not None
    for own, other in (found.raw, found.adapted):
        assert -1 <= other < own <= 1.0001

"""One contract for every fusion head."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from mmdemo.core.errors import InputError
from mmdemo.core.vectors import normalize
from mmdemo.fusion.heads import HEADS, Adapter, Mean, load_head, save_head

DIM, EXTRA = 16, 6


def rows(n: int, seed: int, width: int = DIM + EXTRA) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((n, width)).astype(np.float32)
    x[:, :DIM] = normalize(x[:, :DIM])
    return x


@pytest.fixture(params=list(HEADS))
def head(request):
    """A head with random weights: the contract must hold for any training result."""
    torch.manual_seed(3)
    head = HEADS[request.param](DIM, DIM + EXTRA, DIM + EXTRA)
    for p in (*head.parameters(), *head.buffers()):
        torch.nn.init.normal_(p, std=0.3)
    return head.eval()


@pytest.fixture
def image():
    return rows(7, 1)


@pytest.fixture
def text():
    return rows(7, 2)


def test_parts_sum_to_a_unit_vector(head, image, text):
    for given in ({"image": image, "text": text}, {"image": image}, {"text": text}):
        parts = head.parts(**given)
        assert parts.shape == (7, 3, head.width) and parts.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(parts.sum(1), axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_a_score_splits_into_its_parts_to_1e_5(head, image, text, weight):
    product = head.product_parts(image=image[:1], text=text[:1]).sum(1)[0]
    parts = head.parts(image=image, text=text, weight=weight)
    scores = head.fuse(image=image, text=text, weight=weight) @ product
    np.testing.assert_allclose((parts @ product).sum(1), scores, atol=1e-5)


def test_a_missing_modality_contributes_nothing(head, image, text):
    assert not head.parts(image=image)[:, 1:].any()
    only_text = head.parts(text=text)
    assert not only_text[:, 0].any() and not only_text[:, 2].any()


def test_none_and_zero_rows_mean_the_same(head, image, text):
    np.testing.assert_allclose(head.fuse(image=image), head.fuse(image=image, text=np.zeros_like(text)), atol=1e-6)


def test_rows_do_not_influence_each_other(head, image, text):
    text[3] = 0
    together = head.fuse(image=image, text=text)
    for i in range(len(image)):
        np.testing.assert_allclose(head.fuse(image=image[i : i + 1], text=text[i : i + 1])[0], together[i], atol=1e-5)


def test_the_ends_of_the_slider_are_the_one_modality_answers(head, image, text):
    np.testing.assert_allclose(head.fuse(image=image, text=text, weight=1.0), head.fuse(image=image), atol=1e-5)
    np.testing.assert_allclose(head.fuse(image=image, text=text, weight=0.0), head.fuse(text=text), atol=1e-5)


def test_the_slider_moves_the_vector_smoothly(head, image, text):
    steps = [head.fuse(image=image, text=text, weight=w) for w in np.linspace(0, 1, 101)]
    moved = [np.linalg.norm(b - a, axis=1).max() for a, b in pairwise(steps)]
    assert max(moved) < 0.15


def test_neither_modality_is_refused(head, image):
    with pytest.raises(ValueError, match="needs an image, a text, or both"):
        head.parts()
    image[2] = 0
    with pytest.raises(ValueError, match="neither image nor text"):
        head.parts(image=image)


def test_save_and_load_keep_every_vector(head, image, text, tmp_path):
    save_head(head, tmp_path / "head.safetensors")
    again = load_head(tmp_path / "head.safetensors")
    assert type(again) is type(head)
    assert np.array_equal(again.fuse(image=image, text=text), head.fuse(image=image, text=text))


def test_a_file_that_is_no_head_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "head.safetensors").write_bytes(b"junk")
    with pytest.raises(InputError, match="build the index again"):
        load_head(tmp_path / "head.safetensors")


def test_the_mean_head_is_the_normalised_mean_of_both_vectors(image, text):
    fused = Mean(DIM, DIM + EXTRA, DIM + EXTRA).fuse(image=image, text=text)
    np.testing.assert_allclose(fused, normalize(image[:, :DIM] + text[:, :DIM]), atol=1e-5)


def test_products_are_unit_vectors_whatever_they_lack(head, image, text):
    image[2], text[5] = 0, 0
    parts = head.product_parts(image=image, text=text)
    assert parts.shape == (7, 3, head.width)
    np.testing.assert_allclose(np.linalg.norm(parts.sum(1), axis=1), 1, atol=1e-5)
    assert not parts[2, 0].any() and not parts[5, 1].any(), "what is missing has no part"


@pytest.mark.parametrize("name", ["concat", "weighted", "attention"])
def test_before_training_a_photo_alone_ranks_products_mostly_by_their_pictures(name, image, text):
    head = HEADS[name](DIM, DIM + EXTRA, DIM + EXTRA).eval()
    products = head.product_parts(image=image, text=text).sum(1)
    assert (head.fuse(image=image) @ products.T).argmax(1).tolist() == list(range(7))
    assert (head.fuse(text=text) @ products.T).argmax(1).tolist() == list(range(7))


@pytest.mark.parametrize("name", ["concat", "weighted", "attention"])
def test_before_training_a_query_with_both_ranks_products_nearly_as_the_mean_does(name, image, text):
    mean = Mean(DIM, DIM + EXTRA, DIM + EXTRA)
    head = HEADS[name](DIM, DIM + EXTRA, DIM + EXTRA).eval()
    with torch.no_grad():
        head.both_weights.copy_(torch.tensor([-20.0, 0.0, -20.0]))  # nothing asked of pictures and texts by themselves
    a = head.fuse(image=image, text=text[::-1].copy()) @ head.product_parts(image=image, text=text).sum(1).T
    b = mean.fuse(image=image, text=text[::-1].copy()) @ mean.product_parts(image=image, text=text).sum(1).T
    np.testing.assert_allclose(a * 3**0.5, b, atol=1e-4)


def test_a_products_text_does_not_blur_its_picture(image, text):
    """Products with the same picture score alike for that picture, whatever their texts."""
    head = HEADS["concat"](DIM, DIM + EXTRA, DIM + EXTRA).eval()
    with torch.no_grad():
        head.image_weights.copy_(torch.tensor([0.0, -20.0, -20.0]))  # a photo asks of pictures alone
    same = np.repeat(image[:1], 7, 0)
    scores = head.fuse(image=image[:1]) @ head.product_parts(image=same, text=text).sum(1).T
    np.testing.assert_allclose(scores[0], scores[0, 0], atol=1e-5)


@pytest.mark.parametrize("name", ["concat", "weighted", "attention"])
def test_where_a_wish_names_two_values_the_product_it_starts_from_tells_which_is_wanted(name):
    """No embedding tells "b rather than a" from "a rather than b": here both are the same row."""
    torch.manual_seed(0)
    a, b, thing = np.eye(3, DIM + EXTRA, dtype=np.float32)
    products = [normalize((thing + colour)[None])[0] for colour in (a, b)]
    photo, wish = np.tile(thing, (2, 1)), np.tile(normalize((a + b)[None]), (2, 1))
    reference_text, wanted = np.stack(products), torch.tensor([1, 0])
    head = HEADS[name](DIM, DIM + EXTRA, DIM + EXTRA)
    image, text = torch.from_numpy(photo), torch.from_numpy(np.stack(products))
    optimiser = torch.optim.Adam(head.parameters(), 1e-2)
    for _ in range(150):
        q = head(image, torch.from_numpy(wish), torch.from_numpy(reference_text)).sum(1)
        loss = torch.nn.functional.cross_entropy(q @ head.products(image, text).sum(1).T * 20, wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    products_fused = head.eval().product_parts(image=photo, text=np.stack(products)).sum(1)
    found = head.fuse(image=photo, text=wish, reference_text=reference_text) @ products_fused.T
    assert found.argmax(1).tolist() == [1, 0]
    without = head.fuse(image=photo, text=wish) @ products_fused.T
    np.testing.assert_allclose(without[0], without[1], atol=1e-5)


def test_an_adapter_starts_as_the_identity_and_keeps_missing_rows_missing(image):
    image[4] = 0
    out = Adapter(DIM, DIM + EXTRA)(torch.from_numpy(image)).detach().numpy()
    np.testing.assert_allclose(out, image[:, :DIM], atol=1e-6)


@pytest.mark.parametrize("name", [n for n in HEADS if n != "mean"])
def test_words_that_agree_with_the_photo_may_keep_more_of_it_than_words_that_ask_for_a_change(name):
    head = HEADS[name](4).eval()
    with torch.no_grad():
        head.agreement_weights.copy_(torch.tensor([2.0, 0.0, 0.0]))
    photo = np.array([[1, 0, 0, 0]], np.float32)
    agreeing, other = photo, np.array([[0, 1, 0, 0]], np.float32)
    picture_share = lambda words: np.linalg.norm(head.fuse(image=photo, text=words)[:, :4])  # noqa: E731
    assert picture_share(agreeing) > 2 * picture_share(other)


@pytest.mark.parametrize("name", [n for n in HEADS if n != "mean"])
def test_an_uploaded_photo_decides_as_far_as_its_words_describe_it(name, image):
    torch.manual_seed(0)
    head = HEADS[name](DIM, DIM + EXTRA, DIM + EXTRA).eval()
    near, far = rows(7, 2), rows(7, 3)
    near[:, :DIM] = normalize(image[:, :DIM] + 0.5 * normalize(near[:, :DIM]))  # these agree with the photos
    i, apart = image[:, :DIM], far[:, :DIM]
    far[:, :DIM] = normalize(apart - (apart * i).sum(1, keepdims=True) * i)  # these have nothing to do with them
    before = {key: head.fuse(image=image, text=t) for key, t in (("near", near), ("far", far))}
    of_shop, alone, said = (
        head.fuse(image=image, text=near, reference_text=far),
        head.fuse(image=image),
        head.fuse(text=near),
    )
    head.photo_gate.copy_(torch.tensor([40.0, -20.0, 0.5]))
    halfway = normalize(before["near"] + alone)
    np.testing.assert_allclose(head.fuse(image=image, text=near), halfway, atol=1e-3)
    np.testing.assert_allclose(head.fuse(image=image, text=far), before["far"], atol=1e-3)
    np.testing.assert_allclose(head.fuse(image=image, text=near, reference_text=far), of_shop, atol=1e-6)
    np.testing.assert_allclose(head.fuse(image=image), alone, atol=1e-6)
    np.testing.assert_allclose(head.fuse(text=near), said, atol=1e-6)
    np.testing.assert_allclose(head.parts(image=image, text=near).sum(1), halfway, atol=1e-3)


@pytest.mark.parametrize("name", list(HEADS))
def test_an_expansion_stands_for_the_missing_words_of_an_uploaded_photo_and_for_nothing_else(name, image):
    torch.manual_seed(0)
    head = HEADS[name](DIM, DIM + EXTRA, DIM + EXTRA).eval()
    text, expansion, reference_text = rows(7, 2), rows(7, 3), rows(7, 4)
    if name == "mean":
        np.testing.assert_array_equal(
            head.fuse(image=image, text=text, expansion=expansion), head.fuse(image=image, text=text)
        )
        return
    expanded = head.fuse(image=image, text=text, expansion=expansion)
    np.testing.assert_allclose(expanded, head.fuse(image=image, text=text, reference_text=expansion), atol=1e-6)
    assert np.abs(expanded - head.fuse(image=image, text=text)).max() > 1e-3
    same = {"image": image, "text": text, "reference_text": reference_text}
    np.testing.assert_array_equal(head.fuse(**same, expansion=expansion), head.fuse(**same))
    np.testing.assert_array_equal(head.fuse(image=image, expansion=expansion), head.fuse(image=image))
    np.testing.assert_array_equal(head.fuse(text=text, expansion=expansion), head.fuse(text=text))
    for end, alone in ((1.0, head.fuse(image=image)), (0.0, head.fuse(text=text))):
        np.testing.assert_allclose(head.fuse(image=image, text=text, expansion=expansion, weight=end), alone, atol=1e-5)
    head.photo_gate.copy_(torch.tensor([0.0, 40.0, 1.0]))  # the words are known to describe the photo
    gated = head.fuse(image=image, text=text, expansion=expansion)
    np.testing.assert_allclose(gated, head.fuse(image=image), atol=1e-5)

"""What is set after training, on a toy shop: who asks what of whom."""

import numpy as np
import pytest
import torch

from mmdemo.catalog import Catalog
from mmdemo.embed import embed, text_rows
from mmdemo.fusion import HEADS, Mean
from mmdemo.lessons import Lessons, questions
from mmdemo.settle import believe, settle
from mmdemo.validation import floors, judge, means
from tests.toys import ToyEncoder, toy_catalogue


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = toy_catalogue(tmp_path_factory.mktemp("settle") / "shop", copies=12)
    return embed(Catalog.read(folder), ToyEncoder(), tmp_path_factory.mktemp("work") / "work")


def test_a_photo_is_believed_where_its_words_only_describe_it_and_that_is_worth_what_wishes_lose(shop):
    """Photos that are known for sure beside words that are not: to follow those costs."""
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    data = Lessons(shop.products, shop.image, shop.text, shop.view, lambda t: text_rows(encoder, t), rng)
    asked = {q.task: q for q in questions(data, "valid", 400, rng)}
    width = (shop.image.shape[1], shop.text.shape[1])
    head, mean = (HEADS[name](encoder.dim, *width).eval() for name in ("concat", "mean"))
    floor = floors(data, [*asked.values()], mean)
    asked["both"].image[:] = data.image[asked["both"].of]  # the very pictures
    before = judge(head, data, [*asked.values()])
    after = means(believe(head, data, [*asked.values()], floor))
    assert head.belief[0] > 0 and head.belief[2] > 0 and after["both"] > before["both"] + 0.1
    assert before["edit"] - after["edit"] < after["both"] - before["both"]
    assert judge(head, data, [asked["both"], asked["edit"]]) == pytest.approx(after)
    kept = head.belief.clone()
    believe(head, data, [asked["both"]], floor)
    assert (head.belief == kept).all(), "no wishes to tell descriptions from"


def test_a_photo_and_words_alone_ask_other_blocks_no_more_than_products_kept_aside_are_found_by_it(shop):
    """Pictures that say nothing of the words: who asks them too finds less."""
    encoder, rng = ToyEncoder(), np.random.default_rng(0)
    for row, own in (("of_text", 2), ("of_image", 0)):
        image, text = (rng.permutation(shop.image), shop.text) if own else (shop.image, rng.permutation(shop.text))
        data = Lessons(shop.products, image, text, None, lambda t: text_rows(encoder, t), np.random.default_rng(0))
        asked = [q for q in questions(data, "valid", 400, np.random.default_rng(0)) if q.task in ("image", "text")]
        head = HEADS["concat"](encoder.dim, image.shape[1], text.shape[1]).eval()
        getattr(head, row).data.zero_()  # all blocks alike
        floor = floors(data, asked, Mean(encoder.dim, image.shape[1], text.shape[1]))
        before, task = judge(head, data, asked), "text" if own else "image"
        settle(head, data, asked, floor)
        weights = getattr(head, row).exp()
        assert weights[own] == 1 and all(w < 0.3 for i, w in enumerate(weights) if i != own)
        assert judge(head, data, asked)[task] > before[task]


def test_words_go_on_asking_pictures_where_that_finds_more(shop):
    encoder = ToyEncoder()
    text = np.random.default_rng(1).permutation(shop.text)  # texts that say nothing of their products
    data = Lessons(shop.products, shop.image, text, None, lambda t: text_rows(encoder, t), np.random.default_rng(0))
    asked = [q for q in questions(data, "valid", 400, np.random.default_rng(0)) if q.task == "text"]
    head = HEADS["concat"](encoder.dim, shop.image.shape[1], text.shape[1]).eval()
    head.of_text.data.copy_(torch.tensor([0.0, -3.0, 0.0]))
    settle(head, data, asked, floors(data, asked, Mean(encoder.dim, shop.image.shape[1], text.shape[1])))
    assert head.of_text[0].exp() > 0.6

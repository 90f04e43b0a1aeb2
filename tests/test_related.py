"""What goes together is learnt from links and holds for products that no link of training named."""

import numpy as np
import pytest
import torch

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.vectors import normalize
from mmdemo.fusion.related import (
    Related,
    apply_map,
    fit_related,
    linked_pairs,
    load_related,
    ndcg_of_links,
    save_related,
)
from mmdemo.index.product_index import LIKELY
from tests.toys import ToyEncoder, quick_build, toy_catalogue


@pytest.fixture(scope="module")
def shop():
    """Sofas and lamps in 60 styles: a lamp stands far from its sofa, always in the same direction."""
    rng = np.random.default_rng(0)
    styles, kind = rng.normal(size=(60, 16)), np.zeros((2, 32))
    kind[0, 16:], kind[1, 24:] = 2.0, -4.0
    vectors = normalize(np.vstack([np.hstack([styles, np.zeros((60, 16))]) + kind[i] for i in (0, 1)]))
    pairs = np.stack([np.arange(60), np.arange(60) + 60], 1)
    return vectors.astype(np.float32), pairs, np.arange(120)


@pytest.fixture(scope="module")
def split():
    part = np.tile(np.arange(60) % 6, 2)  # a pair lies in one part
    return part > 1, part == 1, part == 0


def test_links_teach_where_the_other_thing_lies_also_for_products_never_linked(shop, split):
    vectors, pairs, group = shop
    train, valid, test = split
    model = fit_related(vectors, pairs, group, train, valid)
    unseen = pairs[test[pairs[:, 0]]]
    assert ndcg_of_links(vectors, vectors, unseen, group).mean() < 0.2
    assert ndcg_of_links(apply_map(model, vectors), vectors, unseen, group).mean() > 0.6


def test_the_same_seed_learns_the_same_map(shop, split):
    vectors, pairs, group = shop
    one, other = (apply_map(fit_related(vectors, pairs, group, *split[:2], seed=3), vectors) for _ in range(2))
    assert np.array_equal(one, other)


def test_too_few_links_or_none_to_judge_by_teach_nothing(shop, split):
    vectors, pairs, group = shop
    train, valid, _ = split
    assert fit_related(vectors, pairs[train[pairs[:, 0]]][:10], group, train, valid) is None
    assert fit_related(vectors, pairs, group, train, np.zeros(120, bool)) is None


def test_links_at_random_are_answered_by_the_map_no_worse_than_without(shop, split):
    vectors, _, group = shop
    pairs = np.random.default_rng(1).integers(0, 120, (300, 2))
    model = fit_related(vectors, pairs, group, *split[:2])
    asked = np.vstack([pairs, pairs[:, ::-1]])
    asked = asked[split[1][asked[:, 0]]]
    assert (
        ndcg_of_links(apply_map(model, vectors), vectors, asked, group).mean()
        >= ndcg_of_links(vectors, vectors, asked, group).mean()
    )


def test_an_untrained_map_changes_nothing(shop):
    torch.manual_seed(0)
    np.testing.assert_allclose(apply_map(Related(32), shop[0]), shop[0], atol=1e-6)


def test_ndcg_equals_the_textbook_and_leaves_out_the_own_group():
    vectors = np.array([[1, 0], [0.99, 0.14], [0.9, 0.43], [0, 1]], np.float32)
    pairs, group = np.array([[0, 2], [0, 3]]), np.array([0, 0, 1, 2])  # 1 is a variant of 0
    assert ndcg_of_links(vectors, vectors, pairs, group, k=1)[0] == 1.0
    pairs = np.array([[0, 3]])
    assert ndcg_of_links(vectors, vectors, pairs, group)[0] == pytest.approx(1 / np.log2(3))


def test_linked_says_which_pairs_there_are():
    assert linked_pairs(np.array([0, 2]), np.array([1, 3]), np.array([[0, 3], [2, 1], [1, 2]])).tolist() == [
        [False, True],
        [True, False],
    ]


def test_a_map_is_kept_to_the_last_digit_and_another_width_is_refused(shop, split, tmp_path):
    vectors, pairs, group = shop
    model = fit_related(vectors, pairs, group, *split[:2])
    save_related(model, tmp_path / "map.safetensors")
    assert np.array_equal(apply_map(load_related(tmp_path / "map.safetensors", 32), vectors), apply_map(model, vectors))
    with pytest.raises(ValueError, match="vectors of 8 numbers"):
        load_related(tmp_path / "map.safetensors", 8)


def test_a_catalogue_with_links_learns_them_and_says_what_goes_with_a_product_nobody_linked(tmp_path):
    folder = toy_catalogue(tmp_path / "shop", copies=12)
    products = Catalog.read(folder).products
    parents = list(dict.fromkeys(p.parent for p in products))
    partner = dict(zip(parents, parents[1:] + parents[:1], strict=True))
    first = {p.parent: p.id for p in reversed(products)}
    rows = [f"{p.id},{first[partner[p.parent]]},set" for p in products if p.parent != parents[0]]
    (folder / "links.csv").write_text("id,other_id,kind\n" + "\n".join(rows) + "\n")
    index, _ = quick_build(Catalog.read(folder), ToyEncoder(), tmp_path / "index")
    related = index.report["related"]
    assert related["queries"] and 0 <= related["alike"]["value"] <= 1 and 0 <= related["learnt"]["value"] <= 1
    index.related = Related(index.head.width)  # as at the start: what is alike goes together
    again = index.save(tmp_path / "index")
    alone = next(p for p in products if p.parent == parents[0] and p.id != first[parents[0]])
    likely = [again.products[again.row(i)] for i, _ in again.goes_with(alone.id)]
    assert len(likely) == LIKELY == len({p.parent for p in likely} - {alone.parent})
    scores = again.vectors @ again.vectors[again.row(alone.id)]
    others = [r for r in np.argsort(-scores, kind="stable") if again.products[r].parent != alone.parent]
    assert likely[0].id == again.products[others[0]].id

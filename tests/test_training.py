"""What the shipped encoder's text tower is taught: nothing of what is kept aside, and every look at a photo once."""

import argparse
import csv

import numpy as np
import torch

from mmdemo.catalog import Catalog
from mmdemo.modelfolder import new_model, open_model
from mmdemo.shelf import Shelf, held_out
from tests.toys import toy_catalogue
from training.language import copy_of, medleys, vocabulary
from training.listen import LOOKS, looks
from training.ship import begin


def test_the_words_of_products_kept_aside_are_not_taught_and_chinese_is_read_as_its_english(tmp_path):
    folder = toy_catalogue(tmp_path / "shop")
    table = folder / "products.csv"
    with table.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    with table.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, [*rows[0], "title_zh"])
        writer.writeheader()
        writer.writerows(row | {"title": f"{row['title']} {row['id']}", "title_zh": f"商品{row['id']}"} for row in rows)
    products = Catalog.read(folder).products
    kept = {p.title for p in products if held_out(p)}
    pairs, aside = copy_of(folder)
    assert kept and set(aside) == kept
    assert not kept & {text for pair in pairs for text in pair}
    learned = next(p for p in products if not held_out(p))
    assert (learned.title, learned.title) in pairs
    assert (learned.translated["title_zh"], learned.title) in pairs


def test_medleys_are_the_same_each_time_and_made_of_known_words():
    known = set(vocabulary()) | set("and with of for in the a on to without or from is made of ,".split())
    some = medleys(200, seed=3)
    assert some == medleys(200, seed=3) and some != medleys(200, seed=4) and len(set(some)) > 190
    words = {word.rstrip(",") for text in some for word in text.split()} - {""}
    assert words <= known and len(words) > 300


def test_photos_are_looked_at_once_and_as_they_are_first(tmp_path):
    folder = toy_catalogue(tmp_path / "shop")
    model, config = new_model()
    shelf = Shelf([folder], tmp_path, 144, [1.0], None)
    seen = looks(model, config, shelf, None, tmp_path)
    assert seen.shape == (LOOKS, len(shelf.pixels), model.visual.trunk.num_features)
    assert not np.allclose(seen[0], seen[1], atol=1e-2)  # the second is varied
    assert np.array_equal(looks(None, config, shelf, None, tmp_path), seen)  # no model is needed again


def test_an_image_tower_begins_with_what_imagenet_taught_it(tmp_path):
    model, _ = new_model()
    torch.manual_seed(1)
    known = {f"_{n}": torch.randn_like(v) if v.ndim else v for n, v in model.visual.trunk.state_dict().items()}
    torch.save(known | {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}, tmp_path / "lite.pth")
    begin(argparse.Namespace(imagenet=tmp_path / "lite.pth", language=None, out=tmp_path / "out"))
    trunk = open_model(tmp_path / "out")[0].visual.trunk.state_dict()
    assert all(torch.allclose(trunk[n[1:]], v, atol=2e-3, rtol=1e-3) for n, v in known.items() if v.ndim)

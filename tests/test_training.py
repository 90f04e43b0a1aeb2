"""What the shipped encoder's text tower is taught: nothing of what is kept aside, and every look at a photo once."""

import argparse
import csv

import numpy as np
import torch

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.holdout import Holdout
from mmdemo.finetune.dataset import TrainingDataset
from mmdemo.finetune.model_folder import export, new_model, open_model
from tests.toys import toy_catalogue
from training import pack, scale
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
    kept = {p.title for p in products if Holdout().held_out(p)}
    pairs, aside = copy_of(folder)
    assert kept and set(aside) == kept
    assert not kept & {text for pair in pairs for text in pair}
    learned = next(p for p in products if not Holdout().held_out(p))
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
    dataset = TrainingDataset([folder], tmp_path, 144, [1.0], Holdout())
    seen = looks(model, config, dataset, None, tmp_path)
    assert seen.shape == (LOOKS, len(dataset.pixels), model.visual.trunk.num_features)
    assert not np.allclose(seen[0], seen[1], atol=1e-2)  # the second is varied
    assert np.array_equal(looks(None, config, dataset, None, tmp_path), seen)  # no model is needed again


def test_an_image_tower_begins_with_what_imagenet_taught_it(tmp_path):
    model, _ = new_model()
    torch.manual_seed(1)
    known = {f"_{n}": torch.randn_like(v) if v.ndim else v for n, v in model.visual.trunk.state_dict().items()}
    torch.save(known | {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}, tmp_path / "lite.pth")
    begin(argparse.Namespace(imagenet=tmp_path / "lite.pth", language=None, out=tmp_path / "out"))
    trunk = open_model(tmp_path / "out")[0].visual.trunk.state_dict()
    assert all(torch.allclose(trunk[n[1:]], v, atol=2e-3, rtol=1e-3) for n, v in known.items() if v.ndim)


def packed(folder, work, out):
    """A toy shop as `pack.py` leaves it, with one question: a title among all pictures."""

    def ask(dataset, number, shop_of, shops):
        titles = [p.title for p in dataset.products]
        right = np.array(titles, object)[:, None] == np.array(titles, object)[None]
        ids = list(range(len(titles)))
        return [
            {
                "name": "title",
                "ask": "text",
                "ids": [*map(number, titles)],
                "shelf": ids,
                "k": 3,
                "right": np.packbits(right, axis=1),
                "measure": "recall",
            }
        ]

    dataset = TrainingDataset([folder], work, 64, [1.0], Holdout())
    tokenizer = open_model(None)[2]
    rooms = np.full((2, 64, 64, 3), 90, np.uint8)
    pack.write(out, dataset, ["default"], rooms, tokenizer, [("a red mug", "a red mug"), ("红色杯子", "red mug")], ask)
    return dataset


def test_a_pack_holds_every_photo_and_says_what_each_product_is(tmp_path):
    dataset = packed(toy_catalogue(tmp_path / "shop"), tmp_path, tmp_path / "pack")
    found = scale.Pack(tmp_path / "pack")
    assert len(found.pixels) == len(dataset.pixels) and len(found.rooms) == 2
    seen = (
        found.pixels.permute(0, 2, 3, 1).float() - torch.from_numpy(dataset.pixels[range(len(dataset.pixels))]).float()
    )
    assert seen.abs().mean() < 4  # as WebP keeps it
    assert found.usable.tolist() == (~dataset.aside).tolist()
    drawn = found.draw(8)
    assert found.usable[drawn].all() and len(set(drawn.tolist())) == len(drawn)
    rows = found.owner[drawn]
    same, alike = found.same(rows, rows), found.alike(rows, rows)
    assert same.diagonal().all() and alike.diagonal().all()
    kinds = [dataset.products[i].category for i in rows]
    assert alike.tolist() == [[a == b for b in kinds] for a in kinds]


def test_a_jpeg_of_fine_steps_is_the_picture_and_of_coarse_ones_keeps_its_mean():
    picture = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(scale.blocks(picture, torch.full((2, 1, 1, 1), 1e-5)), picture, atol=1e-3)
    flat = torch.full((1, 3, 16, 16), 0.5)
    assert torch.allclose(scale.blocks(flat, torch.full((1, 1, 1, 1), 0.05)), flat, atol=0.01)
    coarse = scale.blocks(picture, torch.full((2, 1, 1, 1), 0.25))
    assert not torch.allclose(coarse, picture, atol=0.05) and (coarse.mean() - picture.mean()).abs() < 0.03


def test_variations_stay_pictures_and_keep_colours_apart():
    shots = torch.full((2, 3, 64, 64), 255, dtype=torch.uint8)
    shots[0, :, 16:48, 16:48] = torch.tensor([200, 20, 20])[:, None, None]
    shots[1, :, 16:48, 16:48] = torch.tensor([20, 20, 200])[:, None, None]
    rooms = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    torch.manual_seed(0)
    for _ in range(10):
        x = scale.vary(shots, scale.whites(shots), rooms, 48)
        assert x.shape == (2, 3, 48, 48) and x.min() >= 0 and x.max() <= 1.3
        warm = (x[:, 0] - x[:, 2]).flatten(1)
        assert warm[0].max() > 0.2 and warm[1].min() < -0.2


def test_both_towers_learn_from_a_pack_and_a_stopped_run_goes_on(tmp_path, capsys):
    packed(toy_catalogue(tmp_path / "shop"), tmp_path, tmp_path / "pack")
    model, config = new_model()
    export(model, config, tmp_path / "start")
    torch.save({f"_{n}": v.abs() for n, v in model.visual.trunk.state_dict().items()}, tmp_path / "lite.pth")
    run = argparse.Namespace(
        pack=tmp_path / "pack",
        start=tmp_path / "start",
        imagenet=tmp_path / "lite.pth",
        out=tmp_path / "out",
        minutes=0.03,
        batch=4,
        distil=2,
        lr=1e-3,
        kinds=0.4,
        felt=1.0,
        small_until=0.5,
        share=0.5,
        save_minutes=9,
        say_seconds=0,
        resume=False,
    )
    scale.train(run)
    said = capsys.readouterr().out
    assert "'captions'" in said and "50% of the way" in said
    first = open_model(tmp_path / "out")[0].state_dict()
    assert not torch.equal(first["visual.head.proj.weight"], model.state_dict()["visual.head.proj.weight"])
    stopped = torch.load(tmp_path / "out.checkpoint", weights_only=True)
    run.resume, run.minutes = True, stopped["seconds"] / 60 + 0.01
    scale.train(run)
    steps = [int(line.split()[0]) for line in capsys.readouterr().out.splitlines() if " steps " in line]
    assert steps[-1] > stopped["at"]

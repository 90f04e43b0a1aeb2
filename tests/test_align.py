import csv

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from mmdemo.catalog.catalog import Catalog, Product
from mmdemo.core.errors import InputError
from mmdemo.core.holdout import Holdout
from mmdemo.encode.encoder import WEIGHTS, Encoder
from mmdemo.encode.towers import text_tower
from mmdemo.finetune import align as module
from mmdemo.finetune.align import AlignmentOptions, align, contrast
from mmdemo.finetune.augment import augment, place, surroundings
from mmdemo.finetune.dataset import TrainingDataset, captions, facts, phrase, singular
from mmdemo.finetune.distillation import Distillation
from mmdemo.finetune.model_card import draw
from mmdemo.finetune.model_folder import export, new_model, open_model
from mmdemo.finetune.retrieval_eval import RANK, SIGHT, WORDS, RetrievalEval
from tests.toys import COLOURS, SHAPES, picture, toy_catalogue

JEANS = Product(
    "1",
    "1.jpg",
    "Slim Jeans",
    "Worn in. Soft.",
    "Jeans",
    attributes={"gender": "Women", "colour": "Blue", "size": "32"},
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """48 toys, and for six of them a second photo in queries.csv."""
    folder = toy_catalogue(tmp_path_factory.mktemp("shop"))
    (folder / "queries").mkdir()
    with open(folder / "queries.csv", "w", newline="") as f:
        table = csv.writer(f)
        table.writerow(["query_id", "image", "product_id"])
        for colour in COLOURS:
            picture("mug", colour, scale=0.9).save(folder / "queries" / f"{colour}.png")
            table.writerow([f"q-{colour}", f"queries/{colour}.png", f"mug-0-{colour}"])
        table.writerow(["q-lost", "queries/lost.png", "mug-0-red"])
    return folder


@pytest.fixture(autouse=True)
def nothing_built_in(monkeypatch, tmp_path):
    """Runs measure forgetting on what a test names, not on the 305 products that ship."""
    monkeypatch.setattr(module, "BUILT_IN", tmp_path / "none")


def train(shop, start, out, *, teacher=None, progress=None, **settings):
    given = {"epochs": 4, "batch": 12, "lr": 1e-3, "save_minutes": 0, "split_by": "id", **settings}
    return align([shop], out, start, AlignmentOptions(**given), teacher=teacher, progress=progress)


# --- what a catalogue says -------------------------------------------------


def test_held_out_keeps_variants_together():
    of = lambda **more: Holdout().held_out(Product("1", "", "x", **more))  # noqa: E731
    assert len({Holdout().held_out(Product(str(i), "", "x", parent="P7")) for i in range(50)}) == 1
    assert len({Holdout().held_out(Product(str(i), "", "x", group="G7")) for i in range(50)}) == 1
    assert of(attributes={"sender_id": "5"}) == Holdout().held_out(Product("5", "", "x"))
    assert Holdout(("id",)).held_out(Product("1", "", "x", parent="P")) == Holdout().held_out(Product("1", "", "x"))
    share = np.mean([Holdout().held_out(Product(f"p{i}", "", "x")) for i in range(2000)])
    assert 0.17 < share < 0.23


@pytest.mark.parametrize(
    ("noun", "one"),
    [("Hoodies", "hoodie"), ("Dresses", "dress"), ("Watches", "watch"), ("Jeans", "jeans"), ("Glass", "glass")],
)
def test_singular(noun, one):
    assert singular(noun) == one


def test_phrases_say_only_what_is_so():
    assert facts(JEANS) == [("gender", "women's"), ("colour", "blue"), ("noun", "Jeans")]
    rng = np.random.default_rng(0)
    said = dict(phrase(JEANS, rng) for _ in range(200))
    assert {"blue jeans", "women's blue jeans", "jeans", "women's jeans"} <= set(said)
    assert said["women's blue jeans"] == ["gender:women", "colour:blue", "noun:jeans"]
    assert phrase(Product("1", "", "Thing"), rng) == ("", [])


def test_captions_start_with_the_title_and_do_not_repeat():
    found = captions(JEANS)
    assert found[0] == "Slim Jeans" and "Worn in. Soft." in found and "Worn in." in found
    assert len(found) == len(set(found))


# --- the loss --------------------------------------------------------------


def test_contrast_on_known_answers():
    rows, scale = torch.eye(4), torch.tensor(100.0)
    assert contrast(rows, rows, torch.eye(4).bool(), scale) < 1e-4
    assert contrast(rows, rows.roll(1, 0), torch.eye(4).bool(), scale) > 50
    # two answers that are both right share the weight: ln 2, not a fight
    twice = rows[[0, 0, 1, 2]]
    match = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]).bool()
    assert contrast(twice, twice, match, scale).item() == pytest.approx(np.log(2) / 2, abs=1e-4)
    # a row without an answer asks nothing
    assert contrast(rows, rows, torch.eye(4).bool() & (torch.arange(4) < 3)[:, None], scale) < 1e-4
    assert contrast(rows, rows, torch.zeros(4, 4).bool(), scale) == 0


def test_near_copies_and_variants_are_not_negatives(shop, tmp_path):
    dataset = TrainingDataset([shop], tmp_path, 36, [1.0], Holdout())
    names = [product.id for product in dataset.products]
    red, same, blue = names.index("mug-0-red"), names.index("mug-0-red"), names.index("mug-0-blue")
    assert dataset.same(np.array([red]), np.array([same, blue])).tolist() == [[True, False]]
    description = dataset.products[red].description
    assert dataset.fits([description], np.arange(len(names))).sum() == sum(
        p.description == description for p in dataset.products
    )


def test_other_photos_belong_to_their_product_and_lost_ones_are_left_out(shop, tmp_path):
    dataset = TrainingDataset([shop], tmp_path, 36, [1.0], Holdout())
    assert len(dataset.owner) == len(dataset.products) + len(COLOURS)
    assert {dataset.products[row].id for row in dataset.owner[len(dataset.products) :]} == {
        f"mug-0-{c}" for c in COLOURS
    }
    trained = {dataset.products[row].id for row in dataset.owner[dataset.odds > 0]}
    assert not any(Holdout().held_out(p) for p in dataset.products if p.id in trained)


# --- variations of a picture -----------------------------------------------


def test_augment_keeps_colour_and_shape():
    pixels = np.stack([np.asarray(picture("tray", colour, 48)) for colour in ("red", "green", "blue")] * 8)
    x = augment(pixels, 32, np.random.default_rng(0))
    assert x.shape == (24, 3, 32, 32) and 0 <= x.min() and x.max() <= 1
    middle = x[:, :, 12:20, 12:20].mean((2, 3)).argmax(1).view(8, 3)
    assert (middle == torch.arange(3)).float().mean() > 0.95
    assert torch.equal(x, augment(pixels, 32, np.random.default_rng(0)))


def test_only_the_white_outside_is_replaced():
    shirt = Image.new("RGB", (64, 64), "white")
    shirt.paste((40, 40, 40), (16, 16, 48, 48))
    shirt.paste((255, 255, 255), (22, 22, 42, 42))  # white, but inside
    room = Image.new("RGB", (64, 64), (90, 120, 60))
    x = torch.from_numpy(np.stack([np.asarray(shirt), np.asarray(room)])).permute(0, 3, 1, 2) / 255
    mask = surroundings(x)
    assert mask[0, 0, 2, 2] == 1 and mask[0, 0, 32, 32] == 0 and mask[0, 0, 18, 32] == 0
    assert mask[1].max() == 0
    placed = place(x, np.full((3, 64, 64, 3), (200, 30, 30), np.uint8), np.random.default_rng(1))
    assert torch.equal(placed[1], x[1])
    assert not torch.equal(placed[0], x[0]) and (placed[0] > 0.99).all(0).any()


# --- a run -----------------------------------------------------------------


def test_training_teaches_colours_of_products_never_seen(shop, tiny_model, tmp_path):
    figures = train(shop, tiny_model, tmp_path / "out", epochs=30, save_minutes=9)
    encoder = Encoder.load(tmp_path / "out")
    aside = [p for p in Catalog.read(shop).products if Holdout(("id",)).held_out(p)]
    colours = list(COLOURS)
    seen = encoder.encode_image([picture(*p.id.split("-")[::2], scale=0.6) for p in aside])
    said = encoder.encode_text([f"{colour} {shape}" for colour in colours for shape in SHAPES])
    named = np.array([colours[i // len(SHAPES)] for i in (seen @ said.T).argmax(1)])
    right = (named == np.array([p.id.split("-")[2] for p in aside])).mean()
    assert len(aside) >= 5 and right > 0.5, f"{right:.2f} of {len(aside)} (chance 0.17)"
    assert figures["recall@10"] > 0.9
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "open_clip_config.json",
        "open_clip_model.safetensors",
        "holdout.json",
        "README.md",
        "learning-curve.png",
    }
    Image.open(tmp_path / "out" / "learning-curve.png").verify()


class Stop(Exception):
    pass


def test_resumed_run_equals_one_that_was_not_stopped(shop, tiny_model, tmp_path):
    def stop(state):
        if state["step"] == 5:
            raise Stop

    straight = train(shop, tiny_model, tmp_path / "straight", epochs=2)
    with pytest.raises(Stop):
        train(shop, tiny_model, tmp_path / "stopped", epochs=2, progress=stop)
    resumed = train(shop, tiny_model, tmp_path / "stopped", epochs=2, resume=True)
    assert resumed["steps"] == straight["steps"] > 6
    one, two = (load_file(tmp_path / name / WEIGHTS) for name in ("straight", "stopped"))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, atol=1e-3, rtol=1e-3)
    assert any((one[n] - load_file(tiny_model / WEIGHTS)[n]).abs().max() > 1e-3 for n in one)


def test_kill_while_saving_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    run = module.Trainer.__new__(module.Trainer)
    run.model, run.distillation, run.voice, run.at = torch.nn.Linear(2, 2), None, None, 1
    run.optimizer = torch.optim.AdamW(run.model.parameters())
    run.save(tmp_path / "checkpoint.pt", curve=[], seconds=1.0)

    def killed(_, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        run.save(tmp_path / "checkpoint.pt", curve=[], seconds=2.0)
    assert run.restore(tmp_path / "checkpoint.pt")["seconds"] == 1.0


def test_a_tower_that_knows_its_teacher_is_not_pushed_off_it(tiny_model):
    encoder = Encoder.load(tiny_model)
    texts = [f"a {colour} {thing}" for colour in ("red", "green", "blue") for thing in ("mug", "lamp", "chair", "bag")]
    heard = text_tower(encoder.model, encoder.tokenizer(texts))[0].detach()
    teacher = (heard @ torch.randn(heard.shape[1], 8)).numpy()
    lesson = Distillation(
        texts, teacher / np.linalg.norm(teacher, axis=1, keepdims=True), encoder.model, encoder.tokenizer
    )
    assert float(lesson.loss(encoder.model, 12)) < 1e-2


def test_a_teacher_is_remembered(tiny_model):
    encoder = Encoder.load(tiny_model)
    texts, rng = ["red", "green", "blue", "mug", "tray", "chair"], np.random.default_rng(0)
    lesson = Distillation(texts, rng.normal(size=(6, 8)), encoder.model, encoder.tokenizer)
    lesson.map.reset_parameters()
    optimizer = torch.optim.Adam([*encoder.model.parameters(), *lesson.parameters()], 3e-3)
    losses = []
    for step in range(30):
        optimizer.zero_grad()
        loss = lesson.loss(encoder.model, 6, step)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_a_step_of_a_longer_recipe_ends_where_it_ends(shop, tiny_model, tmp_path):
    teacher = ["red", "green", "blue"], np.random.default_rng(0).normal(size=(3, 8))
    figures = train(shop, tiny_model, tmp_path / "out", epochs=1, teacher=teacher, save_minutes=9)
    assert figures["share"] == 1 and figures["table"] == [] and figures["why"] == ""
    assert "step of a longer recipe" in (tmp_path / "out" / "README.md").read_text()


def test_nothing_to_train_on(tiny_model, tmp_path):
    lone = tmp_path / "lone"
    lone.mkdir()
    picture("mug", "red").save(lone / "red.png")
    key = next(str(i) for i in range(50) if Holdout().held_out(Product(str(i), "", "x")))
    (lone / "catalog.csv").write_text(f"id,image,title\n{key},red.png,Red mug\n")
    with pytest.raises(InputError, match="kept aside"):
        align([lone], tmp_path / "out", tiny_model)


def test_a_catalogue_too_small_to_learn_from_gets_a_clear_sentence(tiny_model, tmp_path):
    small = toy_catalogue(tmp_path / "small", copies=1)  # 12 products
    with pytest.raises(InputError, match=r"expected at least 20 products .* found \d+ .*`build`"):
        align([small], tmp_path / "out", tiny_model, AlignmentOptions(split_by="id"))
    assert not (tmp_path / "out").exists()


def test_the_start_is_never_overwritten_and_the_check_is_never_trained_on(shop, tiny_model, tmp_path):
    with pytest.raises(InputError, match="the start is kept"):
        align([shop], tiny_model, tiny_model)
    with pytest.raises(InputError, match="trained on as well"):
        align([shop], tmp_path / "out", tiny_model, AlignmentOptions(check=shop))


def test_before_and_after_on_unseen_products_and_on_another_catalogue(shop, tiny_model, tmp_path):
    other = toy_catalogue(tmp_path / "other", copies=2)
    figures = train(shop, tiny_model, tmp_path / "out", epochs=15, save_minutes=9, check=other)
    rows = {(name.split(" ")[0], figure): values for name, figure, *values in figures["table"]}
    assert len(rows) == 6 and {name for name, _ in rows} == {shop.name, "other"}
    for path, holdout in ((shop, Holdout(("id",))), (other, None)):
        evaluation = RetrievalEval.of(path, holdout=holdout)
        chance, first, last = (
            evaluation.chance(),
            evaluation.evaluate(Encoder.load(tiny_model)),
            evaluation.evaluate(Encoder.load(tmp_path / "out")),
        )
        for figure in (WORDS, SIGHT, RANK):
            before, after, lucky = rows[path.name, figure]
            assert lucky == chance[figure] and before == pytest.approx(first[figure], abs=1e-6)
            assert after == pytest.approx(last[figure], abs=0.05)  # stored as float16
    assert rows[shop.name, RANK][1] > rows[shop.name, RANK][0]
    told = " ".join((tmp_path / "out" / "README.md").read_text().split())
    for said in (
        f"| other (24) | {WORDS} |",
        "chance",
        "1.0e-03",
        "Kept aside",
        "InfoNCE",
        figures["why"],
        "**Limits.**",
    ):
        assert said in told


def test_a_run_that_spoils_the_encoder_keeps_the_start(shop, tiny_model, tmp_path):
    figures = train(shop, tiny_model, tmp_path / "good", epochs=15, save_minutes=9)
    assert figures["share"] > 0
    spoilt = train(shop, tmp_path / "good", tmp_path / "out", epochs=2, lr=3.0, save_minutes=9)
    assert spoilt["share"] == 0 and "did not help" in spoilt["why"] and spoilt["recall@10"] == figures["recall@10"]
    good, out = (load_file(tmp_path / name / WEIGHTS) for name in ("good", "out"))
    assert all(torch.equal(good[name], out[name]) for name in good)


def test_gains_biases_and_the_logit_scale_are_not_decayed_and_the_scale_stays_below_100(shop, tiny_model, tmp_path):
    dataset = TrainingDataset([shop], tmp_path, 36, [1.0], Holdout(("id",)))
    opened = model, _, _ = open_model(tiny_model)
    run = module.Trainer(opened, dataset, AlignmentOptions(batch=8, lr=1e-3, text_lr=5e-4))
    decay = {id(p): (g["weight_decay"], g["peak"]) for g in run.optimizer.param_groups for p in g["params"]}
    assert len(decay) == len(list(model.parameters()))
    for name, p in model.named_parameters():
        expected = 0.0 if p.ndim < 2 or "ln_" in name or name.endswith("bias") or name == "logit_scale" else 0.05
        assert decay[id(p)] == (expected, 1e-3 if name.startswith("visual.") else 5e-4), name
    with torch.no_grad():
        model.logit_scale.fill_(9.0)
    run.step(0.5)
    assert model.logit_scale.exp().item() == pytest.approx(100)


@pytest.fixture
def convolutional(tmp_path):
    """A folder with a convolutional tower, tiny and untrained."""
    torch.manual_seed(0)
    config = {
        "model_cfg": {
            "embed_dim": 16,
            "vision_cfg": {"timm_model_name": "regnetx_002", "timm_proj": "linear", "image_size": 32},
            "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
        },
        "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3},
    }
    model, config = new_model(config)
    export(model, config, tmp_path / "start")
    return tmp_path / "start"


def test_of_a_tower_only_the_last_groups_go_on_learning_if_so_wanted(shop, convolutional, tmp_path):
    train(shop, convolutional, tmp_path / "out", epochs=1, last=2, teacher=(["a mug"] * 8, np.eye(8)))
    one, two = (load_file(folder / WEIGHTS) for folder in (convolutional, tmp_path / "out"))
    moved = {name.split(".")[2] for name in one if "visual.trunk" in name and not torch.equal(one[name], two[name])}
    assert moved == {"s4"}
    assert not torch.equal(one["visual.head.proj.weight"], two["visual.head.proj.weight"])


def test_running_statistics_of_a_start_stay_put(shop, convolutional, tmp_path):
    train(shop, convolutional, tmp_path / "out", epochs=1)
    one, two = (load_file(tmp_path / name / WEIGHTS) for name in ("start", "out"))
    still = [name for name in one if "running_" in name]
    assert still and all(torch.equal(one[name], two[name]) for name in still)


def test_a_checkpoint_of_another_run_is_refused(shop, tiny_model, tmp_path):
    work = tmp_path / "out.work"
    work.mkdir()
    torch.save({"model": {}, "optimizer": {}, "at": 3, "curve": [], "seconds": 1.0}, work / "checkpoint.pt")
    with pytest.raises(InputError, match="leave out --resume"):
        train(shop, tiny_model, tmp_path / "out", resume=True)


def test_a_learning_curve_has_scales_and_survives_what_runs_produce(tmp_path):
    for points in ([], [[0, float("nan"), 0.1]], [[i, 5.0 - i / 9, i / 40] for i in range(40)]):
        draw(points, tmp_path / "curve.png")
        with Image.open(tmp_path / "curve.png") as image:
            assert image.size == (800, 420) and len(image.getcolors(9999)) > 5


def test_half_of_a_batch_comes_from_one_shop_and_small_shops_have_their_turn():
    dataset = TrainingDataset.__new__(TrainingDataset)
    dataset.odds, dataset.shop = np.ones(1100), np.repeat([0, 1], [1000, 100])
    dataset.odds[:10] = 0  # kept aside
    small = [(dataset.shop[dataset.draw(40, np.random.default_rng(seed))] == 1).mean() for seed in range(300)]
    assert 0.15 < np.mean(small) < 0.35  # its share of the photos is a tenth
    photos = dataset.draw(40, np.random.default_rng(0))
    assert len(set(photos)) == 40 and photos.min() >= 10

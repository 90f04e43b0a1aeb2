import csv

import numpy as np
import pytest
from PIL import Image

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.product import Product
from mmdemo.core.holdout import Holdout
from mmdemo.core.metrics import precision_at, recall_at
from tests.toys import COLOURS, ToyEncoder, picture, toy_catalogue
from training import measure, phone, sayings


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = toy_catalogue(tmp_path_factory.mktemp("measure") / "shop")
    (folder / "queries").mkdir()
    with open(folder / "queries.csv", "w", newline="") as f:
        table = csv.writer(f)
        table.writerow(["query_id", "image", "product_id"])
        for colour in COLOURS:
            picture("mug", colour, scale=0.5).save(folder / "queries" / f"{colour}.png")
            table.writerow([f"q-{colour}", f"queries/{colour}.png", f"mug-0-{colour}"])
    return folder


@pytest.fixture
def table():
    return measure.Table({"encoder": ToyEncoder(), "before": ToyEncoder()})


def rows(table):
    return {row["task"]: row for row in table.rows}


def test_a_table_compares_encoders_baselines_and_chance(shop, table):
    toys = measure.Shop(shop, "toys")
    measure.own(table, toys)
    measure.titles(table, toys)
    measure.photos(table, toys, "other view", 1, trained_on=False)
    found_rows = rows(table)
    row = found_rows["toys: own picture cropped, JPEG 40, recall@1"]
    assert row["queries"] == row["answers"] == 48 and row["chance"] == pytest.approx(1 / 48)
    assert row["encoder"] == row["before"] and {"histogram", "pixels"} <= set(row)
    views = [r for task, r in found_rows.items() if "other view" in task]
    assert sum(r["queries"] for r in views) == len(COLOURS) and all(r["encoder"] == 1.0 for r in views)
    words = [r for task, r in found_rows.items() if "title -> product, recall@10" in task]
    assert sum(r["queries"] for r in words) == 48 and all(r["encoder"] == 1.0 for r in words)
    assert "histogram" not in words[0]
    report = measure.markdown(table.rows, {"encoder": {"image": 1.25, "text": 0.5}})
    head, line = report.splitlines()[0], report.splitlines()[2]
    assert head == "| task | queries / answers | encoder | before | chance | histogram | pixels |"
    assert line.startswith("| toys: own picture cropped") and "0.020" in line  # 1/48, cut off
    assert "1.2 ms a picture, 0.5 ms a sentence" in report


def test_a_picture_does_not_find_itself(table):
    shelf = [picture("mug", "red"), picture("mug", "red"), picture("tray", "blue")]
    right = measure.same(["a", "a", "b"], ["a", "a", "b"])
    table.by_picture("same", shelf, shelf, right & ~np.eye(3, dtype=bool), 1, recall_at)
    assert table.rows[0]["encoder"] == 1.0 and table.rows[0]["queries"] == 3
    table.by_picture("itself", shelf, shelf, np.eye(3, dtype=bool), 1, precision_at)
    assert table.rows[1]["encoder"] == 0.0


def test_clothes_at_home_are_mapped_to_what_the_shop_sells():
    names = [name for names in measure.KINDS.values() for name in names]
    assert {"Tshirts", "Shirts", "Jeans", "Casual Shoes", "Caps", "Dresses"} <= set(names)
    assert "Other" not in measure.KINDS and all(measure.KINDS.values())


def test_composites_are_seeded_photos_that_still_show_the_product():
    places = [Image.new("RGB", (300, 200), (90, 120, 60)), Image.new("RGB", (200, 300), (60, 60, 120))]
    toys = [picture(shape, colour) for shape in ("mug", "tray") for colour in ("red", "yellow")]
    photos = phone.composites(toys, places)
    again = phone.composites(toys, places)
    assert all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(photos, again, strict=True))
    assert not np.array_equal(np.asarray(photos[0]), np.asarray(phone.composites(toys, places, seed=1)[0]))
    assert phone.composites([Image.new("RGB", (96, 96), (250, 250, 250))], places) == [None]  # nothing to cut out
    for photo, colour in zip(photos, ("red", "yellow") * 2, strict=True):
        pixels = np.asarray(photo, np.float32)
        assert 200 <= photo.width == photo.height <= 256 and (pixels.min(2) > 235).mean() < 0.01  # no white left
        lit = pixels / pixels.max(2, keepdims=True).clip(1)
        near = np.abs(lit - np.array(COLOURS[colour]) / max(COLOURS[colour])).max(2) < 0.2
        assert 0.05 < near.mean() < 0.7


def test_chinese_phrases_say_what_the_english_ones_say():
    assert sayings.in_chinese("navy", sayings.words.COLOURS) == "藏青色"
    assert sayings.in_chinese("T-shirt", sayings.words.PRODUCTS) == "T恤"
    assert sayings.in_chinese("Sneaker", sayings.words.PRODUCTS) == "运动鞋"
    assert sayings.in_chinese("stripes", sayings.words.PATTERNS) == "条纹"
    assert sayings.in_chinese("zorbium", sayings.words.MATERIALS) is None
    of = lambda **facts: Product("1", "", "x", category="Mug", attributes=facts)  # noqa: E731
    striped, plain = of(colour="navy", pattern="stripes"), of(colour="red", pattern="plain", material="ceramic")
    strange = of(colour="red", pattern="plain", material="zorbium")
    assert sayings.spoken([plain, striped, striped, strange]) == [
        ("navy striped mug", "藏青色条纹杯子", "Mug"),
        ("red ceramic mug", "红色陶瓷杯子", "Mug"),
    ]


def test_overlap_is_the_share_of_common_answers():
    a = np.array([[9, 8, 7, 0, 0, 0], [3, 2, 1, 0, 0, 0]], float)
    b = np.array([[9, 8, 7, 0, 0, 0], [0, 0, 1, 3, 2, 0]], float)
    assert sayings.overlap(a, b, 3) == pytest.approx((1 + 1 / 3) / 2)


def test_texts_alone_are_asked_inside_their_own_shop(tmp_path):
    """Two shops with the same titles and other descriptions: the other shop's never count, for or against."""
    catalogs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        picture("mug", "red").save(tmp_path / name / "a.png")
        lines = [f"{i},a.png,Title {i},{name} tells of {i}" for i in range(40)]
        (tmp_path / name / "catalog.csv").write_text("id,image,title,description\n" + "\n".join(lines))
        catalogs.append(Catalog.read(tmp_path / name))
    number = lambda text: int(text.split()[-1])  # noqa: E731

    class Reader(ToyEncoder):
        def encode_text(self, texts):  # knows the number, and a little of which shop speaks
            out = np.zeros((len(texts), 42), np.float32)
            for i, text in enumerate(texts):
                out[i, number(text)] = 1
            return out

    table = measure.Table(
        {"encoder": Reader()}, lambda texts: np.eye(42, dtype=np.float32)[[number(t) // 2 for t in texts]]
    )
    sayings.descriptions(table, catalogs)
    kept = sum(Holdout().held_out(p) for p in catalogs[0].products)
    row, of_teacher = table.rows[:2]
    assert of_teacher["encoder"] == pytest.approx(row["encoder"] / row["teacher"]) and "teacher" not in of_teacher
    assert row["queries"] == 2 * kept > 4 and row["answers"] == 80
    assert row["encoder"] == 1.0 and row["chance"] == pytest.approx(1 / 40) and 0 < row["teacher"] < 1

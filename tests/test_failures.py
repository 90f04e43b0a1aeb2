import numpy as np
from PIL import Image

from mmdemo.catalog.catalog import Catalog
from tests.toys import ToyEncoder, picture, toy_catalogue
from training import failures
from training.measure import Shop


def test_mistakes_are_the_queries_whose_first_answer_is_wrong_worst_first():
    scores = np.array([[0.9, 0.5, 0.1], [0.1, 0.9, 0.5], [0.9, 0.2, 0.5], [0.9, 0.5, 0.1]])
    right = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 1], [0, 0, 0]], bool)
    found = failures.mistakes(scores, right)
    assert [(m.query, m.answers[0], m.right, m.rank) for m in found] == [(1, 1, 0, 3), (2, 0, 2, 2)]
    assert [m.query for m in failures.varied(found, ["mug", "tray", "mug"], 4)] == [1]  # one of a kind
    assert [m.query for m in failures.varied(found, ["mug", "tray", "vase"], 1)] == [1]


def test_confusions_count_what_came_instead_and_out_of_how_many():
    rows = failures.confusions("task", ["a", "a", "a", "b", "b"], ["b", "b", "a", "b", "a"], most=1)
    assert rows == [("task", "", "a", "b", 2, 3)]
    text = failures.markdown([("t", "x|y", "a", "b", 2, 3), ("t", "q", "a", "b", 1, 1)])
    assert text.splitlines()[2:] == ["| t | x/y | a | b | 2 of 3 |", "| t | q | a | b |  |"]


class Blind(ToyEncoder):
    """Sees no shapes and reads no colours."""

    def encode_image(self, images):
        rows = super().encode_image(images)
        rows[:, 3:6] = 0.05
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_sheet_shows_what_was_asked_beside_the_wrong_and_the_right(tmp_path):
    shop = Shop(toy_catalogue(tmp_path / "shop", copies=2), "toys")
    (tmp_path / "views").mkdir()
    picture("mug", "red", scale=0.4).save(tmp_path / "views" / "a.png")
    (tmp_path / "views" / "queries.csv").write_text("query_id,image,product_id\nq,a.png,tray-0-blue\n")
    rows = failures.ours(Blind(), shop, tmp_path / "views", most=2)
    tasks = [task for task, *_ in rows]
    assert {"a title", "another view"} <= set(tasks) and all(tasks.count(task) <= 2 for task in tasks)
    for _, _, mistake, scores in rows:
        assert mistake.rank > 1 and scores[mistake.answers[0]] >= scores[mistake.right]
        assert mistake.answers[mistake.rank - 1] == mistake.right
    sheet = failures.contact_sheet(rows, shop)
    sheet.save(tmp_path / "sheet.webp", quality=72)
    assert (tmp_path / "sheet.webp").stat().st_size < 300_000
    with Image.open(tmp_path / "sheet.webp") as image:
        assert image.size == sheet.size and len(image.getcolors(10**6)) > 50
    assert len(Catalog.read(tmp_path / "shop")) == len(shop.products) == 24


def test_of_third_party_catalogues_only_words_are_written(tmp_path):
    for name in ("fashion", "clothing", "grocery", "sportswear"):
        folder = toy_catalogue(tmp_path / name)
        (folder / "queries").mkdir()
        picture("mug", "red", scale=0.4).save(folder / "queries" / "a.png")
        ids = [f"{shape}-{n}-blue" for shape in ("mug", "tray") for n in range(4)]
        lines = "".join(f"q-{i},queries/a.png,{i}\n" for i in ids)
        (folder / "queries.csv").write_text("query_id,image,product_id\n" + lines)
    rows = failures.theirs(Blind(), tmp_path)
    assert rows and all(isinstance(cell, (str, int)) for row in rows for cell in row)
    tasks = {row[0] for row in rows}
    assert {"grocery: phone photo -> product", "sportswear: other view -> product"} <= tasks
    wrong = next(row for row in rows if row[0] == "grocery: phone photo -> product")
    assert "Blue" in wrong[2] and "Red" in wrong[3] and wrong[4] == wrong[5] == 1

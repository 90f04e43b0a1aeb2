"""A table gives several pictures of a product in many ways, and names them as people do."""

import unicodedata

import pytest
from PIL import Image

from mmdemo.catalog.catalog import Catalog

FILES = ("front.jpg", "images/back.png", "images/side.webp", "red, round.png", "Café 1.JPG", "77.png")


@pytest.fixture
def read(tmp_path):
    (tmp_path / "images").mkdir()
    for name in FILES:
        Image.new("RGB", (2, 2)).save(tmp_path / unicodedata.normalize("NFC", name))

    def from_table(text: str) -> Catalog:
        (tmp_path / "catalog.csv").write_text(text, encoding="utf-8")
        return Catalog.read(tmp_path)

    return from_table


ALL = ("front.jpg", "images/back.png", "images/side.webp")
WAYS = {
    "pipes": "id,image,title\nm,front.jpg|back.png|side.webp,Mug\n",
    "commas": 'id,image,title\nm,"front.jpg,back.png, side.webp",Mug\n',
    "semicolons": "id,image,title\nm,front.jpg; back.png;side.webp,Mug\n",
    "lines": 'id,image,title\nm,"front.jpg\nimages/back.png\nside.webp\n",Mug\n',
    "addresses with spaces between": "id,image,title\nm,https://x.example/front.jpg https://x.example/back.png "
    "https://x.example/side.webp?v=1,Mug\n",
    "a column of views": "id,image,title,views\nm,front.jpg,Mug,back.png|side.webp\n",
    "a column of views in lines": 'id,image,title,additional images\nm,front.jpg,Mug,"back.png\nside.webp"\n',
    "numbered columns": "id,image,title,image 2,Image_URL_3\nm,front.jpg,Mug,back.png,side.webp\n",
    "numbered columns alone": "id,title,image1,image2,image3\nm,Mug,front.jpg,back.png,side.webp\n",
    "numbered columns in german": "Artikelnummer;Name;Bild 1;Bild 2;Bild 3\nm;Mug;front.jpg;back.png;side.webp\n",
    "rows of the same id": "id,image,title,price\nm,front.jpg,Mug,5\nm,back.png,Mug,5\nm,side.webp,,\n",
    "rows of no id": "id,image,title,price\nm,front.jpg,Mug,5\n,back.png,,\n,side.webp,,\n",
    "the first picture missing": "id,image,title\nm,gone.jpg|front.jpg|back.png|side.webp,Mug\n",
    "one twice": "id,image,title,views\nm,front.jpg,Mug,front.jpg|back.png|side.webp|back.png\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_first_picture_is_shown_and_the_others_follow_in_order(read, way):
    catalog = read(WAYS[way])
    assert [(p.id, p.title, p.image) for p in catalog] == [("m", "Mug", "front.jpg")] and not catalog.refused
    assert (catalog.products[0].image, *catalog.views["m"]) == ALL
    assert not catalog.products[0].attributes


def test_a_picture_that_is_missing_among_several_is_noted_and_of_none_the_row_is_refused(read):
    catalog = read("id,image,title\nm,front.jpg|gone.jpg,Mug\nn,gone.jpg|lost.jpg,Tray\n")
    assert [str(note) for note in catalog.warnings] == [
        "line 2 (m): image: there is no picture 'gone.jpg' in the catalogue's folder"
    ]
    assert [str(fault) for fault in catalog.refused] == [
        "line 3 (n): image: there is no picture 'gone.jpg' in the catalogue's folder"
    ]


def test_rows_that_say_something_else_too_are_products_of_their_own_or_refused(read):
    catalog = read("id,image,title\nm,front.jpg,Mug\nm,back.png,Other mug\nm,front.jpg,Mug\n,side.webp,Tray\n")
    assert len(catalog) == 1 and "m" not in catalog.views
    assert [(fault.row, str(fault.reason)) for fault in catalog.refused] == [
        (3, "the id is already on line 2"),
        (4, "the id is already on line 2"),
        (5, "the id is empty"),
    ]


@pytest.mark.parametrize(
    ("cell", "file"),
    [
        ("back.png", "images/back.png"),
        ("/var/www/media/back.png", "images/back.png"),
        ("..\\pictures\\BACK.PNG", "images/back.png"),
        ("C:\\Users\\Ann\\shop\\front.jpeg", "front.jpg"),
        ("front", "front.jpg"),
        ("https://x.example/media/front.JPEG?width=80#x", "front.jpg"),
        ("caf%C3%A9%201.jpeg", "Café 1.JPG"),
        (unicodedata.normalize("NFD", "café 1.jpg"), "Café 1.JPG"),
        ('"red, round.png"', "red, round.png"),
    ],
)
def test_a_picture_is_found_by_the_name_that_people_mean(read, cell, file):
    catalog = read(f"id,image,title\nm,{cell},Mug\n")
    assert catalog.products[0].image == file
    loosely = [note for note in catalog.warnings if "not quite the table's" in note.reason]
    exactly = ("back.png", '"red, round.png"')  # the folder images is looked in for every path
    assert len(loosely) == (cell not in exactly)


@pytest.mark.parametrize("table", ["id,title\n77,Mug\n", "id,image,title\n77,,Mug\n", "id,image,title\n77,77,Mug\n"])
def test_where_no_row_names_a_picture_they_are_called_by_the_ids(read, table):
    catalog = read(table)
    assert catalog.products[0].image == "77.png"
    assert [str(note) for note in catalog.warnings] == [
        "line 1: image: 1 pictures were found by names that are not quite the table's, such as '77.png' for '77'"
    ]


def test_a_cell_left_empty_beside_others_says_that_there_is_no_picture(read):
    assert [p.image for p in read("id,image,title\n77,,Mug\nm,front.jpg,Tray\n")] == ["", "front.jpg"]

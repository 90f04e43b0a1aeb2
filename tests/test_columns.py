"""Which column is which: by the table of headings in eight languages, by what a person says, else it is asked."""

import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.column_guess import guess_columns
from mmdemo.catalog.columns import UnclearColumns, parse_mapping
from mmdemo.catalog.headings import _NAMES, LANGUAGES, column_of, heading
from mmdemo.core.errors import InputError

STYLES = (
    "Number,Brandname,articleDisplayName,Photo file,Cost,Group of goods\n"
    "7,Acme,Red wool hat,hat.jpg,12.50,Hats\n"
    "8,Bolt,Blue silk belt,silk.jpg,39.00,Belts\n"
    "9,Cord,Green felt hat,hat2.jpg,15.00,Hats\n"
    "10,Dash,Brown leather belt,belt.jpg,25.00,Belts\n"
)


def test_a_heading_names_one_column_whatever_the_language():
    owners: dict[str, set[str]] = {}
    for column, languages in _NAMES.items():
        assert len(languages) == len(LANGUAGES)
        for name in filter(None, "|".join(languages).split("|")):
            owners.setdefault(heading(name), set()).add(column)
    assert {name: columns for name, columns in owners.items() if len(columns) > 1} == {}


@pytest.mark.parametrize(
    "headings",
    [
        "Artikelnummer;Bezeichnung;Bild-URL;Preis;Kategorie;Farbe",
        "Référence;Désignation;Lien image;Prix TTC;Catégorie;Couleur",
        "Código;Nombre;Imagen;Precio;Categoría;Color",
        "Codice;Nome;Immagine;Prezzo;Categoria;Colore",
        "Artikelcode;Naam;Afbeelding;Prijs;Categorie;Kleur",
        "商品编码;商品名称;商品图片;售价;分类;颜色",
        "商品コード;商品名;商品画像;販売価格;カテゴリー;カラー",
    ],
)
def test_a_table_is_read_by_its_headings_in_every_language(tmp_path, headings):
    (tmp_path / "shop.csv").write_text(f"{headings}\nA1;Mug;;12,50;Mugs;blue\nA2;Vase;;8,00;Vases;red\n", "utf-8")
    first = Catalog.read(tmp_path).products[0]
    assert (first.id, first.title, first.price, first.category) == ("A1", "Mug", 12.5, "Mugs")
    assert first.attributes == {"colour": "blue"}


def test_a_column_keeps_its_heading_where_another_has_the_name_itself(tmp_path):
    (tmp_path / "shop.csv").write_text("id,sku,image,title,name\n1,S,,Mug,A name\n")
    [product] = Catalog.read(tmp_path)
    assert (product.id, product.title, product.attributes) == ("1", "Mug", {"sku": "S", "name": "A name"})


def test_the_guess_goes_by_headings_and_cells():
    lines = [line.split(",") for line in STYLES.splitlines()]
    assert guess_columns(lines[0], lines[1:]) == {
        "title": "articleDisplayName",
        "image": "Photo file",
        "price": "Cost",
        "category": "Group of goods",
        "id": "Number",
        "description": "",
    }
    assert guess_columns(["words"], [["hello there"]])["title"] == "words"
    assert guess_columns([], []) == dict.fromkeys(guess_columns(["x"], []), "")


def test_what_cannot_be_told_is_asked_with_the_first_rows_and_the_best_guess(tmp_path):
    (tmp_path / "shop.csv").write_text(STYLES)
    with pytest.raises(UnclearColumns) as caught:
        Catalog.read(tmp_path)
    question = caught.value.question
    assert question.headings[2] == "articleDisplayName" and question.rows[0][2] == "Red wool hat"
    assert str(caught.value) == (
        "'shop.csv' has no column 'id', 'image' and 'title'. Its columns are 'Number', 'Brandname', "
        "'articleDisplayName', 'Photo file', 'Cost', 'Group of goods'. Say which it is, or that there is none; the "
        'best guess is --map "id=Number" --map "image=Photo file" --map "title=articleDisplayName".'
    )


def test_a_person_says_which_column_is_which(tmp_path):
    (tmp_path / "shop.csv").write_text(STYLES)
    mapping = {"title": "articleDisplayName", "image": "", "price": "cost", "category": "Group of goods", "id": ""}
    catalog = Catalog.read(tmp_path, mapping=mapping)
    hat = catalog.products[0]
    assert (hat.id, hat.title, hat.image, hat.price) == ("red-wool-hat", "Red wool hat", "", 12.5)
    assert hat.category == "Hats" and hat.attributes == {"number": "7", "brandname": "Acme", "photo_file": "hat.jpg"}
    assert catalog.mapping == mapping
    assert [str(note) for note in catalog.warnings] == ["line 1: id: there is no column of ids, so the titles stand in"]
    assert Catalog.read(tmp_path, remembered=mapping).products == catalog.products


def test_what_was_said_of_another_table_is_left_alone(tmp_path):
    (tmp_path / "shop.csv").write_text("id,image,title\n1,,Mug\n")
    catalog = Catalog.read(tmp_path, remembered={"title": "articleDisplayName", "image": ""})
    assert [product.title for product in catalog] == ["Mug"] and catalog.mapping == {}


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        ({"title": "no such heading"}, "has no column 'no such heading' to be the title"),
        ({"title": "Cost", "price": "Cost"}, "'Cost' cannot be both the title and the price"),
        ({"weight": "Cost"}, "'weight' is no column of a catalogue; map one of title, image"),
    ],
)
def test_a_mapping_to_nothing_is_refused(tmp_path, mapping, reason):
    (tmp_path / "shop.csv").write_text(STYLES)
    with pytest.raises(InputError, match=reason):
        Catalog.read(tmp_path, mapping=mapping)


def test_a_mapping_is_said_as_column_and_heading():
    assert parse_mapping(["title=A = B", "image="]) == {"title": "A = B", "image": ""}
    with pytest.raises(InputError, match="does not say which column is which"):
        parse_mapping(["title"])


def test_headings_are_compared_without_brackets_case_and_marks():
    assert column_of("Image URLs (x,y,z...)") == "image" and column_of("商品説明(詳細)") == "description"
    assert column_of("weight") == ""

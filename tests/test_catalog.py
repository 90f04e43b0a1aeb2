"""Catalogues as people bring them: what is read, what is refused and on which line, what a product says."""

import io
import os
import stat
import unicodedata
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmdemo.catalog import archive
from mmdemo.catalog.catalog import Catalog, Product, facets
from mmdemo.catalog.html_text import plain_text
from mmdemo.catalog.product import split_values
from mmdemo.core.errors import InputError

MINIMAL = "id,image,title\na,a.png,Red shoe\nb,images/b.jpg,Blue bag\n"


@pytest.fixture
def shop(tmp_path) -> Path:
    """A folder with four pictures and no table yet."""
    root = tmp_path / "shop"
    (root / "images").mkdir(parents=True)
    for name, colour in (("a.png", "red"), ("images/b.jpg", "blue"), ("images/c.webp", "green"), ("d e.PNG", "white")):
        Image.new("RGB", (6, 4), colour).save(root / name)
    return root


def read(shop: Path, table: str | bytes, name: str = "catalog.csv") -> Catalog:
    (shop / name).write_bytes(table if isinstance(table, bytes) else table.encode())
    return Catalog.read(shop)


def one(shop: Path, header: str, row: str) -> Product:
    """The single product of a table with these columns beside the three required ones."""
    return read(shop, f"id,image,title,{header}\na,a.png,Shoe,{row}\n").products[0]


def refusal(catalog: Catalog) -> tuple[int, str, str]:
    assert len(catalog.refused) == 1, catalog.refused
    found = catalog.refused[0]
    return found.row, found.id, found.column


# What is read


def test_a_minimal_folder_is_read_in_the_order_of_its_table(shop):
    catalog = read(shop, MINIMAL)
    assert [product.id for product in catalog] == ["a", "b"] and len(catalog) == 2
    assert catalog.products[0] == Product("a", "a.png", "Red shoe")
    assert catalog.image_path(catalog.products[1]) == shop / "images" / "b.jpg"
    assert catalog.refused == catalog.warnings == [] and catalog.facets == {}


def test_every_known_column_lands_in_its_field_and_the_rest_in_attributes(shop):
    header = "description,category,price,currency,url,parent,group,Heel Height,colour"
    product = one(shop, header, '"Soft, warm.",Shoes,"1.299,00",eur,https://shop.example/a,P1,G1,Flat,Red')
    assert product == Product(
        "a",
        "a.png",
        "Shoe",
        "Soft, warm.",
        "Shoes",
        1299.0,
        "EUR",
        "https://shop.example/a",
        "P1",
        "G1",
        {"heel_height": "Flat", "colour": "Red"},
    )
    assert (product.field("PRICE"), product.field("Heel height"), product.field("Color")) == (1299.0, "Flat", "Red")
    assert product.field("no such thing") is None and product.field("title") == "Shoe"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encoding_separator_and_line_ends_are_found_out(shop, encoding, separator, newline):
    rows = [
        ["ID", " Image ", "TITLE", "price"],
        ["ä1", "a.png", "Größe für Zoë", "5"],
        ["b", "images/b.jpg", "Café", "6"],
    ]
    table = newline.join(separator.join(row) for row in rows) + newline
    catalog = read(shop, table.encode(encoding))
    assert [(p.id, p.title, p.price) for p in catalog] == [("ä1", "Größe für Zoë", 5), ("b", "Café", 6)]
    assert bool(catalog.warnings) == (encoding == "cp1252")


def test_a_few_damaged_letters_do_not_turn_utf_8_into_another_encoding(shop):
    good = "id,image,title\na,a.png,Grüße aus Köln\nb,images/b.jpg,Öl für Türen und Fächer X\n".encode()
    catalog = read(shop, good.replace(b"X", b"\xff"))
    assert catalog.products[0].title == "Grüße aus Köln" and "damaged" in catalog.warnings[0].reason


def test_a_comma_in_quotes_a_doubled_quote_and_a_line_break_in_a_cell_are_kept(shop):
    catalog = read(
        shop, 'id,image,title,description\na,a.png,"Screen, 12""","One\ntwo"\nb,images/b.jpg,B,\nc,gone.png,C,\n'
    )
    assert (catalog.products[0].title, catalog.products[0].description) == ('Screen, 12"', "One two")
    assert refusal(catalog) == (5, "c", "image")


def test_the_line_that_names_the_separator_and_blank_lines_are_skipped_but_counted(shop):
    catalog = read(shop, "sep=;\n\nid;image;title\na;a.png;A\n\nb;gone.png;B\n")
    assert [product.id for product in catalog] == ["a"] and refusal(catalog) == (6, "b", "image")


@pytest.mark.parametrize(
    "header",
    [
        "SKU,Picture,Name",
        "product_id,image path,Product Name",
        "Item-ID,Photo,Title",
        "id,img,title",
        "id,filename,title",
    ],
)
def test_common_other_names_of_the_required_columns_are_understood(shop, header):
    assert read(shop, f"{header}\na,a.png,Shoe\n").products == [Product("a", "a.png", "Shoe")]


def test_beside_the_real_column_another_name_for_it_stays_an_attribute(shop):
    product = one(shop, "sku,name", "X-1,Runner")
    assert (product.id, product.title, product.attributes) == ("a", "Shoe", {"sku": "X-1", "name": "Runner"})


def test_a_column_that_comes_twice_counts_once_and_is_noted(shop):
    catalog = read(shop, "id,image,title,colour,color\na,a.png,A,red,blue\n")
    assert catalog.products[0].attributes == {"colour": "red"} and catalog.warnings[0].column == "color"


@pytest.mark.parametrize("name", ["catalog.csv", "products.csv", "Products.CSV", "catalogue.csv", "items.csv"])
def test_the_table_of_a_folder_is_found_by_its_usual_names_or_as_the_only_one(shop, name):
    assert len(read(shop, MINIMAL, name)) == 2


def test_the_usual_name_wins_over_other_tables(shop):
    (shop / "links.csv").write_text("parent,kind\n1,2\n")
    assert len(read(shop, MINIMAL)) == 2


def test_a_table_alone_is_read_with_the_pictures_beside_it(shop):
    (shop / "anything.tsv").write_text(MINIMAL.replace(",", "\t"))
    assert [p.id for p in Catalog.read(str(shop / "anything.tsv"))] == ["a", "b"]


def test_parquet_is_read_like_the_same_csv(shop):
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "image": ["a.png", None],
            "title": ["A", "B"],
            "price": [12.125, None],
            "year": [2011.0, 2012.5],
            "kids": [True, False],
            "tags": [["x", "y"], []],
            "colour": pd.Categorical(["red", None]),
        }
    )
    frame.to_parquet(shop / "catalog.parquet")
    first, second = Catalog.read(shop).products
    attributes = {"year": "2011", "kids": "True", "tags": "x, y", "colour": "red"}
    assert first == Product("1", "a.png", "A", price=12.125, attributes=attributes)
    assert second == Product("2", "", "B", attributes={"year": "2012.5", "kids": "False"})


def test_a_product_without_a_picture_is_known_by_its_words(shop):
    catalog = read(shop, "id,image,title\ngift,,Gift card\n")
    assert catalog.products[0].image == "" and catalog.image_path(catalog.products[0]) is None


def test_where_every_title_is_empty_the_category_stands_in(shop):
    catalog = read(shop, "id,image,title,category\na,a.png,,Shoes\nb,images/b.jpg,,Bags\n")
    assert [p.title for p in catalog] == ["Shoes", "Bags"] and "category" in catalog.warnings[0].reason


def test_html_of_a_shop_system_becomes_words(shop):
    product = one(shop, "description,material", "<p>Soft &amp; <b>warm</b>.<br/>Size < 40</p>,Cocona&reg;")
    assert product.description == "Soft & warm. Size < 40" and product.attributes["material"] == "Cocona®"


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<h2>Care</h2><p>Wash.</p>", "Care. Wash."),
        ("<ul><li>350&nbsp;ml<li>Dishwasher safe</ul>End", "350 ml. Dishwasher safe. End"),
        (
            "<table><tr><td>Height</td><td>9 cm</td></tr><tr><th>Weight</th><td>1 kg</td></tr></table>",
            "Height 9 cm. Weight 1 kg",
        ),
        ("Mug<script>alert(1)</script><style>p {}</style>", "Mug"),
        ("<img src=x onerror=alert(1)>Mug", "Mug"),
        ("Size <M>, 3 < 4 &amp; 5", "Size <M>, 3 < 4 & 5"),
        ("<div>" * 50_000 + "deep", "deep"),
    ],
)
def test_markup_becomes_sentences(markup, words):
    assert plain_text(markup) == words


@pytest.mark.parametrize(
    "cell", ["images/b.jpg", "images\\b.jpg", "./images/b.jpg", "b.jpg", "IMAGES/B.JPG", " images/b.jpg "]
)
def test_a_picture_is_found_however_its_path_is_written(shop, cell):
    assert read(shop, f"id,image,title\nx,{cell},B\n").products[0].image == "images/b.jpg"


def test_a_picture_is_found_whichever_way_its_accents_are_stored(shop):
    Image.new("RGB", (4, 4)).save(shop / unicodedata.normalize("NFD", "café.png"))
    assert len(read(shop, "id,image,title\nx,café.png,Cup\n")) == 1


def test_a_folder_of_pictures_without_a_table_becomes_a_catalogue(tmp_path):
    for name in ("running-shoes/red_boot.jpg", "running-shoes/IMG_0042.png", "images/Blue-bag 02.png", ".trash/x.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)
    (tmp_path / "running-shoes" / "broken.jpg").write_bytes(b"nothing")
    (tmp_path / "notes.txt").write_text("no picture")
    catalog = Catalog.read(tmp_path)
    found = {(p.id, p.image, p.title, p.category) for p in catalog}
    assert found == {
        ("running-shoes-red_boot", "running-shoes/red_boot.jpg", "Red boot", "Running shoes"),
        ("running-shoes-IMG_0042", "running-shoes/IMG_0042.png", "Running shoes", "Running shoes"),
        ("images-Blue-bag 02", "images/Blue-bag 02.png", "Blue bag 02", ""),
    }
    assert [(r.row, r.id) for r in catalog.refused] == [(0, "running-shoes/broken.jpg")]


def test_pictures_that_differ_only_in_their_kind_get_ids_of_their_own(tmp_path):
    for name in ("shoe.png", "shoe.jpg", "shoe.webp"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    assert [p.id for p in Catalog.read(tmp_path)] == ["shoe", "shoe-2", "shoe-3"]


# What is refused: one row, the others are read

BAD_ROWS = {
    "no id": (",a.png,A", "id", "empty"),
    "id of blanks": ("  ,a.png,A", "id", "empty"),
    "id taken": ("ok,a.png,A", "id", "already on line 2"),
    "id too long": ("x" * 201 + ",a.png,A", "id", "201"),
    "no title": ("x,a.png,", "title", "empty"),
    "neither picture nor title": ("x,,", "title", "neither"),
    "picture gone": ("x,gone.png,A", "image", "no picture"),
    "picture is a folder": ("x,images,A", "image", "no picture"),
    "picture by http": ("x,http://example.com/elsewhere.png,A", "image", "--fetch-images"),
    "picture by https": ("x,HTTPS://example.com/elsewhere.png,A", "image", "--fetch-images"),
    "picture by file address": ("x,file:///etc/passwd,A", "image", "never fetched"),
    "picture in the cell": ("x,data:image/png;base64;AAAA,A", "image", "never fetched"),
    "picture above": ("x,../outside.png,A", "image", "outside"),
    "picture above by a detour": ("x,images/../../outside.png,A", "image", "outside"),
    "picture above, other slash": ("x,..\\outside.png,A", "image", "outside"),
    "picture absolute": ("x,/etc/hostname,A", "image", "outside"),
    "picture on a drive": ("x,C:\\gone.png,A", "image", "outside"),
    "picture on a share": ("x,\\\\server\\gone.png,A", "image", "outside"),
    "picture linked outwards": ("x,link.png,A", "image", "link"),
    "picture in a folder linked outwards": ("x,linked/outside.png,A", "image", "link"),
    "picture is text": ("x,text.png,A", "image", "text.png"),
    "picture empty": ("x,empty.png,A", "image", "empty"),
    "picture too large": ("x,bomb.png,A", "image", "megapixels"),
    "a cell too few": ("x,a.png", "", "2 cells where the header has 3"),
    "a cell too many": ("x,a.png,1,299", "", "4 cells where the header has 3"),
    "text after a quote": ('x,a.png,"Shoe" red', "", "quote"),
    "quote never closed": ('x,a.png,"Shoe', "", "quote"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_refused_with_its_line_and_the_good_ones_are_read(shop, name):
    row, column, reason = BAD_ROWS[name]
    Image.new("RGB", (4, 4)).save(shop.parent / "outside.png")
    (shop / "link.png").symlink_to(shop.parent / "outside.png")
    (shop / "linked").symlink_to(shop.parent)
    (shop / "text.png").write_text("hello")
    (shop / "empty.png").touch()
    # 1-bit: 48 megapixels in a file of a few kilobytes
    Image.new("1", (8000, 6000)).save(shop / "bomb.png")
    catalog = read(shop, f"id,image,title\nok,a.png,Fine\n{row}\n")
    assert [product.id for product in catalog] == ["ok"]
    found = catalog.refused[0]
    assert (found.row, found.column, len(catalog.refused)) == (3, column, 1)
    assert reason in found.reason and "\n" not in str(found) and str(shop) not in str(found)


STYLES = "id,colour,price,title\n" + "".join(f"{n},Red,{n}0,Plain shirt {n}\n" for n in range(1, 9))


def test_an_unquoted_comma_in_a_text_is_put_together_again_and_noted_once(shop):
    table = (
        STYLES.replace("id,", "id,image,").replace(",Red", ",,Red")
        + "9,,Red,90,Shirt, navy, long\n10,,Red,5,Tie, silk\n"
    )
    catalog = read(shop, table)
    assert [p.title for p in catalog][-2:] == ["Shirt, navy, long", "Tie, silk"] and catalog.products[-1].price == 5
    assert [str(note) for note in catalog.warnings] == [
        "line 1: 2 rows have an unquoted ',' in 'title', which was put together again; first, line 10"
    ]


def test_a_text_between_other_columns_takes_the_surplus_where_they_fit_best(shop):
    rows = "".join(f"{n},,Plain shirt {n},{n}0,{('Red', 'Blue')[n % 2]}\n" for n in range(10, 20))
    catalog = read(shop, f"id,image,title,price,colour\n{rows}20,,Shirt, long,7,Blue\n")
    last = catalog.products[-1]
    assert (last.title, last.price, last.attributes) == ("Shirt, long", 7, {"colour": "Blue"})


@pytest.mark.parametrize("row", ["9,,Red,1,299,Shirt", "9,,Red,90,Shirt, 12", "9,x,,Red,90,Shirt"])
def test_a_surplus_that_may_belong_elsewhere_is_refused(shop, row):
    table = STYLES.replace("id,", "id,image,").replace(",Red", ",,Red")
    catalog = read(shop, f"{table}{row}\n")
    assert [str(fault) for fault in catalog.refused] == ["line 10: 6 cells where the header has 5"]


def test_control_characters_are_left_out_and_counted(shop):
    catalog = read(shop, "id,image,title\na,a\0.png,A\0 red\x07 mug\n")
    assert catalog.products == [Product("a", "a.png", "A red mug")]
    assert [str(note) for note in catalog.warnings] == ["line 1: 3 control characters in 'catalog.csv' were left out"]


@pytest.mark.parametrize(
    ("encoding", "language", "header", "title"),
    [
        ("gb18030", "Simplified Chinese", "id,图片,标题", "红色马克杯"),
        ("cp932", "Japanese", "id,画像,商品名", "赤いマグカップ"),
        ("cp1252", "Western European", "id,image,title", "Café rosé"),
    ],
)
def test_what_spreadsheets_save_in_old_encodings_is_read_by_its_headings(tmp_path, encoding, language, header, title):
    (tmp_path / "shop.csv").write_bytes(f"{header}\na,,{title}\n".encode(encoding))
    catalog = Catalog.read(tmp_path)
    assert [product.title for product in catalog] == [title]
    assert f"was read as {language} ({encoding})" in str(catalog.warnings[0])


def test_a_byte_order_mark_below_a_blank_line_is_none_of_the_first_heading(tmp_path):
    (tmp_path / "shop.csv").write_bytes("\n\ufeffid,image,title\na,,A\n".encode())
    catalog = Catalog.read(tmp_path)
    assert [product.id for product in catalog] == ["a"] and not catalog.warnings


def test_a_stray_quote_costs_the_rows_it_touches_and_not_the_rest_of_the_table(shop):
    table = 'id,image,title\na,a.png,"Stray\nb,images/b.jpg,"Fine"\nc,images/c.webp,Last\n'
    catalog = read(shop, table)
    assert [product.id for product in catalog] == ["c"] and catalog.refused[0].row == 2


def test_the_nameless_column_that_data_tools_write_first_is_left_out(shop):
    assert read(shop, ",id,image,title\n0,a,a.png,A\n").products == [Product("a", "a.png", "A")]


def test_extra_empty_cells_at_the_end_of_a_row_do_no_harm(shop):
    assert read(shop, "id,image,title\na,a.png,A,,\n").products[0].title == "A"


def test_an_unquoted_comma_is_noticed_where_the_last_cell_is_empty(shop):
    rows = "".join(f"{n},a.png,Plain shirt {n},{n}0,\n" for n in range(9))
    odd = "9,a.png,Shirt, navy,90,\n10,a.png,Tie,5,,,\n"
    products = read(shop, f"id,image,title,price,note\n{rows}{odd}").products
    assert [(p.title, p.price) for p in products[-2:]] == [("Shirt, navy", 90), ("Tie", 5)]


def test_a_link_that_stays_inside_the_folder_is_followed(shop):
    (shop / "again.png").symlink_to(shop / "a.png")
    assert len(read(shop, "id,image,title\nx,again.png,A\n")) == 1


# What is noted: the row is read, one cell is not

BAD_CELLS = {
    "range": ("price", "10-20", None),
    "negative": ("price", "-5", None),
    "words": ("price", "on request", None),
    "currency": ("currency", "doubloons", ""),
    "address": ("url", "javascript:alert(1)", ""),
    "relative address": ("url", "/p/1", ""),
    "long title": ("description", "x" * 10_001, "x" * 10_000),
    "long attribute": ("colour", "y" * 501, "y" * 500),
}


@pytest.mark.parametrize("name", BAD_CELLS)
def test_a_bad_optional_cell_is_left_out_and_noted(shop, name):
    column, cell, kept = BAD_CELLS[name]
    catalog = read(shop, f"id,image,title,{column}\na,a.png,A,{cell}\n")
    assert catalog.products[0].field(column) == kept
    assert [(w.row, w.id, w.column) for w in catalog.warnings] == [(2, "a", column)] and not catalog.refused


@pytest.mark.parametrize(
    ("price", "currency", "expected", "noted"),
    [
        ("€5", "", (5, "EUR"), False),
        ("5", "chf", (5, "CHF"), False),
        ("$5", "CAD", (5, "CAD"), False),
        ("5 kr", "SEK", (5, "SEK"), False),
        ("€5", "USD", (5, "USD"), True),
        ("1.299", "KWD", (1.299, "KWD"), False),
    ],
)
def test_the_currency_column_has_the_last_word(shop, price, currency, expected, noted):
    catalog = read(shop, f"id,image,title,price,currency\na,a.png,A,{price},{currency}\n")
    assert (catalog.products[0].price, catalog.products[0].currency) == expected
    assert bool(catalog.warnings) == noted


def test_an_open_price_follows_the_other_prices_of_the_table(shop):
    rows = "id;image;title;price\na;a.png;A;1.299\nb;images/b.jpg;B;{}\n"
    assert read(shop, rows.format("49.99")).products[0].price == 1.299
    assert read(shop, rows.format("49,99")).products[0].price == 1299


# What cannot be used at all

BAD_CATALOGUES = {
    "empty file": ("catalog.csv", b"", "empty"),
    "only a byte order mark": ("catalog.csv", b"\xef\xbb\xbf", "empty"),
    "only blank lines": ("catalog.csv", b"\n\n \n", "empty"),
    "only a header": ("catalog.csv", b"id,image,title\n", "no rows"),
    "no title column": ("catalog.csv", b"id,image,tittle\na,a.png,A\n", '--map "title=tittle"'),
    "no id column": ("catalog.csv", b"nr,image,title\n1,a.png,A\n", "no column 'id'"),
    "no image column": ("catalog.csv", b"id,imago,title\n1,a.png,A\n", '--map "image=imago"'),
    "no header": ("catalog.csv", b"a,a.png,Shoe\nb,b.png,Bag\n", "no column 'id', 'image' and 'title'"),
    "one column": ("catalog.csv", b"hello\nworld\n", "no column"),
    "every row bad": ("catalog.csv", b"id,image,title\na,gone.png,A\nb,gone.png,B\n", "2 refused"),
    "every row ragged": ("catalog.csv", b"id,image,title\na\nb\n", "2 refused"),
    "workbook called csv": ("catalog.csv", b"PK\x03\x04" + bytes(99), "Excel workbook"),
    "old workbook called csv": ("catalog.csv", b"\xd0\xcf\x11\xe0" + bytes(99), "Excel workbook"),
    "workbook": ("shop.xlsx", b"PK\x03\x04" + bytes(99), "Excel workbook"),
    "gzip called csv": ("catalog.csv", b"\x1f\x8b" + bytes(99), "gzip"),
    "parquet called csv": ("catalog.csv", b"PAR1" + bytes(99), "name it .parquet"),
    "picture called csv": ("catalog.csv", b"\x89PNG\r\n\x1a\n" + bytes(99), "picture"),
    "pdf called csv": ("catalog.csv", b"%PDF-1.7", "PDF"),
    "binary": ("catalog.csv", bytes(range(256)) * 9, "not a text table"),
    "half a utf-16 letter": ("catalog.csv", b"\xff\xfei\x00d\x00,", "not a text table"),
    "csv called parquet": ("catalog.parquet", MINIMAL.encode(), "not a Parquet file"),
    "empty parquet": ("catalog.parquet", b"", "not a Parquet file"),
    "cut parquet": ("catalog.parquet", b"PAR1" + bytes(50) + b"PAR1", "not a Parquet file"),
    "text file": ("shop.rtf", b"[]", "is not one"),
    "empty list": ("shop.json", b"[]", "holds no list of products"),
    "too many columns": ("catalog.csv", b",".join(b"c%d" % i for i in range(501)) + b"\n", "columns"),
    "csv called zip": ("shop.zip", MINIMAL.encode(), "not a ZIP"),
    "empty zip file": ("shop.zip", b"", "not a ZIP"),
    "cut zip": ("shop.zip", b"PK\x03\x04" + bytes(99), "not a ZIP"),
}


@pytest.mark.parametrize("name", BAD_CATALOGUES)
def test_a_catalogue_that_cannot_be_used_says_why_in_one_line(shop, name):
    file, content, reason = BAD_CATALOGUES[name]
    (shop / file).write_bytes(content)
    with pytest.raises(InputError) as caught:
        Catalog.read(shop / file)
    message = str(caught.value)
    assert reason in message and file in message and "\n" not in message and str(shop) not in message


def test_a_folder_with_nothing_in_it_with_several_tables_and_a_missing_one_are_explained(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"neither catalog\.csv nor pictures"):
        Catalog.read(tmp_path / "empty")
    with pytest.raises(InputError, match="no catalogue 'gone'"):
        Catalog.read(tmp_path / "gone")
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(MINIMAL)
    with pytest.raises(InputError, match=r"several tables \(one.csv, two.csv\)"):
        Catalog.read(tmp_path)


def test_pictures_inside_a_parquet_file_are_explained(shop):
    pd.DataFrame({"id": ["a"], "image": [b"\x89PNG"], "title": ["A"]}).to_parquet(shop / "catalog.parquet")
    with pytest.raises(InputError, match="holds bytes"):
        Catalog.read(shop)


# ZIP


def zipped(path: Path, members: dict[str, bytes], **options) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("prefix", ["", "my shop/"])
@pytest.mark.parametrize("slash", ["/", "\\"])
def test_a_zip_is_read_with_or_without_a_folder_around_it(tmp_path, prefix, slash):
    table = b"id,image,title\na,images/a.png,A\n"
    members = {f"{prefix}catalog.csv": table, f"{prefix}images/a.png": picture()}
    members |= {"__MACOSX/._catalog.csv": b"junk", f"{prefix}.DS_Store": b"junk"}
    catalog = Catalog.read(zipped(tmp_path / "shop.zip", {k.replace("/", slash): v for k, v in members.items()}))
    assert [p.image for p in catalog] == ["images/a.png"] and catalog.image_path(catalog.products[0]).is_file()


def test_a_zip_of_pictures_is_a_catalogue_too(tmp_path):
    catalog = Catalog.read(zipped(tmp_path / "shop.zip", {"bags/red bag.png": picture(), "hats/hat.png": picture()}))
    assert [(p.title, p.category) for p in catalog] == [("Red bag", "Bags"), ("Hat", "Hats")]


def test_what_was_unpacked_lives_as_long_as_the_catalogue_and_no_longer(tmp_path):
    catalog = Catalog.read(zipped(tmp_path / "shop.zip", {"a.png": picture()}))
    root = catalog.root
    assert catalog.image_path(catalog.products[0]).is_file()
    del catalog
    assert not root.exists()


def test_a_zip_can_be_unpacked_into_an_empty_folder_of_ones_own(tmp_path):
    path = zipped(tmp_path / "shop.zip", {"a.png": picture()})
    assert Catalog.read(path, extract_to=tmp_path / "out").root == tmp_path / "out"
    with pytest.raises(InputError, match="not empty"):
        Catalog.read(path, extract_to=tmp_path / "out")


def _link_member(target: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("a.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    target.writestr(info, "/etc/hostname")


BAD_ZIPS = {
    "empty": (lambda z: None, "empty"),
    "a path upwards": (lambda z: z.writestr("../evil.png", b"x"), "leaves"),
    "a path upwards inside": (lambda z: z.writestr("a/../../evil.png", b"x"), "leaves"),
    "a path upwards, other slash": (lambda z: z.writestr("..\\evil.png", b"x"), "leaves"),
    "an absolute path": (lambda z: z.writestr("/tmp/evil.png", b"x"), "leaves"),
    "a path on a drive": (lambda z: z.writestr("C:/evil.png", b"x"), "leaves"),
    "a link": (_link_member, "link"),
    "a zip inside": (lambda z: z.writestr("more.zip", b"x"), "another ZIP"),
    "the same name twice": (lambda z: [z.writestr("a.csv", b"x"), z.writestr("./a.csv", b"y")], "twice"),
    "a file where a folder is": (lambda z: [z.writestr("a", b"x"), z.writestr("a/b.csv", b"y")], "not a ZIP"),
    "too many files": (lambda z: [z.writestr(f"{i}.txt", b"x") for i in range(21)], "21 files"),
    "too large": (lambda z: z.writestr("a.csv", os.urandom(60_000)), "MB"),
    "packed too well": (lambda z: z.writestr("a.csv", bytes(40_000)), "times its size"),
    "no catalogue inside": (lambda z: z.writestr("readme.txt", b"x"), "neither"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", BAD_ZIPS)
def test_a_bad_zip_is_refused_and_leaves_nothing_behind(tmp_path, monkeypatch, name):
    fill, reason = BAD_ZIPS[name]
    monkeypatch.setattr(archive, "MAX_FILES", 20)
    monkeypatch.setattr(archive, "MAX_TOTAL", 50_000)
    monkeypatch.setattr(archive, "SMALL", 10_000)
    with zipfile.ZipFile(tmp_path / "shop.zip", "w", zipfile.ZIP_DEFLATED) as target:
        fill(target)
    with pytest.raises(InputError, match=reason):
        Catalog.read(tmp_path / "shop.zip", extract_to=tmp_path / "in" / "out")
    if reason != "neither":
        assert not any((tmp_path / "in" / "out").iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "shop.zip"]


def test_a_zip_whose_content_is_damaged_or_locked_is_refused(tmp_path):
    path = zipped(tmp_path / "shop.zip", {"a.txt": b"hello " * 100})
    data = bytearray(path.read_bytes())
    data[40] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match="not a ZIP"):
        Catalog.read(path)
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="password"):
        Catalog.read(path)


# What a product says


def test_the_text_of_a_product_is_title_description_and_what_they_left_out():
    product = Product(
        "1",
        "",
        "Red wool hat",
        "Warm. Made for winter!",
        "Hats",
        attributes={
            "colour": "Red",
            "material": "wool, Cotton",
            "fit_type": "Loose",
            "season": "Winter",
        },
    )
    assert product.text == "Red wool hat. Warm. Made for winter! Category: Hats. Material: Cotton. Fit type: Loose."


def test_a_colour_inside_another_word_was_not_said():
    assert Product("1", "", "Tailored coat", attributes={"colour": "Red"}).text == "Tailored coat. Colour: Red."


def test_ids_codes_flags_and_addresses_are_not_read_out():
    product = Product(
        "1",
        "",
        "Hat",
        attributes={
            "sender_id": "148",
            "ean": "4006381333931",
            "code": "40063813",
            "source": "Import",
            "kids": "True",
            "sale": "False",
            "uuid": "ea7b6656-3f84-4eb3-9099-23e623fc1018",
            "page": "https://x.example/1",
            "note": "n" * 121,
        },
    )
    assert product.text == "Hat. Kids."


def test_a_long_description_is_shortened_at_a_sentence_so_that_the_attributes_are_still_read():
    text = Product("1", "", "Hat", "A first sentence. " * 40, attributes={"colour": "Blue"}).text
    assert len(text) < 350 and text.endswith("first sentence. Colour: Blue.")


# Facets


def products(**columns: list[str]) -> list[Product]:
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    return [
        Product(str(i), "", "T", category=row.pop("category", ""), attributes={k: v for k, v in row.items() if v})
        for i, row in enumerate(rows)
    ]


def test_facets_count_each_value_most_frequent_first_and_category_leads():
    found = facets(products(colour=["red", "blue", "blue", "", "red", "blue"], category=["B", "A", "A", "A", "A", "B"]))
    assert found == {"category": {"A": 4, "B": 2}, "colour": {"blue": 3, "red": 2}}
    assert list(found) == ["category", "colour"] and list(found["colour"]) == ["blue", "red"]


def test_columns_that_do_not_help_to_filter_are_no_facets():
    n = 120
    found = facets(
        products(
            one_value=["same"] * n,
            unique=[f"v{i}" for i in range(n)],
            nearly_unique=[f"v{i // 2 * 2 if i < 10 else i}" for i in range(n)],
            many_values=[f"v{i % 70}" for i in range(n)],
            sender_id=[str(i % 4) for i in range(n)],
            story=["It was a long and winding road to the shop, part " + str(i % 3) for i in range(n)],
            year=[str(2010 + i % 3) for i in range(n)],
        )
    )
    assert found == {"year": {"2010": 40, "2011": 40, "2012": 40}}


def test_a_short_column_where_hardly_a_value_comes_back_is_no_facet():
    assert facets(products(model=["a", "a", *"bcdefghi"])) == {}
    assert facets(products(model=["a", "a", "a", *"bcdefgh"])) == {"model": dict(a=3, **dict.fromkeys("bcdefgh", 1))}


def test_a_column_of_lists_is_counted_by_its_items():
    cells = ["Cool, Indoor", "Cool", "Indoor, Warm", "Warm", "Cool, Warm"]
    assert facets(products(climate=cells))["climate"] == {"Cool": 3, "Warm": 3, "Indoor": 2}
    piped = [cell.replace(", ", "|") for cell in cells]
    assert facets(products(climate=piped))["climate"] == {"Cool": 3, "Warm": 3, "Indoor": 2}


def test_a_comma_that_makes_no_list_splits_nothing():
    cells = ["Berlin, Germany", "Oslo, Norway"] * 3
    assert facets(products(city=cells))["city"] == {"Berlin, Germany": 3, "Oslo, Norway": 3}
    assert facets(products(category=["Home, Garden", "Home, Kitchen", "Home, Garden"]))["category"]["Home, Garden"] == 2


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("Cool, Indoor", ["Cool", "Indoor"]),
        ("a|b|a", ["a", "b"]),
        ("a; b", ["a", "b"]),
        ("1,5 l", ["1,5 l"]),
        ("a,,b", ["a", "b"]),
        ("", []),
        (" x ", ["x"]),
    ],
)
def test_cells_split_into_items(cell, items):
    assert split_values(cell) == items


def test_a_filter_may_match_the_whole_cell_or_an_item():
    product = Product("1", "", "T", price=1299.0, attributes={"climate": "Cool, Indoor"})
    assert product.values("Climate") == ("Cool, Indoor", "Cool", "Indoor")
    assert product.values("price") == ("1299",) and product.values("nothing") == ()


# Digest


def test_the_digest_stays_with_the_content_and_changes_with_every_part_of_it(shop):
    first = read(shop, MINIMAL).digest()
    assert len(first) == 64 and read(shop, MINIMAL.replace(",", ";")).digest() == first
    other = {read(shop, MINIMAL.replace("Red", "Reb")).digest(), read(shop, MINIMAL[:-20]).digest()}
    Image.new("RGB", (6, 4), "pink").save(shop / "a.png")
    other.add(read(shop, MINIMAL).digest())
    assert len(other) == 3 and first not in other


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=120) | st.text("id,image,title\n\"';\t|a.png☃\r", max_size=120).map(str.encode))
def test_any_bytes_below_a_good_header_are_refused_or_read(shop, body):
    (shop / "catalog.csv").write_bytes(b"id,image,title\nok,a.png,Fine\n" + body)
    try:
        catalog = Catalog.read(shop)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert all(p.id and p.title and "\n" not in p.title for p in catalog)
    assert len({p.id for p in catalog}) == len(catalog)


def test_further_pictures_and_other_languages_are_neither_attributes_nor_filters(shop):
    header = "title_zh,description_zh,views,colour"
    product = one(shop, header, "红鞋,一双红色的鞋。,views/a.webp,red")
    assert product.attributes == {"colour": "red"}
    assert product.text == "Shoe. Colour: red."

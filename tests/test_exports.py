"""Exports of shop systems, as they come: right ids, titles, prices, kinds, variants and pictures, value by value."""

from datetime import date
from pathlib import Path

import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.exports.convert import READERS, convert
from mmdemo.catalog.headings import heading
from mmdemo.catalog.json_table import read_json
from mmdemo.catalog.table import Table, read_table
from mmdemo.catalog.workbook import read_workbook
from mmdemo.catalog.xml_feed import read_feed
from mmdemo.core.errors import InputError

SHOPIFY = """Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,\
Variant Price,Variant Compare At Price,Image Src,Image Position,Variant Image,Status
mug,Clay mug,"<p>A mug of <b>clay</b>.</p>",Pots & Co,Home > Mugs,Mugs,"clay, gift",true,Size,Small,MUG-S,12.00,15.00,\
https://cdn.example.com/front.jpg?v=1,2,,active
mug,,,,,,,,,Large,MUG-L,14.00,,https://cdn.example.com/back.jpg?v=2,1,https://cdn.example.com/large.jpg,
mug,,,,,,,,,,,,,https://cdn.example.com/side.jpg,3,,
vase,Tall vase,<p>A vase.</p>,Pots & Co,Home > Vases,,,true,Title,Default Title,,30.00,,https://cdn.example.com/v.jpg,1,,active
plate,Plate,,Pots & Co,,Plates,,true,Title,Default Title,P-1,9.00,,https://cdn.example.com/p.jpg,1,,draft
"""
WOO = """ID,Type,SKU,Name,Published,Short description,Description,In stock?,Sale price,Regular price,Categories,Tags,Images,\
Parent,Attribute 1 name,Attribute 1 value(s)
10,variable,TEE,Tee,1,Soft.,,1,,,"Clothing > Tops, Clothing > Tops > T-Shirts",summer,"https://s.example/a.jpg, \
https://s.example/b.jpg",,Size,"S, M"
11,variation,TEE-S,Tee - S,1,,,1,,20,,,,TEE,Size,S
12,variation,,Tee - M,1,,,0,18,20,,,https://s.example/m.jpg,id:10,Size,M
13,simple,CAP,Cap,1,,A cap.,1,,15,Clothing > Caps,,https://s.example/cap.jpg,,Colour,Red
14,simple,HID,Hidden,0,,,1,,15,Clothing,,https://s.example/h.jpg,,,
"""
WOO_GERMAN = """ID;Typ;Artikelnummer;Name;Veröffentlicht;Kurzbeschreibung;Beschreibung;Vorrätig?;Angebotspreis;Regulärer Preis;\
Kategorien;Schlagwörter;Bilder;Übergeordnetes Produkt;Attribut 1 Name;Attribut 1 Wert(e)
1;simple;BE-1;Becher;1;;Ein Becher.;1;;12,50;Küche > Becher;;https://s.example/b.jpg;;Farbe;Blau
"""
MAGENTO = """sku,store_view_code,attribute_set_code,product_type,categories,name,description,product_online,price,special_price,\
base_image,additional_images,additional_attributes,configurable_variations
BAG-R,,Bag,simple,,Bag red,,1,40,35,,,"material=Canvas, washed",
BAG,,Bag,configurable,"Default Category/Gear,Default Category/Gear/Bags",Bag,A bag.,1,,,/b/a/bag.jpg,"/b/a/1.jpg,/b/a/2.jpg",,\
"sku=BAG-R,color=Red"
BAG-R,de,Bag,simple,,Tasche rot,,1,40,,,,,
OFF,,Bag,simple,Default Category/Gear,Off,,2,5,,/o.jpg,,,
"""
PRESTA = """Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax excluded;Reference #;Manufacturer;Description;\
Image URLs (x,y,z...);Feature(Name:Value:Position)
1;1;Candle;Home,Candles;10.00;CA-1;Glow;<p>Wax.</p>;http://s.example/1.jpg,http://s.example/2.jpg;Scent:Rose:1
2;0;Gone;Home;10.00;GO-1;;;http://s.example/3.jpg;
"""
ETSY = """TITLE,DESCRIPTION,PRICE,CURRENCY_CODE,QUANTITY,TAGS,MATERIALS,IMAGE1,IMAGE2,VARIATION 1 TYPE,VARIATION 1 NAME,\
VARIATION 1 VALUES,SKU
Knit hat,Warm.,25.00,USD,4,"winter,hat",merino_wool,https://i.example/1.jpg,https://i.example/2.jpg,Colour,Colour,"Red,Blue",
"""
BIG = """Item Type,Product ID,Product Name,Product Code/SKU,Brand Name,Product Description,Price,Sale Price,Product Visible?,\
Category,Product Image File - 1,Product Image File - 2
Product,5,Lamp,LAMP,Lux,Bright.,50,45,Y,Home/Lighting;Sale,lamp.jpg,lamp2.jpg
SKU,6,[RT]Colour=Red,LAMP-R,,,,,,,,
Product,7,Old lamp,OLD,Lux,,50,,N,Home,old.jpg,
"""
SQUARE = """Product ID [Non Editable],Variant ID [Non Editable],Product Page,Product URL,Title,Description,SKU,Option Name 1,\
Option Value 1,Price,Sale Price,On Sale,Categories,Tags,Visible,Hosted Image URLs
p1,v1,shop,print,Print,A print.,PR-S,Size,S,20,15,Yes,/prints,art,Yes,https://i.example/1.jpg https://i.example/2.jpg
p1,v2,,,,,PR-L,,L,30,25,No,,,,
"""
SHOPWARE = """id;parent_id;product_number;active;name;description;price_net;price_gross;manufacturer_name;categories;cover_media
a;;SW1;1;Sofa;Weich.;500;595;Sitz;Möbel > Sofas;sofa.jpg
b;a;SW1.1;1;;;;650;;;
c;;SW2;0;Alt;;1;1;;;alt.jpg
"""
FEED = """id\tg:title\tdescription\tlink\timage_link\tadditional_image_link\tavailability\tprice\tsale_price\tbrand\t\
google_product_category\tproduct_type\titem_group_id\tcolor\tsize
MUG-S\tClay mug\tA mug.\thttps://s.example/m\thttps://s.example/m.jpg\thttps://s.example/2.jpg,https://s.example/3.jpg\tin stock\t\
12.00 USD\t10.00 USD\tPots\tHome & Garden > Mugs\tKitchen > Mugs\tMUG\tblue/white\tS
VASE\tVase\tA vase.\thttps://s.example/v\thttps://s.example/v.jpg\t\tout of stock\t30.00 EUR\t\tPots\t602\t\t\twhite\t
"""
AMAZON = """item_sku,item_name,standard_price,main_image_url,other_image_url1,parent_child,parent_sku,brand_name,color_name,\
size_name,feed_product_type,bullet_point1
SOCK,Sock,,https://a.example/s.jpg,,parent,,Warm,,,sock,Soft
SOCK-R,Sock red,9.99,https://a.example/r.jpg,https://a.example/r2.jpg,child,SOCK,Warm,Red,M,sock,Soft
"""
KAGGLE = """id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName
15970,Men,Apparel,Topwear,Shirts,Navy Blue,Fall,2011,Casual,Turtle Check Men Navy Blue Shirt
"""


@pytest.fixture
def converted(tmp_path: Path):
    def read(
        text: str, name: str = "export.csv", today: date = date(2026, 6, 1)
    ) -> tuple[dict[str, dict[str, str]], Table]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        table = convert(read_table(path, ["id", "image", "title"]), today)
        records = [dict(zip(table.columns, cells, strict=True)) for _, cells in table.rows]
        return {record["id"]: {name: cell for name, cell in record.items() if cell} for record in records}, table

    return read


def test_shopify_variants_and_pictures_stand_on_the_rows_below(converted):
    products, table = converted(SHOPIFY)
    assert products["MUG-S"] == {
        "id": "MUG-S",
        "image": "https://cdn.example.com/back.jpg?v=2",
        "views": "https://cdn.example.com/front.jpg?v=1|https://cdn.example.com/side.jpg",
        "title": "Clay mug",
        "description": "<p>A mug of <b>clay</b>.</p>",
        "category": "Mugs",
        "price": "12.00",
        "regular_price": "15.00",
        "parent": "mug",
        "brand": "Pots & Co",
        "tags": "clay, gift",
        "Size": "Small",
    }
    assert products["MUG-L"]["image"] == "https://cdn.example.com/large.jpg" and products["MUG-L"]["price"] == "14.00"
    assert products["vase"]["category"] == "Vases" and "parent" not in products["vase"]
    assert list(products) == ["MUG-S", "MUG-L", "vase"]
    assert table.notes == [
        "read as an export of Shopify",
        "left out, since the shop does not show them (drafts, hidden): 1",
    ]
    assert [line for line, _ in table.rows] == [2, 3, 5]


def test_woocommerce_variations_take_from_their_product_what_they_lack(converted):
    products, table = converted(WOO)
    assert list(products) == ["TEE-S", "12", "CAP"]
    assert products["TEE-S"] == {
        "id": "TEE-S",
        "image": "https://s.example/a.jpg",
        "views": "https://s.example/b.jpg",
        "title": "Tee",
        "description": "Soft.",
        "category": "T-Shirts",
        "price": "20",
        "parent": "TEE",
        "tags": "summer",
        "availability": "in stock",
        "Size": "S",
    }
    assert products["12"]["price"] == "18" and products["12"]["availability"] == "out of stock"
    assert products["12"]["image"] == "https://s.example/m.jpg" and products["12"]["parent"] == "TEE"
    assert products["CAP"]["Colour"] == "Red" and table.notes[-1].endswith("hidden): 1")


def test_woocommerce_is_read_with_german_headings(converted):
    products, _ = converted(WOO_GERMAN)
    assert products == {
        "BE-1": {
            "id": "BE-1",
            "image": "https://s.example/b.jpg",
            "title": "Becher",
            "description": "Ein Becher.",
            "category": "Becher",
            "price": "12,50",
            "availability": "in stock",
            "Farbe": "Blau",
        }
    }


def test_magento_variations_stand_for_their_configurable_product(converted):
    products, table = converted(MAGENTO)
    assert products == {
        "BAG-R": {
            "id": "BAG-R",
            "image": "b/a/bag.jpg",
            "views": "b/a/1.jpg|b/a/2.jpg",
            "title": "Bag",
            "description": "A bag.",
            "category": "Bags",
            "price": "35",
            "regular_price": "40",
            "parent": "BAG",
            "material": "Canvas, washed",
            "color": "Red",
        }
    }
    assert table.notes[-1].endswith("hidden): 1")


def test_prestashop_has_several_pictures_in_a_cell_and_features(converted):
    products, _ = converted(PRESTA)
    assert list(products) == ["CA-1"]
    candle = products["CA-1"]
    assert (candle["image"], candle["views"]) == ("http://s.example/1.jpg", "http://s.example/2.jpg")
    assert candle["price"] == "10.00" and candle["Scent"] == "Rose" and candle["brand"] == "Glow"


PRESTA_LIST = """Product ID;Image;Name;Reference;Category;Price (tax excl.);Price (tax incl.);Quantity;Status;Position
7;http://s.example/7-small.jpg;Candle;CA-1;Candles;10,00 €;12,00 €;3;1;0
8;http://s.example/8-small.jpg;Gone;GO-1;Candles;10,00 €;12,00 €;0;0;1
"""


def test_the_list_of_prestashop_s_back_office_has_two_prices_of_which_people_pay_one(converted):
    products, table = converted(PRESTA_LIST)
    assert products == {
        "CA-1": {
            "id": "CA-1",
            "image": "http://s.example/7-small.jpg",
            "title": "Candle",
            "category": "Candles",
            "price": "12,00 €",
            "availability": "in stock",
        }
    }
    assert "read as an export of PrestaShop" in [str(note) for note in table.notes]


def test_etsy_listings_without_a_number_are_called_by_their_titles(converted):
    products, _ = converted(ETSY)
    hat = products["knit-hat"]
    assert hat["price"] == "25.00" and hat["currency"] == "USD" and hat["material"] == "merino wool"
    assert hat["views"] == "https://i.example/2.jpg" and hat["Colour"] == "Red,Blue"


def test_bigcommerce_skus_stand_for_their_product(converted):
    products, table = converted(BIG)
    assert list(products) == ["LAMP-R"]
    lamp = products["LAMP-R"]
    assert (lamp["title"], lamp["price"], lamp["parent"], lamp["Colour"]) == ("Lamp", "45", "LAMP", "Red")
    assert (lamp["image"], lamp["views"]) == ("lamp.jpg", "lamp2.jpg") and table.notes[-1].endswith("hidden): 1")


def test_squarespace_variants_have_no_title_of_their_own(converted):
    products, _ = converted(SQUARE)
    assert [(p["title"], p["price"], p["Size"]) for p in products.values()] == [
        ("Print", "15", "S"),
        ("Print", "30", "L"),
    ]
    assert products["PR-L"]["image"] == "https://i.example/1.jpg" and products["PR-L"]["parent"] == "p1"


def test_shopware_variants_inherit(converted):
    products, _ = converted(SHOPWARE)
    assert list(products) == ["SW1.1"]
    sofa = products["SW1.1"]
    assert (sofa["title"], sofa["price"], sofa["category"], sofa["parent"]) == ("Sofa", "650", "Sofas", "SW1")
    assert sofa["image"] == "sofa.jpg"


def test_a_feed_gives_the_sale_price_the_shops_own_kind_and_all_pictures(converted):
    products, _ = converted(FEED, "feed.tsv")
    mug, vase = products["MUG-S"], products["VASE"]
    assert (mug["price"], mug["category"], mug["parent"], mug["colour"]) == ("10.00 USD", "Mugs", "MUG", "blue/white")
    assert mug["views"] == "https://s.example/2.jpg|https://s.example/3.jpg"
    assert vase["price"] == "30.00 EUR" and "category" not in vase and vase["availability"] == "out of stock"


def test_amazon_parents_only_group(converted):
    products, _ = converted(AMAZON)
    assert list(products) == ["SOCK-R"]
    sock = products["SOCK-R"]
    assert (sock["price"], sock["parent"], sock["colour"], sock["size"]) == ("9.99", "SOCK", "Red", "M")
    assert sock["description"] == "Soft" and sock["views"] == "https://a.example/r2.jpg"


def test_kaggle_pictures_are_called_by_their_ids(converted):
    products, _ = converted(KAGGLE)
    shirt = products["15970"]
    assert (shirt["image"], shirt["category"], shirt["colour"]) == ("images/15970.jpg", "Shirts", "Navy Blue")


def test_a_table_of_our_own_form_stays_as_it_is(converted):
    products, table = converted("id,image,title,category\n1,a.jpg,Mug,Mugs\n")
    assert products == {"1": {"id": "1", "image": "a.jpg", "title": "Mug", "category": "Mugs"}} and not table.notes


@pytest.mark.parametrize(
    ("text", "reader"),
    [
        (SHOPIFY, "shopify"),
        (WOO, "woocommerce"),
        (WOO_GERMAN, "woocommerce"),
        (MAGENTO, "magento"),
        (PRESTA, "prestashop"),
        (PRESTA_LIST, "prestashop"),
        (ETSY, "etsy"),
        (BIG, "bigcommerce"),
        (SQUARE, "squarespace"),
        (SHOPWARE, "shopware"),
        (AMAZON, "amazon"),
        (KAGGLE, "kaggle_styles"),
        (FEED, "feed"),
    ],
)
def test_each_export_is_recognised_by_its_own_reader_alone(text, reader):
    first = text.splitlines()[0]
    sign = "\t" if "\t" in first else ";" if ";" in first else ","
    headings = {heading(cell) for cell in first.split(sign)}
    assert [module.__name__.rpartition(".")[2] for module in READERS if module.recognise(headings)] == [reader]


def test_a_workbook_is_read_by_its_first_sheet_with_rows(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "Read me"
    sheet = book.create_sheet("Products")
    for row in (
        ["id", "image", "title", "price", "new"],
        [1001, "a.jpg", "Mug", 12.5, True],
        ["b", None, "Vase", 30, None],
    ):
        sheet.append(row)
    book.save(tmp_path / "shop.xlsx")
    table = read_workbook(tmp_path / "shop.xlsx")
    assert table.columns == ["id", "image", "title", "price", "new"] and table.plain_numbers
    assert table.rows == [(2, ["1001", "a.jpg", "Mug", "12.5", "true"]), (3, ["b", "", "Vase", "30", ""])]
    (tmp_path / "no.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(InputError, match=r"'no\.xlsx' is not an Excel workbook"):
        read_workbook(tmp_path / "no.xlsx")


SCHEMA_ORG = """{"@context": "https://schema.org", "@graph": [{"@type": "WebPage"}, {"@type": "Product", "sku": "M1", "name": "Mug",
"image": ["https://s.example/1.jpg", {"@type": "ImageObject", "url": "https://s.example/2.jpg"}], "category": "Kitchen > Mugs",
"brand": {"@type": "Brand", "name": "Pots"}, "offers": {"@type": "Offer", "price": 12.5, "priceCurrency": "EUR",
"availability": "https://schema.org/InStock"}, "additionalProperty": [{"name": "glaze", "value": "matt"}]}]}"""


def test_schema_org_products_are_read_out_of_a_page_s_data(tmp_path):
    (tmp_path / "page.json").write_text(SCHEMA_ORG)
    table = convert(read_json(tmp_path / "page.json"))
    records = [{c: v for c, v in zip(table.columns, cells, strict=True) if v} for _, cells in table.rows]
    mug = records[-1]
    assert (mug["id"], mug["title"], mug["price"], mug["currency"]) == ("M1", "Mug", "12.5", "EUR")
    assert (mug["category"], mug["brand"], mug["image"]) == ("Mugs", "Pots", "https://s.example/1.jpg")
    assert mug["views"] == "https://s.example/2.jpg" and mug["glaze"] == "matt" and mug["availability"] == "in stock"


def test_json_lines_and_lists_of_objects_are_tables(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": 1, "title": "Mug"}\n\n{"id": 2, "tags": ["a", "b"]}\n')
    (tmp_path / "b.json").write_text('{"products": [{"id": "x", "price": 2.50, "sold": false}]}')
    (tmp_path / "c.json").write_text("[1, 2]")
    table = read_json(tmp_path / "a.jsonl")
    assert table.columns == ["id", "title", "tags"]
    assert table.rows == [(1, ["1", "Mug", ""]), (2, ["2", "", "a|b"])]
    assert read_json(tmp_path / "b.json").rows == [(1, ["x", "2.5", "false"])]
    with pytest.raises(InputError, match="no list of products"):
        read_json(tmp_path / "c.json")


FEED_XML = """<?xml version="1.0"?><rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item><g:id>M1</g:id><g:title>Mug &amp; lid</g:title><g:image_link>https://s.example/1.jpg</g:image_link>
<g:additional_image_link>https://s.example/2.jpg</g:additional_image_link>
<g:additional_image_link>https://s.example/3.jpg</g:additional_image_link><g:price>12.50 EUR</g:price>
<g:product_type>Kitchen &gt; Mugs</g:product_type></item></channel></rss>"""


def test_a_feed_in_xml_is_a_feed(tmp_path):
    (tmp_path / "feed.xml").write_text(FEED_XML)
    table = convert(read_feed(tmp_path / "feed.xml"))
    assert [dict(zip(table.columns, cells, strict=True)) for _, cells in table.rows] == [
        {
            "id": "M1",
            "image": "https://s.example/1.jpg",
            "title": "Mug & lid",
            "category": "Mugs",
            "price": "12.50 EUR",
            "views": "https://s.example/2.jpg|https://s.example/3.jpg",
        }
    ]


def test_xml_with_entities_of_its_own_is_refused(tmp_path):
    (tmp_path / "bomb.xml").write_text('<!DOCTYPE r [<!ENTITY a "aaaa">]><r><item><id>&a;</id></item></r>')
    with pytest.raises(InputError, match=r"'bomb\.xml' is not XML that can be read"):
        read_feed(tmp_path / "bomb.xml")


def drawn(folder: Path, *names: str) -> None:
    from PIL import Image

    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (200, 30, 30)).save(folder / name)


def test_pictures_are_found_as_people_mean_them(tmp_path):
    drawn(tmp_path, "photos/red mug.jpg", "B.JPEG", "sub/c.png", "twice/d.png", "again/d.png")
    cells = ("photos/red%20mug.jpg", "https://cdn.example.com/x/b.jpg?v=3", "images\\c.png", "d.png", "../c.png")
    rows = "\n".join(f"{number},{cell},Thing {number}" for number, cell in enumerate(cells))
    (tmp_path / "catalog.csv").write_text(f"id,image,title\n{rows}\n")
    catalog = Catalog.read(tmp_path)
    assert [(p.id, p.image) for p in catalog] == [
        ("0", "photos/red mug.jpg"),
        ("1", "B.JPEG"),
        ("2", "sub/c.png"),
        ("4", "sub/c.png"),
    ]
    assert [refusal.id for refusal in catalog.refused] == ["3"], "of two of a name neither is taken"
    notes = [str(note) for note in catalog.warnings]
    assert len(notes) == 1 and "4 pictures were found by names that are not quite the table's, such as" in notes[0]


def test_an_export_beside_its_pictures_is_a_catalogue(tmp_path):
    drawn(tmp_path, "front.jpg", "back.jpg", "large.jpg", "side.jpg", "v.jpg")
    (tmp_path / "products_export.csv").write_text(SHOPIFY)
    catalog = Catalog.read(tmp_path)
    assert [(p.id, p.title, p.price, p.category, p.parent, p.image) for p in catalog] == [
        ("MUG-S", "Clay mug", 12.0, "Mugs", "mug", "back.jpg"),
        ("MUG-L", "Clay mug", 14.0, "Mugs", "mug", "large.jpg"),
        ("vase", "Tall vase", 30.0, "Vases", "", "v.jpg"),
    ]
    assert catalog.products[0].description == "A mug of clay."
    assert catalog.views["MUG-S"] == ("front.jpg", "side.jpg") and not catalog.refused


def test_remarks_above_a_header_and_amazons_labels_are_passed_over(tmp_path):
    drawn(tmp_path, "a.jpg")
    meta = "# Required | what people see\nid,title,description,availability,condition,price,link,image_link,brand\n"
    (tmp_path / "meta.csv").write_text(f"{meta}1,Mug,A mug.,in stock,new,12.00 USD,https://s.example/1,a.jpg,Pots\n")
    labels = "Seller SKU\tItem Name\tStandard Price\tMain Image URL\n"
    names = "item_sku\titem_name\tstandard_price\tmain_image_url\n"
    (tmp_path / "flat.tsv").write_text(f"TemplateType=Home\tVersion=1\t\t\n{labels}{names}S1\tSock\t9.99\ta.jpg\n")
    assert [(p.id, p.title, p.price, p.currency) for p in Catalog.read(tmp_path / "meta.csv")] == [
        ("1", "Mug", 12.0, "USD")
    ]
    assert [(p.id, p.title, p.price) for p in Catalog.read(tmp_path / "flat.tsv")] == [("S1", "Sock", 9.99)]


def test_an_etsy_export_without_names_of_variations_goes_by_their_types(converted):
    products, _ = converted(
        "TITLE,PRICE,CURRENCY_CODE,IMAGE1,VARIATION 1 TYPE,VARIATION 1 VALUES\nHat,5,EUR,h.jpg,Size,S\n"
    )
    assert products["hat"]["Size"] == "S"


def test_properties_of_another_type_are_passed_over(tmp_path):
    (tmp_path / "odd.json").write_text('[{"@type": "Product", "sku": "M", "name": "Mug", "additionalProperty": 5}]')
    assert read_json(tmp_path / "odd.json").rows[0][1][:2] == ["M", "Mug"]


SALES = """id,title,image_link,price,sale_price,sale_price_effective_date,availability
A,Mug,a.jpg,12.00 EUR,9.00 EUR,2026-05-01T00:00+0100/2026-06-30T23:59+0100,in_stock
B,Vase,b.jpg,12.00 USD,9.00 USD,2026-01-01T00:00+0100/2026-02-01T23:59+0100,out of stock
C,Tray,c.jpg,8.00 EUR,9.00 EUR,,preorder
"""


def test_the_lower_price_that_is_valid_today_is_the_price_and_the_other_is_kept(converted):
    names = ("price", "regular_price", "availability")
    in_june, _ = converted(SALES)
    assert {id: [product.get(name) for name in names] for id, product in in_june.items()} == {
        "A": ["9.00 EUR", "12.00 EUR", "in stock"],
        "B": ["12.00 USD", None, "out of stock"],
        "C": ["8.00 EUR", None, "preorder"],
    }
    in_january, _ = converted(SALES, today=date(2026, 1, 15))
    assert [product["price"] for product in in_january.values()] == ["12.00 EUR", "9.00 USD", "8.00 EUR"]


TEES = """Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,\
Variant Inventory Policy,Variant Price,Variant Compare At Price,Image Src
tee,Tee,Title,S / Black,T-S,shopify,0,deny,20.00,15.00,tee.jpg
tee,,,M / Black,T-M,shopify,4,deny,20.00,15.00,
tee,,,M / White,W-M,shopify,0,deny,25.00,30.00,
bag,Bag,Title,Default Title,BAG,shopify,0,continue,9.00,,bag.jpg
"""


def test_sizes_are_one_product_and_options_in_one_cell_are_attributes(converted):
    products, table = converted(TEES)
    assert list(products) == ["T-S", "W-M", "BAG"]
    black, white = products["T-S"], products["W-M"]
    assert (black["Size"], black["Colour"], black["variant_ids"]) == ("S|M", "Black", "T-S|T-M")
    assert (black["availability"], black["price"], black.get("regular_price")) == ("in stock", "20.00", None)
    assert (white["Size"], white["Colour"], white["regular_price"]) == ("M", "White", "30.00")
    assert white["availability"] == "out of stock" and "availability" not in products["BAG"]
    assert white["parent"] == black["parent"] == "tee"
    assert "4 variants, 3 products" in table.notes[-1]


def test_a_table_of_our_own_form_may_have_a_sale_price_and_one_in_each_currency(tmp_path):
    (tmp_path / "catalog.csv").write_text(
        "id,image,title,price,sale_price,currency\na,,Mug,20,15,EUR\nb,,Vase,20,25,USD\nc,,Tray,20,15,EUR\nd,,Lid,9,,EUR\n"
    )
    catalog = Catalog.read(tmp_path)
    assert [(p.price, p.currency, p.attributes) for p in catalog][:2] == [
        (15, "EUR", {"regular_price": "20"}),
        (20, "USD", {}),
    ]
    assert "regular_price" not in catalog.facets and "20" not in catalog.products[0].text


STOCKED = """Handle,Title,Tags,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,\
Variant Price,Image Src,Status
a,Mug,"clay, gift",A,shopify,3,deny,20.00,,active
b,Cup,"clay, blue",B,shopify,0,deny,20.00,,active
c,Vase,"gift, blue",C,shopify,0,continue,20.00,,active
d,Tray,clay,D,shopify,5,deny,20.00,,active
e,Lid,clay,E,shopify,5,deny,20.00,,draft
"""


def test_stock_and_tags_are_filters_and_drafts_are_counted(tmp_path):
    (tmp_path / "products_export.csv").write_text(STOCKED)
    catalog = Catalog.read(tmp_path)
    assert catalog.facets["availability"] == {"in stock": 2, "out of stock": 1}
    assert catalog.facets["tags"] == {"clay": 3, "blue": 2, "gift": 2}
    assert [p.id for p in catalog] == ["A", "B", "C", "D"] and not catalog.refused
    assert any(
        "left out, since the shop does not show them (drafts, hidden): 1" in str(note) for note in catalog.warnings
    )

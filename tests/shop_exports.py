"""Exports of one made-up shop as different systems write them, 40 products each with nasty parts, and the truth."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import openpyxl
from PIL import Image

from mmdemo.catalog.product import Product

KINDS = ("Mugs", "Vases", "Trays", "Lamps")
PRODUCTS = 40
Export = tuple[str, bytes]  # the file's name and what is in it


@dataclass(frozen=True)
class Truth:
    """What a reader is to find of one product."""

    title: str
    price: float
    currency: str
    category: str
    image: str
    views: tuple[str, ...] = ()
    parent: str = ""

    def __post_init__(self) -> None:
        if not self.image and self.views:  # the second picture is shown where there is no first
            object.__setattr__(self, "image", self.views[0])
            object.__setattr__(self, "views", self.views[1:])


def values(products: Iterable[Product], views: Mapping[str, tuple[str, ...]]) -> dict[str, Truth]:
    """What was found of each product."""
    return {
        p.id: Truth(p.title, p.price or 0.0, p.currency, p.category, p.image, views.get(p.id, ()), p.parent)
        for p in products
    }


def picture(number: int) -> str:
    """The file's name of a product's picture; every tenth product has none."""
    return "" if number % 10 == 9 else f"p{number}.png"


def back(number: int) -> tuple[str, ...]:
    """The file's name of a second picture, which every fourth product has."""
    return (f"b{number}.png",) if number % 4 == 0 else ()


def write_pictures(folder: Path) -> None:
    """The pictures of the shop, a few pixels each."""
    (folder / "images").mkdir()
    for number in range(PRODUCTS):
        for name in filter(None, (picture(number), *back(number), f"images/{number}.jpg")):
            Image.new("RGB", (4, 4), (6 * number, 0 if name[0] == "p" else 200, 0)).save(folder / name)


def _address(name: str) -> str:
    return f"https://cdn.example.com/s/{name}?v=1" if name else ""


def _addresses(number: int) -> list[str]:
    return [_address(name) for name in (picture(number), *back(number)) if name]


def _price(number: int) -> float:
    return number + 5.5


def _truth(number: int, title: str, currency: str = "", parent: str = "", **other: object) -> Truth:
    values = {"title": title, "price": _price(number), "currency": currency, "category": KINDS[number % 4]}
    return Truth(**{**values, "image": picture(number), "views": back(number), "parent": parent, **other})  # type: ignore[arg-type]


def _hidden(number: int) -> bool:
    return number % 8 == 7


def _table(rows: Iterable[Iterable[object]], delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return file.getvalue()


def shopify() -> tuple[Export, dict[str, Truth]]:
    """HTML, variants and pictures on rows without titles, sizes alone, drafts, a byte order mark below a blank line."""
    rows = [
        "Handle,Title,Body (HTML),Type,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Price,"
        "Variant Compare At Price,Image Src,Image Position,Status".split(",")
    ]
    truth = {}
    for n in range(PRODUCTS):
        kind, title, body = KINDS[n % 4], f"Thing {n}, glazed", "<p>Of <b>clay</b></p><ul><li>350&nbsp;ml</li></ul>"
        first, shown = (f"{n}-RS", f"{_price(n):.2f}", f"{n + 9}.00"), "draft" if _hidden(n) else "active"
        options = ("Size", "S", "Colour", "Red")
        rows.append([f"h{n}", title, body, kind, *options, *first, _address(picture(n)), "1", shown])
        second = _address(back(n)[0]) if back(n) else ""
        rows.append([f"h{n}", *[""] * 4, "M", "", "Red", f"{n}-RM", *first[1:], second, "2" if second else "", ""])
        rows.append([f"h{n}", *[""] * 4, "M", "", "Blue", f"{n}-BM", f"{_price(n) + 1:.2f}", "", "", "", ""])
        if not _hidden(n):
            truth[f"{n}-RS"] = _truth(n, title, parent=f"h{n}")
            truth[f"{n}-BM"] = _truth(n, title, parent=f"h{n}", price=_price(n) + 1)
    return ("products_export.csv", ("\n\ufeff" + _table(rows)).encode()), truth


def woocommerce() -> tuple[Export, dict[str, Truth]]:
    """German headings, semicolons, decimal commas, Western European letters, variations, unpublished products."""
    rows: list[list[object]] = [
        "ID;Typ;Artikelnummer;Name;Veröffentlicht;Beschreibung;Angebotspreis;Regulärer Preis;Kategorien;Bilder;"
        "Übergeordnetes Produkt;Attribut 1 Name;Attribut 1 Wert(e)".split(";")
    ]
    truth = {}
    for n in range(PRODUCTS):
        price = f"{_price(n):.2f}".replace(".", ",")
        sale = [price, "99,00"] if n % 3 == 0 else ["", price]
        kind, varies = "variable" if n % 5 == 1 else "simple", n % 5 == 1
        row = [n, kind, f"W{n}", f"Größe {n}", int(not _hidden(n)), "<p>Schön</p>", *(["", ""] if varies else sale)]
        rows.append([*row, f"Küche > {KINDS[n % 4]}, Küche", ", ".join(_addresses(n)), "", "Farbe", "Rot, Blau"])
        if varies:
            rows += [
                [100 + n, "variation", f"W{n}-R", f"Größe {n} - Rot", 1, "", *sale, "", "", f"W{n}", "Farbe", "Rot"],
                [200 + n, "variation", "", f"Größe {n} - Blau", 1, "", *sale, "", "", f"id:{n}", "Farbe", "Blau"],
            ]
        if not _hidden(n):
            for id in (f"W{n}-R", str(200 + n)) if varies else (f"W{n}",):
                truth[id] = _truth(n, f"Größe {n}", parent=f"W{n}" if varies else "")
    return ("wc-export.csv", _table(rows, ";").replace("\n", "\r\n").encode("cp1252")), truth


def magento() -> tuple[Export, dict[str, Truth]]:
    """Paths of categories, pictures below a folder, variations in one cell, rows of other views of the shop."""
    rows = [
        "sku,store_view_code,product_type,attribute_set_code,categories,name,product_online,price,special_price,"
        "base_image,additional_images,configurable_variations".split(",")
    ]
    truth = {}
    for n in range(PRODUCTS):
        online, kind = "2" if _hidden(n) else "1", f"Default Category/Home,Default Category/Home/{KINDS[n % 4]}"
        images = [f"/p/x/{picture(n)}" if picture(n) else "", ",".join(f"/b/x/{name}" for name in back(n))]
        if n % 5 == 1:
            rows.append([f"M{n}-R", "", "simple", "D", "", f"Thing {n} red", "1", str(_price(n)), "", "", "", ""])
            variations = f"sku=M{n}-R,color=Red"
            rows.append([f"M{n}", "", "configurable", "D", kind, f"Thing {n}", online, "", "", *images, variations])
            id, parent = f"M{n}-R", f"M{n}"
        else:
            special = str(_price(n)) if n % 3 == 0 else ""
            price = "99.0000" if special else str(_price(n))
            rows.append([f"M{n}", "", "simple", "D", kind, f"Thing {n}", online, price, special, *images, ""])
            id, parent = f"M{n}", ""
        rows.append([f"M{n}", "de", "simple", "D", "", f"Ding {n}", "", "", "", "", "", ""])
        if not _hidden(n):
            truth[id] = _truth(n, f"Thing {n}", parent=parent)
    return ("catalog_product.csv", _table(rows).encode()), truth


def prestashop() -> tuple[Export, dict[str, Truth]]:
    """Headings with remarks in brackets, semicolons, pictures by commas, inactive products."""
    rows: list[list[object]] = [
        "Product ID;Active (0/1);Name *;Categories (x,y,z...);Price tax included;Reference #;Description;"
        "Image URLs (x,y,z...)".split(";")
    ]
    truth = {}
    for n in range(PRODUCTS):
        row = [n, int(not _hidden(n)), f"Thing {n}", f"Home,{KINDS[n % 4]}", _price(n), f"P{n}", "<p>Wax &amp; oil</p>"]
        rows.append([*row, ",".join(_addresses(n))])
        if not _hidden(n):
            truth[f"P{n}"] = _truth(n, f"Thing {n}")
    return ("product.csv", _table(rows, ";").encode("utf-8-sig")), truth


def etsy() -> tuple[Export, dict[str, Truth]]:
    """Pictures in columns, several currencies, entities in titles, no kinds."""
    rows = ["TITLE,DESCRIPTION,PRICE,CURRENCY_CODE,QUANTITY,TAGS,MATERIALS,IMAGE1,IMAGE2,IMAGE3,SKU".split(",")]
    truth = {}
    for n in range(PRODUCTS):
        currency = ("EUR", "USD")[n % 2]
        title, images = f"Thing &quot;{n}&quot;", [*_addresses(n), "", "", ""][:3]
        rows.append([title, "Warm.", str(_price(n)), currency, "4", "winter_gift", "wool", *images, f"E{n}"])
        truth[f"E{n}"] = _truth(n, f'Thing "{n}"', currency, category="")
    return ("EtsyListingsDownload.csv", _table(rows).encode()), truth


def bigcommerce() -> tuple[Export, dict[str, Truth]]:
    """Rows of products with rows of their options below, pictures as files, hidden products."""
    rows: list[list[object]] = [
        "Item Type,Product ID,Product Name,Product Code/SKU,Product Description,Price,Sale Price,Product Visible?,"
        "Category,Product Image File - 1,Product Image File - 2".split(",")
    ]
    truth = {}
    for n in range(PRODUCTS):
        files = [*filter(None, [picture(n), *back(n)]), "", ""][:2]
        visible, kind = "N" if _hidden(n) else "Y", f"Home/{KINDS[n % 4]};Sale"
        rows.append(["Product", n, f"Thing {n}", f"B{n}", "<p>Bright</p>", "99.00", _price(n), visible, kind, *files])
        if n % 5 == 1:
            rows.append(["SKU", n + 100, "[RT]Colour=Red", f"B{n}-R", "", "", "", "", "", "", ""])
        if not _hidden(n):
            varies = n % 5 == 1
            truth[f"B{n}-R" if varies else f"B{n}"] = _truth(n, f"Thing {n}", parent=f"B{n}" if varies else "")
    return ("bulk-edit.csv", _table(rows).encode()), truth


def squarespace() -> tuple[Export, dict[str, Truth]]:
    """Remarks in headings, variants without titles, addresses with blanks between."""
    rows = [
        "Product ID [Non Editable],Variant ID [Non Editable],Title,Description,SKU,Option Name 1,Option Value 1,Price,"
        "Sale Price,On Sale,Categories,Visible,Hosted Image URLs".split(",")
    ]
    truth = {}
    for n in range(PRODUCTS):
        sale = [str(_price(n)), "Yes"] if n % 3 == 0 else ["0", "No"]
        price, kind = "99.00" if n % 3 == 0 else str(_price(n)), f"/{KINDS[n % 4]}"
        shown = "No" if _hidden(n) else "Yes"
        row = [f"p{n}", f"v{n}", f"Thing {n}", "<p>Flat</p>", f"Q{n}", "Colour", "Red", price, *sale, kind, shown]
        rows.append([*row, " ".join(_addresses(n))])
        rows.append([f"p{n}", f"w{n}", "", "", f"Q{n}-B", "", "Blue", price, *sale, "", "", ""])
        if not _hidden(n):
            truth |= {id: _truth(n, f"Thing {n}", parent=f"p{n}") for id in (f"Q{n}", f"Q{n}-B")}
    return ("products.csv", _table(rows).encode()), truth


def shopware() -> tuple[Export, dict[str, Truth]]:
    """Semicolons, gross and net prices, variants that take from their parents, inactive products."""
    rows: list[list[object]] = [
        "id;parent_id;product_number;active;name;description;price_net;price_gross;categories;cover_media;media".split(
            ";"
        )
    ]
    truth = {}
    for n in range(PRODUCTS):
        active, views = int(not _hidden(n)), "|".join(map(_address, back(n)))
        row = [f"i{n}", "", f"S{n}", active, f"Möbel {n}", "<b>Weich</b>", n + 1, _price(n), f"Wohnen > {KINDS[n % 4]}"]
        rows.append([*row, _address(picture(n)), views])
        if n % 5 == 1:
            rows.append([f"j{n}", f"i{n}", f"S{n}.1", "", "", "", n + 2, _price(n) + 1, "", "", ""])
        if not _hidden(n):
            varies = n % 5 == 1
            changes = {"parent": f"S{n}", "price": _price(n) + 1} if varies else {}
            truth[f"S{n}.1" if varies else f"S{n}"] = _truth(n, f"Möbel {n}", **changes)  # type: ignore[arg-type]
    return ("produkte.csv", _table(rows, ";").encode()), truth


FEED = "id,title,description,image_link,additional_image_link,price,sale_price,sale_price_effective_date,product_type,"
FEED += "item_group_id"


def _feed_rows() -> tuple[list[list[str]], dict[str, Truth]]:
    rows, truth = [FEED.split(",")], {}
    for n in range(PRODUCTS):
        currency = ("EUR", "USD")[n % 2]
        over = [f"1.00 {currency}", "2020-01-01/2020-02-01"] if n % 3 == 0 else ["", ""]
        group = f"G{n - n % 2}" if n % 5 == 0 or n % 5 == 1 else ""
        images = [_address(picture(n)), ",".join(map(_address, back(n)))]
        kind = f"Home > {KINDS[n % 4]}"
        words = f"Words about thing {n}"
        rows.append([f"G{n}", f"Thing &amp; {n}", words, *images, f"{_price(n):.2f} {currency}", *over, kind, group])
        truth[f"G{n}"] = _truth(n, f"Thing & {n}", currency, group)
    return rows, truth


def google_tsv() -> tuple[Export, dict[str, Truth]]:
    """Tabs, two currencies, sales that are over, groups."""
    rows, truth = _feed_rows()
    return ("feed.tsv", _table(rows, "\t").encode()), truth


def google_csv() -> tuple[Export, dict[str, Truth]]:
    """The same with an unquoted comma in a description."""
    rows, truth = _feed_rows()
    text = _table(rows).replace("Words about thing 3,", "Words about thing 3, and more,")
    return ("feed.csv", text.encode()), truth


def google_xml() -> tuple[Export, dict[str, Truth]]:
    """An RSS feed with names in Google's namespace."""
    rows, truth = _feed_rows()
    items = (
        "".join(f"<g:{name}>{escape(cell)}</g:{name}>" for name, cell in zip(rows[0], row, strict=True) if cell)
        for row in rows[1:]
    )
    text = "".join(f"<item>{item}</item>" for item in items)
    opening = '<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>'
    return ("feed.xml", f"{opening}{text}</channel></rss>".encode()), truth


def meta() -> tuple[Export, dict[str, Truth]]:
    """A line of remarks above the header, a byte order mark."""
    rows, truth = _feed_rows()
    return (
        "catalog_products.csv",
        ("# Required | Optional, as it is shown\n" + _table(rows)).encode("utf-8-sig"),
    ), truth


def amazon() -> tuple[Export, dict[str, Truth]]:
    """Three lines of headings, parents that are not sold, UTF-16."""
    names = (
        "item_sku,item_name,standard_price,currency,main_image_url,other_image_url1,parent_child,parent_sku,color_name,"
    )
    names += "feed_product_type"
    columns = names.split(",")
    rows: list[list[object]] = [["TemplateType=Home", *[""] * 9], [name.title() for name in columns], columns]
    truth = {}
    for n in range(PRODUCTS):
        images = [*_addresses(n), ""][:2] if picture(n) else ["", ""]
        varies = n % 5 == 1
        if varies:
            rows.append([f"A{n}", f"Thing {n}", "", "", "", "", "parent", "", "", KINDS[n % 4]])
        id, child = (f"A{n}-R", ["child", f"A{n}", "Red"]) if varies else (f"A{n}", ["", "", ""])
        rows.append([id, f"Thing {n}", _price(n), "EUR", *[*images, ""][:2], *child, KINDS[n % 4]])
        truth[id] = _truth(n, f"Thing {n}", "EUR", f"A{n}" if varies else "")
    return ("flat.txt", _table(rows, "\t").encode("utf-16")), truth


def kaggle() -> tuple[Export, dict[str, Truth]]:
    """Pictures by their ids in a folder of their own, unquoted commas in names."""
    lines = ["id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"]
    truth = {}
    for n in range(PRODUCTS):
        name = f"Shirt, blue {n}" if n % 9 == 0 else f"Shirt {n}"
        lines.append(f"{n},Men,Home,Any,{KINDS[n % 4]},Blue,Fall,2011.0,Casual,{name}")
        truth[str(n)] = _truth(n, name, price=0.0, image=f"images/{n}.jpg", views=())
    return ("styles.csv", "\n".join(lines).encode()), truth


def german() -> tuple[Export, dict[str, Truth]]:
    """A table of nobody's system with German headings, pictures in two columns, a control character."""
    rows: list[list[object]] = ["Artikelnummer;Bezeichnung;Bild 1;Bild 2;Preis;Kategorie;Farbe".split(";")]
    truth = {}
    for n in range(PRODUCTS):
        price = f"{_price(n):.2f} €".replace(".", ",")
        rows.append([f"D{n}", f"Ding\0 {n}", picture(n), "".join(back(n)), price, KINDS[n % 4], "rot"])
        truth[f"D{n}"] = _truth(n, f"Ding {n}", "EUR")
    return ("artikel.csv", _table(rows, ";").encode()), truth


def excel() -> tuple[Export, dict[str, Truth]]:
    """A workbook with numbers as numbers."""
    book, truth = openpyxl.Workbook(), {}
    sheet = book.active
    sheet.append(["SKU", "Product name", "Image", "Price", "Currency", "Category"])
    for n in range(PRODUCTS):
        images = "\n".join(filter(None, (picture(n), *back(n))))
        sheet.append([f"X{n}", f"Thing {n}", images, _price(n), "EUR", KINDS[n % 4]])
        truth[f"X{n}"] = _truth(n, f"Thing {n}", "EUR")
    file = io.BytesIO()
    book.save(file)
    return ("stock.xlsx", file.getvalue()), truth


def _objects() -> tuple[list[dict[str, object]], dict[str, Truth]]:
    objects, truth = list[dict[str, object]](), {}
    for n in range(PRODUCTS):
        common = {"sku": f"J{n}", "name": f"Thing {n}", "category": KINDS[n % 4]}
        objects.append({**common, "images": _addresses(n), "price": _price(n), "currency": "EUR"})
        truth[f"J{n}"] = _truth(n, f"Thing {n}", "EUR")
    return objects, truth


def json_list() -> tuple[Export, dict[str, Truth]]:
    """A list of objects, pictures as lists."""
    objects, truth = _objects()
    return ("products.json", json.dumps({"products": objects}).encode()), truth


def json_lines() -> tuple[Export, dict[str, Truth]]:
    """An object a line."""
    objects, truth = _objects()
    return ("products.jsonl", "\n".join(map(json.dumps, objects)).encode()), truth


def json_ld() -> tuple[Export, dict[str, Truth]]:
    """Products as shops put them into their pages, among other things."""
    objects, truth = _objects()
    graph: list[dict[str, object]] = [{"@type": "Organization", "name": "The shop"}]
    for row in objects:
        offers = {"@type": "Offer", "price": row["price"], "priceCurrency": row["currency"]}
        same = {name: row[name] for name in ("sku", "name", "category")}
        graph.append({"@type": "Product", **same, "image": row["images"], "offers": [offers]})
    return ("products.jsonld", json.dumps({"@context": "https://schema.org", "@graph": graph}).encode()), truth


MAKERS = (
    *(shopify, woocommerce, magento, prestashop, etsy, bigcommerce, squarespace, shopware, google_tsv, google_csv),
    *(google_xml, meta, amazon, kaggle, german, excel, json_list, json_lines, json_ld),
)
EXPORTS: dict[str, Callable[[], tuple[Export, dict[str, Truth]]]] = {maker.__name__: maker for maker in MAKERS}

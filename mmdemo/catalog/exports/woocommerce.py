"""WooCommerce's product CSV, with headings in the language of the shop.

Columns after the documentation of its exporter, translations after its language packs (translate.wordpress.org).
"""

import re

from mmdemo.catalog.exports.offers import availability
from mmdemo.catalog.exports.rows import (
    Conversion,
    Record,
    cells_by_heading,
    first,
    hidden,
    kind_of,
    unique,
    with_pictures,
)
from mmdemo.catalog.table import Table

NAME = "WooCommerce"
TYPE = ("type", "typ", "tipo", "类型", "タイプ")
SKU = ("sku", "artikelnummer", "ugs", "referencia")
TITLE = ("name", "nom", "nombre", "nome", "naam", "名称", "名前")
PUBLISHED = ("published", "veroffentlicht", "publie", "publicado", "pubblicato", "gepubliceerd")
DESCRIPTION = ("description", "beschreibung", "descripcion", "descrizione", "beschrijving", "描述", "説明")
SHORT = ("short description", "kurzbeschreibung", "description courte", "descripcion corta", "breve descrizione")
SALE = ("sale price", "angebotspreis", "tarif promo", "precio rebajado", "prezzo in offerta", "aanbiedingsprijs")
REGULAR = (
    "regular price",
    "regularer preis",
    "normaler preis",
    "tarif regulier",
    "precio normal",
    "prezzo di listino",
    "reguliere prijs",
    "常规售价",
    "通常価格",
)
SALE_STARTS = ("date sale price starts", "angebotspreis startdatum", "date de debut de promo", "セール価格の開始日")
SALE_ENDS = ("date sale price ends", "angebotspreis enddatum", "date de fin de promo", "セール価格の終了日")
CATEGORIES = ("categories", "kategorien", "categorias", "categorie", "categorieen", "分类", "カテゴリー")
TAGS = ("tags", "schlagworter", "etiquettes", "etiquetas", "tag")
IMAGES = ("images", "bilder", "imagenes", "immagini", "afbeeldingen", "图片", "画像")
PARENT = ("parent", "ubergeordnet", "ubergeordnetes produkt", "superior", "genitore", "hoofd")
STOCK = ("in stock", "vorratig", "en stock", "en inventario", "in magazzino", "op voorraad")
_ATTRIBUTE = re.compile(
    r"(?:attribute?|attribut|atributo|attributo|attribuut) (\d+) (?:name|nom|naam|nome)|"
    r"(?:nom|nombre|nome) del?(?: l'|l'| )?(?:attribut|atributo|attributo) (\d+)"
)
_VALUE = (
    "attribute {n} value",
    "attribut {n} wert",
    "valeur de l'attribut {n}",
    "attribut {n} valeur",
    "valor del atributo {n}",
    "valore dell'attributo {n}",
    "attribuut {n} waarde",
)


def recognise(headings: set[str]) -> bool:
    """A type, a regular price and a list of pictures, in one of its languages."""
    return all(headings & set(names) for names in (TYPE, REGULAR, TITLE)) and bool(headings & {*IMAGES, *CATEGORIES})


def convert(table: Table) -> Conversion:
    """A product for each simple product and each variation; a variable product lends its variations what they lack."""
    rows = list(cells_by_heading(table))
    parents: dict[str, Record] = {}
    for _, row in rows:
        parents |= {key: row for key in (first(row, *SKU), f"id:{row.get('id', '')}") if key and key != "id:"}
    with_variations = {first(row, *PARENT) for _, row in rows if _type(row) == "variation"}
    conversion, taken = Conversion(), set[str]()
    for line, row in rows:
        key = {first(row, *SKU), f"id:{row.get('id', '')}"}
        if _type(row) in ("variable", "grouped") and key & with_variations:
            continue  # its variations stand for it
        parent = parents.get(first(row, *PARENT), {}) if _type(row) == "variation" else {}
        if first(row, *PUBLISHED) in ("0", "-1") or hidden(first(parent, *PUBLISHED)):
            conversion.left_out += 1
            continue
        record: Record = {
            "id": unique(first(row, *SKU) or row.get("id", ""), taken),
            "title": first(parent, *TITLE) or first(row, *TITLE),
            "description": first(row, *DESCRIPTION, *SHORT) or first(parent, *DESCRIPTION, *SHORT),
            "category": kind_of(first(row, *CATEGORIES) or first(parent, *CATEGORIES)),
            **_prices(row, parent),
            "parent": (first(parent, *SKU) or parent.get("id", "")) if parent else "",
            "tags": first(row, *TAGS) or first(parent, *TAGS),
            "availability": availability(first(row, *STOCK)),
            **_attributes(row),
        }
        conversion.add(line, with_pictures(record, [first(row, *IMAGES), first(parent, *IMAGES)]))
    return conversion


def _type(row: Record) -> str:
    return first(row, *TYPE).split(",")[0].strip().casefold()


def _prices(row: Record, parent: Record) -> Record:
    """Both prices and the sale's period, of the row itself where it has one."""
    priced = row if first(row, *SALE, *REGULAR) else parent
    return {
        "price": first(priced, *REGULAR),
        "sale_price": first(priced, *SALE),
        "sale_starts": first(priced, *SALE_STARTS),
        "sale_ends": first(priced, *SALE_ENDS),
    }


def _attributes(row: Record) -> Record:
    """Name -> values of the numbered attributes."""
    attributes = {}
    for name, cell in row.items():
        if cell and (matched := _ATTRIBUTE.fullmatch(name)):
            number = matched[1] or matched[2]
            if value := first(row, *(pattern.format(n=number) for pattern in _VALUE)):
                attributes[cell] = value
    return attributes

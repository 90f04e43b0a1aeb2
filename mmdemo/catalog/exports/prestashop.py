"""PrestaShop: the list of products as the back office exports it, and its import format.

Headings after the CSV import reference of PrestaShop, in English, French, German, Spanish and Italian.
"""

import re
from dataclasses import replace

from mmdemo.catalog.exports.offers import stocked
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

NAME = "PrestaShop"
ID = ("product id", "id", "id produit", "id producto", "id prodotto", "produkt id")
TITLE = ("name", "nom", "nombre", "nome")
REFERENCE = ("reference", "referenz", "referencia", "riferimento", "artikel nr.")
CATEGORY = ("categories", "category", "categorie", "kategorie", "categoria", "kategorien", "categorias")
PRICE = (
    "price tax included",
    "prix ttc",
    "prix tax incl.",
    "price tax excluded",
    "prix ht",
    "price",
    "prix",
    "preis",
    "precio",
    "prezzo",
    "base price",
)
IMAGES = ("image urls", "image", "images", "url des images", "bild urls", "imagenes", "immagini")
ACTIVE = ("active", "status", "actif", "etat", "activo", "stato", "aktiv")
PRICED = frozenset(("price tax included", "price tax excluded", "prix ttc", "prix ht", "wholesale price", "base price"))

WITH_TAX = re.compile(r"\((tax incl|ttc|inkl|impuestos incl|iva incl|tasse incl)", re.I)  # "Price (tax incl.)"


def recognise(headings: set[str]) -> bool:
    """A reference and pictures beside a price with or without tax."""
    named = all(headings & set(names) for names in (ID, TITLE, REFERENCE, PRICE))
    return named and bool(headings & {*IMAGES}) and bool(headings & {*ACTIVE, *PRICED})


def convert(table: Table) -> Conversion:
    """A product for each row, at the price that people pay."""
    conversion, taken = Conversion(), set[str]()
    columns = [PRICE[0] if WITH_TAX.search(column) else column for column in table.columns]
    for line, row in cells_by_heading(replace(table, columns=columns)):
        if hidden(first(row, *ACTIVE)):
            conversion.left_out += 1
            continue
        record: Record = {
            "id": unique(first(row, *REFERENCE) or first(row, *ID), taken),
            "title": first(row, *TITLE),
            "description": first(row, "description", "summary", "short description", "resume", "beschreibung"),
            "category": kind_of(first(row, *CATEGORY).replace(",", ">")),  # a list from the most general on
            "price": first(row, *PRICE),
            "availability": stocked(first(row, "quantity", "quantite", "menge", "cantidad", "quantita")),
            "brand": first(row, "manufacturer", "brand", "marque", "fabricant", "hersteller"),
            "tags": first(row, "tags", "mots cles"),
            **_features(first(row, "feature", "features")),
        }
        conversion.add(line, with_pictures(record, [first(row, *IMAGES)]))
    return conversion


def _features(cell: str) -> Record:
    """ "Material:Cotton:1, Season:Summer" as {"Material": "Cotton", "Season": "Summer"}."""
    parts = [part.split(":") for part in cell.split(",")]
    return {part[0].strip(): part[1].strip() for part in parts if len(part) > 1}

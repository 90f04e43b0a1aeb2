"""A shop's products, read from a table with pictures, a folder of pictures, or a ZIP of either.

Every row is checked on its own: what cannot be used is listed with its line and the reason, the rest is read.
Knows nothing of encoders or indexes.
"""

import dataclasses
import difflib
import hashlib
import html
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mmdemo import archive, imaging
from mmdemo.errors import InputError
from mmdemo.pictures import PictureFolder
from mmdemo.price import AMBIGUOUS, decimal_sign, parse_currency, parse_price
from mmdemo.product import KNOWN, Product, column_name, facets, is_aside
from mmdemo.table import SUFFIXES, Table, read_table

__all__ = ["Catalog", "Product", "Refusal", "facets", "parse_price"]

REQUIRED = ("id", "image", "title")
ALIASES = {
    **dict.fromkeys(("sku", "product_id", "item_id", "article_id"), "id"),
    **dict.fromkeys(("name", "product_name", "product_title"), "title"),
    **dict.fromkeys(("picture", "photo", "img", "image_path", "image_file", "image_url", "image_link"), "image"),
    **dict.fromkeys(("file", "filename", "file_name"), "image"),
    **dict.fromkeys(("desc", "body", "text"), "description"),
    **dict.fromkeys(("type", "product_type"), "category"),
    **dict.fromkeys(("link", "product_url"), "url"),
    **dict.fromkeys(("parent_id", "parent_sku", "item_group_id"), "parent"),
    "currency_code": "currency",
    "group_id": "group",
}
STEMS = ("catalog", "products", "catalogue")
TABLES = tuple(f"{stem}{suffix}" for suffix in (".csv", ".tsv", ".parquet") for stem in STEMS)
LONGEST = {"id": 200, "image": 1000, "title": 300, "description": 10_000, "url": 2000}
LONGEST_OTHER = 500
MAX_PICTURES = 100_000
_TAG = re.compile(
    r"</?(?:p|br|b|i|u|em|strong|span|div|ul|ol|li|h[1-6]|a|table|tr|t[dh]|img|small|su[bp])\b[^<>]*>", re.I
)


@dataclass(frozen=True)
class Refusal:
    """Why a row, or one cell of it, was not taken. `row` is the 1-based line in the file, 0 without a table."""

    row: int
    id: str
    column: str
    reason: str

    def __str__(self) -> str:
        where = f"line {self.row}" if self.row else "picture"
        return f"{where}{f' ({self.id})' if self.id else ''}: {f'{self.column}: ' if self.column else ''}{self.reason}"


@dataclass
class Catalog:
    """Products in the table's order. `refused` lists rows left out, `warnings` cells changed or left out."""

    products: list[Product]
    root: Path
    refused: list[Refusal] = field(default_factory=list)
    warnings: list[Refusal] = field(default_factory=list)
    _unpacked: tempfile.TemporaryDirectory | None = field(default=None, repr=False, compare=False)

    @classmethod
    def read(cls, path: str | os.PathLike, extract_to: str | os.PathLike | None = None) -> "Catalog":
        """Read a folder, a .csv, .tsv or .parquet file, or a .zip of either; InputError if nothing is usable.

        A ZIP is unpacked into the new or empty folder `extract_to`, or into a temporary one that lives as long
        as the catalogue.
        """
        path = Path(path)
        shown = path.name or str(path)
        suffix = path.suffix.lower()
        try:
            if path.is_dir():
                table = _find_table(path)
                return _read_rows(table, path) if table else _read_pictures(path)
            if not path.is_file():
                raise InputError(f"There is no catalogue '{shown}'; give a folder, a CSV, TSV, Parquet or ZIP file.")
            if suffix in SUFFIXES:
                return _read_rows(path, path.parent)
            if suffix == ".zip":
                return cls._read_zip(path, extract_to)
        except OSError as error:
            raise InputError(f"The catalogue '{shown[:80]}' cannot be opened ({error.strerror}).") from error
        kind = "is an Excel workbook; choose 'Save as' and 'CSV UTF-8'" if suffix.startswith(".xls") else "is not one"
        raise InputError(f"A catalogue is a folder, a CSV, TSV, Parquet or ZIP file, and '{shown}' {kind}.")

    @classmethod
    def _read_zip(cls, path: Path, extract_to: str | os.PathLike | None) -> "Catalog":
        if extract_to is not None:
            return cls.read(archive.extract(path, Path(extract_to)))
        unpacked = tempfile.TemporaryDirectory(prefix="mmdemo-catalogue-")
        catalog = cls.read(archive.extract(path, Path(unpacked.name)))
        catalog._unpacked = unpacked  # removed when the catalogue is
        return catalog

    def __len__(self) -> int:
        return len(self.products)

    def __iter__(self) -> Iterator[Product]:
        return iter(self.products)

    def image_path(self, product: Product) -> Path | None:
        """Where the product's picture lies, None for a product without one."""
        return self.root / product.image if product.image else None

    @property
    def facets(self) -> dict[str, dict[str, int]]:
        """Column -> value -> number of products, most frequent first; see `facets`."""
        return facets(self.products)

    def digest(self) -> str:
        """SHA-256 over the rows in their order and the bytes of their pictures."""
        total = hashlib.sha256()
        for product in self.products:
            row = json.dumps(dataclasses.asdict(product), sort_keys=True, ensure_ascii=True).encode()
            picture = self.image_path(product)
            content = hashlib.sha256(picture.read_bytes()).digest() if picture else b""
            total.update(len(row).to_bytes(8, "little") + row + content)
        return total.hexdigest()


def _find_table(folder: Path) -> Path | None:
    """The table of a folder: one of the usual names, else the only one there; None where there is none."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".csv", ".tsv", ".parquet") and p.is_file())
    for path in found:
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"'{path.name}' is a link that leaves the catalogue's folder; put the file itself there.")
    tables = {path.name.lower(): path for path in found if not path.name.startswith(".")}
    for name in TABLES:
        if name in tables:
            return tables[name]
    if len(tables) > 1:
        shown = ", ".join(path.name for path in list(tables.values())[:6])
        raise InputError(f"'{folder.resolve().name}' holds several tables ({shown}); give one, or name it {TABLES[0]}.")
    return next(iter(tables.values()), None)


def _read_rows(path: Path, root: Path) -> Catalog:
    table = read_table(path, {*KNOWN, *ALIASES})
    catalog = Catalog([], root, warnings=[Refusal(table.header_line, "", "", note) for note in table.notes])
    names = _columns(table, path.name, catalog.warnings)
    catalog.refused += [Refusal(line, "", "", reason) for line, reason in table.broken]
    if not table.rows and not table.broken:
        raise InputError(f"'{path.name}' has a header but no rows.")
    rows = [(line, _row(names, cells)) for line, cells in table.rows]
    untitled = bool(rows) and not any(row["title"] for _, row in rows)
    if untitled and any(row.get("category") for _, row in rows):
        reason = "every title is empty, so the category stands in"
        catalog.warnings.append(Refusal(table.header_line, "", "title", reason))
    decimal = "." if table.plain_numbers else decimal_sign(row.get("price", "") for _, row in rows)
    pictures = PictureFolder(root)
    lines: dict[str, int] = {}
    for line, row in rows:
        if untitled:
            row["title"] = row.get("category", "")
        problem = _problem(row, lines, pictures)
        if problem:
            catalog.refused.append(Refusal(line, row["id"][:80], *problem))
        else:
            lines[_same(row["id"])] = line
            catalog.products.append(_product(row, line, decimal, catalog.warnings))
    catalog.refused.sort(key=lambda refusal: refusal.row)
    if not catalog.products:
        count, first = len(catalog.refused), catalog.refused[0]
        raise InputError(f"None of the rows of '{path.name}' can be used ({count} refused); first, {first}.")
    return catalog


def _columns(table: Table, file: str, warnings: list[Refusal]) -> list[str]:
    """The name of every column as the code knows it, "" for one that is left out."""
    raw = [column_name(column) for column in table.columns]
    names: list[str] = []
    for column, own in zip(table.columns, raw, strict=True):
        name = ALIASES.get(own, own)
        if name in raw or name in names:
            name = own  # the real column is there too, so this is a column of its own
        if name in names:
            warnings.append(Refusal(table.header_line, "", column.strip(), "the column comes twice; the first counts"))
            name = ""
        names.append("" if name.startswith("unnamed:") else name)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        free = {name: column.strip() for name, column in zip(names, table.columns, strict=True) if name not in KNOWN}
        near = difflib.get_close_matches(missing[0], [name for name in free if name], n=1, cutoff=0.5)
        guess = f"; did you mean '{free[near[0]]}'?" if near else "."
        wanted = " and ".join(f"'{name}'" for name in missing)
        shown = ", ".join(f"'{column.strip()[:30]}'" for column in table.columns[:12]) or "none"
        raise InputError(f"'{file}' has no column {wanted}{guess} Its columns are {shown}.")
    return names


def _row(names: list[str], cells: list[str]) -> dict[str, str]:
    row = {name: _clean(cell) for name, cell in zip(names, cells, strict=True) if name}
    for name, cell in row.items():
        if name not in ("id", "image", "url", "price"):
            row[name] = _plain(cell)
    return row


def _problem(row: dict[str, str], lines: dict[str, int], pictures: PictureFolder) -> tuple[str, str] | None:
    """(column, reason) if this row cannot be a product; puts the checked picture path into the row."""
    if not row["id"]:
        return "id", "the id is empty"
    if len(row["id"]) > LONGEST["id"]:
        return "id", f"the id has {len(row['id'])} characters; at most {LONGEST['id']}"
    if _same(row["id"]) in lines:
        return "id", f"the id is already on line {lines[_same(row['id'])]}"
    if not row["title"]:
        return "title", "the title is empty" if row["image"] else "there is neither a picture nor a title"
    if row["image"]:
        try:
            row["image"] = pictures.check(row["image"])
        except InputError as error:
            return "image", str(error).rstrip(".")
    return None


def _product(row: dict[str, str], line: int, decimal: str, warnings: list[Refusal]) -> Product:
    """A row that passed, as a product; what is wrong with its optional cells is noted and left out."""

    def note(column: str, reason: str) -> None:
        warnings.append(Refusal(line, row["id"], column, reason))

    for name, cell in row.items():
        longest = LONGEST.get(name, LONGEST_OTHER)
        if len(cell) > longest:
            note(name, f"cut from {len(cell)} to {longest} characters")
            row[name] = cell[:longest].rstrip()
    price, currency, stated = None, "", ""
    try:
        stated = parse_currency(row.get("currency", ""))
    except InputError as error:
        note("currency", str(error))
    if row.get("price"):
        try:
            price, currency = parse_price(row["price"], decimal, stated)
        except InputError as error:
            note("price", str(error))
    if stated and currency not in (stated, *AMBIGUOUS):
        note("currency", f"the price says {currency} and the currency column {stated}, which is taken")
    url = row.get("url", "")
    if url and not re.match(r"https?://[^\s]+$", url, re.I):
        note("url", "not a web address that starts with http:// or https://")
        url = ""
    return Product(
        id=row["id"],
        image=row["image"],
        title=row["title"],
        description=row.get("description", ""),
        category=row.get("category", ""),
        price=price,
        currency=stated or currency,
        url=url,
        parent=row.get("parent", ""),
        group=row.get("group", ""),
        attributes={name: cell for name, cell in row.items() if name not in KNOWN and cell and not is_aside(name)},
    )


def _read_pictures(root: Path) -> Catalog:
    """One product per picture: title from the file's name, category from its folder."""
    catalog = Catalog([], root)
    pictures, ids = PictureFolder(root), set[str]()
    names = [name for name in pictures.all() if PurePosixPath(name).suffix.lower() in imaging.SUFFIXES]
    if not names:
        raise InputError(f"'{root.resolve().name}' holds neither {TABLES[0]} nor pictures.")
    if len(names) > MAX_PICTURES:
        raise InputError(f"'{root.resolve().name}' holds {len(names):,} pictures; at most {MAX_PICTURES:,} are read.")
    for name in names:
        path = PurePosixPath(name)
        folder = _words(path.parent.name)
        category = "" if folder.casefold() in ("image", "images", "photos", "pictures", "img") else folder
        title = _words(path.stem)
        if not re.search(r"[^\W\d_]{2}", re.sub(r"(?i)\b(img|dsc\w?|pxl|image|photo|picture)\b", "", title)):
            title = category or title  # a camera's number says nothing
        base = _clean(str(path.with_suffix("")).replace("/", "-"))[: LONGEST["id"] - 8] or "picture"
        unique = next(i for i in (base, *(f"{base}-{n}" for n in range(2, len(names) + 2))) if i not in ids)
        try:
            if not _is_text(name):
                raise InputError("the file's name is not text in UTF-8; give it another")
            catalog.products.append(Product(unique, pictures.check(name), title or "Picture", category=category))
            ids.add(unique)
        except InputError as error:
            shown = name.encode(errors="replace").decode()
            catalog.refused.append(Refusal(0, shown, "image", str(error).rstrip(".")))
    if not catalog.products:
        first = catalog.refused[0]
        raise InputError(f"None of the {len(names)} pictures in '{root.resolve().name}' can be read; first, {first}.")
    return catalog


def _is_text(name: str) -> bool:
    return name.encode(errors="replace").decode() == name


def _same(product_id: str) -> str:
    """Two ids that look the same, however their accents are stored, are the same."""
    return unicodedata.normalize("NFC", product_id)


def _clean(cell: str) -> str:
    # Neither controls nor marks that are not seen but turn the words around them about; nor half of a letter.
    cell = re.sub(r"[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff]+", "", cell)
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\ufeff]+", " ", cell).strip()


def _plain(text: str) -> str:
    """Shop systems export HTML; only its words matter here."""
    if "<" in text:
        text = _TAG.sub(" ", text)
    return _clean(html.unescape(text)) if "&" in text else _clean(text)


def _words(name: str) -> str:
    words = " ".join(re.split(r"[\s_\-.]+", _clean(name))).strip()
    return words[:1].upper() + words[1:]

"""A shop's products, read from a table with pictures, a folder of pictures, or a ZIP of either.

Every row is checked on its own: what cannot be used is listed with its line and the reason, the rest is read.
Knows nothing of encoders or indexes.
"""

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
from mmdemo.about import About, read_about
from mmdemo.errors import InputError
from mmdemo.links import FILE as LINKS
from mmdemo.links import Link, read_links
from mmdemo.pictures import PictureFolder
from mmdemo.price import AMBIGUOUS, decimal_sign, parse_currency, parse_price
from mmdemo.product import KNOWN, Product, column_name, facets, is_aside, is_translation, split_values
from mmdemo.say import Words, say
from mmdemo.table import SUFFIXES, Table, read_table
from mmdemo.wordbook import FILE as WORDS
from mmdemo.wordbook import read_words

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
MOST_VIEWS = 8  # further pictures of one product
MOST_LINK_NOTES = 20
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
        where = say("line {line}", line=self.row) if self.row else say("picture")
        return f"{where}{f' ({self.id})' if self.id else ''}: {f'{self.column}: ' if self.column else ''}{self.reason}"


@dataclass
class Catalog:
    """Products in the table's order. `refused` lists rows left out, `warnings` cells changed or left out.

    `views` holds further pictures by product id, `links` what goes with what, `words` its values in other languages.
    """

    products: list[Product]
    root: Path
    refused: list[Refusal] = field(default_factory=list)
    warnings: list[Refusal] = field(default_factory=list)
    views: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    about: About = field(default_factory=About)
    words: dict[str, Words] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)  # heading in the table -> name here, "" for one left out
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
                raise InputError(
                    say("There is no catalogue '{shown}'; give a folder, a CSV, TSV, Parquet or ZIP file.", shown=shown)
                )
            if suffix in SUFFIXES:
                return _read_rows(path, path.parent)
            if suffix == ".zip":
                return cls._read_zip(path, extract_to)
        except OSError as error:
            raise InputError(
                say("The catalogue '{shown}' cannot be opened ({reason}).", shown=shown[:80], reason=error.strerror)
            ) from error
        kind = (
            say("is an Excel workbook; choose 'Save as' and 'CSV UTF-8'")
            if suffix.startswith(".xls")
            else say("is not one")
        )
        raise InputError(
            say(
                "A catalogue is a folder, a CSV, TSV, Parquet or ZIP file, and '{shown}' {kind}.",
                shown=shown,
                kind=kind,
            )
        )

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
            row = json.dumps(product.row(), sort_keys=True, ensure_ascii=True).encode()
            picture = self.image_path(product)
            content = hashlib.sha256(picture.read_bytes()).digest() if picture else b""
            total.update(len(row).to_bytes(8, "little") + row + content)
            for view in self.views.get(product.id, ()):
                total.update(hashlib.sha256((self.root / view).read_bytes()).digest())
        return total.hexdigest()


def _find_table(folder: Path) -> Path | None:
    """The table of a folder: one of the usual names, else the only one there; None where there is none."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".csv", ".tsv", ".parquet") and p.is_file())
    for path in found:
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise InputError(
                say("'{name}' is a link that leaves the catalogue's folder; put the file itself there.", name=path.name)
            )
    others = [path for path in found if path.name.startswith(".") or path.name == LINKS or WORDS.fullmatch(path.name)]
    tables = {path.name.lower(): path for path in found if path not in others}
    for name in TABLES:
        if name in tables:
            return tables[name]
    if len(tables) > 1:
        shown = ", ".join(path.name for path in list(tables.values())[:6])
        raise InputError(
            say(
                "'{folder}' holds several tables ({shown}); give one, or name it {table}.",
                folder=folder.resolve().name,
                shown=shown,
                table=TABLES[0],
            )
        )
    return next(iter(tables.values()), None)


def _read_rows(path: Path, root: Path) -> Catalog:
    table = read_table(path, {*KNOWN, *ALIASES})
    notes = [Refusal(table.header_line, "", "", note) for note in table.notes]
    catalog = Catalog([], root, warnings=notes, about=read_about(root))
    names = _columns(table, path.name, catalog.warnings)
    catalog.columns = dict(zip(table.columns, names, strict=True))
    catalog.refused += [Refusal(line, "", "", reason) for line, reason in table.broken]
    if not table.rows and not table.broken:
        raise InputError(say("'{name}' has a header but no rows.", name=path.name))
    rows = [(line, _row(names, cells)) for line, cells in table.rows]
    untitled = bool(rows) and not any(row["title"] for _, row in rows)
    if untitled and any(row.get("category") for _, row in rows):
        reason = say("every title is empty, so the category stands in")
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
            if views := _views(row, line, pictures, catalog.warnings):
                catalog.views[row["id"]] = views
            catalog.products.append(_product(row, line, decimal, catalog.warnings))
    catalog.refused.sort(key=lambda refusal: refusal.row)
    if not catalog.products:
        count, first = len(catalog.refused), catalog.refused[0]
        raise InputError(
            say(
                "None of the rows of '{name}' can be used ({count} refused); first, {first}.",
                name=path.name,
                count=count,
                first=first,
            )
        )
    catalog.words, left_out_words = read_words(root)
    catalog.warnings += [Refusal(line, "", "words", reason) for line, reason in left_out_words]
    inside = (root / LINKS).resolve().is_relative_to(root.resolve())
    if (root / LINKS).is_file() and inside and (root / LINKS) != path:
        catalog.links, left_out = read_links(root / LINKS, {product.id for product in catalog.products})
        for line, product_id, reason in left_out[:MOST_LINK_NOTES]:
            catalog.warnings.append(Refusal(line, product_id, LINKS, reason))
        if len(left_out) > MOST_LINK_NOTES:
            more = say("{n:,} more lines were left out", n=len(left_out) - MOST_LINK_NOTES)
            catalog.warnings.append(Refusal(left_out[MOST_LINK_NOTES][0], "", LINKS, more))
    return catalog


def _views(row: dict[str, str], line: int, pictures: PictureFolder, warnings: list[Refusal]) -> tuple[str, ...]:
    """The further pictures of a row that can be used, as checked paths; the others are noted."""
    found = []
    for cell in split_values(row.get("views", ""))[:MOST_VIEWS]:
        try:
            found.append(pictures.check(cell))
        except InputError as error:
            warnings.append(Refusal(line, row["id"], "views", str(error).rstrip(".。")))
    return tuple(path for path in dict.fromkeys(found) if path != row["image"])


def _columns(table: Table, file: str, warnings: list[Refusal]) -> list[str]:
    """The name of every column as the code knows it, "" for one that is left out."""
    raw = [column_name(column) for column in table.columns]
    names: list[str] = []
    for column, own in zip(table.columns, raw, strict=True):
        name = ALIASES.get(own, own)
        if name in raw or name in names:
            name = own  # the real column is there too, so this is a column of its own
        if name in names:
            warnings.append(
                Refusal(table.header_line, "", column.strip(), say("the column comes twice; the first counts"))
            )
            name = ""
        names.append("" if name.startswith("unnamed:") else name)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        free = {name: column.strip() for name, column in zip(names, table.columns, strict=True) if name not in KNOWN}
        near = difflib.get_close_matches(missing[0], [name for name in free if name], n=1, cutoff=0.5)
        guess = say("; did you mean '{name}'?", name=free[near[0]]) if near else say(".")
        wanted = say(" and ").join(f"'{name}'" for name in missing)
        shown = ", ".join(f"'{column.strip()[:30]}'" for column in table.columns[:12]) or say("none")
        raise InputError(
            say(
                "'{name}' has no column {wanted}{guess} Its columns are {shown}.",
                name=file,
                wanted=wanted,
                guess=guess,
                shown=shown,
            )
        )
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
        return "id", say("the id is empty")
    if len(row["id"]) > LONGEST["id"]:
        return "id", say("the id has {n} characters; at most {most}", n=len(row["id"]), most=LONGEST["id"])
    if _same(row["id"]) in lines:
        return "id", say("the id is already on line {line}", line=lines[_same(row["id"])])
    if not row["title"]:
        return "title", say("the title is empty") if row["image"] else say("there is neither a picture nor a title")
    if row["image"]:
        try:
            row["image"] = pictures.check(row["image"])
        except InputError as error:
            return "image", str(error).rstrip(".。")
    return None


def _product(row: dict[str, str], line: int, decimal: str, warnings: list[Refusal]) -> Product:
    """A row that passed, as a product; what is wrong with its optional cells is noted and left out."""

    def note(column: str, reason: str) -> None:
        warnings.append(Refusal(line, row["id"], column, reason))

    for name, cell in row.items():
        longest = LONGEST.get(name, LONGEST_OTHER)
        if len(cell) > longest:
            note(name, say("cut from {n} to {most} characters", n=len(cell), most=longest))
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
        note(
            "currency",
            say(
                "the price says {currency} and the currency column {stated}, which is taken",
                currency=currency,
                stated=stated,
            ),
        )
    url = row.get("url", "")
    if url and not re.match(r"https?://[^\s]+$", url, re.I):
        note("url", say("not a web address that starts with http:// or https://"))
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
        translated={name: cell for name, cell in row.items() if cell and is_translation(name)},
    )


def _read_pictures(root: Path) -> Catalog:
    """One product per picture: title from the file's name, category from its folder."""
    catalog = Catalog([], root, about=read_about(root))
    pictures, ids = PictureFolder(root), set[str]()
    names = [name for name in pictures.all() if PurePosixPath(name).suffix.lower() in imaging.SUFFIXES]
    if not names:
        raise InputError(
            say("'{folder}' holds neither {table} nor pictures.", folder=root.resolve().name, table=TABLES[0])
        )
    if len(names) > MAX_PICTURES:
        raise InputError(
            say(
                "'{folder}' holds {n:,} pictures; at most {most:,} are read.",
                folder=root.resolve().name,
                n=len(names),
                most=MAX_PICTURES,
            )
        )
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
                raise InputError(say("the file's name is not text in UTF-8; give it another"))
            catalog.products.append(Product(unique, pictures.check(name), title or "Picture", category=category))
            ids.add(unique)
        except InputError as error:
            shown = name.encode(errors="replace").decode()
            catalog.refused.append(Refusal(0, shown, "image", str(error).rstrip(".。")))
    if not catalog.products:
        first = catalog.refused[0]
        raise InputError(
            say(
                "None of the {n} pictures in '{folder}' can be read; first, {first}.",
                n=len(names),
                folder=root.resolve().name,
                first=first,
            )
        )
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

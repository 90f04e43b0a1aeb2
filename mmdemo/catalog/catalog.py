"""Reads a shop's products from a table with pictures, a folder of pictures, or a ZIP of either.

Every row is checked on its own: what cannot be used is listed with its line and the reason, the rest is read.
It knows nothing of encoders or indexes.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

from mmdemo.catalog import archive, imaging
from mmdemo.catalog.columns import REQUIRED, name_columns
from mmdemo.catalog.exports.convert import convert
from mmdemo.catalog.exports.offers import with_price_of
from mmdemo.catalog.exports.rows import slug, unique
from mmdemo.catalog.formats import SUFFIXES, read_any
from mmdemo.catalog.headings import column_of, known_headings
from mmdemo.catalog.html_text import plain_text
from mmdemo.catalog.image_folder import PictureFolder
from mmdemo.catalog.links import FILE as LINKS
from mmdemo.catalog.links import Link, read_links
from mmdemo.catalog.product import KNOWN, Product, column_name, facets, is_aside, is_translation
from mmdemo.catalog.refusal import Refusal, clause
from mmdemo.catalog.row_pictures import addresses, called_by_ids, comparable_id, take_pictures, with_pictures_below
from mmdemo.catalog.settings import FILE as ABOUT
from mmdemo.catalog.settings import About, read_about
from mmdemo.catalog.table import Table
from mmdemo.catalog.translations import FILE as WORDS
from mmdemo.catalog.translations import read_words
from mmdemo.catalog.web_pictures import WebPictures, fetched_file, is_address
from mmdemo.core.errors import InputError
from mmdemo.core.marks import without_marks
from mmdemo.core.messages import Message, Words
from mmdemo.core.money import AMBIGUOUS, decimal_sign, parse_currency, parse_price

__all__ = ["Catalog", "Product", "Refusal", "facets", "parse_price"]

STEMS = ("catalog", "products", "catalogue")
# Endings of a table in a folder; such as .json and .txt may be anything, so those are looked into.
TABLE_SUFFIXES = (".csv", ".tsv", ".parquet", ".xlsx", ".jsonl", ".xml")
TABLES = tuple(f"{stem}{suffix}" for suffix in TABLE_SUFFIXES for stem in STEMS)
# What people did, beside a table: our own form, MovieLens-like ratings, or Shopify's export of orders.
EVENTS = re.compile(r"(events|ratings|orders(_export(_\d+)?)?)\.(csv|tsv|parquet)", re.I)
LONGEST = {"id": 200, "image": 1000, "title": 300, "description": 10_000, "url": 2000}
LONGEST_OTHER = 500
MOST_LINK_NOTES = 20
MAX_PICTURES = 100_000


@dataclass
class Catalog:
    """Products of one shop in the order of their table, with everything that was left out of it and why.

    Parameters
    ----------
    products
        The rows that can be used.
    root
        The folder that the paths of pictures start from.
    refused, warnings
        Rows left out, and single cells that were changed or left out.
    views
        Paths of further pictures by product id.
    links
        Which products go together.
    about
        What one row and several rows are called, and a notice that is shown with them.
    words
        The catalogue's values in other languages: language to column to value to translation.
    columns
        Each heading of the table with the name used here, "" for a column that was left out.
    mapping
        What a person said of the columns: the name used here -> the heading, "" for none.
    events
        The file beside the table that says what people did; None where there is none.
    fetched
        The folder of pictures that were fetched, whose products have a web address as their picture.

    Examples
    --------
    >>> catalog = Catalog([Product("mug-1", "", "Red mug"), Product("mug-2", "", "Blue mug")], Path("."))
    >>> len(catalog), [product.title for product in catalog], catalog.image_path(catalog.products[0])
    (2, ['Red mug', 'Blue mug'], None)
    """

    products: list[Product]
    root: Path
    refused: list[Refusal] = field(default_factory=list)
    warnings: list[Refusal] = field(default_factory=list)
    views: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    about: About = field(default_factory=About)
    words: dict[str, Words] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    mapping: dict[str, str] = field(default_factory=dict)
    events: Path | None = None
    fetched: Path | None = None
    _unpacked: tempfile.TemporaryDirectory | None = field(default=None, repr=False, compare=False)

    @classmethod
    def read(
        cls,
        path: str | os.PathLike,
        extract_to: str | os.PathLike | None = None,
        *,
        mapping: Mapping[str, str] | None = None,
        remembered: Mapping[str, str] | None = None,
        web: WebPictures | None = None,
    ) -> "Catalog":
        """Read the products of a folder, a table or a ZIP of either.

        Parameters
        ----------
        path : str or path
            A folder with a table or with pictures alone, a table of any kind that is read, or a ZIP of one of these.
        extract_to : str or path, optional
            The new or empty folder that a ZIP is unpacked into; by default one that is removed with the catalogue.
        mapping : mapping of str to str, optional
            Which column is which, where the headings do not say: {"title": "productDisplayName", "image": ""}, the
            heading empty for a column that the table does not have. With it no export of a shop system is recognised.
        remembered : mapping of str to str, optional
            The mapping of an earlier table of the same shop, used where this table has all its headings.
        web : WebPictures, optional
            Fetches the pictures that are web addresses; without it their rows are refused.

        Returns
        -------
        Catalog
            At least one product; `refused` and `warnings` list what was left out.

        Raises
        ------
        InputError
            One sentence, where the file cannot be read or none of its rows can be used; UnclearColumns, with what to
            ask a person, where it cannot be told which column is the id, the picture or the title.

        Examples
        --------
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "catalog.csv").write_text("id,image,title,price\\n1,,Red mug,9.50\\n2,,,4\\n")
        ...     catalog = Catalog.read(folder)
        >>> catalog.products[0].price, str(catalog.refused[0])
        (9.5, 'line 3 (2): title: there is neither a picture nor a title')
        """
        path, choice = Path(path), (mapping, remembered, web)
        try:
            if path.suffix.lower() != ".zip" or not path.is_file():
                return _read_path(path, *choice)
            if extract_to is not None:
                return _read_path(archive.extract(path, Path(extract_to)), *choice)
            unpacked = tempfile.TemporaryDirectory(prefix="mmdemo-catalogue-")
            catalog = _read_path(archive.extract(path, Path(unpacked.name)), *choice)
            catalog._unpacked = unpacked  # removed when the catalogue is
            return catalog
        except OSError as error:
            raise InputError(
                "The catalogue '{shown}' cannot be opened ({reason}).",
                shown=(path.name or str(path))[:80],
                reason=error.strerror,
            ) from error

    def __len__(self) -> int:
        return len(self.products)

    def __iter__(self) -> Iterator[Product]:
        return iter(self.products)

    def image_path(self, product: Product) -> Path | None:
        """Where the product's picture lies, None for a product without one."""
        return self.file(product.image) if product.image else None

    def file(self, picture: str) -> Path:
        """Where one of the pictures that products name lies."""
        return fetched_file(self.fetched, picture) if is_address(picture) else self.root / picture

    def picture_hash(self, product: Product) -> bytes:
        """SHA-256 over the bytes of a product's pictures, in their order; 32 zero bytes for a product without any."""
        if not product.image:
            return bytes(32)
        total = hashlib.sha256()
        for file in (product.image, *self.views.get(product.id, ())):
            total.update(hashlib.sha256(self.file(file).read_bytes()).digest())
        return total.digest()

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
                total.update(hashlib.sha256(self.file(view).read_bytes()).digest())
        return total.hexdigest()


def _read_path(
    path: Path, mapping: Mapping[str, str] | None, remembered: Mapping[str, str] | None, web: WebPictures | None
) -> Catalog:
    """The catalogue of a folder or a table."""
    name, suffix = path.name or str(path), path.suffix.lower()
    if path.is_dir():
        table = _find_table(path)
        return _read_rows(table, path, mapping, remembered, web) if table else _read_pictures(path)
    if not path.is_file():
        raise InputError("There is no catalogue '{shown}'; give a folder, a CSV, TSV, Parquet or ZIP file.", shown=name)
    if suffix in SUFFIXES:
        return _read_rows(path, path.parent, mapping, remembered, web)
    kind = (
        Message("is an Excel workbook; choose 'Save as' and 'CSV UTF-8'")
        if suffix.startswith(".xls")
        else Message("is not one")
    )
    raise InputError(
        "A catalogue is a folder, a CSV, TSV, Parquet or ZIP file, and '{shown}' {kind}.", shown=name, kind=kind
    )


def _find_table(folder: Path) -> Path | None:
    """The table of a folder: one of the usual names, else the only one there; None where there is none."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in TABLE_SUFFIXES and p.is_file())
    for path in files:
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise InputError(
                "'{name}' is a link that leaves the catalogue's folder; put the file itself there.", name=path.name
            )
    others = [path for path in files if path.name.startswith(".") or path.name == LINKS or WORDS.fullmatch(path.name)]
    tables = {path.name.lower(): path for path in files if path not in others}
    tables = {name: path for name, path in tables.items() if not EVENTS.fullmatch(name)} or tables
    for name in TABLES:
        if name in tables:
            return tables[name]
    if len(tables) > 1:
        names = ", ".join(path.name for path in list(tables.values())[:6])
        raise InputError(
            "'{folder}' holds several tables ({shown}); give one, or name it {table}.",
            folder=folder.resolve().name,
            shown=names,
            table=TABLES[0],
        )
    return next(iter(tables.values()), None) or _find_export(folder)


def _find_export(folder: Path) -> Path | None:
    """The only file of another ending that a table can have whose columns are those of products; else None."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES - {*TABLE_SUFFIXES}]
    tables = [path for path in files if path.name != ABOUT and path.is_file() and _lists_products(path)]
    return tables[0] if len(tables) == 1 else None


def _lists_products(path: Path) -> bool:
    if path.is_symlink():
        return False
    try:
        columns = convert(read_any(path, {*KNOWN, *known_headings()})).columns
    except InputError:
        return False
    return {"title", "id"} <= {column_of(column) for column in columns}


def _read_rows(
    path: Path,
    root: Path,
    mapping: Mapping[str, str] | None,
    remembered: Mapping[str, str] | None,
    web: WebPictures | None,
) -> Catalog:
    table, mapping = _read_table(path, mapping, remembered)
    notes = [Refusal(table.header_line, "", "", note) for note in table.notes]
    catalog = Catalog([], root, warnings=notes, about=read_about(root), mapping=dict(mapping))
    folder = PictureFolder(root, web)
    named = {"image": "", **mapping} if called_by_ids(table, mapping, folder) else mapping
    names, repeated = name_columns(table, path.name, named)
    for column in repeated:
        note = Message("the column comes twice; the first counts")
        catalog.warnings.append(Refusal(table.header_line, "", column, note))
    catalog.columns = dict(zip(table.columns, names, strict=True))
    catalog.refused += [Refusal(line, "", "", reason) for line, reason in table.broken]
    if not table.rows and not table.broken:
        raise InputError("'{name}' has a header but no rows.", name=path.name)
    rows = _rows(table, names, catalog.warnings)
    decimal = "." if table.plain_numbers else decimal_sign(row.get("price", "") for _, row in rows)
    lines: dict[str, int] = {}
    if not any(row["image"] or row["views"] for _, row in rows):
        for _, row in rows:
            row["image"] = folder.of_id(row["id"]) or ""
    if web is not None:
        catalog.fetched = web.folder
        web.fetch(addresses(rows, folder))
    for line, row in rows:
        try:
            problem = _problem(row, lines)
            views = () if problem else take_pictures(row, line, folder, catalog.warnings)
        except InputError as error:
            problem = "image", clause(error)
        if problem:
            catalog.refused.append(Refusal(line, row["id"][:80], *problem))
        else:
            lines[comparable_id(row["id"])] = line
            if views:
                catalog.views[row["id"]] = views
            catalog.products.append(_product(row, line, decimal, catalog.warnings))
    remarks = folder.remarks()
    catalog.warnings += [Refusal(table.header_line, "", "image", remark) for remark in remarks]
    catalog.refused.sort(key=lambda refusal: refusal.row)
    if not catalog.products:
        count, first = len(catalog.refused), catalog.refused[0]
        if folder.addresses and web is None:
            raise InputError("None of the rows of '{name}' can be used: {reason}.", name=path.name, reason=remarks[-1])
        raise InputError(
            "None of the rows of '{name}' can be used ({count} refused); first, {first}.",
            name=path.name,
            count=count,
            first=first,
        )
    _read_beside(catalog, path)
    return catalog


def _read_table(
    path: Path, mapping: Mapping[str, str] | None, remembered: Mapping[str, str] | None
) -> tuple[Table, Mapping[str, str]]:
    """The table of a file, an export of a shop system in our own form; and the mapping of its columns."""
    table = read_any(path, {*KNOWN, *known_headings()})
    headings = {column_name(column) for column in table.columns}
    if not mapping and remembered and headings.issuperset(column_name(h) for h in remembered.values() if h):
        mapping = remembered
    return (table, mapping) if mapping else (convert(table), {})


def _rows(table: Table, names: list[str], warnings: list[Refusal]) -> list[tuple[int, dict[str, str]]]:
    """The rows as column -> cell, with the line of each; what the table has no column for is filled in."""
    today = date.today()
    rows = [(line, _row(names, cells)) for line, cells in table.rows]
    if {"sale_price", "regular_price"} & set(names):
        rows = [(line, with_price_of(row, today)) for line, row in rows]
    untitled = bool(rows) and not any(row["title"] for _, row in rows)
    if untitled and any(row.get("category") for _, row in rows):
        reason = Message("every title is empty, so the category stands in")
        warnings.append(Refusal(table.header_line, "", "title", reason))
        for _, row in rows:
            row["title"] = row.get("category", "")
    if "id" not in names:
        reason = Message("there is no column of ids, so the titles stand in")
        warnings.append(Refusal(table.header_line, "", "id", reason))
        taken = set[str]()
        for _, row in rows:
            row["id"] = unique(slug(row["title"]), taken) if row["title"] else ""
    rows, below = with_pictures_below(rows)
    if below:
        reason = Message(
            "{n:,} rows give further pictures of the product above; first, line {line}", n=len(below), line=below[0]
        )
        warnings.append(Refusal(table.header_line, "", "image", reason))
    return rows


def _read_beside(catalog: Catalog, path: Path) -> None:
    """Read what lies beside the table at `path`: words in other languages, and links; and find what people did."""
    root = catalog.root
    beside = (p for p in sorted(root.iterdir()) if EVENTS.fullmatch(p.name) and p.is_file() and p != path)
    catalog.events = next((p for p in beside if p.resolve().is_relative_to(root.resolve())), None)
    catalog.words, left_out_words = read_words(root)
    catalog.warnings += [Refusal(line, "", "words", reason) for line, reason in left_out_words]
    inside = (root / LINKS).resolve().is_relative_to(root.resolve())
    if (root / LINKS).is_file() and inside and (root / LINKS) != path:
        catalog.links, left_out = read_links(root / LINKS, {product.id for product in catalog.products})
        for line, product_id, fault in left_out[:MOST_LINK_NOTES]:
            catalog.warnings.append(Refusal(line, product_id, LINKS, fault))
        if len(left_out) > MOST_LINK_NOTES:
            more = Message("{n:,} more lines were left out", n=len(left_out) - MOST_LINK_NOTES)
            catalog.warnings.append(Refusal(left_out[MOST_LINK_NOTES][0], "", LINKS, more))


def _row(names: list[str], cells: list[str]) -> dict[str, str]:
    row = dict.fromkeys((*REQUIRED, "views"), "")
    for name, cell in zip(names, cells, strict=True):
        if name in ("image", "views"):  # the lines of a cell are several pictures, as several columns are
            row[name] = "|".join(filter(None, (row[name], *map(without_marks, cell.splitlines()))))
        elif name:
            row[name] = without_marks(cell) if name in ("id", "url", "price") else _plain(cell)
    return row


def _problem(row: dict[str, str], lines: dict[str, int]) -> tuple[str, str] | None:
    """(column, reason) if this row cannot be a product, whatever its pictures."""
    if not row["id"]:
        return "id", Message("the id is empty")
    if len(row["id"]) > LONGEST["id"]:
        return "id", Message("the id has {n} characters; at most {most}", n=len(row["id"]), most=LONGEST["id"])
    if comparable_id(row["id"]) in lines:
        return "id", Message("the id is already on line {line}", line=lines[comparable_id(row["id"])])
    if not row["title"]:
        return "title", Message("the title is empty") if row["image"] else Message(
            "there is neither a picture nor a title"
        )
    return None


def _product(row: dict[str, str], line: int, decimal: str, warnings: list[Refusal]) -> Product:
    """The product of a row without a `_problem`; faults of its optional cells are noted, and those cells left out."""

    def note(column: str, reason: str) -> None:
        warnings.append(Refusal(line, row["id"], column, reason))

    for name, cell in row.items():
        longest = LONGEST.get(name, LONGEST_OTHER)
        if len(cell) > longest:
            note(name, Message("cut from {n} to {most} characters", n=len(cell), most=longest))
            row[name] = cell[:longest].rstrip()
    price, currency, stated = None, "", ""
    try:
        stated = parse_currency(row.get("currency", ""))
    except InputError as error:
        note("currency", error.message)
    if row.get("price"):
        try:
            price, currency = parse_price(row["price"], decimal, stated)
        except InputError as error:
            note("price", error.message)
    if stated and currency not in (stated, *AMBIGUOUS):
        note(
            "currency",
            Message(
                "the price says {currency} and the currency column {stated}, which is taken",
                currency=currency,
                stated=stated,
            ),
        )
    url = row.get("url", "")
    if url and not re.match(r"https?://[^\s]+$", url, re.I):
        note("url", Message("not a web address that starts with http:// or https://"))
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
        raise InputError("'{folder}' holds neither {table} nor pictures.", folder=root.resolve().name, table=TABLES[0])
    if len(names) > MAX_PICTURES:
        raise InputError(
            "'{folder}' holds {n:,} pictures; at most {most:,} are read.",
            folder=root.resolve().name,
            n=len(names),
            most=MAX_PICTURES,
        )
    for name in names:
        path = PurePosixPath(name)
        folder = _title_from_name(path.parent.name)
        category = "" if folder.casefold() in ("image", "images", "photos", "pictures", "img") else folder
        title = _title_from_name(path.stem)
        if not re.search(r"[^\W\d_]{2}", re.sub(r"(?i)\b(img|dsc\w?|pxl|image|photo|picture)\b", "", title)):
            title = category or title  # a camera's numbering is no title
        base_id = without_marks(str(path.with_suffix("")).replace("/", "-"))[: LONGEST["id"] - 8] or "picture"
        product_id = next(i for i in (base_id, *(f"{base_id}-{n}" for n in range(2, len(names) + 2))) if i not in ids)
        try:
            if not _is_text(name):
                raise InputError("the file's name is not text in UTF-8; give it another")
            catalog.products.append(Product(product_id, pictures.check(name), title or "Picture", category=category))
            ids.add(product_id)
        except InputError as error:
            printable = name.encode(errors="replace").decode()
            catalog.refused.append(Refusal(0, printable, "image", clause(error)))
    catalog.warnings += [Refusal(0, "", "image", remark) for remark in pictures.remarks()]
    if not catalog.products:
        first = catalog.refused[0]
        raise InputError(
            "None of the {n} pictures in '{folder}' can be read; first, {first}.",
            n=len(names),
            folder=root.resolve().name,
            first=first,
        )
    return catalog


def _is_text(name: str) -> bool:
    return name.encode(errors="replace").decode() == name


def _plain(text: str) -> str:
    return without_marks(plain_text(text))


def _title_from_name(name: str) -> str:
    words = " ".join(re.split(r"[\s_\-.]+", without_marks(name))).strip()
    return words[:1].upper() + words[1:]

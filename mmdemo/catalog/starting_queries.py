"""Reads the example queries beside a catalogue, and stores some with its index for the first page to offer.

They lie beside the table: `queries.csv`, `composed_queries.csv` and, for the Chinese page, `composed_queries_zh.csv`,
each with the columns query_id, image, text, reference_id and product_id or target_ids. It knows nothing of how
well a query is answered.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from mmdemo.catalog.imaging import decode
from mmdemo.catalog.query_file import query_rows
from mmdemo.core.errors import InputError

STORED = "starting_queries.jsonl"  # its name in an index
KEPT_WITH_PICTURE, KEPT_SENTENCES = 6, 10  # candidates of each kind: the first page tries twice as many as it shows
PICTURE_SIDE = 512  # pixels
Item = TypeVar("Item")


@dataclass(frozen=True)
class StartingQuery:
    """A query to try: a picture or a product used as one (or neither), and a sentence (or none)."""

    text: str = ""
    image: bytes = field(default=b"", repr=False)  # an encoded picture
    reference: str = ""  # a product id
    targets: frozenset[str] = field(default=frozenset(), compare=False)  # ids of right answers; none: any will do
    language: str = field(default="", compare=False)  # of the page that offers it; "" for every page


def read_starting_queries(root: Path, product_ids: Collection[str]) -> list[StartingQuery]:
    """A few queries of each kind and language whose products are all in the catalogue, spread over its query files."""
    by_kind = defaultdict(list)
    for path, language in _query_files(root):
        for row, picture in _rows(path, root, set(product_ids)):
            # A photo alone needs no language.
            page_language = language if row.text else ""
            by_kind[page_language, picture is not None, bool(row.reference), bool(row.text)].append((row, picture))
    kept = []
    for (language, has_picture, has_reference, _), rows in by_kind.items():
        for row, picture in thin(rows, KEPT_WITH_PICTURE if has_picture or has_reference else KEPT_SENTENCES):
            try:
                image = b"" if picture is None else _webp(picture)
            except InputError:
                continue
            kept.append(StartingQuery(row.text, image, row.reference, row.targets, language))
    return kept


def save_starting_queries(queries: Iterable[StartingQuery], path: Path) -> None:
    """One JSON object a line."""
    with path.open("w", encoding="utf-8") as lines:
        for query in queries:
            row = asdict(query) | {
                "image": base64.b64encode(query.image).decode(),
                "targets": sorted(query.targets),
            }
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")


def load_starting_queries(path: Path) -> list[StartingQuery]:
    """What `save_starting_queries` wrote; an empty list where there is no such file."""
    if not path.is_file():
        return []
    queries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        row |= {"image": base64.b64decode(row["image"]), "targets": frozenset(row["targets"])}
        queries.append(StartingQuery(**row))
    return queries


def thin(items: Sequence[Item], count: int) -> list[Item]:
    """At most `count` items at even distances, since neighbours in a file are often alike."""
    if len(items) <= count:
        return list(items)
    return [items[place * len(items) // count] for place in range(count)]


def _query_files(root: Path) -> Iterator[tuple[Path, str]]:
    """The query files of a catalogue and the languages of their sentences."""
    yield root / "queries.csv", "en"
    yield root / "composed_queries.csv", "en"
    for path in sorted(root.glob("composed_queries_*.csv")):
        yield path, path.stem.removeprefix("composed_queries_")


def _rows(path: Path, root: Path, product_ids: set[str]) -> Iterator[tuple[StartingQuery, Path | None]]:
    """The queries of one file, still without their pictures, and where those lie; none for an unreadable file."""
    if not _inside(path, root):
        return
    try:
        rows = query_rows(path)
    except (OSError, UnicodeDecodeError, csv.Error):
        return
    for cells in rows:
        targets = (cells.get("target_ids") or cells.get("product_id") or "").split()
        reference = cells.get("reference_id", "")
        picture = root / cells["image"] if cells.get("image") else None
        if not targets or not product_ids.issuperset([*targets, *([reference] if reference else [])]):
            continue
        if picture is not None and not _inside(picture, root):
            continue
        # Beside a photo, the reference is the product on it, which an evaluation leaves out and a visitor wants.
        reference = "" if picture is not None else reference
        if cells.get("text") or picture is not None or reference:
            yield StartingQuery(cells.get("text", ""), reference=reference, targets=frozenset(targets)), picture


def _inside(path: Path, root: Path) -> bool:
    """Whether this is a file below `root`: an uploaded catalogue must not show other files of this machine."""
    try:
        return path.is_file() and path.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError):
        return False


def _webp(picture: Path) -> bytes:
    file = io.BytesIO()
    decode(picture, max_side=PICTURE_SIDE).save(file, "WEBP", quality=90)
    return file.getvalue()

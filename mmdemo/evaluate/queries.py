"""Queries with known answers: what a measurement asks, read from a file of them (`queries.csv`).

Knows nothing of rankers or metrics.
"""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmdemo.catalog.imaging import decode, thumbnail
from mmdemo.catalog.query_file import query_rows
from mmdemo.core.errors import InputError
from mmdemo.core.progress import Progress, silent
from mmdemo.core.vectors import Array
from mmdemo.encode.embeddings import photo_embeddings, text_embeddings
from mmdemo.encode.encoder import Encoder
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.names import Named
from mmdemo.language.relevance import Asked

MATCH_COLUMNS = ("product_id", "target_ids")
PHOTO_SIDE = 120  # pixels of what an example shows


@dataclass
class Queries:
    """Encoder rows of n queries (zero = not given), the product left out of each answer (-1 = none), the right rows.

    `origin` is the text of the reference product where the query starts from that, zero elsewhere. For whoever reads
    an example, `said` has the words, `shows` the id of the product in the photo, and `photos` a small WebP of the photo
    where that is no picture of the catalogue; "" and b"" where there is none. `fused`
    has the fused vectors where products of the index are the queries.

    Where sentences were read as a search reads them (`sentences.read_sentences`), `text` holds what is left for the
    encoder, `text_alone` the same with the whole sentence where nothing is left, `allowed` the rows that meet the
    conditions (None: all) and `away` the embeddings of the words to go away from (None: none). `asked` is what a query
    asks for, where whoever drew it knows more than its right answers tell. `tiers` has the
    place of every product's tier, -1 for what is no answer, where queries were read as a search does (None: one tier).
    `named` is what the name in a sentence brings (None: it has none).
    """

    image: Array
    text: Array
    origin: Array
    reference: NDArray[np.int64]
    targets: list[NDArray[np.int64]]
    said: list[str] = field(default_factory=list)
    shows: list[str] = field(default_factory=list)
    fused: Array | None = None
    text_alone: Array | None = None
    allowed: list[NDArray[np.int64] | None] = field(default_factory=list)
    away: list[Array | None] = field(default_factory=list)
    asked: list[Asked | None] = field(default_factory=list)
    tiers: list[NDArray[np.int8] | None] = field(default_factory=list)
    photos: list[bytes] = field(default_factory=list)
    named: list[Named | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.said = self.said or [""] * len(self)
        self.shows = self.shows or [""] * len(self)
        self.allowed = self.allowed or [None] * len(self)
        self.away = self.away or [None] * len(self)
        self.asked = self.asked or [None] * len(self)
        self.tiers = self.tiers or [None] * len(self)
        self.photos = self.photos or [b""] * len(self)
        self.named = self.named or [None] * len(self)

    def __len__(self) -> int:
        return len(self.targets)

    def subset(self, keep: NDArray[np.bool_]) -> "Queries":
        """The queries where `keep` (n,) holds."""
        rows = np.flatnonzero(keep)
        return Queries(
            self.image[rows],
            self.text[rows],
            self.origin[rows],
            self.reference[rows],
            [self.targets[r] for r in rows],
            [self.said[r] for r in rows],
            [self.shows[r] for r in rows],
            self.fused[rows] if self.fused is not None else None,
            self.text_alone[rows] if self.text_alone is not None else None,
            [self.allowed[r] for r in rows],
            [self.away[r] for r in rows],
            [self.asked[r] for r in rows],
            [self.tiers[r] for r in rows],
            [self.photos[r] for r in rows],
            [self.named[r] for r in rows],
        )


@dataclass(frozen=True)
class _Row:
    """A usable row of a file of queries: the index rows that it names (-1: no reference), its words and its picture."""

    reference: int
    targets: NDArray[np.int64]
    text: str
    picture: Image.Image | None
    photo: bytes  # the picture as a small WebP


def read_queries(
    path: Path, index: ProductIndex, encoder: Encoder, progress: Progress = silent
) -> tuple[Queries, list[str]]:
    """Queries of a CSV with `product_id` or `target_ids` and any of image, text and reference_id; and what was skipped.

    Pictures lie beside the file. A row whose products the index does not hold, or whose picture does not decode, is
    skipped with the reason. Raises InputError when no row can be used.
    """
    try:
        cells = query_rows(path)
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise InputError("the queries '{path}' cannot be read: {reason}", path=path, reason=e) from None
    if not cells or not any(c in cells[0] for c in MATCH_COLUMNS):
        found = ", ".join(cells[0]) if cells else "an empty file"
        raise InputError(
            "'{name}' needs a column product_id or target_ids (space-separated); found {found}",
            name=path.name,
            found=found,
        )
    row_of = {p.id: i for i, p in enumerate(index.products)}
    rows, skipped = [], []
    for line, cell in enumerate(cells, 2):
        row = _read_row(cell, row_of, path.parent)
        if isinstance(row, str):
            skipped.append(f"line {line}: {row}")
            continue
        rows.append(row)
        if line % 64 == 0:
            progress(line, len(cells), "reading queries")
    if not rows:
        raise InputError(
            "none of the {n} queries of '{name}' fits this index; first: {first}",
            n=len(cells),
            name=path.name,
            first=skipped[0],
        )
    return _embed_rows(rows, index, encoder, progress), skipped


def _read_row(cell: dict[str, str], row_of: dict[str, int], folder: Path) -> _Row | str:
    """One row of a file of queries, or the reason why it is skipped."""
    wanted = (cell.get("target_ids") or cell.get("product_id") or "").split()
    targets = [row_of[t] for t in wanted if t in row_of]
    reference = cell.get("reference_id", "")
    if not targets or (reference and reference not in row_of):
        return f"the index does not hold {reference if targets else ' '.join(wanted) or 'a target'}"
    if not (cell.get("image") or cell.get("text") or reference):
        return "image, text and reference_id are all empty"
    try:
        picture = decode(folder / cell["image"], max_side=512) if cell.get("image") else None
        photo = thumbnail(folder / cell["image"], PHOTO_SIDE) if cell.get("image") else b""
    except InputError as e:
        return str(e)
    return _Row(row_of.get(reference, -1), np.array(targets, np.int64), cell.get("text", ""), picture, photo)


def _embed_rows(rows: list[_Row], index: ProductIndex, encoder: Encoder, progress: Progress) -> Queries:
    """The rows as queries; where a row has no picture, its reference product stands for one."""
    image = np.zeros((len(rows), index.image.shape[1]), np.float32)
    text, origin = (np.zeros((len(rows), index.text.shape[1]), np.float32) for _ in range(2))
    pictures = {i: row.picture for i, row in enumerate(rows) if row.picture is not None}
    pictured = list(pictures)
    for start in range(0, len(pictured), 128):
        part = pictured[start : start + 128]
        image[part] = photo_embeddings(encoder, [pictures[i] for i in part])
        progress(min(start + 128, len(pictured)), len(pictured), "encoding query pictures")
    texts = sorted({row.text for row in rows if row.text})
    vectors = dict(zip(texts, text_embeddings(encoder, texts), strict=True)) if texts else {}
    for i, row in enumerate(rows):
        if row.reference >= 0 and row.picture is None:
            image[i], origin[i] = index.image[row.reference], index.text[row.reference]
        if row.text:
            text[i] = vectors[row.text]
    # A photo of the very product that is asked for: it is the answer, not what the answer leaves out.
    left_out = np.array([-1 if row.reference in row.targets else row.reference for row in rows], np.int64)
    shows = [index.products[row.reference].id if row.reference >= 0 else "" for row in rows]
    targets, said, photos = [r.targets for r in rows], [r.text for r in rows], [r.photo for r in rows]
    return Queries(image, text, origin, left_out, targets, said, shows, photos=photos)

"""Products out of an index for use elsewhere: a whole catalogue with its embeddings in CSV or Parquet, and results."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmdemo.catalog.product import KNOWN, Product
from mmdemo.core.errors import InputError
from mmdemo.core.progress import Progress, silent
from mmdemo.core.spreadsheet import ENCODING, write_csv
from mmdemo.core.vectors import Array
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.recommendation import Recommendation

CSV, PARQUET = ".csv", ".parquet"
STEP = 4096  # rows that are written at a time
RESULT = ("rank", "score", "match", "grade", "image_part", "text_part", "interaction_part", "name_part", "reason")


def export(index: ProductIndex, out: Path, *, embeddings: bool | None = None, progress: Progress = silent) -> list[str]:
    """Write the whole catalogue of an index into a file.

    Parameters
    ----------
    index
        The open index.
    out
        A new file, ".csv" or ".parquet".
    embeddings
        Whether each product has its embeddings beside it; by default in Parquet: a spreadsheet has no use for them.
        `embedding.image` and `embedding.text` are the encoder's, of length one and empty where there is no picture,
        `embedding.fused` is the vector that is searched. In CSV each is a JSON list.
    progress
        Called with (done, total, what).

    Returns
    -------
    list[str]
        The columns that were written.

    Raises
    ------
    InputError
        For another kind of file, one that is there already, or a folder that cannot be written to.
    """
    kind = out.suffix.lower()
    if kind not in (CSV, PARQUET):
        raise InputError("'{name}' is neither .csv nor .parquet; give a file with one of these endings", name=out.name)
    if out.exists():
        raise InputError("'{name}' is there already; give another name, or delete it first", name=out.name)
    names = columns(index.products)
    part = out.with_name(out.name + ".part")
    try:
        write = _write_parquet if kind == PARQUET else _write_csv
        written = write(index, part, names, kind == PARQUET if embeddings is None else embeddings, progress)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError("'{name}' cannot be written ({reason})", name=out.name, reason=error.strerror) from error
    return written


def columns(products: Sequence[Product]) -> list[str]:
    """The columns that these products fill: the known ones, then their attributes and translations as they come."""
    known = [name for name in KNOWN if name in ("id", "image", "title") or any(getattr(p, name) for p in products)]
    others = dict.fromkeys(name for p in products for name in (*p.attributes, *p.translated))
    return [*known, *others]


def cells(product: Product, names: Sequence[str]) -> list[Any]:
    """The values of these columns, "" where the product has none; a price is a number or None."""
    others = product.attributes | product.translated
    return [getattr(product, name) if name in KNOWN else others.get(name, "") for name in names]


def result_rows(results: Sequence[Recommendation]) -> Iterator[list[object]]:
    """A heading and a row for each result: its products' columns, then rank, score, its parts, match and reason."""
    names = columns([r.product for r in results])
    yield [*names, *RESULT]
    for r in results:
        parts = [round(float(r.parts.get(name, 0.0)), 6) for name in ("image", "text", "interaction", "name")]
        figures = [r.rank, round(float(r.score), 6), round(float(r.match), 4), r.grade or "", *parts, r.reason]
        yield [*cells(r.product, names), *figures]


def _embeddings(index: ProductIndex, rows: slice) -> dict[str, Array]:
    dim = index.head.dim
    return {
        "embedding.image": index.image[rows, :dim],
        "embedding.text": index.text[rows, :dim],
        "embedding.fused": index.vectors[rows],
    }


def _steps(index: ProductIndex, progress: Progress) -> Iterator[slice]:
    for start in range(0, len(index), STEP):
        progress(start, len(index), "writing products")
        yield slice(start, start + STEP)
    progress(len(index), len(index), "writing products")


def _write_csv(index: ProductIndex, path: Path, names: list[str], embeddings: bool, progress: Progress) -> list[str]:
    heading = [*names, *(_embeddings(index, slice(0)) if embeddings else ())]
    with path.open("x", encoding=ENCODING, newline="") as file:
        write_csv(file, [heading])
        for rows in _steps(index, progress):
            beside = [_as_json(array) for array in _embeddings(index, rows).values()] if embeddings else []
            products = index.products[rows]
            write_csv(file, ([*cells(p, names), *(b[n] for b in beside)] for n, p in enumerate(products)))
    return heading


def _as_json(array: Array) -> list[str]:
    """Each row as a JSON list, "" for one of zeros."""
    return ["[" + ", ".join(f"{x:.7g}" for x in row.tolist()) + "]" if row.any() else "" for row in array]


def _write_parquet(
    index: ProductIndex, path: Path, names: list[str], embeddings: bool, progress: Progress
) -> list[str]:
    fields = [pa.field(name, pa.float64() if name == "price" else pa.string()) for name in names]
    if embeddings:
        fields += [
            pa.field(name, pa.list_(pa.float32(), array.shape[1]))
            for name, array in _embeddings(index, slice(0)).items()
        ]
    schema = pa.schema(fields)
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for rows in _steps(index, progress):
            table = list(zip(*(cells(p, names) for p in index.products[rows]), strict=True))
            arrays = [pa.array(list(column), field.type) for column, field in zip(table, schema, strict=False)]
            if embeddings:
                arrays += [_fixed_lists(array) for array in _embeddings(index, rows).values()]
            file.write_batch(pa.record_batch(arrays, schema=schema))
    return schema.names


def _fixed_lists(array: Array) -> pa.FixedSizeListArray:
    """Rows (n, d) as Arrow lists of d numbers, null for a row of zeros."""
    nothing = np.asarray(~array.any(axis=1))
    flat = pa.array(np.ascontiguousarray(array, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, array.shape[1], mask=pa.array(nothing))

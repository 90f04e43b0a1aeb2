"""An index folder, checked before it is believed: every hash first, then every type, size and number.

Nothing is unpickled, and FAISS, which trusts what it reads, is given a file only when all hashes match.
"""

import hashlib
import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from mmdemo.errors import InputError
from mmdemo.fusion import FusionHead, load_head
from mmdemo.links import STORED as LINKS
from mmdemo.links import Link, read_stored
from mmdemo.product import Product
from mmdemo.related import STORED as RELATED
from mmdemo.related import Related, load_related
from mmdemo.store import BESIDE, VectorStore
from mmdemo.stored import FAISS, MILVUS, STEP, far, ids_of, opened, rows_of
from mmdemo.vectors import Array

FORMAT = 4
ASKED = 16_384  # rows whose vectors the head is asked for again
CHECKED = 64  # vectors that are fetched from afar to see whether they are those of the rows
FILES = ("rows.jsonl", "vectors.safetensors", "head.safetensors", "report.json")


class Contents(NamedTuple):
    """What a version's folder holds."""

    products: list[Product]
    image: Array
    text: Array
    head: FusionHead
    manifest: dict[str, Any]
    report: dict[str, Any]
    folder: Path
    store: VectorStore
    links: tuple[Link, ...]
    related: Related | None
    vectors: Array


def mend(path: Path) -> str:
    """What to do with an index that was refused."""
    return f"build it again: python -m mmdemo build CATALOG --out {path}"


def read(path: Path, folder: Path) -> Contents:
    """The version in `folder` of the index `path`; InputError (expected, found, what to do) if not whole."""
    again = mend(path)
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        files, form = dict(manifest["files"]), manifest["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"the index '{path}' has no readable manifest.json; {again}") from None
    if form != FORMAT:
        shown = ascii(form)[:40]
        raise InputError(f"the index '{path}' has format {shown} and this program reads format {FORMAT}; {again}")
    for name in (*FILES, MILVUS if MILVUS in files else FAISS):
        if name not in files:
            raise InputError(f"the manifest of the index '{path}' does not list {name}; {again}")
    for name in (MILVUS, FAISS + BESIDE):  # read where they are, so no other may lie there
        if name not in files and (folder / name).exists():
            raise InputError(f"the index '{path}' holds {name}, which its manifest does not list; {again}")
    for name, expected in files.items():
        inside = _inside(folder, name)
        if inside is None:
            raise InputError(f"the index '{path}' should hold {name[:80]!r} as a file and does not; {again}")
        found = sha256(inside)
        if found != expected:
            raise InputError(
                f"{name} in the index '{path}' was changed: expected SHA-256 {ascii(expected).strip(chr(39))[:12]}…, "
                f"found {found[:12]}…; {again}"
            )
    try:
        products = [_product(line) for line in (folder / "rows.jsonl").read_text("utf-8").split("\n")[:-1]]
        links = read_stored(folder / LINKS, {p.id for p in products}) if LINKS in files else ()
        arrays = {name: _matrix(array) for name, array in _mapped(folder / "vectors.safetensors").items()}
        image, text = arrays["image"], arrays["text"]
        report = dict(json.loads((folder / "report.json").read_text(encoding="utf-8")))
        curves = {k: (float(a), float(b), float(c), float(d)) for k, (a, b, c, d) in manifest["calibration"].items()}
        manifest["calibration"] = curves
        manifest["floors"] = {k: float(v) for k, v in manifest["floors"].items()}
        if not all(math.isfinite(x) for curve in [*curves.values(), manifest["floors"].values()] for x in curve):
            raise ValueError("a calibration that is not finite")
        if not isinstance(manifest["encoder"], dict) or not isinstance(manifest["held_out"], list):
            raise TypeError("the manifest does not say what made the index")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, SafetensorError) as e:
        raise InputError(f"the index '{path}' cannot be read ({str(e)[:200]}); {again}") from None
    head, store = load_head(folder / "head.safetensors"), opened(folder)
    vectors = rows_of(store, folder)
    vectors = arrays.get("fused") if vectors is None else vectors
    try:
        related = load_related(folder / RELATED, head.width) if RELATED in files else None
    except (ValueError, SafetensorError) as e:
        raise InputError(f"the index '{path}' cannot be read ({e}); {again}") from None
    sizes = {"rows": len(products), "image": len(image), "text": len(text), "vectors": len(store),
             "manifest": manifest.get("count")}  # fmt: skip
    if not len(store):
        raise InputError(f"the vectors of the index '{path}' are no longer where it kept them; {again}")
    widths = (
        None if vectors is None else vectors.shape[1],
        head.image_width,
        head.text_width,
        manifest.get("dim"),
        manifest.get("head"),
    )
    fits = widths == (head.width, image.shape[1], text.shape[1], head.width, head.name)
    if vectors is None or len({repr(n) for n in sizes.values()}) > 1 or not products or not fits:
        raise InputError(f"the parts of the index '{path}' do not fit together ({sizes}); {again}")
    if len({p.id for p in products}) < len(products):
        raise InputError(f"the index '{path}' holds a product twice; {again}")
    try:
        ordered = _in_order(head, image, text, vectors, store)
    except ValueError as e:
        raise InputError(f"the index '{path}' cannot be read ({e}); {again}") from None
    if not ordered:
        raise InputError(f"the vectors of the index '{path}' are not in the order of its rows; {again}")
    return Contents(products, image, text, head, manifest, report, folder, store, links, related, vectors)


def _in_order(head: FusionHead, image: Array, text: Array, vectors: Array, store: VectorStore) -> bool:
    """Whether the store holds, one after the other, each row's vector, and it is what the head makes of that row.

    Of very many rows the head is asked for a part, and of vectors that are elsewhere a few are fetched.
    """
    some = _spread(len(vectors), ASKED)
    if not np.allclose(head.product_parts(image=image[some], text=text[some]).sum(1), vectors[some], atol=1e-3):
        return False
    ids = ids_of(store, len(vectors))
    if ids[0] < 0 or not (np.diff(ids) > 0).all():
        return False
    rows = _spread(len(vectors), CHECKED if far(store) else len(vectors))
    steps = [rows[s : s + STEP] for s in range(0, len(rows), STEP)]
    try:
        return all(np.allclose(store.vectors(ids[step]), vectors[step], atol=1e-3) for step in steps)
    except KeyError:
        return False


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """At most so many of `count` rows, from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _inside(folder: Path, name: str) -> Path | None:
    """The ordinary file of this name in the folder; None for anything else, links and ways out among them."""
    parts = Path(name).parts
    if not parts or ".." in parts or Path(name).is_absolute() or "\0" in name:
        return None
    try:
        steps = [folder.joinpath(*parts[: n + 1]) for n in range(len(parts))]
        return None if any(s.is_symlink() for s in steps) or not steps[-1].is_file() else steps[-1]
    except OSError:  # a name that is too long
        return None


def _product(line: str) -> Product:
    """One row of rows.jsonl; raises ValueError or TypeError for any that this program did not write."""
    row = json.loads(line)
    if "\\u" in line:  # half of a letter can be written in JSON, but sent to nobody
        json.dumps(row, ensure_ascii=False).encode()
    product = Product(**row)
    for field in fields(Product):
        value = row.get(field.name)
        if field.name == "price":
            good = value is None or (isinstance(value, float | int) and math.isfinite(value))
        elif field.name == "translated" and value is None:
            good = True
        elif field.name in ("attributes", "translated"):
            good = all(isinstance(x, str) for pair in value.items() for x in pair)
        else:
            good = isinstance(value, str)
        if not good:
            raise ValueError(f"the product {str(row.get('id'))[:40]!r} has a {field.name} of another type")
    return product


def _matrix(array: NDArray) -> Array:
    """Rows of finite float32 numbers; raises ValueError for anything else."""
    whole = array.ndim == 2 and array.dtype == np.float32
    if not whole or not all(np.isfinite(array[s : s + STEP]).all() for s in range(0, len(array), STEP)):
        raise ValueError(f"expected finite float32 rows, found {array.dtype} of shape {array.shape}")
    return array


def _mapped(path: Path) -> dict[str, NDArray]:
    """The float32 arrays of a safetensors file, mapped: a page is read when it is asked for, and may be dropped again.

    Raises SafetensorError or ValueError for a file that is none. What is written to them stays in memory.
    """
    with safe_open(path, "numpy") as known:  # checks that every array lies inside the file
        names = list(known.keys())
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    if any(header[name]["dtype"] != "F32" for name in names):
        raise ValueError("expected float32 numbers")
    return {
        name: np.asarray(np.memmap(path, np.float32, "c", 8 + size + header[name]["data_offsets"][0],
                                   tuple(header[name]["shape"])))
        for name in names
    }  # fmt: skip


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()

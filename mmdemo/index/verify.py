"""An index folder, checked before it is believed: every hash first, then every type, size and number.

Nothing is unpickled, and FAISS, which trusts what it reads, is given a file only when all hashes match.
"""

import hashlib
import json
import math
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open

from mmdemo.behaviour.behaviour import STORED as BEHAVIOUR
from mmdemo.behaviour.behaviour import Behaviour
from mmdemo.catalog.links import STORED as LINKS
from mmdemo.catalog.links import STORED_PLAIN as LINKS_PLAIN
from mmdemo.catalog.links import read_stored
from mmdemo.catalog.product import Product
from mmdemo.catalog.starting_queries import STORED as STARTING_QUERIES
from mmdemo.catalog.starting_queries import load_starting_queries
from mmdemo.catalog.thumbnails import CONTENT, TABLE, Thumbnails
from mmdemo.core.errors import InputError
from mmdemo.core.gzip_text import read_gzip
from mmdemo.core.messages import Message, from_json
from mmdemo.core.vectors import Array
from mmdemo.encode.further_pictures import FurtherPictures
from mmdemo.fusion.heads import FusionHead, load_head
from mmdemo.fusion.related import STORED as RELATED
from mmdemo.fusion.related import load_related
from mmdemo.index.backends import (
    FAISS,
    MILVUS,
    STEP,
    is_remote,
    local_vectors,
    open_store,
    row_ids,
)
from mmdemo.index.compact import ROWS, ROWS_PLAIN, SMALL, anchor, fused
from mmdemo.index.contents import Contents
from mmdemo.index.manifest import FORMAT, READABLE, Manifest
from mmdemo.index.store import BESIDE, FaissStore, VectorStore

PICTURE_HASHES, FURTHER = "picture_hashes.npy", "further.safetensors"
CHECKED = 64  # vectors that are fetched from afar to see whether they are those of the rows
FILES = (CONTENT, TABLE, "vectors.safetensors", "head.safetensors", "report.json")
DTYPES = {"F32": np.float32, "F16": np.float16}
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError)  # of a file's content


def mend(path: Path) -> Message:
    """What to do with an index that was refused."""
    return Message("build it again: python -m mmdemo build CATALOG --out {path}", path=path)


def read(path: Path, folder: Path) -> Contents:
    """The version in `folder` of the index `path`; InputError (expected, found, what to do) if not whole."""
    again, manifest = mend(path), read_manifest(path, folder)
    _check_files(path, folder, manifest)
    head, store = load_head(folder / "head.safetensors"), open_store(folder, manifest.files)
    try:
        contents = _parsed(folder, manifest, head, store)
        store = contents.store
    except (*UNREADABLE, SafetensorError) as e:
        raise InputError(
            "the index '{path}' cannot be read ({reason}); {again}", path=path, reason=str(e)[:200], again=again
        ) from None
    vectors = contents.vectors
    if store is None or not len(store):
        raise InputError(
            "the vectors of the index '{path}' are no longer where it kept them; {again}", path=path, again=again
        )
    sizes = {
        "rows": len(contents.products),
        "image": len(contents.image),
        "text": len(contents.text),
        "vectors": len(store),
        "manifest": manifest.count,
    }
    if vectors is None or len(set(sizes.values())) > 1 or not contents.products or not _fits(contents, vectors):
        raise InputError(
            "the parts of the index '{path}' do not fit together ({sizes}); {again}",
            path=path,
            sizes=sizes,
            again=again,
        )
    if len({p.id for p in contents.products}) < len(contents.products):
        raise InputError("the index '{path}' holds a product twice; {again}", path=path, again=again)
    try:
        ordered = _in_order(contents, vectors, store)
    except ValueError as e:
        raise InputError(
            "the index '{path}' cannot be read ({reason}); {again}", path=path, reason=e, again=again
        ) from None
    if not ordered:
        raise InputError(
            "the vectors of the index '{path}' are not in the order of its rows; {again}", path=path, again=again
        )
    return contents


def _check_files(path: Path, folder: Path, manifest: Manifest) -> None:
    """Raises InputError unless every file that an index needs is listed, is an ordinary file, and has its hash."""
    again = mend(path)
    listed = manifest.files
    plain = manifest.format < 6
    vectors = (MILVUS,) if MILVUS in listed else () if manifest.count <= SMALL and not plain else (FAISS,)
    for name in (ROWS_PLAIN if plain else ROWS, *FILES, *vectors):
        if name not in listed:
            raise InputError(
                "the manifest of the index '{path}' does not list {name}; {again}", path=path, name=name, again=again
            )
    for name in (MILVUS, FAISS + BESIDE):  # read where they are, so no other may lie there
        if name not in listed and (folder / name).exists():
            raise InputError(
                "the index '{path}' holds {name}, which its manifest does not list; {again}",
                path=path,
                name=name,
                again=again,
            )
    for name, expected in listed.items():
        file = _inside(folder, name)
        if file is None:
            raise InputError(
                "the index '{path}' should hold {name} as a file and does not; {again}",
                path=path,
                name=repr(name[:80]),
                again=again,
            )
        computed = sha256(file)
        if computed != expected:
            raise InputError(
                "{name} in the index '{path}' was changed: expected SHA-256 {expected}…, found {found}…; {again}",
                name=name,
                path=path,
                expected=ascii(expected).strip("'")[:12],
                found=computed[:12],
                again=again,
            )


def _parsed(folder: Path, manifest: Manifest, head: FusionHead, store: VectorStore | None) -> Contents:
    """What the other files hold, each by itself; raises one of UNREADABLE or SafetensorError."""
    files = manifest.files
    rows = read_gzip(folder / ROWS) if ROWS in files else (folder / ROWS_PLAIN).read_text("utf-8")
    products = [_product(line) for line in rows.split("\n")[:-1]]
    arrays = {name: _matrix(array) for name, array in _mapped(folder / "vectors.safetensors").items()}
    report = dict(from_json(json.loads((folder / "report.json").read_text(encoding="utf-8"))))
    thumbnails = Thumbnails.load(folder, len(products))
    stored_links = next((name for name in (LINKS, LINKS_PLAIN) if name in files), None)
    links = read_stored(folder / stored_links, {p.id for p in products}) if stored_links else ()
    related = load_related(folder / RELATED, head.width) if RELATED in files else None
    starting_queries = load_starting_queries(folder / STARTING_QUERIES) if STARTING_QUERIES in files else ()
    hashes = _hashes(folder / PICTURE_HASHES, len(products)) if PICTURE_HASHES in files else None
    further = FurtherPictures()
    if FURTHER in files:
        further = FurtherPictures.load(folder / FURTHER, len(products), arrays["image"].shape[1])
    behaviour = Behaviour.load(folder / BEHAVIOUR, len(products)) if BEHAVIOUR in files else None
    vectors = arrays.get("fused")
    if store is None:
        if (arrays["image"].shape[1], arrays["text"].shape[1]) != (head.image_width, head.text_width):
            raise ValueError("the embeddings are not of the widths that the head takes")
        if len(arrays["image"]) != len(arrays["text"]):
            raise ValueError("there are more embeddings of one kind than of the other")
        vectors = fused(head, arrays["image"], arrays["text"])
        store = FaissStore(head.width)
        store.add(np.arange(len(vectors)), vectors)
    elif not is_remote(store):
        vectors = local_vectors(store, folder)
    return Contents(
        products,
        arrays["image"],
        arrays["text"],
        head,
        manifest,
        report,
        folder,
        thumbnails,
        links,
        related,
        starting_queries,
        store,
        vectors,
        hashes,
        arrays.get("anchor"),
        further,
        behaviour,
    )


def _hashes(path: Path, rows: int) -> NDArray[np.uint8]:
    """The hashes of so many products' pictures; raises ValueError for anything else."""
    hashes = np.array(np.load(path, mmap_mode="r"))  # mapped first, so that a false length takes no memory
    if hashes.dtype != np.uint8 or hashes.shape != (rows, 32):
        raise ValueError(f"{path.name} holds no hash for each of {rows} rows")
    return hashes


def _fits(contents: Contents, vectors: Array) -> bool:
    """Whether the head takes the embeddings and gives the vectors, and is the one of the manifest."""
    head, manifest = contents.head, contents.manifest
    widths = (vectors.shape[1], contents.image.shape[1], contents.text.shape[1], manifest.dim, manifest.head)
    return widths == (head.width, head.image_width, head.text_width, head.width, head.name)


def read_manifest(path: Path, folder: Path) -> Manifest:
    """The manifest of the version in `folder`; InputError where it is of another format or of other types."""
    again = mend(path)
    try:
        text = (folder / "manifest.json").read_bytes()
        form = json.loads(text)["format"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise InputError("the index '{path}' has no readable manifest.json; {again}", path=path, again=again) from None
    if form not in READABLE:
        written = ascii(form)[:40]
        raise InputError(
            "the index '{path}' has format {written} and this program reads format {format}; {again}",
            path=path,
            written=written,
            format=FORMAT,
            again=again,
        )
    try:
        return Manifest.model_validate_json(text, strict=True)
    except ValidationError as e:
        fault = e.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part)[:40] for part in fault["loc"])
        raise InputError(
            "the manifest of the index '{path}' cannot be read ({place}: {fault}); {again}",
            path=path,
            place=place,
            fault=fault["msg"],
            again=again,
        ) from None


def _in_order(contents: Contents, vectors: Array, store: VectorStore) -> bool:
    """Whether the store holds, one after the other, each row's vector, and it is what the head makes of that row.

    Of very many rows the head is asked for a part, and of vectors that are elsewhere a few are fetched.
    """
    if contents.anchor is not None and not np.allclose(anchor(vectors), contents.anchor, atol=1e-3):
        return False
    sample = _spread(len(vectors), SMALL)
    if not np.allclose(fused(contents.head, contents.image[sample], contents.text[sample]), vectors[sample], atol=1e-3):
        return False
    ids = row_ids(store, len(vectors))
    if ids[0] < 0 or not (np.diff(ids) > 0).all():
        return False
    rows = _spread(len(vectors), CHECKED if is_remote(store) else len(vectors))
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
    """Rows of finite float32 numbers; raises ValueError for anything else. Half precision is widened, in memory."""
    array = array.astype(np.float32) if array.dtype == np.float16 else array
    whole = array.ndim == 2 and array.dtype == np.float32
    if not whole or not all(np.isfinite(array[s : s + STEP]).all() for s in range(0, len(array), STEP)):
        raise ValueError(f"expected finite float32 rows, found {array.dtype} of shape {array.shape}")
    return array


def _mapped(path: Path) -> dict[str, NDArray]:
    """The arrays of a safetensors file, mapped: a page is read when it is asked for, and may be dropped again.

    Raises SafetensorError or ValueError for a file that is none. What is written to them stays in memory.
    """
    with safe_open(path, "numpy") as tensors:  # checks that every array lies inside the file
        names = list(tensors.keys())
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
    if any(header[name]["dtype"] not in DTYPES for name in names):
        raise ValueError("expected float32 or float16 numbers")
    return {
        name: np.asarray(
            np.memmap(
                path,
                DTYPES[header[name]["dtype"]],
                "c",
                8 + size + header[name]["data_offsets"][0],
                tuple(header[name]["shape"]),
            )
        )
        for name in names
    }


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()

"""Indexes that are not whole, or not what they say, each a change to a good one: name -> what changes its version.

With `rehash` the manifest is made to match the damage, as one who can write files would do.
"""

import gzip
import hashlib
import json
import os
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from safetensors.numpy import load_file, save_file

from mmdemo.core.gzip_text import read_gzip, write_gzip
from mmdemo.index.product_index import ProductIndex

ROWS = "rows.jsonl.gz"
Change = Callable[[Path], None]
FILES = (
    ROWS,
    "thumbnails.bin",
    "thumbnails.npy",
    "vectors.safetensors",
    "head.safetensors",
    "report.json",
)


def manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def rehash(folder: Path) -> None:
    said = json.loads((folder / "manifest.json").read_text())
    for name in said["files"]:
        if (folder / name).is_file():
            said["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(said))


def rewritten(name: str, change: Callable[[bytes], bytes]) -> Change:
    def apply(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return apply


def then_rehashed(change: Change) -> Change:
    def apply(folder: Path) -> None:
        change(folder)
        rehash(folder)

    return apply


def _flip(data: bytes, seed: int) -> bytes:
    changed = bytearray(data)
    changed[random.Random(seed).randrange(len(changed))] ^= 1 << seed % 8
    return bytes(changed)


def _damaged() -> Iterator[tuple[str, Change]]:
    for name in FILES:
        for share in (0.0, 0.3, 0.99):
            yield f"{name} cut to {share:.0%}", rewritten(name, lambda d, s=share: d[: int(len(d) * s)])
        for seed in range(4):
            yield f"{name} with a flipped bit {seed}", rewritten(name, lambda d, s=seed: _flip(d, s))
        yield f"{name} with a byte more", rewritten(name, lambda d: d + b"\0")
        yield f"{name} missing", lambda folder, name=name: (folder / name).unlink()
        yield f"{name} as a folder", lambda folder, name=name: ((folder / name).unlink(), (folder / name).mkdir())[0]
        yield f"{name} as a link", _as_link(name)
        yield f"{name} as a pipe", lambda folder, name=name: ((folder / name).unlink(), os.mkfifo(folder / name))[0]
    yield "two files swapped", _swapped
    yield (
        "a device in place of the rows",
        lambda folder: ((folder / ROWS).unlink(), (folder / ROWS).symlink_to("/dev/zero"))[0],
    )


def _as_link(name: str) -> Change:
    def apply(folder: Path) -> None:
        elsewhere = folder.parent / f"elsewhere-{Path(name).name}"
        shutil.move(folder / name, elsewhere)
        (folder / name).symlink_to(elsewhere)

    return apply


def _swapped(folder: Path) -> None:
    one, two = (folder / name for name in ("vectors.safetensors", "head.safetensors"))
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)


def _manifests() -> Iterator[tuple[str, Change]]:
    path = "manifest.json"
    for name, text in (
        ("empty", ""),
        ("a list", "[]"),
        ("a number", "3"),
        ("null", "null"),
        ("cut", '{"files": {'),
        ("of another encoding", "\udcff"),
        ("deeply nested", "[" * 100_000),
        ("not a number", '{"files": NaN}'),
        ("a pickle", "\x80\x04."),
        ("a huge number", '{"format": ' + "9" * 5000 + "}"),
    ):
        yield f"manifest {name}", rewritten(path, lambda _, t=text: t.encode("utf-8", "surrogateescape"))
    for key in ("files", "format", "calibration", "count", "dim", "head", "encoder", "held_out"):
        yield f"manifest without {key}", _without(key)
    for key, values in {
        "files": (None, [], "x", 3, {ROWS: 3}, {}),
        "format": (99, "1", None, [1], 10**400),
        "count": (-1, 10**30, "48", None, 47, True, [48]),
        "dim": (0, 7, "16", None),
        "head": ("nonsense", None, 3),
        "calibration": (
            None,
            [],
            {"image": 1},
            {"image": [1]},
            {"image": [1, 0, 0]},
            {"image": ["a", "b", "c", "d"]},
            {"image": [1e999, 0, 0, 0]},
        ),
        "encoder": (None, "toy", []),
        "held_out": (None, 3, [3]),
        "words": (3, [], {"zh": 3}, {"zh": [1]}, {"zh": {"colour": {"a": 1}}}),
        "noun": (None, "posts", ["post"]),
        "store": (3, []),
    }.items():
        for value in values:
            yield f"manifest {key} = {str(value)[:20]}", lambda folder, k=key, v=value: manifest(folder, **{k: v})
    for name in ("../../etc/passwd", "/etc/passwd", "a\0b", "x" * 5000, "", ".", f"{ROWS}/x", "..\\x"):
        yield f"manifest lists {name[:20]!r}", _listed(name)


def _without(key: str) -> Change:
    def apply(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_text(json.dumps({k: v for k, v in json.loads(path.read_text()).items() if k != key}))

    return apply


def _listed(name: str) -> Change:
    def apply(folder: Path) -> None:
        files = json.loads((folder / "manifest.json").read_text())["files"]
        manifest(folder, files={**files, name: "0" * 64})

    return apply


def _rows(change: Callable[[list[dict[str, Any]]], list[Any]]) -> Change:
    def apply(folder: Path) -> None:
        rows = [json.loads(line) for line in read_gzip(folder / ROWS).splitlines()]
        write_gzip(folder / ROWS, "".join(json.dumps(row) + "\n" for row in change(rows)))

    return then_rehashed(apply)


def _arrays(change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> Change:
    def apply(folder: Path) -> None:
        arrays = change(dict(load_file(folder / "vectors.safetensors")))
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "vectors.safetensors")

    return then_rehashed(apply)


def _thumbnails(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    def apply(folder: Path) -> None:
        np.save(folder / "thumbnails.npy", change(np.load(folder / "thumbnails.npy")))

    return then_rehashed(apply)


def _faiss(make: Callable[[np.ndarray, np.ndarray], Any]) -> Change:
    def apply(folder: Path) -> None:
        index = ProductIndex.load(folder.parent)
        with_file(folder, make(index.vectors.copy(), np.arange(len(index))))

    return then_rehashed(apply)


def with_file(folder: Path, index: Any) -> None:
    """Give an index, small as it is, a file of FAISS, as those of format 5 have one."""
    faiss.write_index(index, str(folder / "index.faiss"))
    files = json.loads((folder / "manifest.json").read_text())["files"]
    manifest(folder, files={**files, "index.faiss": ""})


_KEPT: list[Any] = []


def _faiss_bytes(content: bytes) -> Change:
    def apply(folder: Path) -> None:
        (folder / "index.faiss").write_bytes(content)
        manifest(folder, files={**json.loads((folder / "manifest.json").read_text())["files"], "index.faiss": ""})

    return then_rehashed(apply)


def _mapped(flat: Any, vectors: np.ndarray, ids: np.ndarray) -> Any:
    index = faiss.IndexIDMap2(flat)
    index.add_with_ids(np.ascontiguousarray(vectors), np.ascontiguousarray(ids))
    _KEPT.append(flat)  # the map only points to it
    return index


def _consistent() -> Iterator[tuple[str, Change]]:
    """Every hash matches, and the content does not."""
    wrong_cells = (
        ("price", "12"),
        ("price", [1]),
        ("title", 3),
        ("title", "\ud800"),
        ("attributes", []),
        ("attributes", {"a": 1}),
        ("id", None),
        ("colour", "x"),
    )
    for key, value in wrong_cells:
        yield f"row with {key} = {value!r}", _rows(lambda rows, k=key, v=value: [{**rows[0], k: v}, *rows[1:]])
    yield "row that is a list", _rows(lambda rows: [[], *rows[1:]])
    yield "row that is null", _rows(lambda rows: [None, *rows[1:]])
    yield "rows that came twice", _rows(lambda rows: [rows[0], rows[0], *rows[2:]])
    yield "a row less", _rows(lambda rows: rows[1:])
    yield "no rows", _rows(lambda rows: [])
    yield (
        "rows that unpack to more than a table does",
        then_rehashed(rewritten(ROWS, lambda _: gzip.compress(bytes(2**24)))),
    )
    yield "rows that are not packed", then_rehashed(rewritten(ROWS, gzip.decompress))
    yield "rows packed in two pieces", then_rehashed(rewritten(ROWS, lambda d: d + gzip.compress(b"{}")))
    yield "rows whose packing is cut", then_rehashed(rewritten(ROWS, lambda d: d[:-9]))
    yield "pictures of another width", _arrays(lambda a: {**a, "image": a["image"][:, :5]})
    yield "words of another width", _arrays(lambda a: {**a, "text": np.hstack([a["text"], a["text"]])})
    yield "pictures in one line", _arrays(lambda a: {**a, "image": a["image"].ravel()})
    yield "pictures that are no numbers", _arrays(lambda a: {**a, "image": a["image"] * np.nan})
    yield "pictures as doubles", _arrays(lambda a: {**a, "image": a["image"].astype(np.float64)})
    yield "pictures as bytes", _arrays(lambda a: {**a, "image": a["image"].astype(np.uint8)})
    yield "pictures in another order", _arrays(lambda a: {**a, "image": a["image"][::-1]})
    yield "one picture's row moved", _arrays(lambda a: {**a, "image": np.roll(a["image"], 1, axis=0)})
    yield "no pictures' rows", _arrays(lambda a: {"text": a["text"]})
    far = {"image": {"dtype": "F32", "shape": [2**40, 16], "data_offsets": [0, 2**46]}}
    wrong = {"image": {"dtype": "F32", "shape": [9, 9], "data_offsets": [0, 8]}}
    strange = {"image": {"dtype": "PICKLE", "shape": [1], "data_offsets": [0, 8]}}
    same = {k: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} for k in ("image", "text")}
    for name, header in (
        ("of a length beyond the file", struct.pack("<Q", 2**40) + b"{}"),
        ("of no length", struct.pack("<Q", 0)),
        ("that is no JSON", struct.pack("<Q", 4) + b"nope"),
        ("whose numbers lie outside", _tensors(far)),
        ("whose shape lies", _tensors(wrong) + bytes(8)),
        ("of an unknown type", _tensors(strange) + bytes(8)),
        ("whose parts overlap", _tensors(same) + bytes(8)),
    ):
        for file in ("vectors.safetensors", "head.safetensors"):
            yield f"{file} with a header {name}", then_rehashed(rewritten(file, lambda _, h=header: h))
    yield "a pickle in place of the head", then_rehashed(rewritten("head.safetensors", lambda _: b"\x80\x04\x95."))
    yield "FAISS by another distance", _faiss(lambda v, i: _mapped(faiss.IndexFlatL2(v.shape[1]), v, i))
    yield "FAISS without ids", _faiss(lambda v, i: _filled(faiss.IndexFlatIP(v.shape[1]), v))
    yield "FAISS of a graph", _faiss(lambda v, i: _mapped(faiss.IndexHNSWFlat(v.shape[1], 8), v, i))
    yield "FAISS of another width", _faiss(lambda v, i: _mapped(faiss.IndexFlatIP(4), v[:, :4], i))
    yield "FAISS with a vector less", _faiss(lambda v, i: _mapped(faiss.IndexFlatIP(v.shape[1]), v[1:], i[1:]))
    yield "FAISS in another order", _faiss(lambda v, i: _mapped(faiss.IndexFlatIP(v.shape[1]), v, i[::-1].copy()))
    yield (
        "FAISS with two rows exchanged",
        _faiss(lambda v, i: _mapped(faiss.IndexFlatIP(v.shape[1]), v, np.r_[i[1], i[0], i[2:]])),
    )
    yield (
        "FAISS with an id twice",
        _faiss(lambda v, i: _mapped(faiss.IndexFlatIP(v.shape[1]), v, np.r_[i[0], i[0], i[2:]])),
    )
    yield "FAISS with ids that stand for nothing", _faiss(lambda v, i: _mapped(faiss.IndexFlatIP(v.shape[1]), v, i - 1))
    yield "FAISS of no numbers", _faiss(lambda v, i: _mapped(faiss.IndexFlatIP(v.shape[1]), v * np.nan, i))
    yield "FAISS of another kind of file", _faiss_bytes(b"\x93NUMPY" + bytes(99))
    yield "a picture less", then_rehashed(rewritten("thumbnails.bin", lambda d: d[:-1]))
    yield "a picture of no row", _thumbnails(lambda t: t + np.array([len(t), 0]))
    yield "a picture of a row before the first", _thumbnails(lambda t: t - np.array([1, 0]))
    yield "pictures in another order", _thumbnails(lambda t: t[::-1])
    yield "pictures that overlap", _thumbnails(lambda t: np.c_[t[:, 0], np.roll(t[:, 1], 1)])
    yield "pictures that end after the file", _thumbnails(lambda t: t + np.array([0, 1]))
    yield "pictures in one line of numbers", _thumbnails(lambda t: t.ravel())
    yield "pictures without ends", _thumbnails(lambda t: t[:, :1])
    yield "ends of pictures as fractions", _thumbnails(lambda t: t.astype(float))
    yield "no ends of pictures", _thumbnails(lambda t: t[:0])
    yield "a pickle among the pictures", then_rehashed(rewritten("thumbnails.npy", lambda _: b"\x80\x04\x95."))
    yield (
        "ends of more pictures than there is memory",
        then_rehashed(
            rewritten("thumbnails.npy", lambda d: d.replace(b"(48, 2), }" + 11 * b" ", b"(2000000000000, 2), }"))
        ),
    )
    yield "report that is a list", then_rehashed(rewritten("report.json", lambda _: b"[1]"))
    yield "report deeply nested", then_rehashed(rewritten("report.json", lambda _: b"[" * 100_000))


def _filled(index: Any, vectors: np.ndarray) -> Any:
    index.add(vectors)
    return index


def _tensors(header: dict[str, Any]) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


def corpus() -> dict[str, Change]:
    """Every change, by name."""
    sorts = {"damaged": _damaged, "manifest": _manifests, "consistent": _consistent}
    return {f"{sort}: {name}": change for sort, make in sorts.items() for name, change in make()}

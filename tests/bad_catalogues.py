"""Catalogues that nobody should send: name -> what fills an empty folder, and the path in it that is read."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

HEAD = "id,image,title,price\n"
GOOD = HEAD + "a,a.png,A red mug,12\n"


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (6, 4), "red").save(stream, "PNG")
    return stream.getvalue()


def table(text: str | bytes, name: str = "catalog.csv") -> Callable[[Path], Path]:
    def fill(folder: Path) -> Path:
        (folder / "a.png").write_bytes(picture())
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder

    return fill


def packed(
    *members: tuple[str | zipfile.ZipInfo, bytes], name: str = "shop.zip", edit: Callable[[bytes], bytes] = bytes
) -> Callable[[Path], Path]:
    def fill(folder: Path) -> Path:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
            for member, content in members:
                target.writestr(member, content)
        (folder / name).write_bytes(edit(stream.getvalue()))
        return folder / name

    return fill


def parquet(columns: dict[str, list] | pa.Table, edit: Callable[[bytes], bytes] = bytes) -> Callable[[Path], Path]:
    def fill(folder: Path) -> Path:
        (folder / "a.png").write_bytes(picture())
        stream = io.BytesIO()
        made = columns if isinstance(columns, pa.Table) else pa.table(columns)
        pq.write_table(made, stream, store_schema=not any(pa.types.is_dictionary(kind) for kind in made.schema.types))
        (folder / "catalog.parquet").write_bytes(edit(stream.getvalue()))
        return folder

    return fill


def again(text: str, count: int) -> pa.DictionaryArray:
    """A column of one text so many times, written once."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([text]))


def made(work: Callable[[Path], object], path: str = "") -> Callable[[Path], Path]:
    def fill(folder: Path) -> Path:
        work(folder)
        return folder / path

    return fill


def special(kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("b.png")
    info.external_attr = (kind | 0o777) << 16
    return info


def _cell(text: str) -> Callable[[Path], Path]:
    return table(f"{HEAD}a,{text},A,1\n")


ONE = {"id": ["a"], "image": ["a.png"], "title": ["A"]}
CSV = ("catalog.csv", GOOD.encode())
SHOP = (CSV, ("a.png", picture()))  # would be read, were it not for what comes with it
FAR = (b"PK\x01\x02", struct.pack("<I", 2**32 - 1))

REFUSED: dict[str, Callable[[Path], Path]] = {
    # tables
    "two hundred thousand columns": table(",".join(f"c{n}" for n in range(200_000)) + "\n1\n"),
    "one line of five megabytes": table(HEAD + "a" * 5_000_000),
    "an open quote before everything": table(HEAD + '"' + "x,\n" * 200_000),
    "rows that never fit": table(HEAD + "x,\n" * 150_000),
    "utf-16 cut in half": table(GOOD.encode("utf-16") + b"x"),
    "utf-32": table(GOOD.encode("utf-32")),
    "utf-7": table("+AGkAZA-,image,title\n+AGE-,a.png,A\n"),
    "a title that is not seen": table(HEAD + "a,a.png,\u200b\u200b\u2060,1\n"),
    "a web page": table("<html><table><tr><td>id</td></tr></table></html>"),
    "json": table('[{"id": 1}]'),
    "only a separator": table("sep=;\n"),
    "a header of a hundred thousand letters": table(f"id,image,{'t' * 100_000}\n"),
    "xlsx renamed": table(b"PK\x03\x04" + bytes(200)),
    "ods renamed": table(b"PK\x03\x04" + bytes(200), "catalog.tsv"),
    # pictures
    "an absolute path": _cell("/etc/passwd"),
    "a path upwards": _cell("../../etc/passwd"),
    "a path upwards on the other system": _cell("..\\..\\etc\\passwd"),
    "a device": _cell("/dev/zero"),
    "a share": _cell("\\\\host\\share\\elsewhere.png"),
    "a home": _cell("~/.ssh/id_rsa"),
    "the metadata address of a cloud": _cell("http://169.254.169.254/latest/meta-data/"),
    "an address of this machine": _cell("http://127.0.0.1:1/elsewhere.png"),
    "a file address": _cell("file:///etc/passwd"),
    "a data address": _cell("data:image/png;base64,AAAA"),
    "the folder itself": _cell("."),
    "a name of 5,000 letters": _cell("x" * 5000),
    "a path of 3,000 folders": _cell("x/" * 3000),
    "a pipe": made(lambda f: (os.mkfifo(f / "p.png"), (f / "catalog.csv").write_text(HEAD + "a,p.png,A,1\n"))),
    "a link out": made(
        lambda f: (
            (f.parent / "o.png").write_bytes(picture()),
            (f / "l.png").symlink_to(f.parent / "o.png"),
            (f / "catalog.csv").write_text(HEAD + "a,l.png,A,1\n"),
        )
    ),
    "a linked folder": made(
        lambda f: (
            (f.parent / "o.png").write_bytes(picture()),
            (f / "l").symlink_to(f.parent),
            (f / "catalog.csv").write_text(HEAD + "a,l/o.png,A,1\n"),
        )
    ),
    # files of other kinds
    "a table that is a link out": made(lambda f: (f / "catalog.csv").symlink_to("/etc/passwd")),
    "a table that is a pipe": made(lambda f: os.mkfifo(f / "catalog.csv"), "catalog.csv"),
    "a table that is a device": made(lambda f: (f / "catalog.csv").symlink_to("/dev/zero"), "catalog.csv"),
    "a name with a zero": made(lambda f: None, "a\0b"),
    "a name of 5,000": made(lambda f: None, "x" * 5000),
    "only a name that is no text": made(lambda f: open(os.fsencode(f) + b"/\xff.png", "wb").write(picture())),
    # zips
    "zip: a path upwards": packed(("../evil.png", b"x"), *SHOP),
    "zip: an absolute path": packed(("/tmp/mmdemo-evil.png", b"x"), *SHOP),
    "zip: a drive": packed(("C:/evil.png", b"x"), *SHOP),
    "zip: a link": packed((special(stat.S_IFLNK), b"/etc/passwd"), *SHOP),
    "zip: another zip": packed(("inner.ZIP", b"PK"), *SHOP),
    "zip: names that differ in case": packed(("A.png", picture()), *SHOP),
    "zip: names that differ in accents": packed(("\u00e9.png", picture()), ("e\u0301.png", picture()), *SHOP),
    "zip: a name of 500": packed(("x" * 500 + ".png", picture()), *SHOP),
    "zip: folders within folders": packed(("a/" * 30 + "b.png", picture()), *SHOP),
    "zip: folders without end": packed(*((f"{n}/" + "a/" * 18 + "b.png", b"x") for n in range(5500)), *SHOP),
    "zip: a bomb": packed(("catalog.csv", bytes(450_000_000))),
    "zip: bombs in pieces": packed(*((f"{n}.csv", bytes(3_000_000)) for n in range(20))),
    "zip: a size that lies": packed(
        *SHOP, edit=lambda d: d.replace(struct.pack("<I", len(GOOD)), struct.pack("<I", 3))
    ),
    "zip: a list of four gigabytes": packed(CSV, edit=lambda d: d[:-10] + struct.pack("<I", 2**32 - 2) + d[-6:]),
    "zip: a file without a name": packed(("zz", b"x"), *SHOP, edit=lambda d: d.replace(b"zz", b"\0z")),
    "zip: cut": packed(CSV, ("a.png", picture()), edit=lambda d: d[: len(d) // 2]),
    "zip: locked": packed(
        *SHOP, edit=lambda d: d.replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0")
    ),
    "zip: of several disks": packed(CSV, edit=lambda d: d[:-18] + b"\3\0\3\0" + d[-14:]),
    "zip: nothing but hidden files": packed((".hidden", b"x"), ("__MACOSX/a.png", b"x")),
    # parquet
    "parquet: text": table(GOOD, "catalog.parquet"),
    "parquet: cut": parquet(ONE, edit=lambda d: d[:-30] + d[-8:]),
    "parquet: a foot of four gigabytes": parquet(ONE, edit=lambda d: d[:-8] + struct.pack("<I", 2**32 - 1) + b"PAR1"),
    "parquet: pictures as bytes": parquet({**ONE, "image": [b"\x89PNG"]}),
    "parquet: pictures as records": parquet({**ONE, "image": [{"bytes": b"\x89PNG", "path": "a.png"}]}),
    "parquet: one text a million times": parquet(
        {"id": [str(n) for n in range(20_000)], "image": [""] * 20_000, "title": again("x" * 200_000, 20_000)}
    ),
    "parquet: rows of two megabytes": parquet(
        {
            **{name: again("x" * 900_000, 100) for name in ("title", "more")},
            "id": [str(n) for n in range(100)],
            "image": [""] * 100,
        }
    ),
    "parquet: a cell of two million letters": parquet({**ONE, "title": ["x" * 2_000_000]}),
    "parquet: a year that does not exist": parquet(pa.table({**ONE, "made": pa.array([2**62], pa.timestamp("us"))})),
    "parquet: other columns": parquet({"a": [1]}),
    "parquet: no rows": parquet({"id": [], "image": [], "title": []}),
    "parquet: numbers for pictures": parquet({"id": [1], "image": [2.5], "title": [None]}),
}

# Read, and harmless: name -> what fills the folder, the ids that are taken.
READ: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "ids of every sort": (
        table(HEAD + "".join(f"{i},a.png,T,1\n" for i in ("../../x", "CON", "con", "nul.txt", "a b", "-1", "=1+1"))),
        ["../../x", "CON", "con", "nul.txt", "a b", "-1", "=1+1"],
    ),
    "ids that look the same": (table(HEAD + "e\u0301,a.png,T,1\n\u00e9,a.png,T,1\n"), ["e\u0301"]),
    "two byte order marks": (table("\ufeff\ufeff" + GOOD), ["a"]),
    "prices that are none": (
        table(
            HEAD
            + "".join(
                f"p{n},a.png,T,{p}\n"
                for n, p in enumerate(("1e999", "NaN", "inf", "-5", "0x10", "\u0661\u0662", "1_000"))
            )
        ),
        [f"p{n}" for n in range(7)],
    ),
    "a row of a million empty cells": (table(GOOD.rstrip() + "," * 1_000_000 + "\n"), ["a"]),
    "a cell of markup without an end": (table(HEAD + "a,a.png," + "<" * 100_000 + ",1\n"), ["a"]),
    "words that turn around": (table(HEAD + "a,a.png,\u202eevil\u202c,1\n"), ["a"]),
    "a folder that holds itself": (
        made(lambda f: (table(HEAD + "a,l/l/l/a.png,A,1\n")(f), (f / "l").symlink_to(f))),
        ["a"],
    ),
    "names that are no text among others": (
        made(
            lambda f: (open(os.fsencode(f) + b"/\xff.png", "wb").write(picture()), (f / "b.png").write_bytes(picture()))
        ),
        ["b"],
    ),
    "a name of two lines": (made(lambda f: (f / "b\nc.png").write_bytes(picture())), ["b c"]),
    "links with ends of lines that are none": (
        made(
            lambda f: (
                table(HEAD + "a,a.png,A,1\nb,a.png,B,1\n")(f),
                (f / "links.csv").write_text("id,other_id,kind\na,b,goes\u2028with\x85it\n", encoding="utf-8"),
            )
        ),
        ["a", "b"],
    ),
    "parquet: huge numbers": (parquet({**ONE, "price": [10**18]}), ["a"]),
    "parquet: nested": (parquet({**ONE, "more": [[[1], [2]]]}), ["a"]),
}

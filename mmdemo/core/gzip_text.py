"""Text files packed by gzip: the same bytes from the same text, and a bound on what a false file unpacks to."""

import gzip
import zlib
from pathlib import Path

RATIO = 200  # a file unpacks to at most so many times its length; tables of products reach 20


def write_gzip(path: Path, text: str) -> None:
    """Write a text as UTF-8, packed."""
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def read_gzip(path: Path) -> str:
    """The text of a packed file; ValueError for one that is damaged, or would unpack to more than RATIO allows."""
    packed = path.read_bytes()
    unpacker = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        text = unpacker.decompress(packed, RATIO * len(packed) + 1)
    except zlib.error as e:
        raise ValueError(f"{path.name} is no gzip file ({e})") from e
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError(f"{path.name} is not one whole gzip file")
    return text.decode("utf-8")

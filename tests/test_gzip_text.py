"""Packed text files: the same bytes each time, and no false file unpacks without bound."""

import gzip

import pytest

from mmdemo.core.gzip_text import read_gzip, write_gzip


def test_a_text_comes_back_and_makes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_gzip(tmp_path / name, "Müsli\u2028\n" * 9)
    assert read_gzip(tmp_path / "a") == "Müsli\u2028\n" * 9
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        gzip.compress(b"x")[:-1],
        gzip.compress(b"x") + b"y",
        gzip.compress(bytes(2**20)),
        gzip.compress(b"\xff"),
    ],
    ids=["empty", "plain text", "cut", "more behind it", "unpacks to far too much", "no UTF-8"],
)
def test_what_is_damaged_or_unpacks_to_far_too_much_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError):
        read_gzip(tmp_path / "file")

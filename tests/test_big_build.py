"""The table of the measurement of large builds: any number of rows, each with a picture of its own."""

import hashlib

from benchmarks.big_build import write_table
from mmdemo.catalog.catalog import Catalog


def test_the_table_has_the_rows_that_were_asked_for_and_no_picture_twice(tmp_path, monkeypatch, toy_folder):
    monkeypatch.setattr("benchmarks.big_build.resolve_spec", lambda _: toy_folder)
    shop = write_table(tmp_path, 60, seed=0)  # of 48 products
    catalog = Catalog.read(shop)
    assert len(catalog) == 60 and not catalog.refused and not catalog.warnings
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in (shop / "images").iterdir()}) == 60
    first, again = catalog.products[2], catalog.products[50]
    assert (again.title, again.attributes, again.id) == (first.title, first.attributes, first.id[:-1] + "1")
    assert write_table(tmp_path, 60, seed=0) == shop, "it is used again"

"""A whole made-up shop through each export with its nasty parts: titles, prices, kinds and pictures value by value."""

from pathlib import Path

import pytest

from mmdemo.catalog.catalog import Catalog
from tests.shop_exports import EXPORTS, Truth, values, write_pictures


def read(folder: Path, name: str) -> tuple[Catalog, dict[str, Truth]]:
    """The catalogue of an export beside the shop's pictures, and the truth."""
    write_pictures(folder)
    (file, content), truth = EXPORTS[name]()
    (folder / file).write_bytes(content)
    return Catalog.read(folder / file), truth


@pytest.mark.parametrize("name", EXPORTS)
def test_a_folder_of_an_export_and_pictures_is_opened_by_the_export(tmp_path, name):
    _, truth = read(tmp_path, name)
    (tmp_path / "readme.txt").write_text("Nothing,\nof a table.\n")
    (tmp_path / "catalog.json").write_text('{"noun": ["thing", "things"]}')
    assert {p.id for p in Catalog.read(tmp_path)} == truth.keys()


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_opens_as_it_comes_with_every_value_right(tmp_path, name):
    catalog, truth = read(tmp_path, name)
    assert values(catalog, catalog.views) == truth
    assert len(truth) >= 35 and not catalog.refused


def test_shopify_s_variants_are_attributes_of_products_of_one_parent(tmp_path):
    catalog, _ = read(tmp_path, "shopify")
    red, blue = catalog.products[:2]
    assert (red.attributes["size"], red.attributes["colour"], red.attributes["regular_price"]) == ("S|M", "Red", "9.00")
    assert (blue.attributes["size"], blue.attributes["colour"]) == ("M", "Blue") and red.parent == blue.parent == "h0"
    assert red.description == "Of clay. 350 ml" and red.attributes["variant_ids"] == "0-RS|0-RM"

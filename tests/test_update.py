"""An index kept in step with its shop: added, changed and removed in one version, pictures encoded only where new."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.encode.embed import embed
from mmdemo.index.product_index import ProductIndex, live_version
from mmdemo.pipeline.update import update
from tests.toys import ToyEncoder, picture


class CountingEncoder(ToyEncoder):
    """Counts what it is asked to encode."""

    def __init__(self) -> None:
        self.pictures, self.sentences = 0, list[str]()

    def encode_image(self, images):
        self.pictures += len(images)
        return super().encode_image(images)

    def encode_text(self, texts):
        self.sentences += texts
        return super().encode_text(texts)


@pytest.fixture
def shop(toy_folder, toy_index, tmp_path) -> tuple[Path, Path]:
    """A folder that can be changed, and the index of it."""
    return shutil.copytree(toy_folder, tmp_path / "shop"), shutil.copytree(toy_index, tmp_path / "index")


def rewrite(folder: Path, **changes: str | None) -> None:
    """Change lines of the table: old text -> new text, or None for a line that goes."""
    lines = (folder / "products.csv").read_text(encoding="utf-8").splitlines()
    for product, new in changes.items():
        name = product.replace("_", "-")
        at = next((n for n, line in enumerate(lines) if line.startswith(f"{name},")), len(lines))
        lines[at : at + 1] = [] if new is None else [new]
    (folder / "products.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def same_as_encoded(index: ProductIndex, folder: Path, work: Path) -> bool:
    """Whether the index holds what encoding the folder gives, product by product."""
    whole = embed(Catalog.read(folder), ToyEncoder(), work)
    assert {p.id: p for p in index.products} == {p.id: p for p in whole.products}
    for n, p in enumerate(whole.products):
        row = index.row(p.id)
        np.testing.assert_allclose(index.image[row], whole.image[n], atol=3e-4)  # half precision
        np.testing.assert_allclose(index.text[row], whole.text[n], atol=3e-4)
        assert index.thumbnail(p.id) == whole.thumbnails.read(n)
        assert index.picture_hashes[row].tobytes() == whole.picture_hashes[n].tobytes()
    return True


def test_one_update_adds_changes_and_removes_and_encodes_new_pictures_alone(shop, tmp_path):
    folder, out = shop
    picture("tray", "yellow", scale=0.9).save(folder / "images" / "new.png")
    picture("mug", "green", scale=0.5).save(folder / "images" / "mug-1-red.png")
    rewrite(
        folder,
        mug_0_red='mug-0-red,images/mug-0-red.png,"Red mug, size 0",A mug.,Mug,8.00 €,Red,mug-0',
        mug_0_green='mug-0-green,images/mug-0-green.png,"Green cup, size 0",A mug.,Mug,11.00 €,Green,mug-0',
        tray_3_blue=None,
        tray_3_black=None,
        new='new,images/new.png,"Yellow tray, huge",A tray.,Tray,40.00 €,Yellow,tray-9',
    )
    encoder, before = CountingEncoder(), live_version(out)
    index, changes = update(out, Catalog.read(folder), encoder)
    assert (changes.added, changes.changed, changes.removed, changes.unchanged) == (1, 3, 2, 43)
    assert changes.encoded == 2 and str(changes.message).startswith("1 added, 3 changed, 2 removed, 43 as before")
    assert len(set(encoder.sentences)) == 3, "a product with another price has the text that it had"
    assert live_version(out) != before and len(list(out.glob("20*"))) <= 2, "all in one version"
    assert index.products[index.row("mug-0-red")].price == 8 and index.row("mug-0-red") == 0
    assert same_as_encoded(index, folder, tmp_path / "work")
    scores, rows = index.search(index.vectors[index.row("mug-1-red")], 1)
    np.testing.assert_allclose(scores, 1, atol=1e-5)
    for vector in index.vectors:  # the store holds the new vectors, and no others
        scores, rows = index.search(vector, 5)
        np.testing.assert_allclose(scores, np.sort(index.vectors @ vector)[::-1][:5], atol=1e-5)
        np.testing.assert_allclose(index.vectors[rows] @ vector, scores, atol=1e-5)


def test_an_export_without_changes_leaves_the_version_as_it_is(shop):
    folder, out = shop
    before, encoder = live_version(out), CountingEncoder()
    index, changes = update(out, Catalog.read(folder), encoder)
    assert (changes.unchanged, changes.added, changes.encoded, encoder.pictures) == (48, 0, 0, 0)
    assert live_version(out) == before and len(index) == 48


def test_half_an_export_is_refused_unless_the_shop_shrank(shop):
    folder, out = shop
    lines = (folder / "products.csv").read_text(encoding="utf-8").splitlines()
    (folder / "products.csv").write_text("\n".join(lines[:11]) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"38 of the 48 products .* not in this export.*--shrink"):
        update(out, Catalog.read(folder), ToyEncoder())
    assert len(ProductIndex.load(out)) == 48
    index, changes = update(out, Catalog.read(folder), ToyEncoder(), shrink=True)
    assert (len(index), changes.removed) == (10, 38)


def test_a_product_whose_row_or_picture_is_at_fault_stays_as_it_was(shop):
    folder, out = shop
    (folder / "images" / "mug-0-red.png").unlink()
    whole = (folder / "images" / "mug-0-green.png").read_bytes()
    (folder / "images" / "mug-0-green.png").write_bytes(whole[: len(whole) // 2])
    index, changes = update(out, Catalog.read(folder), ToyEncoder())
    assert (changes.changed, changes.removed, changes.unchanged) == (0, 0, 48)
    assert [r.id for r in changes.refused] == ["mug-0-green"] and index.thumbnail("mug-0-red")


def test_an_index_from_before_hashes_were_kept_is_encoded_once_and_then_known(shop):
    folder, out = shop
    old = ProductIndex.load(out)
    old.picture_hashes[:] = 255
    old.save(out)
    assert update(out, Catalog.read(folder), ToyEncoder())[1].encoded == 48
    assert update(out, Catalog.read(folder), ToyEncoder())[1].unchanged == 48

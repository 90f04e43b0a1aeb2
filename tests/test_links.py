"""What goes with what: read beside the catalogue, kept in the index, shown on the product page."""

import io
import json
import shutil

import gradio as gr
import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.links import Link
from mmdemo.core.errors import InputError
from mmdemo.core.gzip_text import write_gzip
from mmdemo.index.product_index import ProductIndex
from mmdemo.pipeline.build import remove
from mmdemo.search.live import Live
from mmdemo.search.recommender import Recommender
from tests.toys import ToyEncoder, picture, quick_build, toy_catalogue

LINKS = """id,other_id,kind,source
mug-0-red,tray-0-red,breakfast,simulated
mug-0-red,tray-0-blue,,simulated
tray-0-red,mug-0-red,again,simulated
mug-0-red,nobody,breakfast,simulated
mug-0-red,mug-0-red,itself,simulated
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A toy shop with links, and with two further pictures of one product."""
    folder = toy_catalogue(tmp_path_factory.mktemp("linked") / "shop", copies=1)
    (folder / "links.csv").write_text(LINKS)
    table = folder / "products.csv"
    rows = table.read_text().splitlines()
    views = "images/side.png|images/top.png|images/missing.png"
    rows = [f"{rows[0]},views", *(f"{row},{views if row.startswith('mug-0-red,') else ''}" for row in rows[1:])]
    table.write_text("\n".join(rows) + "\n")
    picture("mug", "red", scale=0.3).save(folder / "images" / "side.png")
    picture("mug", "red", scale=0.9).save(folder / "images" / "top.png")
    return folder


@pytest.fixture(scope="module")
def built(shop, tmp_path_factory):
    out = tmp_path_factory.mktemp("linked-index") / "index"
    quick_build(Catalog.read(shop), ToyEncoder(), out)
    return out


def test_links_are_read_beside_the_catalogue_and_what_is_wrong_with_them_is_said(shop):
    catalog = Catalog.read(shop)
    assert catalog.links == (
        Link("mug-0-red", "tray-0-red", "breakfast", True),
        Link("mug-0-red", "tray-0-blue", "", True),
    )
    said = [str(note) for note in catalog.warnings if note.column == "links.csv"]
    assert said == [
        "line 4 (tray-0-red): links.csv: 'tray-0-red' and 'mug-0-red' are linked already; the first line counts",
        "line 5 (mug-0-red): links.csv: there is no product 'nobody' in the catalogue",
        "line 6 (mug-0-red): links.csv: a product cannot go with itself",
    ]


def test_a_links_file_of_another_form_is_one_note_and_the_catalogue_is_whole(tmp_path):
    folder = toy_catalogue(tmp_path / "shop", copies=1)
    (folder / "links.csv").write_text("parent,kind,linked_parents\nmug-0,related,tray-0\n")
    catalog = Catalog.read(folder)
    assert len(catalog) == 12 and catalog.links == ()
    assert [w.reason for w in catalog.warnings if w.column == "links.csv"] == [
        "expected the columns id, other_id and kind, found 'parent', 'kind', 'linked_parents'; missing: 'id' and "
        "'other_id', so no links"
    ]


def test_a_table_of_any_name_is_found_beside_its_links(tmp_path):
    folder = toy_catalogue(tmp_path / "shop", copies=1)
    (folder / "products.csv").rename(folder / "spring.csv")
    (folder / "links.csv").write_text("id,other_id\nmug-0-red,tray-0-red\n")
    assert Catalog.read(folder).links == (Link("mug-0-red", "tray-0-red"),)


def test_the_index_says_what_goes_with_a_product_from_either_side(built):
    index = ProductIndex.load(built)
    assert index.goes_with("mug-0-red") == [("tray-0-red", "breakfast"), ("tray-0-blue", "")]
    assert index.goes_with("tray-0-red") == [("mug-0-red", "breakfast")]
    assert index.goes_with("mug-0-green") == []


def test_links_and_further_pictures_outlive_a_removal_and_go_with_their_product(built, tmp_path):
    out = shutil.copytree(built, tmp_path / "index")
    smaller = remove(out, ["tray-0-red"])
    assert smaller.goes_with("mug-0-red") == [("tray-0-blue", "")]
    assert smaller.views("mug-0-red") == 2 and smaller.thumbnail("mug-0-red", 2)
    bare = remove(out, ["mug-0-red"])
    assert bare.links == () and "links.jsonl.gz" not in bare.manifest.files and bare.views("mug-0-red") == 0


def test_an_index_without_links_loads_as_ever(toy_index):
    index = ProductIndex.load(toy_index)
    assert index.links == () and index.goes_with("mug-0-red") == [] and index.views("mug-0-red") == 0


def test_changed_links_are_refused_even_under_a_right_hash(built, tmp_path):
    import hashlib

    out = shutil.copytree(built, tmp_path / "index")
    folder = out / (out / "current").read_text().strip()
    file, manifest = folder / "links.jsonl.gz", json.loads((folder / "manifest.json").read_text())
    write_gzip(file, json.dumps({"id": "mug-0-red", "other_id": "nobody", "kind": "", "simulated": False}) + "\n")
    with pytest.raises(InputError, match=r"links.jsonl.gz.*expected SHA-256.*python -m mmdemo build"):
        ProductIndex.load(out)
    manifest["files"]["links.jsonl.gz"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="unknown product"):
        ProductIndex.load(out)


def test_further_pictures_are_kept_in_order_and_a_missing_one_is_noted(shop, built):
    catalog, index = Catalog.read(shop), ProductIndex.load(built)
    assert catalog.views == {"mug-0-red": ("images/side.png", "images/top.png")}
    assert [w.id for w in catalog.warnings if w.column == "views"] == ["mug-0-red"]
    from PIL import Image

    from mmdemo.catalog.imaging import decode

    views = [index.thumbnail("mug-0-red", number) for number in (1, 2)]
    assert index.views("mug-0-red") == 2 and index.thumbnail("mug-0-red", 3) is None
    assert index.further.rows.tolist() == [index.row("mug-0-red")] * 2
    red = [sum(pixel[1] < 128 for pixel in decode(picture).getdata()) for picture in views]
    assert red[0] < red[1], "the smaller disc first"
    assert Image.open(io.BytesIO(views[0])).format == "WEBP"


def test_the_product_page_says_simulated_only_where_the_file_does(built, shop, tmp_path):
    from mmdemo.ui.product_dialog import ProductDialog

    with gr.Blocks():
        recommender = Recommender(ProductIndex.load(built), ToyEncoder())
        page = ProductDialog(Live(recommender)).page(recommender, "mug-0-red")
    assert "Goes well with <small>(simulated)</small>" in page and "breakfast" in page
    assert page.count("data-view=") == 3
    folder = shutil.copytree(shop, tmp_path / "shop")
    (folder / "links.csv").write_text("id,other_id,kind\nmug-0-red,tray-0-red,breakfast\n")
    index, _ = quick_build(Catalog.read(folder), ToyEncoder(), tmp_path / "index")
    with gr.Blocks():
        recommender = Recommender(index, ToyEncoder())
        page = ProductDialog(Live(recommender)).page(recommender, "mug-0-red")
    assert "Goes well with</h3>" in page and "simulated" not in page

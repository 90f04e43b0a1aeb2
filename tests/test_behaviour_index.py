"""Events beside a catalogue on their way into an index: learnt at the build, kept without names, and updated."""

import base64
import gzip
import hashlib
import shutil

import numpy as np
import pytest

from mmdemo.behaviour.behaviour import STORED
from mmdemo.behaviour.events import rows_of_events
from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.product import Product
from mmdemo.core.errors import InputError
from mmdemo.evaluate.report import Report
from mmdemo.evaluate.report_page import as_markdown
from mmdemo.index.product_index import ProductIndex
from mmdemo.pipeline.build import remove, summary
from mmdemo.pipeline.learn_behaviour import learn_behaviour
from mmdemo.pipeline.update import update
from mmdemo.serve import jobs
from tests.bad_indexes import rehash
from tests.toys import PEOPLE, ToyEncoder, write_events


@pytest.fixture(scope="module")
def shop(eventful_shop):
    """A toy shop with events: its folder, the names of its people, its index, and where that lies."""
    folder, names, out = eventful_shop
    return folder, names, ProductIndex.load(out), out


@pytest.fixture
def copied(shop, tmp_path):
    shutil.copytree(shop[0], tmp_path / "shop")
    shutil.copytree(shop[3], tmp_path / "index")
    return tmp_path / "shop", tmp_path / "index"


def test_a_build_learns_from_the_events_beside_the_catalogue_and_says_from_how_many(shop):
    index = shop[2]
    learnt = Report.read(index.report).behaviour
    assert (learnt.people, learnt.products) == (PEOPLE, 11) and learnt.events == 4 * PEOPLE
    assert learnt.judged >= 30 and set(learnt.rankers) >= {"popularity", "EASE", "fused"} and learnt.seconds > 0
    assert [str(note) for note in learnt.notes] == [
        "1 products have fewer than 3 events: their pictures and words stand in"
    ]
    scores = index.behaviour.for_history([index.row("mug-0-red"), index.row("mug-0-blue")])
    best = np.argsort(-scores)[:6]
    assert {index.products[row].category for row in best} == {"Mug"}
    assert "1,200 likes by 300 people of 11 products" in summary(index)
    assert "What people did" in as_markdown("shop", Report.read(index.report))


def test_no_byte_of_an_index_names_a_person(shop):
    _, names, _, out = shop
    contents = []
    for path in out.rglob("*"):
        if path.is_file():
            contents.append(path.read_bytes())
            if path.suffix == ".gz":
                contents.append(gzip.decompress(path.read_bytes()))
    whole = b"\0".join(contents)
    for name in (*names[:40], "zq@example"):
        plain = name.encode()
        digests = [hashlib.new(kind, plain) for kind in ("md5", "sha1", "sha256", "blake2b")]
        traces = [plain, base64.b64encode(plain).rstrip(b"=")[:-1], plain.hex().encode()]
        traces += [form for d in digests for form in (d.digest()[:8], d.hexdigest()[:12].encode())]
        assert not [trace for trace in traces if trace in whole], name


def test_an_index_without_events_has_no_more_files_than_before(toy_index):
    index = ProductIndex.load(toy_index)
    assert index.behaviour is None and STORED not in index.manifest.files and "behaviour" not in index.report


def test_products_that_leave_take_their_weights_along(copied):
    rest = remove(copied[1], ["mug-0-red", "tray-0-green"])
    scores = rest.behaviour.for_history([rest.row("mug-0-blue")])
    assert scores.shape == (10,) and rest.products[int(np.argsort(-scores)[1])].category == "Mug"


def test_an_update_learns_from_the_events_of_the_export(copied):
    folder, out = copied
    write_events(folder / "events.csv", people=PEOPLE + 40, seed=1)
    updated, changes = update(out, Catalog.read(folder), ToyEncoder())
    assert changes.unchanged == 12 and Report.read(updated.report).behaviour.people == PEOPLE + 40


def test_a_file_of_events_that_cannot_be_read_is_a_note_and_the_shop_is_built(shop, copied):
    folder, _ = copied
    (folder / "events.csv").write_text("who,what\na,b\n")
    _, learnt = learn_behaviour(shop[2], folder / "events.csv")
    assert "'events.csv' has no column 'user'" in learnt.notes[0] and not learnt.events
    assert jobs.understood(Catalog.read(folder))["behaviour"]["events"] == 0


@pytest.mark.parametrize("name", ["events.csv", "ratings.csv", "orders_export_1.csv", "Orders.csv"])
def test_a_file_of_events_is_no_second_table(copied, name):
    folder, _ = copied
    (folder / "events.csv").rename(folder / name)
    (folder / "products.csv").rename(folder / "our things.csv")
    catalog = Catalog.read(folder)
    assert len(catalog) == 12 and catalog.events == folder / name


def test_a_table_that_is_alone_is_the_catalogue_whatever_its_name(copied):
    folder, _ = copied
    (folder / "events.csv").unlink()
    (folder / "products.csv").rename(folder / "orders.csv")
    catalog = Catalog.read(folder)
    assert len(catalog) == 12 and catalog.events is None


def test_events_that_are_a_link_out_are_not_read(copied, tmp_path):
    folder, _ = copied
    (folder / "events.csv").rename(tmp_path / "events.csv")
    (folder / "events.csv").symlink_to(tmp_path / "events.csv")
    assert Catalog.read(folder / "products.csv").events is None


def test_what_was_understood_of_an_export_counts_its_events_and_names_nobody(shop):
    known = jobs.understood(Catalog.read(shop[0]))
    assert {name: known["behaviour"][name] for name in ("events", "people", "products")} == {
        "events": 4 * PEOPLE,
        "people": PEOPLE,
        "products": 11,
    }
    assert "zq@example" not in repr(known)


def test_events_may_name_a_folded_variant_or_a_parent():
    products = [Product("a", "", "A", parent="p"), Product("b", "", "B", attributes={"variant_ids": "b|b-large"})]
    assert rows_of_events(products) == {"a": 0, "p": 0, "b": 1, "b-large": 1}


def test_models_of_another_size_are_refused(shop, copied):
    from safetensors.numpy import load_file, save_file

    _, out = copied
    version = out / (out / "current").read_text().strip()
    arrays = load_file(version / STORED)
    arrays["EASE/weights"] = arrays["EASE/weights"][:5]
    save_file(arrays, version / STORED, {"answers": "EASE", "models": '["EASE"]'})
    rehash(version)
    with pytest.raises(InputError, match="cannot be read"):
        ProductIndex.load(out)

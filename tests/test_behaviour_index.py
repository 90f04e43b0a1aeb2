"""Events beside a catalogue on their way into an index: learnt at the build, kept without names, and updated."""

import base64
import csv
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
from tests.shop_exports import shopify, write_pictures
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


def test_no_event_and_no_number_of_a_person_is_in_an_index(shop):
    from safetensors.numpy import load_file

    folder, _, index, out = shop
    with (folder / "events.csv").open() as file:
        times = {int(row["time"]) for row in csv.DictReader(file)}
    for path in out.rglob("*.*"):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        forms = [form for time in list(times)[:40] for form in (str(time).encode(), np.float64(time).tobytes())]
        assert not [form for form in forms if form in content], path.name
    arrays = load_file(index.folder / STORED)
    assert not [name for name, x in arrays.items() if {PEOPLE, len(times)} & set(x.shape)]
    for name, x in arrays.items():
        assert not set(x.ravel().tolist()) & times, name


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


ORDERS = """Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem quantity,Lineitem name,\
Lineitem price,Lineitem sku,Billing Name,Billing Phone,Id
#1001,anna-zq@example.com,paid,2024-03-01 10:05:00 +0100,EUR,31.00,2024-03-01 10:00:00 +0100,1,\
"Thing 0, glazed - S / Red",5.50,0-RS,Anna Zq,+43 1 5550199,5501
#1001,anna-zq@example.com,,,,,2024-03-01 10:00:00 +0100,2,"Thing 1, glazed - M / Red",6.50,1-RM,,,
#1002,ben-zq@example.com,paid,,EUR,5.50,2024-03-02 09:00:00 +0100,1,"Thing 0, glazed - S / Red",5.50,,Ben Zq,,5502
#1002,ben-zq@example.com,,,,,2024-03-02 09:00:00 +0100,1,Gift card,5.50,,,,
"""
RATINGS = "userId,movieId,rating,timestamp\n71,0-RS,4.0,964982703\n71,1-RS,5.0,964981247\n72,1-RS,1.5,964982224\n"


@pytest.mark.parametrize(
    ("name", "text", "likes", "people", "note"),
    [
        ("orders_export_1.csv", ORDERS, 3, 2, "1 lines name a product that is not in the catalogue"),
        ("ratings.csv", RATINGS, 2, 1, "1 lines say that somebody did not like a product; they teach nothing yet"),
    ],
)
def test_an_export_may_come_with_orders_or_ratings_in_your_catalogue(tmp_path, name, text, likes, people, note):
    (file, export), truth = shopify()
    sent = tmp_path / jobs.FILES
    sent.mkdir()
    write_pictures(sent)
    (sent / file).write_bytes(export)
    (sent / name).write_text(text)
    known = jobs.check(tmp_path)
    assert (known["products"], known["name"]) == (len(truth), "products_export")
    learnt = known["behaviour"]
    assert (learnt["events"], learnt["people"], learnt["products"]) == (likes, people, 2)
    assert note in [str(one) for one in learnt["notes"]]
    said = (tmp_path / jobs.UNDERSTOOD).read_text()
    assert not [trace for trace in ("zq", "Zq", "5550199", "964982703") if trace in said]


def test_events_may_name_a_folded_variant_or_a_parent():
    products = [Product("a", "", "A", parent="p"), Product("b", "", "B", attributes={"variant_ids": "b|b-large"})]
    assert rows_of_events(products) == {"A": 0, "a": 0, "p": 0, "B": 1, "b": 1, "b-large": 1}


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

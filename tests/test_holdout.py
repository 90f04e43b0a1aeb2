"""One split for the encoder and for the head: what is called unseen was trained on by neither."""

import csv
import json

import pytest
from typer.testing import CliRunner

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.product import Product
from mmdemo.cli import app
from mmdemo.core.errors import InputError
from mmdemo.core.holdout import COLUMNS, RECORD, Holdout, TrainingRecord
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.report import Report
from mmdemo.evaluate.report_page import as_markdown
from mmdemo.finetune.align import AlignmentOptions, align
from tests.toys import quick_build, toy_catalogue


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """48 toys with a column `series` that cuts across parents, so a split by it is not the split by parent."""
    folder = toy_catalogue(tmp_path_factory.mktemp("holdout") / "shop", copies=4)
    with (folder / "products.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with (folder / "products.csv").open("w", newline="", encoding="utf-8") as lines:
        table = csv.DictWriter(lines, [*rows[0], "series"])
        table.writeheader()
        table.writerows(row | {"series": f"S{n % 12}"} for n, row in enumerate(rows))
    return folder


@pytest.fixture(scope="module")
def aligned(shop, tiny_model, tmp_path_factory):
    """An encoder trained on this shop, split by `series`."""
    out = tmp_path_factory.mktemp("aligned") / "encoder"
    check = toy_catalogue(out.parent / "check", copies=1)
    align(
        [shop], out, tiny_model, AlignmentOptions(epochs=0.1, batch=8, split_by="series", save_minutes=9, check=check)
    )
    return out


@pytest.fixture(scope="module")
def built(shop, aligned, tmp_path_factory):
    index, _ = quick_build(Catalog.read(shop), Encoder.load(aligned), tmp_path_factory.mktemp("built") / "index")
    return index


def test_a_split_keeps_what_belongs_together_and_holds_a_fifth_out():
    products = [Product(f"p{i}", "", "x") for i in range(2000)]
    splits = [Holdout().split_of(p) for p in products]
    assert 0.08 < splits.count("test") / 2000 < 0.12 and 0.08 < splits.count("valid") / 2000 < 0.12
    assert [Holdout().held_out(p) for p in products] == [s != "train" for s in splits]
    for together in ({"parent": "P7"}, {"group": "G7"}, {"attributes": {"sender_id": "7"}}):
        assert len({Holdout().split_of(Product(str(i), "", "x", **together)) for i in range(50)}) == 1
    assert Holdout(("id",)).split_of(Product("1", "", "x", parent="P")) == Holdout().split_of(Product("1", "", "x"))


def test_products_that_the_encoder_was_trained_on_are_not_called_unseen(shop, built):
    by_series = Holdout(("series",))
    products = {p.id: p for p in Catalog.read(shop)}
    assert built.manifest.held_out
    trained_on = [i for i in built.manifest.held_out if not by_series.held_out(products[i])]
    assert trained_on == []


def test_an_encoder_says_how_its_catalogues_were_split(shop, aligned):
    content = json.loads((aligned / RECORD).read_text())
    assert content == {"columns": ["series"], "catalogues": {Catalog.read(shop).digest(): ["series"]}}
    assert TrainingRecord.read(aligned).of("another catalogue") == Holdout(("series",))


def test_an_encoder_without_a_record_is_split_as_ever(tmp_path):
    for spec in (tmp_path, "ViT-B-32/laion2b_s34b_b79k", "hf-hub:org/name"):
        assert TrainingRecord.read(spec) == TrainingRecord() and TrainingRecord().of("x").columns == COLUMNS
    (tmp_path / RECORD).write_text("[]")
    with pytest.raises(InputError, match="does not say how"):
        TrainingRecord.read(tmp_path)


def test_the_shipped_encoder_records_the_split_of_the_default_index():
    record = TrainingRecord.read("assets/encoder")
    assert record.holdout == Holdout() and (record.catalogues == {} or set(record.catalogues.values()) == {Holdout()})


def test_a_catalogue_without_the_column_is_not_measured_on_unseen_products(aligned, tmp_path):
    plain = toy_catalogue(tmp_path / "plain", copies=4)
    index, _ = quick_build(Catalog.read(plain), Encoder.load(aligned), tmp_path / "index")
    assert index.manifest.held_out == []
    report = Report.read(index.report)
    assert "split by series" in report.split.note and "split by series" in as_markdown("x", report)
    assert not any(report.is_evidence(task) for task in report.tasks)


def test_an_index_whose_split_does_not_fit_its_encoder_is_refused_unseen_figures(built):
    by_parent = [p.id for p in built.products if p.parent == "mug-1"]
    record = TrainingRecord(Holdout(("series",)))
    note = record.misfit(built.products, by_parent)
    assert note.startswith("not measured on unseen products") and "split by series" in note
    assert record.misfit(built.products, built.manifest.held_out) == ""


def test_evaluate_says_why_there_is_no_unseen_table(built, tmp_path):
    by_parent = [p.id for p in built.products if p.parent == "mug-1"]
    manifest = json.loads((built.folder / "manifest.json").read_text())
    (built.folder / "manifest.json").write_text(json.dumps(manifest | {"held_out": by_parent}))
    try:
        (tmp_path / "q.csv").write_text(f"query_id,text,product_id\n1,red mug,{by_parent[0]}\n")
        result = CliRunner().invoke(
            app,
            [
                "evaluate",
                str(built.folder.parent),
                "--queries",
                str(tmp_path / "q.csv"),
            ],
        )
        assert "not measured on unseen products" in result.output and "never trained on" not in result.output
    finally:
        (built.folder / "manifest.json").write_text(json.dumps(manifest))


def test_an_encoder_is_not_trained_on_with_another_split_of_the_same_catalogue(shop, aligned, tmp_path):
    with pytest.raises(InputError, match="split by series; split by parent"):
        align([shop], tmp_path / "out", aligned, AlignmentOptions(epochs=0.1, batch=8, split_by="parent"))
    digest = Catalog.read(shop).digest()
    assert TrainingRecord.read(aligned).continued([digest, "new"], Holdout(("series",))).catalogues["new"].columns == (
        "series",
    )

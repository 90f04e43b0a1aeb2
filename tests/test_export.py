"""Products and results out of an index: every value as it is there, embeddings to the bit, no cell a formula."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mmdemo.core.errors import InputError
from mmdemo.core.request import Query
from mmdemo.core.spreadsheet import write_csv
from mmdemo.pipeline.export import export, result_rows


@pytest.fixture
def shop(toy_recommender):
    """The toy shop without the picture of its first product, and with a hostile title, category and attribute name."""
    index = toy_recommender.index
    first = replace(index.products[0], title='=HYPERLINK("http://evil")', category="@SUM(A1)", price=None, currency="")
    first = replace(first, attributes={**first.attributes, "-colour": "+1"}, translated={"title_zh": "红杯"})
    image = np.array(index.image)
    image[0] = 0
    return type(index)(replace(index.contents(), products=[first, *index.products[1:]], image=image, vectors=None))


def test_a_csv_has_every_product_and_no_formula(shop, tmp_path):
    columns = export(shop, tmp_path / "out.csv")
    text = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert text.startswith("\ufeffid,image,title,")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 48 and list(rows[0]) == [*columns[:-2], "'-colour", "title_zh"]
    assert rows[0]["title"] == '\'=HYPERLINK("http://evil")' and rows[0]["category"] == "'@SUM(A1)"
    assert (rows[0]["'-colour"], rows[0]["title_zh"], rows[0]["price"]) == ("'+1", "红杯", "")
    for row, p in zip(rows[1:], shop.products[1:], strict=True):
        assert (row["id"], row["title"], float(row["price"]), row["colour"]) == (
            p.id,
            p.title,
            p.price,
            p.attributes["colour"],
        )


def test_parquet_has_the_embeddings_to_the_bit(shop, tmp_path):
    export(shop, tmp_path / "out.parquet")
    table = pd.read_parquet(tmp_path / "out.parquet")
    assert list(table["id"]) == [p.id for p in shop.products] and table["title"][0].startswith("=HYPER")
    assert table["embedding.image"][0] is None and np.isnan(table["price"][0]) and table["price"][1] == 11
    dim = shop.head.dim
    np.testing.assert_array_equal(np.vstack(table["embedding.fused"]), shop.vectors)
    np.testing.assert_array_equal(np.vstack(table["embedding.text"]), shop.text[:, :dim])
    np.testing.assert_array_equal(np.vstack(table["embedding.image"][1:]), shop.image[1:, :dim])


def test_embeddings_are_asked_for_in_csv_and_declined_in_parquet(shop, tmp_path):
    export(shop, tmp_path / "out.csv", embeddings=True)
    rows = list(csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8-sig")))
    csv.field_size_limit(1 << 20)
    np.testing.assert_allclose([json.loads(r["embedding.fused"]) for r in rows], shop.vectors, rtol=1e-5, atol=1e-7)
    assert rows[0]["embedding.image"] == "" and rows[1]["embedding.image"]
    assert not [c for c in export(shop, tmp_path / "out.parquet", embeddings=False) if c.startswith("embedding")]


def test_nothing_is_overwritten_and_no_other_kind_is_written(shop, tmp_path):
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(InputError, match=r"'mine\.csv' is there already"):
        export(shop, tmp_path / "mine.csv")
    with pytest.raises(InputError, match=r"neither \.csv nor \.parquet"):
        export(shop, tmp_path / "out.xls")
    with pytest.raises(InputError, match="cannot be written"):
        export(shop, tmp_path / "none" / "out.csv")
    assert (tmp_path / "mine.csv").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


def test_results_keep_their_order_scores_and_parts(toy_recommender):
    found = toy_recommender.recommend(Query(text="a blue mug", k=4))
    file = io.StringIO()
    write_csv(file, result_rows(found))
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert [(r["rank"], r["id"], r["title"]) for r in rows] == [(str(f.rank), f.id, f.title) for f in found]
    for row, f in zip(rows, found, strict=True):
        assert float(row["score"]) == pytest.approx(f.score, abs=1e-6)
        parts = sum(float(row[f"{name}_part"]) for name in ("image", "text", "interaction"))
        assert parts == pytest.approx(f.score, abs=1e-5)

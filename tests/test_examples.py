"""The two example catalogues: what is there is what their code draws, and what they call themselves is shown."""

import hashlib
import json
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.settings import About, read_about
from mmdemo.core.errors import InputError
from tests.toys import ToyEncoder, quick_build, toy_catalogue

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NAMES = ("posts", "phantoms")


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_read_and_the_pictures_are_small(name):
    catalog = Catalog.read(EXAMPLES / name)
    assert 120 <= len(catalog) <= 200 and not catalog.refused and not catalog.warnings
    assert all(p.image for p in catalog) and len(catalog.facets) >= 3
    files = list((EXAMPLES / name / "images").iterdir())
    assert len(files) == len(catalog) and sum(f.stat().st_size for f in files) < 3_000_000
    assert len({hashlib.sha256(f.read_bytes()).digest() for f in files}) == len(files), "two pictures are the same"


def test_the_code_draws_what_is_there():
    """Rows in full; of the pictures, one of each kind."""
    import numpy as np

    from examples.phantoms import make as phantoms
    from examples.posts import make as posts

    for made in (posts, phantoms):
        table = (made.FOLDER / "catalog.csv").read_text(encoding="utf-8")
        assert all(row["id"] in table and row["description"].split(",")[0] in table for row in made.rows())
        assert len(made.rows()) == table.count("\n") - 1
        assert json.loads((made.FOLDER / "catalog.json").read_text(encoding="utf-8")) == made.ABOUT
    for place, kind in enumerate(posts.KINDS):
        drawn = posts.finish(posts.KINDS[kind][0]("dusk", np.random.default_rng([place, 2, 0])))
        with Image.open(EXAMPLES / "posts" / "images" / f"{kind}-dusk-1.webp") as kept:
            difference = np.abs(np.asarray(drawn, int) - np.asarray(kept.convert("RGB"), int)).mean()
        assert difference < 6, (kind, difference)  # what WebP loses


def test_every_phantom_says_that_it_is_none_in_its_row_and_in_its_picture():
    catalog = Catalog.read(EXAMPLES / "phantoms")
    assert not catalog.about.rendered
    assert catalog.about.noun == ("case", "cases") and "not for diagnosis" in catalog.about.notice
    for item in catalog:
        assert "phantom" in item.title and "not for diagnosis" in item.description
        assert item.attributes["origin"] == "synthetic"
        with Image.open(catalog.image_path(item)) as picture:  # the label below it
            strip = picture.convert("RGB").crop((0, picture.height - 24, picture.width, picture.height))
        amber = sum(count for count, (r, g, b) in strip.getcolors(1 << 20) if r > 180 and g > 140 and b < 160)
        assert amber > 100, item.id


def test_what_a_catalogue_calls_its_rows_goes_into_the_index_and_onto_every_surface(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from mmdemo.cli import app
    from mmdemo.index.product_index import ProductIndex
    from mmdemo.search.live import Live
    from mmdemo.search.recommender import Recommender
    from mmdemo.serve import api
    from mmdemo.serve import mcp as tools
    from mmdemo.serve.catalogue_names import row_noun

    folder = toy_catalogue(tmp_path / "shop")
    (folder / "catalog.json").write_text('{"noun": ["print", "prints"], "notice": "Not for sale."}')
    quick_build(Catalog.read(folder), ToyEncoder(), tmp_path / "index")
    index = ProductIndex.load(tmp_path / "index")
    assert index.manifest.noun == ("print", "prints") and index.manifest.notice == "Not for sale."
    assert (row_noun(index.manifest, 1), row_noun(index.manifest, 5)) == ("print", "prints")
    recommender = Recommender(index, ToyEncoder())
    functions = api.endpoints(Live(recommender))
    assert functions["catalog"]()["noun"] == ["print", "prints"]
    assert functions["recommend"](text="red mug")["notice"] == "Not for sale."
    assert 'It shows this notice to its users: "Not for sale."' in tools._server(Live(recommender)).instructions
    monkeypatch.setattr(Recommender, "load", lambda path: recommender)
    said = CliRunner().invoke(app, ["search", "x", "--text", "red mug"])
    assert "note: Not for sale." in said.stderr and "Not for sale." not in said.stdout
    answer = CliRunner().invoke(app, ["search", "x", "--text", "red mug", "--json"])
    assert json.loads(answer.stdout)["notice"] == "Not for sale."


def test_without_a_word_from_the_catalogue_its_rows_are_products(tmp_path, toy_index):
    from mmdemo.index.product_index import ProductIndex
    from mmdemo.serve.catalogue_names import row_noun

    manifest = ProductIndex.load(toy_index).manifest
    assert row_noun(manifest) == "products" and row_noun(manifest, 1) == "product" and not manifest.notice
    (tmp_path / "catalog.json").write_text('[{"anything": "else"}]')
    assert read_about(tmp_path) == About()


@pytest.mark.parametrize(
    "said",
    [
        '{"noun": "post"}',
        '{"noun": ["post"]}',
        '{"noun": ["", "x"]}',
        '{"notice": 5}',
        '{"notice": "a\\nb"}',
        '{"rendered": "yes"}',
        '{"title": 7}',
        '{"noun": ["x", "' + "y" * 50 + '"]}',
        "{",
        "[" * 100_000,
    ],
)
def test_a_wrong_catalog_json_is_refused_in_one_sentence(tmp_path, said):
    (tmp_path / "catalog.json").write_text(said)
    with pytest.raises(InputError, match=r"'catalog\.json' must look like") as caught:
        read_about(tmp_path)
    assert "\n" not in str(caught.value)

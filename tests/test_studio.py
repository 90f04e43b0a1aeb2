"""The product studio: shapes are reproducible, the catalogue and its pictures agree."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.product import Product
from mmdemo.core.holdout import Holdout
from studio import catalogue, chinese, cloth, geometry, links, palette, patterns, shots, tables
from studio.__main__ import up_to_date
from studio.check import faults
from studio.families import families

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "assets" / "catalog"
FAMILIES = families()
SOFT = {
    "tshirt": 0,
    "dress": 0,
    "tote": 2,
    "cushion": 1,
    "sweater": 0,
    "trousers": 4,
    "skirt": 4,
}  # cloth takes longer to settle: one shape each is enough


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Rows of one of the catalogue's files."""
    with (OUT / name).open(encoding="utf-8", newline="") as f:
        return tuple(csv.DictReader(f))


@cache
def model(key: str, index: int):
    """A shape, built once for all tests."""
    return FAMILIES[key].model(index)


@cache
def picture(name: str) -> np.ndarray:
    """Pixels of a picture of the catalogue."""
    with Image.open(OUT / name) as im:
        return np.asarray(im.convert("RGB"))


SHAPES = [(k, i) for k, f in FAMILIES.items() for i in range(len(f.parents)) if SOFT.get(k, i) == i]
PRODUCTS = {p.id: p for p in catalogue.products()}
IDS = [r["id"] for r in table("products.csv")]


def test_rendering_is_imported_only_when_needed() -> None:
    code = "import sys, studio.catalogue, studio.jobs, studio.__main__; sys.exit('mitsuba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s[0]}-{s[1] + 1:02d}")
def test_shapes_are_finite_and_closed(shape: tuple[str, int]) -> None:
    for slot, mesh in model(*shape).parts:
        assert np.isfinite(mesh.vertices).all() and np.isfinite(mesh.uv).all()
        assert len(mesh.uv) == len(mesh.vertices) and mesh.faces.max() < len(mesh.vertices)
        assert np.ptp(mesh.vertices, axis=0).max() > 1e-3
        if mesh.closed and (shape[1] == 0 or len(mesh.faces) < 8000):
            assert geometry.open_edges(mesh) == 0, slot


@pytest.mark.parametrize(("key", "outside", "inside"), [("mug", "body", "lining"), ("planter", "pot", "inside")])
def test_vessel_walls_meet_at_the_rim(key: str, outside: str, inside: str) -> None:
    parts = model(key, 0).parts
    wall = geometry.merge(m for slot, m in parts if slot in (outside, inside))
    assert geometry.open_edges(wall) == 0


@pytest.mark.parametrize("key", ["mug", "vase", "beanie", "planter", "stool"])
def test_same_seed_same_geometry(key: str) -> None:
    assert FAMILIES[key].model(0).fingerprint() == model(key, 0).fingerprint()
    assert model(key, 0).fingerprint() != model(key, 1).fingerprint()


def test_cloth_is_reproducible_and_keeps_its_size() -> None:
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    seams = [(square[[i, (i + 1) % 4]], True) for i in range(4)]
    flat, tri, _ = cloth.sew(seams, seams, 0.2)
    start = flat + [0, 0, 0.02] * np.sign(flat)
    a, b = (cloth.simulate(start, tri, flat, pressure=4.5, steps=30) for _ in range(2))
    assert np.array_equal(a, b) and np.ptp(a[:, 2]) > 0.2
    assert np.abs(a[:, :2]).max() < 1.1
    assert geometry.open_edges(geometry.Mesh(a, tri, flat[:, :2])) == 0


def test_every_variant_has_a_material_for_every_slot() -> None:
    for key, family in FAMILIES.items():
        index = SOFT.get(key, 0)
        slots = {slot for slot, _ in model(key, index).parts}
        materials = family.materials(index, family.parents[index].variants[0])
        assert slots <= set(materials)


def test_every_pattern_shows_two_colours() -> None:
    rng = np.random.default_rng(0)
    for name in patterns.PATTERNS[1:]:
        t = patterns.paint(name, palette.rgb("navy"), [palette.rgb("cream")] * 2, (8, 8), rng, n=128)
        assert t.shape == (128, 128, 3) and 0.01 < (t.mean(-1) > 0.5).mean() < 0.8, name


def test_tone_map_keeps_hues() -> None:
    light = np.linspace(0.1, 1.6, 12)[:, None] * palette.linear(palette.rgb("orange"))
    out = palette.linear(palette.tone_map(light) / 255.0)
    assert (np.diff(out.sum(-1)) >= 0).all()
    ratio = (out[:6, 1] - out[:6, 2]) / (out[:6, 0] - out[:6, 2])
    assert np.ptp(ratio) < 0.03


def test_the_studio_has_enough_families_designs_and_products() -> None:
    items = catalogue.products()
    assert len(FAMILIES) >= 24 and len(items) >= 1200
    assert len({p.id for p in items}) == len(items)
    for key, family in FAMILIES.items():
        shapes = [json.dumps(p.shape, sort_keys=True) for p in family.parents]
        assert len(set(shapes)) == len(shapes) >= 3, key


def test_copy_is_there_for_every_product_in_both_languages() -> None:
    items = catalogue.products()
    rows = tables.rows(items, OUT)
    for column in ("title", "title_zh"):
        assert len({r[column] for r in rows}) == len(rows), column
    assert len({r["description"] for r in rows}) > 900
    for r in rows:
        assert r["description"].count(".") >= 2 and len(r["title"]) < 80
        assert re.search("[\u4e00-\u9fff]", r["title_zh"]) and r["description_zh"].endswith("。")
        assert not re.search("[\u4e00-\u9fff]", r["title"] + r["description"])
        assert float(r["price"]) > 0
    assert set(chinese.parents()) == {p.parent_id for p in items}
    for column, words in (("colour", chinese.COLOURS), ("material", chinese.MATERIALS), ("pattern", chinese.PATTERNS)):
        assert {getattr(p.variant, column) for p in items} <= set(words)
        assert len(set(words.values())) == len(words)


def test_links_join_different_categories_once_and_are_labelled_as_simulated() -> None:
    items = catalogue.products()
    by_id = {p.id: p for p in items}
    data = links.links(items)
    pairs = [frozenset((r["id"], r["other_id"])) for r in data]
    assert len(set(pairs)) == len(pairs) and {r["source"] for r in data} == {"simulated"}
    assert all(by_id[r["id"]].family is not by_id[r["other_id"]].family for r in data)
    linked = {i for pair in pairs for i in pair}
    assert linked == set(by_id)
    fits = np.mean([links.fit(by_id[r["id"]], by_id[r["other_id"]]) for r in data])
    rng = np.random.default_rng(0)
    chance = np.mean([links.fit(items[a], items[b]) for a, b in rng.integers(0, len(items), (2000, 2))])
    assert fits > chance + 0.2


def test_photos_cover_every_family_and_every_setting() -> None:
    items = catalogue.products()
    photos = shots.phone_shots(items)
    assert len(photos) >= 60 and len({s.name for s in photos}) == len(photos)
    assert {s.product.family.key for s in photos} == set(FAMILIES)
    assert {s.detail for s in photos} == set(shots.SETTINGS)
    unseen = {p.id for p in items if Holdout().split_of(Product("", "", "", parent=p.parent_id)) == "test"}
    shown = [s.product.id for s in photos]
    assert unseen < set(shown) and len(set(shown)) == len(shown), "one photo of each product that no training sees"


def test_a_picture_is_rendered_again_only_when_its_recipe_changed(tmp_path: Path) -> None:
    p = catalogue.products(["mug"])[0]
    shot = shots.Shot("shop", p)
    assert not up_to_date(shot, tmp_path, {})
    (tmp_path / f"{shot.name}.webp").touch()
    assert up_to_date(shot, tmp_path, {shot.name: {"spec": shot.spec}})
    assert not up_to_date(shot, tmp_path, {shot.name: {"spec": "another"}})
    assert shots.Shot("second", p).spec != shot.spec != shots.Shot("extra", p, "2").spec
    assert shots.Shot("extra", p, "1").name == p.id != shots.Shot("extra", p, "2").name


def test_tables_list_only_products_whose_picture_exists(tmp_path: Path) -> None:
    chosen = [p for p in catalogue.products(["mug", "bowl"]) if p.index < 2]
    (tmp_path / "images").mkdir()
    (tmp_path / "views").mkdir()
    for p in chosen:
        Image.new("RGB", (8, 8), palette.PALETTE[p.variant.colour]).save(tmp_path / "images" / f"{p.id}.webp")
    Image.new("RGB", (8, 8)).save(tmp_path / "views" / f"{chosen[0].id}.webp")
    assert tables.write_tables(tmp_path) == len(chosen)
    catalog = Catalog.read(tmp_path)
    assert [p.id for p in catalog] == [p.id for p in chosen] and not catalog.refused and not catalog.warnings
    assert set(catalog.facets) <= {"category", "colour", "material", "pattern", "brand"}
    with (tmp_path / "products.csv").open(encoding="utf-8", newline="") as f:
        assert [r["views"] for r in csv.DictReader(f)] == [f"views/{chosen[0].id}.webp"] + [""] * (len(chosen) - 1)


def test_the_check_sees_black_cut_off_blank_and_miscoloured_pictures() -> None:
    product = next(p for p in catalogue.products(["mug"]) if p.id == "mug-01-navy")
    navy, white = (palette.rgb(c) * 255 for c in ("navy", "white"))

    def square(lo: int, hi: int, colour: np.ndarray, backdrop: np.ndarray = white) -> np.ndarray:
        picture = np.ones((192, 192, 3)) * backdrop
        picture[lo:hi, lo:hi] = colour
        return picture.astype(np.uint8)

    assert faults(square(50, 140, navy), product) == []
    assert "the object leaves the frame" in faults(square(0, 120, navy), product)
    assert "blank" in faults(square(90, 92, navy), product)
    assert "the backdrop is dark" in faults(square(0, 192, white * 0, white * 0), product)
    assert "hardly anything is navy" in faults(square(50, 140, palette.rgb("orange") * 255), product)


def test_catalogue_on_disk_is_well_formed() -> None:
    rows = table("products.csv")
    columns = tuple(rows[0])
    assert columns[:12] == tables.COLUMNS[:12] and set(columns) <= set(tables.COLUMNS)
    assert len(rows) >= 300 and len({r["category"] for r in rows}) >= 18
    for column in ("id", "title", "image"):
        assert len({r[column] for r in rows}) == len(rows), column
    assert [r["id"] for r in rows] == [p.id for p in catalogue.products() if p.id in set(IDS)]
    for r in rows:
        p = PRODUCTS[r["id"]]
        assert r["image"] == f"images/{p.id}.webp" and r["parent"] == p.parent_id
        assert (r["colour"], r["material"], r["pattern"]) == (p.variant.colour, p.variant.material, p.variant.pattern)
        assert r["category"] == p.family.category
        assert float(r["price"]) > 0 and r["price"][-3] == "." and r["currency"] == "EUR"
        assert not r.get("views") or (OUT / r["views"]).exists()


def test_parents_keep_their_shape_and_differ_in_finish() -> None:
    rows = table("products.csv")
    for parent in {r["parent"] for r in rows}:
        mine = [r for r in rows if r["parent"] == parent]
        looks = {(r["colour"], r["material"], r["pattern"]) for r in mine}
        assert 3 <= len(mine) == len(looks)
        assert len({r["category"] for r in mine}) == 1


def test_composed_queries_change_exactly_what_is_asked() -> None:
    rows = {r["id"]: r for r in table("products.csv")}
    queries = table("composed_queries.csv")
    assert {q["changed"] for q in queries} == set(tables.ATTRIBUTES)
    assert len({q["text"] for q in queries}) > 100
    for q in queries:
        ref, targets = rows[q["reference_id"]], q["target_ids"].split()
        want = {**{a: ref[a] for a in tables.ATTRIBUTES}, q["changed"]: q["new"]}
        assert ref[q["changed"]] == q["old"] != q["new"]
        exact = [
            r["id"]
            for r in rows.values()
            if r["parent"] == ref["parent"] and all(r[a] == want[a] for a in tables.ATTRIBUTES)
        ]
        assert sorted(exact) == targets and q["reference_id"] not in targets


def test_manifest_names_every_picture_of_the_table_with_its_seed() -> None:
    pictures = json.loads((OUT / "manifest.json").read_text())["pictures"]
    assert list(pictures) == IDS
    shapes: dict[str, set[str]] = {}
    for name, entry in pictures.items():
        p = PRODUCTS[name]
        assert entry["seed"] == p.family.seed(p.index) and len(entry["spec"]) == 16
        if catalogue.is_current(p, entry["spec"]):  # what is out of date, `make catalog` renders again
            shapes.setdefault(p.parent_id, set()).add(entry["geometry"])
    assert all(len(found) == 1 for found in shapes.values())
    assert sum(catalogue.is_current(PRODUCTS[name], pictures[name]["spec"]) for name in IDS) > 0.8 * len(IDS)


@pytest.mark.parametrize("name", IDS)
def test_picture_shows_the_product(name: str) -> None:
    im = picture(f"images/{name}.webp")
    assert im.shape == (384, 384, 3)
    assert faults(im, PRODUCTS[name]) == []


def test_example_queries_point_at_products() -> None:
    for q in table("queries.csv"):
        assert q["reference_id"] in IDS and q["product_id"] in IDS
        im = picture(q["image"])
        assert im.shape == (384, 384, 3) and im.std() > 10


def test_second_views_are_small_pictures_of_products() -> None:
    for path in (OUT / "views").glob("*.webp"):
        assert path.stem in PRODUCTS
        assert picture(f"views/{path.name}").shape == (256, 256, 3)


def test_catalogue_stays_small() -> None:
    assert sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()) < 40_000_000

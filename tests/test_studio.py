"""The product studio: shapes are reproducible, the catalogue and its pictures agree."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio import catalogue, cloth, geometry, palette, patterns
from studio.families import families

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "assets" / "catalog"
FAMILIES = families()
SOFT = {
    "tshirt": 0,
    "dress": 0,
    "tote": 2,
    "cushion": 1,
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
IDS = [p.id for p in catalogue.products()]


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


def test_catalogue_is_large_and_well_formed() -> None:
    rows = table("products.csv")
    assert list(rows[0]) == list(catalogue.COLUMNS)
    assert len(rows) >= 160 and len({r["category"] for r in rows}) >= 10
    for column in ("id", "title", "image"):
        assert len({r[column] for r in rows}) == len(rows), column
    assert [r["id"] for r in rows] == IDS
    for r in rows:
        assert all(r.values()) and r["image"] == f"images/{r['id']}.webp"
        assert float(r["price"]) > 0 and r["price"][-3] == "." and r["currency"] == "EUR"
        assert r["colour"] in palette.PALETTE
        assert r["description"].count(".") >= 2


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
    assert {q["changed"] for q in queries} == set(catalogue.ATTRIBUTES)
    assert len({q["text"] for q in queries}) > 100
    for q in queries:
        ref, targets = rows[q["reference_id"]], q["target_ids"].split()
        want = {**{a: ref[a] for a in catalogue.ATTRIBUTES}, q["changed"]: q["new"]}
        assert ref[q["changed"]] == q["old"] != q["new"]
        exact = [
            r["id"]
            for r in rows.values()
            if r["parent"] == ref["parent"] and all(r[a] == want[a] for a in catalogue.ATTRIBUTES)
        ]
        assert sorted(exact) == targets and q["reference_id"] not in targets


def test_manifest_matches_recipes_and_shapes() -> None:
    pictures = json.loads((OUT / "manifest.json").read_text())["pictures"]
    assert list(pictures) == IDS
    for p in catalogue.products():
        assert pictures[p.id]["spec"] == catalogue.shop_spec(p), p.id
        assert pictures[p.id]["seed"] == p.family.seed(p.index)
    assert pictures["mug-01-white"]["geometry"] == pictures["mug-01-navy"]["geometry"]


@pytest.mark.parametrize("name", IDS)
def test_picture_shows_the_product(name: str) -> None:
    im = picture(f"images/{name}.webp")
    assert im.shape == (384, 384, 3)
    lab = palette.lab(im[::2, ::2] / 255.0)
    backdrop = np.median(
        np.concatenate([lab[:4].reshape(-1, 3), lab[:, :4].reshape(-1, 3), lab[:, -4:].reshape(-1, 3)]), 0
    )
    assert backdrop[0] > 85
    away = np.linalg.norm(lab - backdrop, axis=-1)
    border = np.concatenate([away[:2].ravel(), away[-2:].ravel(), away[:, :2].ravel(), away[:, -2:].ravel()])
    assert (border > 20).mean() < 0.02, "the object leaves the frame"
    row = {r["id"]: r for r in table("products.csv")}[name]
    pale = row["colour"] in ("white", "cream")
    assert (away > (3 if pale else 15)).mean() > 0.03, "blank"
    body = lab[away > (0 if pale else 12)]
    named = palette.lab(palette.rgb(row["colour"]))
    # Light and shade move the lightness more than the hue.
    off = np.linalg.norm((body - named) * [0.5, 1, 1], axis=-1)
    if row["material"] != "glass":  # glass shows what stands behind it
        assert (off < 26).mean() > (0.05 if row["material"] in ("brass", "steel") else 0.12), "wrong colour"


def test_example_queries_point_at_products() -> None:
    for q in table("queries.csv"):
        assert q["reference_id"] in IDS and q["product_id"] in IDS
        im = picture(q["image"])
        assert im.shape == (384, 384, 3) and im.std() > 10


def test_catalogue_stays_small() -> None:
    assert sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()) < 4_000_000

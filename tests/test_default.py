"""What ships: the built-in catalogue, encoder and index belong together and answer rightly."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.core.request import Query
from mmdemo.encode.embeddings import random_crop
from mmdemo.encode.encoder import Encoder
from mmdemo.search.recommender import Recommender

HOME = Path(__file__).resolve().parent.parent
CATALOGUE, ENCODER, INDEX = HOME / "assets" / "catalog", HOME / "assets" / "encoder", HOME / "index" / "default"


@pytest.fixture(scope="module")
def recommender():
    return Recommender.load(INDEX)


def test_the_index_was_built_from_the_catalogue_and_encoder_that_ship(recommender):
    manifest = recommender.index.manifest
    assert manifest.catalogue_sha256 == Catalog.read(CATALOGUE).digest()
    assert manifest.encoder.spec == "assets/encoder"
    assert manifest.encoder.weights_sha256 == Encoder.load(ENCODER).weights_hash


def test_the_encoder_is_small_enough_to_ship():
    assert sum(p.stat().st_size for p in ENCODER.iterdir() if p.is_file()) < 40e6  # what is exported is made here


def test_the_index_folder_holds_one_version_and_no_scraps():
    versions = [p.name for p in INDEX.iterdir() if p.is_dir() and not p.name.startswith(".")]
    assert versions == [(INDEX / "current").read_text().strip()]


def test_a_cropped_recompressed_own_picture_finds_its_product_first_in_90_per_cent_of_200_tries(recommender):
    rng = np.random.default_rng(7)
    products = recommender.index.products
    tries = rng.choice(len(products), 200, replace=len(products) < 200)
    first = 0
    for row in tries:
        photo = random_crop(decode(CATALOGUE / products[row].image), rng)
        first += recommender.recommend(Query(image=photo, k=1))[0].id == products[row].id
    assert first >= 180, f"{first} of 200"  # 189 when it was built: many products differ in their colour alone


def test_a_wish_beside_an_uploaded_picture_finds_the_variant_though_nobody_said_what_the_picture_shows(recommender):
    """Of products that no training saw: their texts would tell "blue rather than red" apart, a picture has none."""
    held_out = set(recommender.index.manifest.held_out)
    with (CATALOGUE / "composed_queries.csv").open(encoding="utf-8", newline="") as lines:
        asked = [row for row in csv.DictReader(lines) if row["reference_id"] in held_out][::5]
    first = 0
    for row in asked:
        picture = decode(CATALOGUE / recommender.product(row["reference_id"]).image, max_side=512)
        found = recommender.recommend(Query(image=picture, text=row["text"], k=2))
        first += row["target_ids"] in [r.id for r in found if r.id != row["reference_id"]][:1]
    assert len(asked) > 40 and first >= 0.85 * len(asked), f"{first} of {len(asked)}"


def test_photos_by_phone_of_what_is_sold_are_seldom_told_that_nothing_matches_and_strangers_photos_mostly(recommender):
    with (CATALOGUE / "queries.csv").open(encoding="utf-8", newline="") as lines:
        asked = [*csv.DictReader(lines)][::4]
    away = 0
    for row in asked:
        photo = decode(CATALOGUE / row["image"], max_side=512)
        away += not any(r.close for r in recommender.recommend(Query(image=photo, text=row["text"])))
    assert len(asked) > 60 and away <= 0.3 * len(asked), f"{away} of {len(asked)}"
    strangers = recommender.index.report["strangers"]["photo"]
    assert strangers["turned away"]["value"] >= 0.8 and strangers["mistaken"]["value"] <= 0.18
    titles = recommender.index.report["strangers"]["title"]
    assert titles["turned away"]["value"] >= 0.8 and titles["mistaken"]["value"] <= 0.05


def test_titles_find_their_products(recommender):
    products = recommender.index.products
    found = sum(
        p.id in [r.id for r in recommender.recommend(Query(text=p.title, k=10))]
        for p in products[:: len(products) // 60]
    )
    assert found >= 54, f"{found} of about 60"


@pytest.mark.parametrize(
    ("words", "category"), [("a wall clock", "Wall clock"), ("something to sit on, a chair", "Chair")]
)
def test_plain_words_find_the_kind_of_thing(recommender, words, category):
    results = recommender.recommend(Query(text=words, k=5))
    assert sum(r.product.category == category for r in results) >= 4, [r.title for r in results]


@pytest.mark.parametrize(
    ("words", "categories"),
    [
        ("rainy day in the city", {"Umbrella", "Boots"}),
        ("back to school", {"Backpack", "Table", "Table lamp", "Water bottle"}),
        ("elegant bag for a wedding", {"Handbag"}),
        ("leahter belt", {"Belt"}),
    ],
)
def test_what_it_is_for_tells_the_kind_and_a_slip_of_the_pen_does_not_hide_it(recommender, words, categories):
    assert {r.product.category for r in recommender.recommend(Query(text=words, k=5))} <= categories


def test_the_report_shows_the_head_beside_its_baselines_on_products_never_trained_on(recommender):
    report = recommender.index.report
    held_out = set(recommender.index.manifest.held_out)
    assert 20 <= len(held_out) < len(recommender.index)
    for task in ("photo", "words", "photo and words", "edits"):
        part = report["tasks"][task]["unseen"] or report["tasks"][task]
        assert part["queries"] > 0 and part["rankers"]["head"]["mrr"]["low"] <= part["rankers"]["head"]["mrr"]["value"]
    json.dumps(report)


def test_edits_of_unseen_products_are_answered_no_worse_than_by_the_mean_of_both_vectors(recommender):
    edits = recommender.index.report["tasks"]["edits"]["unseen"]["rankers"]
    assert edits["head"]["mrr"]["value"] >= edits["mean"]["mrr"]["value"]
    assert edits["head"]["recall@1"]["low"] > max(edits[r]["recall@1"]["value"] for r in ("image", "text"))

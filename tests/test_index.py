"""The index folder: whole or refused, old or new, and filters that keep every match."""

import difflib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.core.request import Filter
from mmdemo.encode.embed import embed
from mmdemo.index.exact import sampled
from mmdemo.index.product_index import WORK, ProductIndex
from mmdemo.index.store import FaissStore
from mmdemo.index.verify import sha256
from mmdemo.pipeline.build import add, remove
from tests.toys import ToyEncoder, picture, quick_build, toy_catalogue


@pytest.fixture
def index_dir(toy_index, tmp_path):
    return shutil.copytree(toy_index, tmp_path / "index")


def live(path):
    return path / (path / "current").read_text().strip()


def changed_manifest(folder, files, *more, **fields):
    """Make the manifest list these files, with the hashes that they have now, and other values of its fields."""
    path = folder / "manifest.json"
    hashes = {name: sha256(folder / name) for name in (*files, *more)}
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields, "files": hashes}))


def test_a_saved_index_loads_with_the_same_rows_and_vectors(toy_index, toy_folder):
    index = ProductIndex.load(toy_index)
    assert [p.id for p in index.products] == [p.id for p in Catalog.read(toy_folder)]
    scores, rows = index.search(index.vectors[5], 1)
    assert rows[0] == 5 and scores[0] == pytest.approx(1, abs=1e-5)
    assert index.thumbnail("mug-0-red")


def test_the_manifest_says_what_made_the_index(toy_index):
    manifest = ProductIndex.load(toy_index).manifest
    assert manifest.encoder.weights_sha256 == ToyEncoder.weights_hash
    assert manifest.count == 48 and manifest.dim == 16 and manifest.metric == "cosine"
    assert {"rows.jsonl.gz", "vectors.safetensors", "head.safetensors", "report.json"} <= set(manifest.files)


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "vectors.safetensors", "head.safetensors", "report.json"])
def test_one_changed_byte_is_refused_with_the_mending_command(index_dir, name):
    target = live(index_dir) / name
    content = bytearray(target.read_bytes())
    content[len(content) // 2] ^= 1
    target.write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}.*expected SHA-256.*found.*python -m mmdemo build"):
        ProductIndex.load(index_dir)


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "vectors.safetensors", "manifest.json"])
def test_a_missing_file_is_refused_with_the_mending_command(index_dir, name):
    (live(index_dir) / name).unlink()
    with pytest.raises(InputError, match="python -m mmdemo build"):
        ProductIndex.load(index_dir)


@pytest.mark.parametrize(
    "change",
    [{"format": 99}, {"files": {}}, {"files": {"../../etc/passwd": "0"}}, {"files": 3}, {"calibration": {"image": 1}}],
    ids=str,
)
def test_a_manifest_that_does_not_fit_is_refused(index_dir, change):
    path = live(index_dir) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match="python -m mmdemo build"):
        ProductIndex.load(index_dir)


def test_rows_in_another_order_than_the_vectors_are_refused(index_dir):
    folder, index = live(index_dir), ProductIndex.load(index_dir)
    moved = FaissStore(index.head.width)
    moved.add(np.arange(len(index)), np.roll(index.vectors, 1, axis=0))
    moved.save(folder / "index.faiss")
    changed_manifest(folder, index.manifest.files, "index.faiss")
    with pytest.raises(InputError, match="order of its rows"):
        ProductIndex.load(index_dir)


def test_an_index_of_format_5_opens_with_the_same_answers_and_saves_in_the_new_format(index_dir):
    """Rows and links as plain text, embeddings and head in float32, and every fused vector in a file."""
    folder, index = live(index_dir), ProductIndex.load(index_dir)
    (folder / "rows.jsonl").write_text("".join(json.dumps(p.row()) + "\n" for p in index.products))
    (folder / "rows.jsonl.gz").unlink()
    save_file({"image": index.image, "text": index.text}, folder / "vectors.safetensors")
    index.store.save(folder / "index.faiss")
    files = [name for name in index.manifest.files if name != "rows.jsonl.gz"]
    changed_manifest(folder, files, "rows.jsonl", "index.faiss", format=5)
    old = ProductIndex.load(index_dir)
    np.testing.assert_array_equal(old.vectors, index.vectors)
    saved = old.save(index_dir)
    assert saved.manifest.format == 6 and "rows.jsonl.gz" in saved.manifest.files
    assert not {"rows.jsonl", "index.faiss"} & set(saved.manifest.files)


def test_a_small_index_keeps_half_precision_and_no_vectors_and_every_step_has_the_same_numbers(index_dir):
    opened = ProductIndex.load(index_dir)
    assert "index.faiss" not in opened.manifest.files
    stored = load_file(opened.folder / "vectors.safetensors")
    assert stored["image"].dtype == stored["text"].dtype == np.float16
    shorter = opened.remove(["mug-0-red"]).save(index_dir)
    again = shorter.add(opened.products[:1], opened.image[:1], opened.text[:1])
    saved = again.save(index_dir)
    np.testing.assert_array_equal(saved.vectors, again.vectors)
    row = opened.row("mug-0-red")
    np.testing.assert_allclose(saved.vectors[-1], opened.vectors[row], atol=1e-6)
    np.testing.assert_allclose(saved.parts([5]).sum(axis=1)[0], saved.vectors[5], atol=1e-6)


def test_digits_that_half_precision_would_lose_are_kept(index_dir):
    """As in an index that was opened from format 5: its embeddings were never rounded."""
    opened = ProductIndex.load(index_dir)
    finer = replace(opened.contents(), image=opened.image * np.float32(1 + 1e-5), vectors=None)
    saved = ProductIndex(finer).save(index_dir)
    np.testing.assert_array_equal(saved.image, finer.image)


def test_standing_equals_the_z_score_over_all_products(toy_index):
    index = ProductIndex.load(toy_index)
    scores = index.vectors @ index.vectors[3]
    np.testing.assert_allclose(
        index.z_scores(index.vectors[3], scores), (scores - scores.mean()) / scores.std(), atol=1e-3
    )


@pytest.mark.parametrize("pointer", ["", "../elsewhere", "nothing-here", "/etc"])
def test_a_pointer_to_nowhere_is_refused(index_dir, pointer):
    (index_dir / "current").write_text(pointer)
    with pytest.raises(InputError, match="is not an index"):
        ProductIndex.load(index_dir)


def test_a_save_that_is_cut_short_leaves_the_old_index_live(index_dir, monkeypatch):
    index = ProductIndex.load(index_dir)
    monkeypatch.setattr("mmdemo.index.product_index.save_head", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        index.remove(["mug-0-red"]).save(index_dir)
    monkeypatch.undo()
    assert len(ProductIndex.load(index_dir)) == 48
    remove(index_dir, ["mug-0-red"])
    assert not list(index_dir.glob(".*.part")), "the next save clears what was left half written"


def test_removed_products_are_gone_and_the_others_answer_as_before(index_dir):
    before = ProductIndex.load(index_dir)
    query = before.vectors[before.row("mug-2-blue")]
    _, rows = before.search(query, 48)
    want = [before.products[r].id for r in rows if before.products[r].id != "mug-2-blue"]
    after = remove(index_dir, ["mug-2-blue"])
    _, rows = after.search(query, 48)
    assert [after.products[r].id for r in rows] == want
    assert after.thumbnail("mug-0-red") == before.thumbnail("mug-0-red")


@pytest.fixture
def lists_dir(toy_index, tmp_path, monkeypatch):
    """The toy index in inverted lists, learnt once: to learn them again is an error."""
    index = ProductIndex.load(toy_index)
    monkeypatch.setattr("mmdemo.index.store.EXACT", 0)
    ProductIndex(index.contents()).save(tmp_path / "index")
    monkeypatch.setattr(
        "mmdemo.index.store._inverted_lists", lambda vectors: pytest.fail("the lists were learnt again")
    )
    return tmp_path / "index"


def new_products(folder, names):
    folder.mkdir()
    lines = [f"{name},,A {colour} {kind}" for name, colour, kind in names]
    (folder / "catalog.csv").write_text("\n".join(["id,image,title", *lines]) + "\n")
    return Catalog.read(folder)


def answers_like_brute_force(index):
    """Every product as a query, among all and among some."""
    some = np.arange(1, len(index), 3)
    for allowed in (None, some):
        among = np.arange(len(index)) if allowed is None else some
        for vector in index.vectors:
            scores, rows = index.search(vector, 5, allowed)
            want = np.sort(index.vectors[among] @ vector)[::-1][:5]
            np.testing.assert_allclose(scores, want, atol=1e-5)
            np.testing.assert_allclose(index.vectors[rows] @ vector, scores, atol=1e-5)
            assert set(rows) <= set(among)
    return True


def test_products_come_and_go_in_lists_that_are_never_learnt_again(lists_dir, tmp_path):
    assert ProductIndex.load(lists_dir).store.describe()["kind"] == "ivf-sq8"
    before = live(lists_dir)
    whole = {p.name: p.read_bytes() for p in before.iterdir() if p.is_file()}
    smaller = remove(lists_dir, ["mug-2-blue", "tray-0-red", "tray-3-purple"])  # the last row among them
    assert len(smaller) == 45 and answers_like_brute_force(smaller)
    assert {p.name: p.read_bytes() for p in before.iterdir() if p.is_file()} == whole, "the version before is untouched"
    grown = add(lists_dir, new_products(tmp_path / "a", [("a", "green", "tray"), ("b", "red", "mug")]), ToyEncoder())
    assert len(grown) == 47 and answers_like_brute_force(grown)
    assert grown.products[grown.search(grown.vectors[grown.row("b")], 1)[1][0]].id == "b"
    assert grown.store.describe()["vectors"] == 47 and grown.manifest.store["kind"] == "ivf-sq8"
    last = remove(lists_dir, ["a", "mug-0-red"])
    assert [p.id for p in last.products][-1] == "b" and answers_like_brute_force(ProductIndex.load(lists_dir))


def test_the_recall_that_a_changed_index_states_is_what_brute_force_counts(lists_dir, tmp_path, monkeypatch):
    monkeypatch.setattr("mmdemo.index.store.PROBES", 2)
    index = remove(lists_dir, ["mug-2-blue", "tray-0-red"])
    index = add(lists_dir, new_products(tmp_path / "a", [("a", "green", "tray")]), ToyEncoder())
    queries = sampled(index.vectors, 64)
    least = np.sort(index.vectors @ queries.T, axis=0)[-10]
    found = [
        index.store.vectors(ids[ids >= 0]) @ q >= low - 1e-6
        for q, low, ids in zip(queries, least, index.store.search(queries, 10)[1], strict=True)
    ]
    assert index.manifest.store["recall@10"] == pytest.approx(sum(f.sum() for f in found) / 640, abs=1e-3)


def test_changes_upon_changes_are_saved_as_one(lists_dir):
    index = ProductIndex.load(lists_dir)
    last, first = len(index) - 1, slice(0, 1)
    new = replace(index.products[0], id="new", title="Another red mug")
    shorter = index.remove([index.products[last].id])
    changed = shorter.add([new], index.image[first], index.text[first]).remove(["mug-0-blue"])
    assert answers_like_brute_force(changed) and answers_like_brute_force(shorter) and answers_like_brute_force(index)
    saved = changed.save(lists_dir)
    assert len(saved) == 47 and answers_like_brute_force(saved)
    np.testing.assert_allclose(saved.vectors[saved.row("new")], index.vectors[0], atol=1e-5)


def test_a_change_of_lists_that_is_cut_short_leaves_the_old_index_live(lists_dir, monkeypatch):
    def cut(*_):
        raise OSError("disk full")

    monkeypatch.setattr("mmdemo.index.backends.measured_recall", cut)  # the new store is written, and no manifest
    with pytest.raises(OSError, match="disk full"):
        remove(lists_dir, ["mug-0-red"])
    monkeypatch.undo()
    index = ProductIndex.load(lists_dir)
    assert len(index) == 48 and answers_like_brute_force(index)


def test_unknown_products_cannot_be_removed_and_the_nearest_id_is_named(index_dir):
    with pytest.raises(InputError, match="nearest id is 'mug-2-blue'"):
        remove(index_dir, ["mug-2-bleu"])
    assert len(ProductIndex.load(index_dir)) == 48


def test_added_products_are_found_and_a_known_id_is_refused(index_dir, tmp_path):
    more = tmp_path / "more"
    (more / "images").mkdir(parents=True)
    picture("mug", "blue", scale=0.95).save(more / "images" / "new.png")
    (more / "catalog.csv").write_text("id,image,title\nnew,images/new.png,Huge blue mug\n")
    grown = add(index_dir, Catalog.read(more), ToyEncoder())
    assert len(grown) == 49 and grown.thumbnail("new")
    _, rows = grown.search(grown.vectors[grown.row("new")], 1)
    assert grown.products[rows[0]].id == "new"
    with pytest.raises(InputError, match="in the index already"):
        add(index_dir, Catalog.read(more), ToyEncoder())
    assert len(ProductIndex.load(index_dir)) == 49


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("price<12", lambda p: p.price < 12),
        ("price>=25", lambda p: p.price >= 25),
        ("colour=blue", lambda p: p.attributes["colour"] == "Blue"),
        ("Colour = blue|RED", lambda p: p.attributes["colour"] in ("Blue", "Red")),
        ("category!=Mug", lambda p: p.category != "Mug"),
    ],
)
def test_a_filter_keeps_exactly_what_it_says(toy_index, text, expected):
    index = ProductIndex.load(toy_index)
    allowed = index.allowed([Filter.parse(text)])
    assert [index.products[r].id for r in allowed] == [p.id for p in index.products if expected(p)]
    _, rows = index.search(index.vectors[0], len(allowed), allowed)
    assert sorted(rows) == sorted(allowed), "every allowed product must be found"


def test_an_unknown_column_is_refused_with_the_known_ones(toy_index):
    with pytest.raises(InputError, match=r"no column 'colr'.*colour"):
        ProductIndex.load(toy_index).allowed([Filter.parse("colr=blue")])


def test_an_interrupted_build_goes_on_where_it_stopped(tmp_path, toy_folder, monkeypatch):
    monkeypatch.setattr("mmdemo.encode.embed.SHARD", 10)
    catalog, out = Catalog.read(toy_folder), tmp_path / "index"
    encoder = ToyEncoder()
    calls, whole = [], encoder.encode_text_with_features

    def stops_at_third(texts):
        calls.append(len(texts))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(texts)

    encoder.encode_text_with_features = stops_at_third
    with pytest.raises(KeyboardInterrupt):
        embed(catalog, encoder, out / WORK)
    kept = {p: p.stat().st_mtime_ns for p in (out / WORK).glob("*.safetensors")}
    assert len(kept) == 2
    done = embed(catalog, encoder, out / WORK, resume=True)
    assert calls == [10, 10, 10, 10, 10, 8], "two shards kept, the third done again, the rest done once"
    assert all(p.stat().st_mtime_ns == when for p, when in kept.items())
    straight = embed(catalog, ToyEncoder(), tmp_path / "straight")
    assert np.array_equal(done.image, straight.image) and np.array_equal(done.text, straight.text)


def test_resume_starts_anew_when_the_catalogue_changed(tmp_path):
    folder, work = toy_catalogue(tmp_path / "shop", copies=1), tmp_path / "work"
    embed(Catalog.read(folder), ToyEncoder(), work)
    picture("tray", "black").save(folder / "images" / "mug-0-red.png")
    again = embed(Catalog.read(folder), ToyEncoder(), work, resume=True)
    fresh = embed(Catalog.read(folder), ToyEncoder(), tmp_path / "fresh")
    assert np.array_equal(again.image, fresh.image)


def test_a_picture_that_does_not_decode_is_refused_and_the_rest_is_built(tmp_path):
    folder = toy_catalogue(tmp_path / "shop", copies=1)
    broken = folder / "images" / "tray-0-blue.png"
    broken.write_bytes(broken.read_bytes()[:60])
    catalog = Catalog.read(folder)
    index, refused = quick_build(catalog, ToyEncoder(), tmp_path / "index")
    bad = [r.id for r in (*catalog.refused, *refused)]
    assert bad == ["tray-0-blue"] and len(index) == 11


def test_products_without_a_picture_or_with_a_picture_alone_are_indexed(tmp_path):
    (tmp_path / "shop").mkdir()
    picture("mug", "red").save(tmp_path / "shop" / "a.png")
    (tmp_path / "shop" / "catalog.csv").write_text("id,image,title\na,a.png,Red mug\nb,,Blue mug\n")
    index, _ = quick_build(Catalog.read(tmp_path / "shop"), ToyEncoder(), tmp_path / "index")
    assert len(index) == 2 and index.thumbnail("b") is None
    assert not index.image[1].any() and np.allclose(np.linalg.norm(index.vectors, axis=1), 1, atol=1e-5)


def test_a_build_into_a_folder_with_other_things_in_it_leaves_them_alone(tmp_path):
    """Someone will name the catalogue's own folder as --out."""
    shop = toy_catalogue(tmp_path / "shop", copies=1)
    (shop / "notes").mkdir()
    (shop / "notes" / "keep.txt").write_text("mine")
    before = sorted(p.name for p in (shop / "images").iterdir())
    quick_build(Catalog.read(shop), ToyEncoder(), shop)
    remove(shop, ["mug-0-red"])
    remove(shop, ["mug-0-blue"])
    assert sorted(p.name for p in (shop / "images").iterdir()) == before
    assert (shop / "notes" / "keep.txt").read_text() == "mine"
    versions = [p for p in shop.iterdir() if (p / "manifest.json").exists()]
    assert len(versions) == 2, "the live version and the one before"


def test_adding_products_keeps_what_an_interrupted_build_has_done(index_dir, tmp_path):
    (index_dir / WORK).mkdir()
    (index_dir / WORK / "000000000.safetensors").write_bytes(b"hours of work")
    (tmp_path / "more.csv").write_text("id,image,title\nnew,,A blue tray\n")
    add(index_dir, Catalog.read(tmp_path / "more.csv"), ToyEncoder())
    assert (index_dir / WORK / "000000000.safetensors").read_bytes() == b"hours of work"


@pytest.mark.filterwarnings("error")
def test_a_catalogue_of_one_product_builds_and_answers_without_a_murmur(tmp_path):
    (tmp_path / "shop").mkdir()
    picture("mug", "red").save(tmp_path / "shop" / "a.png")
    (tmp_path / "shop" / "catalog.csv").write_text("id,image,title\na,a.png,Red mug\n")
    index, _ = quick_build(Catalog.read(tmp_path / "shop"), ToyEncoder(), tmp_path / "index")
    assert index.search(index.vectors[0], 5)[1].tolist() == [0]
    assert all(np.isfinite(curve).all() for curve in index.calibration.curves.values())


def test_the_nearest_id_is_looked_for_among_some_thousand_and_not_among_a_million(monkeypatch):
    """Comparing two ids takes 30 microseconds: a wrong one would keep a large shop busy for half a minute."""
    index, looked = object.__new__(ProductIndex), []
    index._row = {f"{sort}-{n}": n for sort in ("mug", "tray") for n in range(4000)}
    matches = difflib.get_close_matches
    monkeypatch.setattr(difflib, "get_close_matches", lambda w, of, **o: looked.append(len(of)) or matches(w, of, **o))
    with pytest.raises(InputError, match="the nearest id is 'mug-12"):
        index.row("mug-12x")
    with pytest.raises(InputError, match="no product 'zzz'"):
        index.row("zzz")
    assert max(looked) <= 5000

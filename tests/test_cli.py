"""The command line as a person meets it, on a real (tiny, random) open_clip model; partly in a process of its own."""

import contextlib
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from mmdemo.cli import main
from mmdemo.index.manifest import said_of_columns
from tests.toys import other_things, picture, toy_catalogue

HOME = Path(__file__).resolve().parent.parent


def mmdemo(*args, check: int | None = 0) -> subprocess.CompletedProcess:
    """A command in this process, which has the imports already."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(arg) for arg in args])
        except SystemExit as end:
            code = int(end.code or 0)
    assert check is None or code == check, err.getvalue()
    return subprocess.CompletedProcess(args, code, out.getvalue(), err.getvalue())


def in_its_own_process(*args, check: int | None = 0) -> subprocess.CompletedProcess:
    """A command as a person types it: whatever any library prints is seen too."""
    done = subprocess.run(
        [sys.executable, "-m", "mmdemo", *map(str, args)], cwd=HOME, capture_output=True, text=True, timeout=300
    )
    assert check is None or done.returncode == check, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return toy_catalogue(tmp_path_factory.mktemp("cli") / "shop", copies=2)


@pytest.fixture(scope="module")
def index(shop, tiny_model, tmp_path_factory):
    out = tmp_path_factory.mktemp("cli-index") / "index"
    done = mmdemo("build", shop, "--out", out, "--encoder", tiny_model, "--strangers", other_things())
    assert "24 products in" in done.stdout and "encoding products" in done.stderr
    return out


def test_search_prints_one_json_document_and_nothing_else(index, tmp_path):
    picture("mug", "blue", scale=0.58).save(tmp_path / "photo.png")
    done = in_its_own_process(
        "search", index, "--image", tmp_path / "photo.png", "--text", "blue mug", "-k", 5, "--json"
    )
    answer = json.loads(done.stdout)
    assert set(answer) == {"results", "kind", "unmet", "regions", "query"} and len(answer["results"]) == 5
    for rank, r in enumerate(answer["results"], 1):
        assert {"rank", "id", "title", "score", "match", "parts"} <= set(r) and r["rank"] == rank
        assert sum(r["parts"].values()) == pytest.approx(r["score"], abs=1e-5)
    assert answer["results"][0]["id"].endswith("blue")
    assert answer["query"]["text"] == "blue mug"


def test_search_says_what_nothing_of_the_kind_meets_and_takes_a_kind_and_an_order(index):
    flags = ("--text", "mug under 5", "--kind", "tray", "--sort", "cheap", "-k", 2)
    answer = json.loads(mmdemo("search", index, *flags, "--json").stdout)
    assert [(r["id"], r["tier"]) for r in answer["results"]] == [("tray-0-red", "near"), ("tray-0-green", "near")]
    assert answer["kind"]["name"] == "tray"
    assert "note: No tray under €5.00: from €10.00." in mmdemo("search", index, *flags).stderr


def test_search_reads_sentences_and_takes_several_photos(index, tmp_path):
    from mmdemo.catalog.imaging import decode
    from mmdemo.core.request import Query
    from mmdemo.search.recommender import Recommender

    files = [tmp_path / f"{colour}.png" for colour in ("red", "blue", "black")]
    for file in files:
        picture("mug", file.stem).save(file)
    sentence = "under 18, not black"
    args = ["--image", files[0], "--and-image", files[1], "--not-image", files[2], "--diversity", 0.2, "--fold"]
    done = mmdemo("search", index, *args, "--text", sentence, "-k", 6, "--json")
    answer = json.loads(done.stdout)
    assert [p["said"] for p in answer["query"]["read"]["understood"]] == ["under 18", "not black"]
    one, two, three = (decode(file, max_side=512) for file in files)
    query = Query(image=one, text=sentence, k=6, photos=(two,), unlike_photos=(three,), diversity=0.2, fold=True)
    same = Recommender.load(index).recommend(query)
    assert [r["id"] for r in answer["results"]] == [r.id for r in same]
    assert [r["score"] for r in answer["results"]] == pytest.approx([r.score for r in same], abs=1e-5)
    assert same and all(r.product.price < 18 and r.product.attributes["colour"] != "Black" for r in same)
    plain = mmdemo("search", index, "--text", sentence, "-k", 2)
    assert "understood: under 18 (price < 18)" in plain.stderr and "under 18" not in plain.stdout


def test_the_command_line_and_python_give_the_same_scores(index, shop):
    from mmdemo.catalog.imaging import decode
    from mmdemo.core.request import Query
    from mmdemo.search.recommender import Recommender

    photo = shop / "images" / "tray-1-green.png"
    answer = json.loads(mmdemo("search", index, "--image", photo, "--text", "in red", "-k", 6, "--json").stdout)
    query = Query(image=decode(photo, max_side=512), text="in red", k=6)
    assert answer["results"] == [r.as_dict() for r in Recommender.load(index).recommend(query)]


def test_a_part_of_a_photo_is_searched_by(index, tmp_path):
    scene = Image.new("RGB", (192, 96), "white")
    scene.paste(picture("tray", "green"), (96, 0))
    scene.save(tmp_path / "scene.png")
    asked = mmdemo("search", index, "--image", tmp_path / "scene.png", "--box", "0.5,0,1,1", "--json")
    answer = json.loads(asked.stdout)
    picture("tray", "green").save(tmp_path / "tray.png")
    alone = json.loads(mmdemo("search", index, "--image", tmp_path / "tray.png", "--json").stdout)
    assert answer["results"] == alone["results"] and answer["query"]["box"] == [0.5, 0.0, 1.0, 1.0]
    refused = mmdemo("search", index, "--image", tmp_path / "scene.png", "--box", "0,0,2,1", check=1)
    assert "as in 0.1,0.2,0.5,0.9; found 0,0,2,1" in refused.stderr


def test_filters_likes_and_dislikes_reach_the_search(index):
    done = mmdemo(
        "search",
        index,
        "--like",
        "mug-0-red",
        "--unlike",
        "tray-0-blue",
        "--filter",
        "category=Mug",
        "--filter",
        "price<13",
        "-k",
        3,
        "--json",
    )
    results = json.loads(done.stdout)["results"]
    assert results and all(r["id"].startswith("mug-0") and r["id"] != "mug-0-red" for r in results)


def test_evaluate_prints_every_ranker_with_intervals(index, tmp_path):
    (tmp_path / "q.csv").write_text("query_id,image,text,reference_id,target_ids\n1,,in blue,mug-0-red,mug-0-blue\n")
    found = json.loads(mmdemo("evaluate", index, "--queries", tmp_path / "q.csv", "--json").stdout)
    assert found["queries"] == 1 and set(found["rankers"]) == {"head", "image", "text", "mean"}
    assert set(found["rankers"]["head"]["mrr"]) == {"value", "low", "high"}
    table = mmdemo("evaluate", index, "--queries", tmp_path / "q.csv").stdout
    assert "ranker" in table and table.endswith("\n") and not table.endswith("\n\n")
    assert "photo" in mmdemo("evaluate", index).stdout


def test_products_are_added_and_removed(index, tmp_path):
    own = shutil.copytree(index, tmp_path / "index")
    picture("tray", "purple", scale=0.9).save(tmp_path / "new.png")
    (tmp_path / "more.csv").write_text("id,image,title\nnew,new.png,Large purple tray\n")
    assert "25 products" in mmdemo("add", own, tmp_path / "more.csv").stdout
    assert "new" in mmdemo("search", own, "--text", "Large purple tray", "-k", 25).stdout
    assert "23 products" in mmdemo("remove", own, "new", "mug-0-red").stdout


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["search", "nowhere", "--text", "x"], 1, "'nowhere' is not an index"),
        (["build", "nowhere.csv", "--out", "OUT"], 1, "nowhere.csv"),
        (["build", "SHOP", "--out", "OUT", "--encoder", "no/such"], 1, "assets/encoder"),
        (["build", "SHOP", "--out", "OUT", "--store", "tape"], 1, "store 'tape'"),
        (["search", "INDEX"], 1, "nothing to search by"),
        (["search", "INDEX", "--text", "x", "--filter", "cheap"], 1, "was not understood"),
        (["search", "INDEX", "--image", "pyproject.toml"], 1, "pyproject.toml"),
        (["search", "INDEX", "--like", "mug-0-rde"], 1, "mug-0-red"),
        (["remove", "INDEX", "nobody"], 1, "no product 'nobody'"),
        (["search", "INDEX", "-k", "many"], 2, "valid integer"),
        (["fly"], 2, "fly"),
        (["build"], 2, "Missing argument"),
    ],
)
def test_faults_end_in_a_sentence_and_their_exit_code(args, code, says, index, shop, tmp_path):
    places = {"INDEX": index, "SHOP": shop, "OUT": tmp_path / "out"}
    done = mmdemo(*[places.get(a, a) for a in args], check=code)
    assert says in done.stderr and done.stdout == ""


@pytest.mark.parametrize(("args", "code"), [(["search", "nowhere", "--text", "x"], 1), (["fly"], 2)])
def test_a_process_ends_with_the_exit_code_of_the_fault(args, code):
    assert in_its_own_process(*args, check=code).stdout == ""


def test_a_build_that_was_interrupted_goes_on_with_resume(shop, tiny_model, tmp_path):
    args = [
        sys.executable,
        "-m",
        "mmdemo",
        "build",
        str(shop),
        "--out",
        str(tmp_path / "ix"),
        "--encoder",
        str(tiny_model),
        "--strangers",
        str(other_things()),
    ]
    process = subprocess.Popen(args, cwd=HOME, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    shard = tmp_path / "ix" / ".work" / "000000000.safetensors"
    until = time.monotonic() + 120
    while not shard.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "ix" / "current").exists()
    before = shard.stat().st_mtime_ns
    done = mmdemo(*args[3:], "--resume")
    assert "24 products" in done.stdout
    assert not shard.exists() and before
    assert (
        len(json.loads(mmdemo("search", tmp_path / "ix", "--text", "mug", "-k", 24, "--json").stdout)["results"]) == 24
    )


def test_which_column_is_which_is_said_once(shop, tiny_model, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(shop, folder)
    table = folder / "products.csv"
    table.write_text(table.read_text().replace("title", "displayed", 1))
    build = ("build", folder, "--out", tmp_path / "ix", "--encoder", tiny_model, "--strangers", other_things())
    asked = mmdemo(*build, check=1).stderr
    assert "has no column 'title'. Its columns are 'id', 'image', 'displayed'" in asked
    assert '--map "title=displayed"' in asked
    mmdemo(*build, "--map", "title=displayed")
    table.write_text(table.read_text().replace("Red mug, size 0", "Crimson mug"))
    assert "1 changed" in mmdemo("update", tmp_path / "ix", folder).stdout
    assert said_of_columns(tmp_path / "ix") == {"title": "displayed"}
    table.write_text("id,image\n")
    assert "has no column 'displayed'" not in (again := mmdemo(*build, check=1).stderr) and "--map" in again
    table.write_text("id,image,displayed\n")
    assert "has a header but no rows" in mmdemo(*build, check=1).stderr, "a build of the same index asks no more"


def test_align_prints_before_after_and_chance(shop, tiny_model, tmp_path):
    big = toy_catalogue(tmp_path / "big")
    done = mmdemo(
        "align",
        big,
        "--out",
        tmp_path / "out",
        "--from",
        tiny_model,
        "--split-by",
        "id",
        "--epochs",
        0.1,
        "--lr",
        0.01,
        "--check",
        shop,
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "| catalogue (products) | figure | before | after | chance |"
    assert (
        sum(line.startswith("| big (") for line in lines) == sum(line.startswith("| shop (24)") for line in lines) == 3
    )
    assert "steps in" in lines[-2] and lines[-1].endswith(f"--encoder {tmp_path / 'out'}")
    assert "48 products, 48 photos" in done.stderr  # remarks stay out of the results
    assert "title -> picture, recall@10" in (tmp_path / "out" / "README.md").read_text()


def test_strangers_of_another_catalogue_are_counted_beside_the_shops_own(index, tmp_path):
    (tmp_path / "others").mkdir()
    for n in range(2):
        picture("tray", "black", scale=0.2 + 0.1 * n).save(tmp_path / "others" / f"{n}.png")
    (tmp_path / "others" / "catalog.csv").write_text("id,image,title\na,0.png,Accordion\nz,1.png,Zither\n")
    found = json.loads(mmdemo("evaluate", index, "--strangers", tmp_path / "others", "--json").stdout)
    assert found["photo"]["strangers"] == found["title"]["strangers"] == 2 and found["photo"]["own"] >= 5
    said = mmdemo("evaluate", index, "--strangers", tmp_path / "others").stdout.splitlines()
    kinds = ("photo", "title", "half a title")
    assert [line.split(":")[0] for line in said] == [f"“Nothing matches”, {kind}" for kind in kinds]
    done = mmdemo("evaluate", index, "--strangers", HOME / "tests" / "nowhere", check=1)
    assert "nowhere" in done.stderr


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS], ids=errno.errorcode.get)
def test_a_disk_that_is_full_or_read_only_is_one_sentence_and_nothing_is_lost(index, tmp_path, monkeypatch, fault):
    shutil.copytree(index, tmp_path / "index")
    before = {path: path.read_bytes() for path in (tmp_path / "index").rglob("*") if path.is_file()}

    def full(self, folder):
        raise OSError(fault, os.strerror(fault), str(folder / "thumbnails.bin"))

    with monkeypatch.context() as broken:
        broken.setattr("mmdemo.catalog.thumbnails.Thumbnails.save", full)
        done = mmdemo("remove", tmp_path / "index", "mug-0-red", check=1)
    assert done.stderr.splitlines()[-1].startswith(f"error: {os.strerror(fault)} (")
    assert done.stderr.strip().endswith("; nothing that was there before has changed")
    assert {path: path.read_bytes() for path in before} == before
    assert "mug-0-red" in mmdemo("search", tmp_path / "index", "--like", "mug-1-red", "-k", 24).stdout
    mmdemo("remove", tmp_path / "index", "mug-0-red")
    assert "mug-0-red" not in mmdemo("search", tmp_path / "index", "--like", "mug-1-red", "-k", 24).stdout
    assert not list((tmp_path / "index").glob(".*.part")), "what was half written goes with the next change"

"""A visitor's own catalogue: sent, read, built, stopped, gone on with, replaced; and everything that is refused."""

import asyncio
import csv
import io
import json
import re
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mmdemo.core.errors import InputError
from mmdemo.index.product_index import WORK, ProductIndex, live_version
from mmdemo.serve import drafts as module
from mmdemo.serve import jobs
from mmdemo.serve.drafts import Drafts, Taken
from mmdemo.ui.your_catalogue import YourCatalogueTab
from tests.shop_zip import BAD, shop_zip
from tests.toys import picture

ONE, TWO, THREE = "a" * 32, "b" * 32, "c" * 32


def run(coroutine) -> None:
    """In a thread of its own: where browser tests ran before, this one has a loop already."""
    with ThreadPoolExecutor() as threads:
        threads.submit(asyncio.run, coroutine).result()


async def pieces(content: bytes):
    for at in range(0, len(content), 1000):
        yield content[at : at + 1000]


def send(drafts: Drafts, draft: str, **files: bytes) -> None:
    for name, content in files.items():
        run(drafts.receive(draft, name.replace("__", "/").replace("_", "."), pieces(content)))


@pytest.fixture
def packed(tmp_path) -> bytes:
    return shop_zip(tmp_path / "shop.zip").read_bytes()


@pytest.fixture
def drafts(tmp_path, tiny_model):
    made = Drafts(tmp_path / "index", str(tiny_model))
    yield made
    made.close()


def wait(drafts: Drafts, seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    while any(build.running for build in drafts.builds()) or drafts._running:
        assert time.monotonic() < until, "the build does not end"
        time.sleep(0.1)


def stand_in(folder: Path) -> str:
    """What is live in a folder, and every file of it."""
    return json.dumps(sorted((str(p), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()))


def test_what_was_understood_names_columns_counts_prices_filters_and_the_row_at_fault(drafts, packed):
    send(drafts, ONE, shop_zip=packed)
    known = drafts.check(ONE)
    assert (known["products"], known["pictured"], known["name"]) == (12, 12, "shop")
    assert [(c["heading"], c["name"], c["kind"]) for c in known["columns"]] == [
        ("sku", "id", "known"),
        ("Photo", "image", "known"),
        ("title", "title", "known"),
        ("price", "price", "known"),
        ("colour", "colour", "facet"),
        ("material", "material", "facet"),
    ]
    assert known["prices"] == {"count": 12, "low": 10, "high": 21} and known["currencies"] == ["EUR"]
    assert {f["name"]: dict(f["values"]) for f in known["facets"]}["material"] == {"clay": 8, "wood": 4}
    assert [row["id"] for row in known["rows"]] == [f"p{n}" for n in range(8)]
    assert all(row["picture"].startswith("data:image/webp;base64,") for row in known["rows"])
    [(line, product, column, reason)] = known["refused"]
    assert (line, product, column) == (14, BAD[0], "image") and BAD[1] in reason


def test_a_table_with_pictures_beside_it_and_a_table_beside_a_zip_of_pictures_are_read_alike(drafts, tmp_path):
    shop_zip(tmp_path / "x.zip", bad=False)
    with zipfile.ZipFile(tmp_path / "x.zip") as whole:
        files = {name: whole.read(name) for name in whole.namelist()}
    for name, content in files.items():
        run(drafts.receive(ONE, f"my shop/{name}", pieces(content)))
    table = files.pop("products.csv")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as only:
        for name, content in files.items():
            only.writestr(name, content)
    send(drafts, TWO, products_csv=table, pictures_zip=(tmp_path / "pictures.zip").read_bytes())
    one, two = drafts.check(ONE), drafts.check(TWO)
    assert one["name"] == "my shop" and one["rows"] == two["rows"] and one["products"] == two["products"] == 12


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"x_zip": b"no zip at all"}, "not a ZIP"),
        ({"a_zip": b"1", "b_zip": b"2"}, "2 ZIP files"),
        ({"letter_txt": b"Dear all"}, "neither"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence_and_not_kept(drafts, files, reason):
    send(drafts, ONE, **files)
    with pytest.raises(InputError, match=reason):
        drafts.check(ONE)
    assert not drafts.path(ONE).exists() and not drafts.understood(ONE)


def test_variants_and_products_with_several_pictures_are_counted(drafts, tmp_path):
    table = (
        "id,title,image,parent,image 2,title_zh\n1,Red mug,red.png,m,blue.png,红\n2,Blue mug,blue.png,m,,\n3,Hat,,,,\n"
    )
    for colour in ("red", "blue"):
        picture("mug", colour).save(tmp_path / f"{colour}.png")
    pictures = {f"{colour}_png": (tmp_path / f"{colour}.png").read_bytes() for colour in ("red", "blue")}
    send(drafts, ONE, shop_csv=table.encode(), **pictures)
    known = drafts.check(ONE)
    assert (known["several"], known["variants"]) == (1, {"count": 2, "products": 1})
    columns = {c["heading"]: (c["kind"], c["filled"]) for c in known["columns"]}
    assert columns["image 2"] == ("views", 1) and columns["title_zh"][0] == "aside"
    page = YourCatalogueTab(drafts, str).act("look", {"draft": ONE})
    assert "2 with a picture, 1 with several" in page and "2 are variants of 1 product</p>" in page
    assert "<td>further pictures</td><td>1</td>" in page


UNCLEAR = b"Number,articleDisplayName,Cost\n7,Red wool hat,12.50\n8,Blue silk scarf,39.00\n"


def test_which_column_is_which_is_asked_with_a_guess_and_read_as_it_was_said(drafts):
    send(drafts, ONE, styles_csv=UNCLEAR)
    asked = drafts.check(ONE)
    assert asked["question"]["rows"][0] == ["7", "Red wool hat", "12.50"] and "products" not in asked
    tab = YourCatalogueTab(drafts, str)
    page = tab.act("look", {"draft": ONE})
    chosen = re.findall(r'<select id="mm-column-(\w+)".*?</select>', page, re.S)
    selected = dict(re.findall(r'name="(\w+)">(?:(?!</select>).)*?<option value="([^"]*)" selected', page, re.S))
    assert chosen == ["title", "image", "price", "category", "id", "description"]
    assert selected == {"title": "articleDisplayName", "price": "Cost", "id": "Number"}
    with pytest.raises(InputError, match="no longer here"):
        drafts.start(ONE, "styles")

    said = {"draft": ONE, "title": "articleDisplayName", "id": "Number"}
    assert "cannot be both" in tab.act("choose", {**said, "image": "Number"})
    page = tab.act("choose", {**said, "image": "Cost"})
    assert "None of the rows of &#39;styles.csv&#39; can be used" in page and "mm-columns-form" in page
    page = tab.act(
        "choose", {"draft": ONE, "title": "articleDisplayName", "image": "", "price": "Cost", "id": "Number"}
    )
    assert "2 products understood" in page and "mm-columns-form" not in page
    assert [(row["id"], row["title"], row["price"]) for row in drafts.understood(ONE)["rows"]] == [
        ("7", "Red wool hat", 12.5),
        ("8", "Blue silk scarf", 39.0),
    ]


def test_what_was_said_of_the_columns_is_not_asked_again_for_the_next_table_of_the_shop(drafts):
    said = {"title": "articleDisplayName", "image": "", "price": "Cost", "id": "Number"}
    index = drafts.folder / "styles"
    (index / "v1").mkdir(parents=True)
    (index / "v1" / "manifest.json").write_text(json.dumps({"columns": said}))
    (index / "current").write_text("v1")
    (index / module.OWNER).write_text(module.owner(ONE))
    for draft, own, asked in ((TWO, [ONE, ""], False), (THREE, [""], True)):  # of another visitor nothing is used
        send(drafts, draft, styles_csv=UNCLEAR)
        assert ("question" in drafts.check(draft, own)) == asked
    assert [row["title"] for row in drafts.understood(TWO)["rows"]] == ["Red wool hat", "Blue silk scarf"]
    assert jobs.read(drafts.path(TWO) / jobs.MAPPING) == said, "the build reads it so too"


OUTSIDE = ["../x.csv", "/etc/passwd", "a/../../x.csv", "x\0.csv", "..\\x.csv", "a/" * 99 + "x.csv"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_file_lands_outside_its_draft(drafts, name):
    with pytest.raises(InputError, match="name"):
        run(drafts.receive(ONE, name, pieces(b"x")))
    for draft in ("..", "a" * 31, "A" * 32, "a" * 32 + "/.."):
        with pytest.raises(InputError, match="not a catalogue that was sent here"):
            run(drafts.receive(draft, "x.csv", pieces(b"x")))


def test_too_much_is_refused_whatever_it_is_called(drafts, packed, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 5000)
    send(drafts, ONE, a_csv=b"x" * 3000)
    with pytest.raises(InputError, match="too large"):
        send(drafts, ONE, b_csv=b"x" * 3000)
    monkeypatch.undo()
    monkeypatch.setattr(jobs, "MOST_PRODUCTS", 5)
    send(drafts, TWO, shop_zip=packed)
    assert "at most 5" in jobs.check(drafts.path(TWO))["error"]


def test_a_table_of_faults_is_refused_and_not_told_row_by_row(drafts, packed, monkeypatch):
    """The page reads what was understood at every step: a million refusals would take its memory."""
    monkeypatch.setattr(jobs, "MOST_AT_FAULT", 0)
    send(drafts, ONE, shop_zip=packed)
    said = jobs.check(drafts.path(ONE))
    assert set(said) == {"error"} and BAD[0] in said["error"] and "More than 0 rows" in said["error"]


def test_files_that_come_at_once_and_again_are_counted_together(drafts, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 5000)

    async def slowly():
        for _ in range(4):
            await asyncio.sleep(0.001)
            yield b"x" * 1000

    async def at_once():
        coming = (drafts.receive(ONE, f"{n}.csv", slowly()) for n in range(5))
        return await asyncio.gather(*coming, return_exceptions=True)

    with ThreadPoolExecutor() as threads:
        said = threads.submit(asyncio.run, at_once()).result()
    assert all("too large" in str(one) for one in said if one) and sum(one is not None for one in said) >= 4
    assert sum(path.stat().st_size for path in drafts.path(ONE).rglob("*.csv")) <= 5000
    monkeypatch.setattr(module, "MOST_FILES", 3)
    with pytest.raises(InputError, match="at most 3"):
        for _ in range(4):
            send(drafts, TWO, a_csv=b"x")


def test_what_comes_out_of_a_zip_is_bounded(drafts, packed, monkeypatch):
    monkeypatch.setattr(jobs, "MOST_UNPACKED", 100)
    send(drafts, ONE, shop_zip=packed)
    assert "unpacks to" in jobs.check(drafts.path(ONE))["error"] and not list(drafts.path(ONE).rglob("*.png"))


def test_files_that_take_too_much_memory_are_refused_in_one_sentence(drafts):
    send(drafts, ONE, shop_csv=b"id,image,title\n" + b"a,,b\n" * 8_000_000)
    little = f"from mmdemo.serve import jobs; jobs.MEMORY = 20_000_000; jobs.main('check', {str(drafts.path(ONE))!r})"
    with subprocess.Popen([sys.executable, "-c", little], stdin=subprocess.PIPE) as job:  # it ends with its input
        assert job.wait(100) == 0
    assert "more memory" in drafts.understood(ONE)["error"]


def test_built_it_is_a_whole_index_beside_the_others_and_what_was_sent_is_gone(drafts, packed, tmp_path):
    told = []
    drafts.built = told.append
    send(drafts, ONE, shop_zip=packed)
    drafts.check(ONE)
    drafts.start(ONE, "My shop")
    assert [(b.draft, b.name, b.running) for b in drafts.builds()] == [(ONE, "My-shop", True)]
    wait(drafts)
    index = ProductIndex.load(drafts.folder / "My-shop")
    assert len(index) == 12 and [r["id"] for r in index.report["refused"]] == [BAD[0]]
    assert told == ["My-shop"] and drafts.finished(ONE) == "My-shop"
    assert (drafts.folder / "My-shop" / module.OWNER).read_text() == module.owner(ONE)  # whose it is
    assert not drafts.path(ONE).exists() and not (drafts.folder / "My-shop" / WORK).exists()
    assert index.thumbnail("p3"), "its small pictures stay"

    # the same name again: the old one stays until the new one is whole
    before = stand_in(index.folder)
    send(drafts, TWO, shop_zip=packed)
    drafts.check(TWO)
    drafts.start(TWO, "my shop", replace=True)
    time.sleep(1)
    drafts.cancel(TWO)
    assert stand_in(index.folder) == before and live_version(drafts.folder / "My-shop") == index.folder
    drafts.resume(TWO)
    wait(drafts)
    assert live_version(drafts.folder / "My-shop") != index.folder and drafts.finished(TWO) == "My-shop"
    assert drafts.changes(TWO) is None

    # and once more, as an update
    send(drafts, THREE, shop_zip=shop_zip(tmp_path / "fewer.zip", products=11).read_bytes())
    drafts.check(THREE)
    drafts.start(THREE, "my shop", update=True)
    wait(drafts)
    assert str(drafts.changes(THREE)).startswith("0 added, 0 changed, 1 removed, 11 as before")
    assert len(ProductIndex.load(drafts.folder / "My-shop")) == 11 and not drafts.path(THREE).exists()


@pytest.mark.parametrize(
    ("what", "stage"),
    [
        ("encoding products", "encoding"),
        ("fitting the concat head", "learning"),
        ("measuring", "measuring"),
        ("encoding query pictures", "measuring"),  # a stage once left does not come back
        ("saving", "saving"),
    ],
)
def test_what_a_build_does_is_told_as_one_of_five_stages(what, stage):
    assert jobs.stage(what) == stage and stage in jobs.STAGES


def test_stopped_it_is_found_by_a_later_start_and_goes_on_from_what_was_encoded(drafts, packed, tiny_model):
    send(drafts, ONE, shop_zip=packed)
    drafts.check(ONE)
    drafts.start(ONE, "shop")
    shard = drafts.folder / "shop" / WORK / "000000000.safetensors"
    until = time.monotonic() + 90
    while not shard.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    drafts.close()
    made = shard.stat().st_mtime_ns
    later = Drafts(drafts.folder, str(tiny_model))
    [stopped] = later.builds()
    assert (stopped.draft, stopped.name, stopped.running, stopped.total) == (ONE, "shop", False, 12)
    assert live_version(drafts.folder / "shop") is None
    later.resume(ONE)
    seen = shard.stat().st_mtime_ns
    wait(later)
    assert seen == made and len(ProductIndex.load(drafts.folder / "shop")) == 12 and not later.builds()


def test_thrown_away_nothing_of_it_is_left(drafts, packed):
    send(drafts, ONE, shop_zip=packed)
    drafts.check(ONE)
    drafts.start(ONE, "shop")
    with pytest.raises(InputError, match="being built"):
        drafts.discard(ONE)
    time.sleep(1)
    drafts.cancel(ONE)
    drafts.discard(ONE)
    assert [p.name for p in drafts.folder.iterdir()] == [module.FOLDER] and not list(drafts._home.iterdir())


def test_one_is_built_at_a_time_and_the_second_visitor_is_told_which(drafts, packed):
    for draft in (ONE, TWO):
        send(drafts, draft, shop_zip=packed)
        drafts.check(draft)
    drafts.start(ONE, "first")
    with pytest.raises(InputError, match="“first” is being built now, and one is built at a time"):
        drafts.start(TWO, "second")
    drafts.cancel(TWO)
    assert drafts.builds()[0].running, "nobody stops another visitor's build"
    drafts.cancel(ONE)


@pytest.mark.parametrize("name", ["", "  ", "a/b", "..", ".hidden", "x" * 41, "default", "DEFAULT", "-x"])
def test_a_name_that_cannot_be_had_is_refused(drafts, packed, name):
    send(drafts, ONE, shop_zip=packed)
    drafts.check(ONE)
    with pytest.raises(InputError, match="name"):
        drafts.start(ONE, name, replace=True)
    assert not drafts.builds() and [p.name for p in drafts.folder.iterdir()] == [module.FOLDER]


def test_a_taken_name_is_replaced_only_for_whoever_says_so(drafts, packed):
    version = drafts.folder / "My-shop" / "20260101-000000-abcdef"
    version.mkdir(parents=True)
    (version.parent / "current").write_text(version.name)
    send(drafts, ONE, shop_zip=packed)
    drafts.check(ONE)
    with pytest.raises(Taken, match="“My-shop” already"):
        drafts.start(ONE, "my shop")
    assert not drafts.builds() and live_version(version.parent) == version
    drafts.start(ONE, "my shop", replace=True)
    assert [(build.name, build.running) for build in drafts.builds()] == [("My-shop", True)]


def test_a_folder_that_is_no_index_is_never_taken_and_no_file_is(drafts, packed):
    (drafts.folder / "notes").mkdir(parents=True)
    (drafts.folder / "notes" / "mine.txt").write_text("x")
    (drafts.folder / "letter").write_text("x")
    send(drafts, ONE, shop_zip=packed)
    drafts.check(ONE)
    for name in ("notes", "letter"):
        with pytest.raises(InputError, match="taken by something else"):
            drafts.start(ONE, name, replace=True)


def test_catalogues_are_read_one_at_a_time_and_each_once(drafts, packed, monkeypatch):
    """Each may take a gigabyte."""
    running, most, spawned = 0, 0, []

    class Job:
        def __init__(self, folder: Path) -> None:
            self.folder = folder

        def wait(self, _: float) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            time.sleep(0.1)
            running -= 1
            jobs.write(self.folder / jobs.UNDERSTOOD, {"products": 1})

        def kill(self) -> None:
            pass

    monkeypatch.setattr(module, "_spawn", lambda what, folder: spawned.append(folder.name) or Job(folder))
    five = [f"{n:032x}" for n in range(5)]
    for draft in five:
        send(drafts, draft, shop_zip=packed)
    with ThreadPoolExecutor(10) as visitors:
        assert all(known == {"products": 1} for known in visitors.map(drafts.check, five * 2))
    assert most == 1 and sorted(spawned) == five


def test_a_draft_that_nobody_touches_goes_and_one_that_was_stopped_stays(drafts, packed, tiny_model):
    import os

    for draft in (ONE, TWO):
        send(drafts, draft, shop_zip=packed)
        jobs.write(drafts.path(draft) / "understood.json", {"root": "x"})
    jobs.write(drafts.path(TWO) / jobs.JOB, {"name": "x"})
    for path in drafts._home.rglob("*"):
        os.utime(path, (time.time() - module.KEPT - 60,) * 2)
    Drafts(drafts.folder, str(tiny_model))
    assert [path.name for path in drafts._home.iterdir()] == [TWO]


# The addresses


@pytest.fixture
def client(drafts):
    from mmdemo.ui import your_catalogue

    return TestClient(Starlette(routes=your_catalogue.routes(drafts)))


def test_files_arrive_and_what_is_wrong_with_one_is_a_sentence(client, drafts):
    assert client.post(f"/yours/file/{ONE}/images/a%20b.png", content=b"x").status_code == 200
    assert (drafts.path(ONE) / "files" / "images" / "a b.png").read_bytes() == b"x"
    answer = client.post("/yours/file/zz/a.csv", content=b"x")
    assert answer.status_code == 400 and "drop its files again" in answer.json()["detail"]


def test_refusals_as_a_file_are_all_there_and_none_is_a_formula(client, drafts):
    drafts.path(ONE).mkdir(parents=True)
    said = {"refused": [[3, "=1+1", "image", "-no"]] * 70, "noted": [[4, "@x", "+y", "fine"]]}
    jobs.write(drafts.path(ONE) / jobs.UNDERSTOOD, said)
    answer = client.get(f"/yours/refused/{ONE}")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0] == ["line", "id", "column", "reason", "kind"] and len(rows) == 72
    assert rows[1] == ["3", "'=1+1", "image", "'-no", "refused"] and rows[-1] == ["4", "'@x", "'+y", "fine", "noted"]
    assert client.get(f"/yours/refused/{TWO}").status_code == client.get("/yours/refused/..").status_code == 404


def test_progress_tells_whose_build_it_is_and_no_more(client, drafts, packed):
    assert client.get("/yours/progress").json() == {"running": False}
    send(drafts, ONE, shop_zip=packed)
    drafts.check(ONE)
    drafts.start(ONE, "shop")
    mine, other = (client.get(f"/yours/progress?draft={draft}").json() for draft in (ONE, TWO))
    assert mine["mine"] and not other["mine"] and ONE not in json.dumps(other) and mine["stage"] in jobs.STAGES

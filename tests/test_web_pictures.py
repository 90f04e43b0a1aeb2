"""Pictures behind web addresses are fetched where that is allowed: within limits, politely, from public hosts alone."""

import csv
import io
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpcore
import pytest
from PIL import Image

from mmdemo.catalog import web_pictures
from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.public_hosts import is_public
from mmdemo.catalog.web_pictures import FAILED, WebPictures
from mmdemo.cli import main
from mmdemo.core.errors import InputError
from mmdemo.encode.embed import embed
from mmdemo.serve import jobs
from tests.toys import ToyEncoder


def _png(colour: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(content, "PNG")
    return content.getvalue()


class Shop(ThreadingHTTPServer):
    """A web server on loopback that counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked, self.agents = Counter[str](), set[str]()
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.host = f"127.0.0.1:{self.server_port}"

    def at(self, path: str) -> str:
        return f"http://{self.host}/{path}"


class _Answers(BaseHTTPRequestHandler):
    server: Shop

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        path, shop = self.path.lstrip("/"), self.server
        with shop.lock:
            shop.asked[path] += 1
            shop.agents.add(self.headers["User-Agent"])
            shop.now += 1
            shop.most = max(shop.most, shop.now)
        try:
            self.answer(path, shop)
        finally:
            with shop.lock:
                shop.now -= 1

    def answer(self, path: str, shop: Shop) -> None:
        if path.startswith("to/"):  # a redirect to the rest of the path
            self.send_response(302)
            self.send_header("Location", path.removeprefix("to/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = {"page.html": b"<html>no</html>", "large.png": _png("red") + bytes(5000)}.get(path, _png("blue"))
        if path.startswith("wait"):
            time.sleep(0.05)  # so that requests overlap
        self.send_response(404 if path == "gone.png" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def shop():
    server = Shop()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _web(folder: Path, shop: Shop, **options: object) -> WebPictures:
    return WebPictures(folder, allowed=frozenset([shop.host]), **options)


def test_pictures_are_fetched_two_at_a_time_from_a_host_under_the_programs_name_and_once(shop, tmp_path):
    addresses, told = [shop.at(f"wait{n}.png") for n in range(7)], []
    web = _web(tmp_path, shop, progress=lambda *said: told.append(said))
    web.fetch([*addresses, addresses[0]])
    assert web.failures == {} and all(web.file(a).read_bytes() == _png("blue") for a in addresses)
    assert shop.most == 2 and [agent.split("/")[0] for agent in shop.agents] == ["mmdemo"]
    assert told == [(n, 7, "fetching pictures") for n in range(8)]
    web.file(addresses[3]).unlink()
    again = _web(tmp_path, shop)
    again.fetch(addresses)
    assert again.file(addresses[3]) and shop.asked["wait3.png"] == 2 and sum(shop.asked.values()) == 8


def test_what_is_refused_is_listed_with_the_reason_and_the_rest_is_there(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(web_pictures, "LARGEST", 4000)
    other = Shop()  # listens too, but nobody allows it
    reasons = {
        shop.at("gone.png"): "the address answers 404",
        shop.at("page.html"): "The picture is a web page; expected a JPEG",
        shop.at("large.png"): "the picture has more than 0 MB",
        shop.at("to/file:///etc/passwd"): "only addresses of http and https are fetched",
        shop.at(f"to/{other.at('a.png')}"): "the host '127.0.0.1' is not a public one",
        shop.at("to//to//to//to//to//to//a.png"): "the address leads on more than 5 times",
        "http://localhost:1/a.png": "the host 'localhost' is not a public one",
        "http://169.254.169.254/latest/meta-data/": "the host '169.254.169.254' is not a public one",
        "http://[::1]/a.png": "the host '::1' is not a public one",
        "http://2130706433/a.png": "not",
        "http://[broken/a.png": "the address does not answer",
        "http://": "only addresses of http and https are fetched",
    }
    web = _web(tmp_path, shop)
    web.fetch([shop.at("to//good.png"), *reasons])
    assert web.file(shop.at("to//good.png")) and web.failures.keys() == reasons.keys()
    said = {address: str(reason) for address, reason in web.failures.items()}
    assert [said[address] for address, reason in reasons.items() if reason not in said[address]] == []
    with (tmp_path / FAILED).open(encoding="utf-8") as file:
        assert {row["address"]: row["reason"] for row in csv.DictReader(file)} == said
    assert not other.asked and not list(tmp_path.glob("*.part"))
    other.server_close()


def test_together_they_are_no_larger_than_allowed(shop, tmp_path):
    web = _web(tmp_path, shop, most=2 * len(_png("blue")))
    web.fetch([shop.at(f"{n}.png") for n in range(4)])
    assert len(web.failures) == 2 and {str(why) for why in web.failures.values()} == {
        "the pictures have more than 0 MB together"
    }


def test_a_slow_picture_is_given_up(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(web_pictures, "SECONDS", 0.0)
    web = _web(tmp_path, shop)
    web.fetch([shop.at("wait.png")])
    assert "takes longer than" in str(web.failures[shop.at("wait.png")])


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(shop, tmp_path, monkeypatch):
    """A name that is public when it is asked for and this machine's a moment later reaches no other than the first."""
    answers, connected = ["93.184.216.34", "127.0.0.1"], []

    def resolve(host: str, port: int, **_: object) -> list[tuple]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    def connect(self: object, host: str, *_: object) -> None:
        connected.append(host)
        raise httpcore.ConnectError("enough")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    web = WebPictures(tmp_path)
    web.fetch(["http://rebound.example/a.png"])
    web.fetch(["http://rebound.example/b.png"])
    assert connected == ["93.184.216.34"]
    assert "not a public one" in str(web.failures["http://rebound.example/b.png"])


@pytest.mark.parametrize(
    "address",
    "10.0.0.1 127.0.0.1 169.254.169.254 172.16.0.1 192.168.1.1 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1 255.255.255.255 "
    "192.0.2.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 ff02::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::".split(),
)
def test_no_address_within_a_network_is_public(address):
    assert not is_public(address)


def test_addresses_of_the_internet_are_public():
    assert all(map(is_public, ("93.184.216.34", "2606:4700::1", "::ffff:8.8.8.8")))


@pytest.fixture
def table(shop, tmp_path):
    """Three products: two pictures to fetch, one that is gone, one beside the table."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "here.png").write_bytes(_png("green"))
    rows = f"a,{shop.at('a.png')}|{shop.at('b.png')},A\nb,{shop.at('gone.png')},B\nc,https://x.example/here.png,C\n"
    (folder / "catalog.csv").write_text(f"id,image,title\n{rows}")
    return folder


def test_a_catalogue_with_fetched_pictures_is_encoded_like_any_other(shop, table, tmp_path):
    catalog = Catalog.read(table, web=_web(tmp_path / "index" / ".fetched", shop))
    assert [(p.id, p.image) for p in catalog] == [("a", shop.at("a.png")), ("c", "here.png")]
    assert [str(fault) for fault in catalog.refused] == ["line 3 (b): image: the address answers 404"]
    assert any("1 of 3 pictures could not be fetched; .fetched/failed.csv" in str(note) for note in catalog.warnings)
    made = embed(catalog, ToyEncoder(), tmp_path / "work")
    assert len(made.image) == 2 and len(made.further) == 1 and not made.refused
    before = catalog.digest()
    again = Catalog.read(table, web=_web(tmp_path / "index" / ".fetched", shop))
    assert again.digest() == before and shop.asked["a.png"] == 1


def test_without_the_switch_one_sentence_says_how_many_and_what_to_do(shop, table):
    catalog = Catalog.read(table)
    assert [p.id for p in catalog] == ["c"] and not shop.asked
    notes = [str(note) for note in catalog.warnings if "web addresses" in str(note)]
    assert len(notes) == 1 and "3 pictures are web addresses" in notes[0] and "--fetch-images" in notes[0]
    (table / "front.png").write_bytes(_png("red"))
    (table / "catalog.csv").write_text(f"id,image,title\na,front.png|{shop.at('b.png')}|{shop.at('c.png')},A\n")
    assert [str(note) for note in Catalog.read(table).warnings if "(a)" in str(note)] == [], "nothing of each"
    (table / "front.png").unlink()
    (table / "catalog.csv").write_text(f"id,image,title\na,{shop.at('a.png')}|{shop.at('b.png')},A\n")
    with pytest.raises(InputError, match=r"None of the rows.*: 2 pictures are web addresses.*--fetch-images.*beside"):
        Catalog.read(table)


def test_a_first_look_takes_addresses_unseen_and_says_so(shop, table, tmp_path):
    (tmp_path / "draft").mkdir()
    table.rename(tmp_path / "draft" / "files")
    summary = jobs.check(tmp_path / "draft", fetch_images=True)
    assert summary["products"] == 3 and not shop.asked
    assert any("3 pictures are web addresses" in str(note[3]) for note in summary["noted"])


def test_in_public_no_address_is_fetched(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--public", "--fetch-images"])
    assert ended.value.code == 2 and "--public" in capsys.readouterr().err

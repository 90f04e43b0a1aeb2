"""Several catalogues and languages in one server: which pages there are, where, and what they share."""

import json
import shutil
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mmdemo.search.live import Live
from mmdemo.serve import site
from mmdemo.serve.drafts import OWNER, owner
from mmdemo.serve.translation import speaking
from mmdemo.ui import theme
from mmdemo.ui.page import build, header_html
from mmdemo.ui.your_catalogue import COOKIE
from tests.toys import ToyEncoder


@pytest.fixture
def shelf(toy_index, tmp_path, monkeypatch):
    """Three indexes beside each other, and things that are none; the toy encoder stands in for theirs."""
    for name in ("default", "shop", "店铺"):
        shutil.copytree(toy_index, tmp_path / "index" / name)
    (tmp_path / "index" / "half" / ".work").mkdir(parents=True)
    (tmp_path / "index" / ".hidden").mkdir()
    shutil.copytree(toy_index, tmp_path / "index" / "old")
    for manifest in (tmp_path / "index" / "old").rglob("manifest.json"):
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 1}))
    loaded = []
    monkeypatch.setattr("mmdemo.search.recommender.Encoder.load", lambda spec: loaded.append(spec) or ToyEncoder())
    return tmp_path / "index", loaded


@pytest.fixture
def made(shelf):
    folder, _ = shelf
    pages = []

    def make(live: Live, name: str, lang: str):
        pages.append((name, lang))
        page, routes = build(live, lang=lang, site=the_site, name=name)
        return page.queue(), routes

    the_site = site.Site(Live.open(folder / "default"), make, look=theme.look())
    return the_site, pages


@pytest.fixture
def client(made):
    the_site, _ = made
    first = Starlette(
        routes=[Route("/{path:path}", lambda request: PlainTextResponse("first"))],
        middleware=[Middleware(site.Pages, site=the_site)],
    )
    with TestClient(first, base_url="http://127.0.0.1", follow_redirects=False) as client:
        yield client


def root(answer) -> str:
    return json.loads(answer.text)["root"]


def test_the_switcher_has_the_opened_catalogue_and_its_whole_siblings(made):
    the_site, _ = made
    count = len(the_site.opened.current().index)
    assert [(e.folder, e.amount) for e in the_site.entries()] == [
        (name, f"{count} products") for name in ("default", "shop", "店铺")
    ]
    assert [e.name for e in the_site.entries()][1:] == ["shop", "店铺"], "a copied index goes by its folder's name"


def test_a_catalogue_with_a_title_is_called_by_it(made):
    the_site, _ = made
    index = the_site.opened.current().index
    assert the_site.entries()[0].name == index.manifest.name
    words = {"zh": {"name": {"Home and wardrobe": "家居与衣橱"}}}
    index.manifest = index.manifest.updated(title="Home and wardrobe", words=words)
    assert the_site.entries()[0].name == "Home and wardrobe"
    with speaking("zh"):
        assert the_site.entries()[0].name == "家居与衣橱"


def test_a_catalogue_that_a_visitor_built_is_shown_to_that_visitor_alone_unless_all_are_shared(made, shelf):
    the_site, _ = made
    draft = "a" * 32
    (shelf[0] / "shop" / OWNER).write_text(owner(draft))

    def names(*given, of=the_site):
        return [e.folder for e in of.entries(*given)]

    assert names() == names(["b" * 32, ""]) == ["default", "店铺"]
    assert names([draft]) == names([], "shop") == ["default", "shop", "店铺"]  # its own page names it too
    assert names(of=site.Site(the_site.opened, shared=True)) == ["default", "shop", "店铺"]
    visitor = SimpleNamespace(cookies={COOKIE: f"{'b' * 32}.{draft}"})
    assert "c/shop/" in header_html(the_site, "default", "en", visitor)
    assert "c/shop/" not in header_html(the_site, "default", "en", SimpleNamespace(cookies={}))


@pytest.mark.parametrize(
    ("name", "lang", "links"),
    [
        ("default", "en", ["./", "./c/shop/", "./c/%E5%BA%97%E9%93%BA/"]),
        ("shop", "en", ["../../", "../../c/shop/", "../../c/%E5%BA%97%E9%93%BA/"]),
        ("shop", "zh", ["../../../zh/", "../../../zh/c/shop/", "../../../zh/c/%E5%BA%97%E9%93%BA/"]),
    ],
)
def test_links_lead_from_every_page_to_every_other_in_the_same_language(made, name, lang, links):
    the_site, _ = made
    assert [the_site.link(name, lang, e.folder, lang) for e in the_site.entries()] == links


def test_the_current_catalogue_is_marked_and_one_alone_has_no_switcher(made, toy_recommender):
    the_site, _ = made
    the_site._make("shop", "en")
    header = header_html(the_site, "shop", "en")
    assert header.count('aria-current="page"') == 1 and '<a href="../../c/shop/" aria-current="page">' in header
    alone = site.Site(Live(toy_recommender), alone=True)
    assert "<nav" not in header_html(alone, alone.home, "en")


def test_a_page_is_built_at_its_first_visit_and_answers_below_its_path(client, made):
    _, pages = made
    assert client.get("/").text == "first" and client.get("/config").text == "first" and pages == []
    assert root(client.get("/c/shop/config")) == "http://127.0.0.1/c/shop"
    assert "gradio" in client.get("/c/shop/").text and pages == [("shop", "en")]
    assert client.get("/c/shop/picture/mug-0-red").headers["content-type"] == "image/webp"
    assert client.get("/c/%E5%BA%97%E9%93%BA/config").status_code == 200 and pages[1:] == [("店铺", "en")]


def test_an_address_without_its_slash_keeps_the_question(client):
    answer = client.get("/c/shop?q=blue%20mug")
    assert answer.status_code == 307 and answer.headers["location"] == "/c/shop/?q=blue%20mug"


@pytest.mark.parametrize("path", ["/c/default/", "/c/half/", "/c/old/", "/c/nothing/", "/zh/", "/zh/c/shop/"])
def test_there_is_no_page_for_what_is_no_catalogue_or_no_language(client, path, made, monkeypatch):
    monkeypatch.setattr(site, "LANGUAGES", ("en",))
    assert client.get(path).status_code == 404 and made[1] == []


def test_with_a_second_language_every_page_is_there_twice_and_shares_its_recommender(client, made, monkeypatch):
    the_site, pages = made
    monkeypatch.setattr(site, "LANGUAGES", ("en", "zh"))
    assert root(client.get("/zh/config")) == "http://127.0.0.1/zh"
    assert root(client.get("/zh/c/shop/config")) == "http://127.0.0.1/zh/c/shop"
    assert pages == [("default", "zh"), ("shop", "zh")]
    client.get("/c/shop/")
    assert pages[2:] == [("shop", "en")] and list(the_site._open) == ["default", "shop"]
    english, chinese = (header_html(the_site, "shop", lang) for lang in ("en", "zh"))
    assert 'href="../../zh/c/shop/" lang="zh"' in english and "中文" in english
    assert 'href="../../../c/shop/" lang="en"' in chinese and "English" in chinese and 'data-lang="zh"' in chinese


def test_with_one_language_nothing_speaks_of_languages(made, monkeypatch):
    the_site, _ = made
    monkeypatch.setattr(site, "LANGUAGES", ("en",))
    assert "data-language" not in header_html(the_site, "default", "en")


def test_an_encoder_is_loaded_once_for_all_catalogues_that_it_made(client, shelf, made):
    _, loaded = shelf
    the_site, _ = made
    client.get("/c/shop/")
    client.get("/c/%E5%BA%97%E9%93%BA/")
    assert len(loaded) == 1
    assert len({id(live.current().encoder) for live in the_site._open.values()}) == 1


def test_a_catalogue_that_comes_while_the_server_runs_has_a_page_and_a_replaced_one_is_opened_anew(client, shelf, made):
    folder, _ = shelf
    the_site, pages = made
    assert client.get("/c/new/").status_code == 404
    shutil.copytree(folder / "shop", folder / "new")
    assert "new" in [entry.folder for entry in the_site.entries()]
    for _ in range(2):
        assert client.get("/c/new/").status_code == 200
    assert pages == [("new", "en")]
    the_site.forget("new")
    assert client.get("/c/new/").status_code == 200 and pages == [("new", "en")] * 2


def test_a_damaged_sibling_is_told_in_one_sentence_and_the_others_answer(client, shelf):
    folder, _ = shelf
    next((folder / "shop").rglob("vectors.safetensors")).write_bytes(b"x")
    answer = client.get("/c/shop/")
    assert answer.status_code == 503 and "cannot be opened" in answer.text and "Traceback" not in answer.text
    assert client.get("/c/%E5%BA%97%E9%93%BA/").status_code == 200


def test_every_page_says_its_language_and_an_english_one_where_the_chinese_one_is(client):
    english, chinese = client.get("/c/shop/").text, client.get("/zh/c/shop/").text
    assert 'lang="en"' in english and 'data-zh="../../zh/c/shop/"' in english and "navigator.language" in english
    assert 'lang="zh"' in chinese.partition("<body")[0] and 'data-zh=""' in chinese
    assert client.get("/").text == "first"


def test_a_page_is_made_once_for_everybody_who_calls_the_server_by_the_same_name(client, made, monkeypatch):
    the_site, _ = made
    calls = []
    make = site.Pages._make
    monkeypatch.setattr(site.Pages, "_make", lambda *args: calls.append(args[2].string) or make(*args))
    first = client.get("/c/shop/", headers={"accept-encoding": "gzip"})
    again = client.get("/c/shop/?q=blue", headers={"accept-encoding": "identity"})
    assert first.text == again.text and calls == ["/c/shop/"]
    assert first.headers["content-encoding"] == "gzip" and "content-encoding" not in again.headers
    proxied = client.get("/c/shop/", headers={"x-forwarded-host": "shop.example", "x-forwarded-proto": "https"})
    assert "https://shop.example" in proxied.text and "shop.example" not in client.get("/c/shop/").text
    the_site.forget("shop")
    client.get("/c/shop/")
    assert len(calls) == 3, "a catalogue that is replaced has a new page"

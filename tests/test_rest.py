"""One request, one answer: the functions for programs by POST /api/NAME, on the toy shop."""

import base64
import io
import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from mmdemo.core.request import Query
from mmdemo.encode.batching import Busy
from mmdemo.search.live import Live
from mmdemo.serve import api, gate, rest
from mmdemo.serve.translation import language, speaking
from tests.toys import picture


@pytest.fixture
def visit(tmp_path):
    """A visitor of a server with these functions and the gate in front of them."""

    def made(functions) -> TestClient:
        rules = gate.Rules(host="127.0.0.1", uploads=tmp_path, arrived=str)
        app = Starlette(routes=rest.routes(functions), middleware=[Middleware(gate.Gate, rules=rules)])
        return TestClient(app, base_url="http://127.0.0.1")

    return made


def test_an_answer_comes_in_one_request_and_is_the_one_that_python_gives(visit, toy_recommender):
    stream = io.BytesIO()
    picture("mug", "red").save(stream, "PNG")
    image = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    client = visit(api.endpoints(Live(toy_recommender)))
    answer = client.post("/api/recommend", json={"image": image, "text": "blue", "k": 5}).json()
    same = toy_recommender.recommend(Query(image=picture("mug", "red"), text="blue", k=5))
    assert [(r["id"], r["score"]) for r in answer["results"]] == [(r.id, r.score) for r in same]
    assert answer["query"]["text"] == "blue" and answer["index"] and answer["mmdemo"]
    assert client.post("/api/catalog").json()["count"] == 48, "what takes nothing needs no body"


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("recommend", {}, "nothing to search by"),
        ("recommend", {"text": "a", "k": 0}, "k must be a whole number"),
        ("recommend", {"words": "a mug"}, "recommend takes a JSON object of image, text, k, .*found words"),
        ("recommend", ["a mug"], "found no object"),
        ("product", {}, r"of id \(needed\); found nothing"),
        ("product", {"id": "mug-0-rde"}, "nearest id is 'mug-0-red'"),
        ("recommend", {"image": "https://example.com/a.jpg"}, "never fetched"),
    ],
)
def test_a_fault_of_the_input_is_its_sentence(visit, toy_recommender, name, body, said):
    answer = visit(api.endpoints(Live(toy_recommender))).post(f"/api/{name}", json=body)
    assert answer.status_code == 400 and re.search(said, answer.json()["error"])


def test_a_busy_server_says_so_and_a_broken_one_says_no_more_than_that(visit):
    def recommend():
        raise Busy("the server is busy; try again in a few seconds")

    def catalog():
        raise RuntimeError("/secret/place")

    client = visit({"recommend": recommend, "catalog": catalog})
    busy, broken = client.post("/api/recommend"), client.post("/api/catalog")
    assert busy.status_code == 503 and "try again" in busy.json()["error"] and busy.headers["retry-after"]
    assert broken.status_code == 500 and "secret" not in broken.text


def test_only_what_is_there_is_called_and_only_by_post(visit):
    client = visit({"catalog": lambda: {}})
    assert client.post("/api/catalog").json() == {}
    assert client.get("/api/catalog").status_code == 404
    assert client.post("/api/other").status_code == 404
    assert client.post("/api/catalog", headers={"origin": "https://evil.example"}).status_code == 403


def test_programs_are_answered_in_english_below_every_page():
    with speaking("zh"):
        assert rest._english(lambda: {"language": language()}, {}) == {"language": "en"}

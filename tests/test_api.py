"""The endpoints for programs, called as a program does: over HTTP, by gradio_client, on the shipped index."""

import base64
import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import mmdemo

sys.path.insert(0, str(Path(__file__).parent / "browser"))
import demo_process


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(demo_process.start().url, verbose=False)


@pytest.fixture(scope="module")
def index():
    from mmdemo.index.product_index import ProductIndex

    return ProductIndex.load(demo_process.INDEX)


@pytest.fixture(scope="module")
def product(index):
    return next(item for item in index.products if item.image)


def check(answer: dict, k: int) -> list[dict]:
    """The promised shape; the results."""
    of_a_query = {"kind", "unmet", "regions"}  # "similar" asks for no kind
    assert set(answer) - of_a_query == {"results", "query", "mmdemo", "index", "catalogue_text"}
    results = answer["results"]
    assert [found["rank"] for found in results] == list(range(1, k + 1))
    for found in results:
        assert {"rank", "id", "title", "score", "match", "parts", "price", "category", "picture"} <= set(found)
        assert set(found["parts"]) - {"name"} == {"image", "text", "interaction"}
        assert sum(found["parts"].values()) == pytest.approx(found["score"], abs=1e-4)
        assert 0 <= found["match"] <= 1
    tiers = ("asked", "near", "other")
    order = [tiers.index(f["tier"]) for f in results]  # within a tier what meets more of the wishes comes first
    assert order == sorted(order)
    return results


def test_only_the_promised_endpoints_are_public(client: Client) -> None:
    named = client.view_api(return_format="dict")["named_endpoints"]
    assert set(named) == {"/recommend", "/similar", "/product", "/explain", "/feedback", "/catalog"}
    given = [parameter["parameter_name"] for parameter in named["/recommend"]["parameters"]]
    assert given == [
        *("image", "text", "k", "weight", "filters", "like", "unlike", "reference"),
        *("diversity", "fold", "photos", "unlike_photos", "kind", "sort", "box", "history", "refine"),
    ]
    assert all(parameter["parameter_has_default"] for parameter in named["/recommend"]["parameters"])
    assert "photo" in json.dumps(named["/recommend"])


def test_words_alone(client: Client) -> None:
    answer = client.predict(text="blue", k=5, api_name="/recommend")
    check(answer, 5)
    assert answer["query"]["text"] == "blue" and answer["query"]["image"] is False


def saved(index, product_id: str) -> Path:
    """A file with the product's picture, as a program may have it."""
    path = Path(tempfile.mkdtemp()) / "picture.webp"
    path.write_bytes(index.thumbnail(product_id))
    return path


def test_photo_and_words_give_what_python_gives(client: Client, index, product) -> None:
    from mmdemo.catalog.imaging import decode
    from mmdemo.core.request import Query
    from mmdemo.search.recommender import Recommender

    path = saved(index, product.id)
    found = check(
        client.predict(image=handle_file(str(path)), text=product.title, k=6, weight=0.7, api_name="/recommend"), 6
    )
    same = Recommender.load(demo_process.INDEX).recommend(
        Query(image=decode(path), text=product.title, k=6, weight=0.7)
    )
    assert [one["id"] for one in found] == [one.id for one in same]
    assert [one["score"] for one in found] == pytest.approx([one.score for one in same], abs=1e-4)


def test_a_sentence_is_understood_as_python_understands_it(client: Client) -> None:
    from mmdemo.core.request import Query
    from mmdemo.search.recommender import Recommender

    sentence = "a mug under 20 euros, not navy"
    answer = client.predict(text=sentence, k=5, fold=True, diversity=0.3, api_name="/recommend")
    read = answer["query"]["read"]
    assert [part["said"] for part in read["understood"]] == ["under 20 euros", "not navy"]
    assert read["to_the_model"] == "a mug" and read["understood"][0]["filters"] == ["price<20"]
    recommender = Recommender.load(demo_process.INDEX)
    same = recommender.recommend(Query(text=sentence, k=5, fold=True, diversity=0.3))
    assert [(r["id"], tuple(r["variants"])) for r in answer["results"]] == [(r.id, r.variants) for r in same]
    assert all(r.product.price < 20 and r.product.attributes["colour"] != "navy" for r in same)


def test_more_photos_blend_and_unwanted_ones_push_away(client: Client, index) -> None:
    from mmdemo.catalog.imaging import decode
    from mmdemo.core.request import Query
    from mmdemo.search.recommender import Recommender

    one, two, three = (saved(index, p.id) for p in [p for p in index.products if p.image][:60:20])
    sent = [handle_file(str(path)) for path in (one, two, three)]
    files = {"image": sent[0], "photos": sent[1:2], "unlike_photos": sent[2:]}
    answer = client.predict(**files, k=6, api_name="/recommend")
    same = Recommender.load(demo_process.INDEX).recommend(
        Query(image=decode(one), photos=(decode(two),), unlike_photos=(decode(three),), k=6)
    )
    assert [r["id"] for r in answer["results"]] == [r.id for r in same]


def test_a_taste_moves_the_answer_and_nothing_is_kept(client: Client, index) -> None:
    liked = next(p.id for p in index.products if p.attributes.get("colour") == "pink")
    plain = client.predict(text="cushion", k=8, api_name="/feedback")
    moved = client.predict(text="cushion", k=8, likes=[liked], api_name="/feedback")
    assert [r["id"] for r in moved["results"]] != [r["id"] for r in plain["results"]]
    for r in moved["results"]:
        assert set(r["parts"]) == {"image", "text", "interaction", "taste"}
        assert sum(r["parts"].values()) == pytest.approx(r["score"], abs=1e-5)
        assert r["because"] in ("", liked)
    assert moved["query"]["likes"] == [liked]
    assert client.predict(text="cushion", k=8, api_name="/feedback") == plain


def test_an_explanation_holds_everything_that_the_page_shows(client: Client, index) -> None:
    # White on a white backdrop, next to nothing is lost with the object, and there is rightly no map.
    product = next(p for p in index.products if p.attributes.get("colour") == "red")
    path = saved(index, product.id)
    why = client.predict(id=product.id, image=handle_file(str(path)), text="something blue", api_name="/explain")
    assert sum(why["parts"].values()) == pytest.approx(why["score"], abs=1e-5)
    assert [w["word"] for w in why["words"]] == ["something", "blue"]
    assert [w["word"] for w in why["title_words"]] == product.title.split()
    maps = [why["query_map"], why["product_map"]]
    assert any(maps)
    for made in filter(None, maps):
        assert len(made["heat"]) == len(made["heat"][0]) == 6
        assert set(made["faithfulness"]) >= {"deletion", "insertion", "random_deletion", "gain"}
    for change in why["changes"]:
        assert change["before"] == why["rank"] != change["after"]
    assert (why["above"] is None) == (why["rank"] == 1)


def test_filters_reference_like(client: Client, index, product) -> None:
    column, values = next(iter(index.facets.items()))
    value = next(iter(values))
    answer = client.predict(text="nice", k=3, filters=[f"{column}={value}"], api_name="/recommend")
    known = {item.id: item for item in index.products}
    assert all(value in known[found["id"]].values(column) for found in answer["results"])
    for given in ({"reference": product.id}, {"like": [product.id]}):
        found = client.predict(k=4, **given, api_name="/recommend")["results"]
        assert len(found) == 4 and product.id not in [one["id"] for one in found]


def test_similar_product_explain(client: Client, product) -> None:
    found = check(client.predict(id=product.id, k=4, api_name="/similar"), 4)
    assert product.id not in [one["id"] for one in found]
    row = client.predict(id=product.id, api_name="/product")
    assert row["title"] == product.title and row["attributes"] == product.attributes
    picture = httpx.get(f"{client.src}{row['picture']}")
    assert picture.status_code == 200 and picture.headers["content-type"] == "image/webp"
    why = client.predict(id=product.id, text=product.title, api_name="/explain")
    assert why["id"] == product.id and sum(why["parts"].values()) == pytest.approx(why["score"], abs=1e-4)


@pytest.mark.parametrize(
    ("endpoint", "given", "says"),
    [
        ("/recommend", {}, "nothing to search by"),
        ("/recommend", {"text": "x", "k": 0}, "k must be"),
        ("/recommend", {"text": "x", "k": 100000}, "k must be"),
        ("/recommend", {"text": "x", "weight": 2}, "weight must be"),
        ("/recommend", {"text": "x", "filters": ["cheap"]}, "filter"),
        ("/recommend", {"text": "x", "filters": ["nosuchcolumn=1"]}, "nosuchcolumn"),
        ("/recommend", {"reference": "nosuchid"}, "nosuchid"),
        ("/recommend", {"text": "x", "diversity": 2}, "diversity must be"),
        ("/recommend", {"text": "x", "box": [0, 0, 0.5, 0.5]}, "give the photo too"),
        ("/feedback", {"likes": ["nosuchid"]}, "nosuchid"),
        ("/feedback", {}, "nothing to search by"),
        ("/similar", {"id": "nosuchid"}, "nosuchid"),
        ("/product", {"id": "nosuchid"}, "nosuchid"),
    ],
)
def test_a_fault_of_the_input_is_one_sentence(client: Client, endpoint: str, given: dict, says: str) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(**given, api_name=endpoint)
    assert says in str(caught.value) and "Traceback" not in str(caught.value)


def test_a_picture_that_is_none_is_refused(client: Client, tmp_path) -> None:
    (tmp_path / "letter.png").write_text("Dear Sir or Madam")
    with pytest.raises(AppError, match="not a picture"):
        client.predict(image=handle_file(str(tmp_path / "letter.png")), api_name="/recommend")


@pytest.mark.parametrize("meta", [True, False])
def test_a_path_that_was_never_uploaded_is_refused(client: Client, index, product, meta: bool) -> None:
    """The server has these files; a stranger may not name them."""
    for path in (str((index.folder / "thumbnails.bin").resolve()), "/etc/hostname", str(demo_process.HOME / "app.py")):
        image = {"path": path, **({"meta": {"_type": "gradio.FileData"}} if meta else {})}
        asked = [image, "x", 3, 0.5, [], [], [], "", 0, False, [], [], "", "match", [], [], ""]
        said = _call(client, "recommend", asked)
        assert said["event"] == "error", said
        assert "upload" in said["data"] and "Traceback" not in said["data"]


def test_pictures_cannot_climb_out(client: Client) -> None:
    for path in (
        "picture/..%2f..%2fmanifest.json",
        "picture/%2e%2e/manifest.json",
        "picture/nosuchid",
        "start/0%2f..",
        "start/x",
    ):
        assert httpx.get(f"{client.src}{path}").status_code == 404


def test_a_picture_comes_as_an_upload_as_a_data_url_or_as_an_id(client: Client, index, product) -> None:
    path = saved(index, product.id)
    url = f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"
    uploaded = httpx.post(f"{client.src}gradio_api/upload", files={"files": path.read_bytes()}).json()[0]
    by_file, by_url, by_path = (
        client.predict(image=given, text="in blue", k=5, api_name="/recommend")["results"]
        for given in (handle_file(str(path)), url, uploaded)
    )
    assert by_file == by_url == by_path
    by_id = client.predict(image=product.id, text="in blue", k=5, api_name="/recommend")
    by_reference = client.predict(reference=product.id, text="in blue", k=5, api_name="/recommend")
    assert by_id["results"] == by_reference["results"] and by_id["query"]["reference"] == product.id
    part = [0.1, 0.1, 0.8, 0.9]
    by_part = [client.predict(image=i, box=part, k=5, api_name="/recommend") for i in (uploaded, product.id)]
    assert by_part[0] == by_part[1] and by_part[0]["query"]["box"] == part
    blended = client.predict(text="blue", photos=[product.id, url], k=5, api_name="/recommend")
    assert blended["query"]["photos"] == 2


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("data:image/png;base64,!!!", "not base64"),
        (f"data:image/png;base64,{base64.b64encode(b'Dear Sir').decode()}", "not a picture"),
        ("http://127.0.0.1:1/x.png", "never fetched"),
        ("/etc/hostname", "not uploaded"),
        ("../../etc/hostname", "no product"),
        ("nosuchid", "no product 'nosuchid'"),
    ],
)
def test_a_picture_that_cannot_be_had_is_one_sentence(client: Client, image: str, says: str) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(image=image, api_name="/recommend")
    assert says in str(caught.value) and "Traceback" not in str(caught.value)


def test_the_catalogue_is_what_the_index_holds(client: Client, index) -> None:
    said = client.predict(api_name="/catalog")
    prices = [item.price for item in index.products if item.price is not None]
    assert (said["count"], said["columns"], said["facets"]) == (len(index), index.columns, index.facets)
    assert (said["price"]["low"], said["price"]["high"]) == (min(prices), max(prices))
    assert said["noun"] == ["product", "products"] and said["head"] == index.head.name
    assert said["version"] == mmdemo.__version__ and said["encoder"] == index.manifest.encoder.name


def test_every_answer_says_what_answered(client: Client, index, product) -> None:
    for name, given in (
        ("/catalog", {}),
        ("/recommend", {"text": "blue"}),
        ("/similar", {"id": product.id}),
        ("/product", {"id": product.id}),
        ("/explain", {"id": product.id, "text": "blue"}),
        ("/feedback", {"likes": [product.id]}),
    ):
        said = client.predict(**given, api_name=name)
        assert said["mmdemo"] == mmdemo.__version__
        assert said["index"] == {
            name: getattr(index.manifest, name) for name in ("name", "version", "catalogue_sha256")
        }


def test_the_port_that_is_taken_and_the_index_that_is_none(tmp_path) -> None:
    from mmdemo.core.errors import InputError
    from mmdemo.ui.server import free_port

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {taken}"):
            free_port("127.0.0.1", taken)
    assert free_port("127.0.0.1", None) >= 7860
    command = [sys.executable, "app.py", "--index", str(tmp_path / "none")]
    ended = subprocess.run(command, cwd=demo_process.HOME, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1 and ended.stdout == ""
    assert ended.stderr.count("\n") == 1 and "is not an index" in ended.stderr


def _call(client: Client, name: str, data: list) -> dict[str, str]:
    """One call over plain HTTP: the last event and its data."""
    event = httpx.post(f"{client.src}gradio_api/call/{name}", json={"data": data}).json()["event_id"]
    lines = httpx.get(f"{client.src}gradio_api/call/{name}/{event}", timeout=30).text.splitlines()
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    values = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return {"event": events[-1], "data": values[-1]}

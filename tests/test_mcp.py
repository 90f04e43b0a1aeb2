"""The tools as an agent meets them, by the official client: what they say of themselves, and what they answer."""

import asyncio
import base64
import io
import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "browser"))
import demo_process

TOOLS = {"catalog", "recommend", "similar", "product", "explain", "feedback"}


@pytest.fixture(scope="module")
def index():
    from mmdemo.index.product_index import ProductIndex

    return ProductIndex.load(demo_process.INDEX)


@pytest.fixture(scope="module")
def agent():
    """Calls one tool, or with no name greets the server and lists them."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    address = f"{demo_process.start().url}/gradio_api/mcp/"

    async def ask(name: str, given: dict):
        async with streamable_http_client(address) as (read, write, _), ClientSession(read, write) as session:
            greeting = await session.initialize()
            return await session.call_tool(name, given) if name else (greeting, (await session.list_tools()).tools)

    def call(name: str = "", **given):
        with ThreadPoolExecutor(1) as alone:  # the browser tests may hold this thread's event loop
            return alone.submit(asyncio.run, ask(name, given)).result()

    return call


def test_the_server_says_what_it_is_and_how_to_begin(agent, index):
    greeting, _ = agent()
    assert greeting.serverInfo.name == "mmdemo"
    assert f"{len(index):,} products" in greeting.instructions and "`catalog` first" in greeting.instructions


def test_tools_are_described_for_whoever_has_never_seen_the_app(agent):
    _, tools = agent()
    assert {tool.name for tool in tools} == TOOLS
    for tool in tools:
        assert len(tool.description) > 60 and tool.title and tool.annotations.readOnlyHint
        assert not re.search(r"gradio|FileData|endpoint", tool.description, re.I), "words of the house"
        for name, given in tool.inputSchema["properties"].items():
            assert len(given["description"]) > 10 and "type" in given, (tool.name, name)
    recommend = next(tool for tool in tools if tool.name == "recommend").inputSchema
    assert "required" not in recommend
    assert recommend["properties"]["k"] | {"minimum": 1, "maximum": 100} == recommend["properties"]["k"]
    assert "price<50" in recommend["properties"]["filters"]["description"]


def test_the_pictures_of_results_come_as_pictures_each_after_its_name(agent, index):
    said = agent("recommend", text="blue", k=5, pictures=3)
    results = said.structuredContent["results"]
    assert json.loads(said.content[0].text) == said.structuredContent and len(results) == 5
    pictured = [found for found in results[:3] if found["picture"]]
    assert [part.type for part in said.content] == ["text"] + ["text", "image"] * len(pictured)
    for found, label, shown in zip(pictured, said.content[1::2], said.content[2::2], strict=True):
        assert label.text == f"{found['rank']}. {found['id']}: {found['title']}" and shown.mimeType == "image/webp"
        data = base64.b64decode(shown.data)
        assert data == index.thumbnail(found["id"]) and Image.open(io.BytesIO(data)).format == "WEBP"
    assert [part.type for part in agent("recommend", text="blue", pictures=0).content] == ["text"]


def test_an_id_goes_from_one_tool_to_the_next(agent, index):
    first = agent("recommend", text="blue", k=3).structuredContent["results"][0]
    assert agent("product", id=first["id"]).structuredContent["title"] == first["title"]
    like = agent("similar", id=first["id"], k=4).structuredContent["results"]
    assert len(like) == 4 and first["id"] not in [found["id"] for found in like]
    changed = agent("recommend", image=first["id"], text="in red", k=4).structuredContent
    assert changed["query"]["reference"] == first["id"]
    why = agent("explain", id=first["id"], text="blue").structuredContent
    assert why["rank"] == 1 and [word["word"] for word in why["words"]] == ["blue"]
    taste = agent("feedback", likes=[first["id"]], k=3).structuredContent
    assert taste["query"]["likes"] == [first["id"]]


def test_a_picture_as_a_data_url_finds_its_product(agent, index):
    product = next(item for item in index.products if item.image)
    url = f"data:image/webp;base64,{base64.b64encode(index.thumbnail(product.id)).decode()}"
    answer = agent("recommend", image=url, k=1, fold=False).structuredContent
    assert [found["id"] for found in answer["results"]] == [product.id] and answer["query"]["image"] is True


def test_the_catalogue_says_what_filters_can_name(agent, index):
    said = agent("catalog").structuredContent
    assert (said["count"], said["facets"]) == (len(index), index.facets)
    column, values = next(iter(said["facets"].items()))
    value = next(iter(values))
    found = agent("recommend", text="nice", filters=[f"{column}={value}"], k=5, fold=False).structuredContent
    known = {item.id: item for item in index.products}
    assert all(value in known[one["id"]].values(column) for one in found["results"])


@pytest.mark.parametrize(
    ("tool", "given", "says"),
    [
        ("recommend", {}, "nothing to search by"),
        ("recommend", {"text": "x", "k": 0}, "k: Input should be greater"),
        ("recommend", {"text": "x", "k": "many"}, "k: Input should be a valid integer"),
        ("recommend", {"image": "http://127.0.0.1:1/x.png"}, "never fetched"),
        ("recommend", {"image": "/etc/hostname"}, "not uploaded"),
        ("recommend", {"text": "x", "filters": ["nosuchcolumn=1"]}, "nosuchcolumn"),
        ("product", {"id": "nosuchid"}, "nosuchid"),
        ("product", {}, "id: Field required"),
        ("similar", {"id": "nosuchid"}, "nosuchid"),
    ],
)
def test_a_fault_is_an_answer_in_one_sentence(agent, tool, given, says):
    said = agent(tool, **given)
    assert said.isError and says in said.content[0].text
    assert "Traceback" not in said.content[0].text and "pydantic" not in said.content[0].text

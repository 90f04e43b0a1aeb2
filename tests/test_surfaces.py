"""One query, five surfaces: the page, Python, the command line, REST and MCP answer alike.

Scores agree to 1e-6: sums made by another number of threads differ in their last bits.
"""

import asyncio
import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "browser"))
import demo_process

WORDS, K = "something in green", 12  # as many as the page shows
Answer = list[tuple[str, float]]

IN_PYTHON = """
import json, sys
from mmdemo.catalog.imaging import decode
from mmdemo.core.request import Query
from mmdemo.search.recommender import Recommender

photo = decode(sys.argv[2], max_side=512)
found = Recommender.load(sys.argv[1]).recommend(Query(image=photo, text=sys.argv[3], k=int(sys.argv[4]), fold=True))
print(json.dumps([[r.id, r.score] for r in found]))
"""


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    """A photo as a visitor has it: larger than what is kept of an upload, recompressed, not quite the product's."""
    from mmdemo.index.product_index import ProductIndex

    index = ProductIndex.load(demo_process.INDEX)
    thumbnail = next(index.thumbnail(p.id) for p in index.products[len(index) // 2 :] if p.image)
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    with Image.open(io.BytesIO(thumbnail)) as picture:
        picture.convert("RGB").crop((10, 20, 370, 380)).resize((900, 900)).save(path, quality=85)
    return path


def run(*command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=demo_process.HOME, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_python(photo: Path) -> Answer:
    return [(i, s) for i, s in json.loads(run("-c", IN_PYTHON, str(demo_process.INDEX), str(photo), WORDS, str(K)))]


def by_command_line(photo: Path) -> Answer:
    flags = ("--image", str(photo), "--text", WORDS, "-k", str(K), "--fold", "--json")
    return pairs(json.loads(run("-m", "mmdemo", "search", str(demo_process.INDEX), *flags)))


def by_rest(photo: Path) -> Answer:
    """In one request, once the photo is there."""
    return pairs(httpx.post(f"{demo_process.start().url}/api/recommend", json=asked_of(photo), timeout=60).json())


def by_gradio(photo: Path) -> Answer:
    """REST as Gradio has it: ask, then read the events."""
    calls = f"{demo_process.start().url}/gradio_api/call"
    event = httpx.post(f"{calls}/v2/recommend", json=asked_of(photo)).json()["event_id"]
    lines = httpx.get(f"{calls}/recommend/{event}", timeout=60).text.splitlines()
    return pairs(json.loads(lines[lines.index("event: complete") + 1].removeprefix("data: "))[0])


def asked_of(photo: Path) -> dict:
    sent = httpx.post(f"{demo_process.start().url}/gradio_api/upload", files={"files": photo.read_bytes()})
    return {"image": sent.json()[0], "text": WORDS, "k": K, "fold": True}


def by_mcp(photo: Path) -> Answer:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    server = demo_process.start().url
    asked = asked_of(photo)

    async def ask() -> dict:
        async with streamable_http_client(f"{server}/gradio_api/mcp/") as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                said = await session.call_tool("recommend", asked)
        assert json.loads(said.content[0].text) == said.structuredContent
        return said.structuredContent

    return pairs(asyncio.run(ask()))


def by_page(photo: Path) -> Answer:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=demo_process.chromium(), args=demo_process.FLAGS)
        page = chromium.new_page()
        page.goto(demo_process.start().url)
        page.wait_for_selector(".mm-welcome")
        page.set_input_files("#mm-photo input[type=file]", photo)
        heading = page.locator("#mm-results .mm-bar h2")
        expect(heading).to_contain_text("your photo", timeout=30_000)
        field = page.locator("#mm-text :is(input, textarea)")
        field.fill(WORDS)
        field.press("Enter")
        expect(heading).to_contain_text(WORDS, timeout=30_000)
        cards = page.locator("#mm-results .mm-card")
        shown = cards.evaluate_all("all => all.map(card => [card.dataset.id, card.dataset.score])")
        chromium.close()
    return [(i, float(score)) for i, score in shown]


def pairs(answer: dict) -> Answer:
    return [(found["id"], found["score"]) for found in answer["results"]]


def test_five_surfaces_give_the_same_ids_and_scores(photo):
    demo_process.start()
    ways = (by_page, by_python, by_command_line, by_rest, by_gradio, by_mcp)
    # One after the other, since queries at the same time share a pass of the encoder; each in a thread of its own,
    # since the browser's client and the agent's both want an event loop.
    with ThreadPoolExecutor(1) as alone:
        answers = {way.__name__: alone.submit(way, photo).result() for way in ways}
    assert len(answers["by_python"]) == K and len({i for i, _ in answers["by_python"]}) == K
    # The page leaves out other things that are far, where the kind that is asked for is among the answers.
    on_page, expected = answers.pop("by_page"), dict(answers["by_python"])
    assert [i for i, _ in on_page] == [i for i in expected if i in dict(on_page)] and len(on_page) > 1
    assert on_page[0][0] == answers["by_python"][0][0]
    assert [s for _, s in on_page] == pytest.approx([expected[i] for i, _ in on_page], abs=1e-6)
    for name, answer in answers.items():
        assert [i for i, _ in answer] == [i for i, _ in answers["by_python"]], name
        assert [s for _, s in answer] == pytest.approx([s for _, s in answers["by_python"]], abs=1e-6), name

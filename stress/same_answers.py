"""Does another checkout give the same answers? The same queries on every surface of both, ids and scores compared.

python -m stress.same_answers OTHER_CHECKOUT [--index INDEX ...] [--queries 200] [--pages 20]

Each checkout serves its own copy of an index, so that a change of an index's format does not stand in the way. Products
whose scores differ by no more than the tolerance may change places.
"""

import argparse
import asyncio
import csv
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

HOME = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-6
K = 12
Answer = list[tuple[str, float]]
Arguments = dict[str, Any]

IN_PYTHON = """
import json, sys
try:
    from mmdemo import Query, Recommender
    from mmdemo.core.request import Filter
except ImportError:  # a checkout from before modules were sorted into packages
    from mmdemo.query import Filter, Query
    from mmdemo.recommender import Recommender
recommender = Recommender.load(sys.argv[1])
for arguments in json.load(sys.stdin):
    for name in ("like", "unlike"):
        arguments[name] = tuple(arguments.get(name, ()))
    arguments["filters"] = tuple(Filter.parse(text) for text in arguments.get("filters", ()))
    print(json.dumps([[answer.id, answer.score] for answer in recommender.recommend(Query(**arguments))]))
"""


def queries(catalog: Path, count: int, seed: int = 0) -> list[Arguments]:
    """`count` requests of every kind, drawn from a catalogue's own titles, categories and composed queries."""
    rng = random.Random(seed)
    with (catalog / "catalog.csv" if (catalog / "catalog.csv").exists() else catalog / "products.csv").open(
        encoding="utf-8"
    ) as file:
        products = list(csv.DictReader(file))
    composed = catalog / "composed_queries.csv"
    edits = list(csv.DictReader(composed.open(encoding="utf-8"))) if composed.exists() else []
    drawn = []
    for number in range(count):
        product, other = rng.sample(products, 2)
        words = product["title"].split()
        sentence = " ".join(words[: max(1, len(words) // 2)])
        kinds: list[Arguments] = [
            {"text": sentence},
            {"text": f"{sentence}, not {other['title'].split()[0].lower()}"},
            {"text": f"{product.get('category', '')} under {rng.randint(10, 90)}"},
            {"reference": product["id"]},
            {"reference": product["id"], "text": f"but like {other['title'].lower()}"},
            {"like": [product["id"]], "unlike": [other["id"]]},
            {"text": sentence, "like": [other["id"]], "diversity": 0.5},
            {"text": sentence, "fold": True, "weight": 0.3},
            {"text": sentence, "filters": [f"category={product.get('category', '')}"]},
        ]
        if edits:
            edit = rng.choice(edits)
            kinds += [{"reference": edit["reference_id"], "text": edit["text"]}] * 2
        drawn.append({"k": K, **kinds[number % len(kinds)]})
    return drawn


@contextmanager
def served(checkout: Path, index: Path) -> Iterator[str]:
    """The address of the app of a checkout, with its tools for agents, ended afterwards."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, "app.py", "--index", str(index), "--mcp"]
    process = subprocess.Popen(command, cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if ready := re.search(r"ready at (\S+)", line):
                break
        else:
            raise SystemExit(f"the app of {checkout} ended before it was ready")
        yield ready[1]
    finally:
        process.terminate()
        process.wait(30)


def pairs(answer: dict[str, Any]) -> Answer:
    """(id, score) of each result."""
    return [(result["id"], result["score"]) for result in answer["results"]]


def by_python(checkout: Path, index: Path, asked: list[Arguments]) -> list[Answer]:
    """Answers of the Python interface, in a process of the checkout's own."""
    done = subprocess.run(
        [sys.executable, "-c", IN_PYTHON, str(index)],
        input=json.dumps(asked),
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return [[(i, score) for i, score in json.loads(line)] for line in done.stdout.splitlines()]


def by_command_line(checkout: Path, index: Path, asked: list[Arguments]) -> list[Answer]:
    """Answers of the command line, one process each."""
    answers = []
    for arguments in asked:
        flags = []
        for name, value in arguments.items():
            option = {"k": "-k", "filters": "--filter"}.get(name, f"--{name}")
            values = value if isinstance(value, list) else [value]
            flags += ["--fold"] if value is True else [part for one in values for part in (option, str(one))]
        done = subprocess.run(
            [sys.executable, "-m", "mmdemo", "search", str(index), *flags, "--json"],
            cwd=checkout,
            env=os.environ | {"PYTHONPATH": str(checkout)},
            capture_output=True,
            text=True,
        )
        answers.append(pairs(json.loads(done.stdout)))
    return answers


def by_rest(address: str, asked: list[Arguments]) -> list[Answer]:
    """Answers of POST /api/recommend."""
    with httpx.Client(timeout=60) as client:
        return [pairs(client.post(f"{address}/api/recommend", json=arguments).json()) for arguments in asked]


def by_gradio(address: str, asked: list[Arguments]) -> list[Answer]:
    """Answers of Gradio's own API, by its Python client."""
    from gradio_client import Client

    client = Client(address, verbose=False)
    return [pairs(client.predict(api_name="/recommend", **arguments)) for arguments in asked]


def by_mcp(address: str, asked: list[Arguments]) -> list[Answer]:
    """Answers of the tool for agents; what it has no argument for is not asked."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def ask() -> list[Answer]:
        async with streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                answers = []
                for arguments in asked:
                    sent = {("image" if name == "reference" else name): value for name, value in arguments.items()}
                    result = await session.call_tool("recommend", {"pictures": 0, "fold": False, **sent})
                    answers.append(pairs(json.loads(result.content[0].text)))
                return answers

    return asyncio.run(ask())


def by_page(address: str, asked: list[Arguments]) -> list[Answer]:
    """What the page shows for a link with the words of a request."""
    sys.path.insert(0, str(HOME / "tests" / "browser"))
    import demo_process
    from playwright.sync_api import sync_playwright

    answers = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=demo_process.chromium(), args=demo_process.FLAGS)
        for arguments in asked:
            page = chromium.new_page()
            page.goto(str(httpx.URL(address, params={"q": arguments["text"]})))
            page.wait_for_selector("#mm-results .mm-card")
            cards = page.locator("#mm-results .mm-card").evaluate_all(
                "all => all.map(card => [card.dataset.id, card.dataset.score])"
            )
            answers.append([(i, float(score)) for i, score in cards])
            page.close()
        chromium.close()
    return answers


def same(one: Answer, other: Answer, tolerance: float = TOLERANCE) -> bool:
    """Whether two answers hold the same products with the same scores; equal scores may stand in any order."""
    if len(one) != len(other) or any(abs(a - b) > tolerance for (_, a), (_, b) in zip(one, other, strict=True)):
        return False
    scores = dict(other)
    last = one[-1][1] if one else 0.0
    # The last places may be shared by more products of one score than there is room for.
    return all(
        abs(scores[i] - score) <= tolerance if i in scores else abs(score - last) <= tolerance for i, score in one
    )


def compare(name: str, asked: list[Arguments], before: list[Answer], after: list[Answer]) -> int:
    """Print how many answers agree and the first that do not; returns how many do not."""
    differing = [i for i, (one, other) in enumerate(zip(before, after, strict=True)) if not same(one, other)]
    print(f"{name}: {len(asked) - len(differing)} of {len(asked)} answers are the same", flush=True)
    for i in differing[:3]:
        print(f"  {asked[i]}\n    before {before[i][:3]}\n    after  {after[i][:3]}")
    return len(differing)


def main() -> int:
    """0 where all answers agree, 1 where some do not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=Path, help="the checkout to compare with")
    parser.add_argument("--index", action="append", help="index folder, relative to both; may be repeated")
    parser.add_argument("--catalog", action="append", help="the catalogue of each index, relative to this checkout")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--pages", type=int, default=20, help="queries of the page and of the command line")
    chosen = parser.parse_args()
    wrong = 0
    indexes, catalogs = chosen.index or ["index/default"], chosen.catalog or ["assets/catalog"]
    for index, catalog in zip(indexes, catalogs, strict=True):
        asked = queries(HOME / catalog, chosen.queries)
        few = asked[: chosen.pages]
        worded = [a for a in asked if set(a) == {"k", "text"}][: chosen.pages]
        print(f"{index}: {len(asked)} queries")
        checkouts = (chosen.other.resolve(), HOME)
        surfaces: list[tuple[str, list[Arguments], Callable[..., list[Answer]], bool]] = [
            ("Python", asked, by_python, False),
            ("command line", few, by_command_line, False),
            ("REST", asked, by_rest, True),
            ("Gradio", asked, by_gradio, True),
            ("MCP", [a for a in asked if "weight" not in a or "fold" in a], by_mcp, True),
            ("page", worded, by_page, True),
        ]
        answers: list[dict[str, list[Answer]]] = []
        for checkout in checkouts:
            with served(checkout, checkout / index) as address:
                answers.append(
                    {
                        name: ask(address, some) if by_address else ask(checkout, checkout / index, some)
                        for name, some, ask, by_address in surfaces
                    }
                )
        wrong += sum(compare(name, some, answers[0][name], answers[1][name]) for name, some, _, _ in surfaces)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

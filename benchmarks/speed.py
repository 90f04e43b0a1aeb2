"""python -m benchmarks.speed [--only query throughput explain ...] [--peer PYTHON] [--runs 5]: where time goes.

Every figure stands beside its named peer or limit, measured in turn with it in the same run: a query over HTTP beside
the bare encoder and a bare FAISS call; many users beside the encoder's best batches; a catalogue's pictures beside a
plain open_clip loop, the forward pass alone and clip-retrieval; the start of the app beside its imports. Medians and
their spread go to docs/performance/speed.json, and from there, with those of `benchmarks.index_size`, to the table and
the drawings of docs/performance.md.
"""

import argparse
import asyncio
import base64
import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.embedding import embedding, own_encoder
from benchmarks.figures import HOME, OUT, PARTS, Figure, figure, machine, write_page
from benchmarks.load import Server
from tests.toys import toy_catalogue

INDEX = HOME / "index" / "default"
USERS = 32
QUERY_AIMS = {"a photo and words": "at most 0.85", "a photo": "at most 0.75", "words": "at most 1.5"}
# The compiler is what torchvision imports where nobody keeps it from it; the operators are declared as for the app.
IMPORTS = """
import gradio, torch, torch._dynamo
from mmdemo.encode.torchvision_shim import import_open_clip
import_open_clip()
"""
_fresh = count(1)  # no query is asked twice: the app remembers what it has encoded


class Bare:
    """The encoder and FAISS in this process, with nothing around them."""

    def __init__(self) -> None:
        import faiss

        from mmdemo.catalog.imaging import decode
        from mmdemo.search.recommender import Recommender

        self.app = Recommender.load(INDEX)
        self.app.encoder.export()
        self.encoder = self.app.encoder.for_inference(engine="torch")
        index = self.app.index
        self.flat = faiss.IndexFlatIP(index.head.width)
        self.flat.add(np.ascontiguousarray(index.vectors))
        self.query = np.ascontiguousarray(index.vectors[:1])
        thumbs = [t for p in index.products[:: max(1, len(index) // 64)] if (t := index.thumbnail(p.id)) is not None]
        self.pictures = [decode(thumb, max_side=512) for thumb in thumbs[:64]]
        self.files = [_data_url(picture) for picture in self.pictures]

    def answer(self, photo: int | None, words: str) -> None:
        from mmdemo.encode.embeddings import photo_embeddings, text_embeddings

        if photo is not None:
            photo_embeddings(self.encoder, [self.pictures[photo]])
        if words:
            text_embeddings(self.encoder, [words])
        self.flat.search(self.query, 12)


def _data_url(picture: Any) -> str:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()


async def ask(client: httpx.AsyncClient, image: str | None, words: str) -> bool:
    """One query over HTTP, as a program asks it: whether it was answered, not told that the server is busy.

    Raises RuntimeError for anything else.
    """
    answer = await client.post("/api/recommend", json={"image": image, "text": words, "k": 12})
    if answer.status_code == 503:
        return False
    if answer.status_code != 200:
        raise RuntimeError(answer.text[:300])
    return True


def _client(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.url, timeout=120, limits=httpx.Limits(max_connections=None))


def query(bare: Bare, server: Server, runs: int) -> list[Figure]:
    """One user: the median query over HTTP beside the bare encoder call with the same rows and a bare FAISS call."""
    asked = dict(zip(QUERY_AIMS, ((True, True), (True, False), (False, True)), strict=True))
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in asked}

    async def http(name: str, n: int) -> float:
        pictured, worded = asked[name]
        lasted = []
        async with _client(server) as client:
            for i in range(n):
                words = f"in blue, number {next(_fresh)}" if worded else ""
                began = time.perf_counter()
                await ask(client, bare.files[i % len(bare.files)] if pictured else None, words)
                lasted.append(time.perf_counter() - began)
        return 1000 * statistics.median(lasted)

    def alone(name: str, n: int) -> float:
        pictured, worded = asked[name]
        lasted = []
        for i in range(n):
            words = f"in blue, number {next(_fresh)}" if worded else ""
            began = time.perf_counter()
            bare.answer(i % len(bare.pictures) if pictured else None, words)
            lasted.append(time.perf_counter() - began)
        return 1000 * statistics.median(lasted)

    for run in range(runs + 1):
        for name in asked:
            pair = asyncio.run(http(name, 20)), alone(name, 20)
            if run:  # the first one warms up
                for kept, value in zip(times[name], pair, strict=True):
                    kept.append(value)
    return [
        figure(
            f"one query over HTTP, p50: {name}",
            "ms",
            ours,
            "PyTorch's bare encoder call and a bare FAISS call",
            peer,
            QUERY_AIMS[name],
        )
        for name, (ours, peer) in times.items()
    ]


def throughput(bare: Bare, server: Server, runs: int, seconds: float = 8) -> list[Figure]:
    """Many users, a photo and words each, beside the encoder's best batches of the same."""
    from mmdemo.encode.embeddings import photo_embeddings, text_embeddings

    async def users() -> float:
        until, done = time.monotonic() + seconds, 0

        async def user(number: int, client: httpx.AsyncClient) -> None:
            nonlocal done
            while time.monotonic() < until:
                words = f"in blue, number {next(_fresh)}"
                if await ask(client, bare.files[(number + done) % len(bare.files)], words):
                    done += 1
                else:
                    await asyncio.sleep(0.2)  # as a program would that is told to try again

        began = time.monotonic()
        async with _client(server) as client:
            await asyncio.gather(*(user(n, client) for n in range(USERS)))
        return done / (time.monotonic() - began)

    def best() -> float:
        rates = []
        for size in (8, 16, 32):
            for _ in range(3):
                words = [f"in blue, number {next(_fresh)}" for _ in range(size)]
                began = time.perf_counter()
                photo_embeddings(bare.encoder, bare.pictures[:size])
                text_embeddings(bare.encoder, words)
                rates.append(size / (time.perf_counter() - began))
        return max(rates)

    asyncio.run(users())
    pairs = [(asyncio.run(users()), best()) for _ in range(runs)]
    return [
        figure(
            f"{USERS} users at once, a photo and words each",
            "queries/s",
            [p[0] for p in pairs],
            "the encoder's best batches by PyTorch",
            [p[1] for p in pairs],
            "at least 1.6",
        )
    ]


def explain(bare: Bare, runs: int) -> list[Figure]:
    """ "Why this?" of one answer, its first part and all of it, beside the same by PyTorch."""
    from mmdemo.core.request import Query
    from mmdemo.explain.explanation import Explanation
    from mmdemo.search.recommender import Recommender

    apps = bare.app, Recommender(bare.app.index, bare.encoder)
    seconds: dict[str, tuple[list[float], ...]] = {"its first part": ([], []), "all of it": ([], [])}
    for run in range(runs + 1):
        for side, app in enumerate(apps):
            query = Query(image=bare.pictures[run], text=f"a blue one, number {next(_fresh)}")
            prepared = app.prepare(query)
            why, began = Explanation(app, prepared, app.recommend(prepared)[2].id), time.perf_counter()
            _ = why.receipt, why.reason, why.match, why.words, why.title_words
            first = time.perf_counter() - began
            why.as_dict()
            if run:  # the first one warms up
                seconds["its first part"][side].append(first)
                seconds["all of it"][side].append(time.perf_counter() - began)
    aims = {"its first part": "0.3 s", "all of it": "1 s"}
    return [
        figure(f'"Why this?", {part}', "s", ours, "the same by PyTorch", peer, aims[part])
        for part, (ours, peer) in seconds.items()
    ]


def commands(runs: int) -> list[Figure]:
    """The command line in fresh processes, beside the imports that each command cannot do without."""
    env = {**os.environ, "PYTHONPATH": str(HOME)}

    def lasts(*arguments: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=HOME, env=env, capture_output=True)
        return time.perf_counter() - began

    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "products.csv"
        table.write_text("id,image,what\n1,a.jpg,Mug\n", encoding="utf-8")
        twelve, out = toy_catalogue(Path(folder) / "toys", copies=1), str(Path(folder) / "index")
        light, heavy = "import typer, pydantic, PIL.Image", IMPORTS.replace("gradio, ", "")
        asked = {
            "mmdemo --help": (["--help"], light, "0.3 s"),
            "a table that cannot be used is refused": (["build", str(table), "--out", out], light, "1 s"),
            "12 products built": (["build", str(twelve), "--out", out], heavy, "4 s"),
        }
        pairs = {
            name: [(lasts("-m", "mmdemo", *arguments), lasts("-c", imports)) for _ in range(runs + 1)][1:]
            for name, (arguments, imports, _) in asked.items()
        }
    return [
        figure(name, "s", [p[0] for p in pairs[name]], "its imports", [p[1] for p in pairs[name]], aim)
        for name, (_, _, aim) in asked.items()
    ]


def start(runs: int) -> list[Figure]:
    """`python app.py` to its first answer beside the imports that it cannot do without, both in fresh processes."""
    env = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONPATH": str(HOME)}

    def imports() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORTS], cwd=HOME, env=env, check=True, capture_output=True)
        return time.perf_counter() - began

    pairs = [(_first_answer(), imports()) for _ in range(runs + 1)][1:]  # the first one fills the disk cache
    return [
        figure(
            "python app.py to its first answer",
            "s",
            [p[0] for p in pairs],
            "import torch, gradio, open_clip",
            [p[1] for p in pairs],
            "at most 1.3",
        )
    ]


def _first_answer() -> float:
    began = time.perf_counter()
    server = Server(str(INDEX))
    try:
        body = json.dumps({"text": "a red mug", "k": 12}).encode()
        asked = urllib.request.Request(f"{server.url}/api/recommend", body, {"content-type": "application/json"})
        urllib.request.urlopen(asked, timeout=60).read()  # raises for anything but an answer
        return time.perf_counter() - began
    finally:
        server.stop()


@contextlib.contextmanager
def served() -> Iterator[Server]:
    """The app in a process of its own, ended afterwards."""
    server = Server(str(INDEX))
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--peer", default="", help="a Python with clip-retrieval; none: its loop, written again")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    file = arguments.out / "speed.json"
    parts = json.loads(file.read_text()) if file.exists() else {}
    now = {"machine": machine(), "runs": arguments.runs}

    def keep(part: str, figures: list[Figure], **also: Any) -> None:
        parts[part] = {**now, "figures": figures, **also}
        arguments.out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(parts, indent=1) + "\n")
        for f in figures:
            low, high = f["ratio_spread"]
            pair = f"{f['value']:.4g} {f['unit']}, {f['peer']}: {f['peer_value']:.4g}"
            print(f"{f['figure']}: {pair}; ratio {f['ratio']:.2f} [{low:.2f}, {high:.2f}], aim {f['aim']}", flush=True)
        if arguments.out == OUT:
            write_page(parts)

    if "start" in arguments.only:
        keep("start", start(arguments.runs))
    if "embedding" in arguments.only:
        figures, how = embedding(max(3, arguments.runs - 2), arguments.peer, arguments.pictures)
        own_figures, setting = own_encoder(max(3, arguments.runs - 2))
        keep("embedding", figures + own_figures, **how, own_setting=setting)
    if "commands" in arguments.only:
        keep("commands", commands(arguments.runs))
    if {"query", "throughput", "explain"} & set(arguments.only):
        bare = Bare()
        if "explain" in arguments.only:
            keep("explain", explain(bare, arguments.runs))
        with served() as server:
            if "query" in arguments.only:
                keep("query", query(bare, server, arguments.runs))
            if "throughput" in arguments.only:
                keep("throughput", throughput(bare, server, max(3, arguments.runs - 2)))


if __name__ == "__main__":
    main()

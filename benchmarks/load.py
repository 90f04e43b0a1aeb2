"""Many visitors at once: accepted queries a second, latencies, refusals and memory, within what it takes and beyond.

    python -m benchmarks.load [--seconds 120] [--index index/default] [--visitors 8] [--build assets/catalog]

Starts the app on a free port of the loopback interface and calls `/recommend` over HTTP as a program does, two thirds
by words and a third by an uploaded picture: first with as many visitors as --visitors, then with ten times as many as
may wait and be worked on. With --build, once more while that catalogue is built beside it, as the app builds a
visitor's. Prints one JSON document, which it also writes to benchmarks/load.json (--out); docs/reliability.md says
where its figures came from.
"""

import argparse
import asyncio
import io
import json
import os
import random
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

HOME = Path(__file__).resolve().parents[1]
WORDS = "blue red green wooden metal small large cosy garden kitchen lamp chair table mug vase for a child".split()
# Weight, filters and so on: as if they were not given.
REST = [0.5, [], [], [], "", 0.0, False, [], [], "", "match", [], [], ""]
CAPACITY = 24 + 16  # what may wait and what is worked on


class Server:
    """The app in a process of its own."""

    def __init__(self, index: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = Path(tempfile.mkdtemp(prefix="mmdemo-load-")) / "log.txt"
        command = [sys.executable, "app.py", "--index", index, "--port", str(self.port)]
        self.began = time.monotonic()
        with self.log.open("w") as out:
            self.process = subprocess.Popen(command, cwd=HOME, stdout=out, stderr=subprocess.STDOUT)
        self.memories: list[tuple[float, float]] = []  # (seconds since it began, MB), every second of every phase
        until = time.monotonic() + 300
        while "is ready" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(self.log.read_text())
            time.sleep(0.05)

    def memory(self) -> float:
        """Resident memory in MB, Linux only."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1000 if found else float("nan")

    def stop(self) -> float:
        """Ask it to end; returns the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return time.monotonic() - began


def photo(chance: random.Random) -> bytes:
    pixels = np.random.default_rng(chance.randrange(1 << 30)).integers(0, 256, (30, 40, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((1200, 900)).save(stream, "JPEG")
    return stream.getvalue()


async def ask(client: httpx.AsyncClient, chance: random.Random, photos: list[bytes]) -> str:
    """One query; "answered", "busy" or what went wrong."""
    image = None
    if chance.random() < 1 / 3:
        sent = await client.post("/gradio_api/upload", files={"files": ("p.jpg", chance.choice(photos))})
        if sent.status_code == 503:
            return "busy"
        image = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
    words = "" if image and chance.random() < 0.5 else " ".join(chance.sample(WORDS, 4))
    made = await client.post("/gradio_api/call/recommend", json={"data": [image, words, 12, *REST]})
    if made.status_code == 503:
        return "busy"
    if made.status_code != 200:
        return f"HTTP {made.status_code}"
    answer = await client.get(f"/gradio_api/call/recommend/{made.json()['event_id']}")
    if "event: complete" in answer.text and '"results"' in answer.text:
        return "answered"
    return "busy" if "busy" in answer.text else f"said {answer.text[:80]!r}"


async def phase(server: Server, visitors: int, seconds: float, pause: float) -> dict[str, object]:
    """So many visitors, each asking again when answered (or `pause` seconds after being refused)."""
    outcomes: Counter[str] = Counter()
    latencies: list[float] = []
    photos = [photo(random.Random(n)) for n in range(8)]
    earlier, until = len(server.memories), time.monotonic() + seconds
    limits = httpx.Limits(max_connections=None)

    async def visitor(number: int, client: httpx.AsyncClient) -> None:
        chance = random.Random(number)
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                said = await ask(client, chance, photos)
            except httpx.HTTPError as error:
                said = type(error).__name__
            outcomes[said] += 1
            if said == "answered":
                latencies.append(time.monotonic() - began)
            else:
                await asyncio.sleep(pause * (0.5 + chance.random()))

    async def watch() -> None:
        while True:  # also while the last answers are awaited
            server.memories.append((time.monotonic() - server.began, server.memory()))
            await asyncio.sleep(1)

    began = time.monotonic()
    async with httpx.AsyncClient(base_url=server.url, timeout=120, limits=limits) as client:
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(visitor(n, client) for n in range(visitors)))
        watching.cancel()
    lasted = time.monotonic() - began
    if not latencies:
        raise RuntimeError(f"not one query was answered: {dict(outcomes)}")
    p50, p95, p99 = np.percentile(latencies, [50, 95, 99])
    memory = [mb for _, mb in server.memories[earlier:]]
    third = max(1, len(memory) // 3)
    return {
        "visitors": visitors,
        "seconds": round(lasted, 1),
        "answered": outcomes["answered"],
        "answered_per_second": round(outcomes["answered"] / lasted, 2),
        "p50_ms": round(1000 * p50),
        "p95_ms": round(1000 * p95),
        "p99_ms": round(1000 * p99),
        "share_refused": round(outcomes["busy"] / max(1, outcomes.total()), 3),
        "failed": {what: n for what, n in outcomes.items() if what not in ("answered", "busy")},
        "memory_mb": {
            "first_third": round(float(np.mean(memory[:third]))),
            "last_third": round(float(np.mean(memory[-third:]))),
            "peak": round(max(memory)),
        },
    }


def memory_over_time(memories: list[tuple[float, float]]) -> dict[str, object]:
    """Resident MB at the start, in the middle and at the end (means of a twentieth each), and minute by minute."""
    whole = [mb for _, mb in memories]
    width, half = max(1, len(whole) // 20), len(whole) // 2
    parts = {"start": whole[:width], "middle": whole[half : half + width], "end": whole[-width:]}
    minutes: dict[int, list[float]] = {}
    for second, mb in memories:
        minutes.setdefault(int(second // 60), []).append(mb)
    return {name: round(float(np.mean(part))) for name, part in parts.items()} | {
        "peak": round(max(whole)),
        "each_minute": [round(float(np.mean(part))) for part in minutes.values()],
    }


def while_building(server: Server, catalogue: str, visitors: int, seconds: float) -> dict[str, object]:
    """A phase during which a process as polite as the app's own builds a catalogue, again and again."""
    with tempfile.TemporaryDirectory() as out:
        build = shlex.join([sys.executable, "-m", "mmdemo", "build", catalogue, "--out", f"{out}/index"])
        again = f"while {build}; do echo built; done"
        with (server.log.parent / "build.txt").open("w+") as said:
            command = ["nice", "-n", "10", "sh", "-c", again]
            building = subprocess.Popen(command, stdout=said, stderr=said, cwd=HOME, start_new_session=True)
            try:
                found = asyncio.run(phase(server, visitors, seconds, 1))
                said.seek(0)
                told = said.read()
                if building.poll() is not None:  # it only ends where a build failed
                    raise RuntimeError(f"{catalogue} could not be built: {told[-500:]}")
                return found | {"built": told.splitlines().count("built")}
            finally:
                if building.poll() is None:
                    os.killpg(building.pid, signal.SIGKILL)
                    building.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="how the server does under load")
    parser.add_argument("--seconds", type=float, default=120, help="altogether, about")
    parser.add_argument("--index", default="index/default")
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--build", help="a catalogue to build meanwhile, in one more phase")
    parser.add_argument("--out", type=Path, default=HOME / "benchmarks" / "load.json")
    asked = parser.parse_args()
    server = Server(asked.index)
    try:
        before = server.memory()
        asyncio.run(phase(server, 2, min(10, asked.seconds / 10), 1))  # warm
        report = {
            "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before",
            "memory_mb_at_start": round(before),
            "one": asyncio.run(phase(server, 1, asked.seconds / 6, 1)),
            "usual": asyncio.run(phase(server, asked.visitors, asked.seconds / 3, 1)),
            "ten_times_capacity": asyncio.run(phase(server, 10 * CAPACITY, asked.seconds / 3, 2)),
            "afterwards": asyncio.run(phase(server, asked.visitors, asked.seconds / 6, 1)),
        }
        if asked.build:
            report["while_building"] = while_building(server, asked.build, asked.visitors, asked.seconds / 3)
        report["memory_mb"] = memory_over_time(server.memories)
        report["seconds_to_end"] = round(server.stop(), 1)
        said = json.dumps(report, indent=1)
        asked.out.write_text(said + "\n", encoding="utf-8")
        print(said)
    finally:
        if server.process.poll() is None:
            server.process.kill()


if __name__ == "__main__":
    main()

"""The server as its operator meets it: what it hands out, how it ends, what it leaves behind."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest.mock import MagicMock

import httpx
import pytest
from PIL import Image

from stress.audit import verdict

sys.path.insert(0, str(Path(__file__).parent / "browser"))
import demo_process


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    """The app in public, in a process of its own: (address, process, folder for temporary files)."""
    port, folder = demo_process.free_port(), tmp_path_factory.mktemp("tmp")
    log = folder / "log.txt"
    command = [sys.executable, "app.py", "--index", str(demo_process.INDEX), "--port", str(port), "--public"]
    with log.open("w") as out:
        own = {**os.environ, "TMPDIR": str(folder)}
        process = subprocess.Popen(command, cwd=demo_process.HOME, stdout=out, stderr=subprocess.STDOUT, env=own)
    for _ in range(1500):
        if "is ready" in log.read_text() or process.poll() is not None:
            break
        time.sleep(0.2)
    assert process.poll() is None, log.read_text()
    yield f"http://127.0.0.1:{port}", process, folder
    process.kill()


def upload(url: str, path: Path) -> str:
    return httpx.post(f"{url}/gradio_api/upload", files={"files": (path.name, path.read_bytes())}).json()[0]


def ask(url: str, image: dict | None, text: str = "blue") -> str:
    made = httpx.post(
        f"{url}/gradio_api/call/recommend",
        json={"data": [image, text, 3, 0.5, [], [], [], "", 0.0, False, [], [], "", "match", [], [], ""]},
    )
    return httpx.get(f"{url}/gradio_api/call/recommend/{made.json()['event_id']}", timeout=60).text


def test_an_upload_is_answered_and_comes_back_without_its_metadata(public, tmp_path):
    url, _, folder = public
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    Image.effect_noise((900, 700), 90).convert("RGB").save(tmp_path / "at home.jpg", "JPEG", exif=exif)
    path = upload(url, tmp_path / "at home.jpg")
    assert "event: complete" in ask(url, {"path": path, "meta": {"_type": "gradio.FileData"}})
    served = httpx.get(f"{url}/gradio_api/file={path}")
    assert served.status_code == 200 and b"Secret" not in served.content
    kept = [p for p in folder.rglob("*") if p.is_file() and p.name != "log.txt"]
    assert kept and not any(b"SecretCamera" in p.read_bytes() for p in kept)


def test_a_path_never_uploaded_and_an_address_are_refused(public):
    url, _, _ = public
    assert "not uploaded" in ask(url, {"path": "/etc/passwd"})
    body = {"data": [{"path": "http://127.0.0.1:1/x.png", "meta": {"_type": "gradio.FileData"}}, "x", 3]}
    assert httpx.post(f"{url}/gradio_api/call/recommend", json=body).status_code == 400


@pytest.mark.parametrize(
    "data", [[None, 5, 3], [None, "x" * 5000, 3], [None, "x", 3, 0.5, "price<4"], [None, "x", 3, 0.5, [5]]]
)
def test_arguments_of_another_type_are_one_sentence(public, data):
    url, _, _ = public
    whole = data + [None, "x", 3, 0.5, [], [], [], "", 0.0, False, [], [], "", "match", [], [], ""][len(data) :]
    made = httpx.post(f"{url}/gradio_api/call/recommend", json={"data": whole})
    said = httpx.get(f"{url}/gradio_api/call/recommend/{made.json()['event_id']}", timeout=60).text
    assert "event: error" in said and re.search("must be|at most", said) and "Traceback" not in said


def test_in_public_the_page_offers_neither_camera_nor_tools(public):
    url, _, _ = public
    page = httpx.get(f"{url}/config").text
    assert '"webcam"' not in json.dumps([c["props"].get("sources") for c in json.loads(page)["components"]])
    assert httpx.get(f"{url}/gradio_api/mcp/").status_code == 404


def test_in_public_nobody_brings_a_catalogue(public):
    url, _, _ = public
    parts = httpx.get(f"{url}/config").json()["components"]
    assert "mm-yours" not in [part["props"].get("elem_id") for part in parts]
    assert httpx.post(f"{url}/yours/file/{'a' * 32}/x.csv", content=b"x").status_code == 404
    assert httpx.get(f"{url}/yours/progress").status_code == 404


def test_in_public_who_asks_too_often_is_told_to_wait(public):
    url, _, _ = public
    with httpx.Client() as client:
        said = (client.post(f"{url}/gradio_api/reset", json={"event_id": "x"}) for _ in range(1000))
        refused = next((one for one in said if one.status_code == 429), None)
        assert refused is not None and "try again" in refused.json()["detail"]
        behind_a_proxy_here = {"X-Forwarded-For": "203.0.113.7"}
        other = client.post(f"{url}/gradio_api/reset", json={"event_id": "x"}, headers=behind_a_proxy_here)
    assert other.status_code != 429, "each visitor behind a proxy on this machine is counted alone"


def test_it_ends_within_ten_seconds_and_leaves_nothing_behind(public):
    """Runs last: with a page left open, as pages are, and a query that has begun."""
    url, process, folder = public
    calls = f"{url}/gradio_api/call/recommend"
    asked = {"data": [None, "blue", 3, 0.5, [], [], [], "", 0.0, False, [], [], "", "match", [], [], ""]}
    while (made := httpx.post(calls, json=asked)).status_code == 429:  # the test before used its calls up
        time.sleep(0.2)
    with (
        httpx.stream("GET", f"{url}/gradio_api/heartbeat/abc", timeout=60) as open_page,
        httpx.stream("GET", f"{calls}/{made.json()['event_id']}", timeout=60) as answer,
    ):
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert b"event: complete" in answer.read()
        assert process.wait(10) == 0
        assert time.monotonic() - began < 10 and open_page.status_code == 200
    assert not [p for p in folder.iterdir() if p.name.startswith("mmdemo")]
    assert "Traceback" not in (folder / "log.txt").read_text()


def test_what_has_begun_is_finished_before_the_end(tmp_path):
    from mmdemo.serve import gate
    from mmdemo.ui.server import _end

    begun, told = ["a query"], []
    queue = MagicMock(active_jobs=begun)
    queue.__len__.return_value = 0
    rules = gate.Rules("127.0.0.1", tmp_path, str)
    page = MagicMock(_queue=queue)
    page.close.side_effect = lambda **_: told.append((rules.stopping, list(begun)))
    threading.Timer(0.5, begun.clear).start()
    _end([page], rules)
    assert told == [(True, [])]


def test_an_answer_in_one_request_is_finished_too(tmp_path):
    from mmdemo.serve import gate
    from mmdemo.ui.server import _end

    rules, told = gate.Rules("127.0.0.1", tmp_path, str, working=1), []
    queue = MagicMock(active_jobs=[])
    queue.__len__.return_value = 0
    page = MagicMock(_queue=queue)
    page.close.side_effect = lambda **_: told.append(rules.working)
    threading.Timer(0.5, setattr, (rules, "working", 0)).start()
    _end([page], rules)
    assert told == [0]


def test_the_audit_fails_for_a_vulnerability_and_says_so_when_it_could_not_ask():
    found = {"dependencies": [{"name": "x", "version": "1", "vulns": [{"id": "CVE-1"}]}]}
    assert verdict(1, json.dumps(found))[0] == 1
    for output in ("", "Traceback", json.dumps({"dependencies": [{"name": "x", "skip_reason": "unknown"}]})):
        code, sentence = verdict(1, output)
        assert code == 0 and "could not run" in sentence and "\n" not in sentence
    fine = {"dependencies": [{"name": "x", "version": "1", "vulns": []}]}
    assert verdict(0, json.dumps(fine)) == (0, "pip-audit: no known vulnerability in 1 packages.")

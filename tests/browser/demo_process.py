"""The demo as a visitor meets it: one running app for each index, and a real Chromium to look at it with."""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from filelock import FileLock

HOME = Path(__file__).resolve().parents[2]
INDEX = Path(os.environ.get("MMDEMO_TEST_INDEX", HOME / "index" / "default"))
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
FAKE_CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
# The shell is Chromium without the windows around a page, which cost a test as much as the page.
SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

PICTURES_THERE = """() => [...document.querySelectorAll('img')].filter(i => i.checkVisibility())
    .filter(i => { const r = i.getBoundingClientRect(); return r.top < innerHeight && r.bottom > 0; })
    .every(i => i.complete && i.naturalWidth)"""

STILL = """() => document.getAnimations().every(
    a => a.playState !== 'running' || a.effect.getComputedTiming().iterations === Infinity)"""
STARTED = 600.0  # seconds until the app answers; a busy machine may take minutes
LIMIT = 90_000  # milliseconds until the page is as a test expects it


@dataclass(frozen=True)
class Demo:
    """A running app."""

    url: str
    log: Path
    process: subprocess.Popen


@cache
def chromium() -> str:
    """The path of a Chromium: an installed one, else Debian's package, else Playwright's own. Raises where none is."""
    with FileLock(Path(tempfile.gettempdir()) / "mmdemo-chromium.lock"):  # workers of pytest come at the same time
        return _chromium()


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        install = f"apt-get update -qq && (apt-get install -y -qq {SHELL} || apt-get install -y -qq chromium)"
        subprocess.run(install, shell=True, capture_output=True)
        found = shutil.which(SHELL) or shutil.which("chromium")
    if not found:
        found = _playwrights_own()
        if not found:
            subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True)
            found = _playwrights_own()
    if not found:
        raise RuntimeError(
            "no Chromium: install one (Debian: apt-get install chromium), or run playwright install chromium"
        )
    print(f"browser tests use {found}")
    return found


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if path and Path(path).exists() else None


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@cache
def start(index: Path = INDEX) -> Demo:
    """The app on this index, agents served too, started once and ended with the tests."""
    port = free_port()
    log = Path(tempfile.mkdtemp(prefix="mmdemo-test-")) / "log.txt"
    command = [sys.executable, "app.py", "--index", str(index), "--port", str(port), "--mcp"]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=HOME, stdout=out, stderr=subprocess.STDOUT)
    atexit.register(stop, process)
    url = f"http://127.0.0.1:{port}"
    wait_for(url, log, process)
    return Demo(url, log, process)


def wait_for(url: str, log: Path, process: subprocess.Popen) -> None:
    """Return once the log of a starting server names its address; raises RuntimeError where it ends before."""
    until = time.monotonic() + STARTED
    while time.monotonic() < until:
        if url in log.read_text():
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"{process.args} did not start:\n{log.read_text()}")


def stop(process: subprocess.Popen) -> None:
    """End one app."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()

"""The Makefile that the README begins with; what else README and docs say is tried in test_docs.py."""

import subprocess
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parent.parent
TARGETS = ["demo", "test", "lint", "examples", "catalog", "kill-test", "fuzz", "load", "bench", "test-scale"]


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_exists(target):
    done = subprocess.run(["make", "-n", target], cwd=HOME, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

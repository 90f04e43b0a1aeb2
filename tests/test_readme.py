"""The README's list of files, and the Makefile that it begins with; what else it says is tried in test_docs.py."""

import re
import subprocess
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parent.parent
README = (HOME / "README.md").read_text(encoding="utf-8")


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=HOME, capture_output=True, text=True, check=True).stdout.splitlines()


def test_every_module_is_annotated_and_every_annotated_file_exists():
    listed = set(re.findall(r"^(\S+[./]\S*|Makefile) +\S", README.split("```text\n")[1].split("```")[0], re.M))
    known = {
        p for p in tracked() if re.fullmatch(r"(app\.py|mmdemo/[^/]+\.py|mmdemo/ui/[^/]+\.py|Makefile|\w+\.toml)", p)
    }
    known -= {p for p in known if p.endswith("__init__.py") and not (HOME / p).read_text().strip()}
    assert known <= listed, sorted(known - listed)
    assert not [p for p in listed if not (HOME / p).exists()]


TARGETS = ["demo", "test", "lint", "examples", "catalog", "kill-test", "fuzz", "load", "bench", "test-scale"]


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_exists(target):
    done = subprocess.run(["make", "-n", target], cwd=HOME, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

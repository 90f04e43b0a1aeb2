"""The README as a newcomer takes it: what it names exists, what it shows runs."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from mmdemo.cli import app

HOME = Path(__file__).resolve().parent.parent
README = (HOME / "README.md").read_text(encoding="utf-8")
FENCES = re.findall(r"```(\w*)\n(.*?)```", README, re.S)
COMMANDS = [line.split("#")[0].strip() for kind, block in FENCES if kind == "" for line in block.splitlines()]
COMMANDS = [c for c in COMMANDS if c.startswith((".venv/bin/python", "make "))]


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=HOME, capture_output=True, text=True, check=True).stdout.splitlines()


def test_every_file_that_the_readme_links_exists():
    links = [x for x in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in x]
    assert links and not [x for x in links if not (HOME / x).exists()]


def test_every_module_is_annotated_and_every_annotated_file_exists():
    listed = set(re.findall(r"^(\S+[./]\S*|Makefile) +\S", README.split("```text\n")[1].split("```")[0], re.M))
    known = {
        p for p in tracked() if re.fullmatch(r"(app\.py|mmdemo/[^/]+\.py|mmdemo/ui/[^/]+\.py|Makefile|\w+\.toml)", p)
    }
    known -= {p for p in known if p.endswith("__init__.py") and not (HOME / p).read_text().strip()}
    assert known <= listed, sorted(known - listed)
    assert not [p for p in listed if not (HOME / p).exists()]


@pytest.mark.parametrize("command", [c for c in COMMANDS if "-m mmdemo" in c])
def test_every_documented_command_and_flag_exists(command):
    name, *args = shlex.split(command.split("-m mmdemo", 1)[1])
    known = get_command(app).commands[name]  # type: ignore[attr-defined]
    flags = {flag for p in known.params for flag in p.opts}
    assert {a for a in args if re.match(r"--?[a-z]", a)} <= flags


@pytest.mark.parametrize("target", ["demo", "test", "lint", "catalog"])
def test_every_make_target_exists(target):
    done = subprocess.run(["make", "-n", target], cwd=HOME, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_python_example_runs_on_the_built_in_index(monkeypatch, capsys, tmp_path):
    from PIL import Image

    example = next(block for kind, block in FENCES if kind == "python" and "Recommender.load" in block)
    picture = next((HOME / "assets" / "catalog" / "images").glob("*.webp"))
    with Image.open(picture) as image:
        image.convert("RGB").save(tmp_path / "photo.jpg")
    monkeypatch.chdir(HOME)
    exec(compile(example.replace('"photo.jpg"', repr(str(tmp_path / "photo.jpg"))), "README", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 5

"""What README and docs tell a reader to do is done: snippets are run, commands are checked flag by flag.

A block marked `<!-- long -->` in the line above is not run; what it names must exist all the same.
"""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from mmdemo.cli import app

sys.path.insert(0, str(Path(__file__).parent / "browser"))
import demo_process

HOME = Path(__file__).resolve().parent.parent
PAGES = [HOME / "README.md", HOME / "CONTRIBUTING.md", *sorted((HOME / "docs").glob("*.md"))]
SERVER = "http://127.0.0.1:7860"
FOLDERS = (
    "mmdemo/",
    "assets/",
    "docs/",
    "tests/",
    "examples/",
    "deploy/",
    "studio/",
    "training/",
    "stress/",
    "benchmarks/",
)
RUNS = ("sh", "python")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, and whether it is run."""

    page: str
    number: int
    kind: str
    text: str
    long: bool

    def __str__(self) -> str:
        return f"{self.page}:{self.number}"


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(r"(<!-- long -->\n+)?^```(\w*)\n(.*?)^```", text, re.M | re.S):
            line = text[: match.start()].count("\n") + 1
            found.append(Block(page.name, line, match[2], match[3], bool(match[1])))
    return found


BLOCKS = blocks()


def commands() -> list[tuple[str, list[str]]]:
    """(where, words) of every command line of a block that is not Python or data."""
    found = []
    for block in BLOCKS:
        if block.kind in ("", "sh", "bash"):
            for line in block.text.replace("\\\n", " ").splitlines():
                if re.match(r"(\.venv/bin/|sudo |\w+=\S+ )*(python|make|mmdemo|pip|docker|cp)\b", line):
                    found.append((str(block), shlex.split(line, comments=True)))
    return found


@cache
def flags_of(program: str) -> set[str]:
    """The flags that a program of this project says it has."""
    if program == "app.py":
        said = subprocess.run([sys.executable, program, "--help"], cwd=HOME, capture_output=True, text=True, check=True)
        return set(re.findall(r"(?<!\w)--?[a-z][\w-]*", said.stdout))
    known = get_command(app).commands[program]  # type: ignore[attr-defined]
    return {flag for parameter in known.params for flag in parameter.opts} | {"--help"}


def named(words: list[str]) -> set[str]:
    return {re.split("=", word)[0] for word in words if re.match(r"--?[a-z]", word)}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder as a reader's: the project by its names, and a photo."""
    from PIL import Image

    from mmdemo.index.product_index import ProductIndex

    folder = tmp_path_factory.mktemp("reader")
    for item in HOME.iterdir():
        if item.name not in (".git", ".venv"):
            (folder / item.name).symlink_to(item)
    index = ProductIndex.load(demo_process.INDEX)
    with Image.open(io.BytesIO(next(index.thumbnail(p.id) for p in index.products if p.image))) as picture:
        picture.convert("RGB").resize((800, 800)).save(folder / "photo.jpg")
    return folder


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.kind in RUNS and not b.long], ids=str)
def test_a_snippet_runs_and_says_something(block, place, monkeypatch):
    text = block.text
    if SERVER in text:
        text = text.replace(SERVER, demo_process.start().url)
    monkeypatch.chdir(place)
    said = shell(text) if block.kind == "sh" else python(text)
    assert said.strip() and "event: error" not in said, said


def shell(text: str) -> str:
    command = ["bash", "-euo", "pipefail", "-c", text.replace(".venv/bin/python", shlex.quote(sys.executable))]
    # One thread: where other work is on the same cores, two wait for each other most of the time.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def python(text: str) -> str:
    """In a thread of this process, which has the imports already; its own event loop is then its own."""
    said = io.StringIO()

    def work() -> None:
        with contextlib.redirect_stdout(said):
            exec(compile(text, "snippet", "exec"), {"__name__": "__main__"})

    with ThreadPoolExecutor(1) as alone:
        alone.submit(work).result()
    return said.getvalue()


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.kind == "json"], ids=str)
def test_a_json_block_is_json(block):
    json.loads(block.text)


@pytest.mark.parametrize(("where", "words"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_command_names_programs_and_flags_that_exist(where, words):
    if ("-m" in words and words[words.index("-m") + 1] == "mmdemo") or words[0] == "mmdemo":
        given = words[words.index("mmdemo") + 1 :]
        if given[0].startswith("-"):
            assert given == ["--help"]
            return
        unknown = named(given[1:]) - flags_of(given[0])
    elif "-m" in words:
        module = words[words.index("-m") + 1].replace(".", "/")
        own = (HOME / f"{module}.py").is_file() or (HOME / module / "__main__.py").is_file()
        assert own or not (HOME / module.split("/")[0]).is_dir(), module
        source = (
            (HOME / f"{module}.py" if (HOME / f"{module}.py").is_file() else HOME / module / "__main__.py")
            if own
            else None
        )
        said = source.read_text(encoding="utf-8") if source else ""
        unknown = {flag for flag in named(words[words.index("-m") + 2 :]) if source and flag not in said}
    elif "app.py" in words and "cp" not in words:
        unknown = named(words[words.index("app.py") + 1 :]) - flags_of("app.py")
    elif scripts := [word for word in words if word.endswith(".py")]:
        unknown = named(words[words.index(scripts[0]) :]) - set(
            re.findall(r"--[a-z][\w-]*", (HOME / scripts[0]).read_text(encoding="utf-8"))
        )
    elif "make" in words:
        targets = [word for word in words[words.index("make") + 1 :] if "=" not in word]
        makefile = (HOME / "Makefile").read_text(encoding="utf-8")
        unknown = {target for target in targets if not re.search(rf"^{target}:", makefile, re.M)}
    elif words[0] == "docker" and "run" in words:
        unknown = named(words[words.index("mmdemo") + 1 :]) - flags_of("app.py")
    else:
        unknown = set()
    assert not unknown, f"{where} names {sorted(unknown)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_or_links_exists(page):
    text = page.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    missing = [link for link in links if link and not (page.parent / link).exists()]
    text = re.sub(r"--(out|sheet|markdown) \S+", "", text)  # what a command writes
    paths = re.findall(r"(?<![\w/.:-])((?:{})[\w./-]*\w)".format("|".join(map(re.escape, FOLDERS))), text)
    missing += [p for p in paths if not (HOME / p).exists() and not list(HOME.glob(f"{p}*"))]
    assert not missing, sorted(set(missing))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    tests = "\n".join(p.read_text(encoding="utf-8") for p in (HOME / "tests").rglob("test_*.py"))
    assert not [
        name
        for name in re.findall(r"\btest_\w+_\w+(?!\w*\.py)\b", text)
        if f"def {name}(" not in tests and not list((HOME / "tests").rglob(f"{name}.py"))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_in_the_prose_is_one_of_some_program(page):
    known = flags_of("app.py") | {"--build-arg"}
    for name in get_command(app).commands:  # type: ignore[attr-defined]
        known |= flags_of(name)
    for folder in ("mmdemo", "training", "studio", "stress", "benchmarks"):
        for source in (HOME / folder).rglob("*.py"):
            known |= set(re.findall(r"--[a-z][\w-]*", source.read_text(encoding="utf-8")))
    prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    said = {flag for code in re.findall(r"`([^`]+)`", prose) for flag in re.findall(r"(?<![\w-])--[a-z][\w-]*", code)}
    assert said <= known, sorted(said - known)


def test_every_endpoint_that_is_named_exists():
    from mmdemo.serve import api
    from mmdemo.serve import mcp as tools

    known = set(api.endpoints(None))  # type: ignore[arg-type]
    said = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    calls = set(re.findall(r"gradio_api/call/(?:v2/)?(\w+)|\$server/api/(\w+)|api_name=\"/(\w+)\"", said))
    assert calls and {name for found in calls for name in found if name} <= known
    assert set(re.findall(r"`/([a-z]+)`", said)) == known, "as they are, so they are documented"
    assert f"{tools.ADDRESS}/" in said


def test_the_commands_of_the_readme_work_one_after_the_other(tmp_path, monkeypatch, capsys):
    """The reader's own shop, from its build to a product taken out again."""
    from typer.testing import CliRunner

    from tests.toys import picture, toy_catalogue

    monkeypatch.chdir(tmp_path)
    toy_catalogue(tmp_path / "my-shop", copies=1)
    table = (tmp_path / "my-shop" / "products.csv").read_text().splitlines()
    cells = table[1].split(",")
    table.append(",".join(["mug-1", *cells[1:]]))
    (tmp_path / "my-shop" / "products.csv").write_text("\n".join(table) + "\n")
    picture("mug", "green").save(tmp_path / "photo.jpg")
    picture("tray", "blue").save(tmp_path / "new.png")
    (tmp_path / "new-arrivals.csv").write_text("id,image,title,category\nnew-1,new.png,Blue tray,Tray\n")
    (tmp_path / "queries.csv").write_text(
        f"query_id,image,text,reference_id,product_id\nq1,photo.jpg,mug,,{cells[0]}\n"
    )
    readme = next(page for page in PAGES if page.name == "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\.venv/bin/python -m mmdemo (.+)$", readme, re.M)
    shop = [shlex.split(line, comments=True) for line in lines if "index/my-shop" in line]
    assert [words[0] for words in shop] == ["build", "search", "evaluate", "update", "add", "remove", "export"]
    for words in shop:
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, (words, done.output, done.exception)
    assert "13 products in my-shop.parquet" in done.output

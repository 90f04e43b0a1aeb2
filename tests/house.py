"""The structure of the package as it stands: its rooms, what each module imports, and the measures of both.

python -m tests.house writes the generated part of docs/architecture.md.
"""

import ast
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
PACKAGE = HOME / "mmdemo"
PAGE = HOME / "docs" / "architecture.md"
ROOMS = (
    *("core", "catalog", "language", "encode", "fusion", "behaviour", "index", "explain"),
    *("search", "evaluate", "finetune", "pipeline", "serve", "ui"),
)  # from the ground up
START, END = "<!-- generated: python -m tests.house -->", "<!-- end of what is generated -->"
LONGEST, MOST_PARAMETERS = 60, 7


@dataclass(frozen=True)
class Function:
    """A function or method: where it stands, how many lines it has, and how many parameters besides `self`."""

    name: str
    lines: int
    parameters: int
    public: bool


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring, on one line."""
    words = " ".join((ast.get_docstring(tree(path)) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.?!]) (?=[A-Z])", words)[0]


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file of every module in a room."""
    files = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)
    return {".".join(path.relative_to(HOME).with_suffix("").parts): path for path in files}


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module of the project that a file imports, wherever in the file it does."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{name.name}" for name in node.names} & modules().keys()
            names |= inside or {node.module}
    return frozenset(name for name in names if name.split(".")[0] == "mmdemo")


def upward() -> list[str]:
    """The imports that do not point down the list of rooms."""
    wrong = []
    for name, path in modules().items():
        height = ROOMS.index(name.split(".")[1])
        for other in sorted(imports(path)):
            parts = other.split(".")
            if len(parts) < 2 or parts[1] not in ROOMS or ROOMS.index(parts[1]) > height:
                wrong.append(f"{name} imports {other}")
    return wrong


def circles() -> list[str]:
    """The modules that stand in, or above, a circle of imports."""
    graph = {name: imports(path) & modules().keys() for name, path in modules().items()}
    settled: set[str] = set()
    while free := {name for name, needs in graph.items() if name not in settled and needs <= settled}:
        settled |= free
    return sorted(graph.keys() - settled)


def functions() -> list[Function]:
    """Every function and method of the package."""
    listed = []
    for path in (*PACKAGE.glob("*.py"), *modules().values()):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                # A command of the command line has its options as parameters: typer reads the signature.
                command = any("command" in ast.unparse(decorator) for decorator in node.decorator_list)
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                count = sum(argument.arg not in ("self", "cls") for argument in arguments)
                name = f"{path.relative_to(HOME)}:{node.name}"
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                listed.append(Function(name, lines, count, not node.name.startswith("_") and not command))
    return listed


def architecture() -> str:
    """The generated part of the page: the measures, then every room with its files."""
    longest = max(functions(), key=lambda function: function.lines)
    count = sum(path.stem != "__init__" for path in modules().values())
    lines = [
        f"{count} files in {len(ROOMS)} rooms; imports up: {len(upward())}, circles: {len(circles())}; "
        f"the longest function has {longest.lines} lines (`{longest.name}`).",
    ]
    for room in reversed(ROOMS):
        files = [path for path in modules().values() if path.is_relative_to(PACKAGE / room) and path.stem != "__init__"]
        init = ast.get_docstring(tree(PACKAGE / room / "__init__.py")) or ""
        promise = " ".join(init.split("For the rooms above:")[0].split())
        lines += ["", f"### {room}/", "", f"{promise} {len(files)} files.", "", "| file | what it does |", "|---|---|"]
        for path in files:
            name = path.relative_to(PACKAGE / room).as_posix()
            lines.append(f"| [{name}](../mmdemo/{room}/{name}) | {first_sentence(path)} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with its generated part as the code is now."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{architecture()}\n\n{END}{after}"


def main() -> int:
    """Write docs/architecture.md anew."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What is needed to run elsewhere: the image, the Space, the service and the proxy agree with the program."""

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOME = Path(__file__).resolve().parent.parent
DOCKERFILE = (HOME / "Dockerfile").read_text(encoding="utf-8")
STEPS = [line for line in DOCKERFILE.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]


def steps(kind: str) -> list[str]:
    return [line.removeprefix(f"{kind} ").strip() for line in STEPS if line.startswith(f"{kind} ")]


def flags() -> set[str]:
    return set(
        re.findall(
            r"--[a-z]+(?:-[a-z]+)*",
            subprocess.run(
                [sys.executable, "app.py", "--help"], cwd=HOME, capture_output=True, text=True, check=True
            ).stdout,
        )
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The package as `pip install .` builds it, its half-done files kept out of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "extra.cfg").write_text(f"[build]\nbuild_base={folder}/build\n[egg_info]\negg_base={folder}\n")
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "-q", "-w", str(folder)]
    done = subprocess.run(
        command,
        cwd=HOME,
        capture_output=True,
        text=True,
        env={**os.environ, "DIST_EXTRA_CONFIG": str(folder / "extra.cfg")},
    )
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_dockerfile_has_no_fault_that_its_linter_knows():
    done = subprocess.run([str(Path(sys.executable).parent / "hadolint"), "Dockerfile"], cwd=HOME, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()


def test_what_the_image_copies_exists_and_is_let_through_and_is_what_the_program_reads():
    copied = [part for step in steps("COPY") for part in step.split()[:-1]]
    assert not [name for name in copied if not (HOME / name).exists()]
    let_through = re.findall(r"^!(\S+)", (HOME / ".dockerignore").read_text(), re.M)
    for name in copied:
        assert any(name == kept or name.startswith(f"{kept}/") or kept.startswith(f"{name}/") for kept in let_through)
    assert {"app.py", "mmdemo", "assets", "index/default", "requirements.txt"} == set(copied)


def test_the_image_installs_what_the_makefile_installs_and_starts_what_it_starts():
    makefile = (HOME / "Makefile").read_text(encoding="utf-8")
    installed = [step for step in steps("RUN") if "pip install" in step]
    assert len(installed) == 1 and installed[0].endswith("-r requirements.txt")
    assert "$(RUN): requirements.txt" in makefile and "$(call INSTALL,requirements.txt)" in makefile
    started = ast.literal_eval(steps("ENTRYPOINT")[0])
    assert started[:2] == ["python", "app.py"] and "$(BIN)/python app.py" in makefile
    assert {word for word in started if word.startswith("--")} <= flags()
    version = re.fullmatch(r"python:(3\.\d+)-slim", steps("FROM")[0])
    required = (HOME / "pyproject.toml").read_text(encoding="utf-8")
    assert version and f'requires-python = ">={version[1]}"' in required


def test_the_image_runs_as_nobody_in_particular_and_says_whether_it_is_well():
    assert (
        steps("USER") == ["1000"]
        and "--uid 1000" in DOCKERFILE
        and STEPS.index("USER 1000") < next(n for n, line in enumerate(STEPS) if line.startswith("ENTRYPOINT"))
    )
    from mmdemo.serve import gate

    address = re.search(r"http://127\.0\.0\.1:(\d+)(/[\w/-]+)", steps("HEALTHCHECK")[0])
    assert address and address[1] in steps("EXPOSE") and gate.READ.fullmatch(address[2])


def test_the_space_is_a_docker_space_on_the_port_of_the_image():
    text = (HOME / "deploy" / "space" / "README.md").read_text(encoding="utf-8")
    front = dict(re.findall(r"^(\w+): (.+)$", text.split("---")[1], re.M))
    assert front["sdk"] == "docker" and front["app_port"] in steps("EXPOSE") and front["license"] == "apache-2.0"
    assert len(front["short_description"]) <= 60


def test_the_service_and_the_proxy_name_flags_and_limits_that_exist():
    service = (HOME / "deploy" / "mmdemo.service").read_text(encoding="utf-8")
    started = shlex.split(re.search(r"^ExecStart=(.+)$", service, re.M)[1])
    assert started[1] == "app.py" and {word for word in started if word.startswith("--")} <= flags()
    from mmdemo.serve import gate
    from mmdemo.ui.server import GRACE

    assert int(re.search(r"TimeoutStopSec=(\d+)", service)[1]) > GRACE
    proxy = (HOME / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    assert int(re.search(r"client_max_body_size (\d+)m", proxy)[1]) << 20 == gate.UPLOAD
    port = started[started.index("--port") + 1]
    assert f"proxy_pass http://127.0.0.1:{port}/;" in proxy and proxy.count("{") == proxy.count("}")


def test_the_package_brings_encoder_page_catalogue_and_index(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for file in ("encoder/open_clip_model.safetensors", "ui/style.css", "ui/macros.html", "catalog/products.csv"):
        assert f"mmdemo/assets/{file}" in names
    assert "mmdemo/index/default/current" in names
    assert not [n for n in names if n.startswith(("tests/", "index/", "assets/", "studio/"))]
    tracked = {p.relative_to(HOME).as_posix() for p in (HOME / "mmdemo").rglob("*.py")}
    assert tracked <= set(names)


def test_installed_it_answers_from_any_folder(wheel, tmp_path):
    """Everything but the dependencies, which the tests have already, comes from the package."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "elsewhere").mkdir()
    metadata = next((tmp_path / "site").glob("*.dist-info"))
    assert "mmdemo = mmdemo.cli:main" in (metadata / "entry_points.txt").read_text()
    code = "import mmdemo, sys; assert mmdemo.__file__.startswith(sys.argv.pop(1)); from mmdemo.cli import main; main()"
    command = ["-P", "-c", code, str(tmp_path / "site"), "search", "index/default", "--text", "blue", "-k", "2"]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path / "elsewhere",
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


def requirements(lines: Iterable[str]) -> dict[str, Requirement]:
    """Name -> requirement of every line that names a package."""
    parsed = [Requirement(line) for line in lines if line and line[0] not in "#-"]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


@pytest.mark.parametrize("extra", ["", "milvus", "ray", "studio", "dev"])
def test_what_is_pinned_lies_within_the_ranges_that_the_package_asks_for(extra):
    project = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = requirements(project["optional-dependencies"][extra] if extra else project["dependencies"])
    file = HOME / (f"requirements-{extra}.txt" if extra else "requirements.txt")
    pins = requirements(file.read_text(encoding="utf-8").splitlines())
    assert ranges.keys() <= pins.keys()
    for name, requirement in ranges.items():
        pin = next(iter(pins[name].specifier))
        assert pin.operator == "==" and requirement.specifier.contains(pin.version), name
    if not extra:
        assert ranges.keys() == pins.keys()


def test_installed_without_its_encoder_it_says_what_to_do(tmp_path, tiny_model):
    """An index whose encoder is gone: one sentence that names it."""
    import shutil

    from mmdemo.catalog.catalog import Catalog
    from mmdemo.core.errors import InputError
    from mmdemo.encode.encoder import Encoder
    from mmdemo.search.recommender import Recommender
    from tests.toys import quick_build, toy_catalogue

    model = shutil.copytree(tiny_model, tmp_path / "gone")
    quick_build(Catalog.read(toy_catalogue(tmp_path / "shop", copies=1)), Encoder.load(model), tmp_path / "index")
    shutil.rmtree(model)
    with pytest.raises(InputError, match="gone") as caught:
        Recommender.load(tmp_path / "index")
    assert "\n" not in str(caught.value)

"""Hundreds of pictures that are none, and what is left of them: pixels, or one sentence."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from mmdemo.catalog.imaging import MAX_PIXELS
from tests.bad_pictures import corpus

HOME = Path(__file__).resolve().parents[1]
MEMORY = 400  # MB, promised in docs/security.md

# Decodes a folder of files in a process of its own, so that its memory is theirs alone.
DECODE_ALL = """
import json, re, resource, sys
from pathlib import Path
from mmdemo.catalog import imaging
from mmdemo.core.errors import InputError

def memory():
    status = Path("/proc/self/status")  # getrusage would go on from what the parent, which is large, has used
    if status.exists():
        return int(re.search("VmHWM:\\s+(\\d+)", status.read_text())[1]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000

imaging.decode(Path(sys.argv[1], "warm.png"), max_side=512)
before, said = memory(), {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        picture = imaging.decode(path, max_side=512)
        said[path.name] = ["pixels", picture.mode, max(picture.size), sorted(picture.info)]
    except InputError as error:
        said[path.name] = ["refused", str(error)]
    except BaseException as error:
        said[path.name] = ["raised", repr(error)]
    said[path.name].append(round(memory() - before))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, list]:
    """Name of each bad picture -> what became of it, and by how many MB memory had risen by then."""
    folder = tmp_path_factory.mktemp("bad")
    names = {}
    for number, (name, data) in enumerate(corpus()):
        names[f"{number:04d}"] = name
        (folder / f"{number:04d}").write_bytes(data)
    (folder / "warm.png").write_bytes(dict(_plain())["warm"])
    run = subprocess.run(
        [sys.executable, "-c", DECODE_ALL, str(folder)], cwd=HOME, capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, f"the decoder itself died: {run.stderr[-2000:]}"
    return {names[file]: outcome for file, outcome in json.loads(run.stdout).items() if file in names}


def _plain():
    from tests.bad_pictures import encoded, noise

    yield "warm", encoded(noise(), "PNG")


def test_there_are_hundreds_of_many_sorts(outcomes):
    sorts = Counter(" ".join(name.split()[:2]) for name in outcomes)
    assert len(outcomes) >= 200 and len(sorts) >= 12, sorts


def test_each_is_refused_in_one_sentence_or_is_plain_pixels(outcomes):
    for name, (what, *rest) in outcomes.items():
        assert what != "raised", f"{name}: {rest}"
        if what == "pixels":
            mode, side, info, _ = rest
            assert (mode, info) == ("RGB", []) and 1 <= side <= 512, name
        else:
            sentence = rest[0]
            assert "\n" not in sentence and sentence.endswith(".") and len(sentence) < 300, f"{name}: {sentence}"
            assert "0x" not in sentence and "/" not in sentence.replace("/O", ""), f"{name}: {sentence}"


def test_memory_never_rises_by_400_mb(outcomes):
    worst = max(outcomes, key=lambda name: outcomes[name][-1])
    risen = outcomes[worst][-1]
    first = next(name for name in outcomes if outcomes[name][-1] == risen)
    assert risen < MEMORY, f"{risen} MB, first after '{first}'"


@pytest.mark.parametrize(
    "sort", ["other: ", "cut: JPEG after 1 ", "bomb: JPEG of thousands", "bomb: PNG at the cap, one line"]
)
def test_what_must_be_refused_is(outcomes, sort):
    found = {name: what for name, (what, *_) in outcomes.items() if name.startswith(sort)}
    assert found and set(found.values()) == {"refused"}, found


def test_the_cap_itself_is_read(outcomes):
    assert MAX_PIXELS == 40_000_000
    at_the_cap = [name for name in outcomes if "at the cap" in name and "line" not in name and "interlaced" not in name]
    assert len(at_the_cap) == 6 and all(outcomes[name][0] == "pixels" for name in at_the_cap), outcomes[at_the_cap[0]]

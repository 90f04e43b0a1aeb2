"""OpenVINO runs the towers where it gives PyTorch's vectors sooner, and PyTorch does where it does not."""

import dataclasses
import json
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from mmdemo.encode import export as export_module
from mmdemo.encode import runtime, tuning
from mmdemo.encode.encoder import Encoder
from tests.toys import COLOURS, picture

PICTURES = [picture("mug", colour, size=40 + 10 * n) for n, colour in enumerate(COLOURS)]
TEXTS = ["a red mug", "mug", "", "a much longer sentence about a yellow tray, with words and more words", "红色杯子"]


def copied(model, folder):
    """A copy of a model without an export that another test may have had made beside it."""
    return shutil.copytree(model, folder, ignore=shutil.ignore_patterns(runtime.FOLDER))


@pytest.fixture(scope="session")
def exported(tiny_model, convolutional, tmp_path_factory):
    """Copies of both models whose towers are exported; no address was asked meanwhile."""
    asked, connect = [], socket.socket.connect
    socket.socket.connect = lambda self, address: asked.append(address)
    try:
        folders = {}
        for model in (tiny_model, convolutional):
            folders[model.name] = folder = tmp_path_factory.mktemp("exported") / model.name
            copied(model, folder)
            Encoder.load(folder).export()
    finally:
        socket.socket.connect = connect
    assert asked == []
    return folders


@pytest.fixture
def tiny(exported, tmp_path):
    """A copy of the exported transformer that a test may break."""
    return shutil.copytree(exported["tiny"], tmp_path / "tiny")


def found_file(folder):
    return next((folder / runtime.FOLDER).glob("*/found.json"))


@pytest.mark.parametrize("name", ["tiny", "conv"])
def test_vectors_are_pytorchs_for_any_number_of_pictures_and_sentences_of_any_length(exported, name):
    encoder = Encoder.load(exported[name])
    openvino, plain = encoder.for_inference(engine="openvino"), encoder.for_inference(engine="torch")
    assert openvino._compiled.keys() == {"image", "text"} and not plain._compiled
    for n in (1, 2, 3, 6):
        pairs = zip(
            openvino.encode_image_with_features(PICTURES[:n]),
            encoder.encode_image_with_features(PICTURES[:n]),
            strict=True,
        )
        for mine, theirs in pairs:
            np.testing.assert_allclose(mine, theirs, atol=1e-4)
    np.testing.assert_allclose(plain.encode_image(PICTURES), encoder.encode_image(PICTURES), atol=1e-4)
    for some in (TEXTS, TEXTS[:1], TEXTS[3:]):
        pairs = zip(openvino.encode_text_with_features(some), encoder.encode_text_with_features(some), strict=True)
        for mine, theirs in pairs:
            np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_threads_that_ask_at_once_get_their_own_answers(exported):
    encoder = Encoder.load(exported["tiny"]).for_inference(engine="openvino")
    expected = encoder.encode_image(PICTURES)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: encoder.encode_image([PICTURES[n % 6]]), range(60)))
    for n, answer in enumerate(answers):
        np.testing.assert_allclose(answer[0], expected[n % 6], atol=1e-5)


FIRST = """
import sys
from pathlib import Path
from threading import Barrier

import torch

from mmdemo.encode.runtime import Compiled

sys.setswitchinterval(1e-6)
together = Barrier(2)

def prepared(items):
    together.wait()
    return torch.zeros(len(items), 3, 32, 32)

pairs = Compiled(Path(sys.argv[1])).spread(prepared, range(4), most=2)
print(sum(len(embeddings) for _, embeddings in pairs))
"""


def test_the_first_passes_of_a_process_may_run_at_the_same_time(exported):
    path = Encoder.load(exported["tiny"]).exports / "image.xml"
    command = [sys.executable, "-c", FIRST, str(path)]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    # Deadlocked, it would never end.
    assert [process.communicate(timeout=120)[0].strip() for process in starts] == ["4", "4"]


@pytest.mark.parametrize("items", [1, 2, 3, 7, 65])
def test_passes_are_even_keep_the_order_and_hold_no_more_than_they_may(exported, items):
    tower = Encoder.load(exported["tiny"]).for_inference(engine="openvino")._compiled["image"]
    sizes, pixels = [], torch.rand(items, 3, 32, 32)

    def prepared(part):
        sizes.append(len(part))
        return part

    parts = tower.spread(prepared, pixels, most=32)
    assert sum(sizes) == items and max(sizes) <= 32 and max(sizes) - min(sizes) <= 1
    assert len(sizes) == {1: 1, 2: 1, 3: 2, 7: 2, 65: 3}[items]
    np.testing.assert_allclose(torch.cat([e for _, e in parts]), tower(pixels)[1], atol=1e-5)


def test_an_export_is_made_once_beside_the_weights_and_found_again(tiny, monkeypatch):
    monkeypatch.setattr(runtime, "export", lambda *_: pytest.fail("it is there"))
    encoder = Encoder.load(tiny)
    assert encoder.exported and encoder.exports.parent == tiny / runtime.FOLDER
    encoder.export()
    found = runtime.found_in(encoder.exports)
    assert found.keys() == {"image", "text"} and all(f.farthest < 1e-5 and f.torch > 0 for f in found.values())


def test_a_tower_runs_by_what_was_measured_to_be_faster_unless_an_engine_is_named(tiny):
    file = found_file(tiny)
    found = json.loads(file.read_text())
    found["image"] |= {"torch": 2.0, "openvino": 1.0}
    found["text"] |= {"torch": 1.0, "openvino": 2.0}
    file.write_text(json.dumps(found))
    encoder = Encoder.load(tiny)
    assert encoder.for_inference()._compiled.keys() == {"image"}
    assert encoder.for_inference(engine="openvino")._compiled.keys() == {"image", "text"}
    assert not encoder.for_inference(torch.bfloat16)._compiled and not encoder._compiled
    assert not encoder.for_inference(device="meta", engine="openvino")._compiled


@pytest.mark.parametrize("how", ["damaged", "cut short", "no record", "record of another form"])
def test_files_that_are_not_those_that_were_written_are_not_used_and_made_anew(tiny, how):
    file = found_file(tiny)
    binary = file.with_name("image.bin")
    if how == "damaged":
        content = bytearray(binary.read_bytes())
        content[len(content) // 2] ^= 1
        binary.write_bytes(content)
    elif how == "cut short":
        binary.write_bytes(binary.read_bytes()[:-100])
    elif how == "no record":
        file.unlink()
    else:
        file.write_text("[]")
    encoder = Encoder.load(tiny)
    assert not encoder.exported and not encoder.for_inference(engine="openvino")._compiled
    if how == "damaged":
        encoder.export()
        assert encoder.exported and encoder.for_inference(engine="openvino")._compiled.keys() == {"image", "text"}


def test_a_tower_that_gives_other_vectors_or_cannot_be_exported_stays_with_pytorch(tiny_model, tmp_path, monkeypatch):
    folder = copied(tiny_model, tmp_path / "tiny")
    encoder, convert = Encoder.load(folder), runtime._convert

    def half_broken(module, example, path):
        if not example.is_floating_point():
            raise RuntimeError("an operator is not known")
        convert(module, example + 1, path)

    monkeypatch.setattr(runtime, "_convert", half_broken)
    monkeypatch.setattr(runtime, "_farthest", lambda *_: 2e-4)
    encoder.export()
    found = runtime.found_in(encoder.exports)
    assert "2.0e-04 away" in found["image"].fault and "an operator is not known" in found["text"].fault
    assert encoder.exported, "it is not tried each time"
    twin = encoder.for_inference(engine="openvino")
    assert not twin._compiled and not any(f.pays for f in found.values())
    np.testing.assert_allclose(twin.encode_text(TEXTS), encoder.encode_text(TEXTS), atol=1e-6)


def test_weights_that_were_changed_are_not_answered_for_by_the_export_of_those_that_were_read(tiny):
    encoder = Encoder.load(tiny)
    assert encoder.exports is not None
    encoder.model.load_state_dict({name: value + 0.1 for name, value in encoder.model.state_dict().items()})
    assert encoder.exports is None and not encoder.for_inference(engine="openvino")._compiled
    encoder.export()
    assert found_file(tiny)


def test_where_the_weights_lie_in_a_folder_that_cannot_be_written_the_users_cache_keeps_the_export(
    tiny_model, tmp_path, monkeypatch
):
    monkeypatch.setattr(runtime, "user_cache_path", lambda name, appauthor: tmp_path / name)
    monkeypatch.setattr(runtime.os, "access", lambda path, mode: False)
    encoder = Encoder.load(copied(tiny_model, tmp_path / "read-only"))
    assert encoder.exports.parent == tmp_path / "mmdemo" / "towers"
    encoder._folder = None  # of weights from the hub
    assert encoder.exports.parent == tmp_path / "mmdemo" / "towers"


def test_without_openvino_and_in_a_forked_child_pytorch_answers(tiny, monkeypatch):
    twin = Encoder.load(tiny).for_inference(engine="openvino")
    for compiled in twin._compiled.values():
        compiled._process, compiled._model = -1, None
    assert twin.encode_image(PICTURES).shape == (6, 32)
    monkeypatch.setattr(runtime, "find_spec", lambda name: None)
    encoder = Encoder.load(tiny)
    assert encoder.exported and encoder.exports is None and not encoder.for_inference(engine="openvino")._compiled


def test_a_server_has_the_towers_exported_by_another_process_and_uses_them_from_then_on(
    tiny_model, tmp_path, monkeypatch
):
    folder, commands = copied(tiny_model, tmp_path / "tiny"), []

    def run(command, **_):
        commands.append(command)
        Encoder.load(command[-1]).export()
        found = json.loads(found_file(folder).read_text())
        found_file(folder).write_text(json.dumps({name: f | {"openvino": 0.0} for name, f in found.items()}))

    monkeypatch.setattr(export_module.subprocess, "run", run)
    twin = Encoder.load(folder).for_inference()
    assert not twin._compiled
    export_module.export_apart(twin)
    assert commands == [[sys.executable, "-m", "mmdemo.encode.export", str(folder)]]
    assert twin._compiled.keys() == {"image", "text"}
    export_module.export_apart(twin)
    assert len(commands) == 1


def test_a_build_tries_both_engines_where_the_towers_are_exported(exported):
    encoder = Encoder.load(exported["tiny"])
    found = tuning.measure(encoder, [encoder.pixels(p) for p in PICTURES])
    tried = {name.split(", ")[2] for name in found.measured}
    assert tried == {"torch", "openvino"} and found.engine in tried
    assert dataclasses.replace(found, engine="openvino").applied(encoder)._compiled

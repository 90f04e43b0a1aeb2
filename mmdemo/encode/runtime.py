"""Runs an encoder's towers by OpenVINO: exported once, kept as files beside the weights, used where that is faster.

PyTorch answers where there is no export yet, where a tower cannot be exported, where the export gives other vectors,
and where it is slower on this machine. What was found is written beside the export and holds for these weights, this
version of OpenVINO and this processor. It knows nothing of pictures, sentences and open_clip.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import torch
from platformdirs import user_cache_path

from mmdemo.core.vectors import normalize
from mmdemo.encode.towers import Pair

Tower = Callable[[torch.Tensor], Pair]  # prepared pictures or tokens in, features and embeddings out
FORMAT = 1  # of an export; those of another one are made anew
FOLDER = ".towers"  # beside the weights
FARTHEST = 1e-4  # of a number of a unit vector from PyTorch's; within it a cosine is above .999999
REPEATS = 7
STREAMS = 2  # passes that may run at the same time
SPREAD = 3  # items, from which one call's are spread over several passes


@dataclass(frozen=True)
class Found:
    """What the export of one tower came to, in milliseconds for the same input; `fault` says why there is none."""

    sha256: dict[str, str]
    farthest: float = 0.0
    torch: float = 0.0
    openvino: float = 0.0
    fault: str = ""

    @property
    def pays(self) -> bool:
        """Whether OpenVINO is to run this tower."""
        return not self.fault and self.openvino < self.torch


@dataclass(frozen=True)
class Task:
    """A tower to be exported: how PyTorch computes it, and inputs, the first of which is traced and the last timed."""

    tower: Tower
    module: torch.nn.Module
    inputs: Sequence[torch.Tensor]


class Compiled:
    """A tower that OpenVINO runs, `STREAMS` passes at the same time.

    Each pass has as many threads as PyTorch's would have, unless told otherwise.
    """

    def __init__(self, path: Path, threads: int = 0, precision: str = "f32") -> None:
        options = {
            "INFERENCE_NUM_THREADS": STREAMS * (threads or torch.get_num_threads()),
            "NUM_STREAMS": STREAMS,
            "INFERENCE_PRECISION_HINT": precision,
            "ENABLE_CPU_PINNING": False,  # the cores are shared with whatever else is answered
        }
        self._model = _core().compile_model(path, "CPU", options)
        self._idle, self._process = list[Any](), os.getpid()

    @property
    def usable(self) -> bool:
        """Not in a forked child, to which the threads did not come along."""
        return self._process == os.getpid()

    def __call__(self, inputs: torch.Tensor) -> Pair:
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._model.create_infer_request()
        request.infer([inputs.numpy()], share_inputs=True)
        features, embeddings = (torch.from_numpy(np.array(output.data)) for output in request.output_tensors)
        self._idle.append(request)
        return features, embeddings

    def spread(self, prepare: Callable[[Any], torch.Tensor], items: Sequence, most: int) -> list[Pair]:
        """What each of several passes gives, at most `most` items in each, `STREAMS` of them at the same time."""
        passes = max(-(-len(items) // most), STREAMS if len(items) >= SPREAD else 1)
        ends = np.linspace(0, len(items), passes + 1).round().astype(int)
        parts = [items[start:end] for start, end in pairwise(ends.tolist())]
        if passes == 1:
            return [self(prepare(items))]
        return list(_pool().map(lambda part: self(prepare(part)), parts))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(STREAMS, thread_name_prefix="towers")


def version() -> str:
    """OpenVINO's version; empty where it is not installed, as on a platform that it does not know."""
    if find_spec("openvino") is None:
        return ""
    import openvino

    return str(openvino.__version__)


_STARTING = threading.Lock()


def _core() -> Any:
    with _STARTING:
        return _started()


@cache
def _started() -> Any:
    import openvino

    # OpenVINO's bindings look numpy up at their first array. Two threads that pass their first at once deadlock there:
    # one waits for the interpreter's lock inside a guard that the other, who has the lock, waits for.
    _ = openvino.Tensor(np.zeros(1, np.float32)).data
    return openvino.Core()


def folder_of(weights_hash: str, beside: Path | None) -> Path:
    """Where the export of these weights is, or is to be: beside them if that folder can be written, else in the user's
    folder of caches."""
    device = _core().get_property("CPU", "FULL_DEVICE_NAME")
    key = hashlib.sha256(json.dumps([FORMAT, weights_hash, version(), device, os.cpu_count()]).encode()).hexdigest()
    name = f"{weights_hash[:12]}-{key[:12]}"
    if beside is not None and ((beside / FOLDER / name).is_dir() or os.access(beside, os.W_OK)):
        return beside / FOLDER / name
    return user_cache_path("mmdemo", appauthor=False) / "towers" / name


def found_in(folder: Path) -> dict[str, Found] | None:
    """What an export came to; None where there is none, or its files are not those that were written."""
    try:
        found = {name: Found(**values) for name, values in json.loads((folder / "found.json").read_text()).items()}
        whole = all(_sha256_of(folder / file) == digest for f in found.values() for file, digest in f.sha256.items())
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return found if whole else None


def export(folder: Path, tasks: Mapping[str, Task]) -> dict[str, Found]:
    """Export towers into `folder`, compare and time them; what was found is kept, faults too."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".part-"))
    try:
        found = {name: _exported(work, name, task) for name, task in tasks.items()}
        (work / "found.json").write_text(json.dumps({name: asdict(f) for name, f in found.items()}, indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # another process was first: its export is as good
            work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return found


def _exported(work: Path, name: str, task: Task) -> Found:
    path = work / f"{name}.xml"
    try:
        with torch.inference_mode():
            expected = [task.tower(x) for x in task.inputs]
        _convert(task.module, task.inputs[0], path)
        tower = Compiled(path)
        farthest = max(_farthest(tower(x), pair) for x, pair in zip(task.inputs, expected, strict=True))
        if not farthest <= FARTHEST:
            return Found({}, farthest, fault=f"a vector is {farthest:.1e} away from PyTorch's")
        torch_ms, openvino_ms = _milliseconds([task.tower, tower], task.inputs[-1])
    except Exception as error:  # tracing and converting run a model's own code, which may raise anything
        return Found({}, fault=" ".join(f"{type(error).__name__}: {error}".split())[:300])
    digests = {file.name: _sha256_of(file) for file in (path, path.with_suffix(".bin"))}
    return Found(digests, farthest, torch_ms, openvino_ms)


def _convert(module: torch.nn.Module, example: torch.Tensor, path: Path) -> None:
    """Write a module as OpenVINO's files, rows and the length of tokens left open.

    The frontend is called by itself: `openvino.convert_model` around it would report its use to its makers.
    """
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with plain_attention(module), torch.no_grad():
        traced = torch.jit.trace(module, example, check_trace=False)
    decoder = TorchScriptPythonDecoder(traced, example_input=(example,))
    frontend = FrontEndManager().load_by_framework("pytorch")
    model = frontend.convert(frontend.load(decoder))
    model.reshape([-1, *(example.shape[1:] if example.is_floating_point() else [-1])])
    openvino.save_model(model, path, compress_to_fp16=False)


@contextlib.contextmanager
def plain_attention(module: torch.nn.Module) -> Iterator[None]:
    """A context in which PyTorch's attention layers compute the same by operators that take any number of rows: as they
    are, a trace of them holds for the traced lengths alone."""
    layers = [
        m for m in module.modules() if isinstance(m, torch.nn.MultiheadAttention) and m.in_proj_weight is not None
    ]
    for layer in layers:
        layer.forward = MethodType(_attention, layer)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _attention(
    self: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *_: Any, attn_mask: Any = None, **__: Any
) -> tuple[torch.Tensor, None]:
    weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)

    def heads(x: torch.Tensor, part: int) -> torch.Tensor:
        projected = torch.nn.functional.linear(x, weights[part], biases[part])
        return projected.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    q, k, v = (heads(x, part) for part, x in enumerate((query, key, value)))
    seen = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask)
    return self.out_proj(seen.transpose(1, 2).flatten(2)), None


def _farthest(one: Pair, other: Pair) -> float:
    """The greatest difference of two towers' unit vectors in one number."""
    return max(
        float(np.abs(normalize(a.numpy()) - normalize(b.numpy())).max()) for a, b in zip(one, other, strict=True)
    )


def _milliseconds(towers: Sequence[Tower], x: torch.Tensor) -> list[float]:
    """How long each takes, in turn, so that whatever else the machine does falls on all of them."""
    seconds = [list[float]() for _ in towers]
    with torch.inference_mode():
        for _ in range(REPEATS):
            for tower, taken in zip(towers, seconds, strict=True):
                started = time.perf_counter()
                tower(x)
                taken.append(time.perf_counter() - started)
    return [round(1000 * float(np.median(taken)), 3) for taken in seconds]


def _sha256_of(path: Path) -> str:
    status = path.stat()
    return _sha256(path, status.st_mtime_ns, status.st_size)


@cache
def _sha256(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

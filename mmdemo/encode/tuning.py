"""Choose how this machine encodes a catalogue: engine, precision, threads and device, measured before a long build.

A short build is not worth a measurement: it uses float32 and the threads as they are. The choice is written beside the
shards, so that a resumed build goes on with it. What is worth an export of the towers exports them first.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.core.errors import InputError
from mmdemo.encode import runtime
from mmdemo.encode.encoder import BATCH, Encoder

MIN_PRODUCTS = 1000  # from which measuring is worth its time
EXPORTED = 150  # products, from which an export of the towers is: it takes as long as it saves there
MIN_SPEEDUP = 1.25  # for which a lower precision is chosen
MIN_COSINE = 0.999  # of the vectors in a lower precision with those in float32
REPEATS = 3
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Setting:
    """How a catalogue is encoded.

    `engine` is as in `Encoder.for_inference`, `threads` 0 leaves PyTorch's threads as they are, `cosine` is the lowest
    with float32, and `measured` holds the pictures a second of every combination that was tried.
    """

    precision: str = "float32"
    threads: int = 0
    device: str = "cpu"
    cosine: float = 1.0
    measured: dict[str, float] = field(default_factory=dict)
    engine: str = ""

    @contextlib.contextmanager
    def threads_set(self) -> Iterator[None]:
        """A context in which PyTorch uses this many threads."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads or before)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def applied(self, encoder: Encoder) -> Encoder:
        """The encoder in this precision, on this device and by this engine."""
        if not hasattr(encoder, "for_inference"):
            return encoder
        return encoder.for_inference(getattr(torch, self.precision), self.device, self.engine, self.threads)


DEFAULT = Setting()


def load_or_tune(encoder: Encoder, catalog: Catalog, path: Path) -> tuple[Setting, Encoder]:
    """The setting written at `path`, or else the one found by measuring, and the encoder with it applied."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        setting = Setting(**json.loads(path.read_text()))
        return setting, setting.applied(encoder)
    setting = DEFAULT
    if len(catalog) >= EXPORTED and hasattr(encoder, "export"):
        encoder.export()
    if len(catalog) >= MIN_PRODUCTS and hasattr(encoder, "for_inference"):
        setting = measure(encoder, sample(encoder, catalog))
    path.write_text(json.dumps(asdict(setting)))
    return setting, setting.applied(encoder)


def sample(encoder: Encoder, catalog: Catalog) -> list[torch.Tensor]:
    """The first readable pictures of a catalogue, prepared: one batch of them."""
    pixels: list[torch.Tensor] = []
    for item in catalog:
        if len(pixels) == BATCH:
            break
        if (path := catalog.image_path(item)) is not None:
            with contextlib.suppress(InputError):
                pixels.append(encoder.pixels(decode(path, max_side=512)))
    return pixels


def measure(encoder: Encoder, pixels: list[torch.Tensor]) -> Setting:
    """The fastest setting for these prepared pictures: float32 or bfloat16, on all cores or half of them, by PyTorch or
    by OpenVINO, where the towers are exported.

    bfloat16 is chosen where it is at least `MIN_SPEEDUP` times faster and every vector keeps a cosine of `MIN_COSINE`
    with float32. With a GPU both run there.
    """
    if not pixels:
        return DEFAULT
    expected = encoder.encode_image_with_features(pixels)[1]
    rates: dict[str, float] = {}
    fastest: dict[str, tuple[float, Setting]] = {}
    for setting in _settings(encoder):
        best = fastest.get(setting.precision, (0.0, setting))
        twin = setting.applied(encoder)
        with setting.threads_set():
            cosine = float(np.min(np.sum(twin.encode_image_with_features(pixels)[1] * expected, axis=1)))
            rate = len(pixels) / _seconds(twin, pixels)
            if rate > best[0] / 2:  # else it is not worth another try
                rate = max(rate, *(len(pixels) / _seconds(twin, pixels) for _ in range(REPEATS - 1)))
        setting = replace(setting, cosine=round(cosine, 6))
        name = f"{setting.precision}, {setting.threads} threads, {setting.engine}"
        rates[name] = round(rate, 1)
        fastest[setting.precision] = max(best, (rate, setting), key=lambda pair: pair[0])
    (full_rate, full), (low_rate, low) = fastest["float32"], fastest["bfloat16"]
    chosen = low if low.cosine >= MIN_COSINE and low_rate >= MIN_SPEEDUP * full_rate else full
    return replace(chosen, measured=rates)


def _settings(encoder: Encoder) -> Iterator[Setting]:
    """What is tried. With a GPU the cores prepare pictures; more threads of PyTorch would only compete with that."""
    if torch.cuda.is_available():
        yield from (Setting(precision, 1, "cuda", engine="torch") for precision in PRECISIONS)
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    folder = getattr(encoder, "exports", None)
    found = None if folder is None else runtime.found_in(folder)
    engines = ("openvino", "torch") if found is not None and not found["image"].fault else ("torch",)
    for precision, engine, threads in product(PRECISIONS, engines, sorted({max(1, cores // 2), cores})):
        yield Setting(precision, threads, engine=engine)


def _seconds(encoder: Encoder, pixels: Sequence[torch.Tensor]) -> float:
    started = time.perf_counter()
    encoder.encode_image_with_features(pixels)
    return time.perf_counter() - started

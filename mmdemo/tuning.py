"""How this machine encodes a catalogue: precision, threads and device, chosen by measuring before a long build.

A short build is not worth a measurement: it takes float32 as it comes. The choice is written down beside the shards,
so that a build that goes on goes on in the same way.
"""

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from mmdemo.catalog import Catalog
from mmdemo.encoder import BATCH, Encoder
from mmdemo.errors import InputError
from mmdemo.imaging import decode

WORTH = 1000  # products from which measuring pays
PAYS = 1.25  # how much faster a lower precision has to be
ALIKE = 0.999  # the least cosine of its vectors with those of float32
TRIES = 3


@dataclass(frozen=True)
class Setting:
    """How a catalogue is encoded. `threads` 0 leaves them as they are; `measured` holds pictures a second."""

    precision: str = "float32"
    threads: int = 0
    device: str = "cpu"
    cosine: float = 1.0
    measured: dict[str, float] = field(default_factory=dict)

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
        """The encoder as it encodes a catalogue."""
        return encoder.at(getattr(torch, self.precision), self.device) if hasattr(encoder, "at") else encoder


PLAIN = Setting()


def tuned(encoder: Encoder, catalog: Catalog, written: Path) -> tuple[Setting, Encoder]:
    """The setting that was written down, or else the one found by measuring, and the encoder at it."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        setting = Setting(**json.loads(written.read_text()))
        return setting, setting.applied(encoder)
    setting = PLAIN
    if len(catalog) >= WORTH and hasattr(encoder, "at"):
        setting = measure(encoder, sample(encoder, catalog))
    written.write_text(json.dumps(asdict(setting)))
    return setting, setting.applied(encoder)


def sample(encoder: Encoder, catalog: Catalog) -> list[torch.Tensor]:
    """The first pictures of a catalogue that can be read, one batch of them."""
    found: list[torch.Tensor] = []
    for product in catalog:
        if len(found) == BATCH:
            break
        if (path := catalog.image_path(product)) is not None:
            with contextlib.suppress(InputError):
                found.append(encoder.pixels(decode(path, max_side=512)))
    return found


def measure(encoder: Encoder, pixels: list[torch.Tensor]) -> Setting:
    """The fastest setting for these prepared pictures, of float32 and bfloat16, on all cores or half of them.

    bfloat16 is taken where it pays and every vector stays within `ALIKE` of float32; on a GPU the same.
    """
    if not pixels:
        return PLAIN
    device = "cuda" if torch.cuda.is_available() else "cpu"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    exact = encoder.image_both(pixels)[1]
    rates: dict[str, float] = {}
    best: dict[str, tuple[float, Setting]] = {}
    for precision in ("float32", "bfloat16"):
        twin = Setting(precision, device=device).applied(encoder)
        cosine = float(np.min(np.sum(twin.image_both(pixels)[1] * exact, axis=1)))
        # Beside a GPU the cores cut pictures; threads of PyTorch's would only stand in their way.
        for threads in sorted({max(1, cores // 2), cores}) if device == "cpu" else [1]:
            setting = Setting(precision, threads, device, round(cosine, 6))
            with setting.threads_set():
                rate = len(pixels) / min(_seconds(twin, pixels) for _ in range(TRIES))
            rates[f"{precision}, {threads} threads" if device == "cpu" else precision] = round(rate, 1)
            best[precision] = max(best.get(precision, (0.0, setting)), (rate, setting), key=lambda pair: pair[0])
    (exactly, plain), (quickly, quick) = best["float32"], best["bfloat16"]
    chosen = quick if quick.cosine >= ALIKE and quickly >= PAYS * exactly else plain
    return replace(chosen, measured=rates)


def _seconds(encoder: Encoder, pixels: Sequence[torch.Tensor]) -> float:
    started = time.perf_counter()
    encoder.image_both(pixels)
    return time.perf_counter() - started

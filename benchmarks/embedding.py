"""Pictures a second: a catalogue through the encoder beside a plain loop, the forward pass alone and clip-retrieval.

All of them read the same files in turn, on the same model: ViT-B-32 with random weights, which cost what trained ones
do. `benchmarks.speed` runs this and keeps what it finds.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import HOME, Figure, figure
from mmdemo.encode.torchvision_shim import import_open_clip

PICTURES = HOME / "assets" / "catalog" / "images"
BATCH = 32


def embedding(runs: int, peer: str, most: int = 256) -> tuple[list[Figure], dict[str, Any]]:
    """Pictures a second of ViT-B-32 with random weights: plain loop, forward pass alone, ours, clip-retrieval."""
    open_clip = import_open_clip()
    import torch
    from PIL import Image

    from mmdemo.catalog.imaging import decode
    from mmdemo.encode.embed import prefetch
    from mmdemo.encode.encoder import Encoder, state_hash
    from mmdemo.encode.tuning import measure

    torch.manual_seed(0)
    model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32")
    encoder = Encoder(model, preprocess, open_clip.get_tokenizer("ViT-B-32"), "ViT-B-32", "ViT-B-32", state_hash(model))
    encoder.export()
    files = sorted(PICTURES.glob("*.webp"))[:most]
    ready = [encoder.pixels(decode(f, max_side=512)) for f in files[:BATCH]]
    setting = measure(encoder, ready)
    fast = setting.applied(encoder)

    @torch.inference_mode()
    def plain(some: list[Path]) -> list[np.ndarray]:
        rows = []
        for at in range(0, len(some), BATCH):
            pixels = torch.stack([preprocess(Image.open(f)) for f in some[at : at + BATCH]])
            vectors = model.encode_image(pixels)
            rows.append((vectors / vectors.norm(dim=-1, keepdim=True)).numpy())
        return rows

    def forward(n: int) -> None:
        with setting.threads_set():
            for _ in range(0, n, BATCH):
                fast.encode_image_with_features(ready)

    def ours(some: list[Path]) -> list[np.ndarray]:
        with setting.threads_set(), ThreadPoolExecutor(os.cpu_count()) as pool:
            looks = prefetch(pool, lambda file: fast.pixels(decode(file, max_side=512)), some)
            return [fast.encode_image_with_features(batch)[1] for batch in iter(lambda: list(islice(looks, BATCH)), [])]

    def rate(work: Callable[[], Any]) -> float:
        began = time.perf_counter()
        work()
        return len(files) / (time.perf_counter() - began)

    mine, exact = np.vstack(ours(files)), np.vstack(plain(files))
    rates: dict[str, list[float]] = {"plain": [], "forward": [], "ours": [], "peer": []}
    with tempfile.TemporaryDirectory() as folder:
        for file in files:  # one folder of the same pictures for whoever wants one
            shutil.copyfile(file, Path(folder) / file.name)
        for _ in range(runs):
            rates["plain"].append(rate(lambda: plain(files)))
            rates["ours"].append(rate(lambda: ours(files)))
            rates["forward"].append(rate(lambda: forward(len(files))))
            if (other := _clip_retrieval(peer, folder)) is not None:
                rates["peer"].append(other)
            elif not peer:
                rates["peer"].append(rate(lambda: _loader(model, preprocess, files)))
    called = "clip-retrieval's inference" if peer else "its loop written again (DataLoader, float32)"
    unit = "pictures/s"
    found = [
        figure(
            "a catalogue's pictures, ViT-B-32",
            unit,
            rates["ours"],
            "a plain float32 open_clip loop",
            rates["plain"],
            "at least 2 (5 with bf16 matrix units)",
        ),
        figure(
            "a catalogue's pictures, ViT-B-32",
            unit,
            rates["ours"],
            "the forward pass alone, same setting",
            rates["forward"],
            "at least 0.9",
        ),
    ]
    if rates["peer"]:
        same = "a catalogue's pictures, ViT-B-32"
        found.append(figure(same, unit, rates["ours"], called, rates["peer"], "more than 1"))
    return found, {"setting": vars(setting), "least_cosine": float((mine * exact).sum(1).min())}


def _clip_retrieval(python: str, folder: str) -> float | None:
    if not python:
        return None
    done = subprocess.run(
        [python, "benchmarks/peer.py", folder, str(os.cpu_count())], cwd=HOME, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"clip-retrieval failed: {done.stderr[-600:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    return said["pictures"] / said["seconds"]


class _Files:
    """Pictures prepared one by one, for a DataLoader."""

    def __init__(self, files: list[Path], preprocess: Callable) -> None:
        self.files, self.preprocess = files, preprocess

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, at: int) -> Any:
        from PIL import Image

        return self.preprocess(Image.open(self.files[at]))


def _loader(model: Any, preprocess: Callable, files: list[Path]) -> None:
    """What clip-retrieval does, where it cannot be installed: a DataLoader with workers, float32, float16 kept."""
    import torch

    with torch.no_grad():
        dataset: Any = _Files(files, preprocess)
        for pixels in torch.utils.data.DataLoader(dataset, batch_size=BATCH, num_workers=os.cpu_count() or 1):
            vectors = model.encode_image(pixels)
            (vectors / vectors.norm(dim=-1, keepdim=True)).to(torch.float16).numpy()


def own_encoder(runs: int, products: int = 48) -> tuple[list[Figure], dict[str, Any]]:
    """The shipped encoder on whole shards (nine looks at each picture, thumbnails, texts) beside its forward pass."""
    from mmdemo.catalog.catalog import Catalog
    from mmdemo.encode.embed import write_shard
    from mmdemo.encode.encoder import Encoder
    from mmdemo.encode.tuning import measure, sample

    encoder, catalog = Encoder.load(HOME / "assets" / "encoder"), Catalog.read(HOME / "assets" / "catalog")
    encoder.export()
    ready = sample(encoder, catalog)
    setting = measure(encoder, ready)
    fast, looks = setting.applied(encoder), 9 * products
    before = encoder.for_inference(engine="torch")
    whole, limit, slower = [], [], []
    for _ in range(runs + 1):
        with setting.threads_set(), tempfile.TemporaryDirectory() as work:
            began = time.perf_counter()
            write_shard(Path(work), catalog, 0, products, fast)
            middle = time.perf_counter()
            for _ in range(0, looks, BATCH):
                fast.encode_image_with_features(ready)
            whole.append(looks / (middle - began))
            limit.append(looks / (time.perf_counter() - middle))
        with tempfile.TemporaryDirectory() as work:
            began = time.perf_counter()
            write_shard(Path(work), catalog, 0, products, before)
            slower.append(looks / (time.perf_counter() - began))
    return [
        figure(
            "whole shards of the default catalogue, shipped encoder",
            "looks/s",
            whole[1:],
            "the forward pass alone, same setting",
            limit[1:],
            "at least 0.9",
        ),
        figure(
            "whole shards of the default catalogue, shipped encoder",
            "looks/s",
            whole[1:],
            "the same by PyTorch",
            slower[1:],
            "at least 1.5",
        ),
    ], vars(setting)

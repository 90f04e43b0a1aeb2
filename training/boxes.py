"""Train the network that finds things on photos and ships with an encoder (`mmdemo/encode/box_head.py`).

    python training/boxes.py FOLDER... --places FOLDER --encoder ENCODER [--scenes 500] [--steps 1000] [--maps FILE]

It learns from scenes of `benchmarks/scenes.py`: products of each FOLDER (training split alone, pictures on white), cut
out and put into every second of the places. The other half of the places is kept for `benchmarks/regions.py`. Bedrooms
are left out: the furniture in them is what a network should find, and nobody marked it.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from torch.nn import functional as F

from benchmarks.scenes import CutOut, Scene, cut_outs, places_of, scene
from mmdemo.encode.box_head import CELL, SIDE, BoxHead, feature_map
from mmdemo.encode.encoder import Encoder

MOST = 130  # cut-outs of a folder
FURNISHED = {"Bedroom"}
BATCH, RATE, MIDDLE = 32, 2e-3, 0.25  # of a thing's sides, around its middle: cells there answer for it


def targets(one: Scene, cells: int) -> np.ndarray:
    """(5, y, x): whether the middle of a thing is in a cell, and the distances of its edges in cells."""
    out = np.zeros((5, cells, cells), np.float32)
    scale = np.array(one.photo.size) / max(one.photo.size) * SIDE / CELL
    at = np.arange(cells) + 0.5
    for box in sorted(
        one.boxes, key=lambda b: -(b[2] - b[0]) * (b[3] - b[1])
    ):  # a small thing stands before a large one
        left, top, right, bottom = np.array(box) * np.tile(scale, 2)
        wide, high = max(0.5, MIDDLE * (right - left)), max(0.5, MIDDLE * (bottom - top))
        ys = np.flatnonzero(abs(at - (top + bottom) / 2) <= high)
        xs = np.flatnonzero(abs(at - (left + right) / 2) <= wide)
        for y in ys:
            for x in xs:
                out[:, y, x] = 1, at[x] - left, at[y] - top, right - at[x], bottom - at[y]
    return out


def train(maps: torch.Tensor, wanted: torch.Tensor, steps: int) -> BoxHead:
    """The network after so many steps: cross-entropy of the middles, and intersection over union of their boxes."""
    torch.manual_seed(0)
    head = BoxHead(maps.shape[1])
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for step in range(steps):
        some = torch.randint(0, len(maps), (BATCH,))
        x, y = maps[some].float(), wanted[some]
        if step % 2:
            x, y = x.flip(3), y.flip(3)[:, [0, 3, 2, 1, 4]]
        logits, edges = head(F.dropout2d(x, 0.1))
        middle = y[:, 0] > 0
        loss = F.binary_cross_entropy_with_logits(logits, y[:, 0])
        found, right = (e.permute(0, 2, 3, 1)[middle] for e in (edges, y[:, 1:].clamp_min(0.05)))
        loss = loss + 0.5 * (1 - union_share(found, right)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 250 == 0:
            print(f"step {step}: loss {loss.item():.3f}", flush=True)
    return head.eval()


def union_share(found: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Intersection over union (n,) of boxes around the same points, given by the distances (n, 4) of their edges."""
    low = torch.minimum(found, right)
    both = (low[:, 0] + low[:, 2]) * (low[:, 1] + low[:, 3])
    areas = [(e[:, 0] + e[:, 2]) * (e[:, 1] + e[:, 3]) for e in (found, right)]
    return both / (areas[0] + areas[1] - both)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+", help="catalogues of pictures on white")
    parser.add_argument("--places", type=Path, required=True, help="a catalogue of places")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of the encoder, where the result goes")
    parser.add_argument("--scenes", type=int, default=500)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--maps", type=Path, help="a file (.pt) that keeps the feature maps")
    args = parser.parse_args()
    if args.maps and args.maps.is_file():
        maps, wanted = torch.load(args.maps)
    else:
        rng, encoder, started = np.random.default_rng(0), Encoder.load(args.encoder).for_inference(), time.time()
        things: list[CutOut] = [c for folder in args.folders for _, c in cut_outs(folder, {"train"}, MOST, rng)]
        places = places_of(args.places, 0, rng, FURNISHED)
        made = [scene(things, places, rng, fewest=1) for _ in range(args.scenes)]
        print(f"{len(things)} things, {len(made)} scenes in {time.time() - started:.0f} s", flush=True)
        maps = torch.cat([feature_map(encoder, one.photo).half() for one in made])
        wanted = torch.from_numpy(np.stack([targets(one, maps.shape[-1]) for one in made]))
        if args.maps:
            torch.save((maps, wanted), args.maps)
    train(maps, wanted, args.steps).save(args.encoder)


if __name__ == "__main__":
    main()

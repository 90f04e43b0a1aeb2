"""The recipe of the shipped encoder: language first, then every catalogue, then the default catalogue mixed in.

    python training/language.py teach DATA/fashion ... --edits DATA/edit_texts/edits.csv --teacher FOLDER --out teacher.npz
    python training/language.py distil teacher.npz --out RUN/language --minutes 6
    python training/ship.py --data DATA --teacher teacher.npz --start RUN/language --out RUN/stage1 --minutes 45
    python training/ship.py --data DATA --teacher teacher.npz --start RUN/stage1 --out RUN/stage2 --minutes 18 \
        --also CATALOG --lr 6e-4

DATA holds the catalogues named below and `backgrounds`. A stopped run goes on with --resume.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mmdemo import torchvision_shim  # noqa: E402, F401  (before anything that imports torchvision)
import torch  # noqa: E402

from mmdemo.align import align  # noqa: E402

# How often a photo of each catalogue comes up, beside one of `fashion`. Small shops with real copy count more;
# 64-pixel pictures count less.
WEIGHTS = {
    "fashion": 1.0, "clothing": 1.0, "grocery": 0.7, "sportswear": 4.0, "caltech_objects": 0.8,
    "tiny_imagenet_objects": 0.5, "imagenet_samples": 1.0, "coco_scenes": 1.0, "containers": 0.7, "shop_samples": 3.0,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True, help="what training/language.py teach wrote")
    parser.add_argument("--start", type=Path, required=True, help="encoder folder to continue from")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, help="decoded photos and checkpoint (default: beside --out)")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="more catalogues, mixed in often")
    parser.add_argument("--also-weight", type=float, default=6.0)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--small-until", type=float, default=0.5, help="share of the run with smaller pictures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    lesson = np.load(args.teacher)
    figures = align(
        [*(args.data / name for name in WEIGHTS), *args.also], args.out, args.start,
        minutes=args.minutes, lr=args.lr, text_lr=args.lr / 3, resume=args.resume, work=args.work,
        weights=[*WEIGHTS.values(), *(args.also_weight for _ in args.also)], backgrounds=args.data / "backgrounds",
        teacher=(lesson["texts"].tolist(), lesson["vectors"]), small_until=args.small_until,
    )  # fmt: skip
    print({name: value for name, value in figures.items() if name != "curve"})


if __name__ == "__main__":
    main()

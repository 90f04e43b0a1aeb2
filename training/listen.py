"""The text tower by itself: the image tower stays still, so every photo is looked at a few times and never again.

Locked tuning (LiT, Zhai et al. 2022) with the sides exchanged: without an image tower a step costs a tenth, and its
time goes into words. The towers' vectors are pulled together as in `align`; beside that the text tower learns

- a teacher's vectors of a large corpus, through a linear map (`distillation.py`),
- the teacher's likeness of any two texts, in the joint space itself: so it serves as a space of texts too,
- that title and description of one product belong together.

    python training/listen.py --data DATA --also CATALOG --teacher FILE --start ENCODER --out ENCODER --minutes 40
"""

import argparse
import math
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.holdout import Holdout
from mmdemo.encode.encoder import mixed_precision
from mmdemo.encode.towers import image_tower, text_tower
from mmdemo.finetune.align import contrast
from mmdemo.finetune.augment import augment, cache
from mmdemo.finetune.dataset import TrainingDataset, phrase, worn
from mmdemo.finetune.distillation import Distillation, forgotten
from mmdemo.finetune.model_folder import export, open_model
from training.language import load
from training.ship import WEIGHTS
from training.workers import start as start_workers

LOOKS = 2  # at every photo: as it is, and varied


@torch.inference_mode()
def looks(model, config: dict, dataset: TrainingDataset, backgrounds: np.ndarray | None, work: Path) -> np.ndarray:
    """float16 (LOOKS, photos, width): the image tower's pooled features, computed once and kept in `work`."""
    mean, std = (torch.tensor(config["preprocess_cfg"][k]).view(1, 3, 1, 1) for k in ("mean", "std"))
    side, parts = config["model_cfg"]["vision_cfg"]["image_size"], [work / f"look-{i}.npy" for i in range(LOOKS)]
    for look, part in enumerate(parts):
        if part.is_file():
            continue
        model.eval()
        rng, rows = np.random.default_rng(look), []
        for at in tqdm(range(0, len(dataset.pixels), 64), desc=f"look {look + 1} of {LOOKS}"):
            pixels = dataset.pixels[np.arange(at, min(at + 64, len(dataset.pixels)))]
            if look:
                x = augment(pixels, side, rng, backgrounds, smallest=0.5)
            else:
                x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
                x = F.interpolate(x, (side, side), mode="bilinear", antialias=True)
            x = ((x - mean) / std).contiguous(memory_format=torch.channels_last)
            with mixed_precision():
                pooled = image_tower(model, x)[0]
            rows.append(pooled.half())
        np.save(part.with_suffix(".part.npy"), torch.cat(rows).numpy())
        part.with_suffix(".part.npy").replace(part)
    return np.stack([np.load(part) for part in parts])


def listen(args: argparse.Namespace) -> None:
    """Train, with a checkpoint every three minutes that `--resume` goes on from."""
    args.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model, config, tokenizer = open_model(args.start)
    side = config["model_cfg"]["vision_cfg"]["image_size"] * 9 // 7
    names = [name for name in WEIGHTS if name not in args.leave_out]
    weights = [*(WEIGHTS[name] for name in names), *(args.also_weight for _ in args.also)]
    dataset = TrainingDataset([*(args.data / name for name in names), *args.also], args.work, side, weights, Holdout())
    scenes = Catalog.read(args.data / "backgrounds")
    rooms = [path for p in scenes.products if (path := scenes.image_path(p))]
    behind = cache(rooms, args.work / f"backgrounds-{side}-{len(rooms)}.npy", side)
    seen = looks(model, config, dataset, behind, args.work)
    others = start_workers(args.rank, args.workers, args.meeting) if args.workers > 1 else []
    texts, vectors, learned = load(args.teacher)
    distillation = Distillation(texts[:learned], vectors[:learned], model, tokenizer)
    sight = model.visual.head.proj  # the last linear step of the image tower may follow
    mine = [(n, p) for n, p in model.named_parameters() if not n.startswith("visual.")]
    groups = [
        {"params": [p for _, p in mine if p.ndim > 1], "peak": args.lr, "weight_decay": 0.02},
        {"params": [p for _, p in mine if p.ndim <= 1], "peak": args.lr, "weight_decay": 0.0},
        {"params": [*distillation.parameters()], "peak": args.lr, "weight_decay": 0.0},
        {"params": [*sight.parameters()], "peak": args.lr / 3, "weight_decay": 0.02},
    ]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.98), fused=True)
    rows_of_text: dict[str, torch.Tensor] = {}

    def tokens(sentences: list[str]) -> torch.Tensor:
        for text in sentences:
            if text not in rows_of_text:
                rows_of_text[text] = tokenizer([text])[0]
        return torch.stack([rows_of_text[text] for text in sentences])

    checkpoint, at, before = args.work / "listen.pt", 0, 0.0
    if args.resume and checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"]), distillation.load_state_dict(state["distillation"])
        optimizer.load_state_dict(state["optimizer"])
        at, before = state["at"], state["seconds"]
    began = saved = time.monotonic()
    bar = tqdm(total=100, desc="listening", unit="%", mininterval=5, disable=args.rank > 0)
    model.train()
    while True:
        seconds = before + time.monotonic() - began
        done = seconds / 60 / args.minutes
        if args.rank == 0 and (done >= 1 or time.monotonic() - saved > 180):
            state = {
                "model": model.state_dict(),
                "distillation": distillation.state_dict(),
                "optimizer": optimizer.state_dict(),
            }
            torch.save({**state, "at": at, "seconds": seconds}, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").replace(checkpoint)
            saved = time.monotonic()
            if done >= 1:
                break
        rng = np.random.default_rng([args.rank, at])
        rate = min(1, (at + 1) / 100) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(done, 1))))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        photos = dataset.draw(args.batch, rng)
        rows = dataset.owner[photos]
        images = F.normalize(sight(torch.from_numpy(seen[rng.integers(0, LOOKS, len(photos)), photos]).float()), dim=-1)
        own_captions = [
            dataset.captions[row][min(int(rng.exponential(0.65)), len(dataset.captions[row]) - 1)] for row in rows
        ]
        phrases = [phrase(dataset.products[row], rng) for row in rows]
        with_phrase = [i for i in range(len(rows)) if phrases[i][1] and rng.random() < 0.6]
        pairs = [i for i, row in enumerate(rows) if dataset.products[row].title and dataset.products[row].description]
        pairs = pairs[:48]
        titles = [dataset.products[rows[i]].title for i in pairs]
        descriptions = [dataset.products[rows[i]].description for i in pairs]
        all_texts = [
            *(worn(text, rng) for text in own_captions),
            *(phrases[i][0] for i in with_phrase),
            *titles,
            *descriptions,
        ]
        distilled = rng.choice(len(distillation.tokens), args.distil, replace=False)
        ids = torch.cat([tokens(all_texts), distillation.tokens[distilled].long()])
        with mixed_precision(), sdpa_kernel(SDPBackend.MATH):
            pooled, joint = text_tower(model, ids)
        pooled, joint = pooled.float(), F.normalize(joint.float(), dim=-1)
        caption_vectors, phrase_vectors, title_vectors, story_vectors, distilled_vectors = joint.split(
            [len(own_captions), len(with_phrase), len(titles), len(descriptions), len(distilled)]
        )
        scale = model.logit_scale.exp()
        loss = contrast(caption_vectors, images, dataset.fits(own_captions, rows) | dataset.same(rows, rows), scale)
        if with_phrase:
            true = torch.tensor([[dataset.codes[row].issuperset(phrases[i][1]) for row in rows] for i in with_phrase])
            loss = loss + contrast(phrase_vectors, images, true, scale)
        if len(pairs) > 1:
            fits = torch.tensor([[a == b for b in descriptions] for a in descriptions]) | dataset.same(
                rows[pairs], rows[pairs]
            )
            loss = loss + 0.5 * contrast(title_vectors, story_vectors, fits, torch.tensor(20.0))
        teacher_vectors = F.normalize(distillation.vectors[torch.from_numpy(distilled)].float(), dim=-1)
        student_vectors = F.normalize(distillation.map(pooled[-len(distilled) :]), dim=-1)
        kept = 10 * ((distilled_vectors @ distilled_vectors.T - teacher_vectors @ teacher_vectors.T) ** 2).mean()
        loss = loss + 4 * forgotten(student_vectors, teacher_vectors) + 4 * kept
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        at += 1
        bar.n = min(100, round(100 * done))
        bar.set_postfix(
            step=at,
            loss=f"{loss.item():.3f}",
            cosine=f"{(student_vectors * teacher_vectors).sum(1).mean().item():.3f}",
            kept=f"{kept.item():.4f}",
        )
    bar.close()
    for other in others:
        other.kill()
    export(model.eval(), config, args.out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="more catalogues, mixed in often")
    parser.add_argument("--also-weight", type=float, default=10.0)
    parser.add_argument("--leave-out", nargs="*", default=[], choices=WEIGHTS, help="folders of DATA not to train on")
    parser.add_argument("--teacher", type=Path, required=True, help="what training/language.py teach wrote")
    parser.add_argument("--start", type=Path, required=True, help="encoder folder to continue from")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="decoded photos, their features, the checkpoint")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=160, help="photos a step and worker")
    parser.add_argument("--distil", type=int, default=256, help="texts of the teacher a step and worker")
    parser.add_argument("--lr", type=float, default=6e-4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rank", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--meeting", default="", help=argparse.SUPPRESS)
    parser.add_argument("--resume", action="store_true")
    listen(parser.parse_args())


if __name__ == "__main__":
    main()

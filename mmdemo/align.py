"""Align an image tower and a text tower on catalogues: contrastive training, from nothing or from a model.

A catalogue teaches by what it holds: titles, descriptions, attributes ("red striped mug"), several photos of one
product, variants, near-copies. Products kept aside (`held_out`) are never trained on. Knows nothing of indexes,
fusion or the web; the result is a folder that `Encoder.load` and open_clip both read.
"""

import copy
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

# isort: off
from mmdemo import torchvision_shim  # noqa: F401  (before anything that imports torchvision)
import open_clip

# isort: on
import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from mmdemo.augment import augment, cache
from mmdemo.catalog import Catalog
from mmdemo.distillation import Distillation
from mmdemo.encoder import CONFIG, WEIGHTS, Encoder, Model, text_tower
from mmdemo.shelf import Shelf, phrase, worn

# Small enough to publish beside the code and to answer in milliseconds on one core. The tokeniser is CLIP's
# byte-level BPE, so no character is unknown to it. White padding, because shops photograph on white.
DEFAULT = {
    "model_cfg": {
        "embed_dim": 256,
        "vision_cfg": {"timm_model_name": "regnetx_004", "timm_pool": "avg", "timm_proj": "linear", "image_size": 112},
        "text_cfg": {"context_length": 64, "vocab_size": 49408, "width": 224, "heads": 7, "layers": 4},
    },
    "preprocess_cfg": {
        "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25], "interpolation": "bicubic",
        "resize_mode": "longest", "fill_color": 255,
    },
}  # fmt: skip


def new_model(config: dict | None = None) -> tuple[Model, dict]:
    """(untrained model, its config) in open_clip's own classes."""
    config = copy.deepcopy(config or DEFAULT)
    return open_clip.CLIP(**config["model_cfg"]), config


def open_model(start: str | Path | None) -> tuple[Model, dict, Callable]:
    """(model, config, tokenizer) to train on: an encoder spec, or None for a new one of the default shape."""
    if start is None:
        model, config = new_model()
        return (
            model,
            config,
            open_clip.get_tokenizer("ViT-B-32", context_length=config["model_cfg"]["text_cfg"]["context_length"]),
        )
    encoder = Encoder.load(start)
    name = str(start)
    if (Path(name) / CONFIG).is_file():
        config = json.loads((Path(name) / CONFIG).read_text(encoding="utf-8"))
    else:
        config = {"model_cfg": open_clip.get_model_config(name.split("/")[0] if "hf-hub:" not in name else name)}
        config["preprocess_cfg"] = dict(encoder.model.visual.preprocess_cfg)
    return encoder.model, config, encoder.tokenizer


def export(model: Model, config: dict, folder: Path, notes: str = "") -> None:
    """Write the open_clip folder (float16 weights, which open_clip loads as float32); each file is replaced at once."""
    folder.mkdir(parents=True, exist_ok=True)
    half = {k: (v.half() if v.is_floating_point() else v).contiguous().clone() for k, v in model.state_dict().items()}
    files = {
        WEIGHTS: lambda path: save_file(half, path),
        CONFIG: lambda path: path.write_text(json.dumps(config, indent=2) + "\n"),
    }
    if notes:
        files["README.md"] = lambda path: path.write_text(notes, encoding="utf-8")
    for name, write in files.items():
        write(folder / f".{name}.part")
        (folder / f".{name}.part").chmod(0o644)
        os.replace(folder / f".{name}.part", folder / name)


def contrast(queries: torch.Tensor, answers: torch.Tensor, match: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """InfoNCE in both directions over unit rows, each row's positives sharing its weight (Khosla et al. 2020).

    `match` is bool (queries, answers). A row without a positive asks nothing and only serves as a negative.
    """
    logits, losses = scale * queries @ answers.T, []
    for table, right in ((logits, match), (logits.T, match.T)):
        count = right.sum(1)
        asked = count > 0
        if asked.any():
            log_p = F.log_softmax(table, dim=1)
            losses.append(-((log_p * right).sum(1)[asked] / count[asked]).mean())
    return torch.stack(losses).mean() if losses else logits.sum() * 0


class Trainer:
    """One run: model, optimiser, data and where it stands. `step` draws from (seed, step) alone, so a run that was
    stopped and resumed makes the same steps as one that was not."""

    def __init__(
        self, model: Model, config: dict, tokenizer: Callable, shelf: Shelf, backgrounds: np.ndarray | None,
        lesson: Distillation | None, voice: Any | None, *,
        batch: int, lr: float, text_lr: float, small_until: float, seed: int,
    ):  # fmt: skip
        self.model, self.shelf, self.backgrounds = model, shelf, backgrounds
        self.lesson, self.voice = lesson, voice
        self.batch, self.seed, self.lr, self.at = min(batch, int((shelf.odds > 0).sum())), seed, (lr, text_lr), 0
        pre = config["preprocess_cfg"]
        self.mean, self.std = (torch.tensor(pre[k]).view(1, 3, 1, 1) for k in ("mean", "std"))
        side = config["model_cfg"]["vision_cfg"]["image_size"]
        self.side, self.small_until = side if isinstance(side, int) else side[0], small_until
        if not hasattr(model.visual, "trunk"):  # a vision transformer's positions are made for one size
            self.small_until = 0.0
        self.tokens = lru_cache(200_000)(lambda text: tokenizer([text])[0])
        named = [pair for module in (model, lesson, voice) if module is not None for pair in module.named_parameters()]
        image, text = ([p for n, p in named if n.startswith("visual.") == yes] for yes in (True, False))
        self.optimizer = torch.optim.AdamW(
            [{"params": image}, {"params": text}], weight_decay=0.05, betas=(0.9, 0.98), fused=True
        )

    def can_say(self, text: str) -> bool:
        return self.voice is None or text in self.voice

    def embed_images(self, x: torch.Tensor) -> torch.Tensor:
        x = ((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return F.normalize(self.model.encode_image(x).float(), dim=-1)

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        if self.voice is not None:
            return F.normalize(self.voice(texts), dim=-1)
        with torch.autocast("cpu", dtype=torch.bfloat16), sdpa_kernel(SDPBackend.MATH):  # the faster one on short rows
            return F.normalize(text_tower(self.model, torch.stack([self.tokens(t) for t in texts]))[1].float(), dim=-1)

    def step(self, done: float) -> float:
        """One update at `done` (0..1) of the run; the loss."""
        shelf, rng = self.shelf, np.random.default_rng([self.seed, self.at])
        torch.manual_seed(self.seed * 1_000_003 + self.at)
        self.model.train()
        for group, peak in zip(self.optimizer.param_groups, self.lr, strict=True):
            group["lr"] = (
                peak * min(1, (self.at + 1) / 100) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(done, 1))))
            )
        photos = rng.choice(len(shelf.odds), self.batch, replace=False, p=shelf.odds / shelf.odds.sum())
        rows = shelf.owner[photos]
        # a quarter of the rows come a second time: another photo of the product, or this one varied again
        again = rng.permutation(self.batch)[: max(2, self.batch // 4)]
        twins = [rng.choice(shelf.photos_of[rows[i]]) if rng.random() < 0.5 else photos[i] for i in again]
        side = self.side if done >= self.small_until else self.side * 3 // 4
        picks = np.concatenate([photos, twins])
        images = self.embed_images(augment(shelf.pixels[picks], side, rng, self.backgrounds))
        own = [shelf.captions[row][min(int(rng.exponential(0.65)), len(shelf.captions[row]) - 1)] for row in rows]
        said = [phrase(shelf.products[row], rng) for row in rows]
        asked = [i for i, (text, codes) in enumerate(said) if codes and self.can_say(text)]
        spoken = [text if (part := worn(text, rng)) == text or not self.can_say(part) else part for text in own]
        texts = self.embed_texts(spoken + [said[i][0] for i in asked])
        scale = self.model.logit_scale.exp().clamp(max=100)
        first, second = images[: self.batch], images[self.batch :]
        loss = contrast(texts[: self.batch], first, shelf.fits(own, rows) | shelf.same(rows, rows), scale)
        true = torch.tensor([[shelf.codes[row].issuperset(said[i][1]) for row in rows] for i in asked]).view(
            -1, self.batch
        )
        if asked:
            loss = loss + contrast(texts[self.batch :], first, true, scale)
        loss = loss + contrast(second, first, shelf.same(rows[again], rows), torch.tensor(14.0))
        if self.lesson is not None and self.at % 2:  # every other step is enough to remember
            loss = loss + 2 * self.lesson.loss(self.model, 64, self.at)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.at += 1
        return loss.item()

    @torch.inference_mode()
    def recall(self, most: int = 1000) -> float:
        """Title -> picture recall@10 among up to `most` products kept aside (of those trained on, if none are)."""
        shelf = self.shelf
        photos = np.flatnonzero(shelf.aside) if shelf.aside.any() else np.arange(len(shelf.owner))
        photos = photos[np.unique(shelf.owner[photos], return_index=True)[1]]
        photos = np.sort(np.random.default_rng(self.seed).permutation(photos)[:most])
        rows, parts = shelf.owner[photos], []
        self.model.eval()
        for at in range(0, len(photos), 64):
            x = torch.from_numpy(shelf.pixels[photos[at : at + 64]]).permute(0, 3, 1, 2).float() / 255
            parts.append(self.embed_images(F.interpolate(x, (self.side, self.side), mode="bilinear", antialias=True)))
        texts = torch.cat(
            [self.embed_texts([shelf.captions[row][0] for row in rows[at : at + 64]]) for at in range(0, len(rows), 64)]
        )
        best = (texts @ torch.cat(parts).T).topk(min(10, len(rows)), dim=1).indices
        right = shelf.same(rows, rows) | shelf.fits([shelf.captions[row][0] for row in rows], rows)
        return right.gather(1, best).any(1).float().mean().item()

    def save(self, file: Path, **more: object) -> None:
        """Write all that a resumed run needs; a run killed while writing leaves the previous file."""
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "at": self.at, **more}
        for name in ("lesson", "voice"):
            state[name] = module.state_dict() if (module := getattr(self, name)) is not None else {}
        torch.save(state, file.with_suffix(".part"))
        os.replace(file.with_suffix(".part"), file)

    def restore(self, file: Path) -> dict:
        state = torch.load(file, weights_only=True)
        self.model.load_state_dict(state["model"]), self.optimizer.load_state_dict(state["optimizer"])
        for name in ("lesson", "voice"):
            if (module := getattr(self, name)) is not None:
                module.load_state_dict(state[name])
        self.at = state["at"]
        return state


def align(
    catalogs: Sequence[str | Path], out: str | Path, start: str | Path | None = None, *,
    epochs: float | None = None, minutes: float | None = None, batch: int = 96, lr: float | None = None,
    text_lr: float | None = None, seed: int = 0, resume: bool = False, split_by: str | None = None,
    weights: Sequence[float] | None = None, backgrounds: str | Path | None = None,
    teacher: tuple[Sequence[str], np.ndarray] | None = None, voice: Any | None = None,
    work: str | Path | None = None, small_until: float = 0.5, save_minutes: float = 3.0,
    progress: Callable[[dict], None] | None = None, notes: str = "",
) -> dict:  # fmt: skip
    """Train an encoder on catalogues and write it to the folder `out`; returns {"steps", "loss", "recall@10", "curve"}.

    `start` is the encoder spec to continue from (None: a new, small one). The run ends after `epochs` passes or
    `minutes`, whichever is given (default: 10 epochs). `resume` goes on where a stopped run of the same call stood.
    `weights` says how often each catalogue's photos come up; `teacher` is (texts, vectors) of a sentence encoder that
    the text tower must not drift from; `voice` embeds texts (list -> rows, and `in` for what it knows) in place of the
    text tower, which then stays as it is; `work` holds decoded photos and the checkpoint (default: beside `out`).
    Up to `small_until` of the run a convolutional tower sees pictures three quarters as wide, at half the cost.
    `progress` is called after every step with {"step", "done", "loss", "recall"}.
    """
    out = Path(out)
    work = Path(work) if work else out.with_name(out.name + ".work")
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model, config, tokenizer = open_model(start)
    model = model.to(memory_format=torch.channels_last)
    side = config["model_cfg"]["vision_cfg"]["image_size"]
    cached = (side if isinstance(side, int) else side[0]) * 9 // 7  # a crop of half the area still fills the tower
    shelf = Shelf(catalogs, work, cached, weights or [1.0] * len(catalogs), split_by)
    behind = None
    if backgrounds:
        scenes = Catalog.read(backgrounds)
        paths = [path for product in scenes.products if (path := scenes.image_path(product))]
        behind = cache(paths, work / f"backgrounds-{cached}-{len(paths)}.npy", cached)
    lesson = Distillation(*teacher, model, tokenizer, seed) if teacher else None
    lr = lr or (1.5e-3 if start is None else 3e-4)
    run = Trainer(model, config, tokenizer, shelf, behind, lesson, voice, batch=batch, lr=lr, text_lr=text_lr or lr,
                  small_until=small_until, seed=seed)  # fmt: skip
    steps = max(1, round((epochs or 10) * (shelf.odds > 0).sum() / run.batch))
    checkpoint, curve, before = work / "checkpoint.pt", [], 0.0
    if resume and checkpoint.is_file():
        state = run.restore(checkpoint)
        curve, before = state["curve"], state["seconds"]
    began = saved = time.monotonic()
    bar = tqdm(total=100, desc="align", unit="%", mininterval=2)
    recall, loss = curve[-1][2] if curve else 0.0, float("nan")
    while True:
        seconds = before + time.monotonic() - began
        done = seconds / 60 / minutes if minutes else run.at / steps
        over = done >= 1
        if over or time.monotonic() - saved > 60 * save_minutes:
            recall = run.recall()
            curve.append([run.at, loss, recall])
            run.save(checkpoint, curve=curve, seconds=seconds)
            export(model.eval(), config, out)
            draw(curve, out / "learning-curve.png")
            saved = time.monotonic()
            if over:
                break
        latest = run.step(done)
        loss = latest if loss != loss else 0.98 * loss + 0.02 * latest
        bar.n = min(100, round(100 * done))
        bar.set_postfix(step=run.at, loss=f"{loss:.3f}", recall=f"{recall:.3f}")
        if progress:
            progress({"step": run.at, "done": done, "loss": latest, "recall": recall})
    bar.close()
    figures = {"steps": run.at, "loss": loss, "recall@10": recall, "curve": curve, "minutes": round(seconds / 60, 1)}
    export(model, config, out, notes or card(catalogs, shelf, figures, start))
    return figures


def card(catalogs: Sequence[str | Path], shelf: Shelf, figures: dict, start: str | Path | None) -> str:
    """The model card that goes into the folder."""
    shops = ", ".join(Path(path).name for path in catalogs)
    return f"""# An image-text encoder for a shop

Trained by `python -m mmdemo align` on {shops}: {len(shelf.products)} products, {len(shelf.owner)} photos, of which
{int(shelf.aside.sum())} photos were kept aside. Started from {start or "nothing"}; {figures["steps"]} steps,
{figures["minutes"]} minutes. Title -> picture recall@10 among the products kept aside: {figures["recall@10"]:.3f}.
![Learning curve](learning-curve.png)

Use: `Encoder.load(folder)`, or `open_clip.create_model_from_pretrained("local-dir:folder")`.
Limits: it knows what these catalogues show. Measure it on yours before you rely on it.
"""


def draw(points: list, path: Path, size: tuple[int, int] = (640, 320)) -> None:
    """The learning curve as a picture: loss (grey) and recall@10 on products kept aside (blue) over steps."""
    image = Image.new("RGB", size, "white")
    pen, (wide, high), edge = ImageDraw.Draw(image), size, 36
    for column, colour, top, label in ((1, "#888888", None, "loss"), (2, "#1f5fd0", 1.0, "recall@10")):
        values = [(p[0], p[column]) for p in points if p[column] == p[column]]
        if not values:
            continue
        top = top or max(v for _, v in values) or 1.0
        last = max(values[-1][0], 1)
        dots = [(edge + s / last * (wide - 2 * edge), high - edge - v / top * (high - 2 * edge)) for s, v in values]
        pen.line(dots, fill=colour, width=3) if len(dots) > 1 else pen.ellipse(
            [*dots[0], dots[0][0] + 4, dots[0][1] + 4], fill=colour
        )
        pen.text((edge + (column - 1) * 200, 10), f"{label} (last {values[-1][1]:.3f})", fill=colour)
    pen.rectangle([edge, edge, wide - edge, high - edge], outline="#cccccc")
    pen.text((wide - 2 * edge - 40, high - 24), f"{points[-1][0] if points else 0} steps", fill="#444444")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)

"""Align an image tower and a text tower on catalogues: contrastive training, from nothing or from a model.

A catalogue teaches by what it holds: titles, descriptions, attributes ("red striped mug"), several photos of one
product, variants, near-copies. Products kept aside (`held_out`) are never trained on. Knows nothing of indexes,
fusion or the web; the result is a folder that `Encoder.load` and open_clip both read.
"""

import math
import os
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from mmdemo.augment import augment, cache
from mmdemo.catalog import Catalog
from mmdemo.distillation import Distillation
from mmdemo.encoder import Encoder, Model, mixed_precision, text_tower
from mmdemo.errors import InputError
from mmdemo.exam import Exam
from mmdemo.home import HOME
from mmdemo.modelcard import card, draw
from mmdemo.modelfolder import export, open_model
from mmdemo.retention import settle, table
from mmdemo.shelf import Shelf, phrase, worn

NEW_RATE, TUNING_RATE = 1.5e-3, 1e-4  # docs/encoder.md, "Your own", has what 3e-4 forgets
BUILT_IN = HOME / "assets" / "catalog"


def contrast(queries: torch.Tensor, answers: torch.Tensor, match: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """InfoNCE in both directions over unit rows, each row's positives sharing its weight (Khosla et al. 2020).

    `match` is bool (queries, answers). A row without a positive asks nothing and only serves as a negative.
    """
    logits, losses = scale * queries @ answers.T, []
    match = match.to(logits.device)
    for rows, right in ((logits, match), (logits.T, match.T)):
        count = right.sum(1)
        asked = count > 0
        if asked.any():
            log_p = F.log_softmax(rows, dim=1)
            losses.append(-((log_p * right).sum(1)[asked] / count[asked]).mean())
    return torch.stack(losses).mean() if losses else logits.sum() * 0


def keep_still(visual: Any, groups: int) -> None:
    """Let only the last `groups` layer groups of a timm tower learn on; the others keep weights and statistics.

    What learns works in float32 on a processor: backward passes of depthwise convolutions take longer in bfloat16.
    """
    visual.lock(unlocked_groups=groups)

    def in_full(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        if (kind := inputs[0].device.type) == "cpu":
            torch.set_autocast_enabled(kind, False)  # until the context that enabled it ends
        return tuple(x.float() for x in inputs)

    learns = (m for m in visual.trunk.modules() if any(p.requires_grad for p in m.parameters(recurse=False)))
    next(learns).register_forward_pre_hook(in_full)


class Trainer:
    """One run: model, optimiser, data and where it stands. `step` draws from (seed, step) alone, so a run that was
    stopped and resumed makes the same steps as one that was not."""

    def __init__(
        self, model: Model, config: dict, tokenizer: Callable, shelf: Shelf, backgrounds: np.ndarray | None,
        lesson: Distillation | None, voice: Any | None, *,
        batch: int, lr: float, text_lr: float, small_until: float, seed: int, still: bool = False,
        last: int | None = None,
    ):  # fmt: skip
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = model.to(self.device, memory_format=torch.channels_last)
        self.shelf, self.backgrounds = shelf, backgrounds
        self.lesson = lesson.to(self.device) if lesson is not None else None
        self.voice = voice.to(self.device) if voice is not None else None
        self.batch, self.seed, self.at = min(batch, int((shelf.odds > 0).sum())), seed, 0
        # what the loaded model was given, defaults included; a new model has its config alone
        pre = getattr(model.visual, "preprocess_cfg", None) or config["preprocess_cfg"]
        self.mean, self.std = (torch.tensor(pre[k], device=self.device).view(1, 3, 1, 1) for k in ("mean", "std"))
        side = config["model_cfg"]["vision_cfg"]["image_size"]
        self.side, self.small_until = side if isinstance(side, int) else side[0], small_until
        trunk = getattr(model.visual, "trunk", None)
        if trunk is None or hasattr(trunk, "patch_embed"):  # a vision transformer's positions are made for one size
            self.small_until = 0.0
        norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
        if last:
            keep_still(model.visual, last)
        self.still = [norm for norm in norms if still or not norm.weight.requires_grad]
        self.tokens = lru_cache(200_000)(lambda text: tokenizer([text])[0])
        modules = [module for module in (model, lesson, voice) if module is not None]
        named = [(n, p) for module in modules for n, p in module.named_parameters() if p.requires_grad]
        # As open_clip_train: gains, biases and the logit scale are not decayed, and the scale is kept below 100.
        groups = [
            {"params": part, "weight_decay": decay, "peak": peak}
            for visual, peak in ((True, lr), (False, text_lr))
            for decay in (0.05, 0.0)
            if (part := [p for n, p in named if n.startswith("visual.") == visual and (p.ndim > 1) == (decay > 0)])
        ]
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)

    def can_say(self, text: str) -> bool:
        return self.voice is None or text in self.voice

    def embed_images(self, x: torch.Tensor) -> torch.Tensor:
        x = ((x.to(self.device) - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        with mixed_precision(self.device):
            return F.normalize(self.model.encode_image(x).float(), dim=-1)

    def embed_texts(self, texts: Sequence[str]) -> torch.Tensor:
        if self.voice is not None:
            return F.normalize(self.voice(texts), dim=-1)
        tokens = torch.stack([self.tokens(text) for text in texts]).to(self.device)
        with mixed_precision(self.device), sdpa_kernel(SDPBackend.MATH):  # the faster one on short rows
            return F.normalize(text_tower(self.model, tokens)[1].float(), dim=-1)

    def step(self, done: float) -> float:
        """One update at `done` (0..1) of the run; the loss."""
        shelf, rng = self.shelf, np.random.default_rng([self.seed, self.at])
        torch.manual_seed(self.seed * 1_000_003 + self.at)
        self.model.train()
        for norm in self.still:
            norm.eval()
        warm = min(1, max((self.at + 1) / 100, done / 0.1))  # a hundred steps, or a tenth of a short run
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * warm * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(done, 1))))
        photos = shelf.draw(self.batch, rng)
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
        scale = self.model.logit_scale.exp()
        first, second = images[: self.batch], images[self.batch :]
        loss = contrast(texts[: self.batch], first, shelf.fits(own, rows) | shelf.same(rows, rows), scale)
        true = torch.tensor([[shelf.codes[row].issuperset(said[i][1]) for row in rows] for i in asked]).view(
            -1, self.batch
        )
        if asked:
            loss = loss + contrast(texts[self.batch :], first, true, scale)
        loss = loss + contrast(second, first, shelf.same(rows[again], rows), torch.tensor(14.0, device=self.device))
        if self.lesson is not None and self.at % 2:  # every other step is enough to remember
            loss = loss + 2 * self.lesson.loss(self.model, 64, self.at)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0, math.log(100))
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
        return right.gather(1, best.cpu()).any(1).float().mean().item()

    def save(self, file: Path, **more: object) -> None:
        """Write all that a resumed run needs; a run killed while writing leaves the previous file."""
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "at": self.at, **more}
        for name in ("lesson", "voice"):
            state[name] = module.state_dict() if (module := getattr(self, name)) is not None else {}
        torch.save(state, file.with_suffix(".part"))
        os.replace(file.with_suffix(".part"), file)

    def restore(self, file: Path) -> dict:
        state = torch.load(file, weights_only=True, map_location="cpu")
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
    work: str | Path | None = None, small_until: float | None = None, save_minutes: float | None = None,
    last: int | None = None,
    check: str | Path | None = None, progress: Callable[[dict], None] | None = None, notes: str = "",
) -> dict:  # fmt: skip
    """Train an encoder on catalogues and write it to the folder `out`; returns {"steps", "loss", "recall@10", "curve",
    "minutes", "table", "share", "why"}.

    `start` is the encoder spec to continue from (None: a new, small one). The run ends after `epochs` passes or
    `minutes`, whichever is given (default: 10 epochs). `resume` goes on where a stopped run of the same call stood.
    `weights` says how often each catalogue's photos come up; `teacher` is (texts, vectors) of a sentence encoder that
    the text tower must not drift from; `voice` embeds texts (list -> rows, and `in` for what it knows) in place of the
    text tower, which then stays as it is; `work` holds decoded photos and the checkpoint (default: beside `out`).
    Up to `small_until` of the run (default: half of one from nothing) a convolutional tower sees pictures three
    quarters as wide, at half the cost; a start keeps the size that it knows.
    `last`: only so many layer groups at the end of a timm image tower go on learning (default: all of them).
    Every `save_minutes` (default: 3, or an eighth of a shorter run) it measures and saves. `progress` is called after
    every step with {"step", "done", "loss", "recall"}.

    The table compares before and after on the products kept aside of each catalogue and on the catalogue `check`
    (default: the built-in one, unless it is trained on). A run from a `start` ends at the best mix of start and end
    (`retention.settle`), never worse than the start; not so with a `teacher` or a `voice`, steps of a longer recipe.
    """
    out = Path(out)
    work = Path(work) if work else out.with_name(out.name + ".work")
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    if start and Path(start).is_dir() and out.resolve() == Path(start).resolve():
        raise InputError(f"--out {out} is the folder that --from names; write to another folder, the start is kept")
    trained = {Path(path).resolve() for path in catalogs}
    if check and Path(check).resolve() in trained:
        raise InputError(f"--check {check} is trained on as well; name a catalogue that is not, or leave it out")
    others = [check] if check else [BUILT_IN] if BUILT_IN.is_dir() and BUILT_IN.resolve() not in trained else []
    model, config, tokenizer = open_model(start)
    side = config["model_cfg"]["vision_cfg"]["image_size"]
    cached = (side if isinstance(side, int) else side[0]) * 9 // 7  # a crop of half the area still fills the tower
    shelf = Shelf(catalogs, work, cached, weights or [1.0] * len(catalogs), split_by)
    behind = None
    if backgrounds:
        scenes = Catalog.read(backgrounds)
        paths = [path for product in scenes.products if (path := scenes.image_path(product))]
        behind = cache(paths, work / f"backgrounds-{cached}-{len(paths)}.npy", cached)
    lesson = Distillation(*teacher, model, tokenizer, seed) if teacher else None
    lr = lr or (NEW_RATE if start is None else TUNING_RATE)
    settled = start is not None and teacher is None and voice is None
    run = Trainer(model, config, tokenizer, shelf, behind, lesson, voice, batch=batch, lr=lr, text_lr=text_lr or lr,
                  small_until=(0.5 if start is None else 0.0) if small_until is None else small_until,
                  seed=seed, still=settled, last=last)  # fmt: skip
    steps = max(1, round((epochs or 10) * (shelf.odds > 0).sum() / run.batch))
    checkpoint, curve, before = work / "checkpoint.pt", [], 0.0
    if resume and checkpoint.is_file():
        try:
            state = run.restore(checkpoint)
        except (RuntimeError, ValueError, KeyError) as error:
            raise InputError(
                f"the checkpoint {checkpoint} is not of this run (expected the same start and the same version, found "
                "other weights); leave out --resume to start over"
            ) from error
        curve, before = state["curve"], state["seconds"]
    began = saved = time.monotonic()
    bar = tqdm(total=100, desc="align", unit="%", mininterval=2)
    recall, loss, looked = curve[-1][2] if curve else 0.0, float("nan"), -1.0
    while True:
        seconds = before + time.monotonic() - began
        done = seconds / 60 / minutes if minutes else run.at / steps
        due = time.monotonic() - saved > 60 * (3 if save_minutes is None else save_minutes)
        if done >= 1 or due or (save_minutes is None and done - looked >= 1 / 8):
            recall, looked = run.recall(), done
            curve.append([run.at, loss, recall])
            run.save(checkpoint, curve=curve, seconds=seconds)
            draw(curve, out / "learning-curve.png")
            if not settled:  # an unsettled encoder may be worse than its start
                export(model.eval(), config, out)
            saved = time.monotonic()
            if done >= 1:
                break
        latest = run.step(done)
        loss = latest if loss != loss else 0.98 * loss + 0.02 * latest
        bar.n = min(100, round(100 * done))
        bar.set_postfix(step=run.at, loss=f"{loss:.3f}", recall=f"{recall:.3f}")
        if progress:
            progress({"step": run.at, "done": done, "loss": latest, "recall": recall})
    bar.close()
    figures = {"steps": run.at, "loss": loss, "recall@10": recall, "curve": curve, "minutes": round(seconds / 60, 1),
               "share": 1.0, "why": "", "table": []}  # fmt: skip
    if teacher is None and voice is None:
        figures.update(conclude(run, config, out, catalogs, others, start, split_by, cached))
    export(model, config, out, notes or card(run, catalogs, start, figures))
    return figures


def conclude(
    run: Trainer, config: dict, out: Path, catalogs: Sequence[str | Path], others: Sequence[str | Path],
    start: str | Path | None, split_by: str | None, side: int,
) -> dict:  # fmt: skip
    """Settle a run that began at `start`, and measure it with the preprocessing of use; {"share", "why", "table"}."""
    own = [exam for path in catalogs if (exam := Exam.of(path, aside=True, split_by=split_by, side=side))]
    rest = [exam for path in others if (exam := Exam.of(path, aside=False, side=side))]
    model = run.model.to("cpu").eval()
    if start is None:
        export(model, config, out)
        encoder = Encoder.load(out)
        return {"table": table([*own, *rest], [exam.marks(encoder) for exam in (*own, *rest)])}
    encoder = Encoder.load(start)
    before = {name: value.clone() for name, value in encoder.model.state_dict().items()}
    encoder.model.load_state_dict(model.state_dict())
    outcome = settle(encoder, before, own, rest)
    model.load_state_dict(encoder.model.state_dict())
    run.model = model.to(run.device)
    recall = run.recall()
    return {"share": outcome.share, "why": outcome.why, "table": outcome.table, "recall@10": recall}

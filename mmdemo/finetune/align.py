"""Align an image tower and a text tower on catalogues: contrastive training, from nothing or from a model.

A catalogue teaches by what it holds: titles, descriptions, attributes ("red striped mug"), several photos of one
product, variants, near-copies. Products that `core.holdout` keeps aside are never trained on. Knows nothing of indexes,
fusion or the web; the result is a folder that `Encoder.load` and open_clip both read.
"""

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm import tqdm

from mmdemo.catalog.catalog import Catalog
from mmdemo.core.errors import InputError
from mmdemo.core.holdout import Holdout, TrainingRecord
from mmdemo.core.paths import HOME
from mmdemo.encode.encoder import Encoder, mixed_precision
from mmdemo.encode.towers import Model, text_tower
from mmdemo.finetune.augment import augment, cache
from mmdemo.finetune.dataset import TrainingDataset, phrase, worn
from mmdemo.finetune.distillation import Distillation
from mmdemo.finetune.model_card import card, draw
from mmdemo.finetune.model_folder import export, open_model
from mmdemo.finetune.retrieval_eval import RetrievalEval
from mmdemo.finetune.weight_interpolation import interpolate, table

NEW_RATE, TUNING_RATE = 1.5e-3, 1e-4  # docs/encoder.md, "Your own", has what 3e-4 forgets
BUILT_IN = HOME / "assets" / "catalog"
Opened = tuple[Model, dict, Callable]  # model, its config, its tokenizer


@dataclass(frozen=True)
class AlignmentOptions:
    """The settings of a run.

    Attributes
    ----------
    epochs, minutes
        The run ends after so many passes over the photos or so many minutes, whichever is given (default: 10 epochs).
    batch
        Photos of one step; a quarter of them come with a second view.
    lr, text_lr
        Peak learning rates of the image tower and of all else; None: NEW_RATE from nothing, TUNING_RATE from a start,
        and `lr` for the text tower.
    small_until
        Up to this share of the run (default: half of one from nothing, none of a fine-tuning) a convolutional tower
        sees pictures three quarters as wide, at half the cost.
    last
        Only so many layer groups at the end of a timm image tower go on learning (None: all of them).
    seed
        Every draw follows from this and the number of the step.
    resume
        Go on where a stopped run of the same call stood.
    save_minutes
        How often to measure and save (default: every 3 minutes, or after each eighth of a shorter run).
    split_by
        The column whose values must not be split over training and test products (default: the usual ones).
    weights
        How often each catalogue's photos come up (default: all alike).
    check
        The catalogue to measure forgetting on (default: the built-in one, unless it is trained on).
    backgrounds
        A catalogue of scenes that replace white backgrounds.
    work
        The folder of decoded photos and of the checkpoint (default: beside the output).
    """

    epochs: float | None = None
    minutes: float | None = None
    batch: int = 96
    lr: float | None = None
    text_lr: float | None = None
    small_until: float | None = None
    last: int | None = None
    seed: int = 0
    resume: bool = False
    save_minutes: float | None = None
    split_by: str | None = None
    weights: Sequence[float] | None = None
    check: str | Path | None = None
    backgrounds: str | Path | None = None
    work: str | Path | None = None


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
        self,
        opened: Opened,
        dataset: TrainingDataset,
        options: AlignmentOptions,
        *,
        backgrounds: np.ndarray | None = None,
        distillation: Distillation | None = None,
        voice: Any | None = None,
        still: bool = False,
    ):
        model, self.config, tokenizer = opened
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = model.to(self.device, memory_format=torch.channels_last)
        self.dataset, self.backgrounds = dataset, backgrounds
        self.distillation = distillation.to(self.device) if distillation is not None else None
        self.voice = voice.to(self.device) if voice is not None else None
        self.batch, self.seed, self.at = min(options.batch, int((dataset.odds > 0).sum())), options.seed, 0
        # what the loaded model was given, defaults included; a new model has its config alone
        pre = getattr(model.visual, "preprocess_cfg", None) or self.config["preprocess_cfg"]
        self.mean, self.std = (torch.tensor(pre[k], device=self.device).view(1, 3, 1, 1) for k in ("mean", "std"))
        self.side, self.small_until = image_size(self.config), options.small_until or 0.0
        trunk = getattr(model.visual, "trunk", None)
        if trunk is None or hasattr(trunk, "patch_embed"):  # a vision transformer's positions are made for one size
            self.small_until = 0.0
        norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
        if options.last:
            keep_still(model.visual, options.last)
        self.still = [norm for norm in norms if still or not norm.weight.requires_grad]
        self.tokens = lru_cache(200_000)(lambda text: tokenizer([text])[0])
        modules = [module for module in (model, distillation, voice) if module is not None]
        named = [(n, p) for module in modules for n, p in module.named_parameters() if p.requires_grad]
        # As open_clip_train: gains, biases and the logit scale are not decayed, and the scale is kept below 100.
        lr = options.lr or TUNING_RATE
        groups = [
            {"params": part, "weight_decay": decay, "peak": peak}
            for visual, peak in ((True, lr), (False, options.text_lr or lr))
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
        torch.manual_seed(self.seed * 1_000_003 + self.at)
        self.model.train()
        for norm in self.still:
            norm.eval()
        warm = min(1, max((self.at + 1) / 100, done / 0.1))  # a hundred steps, or a tenth of a short run
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * warm * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(done, 1))))
        loss = self._loss(self.side if done >= self.small_until else self.side * 3 // 4)
        if self.distillation is not None and self.at % 2:  # every other step is enough to remember
            loss = loss + 2 * self.distillation.loss(self.model, 64, self.at)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0, math.log(100))
        self.at += 1
        return loss.item()

    def _loss(self, side: int) -> torch.Tensor:
        """The contrastive loss of one batch at `side` pixels: captions, attribute phrases and second views."""
        dataset, rng = self.dataset, np.random.default_rng([self.seed, self.at])
        photos = dataset.draw(self.batch, rng)
        rows = dataset.owner[photos]
        # a quarter of the rows come a second time: another photo of the product, or this one varied again
        again = rng.permutation(self.batch)[: max(2, self.batch // 4)]
        twins = [rng.choice(dataset.photos_of[rows[i]]) if rng.random() < 0.5 else photos[i] for i in again]
        picks = np.concatenate([photos, twins])
        images = self.embed_images(augment(dataset.pixels[picks], side, rng, self.backgrounds))
        captions = [
            dataset.captions[row][min(int(rng.exponential(0.65)), len(dataset.captions[row]) - 1)] for row in rows
        ]
        phrases = [phrase(dataset.products[row], rng) for row in rows]
        phrased = [i for i, (text, codes) in enumerate(phrases) if codes and self.can_say(text)]
        shortened = [text if (part := worn(text, rng)) == text or not self.can_say(part) else part for text in captions]
        texts = self.embed_texts(shortened + [phrases[i][0] for i in phrased])
        scale = self.model.logit_scale.exp()
        first, second = images[: self.batch], images[self.batch :]
        loss = contrast(texts[: self.batch], first, dataset.fits(captions, rows) | dataset.same(rows, rows), scale)
        if phrased:
            true = torch.tensor([[dataset.codes[row].issuperset(phrases[i][1]) for row in rows] for i in phrased])
            loss = loss + contrast(texts[self.batch :], first, true, scale)
        return loss + contrast(second, first, dataset.same(rows[again], rows), torch.tensor(14.0, device=self.device))

    @torch.inference_mode()
    def recall(self, most: int = 1000) -> float:
        """Title -> picture recall@10 among up to `most` products kept aside (of those trained on, if none are)."""
        dataset = self.dataset
        photos = np.flatnonzero(dataset.aside) if dataset.aside.any() else np.arange(len(dataset.owner))
        photos = photos[np.unique(dataset.owner[photos], return_index=True)[1]]
        photos = np.sort(np.random.default_rng(self.seed).permutation(photos)[:most])
        rows, parts = dataset.owner[photos], []
        self.model.eval()
        for at in range(0, len(photos), 64):
            x = torch.from_numpy(dataset.pixels[photos[at : at + 64]]).permute(0, 3, 1, 2).float() / 255
            parts.append(self.embed_images(F.interpolate(x, (self.side, self.side), mode="bilinear", antialias=True)))
        texts = torch.cat(
            [
                self.embed_texts([dataset.captions[row][0] for row in rows[at : at + 64]])
                for at in range(0, len(rows), 64)
            ]
        )
        best = (texts @ torch.cat(parts).T).topk(min(10, len(rows)), dim=1).indices
        right = dataset.same(rows, rows) | dataset.fits([dataset.captions[row][0] for row in rows], rows)
        return right.gather(1, best.cpu()).any(1).float().mean().item()

    def save(self, file: Path, **more: object) -> None:
        """Write all that a resumed run needs; a run killed while writing leaves the previous file."""
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "at": self.at, **more}
        for name in ("distillation", "voice"):
            state[name] = module.state_dict() if (module := getattr(self, name)) is not None else {}
        torch.save(state, file.with_suffix(".part"))
        os.replace(file.with_suffix(".part"), file)

    def restore(self, file: Path) -> dict:
        state = torch.load(file, weights_only=True, map_location="cpu")
        self.model.load_state_dict(state["model"]), self.optimizer.load_state_dict(state["optimizer"])
        for name in ("distillation", "voice"):
            if (module := getattr(self, name)) is not None:
                module.load_state_dict(state[name])
        self.at = state["at"]
        return state


def align(
    catalogs: Sequence[str | Path],
    out: str | Path,
    start: str | Path | None = None,
    options: AlignmentOptions = AlignmentOptions(),
    *,
    teacher: tuple[Sequence[str], np.ndarray] | None = None,
    voice: Any | None = None,
    progress: Callable[[dict], None] | None = None,
) -> dict:
    """Train an encoder on catalogues and write it to a folder.

    A run from a `start` ends at the best mix of start and end (`weight_interpolation.interpolate`), never worse than
    the start; not so with a `teacher` or a `voice`, steps of a longer recipe.

    Parameters
    ----------
    catalogs, out, start
        The catalogues to learn from, the folder to write, and the encoder spec to continue from (None: a new one).
    teacher
        Texts and their float vectors (n, d) of a sentence encoder that the text tower must not drift from.
    voice
        A module that embeds texts (list -> rows, and `in` for what it knows) in place of the text tower, left as it is.
    progress
        Called after every step with {"step", "done", "loss", "recall"}.

    Returns
    -------
    dict
        "steps", "loss", "recall@10", "curve", "minutes"; of the mix "share" and "why"; "table": before and after.

    Raises
    ------
    InputError
        For an output that is the start, a check that is trained on, too few products, or another run's checkpoint.

    Examples
    --------
    >>> align(["shop"], "encoder", "assets/encoder", AlignmentOptions(epochs=5))["recall@10"]  # doctest: +SKIP
    """
    out = Path(out)
    work = Path(options.work) if options.work else out.with_name(out.name + ".work")
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    others = _other_catalogs(catalogs, out, start, options.check)
    fine_tuned = start is not None and teacher is None and voice is None
    run = _open_run(catalogs, start, options, work, teacher, voice)
    holdout = run.dataset.holdout
    record = (TrainingRecord.read(start) if start else TrainingRecord()).continued(run.dataset.digests, holdout)

    def save_model(notes: str = "") -> None:
        record.write(out)
        export(run.model, run.config, out, notes)

    # until the weights are mixed, a fine-tuned encoder may be worse than its start
    figures = _train(run, options, out, work, None if fine_tuned else save_model, progress)
    if teacher is None and voice is None:
        figures.update(_conclude(run, out, catalogs, others, start))
    save_model(card(run, catalogs, start, figures))
    return figures


def _other_catalogs(
    catalogs: Sequence[str | Path], out: Path, start: str | Path | None, check: str | Path | None
) -> list[str | Path]:
    """The catalogues that forgetting is measured on; InputError where a folder of the call is named twice."""
    if start and Path(start).is_dir() and out.resolve() == Path(start).resolve():
        raise InputError(
            "--out {out} is the folder that --from names; write to another folder, the start is kept", out=out
        )
    trained = {Path(path).resolve() for path in catalogs}
    if check and Path(check).resolve() in trained:
        raise InputError(
            "--check {check} is trained on as well; name a catalogue that is not, or leave it out", check=check
        )
    return [check] if check else [BUILT_IN] if BUILT_IN.is_dir() and BUILT_IN.resolve() not in trained else []


def _open_run(
    catalogs: Sequence[str | Path],
    start: str | Path | None,
    options: AlignmentOptions,
    work: Path,
    teacher: tuple[Sequence[str], np.ndarray] | None,
    voice: Any | None,
) -> Trainer:
    """The run at its first step: the model opened, the photos decoded into `work`, the defaults of the start set."""
    opened = model, config, tokenizer = open_model(start)
    side = cached_side(config)
    weights = options.weights or [1.0] * len(catalogs)
    holdout = Holdout((options.split_by,)) if options.split_by else Holdout()
    dataset = TrainingDataset(catalogs, work, side, weights, holdout)
    backgrounds = None
    if options.backgrounds:
        scenes = Catalog.read(options.backgrounds)
        paths = [path for product in scenes.products if (path := scenes.image_path(product))]
        backgrounds = cache(paths, work / f"backgrounds-{side}-{len(paths)}.npy", side)
    if start is None:
        small_until = 0.5 if options.small_until is None else options.small_until
        options = replace(options, lr=options.lr or NEW_RATE, small_until=small_until)
    return Trainer(
        opened,
        dataset,
        options,
        backgrounds=backgrounds,
        distillation=Distillation(*teacher, model, tokenizer, options.seed) if teacher else None,
        voice=voice,
        still=start is not None and teacher is None and voice is None,
    )


def _train(
    run: Trainer,
    options: AlignmentOptions,
    out: Path,
    work: Path,
    save_model: Callable[[], None] | None,
    progress: Callable[[dict], None] | None,
) -> dict:
    """Take all steps of a run, measuring and saving on the way; the figures of `align`, nothing concluded yet."""
    steps = max(1, round((options.epochs or 10) * (run.dataset.odds > 0).sum() / run.batch))
    checkpoint = work / "checkpoint.pt"
    curve, before = _resumed(run, checkpoint) if options.resume and checkpoint.is_file() else ([], 0.0)
    save_seconds = 60 * (3 if options.save_minutes is None else options.save_minutes)
    began = saved = time.monotonic()
    bar = tqdm(total=100, desc="align", unit="%", mininterval=2)
    recall, loss, measured = curve[-1][2] if curve else 0.0, float("nan"), -1.0
    while True:
        seconds = before + time.monotonic() - began
        done = seconds / 60 / options.minutes if options.minutes else run.at / steps
        due = time.monotonic() - saved > save_seconds
        if done >= 1 or due or (options.save_minutes is None and done - measured >= 1 / 8):
            recall, measured = run.recall(), done
            curve.append([run.at, loss, recall])
            run.save(checkpoint, curve=curve, seconds=seconds)
            draw(curve, out / "learning-curve.png")
            if save_model:
                save_model()
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
    ran = {"steps": run.at, "loss": loss, "recall@10": recall, "curve": curve, "minutes": round(seconds / 60, 1)}
    return {**ran, "share": 1.0, "why": "", "table": []}


def _resumed(run: Trainer, checkpoint: Path) -> tuple[list, float]:
    """The learning curve and the seconds of a stopped run, whose state `run` takes over."""
    try:
        state = run.restore(checkpoint)
    except (RuntimeError, ValueError, KeyError) as error:
        raise InputError(
            "the checkpoint {checkpoint} is not of this run (expected the same start and the same version, "
            "found other weights); leave out --resume to start over",
            checkpoint=checkpoint,
        ) from error
    return state["curve"], state["seconds"]


def _conclude(
    run: Trainer, out: Path, catalogs: Sequence[str | Path], others: Sequence[str | Path], start: str | Path | None
) -> dict:
    """Mix the weights of a run that began at `start` with those, and measure; {"share", "why", "table"}."""
    holdout, side = run.dataset.holdout, cached_side(run.config)
    trained = [e for path in catalogs if (e := RetrievalEval.of(path, holdout=holdout, side=side))]
    rest = [e for path in others if (e := RetrievalEval.of(path, side=side))]
    model = run.model.to("cpu").eval()
    if start is None:
        export(model, run.config, out)
        encoder = Encoder.load(out)
        return {"table": table([*trained, *rest], [e.evaluate(encoder) for e in (*trained, *rest)])}
    encoder = Encoder.load(start)
    before = {name: value.clone() for name, value in encoder.model.state_dict().items()}
    encoder.model.load_state_dict(model.state_dict())
    outcome = interpolate(encoder, before, trained, rest)
    model.load_state_dict(encoder.model.state_dict())
    run.model = model.to(run.device)
    recall = run.recall()
    return {"share": outcome.share, "why": outcome.why, "table": outcome.table, "recall@10": recall}


def image_size(config: dict) -> int:
    """The side of the pictures, in pixels, that a model of this config sees."""
    side = config["model_cfg"]["vision_cfg"]["image_size"]
    return side if isinstance(side, int) else side[0]


def cached_side(config: dict) -> int:
    """The side of the decoded photos, in pixels: a crop of half the area still fills the tower."""
    return image_size(config) * 9 // 7

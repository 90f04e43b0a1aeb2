"""The model card and the learning curve that `align` leaves in the encoder's folder."""

import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

import torch
from PIL import Image, ImageDraw, ImageFont

from mmdemo.encoder import mixed_precision
from mmdemo.retention import as_text

if TYPE_CHECKING:
    from mmdemo.align import Trainer

INK, GREY, BLUE = "#333333", "#8a8a8a", "#1f5fd0"
Point = Sequence[float]  # step, loss, recall@10


def card(run: "Trainer", catalogs: Sequence[str | Path], start: str | Path | None, figures: dict) -> str:
    """The model card (Mitchell et al. 2019) of a run that ended with `figures`: data, recipe, figures, limits."""
    shelf, second = run.shelf, max(2, run.batch // 4)
    names = ", ".join(Path(path).resolve().name for path in catalogs)
    rates = " and ".join(dict.fromkeys(f"{group['peak']:.1e}" for group in run.optimizer.param_groups))
    with mixed_precision(run.device):
        precision = "bfloat16 autocast" if torch.is_autocast_enabled(run.device) else "float32"
    limits = [
        "It knows what these catalogues show. Measure it on your own shop before you rely on it.",
        "The weights inherit the licences of the start and of the catalogues.",
    ]
    if not shelf.aside.any():
        limits.insert(0, "No product was kept aside, so nothing here says how it does on new ones.")
    elif 0 < figures["share"] < 1:
        limits.insert(0, "The mix was chosen among five on the products measured here: `after` is a little flattered.")
    begun = "/".join(Path(start).parts[-2:]) if start and Path(start).is_dir() else start or "nothing (random weights)"
    aside = len(set(shelf.owner.tolist()) - set(shelf.owner[shelf.odds > 0].tolist()))
    data = (
        f"**Data.** {names}: {len(shelf.products):,} products, {len(shelf.owner):,} photos. Kept aside and never "
        f"trained on: {aside:,} products, a fifth by a hash of what must not be parted (parent, group, sender_id or "
        f"id), and a fifth of the other photos, {int(shelf.aside.sum()):,} photos in all."
    )
    recipe = (
        f"**Recipe.** Started from {begun}; {figures['steps']:,} steps of {run.batch} photos and {second} second "
        f"views; {figures['minutes']} minutes. {figures['why']}"
    )
    return f"""---
library_name: open_clip
tags: [clip, image-text, product-search]
---
# An image-text encoder for a shop

Trained by `python -m mmdemo align`. Use it with `python -m mmdemo build CATALOG --out INDEX --encoder FOLDER`, from
Python with `Encoder.load(folder)`, or with `open_clip.create_model_from_pretrained("local-dir:folder")`.

{fill(data, 118)}

{fill(recipe, 118)}

- Loss: InfoNCE in both directions, all right answers of a row sharing its weight: captions with photos, attribute
  phrases with every photo that they are true of, second photos and variations with the first.
- AdamW at a peak rate of {rates}, warm-up, then cosine; weight decay 0.05, none for gains, biases and the logit
  scale, which stays below 100 (as open_clip_train); gradient norm at most 1; {precision}.
- Variations: crops, mirror, small turns, light, contrast, blur, recompression; colours stay recognisable.

![Learning curve](learning-curve.png)

**Figures.** The figure that training watched, title -> picture recall@10 among the photos kept aside of all these
catalogues together: {figures["recall@10"]:.3f}. With the preprocessing of use, beside a random order:

{as_text(figures["table"]) if figures["table"] else "(not measured: this run is a step of a longer recipe)"}

**Limits.**

- {(chr(10) + "- ").join(limits)}
"""


def draw(points: Sequence[Point], path: Path, size: tuple[int, int] = (800, 420)) -> None:
    """The learning curve as a picture: loss (grey, left axis) and recall@10 on what is kept aside (blue, right)."""
    image = Image.new("RGB", size, "white")
    pen, font, small = ImageDraw.Draw(image), ImageFont.load_default(18), ImageFont.load_default(14)
    left, top, right, bottom = 64, 56, size[0] - 64, size[1] - 56
    last = max([p[0] for p in points] + [1])
    losses = [p[1] for p in points if p[1] == p[1]]
    high = nice(max(losses, default=1.0))
    for i in range(5):  # grid and both scales
        y = bottom - i / 4 * (bottom - top)
        pen.line([left, y, right, y], fill="#e6e6e6")
        pen.text((left - 8, y), f"{high * i / 4:.3g}", GREY, small, "rm")
        pen.text((right + 8, y), f"{i / 4:.2f}", BLUE, small, "lm")
        pen.text((left + i / 4 * (right - left), bottom + 8), f"{round(last * i / 4):,}", INK, small, "mt")
    pen.rectangle([left, top, right, bottom], outline="#bbbbbb")
    for column, colour, scale in ((1, GREY, high), (2, BLUE, 1.0)):
        dots = [
            (left + p[0] / last * (right - left), bottom - min(p[column] / scale, 1) * (bottom - top))
            for p in points
            if p[column] == p[column]
        ]
        if len(dots) > 1:
            pen.line(dots, fill=colour, width=3, joint="curve")
        for x, y in dots[-1:] if len(dots) > 30 else dots:
            pen.ellipse([x - 4, y - 4, x + 4, y + 4], fill=colour)
    pen.text((size[0] / 2, 18), "Learning curve", INK, font, "mm")
    pen.text((left, 42), f"loss{f', last {losses[-1]:.3f}' if losses else ''}", GREY, small, "lm")
    seen = f", last {points[-1][2]:.3f}" if points else ""
    pen.text((right, 42), f"title -> picture recall@10, kept aside{seen}", BLUE, small, "rm")
    pen.text((size[0] / 2, size[1] - 16), "steps", INK, small, "mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def nice(value: float) -> float:
    """The least of 1, 2, 4, 5, 8 and 10 times a power of ten that is not below a positive `value`."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-6)))
    return next(times * power for times in (1, 2, 4, 5, 8, 10) if times * power >= value)

"""The model card and the learning curve that `align` leaves in the encoder's folder."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import torch

from mmdemo.encode.encoder import mixed_precision
from mmdemo.finetune.weight_interpolation import as_text

GREY, BLUE = "#8a8a8a", "#1f5fd0"
Point = Sequence[float]  # step, loss, recall@10


def card(run: Any, catalogs: Sequence[str | Path], start: str | Path | None, figures: dict) -> str:
    """The model card (Mitchell et al. 2019) of a run (`align.Trainer`) that ended with `figures`."""
    dataset, second = run.dataset, max(2, run.batch // 4)
    names = ", ".join(Path(path).resolve().name for path in catalogs)
    rates = " and ".join(dict.fromkeys(f"{group['peak']:.1e}" for group in run.optimizer.param_groups))
    with mixed_precision(run.device):
        precision = "bfloat16 autocast" if torch.is_autocast_enabled(run.device) else "float32"
    limits = [
        "It knows what these catalogues show. Measure it on your own shop before you rely on it.",
        "The weights inherit the licences of the start and of the catalogues.",
    ]
    if not dataset.aside.any():
        limits.insert(0, "No product was kept aside, so nothing here says how it does on new ones.")
    elif 0 < figures["share"] < 1:
        limits.insert(0, "The mix was chosen among five on the products measured here: `after` is a little flattered.")
    begun = "/".join(Path(start).parts[-2:]) if start and Path(start).is_dir() else start or "nothing (random weights)"
    aside = len(set(dataset.owner.tolist()) - set(dataset.owner[dataset.odds > 0].tolist()))
    data = (
        f"**Data.** {names}: {len(dataset.products):,} products, {len(dataset.owner):,} photos. Kept aside and never "
        f"trained on: {aside:,} products, a fifth by a hash of what must not be parted (parent, group, sender_id or "
        f"id), and a fifth of the other photos, {int(dataset.aside.sum()):,} photos in all."
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


def draw(points: Sequence[Point], path: Path) -> None:
    """The learning curve, 800 x 420 pixels: loss (grey, left axis) and recall@10 on products kept aside (blue)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # late: a new encoder is opened without it
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.2), dpi=100, layout="constrained")
    left = figure.add_subplot(title="Learning curve", xlabel="steps")
    steps, losses, recalls = ([point[column] for point in points] for column in range(3))
    marker = "o" if len(points) <= 30 else None
    last_loss = f", last {losses[-1]:.3f}" if losses else ""
    last_recall = f", last {recalls[-1]:.3f}" if recalls else ""
    for axes, values, colour, name in (
        (left, losses, GREY, f"loss{last_loss}"),
        (left.twinx(), recalls, BLUE, f"title -> picture recall@10, kept aside{last_recall}"),
    ):
        axes.plot(steps, values, color=colour, marker=marker, linewidth=2)
        axes.set_ylabel(name, color=colour)
        axes.tick_params(axis="y", colors=colour)
        axes.set_ylim(0, 1 if colour == BLUE else None)
    left.set_xlim(0, max([*steps, 1]))
    left.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(path)

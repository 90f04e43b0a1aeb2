"""Fine-tuning that does not forget: weights between a start and what training made of it.

WiSE-FT (Wortsman et al. 2022, arXiv:2109.01903): a model and its fine-tuned self lie in one basin, so the average of
their weights is a model too. It mostly keeps what the start knew of other shops and most of what was learnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mmdemo.encoder import Encoder
from mmdemo.exam import RANK, Exam

MIXES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the way from the start (0) to the end of training (1)
UNKNOWN = 0.5  # where no product is kept aside to choose by: the paper's own default
Weights = dict[str, torch.Tensor]
Row = tuple[str, str, float | None, float, float]  # catalogue, figure, before, after, chance


@dataclass(frozen=True)
class Outcome:
    """The mix that was kept (0: the start, 1: the end of training), why in a sentence, and the table."""

    share: float
    why: str
    table: list[Row]


def blend(start: Weights, end: Weights, share: float) -> Weights:
    """start + share (end - start), running statistics included; what is not a fraction (a counter) is the end's."""
    return {
        name: torch.lerp(start[name].float(), value.float(), share) if value.is_floating_point() else value
        for name, value in end.items()
    }


def settle(encoder: Encoder, start: Weights, own: Sequence[Exam], others: Sequence[Exam]) -> Outcome:
    """Leave `encoder`, which holds the end of training, with the best mix of it and `start`.

    Best is the highest sum of reciprocal ranks on the trained catalogues (their products kept aside, the mean of all)
    and on the other ones, among the mixes that are no worse than the start on the trained ones. The start is a mix
    too, so the outcome is never worse than that.
    """
    end = {name: value.clone() for name, value in encoder.model.state_dict().items()}
    exams, marks = [*own, *others], {}
    for share in MIXES if own else (0.0, UNKNOWN):
        encoder.model.load_state_dict(blend(start, end, share))
        marks[share] = [exam.marks(encoder) for exam in exams]

    def rank(share: float, part: slice) -> float:
        return float(np.mean([m[RANK] for m in marks[share][part]] or [0.0]))

    mine, theirs = slice(len(own)), slice(len(own), None)
    allowed = [share for share in marks if rank(share, mine) >= rank(0.0, mine)]
    best = max(allowed, key=lambda share: rank(share, mine) + rank(share, theirs)) if own else UNKNOWN
    encoder.model.load_state_dict(blend(start, end, best))
    why = _why(best, rank(0.0, mine), rank(max(marks), mine), own, others)
    return Outcome(best, why, table(exams, marks[best], marks[0.0]))


def table(
    exams: Sequence[Exam], after: Sequence[dict[str, float]], before: Sequence[dict[str, float]] | None = None
) -> list[Row]:
    """One row for each exam and figure."""
    rows = []
    for i, exam in enumerate(exams):
        chance, was = exam.chance(), before[i] if before else {}
        for figure, value in after[i].items():
            rows.append((f"{exam.name} ({len(exam.titles)})", figure, was.get(figure), value, chance[figure]))
    return rows


def _why(share: float, before: float, after: float, own: Sequence[Exam], others: Sequence[Exam]) -> str:
    if not own:
        return "Too few products are kept aside to choose by, so the weights are half way from start to end."
    if share == 0:
        return (
            f"Training did not help on the products kept aside (mean reciprocal rank {before:.3f} at the start, "
            f"{after:.3f} at the end), so the weights of the start are kept."
        )
    where = " and ".join(["on the products kept aside", *(f"on {exam.name}" for exam in others)])
    way = "the end of training" if share == 1 else f"{share:.0%} of the way from the start to the end of training"
    return f"The weights kept are {way}: the best mix {where}."


def as_text(rows: Sequence[Row]) -> str:
    """The table for a terminal and, being Markdown, for a model card."""
    lines = ["| catalogue (products) | figure | before | after | chance |", "|---|---|---|---|---|"]
    for name, figure, before, after, chance in rows:
        cells = [f"{value:.3f}" if value is not None else "" for value in (before, after, chance)]
        lines.append(f"| {name} | {figure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)

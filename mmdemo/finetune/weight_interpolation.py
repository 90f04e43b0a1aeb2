"""Fine-tuning that does not forget: weights between a start and what training made of it.

WiSE-FT (Wortsman et al. 2022, arXiv:2109.01903): a model and its fine-tuned self lie in one basin, so the average of
their weights is a model too. It mostly keeps what the start knew of other shops and most of what was learnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mmdemo.encode.encoder import Encoder
from mmdemo.finetune.retrieval_eval import RANK, RetrievalEval

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


def interpolate(
    encoder: Encoder, start: Weights, trained: Sequence[RetrievalEval], others: Sequence[RetrievalEval]
) -> Outcome:
    """Leave `encoder`, which holds the end of training, with the best mix of it and `start`.

    Best is the highest sum of reciprocal ranks on the trained catalogues (their products kept aside, the mean of all)
    and on the other ones, among the mixes that are no worse than the start on the trained ones. The start is a mix
    too, so the outcome is never worse than that.
    """
    end = {name: value.clone() for name, value in encoder.model.state_dict().items()}
    evaluations, figures = [*trained, *others], {}
    for share in MIXES if trained else (0.0, UNKNOWN):
        encoder.model.load_state_dict(blend(start, end, share))
        figures[share] = [evaluation.evaluate(encoder) for evaluation in evaluations]

    def rank(share: float, part: slice) -> float:
        return float(np.mean([m[RANK] for m in figures[share][part]] or [0.0]))

    on_trained, on_others = slice(len(trained)), slice(len(trained), None)
    allowed = [share for share in figures if rank(share, on_trained) >= rank(0.0, on_trained)]
    best = max(allowed, key=lambda share: rank(share, on_trained) + rank(share, on_others)) if trained else UNKNOWN
    encoder.model.load_state_dict(blend(start, end, best))
    why = _why(best, rank(0.0, on_trained), rank(max(figures), on_trained), trained, others)
    return Outcome(best, why, table(evaluations, figures[best], figures[0.0]))


def table(
    evaluations: Sequence[RetrievalEval],
    after: Sequence[dict[str, float]],
    before: Sequence[dict[str, float]] | None = None,
) -> list[Row]:
    """One row for each evaluation and figure."""
    rows = []
    for i, evaluation in enumerate(evaluations):
        chance, was = evaluation.chance(), before[i] if before else {}
        for figure, value in after[i].items():
            rows.append(
                (f"{evaluation.name} ({len(evaluation.titles)})", figure, was.get(figure), value, chance[figure])
            )
    return rows


def _why(
    share: float, before: float, after: float, trained: Sequence[RetrievalEval], others: Sequence[RetrievalEval]
) -> str:
    if not trained:
        return "Too few products are kept aside to choose by, so the weights are half way from start to end."
    if share == 0:
        return (
            f"Training did not help on the products kept aside (mean reciprocal rank {before:.3f} at the start, "
            f"{after:.3f} at the end), so the weights of the start are kept."
        )
    where = " and ".join(["on the products kept aside", *(f"on {evaluation.name}" for evaluation in others)])
    way = "the end of training" if share == 1 else f"{share:.0%} of the way from the start to the end of training"
    return f"The weights kept are {way}: the best mix {where}."


def as_text(rows: Sequence[Row]) -> str:
    """The table for a terminal and, being Markdown, for a model card."""
    lines = ["| catalogue (products) | figure | before | after | chance |", "|---|---|---|---|---|"]
    for name, figure, before, after, chance in rows:
        cells = [f"{value:.3f}" if value is not None else "" for value in (before, after, chance)]
        lines.append(f"| {name} | {figure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)

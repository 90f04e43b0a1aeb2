"""What another ranker would have earned, out of a log of what was shown with which chance and what was clicked.

Inverse propensity scoring over places (Horvitz and Thompson 1952; Li et al. 2018): a click on a product counts for a
ranker that would have put it at the same place, divided by the chance that it stood there. SNIPS (Swaminathan and
Joachims 2015) divides by the sum of these weights instead of the number of answers. Both suppose that a click depends
on the product and its place alone. Where the log is too small to tell a ranker from what was shown, it is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.errors import InputError
from mmdemo.core.metrics import Interval
from mmdemo.core.vectors import Array
from mmdemo.evaluate.click_log import LoggedAnswer
from mmdemo.evaluate.report import RANKERS, Ranker
from mmdemo.fusion.heads import FusionHead, Mean
from mmdemo.index.product_index import ProductIndex

FEWEST = 100  # answers, and effective ones: with fewer nothing is said
RESAMPLES = 1000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Replayed:
    """What a ranker would have earned in clicks an answer, by IPS and by SNIPS, with 95% intervals over answers.

    `difference` is SNIPS less what was earned as it was shown. `effective` is how many answers' worth of evidence the
    weights leave, and `tells` whether the log is large enough to tell the ranker from what was shown.
    """

    answers: int
    effective: float
    ips: Interval
    snips: Interval
    difference: Interval

    @property
    def tells(self) -> bool:
        """Whether there are answers enough, and zero is outside the interval of the difference."""
        enough = self.answers >= FEWEST and self.effective >= FEWEST
        return enough and not self.difference.low <= 0 <= self.difference.high


@dataclass(frozen=True, eq=False)
class Evidence:
    """A ranker against a log, answer by answer (n,): the sum of its weights, of its weighted clicks, the places that
    could be weighed, and the clicks as it was shown."""

    weight: Floats
    weighted_clicks: Floats
    places: Floats
    clicks: Floats


def weigh(answers: Sequence[LoggedAnswer], order: Callable[[LoggedAnswer], Sequence[str]]) -> Evidence:
    """The evidence that answers are of for a ranker that would have shown their ids in another `order`."""
    rows = np.zeros((len(answers), 4))
    for row, answer in enumerate(answers):
        wanted = {product: place for place, product in enumerate(order(answer))}
        for place, (product, chance) in enumerate(zip(answer.ids, answer.chance, strict=True)):
            if wanted[product] == place:
                rows[row, 0] += 1 / chance
                rows[row, 1] += (product in answer.clicked) / chance
        rows[row, 2:] = len(answer.ids), len(answer.clicked)
    return Evidence(*rows.T)


def estimate(evidence: Evidence, seed: int = 0) -> Replayed:
    """What the evidence says, with percentile bootstrap intervals over answers."""
    rng, n = np.random.default_rng(seed), len(evidence.clicks)
    columns = np.stack([evidence.weight, evidence.weighted_clicks, evidence.places, evidence.clicks], axis=1)
    drawn = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES) @ columns / n
    weight, weighted, places, clicks = np.vstack([columns.mean(0), drawn]).T
    ips, snips = weighted, places * weighted / np.maximum(weight, 1e-12)
    effective = float(evidence.weight.sum() ** 2 / max(float((evidence.weight**2).sum()), 1e-12))
    return Replayed(n, effective, _interval(ips), _interval(snips), _interval(snips - clicks))


def _interval(values: Floats) -> Interval:
    low, high = np.percentile(values[1:], [2.5, 97.5])
    return Interval(float(values[0]), float(low), float(high))


def replay(index: ProductIndex, answers: Sequence[LoggedAnswer]) -> tuple[Interval, dict[Ranker, Replayed]]:
    """Clicks an answer as it was shown, and what the index's head and its baselines would have earned.

    Each orders the logged places anew. A ranker is asked on the answers that it can rank, and left out where it can
    rank none: photos alone need photos.

    Raises
    ------
    InputError
        Where no logged answer has products of this index alone.
    """
    known = [answer for answer in answers if all(map(index.holds, answer.ids))]
    if not known:
        raise InputError("none of the {n} logged answers is of products of this index", n=len(answers))
    clicks = np.array([len(answer.clicked) for answer in known], float)
    draws = np.random.default_rng(0).choice(clicks, (RESAMPLES, len(clicks))).mean(1)
    rankers: dict[Ranker, Replayed] = {}
    for ranker in RANKERS:
        some = [
            a for a in known if (ranker != "image" or a.image is not None) and (ranker != "text" or a.text is not None)
        ]
        if some:
            rankers[ranker] = estimate(weigh(some, partial(_order, index, ranker)))
    return _interval(np.r_[clicks.mean(), draws]), rankers


def _order(index: ProductIndex, ranker: Ranker, answer: LoggedAnswer) -> list[str]:
    """The ids of an answer, best first, as a ranker would have put them; ties stay as they were."""
    rows, dim = [index.row(i) for i in answer.ids], index.head.dim
    if ranker == "image" and answer.image is not None:
        scores = index.image[rows, :dim] @ answer.image[:dim]
    elif ranker == "text" and answer.text is not None:
        scores = index.text[rows, :dim] @ answer.text[:dim]
    else:
        head = index.head if ranker == "head" else Mean(dim, index.image.shape[1], index.text.shape[1])
        scores = _fused_scores(index, head, answer, rows)
    return [answer.ids[at] for at in np.argsort(-scores, kind="stable")]


def _fused_scores(index: ProductIndex, head: FusionHead, answer: LoggedAnswer, rows: list[int]) -> Array:
    image, text = (None if row is None else row[None] for row in (answer.image, answer.text))
    expansion = index.expansion(image) if head is index.head and image is not None and text is not None else None
    query = head.fuse(image=image, text=text, expansion=expansion, weight=answer.weight)[0]
    return head.fuse(image=index.image[rows], text=index.text[rows]) @ query


def as_text(shown: Interval, rankers: dict[Ranker, Replayed]) -> str:
    """The replay in a few lines for a terminal."""
    lines = [f"as shown  {shown.value:.3f} clicks an answer [{shown.low:.3f}, {shown.high:.3f}]"]
    for name, r in rankers.items():
        said = "too small a log to tell it from what was shown"
        if r.tells:
            said = "more than was shown" if r.difference.value > 0 else "fewer than was shown"
        lines.append(
            f"{name.ljust(8)}  {r.snips.value:.3f} [{r.snips.low:.3f}, {r.snips.high:.3f}] by SNIPS, {r.ips.value:.3f} "
            f"by IPS ({r.answers:,} answers, worth {r.effective:,.0f}): {said}"
        )
    return "\n".join(lines)

"""What a trained head asks with a photo alone, with words alone, and with words that describe a photo: set afterwards,
on products that were kept aside.

Lessons teach it wrong, because an encoder knows the products that it was trained on by heart.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from mmdemo.fusion import FusionHead, Trained
from mmdemo.lessons import WORDLESS, Lessons, Questions
from mmdemo.validation import Answered, answered, least_moved, shelves_of

OTHERS = (0.001, 0.3, 1.0)  # of what a head learnt to ask of blocks that are not the query's own
STRENGTHS = (0.0, 0.2, 0.4, 0.6, 0.8)  # how far a photo may be believed over the words that describe it
LEAST_ASKED = 8  # questions of a sort, to tell it from another


def settle(head: FusionHead, data: Lessons, valid: list[Questions], floor: dict[str, float]) -> Answered:
    """Set how much a photo alone asks of mixtures and texts, and words alone of mixtures and pictures: like the weights
    of a stack (Wolpert 1992), the least that is within a standard error of the best. Then `believe`.

    Returns what is then `answered`.
    """
    shelves = shelves_of(head, data)
    ranks = answered(head, data, valid, shelves)
    if not isinstance(head, Trained):
        return ranks
    for weights, own, tasks in ((head.of_image, 0, ("image",)), (head.of_text, 2, ("text", WORDLESS))):
        if asked := [q for q in valid if q.task in tasks]:
            learnt, others = weights.detach().clone(), torch.arange(len(weights)) != own
            ways = [learnt + others * math.log(share) for share in OTHERS]
            ranks |= _first_best(weights.data, ways, partial(answered, head, data, asked, shelves), floor)
    return ranks | believe(head, data, valid, floor, shelves)


def believe(
    head: Trained, data: Lessons, valid: list[Questions], floor: dict[str, float],
    shelves: tuple[Tensor, Tensor] | None = None,
) -> Answered:  # fmt: skip
    """Set how far a head believes an uploaded photo whose words describe it; returns what is then `answered` of photos
    with words and of edits.

    Words that describe a photo agree with it, wishes do not (two normal distributions, Fisher 1936). Without questions
    of both sorts a head goes on believing what it did.
    """
    asked = {q.task: q for q in valid if q.task in ("both", "edit")}
    if len(asked) < 2:
        return {}
    described, wished = (_agreement(head, asked[task]) for task in ("both", "edit"))
    if min(len(described), len(wished)) < LEAST_ASKED:
        return {}
    apart = described.mean() - wished.mean()
    slope = (2 * apart / (described.var() + wished.var() + 1e-6)).clamp_min(0)
    offset = -slope * (described.mean() + wished.mean()) / 2
    ways = [torch.tensor([slope, offset, strength]) for strength in STRENGTHS]
    shelves = shelves or shelves_of(head, data)
    return _first_best(head.belief, ways, partial(answered, head, data, [*asked.values()], shelves), floor)


def _first_best(numbers: Tensor, ways: list[Tensor], ask: Callable[[], Answered], floor: dict[str, float]) -> Answered:
    """Leave `numbers` as the first of `ways` that is within a standard error of the best; what was answered there."""
    found = []
    for way in ways:
        numbers.copy_(way)
        found.append(ask())
    chosen = least_moved(found, floor)
    numbers.copy_(ways[chosen])
    return found[chosen]


@torch.inference_mode()
def _agreement(head: Trained, q: Questions) -> Tensor:
    """(n,) how far words and photo agree, of the questions whose photo is uploaded."""
    uploaded = ~q.origin.any(1)
    i, t = head.align(q.image[uploaded], q.text[uploaded])
    return (i * t).sum(1)

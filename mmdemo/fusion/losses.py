"""The losses that adapters and heads are trained by."""

import torch
from torch import Tensor


def info_nce(scores: Tensor, positives: Tensor) -> Tensor:
    """InfoNCE with several positives: minus the mean log-probability of the positive candidates (Khosla et al. 2020).

    `scores` (queries, candidates) are logits, `positives` of the same shape is 1 for a positive and 0 elsewhere.

    >>> float(info_nce(torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 0.0]])))  # doctest: +ELLIPSIS
    0.126...
    """
    log_p = scores - torch.logsumexp(scores, 1, keepdim=True)
    return -((log_p * positives).sum(1) / positives.sum(1).clamp_min(1)).mean()

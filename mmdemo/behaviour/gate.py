"""The gate: how far each model counts, by how much is known of the product and of the person.

A fused score is the sum over models of gate(product, person) x the model's score, plus what a product gets for what is
known of it. The gate is bilinear in a few facts about the product (is it new, how many liked it, is it on the rise) and
about the person (how many events), so that the fused score stays a sum over the history. It is trained by a listwise
softmax on what people did next.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from mmdemo.behaviour.events import FEW, Matrix
from mmdemo.behaviour.model import Floats
from mmdemo.core.vectors import Array

STEPS = 200  # of L-BFGS


def product_facts(count: Array, recent: Array) -> Floats:
    """Facts about products (n, 4): one, whether new, how many liked it, whether more of late; 0 for new ones.

    `count` are the likes (n,) of each, `recent` are those with decay.
    """
    new = count < FEW
    share, share_recent = (count + 1) / (count.sum() + 1), (recent + 0.1) / (recent.sum() + 0.1)
    size, rise = np.log(share * len(count)), np.log(share_recent / share)
    return np.stack([np.ones(len(count)), new, np.where(new, 0, size) / 2, np.where(new, 0, rise) / 2], axis=1)


def person_facts(events: NDArray[np.int64]) -> Floats:
    """Facts about people (m, 2) with so many events: one, and the logarithm of their number, 0 for ten."""
    return np.stack([np.ones(len(events)), np.log((1 + events) / 11)], axis=1)


@dataclass(frozen=True)
class Gate:
    """The weights of a gate over some models.

    Attributes
    ----------
    scale
        What each model's score is divided by (models,).
    weights
        (models, facts about a product, facts about a person).
    bias
        What a product gets whatever the models say, (facts about a product,).
    """

    scale: Floats
    weights: Floats
    bias: Floats

    def of(self, product: Floats, person: Floats) -> Floats:
        """How far each model's own score counts, (models, people, products)."""
        return np.einsum("mfg,if,pg->mpi", self.weights / self.scale[:, None, None], product, person, optimize=True)

    def score(self, scores: list[Array], product: Floats, person: Floats) -> Array:
        """The fused scores (people, products) of the models' own."""
        return self.parts(scores, product, person).sum(0) + (product @ self.bias).astype(np.float32)

    def parts(self, scores: list[Array], product: Floats, person: Floats) -> Array:
        """What each model adds to the fused scores, (models, people, products)."""
        return np.stack(scores) * self.of(product, person).astype(np.float32)


def fit_gate(
    scores: list[Array], product: Floats, person: Floats, seen: Matrix, liked: Matrix, penalty: float = 1e-3
) -> Gate:
    """Learn a gate from what people did next.

    Parameters
    ----------
    scores
        Of each model, (people, products).
    product, person
        Facts about them.
    seen
        Their histories, whose products are no answers.
    liked
        What they liked next; each person needs at least one product.
    penalty
        The weight of the squares of the gate's weights.
    """
    masked = seen.toarray() > 0
    scale = np.array([max(float(s[~masked].std()), 1e-6) for s in scores])
    stacked = np.stack([s / c for s, c in zip(scores, scale, strict=True)]).astype(np.float32)
    target = np.where(masked, 0, liked.toarray()).astype(np.float32)
    target /= np.maximum(target.sum(1, keepdims=True), 1)
    shape = len(scores), product.shape[1], person.shape[1]
    split = int(np.prod(shape))

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights, bias = flat[:split].reshape(shape), flat[split:]
        gate = Gate(np.ones(len(scores)), weights, bias)
        logits = np.where(masked, -1e9, gate.score(list(stacked), product, person))
        logits -= logits.max(1, keepdims=True)
        chance = np.exp(logits)
        total = chance.sum(1, keepdims=True)
        value = float((target * (np.log(total) - logits)).sum()) / len(target)
        error = ((chance / total * target.sum(1, keepdims=True)) - target) / len(target)
        slope = np.stack([product.T @ ((error * s).T @ person) for s in stacked])
        value += penalty * float((flat**2).sum())
        return value, np.r_[slope.ravel(), product.T @ error.sum(0)] + 2 * penalty * flat

    start = np.zeros(split + product.shape[1])
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS}).x
    return Gate(scale, best[:split].reshape(shape), best[split:])

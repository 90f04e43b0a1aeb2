"""A shopper's taste out of likes and dislikes: a linear bandit with Thompson sampling on fused embeddings.

Agrawal and Goyal (2013), "Thompson Sampling for Contextual Bandits with Linear Payoffs", Algorithm 1: B = I + sum of
x x', mu = B^-1 sum of r x, and a draw from N(mu, v^2 B^-1) scores the next answers. A taste is only ids and a count, so
whoever asks keeps it; nothing is stored here.
"""

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.vectors import Array

DIMENSIONS = 96  # main directions of the catalogue
EVEN = 0.3  # how far the spread along each is evened out: colour and material lie along narrow ones
LENGTH = 0.4  # of a feature vector, on average: how much one click may say
EXPLORE = 0.02  # v of the paper; it and what is above and below but PULL were chosen on other shoppers than reported
DISLIKE = -0.1  # reward of a dislike, of which there are more than likes; a like is worth 1
SEEN = 0.3  # reward of a product that was looked at, where no behaviour was learnt that says more
PULL = 0.8  # spread of the taste's scores over the catalogue, as a share of the spread of the query's

Floats = NDArray[np.float64]


class Space:
    """A catalogue's main directions, in which tastes are learnt."""

    def __init__(self, vectors: Array, dimensions: int = DIMENSIONS) -> None:
        self.mean = vectors.mean(0)
        centred = vectors - self.mean
        _, spread, directions = np.linalg.svd(
            centred if len(vectors) < 4000 else centred[:: len(vectors) // 4000 + 1], False
        )
        narrow = np.maximum(spread[:dimensions, None] / spread[0], 1e-6) if spread[0] else 1.0
        self.basis = (directions[:dimensions] * narrow**-EVEN).astype(np.float32)
        rough = centred @ self.basis.T
        self._scale = LENGTH / max(float(np.linalg.norm(rough, axis=1).mean()), 1e-9)

    def features(self, vectors: Array) -> Floats:
        """Fused vectors (n, d) as features (n, k), of length LENGTH on average."""
        return ((vectors - self.mean) @ self.basis.T * self._scale).astype(np.float64)

    def direction(self, weights: Floats) -> Array:
        """Weights of features as a vector (d,): its product with a fused vector ranks as the weights do."""
        return (weights @ self.basis).astype(np.float32)


class Posterior:
    """What the clicks so far say about the weights of the features: N(mean, v^2 B^-1).

    B^-1 = I - X'SX with S = (I + XX')^-1 (Woodbury), for clicks X are fewer than features.
    """

    def __init__(self, features: Floats, rewards: Floats) -> None:
        self._clicks, self._rewards = features, rewards
        self._inverse = np.linalg.inv(np.eye(len(features)) + features @ features.T)
        self.mean = features.T @ (self._inverse @ rewards)

    def draw(self, rng: np.random.Generator, explore: float = EXPLORE) -> Floats:
        """One sample of the weights (k,): B^-1 (z + X'e), of white noise z and e, has the covariance B^-1."""
        x = self._clicks
        noise = rng.standard_normal(x.shape[1]) + x.T @ rng.standard_normal(len(x))
        return self.mean + explore * (noise - x.T @ (self._inverse @ (x @ noise)))

    def shares(self, features: Floats) -> Floats:
        """How much of a product's expected reward (k,) -> (clicks,) comes from each click; they sum to it."""
        return self._rewards * (self._inverse @ (self._clicks @ features))


def rewards(liked: NDArray[np.bool_]) -> Floats:
    """What clicks (n,) are worth."""
    return np.where(liked, 1.0, DISLIKE)


def posterior(space: Space, liked: Array, disliked: Array, seen: Array) -> Posterior:
    """The posterior after likes (n, d), dislikes (m, d) and products that were looked at (s, d)."""
    worth = np.repeat([1.0, DISLIKE, SEEN], [len(liked), len(disliked), len(seen)])
    return Posterior(space.features(np.vstack([liked, disliked, seen])), worth)

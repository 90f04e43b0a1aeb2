"""The chance that the thing on a photo is of each kind of the catalogue, calibrated on photos of strangers.

Two things speak for a kind: nouns that the encoder's classifier sees in the photo, and how near the nearest picture of
the kind is. A photo of what the catalogue does not sell has other nouns and no near picture, so every chance is small.
It knows nothing of words or scores.
"""

from threading import Lock

import numpy as np
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray

from mmdemo.core.vectors import Array
from mmdemo.encode.nouns import NounClassifier
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.kinds import Kinds

LOOKED_AT = 100  # products near to a photo, whose pictures are compared with it
LEAST = 1e-3  # probability of a kind that no noun speaks for, before its logarithm is taken
VOTE, LEAST_SHARE = 2, 0.02  # how much the neighbours' vote counts beside the chance, and what no vote counts as
PHOTOS = 64  # whose neighbours are kept: a query asks for those of one photo several times
SOFTNESS = 0.05  # difference of cosine by which a neighbour's vote falls to 1 / e, for kinds that no noun names


class PhotoKinds:
    """The kinds of one catalogue as an encoder's classifier tells them on photos.

    Parameters
    ----------
    index, kinds
        The catalogue.
    classifier
        The classifier of the encoder that made the index.
    """

    def __init__(self, index: ProductIndex, kinds: Kinds, classifier: NounClassifier) -> None:
        self._index, self._classifier = index, classifier
        self._last, self._lock = LRUCache[bytes, tuple[Array, Array]](PHOTOS), Lock()
        self.categories = sorted({p.category for p in index.products} - {""})
        number = {category: n for n, category in enumerate(self.categories)}
        self._category = np.array([number.get(p.category, -1) for p in index.products])
        self._means = np.zeros((len(classifier.nouns), len(self.categories)), np.float32)  # which kinds a noun means
        for n, noun in enumerate(classifier.nouns):
            asked = kinds.asked(noun)  # of the whole noun: a traffic light is no light
            if asked is not None and asked.words.replace("-", " ") == noun.replace("-", " "):
                of = self._category[asked.rows if asked.rows.any() else asked.near]
                self._means[n, of[of >= 0]] = 1

    def chances(self, image: Array) -> dict[str, float]:
        """Category -> the chance that the thing on a photo (1, width) is of this kind, those that are likely first."""
        if not self.categories:
            return {}
        features = self.features(image)
        a, b, c = self._classifier.curve
        chance = 1 / (1 + np.exp(-(features @ np.array([a, b]) + c)))
        order = np.argsort(-chance, kind="stable")
        return {self.categories[n]: float(chance[n]) for n in order}

    def likeliest(self, image: Array) -> tuple[str, float] | None:
        """The kind that a photo (1, width) is sorted by, and its chance; None where the catalogue has no kinds.

        The classifier learnt from photos of strangers, and knows less of pictures like the catalogue's own: there its
        neighbours tell. The kind that both find likely is the one.
        """
        chances = self.chances(image)
        if not chances:
            return None
        share = self._neighbours(image)[1]
        both = [chances[c] * (share[n] + LEAST_SHARE) ** VOTE for n, c in enumerate(self.categories)]
        category = self.categories[int(np.argmax(both))]
        return category, chances[category]

    def certainty(self, image: Array) -> float:
        """The chance of the kind that a photo (1, width) is sorted by; 1 where the catalogue has no kinds."""
        likeliest = self.likeliest(image)
        return 1.0 if likeliest is None else likeliest[1]

    def features(self, image: Array) -> NDArray[np.float64]:
        """What the curve reads of each category for a photo (1, width), (categories, 2)."""
        near, share = self._neighbours(image)
        nouns = self._classifier.probabilities(image)[0]
        # Neighbours speak for a kind that no noun names, the less the surer the classifier is of a noun.
        probability = np.where(self._means.any(0), nouns @ self._means, share * (1 - nouns.max()) ** 2)
        return np.stack([np.log(probability + LEAST), near], axis=1).astype(np.float64)

    @cachedmethod(lambda self: self._last, key=lambda self, image: image.tobytes(), lock=lambda self: self._lock)
    def _neighbours(self, image: Array) -> tuple[Array, Array]:
        """By category, the cosine of a photo with its nearest picture, and the share of its neighbours' votes."""
        index = self._index
        rows = index.search(index.head.fuse(image=image)[0], LOOKED_AT)[1]
        cosines = index.cosines(image, rows)
        near = np.full(len(self.categories), cosines.min(initial=0.0), np.float32)
        share = np.zeros(len(self.categories), np.float32)
        votes = np.exp((cosines - cosines.max(initial=-1.0)) / SOFTNESS)
        voters = self._category[rows] >= 0
        np.maximum.at(near, self._category[rows[voters]], cosines[voters])
        np.add.at(share, self._category[rows[voters]], votes[voters])
        return near, share / max(float(share.sum()), 1e-9)

"""Which noun a photo shows: a linear classifier on the image tower's embeddings that is shipped with an encoder.

It knows the nouns that it was trained on and no catalogue. `training/nouns.py` trains it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from safetensors.numpy import save_file

from mmdemo.core.errors import InputError
from mmdemo.core.paths import at_home
from mmdemo.core.vectors import Array

FILE = "nouns.safetensors"  # its name in an encoder's folder


@dataclass(frozen=True, eq=False)
class NounClassifier:
    """A linear classifier of photos.

    Parameters
    ----------
    nouns
        The n nouns that it tells apart, things that shops sell and things that they do not.
    weights, bias
        (width, n) and (n,), of embeddings (m, width).
    curve
        Coefficients of the logarithm of the probability that a photo shows a kind, of its cosine with the nearest
        picture of the kind, and a constant: their sum is the log odds that the kind is right.

    Examples
    --------
    >>> classifier = NounClassifier(("mug", "car"), np.array([[9.0, 0.0], [0.0, 9.0]]), np.zeros(2), (1.0, 0.0, 0.0))
    >>> classifier.probabilities(np.array([[1.0, 0.0]])).round(2)
    array([[1., 0.]])
    """

    nouns: tuple[str, ...]
    weights: Array
    bias: Array
    curve: tuple[float, float, float]

    def probabilities(self, images: Array) -> Array:
        """The probability (m, n) that photos with these embeddings (m, width) show each noun."""
        logits = images @ self.weights + self.bias
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True)

    def save(self, folder: Path) -> None:
        """Write the classifier into an encoder's folder, its weights in half precision."""
        # Biases outweigh what a photo adds to them, so that they keep their precision.
        tensors: dict[str, np.ndarray] = {
            "weights": self.weights.astype(np.float16),
            "bias": self.bias.astype(np.float32),
        }
        metadata = {"nouns": json.dumps(self.nouns), "curve": json.dumps(self.curve)}
        save_file(tensors, folder / FILE, metadata)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the classifier of an encoder's folder; raises InputError for a file that is none."""
        from safetensors import SafetensorError, safe_open

        path = folder / FILE
        try:
            with safe_open(path, "numpy") as file:
                metadata = file.metadata()
                weights, bias = (file.get_tensor(name).astype(np.float32) for name in ("weights", "bias"))
            nouns, curve = tuple(json.loads(metadata["nouns"])), json.loads(metadata["curve"])
            if weights.shape[1:] != bias.shape or len(nouns) != len(bias) or not np.isfinite(weights).all():
                raise ValueError("its parts do not fit together")
            return cls(nouns, weights, bias, (float(curve[0]), float(curve[1]), float(curve[2])))
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError("'{path}' is no classifier of nouns: {reason}", path=path, reason=error) from None


def noun_classifier(spec: str, width: int) -> NounClassifier | None:
    """The classifier in the folder of the encoder that `spec` names; None where there is none for this width."""
    folder = at_home(spec.removeprefix("local-dir:"))
    if not (folder / FILE).is_file():
        return None
    classifier = NounClassifier.load(folder)
    return classifier if len(classifier.weights) == width else None

"""What was learnt from behaviour, as an index holds it: the models, their gate, and which of them answers.

It holds numbers of products and no person. Products that came after it was learnt are new ones to it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from mmdemo.behaviour.als import Als
from mmdemo.behaviour.content import Content
from mmdemo.behaviour.content_map import ContentMap
from mmdemo.behaviour.ease import Ease
from mmdemo.behaviour.events import FEW, Matrix, Rows, histories
from mmdemo.behaviour.gate import Gate, person_facts, product_facts
from mmdemo.behaviour.item_knn import ItemKnn
from mmdemo.behaviour.model import BehaviourModel, Floats, State, take
from mmdemo.behaviour.popularity import Popularity
from mmdemo.core.vectors import Array

STORED = "behaviour.safetensors"  # its name in an index
FUSED = "fused"  # what answers where the gate is best
ALL_TIME = "popularity of all time"


@dataclass(frozen=True)
class Explained:
    """A score taken apart exactly: it is `always` (what holds for everybody) + the sum over `history`.

    `models` are what each model adds, all of it, and "new" what a product gets for what is known of it.
    """

    always: float
    history: Floats
    models: dict[str, float]

    @property
    def score(self) -> float:
        """The score that this explains."""
        return self.always + float(self.history.sum())


@dataclass(frozen=True)
class Behaviour:
    """Fitted models of behaviour over the n products of a catalogue.

    Attributes
    ----------
    models
        By name; every one is fitted.
    gate
        How far each counts; None where there was too little to learn one.
    answers
        The name of the model that answers, or FUSED.
    count
        How many people liked each product (n,); fewer than FEW make it a new one.
    recent
        The same with decay.
    content
        Turns a product's embeddings and words into what the content map reads.
    """

    models: dict[str, BehaviourModel]
    gate: Gate | None
    answers: str
    count: Array
    recent: Array
    content: Content

    @property
    def new(self) -> np.ndarray:
        """Which products (n,) too few people have touched to say anything of them but by their content."""
        return self.count < FEW

    def score(self, seen: Matrix) -> Array:
        """How much whoever has these histories (people, products) may like each product."""
        if self.answers != FUSED or self.gate is None:
            return self.models[self.answers].score(seen)
        scores = [model.score(seen) for model in self.models.values()]
        return self.gate.score(scores, self._facts(), person_facts(np.diff(seen.indptr)))

    def for_history(self, rows: Sequence[int]) -> Array:
        """The scores (n,) after a history of product rows."""
        return self.score(histories([list(rows)], len(self.count)))[0]

    def explain(self, history: Rows, product: int) -> Explained:
        """What the score of a product after a history (m,) of different rows is made of."""
        if self.answers != FUSED or self.gate is None:
            shares = self.models[self.answers].explain(history, product)
            return Explained(shares.base, shares.history, {self.answers: shares.score})
        facts = self._facts()[product : product + 1]
        weights = self.gate.of(facts, person_facts(np.array([len(history)])))[:, 0, 0]
        each = {name: model.explain(history, product) for name, model in self.models.items()}
        bias = float(facts[0] @ self.gate.bias)
        return Explained(
            bias + sum(w * s.base for w, s in zip(weights, each.values(), strict=True)),
            sum((w * s.history for w, s in zip(weights, each.values(), strict=True)), np.zeros(len(history))),
            {**{name: w * s.score for w, (name, s) in zip(weights, each.items(), strict=True)}, "new": bias},
        )

    def went_on_to(self, row: int, k: int) -> list[int]:
        """The products that people who liked this one liked too, best first, by EASE; none for a new product."""
        if self.new[row] or Ease.name not in self.models:
            return []
        weights = self.models[Ease.name].score(histories([[row]], len(self.count)))[0]
        best = np.argsort(-weights, kind="stable")[:k]
        return [int(other) for other in best if weights[other] > 0 and other != row]

    @property
    def megabytes(self) -> float:
        """What its numbers take."""
        return sum(x.nbytes for model in self.models.values() for x in model.state().values()) / 1e6

    def _facts(self) -> Floats:
        return product_facts(self.count, self.recent)

    def aligned(self, rows: Rows, image: Array, text: Array, texts: Sequence[str]) -> "Behaviour":
        """The same over other products (m,): the row that each had, -1 for one that came since.

        `image`, `text` and `texts` are the embeddings and words of all of them.
        """
        content = self.content.rows(image, text, texts)
        models = {name: model.aligned(rows, content) for name, model in self.models.items()}
        return replace(self, models=models, count=take(self.count, rows), recent=take(self.recent, rows))

    def save(self, path: Path) -> None:
        """Write what was learnt as a safetensors file."""
        arrays = {f"{name}/{key}": x for name, model in self.models.items() for key, x in model.state().items()}
        arrays |= {f"content/{key}": x for key, x in self.content.state().items()}
        arrays |= {"count": self.count, "recent": self.recent}
        arrays |= {f"gate/{key}": x for key, x in vars(self.gate).items()} if self.gate else {}
        arrays = {
            key: np.ascontiguousarray(x, np.float32 if x.dtype.kind == "f" else None) for key, x in arrays.items()
        }
        save_file(arrays, path, {"answers": self.answers, "models": json.dumps(list(self.models))})

    @classmethod
    def load(cls, path: Path, products: int) -> Self:
        """What `save` wrote for so many products; ValueError for anything else."""
        with safe_open(path, "numpy") as file:
            about = {"answers": "", "models": "[]", **(file.metadata() or {})}
            arrays = {key: file.get_tensor(key) for key in file.keys()}
        states: dict[str, State] = {}
        for key, x in arrays.items():
            owner, _, name = key.rpartition("/")
            states.setdefault(owner, {})[name] = x
        own, gate, answers = states.pop("", {}), states.pop("gate", None), about["answers"]
        try:
            models = {name: EMPTY[name]().restore(states[name]) for name in json.loads(about["models"])}
            content = Content().restore(states["content"])
            count, recent = own["count"], own["recent"]
        except KeyError as error:
            raise ValueError(f"{path.name} holds no models of behaviour: {error}") from error
        if answers not in (*models, FUSED) or count.shape != (products,):
            raise ValueError(f"{path.name} holds no models of behaviour of {products} products")
        made = cls(models, Gate(**gate) if gate else None, answers, count, recent, content)
        try:
            scores = made.for_history([0])
        except IndexError as error:
            raise ValueError(f"the models of {path.name} do not fit together: {error}") from error
        if scores.shape != (products,) or not np.isfinite(scores).all():
            raise ValueError(f"the models of {path.name} do not score {products} products")
        return made


EMPTY: dict[str, Callable[[], BehaviourModel]] = {
    **{Popularity.name: Popularity, ALL_TIME: Popularity, ItemKnn.name: ItemKnn, Ease.name: Ease, Als.name: Als},
    ContentMap.name: lambda: ContentMap(np.zeros((0, 0))),
}

"""Learns behaviour from events: every model tuned, and their gate trained, on what people did next.

The last events in time validate. Each model is tuned there on people who were there before. The gate is trained on some
of them and of new people after their first few events, and judged on the others beside every single model. Whatever is
best there answers: popularity is among them, so nothing that is worse than it does. Then all is learnt again from all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product as combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import vstack

from mmdemo.behaviour.als import Als
from mmdemo.behaviour.behaviour import ALL_TIME, FUSED, Behaviour
from mmdemo.behaviour.content import Content
from mmdemo.behaviour.content_map import ContentMap
from mmdemo.behaviour.ease import Ease
from mmdemo.behaviour.events import FEW, Events, Matrix, Rows, histories
from mmdemo.behaviour.gate import Gate, fit_gate, person_facts, product_facts
from mmdemo.behaviour.item_knn import ItemKnn
from mmdemo.behaviour.model import BehaviourModel, Floats
from mmdemo.behaviour.popularity import Popularity
from mmdemo.core.metrics import Interval, bootstrap_interval, ndcg_at
from mmdemo.core.progress import Progress, silent
from mmdemo.core.vectors import Array

VALIDATION = 0.15  # of the events, the last ones
LEAST_PEOPLE = 60  # in validation; with fewer, popularity answers
MOST_PEOPLE = 2500  # of validation: three fifths train the gate, the others choose
FIRST = 10  # events of a new person that may be their history
CELLS = 4_000_000  # people x products of validation
MOST_PRODUCTS = 8000  # above, item-item weights would take gigabytes, and popularity answers
Models = dict[str, BehaviourModel]


@dataclass(frozen=True)
class Judged:
    """nDCG@10 of every model on what so many people of validation did next; empty where too few did anything."""

    people: int = 0
    rankers: Mapping[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class Window:
    """People with a history and what they liked next."""

    seen: Matrix
    liked: Matrix

    def __len__(self) -> int:
        return self.seen.shape[0]

    @cached_property
    def facts(self) -> Floats:
        """About the people, as the gate reads them."""
        return person_facts(np.diff(self.seen.indptr))

    def ndcg(self, scores: Array, products: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """nDCG@10 of each person who liked one of `products` (default all); what they had seen is no answer."""
        right, asked = answers(self.seen, self.liked, scores, products)
        return ndcg_at(asked, right, 10)

    def some_liked(self, products: NDArray[np.bool_]) -> bool:
        """Whether anybody liked one of these products."""
        return bool(self.liked[:, products].nnz)

    def part(self, some: slice) -> "Window":
        """Some of the people."""
        return Window(self.seen[some], self.liked[some])


def window(before: Events, after: Events, most: int, seed: int = 0) -> Window:
    """At most so many people, drawn at random, who did something before and liked something else after."""
    people = np.intersect1d(before.person, after.person)
    people = np.random.default_rng(seed).permutation(people)[:most]
    return Window(before.matrix[people], after.matrix[people])


def with_newcomers(known: Window, before: Events, after: Events, seed: int = 0) -> Window:
    """These people and half as many new ones, whose history is the first few of what they did after, in any order."""
    rng = np.random.default_rng(seed)
    new = newcomers(before, after, least=2, most=(len(known) + 1) // 2, seed=seed)
    ends = [int(rng.integers(1, min(FIRST, len(some) - 1), endpoint=True)) for some in new]
    first = histories([some[:end] for some, end in zip(new, ends, strict=True)], before.products)
    rest = histories([some[end:] for some, end in zip(new, ends, strict=True)], before.products)
    order = rng.permutation(len(known) + len(new))
    return Window(vstack([known.seen, first])[order], vstack([known.liked, rest])[order])


def newcomers(before: Events, after: Events, least: int, most: int, seed: int = 0) -> list[Rows]:
    """What people with so many events after a time and none before did, in the order of time; what has the same time in
    any order."""
    rng = np.random.default_rng(seed)
    counts = np.bincount(after.person, minlength=after.people)
    fresh = np.setdiff1d(np.flatnonzero(counts >= least), before.person)
    own = after.of(rng.permutation(fresh)[:most])
    order = np.lexsort((rng.random(len(own)), own.time, own.person))
    starts = np.flatnonzero(np.diff(own.person[order], prepend=-1))
    return np.split(own.product[order], starts[1:]) if len(own) else []


def answers(
    seen: Matrix, liked: Matrix, scores: Array, products: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.bool_], Array]:
    """Relevance and scores (people, products) for metrics: people without a right answer are left out."""
    right = (liked.toarray() > 0) & ~(seen.toarray() > 0)
    asked = np.where(seen.toarray() > 0, -np.inf, scores)
    if products is not None:
        right, asked = right[:, products], asked[:, products]
    some = right.any(1)
    return right[some], asked[some]


def candidates(content: ArrayLike) -> dict[str, list[BehaviourModel]]:
    """Every model with the settings that are tried, by name."""
    return {
        Popularity.name: [Popularity(half_life) for half_life in (20, 45, 90, 180, 365)],
        ALL_TIME: [Popularity()],
        ItemKnn.name: [ItemKnn(n, s) for n, s in combinations((50, 200), (10.0, 100.0))],
        Ease.name: [Ease(ridge) for ridge in (30.0, 100.0, 300.0, 1000.0)],
        Als.name: [Als(f, c) for f, c in ((8, 3.0), (16, 3.0), (32, 3.0), (16, 10.0))],
        ContentMap.name: [ContentMap(content, ridge) for ridge in (0.3, 1.0, 3.0, 10.0, 30.0)],
    }


def fit_behaviour(
    events: Events, content: Content, rows: ArrayLike, seed: int = 0, progress: Progress = silent
) -> tuple[Behaviour, Judged]:
    """Learn from events.

    Parameters
    ----------
    events
        What people did.
    content, rows
        What tells products apart by themselves, and its rows (products, p) for these products.
    seed
        Of the people drawn.
    progress
        Is told how many models are tuned.

    Returns
    -------
    tuple[Behaviour, Judged]
        Popularity alone where there are too few people, or too many products, for more; and how good every model is.
    """
    split = events.at_share(1 - VALIDATION)
    before, after = events.before(split), events.since(split)
    valid = window(before, after, min(MOST_PEOPLE, max(1, CELLS // events.products)), seed)
    if len(valid) < LEAST_PEOPLE or events.products > MOST_PRODUCTS:
        popular: Models = {Popularity.name: Popularity(90).fit(events)}
        return _behaviour(popular, None, Popularity.name, events, content), Judged()
    models = _tuned(candidates(rows), before, valid, progress)
    gate, figures = _gated(models, before, with_newcomers(valid, before, after, seed))
    best = max(figures, key=lambda name: figures[name].mean())
    for done, model in enumerate(models.values()):
        progress(done, len(models), "learning from behaviour")
        model.fit(events)
    judged = Judged(len(figures[FUSED]), {name: bootstrap_interval(values) for name, values in figures.items()})
    return _behaviour(models, gate, best, events, content), judged


def _behaviour(models: Models, gate: Gate | None, answers: str, events: Events, content: Content) -> Behaviour:
    return Behaviour(models, gate, answers, events.counts.astype(np.float32), _recent(models), content)


def _recent(models: Models) -> Array:
    popularity = models[Popularity.name]
    assert isinstance(popularity, Popularity)
    return popularity.count


def _tuned(tried: Mapping[str, list[BehaviourModel]], before: Events, valid: Window, progress: Progress) -> Models:
    """The best setting of every model by nDCG@10 of validation, fitted; of the content map by that of new products."""
    new, tuned = before.counts < FEW, {}
    for done, (name, settings) in enumerate(tried.items()):
        progress(done, len(tried), "tuning models of behaviour")
        among = new if name == ContentMap.name and valid.some_liked(new) else None
        figures = [float(valid.ndcg(model.fit(before).score(valid.seen), among).mean()) for model in settings]
        tuned[name] = settings[int(np.argmax(figures))]
    return tuned


def _gated(models: Models, before: Events, valid: Window) -> tuple[Gate, dict[str, NDArray[np.float64]]]:
    """A gate trained on three fifths of the validation people, and nDCG@10 of it and of every model for the others."""
    middle = len(valid) * 3 // 5
    train, judge = valid.part(slice(0, middle)), valid.part(slice(middle, None))
    product = product_facts(before.counts.astype(np.float32), _recent(models))
    trained = [model.score(train.seen) for model in models.values()]
    gate = fit_gate(trained, product, train.facts, train.seen, train.liked)
    scores = {name: model.score(judge.seen) for name, model in models.items()}
    figures = {name: judge.ndcg(s) for name, s in scores.items()}
    figures[FUSED] = judge.ndcg(gate.score(list(scores.values()), product, judge.facts))
    return gate, figures

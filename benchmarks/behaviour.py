"""python -m benchmarks.behaviour FOLDER [--work DIR] [--page]: what behaviour adds, measured on real people.

FOLDER is a catalogue with pictures and `events.parquet` or `events.csv` (user, id, value, time in seconds or
milliseconds). The split is by time: models are tuned and learnt on what was done before, and judged on what people did
after. --page writes the tables into docs/behaviour.md.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmdemo.behaviour.behaviour import FUSED, Behaviour
from mmdemo.behaviour.content import Content
from mmdemo.behaviour.content_map import ContentMap
from mmdemo.behaviour.events import Events, Matrix, histories, read_events
from mmdemo.behaviour.fit import answers, fit_behaviour, newcomers
from mmdemo.catalog.catalog import Catalog
from mmdemo.core.metrics import Interval, bootstrap_interval, list_statistics, ndcg_at, paired_randomisation_test
from mmdemo.core.vectors import Array, normalize, present
from mmdemo.encode.embed import EncodedCatalog, embed
from mmdemo.encode.encoder import Encoder

HOME = Path(__file__).resolve().parent.parent
PAGE = HOME / "docs" / "behaviour.md"
START, END = "<!-- generated: python -m benchmarks.behaviour FOLDER --page -->", "<!-- end of what is generated -->"
HIDDEN = 160  # products that are drawn and hidden, as if they were new
SPLIT = 0.6  # of the events lie before the test
PEOPLE = 4000
COLD_PEOPLE, COLD_EVENTS = 2000, (1, 3, 10)
K = 10
Figures = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Asked:
    """People of a test: what they had done before, and what they liked after."""

    seen: Matrix
    liked: Matrix


class Rankers:
    """Everything that is compared: each gives scores (people, products) for histories."""

    def __init__(self, behaviour: Behaviour, done: EncodedCatalog) -> None:
        self.behaviour, self.count = behaviour, len(done.products)
        self.alike = {
            "picture only": _unit(done.image - done.image.mean(0)),
            "text only": _unit(done.text - done.text.mean(0)),
        }

    def scores(self, seen: Matrix) -> dict[str, Array]:
        """Scores of every ranker, the fused one last."""
        chance = np.random.default_rng(0).random((seen.shape[0], self.count), np.float32)
        single = {name: model.score(seen) for name, model in self.behaviour.models.items()}
        alike = {name: (seen @ vectors) @ vectors.T for name, vectors in self.alike.items()}
        return {"random": chance, **alike, **single, FUSED: self.behaviour.score(seen)}


def _unit(vectors: Array) -> Array:
    unit = np.zeros_like(vectors)
    unit[present(vectors)] = normalize(vectors[present(vectors)])
    return unit


def measure(scores: dict[str, Array], asked: Asked, products: NDArray[np.bool_] | None = None) -> dict[str, Figures]:
    """recall@10 and nDCG@10 of every person, by ranker."""
    figures: dict[str, Figures] = {}
    for name, some in scores.items():
        right, shown = answers(asked.seen, asked.liked, some, products)
        if not shown.any() or np.ptp(shown[0][np.isfinite(shown[0])]) == 0:
            continue  # it cannot tell these products apart
        top = np.argsort(-shown, axis=1, kind="stable")[:, :K]
        recall = np.take_along_axis(right, top, 1).sum(1) / right.sum(1)
        figures[name] = {"recall@10": recall, "nDCG@10": ndcg_at(shown, right, K)}
    return figures


def table(title: str, figures: dict[str, Figures]) -> str:
    """A Markdown table with intervals, and the fused model's difference from each with its p by a paired test."""
    people = len(figures[FUSED]["nDCG@10"])
    lines = [
        f"**{title}** ({people:,} people)",
        "",
        "| | recall@10 | nDCG@10 | fused − it, nDCG@10 |",
        "|---|---|---|---|",
    ]
    for name, of in figures.items():
        cells = [_cell(bootstrap_interval(values)) for values in of.values()]
        against = ""
        if name != FUSED:
            test = paired_randomisation_test(figures[FUSED]["nDCG@10"], of["nDCG@10"], flips=2000)
            chance = "< .001" if test.p < 0.001 else f"= {test.p:.3f}"
            against = f"{_cell(test)}, p {chance}"
        lines.append(f"| {name} | {' | '.join(cells)} | {against} |")
    return "\n".join(lines)


def _cell(figure: Interval) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]".replace("0.", ".")


def lists(scores: dict[str, Array], asked: Asked, vectors: Array, count: NDArray[np.int64]) -> str:
    """Coverage, novelty and diversity of the lists of ten."""
    share = (count + 1) / (count.sum() + len(count))
    lines = ["| lists of ten | coverage | novelty, bits | diversity |", "|---|---|---|---|"]
    for name, some in scores.items():
        shown = np.where(asked.seen.toarray() > 0, -np.inf, some)
        top = np.argsort(-shown, axis=1, kind="stable")[:, :K]
        statistics = list_statistics(shown, vectors, K)
        novelty = float(-np.log2(share[top]).mean())
        lines.append(f"| {name} | {statistics.coverage:.2f} | {novelty:.1f} | {statistics.diversity:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Encode once, learn, measure, and print or write the tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--work", type=Path, default=HOME / ".cache" / "behaviour", help="where embeddings are kept")
    arguments.add_argument("--page", action="store_true", help="write the tables into docs/behaviour.md")
    given = arguments.parse_args()
    catalog = Catalog.read(given.folder / "catalog.csv")
    done = embed(catalog, Encoder.load(str(HOME / "assets" / "encoder")), given.work, resume=True)
    file = next(p for name in ("events.parquet", "events.csv") if (p := given.folder / name).is_file())
    events, _ = read_events(file, {p.id: row for row, p in enumerate(done.products)})
    texts = [p.text for p in done.products]
    content = Content().fit(done.image, done.text, texts)
    page = report(events, content, done)
    print(page)
    if given.page:
        whole = PAGE.read_text(encoding="utf-8")
        start, end = whole.index(START) + len(START), whole.index(END)
        PAGE.write_text(f"{whole[:start]}\n\n{page}\n\n{whole[end:]}", encoding="utf-8")


def report(events: Events, content: Content, done: EncodedCatalog) -> str:
    """The tables as Markdown."""
    rows = content.rows(done.image, done.text, [p.text for p in done.products])
    split = events.at_share(SPLIT)
    before, after = events.before(split), events.since(split)
    behaviour, _ = fit_behaviour(before, content, rows)
    rankers = Rankers(behaviour, done)
    both = np.random.default_rng(0).permutation(np.intersect1d(before.person, after.person))
    warm = Asked(before.matrix[both[:PEOPLE]], after.matrix[both[:PEOPLE]])
    scores = rankers.scores(warm.seen)
    untouched = before.counts == 0
    parts = [
        f"{len(events):,} likes of {events.people:,} people and {events.products:,} products; the first "
        f"{SPLIT:.0%} in time teach, the rest tests. Validation chose: {behaviour.answers}.",
        table("Known people, all products", measure(scores, warm)),
        lists(scores, warm, normalize(rows), before.counts),
    ]
    parts.append(
        table(
            f"Known people, the {untouched.sum()} products that nobody had touched",
            cold_products(rankers, before, after, untouched),
        )
    )
    parts.append(hidden_products(events, rankers))
    fresh = newcomers(before, after, max(COLD_EVENTS) + 1, COLD_PEOPLE)
    for n in COLD_EVENTS:
        asked = Asked(
            histories([some[:n] for some in fresh], events.products),
            histories([some[n:] for some in fresh], events.products),
        )
        title = f"New people after {n} event{'s' if n > 1 else ''}"
        parts.append(table(title, measure(rankers.scores(asked.seen), asked)))
    return "\n\n".join(parts)


def cold_products(rankers: Rankers, before: Events, after: Events, untouched: NDArray[np.bool_]) -> dict[str, Figures]:
    """Figures of people who liked a product that nobody had touched, among these products alone."""
    fans = np.intersect1d(after.person[untouched[after.product]], before.person)
    some = np.random.default_rng(0).permutation(fans)[:PEOPLE]
    asked = Asked(before.matrix[some], after.matrix[some])
    return measure(rankers.scores(asked.seen), asked, untouched)


def hidden_products(events: Events, rankers: Rankers) -> str:
    """The figures for products drawn at random whose events are hidden, among these alone; no time parts them."""
    hidden = np.zeros(events.products, bool)
    hidden[np.random.default_rng(1).permutation(events.products)[:HIDDEN]] = True
    rest = Events(*(x[~hidden[events.product]] for x in (events.person, events.product, events.time)), *_sizes(events))
    fans = np.intersect1d(events.person[hidden[events.product]], rest.person)
    some = np.random.default_rng(0).permutation(fans)[:PEOPLE]
    asked = Asked(rest.matrix[some], events.matrix[some])
    content_map = rankers.behaviour.models[ContentMap.name]
    assert isinstance(content_map, ContentMap)
    again = ContentMap(content_map.content, content_map.ridge).fit(rest)
    scores = {name: s for name, s in rankers.scores(asked.seen).items() if name in ("random", *rankers.alike)}
    scores[FUSED] = again.score(asked.seen)
    title = f"{hidden.sum()} products drawn at random and hidden; fused is the content map, learnt from the others"
    return table(title, measure(scores, asked, hidden))


def _sizes(events: Events) -> tuple[int, int]:
    return events.people, events.products


if __name__ == "__main__":
    main()

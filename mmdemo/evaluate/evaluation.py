"""How good the answers are: queries with known answers, the head beside its baselines, intervals on everything.

The metrics themselves are in `core.metrics`.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.holdout import TrainingRecord
from mmdemo.core.metrics import (
    RANKING_METRICS,
    bootstrap_interval,
    expected_calibration_error,
    list_statistics,
    paired_randomisation_test,
    ranking_metrics,
    reliability_curve,
)
from mmdemo.core.vectors import Array, present
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.example_queries import examples, most_shown
from mmdemo.evaluate.graded import graded_figures
from mmdemo.evaluate.queries import Queries
from mmdemo.evaluate.report import (
    RANKERS,
    Comparison,
    DiversityPoint,
    EmbeddingsOnly,
    Evaluation,
    Figures,
    Ranker,
    RankerFigures,
)
from mmdemo.evaluate.sentences import read_sentences, with_tiers
from mmdemo.fusion.calibration import z_scores
from mmdemo.fusion.heads import Mean
from mmdemo.index.product_index import ProductIndex
from mmdemo.search.recommender import UNLIKE
from mmdemo.search.rerank import relevance_diversity_curve

ScoreMatrices = dict[Ranker, Array | None]  # (queries, products) by ranker; None for one that cannot answer every query


def score_matrices(index: ProductIndex, q: Queries) -> ScoreMatrices:
    """Scores (queries, products) of the head and its baselines; None for one that cannot answer every query.

    `image` compares pictures with pictures, `text` texts with texts, `mean` the means of both, none of them trained.
    Conditions and words to go away from hold for every ranker that reads words; conditions for `image` as well.
    """
    dim = index.head.dim
    mean = Mean(dim, index.image.shape[1], index.text.shape[1])
    fused, words = q.fused, q.text if q.text_alone is None else q.text_alone
    if fused is None:
        expansion = index.expansion(q.image, present(q.image) & present(q.text) & ~present(q.origin))
        fused = index.head.fuse(image=q.image, text=q.text, reference_text=q.origin, expansion=expansion)
    scores: ScoreMatrices = {
        "head": _away(fused, q, lambda texts: index.head.fuse(text=texts)) @ index.vectors.T,
        "image": q.image[:, :dim] @ index.image[:, :dim].T if present(q.image).all() else None,
        "text": _away(words[:, :dim], q, lambda texts: texts[:, :dim]) @ index.text[:, :dim].T
        if present(words).all()
        else None,
        "mean": _away(mean.fuse(image=q.image, text=q.text), q, lambda texts: mean.fuse(text=texts))
        @ mean.fuse(image=index.image, text=index.text).T,
    }
    head = _head(scores)
    for row, named in enumerate(q.named):
        if named is not None:
            head[row] = named.mixed(head[row])
    exact = {row: head[row, named.exactly] for row, named in enumerate(q.named) if named is not None}
    for row, allowed in enumerate(q.allowed):
        if allowed is not None:
            excluded = np.ones(len(index), bool)
            excluded[allowed] = False
            for s in scores.values():
                if s is not None:
                    s[row, excluded] = -np.inf
    for row, found in exact.items():  # what a sentence names is no condition on it
        head[row, q.named[row].exactly] = found  # type: ignore[union-attr]
    left_out = np.flatnonzero(q.reference >= 0)
    for s in scores.values():
        if s is not None:
            s[left_out, q.reference[left_out]] = -np.inf
    return scores


def _away(vectors: Array, q: Queries, embed: Callable[[Array], Array]) -> Array:
    """Query vectors (n, d), each moved away from the words that its sentence excludes, as a search does it."""
    moved = vectors.copy()
    for row, away in enumerate(q.away):
        if away is not None:
            v = vectors[row] - UNLIKE * embed(away).mean(0)
            moved[row] = v / max(float(np.linalg.norm(v)), 1e-6)
    return moved


def matches(index: ProductIndex, q: Queries, scores: Array, k: int = 10) -> tuple[Array, NDArray[np.bool_]]:
    """The match that cards would show on the first k answers to these queries, and whether each is right: (n, k) both.

    An answer that is not there has a match of NaN.
    """
    order = np.argsort(-scores, axis=1)[:, :k]
    z = z_scores(scores)
    first_z = np.take_along_axis(z, order, 1)
    photo, words, edit = present(q.image), present(q.text), present(q.origin)
    match = np.full(order.shape, np.nan, np.float32)
    right = np.zeros(order.shape, bool)
    for row, first in enumerate(order):
        kind = "both" if photo[row] and words[row] else "image" if photo[row] else "text"
        kind = "edit" if edit[row] else kind
        there = np.isfinite(first_z[row])
        match[row, there] = index.calibration.probability(kind, first_z[row, there], z[row])
        right[row] = np.isin(first, q.targets[row])
    return match, right


def evaluate(index: ProductIndex, queries: Queries, encoder: Encoder | None = None) -> Evaluation:
    """Measure the head and its baselines, on all queries and on products that no training saw.

    Parameters
    ----------
    index
        The index that answers.
    queries
        What is asked, with the right answers.
    encoder
        The encoder of the index. With it sentences are read as a search reads them, for the head and for every
        baseline, and the split that it records has to fit the index's; without it the embeddings alone are measured.

    Returns
    -------
    Evaluation
        Its `unseen` has the figures of the queries with a held-out reference, if any, and at least one held-out right
        answer; right answers that training did see are taken out of that ranking, so that they neither help nor hurt.
        It is None where there are none, and where the split of the index does not fit the encoder's: a note then says
        so. What counts as evidence (`unseen` where there is any) also has the price of variety and examples.

    Examples
    --------
    >>> evaluate(index, read_queries(path, index, encoder)[0], encoder).rankers["head"]["mrr"].value  # doctest: +SKIP
    0.97
    """
    record = TrainingRecord.read(encoder.spec) if encoder is not None else None
    note = record.misfit(index.products, index.manifest.held_out, index.manifest.catalogue_sha256) if record else ""
    held_out_ids = set() if note else set(index.manifest.held_out)
    held_out = np.array([p.id in held_out_ids for p in index.products])
    asked = [queries] if encoder is None else [read_sentences(index, encoder, queries), queries]
    ways = [asked[0]] if len(asked) == 2 and asked[0] is asked[1] else asked
    deployed = queries if encoder is None else read_sentences(index, encoder, queries, looks=False)
    graded = score_matrices(index, deployed)
    if encoder is not None and not _asks_for_links(deployed):
        deployed = with_tiers(index, deployed)
    matrices = [score_matrices(index, q) for q in ways]
    whole = _both_ways(index, ways, matrices, encoder is not None)
    keep = np.array(
        [held_out[t].any() and (r < 0 or held_out[r]) for t, r in zip(queries.targets, queries.reference, strict=True)]
    )
    if not keep.any() or held_out.all():
        evidence = _evidence(index, ways[0], _head(matrices[0]))
        noted = {"note": note} if note else {}
        relevance = {"relevance": graded_figures(index, deployed, graded)}
        return Evaluation(**(whole | relevance | evidence | noted), unseen=None)
    unseen = [_only_held_out(q, scores, keep, held_out) for q, scores in zip(ways, matrices, strict=True)]
    table = _both_ways(index, [q for q, _ in unseen], [scores for _, scores in unseen], encoder is not None)
    table |= _evidence(index, unseen[0][0], _head(unseen[0][1]))
    # Grades ask for no particular product, so nothing that training saw leaves this ranking.
    kept = {name: s[keep] if s is not None else None for name, s in graded.items()}
    table["relevance"] = graded_figures(index, deployed.subset(keep), kept)
    return Evaluation(**whole, unseen=Figures(**table))


def _asks_for_links(q: Queries) -> bool:
    """Whether products ask for what goes with them, which is of other kinds; these queries have no grades."""
    return q.fused is not None and not any(q.asked)


def _head(scores: ScoreMatrices) -> Array:
    head = scores["head"]
    assert head is not None  # the head answers everything
    return head


def _only_held_out(
    q: Queries, matrices: ScoreMatrices, keep: NDArray[np.bool_], held_out: NDArray[np.bool_]
) -> tuple[Queries, ScoreMatrices]:
    """The queries to `keep` (n,) with their held-out targets alone, the others out of every ranker's scores."""
    kept = q.subset(keep)
    scores = {name: s[keep] if s is not None else None for name, s in matrices.items()}
    for row, targets in enumerate(kept.targets):
        for s in scores.values():
            if s is not None:
                s[row, targets[~held_out[targets]]] = -np.inf
    return replace(kept, targets=[t[held_out[t]] for t in kept.targets]), scores


def _both_ways(index: ProductIndex, ways: list[Queries], matrices: list[ScoreMatrices], read: bool) -> dict[str, Any]:
    """The fields of `Figures`: as deployed and, where sentences were `read`, the rankers by the embeddings alone."""
    table = _table(index, ways[0], matrices[0])
    if read:
        rankers = table["rankers"] if len(ways) == 1 else _rankers(_values(ways[1], matrices[1]))
        table["embeddings_only"] = EmbeddingsOnly(rankers=rankers)
    return table


MetricValues = dict[Ranker, dict[str, NDArray[np.float64]] | None]  # of every query (n,), by ranker and metric


def _values(q: Queries, matrices: ScoreMatrices) -> MetricValues:
    return {name: ranking_metrics(s, q.targets) if s is not None else None for name, s in matrices.items()}


def _rankers(values: MetricValues) -> RankerFigures:
    return {name: {m: bootstrap_interval(v) for m, v in of.items()} if of else None for name, of in values.items()}


def _table(index: ProductIndex, q: Queries, matrices: ScoreMatrices) -> dict[str, Any]:
    values = _values(q, matrices)
    answering = {name: of for name, of in values.items() if of is not None}
    head = answering.pop("head")
    compared = {}
    for metric in RANKING_METRICS:
        best = max(answering, key=lambda name: answering[name][metric].mean())
        compared[metric] = Comparison.of(best, paired_randomisation_test(head[metric], answering[best][metric]))
    match, right = matches(index, q, _head(matrices))
    stated = np.isfinite(match)
    common = _common(index)
    return {
        "queries": len(q),
        "rankers": _rankers(values),
        "paired": compared,
        "lists": {name: list_statistics(s, common) if s is not None else None for name, s in matrices.items()},
        "calibration": expected_calibration_error(match[stated], right[stated]),
        "reliability": reliability_curve(match[stated], right[stated]),
    }


def _evidence(index: ProductIndex, q: Queries, scores: Array) -> dict[str, Any]:
    """The further fields of the `Figures` that count as evidence."""
    match, right = matches(index, q, scores)
    common = _common(index)
    return {
        "curve": [DiversityPoint(**step) for step in relevance_diversity_curve(scores, common, q.targets)],
        "examples": examples(index, q, scores, match[:, 0], right[:, 0], common),
        "most_shown": most_shown(index, scores),
    }


def _common(index: ProductIndex) -> Array:
    """One space to compare the lists of all rankers in: the untrained mean of picture and text."""
    mean = Mean(index.head.dim, index.image.shape[1], index.text.shape[1])
    return mean.fuse(image=index.image, text=index.text)


def as_text(evaluation: Evaluation) -> str:
    """The figures as a table for a terminal."""
    lines = _lines("all queries", evaluation)
    if evaluation.unseen:
        lines += _lines("queries of products never trained on", evaluation.unseen)
    if evaluation.note:
        lines += [evaluation.note, ""]
    lists = evaluation.lists["head"]
    assert lists is not None  # the head answers everything
    lines.append(
        f"lists of ten: diversity {lists.diversity:.2f}, coverage {lists.coverage:.0%} of the catalogue, the "
        f"most shown tenth takes {lists.top_tenth:.0%}; calibration error of the match {evaluation.calibration:.3f}"
    )
    return "\n".join(lines)


def _lines(title: str, figures: Figures) -> list[str]:
    lines = [f"{title}: {figures.queries}", "".join(["ranker".ljust(8), *(m.rjust(22) for m in RANKING_METRICS)])]
    for name in RANKERS:
        metrics = figures.rankers[name]
        cells = (
            [f"{v.value:.3f} [{v.low:.3f}, {v.high:.3f}]".rjust(22) for v in metrics.values()]
            if metrics
            else ["cannot answer these".rjust(22)]
        )
        lines.append(name.ljust(8) + "".join(cells))
    if only := figures.embeddings_only:
        recalls = [f"{name} {metrics['recall@10'].value:.3f}" for name, metrics in only.rankers.items() if metrics]
        lines.append("without reading the sentences, recall@10: " + ", ".join(recalls))
    if graded := figures.relevance:
        lines.append(f"as recommendations, over {graded.queries} queries whose wishes are known:")
        for ranker, of in graded.rankers.items():
            if of:
                cells = [f"{metric} {v.value:.3f} [{v.low:.3f}, {v.high:.3f}]" for metric, v in of.items()]
                lines.append(ranker.ljust(11) + "  ".join(cells))
    for metric in ("recall@1", "recall@10"):
        c = figures.paired[metric]
        lines.append(f"head against {c.against}, {metric}: {c.value:+.3f} [{c.low:+.3f}, {c.high:+.3f}], p = {c.p:.4f}")
    return [*lines, ""]

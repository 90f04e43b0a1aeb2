"""How good the answers are: queries with known answers, the head beside its baselines, intervals on everything.

recall@k is the share of queries with a right product among the first k (for one right product that is recall; for
several it is what composed-retrieval papers report under that name). Metrics by ir-measures.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmdemo.calibration import calibration_error, reliability, standing
from mmdemo.embed import Progress, image_rows, silent, text_rows
from mmdemo.encoder import Encoder
from mmdemo.errors import InputError
from mmdemo.examples import examples, most_shown
from mmdemo.fusion import Mean
from mmdemo.imaging import decode
from mmdemo.index import ProductIndex
from mmdemo.rerank import relevance_diversity_curve
from mmdemo.vectors import Array, present

METRICS = {  # and what ir-measures calls them
    "recall@1": "Success@1", "recall@5": "Success@5", "recall@10": "Success@10", "mrr": "RR", "ndcg@10": "nDCG@10",
}  # fmt: skip
RANKERS = ("head", "image", "text", "mean")
DEPTH = 100
MATCH_COLUMNS = ("product_id", "target_ids")


@dataclass
class Queries:
    """Encoder rows of n queries (zero = not given), the product left out of each answer (-1 = none), the right rows.

    `origin` is the text of the reference product where the query starts from that, zero elsewhere. For whoever reads
    an example, `said` has the words and `shows` the id of the product in the photo; "" where there is none. `fused`
    has the fused vectors where products of the index are the queries.
    """

    image: Array
    text: Array
    origin: Array
    reference: NDArray[np.int64]
    targets: list[NDArray[np.int64]]
    said: list[str] = field(default_factory=list)
    shows: list[str] = field(default_factory=list)
    fused: Array | None = None

    def __post_init__(self) -> None:
        self.said = self.said or [""] * len(self)
        self.shows = self.shows or [""] * len(self)

    def __len__(self) -> int:
        return len(self.targets)

    def subset(self, keep: NDArray[np.bool_]) -> "Queries":
        """The queries where `keep` (n,) holds."""
        rows = np.flatnonzero(keep)
        return Queries(
            self.image[rows], self.text[rows], self.origin[rows], self.reference[rows],
            [self.targets[r] for r in rows], [self.said[r] for r in rows], [self.shows[r] for r in rows],
            self.fused[rows] if self.fused is not None else None,
        )  # fmt: skip


def read_queries(
    path: Path, index: ProductIndex, encoder: Encoder, progress: Progress = silent
) -> tuple[Queries, list[str]]:
    """Queries of a CSV with `product_id` or `target_ids` and any of image, text and reference_id; and what was skipped.

    Pictures lie beside the file. A row whose products the index does not hold, or whose picture does not decode, is
    skipped with the reason. Raises InputError when no row can be used.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as f:
            rows = list(csv.DictReader(f))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise InputError(f"the queries '{path}' cannot be read: {e}") from None
    if not rows or not any(c in rows[0] for c in MATCH_COLUMNS):
        found = ", ".join(rows[0]) if rows else "an empty file"
        raise InputError(f"'{path.name}' needs a column product_id or target_ids (space-separated); found {found}")
    known = {p.id: i for i, p in enumerate(index.products)}
    kept, pictures, skipped = [], [], []
    for line, row in enumerate(rows, 2):
        cell = {k: (v or "").strip() for k, v in row.items() if k and not isinstance(v, list)}
        wanted = (cell.get("target_ids") or cell.get("product_id") or "").split()
        targets = [known[t] for t in wanted if t in known]
        reference = cell.get("reference_id", "")
        if not targets or (reference and reference not in known):
            skipped.append(
                f"line {line}: the index does not hold {reference if targets else ' '.join(wanted) or 'a target'}"
            )
            continue
        if not (cell.get("image") or cell.get("text") or reference):
            skipped.append(f"line {line}: image, text and reference_id are all empty")
            continue
        picture = None
        if cell.get("image"):
            try:
                picture = decode(path.parent / cell["image"], max_side=512)
            except InputError as e:
                skipped.append(f"line {line}: {e}")
                continue
        pictures.append(picture)
        start = known.get(reference, -1)
        kept.append((start, cell.get("text", ""), np.array(targets, np.int64)))
        if line % 64 == 0:
            progress(line, len(rows), "reading queries")
    if not kept:
        raise InputError(f"none of the {len(rows)} queries of '{path.name}' fits this index; first: {skipped[0]}")
    image = np.zeros((len(kept), index.image.shape[1]), np.float32)
    text, origin = (np.zeros((len(kept), index.text.shape[1]), np.float32) for _ in range(2))
    shown = [i for i, p in enumerate(pictures) if p is not None]
    for start in range(0, len(shown), 128):
        part = shown[start : start + 128]
        image[part] = image_rows(encoder, [pictures[i] for i in part])  # type: ignore[misc]
        progress(min(start + 128, len(shown)), len(shown), "encoding query pictures")
    for i, (reference, _, _) in enumerate(kept):
        if reference >= 0 and pictures[i] is None:
            image[i], origin[i] = index.image[reference], index.text[reference]
    said = sorted({t for _, t, _ in kept if t})
    if said:
        vectors = dict(zip(said, text_rows(encoder, said), strict=True))
        for i, (_, words, _) in enumerate(kept):
            if words:
                text[i] = vectors[words]
    # A photo of the very product that is asked for: it is the answer, not what the answer leaves out.
    left_out = np.array([-1 if r in t else r for r, _, t in kept], np.int64)
    shows = [index.products[r].id if r >= 0 else "" for r, _, _ in kept]
    return Queries(image, text, origin, left_out, [t for _, _, t in kept], [w for _, w, _ in kept], shows), skipped


def score_matrices(index: ProductIndex, q: Queries) -> dict[str, Array | None]:
    """Scores (queries, products) of the head and its baselines; None for one that cannot answer every query.

    `image` compares pictures with pictures, `text` texts with texts, `mean` the means of both, none of them trained.
    """
    dim = index.head.dim
    mean = Mean(dim, index.image.shape[1], index.text.shape[1])
    fused = q.fused
    if fused is None:
        guess = index.guess(q.image, present(q.image) & present(q.text) & ~present(q.origin))
        fused = index.head.fuse(image=q.image, text=q.text, origin=q.origin, guess=guess)
    scores: dict[str, Array | None] = {
        "head": fused @ index.vectors.T,
        "image": q.image[:, :dim] @ index.image[:, :dim].T if present(q.image).all() else None,
        "text": q.text[:, :dim] @ index.text[:, :dim].T if present(q.text).all() else None,
        "mean": mean.fuse(image=q.image, text=q.text) @ mean.fuse(image=index.image, text=index.text).T,
    }
    left_out = np.flatnonzero(q.reference >= 0)
    for s in scores.values():
        if s is not None:
            s[left_out, q.reference[left_out]] = -np.inf
    return scores


def per_query(scores: Array, targets: Sequence[NDArray[np.int64]]) -> dict[str, NDArray[np.float64]]:
    """Every metric for every query (n,), by ir-measures on the first DEPTH answers."""
    import ir_measures  # here: showing a report takes its names alone

    depth = min(DEPTH, scores.shape[1])
    top = np.argpartition(-scores, depth - 1, axis=1)[:, :depth]
    run = {str(i): {str(d): float(scores[i, d]) for d in row if np.isfinite(scores[i, d])} for i, row in enumerate(top)}
    qrels = {str(i): {str(t): 1 for t in ts} for i, ts in enumerate(targets)}
    names = {ir_measures.parse_measure(called): name for name, called in METRICS.items()}
    values = {name: np.zeros(len(targets)) for name in METRICS}
    for m in ir_measures.iter_calc(list(names), qrels, run):
        values[names[m.measure]][int(m.query_id)] = m.value
    return values


def interval(values: NDArray[np.float64], seed: int = 0, resamples: int = 1000) -> dict[str, float]:
    """Mean with a 95% percentile bootstrap interval over queries."""
    rng = np.random.default_rng(seed)
    means = rng.choice(values, (resamples, len(values))).mean(1) if len(values) else np.zeros(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {"value": float(values.mean()), "low": float(low), "high": float(high)}


def paired(a: NDArray[np.float64], b: NDArray[np.float64], seed: int = 0, flips: int = 5000) -> dict[str, float]:
    """Mean of a - b over the same queries (n,), its 95% interval, and the two-sided p of a randomisation test.

    The test flips the sign of each query's difference at random (Smucker, Allan and Carterette 2007).
    """
    gap = a - b
    rng = np.random.default_rng(seed)
    chance = np.abs((rng.choice([-1.0, 1.0], (flips, len(gap))) * gap).mean(1))
    return {**interval(gap, seed), "p": float((1 + (chance >= abs(gap.mean()) - 1e-12).sum()) / (1 + flips))}


def lists(scores: Array, vectors: Array, k: int = 10) -> dict[str, float]:
    """What the first k answers are like as lists, from scores (queries, products) and unit vectors (products, d).

    diversity: one minus the mean cosine within a list (Smyth and McClave 2001); coverage: the share of the catalogue
    that some list shows; top tenth: the share of all places that the most shown tenth of the catalogue takes.
    """
    k = min(k, scores.shape[1])
    top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    alike = [(v @ v.T)[np.triu_indices(k, 1)].mean() for v in (vectors[row] for row in top)] if k > 1 else [0.0]
    shown = np.sort(np.bincount(top.ravel(), minlength=len(vectors)))[::-1]
    tenth = -(-len(vectors) // 10)
    return {
        "diversity": float(1 - np.mean(alike)),
        "coverage": float((shown > 0).mean()),
        "top tenth": float(shown[:tenth].sum() / shown.sum()),
    }


def matches(index: ProductIndex, q: Queries, scores: Array, k: int = 10) -> tuple[Array, NDArray[np.bool_]]:
    """The match that cards would show on the first k answers to these queries, and whether each is right: (n, k) both.

    An answer that is not there has a match of NaN.
    """
    order = np.argsort(-scores, axis=1)[:, :k]
    stands = standing(scores)
    shown = np.take_along_axis(stands, order, 1)
    photo, words, edit = present(q.image), present(q.text), present(q.origin)
    match = np.full(order.shape, np.nan, np.float32)
    right = np.zeros(order.shape, bool)
    for row, first in enumerate(order):
        kind = "both" if photo[row] and words[row] else "image" if photo[row] else "text"
        kind = "edit" if edit[row] else kind
        there = np.isfinite(shown[row])
        match[row, there] = index.calibration.match(kind, shown[row, there], stands[row])
        right[row] = np.isin(first, q.targets[row])
    return match, right


def evaluate(index: ProductIndex, q: Queries) -> dict[str, Any]:
    """Metrics with intervals for the head and its baselines: on all queries, and (`unseen`) on what no training saw.

    `paired` compares the head with the best baseline, metric by metric; `lists`, `calibration` and `reliability` say
    what the answers are like and how true their match is. What counts as evidence (`unseen` where there is any) also
    has `curve`, the price of variety, and `examples`, worst first.

    An unseen query has a held-out reference, if any, and at least one held-out right answer; right answers that
    training did see are taken out of its ranking, so that they neither help nor hurt. None where there are none.
    """
    matrices = score_matrices(index, q)
    whole = _table(index, q, matrices)
    ids = set(index.manifest.get("held_out", []))
    held = np.array([p.id in ids for p in index.products])
    keep = np.array([held[t].any() and (r < 0 or held[r]) for t, r in zip(q.targets, q.reference, strict=True)])
    if not keep.any() or held.all():
        return {**whole, **_evidence(index, q, matrices["head"]), "unseen": None}  # type: ignore[arg-type]
    some = q.subset(keep)
    unseen = replace(some, targets=[t[held[t]] for t in some.targets])
    cut = {name: s[keep] if s is not None else None for name, s in matrices.items()}
    for row, targets in enumerate(some.targets):
        for s in cut.values():
            if s is not None:
                s[row, targets[~held[targets]]] = -np.inf
    return {**whole, "unseen": {**_table(index, unseen, cut), **_evidence(index, unseen, cut["head"])}}  # type: ignore[arg-type]


def _table(index: ProductIndex, q: Queries, matrices: dict[str, Array | None]) -> dict[str, Any]:
    values = {name: per_query(s, q.targets) if s is not None else None for name, s in matrices.items()}
    rankers = {name: {m: interval(v) for m, v in of.items()} if of else None for name, of in values.items()}
    compared = {}
    for metric in METRICS:
        best = max((n for n in RANKERS[1:] if values[n]), key=lambda n: values[n][metric].mean())  # type: ignore[index]
        compared[metric] = {"against": best, **paired(values["head"][metric], values[best][metric])}  # type: ignore[index]
    match, right = matches(index, q, matrices["head"])  # type: ignore[arg-type]
    stated = np.isfinite(match)
    return {
        "queries": len(q),
        "rankers": rankers,
        "paired": compared,
        "lists": {name: lists(s, _common(index)) if s is not None else None for name, s in matrices.items()},
        "calibration": calibration_error(match[stated], right[stated]),
        "reliability": reliability(match[stated], right[stated]),
    }


def _evidence(index: ProductIndex, q: Queries, scores: Array) -> dict[str, Any]:
    match, right = matches(index, q, scores)
    common = _common(index)
    return {
        "curve": relevance_diversity_curve(scores, common, q.targets),
        "examples": examples(index, q, scores, match[:, 0], right[:, 0], common),
        "most shown": most_shown(index, scores),
    }


def _common(index: ProductIndex) -> Array:
    """One space to compare the lists of all rankers in: the untrained mean of picture and text."""
    mean = Mean(index.head.dim, index.image.shape[1], index.text.shape[1])
    return mean.fuse(image=index.image, text=index.text)


def as_text(result: dict[str, Any]) -> str:
    """The result as a table for a terminal."""
    lines = []
    for title, part in (("all queries", result), ("queries of products never trained on", result.get("unseen"))):
        if not part:
            continue
        lines.append(f"{title}: {part['queries']}")
        lines.append("".join(["ranker".ljust(8), *(m.rjust(22) for m in METRICS)]))
        for name in RANKERS:
            metrics = part["rankers"][name]
            cells = (
                [f"{v['value']:.3f} [{v['low']:.3f}, {v['high']:.3f}]".rjust(22) for v in metrics.values()]
                if metrics
                else ["cannot answer these".rjust(22)]
            )
            lines.append(name.ljust(8) + "".join(cells))
        for metric in ("recall@1", "recall@10"):
            c = part["paired"][metric]
            lines.append(
                f"head against {c['against']}, {metric}: {c['value']:+.3f} [{c['low']:+.3f}, {c['high']:+.3f}], "
                f"p = {c['p']:.4f}"
            )
        lines.append("")
    shown = result["lists"]["head"]
    lines.append(
        f"lists of ten: diversity {shown['diversity']:.2f}, coverage {shown['coverage']:.0%} of the catalogue, the "
        f"most shown tenth takes {shown['top tenth']:.0%}; calibration error of the match {result['calibration']:.3f}"
    )
    return "\n".join(lines)

"""The report of an index as a page in Markdown: what was measured when it was built, in words, tables and plots."""

from collections.abc import Mapping, Sequence

from mmdemo.core.messages import N_, Message
from mmdemo.core.metrics import GRADED_METRICS, RANKING_METRICS, Interval
from mmdemo.evaluate.plots import MATCH_PLOT, RANKER_NAMES, RECALL_PLOT, VARIETY_PLOT
from mmdemo.evaluate.report import (
    RANKERS,
    BehaviourFigures,
    Figures,
    GradedSort,
    Headline,
    LinkFigures,
    MapCheck,
    OutOfCatalogue,
    Picture,
    Report,
)
from mmdemo.fusion.training_tasks import TEXT_TO_IMAGE

SORT_NAMES = {
    "photo": N_("a photo"),
    "sentence": N_("a sentence"),
    "photo and words": N_("a photo and words"),
    "edit": N_("a product and a wish"),
    "reference": N_("a product"),
}
GRADED_NAMES = {"ndcg@10": "nDCG@10", "kind@10": N_("of the kind"), "wishes@10": N_("meeting every wish")}
MODEL_NAMES = {
    "fused": N_("together"),
    "popularity": N_("popularity"),
    "popularity of all time": N_("all time"),
    "item-kNN": "item-kNN",
    "EASE": "EASE",
    "ALS": "ALS",
    "content map": N_("content"),
}
MAP_PICTURES = {"query": "query's photo", "product": "product's picture"}
TASK_NAMES = {
    "photo": N_("With a photo"),
    "words": N_("With half of a title's words"),
    "photo and words": N_("With a photo and words"),
    "other views": N_("With a photo from another side"),
    "other photos": N_("With another photo"),
    "edits": N_("With a product and a wish"),
    "other views and words": N_("With a photo from another side and words"),
    "other photos and words": N_("With another photo and words"),
    "sentences": N_("With a sentence"),
    "names": N_("With a name"),
    "names with a slip": N_("With a misspelt name"),
    "similar": N_("From a product to its variants"),
    "links": N_("From a product to what goes with it"),
}


def as_markdown(name: str, report: Report) -> str:
    """The page: figures with 95% intervals, each beside its baselines, and what they cost."""
    lines = [f"# How good the index “{name}” is", ""]
    if sentence := accepted(report.relevance):
        lines += [sentence, ""]
    lines += [_sentence(headline) + "\n" for headline in report.headlines]
    lines += [report.fit.note, ""]
    if note := report.split.note:
        lines += [f"{note[0].upper()}{note[1:]}.", ""]
    lines += _about_relevance(report.relevance)
    lines += ["## Is the right product found?", "", f"![recall@10 by task]({RECALL_PLOT})", ""]
    for task, figures in report.measured.items():
        lines += _task(task, figures, "of products never trained on" if report.is_evidence(task) else "")
    lines += [f"{task.capitalize()}: {note}\n" for task, note in report.not_measured.items()]
    lines += [
        "## Is the match true?",
        "",
        f"![stated against right]({MATCH_PLOT})",
        "",
        *about_rejections(report.out_of_catalogue or OutOfCatalogue(note="not measured")),
        "",
    ]
    lines += _about_links(report.related)
    if report.behaviour:
        lines += ["## What people did", "", *about_behaviour(report.behaviour), ""]
    if report.maps:
        lines += ["## Are the heat maps true?", "", *about_maps(report.maps), ""]
    lines += ["## What variety costs", "", f"![recall@10 against variety]({VARIETY_PLOT})", ""]
    lines += [*_about_heads(report.fit.validation), *_about_cost(report)]
    return "\n".join(lines) + "\n"


def accepted(relevance: Sequence[GradedSort]) -> Message | None:
    """How many of ten answers a shopper would accept: the mean over the sorts of query, and the worst of them."""
    if not relevance:
        return None
    of_ten = {graded.sort: 10 * _head(graded)["kind@10"].value for graded in relevance}
    worst = min(of_ten, key=lambda sort: of_ten[sort])
    return Message(
        "Of ten answers {mean:.1f} are of the kind that was asked for, the mean over {n} sorts of query; the worst is "
        "{worst} with {least:.1f}.",
        mean=sum(of_ten.values()) / len(of_ten),
        n=len(of_ten),
        worst=Message(SORT_NAMES[worst]),
        least=of_ten[worst],
    )


def _head(graded: GradedSort) -> dict[str, Interval]:
    head = graded.figures.rankers["head"]
    assert head is not None  # the head answers everything
    return head


def _about_relevance(relevance: Sequence[GradedSort]) -> list[str]:
    """How good answers are as recommendations, by sort of query; nothing where no wishes are known."""
    if not relevance:
        return []
    lines = [
        "## Would a shopper accept the answers?",
        "",
        "nDCG@10 with the gains 1, 0.1, 0.01 and 0 for exact, substitute, complement and irrelevant; the share of ten "
        "answers that are of the kind asked for, and that meet every wish.",
        "",
        "| query | task | ranker | " + " | ".join(GRADED_NAMES[m] for m in GRADED_METRICS) + " |",
        "|---" * (3 + len(GRADED_METRICS)) + "|",
    ]
    for graded in relevance:
        for ranker, metrics in graded.figures.rankers.items():
            if metrics is None:
                continue
            cells = [f"{v.value:.3f} [{v.low:.3f}, {v.high:.3f}]" for v in metrics.values()]
            task = f"{graded.task} ({graded.figures.queries})"
            lines.append(f"| {SORT_NAMES[graded.sort]} | {task} | {RANKER_NAMES[ranker]} | " + " | ".join(cells) + " |")
    lines.append("")
    for graded in relevance:
        c = graded.figures.paired["ndcg@10"]
        difference = f"nDCG@10 {c.value:+.3f} [{c.low:+.3f}, {c.high:+.3f}], p = {c.p:.4f}"
        lines.append(f"- {SORT_NAMES[graded.sort]}: fused against {RANKER_NAMES[c.against]}, {difference}")
    return [*lines, ""]


def _about_links(related: LinkFigures | None) -> list[str]:
    """How well the index says what goes with a product; nothing where no links were tried."""
    if related is None or related.learnt is None or related.alike is None or related.paired is None:
        return []
    learnt, alike, gain = related.learnt, related.alike, related.paired
    return [
        "## What goes together",
        "",
        f"nDCG@10 for what goes with {related.queries} products whose links no training saw: {learnt.value:.3f} "
        f"[{learnt.low:.3f}, {learnt.high:.3f}] as learnt from other links, {alike.value:.3f} [{alike.low:.3f}, "
        f"{alike.high:.3f}] by likeness alone ({gain.value:+.3f}, p = {gain.p:.4f}).",
        "",
    ]


def about_behaviour(figures: BehaviourFigures) -> list[str]:
    """What was learnt from what people did, and how well it foretells what they do next."""
    lines = [learnt_from(figures), ""] if figures.events else []
    if figures.judged:
        lines += [f"nDCG@10 of what {figures.judged:,} people did next, in the last part of the time:", ""]
        lines += ["| model | nDCG@10 |", "|---|---|"]
        lines += [f"| {n} | {v.value:.3f} [{v.low:.3f}, {v.high:.3f}] |" for n, v in figures.rankers.items()]
        lines.append("")
    return [*lines, *(f"- {note}" for note in figures.notes)]


def learnt_from(figures: BehaviourFigures) -> Message:
    """From how much behaviour was learnt, how long it took, and which model answers."""
    judged = N_(
        "Learnt in {seconds:.0f} s from {events:,} likes by {people:,} people of {products:,} products; by what people "
        "did next, the best is: {answers}."
    )
    few = N_(
        "Learnt in {seconds:.0f} s from {events:,} likes by {people:,} people of {products:,} products: too few "
        "people for more than popularity."
    )
    answers = Message(MODEL_NAMES[figures.answers])
    of = {name: getattr(figures, name) for name in ("seconds", "events", "people", "products")}
    return Message(judged if figures.judged else few, **of, answers=answers)


def _about_heads(scores: dict[str, dict[str, float]]) -> list[str]:
    """The validation figures of all heads; nothing where none was trained."""
    if not scores:
        return []
    tasks = [task for task in next(iter(scores.values())) if task != "all"]
    lines = ["## The heads", "", "Mean reciprocal rank on the validation products; one was chosen by these.", ""]
    if TEXT_TO_IMAGE in tasks:
        lines[-2] += " Wordless: words ask for products that are shown without theirs."
    lines += ["| head | " + " | ".join([*tasks, "mean over tasks"]) + " |", "|---" * (len(tasks) + 2) + "|"]
    lines += [f"| {h} | " + " | ".join(f"{f[t]:.3f}" for t in [*tasks, "all"]) + " |" for h, f in scores.items()]
    return lines


def _about_cost(report: Report) -> list[str]:
    """What building, asking and keeping the index costs, and what was refused."""
    lines = ["", "## Cost", ""]
    if (seconds := report.seconds) and seconds.encode is not None:
        lines.append(f"Encoding took {seconds.encode:.0f} s, fitting {seconds.fit:.0f} s.")
    if cost := report.cost:
        lines.append(
            f"A query takes {cost.query_milliseconds:.0f} ms (median). The index takes {cost.index_megabytes:.1f} MB, "
            f"the encoder {cost.encoder_megabytes:.1f} MB."
        )
    if store := report.store:
        lines.append(
            f"The vectors are searched by {store.kind}, which finds {store.recall:.1%} of the true ten nearest."
        )
    if report.refused:
        lines.append(f"{len(report.refused)} rows or pictures were refused; `report.json` has the reasons.")
    return lines


def _sentence(headline: Headline) -> str:
    alone = ""
    if headline.single is not None and headline.alone is not None:
        alone = f"; {RANKER_NAMES[headline.single]}, in {100 * headline.alone:.0f}"
    return (
        f"{TASK_NAMES.get(headline.task, headline.task)} the right product is among the first ten in "
        f"{100 * headline.found:.0f} of 100 tries{alone} ({headline.queries} queries)."
    )


def _task(task: str, figures: Figures, of: str) -> list[str]:
    lines = [f"## {task.capitalize()}: {figures.queries} queries {of}".rstrip(), ""]
    lines += ["| | " + " | ".join(RANKING_METRICS) + " |", "|---" * (len(RANKING_METRICS) + 1) + "|"]
    for ranker in RANKERS:
        metrics = figures.rankers[ranker] or {}
        cells = [f"{v.value:.3f} [{v.low:.3f}, {v.high:.3f}]" for v in metrics.values()]
        lines.append(f"| {RANKER_NAMES[ranker]} | " + " | ".join(cells or ["–"] * len(RANKING_METRICS)) + " |")
    lines += ["", verdict(figures), *_embeddings_only(figures)]
    if lists := figures.lists.get("head"):
        lines.append(
            f"Lists of ten: diversity {lists.diversity:.2f}; {lists.coverage:.0%} of the catalogue comes up; "
            f"the most shown tenth takes {lists.top_tenth:.0%} of all places. The match per cent is off by "
            f"{figures.calibration:.3f} on average."
        )
    lines.append("")
    missed = [e for e in figures.examples.get("worst", []) if e.rank > 10][:3]
    for e in missed:
        query = " and ".join(filter(None, [f"`{e.picture}`" if e.picture else "", f"“{e.text}”" if e.text else ""]))
        lines.append(f"- {query}: `{e.right[0]}` came at {e.rank}, `{e.answers[0]}` first")
    return [*lines, ""] if missed else lines


def _embeddings_only(figures: Figures) -> list[str]:
    """What the embeddings bring without the reading of sentences, where a report has both."""
    rankers = figures.embeddings_only.rankers if figures.embeddings_only else {}
    if not rankers or rankers == figures.rankers:
        return []
    cells = [f"{RANKER_NAMES[name]} {row['recall@10'].value:.3f}" for name, row in rankers.items() if row]
    return [f"Without reading the sentences, recall@10: {', '.join(cells)}."]


def about_rejections(figures: OutOfCatalogue) -> list[str]:
    """How often "nothing matches" is right, in a sentence for photos and one for words; or why that is not known."""
    if figures.note:
        return [f"“Nothing matches”: {figures.note}."]
    return [
        f"“Nothing matches”, {query}: said to {_per_cent(of.turned_away)} of {of.strangers} things not sold here "
        f"(from “{figures.catalogue}”), and by mistake to {_per_cent(of.mistaken)} of {of.own} that are."
        for query, of in figures.by_query.items()
    ]


def about_maps(maps: Mapping[Picture, MapCheck]) -> list[str]:
    """How far the heat maps may be believed, in a sentence for each picture they are drawn over."""
    return [
        f"Over the {MAP_PICTURES[picture]} ({m.pairs} first answers): with the marked cells hidden first "
        f"{_per_cent(m.deletion)} of what the picture brings is left, in random order "
        f"{_per_cent(m.random_deletion)}; shown first, {_per_cent(m.insertion)}. Better than random order by "
        f"{m.gain.value:+.2f} [{m.gain.low:+.2f}, {m.gain.high:+.2f}]."
        for picture, m in maps.items()
    ]


def _per_cent(v: Interval) -> str:
    return f"{v.value:.0%} [{v.low:.0%}, {v.high:.0%}]"


def verdict(figures: Figures) -> str:
    """One sentence: is the fused search better than the best it is made of, and can chance explain that?"""
    c = figures.paired["recall@10"]
    difference = f"recall@10 {c.value:+.3f} [{c.low:+.3f}, {c.high:+.3f}], p = {c.p:.4f}"
    if c.p > 0.05:
        return f"No clear difference between fused and {RANKER_NAMES[c.against]} ({difference})."
    return f"Fused is {'better' if c.value > 0 else 'worse'} than {RANKER_NAMES[c.against]} ({difference})."

"""The report of an index as typed values: what was measured, task by task, and what the first sentences about it are.

`report.json` is the same in JSON. Knows nothing of how anything is measured or shown.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, PlainValidator

from mmdemo.core.metrics import Difference, Interval, ListStatistics, ReliabilityBin

Ranker = Literal["head", "image", "text", "mean"]
RANKERS: tuple[Ranker, ...] = ("head", "image", "text", "mean")
Note = Annotated[str, PlainValidator(lambda note: note)]  # a message keeps its template, for the page to translate
GradedRanker = Literal["head", "image", "text", "mean", "popularity", "chance"]
ExampleOrder = Literal["worst", "best", "misjudged", "alike"]
Picture = Literal["query", "product"]  # whose picture a heat map is drawn over

# The tasks that the first sentences are about, where there are any: of each line the first that is asked often enough,
# since another photo says more than a crop of the shop's.
HEADLINE_TASKS = (("edits",), ("other photos and words", "photo and words"))
ENOUGH = 30  # queries
# The sorts of query, each with its tasks: the first that is asked often enough stands for it.
SORTS = {
    "photo": ("other photos", "other views", "photo"),
    "sentence": ("sentences", "words"),
    "photo and words": ("other photos and words", "other views and words", "photo and words"),
    "edit": ("edits",),
    "reference": ("similar",),
}


# What fields are called in the JSON, where that is no name in Python or an older one.
JSON_NAMES = {
    "recall": "recall@10",
    "most_shown": "most shown",
    "turned_away": "turned away",
    "half_a_title": "half a title",
    "out_of_catalogue": "strangers",
    "training_seconds": "training seconds",
    "query_milliseconds": "query milliseconds",
    "index_megabytes": "index megabytes",
    "encoder_megabytes": "encoder megabytes",
}


class _Part(BaseModel):
    """A part of a report. What was not measured, or not yet in an older report, is unset and stays out of the JSON."""

    model_config = ConfigDict(
        frozen=True, populate_by_name=True, extra="ignore", alias_generator=lambda field: JSON_NAMES.get(field, field)
    )

    def as_dict(self) -> dict[str, Any]:
        """The part as it stands in `report.json`; messages stay messages."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def with_(self, **fields: Any) -> Self:
        """A copy with some fields set."""
        return self.model_copy(update=fields)


class Comparison(_Part):
    """The head against the best baseline: the mean difference over the same queries, its 95% interval and its p."""

    against: GradedRanker
    value: float
    low: float
    high: float
    p: float

    @classmethod
    def of(cls, against: GradedRanker, difference: Difference) -> Self:
        """The difference, and from what."""
        return cls(against=against, **vars(difference))


class DiversityPoint(_Part):
    """What one step of the variety slider costs: recall@10, and the mean distance within a list of ten."""

    diversity: float
    recall: float
    distance: float


class Example(_Part):
    """A query behind a figure: its words and the id of the product in its photo (either may be ""), the `right` ids,
    the `rank` of the first of them, the first `answers`, the `match` stated for the first, and the first ten's variety.
    `photo` is a small WebP in base64 of what was asked with, where that is no picture of the catalogue.
    """

    text: str
    picture: str
    right: list[str]
    rank: int
    answers: list[str]
    match: float
    variety: float
    photo: str = ""


class ProductFrequency(_Part):
    """The share of `lists` of ten that hold a product."""

    id: str
    lists: float


RankerFigures = dict[Ranker, dict[str, Interval] | None]  # by metric; None for one that cannot answer these queries


class EmbeddingsOnly(_Part):
    """The figures of every ranker without the reading of sentences."""

    rankers: RankerFigures


class GradedFigures(_Part):
    """How good answers are as recommendations, over the queries whose wishes are known: nDCG@10 with grades, and the
    precision of kind and of wishes among ten, for every ranker and for popularity or chance."""

    queries: int
    rankers: dict[GradedRanker, dict[str, Interval] | None]
    paired: dict[str, Comparison]


class Figures(_Part):
    """What was measured over some queries, as deployed, with 95% intervals."""

    queries: int
    relevance: GradedFigures | None = None
    rankers: RankerFigures
    embeddings_only: EmbeddingsOnly | None = None
    paired: dict[str, Comparison] = {}
    lists: dict[Ranker, ListStatistics | None] = {}
    calibration: float = 0.0
    reliability: list[ReliabilityBin] = []
    curve: list[DiversityPoint] = []
    examples: dict[ExampleOrder, list[Example]] = {}
    most_shown: list[ProductFrequency] = []


class Evaluation(Figures):
    """The figures over all queries, and over those of products that no training saw (`unseen`, where there are any)."""

    unseen: Figures | None = None
    note: Note = ""

    @property
    def evidence(self) -> Figures:
        """What counts: the figures on products that no training saw, where there are any."""
        return self.unseen or self


class NotMeasured(_Part):
    """Why a task has no figures."""

    note: Note


class AcceptedStranger(_Part):
    """A thing that is not sold, answered as if it were: its title, the `match` of the first answer, and the answers."""

    title: str
    match: float
    answers: list[str]


class Rejections(_Part):
    """How often "nothing matches" was said to things not sold here, and by mistake to the shop's own, with intervals;
    and the worst examples."""

    strangers: int
    own: int
    turned_away: Interval
    mistaken: Interval
    examples: list[AcceptedStranger]


class OutOfCatalogue(_Part):
    """ "Nothing matches" by what was asked with, and the name of the catalogue of other things; or why it was not
    measured."""

    note: Note = ""
    catalogue: str = ""
    photo: Rejections | None = None
    title: Rejections | None = None
    half_a_title: Rejections | None = None

    @property
    def by_query(self) -> dict[str, Rejections]:
        """The figures by what was asked with, under the names that the report has for them."""
        every = {"photo": self.photo, "title": self.title, "half a title": self.half_a_title}
        return {name: figures for name, figures in every.items() if figures is not None}


class MapCheck(_Part):
    """Heat maps over `pairs` of query and first answer against random order; `gain` above zero is better than that."""

    pairs: int
    deletion: Interval
    insertion: Interval
    random_deletion: Interval
    random_insertion: Interval
    gain: Interval


class LinkFigures(_Part):
    """nDCG@10 for what goes with products whose links no training saw, as `learnt` from others and by being `alike`."""

    queries: int
    learnt: Interval | None = None
    alike: Interval | None = None
    paired: Difference | None = None


class BehaviourFigures(_Part):
    """What was learnt from what people did: from how many likes, people and products, with `notes` on what there is
    little of; which model `answers`, in how many `seconds` it was found, and nDCG@10 of each on what so many `judged`
    people did next, none where too few did anything."""

    notes: list[Note] = []
    events: int = 0
    people: int = 0
    products: int = 0
    answers: str = ""
    seconds: float = 0.0
    judged: int = 0
    rankers: dict[str, Interval] = {}


class Fit(_Part):
    """Which head was chosen and why, every head's mean reciprocal rank in validation, and the seconds it took."""

    head: str = ""
    note: Note = ""
    validation: dict[str, dict[str, float]] = {}
    seconds: float = 0.0


class Split(_Part):
    """The columns by which products were split, and a note where the encoder was trained on another split."""

    columns: list[str] = []
    note: Note = ""


class Seconds(_Part):
    """How long the steps of a build took."""

    fit: float
    encode: float | None = None


class RefusedRow(_Part):
    """A row or a picture that was refused, and why."""

    row: int
    id: str
    column: str
    reason: Note


class StoreFigures(_Part):
    """Where vectors are searched, and its recall against exact search; further keys are the store's own parameters."""

    model_config = ConfigDict(extra="allow")

    kind: str
    recall: float


class Cost(_Part):
    """What building, asking and keeping an index costs."""

    training_seconds: float
    query_milliseconds: float
    index_megabytes: float
    encoder_megabytes: float


class GradedSort(_Part):
    """The graded figures of one sort of query, of the task that stands for it."""

    sort: str
    task: str
    figures: GradedFigures


class Headline(_Part):
    """The share `found` among the first ten, and that of the best `single` ranker, photo or words `alone`."""

    task: str
    found: float
    single: Ranker | None
    alone: float | None
    queries: int


class Report(_Part):
    """Everything that was measured of an index when it was built.

    Examples
    --------
    >>> Report.read({"products": 12, "tasks": {"edits": {"note": "none of the queries fits"}}}).measured
    {}
    """

    products: int | None = None
    fit: Fit = Fit()
    split: Split = Split()
    refused: list[RefusedRow] = []
    seconds: Seconds | None = None
    embedding: dict[str, Any] = {}
    related: LinkFigures | None = None
    behaviour: BehaviourFigures | None = None
    tasks: dict[str, Evaluation | NotMeasured] = {}
    out_of_catalogue: OutOfCatalogue | None = None
    maps: dict[Picture, MapCheck] = {}
    cost: Cost | None = None
    store: StoreFigures | None = None

    @classmethod
    def read(cls, report: Mapping[str, Any]) -> Self:
        """A report out of its JSON, as an index holds it.

        Parameters
        ----------
        report
            What `as_dict` gives, or `report.json` of this version of the program or an older one.
        """
        return cls.model_validate(dict(report))

    @property
    def measured(self) -> dict[str, Figures]:
        """The figures of every task, on products that no training saw where there are any."""
        return {name: task.evidence for name, task in self.tasks.items() if isinstance(task, Evaluation)}

    @property
    def not_measured(self) -> dict[str, Note]:
        """Why a task has no figures."""
        return {name: task.note for name, task in self.tasks.items() if isinstance(task, NotMeasured)}

    def is_evidence(self, task: str) -> bool:
        """Whether a task's figures are of products that no training saw, or of an index without training."""
        trained = bool(self.fit.validation or self.split.note)
        measured = self.tasks[task]
        return not trained or (isinstance(measured, Evaluation) and measured.unseen is not None)

    @property
    def relevance(self) -> list[GradedSort]:
        """The graded figures by sort of query, in the order of SORTS; of evidence alone."""
        tables = {
            task: figures.relevance
            for task, figures in self.measured.items()
            if figures.relevance is not None and self.is_evidence(task)
        }
        sorts: list[GradedSort] = []
        for sort, tasks in SORTS.items():
            there = [task for task in tasks if task in tables]
            enough = [task for task in there if tables[task].queries >= ENOUGH] or there[-1:]
            for task in enough[:1]:
                sorts.append(GradedSort(sort=sort, task=task, figures=tables[task]))
        return sorts

    @property
    def headlines(self) -> list[Headline]:
        """What the first sentences say; of evidence alone, so empty where there is none."""
        tables = {task: table for task, table in self.measured.items() if self.is_evidence(task)}
        candidates = [[task for task in tasks if task in tables] for tasks in HEADLINE_TASKS]
        enough = [[task for task in tasks if tables[task].queries >= ENOUGH] or tasks[-1:] for tasks in candidates]
        chosen = [tasks[0] for tasks in enough if tasks] or list(tables)[:1]
        return [_headline(task, tables[task]) for task in chosen]


def _headline(task: str, figures: Figures) -> Headline:
    recall = {ranker: metrics["recall@10"].value for ranker, metrics in figures.rankers.items() if metrics}
    singles: tuple[Ranker, ...] = ("image", "text")
    single = max((ranker for ranker in singles if ranker in recall), key=lambda ranker: recall[ranker], default=None)
    alone = recall[single] if single else None
    return Headline(task=task, found=recall["head"], single=single, alone=alone, queries=figures.queries)

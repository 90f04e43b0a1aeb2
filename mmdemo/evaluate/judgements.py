"""What people think of answers: a file of grades by query and product, and how far they agree with the graded rule.

Knows nothing of how an answer is shown to a judge.
"""

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from mmdemo.core.errors import InputError
from mmdemo.core.metrics import Interval, bootstrap_interval, cohen_kappa, graded_metrics
from mmdemo.core.vectors import Array
from mmdemo.encode.encoder import Encoder
from mmdemo.evaluate.evaluation import score_matrices
from mmdemo.evaluate.graded import CODES, EXACT, GAIN_OF_CODE, SUBSTITUTE, Grader
from mmdemo.evaluate.queries import Queries
from mmdemo.evaluate.report import GradedRanker, Ranker
from mmdemo.evaluate.sentences import read_sentences
from mmdemo.evaluate.shopper_sentences import shopper_sentences
from mmdemo.evaluate.tasks import held_out_rows
from mmdemo.index.product_index import ProductIndex
from mmdemo.language.relevance import Grade

FILE = "judgements.csv"
DRAWN = 60  # sentences to judge, where nobody gives any
LETTERS = {grade.value[0].upper(): grade for grade in Grade}  # E, S, C, I


@dataclass(frozen=True)
class Judgement:
    """One judge's grade, a letter, of one product for one query, and when it was given (ISO 8601, UTC)."""

    query: str
    product_id: str
    grade: str
    judge: str
    time: str


COLUMNS = tuple(field.name for field in fields(Judgement))


class JudgementFile:
    """A CSV of judgements that grows by a line for each; raises InputError for a file of another kind.

    Examples
    --------
    >>> JudgementFile(Path("judgements.csv")).add("red mug", "mug-1", "E", "anna")  # doctest: +SKIP
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.judgements = _read(path) if path.is_file() else []

    def add(self, query: str, product_id: str, grade: str, judge: str) -> None:
        """Keep a grade: it is on disk when this returns."""
        judgement = Judgement(query, product_id, grade, judge, datetime.now(UTC).isoformat(timespec="seconds"))
        fresh = not self.path.is_file()
        with self.path.open("a", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            if fresh:
                table.writerow(COLUMNS)
            table.writerow(astuple(judgement))
            file.flush()
            os.fsync(file.fileno())
        self.judgements.append(judgement)

    def of(self, judge: str) -> dict[tuple[str, str], str]:
        """The judge's latest grade of every (query, product id)."""
        return {(j.query, j.product_id): j.grade for j in self.judgements if j.judge == judge}


def _read(path: Path) -> list[Judgement]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise InputError("the judgements '{path}' cannot be read: {reason}", path=path, reason=e) from None
    for line, row in enumerate(rows, 2):
        if any(row.get(name) is None for name in COLUMNS) or row["grade"] not in LETTERS:
            raise InputError(
                "line {line} of '{name}' is no judgement: expected the columns {columns} and a grade of {letters}",
                line=line,
                name=path.name,
                columns=", ".join(COLUMNS),
                letters=", ".join(LETTERS),
            )
    return [Judgement(**{name: row[name] for name in COLUMNS}) for row in rows]


def ranked_answers(
    index: ProductIndex, encoder: Encoder, q: Queries | None = None
) -> tuple[Queries, Mapping[Ranker, Array | None]]:
    """Queries to judge and the scores of every ranker; without `q`, always the same sentences of the catalogue.

    Raises InputError for a catalogue that no sentences can be drawn from.
    """
    if q is None:
        rng = np.random.default_rng(0)
        rows = rng.permutation(held_out_rows(index))[:DRAWN].tolist()
        q = shopper_sentences(index, encoder, rows, rng)
        if q is None:
            raise InputError("this catalogue has no kinds and values to ask for; give --queries FILE")
    as_read = read_sentences(index, encoder, q)
    return as_read, score_matrices(index, as_read)


def judgements_beside(index: ProductIndex) -> Path:
    """Where the page keeps grades: in the folder of the index, or in the working folder where that is not writable."""
    folder = index.folder.parent
    return (folder if os.access(folder, os.W_OK) else Path.cwd()) / FILE


@dataclass(frozen=True)
class Item:
    """One answer to judge: the row of its query, and its product's."""

    query: int
    product: int


def query_name(q: Queries, row: int) -> str:
    """What a query is called in a file of judgements: its words, after the product that it shows in brackets."""
    return " ".join(filter(None, [f"[{q.shows[row]}]" if q.shows[row] else "", q.said[row]]))


def pooled_answers(q: Queries, matrices: Mapping[Ranker, Array | None], depth: int = 5) -> list[Item]:
    """The first answers of every ranker, query by query, each once, in an order that tells nothing of who ranked it
    where. It is the same each time, so that a judge can go on."""
    items = []
    for row in range(len(q)):
        first: set[int] = set()
        for scores in matrices.values():
            if scores is not None:
                order = np.argsort(-scores[row], kind="stable")[:depth]
                first |= {int(r) for r in order if np.isfinite(scores[row, r])}
        shuffled = np.random.default_rng(crc32(query_name(q, row).encode())).permutation(sorted(first))
        items += [Item(row, int(product)) for product in shuffled]
    return items


@dataclass(frozen=True)
class Agreement:
    """How far a judge agrees with the graded rule over `count` answers: the share alike, and Cohen's kappa."""

    count: int
    raw: float
    kappa: float

    def __str__(self) -> str:
        return f"{self.raw:.0%} of {self.count} as the rule grades them, Cohen's kappa {self.kappa:.2f}"


class JudgingSession:
    """One judge's way through the pooled answers, from the first that the judge has not graded yet."""

    def __init__(
        self, index: ProductIndex, q: Queries, matrices: Mapping[Ranker, Array | None], file: JudgementFile, judge: str
    ) -> None:
        self.index, self.q, self.judge = index, q, judge
        self._file = file
        self.items = pooled_answers(q, matrices)
        self._grader = Grader(index)
        self._rule: dict[int, NDArray[np.int8] | None] = {}

    @property
    def next(self) -> Item | None:
        """The first answer that this judge has not graded; None at the end."""
        given = self._file.of(self.judge)
        return next((item for item in self.items if self._key(item) not in given), None)

    @property
    def done(self) -> int:
        """How many of the answers this judge has graded."""
        given = self._file.of(self.judge)
        return sum(self._key(item) in given for item in self.items)

    def grade(self, item: Item, letter: str) -> None:
        """Keep a grade; raises InputError for a letter that is none of LETTERS."""
        if letter not in LETTERS:
            raise InputError("expected a grade of {letters}, found {letter}", letters=", ".join(LETTERS), letter=letter)
        self._file.add(*self._key(item), letter, self.judge)

    def agreement(self) -> Agreement:
        """With the graded rule, over what this judge has graded and the rule can grade."""
        given = self._file.of(self.judge)
        pairs = [
            (given[self._key(item)], CODES[codes[item.product]].value[0].upper())
            for item in self.items
            if self._key(item) in given and (codes := self._codes(item.query)) is not None
        ]
        by_judge, by_rule = [a for a, _ in pairs], [b for _, b in pairs]
        alike = sum(a == b for a, b in pairs) / len(pairs) if pairs else 0.0
        return Agreement(len(pairs), alike, cohen_kappa(by_judge, by_rule))

    def _key(self, item: Item) -> tuple[str, str]:
        return query_name(self.q, item.query), self.index.products[item.product].id

    def _codes(self, row: int) -> NDArray[np.int8] | None:
        if row not in self._rule:
            asked = self._grader.asked_of(self.q, row)
            self._rule[row] = None if asked is None else self._grader.grades(asked)
        return self._rule[row]


def judged_figures(
    index: ProductIndex,
    q: Queries,
    matrices: Mapping[Ranker, Array | None],
    judgements: Sequence[Judgement],
) -> dict[GradedRanker, dict[str, Interval] | None]:
    """The graded figures of every ranker by what people think: an answer that nobody judged is irrelevant, and the
    middle of several judges' grades counts. Only queries with an answer judged exact count; empty where there is none.
    """
    rows = {query_name(q, row): row for row in range(len(q))}
    given: dict[tuple[int, int], list[int]] = {}
    for j in judgements:
        if j.query in rows and index.holds(j.product_id):
            place = (rows[j.query], index.row(j.product_id))
            given.setdefault(place, []).append(CODES.index(LETTERS[j.grade]))
    codes = np.full((len(q), len(index)), CODES.index(Grade.IRRELEVANT), np.int8)
    for place, grades in given.items():
        codes[place] = sorted(grades)[len(grades) // 2]
    judged = (codes == EXACT).any(1)
    if not judged.any():
        return {}
    codes = codes[judged]
    values = {
        ranker: graded_metrics(scores[judged], GAIN_OF_CODE[codes], codes <= SUBSTITUTE, codes == EXACT)
        if scores is not None
        else None
        for ranker, scores in matrices.items()
    }
    return {
        ranker: {name: bootstrap_interval(v) for name, v in of.items()} if of else None for ranker, of in values.items()
    }

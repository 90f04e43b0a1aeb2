"""python -m benchmarks.wordings [INDEX] [--half building|held_out] [--edits edits.csv]: how far the wording matters.

For each kind of wish ("not leather", "at most 40", "this in blue") many wordings, each filled with several values: mean
and worst wording, as PinPoint reports them (arXiv 2603.04598). `data/wordings_building.csv` may be looked at while the
grammar is written, `data/wordings_held_out.csv` only measures. With `--edits`, wordings are also taken from a table of
sentences that people wrote (a column `text`).
"""

import argparse
import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmdemo.catalog.facet_index import FacetIndex
from mmdemo.catalog.product import Product, facets
from mmdemo.core.request import Filter, Query
from mmdemo.language.grammar import Grammar
from mmdemo.language.reading import Reading
from mmdemo.search.recommender import Recommender

HOME = Path(__file__).resolve().parent.parent
DATA, CATALOG = HOME / "benchmarks" / "data", HOME / "assets" / "catalog"
EDITS = 24  # changes of a product that each wording of an edit is filled with
REAL_WORDINGS = 50  # the most frequent ones of a table of real sentences
EDIT_KINDS = ("change", "replace")
MATERIALS_OF_WOOD = ("oak", "walnut", "ash", "beech", "painted wood")

Fill = Mapping[str, str]
Scores = dict[str, list[tuple[float, str]]]


@dataclass(frozen=True)
class Wording:
    """One way to say one kind of wish, with places for values: "{noun} under {n}"."""

    kind: str
    language: str
    template: str
    expected: str = ""  # a filter, where the sentence has no places

    def sentences(self, fills: Sequence[Fill]) -> Iterator[tuple[str, Fill]]:
        """The sentences that these values make; a unit in letters is never joined to more letters ("40 eurosish")."""
        for fill in fills:
            joined = re.search(r"\{[na]\}(?=[a-z-])", self.template)
            if not (joined and fill.get("n", "0")[-1].isalpha()):
                yield self.template.format(**fill), fill


# What the places are filled with, by kind and language. "column" and "values" say what an exclusion leaves out.
FILLS: dict[str, dict[str, list[Fill]]] = {
    "exclude": {
        "en": [
            {"noun": "handbag", "old": "leather", "column": "material", "values": "leather|suede"},
            {"noun": "mug", "old": "red", "column": "colour", "values": "red"},
            {"noun": "cushion", "old": "floral", "column": "pattern", "values": "floral"},
            {"noun": "chair", "old": "wooden", "column": "material", "values": "|".join(MATERIALS_OF_WOOD)},
            {"noun": "sneaker", "old": "black", "column": "colour", "values": "black"},
        ],
        "zh": [
            {"noun": "手提包", "old": "皮革", "column": "material", "values": "leather|suede"},
            {"noun": "马克杯", "old": "红色", "column": "colour", "values": "red"},
            {"noun": "抱枕", "old": "碎花", "column": "pattern", "values": "floral"},
            {"noun": "椅子", "old": "木制", "column": "material", "values": "|".join(MATERIALS_OF_WOOD)},
        ],
    },
    "without": {
        "en": [
            {"noun": "cushion", "feature": "stripes", "column": "pattern", "values": "stripes|pinstripes"},
            {"noun": "mug", "feature": "dots", "column": "pattern", "values": "dots"},
            {"noun": "mug", "feature": "handle"},
            {"noun": "chair", "feature": "arms"},
        ],
        "zh": [
            {"noun": "抱枕", "feature": "条纹", "column": "pattern", "values": "stripes|pinstripes"},
            {"noun": "马克杯", "feature": "波点", "column": "pattern", "values": "dots"},
            {"noun": "马克杯", "feature": "把手"},
            {"noun": "椅子", "feature": "扶手"},
        ],
    },
    "vegan": {
        "en": [
            {"noun": noun, "category": category, "column": "material", "values": "leather|suede"}
            for noun, category in (("handbag", "Handbag"), ("boots", "Boots"))
        ],
        "zh": [
            {"noun": noun, "category": category, "column": "material", "values": "leather|suede"}
            for noun, category in (("手提包", "Handbag"), ("靴子", "Boots"))
        ],
    },
    "price": {
        "en": [{"noun": "lamp", "n": n} for n in ("40", "€40", "40 euros")],
        "zh": [{"noun": "台灯", "n": n} for n in ("40", "40元", "四十元")],
    },
    "price_range": {
        "en": [{"noun": "lamp", "a": a, "b": b} for a, b in (("20", "50"), ("€20", "€50"), ("20", "50 euros"))],
        "zh": [{"noun": "台灯", "a": a, "b": b} for a, b in (("20", "50"), ("20", "50元"), ("二十", "五十元"))],
    },
    "sort": {
        "en": [{"noun": noun} for noun in ("chair", "handbag", "rug")],
        "zh": [{"noun": noun} for noun in ("椅子", "手提包", "地毯")],
    },
    "brand": {
        "en": [
            {"noun": noun, "brand": brand, "column": "brand", "values": value}
            for noun, brand, value in (
                ("sneakers", "Striden", "Striden"),
                ("mug", "Kiln & Kettle", "Kiln & Kettle"),
                ("sweater", "plain thread", "Plain Thread"),
                ("lamp", "lumen & oak", "Lumen & Oak"),
            )
        ],
        "zh": [
            {"noun": noun, "brand": brand, "column": "brand", "values": brand}
            for noun, brand in (("运动鞋", "Striden"), ("马克杯", "Kiln & Kettle"), ("毛衣", "Plain Thread"))
        ],
    },
    "size": {
        "en": [{"noun": "sneakers", "size": "38"}, {"noun": "sneakers", "size": "5"}, {"noun": "dress", "size": "M"}],
        "zh": [{"noun": "运动鞋", "size": "38"}, {"noun": "连衣裙", "size": "M"}],
    },
}
FILLS |= {kind: FILLS["price"] for kind in ("price_max", "price_min", "price_around")}
FILLS |= {kind: FILLS["sort"] for kind in ("cheapest", "dearest")}


class Judge:
    """Whether sentences are read as they are meant, on one index; sizes on a small shop that has them."""

    def __init__(self, recommender: Recommender) -> None:
        self.recommender = recommender
        self.index = FacetIndex(recommender.index.products)
        shop = [
            Product(f"{noun}-{size}-{n}", "", f"{noun} {n}", category=noun, price=30.0, attributes={"size": size})
            for noun, sizes in (("Sneakers", ("5", "36", "38", "40")), ("Dress", ("S", "M", "L")))
            for size in sizes
            for n in range(2)
        ]
        self.shop_with_sizes = Grammar(shop, facets(shop))

    def right(self, wording: Wording, sentence: str, fill: Fill) -> bool:
        """Whether this sentence does what it says, and nothing else."""
        if wording.kind in EDIT_KINDS:
            answer = self.recommender.recommend(Query(text=sentence, reference=fill["reference"], k=1))
            return bool(answer) and answer[0].id in fill["targets"].split()
        if wording.kind == "size":
            return _filters(self.shop_with_sizes.read(sentence)) == [Filter("size", "=", fill["size"])]
        reading = self.recommender.read(Query(text=sentence))
        if "noun" in fill and fill["noun"] not in reading.text:
            return False
        return _CHECKS[wording.kind](self, reading, {**fill, "expected": wording.expected})

    def leaves_out(self, reading: Reading, fill: Fill) -> bool:
        """Whether exactly the products with the unwanted values are left out, or words are turned away from."""
        if "column" not in fill:
            return any(part.kind == "not" for part in reading.parts) and fill["feature"] not in reading.text
        return self._same_rows(reading, Filter(fill["column"], "!=", fill["values"]), fill.get("category", ""))

    def keeps(self, reading: Reading, fill: Fill) -> bool:
        """Whether exactly the products with the wanted values are kept."""
        return self._same_rows(reading, Filter(fill["column"], "=", fill["values"]), "")

    def prices(self, reading: Reading, low: tuple[float, float] | None, high: tuple[float, float] | None) -> bool:
        """Whether the reading has exactly these bounds, each within a band, and no other condition."""
        bounds = _filters(reading)
        lows = [rule.number for rule in bounds if rule.column == "price" and rule.op in (">", ">=")]
        highs = [rule.number for rule in bounds if rule.column == "price" and rule.op in ("<", "<=")]
        return len(lows) + len(highs) == len(bounds) and _within(lows, low) and _within(highs, high)

    def _same_rows(self, reading: Reading, condition: Filter, category: str) -> bool:
        wanted = self.index.mask(condition)
        allowed = self.index.allowed(_filters(reading))
        kept = np.ones(len(wanted), bool)
        if allowed is not None:
            kept[:] = False
            kept[allowed] = True
        among = self.index.mask(Filter("category", "=", category)) if category else np.ones(len(wanted), bool)
        return bool((wanted == kept)[among].all())


_CHECKS: dict[str, Callable[[Judge, Reading, Fill], bool]] = {
    "exclude": Judge.leaves_out,
    "without": Judge.leaves_out,
    "vegan": Judge.leaves_out,
    "brand": Judge.keeps,
    "price_max": lambda judge, reading, fill: judge.prices(reading, None, (40, 40)),
    "price_min": lambda judge, reading, fill: judge.prices(reading, (40, 40), None),
    "price_range": lambda judge, reading, fill: judge.prices(reading, (20, 20), (50, 50)),
    "price_around": lambda judge, reading, fill: judge.prices(reading, (28, 36), (44, 52)),
    "amount": lambda judge, reading, fill: judge.prices(reading, None, (Filter.parse(fill["expected"]).number,) * 2),
    "cheapest": lambda judge, reading, fill: reading.sort == "cheap" and not _filters(reading),
    "dearest": lambda judge, reading, fill: reading.sort == "dear" and not _filters(reading),
}


def _filters(reading: Reading) -> list[Filter]:
    return [rule for part in reading.parts for rule in part.filters]


def _within(numbers: list[float], band: tuple[float, float] | None) -> bool:
    return not numbers if band is None else len(numbers) == 1 and band[0] <= numbers[0] <= band[1]


def edits(recommender: Recommender) -> dict[str, list[Fill]]:
    """Changes of one colour with the products that answer them, evenly spread over the catalogue's own edit queries."""
    names = recommender.index.manifest.words.get("zh", {})
    categories = {p.id: p.category for p in recommender.index.products}
    with (CATALOG / "composed_queries.csv").open(encoding="utf-8", newline="") as lines:
        rows = [
            row for row in csv.DictReader(lines) if row["changed"] == "colour" and row["reference_id"] in categories
        ]
    fills: dict[str, list[Fill]] = {"en": [], "zh": []}
    for row in rows[:: len(rows) // EDITS][:EDITS]:
        fixed = {"reference": row["reference_id"], "targets": row["target_ids"]}
        noun = categories[row["reference_id"]]
        fills["en"].append(fixed | {"old": row["old"], "new": row["new"], "noun": noun.lower()})
        colours = {place: names["colour"].get(row[place], row[place]) for place in ("old", "new")}
        fills["zh"].append(fixed | colours | {"noun": names["category"].get(noun, noun)})
    return fills


def own_wordings(half: str) -> list[Wording]:
    """One half of the wordings that belong to this benchmark."""
    with (DATA / f"wordings_{half}.csv").open(encoding="utf-8", newline="") as lines:
        return [Wording(row["kind"], row["language"], row["wording"], row["expected"]) for row in csv.DictReader(lines)]


def real_wordings(path: Path, half: str) -> list[Wording]:
    """The most frequent wordings of sentences that name one colour or two, each colour made a place for another."""
    colours = "red|blue|green|black|white|grey|gray|pink|purple|yellow|orange|brown|beige|navy"
    things = "shirt|t-shirt|dress|top|shoes?|boots?|heels?|sneakers?|clogs?|pumps?|flats?"
    counts: Counter[str] = Counter()
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            sentence = " ".join(row["text"].lower().split()).rstrip(".")
            parts = re.split(rf"\b({colours})\b", sentence)
            swap = re.search(r"\b(?:not|instead of|rather than|less) (?:\w+ )?$", parts[2]) if len(parts) == 5 else None
            if len(parts) == 3 or swap:
                places = dict(zip(parts[1::2], ("{new}", "{old}"), strict=False))
                template = "".join(places.get(part, part) for part in parts)
                counts[re.sub(rf"\b(?:{things})\b", "{noun}", template)] += 1
    by_kind = defaultdict(list)
    for template, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        plain = set(re.findall(r"[a-z']+", re.sub(r"\{\w+\}", "", template))) <= _PLAIN
        if plain and template.count("{new}") == 1 and set(template) - set("{}\\"):
            if "{old}" in template or not re.search(r"\b(?:not|less|instead|rather|prefer)\b", template):
                by_kind["replace" if "{old}" in template else "change"].append(template)
    offset = 0 if half == "building" else 1
    return [
        Wording(kind, "en", template)
        for kind, templates in by_kind.items()
        for template in templates[:REAL_WORDINGS][offset::2]
    ]


# Words with which a sentence asks for nothing but its colour.
_PLAIN = frozenset(
    "is are has have it it's its a an the in of and but not same more much with color colour colored coloured colors "
    "all solid mostly this that one completely totally entirely just only very i want would like to be instead rather "
    "than less prefer version mainly plain bright brighter simply please make".split()
)


def measure(judge: Judge, wordings: Sequence[Wording], fills: Mapping[str, Mapping[str, Sequence[Fill]]]) -> Scores:
    """Each kind of wish: its wordings with the share of sentences that did what they say."""
    scores: Scores = defaultdict(list)
    for wording in wordings:
        values = fills.get(wording.kind, {}).get(wording.language, [{}])
        outcomes = [judge.right(wording, sentence, fill) for sentence, fill in wording.sentences(values)]
        scores[wording.kind].append((float(np.mean(outcomes)), wording.template))
    return scores


def summary(scores: Scores) -> dict[str, dict[str, float]]:
    """For each kind of wish the number of wordings, their mean, the worst, and the share that is always right."""
    return {
        kind: {
            "wordings": len(rows),
            "mean": float(np.mean([value for value, _ in rows])),
            "worst": min(value for value, _ in rows),
            "always": float(np.mean([value == 1 for value, _ in rows])),
        }
        for kind, rows in scores.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", nargs="?", type=Path, default=HOME / "index" / "default")
    parser.add_argument("--half", choices=("building", "held_out"), default="held_out")
    parser.add_argument("--edits", type=Path, help="a table of real sentences with a column text")
    parser.add_argument("--kinds", nargs="*", help="only these kinds of wish")
    parser.add_argument("--failures", type=int, default=0, help="how many of the worst wordings of a kind to list")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    recommender = Recommender.load(options.index)
    judge, fills = Judge(recommender), FILLS | dict.fromkeys(EDIT_KINDS, edits(recommender))
    tables = {"own wordings": own_wordings(options.half)}
    if options.edits:
        tables["real wordings"] = real_wordings(options.edits, options.half)
    results = {}
    for name, wordings in tables.items():
        scores = measure(judge, [w for w in wordings if w.kind in (options.kinds or (w.kind,))], fills)
        results[name] = summary(scores)
        if not options.json:
            print(f"{name}, {options.half}\n{'kind':14s} wordings   mean  worst  always right")
            for kind, row in results[name].items():
                line = f"{kind:14s} {row['wordings']:8d} {row['mean']:6.3f} {row['worst']:6.2f} {row['always']:13.2f}"
                print(line)
                for value, template in sorted(scores[kind])[: options.failures]:
                    if value < 1:
                        print(f"    {value:.2f}  {template}")
    if options.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()

"""The things on a photo: how many are marked, how many marks are false, and what asking for one brings.

python -m benchmarks.regions INDEX [--catalog FOLDER] [--places FOLDER] [--photos FOLDER ...] [--part PART]

Scenes are made of products of the catalogue that no training saw, in the half of the places that none saw
(`benchmarks/scenes.py`). FOLDERs of photos are those of `benchmarks/relevance.py`, asked as they are, turned and badly
lit. What is chosen by the part `fit` is measured on the part `measure`.
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.relevance import LABELS, Asked, labels_of, photo_queries
from benchmarks.scenes import Scene, cut_outs, places_of, scene
from mmdemo.core.request import WHOLE, Query
from mmdemo.search.recommender import Recommender
from mmdemo.search.regions import common

HOME = Path(__file__).resolve().parent.parent
SEEDS = {"fit": 1, "measure": 2}
THINGS = 120
THERE, NEAR = 0.5, 0.3  # intersection over union with a thing: of a mark on it, and of one that is not false
K = 10


def scenes_of(catalog: Path, places: Path, part: str, count: int) -> tuple[list[str], list[Scene]]:
    """Ids of the things, and scenes of one half."""
    rng = np.random.default_rng(SEEDS[part])
    split = {"fit": "valid", "measure": "test"}[part]
    things = cut_outs(catalog, {split}, THINGS, rng, other="views")
    rooms = places_of(places, 1, rng)
    return [i for i, _ in things], [scene([c for _, c in things], rooms, rng) for _ in range(count)]


def measure_scenes(recommender: Recommender, ids: Sequence[str], scenes: Sequence[Scene]) -> dict[str, Any]:
    """The figures of marks, and of asking for each thing by the whole photo, its mark and its true box."""
    things, right, alien, marks = 0, [0, 0], 0, 0
    asked: dict[str, list[tuple[bool, bool, bool]]] = {way: [] for way in ("whole photo", "mark", "true box")}
    for one in scenes:
        regions = recommender.regions(one.photo)
        boxes = np.array([r.box for r in regions]).reshape(-1, 4)
        marks += len(regions)
        alien += sum(common(box, np.array(one.boxes).reshape(-1, 4)).max(initial=0) < NEAR for box in boxes)
        whole = recommender.recommend(Query(image=one.photo, k=K, box=WHOLE))
        for box, thing in zip(one.boxes, one.things, strict=True):
            product, things = recommender.product(ids[thing]), things + 1
            shares = common(box, boxes)
            right[0] += bool((shares >= THERE).any())
            on_it = [r for r, share in zip(regions, shares, strict=True) if share >= THERE]
            right[1] += any(r.kind == product.category for r in on_it)
            tapped = whole
            if shares.max(initial=0) >= NEAR:
                tapped = recommender.recommend(Query(image=one.photo, k=K, box=regions[int(shares.argmax())].box))
            exact = recommender.recommend(Query(image=one.photo, k=K, box=box))
            for way, answers in zip(asked, (whole, tapped, exact), strict=True):
                found = [a.id for a in answers]
                asked[way].append(
                    (product.id in found[:1], product.id in found, answers[0].product.category == product.category)
                )
    return {
        "scenes": len(scenes),
        "things": things,
        "marked": right[0] / things,
        "marked, right kind": right[1] / things,
        "marks": marks / len(scenes),
        "false marks": alien / len(scenes),
        "asked": {
            way: dict(zip(("first", "in ten", "kind"), np.mean(rows, 0).round(3).tolist(), strict=True))
            for way, rows in asked.items()
        },
    }


def measure_photos(recommender: Recommender, photos: Sequence[Asked]) -> dict[str, Any]:
    """By group: the share of first answers of the right kind, by the whole photo as it is, and by what is looked at
    where nothing is chosen; over the kinds, each as much as any other, too."""
    ways: dict[str, dict[str, Any]] = {"as it is": {"box": WHOLE, "turn": 0}, "as the page asks": {}}
    groups: dict[str, dict[str, list[bool]]] = {way: defaultdict(list) for way in ways}
    kinds: dict[str, dict[str, list[bool]]] = {way: defaultdict(list) for way in ways}
    for one in photos:
        if not one.kinds:
            continue
        query = one.query()
        for way, asked in ways.items():
            answers = recommender.recommend(query.with_(**asked, k=1))
            right = bool(answers) and answers[0].product.category in one.kinds
            groups[way][one.group].append(right)
            if one.group.endswith(" sold"):
                kinds[way][min(one.kinds)].append(right)
    return {
        "photos": {group: len(rows) for group, rows in groups["as it is"].items()},
        "groups": {way: {group: float(np.mean(rows)) for group, rows in of.items()} for way, of in groups.items()},
        "number of kinds": len(kinds["as it is"]),
        "mean over kinds": {way: float(np.mean([np.mean(rows) for rows in of.values()])) for way, of in kinds.items()},
    }


def seconds(recommender: Recommender, scenes: Sequence[Scene]) -> dict[str, float]:
    """Medians over the scenes: a plain answer, and what its marks take besides."""
    plain, marks = [], []
    for one in scenes:
        photo = one.photo.copy()
        photo.putpixel((0, 0), (1, 2, 3))  # marks of the same photo are known
        started = time.perf_counter()
        recommender.recommend(Query(image=photo, box=WHOLE, turn=0))
        answered = time.perf_counter()
        recommender.regions(photo)
        plain.append(answered - started)
        marks.append(time.perf_counter() - answered)
    return {"answer": statistics.median(plain), "marks": statistics.median(marks)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("--catalog", type=Path, default=HOME / "assets" / "catalog", help="what the index is of")
    parser.add_argument("--places", type=Path, help="a catalogue of places")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="catalogues of labelled photos")
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--part", choices=SEEDS, default="measure")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    recommender = Recommender.load(args.index)
    figures: dict[str, Any] = {}
    if args.places:
        ids, made = scenes_of(args.catalog, args.places, args.part, args.scenes)
        figures["scenes"] = measure_scenes(recommender, ids, made)
        figures["seconds"] = seconds(recommender, made[:20])
    if args.photos:
        figures["photos"] = measure_photos(recommender, photo_queries(args.photos, labels_of(LABELS), args.part))
    print(json.dumps(figures, indent=None if args.json else 2))


if __name__ == "__main__":
    main()

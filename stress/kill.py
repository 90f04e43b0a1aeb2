"""kill -9 at random moments of build, add and remove: the index is the old one or the new one, whole, every time.

    python -m stress.kill [--kills 240] [--seed 0]

A child process does the work and is killed after a random part of the time that the work takes; half of the kills are
aimed at the save, the moment when versions change places. Then add and remove are killed right before each single step
by which they do. After each kill, the index is opened with all its checks, its answers are compared with brute force
over the vectors it should hold, and every picture must be there.
"""

import argparse
import itertools
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from mmdemo.catalog.catalog import Catalog
from mmdemo.catalog.imaging import decode
from mmdemo.index.product_index import VERSION, ProductIndex
from mmdemo.pipeline import build as building
from tests.toys import ToyEncoder, picture, quick_build, toy_catalogue

Work = Callable[[], object]
STEPS = ("os.rename", "os.rmdir", "shutil.rmtree")  # what Python tells of the moments when versions change places


def whole(index: Path, allowed: set[frozenset[str]]) -> frozenset[str]:
    """The ids in an index that is whole and is one of those allowed; AssertionError otherwise."""
    opened = ProductIndex.load(index)
    ids = frozenset(p.id for p in opened.products)
    assert ids in allowed, f"neither the old nor the new index: {sorted(ids)[:5]} ... ({len(ids)} products)"
    query = opened.vectors[len(opened) // 2]
    scores, rows = opened.search(query, 5)
    assert np.allclose(scores, np.sort(opened.vectors @ query)[::-1][:5], atol=1e-5), "answers differ from brute force"
    assert np.allclose(opened.vectors[rows] @ query, scores, atol=1e-5), "rows and vectors do not belong together"
    for product in opened.products:
        shown = opened.thumbnail(product.id)
        assert not product.image or (shown and decode(shown)), f"{product.id} lost its picture"
    return ids


def started(work: Work, first: Work) -> int:
    """The process id of a child that does the one after the other, in silence."""
    child = os.fork()
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1), os.dup2(null, 2)
        code = 1
        try:
            first()
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def was_cut(child: int) -> bool:
    """True if a child was killed, False if it had finished."""
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work itself failed"
    return os.WIFSIGNALED(status)


def killed(work: Work, delay: float, aimed: bool) -> bool:
    """Work in a child and kill it `delay` seconds after it began (or began to save); True if it was cut short."""
    reader, writer = os.pipe()

    def first() -> None:
        os.close(reader)
        if aimed:
            save = ProductIndex._save

            def told(self: ProductIndex, *given: object) -> object:
                ProductIndex._save = save  # type: ignore[method-assign]  # once: nobody reads a second word
                os.write(writer, b"s")
                return save(self, *given)  # type: ignore[arg-type]

            ProductIndex._save = told  # type: ignore[assignment,method-assign]
        else:
            os.write(writer, b"b")

    child = started(work, first)
    os.close(writer)
    os.read(reader, 1)  # also returns where the child ends without a word
    os.close(reader)
    time.sleep(delay)
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return was_cut(child)


def killed_before(work: Work, step: int) -> bool:
    """Work in a child that kills itself right before it renames or clears a folder for the `step`th time."""

    def first() -> None:
        steps = itertools.count()

        def watch(event: str, _: object) -> None:
            if event in STEPS and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)

    return was_cut(started(work, first))


class Shop(NamedTuple):
    """A small index, and what is done to it."""

    out: Path  # of the index
    base: frozenset[str]  # its ids
    works: dict[str, tuple[Work, frozenset[str], frozenset[str]]]  # name: the work, what is there before, and after


def make(folder: Path, resume: Callable[[], bool]) -> Shop:
    """A shop whose index holds what it should."""
    torch.set_num_threads(1)
    shop = toy_catalogue(folder / "shop", copies=1)
    more = folder / "more"
    (more / "images").mkdir(parents=True)
    picture("mug", "blue", scale=0.9).save(more / "images" / "new.png")
    (more / "catalog.csv").write_text("id,image,title\nnew-1,images/new.png,Huge blue mug\nnew-2,,Thing of words\n")
    catalog, new, index = Catalog.read(shop), Catalog.read(more), folder / "index"
    quick_build(catalog, ToyEncoder(), index)
    base = frozenset(p.id for p in catalog)
    plus = base | {"new-1", "new-2"}
    return Shop(
        index,
        base,
        {
            "build": (lambda: quick_build(catalog, ToyEncoder(), index, resume=resume()), plus, base),
            "add": (lambda: building.add(index, new, ToyEncoder()), base, plus),
            "remove": (lambda: building.remove(index, ["new-1", "new-2"]), plus, base),
        },
    )


def at_every_step(folder: Path) -> Counter[str]:
    """Kill add and remove before each step of theirs in turn, and count; AssertionError as in `run`."""
    shop = make(folder, lambda: False)
    found: Counter[str] = Counter()
    for name in ("add", "remove"):
        work, before, after = shop.works[name]
        for step in itertools.count():
            cut = killed_before(work, step)
            ids = whole(shop.out, {before, after})
            if not cut:
                break
            found[name] += 1
            if ids == after:  # back, for the next step to be one of the same work
                shop.works["remove" if name == "add" else "add"][0]()
    return found


def run(kills: int, seed: int, folder: Path) -> Counter[str]:
    """Kill so often and count what was found; AssertionError at the first index that is not whole."""
    chance = random.Random(seed)
    index, base, works = make(folder, lambda: chance.random() < 0.5)
    lasts: dict[tuple[str, bool], float] = {}
    found: Counter[str] = Counter()
    ids = base
    while found["kills"] < kills:
        name = chance.choice([name for name, (_, before, _) in works.items() if before == ids])
        work, before, after = works[name]
        aimed = chance.random() < 0.5
        last = lasts.get((name, aimed), 0.3)
        cut = killed(work, chance.random() * last * 1.2, aimed)
        ids = whole(index, {before, after})
        # The time that the work takes is learnt on the way: longer where it was never done, shorter where always.
        lasts[name, aimed] = min(20.0, last * 1.15) if cut and ids == before else max(0.005, last * 0.85)
        if cut:
            found["kills"] += 1
            found[f"{name}: {'new' if ids == after else 'old'} index"] += 1
            found["aimed at the save"] += aimed
            if found["kills"] % 20 == 0:
                print(f"{found['kills']} kills, always whole", file=sys.stderr, flush=True)
    # What was left lying about is cleared by the next save that is let alone.
    works["build"][0]()
    whole(index, {base})
    versions = [p.name for p in index.iterdir() if VERSION.fullmatch(p.name)]
    assert len(versions) <= 2, f"left behind: {sorted(versions)}"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="kill -9 at random moments of build, add and remove")
    parser.add_argument("--kills", type=int, default=240)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mmdemo-kill-"))
    try:
        began = time.monotonic()
        found = run(asked.kills, asked.seed, folder)
        print(f"{found['kills']} kills in {time.monotonic() - began:.0f} s, the index was whole after every one:")
        for what, count in sorted(found.items()):
            print(f"  {what}: {count}")
        for what, count in at_every_step(folder / "steps").items():
            print(f"and after {count} right before each step of {what}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
